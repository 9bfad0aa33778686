/* adapter_rig.c: see adapter_rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fetchd/adapter/ews.h"
#include "tests/unit/adapter_rig.h"

int rig_ews;

#define HALF(n) ((n) / 2)

char *
rig_data(const char *name)
{
	char path[400], *s;
	FILE *f;
	long n;

	snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
	f = fopen(path, "r");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	s = calloc(1, (size_t)n + 1);
	assert_int_equal(fread(s, 1, (size_t)n, f), n);
	fclose(f);
	return s;
}

/* --- http's part ------------------------------------------------------------ */

static void
note(struct rig *r, const char *method, const char *path)
{
	if (r->nlog < 64)
		snprintf(r->log[r->nlog++], sizeof(r->log[0]), "%s %.280s",
		    method, path);
}

/* One inner response, with its members in the order that is wanted. */
static void
inner(struct rig *r, struct strbuf *out, const char *id, const char *path)
{
	struct rig_answer x = {.status = 200, .type = "application/json"};
	const char *body;

	r->inner++;
	note(r, "inner", path);
	r->upstream(r, "GET", path, "", &x);
	body = x.body ? x.body : "null";
	if (r->id_last)
		strbuf_fmt(out,
		    "{\"body\":%s,\"headers\":{\"Retry-After\":\"%u\","
		    "\"Content-Type\":\"application/json\"},\"status\":%d,"
		    "\"id\":\"%s\"}",
		    body, x.retry_after, x.status, id);
	else
		strbuf_fmt(out,
		    "{\"id\":\"%s\",\"status\":%d,\"headers\":"
		    "{\"Retry-After\":\"%u\"},\"body\":%s}",
		    id, x.status, x.retry_after, body);
	free(x.body);
}

/* Answers a batch in reverse order. */
static void
batch(struct rig *r, const char *body, struct rig_answer *x)
{
	json_t *o = json_loads(body, JSON_REJECT_DUPLICATES, NULL), *q;
	json_t *list = json_object_get(o, "requests");
	struct strbuf out;
	size_t n = json_array_size(list);

	assert_non_null(o);
	assert_in_range(n, 1, 20);
	r->batches++;
	strbuf_init(&out, 4 * 1024 * 1024);
	strbuf_str(&out, "{\"responses\":[");
	for (size_t i = n; i-- > 0 && n - i <= n - (size_t)r->unanswered;) {
		q = json_array_get(list, i);
		assert_string_equal(
		    json_string_value(json_object_get(q, "method")), "GET");
		assert_non_null(
		    strstr(json_string_value(json_object_get(
			       json_object_get(q, "headers"), "Prefer")),
			"IdType=\"ImmutableId\""));
		if (i + 1 < n)
			strbuf_ch(&out, ',');
		inner(r, &out, json_string_value(json_object_get(q, "id")),
		    json_string_value(json_object_get(q, "url")));
	}
	strbuf_str(&out, "]}");
	json_decref(o);
	assert_int_equal(out.err, 0);
	x->body = out.p;
}

static void
send_body(struct rig *r, uint64_t id, const char *p, size_t n, int last)
{
	struct msg_adapter_chunk c;
	size_t k;

	while (n > 0) {
		k = r->chunk && r->chunk < n ? r->chunk : n;
		if (k > 16000)
			k = 16000;
		c.data = (struct wire_bytes){(const uint8_t *)p, k};
		p += k;
		n -= k;
		adapter_chunk_send(
		    r->http, id, n == 0 && last ? CHAN_END : 0, &c);
	}
}

static void
answer(struct rig *r, uint64_t id, const char *method, const char *path,
    const char *body)
{
	struct rig_answer x = {.status = 200,
	    .type = "application/json",
	    .outcome = OUTCOME_FAILED};
	struct msg_adapter_response m = {.request_id = "req-1"};
	struct msg_adapter_failed f = {.text = "the connection was cut"};
	size_t n;

	if (strcmp(path, "/$batch") == 0)
		batch(r, body, &x);
	else
		r->upstream(r, method, path, body, &x);
	f.outcome = x.outcome;
	r->outstanding--;
	if (x.status) {
		n = x.body ? strlen(x.body) : 0;
		if (x.cut)
			n = HALF(n);
		m.status = (uint16_t)x.status;
		m.content_type = x.type;
		m.retry_after = x.retry_after;
		if (n <= 15000 && r->chunk == 0) {
			m.body = (struct wire_bytes){(uint8_t *)x.body, n};
			n = 0;
		}
		adapter_response_send(
		    r->http, id, n == 0 && !x.cut ? CHAN_END : 0, &m);
		send_body(r, id, x.body, n, !x.cut);
	}
	if (x.status == 0 || x.cut)
		adapter_failed_send(r->http, id, CHAN_END, &f);
	free(x.body);
}

