/*
 * booking.c: what happens between an organiser and those he invites.  The
 * organiser's copy is changed first, by whoever speaks for him;
 * booking_deliver() then sends what Exchange would send (mail.c counts it) and
 * brings the copies in the rooms in line, as the booking attendant would:
 * tentative, then accepted or declined, the old room told when a meeting moves
 * to another one.  A room changes only by a message that it got.
 *
 * What a room thinks of an invitation is in room.c.  People have no copies
 * here; they are only counted as recipients.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exchange.h"
#include "text.h"

#define NEIGHBOURS (800 * (int64_t)DAY)

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t
mix_text(uint64_t h, const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		h = mix(h, (unsigned char)*s);
	return mix(h, s != NULL);
}

/* What attendees can see of a meeting; other changes are not sent to them. */
static uint64_t
digest(const struct event *e)
{
	int64_t pattern[RECURRENCE_NUMBERS] = {0};
	uint64_t h = mix(mix(1, (uint64_t)e->start), (uint64_t)e->end);
	size_t i;

	h = mix(h, e->all_day ? 1 : 0);
	h = mix(h, e->private ? 1 : 0);
	h = mix(h, e->free ? 1 : 0);
	h = mix_text(h, e->subject);
	h = mix_text(h, e->body);
	h = mix_text(h, e->location);
	if (e->rec != NULL)
		recurrence_numbers(e->rec, pattern);
	for (i = 0; i < RECURRENCE_NUMBERS; i++)
		h = mix(h, (uint64_t)pattern[i]);
	return mix(h, e->rec != NULL);
}

static int
answered(enum response r)
{
	return r == RESPONSE_ACCEPTED || r == RESPONSE_TENTATIVE ||
	    r == RESPONSE_DECLINED;
}

static void
tell_organiser(struct meeting *m, const char *from, enum response r)
{
	if (!answered(r) || m->own->removed)
		return;
	mail_send(MAIL_RESPONSE, from, m->own->mailbox->email, m);
	event_touch(m->own, 0);
}

static void
answer_forget(struct event *e)
{
	if (e->accept_at == 0)
		return;
	e->accept_at = 0;
	exchange.pending--;
}

static void
reply_occurrence(
    struct event *e, int64_t original, enum response r, int removed)
{
	struct reply *p =
	    meeting_reply(e->meeting, e->mailbox->email, original, 1);
	struct change *c;

	p->response = r;
	p->removed = removed;
	if (removed) {
		c = event_change(e, original, 1);
		c->deleted = 1;
		c->seq = ++exchange.seq;
	}
	event_touch(e, 0);
}

/*
 * Answers for the mailbox of a copy: for the whole of it, or with original
 * for one occurrence.  What is declined leaves the calendar.  Without send the
 * organiser does not learn of it.
 */
void
booking_reply(struct event *e, int64_t original, enum response r, int send)
{
	struct attendee *a = meeting_attendee(e->meeting, e->mailbox->email);

	if (original != WHEN_NONE)
		reply_occurrence(e, original, send ? r : RESPONSE_NONE,
		    r == RESPONSE_DECLINED);
	else {
		answer_forget(e);
		if (a != NULL && send) {
			a->response = r;
			a->answered = answered(r) ? when_now() : 0;
		}
		if (r == RESPONSE_DECLINED)
			event_drop(e);
		else {
			e->response = r;
			event_touch(e, 0);
		}
	}
	if (send)
		tell_organiser(e->meeting, e->mailbox->email, r);
}

void
booking_respond(struct event *e, enum response r)
{
	booking_reply(e, WHEN_NONE, r, 1);
}

/* Takes a copy, or one occurrence, out of a calendar without a word. */
void
booking_remove(struct event *e, int64_t original)
{
	if (original == WHEN_NONE)
		event_drop(e);
	else
		reply_occurrence(e, original, RESPONSE_NONE, 1);
}

static void
copy_cancel(struct event *copy)
{
	if (copy->mailbox->policy.remove_cancelled) {
		event_drop(copy);
		return;
	}
	if (copy->cancelled)
		return;
	answer_forget(copy);
	copy->cancelled = 1;
	free(copy->subject);
	copy->subject = room_subject(
	    copy->mailbox, copy->meeting->own, copy->meeting->own->subject, 1);
	event_touch(copy, 0);
}

