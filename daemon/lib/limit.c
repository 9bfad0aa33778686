/* limit.c: see limit.h. */
#include "lib/limit.h"

#define HOUR (3600 * INT64_C(1000))
#define SMALL 8 /* up to here a whole hour's worth may come at once */

void
limit_init(struct limit *l, int per_hour, int64_t now)
{
	if (per_hour < 1)
		per_hour = 1;
	l->per_hour = per_hour;
	l->cost = HOUR / per_hour;
	if (l->cost == 0)
		l->cost = 1;
	l->full = l->cost * (per_hour <= SMALL ? per_hour : per_hour / 2);
	l->level = l->full;
	l->at = now;
}

int64_t
limit_take(struct limit *l, int64_t now)
{
	if (now > l->at) {
		l->level += now - l->at;
		l->at = now;
		if (l->level > l->full)
			l->level = l->full;
	}
	if (l->level < l->cost)
		return l->cost - l->level;
	l->level -= l->cost;
	return 0;
}
