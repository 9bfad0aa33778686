/*
 * plan.c: the rules by which two calendars of one room become one.
 *
 * plan_room() walks the three arrays together, key by key, and judges each key
 * by itself.  In what follows e is the booking as Exchange shows it, t the
 * reservation that carries its link, a what both agreed on last.
 *
 * Words.  e is WANTED when it is there, not gone and takes the room: booked,
 * or tentative where policy says so.  e is DROPPED when the object itself says
 * that it is cancelled, or a GET said that it is gone: the only evidence on
 * which anything is cancelled.  t is LIVE when it holds the room or asks for
 * it (booked, request, conflicting) and is not archived.  Among several t of a
 * key the live one of the highest generation counts; two live ones are
 * reported.  OVER is what has ended.  Times compare in whole minutes, text by
 * fingerprint, an unknown fingerprint being no evidence of a change.
 *
 * The rules (a row without its number is "nothing"):
 *
 *      e        a       t           then
 *   1  wanted   none    none        CREATE generation 1, unless over or
 *                                   outside the window
 *   2  wanted   none    live        ADOPT.  What differs becomes a CHANGE in
 *                                   the next planning, in one write
 *   3  wanted   none    cancelled   REPORT: never silently make again what a
 *                                   person cancelled
 *   4  wanted   live    live        by aspect, time and text:
 *                                   only e changed, t not yet equal  CHANGE
 *                                   both changed, and differently    CHANGE,
 *                                      and the conflict is its reason
 *                                   only t changed                   REPORT
 *                                   e changed, t is equal already    ADOPT
 *   5  wanted   live    none        CONFIRM when the list should have it; when
 *                                   it lies outside the list, CHANGE if e did
 *   6  wanted   live    cancelled   REPORT
 *   7  wanted   dead    live        ADOPT
 *               dead    cancelled   of a later generation: REPORT as in 3
 *               dead    else        CREATE of the next generation
 *   8  dropped  live    live        CANCEL unless over
 *                       cancelled   BURY
 *                       none        CANCEL unless over: mapd reads before it
 *                                   writes
 *               dead    live        CANCEL unless over
 *   9  tentative, policy waits      nothing: the room has not answered yet
 *  10  absent   any     any         nothing; FORGET once a is before the window
 *                                   and no generation is in the list
 *  11  dropped  none    live        CANCEL unless over
 *      absent   none    live        REPORT orphan
 *  12  an action that may be under way: nothing.  One that is set aside or
 *      held is compared with what the rules say now: the same, nothing;
 *      another, that one (it replaces the old); none, UNHOLD.
 *
 * Besides: what is issued or archived is not written to, it is REPORTed as
 * locked; what TOPdesk planned over another is REPORTed as conflicting; what
 * is over on both sides is not written to.  A reservation without a link of
 * ours is none of this file's business.
 *
 * Why an ADOPT writes nothing, though e and t may differ: adoption happens
 * after the state was lost, when it is not known which side changed.  What t
 * shows becomes the agreed base; the next planning then sees e differ from it
 * and t not, which is rule 4's first case.  Text that is equal is agreed at
 * once, so a rebuilt state causes no write where nothing differs.
 *
 * Not here: how sightings are compared and what is agreed after an action
 * (agree.c), words for people and counting (plan_report.c), reading, writing,
 * the journal.
 */
#include "mapd/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/marks.h"
#include "mapd/agree.h"

/* One key's turn. */
struct turn {
	const struct plan_input *in;
	struct plan_output *out;
	const uint8_t *key;
	const struct seen *e;
	const struct seen *t;      /* the live one that counts */
	const struct seen *locked; /* archived, not cancelled */
	const struct seen *cancelled;
	const struct agreed *a;       /* NULL also when its gen is 0 */
	unsigned seen, nlive, maxgen; /* reservations of the key */
};

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

static int
is_wanted(const struct turn *w)
{
	return w->e && !w->e->gone &&
	    (w->e->state == BOOKING_STATE_BOOKED ||
		(w->e->state == BOOKING_STATE_TENTATIVE &&
		    w->in->policy.tentative_books));
}

static int
is_dropped(const struct turn *w)
{
	return w->e && (w->e->gone || w->e->state == BOOKING_STATE_CANCELLED);
}

static int
is_over(const struct turn *w, int64_t end)
{
	return end <= w->in->now;
}

static int
in_window(const struct turn *w, int64_t start, int64_t end)
{
	return start < w->in->to && end > w->in->from;
}

