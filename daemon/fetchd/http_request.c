/*
 * http_request.c: what the adapter asks for, and when it is sent.
 *
 * The adapter reads what the network sends, so it is not trusted: it can name
 * neither a host nor a header, and what it does name is looked at here.
 */
#include "fetchd/http.h"
#include "lib/events.h"
#include "lib/log.h"
#include "lib/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MS 500
#define HOLD_MAX 600

static const char *const method_words[METHOD_COUNT] = {
    [METHOD_GET] = "GET",
    [METHOD_POST] = "POST",
    [METHOD_PATCH] = "PATCH",
    [METHOD_PUT] = "PUT",
    [METHOD_DELETE] = "DELETE",
    [METHOD_HEAD] = "HEAD",
};

/* --- making a request ---------------------------------------------------------- */

/* Strings one after the other in the block behind the struct. */
struct text {
	char *p;
	size_t left;
};

static char *
text_add(struct text *t, const char *a, const char *b)
{
	char *start = t->p;
	int n = snprintf(t->p, t->left, "%s%s", a, b);

	if (n < 0 || (size_t)n >= t->left)
		return start;
	t->p += n + 1;
	t->left -= (size_t)n + 1;
	return start;
}

static void
head_add(struct request *r, size_t *n, char *line)
{
	r->head[*n].data = line;
	r->head[*n].next = NULL;
	r->head[*n - 1].next = &r->head[*n];
	(*n)++;
}

static char literal_expect[] = "Expect:";
static char literal_no_type[] = "Content-Type:";
static char literal_return_id[] = "return-client-request-id: true";

static void
make_head(struct http *h, struct request *r, struct text *t,
    const struct msg_http_request *m)
{
	size_t n = 1; /* 0 is the Authorization header */

	head_add(r, &n,
	    text_add(
		t, "Accept: ", m->accept[0] ? m->accept : "application/json"));
	if (m->content_type[0])
		head_add(r, &n, text_add(t, "Content-Type: ", m->content_type));
	else if (r->method != METHOD_GET)
		head_add(r, &n, literal_no_type);
	if (m->prefer[0])
		head_add(r, &n, text_add(t, "Prefer: ", m->prefer));
	if (h->upstream == UPSTREAM_EXCHANGE && m->correlation[0]) {
		head_add(
		    r, &n, text_add(t, "client-request-id: ", m->correlation));
		head_add(r, &n, literal_return_id);
	}
	if (m->anchor[0])
		head_add(r, &n, text_add(t, "X-AnchorMailbox: ", m->anchor));
	if (m->if_match[0])
		head_add(r, &n, text_add(t, "If-Match: ", m->if_match));
	if (r->body_len > 0)
		head_add(r, &n, literal_expect);
}

/* EWS has one address, the base URL itself; all else is in the body. */
static const char *
path_of(const struct http *h, const struct msg_http_request *m)
{
	return h->soap ? "" : m->path;
}

/* What the record calls the path: of EWS, which is all base URL, that. */
static const char *
path_to_note(const struct http *h, const struct msg_http_request *m)
{
	return h->soap && h->api.url->path[0] ? h->api.url->path : m->path;
}

static struct request *
make_request(struct http *h, uint64_t id, const struct msg_http_request *m)
{
	const struct conf_url *base = h->api.url;
	size_t texts = strlen(base->host) + strlen(base->path) +
	    2 * strlen(m->path) + strlen(m->accept) + strlen(m->content_type) +
	    strlen(m->prefer) + strlen(m->correlation) + strlen(m->anchor) +
	    strlen(m->if_match) + 300;
	struct request *r = malloc(sizeof(*r) + m->body.len + texts);
	char origin[600], template[300];
	struct text t;

	if (r == NULL)
		return NULL;
	memset(r, 0, sizeof(*r));
	r->id = id;
	r->method = m->method;
	r->idempotent = m->idempotent != 0;
	t = (struct text){(char *)(r + 1) + m->body.len, texts};
	if (m->body.len) {
		memcpy(r + 1, m->body.p, m->body.len);
		r->body = (const uint8_t *)(r + 1);
		r->body_len = m->body.len;
	}
	if (base->port == 443)
		snprintf(origin, sizeof(origin), "https://%s%s", base->host,
		    base->path);
	else
		snprintf(origin, sizeof(origin), "https://%s:%u%s", base->host,
		    (unsigned)base->port, base->path);
	r->url = text_add(&t, origin, path_of(h, m));
	r->template = text_add(&t,
	    path_template(template, sizeof(template), method_words[r->method],
		path_to_note(h, m)),
	    "");
	make_head(h, r, &t, m);
	return r;
}

