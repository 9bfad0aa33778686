/*
 * plan.c: the rules by which two calendars of one room become one.
 *
 * plan_key() judges one key by itself, into the draft (phase 1).  In what follows
 * e is the booking as Exchange shows it, t the reservation that carries its link,
 * a what both agreed on last.
 *
 * Words.  e is WANTED when it is there, not gone and takes the room: booked,
 * or tentative where policy says so.  e is DROPPED when the object itself says
 * that it is cancelled, or that it takes no time of the room in whose own
 * calendar it stands, or a GET said that it is gone: the only evidence on
 * which anything is cancelled.  t is LIVE when it holds the room or asks for
 * it (booked, request, conflicting) and is not archived.  Among several t of a
 * key the live one of the highest generation counts; two live ones are
 * reported.  OVER is what has ended.  Times compare in whole minutes, text by
 * fingerprint, an unknown fingerprint being no evidence of a change.
 *
 * The rules of one direction (a row without its number is "nothing"); where
 * TOPdesk may change something, rules 4, 6, 7, 8 and 10 go on, and 13 to 15
 * stand, in plan_exchange.c.  A write to a side that policy does not let be
 * written to is not planned.
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
 *   6  wanted   live    cancelled   REPORT; with to_exchange MEETING_CANCEL
 *   7  wanted   dead    live        ADOPT
 *               dead    cancelled   of a later generation: REPORT as in 3
 *               dead    else        CREATE of the next generation (after
 *                                   TOPdesk's first, ".t", comes 2)
 *   8  dropped  live    live        CANCEL unless over
 *                       cancelled   BURY
 *                       none        CANCEL unless over: mapd reads before it
 *                                   writes
 *               dead    live        CANCEL unless over
 *   9  tentative, policy waits      nothing: the room has not answered yet
 *  10  absent   live    live        REPORT orphan, unless over
 *               any     any         nothing; FORGET once a is before the window
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
 * once, so a rebuilt state causes no write where nothing differs.  In the first
 * look of a new state mapd lets text that differs stand: a person may have
 * written it in TOPdesk.
 *
 * Not here: the walk over all keys and what goes out of the draft (plan_room.c),
 * what bookings have to do with one another (plan_clash.c), how sightings are compared and what is agreed after an action
 * (agree.c), words for people and counting (plan_report.c), reading, writing,
 * the journal.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/marks.h"
#include "mapd/agree.h"
#include "mapd/plan_turn.h"

/* In the room's own calendar, and free: a note (ORB's own to a requester, say)
 * of which the room is not taken. */
static int
is_note(const struct seen *e)
{
	return (e->marks & MARK_FREE) && (e->marks & MARK_ROOM_OWN);
}

int
is_wanted(const struct turn *w)
{
	return w->e && !w->e->gone && !is_note(w->e) &&
	    (w->e->state == BOOKING_STATE_BOOKED ||
		(w->e->state == BOOKING_STATE_TENTATIVE &&
		    w->in->policy.tentative_books));
}

int
is_dropped(const struct turn *w)
{
	return w->e &&
	    (w->e->gone || w->e->state == BOOKING_STATE_CANCELLED ||
		is_note(w->e));
}

int
is_over(const struct turn *w, int64_t end)
{
	return end <= w->in->now;
}

int
in_window(const struct turn *w, int64_t start, int64_t end)
{
	return start < w->in->to && end > w->in->from;
}

int
is_agreed(const struct turn *w)
{
	return w->a && !w->a->dead;
}

static uint32_t
row_of(const struct seen *s)
{
	return s ? s->row : PLAN_NOROW;
}

/* The reservation that the turn's actions are about. */
const struct seen *
turn_reservation(const struct turn *w)
{
	return w->t ? w->t : w->locked ? w->locked : w->cancelled;
}

int
emit(struct turn *w, enum plan_kind kind, enum plan_reason reason,
    unsigned change, unsigned gen)
{
	struct draft *d = w->draft;
	struct drafted *p;
	size_t cap = d->cap ? d->cap * 2 : 64;

	if (d->n == d->cap) {
		if ((p = realloc(d->actions, cap * sizeof(*p))) == NULL)
			return -1;
		d->actions = p;
		d->cap = cap;
	}
	p = &d->actions[d->n++];
	memset(p, 0, sizeof(*p));
	p->turn = (size_t)(w - d->turns);
	p->x.kind = kind;
	p->x.reason = reason;
	p->x.change = change;
	p->x.gen = (uint8_t)gen;
	memcpy(p->x.key, w->key, KEY_LEN);
	p->x.group = w->e ? w->e->group : w->a ? w->a->group : 0;
	p->x.exchange = row_of(w->e);
	p->x.topdesk = row_of(turn_reservation(w));
	p->x.agreed = w->a ? w->a->row : PLAN_NOROW;
	p->x.rival_topdesk = p->x.rival_exchange = PLAN_NOROW;
	p->x.loser = UPSTREAM_NONE;
	return 0;
}

struct drafted *
turn_write(const struct turn *w)
{
	struct draft *d = w->draft;
	/* While the turn is on, all from its first on is its own. */
	size_t end = w->judged ? w->first + w->n : d->n;

	for (size_t i = w->first; i < end; i++)
		if (!d->actions[i].dropped &&
		    plan_writes(d->actions[i].x.kind) != UPSTREAM_NONE)
			return &d->actions[i];
	return NULL;
}

