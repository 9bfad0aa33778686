/*
 * test_keyd_serve.c: keyd's handlers: who gets what, when it is recorded, and
 * what a peer that misbehaves achieves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/events.h"
#include "lib/log.h"
#include "tests/unit/keyd_bench.h"
#include "tests/unit/keyd_keys.h"

#define EX UPSTREAM_EXCHANGE
#define TD UPSTREAM_TOPDESK
#define NONE UPSTREAM_NONE

static struct bench *b;
static struct chan *ctl;
static struct bench_answer ca, a;

static int
setup(void **state)
{
	(void)state;
	b = calloc(1, sizeof(*b));
	if (b == NULL || bench_open(b))
		return -1;
	ctl = bench_connect(b, ROLE_CTL, NONE, 0, &ca);
	return ctl ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	if (!ca.closed)
		chan_free(ctl);
	bench_close(b);
	free(b);
	return 0;
}

/* Key and certificate as PEM, valid from..to seconds from now. */
static char *
pair(long from, long to)
{
	EVP_PKEY *key = test_key(2048);
	X509 *x = test_certificate(key, from, to);
	char *pem = test_pem(key, x);

	X509_free(x);
	EVP_PKEY_free(key);
	return pem;
}

static void
set_ok(const char *name, const char *value)
{
	bench_set(b, ctl, &ca, name, value, 0);
	if (ca.type != MSG_DONE)
		fail_msg("%s: %s", name, ca.text);
}

