/*
 * ews_find.c: FindItem: a view of the calendar in which series are expanded,
 * or a list of single items and masters, all or those that a restriction
 * lets through.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ews.h"

#define RESTRICTED_MAX 250
#define FIND_MAX 1000
#define VIEW_MAX (2 * 366 * (int64_t)DAY)

struct row {
	const struct event *event;
	struct occurrence occ;
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
	return x->event->serial < y->event->serial ? -1 : 1;
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
		rows->v[rows->n++] = (struct row){e, l.v[i]};
	free(l.v);
}

/* --- restrictions --------------------------------------------------------- */

/* The value of a property as text, to be freed; NULL: it has none. */
static char *
field_value(const struct event *e, const struct node *path)
{
	int f = field_number(node_attr(path, "FieldURI"));
	struct property_path p;
	char *v = NULL;
	size_t i;

	if (node_is(path, "t:ExtendedFieldURI")) {
		if (path_read(path, &p) == NULL && p.goid != NULL)
			v = goid_of(e, WHEN_NONE);
		for (i = 0; p.id != NULL && v == NULL && i < e->nprops; i++)
			if (property_same(e->props[i].id, p.id))
				v = text_dup(e->props[i].value);
		free(p.id);
		return v;
	}
	if (f == F_SUBJECT)
		return text_dup(e->subject);
	if (f == F_UID)
		return text_dup(e->meeting->uid);
	if (f == F_CANCELLED)
		return text_dup(e->cancelled ? "true" : "false");
	if (f == F_ALL_DAY)
		return text_dup(e->all_day ? "true" : "false");
	v = zalloc(32);
	if (f == F_START || f == F_END)
		when_print(f == F_START ? e->start : e->end, v);
	else if (f == F_MODIFIED || f == F_CREATED)
		when_print(f == F_MODIFIED ? e->modified : e->created, v);
	else {
		free(v);
		v = NULL;
	}
	return v;
}

static int
values_order(const char *a, const char *b)
{
	int64_t x, y;

	if (when_parse(a, &x, NULL) == 0 && when_parse(b, &y, NULL) == 0)
		return x < y ? -1 : x > y;
	return strcasecmp(a, b);
}

static int
compares(const struct event *e, const struct node *n)
{
	const char *want, *op = n->name + strlen("t:Is");
	char *v = field_value(e, n->first);
	int order, hit = 0;

	want = node_attr(
	    node_child(node_child(n, "t:FieldURIOrConstant"), "t:Constant"),
	    "Value");
	if (v != NULL && want != NULL) {
		order = values_order(v, want);
		hit = strcmp(op, "EqualTo") == 0     ? order == 0
		    : strcmp(op, "NotEqualTo") == 0  ? order != 0
		    : strncmp(op, "Greater", 7) == 0 ? order > 0
						     : order < 0;
		hit |= strstr(op, "ThanOrEqualTo") != NULL && order == 0;
	}
	free(v);
	return hit;
}

static int
contains(const struct event *e, const struct node *n)
{
	const char *want = node_attr(node_child(n, "t:Constant"), "Value");
	const char *mode = node_attr(n, "ContainmentMode");
	char *v = field_value(e, n->first);
	int hit = 0;

	if (v != NULL && want != NULL) {
		if (mode != NULL && strcmp(mode, "FullString") == 0)
			hit = strcasecmp(v, want) == 0;
		else if (mode != NULL && strcmp(mode, "Prefixed") == 0)
			hit = strncasecmp(v, want, strlen(want)) == 0;
		else
			hit = strcasestr(v, want) != NULL;
	}
	free(v);
	return hit;
}

static int
lets_through(const struct node *n, const struct event *e)
{
	const struct node *c;
	char *v;

	if (node_is(n, "t:And") || node_is(n, "t:Or")) {
		int or = node_is(n, "t:Or");

		for (c = n->first; c != NULL; c = c->next)
			if (lets_through(c, e) == or)
				return or ;
		return ! or ;
	}
	if (node_is(n, "t:Not"))
		return !lets_through(n->first, e);
	if (node_is(n, "t:Contains"))
		return contains(e, n);
	if (node_is(n, "t:Exists")) {
		v = field_value(e, n->first);
		free(v);
		return v != NULL;
	}
	return compares(e, n);
}

