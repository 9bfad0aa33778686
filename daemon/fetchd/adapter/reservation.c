/* reservation.c: TOPdesk's answers: what is read of them, and what it means. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/topdesk.h"
#include "lib/marks.h"

static const struct project_member id_only[] = {SCALAR("id", 0), END};
static const struct project_member requester[] = {SCALAR("email", 0), END};
static const struct project_member link_of[] = {
    SCALAR("id", 0), SCALAR("type", 0), END};
static const struct project_member facility[] = {OBJECT("location", id_only, 0),
    SCALAR("startDateBlock", 0), SCALAR("endDateBlock", 0),
    SCALAR("issueDate", 0), {"reservedServices", PROJECT_COUNT, 0, NULL, 0},
    END};
static const struct project_member reservation[] = {SCALAR("id", TOPDESK_ID),
    SCALAR("number", TOPDESK_NUMBER), SCALAR("status", TOPDESK_STATUS),
    SCALAR("archived", 0), SCALAR("briefDescription", 0),
    SCALAR("numberOfPersons", 0), SCALAR("plannedStartDate", 0),
    SCALAR("plannedEndDate", 0), SCALAR("modificationDate", TOPDESK_MODIFIED),
    OBJECT("requester", requester, 0), OBJECT("series", id_only, 0),
    OBJECT("externalLinks", link_of, 0),
    OBJECT("reservedFacilities", facility, 0), END};
static const struct project_member list[] = {
    {"results", PROJECT_STREAM, 0, reservation, 0}, END};
static const struct project_member person[] = {SCALAR("id", 0),
    SCALAR("email", 0), SCALAR("dynamicName", 0), SCALAR("archived", 0), END};
static const struct project_member persons[] = {
    {"item", PROJECT_STREAM, 0, person, 0}, END};
static const struct project_member error_item[] = {
    SCALAR("errorCode", 0), SCALAR("errorMessage", 0), END};
static const struct project_member error_object[] = {
    SCALAR("code", 0), SCALAR("message", 0), END};
static const struct project_member error_top[] = {
    OBJECT("errors", error_item, 0), SCALAR("message", 0),
    OBJECT("error", error_object, 0), END};

const struct project_member topdesk_list_schema[] = {OBJECT("", list, 0), END};
const struct project_member topdesk_one_schema[] = {
    OBJECT("", reservation, 0), END};
const struct project_member topdesk_person_schema[] = {
    OBJECT("", persons, 0), END};
const struct project_member topdesk_error_schema[] = {
    OBJECT("", error_top, 0), END};

static const char *
text_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

int
reservation_state(const char *status)
{
	static const struct {
		const char *status;
		int state;
	} states[] = {{"planned", BOOKING_STATE_BOOKED},
	    {"request", BOOKING_STATE_REQUEST},
	    {"conflictingPlanned", BOOKING_STATE_CONFLICTING},
	    /* A request over another booking is a request first of all. */
	    {"conflictingRequest", BOOKING_STATE_REQUEST},
	    {"cancelled", BOOKING_STATE_CANCELLED},
	    {"rejectedRequest", BOOKING_STATE_CANCELLED}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcasecmp(status, states[i].status) == 0)
			return states[i].state;
	return -1;
}

/* ORB's own link when there is one; else the mark that another's is there,
 * since then ORB's can never be set. */
static void
link_get(json_t *o, const char *link_type, struct reservation *r)
{
	json_t *links = json_object_get(o, "externalLinks"), *l, *t;
	char number[24];
	const char *type;
	size_t i;

	json_array_foreach(links, i, l)
	{
		t = json_object_get(l, "type");
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(t));
		type = json_is_integer(t) ? number : json_string_value(t);
		if (type && strcmp(type, link_type) == 0)
			wire_clean(
			    r->link, sizeof(r->link), text_of(l, "id"), 450);
		else
			r->booking.marks |= MARK_FOREIGN_LINK;
	}
}

