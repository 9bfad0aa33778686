/*
 * moment.h: points in time as the upstreams write them, to seconds since
 * 1970-01-01T00:00:00Z and back.  No zone data: both are asked for UTC.
 */
#ifndef ORB_ADAPTER_MOMENT_H
#define ORB_ADAPTER_MOMENT_H

#include <stdint.h>

#define MOMENT_MIN INT64_C(-62135596800) /* 0001-01-01, Exchange's "none" */
#define MOMENT_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59 */
#define MOMENT_TEXT 24

/*
 * Reads "2026-12-01T10:00:00", with or without a fraction of any length, with
 * "Z", "+01:00", "+0100" or nothing behind it (then UTC), or a bare date.
 * 0 and *at, or -1.
 */
int moment_parse(const char *, int64_t *at);
/* "2026-12-01T10:00:00Z"; what lies outside the years 1 to 9999 is clamped. */
const char *moment_text(int64_t at, char buf[MOMENT_TEXT]);
/* Down to the whole minute, and to the nearest midnight. */
int64_t moment_minute(int64_t at);
int64_t moment_date(int64_t at);

#endif
