/*
 * http_pool.c: libcurl's multi handle in ORB's loop, and its connections.
 *
 * A connection is made by dial and waits here as a spare descriptor until
 * libcurl asks for a socket.  Nothing is started without one to be had; should
 * libcurl find the connection it meant to use closed, OPENSOCKETFUNCTION
 * has nothing to give, the transfer ends before a byte was sent, and the
 * request goes back to the head of the queue.
 */
#include "fetchd/http.h"
#include "lib/events.h"
#include "lib/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPARE_MS 20000   /* a server closes what says nothing */
#define DNS_MS 15000     /* dial's own bound, with some air */
#define RETRY_FIRST 1000 /* ms; doubles to RETRY_LAST */
#define RETRY_LAST 30000
#define TURNS 8 /* of libcurl before others are served */

/* --- what libcurl asks for ------------------------------------------------- */

static void
socket_ready(void *arg, int fd, short revents)
{
	struct http *h = arg;
	int mask = 0, running;

	if (revents & POLLIN)
		mask |= CURL_CSELECT_IN;
	if (revents & POLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (revents & (POLLERR | POLLHUP))
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(h->multi, fd, mask, &running);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct http *h = arg;
	short events = 0;

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		loop_fd_del(h->loop, fd);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= POLLIN;
	if (what & CURL_POLL_OUT)
		events |= POLLOUT;
	return loop_fd(h->loop, fd, events, socket_ready, h);
}

static void
timer_due(void *arg)
{
	struct http *h = arg;

	h->curl_timer = 0;
	h->kicked = 1;
}

/* libcurl's one timer; 0 means at once, which is before the next poll. */
static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;

	(void)multi;
	if (h->curl_timer) {
		loop_timer_del(h->loop, h->curl_timer);
		h->curl_timer = 0;
	}
	h->kicked = ms == 0;
	if (ms > 0)
		h->curl_timer = loop_timer(h->loop, ms, 0, timer_due, h);
	return 0;
}

static int
spare_take(struct dest *d)
{
	int fd = d->spare[0];

	d->nspare--;
	memmove(d->spare, d->spare + 1, d->nspare * sizeof(d->spare[0]));
	memmove(d->spare_since, d->spare_since + 1,
	    d->nspare * sizeof(d->spare_since[0]));
	return fd;
}

static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *sa)
{
	struct slot *s = arg;
	struct http *h = s->h;
	size_t room = sizeof(h->conns) / sizeof(h->conns[0]);
	int fd;

	(void)sa;
	if (purpose != CURLSOCKTYPE_IPCXN || s->dest == NULL ||
	    s->dest->nspare == 0 || h->nconns == room) {
		s->no_socket = 1;
		return CURL_SOCKET_BAD;
	}
	fd = spare_take(s->dest);
	h->conns[h->nconns].fd = fd;
	h->conns[h->nconns++].dest = s->dest;
	s->dest->open++;
	return fd;
}

/* 7.88 does not look at the answer and calls connect(), which the seccomp
 * filter answers with EINPROGRESS (DESIGN section 4); others do look. */
static int
on_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int
on_close_socket(void *arg, curl_socket_t fd)
{
	struct http *h = arg;

	for (size_t i = 0; i < h->nconns; i++) {
		if (h->conns[i].fd != fd)
			continue;
		h->conns[i].dest->open--;
		h->conns[i] = h->conns[--h->nconns];
		break;
	}
	loop_fd_del(h->loop, fd);
	return close(fd);
}

/* --- connections ------------------------------------------------------------ */

static void
drop_old_spares(struct dest *d)
{
	while (d->nspare && loop_now() - d->spare_since[0] > SPARE_MS)
		close(spare_take(d));
}

int
pool_ready(struct dest *d)
{
	drop_old_spares(d);
	/* Each of these carries one transfer, until it is known that the
	 * server speaks HTTP/2; the first one finds that out. */
	if (d->version == 0)
		return d->running == 0 && d->open + d->nspare > 0;
	if (d->version == CURL_HTTP_VERSION_2_0)
		return d->open + d->nspare > 0;
	return d->open + d->nspare > d->running;
}

