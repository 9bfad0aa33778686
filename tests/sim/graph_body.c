/*
 * graph_body.c: the body of a POST or PATCH of an event.  It is read whole
 * into a draft and checked before anything of an event is changed, so that a
 * request that is refused leaves no trace.
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

/* Members whose change is sent to all attendees. */
static const char *const told[] = {"subject", "body", "start", "end",
    "isAllDay", "showAs", "sensitivity", "location", "locations", "recurrence",
    "importance", "isOnlineMeeting", NULL};

static const char *const types[] = {"required", "optional", "resource"};

int
graph_refuse(struct request *r, const char *code, const char *text)
{
	graph_error(r, 400, code, "%s", text);
	return -1;
}

int
body_read(struct request *r)
{
	r->json = json_loadb(r->body.b ? r->body.b : "", r->body.len, 0, NULL);
	if (r->json == NULL || !body_allows(r, r->json, EVENT_MEMBERS, "event"))
		return graph_refuse(r, "RequestBodyRead",
		    "The body cannot be read as an event.");
	return 0;
}

/* Whether the body has a member of which attendees are told. */
int
body_tells(const struct request *r)
{
	int i;

	for (i = 0; told[i] != NULL; i++)
		if (json_object_get(r->json, told[i]) != NULL)
			return 1;
	return 0;
}

/* A dateTimeTimeZone, when there is one; zone becomes the one it is in. */
int
body_time(
    struct request *r, const char *name, int64_t *t, const struct zone **zone)
{
	json_t *v = json_object_get(r->json, name);
	const char *s = json_string_value(json_object_get(v, "dateTime"));
	int offset;

	if (v == NULL)
		return 0;
	if (!body_allows(r, v, "dateTime timeZone", name) ||
	    when_parse(s, t, &offset) == -1)
		return graph_refuse(r, "ErrorInvalidParameter", name);
	*zone = zone_find(json_string_value(json_object_get(v, "timeZone")));
	if (*zone == NULL)
		return graph_refuse(r, "TimeZoneNotSupportedException",
		    "A valid TimeZone value must be specified.");
	if (!offset)
		*t = zone_utc(*zone, *t);
	return 0;
}

static const char *
attendee_email(json_t *v)
{
	return json_string_value(
	    json_object_get(json_object_get(v, "emailAddress"), "address"));
}

/* -1: a word that is no type. */
static int
attendee_type(json_t *v)
{
	const char *type = json_string_value(json_object_get(v, "type"));
	int k;

	if (type == NULL)
		return ATTENDEE_REQUIRED;
	for (k = 0; k < 3; k++)
		if (strcmp(types[k], type) == 0)
			return k;
	return -1;
}

static int
attendees_check(struct request *r)
{
	json_t *list = json_object_get(r->json, "attendees"), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (!body_allows(
			r, v, "type emailAddress status", "attendees[]") ||
		    attendee_email(v) == NULL ||
		    strchr(attendee_email(v), '@') == NULL ||
		    attendee_type(v) == -1)
			return graph_refuse(r, "ErrorInvalidRecipients",
			    "At least one recipient is not valid.");
	}
	return 0;
}

static int
properties_check(struct request *r)
{
	json_t *list =
	    json_object_get(r->json, "singleValueExtendedProperties");
	json_t *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		if (!body_allows(
			r, p, "id value", "singleValueExtendedProperties[]") ||
		    !json_is_string(json_object_get(p, "id")) ||
		    !json_is_string(json_object_get(p, "value")))
			return graph_refuse(r, "ErrorInvalidParameter",
			    "singleValueExtendedProperties");
	}
	return 0;
}

static int
times_check(struct request *r, const struct draft *d)
{
	int64_t a = zone_wall(d->zone, d->start);
	int64_t b = zone_wall(d->zone, d->end);

	if (d->all_day && (a % DAY != 0 || b % DAY != 0 || a == b))
		return graph_refuse(r, "ErrorInvalidPropertySet",
		    "An all-day event must start and end at midnight.");
	if (d->end < d->start)
		return graph_refuse(r,
		    "ErrorCalendarEndDateIsEarlierThanStartDate",
		    "End date is earlier than start date.");
	return 0;
}

/*
 * Reads the body over what the event says now.  After success the draft goes
 * to draft_apply(); after failure, 400 is answered.
 */
