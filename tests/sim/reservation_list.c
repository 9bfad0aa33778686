/*
 * reservation_list.c: GET of reservations: which rows a query can hit is
 * narrowed by the indexes (link, locations, start) before each is matched,
 * and how a reservation looks as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "topdesk_http.h"

static const char *const members[] = {"id", "status", "number",
    "briefDescription", "notes", "archived", "requester", "numberOfPersons",
    "plannedStartDate", "plannedEndDate", "reservedFacilities", "series",
    "externalLinks", "modificationDate", "reservedForOther", "operator",
    "operatorGroup", "participants", "event", "processingStatus",
    "optionalFields1", "optionalFields2"};

enum {
	M_ID,
	M_STATUS,
	M_NUMBER,
	M_BRIEF,
	M_NOTES,
	M_ARCHIVED,
	M_REQUESTER,
	M_PEOPLE,
	M_START,
	M_END,
	M_FACILITIES,
	M_SERIES,
	M_LINKS,
	M_MODIFIED
};

/*
 * $fields as a set of top level members; sub-fields bring their whole parent,
 * which a client must bear.  The first unknown name, or NULL.
 */
const char *
reservation_json_fields(const char *s, uint64_t *set)
{
	const char *bad = NULL;
	size_t n, top, i;

	*set = UINT64_MAX;
	if (s == NULL || *s == '\0')
		return NULL;
	*set = 0;
	for (; *s != '\0'; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		top = strcspn(s, ",.");
		for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			if (strlen(members[i]) == top &&
			    strncmp(members[i], s, top) == 0)
				break;
		if (i == sizeof(members) / sizeof(members[0]))
			bad = s;
		else
			*set |= (uint64_t)1 << i;
	}
	return bad;
}

static void
facilities_json(struct text *o, const struct reservation *r)
{
	char a[32], b[32], c[32], d[32];
	size_t i;

	text_str(o, ",\"reservedFacilities\":[");
	for (i = 0; i < r->nfacilities; i++) {
		const struct location *l = r->facilities[i].location;

		when_print(r->start, a);
		when_print(r->end, b);
		when_print(r->start - (int64_t)l->block * 60, c);
		when_print(r->end + (int64_t)l->block * 60, d);
		text_fmt(o,
		    "%s{\"id\":\"%s\",\"plannedStartDate\":\"%s\","
		    "\"plannedEndDate\":\"%s\",\"startDateBlock\":\"%s\","
		    "\"endDateBlock\":\"%s\",\"issueDate\":%s%s%s,"
		    "\"returnDate\":null,\"location\":{\"id\":\"%s\","
		    "\"name\":",
		    i ? "," : "", r->facilities[i].id, a, b, c, d,
		    r->issued ? "\"" : "", r->issued ? a : "null",
		    r->issued ? "\"" : "", l->id);
		text_json(o, l->name);
		text_str(o, "},\"object\":null,\"asset\":null,");
		if (i == 0)
			services_json(o, r);
		else
			text_str(o, "\"reservedServices\":[]");
		text_str(o, "}");
	}
	text_str(o, "]");
}

static void
links_json(struct text *o, const struct reservation *r)
{
	char t[32];

	text_str(o, ",\"externalLinks\":[");
	if (r->link_id != NULL) {
		text_str(o, "{\"id\":");
		text_json(o, r->link_id);
		text_str(o, ",\"type\":");
		text_json(o, r->link_type);
		if (r->link_date != WHEN_NONE) {
			when_print(r->link_date, t);
			text_fmt(o, ",\"date\":\"%s\"", t);
		}
		text_str(o, "}");
	}
	text_str(o, "]");
}

#define HAS(m) (set & (uint64_t)1 << (m))

