/*
 * test_keyd_vault.c: sealing, opening, and what a hand that reaches the state
 * directory can do: nothing but destroy.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyd/kek.h"
#include "keyd/vault.h"
#include "lib/log.h"

static const char password[] = "p-CANARY-tinker-tailor";
static char dir[64];
static int dirfd;

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/orb-vault-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	return dirfd < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	char cmd[100];

	(void)state;
	close(dirfd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

/* A vault under 32 times byte. */
static struct vault *
open_vault(uint8_t byte)
{
	struct secret kek;
	struct vault *v;
	struct err e;

	assert_int_equal(secret_alloc(&kek, 32), 0);
	memset(kek.p, byte, kek.len);
	assert_int_equal(vault_open(dirfd, &kek, &v, &e), 0);
	assert_null(kek.p);
	return v;
}

static void
put(struct vault *v, enum slot_id slot, const char *s, int64_t expires)
{
	struct wire_bytes b = {(const uint8_t *)s, strlen(s)};
	struct err e;

	assert_int_equal(vault_stage(v, slot, b, 1000, expires, &e), 0);
	assert_int_equal(vault_commit(v, slot, &e), 0);
}

static void
expect(struct vault *v, enum slot_id slot, const char *s)
{
	struct secret got;
	struct err e;

	assert_int_equal(vault_read(v, slot, &got, &e), 0);
	assert_int_equal(got.len, strlen(s));
	assert_memory_equal(got.p, s, got.len);
	secret_free(&got);
}

static size_t
slurp(const char *name, uint8_t *buf, size_t size)
{
	int fd = openat(dirfd, name, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, size);
	close(fd);
	assert_true(n > 0);
	return (size_t)n;
}

static void
spill(const char *name, const uint8_t *buf, size_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, len), (ssize_t)len);
	close(fd);
}

