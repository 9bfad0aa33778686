/*
 * ews_item.c: how an item looks in EWS: the properties asked for, in the order
 * of the schema, times in UTC or in the zone of the TimeZoneContext.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ews.h"

#define SENDER "String 0x5D02" /* PidTagSentRepresentingSmtpAddress */
#define WANT(f) (s->set & (uint64_t)1 << (f))

static void
bool_xml(struct text *o, const char *name, int v)
{
	text_fmt(o, "<t:%s>%s</t:%s>", name, v ? "true" : "false", name);
}

static void
word_xml(struct text *o, const char *name, const char *v)
{
	text_fmt(o, "<t:%s>", name);
	text_xml(o, v);
	text_fmt(o, "</t:%s>", name);
}

/* An element of type dateTime: always with Z or an offset. */
void
time_xml(const struct ews *w, const char *name, int64_t t)
{
	int64_t off = w->zone ? zone_wall(w->zone, t) - t : 0;
	char s[32];

	when_print(t + off, s);
	if (off == 0)
		text_fmt(&w->r->out, "<t:%s>%s</t:%s>", name, s, name);
	else
		text_fmt(&w->r->out, "<t:%s>%.19s%c%02d:%02d</t:%s>", name, s,
		    off < 0 ? '-' : '+', (int)(llabs(off) / 3600),
		    (int)(llabs(off) / 60 % 60), name);
}

