/*
 * agree.h: comparing sightings of one booking; between plan.c and agree.c.
 * What others need of agree.c stands in plan.h.
 */
#ifndef ORB_AGREE_H
#define ORB_AGREE_H

#include "mapd/plan.h"

/* What differs between three sightings of one booking. */
struct difference {
	unsigned write; /* bits: e changed and t does not show it */
	int both;       /* ... and t was changed as well */
	int theirs;     /* t was changed, e was not */
	int learn;      /* e and t are equal, but not so agreed */
};

/* e and t of one key, against what was agreed. */
void agree_compare(const struct seen *e, const struct seen *t,
    const struct agreed *, struct difference *);
/* Bits of e's change against what was agreed, where t is not to be seen. */
unsigned agree_changed(const struct seen *e, const struct agreed *);
/* Would both bring about the same, and say the same of it? */
int aim_same(const struct aim *, const struct aim *);

#endif
