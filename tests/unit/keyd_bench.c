/* keyd_bench.c: see keyd_bench.h. */
#include "tests/unit/keyd_bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
on_records(struct chan *c, struct packet *pk)
{
	struct bench *b = chan_ctx(c);
	struct msg_ledgerd_records m;
	struct bench_record *o;
	struct wire_in in;
	struct record r;

	if (ledgerd_records_get(pk, &m))
		return -1;
	in = wire_list_open(&m.records);
	while (record_next(&in, &r) && b->nrecords < 200) {
		o = &b->records[b->nrecords++];
		*o = (struct bench_record){.event = r.event,
		    .durable = m.durable,
		    .upstream = r.upstream,
		    .lease = r.lease,
		    .after_len = r.after.len};
		memcpy(o->after, r.after.p, r.after.len);
		snprintf(o->text, sizeof(o->text), "%s", r.text);
	}
	if (!m.durable)
		return 0;
	b->waiting = pk->id;
	if (b->mode == BENCH_CONFIRMS)
		done_send(c, pk->id, CHAN_END, &(struct msg_done){7});
	if (b->mode == BENCH_REFUSES)
		error_send(c, pk->id, CHAN_END,
		    &(struct msg_error){5, "the disk is full"});
	return 0;
}

static const struct permit ledgerd_permits[] = {
    {MSG_LEDGERD_RECORDS, on_records, 0},
    {0, NULL, 0},
};

static void
conf_fill(struct conf *c)
{
	memset(c, 0, sizeof(*c));
	c->exchange.kind = "graph";
	c->exchange.login_url = (struct conf_url){
	    "https://login.example", "login.example", 443, ""};
	c->exchange.tenant = "tenant";
	c->exchange.client_id = "client";
	c->exchange.scope = "https://graph.example/.default";
	c->exchange.credential = CONF_CRED_CERTIFICATE;
	c->exchange.assertion_alg = CONF_ALG_PS256;
	c->topdesk.url = (struct conf_url){
	    "https://td.example/tas/api", "td.example", 8443, "/tas/api"};
	c->topdesk.login = "orb";
	c->keyd.leases_per_hour = 20;
}

int
bench_open(struct bench *b)
{
	struct secret kek;
	struct err e;
	int s[2];

	memset(b, 0, sizeof(*b));
	conf_fill(&b->conf);
	strcpy(b->dir, "/tmp/orb-keyd-XXXXXX");
	if (mkdtemp(b->dir) == NULL ||
	    (b->dirfd = open(b->dir, O_RDONLY | O_DIRECTORY)) < 0 ||
	    secret_alloc(&kek, 32) ||
	    vault_open(b->dirfd, &kek, &b->k.vault, &e) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s))
		return -1;
	b->k.conf = &b->conf;
	b->k.loop = loop_new();
	b->k.kek = "a test";
	b->k.degraded = "";
	b->k.ledger = chan_new(b->k.loop, s[0], ROLE_KEYD, ROLE_LEDGERD,
	    keyd_ledger_permits, keyd_on_ledger_closed, &b->k);
	b->ledgerd = chan_new(
	    b->k.loop, s[1], ROLE_LEDGERD, ROLE_KEYD, ledgerd_permits, NULL, b);
	keyd_init(&b->k);
	return 0;
}

void
bench_close(struct bench *b)
{
	char cmd[100];

	keyd_free(&b->k);
	chan_free(b->ledgerd);
	loop_free(b->k.loop);
	close(b->dirfd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", b->dir);
	if (system(cmd))
		perror(cmd);
}

void
bench_spin(struct bench *b, int ms)
{
	int64_t end = loop_now() + ms;

	/* A loop that was stopped does not turn any more. */
	while (loop_now() < end)
		loop_turn(b->k.loop, 5);
}

static void
on_client_closed(struct chan *c, const char *why)
{
	struct bench_answer *a = chan_ctx(c);

	(void)why;
	a->closed = 1;
}

struct chan *
bench_connect(struct bench *b, enum role role, enum upstream up, uid_t uid,
    struct bench_answer *a)
{
	int ctl = role == ROLE_CTL, s[2];
	struct chan *server;

	memset(a, 0, sizeof(*a));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s))
		abort();
	server = chan_new(b->k.loop, s[0], ROLE_KEYD, role,
	    ctl                     ? keyd_ctl_permits
		: role == ROLE_MAPD ? keyd_mapd_permits
				    : keyd_http_permits,
	    keyd_on_closed, &b->k.entrance[up]);
	if ((ctl ? keyd_on_ctl_open : keyd_on_open)(server, uid, 1)) {
		chan_free(server);
		close(s[1]);
		return NULL;
	}
	return chan_new(
	    b->k.loop, s[1], role, ROLE_KEYD, NULL, on_client_closed, a);
}