static void
round_trip(void **state)
{
	struct vault *v = open_vault(7);
	uint8_t raw[2000];
	struct stat st;
	size_t n;

	(void)state;
	assert_true(vault_is_empty(dirfd));
	assert_int_equal(
	    vault_entry(v, SLOT_TOPDESK_PASSWORD)->state, VAULT_EMPTY);
	put(v, SLOT_TOPDESK_PASSWORD, password, 5000);
	expect(v, SLOT_TOPDESK_PASSWORD, password);
	assert_false(vault_is_empty(dirfd));
	vault_free(v);

	v = open_vault(7);
	assert_int_equal(vault_entry(v, SLOT_TOPDESK_PASSWORD)->entered, 1000);
	assert_int_equal(vault_entry(v, SLOT_TOPDESK_PASSWORD)->expires, 5000);
	expect(v, SLOT_TOPDESK_PASSWORD, password);
	vault_free(v);

	n = slurp("topdesk-password.cred", raw, sizeof(raw));
	assert_null(memmem(raw, n, "CANARY", 6));
	assert_int_equal(fstatat(dirfd, "topdesk-password.cred", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* The same secret twice gives other bytes: the nonce is fresh. */
static void
nonces_differ(void **state)
{
	struct vault *v = open_vault(7);
	uint8_t a[2000], b[2000];
	size_t n;

	(void)state;
	put(v, SLOT_TOPDESK_PASSWORD, password, 0);
	n = slurp("topdesk-password.cred", a, sizeof(a));
	put(v, SLOT_TOPDESK_PASSWORD, password, 0);
	assert_int_equal(slurp("topdesk-password.cred", b, sizeof(b)), n);
	assert_memory_not_equal(a + n - 40, b + n - 40, 40);
	vault_free(v);
}

/* Every single byte counts, and so does the length. */
static void
tamper(void **state)
{
	struct vault *v = open_vault(7);
	struct secret got = {NULL, 0};
	uint8_t raw[2000];
	struct err e;
	size_t n;

	(void)state;
	put(v, SLOT_TOPDESK_PASSWORD, password, 5000);
	n = slurp("topdesk-password.cred", raw, sizeof(raw));
	for (size_t i = 0; i < n; i++) {
		raw[i] ^= 1 << i % 8;
		spill("topdesk-password.cred", raw, n);
		assert_int_equal(
		    vault_read(v, SLOT_TOPDESK_PASSWORD, &got, &e), -1);
		assert_null(got.p);
		assert_int_equal(vault_entry(v, SLOT_TOPDESK_PASSWORD)->state,
		    VAULT_DAMAGED);
		raw[i] ^= 1 << i % 8;
	}
	for (size_t len = 0; len < n; len++) {
		spill("topdesk-password.cred", raw, len);
		assert_int_equal(
		    vault_read(v, SLOT_TOPDESK_PASSWORD, &got, &e), -1);
	}
	raw[n] = 0;
	spill("topdesk-password.cred", raw, n + 1);
	assert_int_equal(vault_read(v, SLOT_TOPDESK_PASSWORD, &got, &e), -1);
	spill("topdesk-password.cred", raw, n);
	expect(v, SLOT_TOPDESK_PASSWORD, password);
	vault_free(v);
}

/* One credential's file under another's name, header edited or not. */
static void
renamed(void **state)
{
	struct vault *v = open_vault(7);
	struct secret got = {NULL, 0};
	uint8_t raw[2000];
	struct wire_out w;
	struct err e;
	size_t n;

	(void)state;
	put(v, SLOT_EXCHANGE_KEY, "one", 0);
	put(v, SLOT_EXCHANGE_KEY_NEXT, "two", 0);
	n = slurp("exchange-key.cred", raw, sizeof(raw));
	spill("exchange-key-next.cred", raw, n);
	assert_int_equal(vault_read(v, SLOT_EXCHANGE_KEY_NEXT, &got, &e), -1);
	assert_non_null(strstr(e.text, "another credential"));

	/* With the name in the header set right, it does not open. */
	wire_out_init(&w, sizeof(raw));
	wire_put_u64(&w, UINT64_C(0x4f52425641554c54));
	wire_put_u8(&w, 1);
	wire_put_str(&w, "exchange-key-next", 64);
	assert_true(w.len + n < sizeof(raw));
	memmove(raw + w.len, raw + 8 + 1 + 2 + strlen("exchange-key") + 1,
	    n - (8 + 1 + 2 + strlen("exchange-key") + 1));
	memcpy(raw, w.buf, w.len);
	n += strlen("-next");
	spill("exchange-key-next.cred", raw, n);
	assert_int_equal(vault_read(v, SLOT_EXCHANGE_KEY_NEXT, &got, &e), -1);
	assert_non_null(strstr(e.text, "does not open"));
	wire_out_free(&w);
	expect(v, SLOT_EXCHANGE_KEY, "one");
	vault_free(v);
}

static void
wrong_kek(void **state)
{
	struct vault *v = open_vault(7);
	struct secret got = {NULL, 0};
	struct err e;

	(void)state;
	put(v, SLOT_TOPDESK_PASSWORD, password, 0);
	vault_free(v);
	v = open_vault(8);
	assert_int_equal(
	    vault_entry(v, SLOT_TOPDESK_PASSWORD)->state, VAULT_DAMAGED);
	assert_int_equal(vault_read(v, SLOT_TOPDESK_PASSWORD, &got, &e), -1);
	assert_non_null(strstr(e.text, "another key-encryption key"));
	vault_free(v);
	/* Nothing was lost by the look. */
	v = open_vault(7);
	expect(v, SLOT_TOPDESK_PASSWORD, password);
	vault_free(v);
}

static void
damage_is_isolated(void **state)
{
	struct vault *v = open_vault(7);

	(void)state;
	put(v, SLOT_TOPDESK_PASSWORD, password, 0);
	put(v, SLOT_EXCHANGE_SECRET, "other", 0);
	vault_free(v);
	spill("topdesk-password.cred", (const uint8_t *)"rubbish", 7);
	v = open_vault(7);
	assert_int_equal(
	    vault_entry(v, SLOT_TOPDESK_PASSWORD)->state, VAULT_DAMAGED);
	assert_non_null(strstr(vault_entry(v, SLOT_TOPDESK_PASSWORD)->problem,
	    "orbctl credential set"));
	expect(v, SLOT_EXCHANGE_SECRET, "other");
	/* It can be entered again. */
	put(v, SLOT_TOPDESK_PASSWORD, "new", 0);
	expect(v, SLOT_TOPDESK_PASSWORD, "new");
	vault_free(v);
}

/* Until commit the old one counts; a crash in between leaves it whole. */
static void
staging(void **state)
{
	struct vault *v = open_vault(7);
	struct wire_bytes b = {(const uint8_t *)"new", 3};
	struct stat st;
	struct err e;

	(void)state;
	put(v, SLOT_TOPDESK_PASSWORD, "old", 0);
	assert_int_equal(vault_stage(v, SLOT_TOPDESK_PASSWORD, b, 2, 0, &e), 0);
	assert_int_equal(
	    vault_stage(v, SLOT_TOPDESK_PASSWORD, b, 2, 0, &e), -1);
	expect(v, SLOT_TOPDESK_PASSWORD, "old");
	vault_abandon(v, SLOT_TOPDESK_PASSWORD);
	assert_int_equal(vault_stage(v, SLOT_TOPDESK_PASSWORD, b, 2, 0, &e), 0);
	vault_free(v); /* the crash */
	v = open_vault(7);
	expect(v, SLOT_TOPDESK_PASSWORD, "old");
	assert_int_equal(
	    fstatat(dirfd, "topdesk-password.cred.new", &st, 0), -1);
	assert_int_equal(vault_remove(v, SLOT_TOPDESK_PASSWORD, &e), 0);
	assert_int_equal(vault_remove(v, SLOT_TOPDESK_PASSWORD, &e), -1);
	assert_true(vault_is_empty(dirfd));
	vault_free(v);
}

static void
sizes(void **state)
{
	struct vault *v = open_vault(7);
	static uint8_t big[VAULT_VALUE_MAX + 1];
	struct secret got;
	struct err e;

	(void)state;
	assert_int_equal(vault_stage(v, SLOT_EXCHANGE_KEY,
			     (struct wire_bytes){big, sizeof(big)}, 1, 0, &e),
	    -1);
	assert_int_equal(vault_stage(v, SLOT_EXCHANGE_KEY,
			     (struct wire_bytes){big, 0}, 1, 0, &e),
	    -1);
	assert_int_equal(
	    vault_stage(v, SLOT_EXCHANGE_KEY,
		(struct wire_bytes){big, VAULT_VALUE_MAX}, 1, 0, &e),
	    0);
	assert_int_equal(vault_commit(v, SLOT_EXCHANGE_KEY, &e), 0);
	assert_int_equal(vault_read(v, SLOT_EXCHANGE_KEY, &got, &e), 0);
	assert_int_equal(got.len, VAULT_VALUE_MAX);
	secret_free(&got);
	vault_free(v);
}

static int
key_open(const char *spec, int may_create, const struct kek_source **s,
    struct secret *key, struct err *e)
{
	struct kek_want want = {
	    .spec = spec, .may_create = may_create, .dirfd = -1};

	return kek_open(&want, s, key, e);
}

static void
kek_of_file(void **state)
{
	const struct kek_source *s;
	struct secret a = {NULL, 0}, b = {NULL, 0};
	char spec[120], path[100];
	struct err e;

	(void)state;
	snprintf(path, sizeof(path), "%s/kek", dir);
	snprintf(spec, sizeof(spec), "file:%s", path);
	/* Not made anew when there is something sealed under the old one. */
	assert_int_equal(key_open(spec, 0, &s, &a, &e), -1);
	assert_non_null(strstr(e.text, "is gone"));
	assert_int_equal(key_open(spec, 1, &s, &a, &e), 0);
	assert_int_equal(a.len, KEK_MIN);
	assert_string_equal(s->describe(), "file (demo)");
	assert_int_equal(key_open(spec, 0, &s, &b, &e), 0);
	assert_memory_equal(a.p, b.p, KEK_MIN);
	secret_free(&a);
	secret_free(&b);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(key_open(spec, 0, &s, &a, &e), -1);
	assert_non_null(strstr(e.text, "0640"));
	assert_int_equal(chmod(path, 0600), 0);
	spill("kek", (const uint8_t *)"short", 5);
	assert_int_equal(key_open(spec, 0, &s, &a, &e), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(key_open(spec, 1, &s, &a, &e), -1);
	assert_int_equal(key_open("file:kek", 1, &s, &a, &e), -1);
	assert_int_equal(key_open("hsm:0x81", 1, &s, &a, &e), -1);
	assert_non_null(strstr(e.text, "credential:NAME, file:/path or tpm:"));
	assert_null(a.p);
}

static void
kek_of_credential(void **state)
{
	static const uint8_t key[40] = "0123456789abcdef0123456789abcdef";
	const struct kek_source *s;
	struct secret a = {NULL, 0};
	struct err e;

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(key_open("credential:kek", 0, &s, &a, &e), -1);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(key_open("credential:kek", 1, &s, &a, &e), -1);
	spill("kek", key, sizeof(key));
	assert_int_equal(key_open("credential:kek", 0, &s, &a, &e), 0);
	assert_int_equal(a.len, sizeof(key));
	assert_memory_equal(a.p, key, sizeof(key));
	assert_string_equal(s->describe(), "systemd credential");
	secret_free(&a);
	assert_int_equal(key_open("credential:../kek", 0, &s, &a, &e), -1);
	assert_int_equal(key_open("credential:", 0, &s, &a, &e), -1);
	unsetenv("CREDENTIALS_DIRECTORY");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
	    cmocka_unit_test_setup_teardown(nonces_differ, setup, teardown),
	    cmocka_unit_test_setup_teardown(tamper, setup, teardown),
	    cmocka_unit_test_setup_teardown(renamed, setup, teardown),
	    cmocka_unit_test_setup_teardown(wrong_kek, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		damage_is_isolated, setup, teardown),
	    cmocka_unit_test_setup_teardown(staging, setup, teardown),
	    cmocka_unit_test_setup_teardown(sizes, setup, teardown),
	    cmocka_unit_test_setup_teardown(kek_of_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(kek_of_credential, setup, teardown),
	};

	log_init("test", LOG_LV_ERR - 1);
	(void)secret_init(256 * 1024);
	return cmocka_run_group_tests_name("keyd_vault", tests, NULL, NULL);
}
