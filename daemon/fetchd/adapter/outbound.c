/* outbound.c: see outbound.h. */
#include "fetchd/adapter/outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "fetchd/adapter/query.h"
#include "lib/events.h"

/* http has its own, shorter time limits; this one is for an http that lost a
 * request, which would be a mistake in it. */
#define DEADLINE (15 * 60 * 1000)

const struct project_member outbound_raw[] = {{NULL, 0, 0, NULL, 0}};

struct call {
	struct call *next;
	struct outbound *o;
	const struct asker *asker; /* NULL: nobody asks any more */
	void *arg;
	struct wire_out request; /* encoded; freed when sent */
	struct project *project; /* NULL: no body, or none that is read */
	struct reply reply;
	size_t fed;
	int raw;    /* bytes go to the asker as they are */
	int write;  /* it changes something: not idempotent */
	int orphan; /* a write whose asker went away while it was under way */
};

struct outbound {
	struct chan *http;
	unsigned limit, under_way, receiving;
	struct call *queue, **tail; /* not sent yet */
	struct call *sent;
	unsigned orphans;
	int pumping;
	uint64_t seed, counter;
	char correlation[40];
};

struct outbound *
outbound_new(struct chan *http, unsigned limit)
{
	struct outbound *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->http = http;
	o->limit = limit;
	o->tail = &o->queue;
	/* Not a secret: the id only has to differ from others. */
	if (getrandom(&o->seed, sizeof(o->seed), 0) < 0)
		o->seed = (uint64_t)loop_now();
	return o;
}

static void
call_free(struct call *k)
{
	wire_out_free(&k->request);
	if (k->project)
		project_free(k->project);
	free(k->project);
	json_decref(k->reply.rest);
	free(k);
}

void
outbound_free(struct outbound *o)
{
	struct call *k;

	if (o == NULL)
		return;
	while ((k = o->queue) != NULL) {
		o->queue = k->next;
		call_free(k);
	}
	while ((k = o->sent) != NULL) {
		o->sent = k->next;
		call_free(k);
	}
	free(o);
}

/* --- the answer ------------------------------------------------------------ */

static int
on_element(void *arg, int level, const char *json, size_t len)
{
	struct call *k = arg;
	int rc = 1;

	if (k->asker == NULL)
		return 0;
	if (level > 0)
		return k->asker->item
		    ? k->asker->item(k->arg, level, json, len, k->project)
		    : 0;
	if (k->asker->whole)
		rc = k->asker->whole(k->arg, &k->reply, json, len);
	if (rc <= 0)
		return rc;
	k->reply.rest = json_loadb(json, len, 0, NULL);
	return k->reply.rest == NULL;
}

static void
broken(struct call *k, const char *why)
{
	if (k->reply.failed != OUTCOME_OK)
		return;
	k->reply.failed = OUTCOME_BROKEN;
	snprintf(k->reply.text, sizeof(k->reply.text),
	    "the answer cannot be understood: %s", why);
	outbound_incident(k->o, EV_ANSWER_BROKEN, k->reply.text);
}

static void
feed(struct call *k, const void *data, size_t len)
{
	if (k->raw && k->asker && len > 0 &&
	    k->asker->item(k->arg, 0, data, len, NULL))
		k->raw = 0;
	if (k->project == NULL || len == 0)
		return;
	k->fed += len;
	if (project_feed(k->project, data, len)) {
		broken(k, k->project->error);
		project_free(k->project);
		free(k->project);
		k->project = NULL;
	}
}

static void
head(struct call *k, const struct msg_adapter_response *m)
{
	const struct project_member *schema;
	int good = m->status >= 200 && m->status < 300;

	k->o->receiving++;
	k->reply.status = m->status;
	k->reply.retry_after = m->retry_after;
	k->reply.last_modified = m->last_modified;
	k->reply.json = strcasestr(m->content_type, "json") != NULL;
	k->reply.html = strcasestr(m->content_type, "html") != NULL;
	snprintf(k->reply.request_id, sizeof(k->reply.request_id), "%s",
	    m->request_id);
	schema = k->asker == NULL ? NULL
	    : good                ? k->asker->good
				  : k->asker->bad;
	k->raw = schema == outbound_raw;
	if (k->reply.json && schema && !k->raw &&
	    (k->project = malloc(sizeof(*k->project))) != NULL)
		project_init(k->project, schema, on_element, k);
	feed(k, m->body.p, m->body.len);
}

static void pump(struct outbound *);

static void
finish(struct call *k)
{
	struct outbound *o = k->o;
	struct call **p;

	for (p = &o->sent; *p && *p != k; p = &(*p)->next)
		;
	if (*p)
		*p = k->next;
	o->under_way--;
	o->orphans -= k->orphan != 0;
	if (k->reply.status)
		o->receiving--;
	if (k->project && k->fed > 0 && k->reply.failed == OUTCOME_OK &&
	    project_end(k->project))
		broken(k, k->project->error);
	if (k->asker)
		k->asker->done(k->arg, &k->reply);
	call_free(k);
	pump(o);
}

static void
fail(struct call *k, enum outcome why, const char *text)
{
	k->reply.failed = why;
	wire_clean(k->reply.text, sizeof(k->reply.text), text, 299);
	finish(k);
}