/* Entering is refused with these words, and nothing is kept. */
static void
set_fails(
    const char *name, const char *value, int64_t expires, const char *words)
{
	bench_set(b, ctl, &ca, name, value, expires);
	assert_int_equal(ca.type, MSG_ERROR);
	if (strstr(ca.text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, ca.text);
}

static void
who_may_enter(void **state)
{
	struct bench_answer x;
	struct chan *c;

	(void)state;
	b->k.uid = 4711;
	assert_null(bench_connect(b, ROLE_CTL, NONE, 1000, &x));
	c = bench_connect(b, ROLE_CTL, NONE, 4711, &x);
	assert_non_null(c);
	chan_free(c);
	c = bench_connect(b, ROLE_CTL, NONE, 0, &x);
	assert_non_null(c);
	chan_free(c);
}

static void
what_may_be_entered(void **state)
{
	EVP_PKEY *weak = test_key(1024);
	char *pem = test_pem(weak, NULL), big[1030];

	(void)state;
	set_fails("nonsense", "x", 0, "there may be exchange-secret");
	set_fails("../vault", "x", 0, "there is no credential");
	set_fails("mapd-data-key", "x", 0, "made by keyd itself");
	set_fails("topdesk-password", "", 0, "1 to 1024");
	set_fails("topdesk-password", "two\nlines", 0, "control character");
	set_fails("topdesk-password", "x", 1000, "in the past");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	set_fails("topdesk-password", big, 0, "1029 bytes");
	set_fails("exchange-password", "", 0, "1 to 1024");
	set_fails("exchange-password", "a\tb", 0, "control character");
	set_fails("exchange-secret", "0f2bd7f0-1c1e-4ac7-9ba8-1b62e1a1f9ae", 0,
	    "ID of a client secret");
	set_fails("exchange-key", "x", 0, "no private key");
	set_fails("exchange-key", pem, 0,
	    "the key is RSA-1024; at least 2048 bits are needed");
	free(pem);
	EVP_PKEY_free(weak);
	pem = pair(-7 * 86400, -3 * 86400);
	set_fails("exchange-key", pem, 0, "EXPIRED 3 days ago");
	free(pem);
	assert_true(vault_is_empty(b->dirfd));
	assert_int_equal(b->nrecords, 0);
}

static void
set_list_remove(void **state)
{
	char *pem = pair(-60, 10 * 86400 + 60);
	struct msg_keyd_credential_remove m = {"topdesk-password"};

	(void)state;
	set_ok("topdesk-password", "geheim");
	set_ok("exchange-key", pem);
	assert_int_equal(bench_count(b, EV_CREDENTIAL_SET), 2);
	assert_int_equal(b->records[0].durable, 1);
	assert_string_equal(b->records[0].text, "topdesk-password, by uid 0");
	assert_int_equal(b->records[0].after_len, 0);
	assert_int_equal(b->records[1].after_len, 32);

	keyd_credential_list_send(ctl, bench_call(ctl, &ca), 0);
	bench_spin(b, 50);
	assert_true(ca.ended);
	assert_int_equal(ca.type, MSG_DONE);
	assert_int_equal(ca.rows, 2);
	assert_string_equal(ca.names[0], "exchange-key");
	assert_string_equal(ca.row_text[0], "expires in 10 days");
	assert_int_equal(strlen(ca.row_key[0]), 64);
	assert_string_equal(ca.names[1], "topdesk-password");
	assert_string_equal(ca.row_key[1], "");

	keyd_credential_remove_send(ctl, bench_call(ctl, &ca), 0, &m);
	bench_spin(b, 50);
	assert_int_equal(ca.type, MSG_DONE);
	assert_int_equal(bench_count(b, EV_CREDENTIAL_REMOVED), 1);
	keyd_credential_remove_send(ctl, bench_call(ctl, &ca), 0, &m);
	bench_spin(b, 50);
	assert_int_equal(ca.type, MSG_ERROR);
	free(pem);
}

/* A credential counts only when its record is durable. */
static void
recorded_first(void **state)
{
	(void)state;
	b->mode = BENCH_IS_SILENT;
	bench_set(b, ctl, &ca, "topdesk-password", "geheim", 0);
	assert_int_equal(ca.packets, 0);
	assert_int_equal(
	    vault_entry(b->k.vault, SLOT_TOPDESK_PASSWORD)->state, VAULT_EMPTY);
	assert_true(vault_is_empty(b->dirfd));
	done_send(b->ledgerd, b->waiting, CHAN_END, &(struct msg_done){1});
	bench_spin(b, 500);
	assert_int_equal(ca.type, MSG_DONE);
	assert_int_equal(
	    vault_entry(b->k.vault, SLOT_TOPDESK_PASSWORD)->state, VAULT_OK);

	b->mode = BENCH_REFUSES;
	set_fails("exchange-secret", "geheim", 0, "the disk is full");
	assert_int_equal(
	    vault_entry(b->k.vault, SLOT_EXCHANGE_SECRET)->state, VAULT_EMPTY);
}

static void
lease_topdesk(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, TD, 1, &a);
	struct bench_record *r;
	uint64_t first;

	(void)state;
	set_ok("topdesk-password", "geheim");
	bench_lease(b, http, &a, "TD.example", 8443, "");
	assert_int_equal(a.type, MSG_HTTP_LEASE);
	assert_int_equal(a.kind, LEASE_BASIC);
	assert_int_equal(a.lifetime, 3600);
	assert_string_equal(a.key_name, "password");
	assert_int_equal(a.len, strlen("Basic b3JiOmdlaGVpbQ=="));
	assert_memory_equal(a.value, "Basic b3JiOmdlaGVpbQ==", a.len);
	r = &b->records[b->nrecords - 1];
	assert_int_equal(r->event, EV_LEASE_GRANTED);
	assert_int_equal(r->durable, 1);
	assert_int_equal(r->upstream, TD);
	assert_int_equal(r->lease, a.lease);
	assert_int_equal(r->after_len, 32);
	assert_memory_equal(r->after, "the hash of", 11);
	assert_null(strstr(r->text, "geheim"));
	first = a.lease;
	assert_true(first < UINT64_C(1) << 53);
	bench_lease(b, http, &a, "td.example", 8443, "");
	assert_int_equal(a.lease, first + 1);
	chan_free(http);
}

