/* moment.c: see moment.h.  The calendar is the proleptic Gregorian one. */
#include "fetchd/adapter/moment.h"

#include <string.h>

#define DAY INT64_C(86400)

/* Days since 1970-01-01 of a date; March is month 0, so that the leap day is
 * a year's last. */
static int64_t
days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t z = days + 719468, era, doe, yoe, doy, mp;

	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

/* n digits at *s; -1 when they are not there. */
static int
digits(const char **s, int n)
{
	int v = 0;

	while (n-- > 0) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + *(*s)++ - '0';
	}
	return v;
}

static int
expect(const char **s, char c)
{
	if (**s != c)
		return -1;
	(*s)++;
	return 0;
}

/* The offset behind the time, in seconds; -1 when it is none. */
static int
offset_parse(const char *s, int *offset)
{
	int sign = *s == '-' ? -1 : 1, h, m;

	*offset = 0;
	if (*s == '\0' || strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return 0;
	if (*s != '+' && *s != '-')
		return -1;
	s++;
	if ((h = digits(&s, 2)) < 0 || h > 14)
		return -1;
	if (*s == ':')
		s++;
	if ((m = digits(&s, 2)) < 0 || m > 59 || *s != '\0')
		return -1;
	*offset = sign * (h * 3600 + m * 60);
	return 0;
}

int
moment_parse(const char *s, int64_t *at)
{
	static const int8_t length[] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, mo, d, h = 0, mi = 0, sec = 0, offset = 0;

	if ((y = digits(&s, 4)) < 1 || expect(&s, '-') ||
	    (mo = digits(&s, 2)) < 1 || mo > 12 || expect(&s, '-') ||
	    (d = digits(&s, 2)) < 1 || d > length[mo - 1])
		return -1;
	if (mo == 2 && d == 29 && (y % 4 || (y % 100 == 0 && y % 400)))
		return -1;
	if (*s == 'T' || *s == 't') {
		s++;
		if ((h = digits(&s, 2)) < 0 || h > 23 || expect(&s, ':') ||
		    (mi = digits(&s, 2)) < 0 || mi > 59)
			return -1;
		if (*s == ':') {
			s++;
			if ((sec = digits(&s, 2)) < 0 || sec > 60)
				return -1;
			if (*s == '.')
				for (s++; *s >= '0' && *s <= '9'; s++)
					;
		}
		if (offset_parse(s, &offset))
			return -1;
	} else if (*s != '\0')
		return -1;
	*at = days_of(y, mo, d) * DAY + h * 3600 + mi * 60 + sec - offset;
	return 0;
}

static void
put_digits(char *p, int n, unsigned v)
{
	for (; n-- > 0; v /= 10)
		p[n] = (char)('0' + v % 10);
}

const char *
moment_text(int64_t at, char buf[MOMENT_TEXT])
{
	int64_t days, left, y;
	int m, d;

	if (at < MOMENT_MIN)
		at = MOMENT_MIN;
	if (at > MOMENT_MAX)
		at = MOMENT_MAX;
	days = (at - MOMENT_MIN) / DAY + MOMENT_MIN / DAY;
	left = at - days * DAY;
	date_of(days, &y, &m, &d);
	memcpy(buf, "0000-00-00T00:00:00Z", 21);
	put_digits(buf, 4, (unsigned)y);
	put_digits(buf + 5, 2, (unsigned)m);
	put_digits(buf + 8, 2, (unsigned)d);
	put_digits(buf + 11, 2, (unsigned)(left / 3600));
	put_digits(buf + 14, 2, (unsigned)(left / 60 % 60));
	put_digits(buf + 17, 2, (unsigned)(left % 60));
	return buf;
}

static int64_t
floor_to(int64_t at, int64_t unit)
{
	int64_t r = at % unit;

	return at - (r < 0 ? r + unit : r);
}

int64_t
moment_minute(int64_t at)
{
	return floor_to(at, 60);
}

int64_t
moment_date(int64_t at)
{
	return floor_to(at + DAY / 2, DAY);
}
