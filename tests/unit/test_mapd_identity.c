/*
 * test_mapd_identity.c: keys and links.  The vectors were computed with
 * Python's hashlib and base64:
 *   hashlib.sha256(b"orb1\0" + mailbox + b"\0" + uid + b"\0" + str(start))
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mapd/identity.h"

static const struct {
	const char *mailbox, *uid;
	int64_t start;
	const char *link;
} vectors[] = {
    {"room1@example.org", "040000008200E00074C5B7101A82E008", 0,
	"orb1:rpi3455e35q36mpqaystcrpbki43dwyjujsf6w4kltws76hgmmyq"},
    {"room1@example.org", "040000008200E00074C5B7101A82E008", 1790150400,
	"orb1:4d6auxnwwfjvrq2mcnhtj6ecjruie3dtp2u5rloozdipgvvoppoq"},
    {"zaal-\xc3\xa9@example.org", "uid", -60,
	"orb1:vl5i3htdsnyu3woutexvskzzdciemsos2krmiuaamfaymdehohva"},
    {"", "", 0, "orb1:uvrkljae3t2env2x7mt6f7vux7yhvapvcw6rphlskqgcyelez34a"},
};

static void
links_are_those_of_another_tool(void **state)
{
	char link[IDENTITY_LINK_MAX];
	uint8_t key[KEY_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		identity_key(
		    vectors[i].mailbox, vectors[i].uid, vectors[i].start, key);
		identity_link(key, 1, link);
		assert_string_equal(link, vectors[i].link);
	}
}

static void
what_is_different_has_another_key(void **state)
{
	uint8_t a[KEY_LEN], b[KEY_LEN];

	(void)state;
	identity_key("ab", "c", 1, a);
	identity_key("a", "bc", 1, b);
	assert_memory_not_equal(a, b, KEY_LEN);
	identity_key("ab", "c1", 0, b);
	assert_memory_not_equal(a, b, KEY_LEN);
	identity_key("ab", "c", -1, b);
	assert_memory_not_equal(a, b, KEY_LEN);
}

static void
every_generation_comes_back(void **state)
{
	char link[IDENTITY_LINK_MAX];
	uint8_t key[KEY_LEN], back[KEY_LEN];
	unsigned got;

	(void)state;
	identity_key("room1@example.org", "uid", 7, key);
	for (unsigned gen = 1; gen <= 254; gen++) {
		identity_link(key, gen, link);
		assert_true(strlen(link) < IDENTITY_LINK_MAX);
		assert_int_equal(identity_parse(link, back, &got), 0);
		assert_int_equal(got, gen);
		assert_memory_equal(back, key, KEY_LEN);
	}
}

/* Only what identity_link() writes is a link: one key, one link. */
static void
anything_else_is_no_link(void **state)
{
	static const char *const tails[] = {".", ".0", ".1", ".02", ".256",
	    ".2x", ".-2", ".99999999999999999999", "a", " ", ".2.2"};
	uint8_t key[KEY_LEN], untouched[KEY_LEN] = {0x55};
	unsigned gen = 77;
	char link[128], *p;

	(void)state;
	memcpy(key, untouched, KEY_LEN);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(link, sizeof(link), "%s%s", vectors[0].link, tails[i]);
		assert_int_equal(identity_parse(link, key, &gen), -1);
	}
	for (size_t n = 0; n < strlen(vectors[0].link); n++) {
		snprintf(link, sizeof(link), "%.*s", (int)n, vectors[0].link);
		assert_int_equal(identity_parse(link, key, &gen), -1);
	}
	for (const char *c = "A1890=-:\x80"; *c; c++) {
		strcpy(link, vectors[0].link);
		link[20] = *c;
		assert_int_equal(identity_parse(link, key, &gen), -1);
	}
	/* The last character carries one bit of the key and four zeros. */
	strcpy(link, vectors[0].link);
	p = link + strlen(link) - 1;
	assert_int_equal(*p, 'q');
	*p = 'r';
	assert_int_equal(identity_parse(link, key, &gen), -1);
	assert_int_equal(identity_parse("ORB1:", key, &gen), -1);
	assert_int_equal(identity_parse("", key, &gen), -1);
	assert_memory_equal(key, untouched, KEY_LEN);
	assert_int_equal(gen, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(links_are_those_of_another_tool),
	    cmocka_unit_test(what_is_different_has_another_key),
	    cmocka_unit_test(every_generation_comes_back),
	    cmocka_unit_test(anything_else_is_no_link),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
