/*
 * serve_exchange.c: the reads from Exchange.
 *
 * By Graph, the feed shows changed occurrences one by one and says "removed" of
 * what left the window; by EWS a changed series comes whole, and what moved out
 * of the window comes all the same.  An occurrence that vanished is in neither:
 * only its series is.
 */
#include "serve.h"

#include <stdio.h>
#include <string.h>

#include "lib/marks.h"
#include "lib/messages.h"

struct cursor {
	int64_t version;
	char kind;
};

static char
kind_of(const struct office *o)
{
	return o->ews ? 'e' : 'g';
}

void
serve_make_id(const struct office *o, int meeting, int box, char buf[32])
{
	snprintf(buf, 32, "%c%d.%d", kind_of(o), meeting, box);
}

int
serve_id(const struct office *o, const char *id, int *box)
{
	int meeting;

	if (*id != kind_of(o) || sscanf(id + 1, "%d.%d", &meeting, box) != 2 ||
	    meeting < 0 || meeting >= (int)o->nmeetings)
		return -1;
	return meeting;
}

static void
series_id(const struct office *o, int series, int room, char buf[32])
{
	snprintf(buf, 32, "%cs%d.%d", kind_of(o), series, room);
}

void
serve_read(struct chan *far, uint64_t id, unsigned outcome)
{
	struct msg_mapd_read m = {.outcome = (uint16_t)outcome, .text = "read"};

	mapd_read_send(far, id, 0, &m);
}

/* A meeting as the calendar of box has it; by: what says its state. */
static void
send_booking(struct office *o, struct chan *far, uint64_t id, int meeting,
    int box, const struct booking *as)
{
	const struct meeting *m = &o->meeting[meeting];
	struct msg_mapd_booking msg = {.booking = *as};
	struct booking *b = &msg.booking;
	char remote[32], series[32] = "", uid[32], text[40], who[32], tag[32];

	serve_make_id(o, meeting, box, remote);
	office_uid(m->uid, uid);
	office_text(m->text, text);
	snprintf(tag, sizeof(tag), "t%u", m->changes);
	if (m->series >= 0 && box >= ROOM_BOX)
		series_id(o, m->series, box - ROOM_BOX, series);
	b->uid = uid;
	b->original_start = m->original;
	b->subject = m->text ? text : "";
	b->organiser = office_mailbox(m->owner, who);
	b->body = b->number = b->link = "";
	b->change_tag = tag;
	b->remote_id = remote;
	b->series_id = series;
	mapd_booking_send(far, id, 0, &msg);
}

/* What room has of it. */
static void
send_copy(
    struct office *o, struct chan *far, uint64_t id, int meeting, int room)
{
	struct meeting *m = &o->meeting[meeting];
	struct copy *c = &m->copy[room];
	char box[32];
	struct booking b = {.room = office_mailbox(ROOM_BOX + room, box),
	    .start = c->start,
	    .end = c->end,
	    .state = c->state,
	    .marks = is_own(m, room) ? MARK_ROOM_OWN : 0};

	m->unseen = 0;
	c->shown_dropped = c->state == BOOKING_STATE_CANCELLED;
	send_booking(o, far, id, meeting, ROOM_BOX + room, &b);
}

/* --- the feed ------------------------------------------------------------------- */

struct feed {
	struct office *o;
	struct chan *far;
	uint64_t id;
	int room, full;
	int64_t from, to, since, until;
};

static int
in_window(const struct feed *f, const struct copy *c)
{
	return c->start < f->to && c->end > f->from;
}

static void
send_removed(const struct feed *f, int meeting)
{
	struct msg_mapd_removed m;
	char id[32];

	serve_make_id(f->o, meeting, ROOM_BOX + f->room, id);
	m.remote_id = id;
	mapd_removed_send(f->far, f->id, 0, &m);
}

static int
series_left(const struct office *o, int series, int room)
{
	int n = 0;

	for (size_t i = 0; i < o->nmeetings; i++)
		n += o->meeting[i].series == series &&
		    o->meeting[i].copy[room].there;
	return n;
}