/* A room that takes a series but for some dates declines each of these. */
static void
attendant_answers(struct event *copy, enum response verdict)
{
	struct occurrences taken = {0};
	size_t i;

	booking_respond(copy, verdict);
	if (verdict != RESPONSE_ACCEPTED || copy->rec == NULL ||
	    copy->mailbox->policy.max_conflicts == 0)
		return;
	(void)room_conflicts(copy->mailbox, copy, NULL, &taken);
	for (i = 0; i < taken.n; i++)
		booking_reply(copy, taken.v[i].original, RESPONSE_DECLINED, 1);
	free(taken.v);
}

/* The room got an invitation or an update, and answers it. */
static void
copy_ask(struct event *copy, struct attendee *a, enum response verdict)
{
	int delay = room_delay(copy->mailbox);

	answer_forget(copy);
	copy->response = RESPONSE_WAITING;
	a->response = RESPONSE_NONE;
	a->answered = 0;
	if (verdict == RESPONSE_WAITING)
		return;
	if (delay == 0) {
		attendant_answers(copy, verdict);
		return;
	}
	copy->verdict = verdict;
	copy->accept_at = when_ms() + delay;
	exchange.pending++;
}

/* Decides before it ever was in the calendar: no copy, no tombstone. */
static void
refuse_at_once(struct meeting *m, struct attendee *a, struct event *copy)
{
	if (copy != NULL && !copy->cancelled)
		event_drop(copy);
	a->response = RESPONSE_DECLINED;
	a->answered = when_now();
	tell_organiser(m, a->email, RESPONSE_DECLINED);
}

static void
deliver_one(struct meeting *m, struct attendee *a, int flags)
{
	struct mailbox *room = mailbox_find(a->email);
	enum response verdict = RESPONSE_WAITING;
	struct event *copy;
	int fresh, ask;

	if (room == NULL || !room->is_room)
		return;
	copy = meeting_copy(m, room);
	fresh = copy == NULL || copy->cancelled;
	ask = fresh || (flags & BOOKING_REPATTERN);
	if (ask)
		verdict =
		    room_verdict(room, m->own, NULL, flags & BOOKING_UNCHECKED);
	if (verdict == RESPONSE_DECLINED && room_delay(room) == 0) {
		refuse_at_once(m, a, copy);
		return;
	}
	if (copy == NULL)
		copy = event_new(room, m);
	copy->cancelled = 0;
	room_fill(copy, m->own);
	event_touch(copy, ask);
	if (ask)
		copy_ask(copy, a, verdict);
}

/* Those who are no longer invited hear that it is cancelled. */
static void
tell_dropped(struct meeting *m)
{
	struct attendee *a;
	struct mailbox *mb;
	struct event *copy;
	size_t i;

	for (i = 0; i < m->ndropped; i++) {
		if ((a = meeting_attendee(m, m->dropped[i])) != NULL)
			a->told = 1; /* back before anyone noticed */
		else {
			mail_send(MAIL_CANCELLATION, m->own->mailbox->email,
			    m->dropped[i], m);
			mb = mailbox_find(m->dropped[i]);
			copy = mb ? meeting_copy(m, mb) : NULL;
			if (copy != NULL && copy != m->own)
				copy_cancel(copy);
		}
		free(m->dropped[i]);
	}
	m->ndropped = 0;
}

/*
 * Sends what a change of the organiser's copy or of his list of attendees
 * makes Exchange send: invitations to the new, cancellations to the removed,
 * an update to all others when what they can see changed or BOOKING_UPDATE
 * says so.
 */
void
booking_deliver(struct meeting *m, int flags)
{
	const char *from = m->own->mailbox->email;
	uint64_t now = digest(m->own);
	int update =
	    (flags & (BOOKING_UPDATE | BOOKING_REPATTERN)) || now != m->said;
	size_t i;

	event_touch(m->own, (flags & BOOKING_REPATTERN) != 0);
	if (flags & BOOKING_REPATTERN)
		meeting_forget_replies(m, WHEN_NONE);
	if (flags & BOOKING_SILENT)
		return;
	if (flags & BOOKING_CHANGED_ONLY)
		update = 0;
	else
		m->said = now;
	tell_dropped(m);
	for (i = 0; i < m->ncopies && (flags & BOOKING_REPATTERN); i++)
		if (m->copies[i]->instance != 0)
			instance_update(m->copies[i], NULL);
	for (i = 0; i < m->nattendees; i++) {
		struct attendee *a = &m->attendees[i];

		if (strcasecmp(a->email, from) == 0 || (a->told && !update))
			continue;
		mail_send(
		    a->told ? MAIL_UPDATE : MAIL_INVITATION, from, a->email, m);
		a->told = 1;
		deliver_one(m, a, flags);
	}
}

