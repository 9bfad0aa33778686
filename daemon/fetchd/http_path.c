/* http_path.c: what the adapter may ask for, and what is noted of it. */
#include "fetchd/http_pure.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The words of the APIs.  All else in a path may be a name or an id. */
static const char *const words[] = {
    "$batch",
    "$count",
    "$metadata",
    "EWS",
    "Exchange.asmx",
    "approve",
    "calendar",
    "calendarView",
    "calendars",
    "cancel",
    "cancellationReasons",
    "capabilities",
    "catalog",
    "current",
    "delta",
    "events",
    "id",
    "instances",
    "locations",
    "move",
    "oauth2",
    "operators",
    "permissions",
    "persons",
    "places",
    "query",
    "reject",
    "requester",
    "reschedule",
    "reservableLocations",
    "reservation",
    "reservations",
    "reservationsmanagement",
    "room",
    "rooms",
    "series",
    "settings",
    "token",
    "users",
    "v1.0",
    "v2.0",
    "version",
};

/* Length of the "." that p begins with, written as it is or as %2e; or 0. */
static size_t
dot_len(const char *p)
{
	if (p[0] == '.')
		return 1;
	return strncasecmp(p, "%2e", 3) == 0 ? 3 : 0;
}

/* Length of the "/" or "\" that p begins with, also when it is written as %2f
 * or %5c, which many a server takes for one; or 0. */
static size_t
slash_len(const char *p)
{
	if (p[0] == '/')
		return 1;
	return strncasecmp(p, "%2f", 3) == 0 || strncasecmp(p, "%5c", 3) == 0
	    ? 3
	    : 0;
}

/* Is the segment at p "." or ".."? */
static int
is_dots(const char *p)
{
	size_t n = dot_len(p);

	if (n == 0)
		return 0;
	p += n;
	p += dot_len(p);
	return *p == '\0' || *p == '?' || slash_len(p) > 0;
}

int
path_is_allowed(const char *path)
{
	const char *p;
	size_t n;

	if (path[0] != '/')
		return 0;
	for (p = path; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '#' || *p == '\\')
			return 0;
	for (p = path; *p && *p != '?'; p++)
		if ((n = slash_len(p)) > 0 && is_dots(p + n))
			return 0;
	return 1;
}

int
header_is_allowed(const char *value)
{
	for (; *value; value++)
		if (*value < ' ' || *value > '~')
			return 0;
	return 1;
}

static int
is_word(const char *p, size_t len)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len &&
		    strncasecmp(words[i], p, len) == 0)
			return 1;
	return 0;
}

char *
path_template(char *dst, size_t size, const char *method, const char *path)
{
	size_t n, len;
	int w = snprintf(dst, size, "%s ", method);

	n = w < 0 || (size_t)w >= size ? size - 1 : (size_t)w;
	while (*path == '/') {
		path++;
		len = strcspn(path, "/?");
		if (n + len + 2 > size)
			break;
		dst[n++] = '/';
		if (is_word(path, len)) {
			memcpy(dst + n, path, len);
			n += len;
		} else if (len > 0)
			dst[n++] = '*';
		path += len;
	}
	dst[n] = '\0';
	return dst;
}