static void
lease_secret(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, EX, 1, &a);
	static const char want[] = "client_id=client&scope=https%3A%2F%2F"
				   "graph.example%2F.default&grant_type="
				   "client_credentials&client_secret=a%26b";

	(void)state;
	b->conf.exchange.credential = CONF_CRED_SECRET;
	bench_lease(b, http, &a, "login.example", 443, "");
	assert_int_equal(a.type, MSG_ERROR);
	assert_int_equal(a.code, OUTCOME_DENIED);
	assert_non_null(
	    strstr(a.text, "orbctl credential set exchange-secret"));
	set_ok("exchange-secret", "a&b");
	bench_lease(b, http, &a, "login.example", 443, "");
	assert_int_equal(a.type, MSG_HTTP_LEASE);
	assert_int_equal(a.kind, LEASE_FORM);
	assert_int_equal(a.lifetime, 300);
	assert_string_equal(a.key_name, "secret");
	assert_int_equal(a.len, strlen(want));
	assert_memory_equal(a.value, want, a.len);
	chan_free(http);
}

/* The newer certificate first; the other one when the login refused it. */
static void
lease_rotation(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, EX, 1, &a);
	char *older = pair(-86400, 86400), *newer = pair(-60, 86400 * 99);
	char first[121], second[121];

	(void)state;
	set_ok("exchange-key", older);
	bench_lease(b, http, &a, "login.example", 443, "");
	assert_int_equal(a.type, MSG_HTTP_LEASE);
	assert_non_null(memmem(a.value, a.len, "client_assertion=ey", 19));
	snprintf(first, sizeof(first), "%s", a.key_name);
	assert_int_equal(strlen(first), 64);
	set_ok("exchange-key-next", newer);
	bench_lease(b, http, &a, "login.example", 443, "");
	snprintf(second, sizeof(second), "%s", a.key_name);
	assert_string_not_equal(first, second);
	bench_lease(b, http, &a, "login.example", 443, second);
	assert_string_equal(a.key_name, first);
	bench_lease(b, http, &a, "login.example", 443, "");
	assert_string_equal(a.key_name, first);
	/* When both are refused, the one that was refused longer ago would
	 * come; within the same second it is the newer one. */
	bench_lease(b, http, &a, "login.example", 443, first);
	assert_string_equal(a.key_name, second);
	/* Entered anew, it is not held against it any more. */
	set_ok("exchange-key", older);
	bench_lease(b, http, &a, "login.example", 443, "");
	assert_string_equal(a.key_name, first);
	free(older);
	free(newer);
	chan_free(http);
}

/* Only from its own socket, only for its own host. */
static void
lease_bound(void **state)
{
	struct chan *td = bench_connect(b, ROLE_HTTP, TD, 1, &a);
	static const struct {
		const char *host;
		uint16_t port;
	} other[] = {{"login.example", 443}, {"td.example", 443},
	    {"td.example.evil", 8443}, {"", 8443}, {"td.exampl", 8443}};

	(void)state;
	b->conf.exchange.credential = CONF_CRED_SECRET;
	set_ok("topdesk-password", "geheim");
	set_ok("exchange-secret", "geheim");
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		bench_lease(b, td, &a, other[i].host, other[i].port, "");
		assert_int_equal(a.type, MSG_ERROR);
		assert_int_equal(a.code, OUTCOME_DENIED);
		assert_int_equal(bench_count(b, EV_LEASE_REFUSED), i + 1);
	}
	assert_int_equal(bench_count(b, EV_LEASE_GRANTED), 0);
	chan_free(td);
}

static void
lease_limited(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, TD, 1, &a);
	int granted = 0;

	(void)state;
	set_ok("topdesk-password", "geheim");
	for (int i = 0; i < 150; i++) {
		bench_lease(b, http, &a, "td.example", 8443, "");
		granted += a.type == MSG_HTTP_LEASE;
	}
	assert_int_equal(granted, 10); /* half an hour's worth of 20 */
	assert_int_equal(a.code, OUTCOME_BUSY);
	assert_non_null(strstr(a.text, "more than 20 leases an hour"));
	/* Nor can refusals fill the audit log. */
	assert_int_equal(bench_count(b, EV_LEASE_REFUSED), 30);
	chan_free(http);
}

