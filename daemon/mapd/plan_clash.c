/*
 * plan_clash.c: what bookings that are on one side only have to do with one
 * another, after every key was judged by itself (phase 2).
 *
 * Words.  e is NEW when it is wanted and a CREATE of generation 1 is planned for
 * a key of which nothing is agreed.  t is NEW when its key is provisional and a
 * MEET is planned, or under way; CONFLICTING when TOPdesk says so of a
 * provisional one.  PAIRED is what stands in an agreed row.  An ORPHAN is a
 * reservation with ORB's link of a key that nothing else knows.  e OVERLAPS t
 * when e's times and t's with its block time do, REALLY when the planned times
 * do.  End on start is no overlap; whole minutes count.
 *
 *   a  the same times: one new e, one new t or     PAIR: one booking, entered
 *      orphan                                      twice
 *      several: of the same known person, once     PAIR; the others REPORT
 *      on each side                                doubtful, no write
 *      t's MEET is under way                       the CREATE waits
 *   b  a MEET of the room is under way             every other CREATE waits:
 *      the meeting it made cannot be told from a new one until it is settled
 *   c  new e, new t really overlap, same start     both REPORT doubtful, no
 *      or end, same known person                   write
 *   d  new e overlaps t, and t
 *        will be changed or cancelled              the CREATE stands (mapd
 *                                                  waits for the other)
 *        is arriving from another room             the CREATE waits
 *        is another's by its block time only       REPORT block, no CREATE
 *        is new or conflicting                     CLASH; by policy.conflict
 *           t loses (always when conflicting)      NOTICE; both writes wait
 *           e loses                                MEETING_CANCEL
 *        is paired                                 exchange-wins: CREATE
 *                                                  else CLASH, MEETING_CANCEL
 *        is anything else                          CREATE: TOPdesk decides
 *      e's CHANGE of time, t another's by its   REPORT block, no CHANGE
 *        block time only
 *   e  new t really overlaps a wanted e that
 *        is paired                                 CLASH, as in d: t loses, or
 *                                                  with topdesk-wins e
 *        is leaving the room, or being made        the MEET waits
 *        is anything else                          REPORT doubtful, no MEET
 *   f  t is conflicting, no other live            AGAIN: TOPdesk judges it anew
 *      reservation overlaps it (block times
 *      included), and nothing above concerns it
 *
 * First-wins has a known winner only where one of the two is paired, and that
 * is the first; of two new ones Exchange's stays, since its organiser has had
 * an answer already.
 *
 * Without to_exchange only f remains: what TOPdesk answers to the CREATE is what
 * a person is told.
 *
 * Two sides are compared by a sweep over both in the order of their starts: what
 * it costs is sorting, and the pairs that do overlap.
 *
 * Here: the words, the sweep and the order of it all.  Not here: a (plan_pair.c),
 * c, d and e (plan_overlap.c), f (plan_again.c), what is done about a key by itself (plan.c, plan_exchange.c), and
 * how the loser is told (mapd's executor).
 */
#include <stdlib.h>
#include <string.h>

#include "mapd/plan_clash.h"

int
is_new_e(const struct turn *w)
{
	struct drafted *x = turn_write(w);

	return w->a == NULL && x && x->x.kind == PLAN_CREATE && x->x.gen == 1;
}

int
is_meeting(const struct turn *w)
{
	return w->row && w->row->busy && w->row->aim.kind == PLAN_MEET;
}

int
is_new_t(const struct turn *w)
{
	struct drafted *x = turn_write(w);

	return w->t && w->provisional &&
	    (is_meeting(w) || (x && x->x.kind == PLAN_MEET));
}

int
is_conflicting(const struct turn *w)
{
	return w->t && w->provisional && w->in->policy.to_exchange &&
	    w->t->state == BOOKING_STATE_CONFLICTING && w->e == NULL &&
	    w->a == NULL && !w->t->arriving && !(w->row && w->row->busy);
}

int
is_orphan(const struct turn *w)
{
	return w->t && !w->provisional && w->e == NULL && w->a == NULL &&
	    w->row == NULL && w->t->link == LINK_OURS;
}

void
turn_drop(struct turn *w, enum plan_kind kind, enum plan_reason reason)
{
	struct drafted *x = w->draft->actions + w->first;

	for (size_t i = 0; i < w->n; i++)
		if (x[i].x.kind == kind &&
		    (kind != PLAN_REPORT || x[i].x.reason == reason))
			x[i].dropped = 1;
}

void
turn_drop_writes(struct turn *w)
{
	struct drafted *x = w->draft->actions + w->first;

	for (size_t i = 0; i < w->n; i++)
		if (plan_writes(x[i].x.kind) != UPSTREAM_NONE)
			x[i].dropped = 1;
}

struct action *
turn_latest(struct turn *w)
{
	return &w->draft->actions[w->draft->n - 1].x;
}

