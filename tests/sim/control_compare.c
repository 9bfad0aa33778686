/*
 * control_compare.c: both sides as plain rows, and whether they agree.  The
 * comparison knows nothing of how the product thinks: a booking that a room
 * has accepted must have exactly one live reservation in the room's location,
 * of the same minutes, for the organiser's person (unless a room or the
 * service mailbox booked it for somebody); and each live reservation of a
 * mapped room exactly one such booking, one in each of its rooms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control.h"
#include "topdesk.h"

#define LISTED 50

struct booking {
	const struct event *event;
	struct occurrence occ;
	int64_t start; /* as a reservation must have it */
	int64_t end;
	const char *state;
	struct reservation *match;
};

struct bookings {
	struct booking *v;
	size_t n;
	size_t cap;
};

static void
window(json_t *a, int64_t *from, int64_t *to)
{
	if (arg_time(a, "from", NULL, from) == -1)
		*from = when_now() - 10 * 365 * (int64_t)DAY;
	if (arg_time(a, "to", NULL, to) == -1)
		*to = when_now() + 3 * 365 * (int64_t)DAY;
}

/* All-day is dates in the room's zone; all others are whole minutes. */
static void
booking_times(struct booking *b)
{
	const struct event *e = b->event;

	b->start = b->occ.start;
	b->end = b->occ.end;
	if (event_all_day(e, b->occ.change)) {
		b->start =
		    zone_utc(e->mailbox->zone, zone_wall(e->zone, b->start));
		b->end = zone_utc(e->mailbox->zone, zone_wall(e->zone, b->end));
	}
	b->start -= b->start % 60;
	b->end -= b->end % 60;
}

static void
room_bookings(
    const struct mailbox *room, int64_t from, int64_t to, struct bookings *out)
{
	struct occurrences l = {0};
	size_t i, k;

	for (i = 0; i < room->nevents; i++) {
		const struct event *e = room->events[i];

		/* A note in the room's own calendar takes no time. */
		if (e->removed || (e->free && e == e->meeting->own))
			continue;
		l.n = 0;
		event_occurrences(e, from, to, &l);
		for (k = 0; k < l.n; k++) {
			struct booking b = {.event = e, .occ = l.v[k]};

			b.state = e->cancelled ||
				(l.v[k].change && l.v[k].change->cancelled)
			    ? "cancelled"
			    : e->response == RESPONSE_ACCEPTED ||
				e->response == RESPONSE_ORGANIZER
			    ? "booked"
			    : "tentative";
			booking_times(&b);
			if (out->n == out->cap) {
				out->cap = out->cap ? out->cap * 2 : 64;
				out->v = grow(out->v, out->cap, sizeof(b));
			}
			out->v[out->n++] = b;
		}
	}
	free(l.v);
}

static json_t *
booking_json(const struct booking *b)
{
	const struct event *e = b->event;
	const struct change *c = b->occ.change;
	char s[32], t[32], o[32];

	when_print(b->start, s);
	when_print(b->end, t);
	when_print(b->occ.original, o);
	return json_pack("{s:s,s:s?,s:s,s:s?,s:s,s:s,s:b,s:s?,s:s,s:s}", "room",
	    e->mailbox->email, "location", e->mailbox->location, "uid",
	    e->meeting->uid, "original_start", e->rec ? o : NULL, "start", s,
	    "end", t, "all_day", event_all_day(e, c), "subject",
	    c && c->subject ? c->subject : e->subject, "organiser",
	    e->meeting->own->mailbox->email, "state", b->state);
}

static json_t *
row_json(const struct reservation *r)
{
	json_t *o, *link = json_null();
	char s[32], t[32];

	when_print(r->start, s);
	when_print(r->end, t);
	if (r->link_id != NULL)
		link = json_pack(
		    "{s:s,s:s}", "id", r->link_id, "type", r->link_type);
	o = json_pack("{s:s,s:s,s:s?,s:s,s:s,s:s,s:s?,s:s?,s:o}", "id", r->id,
	    "number", r->number, "location",
	    r->nfacilities ? r->facilities[0].location->id : NULL, "start", s,
	    "end", t, "status", status_names[r->status], "briefDescription",
	    r->brief, "requester_email",
	    r->requester ? r->requester->email : NULL, "external_link", link);
	return o;
}