void
reservation_json(struct text *o, const struct reservation *r, uint64_t set)
{
	char t[32];
	size_t at = o->len;

	if (HAS(M_ID))
		text_fmt(o, ",\"id\":\"%s\"", r->id);
	if (HAS(M_STATUS))
		text_fmt(o, ",\"status\":\"%s\"", status_names[r->status]);
	if (HAS(M_NUMBER))
		text_fmt(o, ",\"number\":\"%s\"", r->number);
	if (HAS(M_BRIEF)) {
		text_str(o, ",\"briefDescription\":");
		text_json(o, r->brief);
	}
	if (HAS(M_NOTES)) {
		text_str(o, ",\"notes\":");
		text_json(o, r->notes);
	}
	if (HAS(M_ARCHIVED))
		text_fmt(o, ",\"archived\":%s", r->archived ? "true" : "false");
	if (HAS(M_REQUESTER) && r->requester != NULL) {
		text_fmt(o, ",\"requester\":{\"id\":\"%s\",\"name\":",
		    r->requester->id);
		text_json(o, r->requester->name);
		text_str(o, ",\"email\":");
		text_json(o, r->requester->email);
		text_str(o, "}");
	}
	if (HAS(M_PEOPLE)) {
		if (r->people >= 0)
			text_fmt(o, ",\"numberOfPersons\":%d", r->people);
		else
			text_str(o, ",\"numberOfPersons\":null");
	}
	if (HAS(M_START)) {
		when_print(r->start, t);
		text_fmt(o, ",\"plannedStartDate\":\"%s\"", t);
	}
	if (HAS(M_END)) {
		when_print(r->end, t);
		text_fmt(o, ",\"plannedEndDate\":\"%s\"", t);
	}
	if (HAS(M_FACILITIES))
		facilities_json(o, r);
	if (HAS(M_SERIES)) {
		text_str(
		    o, r->series ? ",\"series\":{\"id\":" : ",\"series\":");
		text_json(o, r->series);
		if (r->series)
			text_str(o, "}");
	}
	if (HAS(M_LINKS))
		links_json(o, r);
	if (HAS(M_MODIFIED)) {
		when_print(r->modified, t);
		text_fmt(o, ",\"modificationDate\":\"%s\"", t);
	}
	if (o->len == at)
		text_str(o, "{");
	else
		o->b[at] = '{';
	text_str(o, "}");
}

/* Answers with one reservation and says when it was last changed. */
void
td_answer(struct request *r, const struct reservation *res, int status)
{
	char t[40];

	when_http(res->modified, t);
	answer_header(r, "Last-Modified", "%s", t);
	r->status = status;
	reservation_json(&r->out, res, UINT64_MAX);
}

void
td_get(struct request *r)
{
	struct reservation *res = reservation_find(r->segs[1]);

	td_allows_args(r, "$fields");
	if (td_forbidden(r, topdesk.may_read,
		"No permission to access the reservations management API"))
		return;
	if (res == NULL || reservation_hidden(res)) {
		td_error(r, 404, "NOT_FOUND", "identifier",
		    "Reservation could not be found");
		return;
	}
	td_answer(r, res, 200);
}

/* What narrows a query: filled from the parts that must all hold. */
struct narrow {
	const struct fiql *links;
	const struct fiql *places;
	int64_t from; /* starts at or after */
	int64_t to;   /* starts before */
};

static void
narrow_by(const struct fiql *f, struct narrow *n)
{
	const char *name;

	if (f->op == FIQL_AND) {
		narrow_by(f->left, n);
		narrow_by(f->right, n);
		return;
	}
	if (f->op == FIQL_OR || f->is_null || f->n == 0)
		return;
	name = reservation_fields[f->field].name;
	if (f->op == FIQL_EQ || f->op == FIQL_IN) {
		if (strcmp(name, "externalLinks.id") == 0)
			n->links = f;
		else if (strcmp(name, "reservedFacilities.location.id") == 0)
			n->places = f;
	} else if (strcmp(name, "plannedStartDate") == 0) {
		if ((f->op == FIQL_GE || f->op == FIQL_GT) &&
		    f->numbers[0] > n->from)
			n->from = f->numbers[0];
		if ((f->op == FIQL_LT || f->op == FIQL_LE) &&
		    f->numbers[0] + 1 < n->to)
			n->to = f->numbers[0] + 1;
	} else if (strcmp(name, "plannedEndDate") == 0 &&
	    (f->op == FIQL_GT || f->op == FIQL_GE) &&
	    f->numbers[0] - topdesk.longest > n->from)
		n->from = f->numbers[0] - topdesk.longest;
}

static void
take(const struct row_list *l, const struct narrow *n, const struct fiql *f,
    struct row_list *out, size_t max)
{
	size_t i;

	for (i = rows_at(l, n->from);
	     i < l->n && out->n < max && l->v[i]->start < n->to; i++)
		if (!reservation_hidden(l->v[i]) &&
		    (f == NULL ||
			fiql_match(
			    f, reservation_fields, reservation_get, l->v[i])))
			row_push(out, l->v[i]);
}

static int
row_order(const void *a, const void *b)
{
	const struct reservation *x = *(struct reservation *const *)a;
	const struct reservation *y = *(struct reservation *const *)b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return strcmp(x->number, y->number);
}

