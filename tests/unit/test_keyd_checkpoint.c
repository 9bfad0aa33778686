/*
 * test_keyd_checkpoint.c: what keyd signs of the audit log, and what it does
 * not: a tree that is smaller, edited, or not shown to be the same one grown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "keyd/note.h"
#include "lib/events.h"
#include "lib/log.h"
#include "tests/unit/keyd_bench.h"

#define MOST 300

static struct bench *b;

/* ledgerd's log, as this test plays it. */
static struct merkle_hash leaf[MOST];

struct reply {
	int ended, refused;
	uint64_t last;
	char note[2001], text[401];
};

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	for (size_t i = 0; i < MOST; i++)
		leaf[i] = merkle_leaf(&i, sizeof(i));
	b = calloc(1, sizeof(*b));
	if (b == NULL || bench_open(b))
		return -1;
	b->conf.site = "Test site 1";
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	bench_close(b);
	free(b);
	return 0;
}

static int
get(void *arg, unsigned level, uint64_t index, struct merkle_hash *h)
{
	struct merkle_edge e = {0};

	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		if (i >= MOST)
			return -1;
		merkle_append(&e, (struct merkle_hash *)arg + i);
	}
	*h = merkle_root(&e);
	return 0;
}

static int
on_reply(struct chan *c, struct packet *pk, void *arg)
{
	struct reply *r = arg;
	struct msg_ledgerd_checkpoint m;
	struct msg_error e;

	(void)c;
	r->ended = 1;
	if (pk && pk->type == MSG_ERROR && error_get(pk, &e) == 0) {
		r->refused = 1;
		snprintf(r->text, sizeof(r->text), "%s", e.text);
	} else if (pk && pk->type == MSG_LEDGERD_CHECKPOINT &&
	    ledgerd_checkpoint_get(pk, &m) == 0) {
		r->last = m.last;
		snprintf(r->note, sizeof(r->note), "%s", m.note);
	}
	return 0;
}

static void
send_it(const struct msg_keyd_checkpoint *m, struct reply *r)
{
	uint64_t id;

	memset(r, 0, sizeof(*r));
	id = chan_call(b->ledgerd, 5000, on_reply, r);
	assert_int_equal(keyd_checkpoint_send(b->ledgerd, id, 0, m), 0);
	for (int i = 0; i < 50 && !r->ended; i++)
		bench_spin(b, 10);
	assert_true(r->ended);
}

/* As an honest ledgerd asks, with this log. */
static void
ask(struct merkle_hash *log, uint64_t from, uint64_t size, struct reply *r)
{
	struct merkle_source src = {get, log};
	struct merkle_edge edge;
	struct merkle_proof p;
	struct merkle_hash root;
	struct msg_keyd_checkpoint m = {.size = size, .from = from};

	assert_int_equal(merkle_edge_load(&src, size, &edge), 0);
	root = merkle_root(&edge);
	assert_int_equal(merkle_prove_consistency(&src, from, size, &p), 0);
	m.root = (struct wire_bytes){root.b, MERKLE_HASH};
	m.proof = (struct wire_bytes){p.at[0].b, p.n * MERKLE_HASH};
	send_it(&m, r);
}

/* --- the note, read by code of its own ----------------------------------------- */

static char vkey[201];

static int
on_key(struct chan *c, struct packet *pk, void *arg)
{
	struct msg_ctl_audit_key m;

	(void)c;
	(void)arg;
	if (pk && pk->type == MSG_CTL_AUDIT_KEY &&
	    ctl_audit_key_get(pk, &m) == 0)
		snprintf(vkey, sizeof(vkey), "%s", m.key);
	return 0;
}

static void
key_ask(void)
{
	struct bench_answer a;
	struct chan *ctl = bench_connect(b, ROLE_CTL, UPSTREAM_NONE, 0, &a);

	vkey[0] = '\0';
	assert_int_equal(
	    keyd_audit_key_send(ctl, chan_call(ctl, 5000, on_key, NULL), 0), 0);
	bench_spin(b, 50);
	chan_free(ctl);
	assert_string_not_equal(vkey, "");
}

/* Is the note's signature that of vkey? */
static int
verifies(const char *note)
{
	const char *sig = strstr(note, "\n\n\xe2\x80\x94 "), *key;
	uint8_t raw[60], line[120];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY *k;
	char name[100];
	int ok;

	assert_non_null(sig);
	key = strrchr(vkey, '+') + 1;
	/* base64 itself may have a plus: the key has 44 characters */
	key = vkey + strlen(vkey) - 44;
	assert_int_equal(EVP_DecodeBlock(raw, (const uint8_t *)key, 44), 33);
	assert_int_equal(raw[0], 1);
	assert_int_equal(
	    sscanf(sig + 2, "\xe2\x80\x94 %99s %119s", name, (char *)line), 2);
	assert_string_equal(name, "orb/Test-site-1");
	assert_memory_equal(note, "orb/Test-site-1\n", 16);
	EVP_DecodeBlock(line, line, (int)strlen((char *)line));
	k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw + 1, 32);
	assert_int_equal(EVP_DigestVerifyInit(c, NULL, NULL, NULL, k), 1);
	ok = EVP_DigestVerify(c, line + 4, 64, (const uint8_t *)note,
		 (size_t)(sig + 1 - note)) == 1;
	EVP_PKEY_free(k);
	EVP_MD_CTX_free(c);
	return ok;
}

