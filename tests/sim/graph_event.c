/*
 * graph_event.c: how an event looks on the wire: in full, cut down by
 * $select, as the bare stub that delta gives for an occurrence, and as a
 * tombstone.  Times are given in the zone that the request prefers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph.h"

enum {
	P_ID,
	P_KEY,
	P_CREATED,
	P_MODIFIED,
	P_CATEGORIES,
	P_TRANSACTION,
	P_ZONE_START,
	P_ZONE_END,
	P_ICALUID,
	P_REMINDER,
	P_REMINDER_ON,
	P_ATTACHMENTS,
	P_SUBJECT,
	P_PREVIEW,
	P_IMPORTANCE,
	P_SENSITIVITY,
	P_ALL_DAY,
	P_CANCELLED,
	P_IS_ORGANIZER,
	P_RESPONSE_REQUESTED,
	P_MASTER,
	P_SHOW_AS,
	P_TYPE,
	P_WEB,
	P_ONLINE,
	P_ALLOW,
	P_OCCURRENCE,
	P_DRAFT,
	P_HIDE,
	P_RESPONSE,
	P_BODY,
	P_START,
	P_END,
	P_LOCATION,
	P_LOCATIONS,
	P_RECURRENCE,
	P_ATTENDEES,
	P_ORGANIZER,
	P_ORIGINAL,
	P_DROPPED,
	P_COUNT
};

static const char *const names[] = {"id", "changeKey", "createdDateTime",
    "lastModifiedDateTime", "categories", "transactionId",
    "originalStartTimeZone", "originalEndTimeZone", "iCalUId",
    "reminderMinutesBeforeStart", "isReminderOn", "hasAttachments", "subject",
    "bodyPreview", "importance", "sensitivity", "isAllDay", "isCancelled",
    "isOrganizer", "responseRequested", "seriesMasterId", "showAs", "type",
    "webLink", "isOnlineMeeting", "allowNewTimeProposals", "occurrenceId",
    "isDraft", "hideAttendees", "responseStatus", "body", "start", "end",
    "location", "locations", "recurrence", "attendees", "organizer",
    "originalStart", "cancelledOccurrences"};

static const char *const responses[] = {"none", "organizer",
    "tentativelyAccepted", "accepted", "declined", "notResponded"};
static const char *const types[] = {"required", "optional", "resource"};

/* $select as a set; -1 after answering that a member does not exist. */
int
select_parse(struct request *r, uint64_t *set)
{
	const char *s = request_arg(r, "$select");
	size_t n, i;

	*set = SELECT_ALL;
	if (s == NULL || *s == '\0')
		return 0;
	*set = 1u << P_ID;
	for (; *s != '\0'; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		for (i = 0; i < P_COUNT; i++)
			if (strlen(names[i]) == n &&
			    strncmp(names[i], s, n) == 0)
				break;
		if (i == P_COUNT) {
			violation(r, "$select of %.*s", (int)n, s);
			graph_error(r, 400, "RequestBroker--ParseUri",
			    "Could not find a property named '%.*s' on type "
			    "'Microsoft.OutlookServices.Event'.",
			    (int)n, s);
			return -1;
		}
		*set |= (uint64_t)1 << i;
	}
	return 0;
}

static const struct zone *
zone_preferred(const struct request *r)
{
	const char *p =
	    r->prefer ? strcasestr(r->prefer, "outlook.timezone=\"") : NULL;
	const struct zone *z = NULL;
	char name[64];
	size_t n;

	if (p != NULL) {
		p += strlen("outlook.timezone=\"");
		n = strcspn(p, "\"");
		if (n < sizeof(name)) {
			memcpy(name, p, n);
			name[n] = '\0';
			z = zone_find(name);
		}
	}
	return z ? z : zone_find("UTC");
}

/*
 * The name by which the zone of an event goes: some are of no known zone at
 * all, or in the words of the organiser's language.
 */