/*
 * The organiser calls the whole meeting off; with silent, its copies vanish
 * without a trace of a cancellation and nobody is told.
 */
void
booking_cancel(struct meeting *m, int silent)
{
	size_t i;

	if (!silent) {
		tell_dropped(m);
		mail_attendees(MAIL_CANCELLATION, m);
	}
	for (i = 0; i < m->ncopies; i++) {
		struct event *e = m->copies[i];

		if (e->removed || e == m->own)
			continue;
		if (silent)
			event_drop(e);
		else
			copy_cancel(e);
	}
	m->own->cancelled = 1;
	event_drop(m->own);
}

/* Lets rooms answer whose time to think is over. */
void
booking_tick(int64_t now)
{
	uint32_t i;

	for (i = 0; exchange.pending > 0 && i < exchange.nevents; i++) {
		struct event *e = exchange.events[i];

		if (e->accept_at != 0 && e->accept_at <= now)
			attendant_answers(e, e->verdict);
	}
}

/* One room hears of another time for one occurrence. */
static void
copy_move(struct event *copy, const struct occurrence *o)
{
	enum response v = room_verdict(copy->mailbox, copy, o, 0);

	room_fill(copy, copy->meeting->own);
	event_touch(copy, 0);
	if (v == RESPONSE_DECLINED ||
	    (v != RESPONSE_WAITING && copy->accept_at == 0))
		booking_reply(copy, o->original, v, 1);
}

/*
 * Moves one occurrence; a room that is taken then loses just this one.
 * -1 when the series has no such occurrence.
 */
int
booking_move_occurrence(struct meeting *m, int64_t original, int64_t start,
    int64_t end, const char *subject)
{
	struct occurrence o = {original, start, end, NULL};
	struct change *c;
	size_t i;

	if (!event_has_occurrence(m->own, original))
		return -1;
	c = event_change(m->own, original, 1);
	c->start = start;
	c->end = end;
	if (subject != NULL)
		set_text(&c->subject, subject);
	c->seq = ++exchange.seq;
	event_touch(m->own, 0);
	meeting_forget_replies(m, original);
	mail_attendees(MAIL_UPDATE, m);
	for (i = 0; i < m->ncopies; i++)
		if (m->copies[i]->instance != 0)
			instance_update(m->copies[i], c);
		else if (!m->copies[i]->removed && !m->copies[i]->cancelled &&
		    m->copies[i] != m->own)
			copy_move(m->copies[i], &o);
	return 0;
}

/* Takes one occurrence out; with trace, rooms keep it as cancelled. */
int
booking_drop_occurrence(struct meeting *m, int64_t original, int trace)
{
	struct change *c;
	size_t i;

	if (!event_has_occurrence(m->own, original))
		return -1;
	c = event_change(m->own, original, 1);
	c->seq = ++exchange.seq;
	c->cancelled = trace;
	c->deleted = 1;
	event_touch(m->own, 0);
	mail_attendees(MAIL_CANCELLATION, m);
	for (i = 0; i < m->ncopies; i++) {
		struct event *e = m->copies[i];

		if (e->instance != 0)
			instance_update(e, c);
		if (e->removed || e->cancelled || e == m->own ||
		    e->instance != 0)
			continue;
		room_fill(e, m->own);
		event_touch(e, 0);
	}
	return 0;
}

/*
 * Whether an occurrence with these times would meet, or stand on the other
 * side of, the one before or after it: Exchange does not allow that.
 */
int
booking_crosses(
    const struct event *e, int64_t original, int64_t start, int64_t end)
{
	const struct occurrence *before = NULL, *after = NULL, *o;
	struct occurrences l = {0};
	size_t i;
	int crosses;

	event_occurrences(e, original - NEIGHBOURS, original + NEIGHBOURS, &l);
	for (i = 0; i < l.n; i++) {
		o = &l.v[i];
		if (o->original < original &&
		    (before == NULL || o->original > before->original))
			before = o;
		if (o->original > original &&
		    (after == NULL || o->original < after->original))
			after = o;
	}
	crosses = (before != NULL && start < before->end) ||
	    (after != NULL && end > after->start);
	free(l.v);
	return crosses;
}

/* How many occurrences differ from the pattern but still happen. */
size_t
booking_exceptions(const struct event *e)
{
	size_t i, n = 0;

	for (i = 0; i < e->nchanges; i++)
		n += !e->changes[i].deleted && !e->changes[i].cancelled;
	return n;
}
