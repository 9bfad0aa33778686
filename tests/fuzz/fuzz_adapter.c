/*
 * fuzz_adapter.c: the adapter as a receiver, from http and from mapd.
 *
 * The input is a list of steps, each an op, an argument, a length and that many
 * bytes: requests of mapd's, answers of http's to them with the bytes as body,
 * raw packets from both, and turns of the loop.  The first byte says which
 * upstream it is, and which of the two kinds of Exchange.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetchd/adapter/ews.h"
#include "fetchd/adapter/serve.h"
#include "tests/fuzz/feed_copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define ASKED 8

struct stage {
	struct adapter a;
	struct conf conf;
	int http, mapd; /* the far ends */
	int ews;
	uint64_t id;
	uint64_t asked[ASKED]; /* the last requests to http */
	unsigned nasked;
	struct wire_out w;
};

static void
configure(struct conf *c)
{
	c->exchange.graph_url = (struct conf_url){
	    "https://graph.test/v1.0", "graph.test", 443, "/v1.0"};
	c->exchange.page_size = 100;
	c->topdesk.link_type = "7301";
	c->topdesk.fallback_person = "p";
	c->topdesk.cancel_reason = "";
	c->topdesk.rooms_per_list = 3;
	c->topdesk.list_top = 5;
}

static void
stage_open(struct stage *s, int exchange, int ews)
{
	static const struct permit none[] = {{0, NULL, 0}};
	struct chan *c;
	int h[2], m[2];

	memset(s, 0, sizeof(*s));
	configure(&s->conf);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, h) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, m))
		abort();
	s->http = h[0];
	s->mapd = m[0];
	s->a.loop = loop_new();
	s->a.conf = &s->conf;
	s->a.http = chan_new(
	    s->a.loop, h[1], ROLE_ADAPTER, ROLE_HTTP, none, NULL, &s->a);
	s->a.out = outbound_new(s->a.http, 4);
	s->ews = exchange && ews;
	if (exchange && !ews && graph_open(&s->a))
		abort();
	c = chan_new(s->a.loop, m[1], ROLE_ADAPTER, ROLE_MAPD,
	    s->ews         ? ews_permits
		: exchange ? graph_permits
			   : topdesk_permits,
	    serve_closed, &s->a);
	serve_open(c, 0, 0);
	loop_idle(s->a.loop, serve_idle, &s->a);
	wire_out_init(&s->w, 1 << 20);
}

static void
stage_close(struct stage *s)
{
	serve_stop(&s->a);
	chan_free(s->a.http);
	outbound_free(s->a.out);
	batchq_free(s->a.batch);
	batchq_free(s->a.finds);
	loop_free(s->a.loop);
	wire_out_free(&s->w);
	close(s->http);
	close(s->mapd);
}

/* The header; the payload is put behind it. */
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

static int
feed(struct stage *s, struct chan *c)
{
	size_t n = s->w.len - CHAN_HEADER;

	if (s->w.err || c == NULL)
		return 0;
	s->w.buf[6] = (uint8_t)(n >> 8);
	s->w.buf[7] = (uint8_t)n;
	return chan_feed(c, s->w.buf, s->w.len, -1);
}

/* Writes to TOPdesk, which Exchange has no use for. */
static void
put_reservation(struct stage *s, unsigned op, const char *text)
{
	struct msg_adapter_create create = {
	    "orb1:x", "room", "p", 0, 60, 1, text, ""};
	struct msg_adapter_reschedule reschedule = {text, 0, 60};
	struct msg_adapter_move move = {text, "room", "other"};
	struct msg_adapter_edit edit = {"id", text, "p", "orb1:x"};
	struct msg_adapter_cancel cancel = {"id", text};

	switch (op % 5) {
	case 0:
		begin(s, MSG_ADAPTER_CREATE, s->id, 0);
		adapter_create_put(&s->w, &create);
		break;
	case 1:
		begin(s, MSG_ADAPTER_RESCHEDULE, s->id, 0);
		adapter_reschedule_put(&s->w, &reschedule);
		break;
	case 2:
		begin(s, MSG_ADAPTER_MOVE, s->id, 0);
		adapter_move_put(&s->w, &move);
		break;
	case 3:
		begin(s, MSG_ADAPTER_EDIT, s->id, 0);
		adapter_edit_put(&s->w, &edit);
		break;
	default:
		begin(s, MSG_ADAPTER_CANCEL, s->id, 0);
		adapter_cancel_put(&s->w, &cancel);
		break;
	}
}

