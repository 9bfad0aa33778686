/*
 * when.h: instants, dates and zones.  An instant is seconds since 1970 UTC; a
 * wall time is the same number read as if the clock on the wall were UTC.
 */
#ifndef ORB_SIM_WHEN_H
#define ORB_SIM_WHEN_H

#include <stdint.h>

#define DAY 86400
#define WHEN_NONE INT64_MIN

struct zone;

int64_t day_of(int, int, int);
void day_split(int64_t, int *, int *, int *);
int day_weekday(int64_t); /* 0 is sunday */
int64_t day_floor(int64_t);

int when_parse(const char *, int64_t *, int *);
void when_print(int64_t, char[32]); /* 2026-10-05T08:00:00Z */
void when_wall(int64_t, char[40]);  /* .. .0000000 */
void when_http(int64_t, char[40]);  /* IMF-fixdate */
int64_t when_now(void);
int64_t when_ms(void);

const struct zone *zone_find(const char *);
const char *zone_name(const struct zone *);
const char *zone_windows(const struct zone *);
int64_t zone_wall(const struct zone *, int64_t);
int64_t zone_utc(const struct zone *, int64_t);
void zone_end(void);

#endif
