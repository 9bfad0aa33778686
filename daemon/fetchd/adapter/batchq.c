/*
 * batchq.c: see batchq.h.  A round is one HTTP request under way: a batch, or
 * a plain GET when there is but one.
 */
#include "fetchd/adapter/batchq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/jstr.h"
#include "fetchd/adapter/query.h"
#include "lib/log.h"

#define ACCEPT "application/json"
#define RETRY_DEFAULT 10 /* seconds, when Graph names none with a 429 */
#define TRIES_BUSY 8     /* of one GET that is answered 429 */
#define TRIES_FAILED 2   /* more, of one that is answered 5xx or not at all */
#define BODY_MAX (512 * 1024)   /* of a batch; paths are shorter than 16 KiB */
#define EARLY_MAX (1024 * 1024) /* inner elements that came before their id */

struct get {
	struct get *next;
	const struct batch_asker *asker; /* NULL: nobody asks any more */
	void *arg;
	int busy, failed; /* tries used up */
	char path[];
};

struct round {
	struct round *next;
	struct batchq *q;
	struct get *get[BATCH_MAX]; /* NULL: answered */
	int n;
	/* Elements whose response has not said yet which it is, as json
	 * texts with their zero bytes; belongs to one response at a time. */
	struct strbuf early;
	struct flat flat; /* the answer that is being given */
	uint32_t hold;    /* the longest Retry-After of a 429 */
};

struct batchq {
	struct outbound *out;
	const char *prefer;
	struct asker batch, plain;
	const struct project_member *response, *answer;
	struct get *queue, **tail;
	size_t queued;
	struct round *rounds;
};

static void
enqueue(struct batchq *q, struct get *g)
{
	g->next = NULL;
	*q->tail = g;
	q->tail = &g->next;
	q->queued++;
}

int
batchq_get(struct batchq *q, const char *path, const struct batch_asker *asker,
    void *arg)
{
	size_t n = strlen(path) + 1;
	struct get *g = calloc(1, sizeof(*g) + n);

	if (g == NULL)
		return -1;
	memcpy(g->path, path, n);
	g->asker = asker;
	g->arg = arg;
	enqueue(q, g);
	return 0;
}

void
batchq_drop(struct batchq *q, const void *arg)
{
	struct get *g;
	struct round *r;

	for (g = q->queue; g; g = g->next)
		if (g->arg == arg)
			g->asker = NULL;
	for (r = q->rounds; r; r = r->next)
		for (int i = 0; i < r->n; i++)
			if (r->get[i] && r->get[i]->arg == arg)
				r->get[i]->asker = NULL;
}

/* --- answers ----------------------------------------------------------------- */

static void
give_item(struct get *g, const char *json, size_t len)
{
	if (g->asker)
		g->asker->item(g->arg, json, len);
}

/* Ends g, which is taken. */
static void
give_done(struct get *g, const struct batch_answer *a)
{
	if (g->asker)
		g->asker->done(g->arg, a);
	free(g);
}

static void
give_failed(struct get *g, enum outcome why, uint32_t retry, const char *text)
{
	struct batch_answer a = {
	    .failed = why, .retry_after = retry, .text = text};

	give_done(g, &a);
}

/* The answer in r->flat to g: repeated later, or its end. */
static void
settle(struct round *r, struct get *g, int status, uint32_t retry)
{
	struct batch_answer a = {status, OUTCOME_OK, retry, "", &r->flat};

	if (status == 429) {
		if (retry == 0)
			retry = RETRY_DEFAULT;
		if (retry > r->hold)
			r->hold = retry;
		a.retry_after = retry;
		if (g->asker && g->busy++ < TRIES_BUSY) {
			enqueue(r->q, g);
			return;
		}
	}
	if (status >= 500 && g->asker && g->failed++ < TRIES_FAILED) {
		enqueue(r->q, g);
		return;
	}
	give_done(g, &a);
}

/* Which GET an id of ours is; -1 when it is none that waits. */
static int
find(const struct round *r, const char *id)
{
	char *end;
	long i = strtol(id, &end, 10);

	if (end == id || *end || i < 0 || i >= r->n || r->get[i] == NULL)
		return -1;
	return (int)i;
}

static int
keep_early(struct round *r, const char *json, size_t len)
{
	if (r->early.len + len > EARLY_MAX)
		return -1;
	return strbuf_add(&r->early, json, len) || strbuf_ch(&r->early, '\0');
}

