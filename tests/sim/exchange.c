/*
 * exchange.c: mailboxes, meetings and their copies as plain data.  What a
 * room does with an invitation is in booking.c, when a series happens is in
 * recur.c, how it looks on the wire is in graph_*.c.
 */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exchange.h"
#include "random.h"
#include "text.h"

struct exchange exchange;

void
exchange_start(void)
{
	memset(&exchange, 0, sizeof(exchange));
	exchange.mailboxes.fold = 1;
	exchange.seq = 1;
	random_fill(RANDOM_KEY, exchange.key, sizeof(exchange.key));
}

static void
event_free(struct event *e)
{
	size_t i;

	for (i = 0; i < e->nchanges; i++)
		free(e->changes[i].subject);
	for (i = 0; i < e->nprops; i++) {
		free(e->props[i].id);
		free(e->props[i].value);
	}
	free(e->changes);
	free(e->props);
	free(e->rec);
	free(e->subject);
	free(e->body);
	free(e->location);
	free(e->zone_shown);
	free(e);
}

static void
meeting_free(void *p)
{
	struct meeting *m = p;
	size_t i;

	for (i = 0; i < m->nattendees; i++) {
		free(m->attendees[i].email);
		free(m->attendees[i].name);
	}
	for (i = 0; i < m->ndropped; i++)
		free(m->dropped[i]);
	for (i = 0; i < m->nreplies; i++)
		free(m->replies[i].email);
	free(m->dropped);
	free(m->replies);
	free(m->attendees);
	free(m->copies);
	free(m->uid);
	free(m->transaction);
	free(m);
}

static void
mailbox_free(void *p)
{
	struct mailbox *mb = p;

	free(mb->email);
	free(mb->name);
	free(mb->location);
	free(mb->events);
	free(mb);
}

void
exchange_end(void)
{
	uint32_t i;

	for (i = 0; i < exchange.nevents; i++)
		event_free(exchange.events[i]);
	free(exchange.events);
	free(exchange.rooms);
	map_free(&exchange.meetings, meeting_free);
	map_free(&exchange.transactions, NULL);
	map_free(&exchange.mailboxes, mailbox_free);
}

struct mailbox *
mailbox_find(const char *email)
{
	return map_get(&exchange.mailboxes, email);
}

/* The mailbox of an address, made when there is none. */
struct mailbox *
mailbox_new(const char *email, const char *name, int room)
{
	struct mailbox *mb = mailbox_find(email);
	unsigned char in[128];
	unsigned int i;

	if (mb == NULL) {
		mb = zalloc(sizeof(*mb));
		mb->email = text_dup(email);
		mb->number = exchange.nmailboxes++;
		for (i = 0; i < 3; i++) {
			(void)snprintf(
			    (char *)in, sizeof(in), "%u %.100s", i, email);
			SHA256(in, strlen((char *)in), mb->mark + 32 * i);
		}
		mb->zone = zone_find("UTC");
		map_put(&exchange.mailboxes, email, mb);
	}
	if (name != NULL || mb->name == NULL)
		set_text(&mb->name, name ? name : email);
	if (room && !mb->is_room) {
		mb->is_room = 1;
		mb->policy = (struct room_policy){.add_organizer = 1,
		    .delete_subject = 1,
		    .delete_comments = 1,
		    .remove_private = 1,
		    .auto_accept = 1,
		    .accept_delay = -1,
		    .booking_window = 180,
		    .enforce_horizon = 1,
		    .max_minutes = 1440};
		exchange.rooms = grow(exchange.rooms, exchange.nrooms + 1,
		    sizeof(*exchange.rooms));
		exchange.rooms[exchange.nrooms++] = mb;
	}
	return mb;
}

/* A number that is worth growing for: doubles at powers of two. */
static int
full(size_t n)
{
	return (n & (n - 1)) == 0;
}

struct event *
event_new(struct mailbox *mb, struct meeting *m)
{
	struct event *e = zalloc(sizeof(*e));

	if (full(exchange.nevents))
		exchange.events = grow(exchange.events,
		    exchange.nevents ? exchange.nevents * 2 : 1, sizeof(e));
	exchange.events[exchange.nevents++] = e;
	if (full(mb->nevents))
		mb->events = grow(
		    mb->events, mb->nevents ? mb->nevents * 2 : 1, sizeof(e));
	mb->events[mb->nevents++] = e;
	m->copies = grow(m->copies, m->ncopies + 1, sizeof(e));
	m->copies[m->ncopies++] = e;
	e->serial = exchange.nevents;
	e->mailbox = mb;
	e->meeting = m;
	e->zone = mb->zone;
	e->created = when_now();
	event_touch(e, 1);
	e->born = e->changed;
	return e;
}

/* Says that a copy changed, and whether its occurrences moved with it. */
void
event_touch(struct event *e, int repatterned)
{
	e->changed = ++exchange.seq;
	if (repatterned)
		e->repatterned = e->changed;
	e->modified = when_now();
}

/* Takes a copy out of its mailbox; only its tombstone stays. */
void
event_drop(struct event *e)
{
	e->removed = 1;
	if (e->accept_at) {
		e->accept_at = 0;
		exchange.pending--;
	}
	event_touch(e, 0);
}

/* The change at an original start; with make, one that moves nothing yet. */
struct change *
event_change(struct event *e, int64_t original, int make)
{
	struct change *c;
	size_t i;

	for (i = 0; i < e->nchanges; i++)
		if (e->changes[i].original == original)
			return &e->changes[i];
	if (!make)
		return NULL;
	e->changes = grow(e->changes, e->nchanges + 1, sizeof(*c));
	c = &e->changes[e->nchanges++];
	memset(c, 0, sizeof(*c));
	c->original = c->start = original;
	c->end = zone_utc(e->zone,
	    zone_wall(e->zone, original) + zone_wall(e->zone, e->end) -
		zone_wall(e->zone, e->start));
	return c;
}