static uint32_t
row_of(const struct seen *s)
{
	return s ? s->row : PLAN_NOROW;
}

static int
emit(struct turn *w, enum plan_kind kind, enum plan_reason reason,
    unsigned change, unsigned gen)
{
	struct plan_output *out = w->out;
	struct action *p;
	size_t cap = out->cap ? out->cap * 2 : 64;

	if (out->n == out->cap) {
		if ((p = realloc(out->actions, cap * sizeof(*p))) == NULL)
			return -1;
		out->actions = p;
		out->cap = cap;
	}
	p = &out->actions[out->n++];
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->reason = reason;
	p->change = change;
	p->gen = (uint8_t)gen;
	memcpy(p->key, w->key, KEY_LEN);
	p->group = w->e ? w->e->group : w->a ? w->a->group : 0;
	p->exchange = row_of(w->e);
	p->topdesk = row_of(w->t ? w->t : w->locked ? w->locked : w->cancelled);
	p->agreed = w->a ? w->a->row : PLAN_NOROW;
	return 0;
}

static int
report(struct turn *w, enum plan_reason reason)
{
	return emit(w, PLAN_REPORT, reason, 0, 0);
}

/* A reservation that is not there yet, or no longer. */
static int
plan_create(struct turn *w)
{
	unsigned gen = w->maxgen;

	if (w->a && w->a->gen > gen)
		gen = w->a->gen;
	if (is_over(w, w->e->end) || !in_window(w, w->e->start, w->e->end))
		return 0;
	/* A generation is one byte of the link; nobody gets there. */
	if (gen == UINT8_MAX)
		return report(w, REASON_LOCKED);
	return emit(w, PLAN_CREATE, REASON_NONE, 0, gen + 1);
}

/* Rules 1, 2, 3 and 7: nothing live is agreed. */
static int
plan_new(struct turn *w)
{
	if (w->t)
		return emit(w, PLAN_ADOPT, REASON_NONE, 0, w->t->gen);
	/* A tombstone is ORB's own cancellation; of a later generation, whose
	 * making was never answered, it was a person's. */
	if (w->a && (w->cancelled == NULL || w->cancelled->gen <= w->a->gen))
		return plan_create(w);
	if (is_over(w, w->e->end))
		return 0;
	if (w->locked)
		return report(w, REASON_LOCKED);
	if (w->cancelled)
		return report(w, REASON_CANCELLED_IN_TOPDESK);
	return plan_create(w);
}

static int
is_locked(const struct seen *t)
{
	return (t->marks & (MARK_ISSUED | MARK_ARCHIVED)) != 0;
}

/* Rule 4. */
static int
plan_both(struct turn *w)
{
	struct difference d;

	agree_compare(w->e, w->t, w->a, &d);
	if (is_over(w, w->e->end) && is_over(w, w->t->end))
		return 0;
	if (d.theirs && report(w, REASON_CHANGED_IN_TOPDESK))
		return -1;
	if (d.write && is_locked(w->t))
		return report(w, REASON_LOCKED);
	if (d.write)
		return emit(w, PLAN_CHANGE,
		    d.both ? REASON_CHANGED_ON_BOTH : REASON_NONE, d.write,
		    w->t->gen);
	return d.learn ? emit(w, PLAN_ADOPT, REASON_NONE, 0, w->t->gen) : 0;
}

/* Rules 5 and 6: live is agreed, but nothing live is seen. */
static int
plan_unseen(struct turn *w)
{
	unsigned bits = agree_changed(w->e, w->a);

	if (is_over(w, w->e->end) && is_over(w, w->a->end))
		return 0;
	if (w->locked)
		return bits ? report(w, REASON_LOCKED) : 0;
	if (w->cancelled)
		return report(w, REASON_CANCELLED_IN_TOPDESK);
	if (in_window(w, w->a->start, w->a->end))
		return emit(w, PLAN_CONFIRM, REASON_NONE, 0, w->a->gen);
	return bits ? emit(w, PLAN_CHANGE, REASON_NONE, bits, w->a->gen) : 0;
}

/* Rules 8 and 11: there is positive evidence. */
static int
plan_dropped(struct turn *w)
{
	int agreed_live = w->a && !w->a->dead;

	if (w->t) {
		if (is_over(w, w->t->end))
			return 0;
		if (is_locked(w->t))
			return report(w, REASON_LOCKED);
		return emit(w, PLAN_CANCEL, REASON_NONE, 0, w->t->gen);
	}
	if (agreed_live && w->cancelled)
		return emit(w, PLAN_BURY, REASON_NONE, 0, w->a->gen);
	if (w->locked && !is_over(w, w->locked->end))
		return report(w, REASON_LOCKED);
	if (!agreed_live || w->locked)
		return 0;
	if (is_over(w, w->a->end))
		return 0;
	return emit(w, PLAN_CANCEL, REASON_NONE, 0, w->a->gen);
}