/* By the operation in the body. */
static int
rig_ews_reads(const struct msg_http_request *m)
{
	static const char *const writes[] = {
	    "<m:CreateItem", "<m:UpdateItem", "<m:DeleteItem"};

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		if (memmem(m->body.p, m->body.len, writes[i],
			strlen(writes[i])) != NULL)
			return 0;
	return 1;
}

static int
http_on_request(struct chan *c, struct packet *pk)
{
	struct rig *r = chan_ctx(c);
	struct msg_http_request m;
	char *body;

	assert_int_equal(http_request_get(pk, &m), 0);
	r->requests++;
	if (++r->outstanding > r->most)
		r->most = r->outstanding;
	snprintf(r->path, sizeof(r->path), "%s", m.path);
	snprintf(r->prefer, sizeof(r->prefer), "%s", m.prefer);
	snprintf(r->accept, sizeof(r->accept), "%s", m.accept);
	snprintf(r->if_match, sizeof(r->if_match), "%s", m.if_match);
	snprintf(r->anchor, sizeof(r->anchor), "%s", m.anchor);
	assert_int_equal(strlen(m.correlation), 36);
	note(r, method_name(m.method), m.path);
	/* Only what may be repeated without harm says that it may. */
	assert_int_equal(m.idempotent,
	    rig_ews ? rig_ews_reads(&m)
		    : m.method == METHOD_GET || strcmp(m.path, "/$batch") == 0);
	body = strndup(m.body.p ? (const char *)m.body.p : "", m.body.len);
	if (r->slow) {
		struct rig_late *l = &r->late[r->nlate++];

		l->id = pk->id;
		snprintf(
		    l->method, sizeof(l->method), "%s", method_name(m.method));
		snprintf(l->path, sizeof(l->path), "%s", m.path);
		l->body = body;
		return 0;
	}
	answer(r, pk->id, method_name(m.method), m.path, body);
	free(body);
	return 0;
}

void
rig_release(struct rig *r)
{
	struct rig_late late[8];
	unsigned n = r->nlate;

	memcpy(late, r->late, sizeof(late));
	r->nlate = 0;
	for (unsigned i = 0; i < n; i++) {
		answer(
		    r, late[i].id, late[i].method, late[i].path, late[i].body);
		free(late[i].body);
	}
}

static int
http_on_hold(struct chan *c, struct packet *pk)
{
	struct rig *r = chan_ctx(c);
	struct msg_http_hold m;

	assert_int_equal(http_hold_get(pk, &m), 0);
	r->holds++;
	r->hold_seconds = m.seconds;
	return 0;
}

static int
http_on_incident(struct chan *c, struct packet *pk)
{
	struct rig *r = chan_ctx(c);
	struct msg_http_incident m;

	assert_int_equal(http_incident_get(pk, &m), 0);
	r->incidents++;
	r->incident = m.event;
	return 0;
}

/* --- mapd's part ---------------------------------------------------------------- */

static void
keep(struct rig *r, uint64_t id, const struct booking *b)
{
	struct rig_booking *k = &r->got[r->ngot];

	if (r->ngot == RIG_BOOKINGS) {
		r->nmore++;
		return;
	}
	r->ngot++;
	k->id = id;
	k->b = *b;
	k->b.room = strdup(b->room);
	k->b.uid = strdup(b->uid);
	k->b.subject = strdup(b->subject);
	k->b.organiser = strdup(b->organiser);
	k->b.body = strdup(b->body);
	k->b.change_tag = strdup(b->change_tag);
	k->b.remote_id = strdup(b->remote_id);
	k->b.number = strdup(b->number);
	k->b.series_id = strdup(b->series_id);
	k->b.link = strdup(b->link);
}

static void
final(struct rig *r, int outcome, unsigned count, unsigned retry,
    const char *text)
{
	r->ended++;
	r->outcome = outcome;
	r->count = count;
	r->retry_after = retry;
	snprintf(r->text, sizeof(r->text), "%s", text);
}