static void
lease_expired(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, TD, 1, &a);
	int64_t now = time(NULL);

	(void)state;
	bench_set(b, ctl, &ca, "topdesk-password", "geheim", now + 100);
	assert_int_equal(ca.type, MSG_DONE);
	bench_lease(b, http, &a, "td.example", 8443, "");
	assert_true(a.lifetime <= 100 && a.lifetime >= 90);
	bench_set(b, ctl, &ca, "topdesk-password", "geheim", now + 1);
	if (ca.type == MSG_DONE) {
		bench_spin(b, 2100);
		bench_lease(b, http, &a, "td.example", 8443, "");
		assert_int_equal(a.code, OUTCOME_DENIED);
		assert_non_null(strstr(a.text, "EXPIRED 0 days ago"));
	}
	chan_free(http);
}

static int
has_ended(void *arg)
{
	return ((struct bench_answer *)arg)->ended;
}

/* No lease without a durable record, and one at a time on a connection. */
static void
lease_unrecorded(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, TD, 1, &a);
	struct bench_answer a2;

	(void)state;
	set_ok("topdesk-password", "geheim");
	b->mode = BENCH_REFUSES;
	bench_lease(b, http, &a, "td.example", 8443, "");
	assert_int_equal(a.type, MSG_ERROR);
	assert_int_equal(a.code, OUTCOME_BUSY);
	assert_non_null(strstr(a.text, "the disk is full"));
	b->mode = BENCH_IS_SILENT;
	bench_lease(b, http, &a, "td.example", 8443, "");
	assert_int_equal(a.packets, 0);
	bench_lease(b, http, &a2, "td.example", 8443, "");
	assert_int_equal(a2.code, OUTCOME_BUSY);
	/* ledgerd dies: the waiting one is told, keyd ends. */
	chan_free(b->ledgerd);
	b->ledgerd = NULL;
	bench_spin(b, 50);
	assert_null(b->k.ledger);
	/* keyd's loop has ended with it; the answer is on the socket. */
	assert_int_equal(chan_wait(http, 1000, has_ended, &a), 0);
	assert_int_equal(a.type, MSG_ERROR);
	chan_free(http);
}

/* http goes away while its lease waits for ledgerd. */
static void
lease_abandoned(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, TD, 1, &a);

	(void)state;
	set_ok("topdesk-password", "geheim");
	b->mode = BENCH_IS_SILENT;
	bench_lease(b, http, &a, "td.example", 8443, "");
	chan_free(http);
	bench_spin(b, 50);
	done_send(b->ledgerd, b->waiting, CHAN_END, &(struct msg_done){1});
	bench_spin(b, 50);
	assert_int_equal(b->k.leases, 1); /* recorded, so it counts */
}

/* orbctl goes away while its credential waits: it is stored all the same,
 * since the record says so. */
static void
set_abandoned(void **state)
{
	(void)state;
	b->mode = BENCH_IS_SILENT;
	bench_set(b, ctl, &ca, "topdesk-password", "geheim", 0);
	chan_free(ctl);
	ca.closed = 1;
	bench_spin(b, 50);
	done_send(b->ledgerd, b->waiting, CHAN_END, &(struct msg_done){1});
	bench_spin(b, 50);
	assert_int_equal(
	    vault_entry(b->k.vault, SLOT_TOPDESK_PASSWORD)->state, VAULT_OK);
}

static void
data_key(void **state)
{
	struct bench_answer a2;
	struct chan *one = bench_connect(b, ROLE_MAPD, NONE, 1, &a), *two;

	(void)state;
	keyd_data_key_send(one, bench_call(one, &a), 0);
	bench_spin(b, 50);
	assert_int_equal(a.type, MSG_MAPD_DATA_KEY);
	assert_int_equal(a.len, 32);
	assert_string_equal(b->records[0].text, "mapd-data-key, made by keyd");
	two = bench_connect(b, ROLE_MAPD, NONE, 1, &a2);
	keyd_data_key_send(two, bench_call(two, &a2), 0);
	bench_spin(b, 50);
	assert_int_equal(a2.len, 32);
	assert_memory_equal(a.value, a2.value, 32);
	assert_int_equal(a.generation, a2.generation);
	/* Once a connection. */
	keyd_data_key_send(two, bench_call(two, &a2), 0);
	bench_spin(b, 50);
	assert_true(a2.lost);
	assert_int_equal(bench_count(b, EV_PROTOCOL_VIOLATION), 1);
	chan_free(one);
}

