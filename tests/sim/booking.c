/*
 * booking.c: what happens between an organiser and a room.  The organiser's
 * copy is changed first, by whoever speaks for him; booking_deliver() then
 * brings the copies in the rooms in line, as the booking attendant of Exchange
 * would: tentative, then accepted or declined, subject and body cut to the
 * room's policy, the old room told when a meeting moves to another one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "text.h"

#define HORIZON (400 * (int64_t)DAY)

static char *
room_subject(const struct mailbox *room, const struct event *own,
    const char *subject, int cancelled)
{
	const struct room_policy *p = &room->policy;
	const char *kept = p->delete_subject || subject == NULL ? "" : subject;
	const char *who = p->add_organizer ? own->mailbox->name : "";

	return text_print("%s%s%s%s", cancelled ? "Canceled: " : "", who,
	    *who && *kept ? " " : "", kept);
}

/* Whether times of e meet those of another live booking of the room. */
static int
room_conflict(const struct mailbox *room, const struct event *e,
    const struct occurrence *only)
{
	struct occurrences mine = {0}, theirs = {0};
	size_t i, j, k;
	int hit = 0;

	if (only != NULL) {
		mine.v = grow(NULL, 1, sizeof(*mine.v));
		mine.v[mine.n++] = *only;
	} else
		event_occurrences(e, e->start, e->start + HORIZON, &mine);
	for (i = 0; i < room->nevents && !hit && mine.n > 0; i++) {
		const struct event *o = room->events[i];

		if (o->removed || o->cancelled || o->meeting == e->meeting)
			continue;
		theirs.n = 0;
		event_occurrences(o, mine.v[0].start - 30 * DAY,
		    mine.v[mine.n - 1].end + 30 * DAY, &theirs);
		for (j = 0; j < mine.n && !hit; j++)
			for (k = 0; k < theirs.n && !hit; k++)
				hit = mine.v[j].start < theirs.v[k].end &&
				    theirs.v[k].start < mine.v[j].end &&
				    !(theirs.v[k].change &&
					theirs.v[k].change->cancelled);
	}
	free(mine.v);
	free(theirs.v);
	return hit;
}

static void
copy_changes(struct event *to, const struct event *own)
{
	size_t i;

	event_forget_changes(to);
	if (own->nchanges == 0)
		return;
	to->changes = grow(NULL, own->nchanges, sizeof(*to->changes));
	memcpy(to->changes, own->changes, own->nchanges * sizeof(*to->changes));
	to->nchanges = own->nchanges;
	for (i = 0; i < to->nchanges; i++) {
		if (own->changes[i].cancelled) /* gone only for him */
			to->changes[i].deleted =
			    to->mailbox->policy.remove_cancelled;
		to->changes[i].subject =
		    own->changes[i].subject || own->changes[i].cancelled
		    ? room_subject(to->mailbox, own,
			  own->changes[i].subject ? own->changes[i].subject
						  : own->subject,
			  own->changes[i].cancelled)
		    : NULL;
	}
}

/* Makes a room's copy say what the organiser's says, within policy. */
static void
copy_fill(struct event *to, const struct event *own)
{
	const struct room_policy *p = &to->mailbox->policy;

	to->start = own->start;
	to->end = own->end;
	to->zone = own->zone;
	to->all_day = own->all_day;
	to->private = own->private && !p->remove_private;
	to->free = own->free;
	free(to->subject);
	to->subject =
	    room_subject(to->mailbox, own, own->subject, to->cancelled);
	set_text(&to->body, p->delete_comments ? NULL : own->body);
	free(to->rec);
	to->rec = NULL;
	if (own->rec != NULL) {
		to->rec = zalloc(sizeof(*to->rec));
		*to->rec = *own->rec;
	}
	copy_changes(to, own);
}

/* Sets what a mailbox answered, on its copy and in the organiser's list. */
void
booking_respond(struct event *e, enum response r)
{
	struct attendee *a = meeting_attendee(e->meeting, e->mailbox->email);

	if (e->accept_at) {
		e->accept_at = 0;
		exchange.pending--;
	}
	if (a != NULL)
		a->response = r;
	if (r == RESPONSE_DECLINED) {
		event_drop(e);
		return;
	}
	e->response = r;
	event_touch(e, 0);
}