/* The master, and by EWS all that the view shows of it. */
static void
send_series(const struct feed *f, int series)
{
	struct msg_mapd_series s;
	struct msg_mapd_removed gone;
	const struct meeting *m;
	char id[32];

	series_id(f->o, series, f->room, id);
	if (!series_left(f->o, series, f->room)) {
		gone.remote_id = id;
		mapd_removed_send(f->far, f->id, 0, &gone);
		return;
	}
	s.series_id = id;
	s.whole = (uint8_t)f->o->ews;
	mapd_series_send(f->far, f->id, 0, &s);
	for (int i = 0; f->o->ews && i < (int)f->o->nmeetings; i++) {
		m = &f->o->meeting[i];
		if (m->series == series && m->copy[f->room].there &&
		    in_window(f, &m->copy[f->room]))
			send_copy(f->o, f->far, f->id, i, f->room);
	}
}

static void
feed_changes(const struct feed *f)
{
	int told[MEETINGS_MAX] = {0};
	const struct meeting *m;
	const struct copy *c;

	for (int i = 0; i < (int)f->o->nmeetings; i++) {
		m = &f->o->meeting[i];
		c = &m->copy[f->room];
		if (c->version <= f->since || c->version > f->until)
			continue;
		if (m->series >= 0 && !told[m->series]) {
			told[m->series] = 1;
			send_series(f, m->series);
		}
		if (m->series >= 0 && (f->o->ews || !c->there))
			continue;
		if (c->there && (f->o->ews || in_window(f, c)))
			send_copy(f->o, f->far, f->id, i, f->room);
		else
			send_removed(f, i);
	}
}

static void
feed_whole(const struct feed *f)
{
	const struct copy *c;

	for (int i = 0; i < (int)f->o->nmeetings; i++) {
		c = &f->o->meeting[i].copy[f->room];
		if (c->there && c->version <= f->until && in_window(f, c))
			send_copy(f->o, f->far, f->id, i, f->room);
	}
}

static void
serve_poll(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_mapd_polled end = {.outcome = OUTCOME_OK, .text = ""};
	struct cursor cursor = {0}, next = {0};
	struct feed f = {.o = o, .far = far, .id = pk->id};
	struct msg_adapter_poll m;

	if (adapter_poll_get(pk, &m))
		return;
	f.room = office_box(m.address) - ROOM_BOX;
	f.from = m.from;
	f.to = m.to;
	f.until = o->faults.stale ? o->faults.stale : o->version;
	f.full = m.cursor.len != sizeof(cursor);
	if (!f.full)
		memcpy(&cursor, m.cursor.p, sizeof(cursor));
	f.full |=
	    cursor.kind != kind_of(o) || (o->faults.cursor & 1 << f.room) != 0;
	o->faults.cursor &= ~(1 << f.room);
	f.since = cursor.version;
	if (o->faults.poll[0] > 0) {
		o->faults.poll[0]--;
		end.outcome = OUTCOME_FAILED;
		mapd_polled_send(far, pk->id, 0, &end);
		return;
	}
	if (f.full)
		feed_whole(&f);
	else
		feed_changes(&f);
	next.version = f.until > f.since || f.full ? f.until : f.since;
	next.kind = kind_of(o);
	end.full = (uint8_t)f.full;
	end.cursor = (struct wire_bytes){(const uint8_t *)&next, sizeof(next)};
	mapd_polled_send(far, pk->id, 0, &end);
}

/* --- one thing -------------------------------------------------------------------- */

static void
serve_expand(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_expand m;
	struct feed f = {0};
	int series, room;

	if (adapter_expand_get(pk, &m))
		return;
	if (m.series_id[0] != kind_of(o) ||
	    sscanf(m.series_id + 1, "s%d.%d", &series, &room) != 2) {
		serve_read(far, pk->id, OUTCOME_REFUSED);
		return;
	}
	f.from = m.from;
	f.to = m.to;
	for (int i = 0; i < (int)o->nmeetings; i++)
		if (o->meeting[i].series == series &&
		    o->meeting[i].copy[room].there &&
		    in_window(&f, &o->meeting[i].copy[room]))
			send_copy(o, far, pk->id, i, room);
	serve_read(far, pk->id,
	    series_left(o, series, room) ? OUTCOME_OK : OUTCOME_GONE);
}

static void
serve_get_series(
    struct office *o, struct chan *far, struct packet *pk, const char *id)
{
	int series, room;

	if (sscanf(id + 1, "s%d.%d", &series, &room) != 2) {
		serve_read(far, pk->id, OUTCOME_REFUSED);
		return;
	}
	if (series_left(o, series, room)) {
		serve_read(far, pk->id, OUTCOME_OK);
		return;
	}
	for (size_t i = 0; i < o->nmeetings; i++)
		if (o->meeting[i].series == series)
			o->meeting[i].copy[room].shown_dropped = 1;
	serve_read(far, pk->id, OUTCOME_GONE);
}

