/* people.c: what people do in Outlook and in TOPdesk. */
#include "office.h"

#include <string.h>

#include "clockwork.h"
#include "lib/marks.h"
#include "lib/messages.h"

struct times {
	int64_t start, end;
};

/* Few starts and lengths, so that bookings meet, and are the same. */
static struct times
draw_times(uint32_t b)
{
	struct times t;
	int64_t day = office_now() / DAY * DAY;

	t.start =
	    day + (int64_t)(b % 10) * DAY + (8 + (int64_t)(b / 16 % 5)) * HOUR;
	t.end = t.start + (1 + b / 128 % 3) * (HOUR / 2);
	return t;
}

static int
is_meeting(const struct meeting *m)
{
	return !m->gone && !m->notice && m->end > office_now();
}

/* One of those that are to come, -1 when there is none. */
static int
pick_meeting(const struct office *o, uint32_t a)
{
	int n = 0, at;

	for (int i = 0; i < (int)o->nmeetings; i++)
		n += is_meeting(&o->meeting[i]);
	if (n == 0)
		return -1;
	at = (int)(a % (unsigned)n);
	for (int i = 0; i < (int)o->nmeetings; i++)
		if (is_meeting(&o->meeting[i]) && at-- == 0)
			return i;
	return -1;
}

static int
is_editable(const struct reserved *r)
{
	return is_live(r) && !(r->marks & MARK_ARCHIVED) &&
	    r->end > office_now();
}

static int
pick_reservation(const struct office *o, uint32_t a)
{
	int n = 0, at;

	for (int i = 0; i < (int)o->nres; i++)
		n += is_editable(&o->res[i]);
	if (n == 0)
		return -1;
	at = (int)(a % (unsigned)n);
	for (int i = 0; i < (int)o->nres; i++)
		if (is_editable(&o->res[i]) && at-- == 0)
			return i;
	return -1;
}

/* --- in Outlook -------------------------------------------------------------- */

static int
meet(struct office *o, int owner, int room, struct times t, int text)
{
	int i = meeting_new(o);
	struct meeting *m;

	if (i < 0)
		return -1;
	m = &o->meeting[i];
	m->owner = owner;
	m->start = t.start;
	m->end = t.end;
	m->text = text;
	meeting_invite(o, i, room);
	o->people++;
	return i;
}

static void
meet_series(struct office *o, uint32_t a, uint32_t b)
{
	struct times t = draw_times(b);
	int uid = o->next_uid, i;

	for (int n = 0; n < OCCURRENCES; n++) {
		i = meet(o, (int)(a / 8 % PEOPLE), (int)(a % ROOMS), t,
		    1 + (int)(b >> 16) % 500);
		if (i < 0)
			return;
		o->meeting[i].uid = o->meeting[i].series = uid;
		o->meeting[i].original = t.start;
		t.start += DAY;
		t.end += DAY;
	}
}

static void
swap_room(struct office *o, int i, uint32_t b)
{
	struct meeting *m = &o->meeting[i];
	int to = (int)(b % ROOMS);

	if (m->owner >= ROOM_BOX || m->invited[to])
		return;
	m->changes++;
	for (int r = 0; r < ROOMS; r++)
		if (m->invited[r])
			meeting_uninvite(o, i, r);
	meeting_invite(o, i, to);
	o->people++;
}

static void
add_room(struct office *o, int i, uint32_t b)
{
	struct meeting *m = &o->meeting[i];
	int to = (int)(b % ROOMS);

	if (m->owner >= ROOM_BOX || m->orb || m->invited[to])
		return;
	m->changes++;
	meeting_invite(o, i, to);
	o->people++;
}

/* From the room's own calendar, by somebody who may; no meeting is cancelled. */
static void
delete_copy(struct office *o, int i, uint32_t b)
{
	struct meeting *m = &o->meeting[i];
	struct copy *c = &m->copy[b % ROOMS];

	if (!c->there)
		return;
	if (is_own(m, (int)(b % ROOMS)))
		m->gone = 1;
	c->there = 0;
	c->version = ++o->version;
	o->people++;
}

/* What is the same on both sides is nobody's change. */
static void
settle_equal(struct office *o, int n)
{
	int i = meeting_of_reservation(o, n);

	if (i >= 0 && o->meeting[i].start == o->res[n].start &&
	    o->meeting[i].end == o->res[n].end)
		o->meeting[i].moved = o->res[n].moved_by_person = 0;
}

static void
outlook_do(struct office *o, enum deed deed, int i, uint32_t b)
{
	struct meeting *m = &o->meeting[i];
	struct times t = draw_times(b);

	for (int n = 0; n < (int)o->nres; n++)
		if (meeting_of_reservation(o, n) == i)
			settle_equal(o, n);
	if (deed == DEED_MOVE) {
		m->start = t.start;
		m->end = t.end;
		m->moved = m->unseen = 1;
		meeting_changed(o, i, 1);
	} else if (deed == DEED_RETITLE) {
		m->text = 1 + (int)(b % 500);
		m->text_by_person = 1;
		meeting_changed(o, i, 0);
	} else if (deed == DEED_CANCEL) {
		meeting_cancel(o, i);
	}
	o->people++;
}

/* --- in TOPdesk --------------------------------------------------------------- */

