/*
 * plan_exchange.c: the rules for what TOPdesk changed, and for bookings that
 * were made there.  Words and numbers are those of plan.c.
 *
 * ORB MAY WRITE a meeting when policy lets it write to Exchange, and the meeting
 * is ORB's, or of the room's own calendar, or policy.organiser_writable.  The
 * room itself can be taken out of any meeting: it declines.
 *
 *   4  time   only e changed            CHANGE
 *             only t changed            MEETING_CHANGE where ORB may write,
 *                                       else REPORT
 *             both, differently         by policy.conflict; first-wins: the
 *                                       side that made it.  What TOPdesk wins
 *                                       and ORB may not write, Exchange wins
 *      text   made in Exchange          as in plan.c; what a person writes into
 *                                       t stays, and is REPORTed only when
 *                                       nothing may be written to Exchange
 *             made in TOPdesk           t changed: MEETING_CHANGE.  What stands
 *                                       in Outlook is not compared
 *      One write at a time, that to TOPdesk first.
 *      A change that ORB wrote and Exchange does not show yet: while the old
 *      times stand there, and not longer than answer_seconds, e counts as
 *      unchanged, and a second change waits.  When it shows the new: ADOPT.
 *      t in another room: MEETING_SWAP where ORB may write and the room is
 *      invited, else MEETING_CANCEL; REPORT when to_exchange is off.
 *   7  released, e wanted               nothing within answer_seconds; then at
 *                                       another time: as if dead; t
 *                                       live: ADOPT, else REPORT
 *   8  e declined by the room, made in  topdesk-wins: REPORT, and when t is
 *                                       moved MEETING_CHANGE; else
 *      TOPdesk, t live                  MEETING_CANCEL (its requester is told),
 *                                       then as released; CANCEL when
 *                                       to_exchange is off
 *      e gone, made in TOPdesk, t live  ASK what the room said; its organiser
 *                                       has no such meeting: CANCEL
 *      released, e dropped              t live: CANCEL; else BURY
 *   9  e tentative, made in TOPdesk     as in 10, without ASK
 *  10  e absent, made in TOPdesk and    t as agreed: ASK, and REPORT after
 *      not answered                     answer_seconds; moved, renamed:
 *                                       MEETING_CHANGE; cancelled:
 *                                       MEETING_CANCEL; elsewhere: SWAP
 *  13  agreed, t live and without any   LINK, when nothing else is written
 *      link
 *  14  provisional: t booked            MEET (subject to plan_clash.c)
 *                   t conflicting       REPORT (the same)
 *                   t request           nothing
 *                   t arriving          nothing: its meeting will come along
 *                   told, t live        CANCEL, reason lost
 *                   told, else          FORGET
 *  15  policy.retire: agreed, not over  made in Exchange, t live: CANCEL, in
 *                                       another room now: BURY; made
 *                                       in TOPdesk, e wanted: MEETING_CANCEL.
 *                                       Nothing else is planned
 *
 * Why a released meeting is not adopted at once though its reservation lives:
 * Exchange shows for a while yet what ORB has just taken out of the room, and
 * the reservation is cancelled only after that.
 *
 * Not here: what bookings have to do with one another (plan_clash.c).
 */
#include <string.h>

#include "lib/marks.h"
#include "mapd/agree.h"
#include "mapd/plan_turn.h"

static int
may_write(const struct turn *w)
{
	return w->in->policy.to_exchange &&
	    ((w->e && (w->e->marks & MARK_ROOM_OWN)) ||
		w->a->origin == ORIGIN_TOPDESK ||
		w->in->policy.organiser_writable);
}

/* Exchange has had its time to show, or to answer, what ORB wrote. */
int
is_late(const struct turn *w)
{
	return w->in->now > w->a->await + w->in->policy.answer_seconds;
}

static int
topdesk_wins(const struct turn *w)
{
	if (w->in->policy.conflict == CONFLICT_FIRST)
		return w->a->origin == ORIGIN_TOPDESK;
	return w->in->policy.conflict == CONFLICT_TOPDESK;
}

/* Of the bits that differ, those that go to Exchange; they leave d->write. */
static unsigned
take_for_exchange(const struct turn *w, struct difference *d)
{
	unsigned bits = 0;

	if ((d->theirs & CHANGE_TIME) && may_write(w))
		bits |= CHANGE_TIME;
	if ((d->both & CHANGE_TIME) && topdesk_wins(w) && may_write(w))
		bits |= CHANGE_TIME;
	if ((d->theirs & CHANGE_TEXT) && w->a->origin == ORIGIN_TOPDESK &&
	    w->in->policy.to_exchange)
		bits |= CHANGE_TEXT;
	d->write &= ~bits;
	d->theirs &= ~bits;
	/* Nobody's: each side keeps its own. */
	if (w->in->policy.to_exchange || w->a->origin == ORIGIN_TOPDESK)
		d->theirs &= ~CHANGE_TEXT;
	return bits;
}

