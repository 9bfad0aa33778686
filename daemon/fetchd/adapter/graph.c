/* graph.c: paths, members and error codes of Graph.  See graph.h. */
#include "fetchd/adapter/graph.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/query.h"
#include "fetchd/adapter/tag.h"

/* --- what is read ------------------------------------------------------------ */

static const struct project_member start[] = {
    SCALAR("dateTime", GRAPH_START), SCALAR("timeZone", GRAPH_START_ZONE), END};
static const struct project_member stop[] = {
    SCALAR("dateTime", GRAPH_END), SCALAR("timeZone", GRAPH_END_ZONE), END};
static const struct project_member address[] = {
    SCALAR("address", GRAPH_ORGANISER), END};
static const struct project_member party[] = {
    OBJECT("emailAddress", address, 0), END};
static const struct project_member response[] = {
    SCALAR("response", GRAPH_RESPONSE), END};
static const struct project_member response_said[] = {
    SCALAR("response", 0), END};
static const struct project_member removed[] = {SCALAR("reason", 0), END};
static const struct project_member body_of[] = {
    SCALAR("content", GRAPH_BODY), END};
static const struct project_member error_of[] = {
    SCALAR("code", GRAPH_ERROR_CODE), SCALAR("message", GRAPH_ERROR_MESSAGE),
    END};

/* Attendees are counted, never copied: this version sends only their number.
 * In the order in which Graph sends them, which is found the fastest. */
#define EVENT_BUT_ATTENDEES                                                    \
	SCALAR("@odata.etag", GRAPH_ETAG), SCALAR("id", GRAPH_ID),             \
	    SCALAR("changeKey", GRAPH_CHANGE_KEY),                             \
	    SCALAR("originalStartTimeZone", GRAPH_ZONE),                       \
	    SCALAR("iCalUId", GRAPH_UID), SCALAR("subject", GRAPH_SUBJECT),    \
	    SCALAR("sensitivity", GRAPH_SENSITIVITY),                          \
	    SCALAR("isAllDay", GRAPH_ALL_DAY),                                 \
	    SCALAR("isCancelled", GRAPH_CANCELLED),                            \
	    SCALAR("seriesMasterId", GRAPH_SERIES),                            \
	    SCALAR("showAs", GRAPH_SHOW_AS), SCALAR("type", GRAPH_TYPE),       \
	    SCALAR("originalStart", GRAPH_ORIGINAL_START),                     \
	    OBJECT("responseStatus", response, 0), OBJECT("start", start, 0),  \
	    OBJECT("end", stop, 0), SCALAR("isOrganizer", GRAPH_IS_ORGANISER), \
	    OBJECT("organizer", party, GRAPH_PARTY),                           \
	    OBJECT("@removed", removed, GRAPH_GONE)
#define EVENT                                                        \
	EVENT_BUT_ATTENDEES,                                         \
	{                                                            \
		"attendees", PROJECT_COUNT, 0, NULL, GRAPH_ATTENDEES \
	}
#define LIST(event)                                  \
	{"value", PROJECT_STREAM, 0, event, 0},      \
	    SCALAR("@odata.nextLink", GRAPH_NEXT),   \
	    SCALAR("@odata.deltaLink", GRAPH_DELTA), \
	    OBJECT("error", error_of, 0)

static const struct project_member event_lean[] = {EVENT, END};
static const struct project_member event_body[] = {
    EVENT, OBJECT("body", body_of, 0), END};
/* An answer is a list or one event; their members do not collide. */
static const struct project_member answer_lean[] = {
    LIST(event_lean), EVENT, END};
static const struct project_member answer_body[] = {
    LIST(event_body), EVENT, OBJECT("body", body_of, 0), END};
static const struct project_member headers[] = {
    SCALAR("Retry-After", BATCH_RETRY), SCALAR("retry-after", BATCH_RETRY_LOW),
    END};

#define RESPONSE(answer)                                       \
	{"id", PROJECT_SCALAR, 1, NULL, BATCH_ID},             \
	    {"status", PROJECT_SCALAR, 2, NULL, BATCH_STATUS}, \
	    OBJECT("headers", headers, 0), OBJECT("body", answer, 0), END

