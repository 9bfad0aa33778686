/*
 * ews_recur.c: recurrences as EWS writes them.  When a series happens is in
 * recur.c.
 */
#include <stdlib.h>
#include <string.h>

#include "ews.h"

static const char *const elements[] = {"DailyRecurrence", "WeeklyRecurrence",
    "AbsoluteMonthlyRecurrence", "RelativeMonthlyRecurrence",
    "AbsoluteYearlyRecurrence", "RelativeYearlyRecurrence"};
static const char *const ranges[] = {
    "EndDateRecurrence", "NumberedRecurrence", "NoEndRecurrence"};
static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday",
    "Thursday", "Friday", "Saturday", "Day", "Weekday", "WeekendDay"};
static const unsigned int day_sets[] = {
    1, 2, 4, 8, 16, 32, 64, 0x7f, 0x3e, 0x41};
static const char *const indexes[] = {
    "First", "Second", "Third", "Fourth", "Last"};
static const char *const months[] = {"January", "February", "March", "April",
    "May", "June", "July", "August", "September", "October", "November",
    "December"};

static void
days_xml(struct text *o, unsigned int set)
{
	int i, n = 0;

	text_str(o, "<t:DaysOfWeek>");
	for (i = 7; i < 10; i++)
		if (day_sets[i] == set) {
			text_fmt(o, "%s</t:DaysOfWeek>", days[i]);
			return;
		}
	for (i = 0; i < 7; i++)
		if (set & 1u << i)
			text_fmt(o, "%s%s", n++ ? " " : "", days[i]);
	text_str(o, "</t:DaysOfWeek>");
}

static void
pattern_xml(struct text *o, const struct recurrence *r)
{
	int relative =
	    r->type == RELATIVE_MONTHLY || r->type == RELATIVE_YEARLY;
	int yearly = r->type == ABSOLUTE_YEARLY || r->type == RELATIVE_YEARLY;

	text_fmt(o, "<t:%s>", elements[r->type]);
	if (!yearly)
		text_fmt(o, "<t:Interval>%d</t:Interval>", r->interval);
	if (relative || r->type == WEEKLY)
		days_xml(o, r->days);
	if (r->type == WEEKLY)
		text_fmt(o, "<t:FirstDayOfWeek>%s</t:FirstDayOfWeek>",
		    days[r->first_day]);
	if (relative)
		text_fmt(o, "<t:DayOfWeekIndex>%s</t:DayOfWeekIndex>",
		    indexes[r->index]);
	if (r->type == ABSOLUTE_MONTHLY || r->type == ABSOLUTE_YEARLY)
		text_fmt(o, "<t:DayOfMonth>%d</t:DayOfMonth>", r->day_of_month);
	if (yearly)
		text_fmt(
		    o, "<t:Month>%s</t:Month>", months[(r->month + 11) % 12]);
	text_fmt(o, "</t:%s>", elements[r->type]);
}

static void
date_xml(struct text *o, const char *name, int64_t day)
{
	char s[32];

	when_print(day * DAY, s);
	text_fmt(o, "<t:%s>%.10sZ</t:%s>", name, s, name);
}

void
recurrence_xml(struct text *o, const struct event *e)
{
	const struct recurrence *r = e->rec;

	text_str(o, "<t:Recurrence>");
	pattern_xml(o, r);
	text_fmt(o, "<t:%s>", ranges[r->range]);
	date_xml(o, "StartDate", r->start_day);
	if (r->range == RANGE_END)
		date_xml(o, "EndDate", r->end_day);
	if (r->range == RANGE_NUMBERED)
		text_fmt(o, "<t:NumberOfOccurrences>%d</t:NumberOfOccurrences>",
		    r->count);
	text_fmt(o, "</t:%s></t:Recurrence>", ranges[r->range]);
}

static int
word_index(const char *const *words, size_t n, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(words[i]) == len && strncmp(words[i], s, len) == 0)
			return (int)i;
	return -1;
}

static int
child_word(const struct node *n, const char *name, const char *const *words,
    size_t count, int *out)
{
	const struct node *c = node_child(n, name);

	if (c == NULL || c->text == NULL)
		return c == NULL ? 0 : -1;
	*out = word_index(words, count, c->text, strlen(c->text));
	return *out == -1 ? -1 : 0;
}

static int
child_days(const struct node *n, unsigned int *set)
{
	const struct node *c = node_child(n, "t:DaysOfWeek");
	const char *s = c && c->text ? c->text : "";
	size_t len;
	int i;

	for (; *s != '\0'; s += len + strspn(s + len, " ")) {
		len = strcspn(s, " ");
		if ((i = word_index(days, 10, s, len)) == -1)
			return -1;
		*set |= day_sets[i];
	}
	return c != NULL && *set == 0 ? -1 : 0;
}

static int
child_number(const struct node *n, const char *name, int min, int max, int *v)
{
	const struct node *c = node_child(n, name);

	if (c == NULL)
		return 0;
	*v = c->text ? (int)strtol(c->text, NULL, 10) : 0;
	return *v < min || *v > max ? -1 : 0;
}

/* A date; Exchange takes it with or without an offset, and ignores that. */
static int
child_date(const struct node *n, const char *name, int64_t *day)
{
	const struct node *c = node_child(n, name);
	char s[11];
	int64_t t;

	if (c == NULL || c->text == NULL || strlen(c->text) < 10)
		return -1;
	memcpy(s, c->text, 10);
	s[10] = '\0';
	if (when_parse(s, &t, NULL) == -1)
		return -1;
	*day = day_floor(t);
	return 0;
}

static int
pattern_read(const struct node *n, struct recurrence *r)
{
	int first = 0, month = -1;

	r->interval = 1;
	r->day_of_month = 1;
	if (child_number(n, "t:Interval", 1, 999, &r->interval) == -1 ||
	    child_days(n, &r->days) == -1 ||
	    child_word(n, "t:FirstDayOfWeek", days, 7, &first) == -1 ||
	    child_word(n, "t:DayOfWeekIndex", indexes, 5, &r->index) == -1 ||
	    child_number(n, "t:DayOfMonth", 1, 31, &r->day_of_month) == -1 ||
	    child_word(n, "t:Month", months, 12, &month) == -1)
		return -1;
	r->first_day = first;
	r->month = month + 1;
	return 0;
}

static int
range_read(const struct node *n, struct recurrence *r)
{
	if (child_date(n, "t:StartDate", &r->start_day) == -1)
		return -1;
	if (r->range == RANGE_END &&
	    (child_date(n, "t:EndDate", &r->end_day) == -1 ||
		r->end_day < r->start_day))
		return -1;
	return child_number(n, "t:NumberOfOccurrences", 1, 999, &r->count);
}

/* Reads a Recurrence; the caller frees *out. */
const char *
recurrence_read(const struct node *n, struct recurrence **out)
{
	struct recurrence *r = zalloc(sizeof(*r));
	const struct node *p = n->first, *range = p ? p->next : NULL;
	int type = -1, kind = -1;

	if (range != NULL && range->next == NULL) {
		type =
		    word_index(elements, 6, p->name + 2, strlen(p->name + 2));
		kind = word_index(
		    ranges, 3, range->name + 2, strlen(range->name + 2));
	}
	if (type != -1 && kind != -1) {
		r->type = (enum pattern)type;
		r->range = (enum range)kind;
		if (pattern_read(p, r) == 0 && range_read(range, r) == 0) {
			*out = r;
			return NULL;
		}
	}
	free(r);
	return "ErrorInvalidRecurrence";
}
