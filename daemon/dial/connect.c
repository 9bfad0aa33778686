/*
 * connect.c: one connection after the other becomes a descriptor for http.
 *
 * An attempt goes through the addresses of the name (or of the proxy) in turn
 * until one takes the connection; through a proxy it then sends CONNECT and
 * reads the header of the answer, and not one byte behind it.  Several
 * attempts are under way at a time, all in the one loop.
 */
#include "dial/dial.h"
#include "lib/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum phase { CONNECTING, SENDING, READING };

struct attempt {
	struct attempt *next;
	struct dial *d;
	uint64_t id; /* of the DIAL_CONNECT */
	char host[254];
	uint16_t port;
	int64_t deadline;
	unsigned timer;
	struct addresses to;
	size_t at; /* the address being tried */
	int fd;
	enum phase phase;
	char reason[300]; /* why the last address failed */
	char *buf;        /* CONNECT out, then the answer in */
	size_t len, done;
};

static void next_address(struct attempt *);
static void attempt_ready(void *, int, short);

static void
attempt_free(struct attempt *a)
{
	struct dial *d = a->d;
	struct attempt **p = &d->attempts;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	d->nattempts--;
	loop_timer_del(d->loop, a->timer);
	if (a->fd >= 0) {
		loop_fd_del(d->loop, a->fd);
		close(a->fd);
	}
	free(a->buf);
	free(a);
}

void
attempts_drop(struct dial *d)
{
	while (d->attempts)
		attempt_free(d->attempts);
}

static void
attempt_fail(struct attempt *a, int code, const char *text)
{
	struct msg_http_dial_failed m = {(uint16_t)code, text};

	log_warn("%s:%u: %s", a->host, (unsigned)a->port, text);
	a->d->failed++;
	if (a->d->chan)
		http_dial_failed_send(a->d->chan, a->id, CHAN_END, &m);
	attempt_free(a);
}

static void
attempt_done(struct attempt *a)
{
	struct msg_http_connected m = {NULL, a->buf != NULL};
	char text[64];
	int fd = a->fd;

	loop_fd_del(a->d->loop, fd);
	a->fd = -1;
	m.address = address_text(&a->to.a[a->at], text, sizeof(text));
	a->d->made++;
	if (a->d->chan == NULL)
		close(fd);
	else
		http_connected_send(a->d->chan, a->id, CHAN_END, &m, &fd);
	attempt_free(a);
}

/* This address will not do; the reason is kept in case none will. */
__attribute__((format(printf, 2, 3))) static void
address_fail(struct attempt *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->reason, sizeof(a->reason), fmt, ap);
	va_end(ap);
	if (a->fd >= 0) {
		loop_fd_del(a->d->loop, a->fd);
		close(a->fd);
		a->fd = -1;
	}
	a->at++;
	next_address(a);
}

static void
connect_fail(struct attempt *a, const char *what, int code)
{
	char text[64];

	address_fail(a, "%s %s: %s", what,
	    address_text(&a->to.a[a->at], text, sizeof(text)), strerror(code));
}

/* Half of what is left for each address but the last, which gets it all. */
static int64_t
time_share(const struct attempt *a)
{
	int64_t left = a->deadline - loop_now();

	if (left < 1)
		return 1;
	return a->at + 1 < a->to.n ? left / 2 + 1 : left;
}

static void
attempt_late(void *arg)
{
	struct attempt *a = arg;

	a->timer = 0;
	if (a->phase == CONNECTING)
		connect_fail(a, "connect", ETIMEDOUT);
	else
		address_fail(a, "the proxy did not answer CONNECT in time");
}

