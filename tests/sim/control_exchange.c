/*
 * control_exchange.c: commands that do what people do in Outlook.  They
 * change the organiser's copy and let booking.c do the rest.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control.h"
#include "topdesk.h"

static json_t *
fail(const char **why, const char *text)
{
	*why = text;
	return NULL;
}

static void
room_settings(struct mailbox *mb, json_t *s)
{
	struct room_policy *p = &mb->policy;

	p->add_organizer =
	    arg_int(s, "add_organizer_to_subject", p->add_organizer);
	p->delete_subject = arg_int(s, "delete_subject", p->delete_subject);
	p->delete_comments = arg_int(s, "delete_comments", p->delete_comments);
	p->remove_private = arg_int(s, "remove_private", p->remove_private);
	p->remove_cancelled =
	    arg_int(s, "remove_cancelled", p->remove_cancelled);
	p->allow_conflicts = arg_int(s, "allow_conflicts", p->allow_conflicts);
	p->auto_accept = arg_int(s, "auto_accept", p->auto_accept);
	p->silent = arg_int(s, "silent", p->silent);
	p->accept_delay = arg_int(s, "accept_delay_ms", p->accept_delay);
	p->booking_window =
	    arg_int(s, "booking_window_days", p->booking_window);
	p->enforce_horizon = arg_int(s, "enforce_horizon", p->enforce_horizon);
	p->max_minutes = arg_int(s, "maximum_duration_minutes", p->max_minutes);
	p->max_conflicts =
	    arg_int(s, "maximum_conflict_instances", p->max_conflicts);
}

json_t *
cmd_add_room(json_t *a, const char **why)
{
	const char *email = arg_text(a, "mailbox"), *place;
	struct mailbox *mb;
	struct location *l;

	if (email == NULL)
		return fail(why, "mailbox");
	if (arg_text(a, "zone") && zone_find(arg_text(a, "zone")) == NULL)
		return fail(why, "zone");
	mb = mailbox_new(email, arg_text(a, "name"), 1);
	if (arg_text(a, "zone"))
		mb->zone = zone_find(arg_text(a, "zone"));
	room_settings(mb, json_object_get(a, "settings"));
	place = arg_text(a, "location");
	if (mb->location == NULL && !arg_int(a, "unmapped", 0)) {
		l = location_new(place ? place : mb->name);
		l->mailbox = text_dup(email);
		mb->location = text_dup(l->id);
	}
	return json_pack("{s:s,s:s,s:s?}", "mailbox", mb->email, "name",
	    mb->name, "location", mb->location);
}

static struct meeting *
meeting_arg(json_t *a, const char **why)
{
	const char *uid = arg_text(a, "uid");
	struct meeting *m = uid ? meeting_find(uid) : NULL;

	if (m == NULL)
		*why = "no meeting has this uid";
	return m;
}

static const struct zone *
zone_arg(json_t *a, const struct zone *otherwise)
{
	const char *name = arg_text(a, "zone");

	return name ? zone_find(name) : otherwise;
}

static json_t *
meeting_view(const struct meeting *m)
{
	static const char *const words[] = {"none", "organizer", "tentative",
	    "accepted", "declined", "waiting"};
	json_t *who = json_object();
	char s[32], e[32];
	size_t i;

	for (i = 0; i < m->nattendees; i++)
		json_object_set_new(who, m->attendees[i].email,
		    json_string(words[m->attendees[i].response]));
	when_print(m->own->start, s);
	when_print(m->own->end, e);
	return json_pack("{s:i,s:s,s:s,s:s,s:s?,s:b,s:o}", "id",
	    (int)m->own->serial, "uid", m->uid, "start", s, "end", e, "subject",
	    m->own->subject, "cancelled", m->own->cancelled, "responses", who);
}

json_t *
cmd_meeting_get(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);

	return m ? meeting_view(m) : NULL;
}

static void
invite_rooms(struct meeting *m, json_t *rooms)
{
	struct mailbox *mb;
	size_t i;
	json_t *v;

	json_array_foreach(
	    rooms, i, v) if ((mb = mailbox_find(json_string_value(v)
				      ? json_string_value(v)
				      : "")) != NULL)(void)
	    meeting_invite(m, mb->email, mb->name, ATTENDEE_RESOURCE);
}

json_t *
cmd_meeting_create(json_t *a, const char **why)
{
	const char *who = arg_text(a, "organiser"), *text;
	const struct zone *z = zone_arg(a, zone_find("UTC"));
	json_t *v, *rec = json_object_get(a, "recurrence");
	struct recurrence *r = NULL;
	struct mailbox *mb;
	struct meeting *m;
	int64_t start, end;
	size_t i;

	if (who == NULL || z == NULL || arg_time(a, "start", z, &start) == -1 ||
	    arg_time(a, "end", z, &end) == -1 || end < start)
		return fail(why, "organiser, zone, start or end");
	if (rec != NULL && recurrence_parse(rec, &r, why) == -1)
		return NULL;
	if (arg_text(a, "uid") && meeting_find(arg_text(a, "uid"))) {
		free(r);
		return fail(why, "this uid is taken");
	}
	mb = mailbox_new(who, NULL, 0);
	if (!mb->is_room && arg_int(a, "person", 1) &&
	    map_get(&topdesk.emails, who) == NULL)
		(void)person_new(who, mb->name, 0);
	m = meeting_new(mb, arg_text(a, "uid"));
	m->own->start = start;
	m->own->end = end;
	m->own->zone = z;
	m->own->all_day = arg_int(a, "all_day", 0);
	m->own->private = arg_int(a, "private", 0);
	m->own->rec = r;
	set_text(&m->own->subject, arg_text(a, "subject"));
	set_text(&m->own->body, arg_text(a, "body"));
	set_text(&m->own->location, arg_text(a, "location"));
	set_text(&m->own->zone_shown, arg_text(a, "zone_name_shown"));
	m->no_response = !arg_int(a, "response_requested", 1);
	invite_rooms(m, json_object_get(a, "rooms"));
	json_array_foreach(json_object_get(a, "attendees"), i,
	    v) if ((text = json_string_value(v)) != NULL)(void)
	    meeting_invite(m, text, NULL, ATTENDEE_REQUIRED);
	booking_deliver(m, BOOKING_REPATTERN);
	return meeting_view(m);
}

json_t *
cmd_meeting_move(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);
	const struct zone *z = m ? zone_arg(a, m->own->zone) : NULL;
	struct event *e;
	int64_t start, end;

	if (m == NULL)
		return NULL;
	e = m->own;
	if (z == NULL || arg_time(a, "start", z, &start) == -1 ||
	    arg_time(a, "end", z, &end) == -1)
		return fail(why, "start or end");
	e->start = start;
	e->end = end;
	e->zone = z;
	e->all_day = arg_int(a, "all_day", e->all_day);
	if (e->rec != NULL) {
		e->rec->end_day +=
		    day_floor(zone_wall(z, start)) - e->rec->start_day;
		e->rec->start_day = day_floor(zone_wall(z, start));
		event_forget_changes(e);
	}
	booking_deliver(m, BOOKING_REPATTERN);
	return meeting_view(m);
}

json_t *
cmd_meeting_rooms(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);
	json_t *rooms = json_object_get(a, "rooms"), *v;
	size_t i, k;
	int keep;

	if (m == NULL)
		return NULL;
	for (k = m->nattendees; k > 0; k--) {
		keep = m->attendees[k - 1].type != ATTENDEE_RESOURCE;
		json_array_foreach(rooms, i, v) keep |= json_is_string(v) &&
		    strcasecmp(
			json_string_value(v), m->attendees[k - 1].email) == 0;
		if (!keep)
			meeting_uninvite(m, m->attendees[k - 1].email);
	}
	invite_rooms(m, rooms);
	booking_deliver(m, 0);
	return meeting_view(m);
}

json_t *
cmd_meeting_subject(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);

	if (m == NULL)
		return NULL;
	if (arg_text(a, "subject"))
		set_text(&m->own->subject, arg_text(a, "subject"));
	if (arg_text(a, "body"))
		set_text(&m->own->body, arg_text(a, "body"));
	m->own->private = arg_int(a, "private", m->own->private);
	booking_deliver(m, 0);
	return meeting_view(m);
}

json_t *
cmd_meeting_cancel(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);

	if (m == NULL)
		return NULL;
	booking_cancel(m, 0);
	return meeting_view(m);
}

json_t *
cmd_meeting_delete(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);
	const char *room = arg_text(a, "room");
	struct mailbox *mb = room ? mailbox_find(room) : NULL;
	struct event *e;

	if (m == NULL)
		return NULL;
	if (room == NULL)
		booking_cancel(m, 1);
	else if (mb == NULL || (e = meeting_copy(m, mb)) == NULL)
		return fail(why, "not in this room");
	else
		event_drop(e);
	return meeting_view(m);
}

json_t *
cmd_meeting_respond(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);
	const char *room = arg_text(a, "room"), *r = arg_text(a, "response");
	struct mailbox *mb = room ? mailbox_find(room) : NULL;
	struct event *e = m && mb ? meeting_copy(m, mb) : NULL;
	struct attendee *who = m && room ? meeting_attendee(m, room) : NULL;
	enum response answer;

	if (m == NULL)
		return NULL;
	if (r == NULL || (e == NULL && (who == NULL || (mb && mb->is_room))))
		return fail(why, "room or response");
	answer = strcmp(r, "accepted") == 0 ? RESPONSE_ACCEPTED
	    : strcmp(r, "declined") == 0    ? RESPONSE_DECLINED
	    : strcmp(r, "tentative") == 0   ? RESPONSE_TENTATIVE
					    : RESPONSE_WAITING;
	if (e != NULL)
		booking_respond(e, answer);
	else { /* a person, who has no copy here */
		who->response = answer;
		who->answered = when_now();
		mail_send(MAIL_RESPONSE, room, m->own->mailbox->email, m);
		event_touch(m->own, 0);
	}
	return meeting_view(m);
}

