/* graph_body.c: the bodies that are sent to Graph.  See graph_write.h. */
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/graph_write.h"
#include "fetchd/adapter/jstr.h"
#include "fetchd/adapter/moment.h"

/* A dateTimeTimeZone, in UTC: the zone is said once. */
static void
time_member(struct strbuf *b, const char *name, int64_t at)
{
	char t[MOMENT_TEXT];

	moment_text(at, t);
	t[strlen(t) - 1] = '\0'; /* the "Z" */
	jstr_object(b, name);
	jstr_member(b, "dateTime", t);
	jstr_member(b, "timeZone", "UTC");
	strbuf_ch(b, '}');
}

static void
location_member(struct strbuf *b, const char *name, const char *address)
{
	jstr_object(b, "location");
	jstr_member(b, "displayName", *name ? name : address);
	if (*address) {
		jstr_member(b, "locationEmailAddress", address);
		jstr_member(b, "locationType", "conferenceRoom");
	}
	strbuf_ch(b, '}');
}

static void
attendee(struct strbuf *b, const char *type, const char *address)
{
	if (b->len && b->p[b->len - 1] == '}')
		strbuf_ch(b, ',');
	strbuf_ch(b, '{');
	jstr_member(b, "type", type);
	jstr_object(b, "emailAddress");
	jstr_member(b, "address", address);
	strbuf_str(b, "}}");
}

static void
attendees_member(struct strbuf *b, const struct msg_adapter_meet *m)
{
	int room =
	    *m->room && !m->notice && strcasecmp(m->room, m->address) != 0;
	int organiser =
	    *m->organiser && strcasecmp(m->organiser, m->address) != 0;

	if (!room && !organiser)
		return;
	strbuf_str(b, ",\"attendees\":[");
	if (room)
		attendee(b, "resource", m->room);
	if (organiser)
		attendee(b, "required", m->organiser);
	strbuf_ch(b, ']');
}

int
graph_body_meet(struct strbuf *b, const struct msg_adapter_meet *m)
{
	strbuf_reset(b);
	strbuf_ch(b, '{');
	jstr_member(b, "subject", m->subject);
	if (*m->body) {
		jstr_object(b, "body");
		jstr_member(b, "contentType", "text");
		jstr_member(b, "content", m->body);
		strbuf_ch(b, '}');
	}
	time_member(b, "start", m->start);
	time_member(b, "end", m->end);
	/* Nobody sits in front of these mailboxes to be reminded. */
	strbuf_str(b, ",\"isReminderOn\":false");
	jstr_member(b, "showAs", m->notice ? "free" : "busy");
	if (m->private_)
		jstr_member(b, "sensitivity", "private");
	attendees_member(b, m);
	if (*m->room || *m->room_name)
		location_member(b, m->room_name, m->notice ? "" : m->room);
	if (*m->transaction)
		jstr_member(b, "transactionId", m->transaction);
	if (*m->tag) {
		strbuf_str(b, ",\"singleValueExtendedProperties\":[{");
		jstr_member(b, "id", TAG_PROPERTY);
		jstr_member(b, "value", m->tag);
		strbuf_str(b, "}]");
	}
	return strbuf_ch(b, '}');
}

/*
 * All who are invited now, the old room left out, the new one added: Graph
 * takes the list as a whole, and tells only those who come or go.
 */
static void
swap_members(
    struct strbuf *b, const struct msg_adapter_meeting_change *m, json_t *list)
{
	json_t *who, *mail;
	const char *at, *name, *type;
	size_t i;

	strbuf_str(b, ",\"attendees\":[");
	json_array_foreach(list, i, who)
	{
		mail = json_object_get(who, "emailAddress");
		at = json_string_value(json_object_get(mail, "address"));
		name = json_string_value(json_object_get(mail, "name"));
		type = json_string_value(json_object_get(who, "type"));
		if (at == NULL || strcasecmp(at, m->room_from) == 0 ||
		    strcasecmp(at, m->room_to) == 0)
			continue;
		if (b->p[b->len - 1] == '}')
			strbuf_ch(b, ',');
		strbuf_ch(b, '{');
		jstr_member(b, "type", type ? type : "required");
		jstr_object(b, "emailAddress");
		jstr_member(b, "address", at);
		if (name)
			jstr_member(b, "name", name);
		strbuf_str(b, "}}");
		if (b->err)
			return;
	}
	if (strcasecmp(m->room_to, m->address) != 0)
		attendee(b, "resource", m->room_to);
	strbuf_ch(b, ']');
}

int
graph_body_change(struct strbuf *b, const struct msg_adapter_meeting_change *m,
    json_t *attendees)
{
	strbuf_reset(b);
	strbuf_ch(b, '{');
	if (*m->subject)
		jstr_member(b, "subject", m->subject);
	if (m->start && m->end) {
		time_member(b, "start", m->start);
		time_member(b, "end", m->end);
	}
	if (*m->room_to) {
		location_member(b, m->room_name, m->room_to);
		swap_members(b, m, attendees);
	}
	return strbuf_ch(b, '}');
}

int
graph_body_comment(struct strbuf *b, const char *comment, int respond)
{
	strbuf_reset(b);
	strbuf_ch(b, '{');
	jstr_member(b, "comment", comment);
	if (respond >= 0)
		strbuf_fmt(
		    b, ",\"sendResponse\":%s", respond ? "true" : "false");
	return strbuf_ch(b, '}');
}
