/*
 * zone.c: time zones by their Windows or IANA names, read from the compiled
 * tzdata of the system (TZif).  The libc is not asked, since it has one zone
 * per process and the simulator needs many at once.
 *
 * Times a clock skips in spring mean the time after the jump; times it shows
 * twice in autumn mean the second one, standard time, as Exchange does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "map.h"
#include "text.h"
#include "when.h"

struct zone {
	char *name;      /* as asked for */
	int64_t *at;     /* transitions, ascending */
	int32_t *offset; /* [i] holds from at[i - 1] on */
	size_t n;
};

static const struct {
	const char *windows, *iana;
} names[] = {
    {"UTC", "Etc/UTC"},
    {"GMT Standard Time", "Europe/London"},
    {"Greenwich Standard Time", "Atlantic/Reykjavik"},
    {"W. Europe Standard Time", "Europe/Berlin"},
    {"Romance Standard Time", "Europe/Paris"},
    {"Central Europe Standard Time", "Europe/Budapest"},
    {"Central European Standard Time", "Europe/Warsaw"},
    {"E. Europe Standard Time", "Europe/Chisinau"},
    {"GTB Standard Time", "Europe/Bucharest"},
    {"FLE Standard Time", "Europe/Kiev"},
    {"Turkey Standard Time", "Europe/Istanbul"},
    {"Russian Standard Time", "Europe/Moscow"},
    {"Israel Standard Time", "Asia/Jerusalem"},
    {"Egypt Standard Time", "Africa/Cairo"},
    {"Morocco Standard Time", "Africa/Casablanca"},
    {"Iran Standard Time", "Asia/Tehran"},
    {"Pacific SA Standard Time", "America/Santiago"},
    {"Paraguay Standard Time", "America/Asuncion"},
    {"Samoa Standard Time", "Pacific/Apia"},
    {"South Africa Standard Time", "Africa/Johannesburg"},
    {"Arabian Standard Time", "Asia/Dubai"},
    {"India Standard Time", "Asia/Kolkata"},
    {"Nepal Standard Time", "Asia/Kathmandu"},
    {"SE Asia Standard Time", "Asia/Bangkok"},
    {"China Standard Time", "Asia/Shanghai"},
    {"Singapore Standard Time", "Asia/Singapore"},
    {"Tokyo Standard Time", "Asia/Tokyo"},
    {"AUS Eastern Standard Time", "Australia/Sydney"},
    {"Lord Howe Standard Time", "Australia/Lord_Howe"},
    {"New Zealand Standard Time", "Pacific/Auckland"},
    {"Azores Standard Time", "Atlantic/Azores"},
    {"E. South America Standard Time", "America/Sao_Paulo"},
    {"Newfoundland Standard Time", "America/St_Johns"},
    {"Atlantic Standard Time", "America/Halifax"},
    {"Eastern Standard Time", "America/New_York"},
    {"Central Standard Time", "America/Chicago"},
    {"Mountain Standard Time", "America/Denver"},
    {"US Mountain Standard Time", "America/Phoenix"},
    {"Pacific Standard Time", "America/Los_Angeles"},
    {"Alaskan Standard Time", "America/Anchorage"},
    {"Hawaiian Standard Time", "Pacific/Honolulu"},
};

static struct map zones = {.fold = 1};

static void
zone_put(struct zone *z, int64_t at, int32_t offset)
{
	if (z->n > 0 && at <= z->at[z->n - 1])
		return;
	z->at = grow(z->at, z->n + 1, sizeof(*z->at));
	z->offset = grow(z->offset, z->n + 2, sizeof(*z->offset));
	z->at[z->n] = at;
	z->offset[++z->n] = offset;
}

static const char *
skip_name(const char *s)
{
	if (*s == '<') {
		while (*s != '\0' && *s != '>')
			s++;
		return *s ? s + 1 : s;
	}
	while ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))
		s++;
	return s;
}

static const char *
clock_time(const char *s, int *sec)
{
	int sign = 1, h = 0, m = 0;

	if (*s == '-' || *s == '+')
		sign = *s++ == '-' ? -1 : 1;
	while (*s >= '0' && *s <= '9')
		h = h * 10 + *s++ - '0';
	if (*s == ':') {
		s++;
		while (*s >= '0' && *s <= '9')
			m = m * 10 + *s++ - '0';
	}
	*sec = sign * (h * 3600 + m * 60);
	return s;
}

/* ,Mm.w.d[/time] as an instant of wall time in the year y */
static const char *
rule_time(const char *s, int y, int64_t *wall)
{
	int m, w, d, t = 7200, used = 0;
	int64_t day;

	if (sscanf(s, ",M%d.%d.%d%n", &m, &w, &d, &used) != 3)
		return NULL;
	s += used;
	if (*s == '/')
		s = clock_time(s + 1, &t);
	day = day_of(y, m, 1);
	day += (d - day_weekday(day) + 7) % 7 + (w - 1) * 7;
	if (w == 5 &&
	    day >= (m == 12 ? day_of(y + 1, 1, 1) : day_of(y, m + 1, 1)))
		day -= 7;
	*wall = day * DAY + t;
	return s;
}