json_t *
cmd_occurrence_move(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);
	const struct zone *z = m ? zone_arg(a, m->own->zone) : NULL;
	int64_t original, start, end;

	if (m == NULL)
		return NULL;
	if (z == NULL || arg_time(a, "original_start", z, &original) == -1 ||
	    arg_time(a, "start", z, &start) == -1 ||
	    arg_time(a, "end", z, &end) == -1)
		return fail(why, "original_start, start or end");
	if (json_object_get(a, "all_day") != NULL &&
	    event_has_occurrence(m->own, original))
		event_change(m->own, original, 1)->all_day =
		    arg_int(a, "all_day", 0) ? 1 : 2;
	if (booking_move_occurrence(
		m, original, start, end, arg_text(a, "subject")) == -1)
		return fail(why, "no occurrence has this original_start");
	return meeting_view(m);
}

static json_t *
occurrence_drop(json_t *a, const char **why, int trace)
{
	struct meeting *m = meeting_arg(a, why);
	int64_t original;

	if (m == NULL)
		return NULL;
	if (arg_time(a, "original_start", m->own->zone, &original) == -1 ||
	    booking_drop_occurrence(m, original, trace) == -1)
		return fail(why, "no occurrence has this original_start");
	return meeting_view(m);
}

json_t *
cmd_occurrence_cancel(json_t *a, const char **why)
{
	return occurrence_drop(a, why, 1);
}

