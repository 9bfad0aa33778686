/*
 * test_mapd_seal.c: fingerprints and sealed payloads.  The vectors were
 * computed with Python's hmac and hashlib (HKDF-SHA256 without salt, HMAC of
 * use and length-prefixed parts) for the key 00 01 .. 1f.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mapd/seal.h"

static struct seal *
seal_of(uint8_t first)
{
	uint8_t key[32];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(first + i);
	return seal_new(key);
}

static void
hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void
prints_are_those_of_another_tool(void **state)
{
	const char *parts[] = {"Projectoverleg", "anna@example.org"};
	const char *empty[] = {""};
	struct seal *s = seal_of(0);
	uint8_t print[PRINT_LEN];
	char text[2 * PRINT_LEN + 1];

	(void)state;
	assert_non_null(s);
	/* Twice: the context that is kept must start anew. */
	for (int i = 0; i < 2; i++) {
		seal_print(s, print, 2, parts);
		hex(print, PRINT_LEN, text);
		assert_string_equal(text, "ad5649c5753c8aeb1d11e1414a0a4d6e");
		seal_print(s, print, 0, NULL);
		hex(print, PRINT_LEN, text);
		assert_string_equal(text, "6b017a9054ecedc07a5cfccbd0a31eb0");
		seal_print(s, print, 1, empty);
		hex(print, PRINT_LEN, text);
		assert_string_equal(text, "7c9e6562dc603fcb239325a968652723");
		seal_check(s, print);
		hex(print, PRINT_LEN, text);
		assert_string_equal(text, "9717cf693e9d6f750a19f5ad2a032d9d");
		assert_true(seal_hash(s, "uid-1") == 0xe0806d4e2d1f9736u);
	}
	seal_free(s);
}

static void
prints_tell_apart(void **state)
{
	const char *ab[] = {"ab", ""}, *a_b[] = {"a", "b"};
	struct seal *s = seal_of(0), *other = seal_of(1);
	uint8_t x[PRINT_LEN], y[PRINT_LEN];

	(void)state;
	seal_print(s, x, 2, ab);
	seal_print(s, y, 2, a_b);
	assert_memory_not_equal(x, y, PRINT_LEN);
	seal_print(s, y, 1, ab);
	assert_memory_not_equal(x, y, PRINT_LEN);
	seal_print(other, y, 2, ab);
	assert_memory_not_equal(x, y, PRINT_LEN);
	seal_check(s, x);
	seal_check(other, y);
	assert_memory_not_equal(x, y, PRINT_LEN);
	assert_true(seal_hash(s, "a") != seal_hash(other, "a"));
	seal_free(s);
	seal_free(other);
}

struct sealed {
	struct seal *s;
	struct wire_out out;
	struct wire_bytes aad, bytes;
};

static void
seal_text(struct sealed *x, const char *aad, const char *text)
{
	struct wire_bytes plain = {(const uint8_t *)text, strlen(text)};

	x->s = seal_of(0);
	x->aad.p = (const uint8_t *)aad;
	x->aad.len = strlen(aad);
	wire_out_init(&x->out, 4096);
	assert_int_equal(seal_close(x->s, x->aad, plain, &x->out), 0);
	assert_int_equal(x->out.len, strlen(text) + 12 + 16);
	x->bytes.p = x->out.buf;
	x->bytes.len = x->out.len;
}

static void
sealed_free(struct sealed *x)
{
	wire_out_free(&x->out);
	seal_free(x->s);
}

static void
what_was_sealed_opens(void **state)
{
	static const char *const texts[] = {"", "x", "a subject, an address"};
	struct secret plain;
	struct sealed x;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		seal_text(&x, "place", texts[i]);
		assert_int_equal(seal_open(x.s, x.aad, x.bytes, &plain), 0);
		assert_int_equal(plain.len, strlen(texts[i]));
		assert_memory_equal(plain.p, texts[i], plain.len);
		secret_free(&plain);
		sealed_free(&x);
	}
}

static void
nothing_is_readable_and_no_two_are_the_same(void **state)
{
	struct sealed x, y;

	(void)state;
	seal_text(&x, "place", "CANARY-CANARY-CANARY");
	seal_text(&y, "place", "CANARY-CANARY-CANARY");
	assert_null(memmem(x.out.buf, x.out.len, "CANARY", 6));
	assert_memory_not_equal(x.out.buf, y.out.buf, x.out.len);
	sealed_free(&x);
	sealed_free(&y);
}

static void
a_flipped_bit_is_refused(void **state)
{
	struct secret plain = {NULL, 0};
	struct sealed x;

	(void)state;
	seal_text(&x, "place", "a subject");
	for (size_t bit = 0; bit < 8 * x.out.len; bit++) {
		x.out.buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(seal_open(x.s, x.aad, x.bytes, &plain), -1);
		assert_null(plain.p);
		x.out.buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < x.out.len; len++) {
		x.bytes.len = len;
		assert_int_equal(seal_open(x.s, x.aad, x.bytes, &plain), -1);
	}
	x.bytes.len = x.out.len;
	assert_int_equal(seal_open(x.s, x.aad, x.bytes, &plain), 0);
	secret_free(&plain);
	sealed_free(&x);
}

static void
another_place_or_key_is_refused(void **state)
{
	struct wire_bytes elsewhere = {(const uint8_t *)"plac", 4};
	struct secret plain;
	struct seal *other = seal_of(1);
	struct sealed x;

	(void)state;
	seal_text(&x, "place", "a subject");
	assert_int_equal(seal_open(x.s, elsewhere, x.bytes, &plain), -1);
	assert_int_equal(seal_open(other, x.aad, x.bytes, &plain), -1);
	seal_free(other);
	sealed_free(&x);
}

static void
too_large_for_the_writer_is_an_error(void **state)
{
	struct wire_bytes plain = {(const uint8_t *)"0123456789", 10};
	struct wire_bytes aad = {(const uint8_t *)"", 0};
	struct seal *s = seal_of(0);
	struct wire_out out;

	(void)state;
	wire_out_init(&out, 37);
	assert_int_equal(seal_close(s, aad, plain, &out), -1);
	wire_out_free(&out);
	wire_out_init(&out, 38);
	assert_int_equal(seal_close(s, aad, plain, &out), 0);
	wire_out_free(&out);
	seal_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prints_are_those_of_another_tool),
	    cmocka_unit_test(prints_tell_apart),
	    cmocka_unit_test(what_was_sealed_opens),
	    cmocka_unit_test(nothing_is_readable_and_no_two_are_the_same),
	    cmocka_unit_test(a_flipped_bit_is_refused),
	    cmocka_unit_test(another_place_or_key_is_refused),
	    cmocka_unit_test(too_large_for_the_writer_is_an_error),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
