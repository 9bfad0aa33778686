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
 *        is another's by its block time only       REPORT block, no CREATE
 *        is new or conflicting                     CLASH; by policy.conflict
 *           t loses (always when conflicting)      NOTICE; both writes wait
 *           e loses                                MEETING_CANCEL
 *        is paired                                 exchange-wins: CREATE
 *                                                  else CLASH, MEETING_CANCEL
 *        is anything else                          CREATE: TOPdesk decides
 *   e  new t really overlaps a wanted e that
 *        is paired                                 CLASH, as in d: t loses, or
 *                                                  with topdesk-wins e
 *        is leaving the room, or being made        the MEET waits
 *        is anything else                          REPORT doubtful, no MEET
 *
 * First-wins has a known winner only where one of the two is paired, and that
 * is the first; of two new ones Exchange's stays, since its organiser has had
 * an answer already.
 *
 * Without to_exchange only d remains, and only as a REPORT beside the CREATE.
 *
 * Two sides are compared by a sweep over both in the order of their starts: what
 * it costs is sorting, and the pairs that do overlap.
 *
 * Not here: what is done about a key by itself (plan.c, plan_exchange.c), and
 * how the loser is told (mapd's executor).
 */
#include <stdlib.h>
#include <string.h>

#include "mapd/agree.h"
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

static int64_t
minute_of(int64_t s)
{
	return s / 60 - (s % 60 < 0);
}

static int
is_new_e(const struct turn *w)
{
	struct drafted *x = turn_write(w);

	return w->a == NULL && x && x->x.kind == PLAN_CREATE && x->x.gen == 1;
}

/* The meeting of a reservation may be made this moment. */
static int
is_meeting(const struct turn *w)
{
	return w->row && w->row->busy && w->row->aim.kind == PLAN_MEET;
}

static int
is_new_t(const struct turn *w)
{
	struct drafted *x = turn_write(w);

	return w->t && w->provisional &&
	    (is_meeting(w) || (x && x->x.kind == PLAN_MEET));
}

static int
is_conflicting(const struct turn *w)
{
	return w->t && w->provisional && w->in->policy.to_exchange &&
	    w->t->state == BOOKING_STATE_CONFLICTING && w->e == NULL &&
	    w->a == NULL && !(w->row && w->row->busy);
}

static int
is_orphan(const struct turn *w)
{
	return w->t && !w->provisional && w->e == NULL && w->a == NULL &&
	    w->row == NULL && w->t->link == LINK_OURS;
}

/* Drops what phase 1 planned of a kind, whose reason is given for a report. */
static void
drop(struct turn *w, enum plan_kind kind, enum plan_reason reason)
{
	struct drafted *x = w->draft->actions + w->first;

	for (size_t i = 0; i < w->n; i++)
		if (x[i].x.kind == kind &&
		    (kind != PLAN_REPORT || x[i].x.reason == reason))
			x[i].dropped = 1;
}

static void
drop_writes(struct turn *w)
{
	struct drafted *x = w->draft->actions + w->first;

	for (size_t i = 0; i < w->n; i++)
		if (plan_writes(x[i].x.kind) != UPSTREAM_NONE)
			x[i].dropped = 1;
}

/* The last that was emitted. */
static struct action *
latest(struct turn *w)
{
	return &w->draft->actions[w->draft->n - 1].x;
}

static int
make_doubtful(struct turn *w)
{
	if (w->fate == FATE_DOUBTFUL)
		return 0;
	drop_writes(w);
	drop(w, PLAN_REPORT, REASON_ORPHAN);
	w->fate = FATE_DOUBTFUL;
	return report(w, REASON_DOUBTFUL);
}

/* --- a: the same booking on both sides ----------------------------------- */

static int
spot_compare_time(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->until != y->until)
		return x->until < y->until ? -1 : 1;
	if (x->person != y->person)
		return x->person < y->person ? -1 : 1;
	return memcmp(x->w->key, y->w->key, KEY_LEN);
}

static int
pair(struct turn *e, struct turn *t)
{
	drop_writes(e);
	drop_writes(t);
	drop(t, PLAN_REPORT, REASON_ORPHAN);
	e->fate = t->fate = FATE_PAIRED;
	if (is_meeting(t)) {
		e->fate = FATE_WAITS;
		return 0;
	}
	if (emit(e, PLAN_PAIR, REASON_NONE, 0, 1))
		return -1;
	latest(e)->topdesk = t->t->row;
	return 0;
}

/* How many from s on are of the same person. */
static size_t
same_person(const struct spot *s, size_t n)
{
	size_t k = 1;

	while (k < n && s[k].person == s[0].person)
		k++;
	return k;
}

