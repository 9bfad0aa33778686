/*
 * control_bulk.c: many rooms, persons and meetings at once, for benchmarks.
 * Each room's day is cut into half-hour slots, and each meeting takes slots
 * no other has, series theirs on the same weekday of every week; so there are
 * no conflicts and none is looked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "topdesk.h"

#define SLOTS 20 /* half hours from 08:00 */

struct plan {
	int64_t day; /* a Monday */
	int weeks;
	int occurrences;
	const struct zone *zone;
	unsigned int seed;
	unsigned char *taken; /* [weeks * 5][SLOTS] */
};

/* A free slot, or -1; for a series free in all weeks it lasts. */
static int
slot_take(struct plan *p, int span)
{
	int days = p->weeks * 5, tries, at, i, ok;

	for (tries = 0; tries < 400; tries++) {
		int day = rand_r(&p->seed) % days;
		int slot = rand_r(&p->seed) % SLOTS;

		if (day + (span - 1) * 5 >= days)
			continue;
		for (ok = 1, i = 0; i < span; i++)
			ok = ok && !p->taken[(day + 5 * i) * SLOTS + slot];
		if (!ok)
			continue;
		for (i = 0; i < span; i++)
			p->taken[(day + 5 * i) * SLOTS + slot] = 1;
		at = day * SLOTS + slot;
		return at;
	}
	return -1;
}

static int
bulk_meeting(struct plan *p, struct mailbox *room, struct mailbox *organiser,
    int series, int n)
{
	int at = slot_take(p, series ? p->occurrences : 1), day;
	struct recurrence *r;
	struct meeting *m;
	char subject[64];
	int64_t date;

	if (at == -1)
		return 0;
	day = at / SLOTS;
	date = p->day + day / 5 * 7 + day % 5;
	m = meeting_new(organiser, NULL);
	m->own->zone = p->zone;
	m->own->start =
	    zone_utc(p->zone, date * DAY + 8 * 3600 + at % SLOTS * 1800);
	m->own->end = m->own->start + 1800;
	(void)snprintf(subject, sizeof(subject), "%s %d of %.30s",
	    series ? "Weekly" : "Meeting", n, room->name);
	set_text(&m->own->subject, subject);
	if (series) {
		r = zalloc(sizeof(*r));
		r->type = WEEKLY;
		r->interval = 1;
		r->days = 1u << day_weekday(date);
		r->range = RANGE_NUMBERED;
		r->start_day = date;
		r->count = p->occurrences;
		m->own->rec = r;
	}
	(void)meeting_invite(m, room->email, room->name, ATTENDEE_RESOURCE);
	booking_deliver(m, BOOKING_REPATTERN | BOOKING_UNCHECKED);
	return series ? p->occurrences : 1;
}

static struct mailbox **
bulk_people(int n, const char *prefix)
{
	struct mailbox **v = zalloc((size_t)n * sizeof(*v));
	char email[96], name[96];
	int i;

	for (i = 0; i < n; i++) {
		(void)snprintf(email, sizeof(email), "%.20sperson%04d@sim.test",
		    prefix, i + 1);
		(void)snprintf(
		    name, sizeof(name), "%.20sPerson %04d", prefix, i + 1);
		v[i] = mailbox_new(email, name, 0);
		if (map_get(&topdesk.emails, email) == NULL)
			(void)person_new(email, name, 0);
	}
	return v;
}

json_t *
cmd_bulk_load(json_t *a, const char **why)
{
	int rooms = arg_int(a, "rooms", 200), i, k;
	int each = arg_int(a, "meetings_per_room", 50);
	int people = arg_int(a, "organisers", 100);
	const char *prefix = arg_text(a, "prefix") ? arg_text(a, "prefix") : "";
	json_t *share = json_object_get(a, "series_share"), *list;
	double part = share ? json_number_value(share) : 0.2;
	struct plan p = {.weeks = arg_int(a, "weeks", 12),
	    .occurrences = arg_int(a, "occurrences", 6),
	    .seed = (unsigned int)arg_int(a, "seed", 1)};
	struct mailbox **who;
	json_int_t meetings = 0, bookings = 0;
	int64_t start;

	p.zone = zone_find(arg_text(a, "zone") ? arg_text(a, "zone")
					       : "W. Europe Standard Time");
	if (arg_time(a, "start", NULL, &start) == -1)
		start = when_now() + 7 * DAY;
	if (p.zone == NULL || rooms < 1 || each < 0 || people < 1 ||
	    p.occurrences < 1 || p.weeks < p.occurrences) {
		*why = "zone, rooms, organisers, weeks or occurrences";
		return NULL;
	}
	p.day = day_floor(start);
	p.day += (8 - day_weekday(p.day)) % 7;
	p.taken = zalloc((size_t)p.weeks * 5 * SLOTS);
	who = bulk_people(people, prefix);
	list = json_array();
	for (i = 0; i < rooms; i++) {
		json_t *room = json_pack("{s:o,s:o,s:O*}", "mailbox",
		    json_sprintf("%.20sroom%04d@sim.test", prefix, i + 1),
		    "name", json_sprintf("%.20sRoom %04d", prefix, i + 1),
		    "settings", json_object_get(a, "settings"));
		struct mailbox *mb;
		int series = (int)(part * each + 0.5), got;

		json_object_set_new(
		    room, "zone", json_string(zone_name(p.zone)));
		json_array_append_new(list, cmd_add_room(room, why));
		mb = mailbox_find(arg_text(room, "mailbox"));
		json_decref(room);
		memset(p.taken, 0, (size_t)p.weeks * 5 * SLOTS);
		for (k = 0; k < each; k++) {
			got = bulk_meeting(&p, mb, who[(i * 7 + k) % people],
			    k < series, k + 1);
			bookings += got;
			meetings += got > 0;
		}
	}
	free(p.taken);
	free(who);
	return json_pack("{s:o,s:I,s:I}", "rooms", list, "meetings", meetings,
	    "bookings", bookings);
}