json_t *
cmd_occurrence_delete(json_t *a, const char **why)
{
	return occurrence_drop(a, why, 0);
}

json_t *
cmd_occurrence_rooms(json_t *a, const char **why)
{
	json_t *rooms = json_object_get(a, "rooms"), *v;
	struct meeting *m = meeting_arg(a, why);
	struct mailbox *to[16];
	int64_t original;
	size_t i, n = 0;

	if (m == NULL)
		return NULL;
	json_array_foreach(rooms, i, v)
	{
		if (n == 16 || !json_is_string(v) ||
		    (to[n++] = mailbox_find(json_string_value(v))) == NULL)
			return fail(why, "rooms");
	}
	if (arg_time(a, "original_start", m->own->zone, &original) == -1 ||
	    instance_rooms(m, original, to, n) == -1)
		return fail(why, "no occurrence has this original_start");
	return meeting_view(m);
}

json_t *
cmd_series_repattern(json_t *a, const char **why)
{
	struct meeting *m = meeting_arg(a, why);
	struct recurrence *r;
	int64_t t;

	if (m == NULL ||
	    recurrence_parse(json_object_get(a, "recurrence"), &r, why) == -1)
		return NULL;
	free(m->own->rec);
	m->own->rec = r;
	if (arg_time(a, "start", zone_arg(a, m->own->zone), &t) == 0)
		m->own->start = t;
	if (arg_time(a, "end", zone_arg(a, m->own->zone), &t) == 0)
		m->own->end = t;
	event_forget_changes(m->own);
	booking_deliver(m, BOOKING_REPATTERN);
	return meeting_view(m);
}