int
draft_read(struct request *r, const struct event *e, struct draft *d)
{
	const struct zone *other;
	const char *why;
	json_t *v;

	memset(d, 0, sizeof(*d));
	d->start = e->start;
	d->end = e->end;
	d->zone = e->zone;
	d->all_day = e->all_day;
	if ((v = json_object_get(r->json, "isAllDay")) != NULL)
		d->all_day = json_is_true(v);
	if (body_time(r, "start", &d->start, &d->zone) == -1 ||
	    body_time(r, "end", &d->end, &other) == -1 ||
	    times_check(r, d) == -1 || attendees_check(r) == -1 ||
	    properties_check(r) == -1)
		return -1;
	v = json_object_get(r->json, "recurrence");
	d->single = json_is_null(v);
	if (v != NULL && !d->single && recurrence_parse(v, &d->rec, &why) == -1)
		return graph_refuse(r, "ErrorPropertyValidationFailure", why);
	return 0;
}

static void
attendees_apply(json_t *list, struct meeting *m)
{
	json_t *v, *mail;
	size_t i, k;
	int keep;

	for (k = m->nattendees; k > 0; k--) { /* the list is replaced */
		keep = 0;
		json_array_foreach(list, i, v)
		{
			keep |= strcasecmp(attendee_email(v),
				    m->attendees[k - 1].email) == 0;
		}
		if (!keep)
			meeting_uninvite(m, m->attendees[k - 1].email);
	}
	json_array_foreach(list, i, v)
	{
		mail = json_object_get(v, "emailAddress");
		(void)meeting_invite(m, attendee_email(v),
		    json_string_value(json_object_get(mail, "name")),
		    (enum attendee_type)attendee_type(v));
	}
}

/* Times and pattern: 1 when any is another than before. */
static int
times_apply(struct event *e, struct draft *d)
{
	int64_t day = day_floor(zone_wall(d->zone, d->start));
	int moved = e->start != d->start || e->end != d->end ||
	    e->all_day != d->all_day;

	e->start = d->start;
	e->end = d->end;
	e->zone = d->zone;
	e->all_day = d->all_day;
	if (d->rec != NULL || (d->single && e->rec != NULL)) {
		moved |= e->rec == NULL || d->rec == NULL ||
		    !recurrence_same(e->rec, d->rec);
		free(e->rec);
		e->rec = d->rec;
		d->rec = NULL;
	} else if (e->rec != NULL && moved) {
		e->rec->end_day += day - e->rec->start_day;
		e->rec->start_day = day;
	}
	if (moved)
		event_forget_changes(e);
	return moved;
}

static void
texts_apply(json_t *j, struct event *e)
{
	json_t *v, *p;
	const char *s;
	size_t i;

	if ((v = json_object_get(j, "subject")) != NULL)
		set_text(&e->subject, json_string_value(v));
	if ((v = json_object_get(j, "body")) != NULL)
		set_text(
		    &e->body, json_string_value(json_object_get(v, "content")));
	if ((v = json_object_get(j, "locations")) != NULL)
		v = json_array_get(v, 0);
	else
		v = json_object_get(j, "location");
	if (v != NULL)
		set_text(&e->location,
		    json_string_value(json_object_get(v, "displayName")));
	if ((s = json_string_value(json_object_get(j, "sensitivity"))) != NULL)
		e->private = strcmp(s, "private") == 0;
	if ((s = json_string_value(json_object_get(j, "showAs"))) != NULL)
		e->free = strcmp(s, "free") == 0;
	if ((v = json_object_get(j, "hideAttendees")) != NULL)
		e->meeting->hide_attendees = json_is_true(v);
	if ((v = json_object_get(j, "responseRequested")) != NULL)
		e->meeting->no_response = json_is_false(v);
	v = json_object_get(j, "singleValueExtendedProperties");
	json_array_foreach(v, i, p)
	{
		event_property(e, json_string_value(json_object_get(p, "id")),
		    json_string_value(json_object_get(p, "value")));
	}
}

/*
 * Fills the organiser's copy; what is absent from the body stays.  1 when its
 * times or its pattern changed.
 */
int
draft_apply(struct request *r, struct event *e, struct draft *d)
{
	json_t *list = json_object_get(r->json, "attendees");

	texts_apply(r->json, e);
	if (list != NULL)
		attendees_apply(list, e->meeting);
	return times_apply(e, d);
}
