/*
 * graph_write.c: what Graph lets an organiser do: make, change, cancel and
 * delete an event.  A room that is invited answers by its own policy.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph.h"

#define EVENT_MEMBERS                                                        \
	"subject body start end isAllDay showAs sensitivity "                \
	"isReminderOn reminderMinutesBeforeStart responseRequested "         \
	"allowNewTimeProposals hideAttendees location locations attendees "  \
	"transactionId singleValueExtendedProperties recurrence categories " \
	"importance isOnlineMeeting"

static int
refuse(struct request *r, const char *code, const char *text)
{
	graph_error(r, 400, code, "%s", text);
	return -1;
}

/* A dateTimeTimeZone; zone becomes the one it is in. */
static int
read_time(
    struct request *r, const char *name, int64_t *t, const struct zone **zone)
{
	json_t *v = json_object_get(r->json, name);
	const char *s = json_string_value(json_object_get(v, "dateTime"));
	int offset;

	if (v == NULL || !body_allows(r, v, "dateTime timeZone", name) ||
	    when_parse(s, t, &offset) == -1)
		return refuse(r, "ErrorInvalidParameter", name);
	*zone = zone_find(json_string_value(json_object_get(v, "timeZone")));
	if (*zone == NULL)
		return refuse(r, "TimeZoneNotSupportedException",
		    "A valid TimeZone value must be specified.");
	if (!offset)
		*t = zone_utc(*zone, *t);
	return 0;
}

static int
read_attendees(struct request *r, struct meeting *m)
{
	static const char *const types[] = {"required", "optional", "resource"};
	json_t *list = json_object_get(r->json, "attendees"), *v, *mail;
	const char *email, *type;
	size_t i, k;

	if (list == NULL)
		return 0;
	for (k = m->nattendees; k > 0; k--) { /* the list is replaced */
		int keep = 0;

		json_array_foreach(list, i, v)
		{
			email = json_string_value(json_object_get(
			    json_object_get(v, "emailAddress"), "address"));
			keep |= email &&
			    strcasecmp(email, m->attendees[k - 1].email) == 0;
		}
		if (!keep)
			meeting_uninvite(m, m->attendees[k - 1].email);
	}
	json_array_foreach(list, i, v)
	{
		mail = json_object_get(v, "emailAddress");
		email = json_string_value(json_object_get(mail, "address"));
		type = json_string_value(json_object_get(v, "type"));
		for (k = 0; type && k < 3 && strcmp(types[k], type) != 0; k++)
			continue;
		if (!body_allows(
			r, v, "type emailAddress status", "attendees[]") ||
		    email == NULL || (type && k == 3))
			return refuse(r, "ErrorInvalidParameter", "attendees");
		(void)meeting_invite(m, email,
		    json_string_value(json_object_get(mail, "name")),
		    type ? (enum attendee_type)k : ATTENDEE_REQUIRED);
	}
	return 0;
}

static int
read_all_day(struct request *r, const struct event *e)
{
	int64_t a = zone_wall(e->zone, e->start);
	int64_t b = zone_wall(e->zone, e->end);

	if (e->all_day && (a % DAY != 0 || b % DAY != 0 || a == b))
		return refuse(r, "ErrorInvalidPropertySet",
		    "An all-day event "
		    "must start and end at midnight.");
	if (e->end < e->start)
		return refuse(r, "ErrorCalendarEndDateIsEarlierThanStartDate",
		    "End date is earlier than start date.");
	return 0;
}

/* Fills the organiser's copy from the body; what is absent stays. */
static int
event_fill(struct request *r, struct event *e, int *moved)
{
	json_t *j = r->json, *v, *p;
	const struct zone *zone;
	const char *why, *s;
	struct recurrence *rec;
	size_t i;

	if ((v = json_object_get(j, "subject")) != NULL)
		set_text(&e->subject, json_string_value(v));
	if ((v = json_object_get(j, "body")) != NULL)
		set_text(
		    &e->body, json_string_value(json_object_get(v, "content")));
	if ((v = json_object_get(j, "isAllDay")) != NULL)
		e->all_day = json_is_true(v);
	if ((s = json_string_value(json_object_get(j, "sensitivity"))) != NULL)
		e->private = strcmp(s, "private") == 0;
	if ((s = json_string_value(json_object_get(j, "showAs"))) != NULL)
		e->free = strcmp(s, "free") == 0;
	if (json_object_get(j, "start") != NULL) {
		if (read_time(r, "start", &e->start, &e->zone) == -1)
			return -1;
		*moved = 1;
	}
	if (json_object_get(j, "end") != NULL) {
		if (read_time(r, "end", &e->end, &zone) == -1)
			return -1;
		*moved = 1;
	}
	if ((v = json_object_get(j, "recurrence")) != NULL &&
	    !json_is_null(v)) {
		if (recurrence_parse(v, &rec, &why) == -1)
			return refuse(r, "ErrorPropertyValidationFailure", why);
		free(e->rec);
		e->rec = rec;
		event_forget_changes(e);
		*moved = 1;
	}
	json_array_foreach(
	    json_object_get(j, "singleValueExtendedProperties"), i, p)
	{
		if (!body_allows(
			r, p, "id value", "singleValueExtendedProperties[]") ||
		    !json_is_string(json_object_get(p, "id")) ||
		    !json_is_string(json_object_get(p, "value")))
			return refuse(r, "ErrorInvalidParameter",
			    "singleValueExtendedProperties");
		event_property(e, json_string_value(json_object_get(p, "id")),
		    json_string_value(json_object_get(p, "value")));
	}
	if (read_attendees(r, e->meeting) == -1)
		return -1;
	return read_all_day(r, e);
}