static void
take_row(struct bench_answer *a, const struct msg_ctl_credential *m)
{
	int i = a->rows++;

	snprintf(a->names[i], sizeof(a->names[i]), "%s", m->name);
	snprintf(a->row_text[i], sizeof(a->row_text[i]), "%s", m->text);
	snprintf(a->row_key[i], sizeof(a->row_key[i]), "%s", m->key_name);
	a->row_expires[i] = m->expires;
	a->row_leases[i] = m->leases;
}

static void
take_value(struct bench_answer *a, struct wire_bytes v)
{
	memcpy(a->value, v.p, v.len);
	a->len = v.len;
}

static int
on_answer(struct chan *c, struct packet *pk, void *arg)
{
	struct msg_ctl_credential row;
	struct bench_answer *a = arg;
	struct msg_mapd_data_key dk;
	struct msg_http_lease l;
	struct msg_error e;

	(void)c;
	if (pk == NULL) {
		a->lost = 1;
		return 0;
	}
	a->packets++;
	a->ended = (pk->flags & CHAN_END) != 0;
	a->type = pk->type;
	if (pk->type == MSG_ERROR && error_get(pk, &e) == 0) {
		a->code = e.code;
		snprintf(a->text, sizeof(a->text), "%s", e.text);
	} else if (pk->type == MSG_HTTP_LEASE && http_lease_get(pk, &l) == 0) {
		a->lease = l.lease;
		a->kind = l.kind;
		a->lifetime = l.lifetime;
		snprintf(a->key_name, sizeof(a->key_name), "%s", l.key_name);
		take_value(a, l.value);
	} else if (pk->type == MSG_MAPD_DATA_KEY &&
	    mapd_data_key_get(pk, &dk) == 0) {
		a->generation = dk.generation;
		take_value(a, dk.key);
	} else if (pk->type == MSG_CTL_CREDENTIAL &&
	    ctl_credential_get(pk, &row) == 0)
		take_row(a, &row);
	return 0;
}

uint64_t
bench_call(struct chan *c, struct bench_answer *a)
{
	memset(a, 0, sizeof(*a));
	return chan_call(c, 0, on_answer, a);
}

/* Turns the loop until the answer is whole, or a second has passed. */
static void
wait_for(struct bench *b, const struct bench_answer *a)
{
	int64_t end = loop_now() + 1000;

	while (!a->ended && !a->lost && loop_now() < end)
		loop_turn(b->k.loop, 10);
}

void
bench_set(struct bench *b, struct chan *c, struct bench_answer *a,
    const char *name, const char *value, int64_t expires)
{
	struct msg_keyd_credential_set m = {.name = name,
	    .kind = SLOT_KIND_ANY,
	    .expires = expires,
	    .value = {(const uint8_t *)value, strlen(value)}};
	uint64_t id = bench_call(c, a);

	if (keyd_credential_set_send(c, id, 0, &m))
		abort();
	wait_for(b, a);
}

void
bench_lease(struct bench *b, struct chan *c, struct bench_answer *a,
    const char *host, uint16_t port, const char *refused)
{
	static const uint8_t spki[32] = "the hash of the host's key......";
	struct msg_keyd_lease m = {host, port, {spki, 32}, refused};
	uint64_t id = bench_call(c, a);

	if (keyd_lease_send(c, id, 0, &m))
		abort();
	wait_for(b, a);
}

size_t
bench_count(const struct bench *b, uint16_t event)
{
	size_t n = 0;

	for (size_t i = 0; i < b->nrecords; i++)
		n += b->records[i].event == event;
	return n;
}