/* A damaged data key is not replaced behind the operator's back. */
static void
data_key_damaged(void **state)
{
	struct chan *mapd = bench_connect(b, ROLE_MAPD, NONE, 1, &a);
	char path[120];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/mapd-data-key.cred", b->dir);
	f = fopen(path, "w");
	fputs("rubbish", f);
	fclose(f);
	keyd_data_key_send(mapd, bench_call(mapd, &a), 0);
	bench_spin(b, 50);
	assert_int_equal(a.type, MSG_ERROR);
	f = fopen(path, "r");
	assert_int_equal(fgetc(f), 'r');
	fclose(f);
	chan_free(mapd);
}

/*
 * There is no message by which a secret comes out again: of all types and all
 * peers, only these two answers carry one, and orbctl gets neither.
 */
static void
nothing_reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < msg_table_len; i++) {
		const struct msg_info *m = &msg_table[i];

		if (!(m->from & 1u << ROLE_KEYD) || m->from == MSG_ANY)
			continue;
		if (m->to & 1u << ROLE_CTL)
			/* Facts, and the public half of a key. */
			assert_true(m->type == MSG_CTL_CREDENTIAL ||
			    m->type == MSG_CTL_AUDIT_KEY);
		else if (m->flags & MSG_SECRET)
			assert_true(m->type == MSG_HTTP_LEASE ||
			    m->type == MSG_MAPD_DATA_KEY);
	}
	/* And asked on the wrong edge, the connection ends. */
	keyd_data_key_send(ctl, bench_call(ctl, &ca), 0);
	keyd_credential_list_send(ctl, bench_call(ctl, &ca), 0);
	bench_spin(b, 50);
	assert_int_equal(ca.type, MSG_DONE);
	assert_int_equal(ca.rows, 0);
}

/* Exchange on the site's own premises: the password, for ews_url's host; and
 * what is for Graph lies still, as the password does with Graph. */
static void
lease_ews(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, EX, 1, &a);
	struct bench_record *r;

	(void)state;
	set_ok("exchange-password", "geheim");
	bench_lease(b, http, &a, "login.example", 443, "");
	assert_int_equal(a.type, MSG_ERROR);
	assert_non_null(strstr(a.text, "exchange-key has not been entered"));

	b->conf.exchange.kind = "ews";
	b->conf.exchange.ews_login = "X\\orb";
	b->conf.exchange.ews_url =
	    (struct conf_url){"https://mail.example:8443/EWS/Exchange.asmx",
		"mail.example", 8443, "/EWS/Exchange.asmx"};
	bench_lease(b, http, &a, "Mail.example", 8443, "");
	assert_int_equal(a.type, MSG_HTTP_LEASE);
	assert_int_equal(a.kind, LEASE_BASIC);
	assert_int_equal(a.lifetime, 3600);
	assert_string_equal(a.key_name, "password");
	assert_int_equal(a.len, strlen("Basic WFxvcmI6Z2VoZWlt"));
	assert_memory_equal(a.value, "Basic WFxvcmI6Z2VoZWlt", a.len);
	r = &b->records[b->nrecords - 1];
	assert_int_equal(r->event, EV_LEASE_GRANTED);
	assert_int_equal(r->upstream, EX);
	assert_non_null(strstr(r->text, "exchange-password"));
	assert_null(strstr(r->text, "geheim"));

	/* Neither the hosts of Graph, nor another port of its own. */
	bench_lease(b, http, &a, "login.example", 443, "");
	assert_int_equal(a.type, MSG_ERROR);
	assert_int_equal(a.code, OUTCOME_DENIED);
	bench_lease(b, http, &a, "mail.example", 443, "");
	assert_int_equal(a.type, MSG_ERROR);
	assert_int_equal(a.code, OUTCOME_DENIED);
	chan_free(http);
}

