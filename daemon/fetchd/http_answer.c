/*
 * http_answer.c: from libcurl's buffer to the adapter's channel.
 *
 * A small answer is one packet.  A large one is a head and chunks, and the
 * transfer stands still while the adapter has not taken what was sent.
 */
#include "fetchd/http.h"
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a header line when it is that header, else NULL; *len is its
 * length without blanks around it. */
static const char *
header_value(const char *line, size_t n, const char *name, size_t *len)
{
	size_t w = strlen(name);

	if (n <= w || line[w] != ':' || strncasecmp(line, name, w) != 0)
		return NULL;
	line += w + 1;
	n -= w + 1;
	while (n > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n > 0 &&
	    (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	*len = n;
	return line;
}

/* Each header line, of interim answers (1xx) too. */
size_t
answer_on_header(char *line, size_t size, size_t nmemb, void *arg)
{
	struct slot *s = arg;
	size_t n = size * nmemb, len = 0;
	const char *v = NULL;
	long status = 0;

	if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
		curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
		s->status = status;
		if (s->kind == SLOT_REQUEST && status >= 200 && status != 401)
			lease_proven(s->h, s->token);
		s->request_id[0] = '\0';
		s->moved = loop_now();
		if (s->kind == SLOT_VERIFY)
			s->h->lease.have_spki =
			    tls_peer_spki(s->easy, s->h->lease.spki) == 0;
		return n;
	}
	/* request-id is Graph's, the others are in use elsewhere. */
	if (n > 0 && (line[0] == 'r' || line[0] == 'R'))
		v = header_value(line, n, "request-id", &len);
	else if (n > 0 && (line[0] == 'x' || line[0] == 'X'))
		v = header_value(line, n, "x-request-id", &len);
	if (v && len < sizeof(s->request_id)) {
		memcpy(s->request_id, v, len);
		s->request_id[len] = '\0';
		wire_clean(s->request_id, sizeof(s->request_id),
		    strdupa(s->request_id), sizeof(s->request_id) - 1);
	}
	return n;
}

static void
send_head(struct slot *s, unsigned flags)
{
	struct msg_adapter_response m = {0};
	const char *type = NULL;
	curl_off_t wait = 0, modified = -1;
	char clean[101];

	curl_easy_getinfo(s->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &wait);
	curl_easy_getinfo(s->easy, CURLINFO_FILETIME_T, &modified);
	m.status = (uint16_t)s->status;
	m.content_type =
	    wire_clean(clean, sizeof(clean), type ? type : "", 100);
	m.retry_after = wait > 0 && wait < UINT32_MAX ? (uint32_t)wait : 0;
	m.last_modified = modified > 0 ? modified : 0;
	m.request_id = s->request_id;
	m.body = (struct wire_bytes){s->buf, s->len};
	if (s->h->adapter)
		adapter_response_send(s->h->adapter, s->req->id, flags, &m);
	s->head_sent = 1;
}

/* Sends what the buffer holds and empties it. */
static void
send_some(struct slot *s, unsigned flags)
{
	struct msg_adapter_chunk m = {{s->buf, s->len}};

	if (!s->head_sent)
		send_head(s, flags);
	else if (s->h->adapter)
		adapter_chunk_send(s->h->adapter, s->req->id, flags, &m);
	s->len = 0;
}

void
answer_end(struct slot *s)
{
	send_some(s, CHAN_END);
}

enum verdict
answer_verdict_of(const struct slot *s)
{
	const struct request *r = s->req;

	/* SOAP 1.1 section 6.2: a fault comes with 500, and what it is, and
	 * for how long, the adapter reads. */
	if (s->h->soap && s->status == 500)
		return VERDICT_FORWARD;
	return answer_verdict(
	    s->status, r->idempotent, r->throttled, r->tries, r->renewed);
}

static size_t
buffer(struct slot *s, const char *p, size_t n)
{
	size_t room, part, done = 0;

	if (s->buf == NULL && (s->buf = malloc(HTTP_CHUNK_BODY)) == NULL)
		return 0;
	while (done < n) {
		room =
		    (s->head_sent ? HTTP_CHUNK_BODY : HTTP_HEAD_BODY) - s->len;
		if (room == 0) {
			send_some(s, 0);
			continue;
		}
		part = n - done < room ? n - done : room;
		memcpy(s->buf + s->len, p + done, part);
		s->len += part;
		done += part;
	}
	return n;
}

size_t
answer_on_body(char *p, size_t size, size_t nmemb, void *arg)
{
	struct slot *s = arg;
	size_t n = size * nmemb;

	if (s->kind != SLOT_REQUEST)
		return lease_on_body(s, (const uint8_t *)p, n);
	if (s->verdict == VERDICT_NONE)
		s->verdict = answer_verdict_of(s);
	s->moved = loop_now();
	if (s->total + n > HTTP_ANSWER_MAX) {
		s->why = "the answer is larger than 64 MiB";
		return 0;
	}
	if (s->verdict != VERDICT_FORWARD) {
		s->total += n;
		return n;
	}
	if (s->h->adapter && chan_backlog(s->h->adapter) > CHAN_BACKLOG) {
		s->paused = 1;
		return CURL_WRITEFUNC_PAUSE;
	}
	s->total += n;
	return buffer(s, p, n);
}

void
answer_on_drain(struct chan *c)
{
	struct http *h = chan_ctx(c);
	struct slot *s;

	for (unsigned i = 0; i < h->limit; i++) {
		s = &h->slots[i];
		if (s->kind != SLOT_REQUEST || !s->paused)
			continue;
		s->paused = 0;
		s->moved = loop_now();
		curl_easy_pause(s->easy, CURLPAUSE_CONT);
	}
}

void
answer_fail(
    struct http *h, struct request *r, enum outcome outcome, const char *why)
{
	char clean[301];
	struct msg_adapter_failed m = {
	    (uint16_t)outcome, wire_clean(clean, sizeof(clean), why, 300)};

	if (h->adapter)
		adapter_failed_send(h->adapter, r->id, CHAN_END, &m);
	request_free(r);
}
