/*
 * test_verify: the parts of orb-verify that stand for themselves: the tree and
 * proofs against the vectors of the Certificate Transparency project for RFC
 * 6962, base64 against RFC 4648, records, tile paths, notes and keys.
 *
 * Whole exports are tests/system/test_verify.py's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "verify/base64.h"
#include "verify/key.h"
#include "verify/note.h"
#include "verify/record.h"
#include "verify/stream.h"
#include "verify/tree.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Hex of any length. */
static size_t
unhex(const char *s, uint8_t *dst)
{
	size_t n = strlen(s) / 2;
	unsigned v;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sscanf(s + 2 * i, "%2x", &v), 1);
		dst[i] = (uint8_t)v;
	}
	return n;
}

/* --- the tree ------------------------------------------------------------------------- */

static const char *const leaves[] = {"", "00", "10", "2021", "3031", "40414243",
    "5051525354555657", "606162636465666768696a6b6c6d6e6f"};

static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void
leaf_of(size_t i, uint8_t hash[HASH_LEN])
{
	uint8_t bytes[32];

	tree_leaf_hash(bytes, unhex(leaves[i], bytes), hash);
}

static void
roots_are_those_of_rfc6962(void **state)
{
	uint8_t want[HASH_LEN], got[HASH_LEN], leaf[HASH_LEN];
	struct tree t = {0};

	(void)state;
	for (size_t n = 0; n < COUNT(roots); n++) {
		assert_int_equal(unhex(roots[n], want), HASH_LEN);
		tree_root(&t, got);
		assert_memory_equal(got, want, HASH_LEN);
		if (n == COUNT(leaves))
			break;
		leaf_of(n, leaf);
		tree_append(&t, leaf);
	}
}

static const struct {
	uint64_t index, size;
	const char *path[3];
	size_t n;
} proofs[] = {
    {0, 1, {NULL}, 0},
    {0, 8,
	{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e"
	    "4"},
	3},
    {5, 8,
	{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b"
	    "7"},
	3},
    {2, 3,
	{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c12"
	 "5"},
	1},
    {1, 5,
	{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6"
	    "b"},
	3},
};

static void
proofs_are_those_of_rfc6962(void **state)
{
	uint8_t path[4][HASH_LEN] = {{0}}, leaf[HASH_LEN], root[HASH_LEN] = {0};
	const uint8_t(*p)[HASH_LEN] = (const uint8_t(*)[HASH_LEN])path;

	(void)state;
	for (size_t i = 0; i < COUNT(proofs); i++) {
		uint64_t index = proofs[i].index, size = proofs[i].size;
		size_t n = proofs[i].n;

		for (size_t k = 0; k < n; k++)
			unhex(proofs[i].path[k], path[k]);
		leaf_of(index, leaf);
		unhex(roots[size], root);
		assert_int_equal(
		    tree_proof_check(index, size, leaf, p, n, root), 0);
		/* Nothing else: one hash more or less, another place, another
		 * tree, another root. */
		assert_int_not_equal(
		    tree_proof_check(index, size, leaf, p, n + 1, root), 0);
		if (n)
			assert_int_not_equal(
			    tree_proof_check(index, size, leaf, p, n - 1, root),
			    0);
		assert_int_not_equal(
		    tree_proof_check(index ^ 1, size, leaf, p, n, root), 0);
		assert_int_not_equal(
		    tree_proof_check(size, size, leaf, p, n, root), 0);
		assert_int_not_equal(
		    tree_proof_check(index, 0, leaf, p, n, root), 0);
		root[31] ^= 1;
		assert_int_not_equal(
		    tree_proof_check(index, size, leaf, p, n, root), 0);
	}
}

