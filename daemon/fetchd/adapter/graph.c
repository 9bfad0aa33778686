/* graph.c: paths, members and error codes of Graph.  See graph.h. */
#include "fetchd/adapter/graph.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/query.h"

/* --- what is read ------------------------------------------------------------ */

#define SCALAR(n)                          \
	{                                  \
		n, PROJECT_SCALAR, 0, NULL \
	}
#define OBJECT(n, m)                    \
	{                               \
		n, PROJECT_OBJECT, 0, m \
	}
#define END                                   \
	{                                     \
		NULL, PROJECT_SCALAR, 0, NULL \
	}

static const struct project_member when[] = {
    SCALAR("dateTime"), SCALAR("timeZone"), END};
static const struct project_member address[] = {SCALAR("address"), END};
static const struct project_member party[] = {
    OBJECT("emailAddress", address), END};
static const struct project_member response[] = {SCALAR("response"), END};
static const struct project_member removed[] = {SCALAR("reason"), END};
static const struct project_member body_of[] = {SCALAR("content"), END};
static const struct project_member error_of[] = {SCALAR("code"), END};

/* Attendees are counted, never copied: this version sends only their number. */
#define EVENT                                                               \
	SCALAR("id"), SCALAR("@odata.etag"), SCALAR("changeKey"),           \
	    SCALAR("iCalUId"), SCALAR("type"), SCALAR("seriesMasterId"),    \
	    SCALAR("subject"), OBJECT("start", when), OBJECT("end", when),  \
	    SCALAR("originalStart"), SCALAR("isAllDay"),                    \
	    SCALAR("isCancelled"), SCALAR("showAs"), SCALAR("sensitivity"), \
	    OBJECT("organizer", party), OBJECT("responseStatus", response), \
	    {"attendees", PROJECT_COUNT, 0, NULL}, OBJECT("@removed", removed)
#define LIST(event)                                                     \
	{"value", PROJECT_STREAM, 0, event}, SCALAR("@odata.nextLink"), \
	    SCALAR("@odata.deltaLink"), OBJECT("error", error_of)

static const struct project_member event_lean[] = {EVENT, END};
static const struct project_member event_body[] = {
    EVENT, OBJECT("body", body_of), END};
/* An answer is a list or one event; their members do not collide. */
static const struct project_member answer_lean[] = {
    LIST(event_lean), EVENT, END};
static const struct project_member answer_body[] = {
    LIST(event_body), EVENT, OBJECT("body", body_of), END};
static const struct project_member headers[] = {
    SCALAR("Retry-After"), SCALAR("retry-after"), END};

#define RESPONSE(answer)                                                      \
	{"id", PROJECT_SCALAR, 1, NULL}, {"status", PROJECT_SCALAR, 2, NULL}, \
	    OBJECT("headers", headers), OBJECT("body", answer), END

static const struct project_member response_lean[] = {RESPONSE(answer_lean)};
static const struct project_member response_body[] = {RESPONSE(answer_body)};
static const struct project_member batch_lean[] = {
    {"responses", PROJECT_STREAM, 0, response_lean}, OBJECT("error", error_of),
    END};
static const struct project_member batch_body[] = {
    {"responses", PROJECT_STREAM, 0, response_body}, OBJECT("error", error_of),
    END};

const struct project_member *
graph_schema(int body)
{
	static const struct project_member lean = OBJECT("", answer_lean),
					   full = OBJECT("", answer_body);

	return body ? &full : &lean;
}

const struct project_member *
graph_batch_schema(int body)
{
	static const struct project_member lean = OBJECT("", batch_lean),
					   full = OBJECT("", batch_body);

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
	"originalStart,isAllDay,isCancelled,showAs,sensitivity,organizer,"    \
	"responseStatus,attendees"

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

/* --- how it ended ------------------------------------------------------------------ */

const char *
graph_error_code(json_t *body)
{
	const char *s = json_string_value(
	    json_object_get(json_object_get(body, "error"), "code"));

	return s ? s : "";
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