void
request_free(struct request *r)
{
	free(r);
}

/* --- the queue ------------------------------------------------------------------- */

static void
queue_put(struct http *h, struct request *r)
{
	r->next = NULL;
	*h->tail = r;
	h->tail = &r->next;
	h->queued++;
}

static struct request *
queue_take(struct http *h)
{
	struct request *r = h->head;

	if ((h->head = r->next) == NULL)
		h->tail = &h->head;
	h->queued--;
	return r;
}

void
request_again(struct http *h, struct request *r, int64_t ms)
{
	if (ms > 0) {
		r->not_before = loop_now() + ms;
		r->next = h->later;
		h->later = r;
		return;
	}
	r->next = h->head;
	if (h->head == NULL)
		h->tail = &r->next;
	h->head = r;
	h->queued++;
}

void
request_fail_all(struct http *h, enum outcome outcome, const char *why)
{
	struct request *r;
	char text[300];

	/* why may be a text that a request's end changes. */
	snprintf(text, sizeof(text), "%s", why);
	while (h->head)
		answer_fail(h, queue_take(h), outcome, text);
	while ((r = h->later) != NULL) {
		h->later = r->next;
		answer_fail(h, r, outcome, text);
	}
}

static void
wake_later(struct http *h)
{
	struct request **p = &h->later, *r;
	int64_t now = loop_now();

	while ((r = *p) != NULL) {
		if (r->not_before > now) {
			p = &r->next;
			continue;
		}
		*p = r->next;
		queue_put(h, r);
	}
}

static struct slot *
free_slot(struct http *h)
{
	for (unsigned i = 0; i < h->limit; i++)
		if (h->slots[i].kind == SLOT_FREE)
			return &h->slots[i];
	return NULL;
}

/* Is there a connection?  If not, one is asked for; when there is none to be
 * had, the requests that wait are told why. */
static int
connection_ready(struct http *h)
{
	const char *why;

	if (pool_ready(&h->api))
		return 1;
	if ((why = pool_trouble(&h->api)) != NULL)
		request_fail_all(h, OUTCOME_FAILED, why);
	else
		pool_ask(&h->api, (unsigned)h->queued);
	return 0;
}

static void
gate_opens(void *arg)
{
	struct http *h = arg;

	h->gate_timer = 0;
	http_tell_status(h);
}

static int
gate_is_open(struct http *h)
{
	int64_t wait = gate_wait(&h->gate, loop_now());

	if (wait == 0)
		return 1;
	if (h->gate_timer == 0)
		h->gate_timer = loop_timer(h->loop, wait, 0, gate_opens, h);
	return 0;
}

static int
can_start(struct http *h)
{
	if (h->running >= h->limit || !gate_is_open(h) || !lease_ready(h) ||
	    h->head == NULL)
		return 0;
	/* A credential that was never accepted is tried once, not many times
	 * at once: accounts are locked for less. */
	if (!lease_is_proven(h) && h->running > 0)
		return 0;
	return connection_ready(h) && h->head != NULL;
}

static void
keep_sweeping(struct http *h)
{
	int busy =
	    h->running || h->queued || h->later || h->lease.stage != LEASE_IDLE;

	if (busy && h->sweep == 0)
		h->sweep = loop_timer(h->loop, SWEEP_MS, 1, transfer_sweep, h);
	if (!busy && h->sweep) {
		loop_timer_del(h->loop, h->sweep);
		h->sweep = 0;
	}
}

void
request_pump(struct http *h)
{
	int pause;

	if (h->later)
		wake_later(h);
	while (h->head && !h->draining && can_start(h))
		transfer_begin(free_slot(h), queue_take(h));
	keep_sweeping(h);
	pause = h->queued >
	    (h->adapter_paused ? HTTP_QUEUE_PAUSE / 2 : HTTP_QUEUE_PAUSE);
	if (h->adapter && pause != h->adapter_paused) {
		h->adapter_paused = pause;
		chan_pause(h->adapter, pause);
	}
	if (h->draining && h->running == 0)
		loop_stop(h->loop);
}

/* --- messages of the adapter ------------------------------------------------------- */

