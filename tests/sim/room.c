/*
 * room.c: what a room mailbox thinks of an invitation (its calendar
 * processing: conflicts, booking window, longest duration), and what its copy
 * of a meeting says (subject and body cut to its policy).  When it is asked,
 * and who hears of the answer, is in booking.c.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exchange.h"
#include "text.h"

#define HORIZON (400 * (int64_t)DAY)

char *
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

		if (o->removed || o->cancelled || o->meeting == e->meeting ||
		    (o->accept_at != 0 && o->verdict == RESPONSE_DECLINED))
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

/* The first instant that is too far ahead to be booked. */
static int64_t
room_horizon(const struct mailbox *room)
{
	int64_t today = day_floor(zone_wall(room->zone, when_now()));

	return zone_utc(
	    room->zone, (today + room->policy.booking_window + 1) * DAY);
}

/*
 * A series counts with all its dates, an endless one always reaches beyond
 * the window: Exchange declines it whole, unless EnforceSchedulingHorizon is
 * off; then the room only keeps the dates within (room_fill).
 */
static int
room_too_far(const struct mailbox *room, const struct event *e,
    const struct occurrence *only)
{
	struct occurrences l = {0};
	int64_t end = room_horizon(room);
	size_t i;
	int far = 0;

	if (only != NULL)
		return only->start >= end;
	if (e->start >= end || e->rec == NULL || !room->policy.enforce_horizon)
		return e->start >= end;
	event_occurrences(e, end, end + HORIZON, &l);
	for (i = 0; i < l.n; i++)
		far |= l.v[i].start >= end;
	free(l.v);
	return far;
}

/* As clocks show it: the day on which they are set back is one day long. */
static int
room_too_long(const struct mailbox *room, const struct event *e,
    const struct occurrence *only)
{
	int64_t start = only ? only->start : e->start;
	int64_t end = only ? only->end : e->end;

	return room->policy.max_minutes > 0 &&
	    zone_wall(e->zone, end) - zone_wall(e->zone, start) >
	    (int64_t)room->policy.max_minutes * 60;
}

/*
 * What the room answers to a meeting, or to one occurrence of it:
 * RESPONSE_WAITING when it does not answer at all.  Only a room that accepts
 * by itself looks at its other rules.
 */
enum response
room_verdict(const struct mailbox *room, const struct event *e,
    const struct occurrence *only, int unchecked)
{
	const struct room_policy *p = &room->policy;

	if (p->silent)
		return RESPONSE_WAITING;
	if (!p->auto_accept)
		return RESPONSE_TENTATIVE;
	if (unchecked)
		return RESPONSE_ACCEPTED;
	if (room_too_long(room, e, only) || room_too_far(room, e, only) ||
	    (!p->allow_conflicts && room_conflict(room, e, only)))
		return RESPONSE_DECLINED;
	return RESPONSE_ACCEPTED;
}

/* How long a room thinks before it answers, ms. */
int
room_delay(const struct mailbox *room)
{
	return room->policy.accept_delay >= 0 ? room->policy.accept_delay
					      : exchange.accept_delay;
}

static void
copy_changes(struct event *to, const struct event *own)
{
	struct meeting *m = to->meeting;
	size_t i;

	event_forget_changes(to);
	if (own->nchanges > 0) {
		to->changes = grow(NULL, own->nchanges, sizeof(*to->changes));
		memcpy(to->changes, own->changes,
		    own->nchanges * sizeof(*to->changes));
		to->nchanges = own->nchanges;
	}
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
	for (i = 0; i < m->nreplies; i++)
		if (m->replies[i].removed &&
		    strcasecmp(m->replies[i].email, to->mailbox->email) == 0)
			event_change(to, m->replies[i].original, 1)->deleted =
			    1;
}

static void
copy_recurrence(struct event *to, const struct event *own)
{
	int64_t last;

	free(to->rec);
	to->rec = NULL;
	if (own->rec == NULL)
		return;
	to->rec = zalloc(sizeof(*to->rec));
	*to->rec = *own->rec;
	if (to->mailbox->policy.enforce_horizon)
		return;
	last = day_floor(
	    zone_wall(to->mailbox->zone, room_horizon(to->mailbox) - 1));
	if (to->rec->range == RANGE_NONE ||
	    (to->rec->range == RANGE_END && to->rec->end_day > last)) {
		to->rec->range = RANGE_END;
		to->rec->end_day = last;
	}
}

/* Makes a room's copy say what the organiser's says, within policy. */
void
room_fill(struct event *to, const struct event *own)
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
	set_text(&to->location, own->location);
	set_text(&to->zone_shown, own->zone_shown);
	copy_recurrence(to, own);
	copy_changes(to, own);
}