/* The subtrees that a tile above the leaves is made of. */
static void
whole_subtrees_are_told(void **state)
{
	uint8_t leaf[HASH_LEN], root[HASH_LEN];
	struct tree t = {0}, small = {0};

	(void)state;
	for (unsigned i = 0; i < 65536; i++) {
		tree_leaf_hash((const uint8_t *)&i, sizeof(i), leaf);
		if (i % 256 == 0)
			memset(&small, 0, sizeof(small));
		tree_append(&small, leaf);
		tree_append(&t, leaf);
		assert_int_equal(t.made,
		    i == 65535           ? 3
			: i % 256 == 255 ? 2
					 : 1);
		assert_memory_equal(t.whole[0], leaf, HASH_LEN);
		if (i % 256 == 255) {
			tree_root(&small, root);
			assert_memory_equal(t.whole[1], root, HASH_LEN);
		}
	}
	tree_root(&t, root);
	assert_memory_equal(t.whole[2], root, HASH_LEN);
}

/* --- base64 ------------------------------------------------------------------------------ */

static int
decoded(const char *s, const char *want)
{
	uint8_t got[64];
	int n = base64_decode(s, strlen(s), got, sizeof(got));

	return n == (int)strlen(want) && memcmp(got, want, strlen(want)) == 0;
}

static void
base64_is_strict(void **state)
{
	static const char *const bad[] = {"Zg",
	    "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n",
	    " Zm9v", "Zm9v====", "Zm-_", "Zm=v", "Zm9vYg=A"};
	uint8_t got[64];

	(void)state;
	/* RFC 4648, section 10 */
	assert_true(decoded("", ""));
	assert_true(decoded("Zg==", "f"));
	assert_true(decoded("Zm8=", "fo"));
	assert_true(decoded("Zm9v", "foo"));
	assert_true(decoded("Zm9vYg==", "foob"));
	assert_true(decoded("Zm9vYmE=", "fooba"));
	assert_true(decoded("Zm9vYmFy", "foobar"));
	assert_true(decoded("+/+/", "\xfb\xff\xbf"));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    base64_decode(bad[i], strlen(bad[i]), got, 64), -1);
	assert_int_equal(base64_decode("Zm9vYmFy", 8, got, 5), -1);
	assert_int_equal(base64_decode("Zm9vYmFy", 8, got, 6), 6);
}

/* --- records ------------------------------------------------------------------------------ */

#define BOOT "\"boot_id\":\"3f9a41c2-0c11-4d0e-9d55-7a1f0c2b0001\""
#define HEAD "{" BOOT ",\"boottime\":\"1\",\"code\":8,\"event\":\"request\""
#define TAIL                                                             \
	",\"index\":7,\"pid\":1,\"process\":\"mapd\",\"realtime\":\"2\"" \
	",\"text\":\"x\",\"uid\":0}"

static int
reads(const char *s)
{
	const char *why = NULL;
	struct record r;
	size_t where = 0;
	int rc = record_read((const uint8_t *)s, strlen(s), &r, &why, &where);

	if (rc) {
		assert_non_null(why);
		assert_true(where <= strlen(s));
	}
	return rc == 0;
}

static void
record_is_read(void **state)
{
	static const char text[] = HEAD TAIL;
	struct record r;
	const char *why;
	size_t where;

	(void)state;
	assert_int_equal(
	    record_read((const uint8_t *)text, strlen(text), &r, &why, &where),
	    0);
	assert_int_equal(r.index, 7);
	assert_int_equal(r.code, 8);
	assert_int_equal(r.boottime, 1);
	assert_int_equal(r.realtime, 2);
	assert_true(slice_is(r.event, "request"));
	assert_true(slice_is(r.process, "mapd"));
	assert_null(r.booking.p);
}

/* The text with one part of it replaced. */
static int
reads_with(const char *part, const char *by)
{
	static const char text[] = HEAD TAIL;
	const char *at = strstr(text, part);
	char s[2000];

	assert_non_null(at);
	snprintf(s, sizeof(s), "%.*s%s%s", (int)(at - text), text, by,
	    at + strlen(part));
	return reads(s);
}