static int
make_socket(struct attempt *a)
{
	const struct address *to = &a->to.a[a->at];
	const struct dial *d = a->d;
	int one = 1, fd;

	fd = socket(
	    to->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (d->source.len == 0)
		return fd;
	/* The port is chosen at connect(), by the whole four-tuple. */
	(void)setsockopt(
	    fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&d->source.sa, d->source.len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
next_address(struct attempt *a)
{
	const struct address *to = &a->to.a[a->at];

	loop_timer_del(a->d->loop, a->timer);
	a->timer = 0;
	if (a->at >= a->to.n || a->deadline <= loop_now()) {
		attempt_fail(a, EHOSTUNREACH, a->reason);
		return;
	}
	if ((a->fd = make_socket(a)) < 0) {
		connect_fail(a,
		    a->d->source.len ? "bind to source_address for"
				     : "socket for",
		    errno);
		return;
	}
	a->phase = CONNECTING;
	if (connect(a->fd, (const struct sockaddr *)&to->sa, to->len) &&
	    errno != EINPROGRESS) {
		connect_fail(a, "connect", errno);
		return;
	}
	loop_fd(a->d->loop, a->fd, POLLOUT, attempt_ready, a);
	a->timer = loop_timer(a->d->loop, time_share(a), 0, attempt_late, a);
}

static void
proxy_begin(struct attempt *a)
{
	if (a->buf == NULL && (a->buf = malloc(DIAL_PROXY_HEADER)) == NULL) {
		attempt_fail(a, ENOMEM, "no memory");
		return;
	}
	a->len = proxy_request(a->buf, DIAL_PROXY_HEADER, a->host, a->port);
	a->done = 0;
	a->phase = SENDING;
}

static void
proxy_send(struct attempt *a)
{
	ssize_t n =
	    send(a->fd, a->buf + a->done, a->len - a->done, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		connect_fail(a, "send to the proxy", errno);
		return;
	}
	if ((a->done += (size_t)n) < a->len)
		return;
	a->phase = READING;
	a->len = 0;
	loop_fd(a->d->loop, a->fd, POLLIN, attempt_ready, a);
}

/*
 * Takes the bytes of the header off the socket and leaves what may stand
 * behind it: looks first, then reads just as much as is the header's.
 */
static void
proxy_read(struct attempt *a)
{
	size_t used = 0, had = a->len;
	int status = 0, rc;
	ssize_t n =
	    recv(a->fd, a->buf + had, DIAL_PROXY_HEADER - had, MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		connect_fail(a, "read from the proxy", errno);
		return;
	}
	if (n == 0) {
		address_fail(a, "the proxy closed the connection");
		return;
	}
	a->len += (size_t)n;
	rc = proxy_answer(a->buf, a->len, &status, &used);
	if (rc < 0) {
		address_fail(a, "the proxy's answer is not HTTP");
		return;
	}
	n = recv(a->fd, a->buf + had, (rc ? used : a->len) - had, 0);
	if (n < 0 || (size_t)n != (rc ? used : a->len) - had) {
		address_fail(a, "the proxy's answer could not be read");
		return;
	}
	if (rc && status == 200)
		attempt_done(a);
	else if (rc && status == 407)
		attempt_fail(a, EACCES,
		    "proxy answered 407: it asks for a "
		    "login; let it pass this host without");
	else if (rc)
		address_fail(a, "proxy answered %d", status);
}

static void
attempt_ready(void *arg, int fd, short revents)
{
	struct attempt *a = arg;
	int code = 0;
	socklen_t len = sizeof(code);

	(void)revents;
	if (a->phase == CONNECTING) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len))
			code = errno;
		if (code)
			connect_fail(a, "connect", code);
		else if (a->d->up->proxy_url.host[0] == '\0')
			attempt_done(a);
		else
			proxy_begin(a);
	} else if (a->phase == SENDING)
		proxy_send(a);
	else
		proxy_read(a);
}

void
attempt_start(struct dial *d, uint64_t id, const char *host, uint16_t port)
{
	const struct conf_url *proxy = &d->up->proxy_url;
	struct attempt *a;
	struct err e;

	a = calloc(1, sizeof(*a));
	if (a == NULL || d->nattempts >= DIAL_ATTEMPTS) {
		struct msg_http_dial_failed m = {
		    EAGAIN, "too many connections are being made"};

		http_dial_failed_send(d->chan, id, CHAN_END, &m);
		free(a);
		return;
	}
	a->d = d;
	a->id = id;
	a->fd = -1;
	a->port = port;
	snprintf(a->host, sizeof(a->host), "%s", host);
	a->next = d->attempts;
	d->attempts = a;
	d->nattempts++;
	if (proxy->host[0]) {
		host = proxy->host;
		port = proxy->port;
	}
	if (resolve_host(host, port,
		d->source.len ? d->source.sa.ss_family : AF_UNSPEC, &a->to,
		&e)) {
		attempt_fail(a, e.code, e.text);
		return;
	}
	a->deadline = loop_now() + (int64_t)d->up->connect_timeout * 1000;
	snprintf(a->reason, sizeof(a->reason), "no address could be tried");
	next_address(a);
}
