/*
 * fuzz_http.c: http as a receiver: from the adapter, keyd, ledgerd and dial,
 * with what the upstream and the login host may answer.  libcurl's place is
 * taken by fake_curl.c.
 *
 * Input: a byte (1: topdesk), then steps of an op, an argument, a length and
 * that many bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/fuzz/fake_curl.h"

int http_main(int, char **);
#define main http_main
#include "fetchd/main.c"
#undef main

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { FROM_ADAPTER, FROM_KEYD, FROM_LEDGERD, FROM_DIAL, EDGES };

struct stage {
	struct http h;
	struct chan **chan[EDGES];
	int far_end[EDGES];
	uint64_t id; /* of the adapter's requests */
	struct wire_out w;
};

/* --- instead of http_tls.c, http_memory.c, adapter_start.c, start_pages.c -------- */

CURLcode
memory_open(void)
{
	return CURLE_OK;
}

int
tls_open(struct tls **out, const char *file, struct err *e)
{
	(void)file;
	(void)e;
	*out = NULL;
	return 0;
}

void
tls_free(struct tls *t)
{
	(void)t;
}

CURLcode
tls_on_context(CURL *easy, void *ctx, void *arg)
{
	(void)easy;
	(void)ctx;
	(void)arg;
	return CURLE_OK;
}

int
tls_peer_spki(CURL *easy, uint8_t out[32])
{
	(void)easy;
	memset(out, 1, 32);
	return 0;
}

int
adapter_start(const struct adapter_start *s, struct err *e)
{
	(void)s;
	return err_set(e, 0, "not here");
}

void
start_pages_drop(void)
{
}

/* --- the stage ------------------------------------------------------------------ */

static struct chan *
edge_make(struct stage *s, int edge, enum role peer)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd))
		abort();
	s->far_end[edge] = fd[0];
	return chan_new(s->h.loop, fd[1], ROLE_HTTP, peer,
	    peer == ROLE_ADAPTER ? adapter_permits : no_permits,
	    peer == ROLE_DIAL ? pool_on_dial_closed : on_lost, &s->h);
}

static void
stage_open(struct stage *s, const struct conf *conf, enum upstream u)
{
	struct err e;

	memset(s, 0, sizeof(*s));
	choose_upstream(&s->h, conf, u);
	s->h.loop = loop_new();
	s->h.adapter = edge_make(s, FROM_ADAPTER, ROLE_ADAPTER);
	s->h.keyd = edge_make(s, FROM_KEYD, ROLE_KEYD);
	s->h.ledgerd = edge_make(s, FROM_LEDGERD, ROLE_LEDGERD);
	if (pool_on_dial(edge_make(s, FROM_DIAL, ROLE_DIAL), 0, 0))
		abort();
	s->chan[FROM_ADAPTER] = &s->h.adapter;
	s->chan[FROM_KEYD] = &s->h.keyd;
	s->chan[FROM_LEDGERD] = &s->h.ledgerd;
	s->chan[FROM_DIAL] = &s->h.dial;
	chan_on_drain(s->h.adapter, answer_on_drain);
	if (pool_open(&s->h, &e))
		abort();
	loop_idle(s->h.loop, on_idle, &s->h);
	wire_out_init(&s->w, 1 << 20);
}

static void
stage_close(struct stage *s)
{
	struct http *h = &s->h;

	record_flush(h);
	h->draining = 1;
	pool_close(h);
	fake_curl_end();
	lease_close(h);
	request_fail_all(h, OUTCOME_FAILED, "the end");
	chan_free(h->adapter);
	chan_free(h->keyd);
	chan_free(h->ledgerd);
	chan_free(h->dial);
	wire_out_free(&h->records);
	wire_out_free(&s->w);
	loop_free(h->loop);
	for (int i = 0; i < EDGES; i++)
		close(s->far_end[i]);
}

static void
begin(struct stage *s, uint16_t type, uint64_t id, unsigned flags)
{
	wire_out_reset(&s->w);
	wire_put_u8(&s->w, CHAN_VERSION);
	wire_put_u8(&s->w, (uint8_t)flags);
	wire_put_u16(&s->w, type);
	wire_put_u32(&s->w, 0);
	wire_put_u64(&s->w, id);
}

/* Sends from the far end, so that the connection closes as it would. */
static void
feed(struct stage *s, int edge, int fd)
{
	struct iovec iov = {s->w.buf, s->w.len};
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(sizeof(int))];
	} u;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (!s->w.err && s->w.len <= CHAN_PACKET) {
		s->w.buf[6] = (uint8_t)((s->w.len - CHAN_HEADER) >> 8);
		s->w.buf[7] = (uint8_t)(s->w.len - CHAN_HEADER);
		if (fd >= 0) {
			memset(&u, 0, sizeof(u));
			m.msg_control = u.buf;
			m.msg_controllen = sizeof(u.buf);
			u.h.cmsg_level = SOL_SOCKET;
			u.h.cmsg_type = SCM_RIGHTS;
			u.h.cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(&u.h), &fd, sizeof(fd));
		}
		(void)!sendmsg(
		    s->far_end[edge], &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (fd >= 0)
		close(fd);
}