/* Rules 10 and 11: absence is evidence of nothing. */
static int
plan_absent(struct turn *w)
{
	/* While any generation is to be seen, it is known whose it is. */
	if (w->a && (w->a->end >= w->in->from || w->seen))
		return 0;
	if (w->a)
		return emit(w, PLAN_FORGET, REASON_NONE, 0, w->a->gen);
	if (w->t && !is_over(w, w->t->end))
		return report(w, REASON_ORPHAN);
	return 0;
}

static int
plan_rules(struct turn *w)
{
	if (w->nlive > 1 && report(w, REASON_DUPLICATE))
		return -1;
	if (w->t && w->t->state == BOOKING_STATE_CONFLICTING && is_wanted(w) &&
	    !is_over(w, w->t->end) && report(w, REASON_CONFLICTING))
		return -1;
	if (is_dropped(w))
		return plan_dropped(w);
	if (w->e == NULL)
		return plan_absent(w);
	if (!is_wanted(w))
		return 0;
	if (w->a == NULL || w->a->dead)
		return plan_new(w);
	return w->t ? plan_both(w) : plan_unseen(w);
}

static int
is_write(const struct action *x)
{
	return x->kind == PLAN_CREATE || x->kind == PLAN_CHANGE ||
	    x->kind == PLAN_CANCEL;
}

/*
 * Rule 12 for an action that waits: of the actions from first on, the write is
 * dropped when it is what waits already; without a write, what waits goes.
 */
static int
plan_waiting(struct turn *w, const struct agreed *waits, size_t first)
{
	struct plan_output *out = w->out;
	struct aim aim;

	for (size_t i = first; i < out->n; i++) {
		if (!is_write(&out->actions[i]))
			continue;
		plan_aim(&out->actions[i], w->e, w->t, &aim);
		if (!aim_same(&aim, &waits->aim))
			return 0;
		memmove(&out->actions[i], &out->actions[i + 1],
		    (--out->n - i) * sizeof(out->actions[0]));
		return 0;
	}
	return emit(w, PLAN_UNHOLD, REASON_NONE, 0, waits->aim.gen);
}

static int
plan_key(struct turn *w, const struct agreed *row)
{
	size_t first = w->out->n;

	if (row && row->busy)
		return 0;
	w->a = row && row->gen ? row : NULL;
	/* An earlier generation says nothing of the one that was agreed. */
	if (w->a && !w->a->dead && w->cancelled &&
	    w->cancelled->gen < w->a->gen)
		w->cancelled = NULL;
	if (plan_rules(w))
		return -1;
	return row && row->waiting ? plan_waiting(w, row, first) : 0;
}

/* Puts one reservation of the key into its place. */
static void
sight(struct turn *w, const struct seen *t)
{
	w->seen++;
	if (t->gen > w->maxgen)
		w->maxgen = t->gen;
	if (t->state == BOOKING_STATE_CANCELLED) {
		if (w->cancelled == NULL || t->gen > w->cancelled->gen)
			w->cancelled = t;
	} else if (t->marks & MARK_ARCHIVED) {
		if (w->locked == NULL || t->gen > w->locked->gen)
			w->locked = t;
	} else {
		w->nlive++;
		if (w->t == NULL || t->gen > w->t->gen)
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
static const struct agreed *
walk_take(struct walk *at, const struct plan_input *in, struct turn *w)
{
	const struct agreed *row = NULL;

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
		row = &in->agreed[at->a];
	}
	return row;
}

int
plan_room(const struct plan_input *in, struct plan_output *out)
{
	struct walk at = {0, 0, 0};
	const uint8_t *key;

	while (at.t < in->ntopdesk &&
	    memcmp(in->topdesk[at.t].key, no_key, KEY_LEN) == 0)
		at.t++;
	while ((key = walk_key(&at, in)) != NULL) {
		struct turn w = {.in = in, .out = out, .key = key};

		if (plan_key(&w, walk_take(&at, in, &w)))
			return -1;
	}
	return 0;
}

void
plan_free(struct plan_output *out)
{
	free(out->actions);
	memset(out, 0, sizeof(*out));
}
