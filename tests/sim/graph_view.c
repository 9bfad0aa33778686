/*
 * graph_view.c: reads of Graph that are not delta: calendarView, instances,
 * one event, the look-up by extended property, and places.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph.h"

struct row {
	const struct event *event;
	struct occurrence occ;
	int whole; /* the master, not an occurrence */
};

struct rows {
	struct row *v;
	size_t n;
};

static int
row_order(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->occ.start != y->occ.start)
		return x->occ.start < y->occ.start ? -1 : 1;
	return x->event->serial < y->event->serial
	    ? -1
	    : x->event->serial > y->event->serial;
}

static void
rows_add(struct rows *rows, const struct event *e, int64_t from, int64_t to)
{
	struct occurrences l = {0};
	size_t i;

	event_occurrences(e, from, to, &l);
	if (l.n > 0)
		rows->v = grow(rows->v, rows->n + l.n, sizeof(*rows->v));
	for (i = 0; i < l.n; i++)
		rows->v[rows->n++] = (struct row){e, l.v[i], e->rec == NULL};
	free(l.v);
}

static size_t
arg_number(const struct request *r, const char *name, size_t otherwise)
{
	const char *s = request_arg(r, name);

	return s ? (size_t)strtoul(s, NULL, 10) : otherwise;
}

static void
text_url(struct text *o, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~$@:,";

	for (; *s != '\0'; s++)
		if (strchr(plain, *s) != NULL)
			text_add(o, s, 1);
		else
			text_fmt(o, "%%%02X", (unsigned char)*s);
}

/* Extended properties cannot be had all at once: each is asked for by name. */
static int
expand_check(struct request *r)
{
	const char *s = request_arg(r, "$expand");

	if (s == NULL ||
	    strncasecmp(s, "singleValueExtendedProperties($filter=", 38) == 0)
		return 0;
	violation(r, "an $expand that cannot be read");
	graph_error(r, 400, "ErrorInvalidUrlQuery",
	    "The $expand of singleValueExtendedProperties needs a $filter.");
	return -1;
}

/* Writes a link to the next page: the same request with another $skip. */
static void
next_link(struct request *r, size_t skip)
{
	size_t i;

	text_str(&r->out, ",\"@odata.nextLink\":\"");
	graph_base(r, &r->out);
	for (i = 0; i < r->nsegs; i++) {
		text_str(&r->out, "/");
		text_url(&r->out, r->segs[i]);
	}
	text_str(&r->out, "?");
	for (i = 0; i < r->nargs; i++)
		if (strcmp(r->args[i].name, "$skip") != 0) {
			text_fmt(&r->out, "%s=", r->args[i].name);
			text_url(&r->out, r->args[i].value);
			text_str(&r->out, "&");
		}
	text_fmt(&r->out, "$skip=%zu\"", skip);
}

static void
rows_json(struct request *r, struct rows *rows, uint64_t set)
{
	size_t top = arg_number(r, "$top", 10), i, n = 0;
	size_t skip = arg_number(r, "$skip", 0);

	if (top < 1 || top > 1000) {
		violation(r, "$top of %zu", top);
		top = 1000;
	}
	if (settings.page_size > 0 && top > (size_t)settings.page_size)
		top = (size_t)settings.page_size;
	if (rows->n > 0)
		qsort(rows->v, rows->n, sizeof(*rows->v), row_order);
	r->status = 200;
	text_str(&r->out, "{\"@odata.context\":\"");
	graph_base(r, &r->out);
	text_str(&r->out, "/$metadata#Collection(event)\",\"value\":[");
	for (i = skip; i < rows->n && n < top; i++, n++) {
		const struct row *row = &rows->v[i];

		text_str(&r->out, n ? ",{" : "{");
		event_json(r, row->event, row->whole ? NULL : &row->occ, set);
		event_properties(r, row->event);
		text_str(&r->out, "}");
	}
	text_str(&r->out, "]");
	if (i < rows->n)
		next_link(r, i);
	text_str(&r->out, "}");
	free(rows->v);
}

void
graph_view(struct request *r)
{
	struct mailbox *mb = graph_mailbox(r);
	struct rows rows = {0};
	int64_t from, to;
	uint64_t set;
	size_t i;

	if (mb == NULL || graph_window(r, &from, &to) == -1 ||
	    select_parse(r, &set) == -1 || expand_check(r) == -1)
		return;
	for (i = 0; i < mb->nevents; i++)
		if (!mb->events[i]->removed)
			rows_add(&rows, mb->events[i], from, to);
	rows_json(r, &rows, set);
}

/*
 * The event of users/{user}/events/{id}; for an occurrence *occ points to
 * what is filled into room.  -1 after answering that there is none.
 */
int
graph_target(struct request *r, struct event **e, struct occurrence *room,
    const struct occurrence **occ)
{
	struct mailbox *mb = graph_mailbox(r);
	const char *id = r->segs[r->nsegs - 1];
	struct occurrences l = {0};
	int64_t original;
	size_t i;

	*occ = NULL;
	if (mb == NULL)
		return -1;
	for (i = 3; i <= 4 && i < r->nsegs; i++)
		if (strcasecmp(r->segs[i - 1], "events") == 0)
			id = r->segs[i];
	if (id_read(mb, id, e, &original) == -1) {
		graph_error(r, strlen(id) == 152 ? 404 : 400,
		    strlen(id) == 152 ? "ErrorItemNotFound"
				      : "ErrorInvalidIdMalformed",
		    strlen(id) == 152
			? "The specified object was not found in the store."
			: "Id is malformed.");
		return -1;
	}
	if ((*e)->removed || (*e)->mailbox != mb)
		goto gone;
	if (original == WHEN_NONE)
		return 0;
	if (!event_has_occurrence(*e, original))
		goto gone;
	for (i = 0; i < (*e)->nchanges; i++)
		if ((*e)->changes[i].original == original) {
			*room = (struct occurrence){original,
			    (*e)->changes[i].start, (*e)->changes[i].end,
			    &(*e)->changes[i]};
			*occ = room;
			return 0;
		}
	event_occurrences(*e, original, original + 1, &l);
	for (i = 0; i < l.n; i++)
		if (l.v[i].original == original) {
			*room = l.v[i];
			*occ = room;
		}
	free(l.v);
	if (*occ != NULL)
		return 0;
gone:
	graph_error(r, 404, "ErrorItemNotFound",
	    "The specified object was not found in the store.");
	return -1;
}