static const char *
zone_shown(const struct event *e)
{
	return e->zone_shown ? e->zone_shown : zone_name(e->zone);
}

static void
date_time(struct request *r, const char *name, const struct event *e,
    const struct occurrence *occ, int64_t t)
{
	int all_day = event_all_day(e, occ ? occ->change : NULL);
	const struct zone *z = all_day ? e->zone : zone_preferred(r);
	char s[40];

	/* dates of all-day events come as midnight, whatever was preferred */
	when_wall(zone_wall(z, t), s);
	text_fmt(&r->out, ",\"%s\":{\"dateTime\":\"%s\",\"timeZone\":\"%s\"}",
	    name, s,
	    e->zone_shown ? e->zone_shown
		: all_day ? "UTC"
			  : zone_name(z));
}

static void
person_json(struct text *o, const char *name, const char *email)
{
	text_str(o, "\"emailAddress\":{\"name\":");
	text_json(o, name);
	text_str(o, ",\"address\":");
	text_json(o, email);
	text_str(o, "}");
}

static void
key_json(struct text *o, const struct event *e)
{
	unsigned char b[12] = "Dw";
	char s[20];

	memcpy(b + 2, &e->serial, 4);
	memcpy(b + 6, &e->changed, 6);
	(void)base64(s, b, sizeof(b));
	text_str(o, s);
}

static void
recurrence_json(struct text *o, const struct event *e)
{
	const struct recurrence *r = e->rec;
	char a[40], b[40];
	int i, n = 0;

	when_wall(r->start_day * DAY, a);
	when_wall(r->end_day * DAY, b);
	a[10] = b[10] = '\0';
	text_fmt(o,
	    ",\"recurrence\":{\"pattern\":{\"type\":\"%s\","
	    "\"interval\":%d,\"month\":%d,\"dayOfMonth\":%d,",
	    pattern_names[r->type], r->interval, r->month, r->day_of_month);
	if (r->days != 0) {
		text_str(o, "\"daysOfWeek\":[");
		for (i = 0; i < 7; i++)
			if (r->days & 1u << i)
				text_fmt(o, "%s\"%s\"", n++ ? "," : "",
				    weekday_names[i]);
		text_str(o, "],");
	}
	text_fmt(o,
	    "\"firstDayOfWeek\":\"%s\",\"index\":\"%s\"},\"range\":{"
	    "\"type\":\"%s\",\"startDate\":\"%s\",\"endDate\":\"%s\","
	    "\"recurrenceTimeZone\":\"%s\",\"numberOfOccurrences\":%d}}",
	    weekday_names[r->first_day], index_names[r->index],
	    range_names[r->range], a, r->range == RANGE_END ? b : "0001-01-01",
	    zone_shown(e), r->range == RANGE_NUMBERED ? r->count : 0);
}

/* As one mailbox sees them, at one occurrence when occ is given. */
static void
attendees_json(
    struct text *o, const struct event *e, const struct occurrence *occ)
{
	struct meeting *m = e->meeting;
	const struct reply *p;
	enum response said;
	char t[32];
	size_t i, n = 0;

	text_str(o, ",\"attendees\":[");
	for (i = 0; i < m->nattendees; i++) {
		const struct attendee *a = &m->attendees[i];

		if (m->hide_attendees && e != m->own &&
		    strcasecmp(a->email, e->mailbox->email) != 0)
			continue;
		p = occ ? meeting_reply(m, a->email, occ->original, 0) : NULL;
		said = p && p->response ? p->response : a->response;
		when_print(a->answered, t);
		text_fmt(o,
		    "%s{\"type\":\"%s\",\"status\":{\"response\":"
		    "\"%s\",\"time\":\"%s\"},",
		    n++ ? "," : "", types[a->type], responses[said],
		    a->answered ? t : "0001-01-01T00:00:00Z");
		person_json(o, a->name, a->email);
		text_str(o, "}");
	}
	text_str(o, "]");
}

