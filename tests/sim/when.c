/*
 * when.c: instants and dates, read and written.  Zones are in zone.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "when.h"

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t
day_of(int y, int m, int d)
{
	int64_t era, yy = y - (m <= 2);
	int64_t yoe, doy;

	era = (yy >= 0 ? yy : yy - 399) / 400;
	yoe = yy - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
day_split(int64_t z, int *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

int
day_weekday(int64_t day)
{
	return (int)((day % 7 + 7 + 4) % 7);
}

/* The day that holds an instant or a wall time. */
int64_t
day_floor(int64_t t)
{
	return t >= 0 ? t / DAY : -((-t + DAY - 1) / DAY);
}

static int
digits(const char **s, int n, int *v)
{
	*v = 0;
	while (n-- > 0) {
		if (**s < '0' || **s > '9')
			return -1;
		*v = *v * 10 + *(*s)++ - '0';
	}
	return 0;
}

/*
 * Reads yyyy-mm-dd[Thh:mm[:ss[.f]][Z|+hh:mm|+hhmm]].  *offset becomes 1 when
 * the text said which offset it means; *t is then an instant, else a wall
 * time.  0, or -1 on anything else.
 */
int
when_parse(const char *s, int64_t *t, int *offset)
{
	int y, m, d, h = 0, mi = 0, sec = 0, oh, om = 0, sign, has = 0;
	int64_t v;

	if (s == NULL || digits(&s, 4, &y) || *s++ != '-' ||
	    digits(&s, 2, &m) || *s++ != '-' || digits(&s, 2, &d) || m < 1 ||
	    m > 12 || d < 1 || d > 31)
		return -1;
	if (*s == 'T' || *s == 't') {
		s++;
		if (digits(&s, 2, &h) || *s++ != ':' || digits(&s, 2, &mi))
			return -1;
		if (*s == ':') {
			s++;
			if (digits(&s, 2, &sec))
				return -1;
			if (*s == '.') {
				s++;
				if (*s < '0' || *s > '9')
					return -1;
				while (*s >= '0' && *s <= '9')
					s++;
			}
		}
		if (h > 24 || mi > 59 || sec > 60)
			return -1;
	}
	v = day_of(y, m, d) * DAY + h * 3600 + mi * 60 + sec;
	if (*s == 'Z' || *s == 'z') {
		has = 1;
		s++;
	} else if (*s == '+' || *s == '-') {
		sign = *s++ == '-' ? -1 : 1;
		if (digits(&s, 2, &oh))
			return -1;
		if (*s == ':')
			s++;
		if (*s != '\0' && digits(&s, 2, &om))
			return -1;
		v -= sign * (oh * 3600 + om * 60);
		has = 1;
	}
	if (*s != '\0')
		return -1;
	*t = v;
	if (offset)
		*offset = has;
	return 0;
}

static int
put(char *p, int v, int n)
{
	int i;

	for (i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return n;
}

static void
print(int64_t t, char *out)
{
	int64_t day = day_floor(t);
	int y, m, d, s = (int)(t - day * DAY);

	day_split(day, &y, &m, &d);
	out += put(out, y, 4);
	*out++ = '-';
	out += put(out, m, 2);
	*out++ = '-';
	out += put(out, d, 2);
	*out++ = 'T';
	out += put(out, s / 3600, 2);
	*out++ = ':';
	out += put(out, s / 60 % 60, 2);
	*out++ = ':';
	out += put(out, s % 60, 2);
	*out = '\0';
}

void
when_print(int64_t t, char out[32])
{
	print(t, out);
	memcpy(out + 19, "Z", 2);
}

void
when_wall(int64_t t, char out[40])
{
	print(t, out);
	memcpy(out + 19, ".0000000", 9);
}

void
when_http(int64_t t, char out[40])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day = day_floor(t);
	int y, m, d, s = (int)(t - day * DAY);

	day_split(day, &y, &m, &d);
	(void)snprintf(out, 40, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + 3 * day_weekday(day), d, months + 3 * (m - 1), y, s / 3600,
	    s / 60 % 60, s % 60);
}

int64_t
when_now(void)
{
	return (int64_t)time(NULL);
}

int64_t
when_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
