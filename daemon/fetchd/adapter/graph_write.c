/*
 * graph_write.c: the writes to Exchange by Graph: a meeting made, changed,
 * cancelled by its organiser or declined by its room.
 *
 * A write is never sent twice.  Where it takes two requests, the first one is
 * a GET, or a write that Exchange has refused in words.  None goes through
 * $batch: what an inner request did must not depend on an outer one.
 */
#include "fetchd/adapter/graph_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/query.h"

#define PREFER "outlook.timezone=\"UTC\", IdType=\"ImmutableId\""

enum phase {
	MAKE,
	LOOK, /* GET of who is invited, before a room is changed */
	CHANGE,
	CANCEL,
	ALONE, /* GET: is anybody invited at all? */
	DELETE,
	DECLINE,
	SILENTLY /* declined once more, without a word to the organiser */
};

struct graph_write {
	struct job job; /* first */
	enum phase phase;
	int pending;
	uint8_t state;
	char *address, *remote_id, *subject;
	char tag[257], room_from[255], room_to[255], room_name[101];
	int64_t start, end;
	struct strbuf path, body;
	struct flat said;
	struct asker asker;
};

static void
write_release(struct job *job)
{
	struct graph_write *w = (struct graph_write *)job;

	if (w->pending)
		outbound_drop(job->a->out, w);
	strbuf_free(&w->path);
	strbuf_free(&w->body);
	flat_free(&w->said);
	free(w->address);
	free(w->remote_id);
	free(w->subject);
	free(w);
}

static struct graph_write *
write_new(struct adapter *a, uint64_t id, enum phase phase, const char *address,
    const char *remote_id)
{
	struct graph_write *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->phase = phase;
	w->state = BOOKING_STATE_BOOKED;
	w->address = strdup(address);
	w->remote_id = strdup(remote_id);
	w->subject = strdup("");
	strbuf_init(&w->path, QUERY_PATH_MAX);
	strbuf_init(&w->body, GRAPH_BODY_MAX);
	w->job.release = write_release;
	job_add(a, &w->job, id, 1);
	if (w->address && w->remote_id && w->subject)
		return w;
	job_end(&w->job);
	return NULL;
}

static void
write_end(struct graph_write *w, enum outcome r, const struct reply *y,
    const char *text)
{
	char id[513], uid[513], tag[257], clean[301];
	const struct flat *f = &w->said;
	struct msg_mapd_written m = {.outcome = r,
	    .status = y ? y->status : 0,
	    .state = w->state,
	    .retry_after = y ? y->retry_after : 0,
	    .request_id = y ? y->request_id : "",
	    .number = ""};

	m.remote_id = wire_clean(id, sizeof(id), flat_text(f, GRAPH_ID), 512);
	m.uid = wire_clean(uid, sizeof(uid), flat_text(f, GRAPH_UID), 512);
	m.change_tag =
	    wire_clean(tag, sizeof(tag), flat_text(f, GRAPH_ETAG), 256);
	m.text = wire_clean(clean, sizeof(clean), text, 300);
	if (w->job.a->mapd)
		mapd_written_send(w->job.a->mapd, w->job.id, CHAN_END, &m);
	job_end(&w->job);
}

/* --- what came of it --------------------------------------------------------- */

static int
is_code(const struct flat *f, const char *code)
{
	return strcasecmp(graph_error_code(f), code) == 0;
}

static enum outcome
outcome_of_status(const struct reply *y, const struct flat *f, int make)
{
	switch (y->status) {
	case 401:
	case 403:
		return OUTCOME_DENIED;
	case 404:
	case 410:
		/* Without a code of its own it may be a proxy's, or the
		 * mailbox's: no evidence that the meeting is gone. */
		return !make &&
			(is_code(f, "ErrorItemNotFound") ||
			    is_code(f,
				"ErrorCalendarOccurrenceIsDeleted"
				"FromRecurrence"))
		    ? OUTCOME_GONE
		    : OUTCOME_REFUSED;
	case 409: /* the transaction has been seen: the first one was done */
		return make ? OUTCOME_UNKNOWN : OUTCOME_STALE;
	case 412:
		return OUTCOME_STALE;
	default:
		return OUTCOME_REFUSED;
	}
}

