/*
 * history.c: see history.h.  A step carries its own numbers, so that dropping
 * one leaves the others what they were.
 */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned weight;
} ops[OP_COUNT] = {
    [OP_ROUND] = {"round", 70},
    [OP_TIME] = {"time", 6},
    [OP_BOOK] = {"book", 24},
    [OP_TENTATIVE] = {"tentative", 5},
    [OP_ACCEPT] = {"accept", 6},
    [OP_MOVE] = {"move", 14},
    [OP_RETITLE] = {"retitle", 9},
    [OP_CANCEL] = {"cancel", 10},
    [OP_DELETE] = {"delete", 8},
    [OP_SERIES_BOOK] = {"series-book", 6},
    [OP_SERIES_MOVE] = {"series-move", 3},
    [OP_SERIES_CANCEL] = {"series-cancel", 3},
    [OP_PERSON_MOVES] = {"person-moves", 4},
    [OP_PERSON_EDITS] = {"person-edits", 4},
    [OP_PERSON_CANCELS] = {"person-cancels", 4},
    [OP_PERSON_LOCKS] = {"person-locks", 2},
    [OP_PERSON_BOOKS] = {"person-books", 2},
    [OP_APPROVE] = {"approve", 3},
    [OP_CRASH] = {"crash", 14},
    [OP_LOSE] = {"lose-answer", 8},
    [OP_REFUSE] = {"refuse", 5},
    [OP_HIDE] = {"hide", 4},
    [OP_LIST_CUT] = {"list-cut", 3},
    [OP_FEED_CUT] = {"feed-cut", 3},
    [OP_FEED_WHOLE] = {"feed-whole", 3},
    [OP_STATE_LOST] = {"state-lost", 1},
};

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere. */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void
history_make(struct history *h, uint64_t seed, size_t steps)
{
	uint64_t state = seed, x;
	unsigned total = 0, at;

	h->seed = seed;
	/* A quarter without faults: only they can count writes. */
	h->faults = seed % 4 != 0;
	h->n = steps;
	for (int i = 0; i < (h->faults ? OP_COUNT : OP_CRASH); i++)
		total += ops[i].weight;
	for (size_t i = 0; i < steps; i++) {
		at = (unsigned)(draw(&state) % total);
		h->steps[i].op = 0;
		while (at >= ops[h->steps[i].op].weight)
			at -= ops[h->steps[i].op++].weight;
		x = draw(&state);
		h->steps[i].a = (uint32_t)x;
		h->steps[i].b = (uint32_t)(x >> 32);
	}
}

static void
series_do(struct world *w, enum op op, const struct step *s)
{
	int first = SINGLES + (int)(s->a % SERIES) * OCCURRENCES;

	for (int i = first; i < first + OCCURRENCES; i++) {
		if (op == OP_SERIES_BOOK)
			people_book(w, i, s->b * (uint32_t)(i + 1));
		else if (op == OP_SERIES_MOVE)
			people_move(w, i, s->b + (uint32_t)i);
		else
			people_cancel(w, i);
	}
}

static void
fault_do(struct world *w, struct model *m, const struct step *s)
{
	int n = 1 + (int)(s->b % 4);

	switch (s->op) {
	case OP_CRASH:
		m->crash_in = 1 + (int)(s->a % 40);
		break;
	case OP_LOSE:
		w->lose = n;
		w->lose_effect = s->a % 3 != 0;
		break;
	case OP_REFUSE:
		w->refuse = n;
		break;
	case OP_HIDE:
		w->hidden = n;
		break;
	case OP_LIST_CUT:
		w->list_cut = n;
		break;
	default:
		w->feed_cut = n;
		break;
	}
}