static void
give_early(struct round *r, struct get *g)
{
	const char *p = strbuf_get(&r->early), *end = p + r->early.len;
	size_t n;

	for (; p < end; p += n + 1) {
		n = strlen(p);
		give_item(g, p, n);
	}
}

static uint32_t
retry_after(const struct flat *f)
{
	const char *s = flat_string(f, BATCH_RETRY);
	long n;

	if (s == NULL)
		s = flat_string(f, BATCH_RETRY_LOW);
	n = s ? strtol(s, NULL, 10) : 0;
	return n < 0 ? 0 : n > 3600 ? 3600 : (uint32_t)n;
}

/* A whole inner response, without the elements that were streamed. */
static int
on_response(struct round *r, const char *json, size_t len)
{
	const struct flat *f = &r->flat;
	int i = -1;
	int64_t status = 0;
	struct get *g;

	if (json && flat_read(&r->flat, r->q->response, json, len) == 0) {
		i = find(r, flat_text(f, BATCH_ID));
		status = flat_integer(f, BATCH_STATUS);
	}
	if (i >= 0 && status >= 100 && status <= 599) {
		g = r->get[i];
		if (status >= 200 && status < 300)
			give_early(r, g);
		r->get[i] = NULL;
		settle(r, g, (int)status, retry_after(f));
	}
	/* An id that is not ours, or comes again, answers nothing. */
	strbuf_reset(&r->early);
	return 0;
}

static int
on_batch_item(
    void *arg, int level, const char *json, size_t len, const struct project *p)
{
	struct round *r = arg;
	const char *id = project_slot(p, 1), *status = project_slot(p, 2);
	int i;

	if (level == 1)
		return on_response(r, json, len);
	if (*id == '\0' || strlen(status) != 3)
		return json ? keep_early(r, json, len) : -1;
	if ((i = find(r, id)) >= 0 && status[0] == '2')
		give_item(r->get[i], json, len);
	return 0;
}

static int
on_plain_item(
    void *arg, int level, const char *json, size_t len, const struct project *p)
{
	struct round *r = arg;

	(void)p;
	if (level == 1 && r->get[0])
		give_item(r->get[0], json, len);
	return 0;
}

static int
on_plain_whole(void *arg, const struct reply *y, const char *json, size_t len)
{
	struct round *r = arg;

	(void)y;
	return flat_read(&r->flat, r->q->answer, json, len);
}

/* The gets that got no answer of their own. */
static void
settle_rest(struct round *r, const struct reply *y)
{
	enum outcome why = OUTCOME_BROKEN;
	const char *text = "Graph's answer to a batch left out a request";
	char status[64];
	struct get *g;

	if (y->failed != OUTCOME_OK) {
		/* A read has no effect that could be unknown. */
		why = y->failed == OUTCOME_UNKNOWN ? OUTCOME_FAILED : y->failed;
		text = y->text;
	} else if (y->status != 200) {
		why = y->status == 401 || y->status == 403 ? OUTCOME_DENIED
		    : y->status == 429 || y->status == 503 ? OUTCOME_BUSY
		    : y->status >= 500                     ? OUTCOME_FAILED
							   : OUTCOME_REFUSED;
		snprintf(status, sizeof(status), "Graph answered %u to a batch",
		    y->status);
		text = status;
	} else if (!y->json)
		text = "the answer is not JSON (a proxy's page?)";
	for (int i = 0; i < r->n; i++) {
		if ((g = r->get[i]) == NULL)
			continue;
		r->get[i] = NULL;
		give_failed(g, why, y->retry_after, text);
	}
}

static void
round_end(struct round *r)
{
	struct round **p;

	for (p = &r->q->rounds; *p != r; p = &(*p)->next)
		;
	*p = r->next;
	if (r->hold)
		outbound_hold(
		    r->q->out, r->hold, "Graph throttles inside of a batch");
	strbuf_free(&r->early);
	flat_free(&r->flat);
	free(r);
}

static void
on_batch_done(void *arg, struct reply *y)
{
	struct round *r = arg;

	settle_rest(r, y);
	round_end(r);
}

