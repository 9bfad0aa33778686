/*
 * agree.h: comparing sightings of one booking; between plan.c and agree.c.
 * What others need of agree.c stands in plan.h.
 */
#ifndef ORB_AGREE_H
#define ORB_AGREE_H

#include "mapd/plan.h"

/* What differs between three sightings of one booking; bits are CHANGE_*. */
struct difference {
	unsigned write;  /* e changed and t does not show it */
	unsigned both;   /* ... and t was changed as well */
	unsigned theirs; /* t was changed, e was not */
	int learn;       /* e and t are equal, but not so agreed */
};

/* e and t of one key, against what was agreed.  The text of what was made in
 * TOPdesk is TOPdesk's: there e's is not compared. */
void agree_compare(const struct seen *e, const struct seen *t,
    const struct agreed *, struct difference *);
/* The same while e is not to be seen: only theirs. */
void agree_unseen(
    const struct seen *t, const struct agreed *, struct difference *);
/* Bits of e's change against what was agreed, where t is not to be seen. */
unsigned agree_changed(const struct seen *e, const struct agreed *);
/* ORB took the meeting out of the room, and has not seen it gone yet. */
int is_released(const struct agreed *);
/* In whole minutes. */
int same_time(int64_t start1, int64_t end1, int64_t start2, int64_t end2);
/* Would both bring about the same, and say the same of it? */
int aim_same(const struct aim *, const struct aim *);
/* The generation of t's own link, 0 when it has none of its key. */
unsigned gen_linked(const struct seen *t);
/* Generations in their order: the first of either side is 1. */
unsigned gen_order(unsigned gen);
/* Of t's own link; without one, what is agreed (a may be NULL). */
unsigned gen_of(const struct seen *t, const struct agreed *a);

#endif