/* Whether an event is of whole days, or one date of it that was changed. */
int
event_all_day(const struct event *e, const struct change *c)
{
	return c != NULL && c->all_day != 0 ? c->all_day == 1 : e->all_day;
}

void
event_forget_changes(struct event *e)
{
	size_t i;

	for (i = 0; i < e->nchanges; i++)
		free(e->changes[i].subject);
	free(e->changes);
	e->changes = NULL;
	e->nchanges = 0;
}

void
event_property(struct event *e, const char *id, const char *value)
{
	size_t i;

	for (i = 0; i < e->nprops; i++)
		if (strcmp(e->props[i].id, id) == 0) {
			set_text(&e->props[i].value, value);
			return;
		}
	e->props = grow(e->props, e->nprops + 1, sizeof(*e->props));
	e->props[e->nprops].id = text_dup(id);
	e->props[e->nprops++].value = text_dup(value);
}

static void
uid_new(char *out, size_t size)
{
	unsigned char r[24];
	size_t i, n;

	random_fill(RANDOM_UID, r, sizeof(r));
	n = (size_t)snprintf(
	    out, size, "040000008200E00074C5B7101A82E00800000000");
	for (i = 0; i < sizeof(r); i++)
		n += (size_t)snprintf(out + n, size - n, "%02X", r[i]);
}

/*
 * The iCalUId Graph shows on an occurrence: the series' own with the date of
 * the original start in its bytes 16 to 19.  out holds at least as many bytes
 * as uid.
 */
void
uid_of_occurrence(const char *uid, int64_t wall, char *out, size_t size)
{
	char date[9];
	int y, m, d;

	(void)snprintf(out, size, "%s", uid);
	if (strncmp(uid, "040000008200E00074C5B7101A82E008", 32) != 0 ||
	    strlen(uid) < 40 || size < 41)
		return;
	day_split(day_floor(wall), &y, &m, &d);
	(void)snprintf(date, sizeof(date), "%04X%02X%02X", (unsigned)y & 0xffff,
	    (unsigned)m & 0xff, (unsigned)d & 0xff);
	memcpy(out + 32, date, 8);
}

struct meeting *
meeting_new(struct mailbox *organiser, const char *uid)
{
	struct meeting *m = zalloc(sizeof(*m));
	char fresh[128];

	if (uid == NULL) {
		uid_new(fresh, sizeof(fresh));
		uid = fresh;
	}
	m->uid = text_dup(uid);
	map_put(&exchange.meetings, uid, m);
	m->own = event_new(organiser, m);
	m->own->response = RESPONSE_ORGANIZER;
	return m;
}

struct meeting *
meeting_find(const char *uid)
{
	return map_get(&exchange.meetings, uid);
}

struct attendee *
meeting_attendee(struct meeting *m, const char *email)
{
	size_t i;

	for (i = 0; i < m->nattendees; i++)
		if (strcasecmp(m->attendees[i].email, email) == 0)
			return &m->attendees[i];
	return NULL;
}

struct attendee *
meeting_invite(struct meeting *m, const char *email, const char *name,
    enum attendee_type type)
{
	struct attendee *a = meeting_attendee(m, email);

	if (a == NULL) {
		m->attendees =
		    grow(m->attendees, m->nattendees + 1, sizeof(*a));
		a = &m->attendees[m->nattendees++];
		memset(a, 0, sizeof(*a));
		a->email = text_dup(email);
		a->name = text_dup(name ? name : email);
	}
	a->type = type;
	return a;
}

void
meeting_uninvite(struct meeting *m, const char *email)
{
	struct attendee *a = meeting_attendee(m, email);

	if (a == NULL)
		return;
	if (a->told) {
		m->dropped =
		    grow(m->dropped, m->ndropped + 1, sizeof(*m->dropped));
		m->dropped[m->ndropped++] = a->email;
	} else
		free(a->email);
	free(a->name);
	*a = m->attendees[--m->nattendees];
}

/* The live copy of a meeting in a mailbox, or NULL; not of one date alone. */
struct event *
meeting_copy(const struct meeting *m, const struct mailbox *mb)
{
	size_t i;

	for (i = 0; i < m->ncopies; i++)
		if (m->copies[i]->mailbox == mb && !m->copies[i]->removed &&
		    m->copies[i]->instance == 0)
			return m->copies[i];
	return NULL;
}

/* What a mailbox said to one occurrence; with make, made when there is none. */
struct reply *
meeting_reply(struct meeting *m, const char *email, int64_t original, int make)
{
	struct reply *r;
	size_t i;

	for (i = 0; i < m->nreplies; i++)
		if (m->replies[i].original == original &&
		    strcasecmp(m->replies[i].email, email) == 0)
			return &m->replies[i];
	if (!make)
		return NULL;
	m->replies = grow(m->replies, m->nreplies + 1, sizeof(*r));
	r = &m->replies[m->nreplies++];
	memset(r, 0, sizeof(*r));
	r->email = text_dup(email);
	r->original = original;
	return r;
}

/* Forgets replies to one occurrence, or with WHEN_NONE to all of them. */
void
meeting_forget_replies(struct meeting *m, int64_t original)
{
	size_t i, kept = 0;

	for (i = 0; i < m->nreplies; i++)
		if (original == WHEN_NONE || m->replies[i].original == original)
			free(m->replies[i].email);
		else
			m->replies[kept++] = m->replies[i];
	m->nreplies = kept;
}
