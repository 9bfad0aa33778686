/*
 * audit_time.c: the times that --since and --until take.  See audit_pick.h.
 *
 * Not here: how times are shown (table.c, audit.c).
 */
#include <ctype.h>
#include <string.h>
#include <time.h>

#include "ctl/audit_pick.h"

#define SECOND INT64_C(1000000000)
#define YEARS_MAX (INT64_C(200) * 366 * 86400)

const char audit_time_forms[] =
    "2026-11-23, \"2026-11-23 14:00\", \"2026-11-23 14:00:30\", "
    "2026-11-23T14:00:00Z or with an offset (+01:00), -30m, -2h, -7d, -4w, "
    "now, today or yesterday; local time where no offset is given";

/* Exactly n digits at *p, which is moved behind them. */
static int
take_digits(const char **p, int n, int low, int high, int *out)
{
	int v = 0;

	for (; n > 0; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return -1;
		v = v * 10 + **p - '0';
	}
	*out = v;
	return v < low || v > high ? -1 : 0;
}

static int
take(const char **p, char c)
{
	if (**p != c)
		return -1;
	(*p)++;
	return 0;
}

/* -2h: so long before now. */
static int
time_before(const char *p, int64_t now, int64_t *ns)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = {1, 60, 3600, 86400, 7 * 86400};
	const char *unit;
	int64_t n = 0;

	if (!isdigit((unsigned char)*p))
		return -1;
	for (; isdigit((unsigned char)*p); p++)
		if ((n = n * 10 + *p - '0') > YEARS_MAX)
			return -1;
	if (*p == '\0' || p[1] || (unit = strchr(units, *p)) == NULL)
		return -1;
	n *= seconds[unit - units];
	if (n >= now)
		return -1;
	*ns = (now - n) * SECOND;
	return 0;
}

/* now, today, yesterday: the latter two from midnight. */
static int
time_word(const char *text, int64_t now, int64_t *ns)
{
	time_t t = (time_t)now;
	struct tm tm;

	if (strcmp(text, "now") == 0) {
		*ns = now * SECOND;
		return 0;
	}
	if ((strcmp(text, "today") && strcmp(text, "yesterday")) ||
	    localtime_r(&t, &tm) == NULL)
		return -1;
	tm.tm_mday -= *text == 'y';
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*ns = (int64_t)mktime(&tm) * SECOND;
	return 0;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.fraction */
static int
take_clock(const char **p, struct tm *tm, int64_t *fraction)
{
	int64_t unit = SECOND;

	if (take_digits(p, 2, 0, 23, &tm->tm_hour) || take(p, ':') ||
	    take_digits(p, 2, 0, 59, &tm->tm_min))
		return -1;
	if (**p != ':')
		return 0;
	(*p)++;
	if (take_digits(p, 2, 0, 60, &tm->tm_sec))
		return -1;
	if (**p != '.')
		return 0;
	(*p)++;
	if (!isdigit((unsigned char)**p))
		return -1;
	for (; isdigit((unsigned char)**p); (*p)++) {
		unit /= 10;
		*fraction += (**p - '0') * unit;
	}
	return 0;
}

/* Z, +01:00, -05:30, or nothing: then *local is 1. */
static int
take_offset(const char **p, int *local, int64_t *offset)
{
	int hours, mins, sign = **p == '-' ? -1 : 1;

	*local = **p == '\0';
	*offset = 0;
	if (*local)
		return 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return 0;
	}
	if ((**p != '+' && **p != '-') || ((*p)++, 0) ||
	    take_digits(p, 2, 0, 23, &hours) || take(p, ':') ||
	    take_digits(p, 2, 0, 59, &mins))
		return -1;
	*offset = sign * (hours * 3600 + mins * 60);
	return 0;
}

/* mktime() and timegm() take a 31st of November for a 1st of December. */
static int
is_day(const struct tm *tm)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y = tm->tm_year + 1900;
	int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return tm->tm_mday <= days[tm->tm_mon] + (tm->tm_mon == 1 && leap);
}

static int
time_of_day(const char *p, int64_t *ns)
{
	int64_t fraction = 0, offset = 0;
	struct tm tm = {.tm_isdst = -1};
	int local = 1, year;

	if (take_digits(&p, 4, 1970, 2200, &year) || take(&p, '-') ||
	    take_digits(&p, 2, 1, 12, &tm.tm_mon) || take(&p, '-') ||
	    take_digits(&p, 2, 1, 31, &tm.tm_mday))
		return -1;
	tm.tm_mon--;
	tm.tm_year = year - 1900;
	if (!is_day(&tm))
		return -1;
	if (*p) {
		if (*p != ' ' && *p != 'T' && *p != 't')
			return -1;
		p++;
		if (take_clock(&p, &tm, &fraction) ||
		    take_offset(&p, &local, &offset) || *p)
			return -1;
	}
	*ns = ((int64_t)(local ? mktime(&tm) : timegm(&tm)) - offset) * SECOND +
	    fraction;
	return 0;
}

int
audit_time(const char *text, int64_t now, int64_t *ns)
{
	if (*text == '-')
		return time_before(text + 1, now, ns);
	if (isdigit((unsigned char)*text))
		return time_of_day(text, ns);
	return time_word(text, now, ns);
}
