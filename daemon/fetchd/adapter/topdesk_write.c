/*
 * topdesk_write.c: the writes to TOPdesk.  One HTTP request each (a cancellation
 * that is refused may become a rejection), never repeated here: http repeats what was certainly not done (429), mapd looks
 * before it writes again.
 *
 * The status in the answer is always looked at: TOPdesk does not say whether a
 * booking over another one is refused or stored as "conflictingPlanned".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fetchd/adapter/flat.h"
#include "fetchd/adapter/query.h"
#include "fetchd/adapter/topdesk_job.h"

struct td_write {
	struct job job; /* first */
	int no_content, pending;
	/* A cancellation that is refused: is it a request, to be rejected? */
	enum { ONLY, CANCEL, LOOK, REJECT } phase;
	char refusal[300]; /* of the cancellation */
	char *reservation;
	struct strbuf body;
	struct flat said; /* what a good answer says */
};

static void
write_release(struct job *job)
{
	struct td_write *w = (struct td_write *)job;

	/* The queue may be long: it is only gone through for what is in it. */
	if (w->pending)
		outbound_drop(job->a->out, w);
	flat_free(&w->said);
	strbuf_free(&w->body);
	free(w->reservation);
	free(w);
}

static void
write_end(
    struct td_write *w, enum outcome r, const struct reply *y, const char *text)
{
	char id[65], number[65], tag[65], clean[301];
	const struct flat *f = &w->said;
	struct msg_mapd_written m = {.outcome = r,
	    .status = y->status,
	    .retry_after = y->retry_after,
	    .request_id = y->request_id};
	int state = reservation_state(flat_text(f, TOPDESK_STATUS));

	m.state = state < 0 ? BOOKING_STATE_BOOKED : (uint8_t)state;
	if (r == OUTCOME_OK && state == BOOKING_STATE_CONFLICTING) {
		m.outcome = OUTCOME_CONFLICT;
		text = "TOPdesk stored it over another reservation";
	}
	m.remote_id = wire_clean(id, sizeof(id), flat_text(f, TOPDESK_ID), 64);
	m.number = wire_clean(
	    number, sizeof(number), flat_text(f, TOPDESK_NUMBER), 64);
	m.change_tag =
	    wire_clean(tag, sizeof(tag), flat_text(f, TOPDESK_MODIFIED), 64);
	m.text = wire_clean(clean, sizeof(clean), text, 300);
	if (w->job.a->mapd)
		mapd_written_send(w->job.a->mapd, w->job.id, CHAN_END, &m);
	job_end(&w->job);
}

/* A good answer is a reservation; any other is an error, which has lists. */
static int
on_whole(void *arg, const struct reply *y, const char *json, size_t len)
{
	struct td_write *w = arg;

	if (y->status < 200 || y->status >= 300)
		return 1;
	return flat_read(&w->said, topdesk_one_schema->members, json, len);
}

static void on_done(void *, struct reply *);

static void
send_it(struct td_write *w, enum method method, const char *path,
    const struct strbuf *body)
{
	static const struct asker asker = {
	    topdesk_one_schema, topdesk_error_schema, NULL, on_whole, on_done};
	struct msg_http_request m = {.method = method,
	    .idempotent = method == METHOD_GET,
	    .path = path,
	    .accept = TOPDESK_JSON};
	struct reply none = {.failed = OUTCOME_FAILED};

	if (body && body->len) {
		m.content_type = "application/json";
		m.body =
		    (struct wire_bytes){(const uint8_t *)body->p, body->len};
	}
	m.correlation = outbound_correlation(w->job.a->out);
	w->pending = 1;
	if (outbound_send(w->job.a->out, &m, &asker, w)) {
		w->pending = 0;
		write_end(
		    w, OUTCOME_FAILED, &none, "the request could not be made");
	}
}

static void
send_to(struct td_write *w, enum method method, const char *what,
    const struct strbuf *body)
{
	struct strbuf path;

	strbuf_init(&path, QUERY_PATH_MAX);
	topdesk_path_one(&path, w->reservation);
	strbuf_str(&path, what);
	send_it(w, method, strbuf_get(&path), body);
	strbuf_free(&path);
}

static int
is_request(const struct flat *f)
{
	return reservation_state(flat_text(f, TOPDESK_STATUS)) ==
	    BOOKING_STATE_REQUEST;
}

static void
on_done(void *arg, struct reply *y)
{
	struct td_write *w = arg;
	char text[300];
	int said = w->no_content || *flat_text(&w->said, TOPDESK_ID);
	enum outcome r = topdesk_write_outcome(y, said, text, sizeof(text));

	w->pending = 0;
	if (w->phase == CANCEL && r == OUTCOME_REFUSED) {
		w->phase = LOOK;
		snprintf(w->refusal, sizeof(w->refusal), "%s", text);
		send_to(w, METHOD_GET, "", NULL);
		return;
	}
	if (w->phase == LOOK && r == OUTCOME_OK) {
		if (is_request(&w->said)) {
			w->phase = REJECT;
			send_to(w, METHOD_POST, "/reject", &w->body);
			return;
		}
		r = OUTCOME_REFUSED;
		memcpy(text, w->refusal, sizeof(text));
	} else if (w->phase == LOOK && r == OUTCOME_UNKNOWN)
		r = OUTCOME_FAILED; /* nothing was written */
	write_end(w, r, y, r == OUTCOME_OK ? "" : text);
}

static struct td_write *
write_new(struct adapter *a, uint64_t id, int no_content)
{
	struct td_write *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->no_content = no_content;
	strbuf_init(&w->body, TOPDESK_BODY_MAX);
	w->job.release = write_release;
	job_add(a, &w->job, id, 1);
	return w;
}

int
topdesk_write(struct adapter *a, uint64_t id, enum method method,
    const char *path, const struct strbuf *body, int no_content)
{
	struct td_write *w;

	if (body->err || (w = write_new(a, id, no_content)) == NULL)
		return -1;
	send_it(w, method, path, body);
	return 0;
}

int
topdesk_cancel(struct adapter *a, uint64_t id, const char *reservation,
    const struct strbuf *body)
{
	struct td_write *w;
	char what[120];

	if (body->err || (w = write_new(a, id, 1)) == NULL)
		return -1;
	w->phase = CANCEL;
	w->reservation = strdup(reservation);
	strbuf_add(&w->body, strbuf_get(body), body->len);
	if (w->reservation == NULL || w->body.err) {
		job_end(&w->job);
		return -1;
	}
	snprintf(what, sizeof(what), "/cancel%s",
	    topdesk_flags(&a->conf->topdesk, TOPDESK_FOR_CANCEL));
	send_to(w, METHOD_POST, what, &w->body);
	return 0;
}
