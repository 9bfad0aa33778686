/*
 * fuzz_dial.c: dial as a receiver: what http may ask of it, and what a proxy
 * may answer, together.
 *
 * No network: names resolve to three fixed addresses, and socket() and
 * connect() (wrapped by the linker) give one end of a socketpair.
 *
 * Input: a byte (1: through a proxy, 2: topdesk), then steps of an op, a
 * length and that many bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int dial_main(int, char **);
#define main dial_main
#include "dial/main.c"
#include "tests/fuzz/feed_copy.h"
#undef main

#define FAR 64

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int __wrap_socket(int, int, int);
int __wrap_connect(int, const struct sockaddr *, socklen_t);
int __real_socket(int, int, int);
int __real_connect(int, const struct sockaddr *, socklen_t);

/* --- the world outside ------------------------------------------------------ */

static int far_end[FAR];
static size_t nfar;
static unsigned connects;

int
__wrap_socket(int domain, int type, int protocol)
{
	int s[2];

	if (domain == AF_UNIX)
		return __real_socket(domain, type, protocol);
	if (nfar == FAR) {
		errno = EMFILE;
		return -1;
	}
	if (socketpair(AF_UNIX, type, 0, s))
		abort();
	far_end[nfar++] = s[1];
	return s[0];
}

int
__wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	if (sa->sa_family == AF_UNIX)
		return __real_connect(fd, sa, len);
	errno = ECONNREFUSED;
	return ++connects % 3 == 0 ? -1 : 0;
}

void
resolve_init(void)
{
}

int
resolve_host(const char *host, uint16_t port, int family, struct addresses *out,
    struct err *e)
{
	struct sockaddr_in *in;

	(void)family;
	if (host[0] == 'n')
		return err_set(e, ENOENT, "DNS: no address for %s", host);
	memset(out, 0, sizeof(*out));
	for (out->n = 0; out->n < 3; out->n++) {
		in = (struct sockaddr_in *)&out->a[out->n].sa;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(0xc0000201u + (uint32_t)out->n);
		out->a[out->n].len = sizeof(*in);
	}
	return 0;
}

int
resolve_numeric(const char *text, struct address *out)
{
	(void)text;
	(void)out;
	return -1;
}

const char *
address_text(const struct address *a, char *buf, size_t size)
{
	(void)a;
	snprintf(buf, size, "192.0.2.1:443");
	return buf;
}

/* --- steps ---------------------------------------------------------------------- */

static int
ask(struct dial *d, uint64_t id, const char *host, uint16_t port)
{
	struct msg_dial_connect m = {host, port};
	struct wire_out w;
	int rc;

	wire_out_init(&w, CHAN_PACKET);
	wire_put_u8(&w, CHAN_VERSION);
	wire_put_u8(&w, 0);
	wire_put_u16(&w, MSG_DIAL_CONNECT);
	wire_put_u32(&w, 0);
	wire_put_u64(&w, id);
	dial_connect_put(&w, &m);
	w.buf[7] = (uint8_t)(w.len - CHAN_HEADER);
	rc = chan_feed(d->chan, w.buf, w.len, -1);
	wire_out_free(&w);
	return rc;
}

static int
step(struct dial *d, unsigned op, const uint8_t *p, size_t n)
{
	const struct conf_url *u = d->hosts[op / 8 % d->nhosts];
	int fd = nfar ? far_end[op / 8 % nfar] : -1;
	char buf[4096];
	int rc = 0;

	switch (op % 8) {
	case 0:
		rc = feed_copy(d->chan, p, n);
		break;
	case 1:
		rc = ask(d, 1 + n, u->host, u->port);
		break;
	case 2:
		rc = ask(d, 1 + n, u->host, (uint16_t)(u->port + 1));
		break;
	case 3:
	case 4:
		(void)!send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case 5:
		(void)shutdown(fd, SHUT_RDWR);
		break;
	default:
		break;
	}
	loop_turn(d->loop, 0);
	for (size_t i = 0; i < nfar; i++)
		while (recv(far_end[i], buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct conf conf = {.exchange.kind = "graph",
	    .exchange.graph_url = {"", "graph.test", 443, ""},
	    .exchange.login_url = {"", "no.test", 443, ""},
	    .topdesk.url = {"", "td.test", 8443, ""},
	    .exchange.up = {.source_address = "", .connect_timeout = 5},
	    .topdesk.up = {.source_address = "", .connect_timeout = 5}};
	struct dial d = {0};
	size_t len;

	if (n < 1)
		return 0;
	log_init("fuzz", 0);
	conf.exchange.up.proxy_url.host = p[0] & 1 ? "proxy.test" : "";
	conf.topdesk.up.proxy_url.host = conf.exchange.up.proxy_url.host;
	choose_upstream(
	    &d, &conf, p[0] & 2 ? UPSTREAM_TOPDESK : UPSTREAM_EXCHANGE);
	d.loop = loop_new();
	d.chan =
	    chan_new(d.loop, -1, ROLE_DIAL, ROLE_HTTP, permits, on_closed, &d);
	connects = p[0] >> 2;
	for (p++, n--; n >= 3; p += len, n -= len) {
		len = (size_t)(p[1] << 8 | p[2]);
		if (len > n - 3)
			len = n - 3;
		if (step(&d, p[0], p + 3, len))
			break;
		p += 3;
		n -= 3;
	}
	attempts_drop(&d);
	chan_free(d.chan);
	loop_free(d.loop);
	while (nfar)
		close(far_end[--nfar]);
	if (d.nattempts)
		abort(); /* an attempt that nobody ends */
	return 0;
}
