/* ews_call.c: one request to Exchange Web Services and how it ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/ews.h"
#include "lib/events.h"

/* Exchange's own wait plus this, and one for when it names none. */
#define BACKOFF_MORE 10
#define BACKOFF 60
#define BACKOFF_MAX 3600

void
ews_call_init(struct ews_call *k, struct adapter *a, const char *address,
    const struct ews_reading *reading, void (*done)(void *), void *arg)
{
	k->a = a;
	k->address = address;
	k->reading = reading;
	k->done = done;
	k->arg = arg;
	strbuf_init(&k->body, 256 * 1024);
}

void
ews_call_free(struct ews_call *k)
{
	if (k->pending)
		outbound_drop(k->a->out, k);
	ews_reader_free(k->reader);
	strbuf_free(&k->body);
}

/* The first failure is kept. */
static void
call_fail(struct ews_call *k, enum outcome r, const char *text)
{
	if (k->outcome != OUTCOME_OK)
		return;
	k->outcome = r;
	snprintf(k->text, sizeof(k->text), "%s", text);
}

/* Bytes as they come, of an answer with whatever status. */
static int
on_bytes(void *arg, int level, const char *p, size_t n, const struct project *x)
{
	struct ews_call *k = arg;

	(void)level;
	(void)x;
	if (k->reader == NULL &&
	    (k->reader = ews_reader_new(k->reading, k->arg,
		 (unsigned long)(uintptr_t)k ^ (unsigned long)loop_now())) ==
		NULL)
		return -1;
	ews_reader_feed(k->reader, p, n);
	return 0;
}

static void
call_status(struct ews_call *k, const struct reply *y)
{
	char text[80];

	snprintf(text, sizeof(text), "Exchange answered with HTTP status %u",
	    y->status);
	if (y->status == 401 || y->status == 403)
		call_fail(k, OUTCOME_DENIED, text);
	else if (y->status == 429 || y->status == 503 || y->status == 302)
		call_fail(k, OUTCOME_BUSY, text);
	else if (y->status >= 500)
		call_fail(k, k->write ? OUTCOME_UNKNOWN : OUTCOME_BUSY, text);
	else if (y->status != 200)
		call_fail(k, OUTCOME_BROKEN, text);
}

static void
on_done(void *arg, struct reply *y)
{
	struct ews_call *k = arg;
	int whole = k->reader && !y->html && ews_reader_end(k->reader) == 0;
	char text[200];

	k->pending = 0;
	k->status = y->status;
	if (k->retry_after == 0)
		k->retry_after = y->retry_after;
	snprintf(k->request_id, sizeof(k->request_id), "%s", y->request_id);
	if (y->failed != OUTCOME_OK)
		call_fail(k, y->failed, y->text);
	/* A fault says more than the 500 that it comes with. */
	if (!whole || (y->status != 500 && y->status != 200) ||
	    (y->status == 500 && k->messages == 0))
		call_status(k, y);
	if (k->outcome == OUTCOME_OK && (!whole || k->messages == 0)) {
		snprintf(text, sizeof(text),
		    "the answer cannot be understood: %s",
		    k->reader == NULL || y->html ? "it is not XML"
			: whole                  ? "it says nothing"
						 : ews_reader_error(k->reader));
		outbound_incident(k->a->out, EV_ANSWER_BROKEN, text);
		call_fail(k, k->write ? OUTCOME_UNKNOWN : OUTCOME_BROKEN, text);
	}
	k->done(k->arg);
}

void
ews_call_send(struct ews_call *k, int write)
{
	static const struct asker asker = {
	    outbound_raw, outbound_raw, on_bytes, NULL, on_done};
	struct msg_http_request m = {.method = METHOD_POST,
	    .idempotent = !write,
	    .path = "/",
	    .accept = "text/xml",
	    .content_type = "text/xml; charset=utf-8",
	    .anchor = k->address};

	ews_end(&k->body);
	ews_reader_free(k->reader);
	k->reader = NULL;
	k->outcome = OUTCOME_OK;
	k->messages = 0;
	k->retry_after = 0;
	k->write = write;
	*k->text = '\0';
	m.body = (struct wire_bytes){(const uint8_t *)k->body.p, k->body.len};
	m.correlation = outbound_correlation(k->a->out);
	k->pending = 1;
	if (k->body.err || outbound_send(k->a->out, &m, &asker, k)) {
		k->pending = 0;
		call_fail(k, OUTCOME_FAILED, "the request could not be made");
		k->done(k->arg);
	}
}

int
ews_call_message(struct ews_call *k, const struct ews_message *m)
{
	enum outcome r = ews_outcome(m->code, k->write);
	char text[250];
	uint32_t wait;

	k->messages++;
	if (!m->error)
		return 0;
	snprintf(text, sizeof(text), "Exchange: %.79s%s%.150s", m->code,
	    *m->text ? ": " : "", m->text);
	if (strcmp(m->code, "ErrorServerBusy") == 0) {
		wait = m->backoff ? m->backoff / 1000 + BACKOFF_MORE : BACKOFF;
		k->retry_after = wait > BACKOFF_MAX ? BACKOFF_MAX : wait;
		/* The account's budget, hence everybody's. */
		outbound_hold(k->a->out, k->retry_after, m->code);
	}
	if (m->fault || r == OUTCOME_BUSY || r == OUTCOME_DENIED ||
	    r == OUTCOME_CURSOR) {
		call_fail(k, r == OUTCOME_OK ? OUTCOME_BROKEN : r, text);
		return 1;
	}
	return 0;
}