void
graph_get_event(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;
	uint64_t set;

	if (graph_target(r, &e, &room, &occ) == -1 ||
	    select_parse(r, &set) == -1 || expand_check(r) == -1)
		return;
	r->status = 200;
	text_str(&r->out, "{");
	event_json(r, e, occ, set);
	event_properties(r, e);
	text_str(&r->out, "}");
}

void
graph_instances(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct rows rows = {0};
	struct event *e;
	int64_t from, to;
	uint64_t set;

	if (graph_target(r, &e, &room, &occ) == -1 ||
	    graph_window(r, &from, &to) == -1 || select_parse(r, &set) == -1 ||
	    expand_check(r) == -1)
		return;
	if (e->rec == NULL || occ != NULL) {
		graph_error(r, 400, "ErrorInvalidRequest",
		    "Expanding recurring instances needs a series master.");
		return;
	}
	rows_add(&rows, e, from, to);
	rows_json(r, &rows, set);
}

/* The text between quotes after a word of a filter, '' undone. */
static int
filter_text(const char *filter, const char *word, char *out, size_t size)
{
	const char *p = filter ? strstr(filter, word) : NULL;
	size_t n = 0;

	if (p == NULL)
		return -1;
	for (p += strlen(word); n + 1 < size && *p != '\0'; p++) {
		if (*p == '\'' && *++p != '\'')
			break;
		out[n++] = *p;
	}
	out[n] = '\0';
	return 0;
}

static int
has_property(const struct event *e, const char *id, const char *value)
{
	size_t i;

	for (i = 0; i < e->nprops; i++)
		if (strcmp(e->props[i].id, id) == 0 &&
		    strcasecmp(e->props[i].value, value) == 0)
			return 1;
	return 0;
}

struct wanted {
	char uid[512];
	char id[256];
	char value[512];
};

/* The two filters that are served: by extended property, by iCalUId. */
static int
filter_parse(const char *f, struct wanted *w)
{
	memset(w, 0, sizeof(*w));
	if (f == NULL)
		return 0;
	if (strncmp(f, "iCalUId eq '", 12) == 0)
		return filter_text(f, "iCalUId eq '", w->uid, sizeof(w->uid));
	if (strncmp(f, "singleValueExtendedProperties/Any(", 34) != 0 ||
	    filter_text(f, "ep/id eq '", w->id, sizeof(w->id)) == -1)
		return -1;
	return filter_text(f, "ep/value eq '", w->value, sizeof(w->value));
}

/* GET events: singles and masters, never occurrences. */
void
graph_list_events(struct request *r)
{
	struct mailbox *mb = graph_mailbox(r);
	struct rows rows = {0};
	struct wanted w;
	uint64_t set;
	size_t i;

	if (mb == NULL || select_parse(r, &set) == -1 || expand_check(r) == -1)
		return;
	if (filter_parse(request_arg(r, "$filter"), &w) == -1) {
		violation(r, "a $filter that cannot be read");
		graph_error(r, 400, "ErrorInvalidUrlQueryFilter",
		    "The query filter is invalid.");
		return;
	}
	for (i = 0; i < mb->nevents; i++) {
		const struct event *e = mb->events[i];

		if (e->removed ||
		    (*w.uid && strcmp(w.uid, e->meeting->uid) != 0) ||
		    (*w.id && !has_property(e, w.id, w.value)))
			continue;
		rows.v = grow(rows.v, rows.n + 1, sizeof(*rows.v));
		rows.v[rows.n++] =
		    (struct row){e, {e->start, e->start, e->end, NULL}, 1};
	}
	rows_json(r, &rows, set);
}

void
graph_rooms(struct request *r)
{
	size_t top = arg_number(r, "$top", 100), i, n = 0;
	size_t skip = arg_number(r, "$skip", 0);

	r->status = 200;
	text_str(&r->out, "{\"value\":[");
	for (i = skip; i < exchange.nrooms && n < top; i++, n++) {
		const struct mailbox *mb = exchange.rooms[i];

		text_fmt(&r->out,
		    "%s{\"id\":\"00000000-0000-4000-8000-%012x\","
		    "\"emailAddress\":",
		    n ? "," : "", mb->number);
		text_json(&r->out, mb->email);
		text_str(&r->out, ",\"displayName\":");
		text_json(&r->out, mb->name);
		/* numbers are sometimes quoted by the real one, too */
		text_fmt(&r->out,
		    ",\"nickname\":null,\"capacity\":%s,"
		    "\"building\":\"Main\",\"bookingType\":\"standard\","
		    "\"tags\":[]}",
		    mb->number % 2 ? "\"8\"" : "8");
	}
	text_str(&r->out, "]");
	if (i < exchange.nrooms)
		next_link(r, i);
	text_str(&r->out, "}");
}

void
graph_roomlists(struct request *r)
{
	r->status = 200;
	text_str(&r->out,
	    "{\"value\":[{\"id\":\"00000000-0000-4000-9000-"
	    "000000000001\",\"emailAddress\":\"rooms@sim.test\","
	    "\"displayName\":\"All rooms\"}]}");
}