static int
reserve(struct office *o, int room, int person, struct times t, int text)
{
	uint8_t state = reservation_state(o, room, t.start, t.end, -1);
	struct reserved *r;
	int i;

	/* TOPdesk's own screen does not let people book over another. */
	if (state != BOOKING_STATE_BOOKED || (i = reservation_new(o)) < 0)
		return -1;
	r = &o->res[i];
	r->room = room;
	r->state = state;
	r->person = person;
	r->start = t.start;
	r->end = t.end;
	r->text = text;
	reservation_changed(o, i);
	o->people++;
	return i;
}

static void
touch(struct office *o, int i)
{
	o->res[i].touched++;
	o->res[i].unseen = 1;
	o->people++;
	reservation_changed(o, i);
}

static void
move_reservation(struct office *o, int i, int room, struct times t)
{
	struct reserved *r = &o->res[i];

	if (reservation_state(o, room, t.start, t.end, i) !=
	    BOOKING_STATE_BOOKED)
		return;
	if (r->state == BOOKING_STATE_CONFLICTING)
		r->state = BOOKING_STATE_BOOKED;
	settle_equal(o, i);
	r->room = room;
	/* Moved back is not moved. */
	if (!r->moved_by_person) {
		r->base_start = r->start;
		r->base_end = r->end;
	}
	r->moved_by_person = o->is_agreed(o->known_arg, i) &&
	    (r->base_start != t.start || r->base_end != t.end);
	r->start = t.start;
	r->end = t.end;
	touch(o, i);
}

static void
cancel_reservation(struct office *o, int i)
{
	struct reserved *r = &o->res[i];

	if (r->marks & MARK_ISSUED)
		return;
	r->state = BOOKING_STATE_CANCELLED;
	r->cancelled_by_person = 1;
	touch(o, i);
}

static void
lock_reservation(struct office *o, int i, uint32_t b)
{
	o->res[i].marks ^= b % 4 == 0 ? MARK_ARCHIVED : MARK_ISSUED;
	o->people++;
}

static void
topdesk_do(struct office *o, enum deed deed, int i, uint32_t b)
{
	struct reserved *r = &o->res[i];
	struct times same = {r->start, r->end};

	switch (deed) {
	case DEED_MOVE_RESERVATION:
		move_reservation(o, i, r->room, draw_times(b));
		break;
	case DEED_SWAP_RESERVATION:
		if (r->room != (int)(b % ROOMS))
			move_reservation(o, i, (int)(b % ROOMS), same);
		break;
	case DEED_RETITLE_RESERVATION:
		r->text = 2000 + (int)(b % 500);
		if (o->is_agreed(o->known_arg, i))
			r->text_by_person = 1;
		else
			r->text_unclear = 1;
		touch(o, i);
		break;
	case DEED_CANCEL_RESERVATION:
		cancel_reservation(o, i);
		break;
	default:
		lock_reservation(o, i, b);
		break;
	}
}

/* A request that waits; the next time it is granted. */
static void
request(struct office *o, uint32_t a, uint32_t b)
{
	int i;

	for (i = 0; i < (int)o->nres; i++)
		if (o->res[i].state == BOOKING_STATE_REQUEST) {
			o->res[i].state = reservation_state(o, o->res[i].room,
			    o->res[i].start, o->res[i].end, i);
			touch(o, i);
			return;
		}
	i = reserve(o, (int)(a % ROOMS), (int)(b / 1024 % PEOPLE),
	    draw_times(b), 1000 + (int)(a % 500));
	if (i >= 0)
		o->res[i].state = BOOKING_STATE_REQUEST;
}

static void
twice(struct office *o, uint32_t a, uint32_t b)
{
	int person = (int)(a / 8 % PEOPLE), room = (int)(a % ROOMS);
	struct times t = draw_times(b);

	if (reserve(o, room, person, t, 1000 + (int)(b % 500)) >= 0)
		meet(o, person, room, t, 1 + (int)(b % 500));
}

void
people_do(struct office *o, enum deed deed, uint32_t a, uint32_t b)
{
	int room = (int)(a % ROOMS), i;

	switch (deed) {
	case DEED_MEET:
		meet(o, (int)(a / 8 % PEOPLE), room, draw_times(b),
		    1 + (int)(a % 500));
		break;
	case DEED_BOOK_ROOM:
		meet(o, ROOM_BOX + room, room, draw_times(b),
		    1 + (int)(a % 500));
		break;
	case DEED_MEET_SERIES:
		meet_series(o, a, b);
		break;
	case DEED_RESERVE:
		reserve(o, room, (int)(a / 8 % (PEOPLE + 1)) - 1, draw_times(b),
		    1000 + (int)(a % 500));
		break;
	case DEED_REQUEST:
		request(o, a, b);
		break;
	case DEED_TWICE:
		twice(o, a, b);
		break;
	case DEED_MOOD:
		o->mood[room] = (enum mood)(b % MOODS);
		break;
	case DEED_MOVE:
	case DEED_RETITLE:
	case DEED_CANCEL:
		if ((i = pick_meeting(o, a)) >= 0)
			outlook_do(o, deed, i, b);
		break;
	case DEED_SWAP_ROOM:
		if ((i = pick_meeting(o, a)) >= 0)
			swap_room(o, i, b);
		break;
	case DEED_ADD_ROOM:
		if ((i = pick_meeting(o, a)) >= 0)
			add_room(o, i, b);
		break;
	case DEED_DELETE:
		if ((i = pick_meeting(o, a)) >= 0)
			delete_copy(o, i, b);
		break;
	default:
		if ((i = pick_reservation(o, a)) >= 0)
			topdesk_do(o, deed, i, b);
		break;
	}
}