static void
marks_get(json_t *o, struct reservation *r)
{
	json_t *f, *services;
	size_t i, rooms = 0;

	if (json_is_true(json_object_get(o, "archived")))
		r->booking.marks |= MARK_ARCHIVED;
	if (*text_of(json_object_get(o, "series"), "id"))
		r->booking.marks |= MARK_SERIES;
	json_array_foreach(r->facilities, i, f)
	{
		if (*text_of(f, "issueDate"))
			r->booking.marks |= MARK_ISSUED;
		services = json_object_get(f, "reservedServices");
		if (json_integer_value(services) > 0)
			r->booking.marks |= MARK_SERVICES;
		rooms += *text_of(json_object_get(f, "location"), "id") != '\0';
	}
	if (rooms > 1)
		r->booking.marks |= MARK_SEVERAL_ROOMS;
}

/* An id that fits its field and has nothing in it but what ids have. */
static int
plain(const char *s, size_t max)
{
	size_t n;

	for (n = 0; s[n]; n++)
		if (!isgraph((unsigned char)s[n]) || (unsigned char)s[n] > 126)
			return 0;
	return n > 0 && n <= max;
}

int
reservation_get(
    json_t *o, const char *link_type, struct reservation *r, const char **why)
{
	struct booking *b = &r->booking;
	json_int_t persons_of;
	const char *email;
	int state;

	memset(r, 0, sizeof(*r));
	r->facilities = json_object_get(o, "reservedFacilities");
	b->room = b->uid = b->series_id = b->body = "";
	b->remote_id = text_of(o, "id");
	if (!plain(b->remote_id, 64)) {
		*why = "it has no id";
		return -1;
	}
	if ((state = reservation_state(text_of(o, "status"))) < 0) {
		*why = "its status is not one that ORB knows";
		return -1;
	}
	if (moment_parse(text_of(o, "plannedStartDate"), &b->start) ||
	    moment_parse(text_of(o, "plannedEndDate"), &b->end) ||
	    b->end < b->start) {
		*why = "its times cannot be read";
		return -1;
	}
	b->start = moment_minute(b->start);
	b->end = moment_minute(b->end);
	if (b->end == b->start)
		b->end += 60;
	b->state = (uint8_t)state;
	persons_of = json_integer_value(json_object_get(o, "numberOfPersons"));
	b->attendee_count =
	    persons_of > 0 && persons_of < 100000 ? (uint32_t)persons_of : 0;
	email = text_of(json_object_get(o, "requester"), "email");
	b->organiser = wire_clean(r->organiser, sizeof(r->organiser),
	    strlen(email) > 254 ? "" : email, 254);
	b->subject = wire_clean(r->subject, sizeof(r->subject),
	    text_of(o, "briefDescription"), 1020);
	b->number =
	    wire_clean(r->number, sizeof(r->number), text_of(o, "number"), 64);
	b->change_tag = wire_clean(
	    r->tag, sizeof(r->tag), text_of(o, "modificationDate"), 64);
	b->link = r->link;
	link_get(o, link_type, r);
	marks_get(o, r);
	return 0;
}

/* The facility's time with the room's block time around it, when that is more
 * than the reservation's own. */
static void
block_get(json_t *reserved, struct booking *b)
{
	int64_t start, end;

	b->block_start = b->block_end = 0;
	if (moment_parse(text_of(reserved, "startDateBlock"), &start) ||
	    moment_parse(text_of(reserved, "endDateBlock"), &end))
		return;
	start = moment_minute(start);
	end = moment_minute(end);
	if (start > b->start || end < b->end ||
	    (start == b->start && end == b->end))
		return;
	b->block_start = start;
	b->block_end = end;
}

int
reservation_room(struct reservation *r)
{
	json_t *reserved;
	const char *id;

	while (r->next < json_array_size(r->facilities)) {
		reserved = json_array_get(r->facilities, r->next++);
		id = text_of(json_object_get(reserved, "location"), "id");
		if (plain(id, 254)) {
			block_get(reserved, &r->booking);
			r->booking.room = id;
			return 1;
		}
	}
	return 0;
}

/* --- errors ----------------------------------------------------------------------- */

/* Copies a message without what stands in quotes and without words with "@". */
static void
redact(char *dst, size_t cap, const char *s)
{
	size_t n = 0, word;
	const char *close;

	while (*s && n + 4 < cap) {
		if ((*s == '"' || *s == '\'') &&
		    (close = strchr(s + 1, *s)) != NULL) {
			n += (size_t)snprintf(dst + n, cap - n, "...");
			s = close + 1;
			continue;
		}
		word = strcspn(s, " \t\n\r\"'");
		if (memchr(s, '@', word)) {
			n += (size_t)snprintf(dst + n, cap - n, "...");
			s += word;
			continue;
		}
		if (word == 0)
			word = 1;
		while (word-- > 0 && n + 4 < cap)
			dst[n++] = *s++;
	}
	dst[n] = '\0';
}

