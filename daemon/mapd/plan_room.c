/*
 * plan_room.c: the plan of a room as a whole.  plan_room() walks the three arrays
 * together, key by key, has each key judged by itself (phase 1: plan.c), what is
 * on one side only compared (phase 2: plan_clash.c), and hands out what stands.
 *
 * Here too: rule 12 of plan.c, for an action that waits, and what policy does not
 * let be written.
 */
#include "mapd/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/marks.h"
#include "mapd/agree.h"
#include "mapd/plan_turn.h"

static const uint8_t no_key[KEY_LEN];

int
seen_compare(const void *a, const void *b)
{
	return memcmp(((const struct seen *)a)->key,
	    ((const struct seen *)b)->key, KEY_LEN);
}

int
agreed_compare(const void *a, const void *b)
{
	return memcmp(((const struct agreed *)a)->key,
	    ((const struct agreed *)b)->key, KEY_LEN);
}

/* Puts one reservation of the key into its place. */
static void
sight(struct turn *w, const struct seen *t)
{
	unsigned gen = gen_order(t->gen);

	w->seen++;
	w->provisional |= t->provisional;
	if (gen > w->maxgen)
		w->maxgen = gen;
	if (t->state == BOOKING_STATE_CANCELLED) {
		if (w->cancelled == NULL || gen > gen_order(w->cancelled->gen))
			w->cancelled = t;
	} else if (t->marks & MARK_ARCHIVED) {
		if (w->locked == NULL || gen > gen_order(w->locked->gen))
			w->locked = t;
	} else {
		w->nlive++;
		if (w->t == NULL || gen > gen_order(w->t->gen))
			w->t = t;
	}
}

/* Where the walk stands in each of the three. */
struct walk {
	size_t e, t, a;
};

static const uint8_t *
lesser_key(const uint8_t *a, const uint8_t *b)
{
	if (a == NULL || b == NULL)
		return a ? a : b;
	return memcmp(a, b, KEY_LEN) <= 0 ? a : b;
}

/* The least key of those still to come, NULL at the end. */
static const uint8_t *
walk_key(const struct walk *at, const struct plan_input *in)
{
	const uint8_t *e, *t, *a;

	e = at->e < in->nexchange ? in->exchange[at->e].key : NULL;
	t = at->t < in->ntopdesk ? in->topdesk[at->t].key : NULL;
	a = at->a < in->nagreed ? in->agreed[at->a].key : NULL;
	return lesser_key(lesser_key(e, t), a);
}

/* All that the three say of the turn's key; the walk goes on behind it. */
static void
walk_take(struct walk *at, const struct plan_input *in, struct turn *w)
{
	for (; at->e < in->nexchange; at->e++) {
		if (memcmp(in->exchange[at->e].key, w->key, KEY_LEN) != 0)
			break;
		w->e = &in->exchange[at->e];
	}
	for (; at->t < in->ntopdesk; at->t++) {
		if (memcmp(in->topdesk[at->t].key, w->key, KEY_LEN) != 0)
			break;
		sight(w, &in->topdesk[at->t]);
	}
	for (; at->a < in->nagreed; at->a++) {
		if (memcmp(in->agreed[at->a].key, w->key, KEY_LEN) != 0)
			break;
		w->row = &in->agreed[at->a];
	}
}

/* Phase 1: every key by itself. */
static int
judge_keys(const struct plan_input *in, struct draft *d)
{
	struct walk at = {0, 0, 0};
	const uint8_t *key;

	while (at.t < in->ntopdesk &&
	    memcmp(in->topdesk[at.t].key, no_key, KEY_LEN) == 0)
		at.t++;
	while ((key = walk_key(&at, in)) != NULL) {
		struct turn *w = &d->turns[d->nturns++];

		w->in = in;
		w->draft = d;
		w->key = key;
		walk_take(&at, in, w);
		if (plan_key(w))
			return -1;
	}
	return 0;
}

/* Nothing is written to a side that policy does not let be written to. */
static int
is_allowed(const struct plan_policy *p, enum plan_kind kind)
{
	/* The link is the bookkeeping of either direction. */
	if (kind == PLAN_LINK)
		return 1;
	switch (plan_writes(kind)) {
	case UPSTREAM_TOPDESK:
		return p->to_topdesk;
	case UPSTREAM_EXCHANGE:
		return p->to_exchange;
	default:
		return 1;
	}
}

static int
drafted_compare(const void *a, const void *b)
{
	const struct drafted *x = a, *y = b;

	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/*
 * Rule 12 for an action that waits: of the turn's actions, which begin at
 * first, the write is dropped when it is what waits already; without a write,
 * what waits goes.
 */
static int
plan_waiting(struct turn *w, struct plan_output *out, size_t first)
{
	struct action *x = out->actions;
	struct aim aim;

	for (size_t i = first; i < out->n; i++) {
		if (plan_writes(x[i].kind) == UPSTREAM_NONE)
			continue;
		plan_aim(&x[i], w->e, turn_reservation(w), &aim);
		if (!aim_same(&aim, &w->row->aim))
			return 0;
		memmove(
		    &x[i], &x[i + 1], (--out->n - i) * sizeof(out->actions[0]));
		return 0;
	}
	if (emit(w, PLAN_UNHOLD, REASON_NONE, 0, w->row->aim.gen))
		return -1;
	out->actions[out->n++] = w->draft->actions[--w->draft->n].x;
	return 0;
}

/* What stands of the draft goes out, in the order of keys. */
static int
finish(const struct plan_input *in, struct draft *d, struct plan_output *out)
{
	/* An UNHOLD for each turn at most. */
	size_t cap = out->n + d->n + d->nturns, i = 0, first;
	struct action *p = realloc(out->actions, (cap + 1) * sizeof(*p));

	if (p == NULL)
		return -1;
	out->actions = p;
	out->cap = cap + 1;
	for (size_t k = 0; k < d->n; k++)
		d->actions[k].number = k;
	if (d->n)
		qsort(d->actions, d->n, sizeof(d->actions[0]), drafted_compare);
	for (size_t k = 0; k < d->nturns; k++) {
		struct turn *w = &d->turns[k];

		first = out->n;
		for (; i < d->n && d->actions[i].turn == k; i++)
			if (!d->actions[i].dropped &&
			    is_allowed(&in->policy, d->actions[i].x.kind))
				out->actions[out->n++] = d->actions[i].x;
		if (w->row && w->row->waiting && !w->row->busy &&
		    plan_waiting(w, out, first))
			return -1;
	}
	return 0;
}

int
plan_room(const struct plan_input *in, struct plan_output *out)
{
	size_t most = in->nexchange + in->ntopdesk + in->nagreed;
	struct draft d = {0};
	int rc = -1;

	/* One more than may be: there is always something to free. */
	if ((d.turns = calloc(most + 1, sizeof(d.turns[0]))) == NULL)
		return -1;
	if (judge_keys(in, &d) == 0 &&
	    (in->policy.retire || plan_clash(in, &d) == 0) &&
	    finish(in, &d, out) == 0)
		rc = 0;
	free(d.turns);
	free(d.actions);
	return rc;
}

void
plan_free(struct plan_output *out)
{
	free(out->actions);
	memset(out, 0, sizeof(*out));
}