const char *
pool_trouble(const struct dest *d)
{
	const struct http *h = d->h;

	if (d->open || d->nspare || d->dialing)
		return NULL;
	if (d->trouble[0] && loop_now() < d->retry_at)
		return d->trouble;
	if (h->dial == NULL &&
	    loop_now() - h->dial_gone > (int64_t)h->up->connect_timeout * 1000)
		return "orb-dial is not connected: see systemctl status "
		       "'orb-dial@*'";
	return NULL;
}

/* The connection is a new one; whatever may wait for it is started by the
 * pump, before the next poll. */
static int
on_connected(struct dest *d, struct packet *pk)
{
	struct msg_http_connected m;

	if (http_connected_get(pk, &m))
		return -1;
	d->dialing--;
	if (d->nspare == HTTP_SPARES)
		return 0;
	d->spare[d->nspare] = pk->fd;
	d->spare_since[d->nspare++] = loop_now();
	pk->fd = -1;
	return 0;
}

static int
on_dialed(struct chan *c, struct packet *pk, void *arg)
{
	struct msg_http_dial_failed m;
	struct dest *d = arg;

	(void)c;
	if (pk == NULL) {
		d->dialing--;
		pool_failed(d, "orb-dial did not answer");
		return 0;
	}
	if (pk->type == MSG_HTTP_CONNECTED)
		return on_connected(d, pk);
	if (pk->type != MSG_HTTP_DIAL_FAILED || http_dial_failed_get(pk, &m))
		return -1;
	d->dialing--;
	pool_failed(d, m.text);
	return 0;
}

static int
ask_once(struct dest *d)
{
	struct msg_dial_connect m = {d->url->host, d->url->port};
	struct http *h = d->h;
	uint64_t id;

	id = chan_call(
	    h->dial, h->up->connect_timeout * 1000 + DNS_MS, on_dialed, d);
	if (id == 0)
		return -1;
	d->dialing++;
	return dial_connect_send(h->dial, id, 0, &m);
}

void
pool_ask(struct dest *d, unsigned n)
{
	unsigned have, limit = d->h->limit;

	drop_old_spares(d);
	have = d->open + d->nspare + d->dialing;
	/* HTTP/2 carries everything on one connection; whether the server
	 * speaks it is known after the first. */
	if (d->version == 0 || d->version == CURL_HTTP_VERSION_2_0)
		limit = 1;
	if (d->dialing >= n || have >= limit || loop_now() < d->retry_at)
		return;
	n -= d->dialing;
	if (n > limit - have)
		n = limit - have;
	while (d->h->dial && n-- > 0)
		if (ask_once(d))
			return;
}

void
pool_failed(struct dest *d, const char *why)
{
	struct http *h = d->h;

	if (h->draining)
		return;
	if (strcmp(d->trouble, why) != 0)
		record_event(h, EV_CONNECT_FAILED, 0, 0, NULL, why);
	wire_clean(d->trouble, sizeof(d->trouble), why, sizeof(d->trouble) - 1);
	d->retry_ms = d->retry_ms ? d->retry_ms * 2 : RETRY_FIRST;
	if (d->retry_ms > RETRY_LAST)
		d->retry_ms = RETRY_LAST;
	d->retry_at = loop_now() + d->retry_ms;
	log_warn("%s: %s", d->url->host, d->trouble);
	http_tell_status(h);
}

int
pool_on_dial(struct chan *c, uid_t uid, pid_t pid)
{
	struct http *h = chan_ctx(c);
	struct chan *old = h->dial;

	(void)uid;
	(void)pid;
	/* A new one means that the old one has ended. */
	h->dial = c;
	chan_free(old);
	h->api.retry_at = h->login.retry_at = 0;
	return 0;
}

void
pool_on_dial_closed(struct chan *c, const char *why)
{
	struct http *h = chan_ctx(c);

	if (why)
		log_warn("orb-dial: %s", why);
	if (h->dial == c) {
		h->dial = NULL;
		h->dial_gone = loop_now();
	}
}

/* --- transfers ------------------------------------------------------------------ */

int
pool_start(struct slot *s)
{
	s->started = s->moved = loop_now();
	s->dest->running++;
	if (curl_multi_add_handle(s->h->multi, s->easy) == CURLM_OK)
		return 0;
	s->dest->running--;
	return -1;
}