static int
on_answer(struct chan *c, struct packet *pk, void *arg)
{
	struct call *k = arg;
	struct msg_adapter_response m;
	struct msg_adapter_chunk chunk;
	struct msg_adapter_failed f;
	struct msg_error e;

	(void)c;
	if (pk == NULL) {
		fail(k, OUTCOME_UNKNOWN, "http gave no answer");
		return 0;
	}
	switch (pk->type) {
	case MSG_ADAPTER_RESPONSE:
		if (adapter_response_get(pk, &m) || k->reply.status ||
		    m.status < 100 || m.status > 599)
			break;
		head(k, &m);
		goto ok;
	case MSG_ADAPTER_CHUNK:
		if (adapter_chunk_get(pk, &chunk) || k->reply.status == 0)
			break;
		feed(k, chunk.data.p, chunk.data.len);
		goto ok;
	case MSG_ADAPTER_FAILED:
		if (adapter_failed_get(pk, &f) || f.outcome == OUTCOME_OK ||
		    f.outcome >= OUTCOME_COUNT || !(pk->flags & CHAN_END))
			break;
		fail(k, f.outcome, f.text);
		return 0;
	case MSG_ERROR:
		if (error_get(pk, &e) || !(pk->flags & CHAN_END))
			break;
		fail(k, OUTCOME_FAILED, e.text);
		return 0;
	default:
		break;
	}
	/* http broke the protocol.  The request ends with NULL; the
	 * connection, and with it this process, right after. */
	return -1;
ok:
	if (pk->flags & CHAN_END)
		finish(k);
	return 0;
}

/* --- sending ------------------------------------------------------------------ */

static int
transmit(struct call *k, const struct msg_http_request *m)
{
	struct outbound *o = k->o;
	uint64_t id = chan_call(o->http, DEADLINE, on_answer, k);

	if (id == 0)
		return -1;
	if (http_request_send(o->http, id, 0, m)) {
		chan_forget(o->http, id);
		return -1;
	}
	k->next = o->sent;
	o->sent = k;
	o->under_way++;
	return 0;
}

/* Ends a call that was never sent. */
static void
give_up(struct call *k)
{
	k->reply.failed = OUTCOME_FAILED;
	snprintf(k->reply.text, sizeof(k->reply.text), "http takes no request");
	if (k->asker)
		k->asker->done(k->arg, &k->reply);
	call_free(k);
}

static void
pump(struct outbound *o)
{
	struct call *k;
	struct packet pk;
	struct msg_http_request m;

	if (o->pumping)
		return; /* not from under itself: the queue may be long */
	o->pumping = 1;
	while (o->queue && o->under_way < o->limit && o->orphans == 0) {
		k = o->queue;
		if ((o->queue = k->next) == NULL)
			o->tail = &o->queue;
		memset(&pk, 0, sizeof(pk));
		pk.data = k->request.buf;
		pk.len = k->request.len;
		if (k->asker == NULL)
			call_free(k);
		else if (http_request_get(&pk, &m) || transmit(k, &m))
			give_up(k);
		else
			wire_out_free(&k->request);
	}
	o->pumping = 0;
}

int
outbound_send(struct outbound *o, const struct msg_http_request *m,
    const struct asker *asker, void *arg)
{
	struct call *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return -1;
	k->o = o;
	k->asker = asker;
	k->arg = arg;
	k->write = !m->idempotent;
	if (o->queue == NULL && o->under_way < o->limit && o->orphans == 0) {
		if (transmit(k, m) == 0)
			return 0;
		call_free(k);
		return -1;
	}
	wire_out_init(&k->request, msg_find(MSG_HTTP_REQUEST)->max);
	if (http_request_put(&k->request, m)) {
		call_free(k);
		return -1;
	}
	*o->tail = k;
	o->tail = &k->next;
	return 0;
}

void
outbound_drop(struct outbound *o, const void *arg)
{
	struct call *k;

	for (k = o->queue; k; k = k->next)
		if (k->arg == arg)
			k->asker = NULL;
	for (k = o->sent; k; k = k->next)
		if (k->arg == arg && k->asker) {
			k->asker = NULL;
			k->orphan = k->write;
			o->orphans += k->orphan != 0;
		}
}

unsigned
outbound_room(const struct outbound *o)
{
	return o->queue || o->under_way >= o->limit ? 0
						    : o->limit - o->under_way;
}

unsigned
outbound_receiving(const struct outbound *o)
{
	return o->receiving;
}

void
outbound_hold(struct outbound *o, uint32_t seconds, const char *why)
{
	struct msg_http_hold m = {.seconds = seconds, .text = why};

	http_hold_send(o->http, 0, 0, &m);
}

void
outbound_incident(struct outbound *o, uint16_t event, const char *text)
{
	struct msg_http_incident m = {.event = event, .text = text};

	http_incident_send(o->http, 0, 0, &m);
}

const char *
outbound_correlation(struct outbound *o)
{
	uint64_t n = ++o->counter;

	snprintf(o->correlation, sizeof(o->correlation),
	    "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(o->seed >> 32),
	    (unsigned)(o->seed >> 16) & 0xffff, (unsigned)o->seed & 0xfff,
	    (unsigned)(o->seed >> 12) & 0xfff,
	    (unsigned long long)(n & 0xffffffffffffULL));
	return o->correlation;
}