static void
location_json(struct text *o, const struct event *e)
{
	const struct meeting *m = e->meeting;
	const char *room = e->mailbox->is_room ? e->mailbox->email : NULL;
	const struct mailbox *mb;
	size_t i;

	for (i = 0; room == NULL && i < m->nattendees; i++)
		if (m->attendees[i].type == ATTENDEE_RESOURCE)
			room = m->attendees[i].email;
	mb = room ? mailbox_find(room) : NULL;
	text_str(o, "{\"displayName\":");
	text_json(o,
	    e->location ? e->location
		: mb    ? mb->name
		: room  ? room
			: "");
	text_fmt(
	    o, ",\"locationType\":\"%s\"", room ? "conferenceRoom" : "default");
	if (room != NULL) {
		text_str(o, ",\"locationEmailAddress\":");
		text_json(o, room);
	}
	text_str(o, "}");
}

static void
occurrence_id(struct request *r, const struct event *e, int64_t original)
{
	char day[40];

	when_wall(zone_wall(e->zone, original), day);
	day[10] = '\0';
	text_str(&r->out, "OID.");
	id_write(&r->out, e, WHEN_NONE,
	    request_prefers(r, "IdType=\"ImmutableId\""));
	text_fmt(&r->out, ".%s", day);
}

static void
dropped_json(struct request *r, const struct event *e)
{
	size_t i, n = 0;

	text_str(&r->out, ",\"cancelledOccurrences\":[");
	for (i = 0; i < e->nchanges; i++)
		if (e->changes[i].deleted || e->changes[i].cancelled) {
			text_str(&r->out, n++ ? ",\"" : "\"");
			occurrence_id(r, e, e->changes[i].original);
			text_str(&r->out, "\"");
		}
	text_str(&r->out, "]");
}

#define WANT(p) (set & (uint64_t)1 << (p))

/* Members that are the same for master and occurrences. */
static void
event_shared(struct request *r, const struct event *e,
    const struct occurrence *occ, uint64_t set)
{
	const struct meeting *m = e->meeting;
	const struct mailbox *own = m->own->mailbox;
	struct text *o = &r->out;
	char t[32];

	if (WANT(P_CREATED)) {
		when_print(e->created, t);
		text_fmt(o, ",\"createdDateTime\":\"%s\"", t);
	}
	if (WANT(P_MODIFIED)) {
		when_print(e->modified, t);
		text_fmt(o, ",\"lastModifiedDateTime\":\"%s\"", t);
	}
	if (WANT(P_CATEGORIES))
		text_str(o, ",\"categories\":[]");
	if (WANT(P_TRANSACTION)) {
		text_str(o, ",\"transactionId\":");
		text_json(o, e == m->own ? m->transaction : NULL);
	}
	if (WANT(P_ZONE_START))
		text_fmt(o, ",\"originalStartTimeZone\":\"%s\"", zone_shown(e));
	if (WANT(P_ZONE_END))
		text_fmt(o, ",\"originalEndTimeZone\":\"%s\"", zone_shown(e));
	if (WANT(P_REMINDER))
		text_str(o, ",\"reminderMinutesBeforeStart\":15");
	if (WANT(P_REMINDER_ON))
		text_str(o, ",\"isReminderOn\":false");
	if (WANT(P_ATTACHMENTS))
		text_str(o, ",\"hasAttachments\":false");
	if (WANT(P_PREVIEW)) {
		text_str(o, ",\"bodyPreview\":");
		text_json(o, e->body ? e->body : "");
	}
	if (WANT(P_IMPORTANCE))
		text_str(o, ",\"importance\":\"normal\"");
	if (WANT(P_SENSITIVITY))
		text_fmt(o, ",\"sensitivity\":\"%s\"",
		    e->private ? "private" : "normal");
	if (WANT(P_ALL_DAY))
		text_fmt(o, ",\"isAllDay\":%s",
		    event_all_day(e, occ ? occ->change : NULL) ? "true"
							       : "false");
	if (WANT(P_IS_ORGANIZER))
		text_fmt(
		    o, ",\"isOrganizer\":%s", e == m->own ? "true" : "false");
	if (WANT(P_RESPONSE_REQUESTED))
		text_fmt(o, ",\"responseRequested\":%s",
		    m->no_response ? "false" : "true");
	if (WANT(P_WEB))
		text_str(o, ",\"webLink\":\"https://outlook.sim.test/item\"");
	if (WANT(P_ONLINE))
		text_str(o, ",\"isOnlineMeeting\":false");
	if (WANT(P_ALLOW))
		text_str(o, ",\"allowNewTimeProposals\":true");
	if (WANT(P_DRAFT))
		text_str(o, ",\"isDraft\":false");
	if (WANT(P_HIDE))
		text_fmt(o, ",\"hideAttendees\":%s",
		    m->hide_attendees ? "true" : "false");
	if (WANT(P_RESPONSE)) {
		when_print(e->modified, t);
		text_fmt(o,
		    ",\"responseStatus\":{\"response\":\"%s\","
		    "\"time\":\"%s\"}",
		    responses[e->response],
		    e->response == RESPONSE_ORGANIZER ? "0001-01-01T00:00:00Z"
						      : t);
	}
	if (WANT(P_BODY)) {
		text_str(o, ",\"body\":{\"contentType\":\"html\",\"content\":");
		text_json(o, e->body ? e->body : "");
		text_str(o, "}");
	}
	if (WANT(P_LOCATION)) {
		text_str(o, ",\"location\":");
		location_json(o, e);
	}
	if (WANT(P_LOCATIONS)) {
		text_str(o, ",\"locations\":[");
		location_json(o, e);
		text_str(o, "]");
	}
	if (WANT(P_ATTENDEES))
		attendees_json(o, e, occ);
	if (WANT(P_ORGANIZER)) {
		text_str(o, ",\"organizer\":{");
		person_json(o, own->name, own->email);
		text_str(o, "}");
	}
}