void
pool_stop(struct slot *s)
{
	curl_multi_remove_handle(s->h->multi, s->easy);
	s->dest->running--;
}

static void
harvest(struct http *h)
{
	CURLMsg *m;
	CURLcode code;
	struct slot *s;
	long version = 0;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		code = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s);
		curl_easy_getinfo(s->easy, CURLINFO_HTTP_VERSION, &version);
		if (s->status && version) {
			s->dest->version = version;
			s->dest->retry_ms = 0;
			s->dest->trouble[0] = '\0';
		}
		pool_stop(s);
		if (s->kind == SLOT_REQUEST)
			transfer_done(s, code);
		else
			lease_on_done(s, code);
	}
}

void
pool_turn(struct http *h)
{
	int running;

	harvest(h);
	for (int i = 0; h->kicked && i < TURNS; i++) {
		h->kicked = 0;
		curl_multi_socket_action(
		    h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		harvest(h);
	}
}

/* --- opening ------------------------------------------------------------------------ */

/*
 * The names of the hosts stand for addresses that are never used, so that
 * libcurl has no reason to resolve.
 */
static int
dummy_addresses(struct http *h)
{
	struct dest *both[] = {&h->api, &h->login};
	struct curl_slist *l;
	char text[300];

	for (size_t i = 0; i < 2; i++) {
		if (both[i]->url == NULL)
			continue;
		snprintf(text, sizeof(text), "%s:%u:%s", both[i]->url->host,
		    (unsigned)both[i]->url->port, both[i]->dummy);
		if ((l = curl_slist_append(h->resolve, text)) == NULL)
			return -1;
		h->resolve = l;
	}
	return 0;
}

static int
slot_open(struct http *h, struct slot *s)
{
	CURL *e;

	s->h = h;
	if ((s->easy = e = curl_easy_init()) == NULL ||
	    transfer_prepare(s, h->resolve))
		return -1;
	curl_easy_setopt(e, CURLOPT_PRIVATE, s);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, s);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, h);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_sockopt);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, tls_on_context);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, h->tls);
	return 0;
}

int
pool_open(struct http *h, struct err *e)
{
	const curl_version_info_data *v;

	if (memory_open())
		return err_set(e, ENOMEM, "libcurl could not be started");
	v = curl_version_info(CURLVERSION_NOW);
	if (v->ssl_version == NULL || strncmp(v->ssl_version, "OpenSSL", 7))
		return err_set(e, EINVAL,
		    "libcurl is built with %s; ORB "
		    "needs the one built with OpenSSL",
		    v->ssl_version ? v->ssl_version : "no TLS");
	if (tls_open(&h->tls, h->up->ca_file, e))
		return -1;
	h->limit = (unsigned)h->up->connections;
	if (h->limit < 1 || h->limit > HTTP_CONNECTIONS)
		h->limit = 4;
	if (dummy_addresses(h) || (h->multi = curl_multi_init()) == NULL)
		return err_set(e, ENOMEM, "no memory for libcurl");
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)(h->limit + 2));
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	for (unsigned i = 0; i < h->limit; i++)
		if (slot_open(h, &h->slots[i]))
			return err_set(e, ENOMEM, "no memory for libcurl");
	if (slot_open(h, &h->login_slot))
		return err_set(e, ENOMEM, "no memory for libcurl");
	return 0;
}

static void
slot_close(struct slot *s)
{
	if (s->easy == NULL)
		return;
	if (s->kind != SLOT_FREE)
		pool_stop(s);
	curl_easy_cleanup(s->easy);
	if (s->req)
		request_free(s->req);
	token_unref(s->token);
	if (s->buf)
		explicit_bzero(s->buf, HTTP_CHUNK_BODY);
	free(s->buf);
	memset(s, 0, sizeof(*s));
}

void
pool_close(struct http *h)
{
	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++)
		slot_close(&h->slots[i]);
	slot_close(&h->login_slot);
	curl_multi_cleanup(h->multi);
	curl_slist_free_all(h->resolve);
	while (h->api.nspare)
		close(spare_take(&h->api));
	while (h->login.nspare)
		close(spare_take(&h->login));
	tls_free(h->tls);
	curl_global_cleanup();
}
