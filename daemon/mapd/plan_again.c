/*
 * plan_again.c: a reservation that TOPdesk planned over another one stays
 * "conflictingPlanned" when the other has gone: TOPdesk judges again only what is
 * rescheduled (Reservations API, POST reservations/ID/reschedule, which takes
 * conflicting ones since version 1.16.0).  So ORB reschedules it to the times it
 * has.  What is in its way and not to be seen (another branch) makes TOPdesk say
 * the same again: then the action is set aside, and tried with growing pauses.
 *
 * Not here: who has to leave the room while both are there (plan_overlap.c).
 */
#include "lib/marks.h"
#include "mapd/agree.h"
#include "mapd/plan_clash.h"

/* Is it the only thing that could be done about it? */
static int
may_be_judged(const struct turn *w)
{
	const struct seen *t = w->t;

	if (t->state != BOOKING_STATE_CONFLICTING || is_locked(t) ||
	    (t->marks & MARK_SEVERAL_ROOMS) || !w->in->policy.to_topdesk ||
	    !in_window(w, t->start, t->end) || (w->row && w->row->busy) ||
	    turn_write(w) || w->fate != FATE_OPEN)
		return 0;
	/* Its own double is in the way, which is reported. */
	if (w->nlive > 1)
		return 0;
	/* A person's own, where nothing comes from TOPdesk: not ORB's to touch.
	 */
	if (w->provisional)
		return w->in->policy.to_exchange && w->a == NULL;
	return is_agreed(w) && is_wanted(w) &&
	    same_time(w->e->start, w->e->end, t->start, t->end);
}

/* Does any other reservation that holds the room meet s? */
static int
is_met(const struct clash *c, const struct spot *s)
{
	for (size_t i = 0; i < c->nt; i++) {
		const struct spot *o = &c->t[i];

		if (o->start >= s->end)
			break;
		if (o->w == s->w)
			continue;
		if ((o->end > s->first && o->start < s->until) ||
		    (o->until > s->start && o->first < s->end))
			return 1;
	}
	return 0;
}

int
plan_again(struct clash *c)
{
	for (size_t i = 0; i < c->nt; i++) {
		struct turn *w = c->t[i].w;

		if (!may_be_judged(w) || is_met(c, &c->t[i]))
			continue;
		turn_drop(w, PLAN_REPORT, REASON_CONFLICTING);
		if (emit(w, PLAN_AGAIN, REASON_CONFLICTING, CHANGE_TIME,
			w->t->gen))
			return -1;
	}
	return 0;
}
