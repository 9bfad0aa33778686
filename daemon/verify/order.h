/*
 * order.h: whether records stand where they belong, and if not, what was done:
 * taken out, put in again, exchanged.  It looks one record ahead to tell these
 * apart.  The tree says that something is wrong; this says what.
 */
#ifndef ORB_VERIFY_ORDER_H
#define ORB_VERIFY_ORDER_H

#include "verify/report.h"

struct order {
	struct report *report;
	int64_t shift; /* index - place, as far as it is explained */
	uint64_t faults;
	int pending; /* the last one was not where it belongs */
	uint64_t place, index;
	char file[80];
	uint64_t offset;
};

/* A record with this index stands at this place; first: it is a file's first
 * one. */
void order_see(struct order *, uint64_t index, struct place, int first);
void order_end(struct order *);

#endif