static void
record_in_any_other_form_is_refused(void **state)
{
	static const struct {
		const char *part, *by;
	} bad[] = {
	    {",\"uid\"", ", \"uid\""},
	    {":7", ": 7"},
	    {":7", ":07"},
	    {":7", ":7.0"},
	    {":7", ":7e0"},
	    {":7", ":-7"},
	    {":7", ":+7"},
	    {":7", ":"},
	    {":7", ":null"},
	    {":7", ":true"},
	    {":7", ":[7]"},
	    {":7", ":\"7\""},
	    {":7", ":9007199254740992"},
	    {":7", ":99999999999999999999999"},
	    {"\"1\"", "1"},
	    {"\"1\"", "\"01\""},
	    {"\"1\"", "\"\""},
	    {"\"1\"", "\"9223372036854775808\""},
	    {"\"2\"", "\"-2\""},
	    {"{", "{ "},
	    {"{", " {"},
	    {"{", "[{"},
	    {"}", "}\n"},
	    {"}", "},"},
	    {"}", ""},
	    {"}", ",}"},
	    {"{", "{,"},
	    {",\"index\":7", ""},
	    {"\"code\":8", "\"code\":8,\"code\":8"},
	    {"\"index\":7,\"pid\":1", "\"pid\":1,\"index\":7"},
	    {"\"uid\":0", "\"uid\":0,\"uid\":0"},
	    {"3f9a", "3F9A"},
	    {"3f9a41c2-", "3f9a41c20"},
	    {"\"x\"", "\"\\/\""},
	    {"\"x\"", "\"\\u0041\""},
	    {"\"x\"", "\"\\u001F\""},
	    {"\"x\"", "\"\\u000a\""},
	    {"\"x\"", "\"\\u0020\""},
	    {"\"x\"", "\"\n\""},
	    {"\"x\"", "\"\\x\""},
	    {"\"x\"", "\"\\"},
	    {"\"x\"", "\"\\u00"},
	    {"\"x\"", "\"\x80\""},
	    {"\"x\"", "\"\xc0\xaf\""},
	    {"\"x\"", "\"\xe0\x80\xaf\""},
	    {"\"x\"", "\"\xed\xa0\x80\""},
	    {"\"x\"", "\"\xf4\x90\x80\x80\""},
	    {"\"x\"", "\"\xf0\x80\x80\xaf\""},
	    {"\"x\"", "\"\xe2\x82\""},
	    {"\"text\"", "\"te\\u0078t\""},
	    {"\"text\"", "\"Text\""},
	    {"\"text\"", "\"\""},
	    {"{\"boot", "{\"booking\":\"ab\",\"boot"},
	};

	(void)state;
	assert_true(reads(HEAD TAIL));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (reads_with(bad[i].part, bad[i].by))
			fail_msg("accepted: %s", bad[i].by);
	assert_false(reads(""));
	assert_false(reads("{}"));
}

static void
record_in_canonical_form_is_let_pass(void **state)
{
	static const char *const good[] = {"\"\\\"\\\\\\b\\f\\n\\r\\t\"",
	    "\"\\u0000\\u001f\\u000b\"", "\"/\x7f\"", "\"\xc2\x80\xdf\xbf\"",
	    "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\"",
	    "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(reads_with("\"x\"", good[i]));
	assert_true(reads_with(":7", ":9007199254740991"));
	assert_true(reads_with(":7", ":0"));
	assert_true(reads_with("\"2\"", "\"9223372036854775807\""));
	assert_true(reads_with(
	    ",\"pid\"", ",\"lease\":\"18446744073709551615\",\"pid\""));
	assert_true(reads_with(",\"uid\":0", ",\"uid\":0,\"zone\":\"\""));
}

/* --- paths, keys, notes ---------------------------------------------------------------------- */

static void
tile_paths_are_those_of_c2sp(void **state)
{
	char path[PATH_LEN];

	(void)state;
	tile_path(path, 0, 0, 256);
	assert_string_equal(path, "tile/0/000");
	tile_path(path, 0, 1067, 256);
	assert_string_equal(path, "tile/0/x001/067");
	tile_path(path, -1, 1234067, 5);
	assert_string_equal(path, "tile/entries/x001/x234/067.p/5");
	tile_path(path, 3, 999, 0);
	assert_string_equal(path, "tile/3/999.p");
	tile_path(path, -1, (UINT64_C(1) << 53) / 256, 255);
	assert_string_equal(path, "tile/entries/x035/x184/x372/x088/832.p/255");
}