enum outcome
graph_write_outcome(const struct reply *y, const struct flat *f, int make,
    int said, char *text, size_t cap)
{
	const char *code = graph_error_code(f);

	if (y->failed != OUTCOME_OK) {
		snprintf(text, cap, "%s", y->text);
		return y->failed == OUTCOME_BROKEN ? OUTCOME_UNKNOWN
						   : y->failed;
	}
	snprintf(text, cap, "Exchange answered %u%s%.80s", y->status,
	    *code ? " " : "", code);
	if (y->status == 429 || y->status == 503 || y->status == 509)
		return OUTCOME_BUSY;
	if (y->status >= 500 || y->status < 200 || y->html)
		return OUTCOME_UNKNOWN;
	if (y->status < 300 && said)
		return OUTCOME_OK;
	if (y->status < 400) {
		snprintf(text, cap,
		    "Exchange's answer (%u) does not say what was done",
		    y->status);
		return OUTCOME_UNKNOWN;
	}
	return outcome_of_status(y, f, make);
}

/* Nothing is written before this: what a GET leaves open is a failure. */
static enum outcome
look_outcome(
    const struct reply *y, const struct flat *f, char *text, size_t cap)
{
	enum outcome r = graph_write_outcome(
	    y, f, 0, *flat_text(f, GRAPH_ID) != '\0', text, cap);

	return r == OUTCOME_UNKNOWN ? OUTCOME_FAILED : r;
}

/* --- asking ----------------------------------------------------------------------- */

/* The event's own answer and errors; who is invited goes to reply.rest. */
static int
on_whole(void *arg, const struct reply *y, const char *json, size_t len)
{
	struct graph_write *w = arg;
	const struct project_member *root =
	    w->phase == LOOK ? graph_find_schema() : graph_schema(0);

	(void)y;
	if (flat_read(&w->said, root->members, json, len))
		return -1;
	return w->phase == LOOK;
}

static void on_done(void *, struct reply *);

static void
send_it(struct graph_write *w, enum method method, const char *what,
    const char *if_match)
{
	struct msg_http_request m = {.method = method,
	    .idempotent = method == METHOD_GET,
	    .path = "",
	    .accept = "application/json",
	    .content_type = "",
	    .prefer = PREFER,
	    .anchor = "",
	    .if_match = if_match};

	w->asker = (struct asker){
	    w->phase == LOOK ? graph_find_schema() : graph_schema(0),
	    graph_schema(0), NULL, on_whole, on_done};
	graph_path_write(&w->path, w->address, w->remote_id, what);
	m.path = strbuf_get(&w->path);
	m.correlation = outbound_correlation(w->job.a->out);
	if (method == METHOD_POST || method == METHOD_PATCH) {
		m.content_type = "application/json";
		m.body = (struct wire_bytes){
		    (const uint8_t *)w->body.p, w->body.len};
	}
	w->pending = 1;
	if (w->path.err || w->body.err ||
	    outbound_send(w->job.a->out, &m, &w->asker, w)) {
		w->pending = 0;
		write_end(w, OUTCOME_FAILED, NULL,
		    "the request could not be made: it is too long");
	}
}

/* Those who were read are kept, with the one room for the other. */
static void
swap(struct graph_write *w, const struct reply *y)
{
	struct msg_adapter_meeting_change m = {.address = w->address,
	    .start = w->start,
	    .end = w->end,
	    .subject = w->subject,
	    .room_from = w->room_from,
	    .room_to = w->room_to,
	    .room_name = w->room_name};
	const char *now = flat_text(&w->said, GRAPH_ETAG);
	json_t *list = json_object_get(y->rest, "attendees");

	if (*w->tag && *now && strcmp(w->tag, now) != 0) {
		write_end(w, OUTCOME_STALE, y, "the meeting has changed");
		return;
	}
	if (!json_is_array(list)) {
		write_end(w, OUTCOME_BROKEN, y,
		    "Exchange did not say who is invited");
		return;
	}
	/* Nobody who is invited meanwhile is to be dropped. */
	if (*now)
		snprintf(w->tag, sizeof(w->tag), "%.256s", now);
	strbuf_free(&w->body);
	strbuf_init(&w->body, GRAPH_ATTENDEES_MAX);
	graph_body_change(&w->body, &m, list);
	w->phase = CHANGE;
	send_it(w, METHOD_PATCH, "", w->tag);
}

/* GETs: 1 when the job went on, or has ended. */
static int
looked(struct graph_write *w, const struct reply *y)
{
	char text[300];
	enum outcome r;

	if (w->phase != LOOK && w->phase != ALONE)
		return 0;
	r = look_outcome(y, &w->said, text, sizeof(text));
	if (r != OUTCOME_OK)
		write_end(w, r, y, text);
	else if (w->phase == LOOK)
		swap(w, y);
	else if (flat_integer(&w->said, GRAPH_ATTENDEES) > 0)
		write_end(w, OUTCOME_REFUSED, y,
		    "Exchange refuses to cancel this meeting: is the mailbox "
		    "its organiser?");
	else {
		w->phase = DELETE;
		send_it(w, METHOD_DELETE, "", w->tag);
	}
	return 1;
}