json_t *
cmd_dump(json_t *a, const char **why)
{
	const char *side = arg_text(a, "side");
	struct bookings b = {0};
	json_t *rows;
	int64_t from, to;
	size_t i;

	window(a, &from, &to);
	if (side == NULL ||
	    (strcmp(side, "exchange") != 0 && strcmp(side, "topdesk") != 0)) {
		*why = "side";
		return NULL;
	}
	rows = json_array();
	if (strcmp(side, "topdesk") == 0) {
		for (i = 0; i < topdesk.all.n; i++)
			if (topdesk.all.v[i]->start < to &&
			    topdesk.all.v[i]->end > from)
				json_array_append_new(
				    rows, row_json(topdesk.all.v[i]));
	} else {
		for (i = 0; i < exchange.nrooms; i++)
			room_bookings(exchange.rooms[i], from, to, &b);
		for (i = 0; i < b.n; i++)
			json_array_append_new(rows, booking_json(&b.v[i]));
		free(b.v);
	}
	return json_pack("{s:o}", "rows", rows);
}

struct report {
	const char *link_type;
	const char *fallback;
	int tentative;
	int64_t from;
	int64_t to;
	struct map claimed; /* id of reservation -> booking */
	json_int_t counts[4];
	json_t *lists[4];
	json_int_t bookings;
	json_int_t reservations;
};

enum { MISSING, EXTRA, DIFFERENT, DUPLICATES };
static const char *const list_names[] = {
    "missing", "extra", "different", "duplicates"};

static void
note(struct report *rep, int which, const struct booking *b,
    const struct reservation *r, const char *what)
{
	json_t *o;

	if (rep->counts[which]++ >= LISTED)
		return;
	o = json_object();
	if (b != NULL)
		json_object_set_new(o, "booking", booking_json(b));
	if (r != NULL)
		json_object_set_new(o, "reservation", row_json(r));
	if (what != NULL)
		json_object_set_new(o, "what", json_string(what));
	json_array_append_new(rep->lists[which], o);
}

static int
live(const struct report *rep, const struct reservation *r)
{
	return r->status == PLANNED && !r->archived &&
	    (rep->link_type == NULL ||
		(r->link_type != NULL &&
		    strcmp(r->link_type, rep->link_type) == 0));
}

static int
person_right(const struct report *rep, const struct booking *b,
    const struct reservation *r)
{
	const struct meeting *m = b->event->meeting;
	const struct mailbox *own = m->own->mailbox;
	struct person *p = map_get(&topdesk.emails, own->email);

	if (r->requester == NULL)
		return 0;
	if (own->is_room ||
	    strcasecmp(own->email, settings.service_mailbox) == 0)
		return 1; /* booked for somebody else */
	if (p != NULL)
		return p == r->requester ||
		    (r->requester->email != NULL &&
			strcasecmp(r->requester->email, p->email) == 0);
	return rep->fallback != NULL && r->requester->email != NULL &&
	    strcasecmp(r->requester->email, rep->fallback) == 0;
}

/* A reservation of two rooms has a booking in each of them. */
static struct booking *
claimed_by(struct report *rep, const struct reservation *r,
    const struct location *l, struct booking *b)
{
	char key[80];

	(void)snprintf(key, sizeof(key), "%s %s", r->id, l->id);
	if (b != NULL)
		map_put(&rep->claimed, key, b);
	return map_get(&rep->claimed, key);
}

enum closeness { EXACT, NEAR };

/* An unclaimed live reservation of a booking's times, or that meets them. */
static struct reservation *
match(struct report *rep, const struct booking *b, const struct location *l,
    enum closeness how)
{
	size_t i;

	for (i = rows_at(&l->booked, b->start - topdesk.longest);
	     i < l->booked.n && l->booked.v[i]->start < b->end; i++) {
		struct reservation *r = l->booked.v[i];

		if (live(rep, r) && r->end > b->start &&
		    (how == NEAR ||
			(r->start == b->start && r->end == b->end)) &&
		    claimed_by(rep, r, l, NULL) == NULL)
			return r;
	}
	return NULL;
}

static int
counts(const struct report *rep, const struct booking *b)
{
	return strcmp(b->state, "booked") == 0 ||
	    (rep->tentative && b->state[0] == 't');
}

/*
 * Each booking claims one reservation of its times; those left of the same
 * times are duplicates, then one that meets a booking is that one at another
 * time.
 */
static void
compare_bookings(
    struct report *rep, struct bookings *all, const struct location *l)
{
	struct reservation *r;
	struct booking *b;

	for (b = all->v; b < all->v + all->n; b++) {
		if (!counts(rep, b))
			continue;
		rep->bookings++;
		if ((b->match = match(rep, b, l, EXACT)) != NULL)
			(void)claimed_by(rep, b->match, l, b);
	}
	for (b = all->v; b < all->v + all->n; b++)
		while (b->match && (r = match(rep, b, l, EXACT)) != NULL) {
			(void)claimed_by(rep, r, l, b);
			note(rep, DUPLICATES, b, r, "reservation");
		}
	for (b = all->v; b < all->v + all->n; b++) {
		if (!counts(rep, b))
			continue;
		if (b->match != NULL) {
			if (!person_right(rep, b, b->match))
				note(rep, DIFFERENT, b, b->match, "requester");
		} else if ((r = match(rep, b, l, NEAR)) != NULL) {
			(void)claimed_by(rep, r, l, b);
			note(rep, DIFFERENT, b, r, "time");
		} else
			note(rep, MISSING, b, NULL, NULL);
	}
}

