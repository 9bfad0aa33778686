/*
 * http_transfer.c: one request on one easy handle, from options to outcome.
 *
 * The options that never change are set once for each handle; a request sets
 * the URL, the header list and what its method needs, and nothing else.
 */
#include "fetchd/http.h"
#include "lib/events.h"
#include "lib/log.h"

#include <config.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define MAX_TRIES 2
#define MAX_DIALS 20
#define AGAIN_MS 500
#define STALL_MS 30000 /* without a byte of the body */
#define TOTAL_TIMES 10 /* request_timeouts that a whole answer may take */

/* A request that carried a credential, and what came of it. */
static void
note(struct slot *s)
{
	if (s->sent == 0)
		return;
	if (s->kind == SLOT_REQUEST && s->req)
		record_event(s->h, EV_REQUEST, (uint16_t)s->status,
		    s->token->lease, s->request_id, s->req->template);
	else if (s->kind == SLOT_TOKEN)
		lease_note(s);
}

/*
 * Runs each time libcurl is about to send the request.  On a reused
 * connection that turns out dead it would send it again by itself, POSTs too,
 * though the server may have done the first.  That is not for libcurl to
 * decide: the second time is refused when repeating could do harm.
 */
static int
on_sending(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct slot *s = arg;

	(void)peer;
	(void)local;
	(void)peer_port;
	(void)local_port;
	if (s->sent > 0 && s->req && !s->req->idempotent) {
		s->why = "the connection ended before the answer";
		return CURL_PREREQFUNC_ABORT;
	}
	note(s); /* the time before, which the server may have seen */
	s->sent++;
	return CURL_PREREQFUNC_OK;
}

static int
set_safety(CURL *e)
{
	CURLcode rc = 0;

#if LIBCURL_VERSION_NUM >= 0x075500
	rc |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
#else
	rc |= curl_easy_setopt(e, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	rc |= curl_easy_setopt(e, CURLOPT_PROXY, "");
	rc |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	rc |= curl_easy_setopt(
	    e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	rc |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	rc |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	/* The store comes from tls_on_context(). */
	rc |= curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	rc |= curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	rc |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	rc |= curl_easy_setopt(e, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	/* dial has done that. */
	rc |= curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 0L);
	return rc == 0 ? 0 : -1;
}

int
transfer_prepare(struct slot *s, const struct curl_slist *resolve)
{
	CURL *e = s->easy;
	CURLcode rc = 0;

	if (set_safety(e))
		return -1;
	rc |= curl_easy_setopt(e, CURLOPT_RESOLVE, resolve);
	rc |= curl_easy_setopt(
	    e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	rc |= curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	rc |= curl_easy_setopt(e, CURLOPT_USERAGENT, "orb/" PACKAGE_VERSION);
	/*
	 * No ACCEPT_ENCODING: no decompressor stands before bytes of the
	 * network here.  16 KiB of gzip may be 16 MiB of body, which libcurl
	 * keeps whole and copies at each pause; the adapter's pace would not
	 * hold it back.
	 */
	rc |= curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	/* libcurl allocates this for each POST over TLS and frees it after:
	 * with its own 64 KiB the heap grows and shrinks at every request. */
	rc |= curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	rc |= curl_easy_setopt(e, CURLOPT_FILETIME, 1L);
	rc |= curl_easy_setopt(
	    e, CURLOPT_CONNECTTIMEOUT, (long)s->h->up->connect_timeout);
	rc |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->error);
	rc |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, answer_on_header);
	rc |= curl_easy_setopt(e, CURLOPT_HEADERDATA, s);
	rc |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, answer_on_body);
	rc |= curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
#if LIBCURL_VERSION_NUM >= 0x075000
	rc |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_sending);
	rc |= curl_easy_setopt(e, CURLOPT_PREREQDATA, s);
#endif
	return rc == 0 ? 0 : -1;
}