static void
on_plain_done(void *arg, struct reply *y)
{
	struct round *r = arg;
	struct get *g = r->get[0];
	struct batch_answer a = {
	    y->status, OUTCOME_OK, y->retry_after, "", &r->flat};

	if (y->failed != OUTCOME_OK) {
		a.failed =
		    y->failed == OUTCOME_UNKNOWN ? OUTCOME_FAILED : y->failed;
		a.text = y->text;
	} else if (!y->json && y->status < 300) {
		a.failed = OUTCOME_BROKEN;
		a.text = "the answer is not JSON (a proxy's page?)";
	}
	r->get[0] = NULL;
	give_done(g, &a);
	round_end(r);
}

/* --- sending ------------------------------------------------------------------- */

static int
batch_body(struct batchq *q, const struct round *r, struct strbuf *b)
{
	strbuf_str(b, "{\"requests\":[");
	for (int i = 0; i < r->n; i++) {
		strbuf_fmt(b, "%s{\"id\":\"%d\"", i ? "," : "", i);
		jstr_member(b, "method", "GET");
		jstr_member(b, "url", r->get[i]->path);
		strbuf_str(b, ",\"headers\":{");
		jstr_member(b, "Accept", ACCEPT);
		jstr_member(b, "Prefer", q->prefer);
		jstr_member(
		    b, "client-request-id", outbound_correlation(q->out));
		strbuf_str(b, "}}");
	}
	return strbuf_str(b, "]}");
}

static int
round_send(struct batchq *q, struct round *r)
{
	struct msg_http_request m = {.idempotent = 1, .accept = ACCEPT};
	struct strbuf body;
	int rc;

	m.correlation = outbound_correlation(q->out);
	if (r->n == 1 && strlen(r->get[0]->path) <= QUERY_PATH_MAX) {
		m.method = METHOD_GET;
		m.path = r->get[0]->path;
		m.prefer = q->prefer;
		return outbound_send(q->out, &m, &q->plain, r);
	}
	strbuf_init(&body, BODY_MAX);
	if (batch_body(q, r, &body)) {
		strbuf_free(&body);
		return -1;
	}
	m.method = METHOD_POST;
	m.path = "/$batch";
	m.content_type = "application/json";
	m.correlation = outbound_correlation(q->out);
	m.body = (struct wire_bytes){(uint8_t *)body.p, body.len};
	rc = outbound_send(q->out, &m, &q->batch, r);
	strbuf_free(&body);
	return rc;
}

/* Takes up to twenty that are still asked for off the queue. */
static void
round_start(struct batchq *q)
{
	struct round *r = calloc(1, sizeof(*r));
	struct reply none = {.failed = OUTCOME_FAILED,
	    .text = "there is no memory for the request"};
	struct get *g;

	if (r == NULL)
		return;
	r->q = q;
	r->next = q->rounds;
	q->rounds = r;
	strbuf_init(&r->early, EARLY_MAX);
	while (r->n < BATCH_MAX && (g = q->queue) != NULL) {
		if ((q->queue = g->next) == NULL)
			q->tail = &q->queue;
		q->queued--;
		if (g->asker)
			r->get[r->n++] = g;
		else
			free(g);
	}
	if (r->n > 0 && round_send(q, r) == 0)
		return;
	settle_rest(r, &none);
	round_end(r);
}

void
batchq_flush(struct batchq *q)
{
	while (q->queued > 0 && outbound_room(q->out) > 0 &&
	    (q->queued >= BATCH_MAX || outbound_receiving(q->out) == 0))
		round_start(q);
}

struct batchq *
batchq_new(struct outbound *out, const char *prefer,
    const struct project_member *batch, const struct project_member *plain)
{
	struct batchq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->out = out;
	q->prefer = prefer;
	q->tail = &q->queue;
	q->response = batch->members[0].members;
	q->answer = plain->members;
	q->batch =
	    (struct asker){batch, plain, on_batch_item, NULL, on_batch_done};
	q->plain = (struct asker){
	    plain, plain, on_plain_item, on_plain_whole, on_plain_done};
	return q;
}

void
batchq_free(struct batchq *q)
{
	struct get *g;
	struct round *r;

	if (q == NULL)
		return;
	while ((g = q->queue) != NULL) {
		q->queue = g->next;
		free(g);
	}
	while ((r = q->rounds) != NULL) {
		q->rounds = r->next;
		for (int i = 0; i < r->n; i++)
			free(r->get[i]);
		strbuf_free(&r->early);
		flat_free(&r->flat);
		free(r);
	}
	free(q);
}
