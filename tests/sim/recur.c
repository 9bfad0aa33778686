/*
 * recur.c: when a series happens.  Patterns are walked in dates; a date
 * becomes an instant in the zone of the series, so that a series keeps its
 * time on the wall when the clocks change.  Also reads the recurrence of a
 * request; graph_event.c writes it.
 */
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "text.h"

const char *const pattern_names[] = {"daily", "weekly", "absoluteMonthly",
    "relativeMonthly", "absoluteYearly", "relativeYearly", NULL};
const char *const range_names[] = {"endDate", "numbered", "noEnd", NULL};
const char *const weekday_names[] = {"sunday", "monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", NULL};
const char *const index_names[] = {
    "first", "second", "third", "fourth", "last", NULL};

static int
days_in(int y, int m)
{
	return (int)((m == 12 ? day_of(y + 1, 1, 1) : day_of(y, m + 1, 1)) -
	    day_of(y, m, 1));
}

static int64_t
month_day(const struct recurrence *r, int y, int m)
{
	int n = days_in(y, m), d, left;

	if (r->type == ABSOLUTE_MONTHLY || r->type == ABSOLUTE_YEARLY)
		return day_of(y, m, r->day_of_month < n ? r->day_of_month : n);
	if (r->index == 4) {
		for (d = n; d > 1; d--)
			if (r->days & 1u << day_weekday(day_of(y, m, d)))
				break;
		return day_of(y, m, d);
	}
	for (d = 1, left = r->index; d < n; d++)
		if ((r->days & 1u << day_weekday(day_of(y, m, d))) &&
		    left-- == 0)
			break;
	return day_of(y, m, d);
}

/*
 * The next date of the pattern on or after day, or WHEN_NONE.  The pattern is
 * anchored at its start date.
 */
static int64_t
pattern_next(const struct recurrence *r, int64_t day)
{
	int64_t anchor = r->start_day, week, d;
	int y, m, dd, y0, m0, step, k;

	if (day < anchor)
		day = anchor;
	switch (r->type) {
	case DAILY:
		d = (day - anchor + r->interval - 1) / r->interval;
		return anchor + d * r->interval;
	case WEEKLY:
		week = anchor - (day_weekday(anchor) - r->first_day + 7) % 7;
		for (d = day; d < day + 7 * (r->interval + 1); d++)
			if ((r->days & 1u << day_weekday(d)) &&
			    (d - week) / 7 % r->interval == 0)
				return d;
		return WHEN_NONE;
	default:
		break;
	}
	day_split(anchor, &y0, &m0, &dd);
	day_split(day, &y, &m, &dd);
	if (r->type == ABSOLUTE_YEARLY || r->type == RELATIVE_YEARLY) {
		for (k = (y - y0) / r->interval * r->interval;
		     k < y - y0 + 2 * r->interval + 1; k += r->interval) {
			d = month_day(r, y0 + k, r->month ? r->month : m0);
			if (d >= day)
				return d;
		}
		return WHEN_NONE;
	}
	step = (y - y0) * 12 + m - m0;
	for (k = step / r->interval * r->interval; k <= step + 2 * r->interval;
	     k += r->interval) {
		d = month_day(r, y0 + (m0 - 1 + k) / 12, (m0 - 1 + k) % 12 + 1);
		if (d >= day)
			return d;
	}
	return WHEN_NONE;
}

static void
push(struct occurrences *l, int64_t original, int64_t start, int64_t end,
    const struct change *c)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->v = grow(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct occurrence){original, start, end, c};
}

static const struct change *
change_at(const struct event *e, int64_t original)
{
	size_t i;

	for (i = 0; i < e->nchanges; i++)
		if (e->changes[i].original == original)
			return &e->changes[i];
	return NULL;
}

/*
 * Adds to l what of an event overlaps [from, to): the event itself when it is
 * single, else its occurrences, changed ones where they were moved to.  The
 * caller frees l->v.
 */
void
event_occurrences(
    const struct event *e, int64_t from, int64_t to, struct occurrences *l)
{
	const struct recurrence *r = e->rec;
	int64_t wall, clock, span, day, first, start, end;
	const struct change *c;
	size_t i;
	int n = 0;

	if (r == NULL) {
		if (e->start < to && (e->end > from || e->start >= from))
			push(l, e->start, e->start, e->end, NULL);
		return;
	}
	wall = zone_wall(e->zone, e->start);
	clock = wall - day_floor(wall) * DAY;
	span = zone_wall(e->zone, e->end) - wall;
	first = r->range == RANGE_NUMBERED ? r->start_day
					   : day_floor(from) - span / DAY - 3;
	for (day = first; (day = pattern_next(r, day)) != WHEN_NONE; day++) {
		if (day * DAY - 2 * DAY > to ||
		    (r->range == RANGE_END && day > r->end_day) ||
		    (r->range == RANGE_NUMBERED && n++ >= r->count))
			break;
		start = zone_utc(e->zone, day * DAY + clock);
		if (e->nchanges > 0 && change_at(e, start) != NULL)
			continue;
		end = zone_utc(e->zone, day * DAY + clock + span);
		if (end <= start) /* it begins in the hour that is skipped */
			end = start + span;
		if (start < to && (end > from || start >= from))
			push(l, start, start, end, NULL);
	}
	for (i = 0; i < e->nchanges; i++) {
		c = &e->changes[i];
		if (!c->deleted && c->start < to && c->end > from)
			push(l, c->original, c->start, c->end, c);
	}
}

