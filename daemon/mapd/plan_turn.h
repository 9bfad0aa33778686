/*
 * plan_turn.h: one key's turn, and the draft that the turns write into; between
 * plan*.c.  What others need stands in plan.h.
 */
#ifndef ORB_PLAN_TURN_H
#define ORB_PLAN_TURN_H

#include "mapd/plan.h"

/* What phase 2 made of a booking that is on one side only. */
enum fate {
	FATE_OPEN,
	FATE_PAIRED,
	FATE_DOUBTFUL,
	FATE_WAITS, /* for something else to be over */
	FATE_WINS,  /* but waits until the other has gone */
	FATE_LOST
};

/* One key: all that the three trees say of it, and what was planned. */
struct turn {
	const struct plan_input *in;
	struct draft *draft;
	const uint8_t *key;
	const struct seen *e;
	const struct seen *t;      /* the live one that counts */
	const struct seen *locked; /* archived, not cancelled */
	const struct seen *cancelled;
	const struct agreed *row; /* as it stands */
	const struct agreed *a;   /* NULL when nothing is, or was, agreed */
	unsigned seen, nlive;     /* reservations of the key */
	unsigned maxgen;          /* see gen_order() */
	int provisional, judged;
	size_t first, n; /* phase 1's actions in the draft */
	enum fate fate;
};

/* An action that may still be dropped. */
struct drafted {
	struct action x;
	size_t turn, number;
	int dropped;
};

struct draft {
	struct turn *turns; /* in the order of keys */
	struct drafted *actions;
	size_t nturns, n, cap;
};

/* plan.c */
/* Phase 1: one key by itself. */
int plan_key(struct turn *);
/* The reservation that the turn's actions are about. */
const struct seen *turn_reservation(const struct turn *);
int is_wanted(const struct turn *);
int is_dropped(const struct turn *);
int is_over(const struct turn *, int64_t end);
int in_window(const struct turn *, int64_t start, int64_t end);
int is_locked(const struct seen *t);
/* Something is agreed and stands. */
int is_agreed(const struct turn *);
/* 0, or -1 when there is no memory; and so the others here. */
int emit(struct turn *, enum plan_kind, enum plan_reason, unsigned change,
    unsigned gen);
int report(struct turn *, enum plan_reason);
/* In phase 1, or of its actions: a planned write of the turn that was not dropped, else NULL. */
struct drafted *turn_write(const struct turn *);

int plan_new(struct turn *);

/* plan_exchange.c */
/* Exchange has had its time to show, or to answer, what ORB wrote. */
int is_late(const struct turn *);
int plan_both(struct turn *);
int plan_moved_room(struct turn *);
int plan_released(struct turn *);
int plan_own_dropped(struct turn *);
int plan_unanswered(struct turn *);
int plan_provisional(struct turn *);
int plan_retire(struct turn *);
int plan_link(struct turn *);

/* plan_clash.c: phase 2, over all turns of the draft. */
int plan_clash(const struct plan_input *, struct draft *);

#endif