/* What the method needs, when the handle is not set to it already. */
static void
set_method(struct slot *s, const struct request *r)
{
	static const char *const custom[METHOD_COUNT] = {
	    [METHOD_PATCH] = "PATCH",
	    [METHOD_PUT] = "PUT",
	    [METHOD_DELETE] = "DELETE",
	};
	int body = r->method == METHOD_POST || r->method == METHOD_PATCH ||
	    r->method == METHOD_PUT;
	CURL *e = s->easy;

	if (s->method != r->method) {
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, NULL);
		if (r->method == METHOD_HEAD)
			curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		else
			curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
		if (body)
			curl_easy_setopt(e, CURLOPT_POST, 1L);
		if (custom[r->method])
			curl_easy_setopt(
			    e, CURLOPT_CUSTOMREQUEST, custom[r->method]);
		s->method = r->method;
	}
	if (!body)
		return;
	curl_easy_setopt(
	    e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
	curl_easy_setopt(
	    e, CURLOPT_POSTFIELDS, r->body ? (const char *)r->body : "");
}

void
transfer_begin(struct slot *s, struct request *r)
{
	struct http *h = s->h;

	s->kind = SLOT_REQUEST;
	s->dest = &h->api;
	s->req = r;
	s->token = token_ref(h->lease.token);
	s->sent = s->no_socket = s->paused = s->head_sent = 0;
	s->why = NULL;
	s->status = 0;
	s->verdict = VERDICT_NONE;
	s->request_id[0] = s->error[0] = '\0';
	s->len = 0;
	s->total = 0;
	r->head[0].data = (char *)s->token->line.p;
	set_method(s, r);
	curl_easy_setopt(s->easy, CURLOPT_URL, r->url);
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, &r->head[0]);
#if LIBCURL_VERSION_NUM < 0x075000
	/* Without PREREQFUNCTION only a connection of its own keeps libcurl
	 * from repeating a write by itself. */
	curl_easy_setopt(
	    s->easy, CURLOPT_FRESH_CONNECT, r->idempotent ? 0L : 1L);
	s->sent = 1;
#endif
	h->running++;
	if (pool_start(s)) {
		h->running--;
		s->kind = SLOT_FREE;
		s->req = NULL;
		token_unref(s->token);
		s->token = NULL;
		answer_fail(h, r, OUTCOME_FAILED, "libcurl refused a request");
	}
}

static uint32_t
chance(void)
{
	uint32_t v = 0;

	(void)!getrandom(&v, sizeof(v), GRND_NONBLOCK);
	return v;
}

static void
throttle(struct slot *s)
{
	struct http *h = s->h;
	curl_off_t seconds = 0;
	int open = gate_wait(&h->gate, loop_now()) == 0;
	int64_t wait;
	char text[120];

	curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &seconds);
	wait = gate_close(&h->gate, loop_now(),
	    seconds > 0 && seconds < 86400 ? (uint32_t)seconds : 0, chance());
	if (!open)
		return;
	snprintf(text, sizeof(text),
	    "HTTP %ld, Retry-After %lld: nothing is sent for %lld s", s->status,
	    (long long)seconds, (long long)(wait + 999) / 1000);
	record_event(h, EV_THROTTLED, (uint16_t)s->status, s->token->lease,
	    s->request_id, text);
	http_tell_status(h);
}

static void
refuse_redirect(struct slot *s, struct request *r)
{
	char text[120];

	record_event(s->h, EV_REDIRECT_REFUSED, (uint16_t)s->status,
	    s->token->lease, s->request_id, r->template);
	snprintf(text, sizeof(text),
	    "the answer is a redirect (HTTP %ld); it was not followed",
	    s->status);
	answer_fail(s->h, r, OUTCOME_BROKEN, text);
}