static void
event_open(
    struct request *r, const struct event *e, const struct occurrence *occ)
{
	text_str(&r->out, "\"@odata.etag\":\"W/\\\"");
	key_json(&r->out, e);
	text_str(&r->out, "\\\"\",\"id\":\"");
	id_write(&r->out, e, occ ? occ->original : WHEN_NONE,
	    request_prefers(r, "IdType=\"ImmutableId\""));
	text_str(&r->out, "\"");
}

static void
master_json(struct request *r, const struct event *e)
{
	text_str(&r->out, ",\"seriesMasterId\":\"");
	id_write(&r->out, e, WHEN_NONE,
	    request_prefers(r, "IdType=\"ImmutableId\""));
	text_str(&r->out, "\"");
}

static const char *
event_type(const struct event *e, const struct occurrence *occ)
{
	if (occ == NULL)
		return e->rec ? "seriesMaster" : "singleInstance";
	return occ->change ? "exception" : "occurrence";
}

/*
 * Adds the members of an event, or of one occurrence of it, without braces
 * around them: the caller may have annotations of its own.
 */
void
event_json(struct request *r, const struct event *e,
    const struct occurrence *occ, uint64_t set)
{
	struct text *o = &r->out;
	const char *subject = e->subject;
	int cancelled = e->cancelled;
	char uid[256], t[32];

	if (occ != NULL && occ->change != NULL) {
		cancelled |= occ->change->cancelled;
		if (occ->change->subject)
			subject = occ->change->subject;
	}
	event_open(r, e, occ);
	if (WANT(P_KEY)) {
		text_str(o, ",\"changeKey\":\"");
		key_json(o, e);
		text_str(o, "\"");
	}
	if (WANT(P_ICALUID)) {
		(void)snprintf(uid, sizeof(uid), "%s", e->meeting->uid);
		if (occ != NULL || e->instance != 0)
			uid_of_occurrence(e->meeting->uid,
			    zone_wall(
				e->zone, occ ? occ->original : e->instance),
			    uid, sizeof(uid));
		text_str(o, ",\"iCalUId\":");
		text_json(o, uid);
	}
	if (WANT(P_SUBJECT)) {
		text_str(o, ",\"subject\":");
		text_json(o, subject ? subject : "");
	}
	if (WANT(P_CANCELLED))
		text_fmt(
		    o, ",\"isCancelled\":%s", cancelled ? "true" : "false");
	if (WANT(P_SHOW_AS))
		text_fmt(o, ",\"showAs\":\"%s\"",
		    cancelled || e->free ? "free"
			: e->response == RESPONSE_WAITING ||
			    e->response == RESPONSE_TENTATIVE
			? "tentative"
			: "busy");
	if (WANT(P_TYPE))
		text_fmt(o, ",\"type\":\"%s\"", event_type(e, occ));
	if (WANT(P_MASTER)) {
		if (occ != NULL)
			master_json(r, e);
		else
			text_str(o, ",\"seriesMasterId\":null");
	}
	if (WANT(P_OCCURRENCE) && occ != NULL) {
		text_str(o, ",\"occurrenceId\":\"");
		occurrence_id(r, e, occ->original);
		text_str(o, "\"");
	}
	if (WANT(P_START))
		date_time(r, "start", e, occ, occ ? occ->start : e->start);
	if (WANT(P_END))
		date_time(r, "end", e, occ, occ ? occ->end : e->end);
	if (WANT(P_ORIGINAL) && occ != NULL) {
		when_print(occ->original, t);
		text_fmt(o, ",\"originalStart\":\"%s\"", t);
	}
	if (WANT(P_RECURRENCE)) {
		if (occ == NULL && e->rec != NULL)
			recurrence_json(o, e);
		else
			text_str(o, ",\"recurrence\":null");
	}
	event_shared(r, e, occ, set);
	if (set != SELECT_ALL && WANT(P_DROPPED) && occ == NULL &&
	    e->rec != NULL)
		dropped_json(r, e);
}