/* The example of golang.org/x/mod/sumdb/note, which C2SP signed-note is of:
 * the key has the form, and one wrong character shows. */
#define PETER \
	"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

static int
key_reads(const char *s)
{
	const char *why = NULL;
	struct key k;
	int rc = key_read(&k, s, strlen(s), &why);

	assert_non_null(why);
	if (rc == 0)
		key_drop(&k);
	return rc == 0;
}

static void
key_is_read(void **state)
{
	char s[] = PETER;

	(void)state;
	assert_true(key_reads(PETER));
	assert_true(key_reads(PETER "\n"));
	for (size_t i = 0; i < strlen(PETER); i++) {
		s[i] ^= 1;
		assert_false(key_reads(s));
		s[i] ^= 1;
	}
	assert_false(key_reads(PETER "="));
	assert_false(key_reads(""));
	assert_false(key_reads("+"));
	assert_false(key_reads("a+c74f20a3+"));
}

/* The note of the same example: signed well, but no checkpoint. */
static const char saying[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIu"
    "GUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static void
note_is_held_against_the_key(void **state)
{
	static const char text_end[] = "problem is.\n";
	size_t text =
	    (size_t)(strstr(saying, text_end) - saying) + strlen(text_end);
	uint8_t sig[68];
	const char *base64 = strstr(saying, "x08g"), *why;
	struct key k;

	(void)state;
	assert_int_equal(key_read(&k, PETER, strlen(PETER), &why), 0);
	assert_int_equal(
	    base64_decode(base64, strlen(base64) - 1, sig, sizeof(sig)), 68);
	assert_memory_equal(sig, k.hash, 4);
	assert_int_equal(key_verify(&k, (const uint8_t *)saying, text, sig + 4,
			     sizeof(sig) - 4),
	    0);
	assert_int_not_equal(key_verify(&k, (const uint8_t *)saying, text - 1,
				 sig + 4, sizeof(sig) - 4),
	    0);
	assert_int_not_equal(key_verify(&k, (const uint8_t *)saying, text,
				 sig + 4, sizeof(sig) - 5),
	    0);
	key_drop(&k);
}

static void
note_of_another_kind_is_refused(void **state)
{
	const uint8_t *p = (const uint8_t *)saying;
	struct note note;
	enum kind kind;
	const char *why;
	struct key k;

	(void)state;
	assert_int_equal(key_read(&k, PETER, strlen(PETER), &why), 0);
	assert_int_equal(note_length(p, strlen(saying)), strlen(saying));
	assert_int_equal(note_length(p, strlen(saying) - 1), 0);
	assert_int_equal(
	    note_read(p, strlen(saying), &k, &note, &kind, &why), -1);
	assert_int_equal(kind, ORIGIN_OTHER);
	assert_int_equal(
	    note_read(p, strlen(saying) - 1, &k, &note, &kind, &why), -1);
	assert_int_equal(kind, NOTE_FORM);
	key_drop(&k);
}

static int
set_up(void **state)
{
	(void)state;
	return tree_open();
}

static int
tear_down(void **state)
{
	(void)state;
	tree_close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roots_are_those_of_rfc6962),
	    cmocka_unit_test(proofs_are_those_of_rfc6962),
	    cmocka_unit_test(whole_subtrees_are_told),
	    cmocka_unit_test(base64_is_strict),
	    cmocka_unit_test(record_is_read),
	    cmocka_unit_test(record_in_any_other_form_is_refused),
	    cmocka_unit_test(record_in_canonical_form_is_let_pass),
	    cmocka_unit_test(tile_paths_are_those_of_c2sp),
	    cmocka_unit_test(key_is_read),
	    cmocka_unit_test(note_is_held_against_the_key),
	    cmocka_unit_test(note_of_another_kind_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