/* Writes to Exchange. */
static void
put_meeting(struct stage *s, unsigned op, const char *text)
{
	struct msg_adapter_meeting_change change = {"a@sim.test", "id", "", 60,
	    120, text, "r@sim.test", "s@sim.test", text};
	struct msg_adapter_meeting_cancel cancel = {
	    "a@sim.test", "id", "", text};
	struct msg_adapter_meeting_decline decline = {"a@sim.test", "id", text};
	struct msg_adapter_meet meet = {.address = "a@sim.test",
	    .room = "r@sim.test",
	    .room_name = text,
	    .organiser = "o@sim.test",
	    .tag = "topdesk:1",
	    .transaction = "t",
	    .start = 60,
	    .end = 120,
	    .subject = text,
	    .body = text};

	switch (op % 4) {
	case 0:
		begin(s, MSG_ADAPTER_MEETING_CHANGE, s->id, 0);
		adapter_meeting_change_put(&s->w, &change);
		break;
	case 1:
		begin(s, MSG_ADAPTER_MEETING_CANCEL, s->id, 0);
		adapter_meeting_cancel_put(&s->w, &cancel);
		break;
	case 2:
		begin(s, MSG_ADAPTER_MEETING_DECLINE, s->id, 0);
		adapter_meeting_decline_put(&s->w, &decline);
		break;
	default:
		begin(s, MSG_ADAPTER_MEET, s->id, 0);
		adapter_meet_put(&s->w, &meet);
		break;
	}
}

/* What takes a list. */
static void
put_list(struct stage *s, unsigned op, const char *text)
{
	struct msg_adapter_persons persons;
	struct msg_adapter_find find = {.address = "a@sim.test"};
	struct msg_adapter_check check;
	struct wire_out v;

	wire_out_init(&v, 4096);
	wire_put_str(&v, "a@sim.test", 64);
	wire_put_str(&v, text, 64);
	persons.addresses = wire_list_of(&v, v.err ? 1 : 2);
	find.links = check.numbers = persons.addresses;
	if (op == 0) {
		begin(s, MSG_ADAPTER_FIND, s->id, 0);
		adapter_find_put(&s->w, &find);
	} else if (op == 1) {
		begin(s, MSG_ADAPTER_CHECK, s->id, 0);
		adapter_check_put(&s->w, &check);
	} else {
		begin(s, MSG_ADAPTER_PERSONS, s->id, 0);
		adapter_persons_put(&s->w, &persons);
	}
	wire_out_free(&v);
}

static int
from_mapd(struct stage *s, unsigned op, const char *text)
{
	struct msg_adapter_poll poll = {
	    "r@sim.test", 0, 86400 * 90, {(const uint8_t *)text, strlen(text)}};
	struct msg_adapter_expand expand = {"r@sim.test", text, 0, 86400 * 90};
	struct msg_adapter_get get = {"r@sim.test", text};
	struct msg_adapter_meeting meeting = {
	    "a@sim.test", "r@sim.test", text, 0, 0, 86400};

	s->id++;
	switch (op % 12) {
	case 0:
		begin(s, MSG_ADAPTER_POLL, s->id, 0);
		adapter_poll_put(&s->w, &poll);
		break;
	case 1:
		begin(s, MSG_ADAPTER_EXPAND, s->id, 0);
		adapter_expand_put(&s->w, &expand);
		break;
	case 2:
		begin(s, MSG_ADAPTER_GET, s->id, 0);
		adapter_get_put(&s->w, &get);
		break;
	case 3:
		begin(s, MSG_ADAPTER_FLUSH, 0, 0);
		break;
	case 4:
		put_reservation(s, op / 12, text);
		break;
	case 6:
		begin(s, MSG_ADAPTER_MEETING, s->id, 0);
		adapter_meeting_put(&s->w, &meeting);
		break;
	case 7:
		put_meeting(s, 3, text);
		break;
	case 8:
	case 9:
	case 10:
		put_meeting(s, op % 12 - 8, text);
		break;
	case 5:
		put_list(s, 0, text);
		break;
	default:
		put_list(s, op / 12 % 2 + 1, text);
		break;
	}
	return feed(s, s->a.mapd);
}

