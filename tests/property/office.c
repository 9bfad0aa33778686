/* office.c: see office.h.  What both sides of the model share. */
#include "office.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clockwork.h"
#include "lib/marks.h"
#include "lib/messages.h"

#define START INT64_C(1790000000)

int64_t
office_now(void)
{
	return clock_ms / 1000;
}

void
office_bad(struct office *o, const char *what, int meeting, int res)
{
	if (o->bad[0] == '\0')
		snprintf(o->bad, sizeof(o->bad),
		    "meeting %d, reservation %d: %s", meeting, res, what);
}

void
office_init(struct office *o, const struct conf *conf)
{
	memset(o, 0, sizeof(*o));
	o->conf = conf;
	o->version = 1;
	clock_ms = (START / 60 * 60) * 1000;
	o->clock = office_now();
}

int
office_is_known(const struct office *o, int res)
{
	uint8_t key[KEY_LEN], alone[KEY_LEN];
	char id[24];

	snprintf(id, sizeof(id), "res-%d", res);
	o->known_key(o->known_arg, res, key);
	identity_provisional(
	    o->conf->rooms[o->res[res].room].mailbox, id, alone);
	return memcmp(key, alone, KEY_LEN) != 0;
}

int
office_is_moved(const struct office *o, int res)
{
	const struct reserved *r = &o->res[res];
	uint8_t key[KEY_LEN];

	if (!r->linked)
		return 0;
	for (size_t i = 0; i < o->nmeetings; i++) {
		office_key(o, r->room, &o->meeting[i], key);
		if (memcmp(key, r->key, KEY_LEN) == 0)
			return 0;
	}
	return 1;
}

void
office_forget(struct office *o)
{
	struct reserved *r;

	o->forgot = 1;
	for (int i = 0; i < (int)o->nres; i++) {
		r = &o->res[i];
		/* Whichever side has written it last: it stands. */
		r->text_unclear = 1;
		r->moved_by_person = r->text_by_person = 0;
		r->strange = office_is_moved(o, i);
	}
}

const char *
office_mailbox(int box, char buf[32])
{
	if (box == NOBODY)
		snprintf(buf, 32, "stranger@x.example");
	else if (box >= ROOM_BOX)
		snprintf(buf, 32, "r%d@x.example", box - ROOM_BOX);
	else if (box == SERVICE)
		snprintf(buf, 32, "orb@x.example");
	else
		snprintf(buf, 32, "p%d@x.example", box);
	return buf;
}

int
office_box(const char *address)
{
	int n;

	if (strcmp(address, "orb@x.example") == 0)
		return SERVICE;
	if (sscanf(address, "p%d@x", &n) == 1 && n < PEOPLE)
		return n;
	if (sscanf(address, "r%d@x", &n) == 1 && n < ROOMS)
		return ROOM_BOX + n;
	return NOBODY;
}

void
office_uid(int uid, char buf[32])
{
	snprintf(buf, 32, "uid-%d", uid);
}

void
office_key(const struct office *o, int room, const struct meeting *m,
    uint8_t key[KEY_LEN])
{
	char uid[32];

	office_uid(m->uid, uid);
	identity_key(o->conf->rooms[room].mailbox, uid, m->original, key);
}

void
office_text(int text, char buf[40])
{
	snprintf(
	    buf, 40, text >= 1000000 ? "kept %d" : "text %d", text % 1000000);
}

int
office_text_of(const char *s)
{
	int n;

	if (sscanf(s, "kept %d", &n) == 1)
		return n + 1000000;
	return sscanf(s, "text %d", &n) == 1 ? n : 0;
}

int
topdesk_text(int text)
{
	return text < 1000000 && text % 5 == 0 ? text + 1000000 : text;
}

enum answer
office_fate(struct office *o, int side, int *effect)
{
	struct faults *f = &o->faults;

	*effect = 0;
	if (f->refuse[side] > 0) {
		f->refuse[side]--;
		return ANSWER_REFUSED;
	}
	if (f->fail[side] > 0) {
		f->fail[side]--;
		return ANSWER_FAILED;
	}
	if (f->busy[side] > 0) {
		f->busy[side]--;
		return ANSWER_BUSY;
	}
	*effect = 1;
	if (f->lose[side] > 0 && --f->lose[side] == 0) {
		*effect = f->lose_effect[side];
		return ANSWER_LOST;
	}
	return ANSWER_OK;
}

int
overlap(int64_t s1, int64_t e1, int64_t s2, int64_t e2)
{
	return s1 < e2 && s2 < e1;
}

int
is_live(const struct reserved *r)
{
	return r->state != BOOKING_STATE_CANCELLED;
}

int
is_on(const struct copy *c)
{
	return c->there && c->state != BOOKING_STATE_CANCELLED;
}

int
is_own(const struct meeting *m, int room)
{
	return m->owner == ROOM_BOX + room;
}

int
reservation_of_copy(const struct office *o, int meeting, int room)
{
	const struct meeting *m = &o->meeting[meeting];
	const struct reserved *r;
	uint8_t key[KEY_LEN];

	if (m->orb && !m->notice && m->reservation >= 0 &&
	    is_live(&o->res[m->reservation]) &&
	    o->res[m->reservation].room == room)
		return m->reservation;
	office_key(o, room, m, key);
	for (int i = (int)o->nres; i-- > 0;) {
		r = &o->res[i];
		if (r->linked && is_live(r) && r->room == room &&
		    memcmp(r->key, key, KEY_LEN) == 0)
			return i;
	}
	return -1;
}

int
meeting_of_reservation(const struct office *o, int res)
{
	const struct reserved *r = &o->res[res];
	const struct meeting *m;
	uint8_t key[KEY_LEN];

	for (int i = (int)o->nmeetings; i-- > 0;) {
		m = &o->meeting[i];
		if (m->orb && !m->notice && m->reservation == res && !m->gone)
			return i;
	}
	for (int i = (int)o->nmeetings; r->linked && i-- > 0;)
		for (int room = 0; room < ROOMS; room++) {
			office_key(o, room, &o->meeting[i], key);
			if (memcmp(key, r->key, KEY_LEN) == 0)
				return i;
		}
	return -1;
}

int
rival_reservation(
    const struct office *o, int room, int64_t start, int64_t end, int not_res)
{
	const struct reserved *r;

	for (int i = 0; i < (int)o->nres; i++) {
		r = &o->res[i];
		if (i != not_res && r->room == room && is_live(r) &&
		    !(r->marks & MARK_ARCHIVED) &&
		    overlap(start, end, r->start, r->end))
			return i;
	}
	return -1;
}

int
rival_copy(const struct office *o, int room, int64_t start, int64_t end,
    int not_meeting)
{
	const struct copy *c;

	for (int i = 0; i < (int)o->nmeetings; i++) {
		c = &o->meeting[i].copy[room];
		if (i != not_meeting && is_on(c) &&
		    overlap(start, end, c->start, c->end))
			return i;
	}
	return -1;
}