static void
find_rows(const struct fiql *f, struct row_list *out, size_t max)
{
	struct narrow n = {NULL, NULL, INT64_MIN / 4, INT64_MAX / 4};
	const struct row_list *l;
	struct narrow any;
	size_t i, kept = 0;

	if (f != NULL)
		narrow_by(f, &n);
	any = n;
	any.from = INT64_MIN / 4;
	any.to = INT64_MAX / 4;
	if (n.links != NULL) {
		for (i = 0; i < n.links->n; i++) {
			l = map_get(&topdesk.by_link, n.links->texts[i]);
			if (l != NULL)
				take(l, &any, f, out, SIZE_MAX);
		}
	} else if (n.places != NULL && n.places->n <= 200) {
		for (i = 0; i < n.places->n; i++) {
			struct location *where =
			    map_get(&topdesk.locations, n.places->texts[i]);

			if (where != NULL)
				take(&where->booked, &n, f, out, out->n + max);
		}
	} else {
		take(&topdesk.all, &n, f, out, max);
		return;
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), row_order);
	for (i = 0; i < out->n; i++) /* in two of the places */
		if (i == 0 || out->v[i] != out->v[i - 1])
			out->v[kept++] = out->v[i];
	out->n = kept;
}

static const struct {
	const char *arg, *query;
} old_filters[] = {
    {"plannedFrom", "plannedEndDate=gt="},
    {"plannedTo", "plannedStartDate=lt="},
    {"requesterId", "requester.id=="},
    {"locationId", "reservedFacilities.location.id=="},
    {"seriesId", "series.id=="},
    {"externalLinkId", "externalLinks.id=="},
    {"externalLinkType", "externalLinks.type=="},
    {"archived", "archived=="},
    {"cancelled", "status"},
};

/* The filters from before there were queries, as a query; NULL for none. */
static char *
old_query(struct request *r)
{
	struct text t = {0};
	size_t i, k, n;

	for (k = 0; k < sizeof(old_filters) / sizeof(old_filters[0]); k++) {
		for (i = n = 0; i < r->nargs; i++) {
			if (strcmp(r->args[i].name, old_filters[k].arg) != 0)
				continue;
			text_str(&t, n++ ? "," : t.len ? ";(" : "(");
			if (strcmp(old_filters[k].arg, "cancelled") == 0)
				text_str(&t,
				    strcmp(r->args[i].value, "true")
					? "status!=cancelled"
					: "status==cancelled");
			else
				text_fmt(&t, "%s'%s'", old_filters[k].query,
				    r->args[i].value);
		}
		if (n > 0)
			text_str(&t, ")");
	}
	return t.b;
}

void
td_list(struct request *r)
{
	const char *q = request_arg(r, "query"), *bad;
	const char *top = request_arg(r, "$top");
	long max = top ? strtol(top, NULL, 10) : 1000;
	char *old = q ? NULL : old_query(r), why[160];
	struct row_list rows = {0};
	struct fiql *f = NULL;
	uint64_t set;
	size_t i;

	td_allows_args(r,
	    q ? "query $fields $top"
	      : "$fields $top plannedFrom "
		"plannedTo requesterId locationId seriesId externalLinkId "
		"externalLinkType archived cancelled");
	if (td_forbidden(r, topdesk.may_read,
		"No permission to access the reservations management API"))
		goto out;
	if (max < 1 || max > 10000) {
		violation(r, "$top of %ld", max);
		td_error(r, 400, "INVALID_PARAMETER", "$top", "bad $top");
		goto out;
	}
	if ((bad = reservation_json_fields(request_arg(r, "$fields"), &set)))
		violation(r, "unknown $fields from %.40s", bad);
	if (q == NULL)
		q = old;
	if (q != NULL &&
	    (f = fiql_parse(q, reservation_fields, why, sizeof(why))) == NULL) {
		violation(r, "bad query: %s", why);
		td_error(r, 400, "INVALID_QUERY", "query", "%s", why);
		goto out;
	}
	find_rows(f, &rows, (size_t)max + 1);
	r->status = rows.n > (size_t)max ? 206 : 200;
	text_str(&r->out, "{\"results\":[");
	for (i = 0; i < rows.n && i < (size_t)max; i++) {
		if (i > 0)
			text_str(&r->out, ",");
		reservation_json(&r->out, rows.v[i], set);
	}
	text_str(&r->out, "]}");
out:
	fiql_free(f);
	free(rows.v);
	free(old);
}