static void
signs_what_grows(void **state)
{
	struct reply r;

	(void)state;
	ask(leaf, 0, 1, &r);
	key_ask();
	assert_int_equal(r.last, 1);
	assert_true(verifies(r.note));
	assert_non_null(strstr(r.note, "\n1\n"));
	ask(leaf, 1, 5, &r);
	assert_true(verifies(r.note));
	ask(leaf, 5, 256, &r);
	assert_true(verifies(r.note));
	/* The same again is signed again. */
	ask(leaf, 256, 256, &r);
	assert_true(verifies(r.note));
	/* A verifier notices a changed byte. */
	r.note[18] ^= 1;
	assert_false(verifies(r.note));
}

/* Who does not know what was signed last is told. */
static void
tells_where_to_begin(void **state)
{
	struct reply r;

	(void)state;
	ask(leaf, 0, 100, &r);
	assert_string_not_equal(r.note, "");
	ask(leaf, 50, 200, &r);
	assert_string_equal(r.note, "");
	assert_int_equal(r.last, 100);
	ask(leaf, 0, 200, &r);
	assert_string_equal(r.note, "");
	ask(leaf, 100, 200, &r);
	assert_string_not_equal(r.note, "");
}

static void
refuses(
    struct merkle_hash *log, uint64_t from, uint64_t size, const char *words)
{
	struct reply r;

	ask(log, from, size, &r);
	assert_true(r.refused);
	assert_non_null(strstr(r.text, words));
}

static void
never_backwards(void **state)
{
	struct merkle_hash other[MOST];
	struct reply r;

	(void)state;
	ask(leaf, 0, 100, &r);
	refuses(leaf, 0, 99, "records are gone");
	refuses(leaf, 50, 99, "records are gone");
	for (int at = 0; at < 100; at += 33) {
		memcpy(other, leaf, sizeof(other));
		other[at] = merkle_leaf("edited", 6);
		refuses(other, 100, 120, "are not those that were signed");
		refuses(other, 100, 100, "are not those that were signed");
	}
	/* Exchanged after what was signed: that may be. */
	memcpy(other, leaf, sizeof(other));
	other[100] = merkle_leaf("new", 3);
	ask(other, 100, 120, &r);
	assert_string_not_equal(r.note, "");
	refuses(leaf, 120, 130, "are not those that were signed");
}

/* What was signed is known after a restart, and so is the key. */
static void
remembers(void **state)
{
	char before[201];
	struct reply r;
	struct err e;
	struct secret kek;

	(void)state;
	ask(leaf, 0, 100, &r);
	key_ask();
	memcpy(before, vkey, sizeof(before));
	vault_free(b->k.vault);
	assert_int_equal(secret_alloc(&kek, 32), 0);
	assert_int_equal(vault_open(b->dirfd, &kek, &b->k.vault, &e), 0);
	refuses(leaf, 0, 50, "records are gone");
	ask(leaf, 100, 130, &r);
	key_ask();
	assert_string_equal(vkey, before);
	assert_true(verifies(r.note));
	assert_int_equal(bench_count(b, EV_CREDENTIAL_SET), 1);
	assert_non_null(strstr(b->records[0].text, vkey));
}

static void
a_damaged_state_signs_nothing(void **state)
{
	char path[120];
	struct secret kek;
	struct reply r;
	struct err e;
	FILE *f;

	(void)state;
	ask(leaf, 0, 100, &r);
	snprintf(path, sizeof(path), "%s/audit-state.cred", b->dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, -1, SEEK_END);
	fputc('x', f);
	fclose(f);
	vault_free(b->k.vault);
	assert_int_equal(secret_alloc(&kek, 32), 0);
	assert_int_equal(vault_open(b->dirfd, &kek, &b->k.vault, &e), 0);
	ask(leaf, 100, 130, &r);
	assert_true(r.refused);
}

/* Nonsense ends the connection; keyd ends with it and is started again. */
static void
nonsense(void **state)
{
	struct msg_keyd_checkpoint m = {.size = 5, .from = 0};
	struct reply r;

	(void)state;
	m.root = (struct wire_bytes){leaf[0].b, 31};
	memset(&r, 0, sizeof(r));
	(void)keyd_checkpoint_send(
	    b->ledgerd, chan_call(b->ledgerd, 5000, on_reply, &r), 0, &m);
	bench_spin(b, 50);
	assert_string_equal(r.note, "");
	assert_null(b->k.ledger);
	/* The reply is still to be ended when the bench is closed. */
	chan_free(b->ledgerd);
	b->ledgerd = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(signs_what_grows, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		tells_where_to_begin, setup, teardown),
	    cmocka_unit_test_setup_teardown(never_backwards, setup, teardown),
	    cmocka_unit_test_setup_teardown(remembers, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_damaged_state_signs_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(nonsense, setup, teardown),
	};

	(void)secret_init(64 * 1024);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
