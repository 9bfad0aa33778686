/*
 * clock.h: what the records' own times say: the wall clock against the time
 * since boot, which nobody can set.
 *
 * The difference of the two changes only when the wall clock is set: time
 * synchronisation that slews it slews both.
 */
#ifndef ORB_VERIFY_CLOCK_H
#define ORB_VERIFY_CLOCK_H

#include "verify/record.h"
#include "verify/report.h"

#define BOOT_ID_LEN 36
#define BOOTS_MAX 65536 /* of so many it is known that they were there */

struct clock {
	struct report *report;
	int64_t bound; /* ns that the two clocks may part */
	int begun;
	char boot[BOOT_ID_LEN];
	int64_t realtime, boottime; /* of the record before */
	int64_t apart;              /* realtime - boottime, as last judged */
	char (*boots)[BOOT_ID_LEN]; /* earlier ones */
	size_t nboots, cap;
};

void clock_see(struct clock *, const struct record *, struct place);
void clock_free(struct clock *);

#endif
