/*
 * story.h: random histories of an office: made from a seed, run, shortened,
 * printed, read.
 */
#ifndef ORB_PROPERTY_STORY_H
#define ORB_PROPERTY_STORY_H

#include "machine.h"

#define STEPS_MAX 1000
#define WHY_MAX 800

enum op {
	OP_ROUND, /* a minute */
	OP_SOME,  /* a few messages, and then people go on */
	OP_TIME,
	OP_APPROVE,
	/* What people do, in the order of enum deed. */
	OP_DEED,
	/* From here on: faults. */
	OP_FAULT = OP_DEED + DEED_MOOD + 1,
	OP_CRASH = OP_FAULT,
	OP_LOSE,
	OP_REFUSE,
	OP_FAIL,
	OP_BUSY,
	OP_POLL,
	OP_CUT,
	OP_HIDE,
	OP_CURSOR,
	OP_STALE,
	OP_PEER,
	OP_RESTART,
	OP_STATE_LOST,
	OP_KIND,
	OP_DIRECTION,
	OP_RETIRE,
	OP_COUNT
};

struct step {
	enum op op;
	uint32_t a, b;
};

struct story {
	uint64_t seed;
	int faults;
	struct step steps[STEPS_MAX];
	size_t n;
};

struct totals {
	uint64_t stories, steps, messages, crashes, people, writes, mails;
};

struct ground {
	const char *dir; /* for databases */
	struct totals totals;
};

void story_make(struct story *, uint64_t seed, size_t steps);
/* 0, or -1 and the reason. */
int story_run(struct ground *, const struct story *, char why[WHY_MAX]);
/* Drops steps, large pieces first, as long as it still fails. */
void story_shorten(struct ground *, struct story *, char why[WHY_MAX]);
void story_print(const struct story *, const char *why);
/* Lines as printed; seed and faults stay.  0 or -1. */
int story_parse(struct story *, const char *text);

/* verdict.c: people have stopped: both sides are equal or ORB says why not, and
 * it is quiet.  0, or -1 with o->bad or k->bad. */
int verdict(struct machine *, struct office *);

#endif