static int
step_do(struct world *w, struct model *m, const struct step *s)
{
	int slot = (int)(s->a % SLOTS);
	struct err e;

	switch (s->op) {
	case OP_ROUND:
		w->now += 60;
		return model_round(m);
	case OP_TIME:
		w->now += (int64_t)(1 + s->a % 30) * HOUR;
		break;
	case OP_BOOK:
		people_book(w, slot, s->b);
		break;
	case OP_TENTATIVE:
		people_tentative(w, slot, s->b);
		break;
	case OP_ACCEPT:
		for (int i = 0; i < SLOTS; i++)
			people_accept(w, i);
		break;
	case OP_MOVE:
		people_move(w, slot, s->b);
		break;
	case OP_RETITLE:
		people_retitle(w, slot, s->b);
		break;
	case OP_CANCEL:
		people_cancel(w, slot);
		break;
	case OP_DELETE:
		people_delete(w, slot);
		break;
	case OP_SERIES_BOOK:
	case OP_SERIES_MOVE:
	case OP_SERIES_CANCEL:
		series_do(w, s->op, s);
		break;
	case OP_PERSON_MOVES:
		topdesk_person_moves(w, slot, s->b);
		break;
	case OP_PERSON_EDITS:
		topdesk_person_edits(w, slot, s->b);
		break;
	case OP_PERSON_CANCELS:
		topdesk_person_cancels(w, slot);
		break;
	case OP_PERSON_LOCKS:
		topdesk_person_locks(w, slot, s->b);
		break;
	case OP_PERSON_BOOKS:
		topdesk_person_books(w, s->b);
		break;
	case OP_APPROVE:
		return model_approve(m);
	case OP_FEED_WHOLE:
		/* 410: the cursor is of no use any more. */
		free(m->room.cursor);
		m->room.cursor = NULL;
		m->room.cursor_len = 0;
		return store_room_cursor(m->st, &m->room, &e);
	case OP_STATE_LOST:
		return model_lose(m);
	default:
		fault_do(w, m, s);
		break;
	}
	return 0;
}

int
history_run(struct ground *g, const struct history *h, char why[WHY_MAX])
{
	static struct world w;
	struct model m;
	int rc;

	world_init(&w);
	rc = model_open(&m, &w, g->dir, g->seal);
	m.policy.tentative_books = h->seed % 3 == 0;
	for (size_t i = 0; i < h->n && rc == 0; i++) {
		rc = step_do(&w, &m, &h->steps[i]);
		if (w.bad[0])
			rc = -1;
	}
	if (rc == 0)
		rc = settled_check(&w, &m, h->faults);
	if (w.bad[0])
		rc = -1;
	if (rc)
		snprintf(why, WHY_MAX, "%s%s", w.bad, m.bad);
	g->totals.histories++;
	g->totals.steps += h->n;
	g->totals.rounds += m.rounds;
	g->totals.crashes += m.crashes;
	g->totals.writes += w.writes;
	g->totals.changes += w.changes;
	g->totals.touched += w.touched;
	model_close(&m);
	return rc;
}

void
history_shorten(struct ground *g, struct history *h, char why[WHY_MAX])
{
	static struct history tried;
	int shorter;

	do {
		shorter = 0;
		for (size_t size = h->n / 2 + 1; size > 0; size /= 2) {
			for (size_t at = 0; at + size <= h->n;) {
				tried = *h;
				memmove(&tried.steps[at],
				    &tried.steps[at + size],
				    (h->n - at - size) * sizeof(h->steps[0]));
				tried.n -= size;
				if (history_run(g, &tried, why)) {
					*h = tried;
					shorter = 1;
				} else {
					at += size;
				}
			}
		}
	} while (shorter);
	history_run(g, h, why);
}

void
history_print(const struct history *h, const char *why)
{
	printf("# seed %" PRIu64 ": %s\n# shortest history found:\n", h->seed,
	    why);
	for (size_t i = 0; i < h->n; i++)
		printf("#   %-15s %2u  %#x %#x\n", ops[h->steps[i].op].name,
		    h->steps[i].a % SLOTS, h->steps[i].a, h->steps[i].b);
}

/* As printed: name, booking, two numbers a line. */
int
history_parse(struct history *h, const char *text)
{
	struct step *s;
	char name[32];
	int n;

	for (h->n = 0; h->n < STEPS_MAX; h->n++, text += n) {
		s = &h->steps[h->n];
		if (sscanf(text, " %31s %*u %" SCNx32 " %" SCNx32 "%n", name,
			&s->a, &s->b, &n) != 3)
			return *text == '\0' || *text == '\n' ? 0 : -1;
		s->op = 0;
		while (s->op < OP_COUNT && strcmp(ops[s->op].name, name) != 0)
			s->op++;
		if (s->op == OP_COUNT)
			return -1;
	}
	return -1;
}