static void
copy_answer(struct event *copy)
{
	const struct room_policy *p = &copy->mailbox->policy;
	int delay =
	    p->accept_delay >= 0 ? p->accept_delay : exchange.accept_delay;

	copy->response = RESPONSE_WAITING;
	if (!p->auto_accept)
		return;
	if (delay == 0)
		booking_respond(copy, RESPONSE_ACCEPTED);
	else if (copy->accept_at == 0) {
		copy->accept_at = when_ms() + delay;
		exchange.pending++;
	}
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
	if (copy->accept_at) {
		copy->accept_at = 0;
		exchange.pending--;
	}
	copy->cancelled = 1;
	free(copy->subject);
	copy->subject = room_subject(
	    copy->mailbox, copy->meeting->own, copy->meeting->own->subject, 1);
	event_touch(copy, 0);
}

static void
deliver_one(struct meeting *m, struct attendee *a, int flags)
{
	struct mailbox *room = mailbox_find(a->email);
	struct event *copy, *own = m->own;
	int fresh;

	if (room == NULL || !room->is_room || room == own->mailbox)
		return;
	copy = meeting_copy(m, room);
	fresh = copy == NULL || copy->cancelled;
	if (!(flags & BOOKING_UNCHECKED) && !room->policy.allow_conflicts &&
	    (fresh || (flags & BOOKING_REPATTERN)) &&
	    room_conflict(room, own, NULL)) {
		a->response = RESPONSE_DECLINED;
		if (copy != NULL && !copy->cancelled)
			event_drop(copy);
		return;
	}
	if (copy == NULL)
		copy = event_new(room, m);
	copy->cancelled = 0;
	copy_fill(copy, own);
	event_touch(copy, fresh || (flags & BOOKING_REPATTERN) != 0);
	if (fresh || (flags & BOOKING_REPATTERN))
		copy_answer(copy);
}

/*
 * Brings the rooms in line with the organiser's copy: new rooms are asked,
 * rooms no longer invited are told that it is cancelled.
 */
void
booking_deliver(struct meeting *m, int flags)
{
	size_t i;

	event_touch(m->own, (flags & BOOKING_REPATTERN) != 0);
	for (i = 0; i < m->ncopies; i++) {
		struct event *e = m->copies[i];

		if (e != m->own && !e->removed && !e->cancelled &&
		    meeting_attendee(m, e->mailbox->email) == NULL)
			copy_cancel(e);
	}
	for (i = 0; i < m->nattendees; i++)
		deliver_one(m, &m->attendees[i], flags);
}

/*
 * The organiser calls the whole meeting off; with silent, its copies vanish
 * without a trace of a cancellation.
 */
void
booking_cancel(struct meeting *m, int silent)
{
	size_t i;

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
			booking_respond(e, RESPONSE_ACCEPTED);
	}
}

/*
 * Moves one occurrence; a room that is taken then loses just this one.
 * -1 when the series has no such occurrence.
 */
int
booking_move_occurrence(struct meeting *m, int64_t original, int64_t start,
    int64_t end, const char *subject)
{
	struct change *c;
	struct occurrence o = {original, start, end, NULL};
	size_t i;

	if (!event_has_occurrence(m->own, original))
		return -1;
	c = event_change(m->own, original, 1);
	c->start = start;
	c->end = end;
	if (subject != NULL)
		set_text(&c->subject, subject);
	c->seq = ++exchange.seq;
	booking_deliver(m, 0);
	for (i = 0; i < m->ncopies; i++) {
		struct event *e = m->copies[i];

		if (e->removed || e == m->own ||
		    e->mailbox->policy.allow_conflicts ||
		    !room_conflict(e->mailbox, e, &o))
			continue;
		if ((c = event_change(e, original, 0)) != NULL)
			c->deleted = 1;
	}
	return 0;
}

/* Takes one occurrence out; with trace, rooms keep it as cancelled. */
int
booking_drop_occurrence(struct meeting *m, int64_t original, int trace)
{
	struct change *c;

	if (!event_has_occurrence(m->own, original))
		return -1;
	c = event_change(m->own, original, 1);
	c->seq = ++exchange.seq;
	c->cancelled = trace;
	c->deleted = 1;
	booking_deliver(m, 0);
	return 0;
}
