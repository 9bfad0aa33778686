/*
 * office_exchange.c: what Exchange does by itself: a meeting's copy in each
 * room that is invited, and the rooms' answers.
 */
#include "office.h"

#include <string.h>

#include "lib/messages.h"

#define LATE 600

int
meeting_new(struct office *o)
{
	struct meeting *m;

	if (o->nmeetings == MEETINGS_MAX)
		return -1;
	m = &o->meeting[o->nmeetings];
	memset(m, 0, sizeof(*m));
	m->uid = o->next_uid++;
	m->series = m->reservation = -1;
	m->guest = NOBODY;
	m->made = ++o->version;
	return (int)o->nmeetings++;
}

/* The room accepts only what nobody it has accepted is in the way of. */
static void
answer(struct office *o, int meeting, int room)
{
	struct copy *c = &o->meeting[meeting].copy[room], *other;

	c->version = ++o->version;
	c->answers_at = 0;
	for (int i = 0; i < (int)o->nmeetings; i++) {
		other = &o->meeting[i].copy[room];
		if (i != meeting && other->there &&
		    other->state == BOOKING_STATE_BOOKED &&
		    overlap(c->start, c->end, other->start, other->end)) {
			/* What a room declines leaves its calendar. */
			c->there = 0;
			c->declined = 1;
			return;
		}
	}
	c->state = BOOKING_STATE_BOOKED;
	c->was_booked = 1;
}

void
meeting_invite(struct office *o, int meeting, int room)
{
	struct meeting *m = &o->meeting[meeting];
	struct copy *c = &m->copy[room];

	m->invited[room] = 1;
	c->there = 1;
	c->declined = 0;
	c->start = m->start;
	c->end = m->end;
	c->version = ++o->version;
	c->was_booked = 0;
	c->state = BOOKING_STATE_TENTATIVE;
	c->answers_at = office_now() + LATE;
	if (is_own(m, room)) {
		c->answers_at = 0; /* nobody is asked */
		c->state = BOOKING_STATE_BOOKED;
		c->was_booked = 1;
	} else if (o->mood[room] == MOOD_ANSWERS) {
		answer(o, meeting, room);
	} else if (o->mood[room] == MOOD_SILENT) {
		c->answers_at = INT64_MAX;
	}
}

/* It leaves the room's calendar, or stays there as cancelled. */
static void
copy_end(struct office *o, struct copy *c)
{
	if (!c->there)
		return;
	c->version = ++o->version;
	c->answers_at = 0;
	if (o->removes)
		c->there = 0;
	else
		c->state = BOOKING_STATE_CANCELLED;
}

void
meeting_uninvite(struct office *o, int meeting, int room)
{
	struct meeting *m = &o->meeting[meeting];

	m->invited[room] = 0;
	copy_end(o, &m->copy[room]);
}

void
meeting_changed(struct office *o, int meeting, int times)
{
	struct meeting *m = &o->meeting[meeting];

	m->changes++;
	for (int r = 0; r < ROOMS; r++) {
		if (!m->invited[r])
			continue;
		if (times)
			meeting_invite(o, meeting, r);
		else if (m->copy[r].there)
			m->copy[r].version = ++o->version;
	}
}

void
meeting_cancel(struct office *o, int meeting)
{
	struct meeting *m = &o->meeting[meeting];

	m->gone = 1;
	m->changes++;
	for (int r = 0; r < ROOMS; r++)
		if (m->invited[r])
			copy_end(o, &m->copy[r]);
}

void
office_tick(struct office *o)
{
	struct copy *c;

	if (o->faults.stale_until <= office_now())
		o->faults.stale = 0;
	for (int i = 0; i < (int)o->nmeetings; i++)
		for (int r = 0; r < ROOMS; r++) {
			c = &o->meeting[i].copy[r];
			if (c->there && c->answers_at &&
			    (o->mood[r] == MOOD_ANSWERS ||
				c->answers_at <= office_now()))
				answer(o, i, r);
		}
}