/* The bytes as the messages of an answer that is well otherwise. */
static struct wire_bytes
envelope(const uint8_t *p, size_t n, uint8_t *to, size_t size)
{
	static const char head[] =
	    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
	    "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/"
	    "messages\" xmlns:t=\"http://schemas.microsoft.com/exchange/"
	    "services/2006/types\"><s:Body><m:X><m:ResponseMessages>";
	static const char tail[] =
	    "</m:ResponseMessages></m:X></s:Body></s:Envelope>";
	size_t h = sizeof(head) - 1, t = sizeof(tail) - 1;

	if (n > size - h - t)
		n = size - h - t;
	memcpy(to, head, h);
	memcpy(to + h, p, n);
	memcpy(to + h + n, tail, t);
	return (struct wire_bytes){to, h + n + t};
}

static int
from_http(
    struct stage *s, unsigned op, unsigned arg, const uint8_t *p, size_t n)
{
	static const uint16_t status[] = {
	    200, 206, 204, 400, 404, 410, 429, 500};
	static uint8_t wrapped[15000];
	struct msg_adapter_response r = {.status = status[arg / 8 % 8],
	    .content_type = arg & 128 ? "text/html"
		: s->ews              ? "text/xml"
				      : "application/json",
	    .request_id = "",
	    .body = {p, n}};
	struct msg_adapter_chunk c = {{p, n}};
	struct msg_adapter_failed f = {(uint16_t)(1 + arg % 9), ""};
	uint64_t id = s->asked[arg % ASKED];

	if (s->ews && op % 6 == 3)
		r.body = envelope(p, n, wrapped, sizeof(wrapped));
	switch (op % 3) {
	case 0:
		begin(s, MSG_ADAPTER_RESPONSE, id, arg & 64 ? 0 : CHAN_END);
		adapter_response_put(&s->w, &r);
		break;
	case 1:
		begin(s, MSG_ADAPTER_CHUNK, id, arg & 64 ? 0 : CHAN_END);
		adapter_chunk_put(&s->w, &c);
		break;
	default:
		begin(s, MSG_ADAPTER_FAILED, id, CHAN_END);
		adapter_failed_put(&s->w, &f);
		break;
	}
	return feed(s, s->a.http);
}

static void
drain(int fd)
{
	char buf[CHAN_PACKET];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* The same at http's end, where the ids of requests are kept. */
static void
drain_http(struct stage *s)
{
	uint8_t buf[CHAN_PACKET];
	uint64_t id;

	while (recv(s->http, buf, sizeof(buf), MSG_DONTWAIT) >= CHAN_HEADER) {
		if ((buf[2] << 8 | buf[3]) != MSG_HTTP_REQUEST)
			continue;
		id = 0;
		for (int i = 8; i < 16; i++)
			id = id << 8 | buf[i];
		s->asked[s->nasked++ % ASKED] = id;
	}
}

static int
step(struct stage *s, unsigned op, unsigned arg, const uint8_t *p, size_t n)
{
	char text[300];
	size_t k = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	int rc = 0;

	memcpy(text, p, k);
	text[k] = '\0';
	if (op < 96)
		rc = from_mapd(s, op, text);
	else if (op < 224)
		rc = from_http(s, op, arg, p, n);
	else if (op < 240)
		rc = feed_copy(op & 1 ? s->a.http : s->a.mapd, p, n);
	loop_turn(s->a.loop, 0);
	drain_http(s);
	drain(s->mapd);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct stage s;
	size_t len;

	if (n < 1)
		return 0;
	stage_open(&s, p[0] & 1, p[0] & 2);
	for (p++, n--; n >= 4; p += len, n -= len) {
		len = (size_t)(p[2] << 8 | p[3]);
		if (len > n - 4)
			len = n - 4;
		if (step(&s, p[0], p[1], p + 4, len))
			break; /* the connection would be closed here */
		p += 4;
		n -= 4;
	}
	stage_close(&s);
	return 0;
}