/* --- steps ------------------------------------------------------------------------ */

static void
ask(struct stage *s, unsigned arg, const char *text)
{
	struct msg_http_request m = {.method = (uint8_t)(1 + arg % 6),
	    .idempotent = arg & 8 ? 1 : 0,
	    .path = arg & 16 ? text : "/users/a/calendarView/delta",
	    .accept = arg & 32 ? text : "",
	    .content_type = "",
	    .prefer = arg & 64 ? text : "",
	    .correlation = "c"};

	begin(s, MSG_HTTP_REQUEST, ++s->id, 0);
	http_request_put(&s->w, &m);
	feed(s, FROM_ADAPTER, -1);
}

static void
lease(struct stage *s, unsigned arg, const uint8_t *p, size_t n)
{
	struct msg_http_lease m = {1,
	    s->h.upstream == UPSTREAM_EXCHANGE ? 1 : 2, arg & 8 ? 0 : 3600,
	    arg & 16 ? "" : "key", {p, n}};
	struct msg_error e = {OUTCOME_BUSY, "not now"};

	begin(s, arg & 128 ? MSG_ERROR : MSG_HTTP_LEASE, 1 + arg % 8, CHAN_END);
	if (arg & 128)
		error_put(&s->w, &e);
	else
		http_lease_put(&s->w, &m);
	feed(s, FROM_KEYD, -1);
}

static void
connected(struct stage *s, unsigned arg)
{
	struct msg_http_connected m = {"192.0.2.1:443", 0};
	struct msg_http_dial_failed f = {1, "refused"};
	int fd[2];

	begin(s, arg & 128 ? MSG_HTTP_DIAL_FAILED : MSG_HTTP_CONNECTED,
	    1 + arg % 16, CHAN_END);
	if (arg & 128) {
		http_dial_failed_put(&s->w, &f);
		feed(s, FROM_DIAL, -1);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		abort();
	close(fd[1]);
	http_connected_put(&s->w, &m);
	feed(s, FROM_DIAL, fd[0]);
}

static void
step(struct stage *s, unsigned op, unsigned arg, const uint8_t *p, size_t n)
{
	static const long status[] = {
	    200, 201, 204, 302, 401, 404, 429, 500, 503, 100};
	char text[400], buf[CHAN_PACKET];
	size_t k = n < sizeof(text) - 1 ? n : sizeof(text) - 1;

	if (k)
		memcpy(text, p, k);
	text[k] = '\0';
	switch (op % 8) {
	case 0:
		ask(s, arg, text);
		break;
	case 1:
		lease(s, arg, p, n);
		break;
	case 2:
		connected(s, arg);
		break;
	case 3:
		(void)!send(
		    s->far_end[arg % EDGES], p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 4:
		(void)shutdown(s->far_end[arg % EDGES], SHUT_WR);
		break;
	default:
		fake_curl_step(arg / 4 % 8, arg, status[op / 8 % 10], p, n);
		break;
	}
	loop_turn(s->h.loop, 0);
	/* With the last bit the adapter does not read. */
	for (int i = op & 128 ? FROM_KEYD : 0; i < EDGES; i++)
		while (recv(s->far_end[i], buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz", 0);
	(void)secret_init(SECURE_HEAP);
	token_parse_open();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct conf conf = {
	    .exchange = {.graph_url = {"", "graph.test", 443, "/v1.0"},
		.login_url = {"", "login.test", 443, ""},
		.ews_url = {"", "ews.test", 443, "/EWS/Exchange.asmx"},
		.tenant = "t",
		.up = {.connections = 3,
		    .connect_timeout = 5,
		    .request_timeout = 5}},
	    .topdesk = {.url = {"", "td.test", 8443, "/tas/api"},
		.up = {.connections = 2,
		    .connect_timeout = 5,
		    .request_timeout = 5}}};
	struct stage s;
	size_t len;

	if (n < 1)
		return 0;
	conf.exchange.kind = p[0] & 2 ? "ews" : "graph";
	conf.exchange.up.ca_file = conf.topdesk.up.ca_file = "";
	stage_open(&s, &conf, p[0] & 1 ? UPSTREAM_TOPDESK : UPSTREAM_EXCHANGE);
	for (p++, n--; n >= 4; p += len, n -= len) {
		len = (size_t)(p[2] << 8 | p[3]);
		if (len > n - 4)
			len = n - 4;
		step(&s, p[0], p[1], p + 4, len);
		p += 4;
		n -= 4;
	}
	stage_close(&s);
	return 0;
}
