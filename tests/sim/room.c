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

/* Marks which of mine meet those of another live event of the room. */
static void
mark_conflicts(
    const struct occurrences *mine, const struct event *o, char *hits)
{
	struct occurrences theirs = {0};
	int64_t from = mine->v[0].start, to = mine->v[0].end;
	size_t j, k;

	for (j = 1; j < mine->n; j++) {
		if (mine->v[j].start < from)
			from = mine->v[j].start;
		if (mine->v[j].end > to)
			to = mine->v[j].end;
	}
	event_occurrences(o, from, to, &theirs);
	for (j = 0; j < mine->n; j++)
		for (k = 0; k < theirs.n && !hits[j]; k++)
			hits[j] = mine->v[j].start < theirs.v[k].end &&
			    theirs.v[k].start < mine->v[j].end &&
			    !(theirs.v[k].change &&
				theirs.v[k].change->cancelled);
	free(theirs.v);
}

/*
 * How many dates of e, or of e the one of only, meet another live booking of
 * the room.  With found, they are added to it; the caller frees found->v.
 */
size_t
room_conflicts(const struct mailbox *room, const struct event *e,
    const struct occurrence *only, struct occurrences *found)
{
	struct occurrences mine = {0};
	size_t i, n = 0;
	char *hits;

	if (only != NULL) {
		mine.v = grow(NULL, 1, sizeof(*mine.v));
		mine.v[mine.n++] = *only;
	} else
		event_occurrences(e, e->start, e->start + HORIZON, &mine);
	hits = zalloc(mine.n + 1);
	for (i = 0; i < room->nevents && mine.n > 0; i++) {
		const struct event *o = room->events[i];

		if (!o->removed && !o->cancelled && o->meeting != e->meeting &&
		    !(o->accept_at != 0 && o->verdict == RESPONSE_DECLINED))
			mark_conflicts(&mine, o, hits);
	}
	for (i = 0; i < mine.n; i++) {
		if (!hits[i])
			continue;
		n++;
		if (found != NULL) {
			found->v =
			    grow(found->v, found->n + 1, sizeof(*found->v));
			found->v[found->n++] = mine.v[i];
		}
	}
	free(hits);
	free(mine.v);
	return n;
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
	if (room_too_long(room, e, only) || room_too_far(room, e, only))
		return RESPONSE_DECLINED;
	if (!p->allow_conflicts &&
	    room_conflicts(room, e, only, NULL) >
		(size_t)(only == NULL && e->rec ? p->max_conflicts : 0))
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
room_fill(struct event *to, struct event *own)
{
	const struct room_policy *p = &to->mailbox->policy;

	to->start = own->start;
	to->end = own->end;
	if (to->instance != 0) {
		to->start = event_change(own, to->instance, 1)->start;
		to->end = event_change(own, to->instance, 1)->end;
	}
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
	if (to->instance != 0)
		return;
	copy_recurrence(to, own);
	copy_changes(to, own);
}