static void
serve_get(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_get m;
	int box, i;

	if (adapter_get_get(pk, &m))
		return;
	i = serve_id(o, m.remote_id, &box);
	if (i < 0 && m.remote_id[0] == kind_of(o)) {
		serve_get_series(o, far, pk, m.remote_id);
		return;
	}
	if (i < 0 || box < ROOM_BOX) {
		serve_read(far, pk->id, OUTCOME_REFUSED);
		return;
	}
	if (o->meeting[i].copy[box - ROOM_BOX].there) {
		send_copy(o, far, pk->id, i, box - ROOM_BOX);
		serve_read(far, pk->id, OUTCOME_OK);
		return;
	}
	o->meeting[i].copy[box - ROOM_BOX].shown_dropped = 1;
	serve_read(far, pk->id, OUTCOME_GONE);
}

/* The owner's copy, with what a room said. */
static void
send_owned(struct office *o, struct chan *far, uint64_t id, int i, int room)
{
	const struct meeting *m = &o->meeting[i];
	char box[32];
	struct booking b = {.room = office_mailbox(m->owner, box),
	    .start = m->start,
	    .end = m->end,
	    .state = BOOKING_STATE_BOOKED};

	if (room >= 0 && !is_own(m, room)) {
		b.room = office_mailbox(ROOM_BOX + room, box);
		b.state = m->copy[room].declined ? BOOKING_STATE_CANCELLED
						 : BOOKING_STATE_TENTATIVE;
		b.marks = m->copy[room].declined ? MARK_DECLINED : 0;
		if (is_on(&m->copy[room]))
			b.state = m->copy[room].state;
	}
	send_booking(o, far, id, i, m->owner, &b);
}

static void
serve_meeting(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_meeting m;
	char uid[32];

	if (adapter_meeting_get(pk, &m))
		return;
	for (int i = 0; i < (int)o->nmeetings; i++) {
		office_uid(o->meeting[i].uid, uid);
		if (o->meeting[i].gone || strcmp(uid, m.uid) != 0 ||
		    o->meeting[i].original != m.original_start ||
		    o->meeting[i].owner != office_box(m.address))
			continue;
		send_owned(o, far, pk->id, i, office_box(m.room) - ROOM_BOX);
		serve_read(far, pk->id, OUTCOME_OK);
		return;
	}
	serve_read(far, pk->id, OUTCOME_GONE);
}

static int
is_tagged(const struct meeting *m, int box, const char *tag)
{
	char own[40];

	snprintf(own, sizeof(own), "%s:res-%d",
	    m->notice ? "notice" : "topdesk", m->reservation);
	return m->orb && !m->gone && m->owner == box && strcmp(own, tag) == 0;
}

static void
serve_find(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_find m;
	const struct meeting *k;
	struct wire_in in;
	const char *tag;
	int box, any;

	if (adapter_find_get(pk, &m))
		return;
	if ((box = office_box(m.address)) == NOBODY) {
		serve_read(far, pk->id, OUTCOME_REFUSED);
		return;
	}
	for (in = wire_list_open(&m.links); wire_next_str(&in, &tag);)
		for (int i = 0; i < (int)o->nmeetings; i++) {
			k = &o->meeting[i];
			/* What was just made is not found at once by Graph. */
			if (!is_tagged(k, box, tag) ||
			    (!o->ews && o->faults.stale &&
				k->made > o->faults.stale))
				continue;
			any = -1;
			for (int r = 0; r < ROOMS; r++)
				if (k->invited[r])
					any = r;
			send_owned(o, far, pk->id, i, any);
		}
	serve_read(far, pk->id, OUTCOME_OK);
}

void
serve_exchange(struct office *o, struct chan *far, struct packet *pk)
{
	switch (pk->type) {
	case MSG_ADAPTER_POLL:
		serve_poll(o, far, pk);
		break;
	case MSG_ADAPTER_EXPAND:
		serve_expand(o, far, pk);
		break;
	case MSG_ADAPTER_GET:
		serve_get(o, far, pk);
		break;
	case MSG_ADAPTER_MEETING:
		serve_meeting(o, far, pk);
		break;
	case MSG_ADAPTER_FIND:
		serve_find(o, far, pk);
		break;
	case MSG_ADAPTER_FLUSH:
		break;
	default:
		serve_exchange_write(o, far, pk);
		break;
	}
}