/* NULL when all is as it may be, else what is not. */
static const char *
what_is_wrong(const struct http *h, const struct msg_http_request *m)
{
	if (m->method == METHOD_NONE || m->method >= METHOD_COUNT)
		return "no such method";
	if (!path_is_allowed(m->path) || (h->soap && strcmp(m->path, "/")))
		return "a path that is not allowed";
	if (!header_is_allowed(m->accept) ||
	    !header_is_allowed(m->content_type) ||
	    !header_is_allowed(m->prefer) ||
	    !header_is_allowed(m->correlation) ||
	    !header_is_allowed(m->anchor) || !header_is_allowed(m->if_match))
		return "a header value that is not allowed";
	if (h->upstream != UPSTREAM_EXCHANGE &&
	    (m->anchor[0] || m->if_match[0]))
		return "a header that is only for Exchange";
	return NULL;
}

/*
 * A hostile adapter can at worst have requests of its own made to its own
 * upstream, below the base URL, and each of them is a record.
 */
int
http_on_request(struct chan *c, struct packet *pk)
{
	struct http *h = chan_ctx(c);
	struct request *r;
	struct msg_adapter_failed no = {OUTCOME_FAILED, NULL};
	struct msg_http_request m;

	if (http_request_get(pk, &m))
		return -1;
	if ((no.text = what_is_wrong(h, &m)) != NULL) {
		no.outcome = OUTCOME_REFUSED;
		record_said(h, EV_PROTOCOL_VIOLATION, no.text);
		log_err("orb-adapter asked for %s; refused", no.text);
	} else if (h->draining)
		no.text = "orb-fetchd is stopping";
	else if (h->queued >= HTTP_QUEUE)
		no.text = "too many requests wait";
	else if ((r = make_request(h, pk->id, &m)) == NULL)
		no.text = "no memory";
	else
		queue_put(h, r);
	if (no.text)
		adapter_failed_send(c, pk->id, CHAN_END, &no);
	return 0;
}

/* The adapter has read in a body that the upstream wants to be left alone. */
int
http_on_hold(struct chan *c, struct packet *pk)
{
	struct http *h = chan_ctx(c);
	struct msg_http_hold m;

	if (http_hold_get(pk, &m))
		return -1;
	gate_close(&h->gate, loop_now(),
	    m.seconds > HOLD_MAX ? HOLD_MAX : m.seconds, 0);
	record_said(h, EV_THROTTLED, m.text);
	http_tell_status(h);
	return 0;
}

int
http_on_incident(struct chan *c, struct packet *pk)
{
	struct msg_http_incident m;

	if (http_incident_get(pk, &m))
		return -1;
	/* The adapter speaks of the upstream, not of ORB's own doings. */
	if (m.event != EV_LINK_REFUSED && m.event != EV_ANSWER_BROKEN &&
	    m.event != EV_CURSOR_RESET)
		return -1;
	record_said(chan_ctx(c), m.event, m.text);
	return 0;
}

/* --- the end, and what is said of it all -------------------------------------------- */

static void
drained(void *arg)
{
	struct http *h = arg;

	loop_stop(h->loop);
}

void
http_drain(struct http *h, int64_t ms, const char *why)
{
	log_info("stopping: %s", why);
	if (!h->draining) {
		h->draining = 1;
		notify_stopping("stopping: %s", why);
		request_fail_all(h, OUTCOME_FAILED, "orb-fetchd is stopping");
	}
	loop_timer(h->loop, ms, 0, drained, h);
}

static void
status_credential(const struct http *h, char *buf, size_t size)
{
	const struct lease *l = &h->lease;
	int64_t left;

	if (l->token) {
		left = l->token->expires - loop_now();
		snprintf(buf, size, "lease valid %lld min%s",
		    (long long)left / 60000,
		    l->token->proven ? "" : ", not yet accepted");
	} else if (l->trouble[0])
		snprintf(buf, size, "no credential in force: %s", l->trouble);
	else
		snprintf(buf, size, "no lease needed yet");
}

void
http_tell_status(struct http *h)
{
	const struct dest *d = &h->api;
	int64_t wait = gate_wait(&h->gate, loop_now());
	char credential[360], gate[60] = "";

	if (h->draining)
		return;
	status_credential(h, credential, sizeof(credential));
	if (wait > 0)
		snprintf(gate, sizeof(gate), ", asked to slow down for %lld s",
		    (long long)(wait + 999) / 1000);
	if (d->trouble[0] && d->open == 0)
		notify_status(
		    "%s: cannot connect: %s", d->url->host, d->trouble);
	else
		notify_status("%s: %u connection%s%s, %llu requests, %s%s",
		    d->url->host, d->open, d->open == 1 ? "" : "s",
		    d->version == CURL_HTTP_VERSION_2_0 ? ", HTTP/2"
			: d->version                    ? ", HTTP/1.1"
							: "",
		    (unsigned long long)h->requests, credential, gate);
}
