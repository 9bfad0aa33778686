/*
 * round.h: one round of the model, shared by its halves (round_plan.c,
 * round_execute.c) and by model.c, which puts them in order.
 */
#ifndef ORB_PROPERTY_ROUND_H
#define ORB_PROPERTY_ROUND_H

#include "model.h"

/* What a step returns when the process is to crash here. */
#define CRASH 1
#define EXTRA_MAX (SLOTS * 4)

/* What one round knows; gone with a crash. */
struct round {
	struct model *m;
	struct seen td[RESERVATIONS_MAX + EXTRA_MAX];
	size_t ntd;
	struct seen_row *ex_rows;
	struct agreed_row *ag_rows;
	struct seen *ex;
	struct agreed *ag;
	size_t nex, nag;
	struct plan_output out;
	int looked_gone[SLOTS]; /* a GET in this round said so */
	int shown[SLOTS];       /* -1 not, else is_dropped_slot() */
	int have_list, have_feed;
	int rebuilding;
};

/* A payload is not empty and is what was put in. */
struct payload {
	int slot;
	int64_t base; /* the reservation's modification date when planned */
};

/* -1, with what the store said. */
int model_fail(struct model *, const struct err *);
/* CRASH when its time has come, else 0. */
int model_crash(struct model *);
/* The agreed row of a key, or an empty one. */
int model_agreed(
    struct model *, const uint8_t key[KEY_LEN], struct agreed_row *);
void model_name(struct agreed_row *, int id);

/* A reservation as a list or a GET shows it. */
void reservation_seen(const struct world *, int id, struct seen *);

/* Each 0, -1 with m->bad, or CRASH. */
int model_recover(struct model *);
int round_read_feed(struct round *);
int round_keep_cursor(struct round *);
void round_read_list(struct round *);
int round_plan(struct round *);
int round_execute(struct round *);

#endif