/* ne and nt of the same times, sorted by person. */
static int
match_group(struct spot *e, size_t ne, struct spot *t, size_t nt)
{
	size_t i = 0, k = 0, many_e, many_t;

	if (ne == 1 && nt == 1)
		return pair(e->w, t->w);
	while (i < ne && k < nt) {
		if (e[i].person != t[k].person) {
			if (e[i].person < t[k].person)
				i++;
			else
				k++;
			continue;
		}
		many_e = same_person(e + i, ne - i);
		many_t = same_person(t + k, nt - k);
		if (many_e == 1 && many_t == 1 && e[i].person != 0 &&
		    pair(e[i].w, t[k].w))
			return -1;
		i += many_e;
		k += many_t;
	}
	for (i = 0; i < ne; i++)
		if (e[i].w->fate == FATE_OPEN && make_doubtful(e[i].w))
			return -1;
	for (k = 0; k < nt; k++)
		if (t[k].w->fate == FATE_OPEN && !is_meeting(t[k].w) &&
		    make_doubtful(t[k].w))
			return -1;
	return 0;
}

/* The length of the run at s of one pair of times. */
static size_t
same_times(const struct spot *s, size_t n)
{
	size_t k = 1;

	while (k < n && s[k].first == s[0].first && s[k].until == s[0].until)
		k++;
	return k;
}

static int
compare_times(const struct spot *e, const struct spot *t)
{
	if (e->first != t->first)
		return e->first < t->first ? -1 : 1;
	return (e->until > t->until) - (e->until < t->until);
}

/* Only those that may be matched come here: e and t of c are filtered. */
static int
match(struct spot *e, size_t ne, struct spot *t, size_t nt)
{
	size_t i = 0, k = 0, many_e, many_t;
	int c;

	while (i < ne && k < nt) {
		many_e = same_times(e + i, ne - i);
		many_t = same_times(t + k, nt - k);
		c = compare_times(&e[i], &t[k]);
		if (c == 0 && match_group(e + i, many_e, t + k, many_t))
			return -1;
		i += c <= 0 ? many_e : 0;
		k += c >= 0 ? many_t : 0;
	}
	return 0;
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

/* --- c, d, e: two that overlap ----------------------------------------------- */

static int
overlap_really(const struct spot *e, const struct spot *t)
{
	return e->first < t->until && t->first < e->until;
}

/* c */
static int
on_doubt(struct clash *c, struct spot *e, struct spot *t)
{
	(void)c;
	if (!overlap_really(e, t) || e->person == 0 || e->person != t->person ||
	    (e->first != t->first && e->until != t->until))
		return 0;
	if (e->w->fate != FATE_OPEN || t->w->fate != FATE_OPEN ||
	    !is_new_e(e->w) || !is_new_t(t->w) || is_meeting(t->w))
		return 0;
	return make_doubtful(e->w) || make_doubtful(t->w) ? -1 : 0;
}

/* The record of two that want the room. */
static int
clash(struct turn *e, struct turn *t, enum upstream loser)
{
	struct action *x;

	if (emit(e, PLAN_CLASH, REASON_LOST, 0, 0))
		return -1;
	x = latest(e);
	x->topdesk = t->t->row;
	x->loser = (uint8_t)loser;
	if (loser == UPSTREAM_EXCHANGE)
		x->rival_topdesk = t->t->row;
	else
		x->rival_exchange = e->e->row;
	return 0;
}

static int
lose_exchange(struct turn *e, struct turn *t)
{
	if (e->fate == FATE_LOST)
		return 0;
	drop_writes(e);
	e->fate = FATE_LOST;
	if (clash(e, t, UPSTREAM_EXCHANGE) ||
	    emit(e, PLAN_MEETING_CANCEL, REASON_LOST, 0, e->a ? e->a->gen : 0))
		return -1;
	latest(e)->rival_topdesk = t->t->row;
	return 0;
}

static int
lose_topdesk(struct turn *e, struct turn *t)
{
	drop(t, PLAN_MEET, REASON_NONE);
	drop(t, PLAN_REPORT, REASON_CONFLICTING);
	if (t->fate == FATE_LOST)
		return 0;
	t->fate = FATE_LOST;
	if (clash(e, t, UPSTREAM_TOPDESK) ||
	    emit(t, PLAN_NOTICE, REASON_LOST, 0, 0))
		return -1;
	latest(t)->rival_exchange = e->e->row;
	return 0;
}

/* Who loses where a reservation without a meeting is in it. */
static int
topdesk_stays(const struct turn *t)
{
	return t->in->policy.conflict == CONFLICT_TOPDESK && !is_conflicting(t);
}

/* The reservation will be elsewhere, or gone: planned, or journaled. */
static int
makes_way(const struct turn *t)
{
	struct drafted *x = turn_write(t);
	unsigned kind = x ? x->x.kind : PLAN_REPORT;
	unsigned journaled = t->row && (t->row->busy || t->row->waiting)
	    ? t->row->aim.kind
	    : PLAN_REPORT;

	return kind == PLAN_CANCEL || kind == PLAN_CHANGE ||
	    journaled == PLAN_CANCEL || journaled == PLAN_CHANGE;
}

static int
block_in_the_way(struct turn *e)
{
	drop(e, PLAN_CREATE, REASON_NONE);
	e->fate = FATE_WAITS;
	return report(e, REASON_BLOCK);
}

/* d, with a reservation that has no meeting: both are new. */
static int
both_new(struct spot *e, struct spot *t)
{
	if (!overlap_really(e, t)) {
		/* The meeting fits; TOPdesk would refuse the reservation. */
		return e->w->fate == FATE_OPEN ? block_in_the_way(e->w) : 0;
	}
	/* What waits, or is to leave, still stands in the room. */
	if (is_meeting(t->w) || e->w->fate == FATE_WAITS ||
	    t->w->fate == FATE_PAIRED) {
		drop_writes(e->w);
		drop(t->w, PLAN_MEET, REASON_NONE);
		return 0;
	}
	if (t->w->fate == FATE_DOUBTFUL)
		return make_doubtful(e->w);
	if (topdesk_stays(t->w)) {
		drop(t->w, PLAN_MEET, REASON_NONE);
		return lose_exchange(e->w, t->w);
	}
	drop(e->w, PLAN_CREATE, REASON_NONE);
	e->w->fate = FATE_WINS;
	return lose_topdesk(e->w, t->w);
}

/* d, with a reservation whose meeting stands. */
static int
new_against_paired(struct spot *e, struct spot *t)
{
	if (e->w->fate != FATE_OPEN || makes_way(t->w))
		return 0;
	if (!overlap_really(e, t))
		return block_in_the_way(e->w);
	if (e->w->in->policy.conflict == CONFLICT_EXCHANGE)
		return 0;
	return lose_exchange(e->w, t->w);
}

/* e, and what of a wanted e is neither new nor paired. */
static int
meet_against(struct spot *e, struct spot *t)
{
	int busy = e->w->row && e->w->row->busy;
	struct drafted *x = turn_write(e->w);

	if (!overlap_really(e, t) || is_meeting(t->w))
		return 0;
	if (busy || (e->w->a && e->w->a->dead == DEAD_RELEASED) ||
	    e->w->fate == FATE_PAIRED || e->w->fate == FATE_LOST ||
	    (x && x->x.kind == PLAN_MEETING_CANCEL)) {
		drop(t->w, PLAN_MEET, REASON_NONE);
		return 0;
	}
	if (!is_agreed(e->w))
		return t->w->fate == FATE_OPEN ? make_doubtful(t->w) : 0;
	if (!topdesk_stays(t->w))
		return lose_topdesk(e->w, t->w);
	drop(t->w, PLAN_MEET, REASON_NONE);
	return lose_exchange(e->w, t->w);
}

/* What was new before phase 2 touched it. */
static int
was_new_e(const struct turn *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->draft->actions[w->first + i].x.kind == PLAN_CREATE &&
		    w->draft->actions[w->first + i].x.gen == 1)
			return w->a == NULL;
	return 0;
}