/*
 * What Exchange has not shown yet of a first change would be forgotten with a
 * second one, and its old times then be taken for somebody's: so it waits.
 */
static int
must_wait(const struct turn *w)
{
	return w->a->await && w->a->was_start && !is_late(w);
}

/* Rule 4. */
int
plan_both(struct turn *w)
{
	struct seen e = *w->e;
	struct difference d;
	unsigned both, bits;

	if (w->a->await && !is_late(w) &&
	    same_time(e.start, e.end, w->a->was_start, w->a->was_end)) {
		e.start = w->a->start;
		e.end = w->a->end;
	}
	agree_compare(&e, w->t, w->a, &d);
	if (is_over(w, e.end) && is_over(w, w->t->end))
		return 0;
	if (w->a->await &&
	    same_time(w->e->start, w->e->end, w->a->start, w->a->end))
		d.learn = 1;
	both = d.both;
	bits = take_for_exchange(w, &d);
	if (must_wait(w) &&
	    same_time(w->e->start, w->e->end, w->a->was_start, w->a->was_end))
		bits &= ~CHANGE_TIME;
	if (!w->in->policy.to_topdesk)
		d.write = 0;
	if (d.theirs && report(w, REASON_CHANGED_IN_TOPDESK))
		return -1;
	if (d.write && is_locked(w->t))
		return report(w, REASON_LOCKED);
	if (d.write)
		return emit(w, PLAN_CHANGE,
		    both & d.write ? REASON_CHANGED_ON_BOTH : REASON_NONE,
		    d.write, gen_of(w->t, w->a));
	if (bits)
		return emit(w, PLAN_MEETING_CHANGE,
		    both & bits ? REASON_CHANGED_ON_BOTH : REASON_NONE, bits,
		    w->a->gen);
	return d.learn ? emit(w, PLAN_ADOPT, REASON_NONE, 0, gen_of(w->t, w->a))
		       : 0;
}

/* Something is agreed, and the reservation is in another room now. */
int
plan_moved_room(struct turn *w)
{
	enum plan_kind kind = PLAN_MEETING_CANCEL;

	/* A meeting that is over is left alone, its reservation is not. */
	if (is_over(w, w->e ? w->e->end : w->a->end))
		return !is_over(w, w->t->end) ? report(w, REASON_MOVED_ROOM)
					      : 0;
	if (!w->in->policy.to_exchange)
		return report(w, REASON_MOVED_ROOM);
	if (may_write(w) && w->t->elsewhere == ELSEWHERE_KNOWN &&
	    !(w->e && (w->e->marks & MARK_ROOM_OWN)))
		kind = PLAN_MEETING_SWAP;
	return emit(w, kind, REASON_MOVED_ROOM, 0, w->a->gen);
}

/* Rules 7 and 8: ORB took the meeting out of the room. */
int
plan_released(struct turn *w)
{
	const struct seen *t = w->t && !w->t->elsewhere ? w->t : NULL;

	if (is_wanted(w)) {
		if (!is_late(w) || is_over(w, w->e->end))
			return 0;
		/* Its organiser has found it another time since. */
		if (w->a->dead == DEAD_RELEASED &&
		    !same_time(w->e->start, w->e->end, w->a->start, w->a->end))
			return plan_new(w);
		return t ? emit(w, PLAN_ADOPT, REASON_NONE, 0, gen_of(t, w->a))
			 : report(w, REASON_STILL_THERE);
	}
	if (!is_dropped(w))
		return 0;
	if (t == NULL)
		return emit(w, PLAN_BURY, REASON_NONE, 0, w->a->gen);
	if (is_over(w, t->end))
		return 0;
	if (is_locked(t))
		return report(w, REASON_LOCKED);
	if (t->marks & MARK_SEVERAL_ROOMS)
		return report(w, REASON_SEVERAL_ROOMS);
	return emit(w, PLAN_CANCEL, REASON_NONE, 0, gen_of(t, w->a));
}

/* The room said no, but topdesk-wins: it is asked again when t has changed. */
static int
plan_asked_again(struct turn *w)
{
	struct difference d;

	if (w->t->elsewhere)
		return plan_moved_room(w);
	agree_unseen(w->t, w->a, &d);
	if (d.theirs & CHANGE_TIME && w->in->policy.to_exchange)
		return emit(w, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME,
		    w->a->gen);
	return report(w, REASON_DECLINED);
}