/* An answer came whole. */
static void
answered(struct slot *s, struct request *r)
{
	struct http *h = s->h;
	enum verdict v = s->verdict;

	if (v == VERDICT_NONE)
		v = answer_verdict_of(s);
	if (s->status == 401)
		lease_on_401(h, s->token);
	else
		lease_proven(h, s->token);
	if (s->status == 429 || s->status == 503)
		throttle(s);
	else if (s->status < 500)
		gate_good(&h->gate);
	switch (v) {
	case VERDICT_THROTTLE:
		if (s->status == 429)
			r->throttled++;
		else
			r->tries++;
		request_again(h, r, 0);
		break;
	case VERDICT_AGAIN:
		r->tries++;
		request_again(h, r, AGAIN_MS * r->tries + chance() % AGAIN_MS);
		break;
	case VERDICT_RENEW:
		r->renewed = 1;
		request_again(h, r, 0);
		break;
	case VERDICT_DENIED:
		answer_fail(h, r, OUTCOME_DENIED,
		    "the upstream answered 401 to a new credential as well");
		break;
	case VERDICT_REDIRECT:
		refuse_redirect(s, r);
		break;
	default:
		answer_end(s);
		request_free(r);
	}
}

/* No answer, or a part of one. */
static void
broke(struct slot *s, struct request *r, CURLcode code)
{
	const char *text = s->why ? s->why
	    : s->error[0]         ? s->error
				  : curl_easy_strerror(code);
	struct http *h = s->h;

	if (s->no_socket && s->sent == 0 && r->dials++ < MAX_DIALS) {
		request_again(h, r, 0);
		return;
	}
	if (s->sent == 0)
		pool_failed(s->dest, text);
	if (s->why && code == CURLE_WRITE_ERROR) {
		record_event(h, EV_ANSWER_BROKEN, (uint16_t)s->status,
		    s->token->lease, s->request_id, text);
		answer_fail(h, r, OUTCOME_BROKEN, text);
	} else if ((s->sent == 0 || r->idempotent) && !s->head_sent &&
	    r->tries < MAX_TRIES && !h->draining) {
		r->tries++;
		request_again(h, r, s->sent ? AGAIN_MS * r->tries : 0);
	} else
		answer_fail(h, r,
		    s->sent && !r->idempotent ? OUTCOME_UNKNOWN
					      : OUTCOME_FAILED,
		    text);
}

void
transfer_note_rest(struct http *h)
{
	for (unsigned i = 0; i < h->limit; i++)
		note(&h->slots[i]);
	note(&h->login_slot);
}

void
transfer_done(struct slot *s, CURLcode code)
{
	struct request *r = s->req;
	struct http *h = s->h;

	h->running--;
	h->requests += s->sent > 0;
	note(s);
	s->kind = SLOT_FREE;
	if (code == CURLE_OK && s->status)
		answered(s, r);
	else
		broke(s, r, code);
	s->req = NULL;
	token_unref(s->token);
	s->token = NULL;
}

/* Why the transfer has to end, or NULL. */
static const char *
stalled(const struct slot *s, int64_t now)
{
	int64_t limit = (int64_t)s->h->up->request_timeout * 1000;

	if (s->paused)
		return NULL;
	if (s->status == 0 && now - s->started > limit)
		return "no answer within request_timeout";
	if (s->status && now - s->moved > (limit < STALL_MS ? limit : STALL_MS))
		return "the answer stopped in the middle";
	if (now - s->started > limit * TOTAL_TIMES)
		return "the answer came too slowly";
	return NULL;
}

static void
sweep_slot(struct slot *s, int64_t now)
{
	const char *why;

	if (s->kind == SLOT_FREE || (why = stalled(s, now)) == NULL)
		return;
	pool_stop(s);
	wire_clean(s->error, sizeof(s->error), why, sizeof(s->error) - 1);
	if (s->kind == SLOT_REQUEST)
		transfer_done(s, CURLE_OPERATION_TIMEDOUT);
	else
		lease_on_done(s, CURLE_OPERATION_TIMEDOUT);
}

void
transfer_sweep(void *arg)
{
	struct http *h = arg;
	int64_t now = loop_now();

	for (unsigned i = 0; i < h->limit; i++)
		sweep_slot(&h->slots[i], now);
	sweep_slot(&h->login_slot, now);
	/* The pump, which runs before the next poll, looks at the rest. */
}