/* "The meeting organizer hasn't requested a response." */
static int
response_unwanted(const struct flat *f)
{
	const char *s = flat_text(f, GRAPH_ERROR_MESSAGE);

	return strcasestr(s, "request") && strcasestr(s, "a response");
}

/* What Exchange refused in words is tried in the other way that it has: 1. */
static int
tried_otherwise(struct graph_write *w, const struct reply *y)
{
	if (y->failed != OUTCOME_OK || y->status != 400)
		return 0;
	if (w->phase == CANCEL) {
		/* An entry without guests cannot be cancelled, only deleted;
		 * which of the two it is, is asked and not guessed. */
		w->phase = ALONE;
		send_it(w, METHOD_GET, "?$select=id,attendees", "");
		return 1;
	}
	if (w->phase == DECLINE && response_unwanted(&w->said)) {
		w->phase = SILENTLY;
		graph_body_comment(&w->body, "", 0);
		send_it(w, METHOD_POST, "/decline", "");
		return 1;
	}
	return 0;
}

static void
on_done(void *arg, struct reply *y)
{
	struct graph_write *w = arg;
	char text[300];
	int said = 1;
	enum outcome r;

	w->pending = 0;
	if (looked(w, y) || tried_otherwise(w, y))
		return;
	if (w->phase == MAKE || w->phase == CHANGE)
		said = *flat_text(&w->said, GRAPH_ID) != '\0';
	if (w->phase == MAKE)
		said = said && *flat_text(&w->said, GRAPH_UID) != '\0';
	r = graph_write_outcome(
	    y, &w->said, w->phase == MAKE, said, text, sizeof(text));
	write_end(w, r, y, r == OUTCOME_OK ? "" : text);
}

/* --- what mapd asks for -------------------------------------------------------------- */

int
graph_meet(struct adapter *a, uint64_t id, const struct msg_adapter_meet *m)
{
	struct graph_write *w = write_new(a, id, MAKE, m->address, "");

	if (w == NULL)
		return -1;
	if (*m->room && !m->notice && strcasecmp(m->room, m->address) != 0)
		w->state = BOOKING_STATE_TENTATIVE; /* the room will answer */
	graph_body_meet(&w->body, m);
	send_it(w, METHOD_POST, "", "");
	return 0;
}

int
graph_change(
    struct adapter *a, uint64_t id, const struct msg_adapter_meeting_change *m)
{
	struct graph_write *w =
	    write_new(a, id, CHANGE, m->address, m->remote_id);

	if (w == NULL)
		return -1;
	snprintf(w->tag, sizeof(w->tag), "%s", m->change_tag);
	if (*m->room_to == '\0') {
		graph_body_change(&w->body, m, NULL);
		send_it(w, METHOD_PATCH, "", w->tag);
		return 0;
	}
	free(w->subject);
	if ((w->subject = strdup(m->subject)) == NULL) {
		job_end(&w->job);
		return -1;
	}
	w->start = m->start;
	w->end = m->end;
	snprintf(w->room_from, sizeof(w->room_from), "%s", m->room_from);
	snprintf(w->room_to, sizeof(w->room_to), "%s", m->room_to);
	snprintf(w->room_name, sizeof(w->room_name), "%s", m->room_name);
	if (strcasecmp(m->room_to, m->address) != 0)
		w->state = BOOKING_STATE_TENTATIVE;
	w->phase = LOOK;
	send_it(w, METHOD_GET, "?$select=id,attendees", "");
	return 0;
}

int
graph_cancel(
    struct adapter *a, uint64_t id, const struct msg_adapter_meeting_cancel *m)
{
	struct graph_write *w =
	    write_new(a, id, CANCEL, m->address, m->remote_id);

	if (w == NULL)
		return -1;
	w->state = BOOKING_STATE_CANCELLED;
	snprintf(w->tag, sizeof(w->tag), "%s", m->change_tag);
	graph_body_comment(&w->body, m->comment, -1);
	send_it(w, METHOD_POST, "/cancel", w->tag);
	return 0;
}

int
graph_decline(
    struct adapter *a, uint64_t id, const struct msg_adapter_meeting_decline *m)
{
	struct graph_write *w =
	    write_new(a, id, DECLINE, m->address, m->remote_id);

	if (w == NULL)
		return -1;
	w->state = BOOKING_STATE_CANCELLED;
	graph_body_comment(&w->body, m->comment, 1);
	send_it(w, METHOD_POST, "/decline", "");
	return 0;
}
