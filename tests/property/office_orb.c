/*
 * office_orb.c: what ORB writes to both systems takes effect here, and what it
 * must never do is seen here: a second meeting or reservation of one booking,
 * an end without a reason that ORB was shown, a mail that says nothing new, a
 * person's change overwritten without a word.
 */
#include "office.h"

#include <string.h>

#include "lib/marks.h"
#include "lib/messages.h"

/* --- Exchange ------------------------------------------------------------------ */

static void
mail(struct office *o, const struct meeting *m, unsigned *count)
{
	if (m->guest == NOBODY)
		return;
	++*count;
	o->mails++;
}

/* The same transaction is the same meeting, where there is such a thing. */
static int
same_transaction(const struct office *o, const struct meeting *as)
{
	for (int i = 0; i < (int)o->nmeetings; i++)
		if (o->meeting[i].orb &&
		    strcmp(o->meeting[i].transaction, as->transaction) == 0)
			return i;
	return -1;
}

/* What a person gave another room is a booking of that room now. */
static int
same_room(const struct meeting *m, const struct meeting *as)
{
	for (int r = 0; r < ROOMS; r++)
		if (m->invited[r] && as->invited[r])
			return 1;
	return 0;
}

static void
watch_meet(struct office *o, const struct meeting *as)
{
	const struct meeting *m;

	for (int i = 0; i < (int)o->nmeetings; i++) {
		m = &o->meeting[i];
		if (m->orb && m->reservation == as->reservation &&
		    m->notice == as->notice && !m->gone &&
		    m->end > office_now() && as->notice)
			office_bad(o, "a second notice", i, as->reservation);
		else if (m->orb && m->reservation == as->reservation &&
		    !m->notice && !as->notice && !m->gone &&
		    m->end > office_now() && same_room(m, as))
			office_bad(o, "a second meeting of a reservation", i,
			    as->reservation);
	}
}

/* A reservation that TOPdesk has put over no other wins by topdesk-wins. */
static void
watch_notice(struct office *o, const struct meeting *as)
{
	if (as->notice && as->reservation >= 0 &&
	    o->conf->policy.conflict == CONF_CONFLICT_TOPDESK &&
	    o->res[as->reservation].state == BOOKING_STATE_BOOKED &&
	    !o->res[as->reservation].unseen)
		office_bad(o, "topdesk-wins, and its booking has lost", -1,
		    as->reservation);
}

int
orb_meets(struct office *o, struct meeting *as)
{
	int i = o->ews ? -1 : same_transaction(o, as), room = -1;
	struct meeting *m;

	if (i >= 0)
		return i;
	watch_meet(o, as);
	watch_notice(o, as);
	if ((i = meeting_new(o)) < 0)
		return -1;
	for (int r = 0; r < ROOMS; r++)
		if (as->invited[r])
			room = r;
	m = &o->meeting[i];
	as->uid = m->uid;
	as->made = m->made;
	*m = *as;
	m->orb = 1;
	m->series = -1;
	memset(m->invited, 0, sizeof(m->invited));
	mail(o, m, &m->invitations);
	o->writes[0]++;
	if (room >= 0 && !m->notice)
		meeting_invite(o, i, room);
	if (m->reservation >= 0)
		o->res[m->reservation].moved_by_person = 0;
	return i;
}

/* ORB knows the reservation as that of the room's copy. */
static int
is_known(const struct office *o, int i, int room, int res)
{
	uint8_t key[KEY_LEN], known[KEY_LEN];

	office_key(o, room, &o->meeting[i], key);
	o->known_key(o->known_arg, res, known);
	return memcmp(key, known, KEY_LEN) == 0 ||
	    (o->meeting[i].orb && o->meeting[i].reservation == res) ||
	    (o->res[res].linked && memcmp(key, o->res[res].key, KEY_LEN) == 0);
}

static int
change_rooms(struct office *o, int i, const struct change *c)
{
	struct meeting *m = &o->meeting[i];

	if (c->to < 0 || (m->invited[c->to] && !m->invited[c->from]))
		return 0;
	if (m->invited[c->from])
		meeting_uninvite(o, i, c->from);
	m->changes++;
	if (!m->invited[c->to])
		meeting_invite(o, i, c->to);
	return 1;
}