static unsigned char
hex(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/*
 * The GlobalObjectId in base64: the UID's own bytes when it is one, else the
 * UID wrapped as MS-OXOCAL 2.2.1.27 says; with original, the date of that
 * occurrence is in it.  To be freed.
 */
char *
goid_of(const struct event *e, int64_t original)
{
	static const unsigned char head[] = {4, 0, 0, 0, 0x82, 0, 0xe0, 0, 0x74,
	    0xc5, 0xb7, 0x10, 0x1a, 0x82, 0xe0, 8};
	const char *uid = e->meeting->uid;
	unsigned char *b = zalloc(strlen(uid) + 64);
	size_t n = strlen(uid) / 2, i;
	int y, m, d;
	char *s;

	if (strncasecmp(uid, "040000008200E00074C5B7101A82E008", 32) == 0 &&
	    n >= 40 && strspn(uid, "0123456789abcdefABCDEF") == strlen(uid))
		for (i = 0; i < n; i++)
			b[i] = (unsigned char)(hex(uid[2 * i]) << 4 |
			    hex(uid[2 * i + 1]));
	else {
		n = 40 + 12 + strlen(uid) + 1;
		memcpy(b, head, sizeof(head));
		b[36] = (unsigned char)(n - 40);
		memcpy(b + 40, "vCal-Uid\1\0\0", 12);
		memcpy(b + 52, uid, strlen(uid));
	}
	if (original != WHEN_NONE) {
		day_split(day_floor(zone_wall(e->zone, original)), &y, &m, &d);
		b[16] = (unsigned char)(y >> 8);
		b[17] = (unsigned char)y;
		b[18] = (unsigned char)m;
		b[19] = (unsigned char)d;
	}
	s = zalloc(n * 2 + 8);
	base64(s, b, n);
	free(b);
	return s;
}

static void
mailbox_xml(struct text *o, const char *name, const char *email)
{
	text_str(o, "<t:Mailbox>");
	word_xml(o, "Name", name);
	word_xml(o, "EmailAddress", email);
	text_str(o,
	    "<t:RoutingType>SMTP</t:RoutingType>"
	    "<t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>");
}

/*
 * An organiser whom the directory does not know (an account that was deleted,
 * or moved to another forest) is shown by the name that the item was sent
 * with, which is of the type EX.
 */
static void
organizer_xml(struct text *o, const struct mailbox *by)
{
	text_str(o, "<t:Organizer>");
	if (by->unknown) {
		text_str(o, "<t:Mailbox>");
		word_xml(o, "Name", by->name);
		text_str(o,
		    "<t:EmailAddress>/O=SIM/OU=EXCHANGE ADMINISTRATIVE GROUP "
		    "(FYDIBOHF23SPDLT)/CN=RECIPIENTS/CN=");
		text_xml(o, by->name);
		text_str(o,
		    "</t:EmailAddress><t:RoutingType>EX</t:RoutingType>"
		    "<t:MailboxType>OneOff</t:MailboxType></t:Mailbox>");
	} else
		mailbox_xml(o, by->name, by->email);
	text_str(o, "</t:Organizer>");
}

static const char *const responses[] = {"Unknown", "Organizer", "Tentative",
    "Accept", "Decline", "NoResponseReceived"};

/* What an attendee answered, to one occurrence when he did so to that. */
static void
attendee_xml(const struct ews *w, struct meeting *m, const struct attendee *a,
    const struct occurrence *occ)
{
	struct text *o = &w->r->out;
	const struct reply *p =
	    occ ? meeting_reply(m, a->email, occ->original, 0) : NULL;

	text_str(o, "<t:Attendee>");
	mailbox_xml(o, a->name, a->email);
	word_xml(o, "ResponseType",
	    responses[p && p->response ? p->response : a->response]);
	if (a->answered != 0)
		time_xml(w, "LastResponseTime", a->answered);
	text_str(o, "</t:Attendee>");
}

static void
attendees_xml(const struct ews *w, const struct event *e,
    const struct occurrence *occ, const char *name, enum attendee_type type)
{
	struct text *o = &w->r->out;
	struct meeting *m = e->meeting;
	size_t i;
	int n = 0;

	for (i = 0; i < m->nattendees; i++) {
		if (m->attendees[i].type != type ||
		    (m->hide_attendees && e != m->own &&
			strcasecmp(m->attendees[i].email, e->mailbox->email)))
			continue;
		if (n++ == 0)
			text_fmt(o, "<t:%s>", name);
		attendee_xml(w, m, &m->attendees[i], occ);
	}
	if (n > 0)
		text_fmt(o, "</t:%s>", name);
}

static const char *
location_of(const struct event *e)
{
	const struct meeting *m = e->meeting;
	const struct mailbox *mb;
	size_t i;

	if (m->own->location != NULL)
		return m->own->location;
	if (e->mailbox->is_room)
		return e->mailbox->name;
	for (i = 0; i < m->nattendees; i++)
		if (m->attendees[i].type == ATTENDEE_RESOURCE) {
			mb = mailbox_find(m->attendees[i].email);
			return mb ? mb->name : m->attendees[i].email;
		}
	return "";
}

static void
occurrence_xml(const struct ews *w, const char *name, const struct event *e,
    const struct occurrence *occ)
{
	struct text *o = &w->r->out;

	text_fmt(o, "<t:%s>", name);
	item_id(o, "ItemId", e, occ->original);
	time_xml(w, "Start", occ->start);
	time_xml(w, "End", occ->end);
	time_xml(w, "OriginalStart", occ->original);
	text_fmt(o, "</t:%s>", name);
}

/* FirstOccurrence and LastOccurrence of a series that ends. */
static void
ends_xml(const struct ews *w, const struct event *e, const struct shape *s)
{
	struct occurrences l = {0};

	event_occurrences(e, e->start - DAY,
	    e->rec->range == RANGE_NONE ? e->start + 800 * (int64_t)DAY
					: e->start + 40 * 366 * (int64_t)DAY,
	    &l);
	if (l.n > 0 && WANT(F_FIRST))
		occurrence_xml(w, "FirstOccurrence", e, &l.v[0]);
	if (l.n > 0 && WANT(F_LAST) && e->rec->range != RANGE_NONE)
		occurrence_xml(w, "LastOccurrence", e, &l.v[l.n - 1]);
	free(l.v);
}

static void
exceptions_xml(const struct ews *w, const struct event *e)
{
	struct text *o = &w->r->out;
	size_t i;
	int n = 0;

	for (i = 0; i < e->nchanges; i++) {
		const struct change *c = &e->changes[i];
		struct occurrence occ = {c->original, c->start, c->end, c};

		if (c->deleted)
			continue;
		text_str(o, n++ ? "" : "<t:ModifiedOccurrences>");
		occurrence_xml(w, "Occurrence", e, &occ);
	}
	text_str(o, n ? "</t:ModifiedOccurrences>" : "");
}

static void
dropped_xml(const struct ews *w, const struct event *e)
{
	struct text *o = &w->r->out;
	size_t i;
	int n = 0;

	for (i = 0; i < e->nchanges; i++) {
		if (!e->changes[i].deleted)
			continue;
		text_str(o, n++ ? "" : "<t:DeletedOccurrences>");
		text_str(o, "<t:DeletedOccurrence>");
		time_xml(w, "Start", e->changes[i].original);
		text_str(o, "</t:DeletedOccurrence>");
	}
	text_str(o, n ? "</t:DeletedOccurrences>" : "");
}

static void
series_xml(const struct ews *w, const struct event *e, const struct shape *s)
{
	if (WANT(F_RECURRENCE))
		recurrence_xml(&w->r->out, e);
	if (WANT(F_FIRST) || WANT(F_LAST))
		ends_xml(w, e, s);
	if (WANT(F_EXCEPTIONS))
		exceptions_xml(w, e);
	if (WANT(F_DROPPED))
		dropped_xml(w, e);
}

/* One extended property, when the item has it. */
static void
property_xml(struct text *o, const struct event *e,
    const struct occurrence *occ, const struct property_path *p)
{
	const char *value = NULL;
	char *goid = NULL;
	size_t i;

	if (p->goid != NULL)
		value = goid = goid_of(e,
		    occ && strcmp(p->goid, "own") == 0 ? occ->original
						       : WHEN_NONE);
	else if (strcasecmp(p->id, SENDER) == 0 &&
	    e->meeting->own->mailbox->unknown < 2)
		value = e->meeting->own->mailbox->email;
	for (i = 0; value == NULL && i < e->nprops; i++)
		if (property_same(e->props[i].id, p->id))
			value = e->props[i].value;
	if (value == NULL)
		return;
	text_str(o, "<t:ExtendedProperty><t:ExtendedFieldURI");
	for (i = 0; i < p->node->nattrs; i++) {
		text_fmt(o, " %s=\"", p->node->attrs[i].name);
		text_xml(o, p->node->attrs[i].value);
		text_str(o, "\"");
	}
	text_str(o, "/>");
	word_xml(o, "Value", value);
	text_str(o, "</t:ExtendedProperty>");
	free(goid);
}

/* The elements of ItemType, in their order. */
static void
item_part(struct ews *w, const struct event *e, const struct occurrence *occ,
    const struct shape *s)
{
	struct text *o = &w->r->out;
	const char *subject = occ && occ->change && occ->change->subject
	    ? occ->change->subject
	    : e->subject;
	size_t i;

	if (WANT(F_PARENT)) {
		text_str(o, "<t:ParentFolderId ");
		folder_id(o, e->mailbox, CALENDAR);
		text_str(o, "/>");
	}
	if (WANT(F_CLASS))
		word_xml(o, "ItemClass", "IPM.Appointment");
	if (WANT(F_SUBJECT) && subject != NULL)
		word_xml(o, "Subject", subject);
	if (WANT(F_SENSITIVITY))
		word_xml(o, "Sensitivity", e->private ? "Private" : "Normal");
	if (WANT(F_BODY)) {
		text_str(o, "<t:Body BodyType=\"Text\">");
		text_xml(o, e->body);
		text_str(o, "</t:Body>");
	}
	if (WANT(F_RECEIVED))
		time_xml(w, "DateTimeReceived", e->created);
	if (WANT(F_SIZE))
		word_xml(o, "Size", "4096");
	if (WANT(F_IMPORTANCE))
		word_xml(o, "Importance", "Normal");
	if (WANT(F_DRAFT))
		bool_xml(o, "IsDraft", 0);
	if (WANT(F_CREATED))
		time_xml(w, "DateTimeCreated", e->created);
	if (WANT(F_REMINDER))
		bool_xml(o, "ReminderIsSet", 0);
	if (WANT(F_REMINDER_MINUTES))
		word_xml(o, "ReminderMinutesBeforeStart", "15");
	if (WANT(F_ATTACHMENTS))
		bool_xml(o, "HasAttachments", 0);
	for (i = 0; i < s->nprops; i++)
		property_xml(o, e, occ, &s->props[i]);
	if (WANT(F_CULTURE))
		word_xml(o, "Culture", "en-US");
	if (WANT(F_MODIFIED))
		time_xml(w, "LastModifiedTime", e->modified);
	if (WANT(F_ASSOCIATED))
		bool_xml(o, "IsAssociated", 0);
}

static void
times_part(struct ews *w, const struct event *e, const struct occurrence *occ,
    const struct shape *s)
{
	struct text *o = &w->r->out;

	if (WANT(F_UID))
		word_xml(o, "UID", e->meeting->uid);
	if (WANT(F_RECURRENCE_ID) && (occ != NULL || e->instance != 0))
		time_xml(w, "RecurrenceId", occ ? occ->original : e->instance);
	if (WANT(F_STAMP))
		time_xml(w, "DateTimeStamp", e->modified);
	if (WANT(F_START))
		time_xml(w, "Start", occ ? occ->start : e->start);
	if (WANT(F_END))
		time_xml(w, "End", occ ? occ->end : e->end);
	if (WANT(F_ORIGINAL) && occ != NULL)
		time_xml(w, "OriginalStart", occ->original);
	if (WANT(F_ALL_DAY))
		bool_xml(o, "IsAllDayEvent",
		    event_all_day(e, occ ? occ->change : NULL));
}

static const char *
busy_of(const struct event *e, int cancelled)
{
	if (cancelled || e->free)
		return "Free";
	return e->response == RESPONSE_WAITING ||
		e->response == RESPONSE_TENTATIVE
	    ? "Tentative"
	    : "Busy";
}

static void
state_part(struct ews *w, const struct event *e, const struct occurrence *occ,
    const struct shape *s)
{
	int cancelled =
	    e->cancelled || (occ && occ->change && occ->change->cancelled);
	int own = e == e->meeting->own, meeting = e->meeting->nattendees > 0;
	const struct mailbox *by = e->meeting->own->mailbox;
	struct text *o = &w->r->out;

	if (WANT(F_BUSY))
		word_xml(o, "LegacyFreeBusyStatus", busy_of(e, cancelled));
	if (WANT(F_LOCATION))
		word_xml(o, "Location", location_of(e));
	if (WANT(F_IS_MEETING))
		bool_xml(o, "IsMeeting", meeting || !own);
	if (WANT(F_CANCELLED))
		bool_xml(o, "IsCancelled", cancelled);
	if (WANT(F_RECURRING))
		bool_xml(o, "IsRecurring", occ != NULL);
	if (WANT(F_SENT))
		bool_xml(o, "MeetingRequestWasSent",
		    own && e->meeting->said != 0 && meeting);
	if (WANT(F_RESPONSE_REQUESTED))
		bool_xml(o, "IsResponseRequested", !e->meeting->no_response);
	if (WANT(F_TYPE))
		word_xml(o, "CalendarItemType",
		    occ == NULL       ? (e->rec ? "RecurringMaster" : "Single")
			: occ->change ? "Exception"
				      : "Occurrence");
	if (WANT(F_MY_RESPONSE))
		word_xml(o, "MyResponseType", responses[e->response]);
	if (WANT(F_ORGANIZER))
		organizer_xml(o, by);
	if (WANT(F_REQUIRED))
		attendees_xml(
		    w, e, occ, "RequiredAttendees", ATTENDEE_REQUIRED);
	if (WANT(F_OPTIONAL))
		attendees_xml(
		    w, e, occ, "OptionalAttendees", ATTENDEE_OPTIONAL);
	if (WANT(F_RESOURCES))
		attendees_xml(w, e, occ, "Resources", ATTENDEE_RESOURCE);
	if (WANT(F_DURATION))
		text_fmt(o, "<t:Duration>PT%lldM</t:Duration>",
		    (long long)((occ ? occ->end - occ->start
				     : e->end - e->start) /
			60));
	if (WANT(F_REPLY_TIME) && !own && e->response == RESPONSE_ACCEPTED)
		time_xml(w, "AppointmentReplyTime", e->modified);
	if (WANT(F_SEQUENCE))
		word_xml(o, "AppointmentSequenceNumber", "0");
	if (WANT(F_STATE)) /* bits: meeting, received, cancelled */
		text_fmt(o, "<t:AppointmentState>%d</t:AppointmentState>",
		    (meeting || !own ? 1 : 0) | (own ? 0 : 2) |
			(cancelled ? 4 : 0));
}

static void
zones_part(struct text *o, const struct event *e, const struct shape *s)
{
	const char *shown = e->zone_shown ? e->zone_shown : zone_name(e->zone);
	const char *windows = e->zone_shown ? shown : zone_windows(e->zone);
	const char *const names[] = {"StartTimeZone", "EndTimeZone"};
	int i;

	for (i = 0; i < 2; i++) {
		if (!WANT(F_START_ZONE + i))
			continue;
		text_fmt(o, "<t:%s Id=\"", names[i]);
		text_xml(o, windows);
		text_str(o, "\" Name=\"");
		text_xml(o, shown);
		text_str(o, "\"/>");
	}
}

/*
 * Writes an item, or one occurrence of it, as a CalendarItem.
 */
void
item_xml(struct ews *w, const struct event *e, const struct occurrence *occ,
    const struct shape *s)
{
	struct text *o = &w->r->out;

	text_str(o, "<t:CalendarItem>");
	item_id(o, "ItemId", e, occ ? occ->original : WHEN_NONE);
	item_part(w, e, occ, s);
	times_part(w, e, occ, s);
	state_part(w, e, occ, s);
	if (e->rec != NULL && occ == NULL)
		series_xml(w, e, s);
	zones_part(o, e, s);
	if (WANT(F_CONFERENCE))
		word_xml(o, "ConferenceType", "0");
	if (WANT(F_PROPOSAL))
		bool_xml(o, "AllowNewTimeProposal", 1);
	if (WANT(F_ONLINE))
		bool_xml(o, "IsOnlineMeeting", 0);
	if (WANT(F_IS_ORGANIZER))
		bool_xml(o, "IsOrganizer", e == e->meeting->own);
	text_str(o, "</t:CalendarItem>");
}