static const struct project_member response_lean[] = {RESPONSE(answer_lean)};
static const struct project_member response_body[] = {RESPONSE(answer_body)};
static const struct project_member batch_lean[] = {
    {"responses", PROJECT_STREAM, 0, response_lean, 0},
    OBJECT("error", error_of, 0), END};
static const struct project_member batch_body[] = {
    {"responses", PROJECT_STREAM, 0, response_body, 0},
    OBJECT("error", error_of, 0), END};

/* Of ORB's own meetings alone it is read who is invited. */
static const struct project_member mail[] = {
    SCALAR("address", 0), SCALAR("name", 0), END};
static const struct project_member attendee[] = {SCALAR("type", 0),
    OBJECT("status", response_said, 0), OBJECT("emailAddress", mail, 0), END};
static const struct project_member property[] = {
    SCALAR("id", 0), SCALAR("value", 0), END};
#define FOUND                                                  \
	EVENT_BUT_ATTENDEES, OBJECT("attendees", attendee, 0), \
	    OBJECT("singleValueExtendedProperties", property, 0)
static const struct project_member found[] = {FOUND, END};
static const struct project_member answer_find[] = {LIST(found), FOUND, END};
static const struct project_member response_find[] = {RESPONSE(answer_find)};
static const struct project_member batch_find[] = {
    {"responses", PROJECT_STREAM, 0, response_find, 0},
    OBJECT("error", error_of, 0), END};

const struct project_member *
graph_find_schema(void)
{
	static const struct project_member root = OBJECT("", answer_find, 0);

	return &root;
}

const struct project_member *
graph_find_batch_schema(void)
{
	static const struct project_member root = OBJECT("", batch_find, 0);

	return &root;
}

const struct project_member *
graph_schema(int body)
{
	static const struct project_member lean = OBJECT("", answer_lean, 0),
					   full = OBJECT("", answer_body, 0);

	return body ? &full : &lean;
}

const struct project_member *
graph_batch_schema(int body)
{
	static const struct project_member lean = OBJECT("", batch_lean, 0),
					   full = OBJECT("", batch_body, 0);

	return body ? &full : &lean;
}

const char *
graph_prefer(char *buf, size_t cap, int page_size, int body)
{
	snprintf(buf, cap,
	    "odata.maxpagesize=%d, outlook.timezone=\"UTC\", "
	    "IdType=\"ImmutableId\"%s",
	    page_size, body ? ", outlook.body-content-type=\"text\"" : "");
	return buf;
}

/* --- what is asked -------------------------------------------------------------- */

#define SELECT                                                                \
	"$select=id,changeKey,iCalUId,type,seriesMasterId,subject,start,end," \
	"originalStart,originalStartTimeZone,isAllDay,isCancelled,showAs,"    \
	"sensitivity,organizer,"                                              \
	"responseStatus,isOrganizer,attendees"

static void
window(struct strbuf *b, int64_t from, int64_t to)
{
	char t[MOMENT_TEXT];

	strbuf_fmt(b, "startDateTime=%s", moment_text(from, t));
	strbuf_fmt(b, "&endDateTime=%s", moment_text(to, t));
}

static void
user(struct strbuf *b, const char *mailbox)
{
	strbuf_reset(b);
	strbuf_str(b, "/users/");
	query_segment(b, mailbox);
}

int
graph_path_delta(
    struct strbuf *b, const char *mailbox, int64_t from, int64_t to)
{
	user(b, mailbox);
	strbuf_str(b, "/calendarView/delta?");
	window(b, from, to);
	return b->err;
}

int
graph_path_instances(struct strbuf *b, const char *mailbox,
    const char *series_id, int64_t from, int64_t to, int body)
{
	user(b, mailbox);
	strbuf_str(b, "/events/");
	query_segment(b, series_id);
	strbuf_str(b, "/instances?");
	window(b, from, to);
	strbuf_str(b, body ? "&" SELECT ",body" : "&" SELECT);
	return b->err;
}