void
topdesk_error_text(json_t *body, char *text, size_t cap)
{
	json_t *first = json_is_array(body) ? json_array_get(body, 0) : body;
	json_t *e = json_array_get(json_object_get(first, "errors"), 0);
	const char *code, *message;
	char raw[160], clean[160];

	if (e == NULL)
		e = json_object_get(first, "error");
	code = text_of(e, "errorCode");
	if (*code == '\0')
		code = text_of(e, "code");
	message = text_of(e, "errorMessage");
	if (*message == '\0')
		message = text_of(e, "message");
	if (*message == '\0')
		message = text_of(first, "message");
	redact(raw, sizeof(raw), message);
	wire_clean(clean, sizeof(clean), raw, sizeof(clean) - 1);
	wire_clean(raw, sizeof(raw), code, 60);
	snprintf(text, cap, "%s%s%s", raw, *raw && *clean ? ": " : "", clean);
}

/*
 * Which refusals mean that the room is taken.  TOPdesk does not publish its
 * error codes, so this is a list of what to look for in code and message.
 */
static int
speaks_of_conflict(const char *text)
{
	static const char *const words[] = {"conflict", "overlap",
	    "not available", "unavailable", "not_available", "notavailable",
	    "already reserved", "already booked", "already_reserved",
	    "double booking", NULL};

	for (int i = 0; words[i]; i++)
		if (strcasestr(text, words[i]))
			return 1;
	return 0;
}

static void
status_text(const struct reply *y, char *text, size_t cap)
{
	char error[240];

	topdesk_error_text(y->rest, error, sizeof(error));
	snprintf(text, cap, "TOPdesk answered %u%s%s", y->status,
	    *error ? ": " : "", error);
}

enum outcome
topdesk_read_outcome(const struct reply *y, char *text, size_t cap)
{
	if (y->failed != OUTCOME_OK) {
		snprintf(text, cap, "%s", y->text);
		return y->failed == OUTCOME_UNKNOWN ? OUTCOME_FAILED
						    : y->failed;
	}
	status_text(y, text, cap);
	if (y->status == 429 || y->status == 503)
		return OUTCOME_BUSY;
	if (y->status >= 500)
		return OUTCOME_FAILED;
	if (y->html || (y->status < 300 && y->status != 204 && !y->json)) {
		snprintf(text, cap,
		    "TOPdesk's answer (%u) is not JSON: a proxy's page, or the "
		    "configured url is not the API's",
		    y->status);
		return OUTCOME_BROKEN;
	}
	if (y->status >= 200 && y->status < 300) {
		text[0] = '\0';
		return OUTCOME_OK;
	}
	return y->status == 401 || y->status == 403 ? OUTCOME_DENIED
	    : y->status == 404                      ? OUTCOME_GONE
						    : OUTCOME_REFUSED;
}

enum outcome
topdesk_write_outcome(const struct reply *y, int said, char *text, size_t cap)
{
	if (y->failed != OUTCOME_OK) {
		snprintf(text, cap, "%s", y->text);
		return y->failed == OUTCOME_BROKEN ? OUTCOME_UNKNOWN
						   : y->failed;
	}
	status_text(y, text, cap);
	if (y->status == 429 || y->status == 503)
		return OUTCOME_BUSY;
	if (y->status >= 500 || y->html)
		return OUTCOME_UNKNOWN;
	if (y->status >= 200 && y->status < 300) {
		if (said)
			return OUTCOME_OK;
		snprintf(text, cap,
		    "TOPdesk's answer (%u) does not say what was done",
		    y->status);
		return OUTCOME_UNKNOWN;
	}
	switch (y->status) {
	case 401:
	case 403:
		return OUTCOME_DENIED;
	case 404:
	case 410:
		return OUTCOME_GONE;
	case 409:
		return OUTCOME_CONFLICT;
	case 412:
		return OUTCOME_STALE;
	default:
		return speaks_of_conflict(text) ? OUTCOME_CONFLICT
						: OUTCOME_REFUSED;
	}
}
