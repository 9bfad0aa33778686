/*
 * limit.h: how often something may be done: a bucket that fills at a steady
 * rate and holds half an hour's worth.
 */
#ifndef ORB_LIMIT_H
#define ORB_LIMIT_H

#include <stdint.h>

struct limit {
	int per_hour;
	int64_t cost; /* milliseconds of filling that one use takes */
	int64_t level, full;
	int64_t at; /* when level was right, loop_now() */
};

/* A full bucket.  per_hour >= 1; now in milliseconds, monotonic. */
void limit_init(struct limit *, int per_hour, int64_t now);
/* 0 and taken; else the milliseconds to wait, nothing taken. */
int64_t limit_take(struct limit *, int64_t now);

#endif