/* Paths of a restriction that cannot be searched by. */
static const char *
restriction_check(const struct node *n)
{
	const struct node *c;
	const char *code;

	if (node_is(n, "t:FieldURI"))
		return field_number(node_attr(n, "FieldURI")) == -1
		    ? "ErrorUnsupportedPathForQuery"
		    : NULL;
	for (c = n->first; c != NULL; c = c->next)
		if ((code = restriction_check(c)) != NULL)
			return code;
	return NULL;
}

/* --- the operation --------------------------------------------------------- */

static const char *
view_rows(struct ews *w, const struct node *view, struct rows *rows)
{
	int64_t from, to;
	size_t i;

	if (when_parse(node_attr(view, "StartDate"), &from, NULL) == -1 ||
	    when_parse(node_attr(view, "EndDate"), &to, NULL) == -1)
		return "ErrorSchemaValidation";
	if (to < from)
		return "ErrorCalendarEndDateIsEarlierThanStartDate";
	if (to - from > VIEW_MAX)
		return "ErrorCalendarViewRangeTooBig";
	if (node_child(w->op, "m:Restriction") ||
	    node_child(w->op, "m:SortOrder"))
		return "ErrorInvalidOperation";
	for (i = 0; i < w->mb->nevents; i++)
		if (!w->mb->events[i]->removed)
			rows_add(rows, w->mb->events[i], from, to);
	if (rows->n > 1)
		qsort(rows->v, rows->n, sizeof(*rows->v), row_order);
	return NULL;
}

static const char *
list_rows(struct ews *w, struct rows *rows)
{
	const struct node *filter = node_child(w->op, "m:Restriction");
	const struct mailbox *mb = w->mb;
	const char *code;
	size_t i;

	if (filter != NULL && (code = restriction_check(filter)) != NULL)
		return code;
	rows->v = zalloc((mb->nevents + 1) * sizeof(*rows->v));
	for (i = 0; i < mb->nevents; i++)
		if (!mb->events[i]->removed &&
		    (filter == NULL ||
			lets_through(filter->first, mb->events[i])))
			rows->v[rows->n++].event = mb->events[i];
	return NULL;
}

static size_t
attr_number(const struct node *n, const char *name, size_t otherwise)
{
	const char *s = node_attr(n, name);

	return s ? (size_t)strtoul(s, NULL, 10) : otherwise;
}

static void
rows_xml(struct ews *w, const struct rows *rows, const struct node *view,
    const struct shape *s)
{
	const struct node *page = node_child(w->op, "m:IndexedPageItemView");
	size_t max =
	    node_child(w->op, "m:Restriction") ? RESTRICTED_MAX : FIND_MAX;
	size_t from = attr_number(page, "Offset", 0), n, i;
	struct text *o = &w->r->out;

	n = attr_number(view ? view : page, "MaxEntriesReturned", max);
	if (n > max)
		n = max;
	if (from > rows->n)
		from = rows->n;
	if (n > rows->n - from)
		n = rows->n - from;
	ews_good(w);
	text_str(o, "<m:RootFolder");
	if (view == NULL)
		text_fmt(o, " IndexedPagingOffset=\"%zu\"", from + n);
	text_fmt(o,
	    " TotalItemsInView=\"%zu\" IncludesLastItemInRange=\"%s\">"
	    "<t:Items>",
	    view ? n : rows->n, from + n == rows->n ? "true" : "false");
	for (i = from; i < from + n; i++)
		item_xml(w, rows->v[i].event,
		    view && rows->v[i].event->rec ? &rows->v[i].occ : NULL, s);
	text_str(o, "</t:Items></m:RootFolder>");
	ews_good_end(w);
}

void
ews_find_item(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *view = node_child(w->op, "m:CalendarView");
	const struct node *in = node_child(w->op, "m:ParentFolderIds")->first;
	struct rows rows = {0};
	enum folder f = CALENDAR;
	struct shape s;
	const char *code;

	text_str(&r->out, "<m:ResponseMessages>");
	code = shape_read(node_child(w->op, "m:ItemShape"), 1, &s);
	if (code == NULL)
		code = in ? folder_find(w, in, &f) : "ErrorSchemaValidation";
	if (code == NULL && f == CALENDAR)
		code = view ? view_rows(w, view, &rows) : list_rows(w, &rows);
	if (code != NULL)
		ews_bad(w, code);
	else
		rows_xml(w, &rows, view, &s);
	text_str(&r->out, "</m:ResponseMessages>");
	free(rows.v);
	shape_free(&s);
}
