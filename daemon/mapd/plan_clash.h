/*
 * plan_clash.h: two sides on one time line; between plan_clash.c, plan_pair.c and
 * plan_overlap.c.
 */
#ifndef ORB_PLAN_CLASH_H
#define ORB_PLAN_CLASH_H

#include "mapd/plan_turn.h"

/* A booking of one side on the time line, in minutes. */
struct spot {
	int64_t start, end;   /* t: with its block time */
	int64_t first, until; /* as planned */
	uint64_t person;
	struct turn *w;
};

struct clash {
	const struct plan_input *in;
	struct spot *e, *t;
	size_t ne, nt;
};

/* plan_clash.c: the words of its head. */
int is_new_e(const struct turn *);
int is_new_t(const struct turn *);
int is_conflicting(const struct turn *);
int is_orphan(const struct turn *);
/* The meeting of a reservation may be made this moment. */
int is_meeting(const struct turn *);
/* Drops what phase 1 planned of a kind, whose reason is given for a report. */
void turn_drop(struct turn *, enum plan_kind, enum plan_reason);
void turn_drop_writes(struct turn *);
/* The last that was emitted. */
struct action *turn_latest(struct turn *);
/* A person decides: a REPORT, and no write.  0, or -1; and so the others. */
int make_doubtful(struct turn *);

/* plan_pair.c: a, of those that may be one booking. */
int pair_new(struct clash *);

/* plan_overlap.c: what the sweep calls for an e and a t that overlap. */
/* c */
int on_doubt(struct clash *, struct spot *e, struct spot *t);
/* d and e */
int on_overlap(struct clash *, struct spot *e, struct spot *t);

/* plan_again.c: f */
int plan_again(struct clash *);

#endif