/* A person's new time goes only where policy says so, and never silently. */
static void
watch_times(struct office *o, int i)
{
	const struct meeting *m = &o->meeting[i];
	int n = 0, ours;

	while (n < (int)o->nres &&
	    !(is_live(&o->res[n]) && meeting_of_reservation(o, n) == i))
		n++;
	if (n == (int)o->nres || o->forgot || !m->moved || m->unseen ||
	    o->res[n].unseen || !o->is_agreed(o->known_arg, n) ||
	    m->copy[o->res[n].room].state != BOOKING_STATE_BOOKED)
		return;
	ours = m->orb && m->reservation == n;
	if (o->conf->policy.conflict == CONF_CONFLICT_EXCHANGE ||
	    (o->conf->policy.conflict == CONF_CONFLICT_FIRST && !ours))
		office_bad(o, "Exchange wins, and is overwritten", i, n);
	else if (!o->is_said(o->known_arg, n))
		office_bad(o, "a meeting's move is overwritten silently", i, n);
}

void
orb_changes_meeting(struct office *o, int i, const struct change *c)
{
	struct meeting *m = &o->meeting[i];
	int news = 0;

	o->writes[0]++;
	if (c->start && (c->start != m->start || c->end != m->end)) {
		/* A swap, and a meeting that waits for its room, take
		 * TOPdesk's times without a comparison. */
		if (c->to < 0)
			watch_times(o, i);
		m->moved = 0;
		m->start = c->start;
		m->end = c->end;
		news = 1;
		meeting_changed(o, i, 1);
	}
	if (c->text && c->text != m->text) {
		m->text = c->text;
		m->text_by_person = 0;
		news = 1;
		meeting_changed(o, i, 0);
	}
	news |= change_rooms(o, i, c);
	if (!news)
		office_bad(o, "a change that changes nothing", i, -1);
	mail(o, m, &m->updates);
	for (int r = 0; r < (int)o->nres; r++)
		for (int room = 0; room < ROOMS; room++)
			if (o->res[r].moved_by_person &&
			    is_known(o, i, room, r))
				o->res[r].moved_by_person = 0;
}

/*
 * Somebody else's booking is in the way, and policy lets that one stay: with
 * first-wins only what ORB knows already was first.
 */
static int
may_lose(const struct office *o, int i, int room)
{
	const struct meeting *m = &o->meeting[i];
	const struct reserved *r;
	int own = reservation_of_copy(o, i, room);

	for (int n = 0; n < (int)o->nres; n++) {
		r = &o->res[n];
		if (n != own && r->room == room && is_live(r) &&
		    overlap(m->start, m->end, r->start, r->end) &&
		    (o->conf->policy.conflict == CONF_CONFLICT_TOPDESK ||
			(o->conf->policy.conflict == CONF_CONFLICT_FIRST &&
			    office_is_known(o, n))))
			return 1;
	}
	return rival_copy(o, room, m->start, m->end, i) >= 0;
}

/* Why ORB may take a meeting out of a room; what it was shown counts. */
static int
may_end(const struct office *o, int i, int room)
{
	const struct meeting *m = &o->meeting[i];

	/* With the state lost, a meeting that went to another room may have been
	 * made twice. */
	if (o->conf->rooms[room].retire == CONF_RETIRE_CANCEL ||
	    m->copy[room].declined || (o->forgot && m->orb))
		return 1;
	/* ORB's own, and the room does not have it any more. */
	if (m->orb && m->copy[room].shown_dropped)
		return 1;
	for (int r = 0; r < (int)o->nres; r++) {
		if ((o->res[r].shown_gone || o->res[r].shown_room != room) &&
		    is_known(o, i, room, r))
			return 1;
		/* Perhaps it was in the way when ORB saw it last. */
		if (o->res[r].unseen && o->res[r].shown_room == room)
			return 1;
	}
	return may_lose(o, i, room);
}

void
orb_cancels_meeting(struct office *o, int i)
{
	struct meeting *m = &o->meeting[i];
	int ok = 0, any = 0;

	for (int r = 0; r < ROOMS; r++) {
		any |= m->invited[r];
		ok |= m->invited[r] && may_end(o, i, r);
	}
	if (any && !ok)
		office_bad(o, "a meeting is cancelled without a reason", i, -1);
	if (!m->orb && m->owner < ROOM_BOX)
		office_bad(o, "a person's meeting is cancelled", i, -1);
	o->writes[0]++;
	mail(o, m, &m->cancellations);
	meeting_cancel(o, i);
}

void
orb_declines(struct office *o, int i, int room)
{
	struct meeting *m = &o->meeting[i];
	struct copy *c = &m->copy[room];

	if (!may_end(o, i, room))
		office_bad(o, "a meeting is declined without a reason", i, -1);
	o->writes[0]++;
	m->responses++;
	o->mails++;
	c->there = 0;
	c->declined = 1;
	c->version = ++o->version;
}

/* --- TOPdesk ---------------------------------------------------------------------- */