static void
on_written(struct rig *r, const struct msg_mapd_written *m)
{
	final(r, m->outcome, 0, m->retry_after, m->text);
	r->state = m->state;
	r->status = m->status;
	snprintf(r->remote_id, sizeof(r->remote_id), "%s", m->remote_id);
	snprintf(r->number, sizeof(r->number), "%s", m->number);
	snprintf(r->tag, sizeof(r->tag), "%s", m->change_tag);
	snprintf(r->uid, sizeof(r->uid), "%s", m->uid);
}

static int
on_answer(struct chan *c, struct packet *pk, void *arg)
{
	struct rig *r = arg;
	union {
		struct msg_mapd_booking booking;
		struct msg_mapd_series series;
		struct msg_mapd_removed removed;
		struct msg_mapd_polled polled;
		struct msg_mapd_read read;
		struct msg_mapd_person person;
		struct msg_mapd_written written;
	} m;

	(void)c;
	if (pk == NULL)
		return 0;
	if (mapd_booking_get(pk, &m.booking) == 0 &&
	    pk->type == MSG_MAPD_BOOKING)
		keep(r, pk->id, &m.booking.booking);
	else if (pk->type == MSG_MAPD_SERIES) {
		assert_int_equal(mapd_series_get(pk, &m.series), 0);
		snprintf(r->series[r->nseries++], 64, "%s", m.series.series_id);
	} else if (pk->type == MSG_MAPD_REMOVED) {
		assert_int_equal(mapd_removed_get(pk, &m.removed), 0);
		snprintf(
		    r->removed[r->nremoved++], 64, "%s", m.removed.remote_id);
	} else if (pk->type == MSG_MAPD_POLLED) {
		assert_int_equal(mapd_polled_get(pk, &m.polled), 0);
		final(r, m.polled.outcome, m.polled.count, m.polled.retry_after,
		    m.polled.text);
		r->full = m.polled.full;
		snprintf(r->cursor, sizeof(r->cursor), "%.*s",
		    (int)m.polled.cursor.len, m.polled.cursor.p);
	} else if (pk->type == MSG_MAPD_READ) {
		assert_int_equal(mapd_read_get(pk, &m.read), 0);
		final(r, m.read.outcome, m.read.count, m.read.retry_after,
		    m.read.text);
	} else if (pk->type == MSG_MAPD_PERSON) {
		assert_int_equal(mapd_person_get(pk, &m.person), 0);
		snprintf(r->persons[r->npersons].address, 255, "%s",
		    m.person.address);
		snprintf(
		    r->persons[r->npersons].person, 65, "%s", m.person.person);
		r->persons[r->npersons++].matches = m.person.matches;
	} else if (pk->type == MSG_MAPD_WRITTEN) {
		assert_int_equal(mapd_written_get(pk, &m.written), 0);
		on_written(r, &m.written);
	} else
		fail_msg("mapd got a message of type %#x", pk->type);
	return 0;
}

uint64_t
rig_call(struct rig *r)
{
	return chan_call(r->mapd, 0, on_answer, r);
}

uint64_t
rig_poll(struct rig *r, const char *address, const char *cursor)
{
	struct msg_adapter_poll m = {.address = address,
	    .from = 1795392000, /* 2026-11-23 */
	    .to = 1803168000,
	    .cursor = {(const uint8_t *)cursor, strlen(cursor)}};
	uint64_t id = rig_call(r);

	assert_int_equal(adapter_poll_send(r->mapd, id, 0, &m), 0);
	return id;
}

const struct booking *
rig_booking(struct rig *r, const char *remote_id)
{
	for (unsigned i = 0; i < r->ngot; i++)
		if (strcmp(r->got[i].b.remote_id, remote_id) == 0)
			return &r->got[i].b;
	fail_msg("no booking %s among %u", remote_id, r->ngot);
	return NULL;
}

/* --- the whole --------------------------------------------------------------------- */

static void
on_closed(struct chan *c, const char *why)
{
	(void)c;
	if (why)
		fail_msg("a connection was closed: %s", why);
}