/* Rule 8: what was made in TOPdesk is in the room no more; t lives. */
int
plan_own_dropped(struct turn *w)
{
	int declined = w->e->marks & MARK_DECLINED;

	/* A room that declines removes what it had: its organiser's copy says
	 * whether it did, or the meeting is over. */
	if (!declined && w->e->gone && w->in->policy.invites &&
	    w->in->policy.to_exchange)
		return emit(w, PLAN_ASK, REASON_NONE, 0, w->a->gen);
	if (declined && w->in->policy.conflict == CONFLICT_TOPDESK)
		return plan_asked_again(w);
	if (declined && w->in->policy.to_exchange)
		return emit(
		    w, PLAN_MEETING_CANCEL, REASON_DECLINED, 0, w->a->gen);
	if (!declined && (w->t->marks & MARK_SEVERAL_ROOMS))
		return report(w, REASON_SEVERAL_ROOMS);
	return emit(w, PLAN_CANCEL, REASON_NONE, 0, gen_of(w->t, w->a));
}

/*
 * Rules 9 and 10: ORB made the meeting, and the room does not show it yet, or
 * not as accepted.
 */
int
plan_unanswered(struct turn *w)
{
	struct difference d;

	if (is_over(w, w->t ? w->t->end : w->a->end))
		return 0;
	if (w->t && w->t->elsewhere)
		return plan_moved_room(w);
	if (w->t == NULL && w->cancelled == NULL)
		return 0;
	if (w->t == NULL)
		return w->in->policy.to_exchange
		    ? emit(w, PLAN_MEETING_CANCEL, REASON_CANCELLED_IN_TOPDESK,
			  0, w->a->gen)
		    : report(w, REASON_CANCELLED_IN_TOPDESK);
	/* What is agreed stands for what Exchange will show. */
	agree_unseen(w->t, w->a, &d);
	if (must_wait(w))
		d.theirs &= ~CHANGE_TIME;
	if (d.theirs && w->in->policy.to_exchange)
		return emit(
		    w, PLAN_MEETING_CHANGE, REASON_NONE, d.theirs, w->a->gen);
	if (w->a->await && is_late(w) && report(w, REASON_NO_ANSWER))
		return -1;
	return w->e ? 0 : emit(w, PLAN_ASK, REASON_NONE, 0, w->a->gen);
}

/* Rule 14. */
int
plan_provisional(struct turn *w)
{
	int told = w->a && w->a->dead == DEAD_TOLD;

	if (!w->in->policy.to_exchange)
		return 0;
	if (w->t == NULL)
		return told && w->locked == NULL
		    ? emit(w, PLAN_FORGET, REASON_NONE, 0, 0)
		    : 0;
	if (is_over(w, w->t->end) || w->t->elsewhere || w->t->arriving)
		return 0;
	if (told && is_locked(w->t))
		return report(w, REASON_LOCKED);
	if (told)
		return emit(w, PLAN_CANCEL, REASON_LOST, 0, 0);
	if (!in_window(w, w->t->start, w->t->end))
		return 0;
	if (w->t->state == BOOKING_STATE_CONFLICTING)
		return report(w, REASON_CONFLICTING);
	if (w->t->state != BOOKING_STATE_BOOKED)
		return 0;
	return emit(w, PLAN_MEET, REASON_NONE, 0, GEN_TOPDESK);
}

/* Rule 15. */
int
plan_retire(struct turn *w)
{
	if (!is_agreed(w) || is_over(w, w->a->end))
		return 0;
	/* Not shown yet, it is found by its tag. */
	if (w->a->origin == ORIGIN_TOPDESK &&
	    (is_wanted(w) || (w->e == NULL && w->a->await)))
		return emit(
		    w, PLAN_MEETING_CANCEL, REASON_RETIRED, 0, w->a->gen);
	if (w->a->origin == ORIGIN_TOPDESK && !(w->t && w->t->elsewhere))
		return 0;
	if (w->t == NULL || is_over(w, w->t->end))
		return 0;
	/* It is the other room's now, which this row would keep it from. */
	if (w->t->elsewhere)
		return emit(w, PLAN_BURY, REASON_RETIRED, 0, w->a->gen);
	if (is_locked(w->t))
		return report(w, REASON_LOCKED);
	return emit(w, PLAN_CANCEL, REASON_RETIRED, 0, gen_of(w->t, w->a));
}

/* Rule 13.  A direction that makes no such rows needs no such write. */
int
plan_link(struct turn *w)
{
	if (!is_agreed(w) || w->t == NULL || w->t->link != LINK_NONE ||
	    w->t->elsewhere || is_locked(w->t) || is_over(w, w->t->end) ||
	    turn_write(w))
		return 0;
	if (w->a->origin == ORIGIN_TOPDESK)
		return emit(w, PLAN_LINK, REASON_NONE, 0, GEN_TOPDESK);
	return w->in->policy.to_exchange
	    ? emit(w, PLAN_LINK, REASON_NONE, 0, w->a->gen)
	    : 0;
}