static int
was_new_t(const struct turn *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->draft->actions[w->first + i].x.kind == PLAN_MEET)
			return 1;
	return is_meeting(w) || is_conflicting(w);
}

/* d and e */
static int
on_overlap(struct clash *c, struct spot *e, struct spot *t)
{
	int new_e = was_new_e(e->w) && e->w->fate != FATE_DOUBTFUL &&
	    e->w->fate != FATE_PAIRED;

	(void)c;
	if (was_new_t(t->w))
		return new_e ? both_new(e, t) : meet_against(e, t);
	if (new_e && is_agreed(t->w))
		return new_against_paired(e, t);
	/* Paired just now: from the next planning on it is as the others. */
	if (new_e && t->w->fate == FATE_PAIRED)
		drop_writes(e->w);
	return 0;
}

/* d, where nothing may be written to Exchange. */
static int
on_one_way(struct clash *c, struct spot *e, struct spot *t)
{
	(void)c;
	if (!t->w->provisional || t->w->t->state == BOOKING_STATE_REQUEST ||
	    e->w->fate != FATE_OPEN || !is_new_e(e->w))
		return 0;
	e->w->fate = FATE_DOUBTFUL;
	return report(e->w, REASON_CONFLICTING);
}

/* --- all of it ------------------------------------------------------------------ */

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

/* a, over copies of those that may be one booking. */
static int
match_new(struct clash *c)
{
	struct spot *e = calloc(c->ne + 1, sizeof(*e));
	struct spot *t = calloc(c->nt + 1, sizeof(*t));
	size_t ne = 0, nt = 0;
	int rc = -1;

	if (e == NULL || t == NULL)
		goto out;
	for (size_t i = 0; i < c->ne; i++)
		if (is_new_e(c->e[i].w))
			e[ne++] = c->e[i];
	for (size_t i = 0; i < c->nt; i++)
		if (is_new_t(c->t[i].w) || is_orphan(c->t[i].w))
			t[nt++] = c->t[i];
	qsort(e, ne, sizeof(*e), spot_compare_time);
	qsort(t, nt, sizeof(*t), spot_compare_time);
	rc = match(e, ne, t, nt);
out:
	free(e);
	free(t);
	return rc;
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
		drop(w, PLAN_CREATE, REASON_NONE);
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
		rc = sweep(&c, on_one_way);
		goto out;
	}
	if (match_new(&c))
		goto out;
	wait_for_meetings(&c);
	rc = sweep(&c, on_doubt) || sweep(&c, on_overlap) ? -1 : 0;
out:
	free(c.e);
	free(c.t);
	return rc;
}