static void
configure(struct conf *c)
{
	c->exchange.graph_url = (struct conf_url){
	    "https://graph.test/v1.0", "graph.test", 443, "/v1.0"};
	c->exchange.page_size = 100;
	c->exchange.up.connections = 4;
	c->topdesk.url = (struct conf_url){
	    "https://td.test/tas/api", "td.test", 443, "/tas/api"};
	c->topdesk.up.connections = 4;
	c->topdesk.link_type = "7301";
	c->topdesk.fallback_person = "ffffffff-0000-4000-8000-000000000000";
	c->topdesk.cancel_reason = "";
	c->topdesk.rooms_per_list = 2;
	c->topdesk.list_top = 5;
}

struct rig *
rig_new(enum upstream u)
{
	static const struct permit none[] = {{0, NULL, 0}};
	static const struct permit http[] = {
	    {MSG_HTTP_REQUEST, http_on_request, 0},
	    {MSG_HTTP_HOLD, http_on_hold, 0},
	    {MSG_HTTP_INCIDENT, http_on_incident, 0}, {0, NULL, 0}};
	struct rig *r = calloc(1, sizeof(*r));
	struct chan *c;
	int h[2], m[2];

	configure(&r->conf);
	r->loop = loop_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, h), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, m), 0);
	r->http = chan_new(
	    r->loop, h[0], ROLE_HTTP, ROLE_ADAPTER, http, on_closed, r);
	r->mapd = chan_new(
	    r->loop, m[0], ROLE_MAPD, ROLE_ADAPTER, none, on_closed, r);
	r->a.loop = r->loop;
	r->a.conf = &r->conf;
	r->a.upstream = u;
	r->a.http = chan_new(
	    r->loop, h[1], ROLE_ADAPTER, ROLE_HTTP, none, on_closed, &r->a);
	r->a.out = outbound_new(r->a.http, u == UPSTREAM_EXCHANGE ? 4 : 8);
	if (u == UPSTREAM_EXCHANGE && !rig_ews)
		assert_int_equal(graph_open(&r->a), 0);
	c = chan_new(r->loop, m[1], ROLE_ADAPTER, ROLE_MAPD,
	    u != UPSTREAM_EXCHANGE ? topdesk_permits
		: rig_ews          ? ews_permits
				   : graph_permits,
	    serve_closed, &r->a);
	assert_int_equal(serve_open(c, 0, 0), 0);
	loop_idle(r->loop, serve_idle, &r->a);
	return r;
}

void
rig_reset(struct rig *r)
{
	for (unsigned i = 0; i < r->ngot; i++) {
		struct booking *b = &r->got[i].b;

		free((char *)(uintptr_t)b->room);
		free((char *)(uintptr_t)b->uid);
		free((char *)(uintptr_t)b->subject);
		free((char *)(uintptr_t)b->organiser);
		free((char *)(uintptr_t)b->body);
		free((char *)(uintptr_t)b->change_tag);
		free((char *)(uintptr_t)b->remote_id);
		free((char *)(uintptr_t)b->number);
		free((char *)(uintptr_t)b->series_id);
		free((char *)(uintptr_t)b->link);
	}
	r->ngot = r->nmore = r->nremoved = r->nseries = r->npersons = r->ended =
	    0;
	r->requests = r->batches = r->inner = r->holds = r->incidents = 0;
	r->nlog = 0;
	r->text[0] = r->cursor[0] = '\0';
}

void
rig_run(struct rig *r, unsigned n)
{
	int64_t end = loop_now() + 60000; /* valgrind is slow */

	while (r->ended < n && loop_now() < end)
		loop_turn(r->loop, 20);
	assert_int_equal(r->ended, n);
}

void
rig_find(
    struct rig *r, const char *address, const char *const *tags, uint32_t n)
{
	struct msg_adapter_find m = {.address = address};
	struct wire_out w;

	wire_out_init(&w, 4096);
	for (uint32_t i = 0; i < n; i++)
		wire_put_str(&w, tags[i], 450);
	m.links = wire_list_of(&w, n);
	rig_reset(r);
	adapter_find_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	wire_out_free(&w);
}

void
rig_free(struct rig *r)
{
	serve_stop(&r->a);
	chan_free(r->a.http);
	outbound_free(r->a.out);
	batchq_free(r->a.batch);
	batchq_free(r->a.finds);
	chan_free(r->http);
	chan_free(r->mapd);
	loop_free(r->loop);
	rig_reset(r);
	free(r);
}
