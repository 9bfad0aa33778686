/*
 * model.h: mapd as README.privsep section 6 describes it, without processes:
 * the real plan and the real store, around them the least that a round needs,
 * with a place to crash between any two steps.
 *
 * A crash throws away all but the bytes of the database and its -wal as they
 * are on disk at that moment, and both systems.
 */
#ifndef ORB_PROPERTY_MODEL_H
#define ORB_PROPERTY_MODEL_H

#include "mapd/store.h"
#include "world.h"

struct model {
	struct world *w;
	struct store *st;
	struct seal *seal;
	char dir[200];
	unsigned file; /* the database's number: a crash makes a new one */
	struct room_state room;
	struct plan_policy policy;
	size_t mass_limit;
	int crash_in; /* steps to the next crash, 0 none */
	/* What the last planning said, by booking: bits of 1 << reason. */
	unsigned reports[SLOTS];
	/* Cancellations that were within the limit or approved. */
	int let[SLOTS];
	int lost_state; /* the state was lost at least once */
	unsigned crashes, rounds;
	char bad[450]; /* a store call failed */
};

/* 0, or -1 with m->bad. */
int model_open(
    struct model *, struct world *, const char *dir, const struct seal *);
void model_close(struct model *);
/* One round.  Crashes and restarts are inside; -1 with m->bad. */
int model_round(struct model *);
int model_approve(struct model *);
/* The database is lost. */
int model_lose(struct model *);
int slot_of(const struct world *, const uint8_t key[KEY_LEN]);

#endif