int
graph_path_event(
    struct strbuf *b, const char *mailbox, const char *id, int body)
{
	user(b, mailbox);
	strbuf_str(b, "/events/");
	query_segment(b, id);
	strbuf_str(b, body ? "?" SELECT ",body" : "?" SELECT);
	return b->err;
}

int
graph_path_view(struct strbuf *b, const char *mailbox, int64_t from, int64_t to)
{
	user(b, mailbox);
	strbuf_str(b, "/calendarView?");
	window(b, from, to);
	strbuf_str(b, "&" SELECT);
	return b->err;
}

/* A string of OData's: its quotes are doubled. */
static void
quoted(struct strbuf *b, const char *s)
{
	char one[2] = {0};

	query_encode(b, "'");
	for (; *s; s++) {
		one[0] = *s;
		query_encode(b, *s == '\'' ? "''" : one);
	}
	query_encode(b, "'");
}

int
graph_path_find(struct strbuf *b, const char *mailbox, const char *tag)
{
	user(b, mailbox);
	strbuf_str(b, "/events?$filter=");
	query_encode(b, "singleValueExtendedProperties/Any(ep: ep/id eq ");
	quoted(b, TAG_PROPERTY);
	query_encode(b, " and ep/value eq ");
	quoted(b, tag);
	query_encode(b, ")");
	strbuf_str(b, "&" SELECT "&$expand=");
	query_encode(b, "singleValueExtendedProperties($filter=id eq ");
	quoted(b, TAG_PROPERTY);
	query_encode(b, ")");
	return b->err;
}

int
graph_path_write(
    struct strbuf *b, const char *mailbox, const char *id, const char *what)
{
	user(b, mailbox);
	strbuf_str(b, "/events");
	if (*id) {
		strbuf_ch(b, '/');
		query_segment(b, id);
	}
	strbuf_str(b, what);
	return b->err;
}

/* --- how it ended ------------------------------------------------------------------ */

const char *
graph_error_code(const struct flat *body)
{
	return body ? flat_text(body, GRAPH_ERROR_CODE) : "";
}

static int
among(const char *code, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(code, *list) == 0)
			return 1;
	return 0;
}

/*
 * 410 always; 400 and malformed ids too, as Exchange answers them to a token
 * that it has thrown away.  The spelling of the codes varies in case.
 */
int
graph_cursor_lost(const struct batch_answer *a)
{
	static const char *const codes[] = {"SyncStateNotFound",
	    "resyncRequired", "ErrorInvalidIdMalformed",
	    "ErrorInvalidSyncStateData", "SyncStateInvalid", NULL};

	if (a->failed != OUTCOME_OK || a->status < 400)
		return 0;
	return a->status == 410 || a->status == 400 ||
	    among(graph_error_code(a->body), codes);
}

int
graph_event_gone(const struct batch_answer *a)
{
	static const char *const codes[] = {"ErrorItemNotFound",
	    "ErrorCalendarOccurrenceIsDeletedFromRecurrence", NULL};

	return a->failed == OUTCOME_OK &&
	    (a->status == 404 || a->status == 410 || a->status == 400) &&
	    among(graph_error_code(a->body), codes);
}

enum outcome
graph_outcome(const struct batch_answer *a, char *text, size_t cap)
{
	const char *code = graph_error_code(a->body);

	if (a->failed != OUTCOME_OK) {
		snprintf(text, cap, "%s", a->text);
		return a->failed;
	}
	if (a->status >= 200 && a->status < 300) {
		snprintf(text, cap, "%s", "");
		return OUTCOME_OK;
	}
	snprintf(text, cap, "Exchange answered %d%s%.80s", a->status,
	    *code ? " " : "", code);
	if (graph_event_gone(a))
		return OUTCOME_GONE;
	if (a->status == 401 || a->status == 403)
		return OUTCOME_DENIED;
	if (a->status == 429 || a->status == 503 || a->status == 509)
		return OUTCOME_BUSY;
	/* 404 without a code of its own may be a proxy's, or the mailbox's
	 * (MailboxNotEnabledForRESTAPI): never evidence that an event is gone. */
	return a->status >= 500 ? OUTCOME_FAILED : OUTCOME_REFUSED;
}