int
make_doubtful(struct turn *w)
{
	if (w->fate == FATE_DOUBTFUL)
		return 0;
	turn_drop_writes(w);
	turn_drop(w, PLAN_REPORT, REASON_ORPHAN);
	w->fate = FATE_DOUBTFUL;
	return report(w, REASON_DOUBTFUL);
}

/* --- the sweep ---------------------------------------------------------------- */

static int
spot_compare_start(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return memcmp(x->w->key, y->w->key, KEY_LEN);
}

typedef int (*meet_fn)(struct clash *, struct spot *e, struct spot *t);

/* Those that are on at some time. */
struct going {
	struct spot **spots;
	size_t n;
};

/* Calls fn for s and each of those of the other side that are still on. */
static int
sweep_one(struct clash *c, struct spot *s, struct going *others, int s_is_e,
    meet_fn fn)
{
	size_t left = 0;

	for (size_t i = 0; i < others->n; i++) {
		struct spot *o = others->spots[i];

		if (o->end <= s->start)
			continue;
		others->spots[left++] = o;
		if (o->w != s->w && (s_is_e ? fn(c, s, o) : fn(c, o, s)) != 0)
			return -1;
	}
	others->n = left;
	return 0;
}

/* Calls fn for every e and t that overlap, t with its block time. */
static int
sweep(struct clash *c, meet_fn fn)
{
	struct going e = {0}, t = {0};
	size_t i = 0, k = 0;
	int rc = -1;

	e.spots = calloc(c->ne + 1, sizeof(struct spot *));
	t.spots = calloc(c->nt + 1, sizeof(struct spot *));
	if (e.spots == NULL || t.spots == NULL)
		goto out;
	while (i < c->ne || k < c->nt) {
		if (k == c->nt ||
		    (i < c->ne && c->e[i].start <= c->t[k].start)) {
			if (sweep_one(c, &c->e[i], &t, 1, fn))
				goto out;
			e.spots[e.n++] = &c->e[i++];
		} else {
			if (sweep_one(c, &c->t[k], &e, 0, fn))
				goto out;
			t.spots[t.n++] = &c->t[k++];
		}
	}
	rc = 0;
out:
	free(e.spots);
	free(t.spots);
	return rc;
}

/* --- all of it ------------------------------------------------------------------ */

static int64_t
minute_of(int64_t s)
{
	return s / 60 - (s % 60 < 0);
}

static void
collect(struct clash *c, struct draft *d)
{
	for (size_t i = 0; i < d->nturns; i++) {
		struct turn *w = &d->turns[i];
		struct spot *s;

		if (is_wanted(w) && !is_over(w, w->e->end)) {
			s = &c->e[c->ne++];
			s->w = w;
			s->person = w->e->person;
			s->start = s->first = minute_of(w->e->start);
			s->end = s->until = minute_of(w->e->end);
		}
		if (w->t && !w->t->elsewhere && !is_over(w, w->t->end)) {
			s = &c->t[c->nt++];
			s->w = w;
			s->person = w->t->person;
			s->start = s->first = minute_of(w->t->start);
			s->end = s->until = minute_of(w->t->end);
			/* Zero where nothing is known of it. */
			if (w->t->block_end > w->t->end)
				s->end = minute_of(w->t->block_end);
			if (w->t->block_start != 0 &&
			    w->t->block_start < w->t->start)
				s->start = minute_of(w->t->block_start);
		}
	}
}

/* b */
static void
wait_for_meetings(struct clash *c)
{
	int any = 0;

	/* Also of reservations that the list lacks now. */
	for (size_t i = 0; i < c->in->nagreed; i++)
		any |= c->in->agreed[i].busy &&
		    c->in->agreed[i].aim.kind == PLAN_MEET;
	for (size_t i = 0; any && i < c->ne; i++) {
		struct turn *w = c->e[i].w;

		if (w->fate != FATE_OPEN || !is_new_e(w))
			continue;
		turn_drop(w, PLAN_CREATE, REASON_NONE);
		w->fate = FATE_WAITS;
	}
}

int
plan_clash(const struct plan_input *in, struct draft *d)
{
	struct clash c = {.in = in};
	int rc = -1;

	c.e = calloc(d->nturns + 1, sizeof(*c.e));
	c.t = calloc(d->nturns + 1, sizeof(*c.t));
	if (c.e == NULL || c.t == NULL)
		goto out;
	collect(&c, d);
	qsort(c.e, c.ne, sizeof(*c.e), spot_compare_start);
	qsort(c.t, c.nt, sizeof(*c.t), spot_compare_start);
	if (!in->policy.to_exchange) {
		rc = plan_again(&c);
		goto out;
	}
	if (pair_new(&c))
		goto out;
	wait_for_meetings(&c);
	rc = sweep(&c, on_doubt) || sweep(&c, on_overlap) || plan_again(&c) ? -1
									    : 0;
out:
	free(c.e);
	free(c.t);
	return rc;
}
