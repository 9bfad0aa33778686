/*
 * history.h: random histories: made from a seed, run, shortened, printed, read.
 */
#ifndef ORB_PROPERTY_HISTORY_H
#define ORB_PROPERTY_HISTORY_H

#include "model.h"

#define STEPS_MAX 1000
#define WHY_MAX 800

enum op {
	OP_ROUND,
	OP_TIME,
	OP_BOOK,
	OP_TENTATIVE,
	OP_ACCEPT,
	OP_MOVE,
	OP_RETITLE,
	OP_CANCEL,
	OP_DELETE,
	OP_SERIES_BOOK,
	OP_SERIES_MOVE,
	OP_SERIES_CANCEL,
	OP_PERSON_MOVES,
	OP_PERSON_EDITS,
	OP_PERSON_CANCELS,
	OP_PERSON_LOCKS,
	OP_PERSON_BOOKS,
	OP_APPROVE,
	/* From here on: faults. */
	OP_CRASH,
	OP_LOSE,
	OP_REFUSE,
	OP_HIDE,
	OP_LIST_CUT,
	OP_FEED_CUT,
	OP_FEED_WHOLE,
	OP_STATE_LOST,
	OP_COUNT
};

struct step {
	enum op op;
	uint32_t a, b;
};

struct history {
	uint64_t seed;
	int faults;
	struct step steps[STEPS_MAX];
	size_t n;
};

struct totals {
	uint64_t histories, steps, rounds, crashes, writes, changes, touched;
};

struct ground {
	const char *dir; /* for databases */
	const struct seal *seal;
	struct totals totals;
};

void history_make(struct history *, uint64_t seed, size_t steps);
/* 0, or -1 and the reason. */
int history_run(struct ground *, const struct history *, char why[WHY_MAX]);
/* Drops steps, large pieces first, as long as it still fails. */
void history_shorten(struct ground *, struct history *, char why[WHY_MAX]);
void history_print(const struct history *, const char *why);
/* Lines as printed; seed and faults stay.  0 or -1. */
int history_parse(struct history *, const char *text);
/* People have stopped: both sides are equal or say why not, and it is quiet.
 * 0, or -1 with w->bad or m->bad. */
int settled_check(struct world *, struct model *, int faults);

#endif