static void
compare_room(struct report *rep, const struct mailbox *room)
{
	struct location *l = map_get(&topdesk.locations, room->location);
	struct bookings b = {0};
	size_t i;

	room_bookings(room, rep->from, rep->to, &b);
	if (b.n > 0)
		compare_bookings(rep, &b, l);
	for (i = 0; i < l->booked.n; i++) {
		struct reservation *r = l->booked.v[i];

		if (!live(rep, r) || r->start >= rep->to || r->end <= rep->from)
			continue;
		rep->reservations++;
		if (claimed_by(rep, r, l, NULL) == NULL)
			note(rep, EXTRA, NULL, r, NULL);
	}
	free(b.v);
}

/* One reservation as two meetings in one room: the same tag on two that are
 * live.  A reservation of several rooms may have a meeting in each. */
static json_int_t
tag_taken(struct report *rep, struct map *seen, const char *tag,
    const char *room, struct event *e)
{
	char key[800];

	(void)snprintf(key, sizeof(key), "%s %s", tag, room);
	if (map_get(seen, key) != NULL) {
		note(rep, DUPLICATES, NULL, NULL, key);
		return 1;
	}
	map_put(seen, key, e);
	return 0;
}

static json_int_t
tag_count(
    struct report *rep, struct map *seen, const char *tag, struct event *e)
{
	const struct meeting *m = e->meeting;
	json_int_t n = 0;
	size_t i;

	if (e->mailbox->is_room)
		n += tag_taken(rep, seen, tag, e->mailbox->email, e);
	for (i = 0; i < m->nattendees; i++)
		if (m->attendees[i].type == ATTENDEE_RESOURCE)
			n +=
			    tag_taken(rep, seen, tag, m->attendees[i].email, e);
	return n;
}

static json_int_t
duplicate_tags(struct report *rep)
{
	struct map seen = {0};
	json_int_t n = 0;
	uint32_t i;
	size_t k;

	for (i = 0; i < exchange.nevents; i++) {
		struct event *e = exchange.events[i];

		if (e->removed || e->cancelled || e != e->meeting->own)
			continue;
		for (k = 0; k < e->nprops; k++)
			if (strncmp(e->props[k].value, "topdesk:", 8) == 0)
				n +=
				    tag_count(rep, &seen, e->props[k].value, e);
	}
	map_free(&seen, NULL);
	return n;
}

/* One meeting as two reservations: the same link on two that are live. */
static json_int_t
duplicate_links(struct report *rep)
{
	struct map seen = {0};
	json_int_t n = 0;
	size_t i;

	for (i = 0; i < topdesk.all.n; i++) {
		struct reservation *r = topdesk.all.v[i];

		if (r->link_id == NULL || !live(rep, r))
			continue;
		if (map_get(&seen, r->link_id) != NULL) {
			n++;
			note(rep, DUPLICATES, NULL, r, "link");
		}
		map_put(&seen, r->link_id, r);
	}
	map_free(&seen, NULL);
	return n;
}

json_t *
cmd_compare(json_t *a, const char **why)
{
	struct report rep = {.link_type = arg_text(a, "link_type"),
	    .fallback = arg_text(a, "fallback"),
	    .tentative = arg_int(a, "tentative", 0)};
	json_int_t rooms = 0, tags, links;
	char count[32];
	json_t *o;
	size_t i;
	int k, equal = 1;

	(void)why;
	window(a, &rep.from, &rep.to);
	for (k = 0; k < 4; k++)
		rep.lists[k] = json_array();
	for (i = 0; i < exchange.nrooms; i++)
		if (exchange.rooms[i]->location != NULL) {
			compare_room(&rep, exchange.rooms[i]);
			rooms++;
		}
	map_free(&rep.claimed, NULL);
	tags = duplicate_tags(&rep);
	links = duplicate_links(&rep);
	for (k = 0; k < 4; k++)
		equal = equal && rep.counts[k] == 0;
	o = json_pack("{s:b,s:I,s:I,s:I,s:I,s:I}", "equal", equal, "rooms",
	    rooms, "bookings", rep.bookings, "reservations", rep.reservations,
	    "duplicate_tags", tags, "duplicate_links", links);
	for (k = 0; k < 4; k++) {
		(void)snprintf(count, sizeof(count), "%s_count", list_names[k]);
		json_object_set_new(o, list_names[k], rep.lists[k]);
		json_object_set_new(o, count, json_integer(rep.counts[k]));
	}
	return o;
}