int
report(struct turn *w, enum plan_reason reason)
{
	return emit(w, PLAN_REPORT, reason, 0, 0);
}

/* A reservation that is not there yet, or no longer. */
static int
plan_create(struct turn *w)
{
	unsigned gen = w->maxgen;

	if (w->a && gen_order(w->a->gen) > gen)
		gen = gen_order(w->a->gen);
	if (is_over(w, w->e->end) || !in_window(w, w->e->start, w->e->end))
		return 0;
	/* A generation is one byte of the link; nobody gets there. */
	if (gen + 1 >= GEN_TOPDESK)
		return report(w, REASON_LOCKED);
	return emit(w, PLAN_CREATE, REASON_NONE, 0, gen + 1);
}

/* Rules 1, 2, 3 and 7: nothing live is agreed. */
int
plan_new(struct turn *w)
{
	if (w->t)
		return emit(w, PLAN_ADOPT, REASON_NONE, 0, w->t->gen);
	/* A tombstone is ORB's own cancellation; of a later generation, whose
	 * making was never answered, it was a person's. */
	if (w->a &&
	    (w->cancelled == NULL ||
		gen_order(w->cancelled->gen) <= gen_order(w->a->gen)))
		return plan_create(w);
	if (is_over(w, w->e->end))
		return 0;
	if (w->locked)
		return report(w, REASON_LOCKED);
	if (w->cancelled)
		return report(w, REASON_CANCELLED_IN_TOPDESK);
	return plan_create(w);
}

int
is_locked(const struct seen *t)
{
	return (t->marks & (MARK_ISSUED | MARK_ARCHIVED)) != 0;
}

/* Rules 5 and 6: live is agreed, but nothing live is seen. */
static int
plan_unseen(struct turn *w)
{
	unsigned bits = agree_changed(w->e, w->a);

	if (is_over(w, w->e->end) && is_over(w, w->a->end))
		return 0;
	if (w->locked)
		return bits || w->locked->elsewhere ? report(w, REASON_LOCKED)
						    : 0;
	if (w->cancelled && w->in->policy.to_exchange)
		return is_over(w, w->e->end)
		    ? 0
		    : emit(w, PLAN_MEETING_CANCEL, REASON_CANCELLED_IN_TOPDESK,
			  0, w->a->gen);
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
	int agreed_live = is_agreed(w);

	if (w->t) {
		if (is_over(w, w->t->end))
			return 0;
		if (is_locked(w->t))
			return report(w, REASON_LOCKED);
		if (agreed_live && w->a->origin == ORIGIN_TOPDESK)
			return plan_own_dropped(w);
		if (w->t->marks & MARK_SEVERAL_ROOMS)
			return report(w, REASON_SEVERAL_ROOMS);
		return emit(w, PLAN_CANCEL, REASON_NONE, 0, gen_of(w->t, w->a));
	}
	if (agreed_live && w->cancelled) {
		/* Its organiser has it still: the room alone said no. */
		if (w->a->origin == ORIGIN_TOPDESK &&
		    (w->e->marks & MARK_DECLINED) && w->in->policy.to_exchange)
			return emit(w, PLAN_MEETING_CANCEL,
			    REASON_CANCELLED_IN_TOPDESK, 0, w->a->gen);
		return emit(w, PLAN_BURY, REASON_NONE, 0, w->a->gen);
	}
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
	if (is_agreed(w) && w->a->origin == ORIGIN_TOPDESK && w->a->await &&
	    w->a->end >= w->in->from)
		return plan_unanswered(w);
	/* It was in Exchange, and who read it is there no more. */
	if (w->a && w->t && !is_over(w, w->a->end) && !is_over(w, w->t->end) &&
	    (w->a->dead != DEAD_RELEASED || is_late(w)))
		return report(w, REASON_ORPHAN);
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
	if (w->in->policy.retire)
		return plan_retire(w);
	if (w->nlive > 1 && report(w, REASON_DUPLICATE))
		return -1;
	if (w->provisional && w->e == NULL)
		return plan_provisional(w);
	if (w->t && w->t->state == BOOKING_STATE_CONFLICTING && is_wanted(w) &&
	    !is_over(w, w->t->end) && report(w, REASON_CONFLICTING))
		return -1;
	if (w->a && is_released(w->a) && w->e)
		return plan_released(w);
	if (is_dropped(w))
		return plan_dropped(w);
	if (w->e == NULL)
		return plan_absent(w);
	if (!is_wanted(w))
		return is_agreed(w) && w->a->origin == ORIGIN_TOPDESK
		    ? plan_unanswered(w)
		    : 0;
	if (!is_agreed(w))
		return plan_new(w);
	if (w->t && w->t->elsewhere)
		return plan_moved_room(w);
	return w->t ? plan_both(w) : plan_unseen(w);
}

int
plan_key(struct turn *w)
{
	const struct agreed *row = w->row;

	w->first = w->draft->n;
	w->a = row && (row->gen || row->dead) ? row : NULL;
	/* An earlier generation says nothing of the one that was agreed. */
	if (is_agreed(w) && w->cancelled && gen_linked(w->cancelled) &&
	    gen_order(w->cancelled->gen) < gen_order(w->a->gen))
		w->cancelled = NULL;
	if (!(row && row->busy) &&
	    (plan_rules(w) || (!w->in->policy.retire && plan_link(w))))
		return -1;
	w->n = w->draft->n - w->first;
	w->judged = 1;
	return 0;
}
