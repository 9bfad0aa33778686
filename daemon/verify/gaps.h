/*
 * gaps.h: what the log announces and does not finish: a process that starts
 * though it never stopped, an action without its result; and what ORB itself
 * found wrong with the log.
 *
 * Every external write has an intent before it (README.privsep) and, when all
 * goes well, a result of the same booking after it.
 */
#ifndef ORB_VERIFY_GAPS_H
#define ORB_VERIFY_GAPS_H

#include "verify/record.h"
#include "verify/report.h"

#define GAPS_PROCESSES 16
#define GAPS_NAME 24
#define GAPS_INTENTS 16384 /* open at the same time; a power of two */

struct intent {
	uint8_t booking[32];
	uint64_t place;
	int64_t realtime;
	int used; /* 0 never, 1 open, -1 closed */
};

struct gaps {
	struct report *report;
	struct {
		char name[GAPS_NAME];
		int running;
		uint64_t seen; /* its last record */
	} process[GAPS_PROCESSES];
	size_t nprocess;
	struct intent *intent; /* a hash table; made when first needed */
	size_t nused;          /* open or closed */
	uint64_t unfollowed;   /* intents for which there was no room */
	int64_t last;          /* realtime of the newest record */
};

void gaps_see(struct gaps *, const struct record *, struct place);
/* What is open now stays open. */
void gaps_end(struct gaps *);
void gaps_free(struct gaps *);

#endif