/* A secret for Graph does not stand in for the password. */
static void
lease_ews_missing(void **state)
{
	struct chan *http = bench_connect(b, ROLE_HTTP, EX, 1, &a);
	char text[300];

	(void)state;
	b->conf.exchange.kind = "ews";
	b->conf.exchange.ews_login = "orb";
	b->conf.exchange.ews_url =
	    (struct conf_url){"https://mail.example/EWS/Exchange.asmx",
		"mail.example", 443, "/EWS/Exchange.asmx"};
	b->conf.exchange.credential = CONF_CRED_SECRET;
	set_ok("exchange-secret", "geheim");
	bench_lease(b, http, &a, "mail.example", 443, "");
	assert_int_equal(a.type, MSG_ERROR);
	assert_int_equal(a.code, OUTCOME_DENIED);
	assert_non_null(
	    strstr(a.text, "orbctl credential set exchange-password"));
	keyd_status_text(&b->k, time(NULL), text, sizeof(text));
	assert_non_null(
	    strstr(text, "missing: orbctl credential set exchange-password"));
	chan_free(http);
}

static void
status_line(void **state)
{
	char text[300];

	(void)state;
	keyd_status_text(&b->k, time(NULL), text, sizeof(text));
	assert_string_equal(text,
	    "0 credentials, KEK from a test, 0 leases, missing: orbctl "
	    "credential set exchange-key, missing: orbctl credential set "
	    "topdesk-password");
	b->conf.exchange.credential = CONF_CRED_SECRET;
	set_ok("topdesk-password", "geheim");
	bench_set(b, ctl, &ca, "exchange-secret", "geheim",
	    time(NULL) + 9 * 86400 + 60);
	keyd_status_text(&b->k, time(NULL), text, sizeof(text));
	assert_string_equal(text,
	    "2 credentials, KEK from a test, 0 leases, exchange-secret expires "
	    "in 9 days");
}

static void
limits(void **state)
{
	struct limit l;
	int n = 0;

	(void)state;
	limit_init(&l, 60, 0);
	while (limit_take(&l, 0) == 0)
		n++;
	assert_int_equal(n, 30);
	assert_int_equal(limit_take(&l, 0), 60000);
	assert_int_equal(limit_take(&l, 59999), 1);
	assert_int_equal(limit_take(&l, 60000), 0);
	assert_int_equal(limit_take(&l, 60000), 60000);
	/* Steady: never more than the rate, however long it is watched. */
	limit_init(&l, 60, 0);
	n = 0;
	for (int64_t t = 0; t < 10 * 3600000; t += 1000)
		n += limit_take(&l, t) == 0;
	assert_int_equal(n, 600 + 29);
	limit_init(&l, 3, 0);
	for (n = 0; limit_take(&l, 0) == 0; n++)
		;
	assert_int_equal(n, 3);
	/* A clock that goes back gives nothing. */
	assert_true(limit_take(&l, -1000000000) > 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(who_may_enter),
	    T(what_may_be_entered),
	    T(set_list_remove),
	    T(recorded_first),
	    T(lease_topdesk),
	    T(lease_ews),
	    T(lease_ews_missing),
	    T(lease_secret),
	    T(lease_rotation),
	    T(lease_bound),
	    T(lease_limited),
	    T(lease_expired),
	    T(lease_unrecorded),
	    T(lease_abandoned),
	    T(set_abandoned),
	    T(data_key),
	    T(data_key_damaged),
	    T(nothing_reads_back),
	    T(status_line),
	    cmocka_unit_test(limits),
	};

	log_init("test", LOG_LV_ERR - 1);
	(void)secret_init(256 * 1024);
	return cmocka_run_group_tests_name("keyd_serve", tests, NULL, NULL);
}