/* Whether the pattern has an occurrence at this original start. */
int
event_has_occurrence(const struct event *e, int64_t original)
{
	struct occurrences l = {0};
	const struct change *c = change_at(e, original);
	size_t i;
	int found = 0;

	if (e->rec == NULL)
		return 0;
	if (c != NULL)
		return !c->deleted;
	event_occurrences(e, original, original + 1, &l);
	for (i = 0; i < l.n; i++)
		found |= l.v[i].original == original;
	free(l.v);
	return found;
}

/* All that a recurrence says, without the padding of its struct. */
void
recurrence_numbers(const struct recurrence *r, int64_t out[RECURRENCE_NUMBERS])
{
	const int64_t v[RECURRENCE_NUMBERS] = {r->type, r->interval, r->days,
	    r->first_day, r->day_of_month, r->index, r->month, r->range,
	    r->start_day, r->end_day, r->count};

	memcpy(out, v, sizeof(v));
}

int
recurrence_same(const struct recurrence *a, const struct recurrence *b)
{
	int64_t x[RECURRENCE_NUMBERS], y[RECURRENCE_NUMBERS];

	recurrence_numbers(a, x);
	recurrence_numbers(b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

static int
name_index(const char *const *names, const char *s)
{
	int i;

	for (i = 0; s != NULL && names[i] != NULL; i++)
		if (strcmp(names[i], s) == 0)
			return i;
	return -1;
}

static int
date_member(json_t *o, const char *name, int64_t *day)
{
	int64_t t;

	if (when_parse(json_string_value(json_object_get(o, name)), &t, NULL) ==
	    -1)
		return -1;
	*day = day_floor(t);
	return 0;
}

static int
bad(struct recurrence *r, const char **why, const char *text)
{
	free(r);
	*why = text;
	return -1;
}

/*
 * Reads a patternedRecurrence of Graph.  Members that the type does not need
 * are an error, as they are to Graph.
 */
int
recurrence_parse(json_t *j, struct recurrence **out, const char **why)
{
	static const char *const allowed[] = {"", "daysOfWeek firstDayOfWeek",
	    "dayOfMonth", "daysOfWeek index", "dayOfMonth month",
	    "daysOfWeek index month"};
	json_t *p = json_object_get(j, "pattern"), *v;
	json_t *range = json_object_get(j, "range");
	struct recurrence *r = zalloc(sizeof(*r));
	const char *key;
	size_t i;
	int type, n;

	type = name_index(
	    pattern_names, json_string_value(json_object_get(p, "type")));
	n = name_index(
	    range_names, json_string_value(json_object_get(range, "type")));
	if (type == -1 || n == -1)
		return bad(r, why, "pattern.type or range.type");
	r->type = (enum pattern)type;
	r->range = (enum range)n;
	json_object_foreach(p, key, v) if (strcmp(key, "type") != 0 &&
	    strcmp(key, "interval") != 0 &&
	    strstr(allowed[type], key) == NULL) return bad(r, why,
	    "a member this pattern has not");
	r->interval = (int)json_integer_value(json_object_get(p, "interval"));
	if (r->interval < 1 || r->interval > 999)
		return bad(r, why, "pattern.interval");
	json_array_foreach(json_object_get(p, "daysOfWeek"), i, v)
	{
		if ((n = name_index(weekday_names, json_string_value(v))) < 0)
			return bad(r, why, "pattern.daysOfWeek");
		r->days |= 1u << n;
	}
	if (r->days == 0 && strstr(allowed[type], "daysOfWeek"))
		return bad(r, why, "pattern.daysOfWeek");
	if ((v = json_object_get(p, "firstDayOfWeek")) != NULL &&
	    (r->first_day = name_index(weekday_names, json_string_value(v))) ==
		-1)
		return bad(r, why, "pattern.firstDayOfWeek");
	if ((v = json_object_get(p, "index")) != NULL &&
	    (r->index = name_index(index_names, json_string_value(v))) == -1)
		return bad(r, why, "pattern.index");
	r->day_of_month =
	    (int)json_integer_value(json_object_get(p, "dayOfMonth"));
	r->month = (int)json_integer_value(json_object_get(p, "month"));
	if (strstr(allowed[type], "dayOfMonth") &&
	    (r->day_of_month < 1 || r->day_of_month > 31))
		return bad(r, why, "pattern.dayOfMonth");
	if (strstr(allowed[type], "month") && (r->month < 1 || r->month > 12))
		return bad(r, why, "pattern.month");
	if (date_member(range, "startDate", &r->start_day) == -1)
		return bad(r, why, "range.startDate");
	if (r->range == RANGE_END &&
	    (date_member(range, "endDate", &r->end_day) == -1 ||
		r->end_day < r->start_day))
		return bad(r, why, "range.endDate");
	r->count = (int)json_integer_value(
	    json_object_get(range, "numberOfOccurrences"));
	if (r->range == RANGE_NUMBERED && (r->count < 1 || r->count > 999))
		return bad(r, why, "range.numberOfOccurrences");
	*out = r;
	return 0;
}