/*
 * Adds the extended properties that $expand asks for, none when it does not:
 * only those its filter names, and no list at all when there are none.
 */
void
event_properties(struct request *r, const struct event *e)
{
	const char *want = request_arg(r, "$expand");
	char *quoted;
	size_t i, n = 0;

	for (i = 0; want != NULL && i < e->nprops; i++) {
		quoted = text_print("id eq '%s'", e->props[i].id);
		if (strcasestr(want, quoted) != NULL) {
			text_str(&r->out,
			    n++ ? ",{\"id\":"
				: ",\"singleValueExtendedProperties\":[{"
				  "\"id\":");
			text_json(&r->out, e->props[i].id);
			text_str(&r->out, ",\"value\":");
			text_json(&r->out, e->props[i].value);
			text_str(&r->out, "}");
		}
		free(quoted);
	}
	if (n > 0)
		text_str(&r->out, "]");
}

/* All that delta says of an occurrence that follows its pattern. */
void
event_stub(
    struct request *r, const struct event *e, const struct occurrence *occ)
{
	text_str(&r->out, "{\"@odata.type\":\"#microsoft.graph.event\",");
	event_open(r, e, occ);
	master_json(r, e);
	text_str(&r->out, ",\"type\":\"occurrence\"");
	date_time(r, "start", e, occ, occ->start);
	date_time(r, "end", e, occ, occ->end);
	text_str(&r->out, "}");
}

void
event_tombstone(struct request *r, const struct event *e)
{
	text_str(&r->out,
	    "{\"@odata.type\":\"#microsoft.graph.event\","
	    "\"id\":\"");
	id_write(&r->out, e, WHEN_NONE,
	    request_prefers(r, "IdType=\"ImmutableId\""));
	text_str(&r->out, "\",\"@removed\":{\"reason\":\"deleted\"}}");
}
