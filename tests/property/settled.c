/*
 * settled.c: what must be true when people have stopped and nothing fails any
 * more: a few rounds later both sides are equal, or the difference is reported;
 * then nothing is written.
 */
#include "history.h"

#include <stdio.h>

#define SETTLE_ROUNDS 12
#define QUIET_ROUNDS 3

static int
complain(struct world *w, int slot, const char *what)
{
	if (w->bad[0] == '\0')
		snprintf(w->bad, sizeof(w->bad), "at the end, booking %d: %s",
		    slot, what);
	return -1;
}

static int
is_reported(const struct model *m, int slot, unsigned reasons)
{
	return (m->reports[slot] & reasons) != 0;
}

#define SAID(r) (1u << (r))

/* A booking that takes the room: one reservation, equal or reported. */
static int
check_wanted(struct world *w, const struct model *m, int i)
{
	const struct slot *s = &w->slots[i];
	const struct reservation *r = live_of(w, i);
	unsigned locked = SAID(REASON_LOCKED);

	if (s->end <= w->now || s->start >= w->now + WINDOW)
		return 0;
	/* One that is over may be of an earlier life of the same meeting. */
	if (r == NULL ||
	    (r->end <= w->now &&
		is_reported(m, i, SAID(REASON_CANCELLED_IN_TOPDESK))))
		return is_reported(m, i, SAID(REASON_CANCELLED_IN_TOPDESK)) &&
			(w->touched || m->lost_state)
		    ? 0
		    : complain(
			  w, i, "booked, but no reservation and no report");
	/* Out of sight since before the state was lost. */
	if (r->person_far && m->lost_state)
		return 0;
	/* Put away by a person as that person left it. */
	if (r->archived && (r->person_moved || r->person_edited))
		return 0;
	if ((r->start != s->start || r->end != s->end) &&
	    !(r->person_moved &&
		is_reported(m, i, SAID(REASON_CHANGED_IN_TOPDESK) | locked)) &&
	    !is_reported(m, i, locked))
		return complain(w, i, "not at the same time, not reported");
	if (r->text != world_text(s->text) && !r->unclear &&
	    !(r->person_edited &&
		is_reported(m, i, SAID(REASON_CHANGED_IN_TOPDESK) | locked)) &&
	    !is_reported(m, i, locked))
		return complain(w, i, "not the same text, not reported");
	if (r->state == BOOKING_STATE_CONFLICTING && !r->archived &&
	    !is_reported(m, i, SAID(REASON_CONFLICTING) | locked))
		return complain(w, i, "conflicting, not reported");
	return 0;
}

static int
check_dropped(struct world *w, const struct model *m, int i)
{
	const struct reservation *r = live_of(w, i);

	/* What lies beyond the window has its turn when it comes into it. */
	if (r == NULL || r->end <= w->now || r->start >= w->now + WINDOW ||
	    is_reported(m, i, SAID(REASON_LOCKED)))
		return 0;
	/* Moved into the past and expired before its making was known. */
	if (is_reported(m, i, SAID(REASON_ORPHAN)) &&
	    w->slots[i].end < w->now - DAY)
		return 0;
	/* Deleted while the state was lost: nothing is known of it. */
	if (m->lost_state && !w->slots[i].exists)
		return 0;
	return complain(w, i, "cancelled, but its reservation lives");
}

static int
check_end(struct world *w, const struct model *m)
{
	const struct slot *s;

	for (int i = 0; i < SLOTS; i++) {
		s = &w->slots[i];
		if (is_dropped_slot(s)) {
			if (check_dropped(w, m, i))
				return -1;
		} else if (s->state == BOOKING_STATE_BOOKED ||
		    m->policy.tentative_books) {
			if (check_wanted(w, m, i))
				return -1;
		}
	}
	return 0;
}

static int
rest(struct world *w, struct model *m, int rounds, int64_t pause)
{
	for (int i = 0; i < rounds; i++) {
		w->now += pause;
		if (model_approve(m) || model_round(m))
			return -1;
	}
	return 0;
}

int
settled_check(struct world *w, struct model *m, int faults)
{
	struct store_counts c = {0};
	unsigned writes;
	struct err e;

	w->hidden = w->list_cut = w->feed_cut = w->refuse = w->lose = 0;
	m->crash_in = 0;
	if (rest(w, m, SETTLE_ROUNDS, 600))
		return -1;
	writes = w->writes;
	/* Time stands: else a booking comes into the window. */
	if (rest(w, m, QUIET_ROUNDS, 0) || check_end(w, m))
		return -1;
	if (w->writes != writes)
		return complain(w, -1, "people stopped, the writes did not");
	if (store_counts(m->st, 0, &c, &e) || c.pending + c.held + c.aside)
		return complain(w, -1, "actions are left in the journal");
	if (!faults && w->writes > w->changes)
		return complain(w, -1, "more writes than changes");
	return 0;
}