static int
body_read(struct request *r)
{
	r->json = json_loadb(r->body.b ? r->body.b : "", r->body.len, 0, NULL);
	if (r->json == NULL || !body_allows(r, r->json, EVENT_MEMBERS, "event"))
		return refuse(r, "RequestBodyRead",
		    "The body cannot be read as an event.");
	return 0;
}

static void
event_answer(struct request *r, const struct event *e,
    const struct occurrence *occ, int status)
{
	r->status = status;
	text_str(&r->out, "{");
	event_json(r, e, occ, SELECT_ALL);
	text_str(&r->out, "}");
}

void
graph_create(struct request *r)
{
	struct mailbox *mb = graph_mailbox(r);
	struct meeting *m;
	const char *transaction;
	int moved;

	if (mb == NULL || body_read(r) == -1)
		return;
	transaction =
	    json_string_value(json_object_get(r->json, "transactionId"));
	if (transaction != NULL &&
	    (m = map_get(&exchange.transactions, transaction)) != NULL &&
	    m->own->mailbox == mb) {
		event_answer(r, m->own, NULL, 201);
		return;
	}
	if (json_object_get(r->json, "start") == NULL ||
	    json_object_get(r->json, "end") == NULL) {
		(void)refuse(r, "ErrorInvalidParameter", "start and end");
		violation(r, "an event without start or end");
		return;
	}
	m = meeting_new(mb, NULL);
	if (event_fill(r, m->own, &moved) == -1) {
		event_drop(m->own);
		return;
	}
	if (transaction != NULL) {
		m->transaction = text_dup(transaction);
		map_put(&exchange.transactions, transaction, m);
	}
	booking_deliver(m, BOOKING_REPATTERN);
	event_answer(r, m->own, NULL, 201);
}

static int
etag_good(struct request *r, const struct event *e)
{
	const char *want = request_header(r, "If-Match");
	unsigned char b[32];
	uint64_t changed = 0;
	const char *p;

	if (want == NULL || strcmp(want, "*") == 0)
		return 1;
	p = strchr(want, '"');
	if (p != NULL &&
	    unbase64(b, sizeof(b), p + 1, strcspn(p + 1, "\"")) == 12) {
		memcpy(&changed, b + 6, 6);
		if (changed == e->changed)
			return 1;
	}
	graph_error(r, 412, "ErrorIrresolvableConflict",
	    "The send or update operation could not be performed because the "
	    "change key passed in the request does not match.");
	return 0;
}

static int
organiser_only(struct request *r, const struct event *e)
{
	if (e == e->meeting->own)
		return 1;
	graph_error(r, 400, "ErrorInvalidRequest",
	    "You need to be an organizer to do this to a meeting.");
	return 0;
}

static void
patch_occurrence(
    struct request *r, struct event *e, const struct occurrence *occ)
{
	int64_t start = occ->start, end = occ->end;
	const struct zone *zone;
	const char *s;

	s = json_string_value(json_object_get(r->json, "subject"));
	if ((json_object_get(r->json, "start") != NULL &&
		read_time(r, "start", &start, &zone) == -1) ||
	    (json_object_get(r->json, "end") != NULL &&
		read_time(r, "end", &end, &zone) == -1))
		return;
	(void)booking_move_occurrence(e->meeting, occ->original, start, end, s);
	event_answer(r, e, occ, 200);
}

void
graph_patch(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;
	int moved = 0;

	if (graph_target(r, &e, &room, &occ) == -1 || !etag_good(r, e) ||
	    !organiser_only(r, e) || body_read(r) == -1)
		return;
	if (json_object_get(r->json, "transactionId") != NULL) {
		(void)refuse(r, "ErrorInvalidPropertySet",
		    "transactionId cannot be changed.");
		return;
	}
	if (occ != NULL) {
		patch_occurrence(r, e, occ);
		return;
	}
	if (event_fill(r, e, &moved) == -1)
		return;
	booking_deliver(e->meeting, moved ? BOOKING_REPATTERN : 0);
	event_answer(r, e, NULL, 200);
}

void
graph_cancel(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;

	if (graph_target(r, &e, &room, &occ) == -1)
		return;
	r->json = json_loadb(
	    r->body.b ? r->body.b : "{}", r->body.b ? r->body.len : 2, 0, NULL);
	if (r->json == NULL ||
	    !body_allows(r, r->json, "comment Comment", "cancel"))
		(void)refuse(r, "BadRequest", "The body cannot be read.");
	else if (e != e->meeting->own)
		(void)refuse(r, "ErrorInvalidRequest",
		    "You need to be an organizer to cancel a meeting.");
	else {
		if (occ != NULL)
			(void)booking_drop_occurrence(
			    e->meeting, occ->original, 1);
		else
			booking_cancel(e->meeting, 0);
		r->status = 202;
	}
}

/* On the organiser's copy this cancels, on another it just removes it. */
void
graph_delete(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;

	if (graph_target(r, &e, &room, &occ) == -1 || !etag_good(r, e))
		return;
	if (occ != NULL)
		(void)booking_drop_occurrence(
		    e->meeting, occ->original, e == e->meeting->own);
	else if (e == e->meeting->own)
		booking_cancel(e->meeting, 0);
	else
		event_drop(e);
	r->status = 204;
}