/* Carries the rule at the end of a TZif file on to 2070. */
static void
zone_rule(struct zone *z, const char *s)
{
	int std, dst, y;
	int64_t a, b;
	const char *p;

	s = clock_time(skip_name(s), &std);
	std = -std;
	if (*s == '\0')
		return;
	s = skip_name(s);
	dst = std + 3600;
	if (*s != ',') {
		s = clock_time(s, &dst);
		dst = -dst;
	}
	for (y = 2000; y < 2070; y++) {
		if ((p = rule_time(s, y, &a)) == NULL ||
		    rule_time(p, y, &b) == NULL)
			return;
		if (a - std < b - dst) {
			zone_put(z, a - std, dst);
			zone_put(z, b - dst, std);
		} else {
			zone_put(z, b - dst, std);
			zone_put(z, a - std, dst);
		}
	}
}

static uint32_t
be(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static int
zone_read(struct zone *z, const unsigned char *b, size_t len)
{
	const unsigned char *h = b, *end = b + len, *times, *idx, *types;
	uint32_t n, k, chars, i;
	char rule[128];
	size_t r;

	if (len < 44 || memcmp(h, "TZif", 4) != 0 || h[4] < '2')
		return -1;
	h += 44 + be(h + 32) * 5 + be(h + 36) * 6 + be(h + 40) +
	    be(h + 28) * 8 + be(h + 24) + be(h + 20);
	if (h + 44 > end || memcmp(h, "TZif", 4) != 0)
		return -1;
	n = be(h + 32);
	k = be(h + 36);
	chars = be(h + 40);
	times = h + 44;
	idx = times + (size_t)n * 8;
	types = idx + n;
	end = types + k * 6 + chars + be(h + 28) * 12 + be(h + 24) + be(h + 20);
	if (end >= b + len || k == 0)
		return -1;
	z->offset = zalloc(sizeof(*z->offset));
	z->offset[0] = (int32_t)be(types);
	for (i = 0; i < n; i++) {
		uint64_t t =
		    (uint64_t)be(times + 8 * i) << 32 | be(times + 8 * i + 4);

		if (idx[i] < k)
			zone_put(
			    z, (int64_t)t, (int32_t)be(types + 6 * idx[i]));
	}
	for (r = 0, end++;
	     end < b + len && *end != '\n' && r < sizeof(rule) - 1; end++)
		rule[r++] = (char)*end;
	rule[r] = '\0';
	zone_rule(z, rule);
	return 0;
}

/* A zone by its Windows or IANA name, kept for good; NULL when unknown. */
const struct zone *
zone_find(const char *name)
{
	const char *iana = name;
	struct zone *z;
	unsigned char buf[16384];
	char path[256];
	ssize_t n;
	size_t i;
	int fd;

	if (name == NULL || *name == '\0')
		return NULL;
	if ((z = map_get(&zones, name)) != NULL)
		return z;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].windows, name) == 0)
			iana = names[i].iana;
	if (strstr(iana, "..") != NULL || *iana == '/' || strlen(iana) > 60)
		return NULL;
	(void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", iana);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NULL;
	n = read(fd, buf, sizeof(buf));
	(void)close(fd);
	z = zalloc(sizeof(*z));
	z->name = text_dup(name);
	if (n <= 0 || zone_read(z, buf, (size_t)n) == -1) {
		free(z->at);
		free(z->offset);
		free(z->name);
		free(z);
		return NULL;
	}
	map_put(&zones, name, z);
	return z;
}

const char *
zone_name(const struct zone *z)
{
	return z->name;
}

/* Its Windows name; its own when it has none. */
const char *
zone_windows(const struct zone *z)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].windows, z->name) == 0 ||
		    strcmp(names[i].iana, z->name) == 0)
			return names[i].windows;
	return z->name;
}

/* Index of the offset in force at an instant. */
static size_t
zone_at(const struct zone *z, int64_t t)
{
	size_t lo = 0, hi = z->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (z->at[mid] <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int64_t
zone_wall(const struct zone *z, int64_t utc)
{
	return utc + z->offset[zone_at(z, utc)];
}

int64_t
zone_utc(const struct zone *z, int64_t wall)
{
	size_t i = zone_at(z, wall - 86400), last = zone_at(z, wall + 86400);
	int64_t found = WHEN_NONE;

	/* the latest offset that gives this wall time wins */
	for (; i <= last; i++) {
		int64_t t = wall - z->offset[i];

		if (zone_at(z, t) == i)
			found = t;
	}
	if (found == WHEN_NONE) /* skipped: go on with the old offset */
		found = wall - z->offset[zone_at(z, wall - 86400)];
	return found;
}

static void
zone_free(void *p)
{
	struct zone *z = p;

	free(z->name);
	free(z->at);
	free(z->offset);
	free(z);
}

void
zone_end(void)
{
	map_free(&zones, zone_free);
}