int
orb_creates(struct office *o, const struct reserved *as)
{
	uint8_t known[KEY_LEN];
	struct reserved *r;
	int i;

	for (i = 0; i < (int)o->nres; i++) {
		r = &o->res[i];
		o->known_key(o->known_arg, i, known);
		if (r->linked && memcmp(known, as->key, KEY_LEN) == 0 &&
		    r->room == as->room && is_live(r) && r->end > office_now())
			office_bad(
			    o, "a second reservation of a booking", -1, i);
	}
	if ((i = reservation_new(o)) < 0)
		return -1;
	r = &o->res[i];
	*r = *as;
	r->orb = r->linked = 1;
	r->text = topdesk_text(as->text);
	r->shown_room = r->room;
	r->state = reservation_state(o, r->room, r->start, r->end, i);
	reservation_changed(o, i);
	o->writes[1]++;
	return i;
}

static void
watch_write(struct office *o, int i)
{
	struct reserved *r = &o->res[i];

	o->writes[1]++;
	if (r->marks & (MARK_ARCHIVED | MARK_ISSUED))
		office_bad(o, "a write to what is issued or archived", -1, i);
	if (!is_live(r))
		office_bad(o, "a write to a cancelled reservation", -1, i);
}

/* Both sides were changed, and policy lets TOPdesk's stand. */
static int
topdesk_wins(const struct office *o, int n)
{
	const struct conf *c = o->conf;
	const struct meeting *m;
	int i = meeting_of_reservation(o, n), room = o->res[n].room;

	if (i < 0 || c->policy.direction != CONF_DIRECTION_BOTH)
		return 0;
	m = &o->meeting[i];
	if (m->orb && m->reservation == n)
		return c->policy.conflict != CONF_CONFLICT_EXCHANGE;
	return c->policy.conflict == CONF_CONFLICT_TOPDESK &&
	    (is_own(m, room) || c->exchange.book_as == CONF_BOOK_ORGANISER);
}

void
orb_reschedules(struct office *o, int i, int64_t start, int64_t end)
{
	struct reserved *r = &o->res[i];

	watch_write(o, i);
	/* To have a conflict judged again, it is sent as it is. */
	if (r->start == start && r->end == end &&
	    r->state != BOOKING_STATE_CONFLICTING && !r->unseen)
		office_bad(o, "a reschedule that changes nothing", -1, i);
	if (r->moved_by_person && !r->unseen && !o->is_said(o->known_arg, i))
		office_bad(o, "a person's move is overwritten silently", -1, i);
	if (r->moved_by_person && !r->unseen && topdesk_wins(o, i))
		office_bad(o, "TOPdesk wins, and is overwritten", -1, i);
	if (meeting_of_reservation(o, i) >= 0)
		o->meeting[meeting_of_reservation(o, i)].moved = 0;
	r->moved_by_person = 0;
	r->start = start;
	r->end = end;
	r->state = reservation_state(o, r->room, start, end, i);
	reservation_changed(o, i);
}

void
orb_edits(struct office *o, int i, int text)
{
	struct reserved *r = &o->res[i];

	watch_write(o, i);
	if (r->text_by_person && !r->unseen && !o->is_said(o->known_arg, i))
		office_bad(o, "a person's text is overwritten silently", -1, i);
	r->text_by_person = r->text_unclear = 0;
	r->text = topdesk_text(text);
	reservation_changed(o, i);
}

void
orb_links(struct office *o, int i, const uint8_t key[KEY_LEN], unsigned gen)
{
	struct reserved *r = &o->res[i];

	watch_write(o, i);
	if (r->linked)
		office_bad(o, "a link is written twice", -1, i);
	r->linked = 1;
	memcpy(r->key, key, KEY_LEN);
	r->gen = gen;
	reservation_changed(o, i);
}

/* Whether ORB was shown that the meeting of the reservation is gone. */
static int
may_cancel(const struct office *o, int n)
{
	const struct meeting *m;

	if (o->conf->rooms[o->res[n].room].retire == CONF_RETIRE_CANCEL ||
	    o->res[n].strange)
		return 1;
	for (int i = 0; i < (int)o->nmeetings; i++) {
		m = &o->meeting[i];
		/* It was told away (NOTICE), or the meeting is gone. */
		if (m->orb && m->reservation == n && (m->notice || m->gone))
			return 1;
		for (int room = 0; room < ROOMS; room++)
			if ((m->copy[room].shown_dropped ||
				m->copy[room].declined) &&
			    is_known(o, i, room, n))
				return 1;
	}
	return 0;
}

void
orb_cancels(struct office *o, int i)
{
	struct reserved *r = &o->res[i];

	watch_write(o, i);
	if (!may_cancel(o, i))
		office_bad(
		    o, "a reservation is cancelled without evidence", -1, i);
	r->state = BOOKING_STATE_CANCELLED;
	reservation_changed(o, i);
}
