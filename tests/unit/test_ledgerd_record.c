/* The canonical form byte for byte, the mask, and the checker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledgerd/record.h"
#include "lib/events.h"

#define BOOT "0f0e0d0c-0b0a-4908-8706-050403020100"

static const struct provenance where = {.index = 41,
    .process = "http@exchange",
    .uid = 990,
    .pid = 1234,
    .realtime = INT64_C(1795416000123456789),
    .boottime = INT64_C(98765432101234),
    .boot_id = BOOT};

static size_t
canon(const struct record *r, char *buf)
{
	size_t n = record_canonical(&where, r, buf);

	assert_true(n > 0);
	buf[n] = '\0';
	assert_int_equal(record_check((uint8_t *)buf, n, where.index), 0);
	assert_int_equal(record_check((uint8_t *)buf, n, where.index + 1), -1);
	return n;
}

static void
least(void **state)
{
	struct record r = {.event = EV_REQUEST};
	char buf[RECORD_MAX + 1];

	(void)state;
	canon(&r, buf);
	assert_string_equal(buf,
	    "{\"boot_id\":\"" BOOT "\",\"boottime\":\"98765432101234\","
	    "\"code\":8,\"event\":\"request\",\"index\":41,\"pid\":1234,"
	    "\"process\":\"http@exchange\","
	    "\"realtime\":\"1795416000123456789\",\"uid\":990}");
}

static void
everything(void **state)
{
	uint8_t h[32];
	char buf[RECORD_MAX + 1];
	struct record r = {.event = EV_CREATE_DONE,
	    .upstream = UPSTREAM_TOPDESK,
	    .status = 201,
	    .booking = {h, 32},
	    .room = "Z\xc3\xbcrich \"4\\2\"",
	    .remote_id = "R-2026-1",
	    .request_id = "abc",
	    .lease = UINT64_MAX,
	    .before = {h, 32},
	    .after = {h, 32},
	    .text = "made for a.b@example.com, twice"};

	(void)state;
	for (int i = 0; i < 32; i++)
		h[i] = (uint8_t)(i * 8);
#define HEX "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8"
	canon(&r, buf);
	assert_string_equal(buf,
	    "{\"after\":\"" HEX "\",\"before\":\"" HEX "\",\"booking\":\"" HEX
	    "\",\"boot_id\":\"" BOOT "\",\"boottime\":\"98765432101234\","
	    "\"code\":17,\"event\":\"create_done\",\"index\":41,"
	    "\"lease\":\"18446744073709551615\",\"pid\":1234,"
	    "\"process\":\"http@exchange\","
	    "\"realtime\":\"1795416000123456789\",\"remote\":\"R-2026-1\","
	    "\"request_id\":\"abc\",\"room\":\"Z\xc3\xbcrich \\\"4\\\\2\\\"\","
	    "\"status\":201,\"text\":\"made for [address], twice\","
	    "\"uid\":990,\"upstream\":\"topdesk\"}");
}

/* Every field at the limit of messages.def, every byte escaped. */
static void
largest(void **state)
{
	static char room[65], remote[513], id[65], text[301];
	char buf[RECORD_MAX + 1];
	uint8_t h[32] = {0};
	struct record r = {.event = EV_CANCELLATIONS_APPROVED,
	    .upstream = UPSTREAM_EXCHANGE,
	    .status = 65535,
	    .booking = {h, 32},
	    .room = memset(room, '"', 64),
	    .remote_id = memset(remote, '\\', 512),
	    .request_id = memset(id, '"', 64),
	    .lease = UINT64_MAX,
	    .before = {h, 32},
	    .after = {h, 32},
	    .text = memset(text, '"', 300)};

	(void)state;
	assert_true(canon(&r, buf) > 2 * (64 + 512 + 64 + 300));
	/* the text that grows most: nothing but addresses */
	for (int i = 0; i + 6 <= 300; i += 6)
		memcpy(text + i, "a@b.c ", 6);
	canon(&r, buf);
	assert_non_null(strstr(buf, "\"text\":\"[address] [address] "));
}

static void
masked(void **state)
{
	static const char *const t[][2] = {
	    {"", ""},
	    {"nothing here", "nothing here"},
	    {"first.last+x@sub.example.com", "[address]"},
	    {"<a@b.example>", "<[address]>"},
	    {"to a@b.c and d@e.f.", "to [address] and [address]"},
	    {"http@exchange stopped", "http@exchange stopped"},
	    {"@example.com", "@example.com"},
	    {"a@", "a@"},
	    {"j\xc3\xb6rg@example.com x", "[address] x"},
	    {"x@m\xc3\xbcller.example", "[address]"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_string_equal(
		    record_mask(buf, sizeof(buf), t[i][0]), t[i][1]);
	assert_string_equal(record_mask(buf, sizeof(buf), NULL), "");
	assert_string_equal(record_mask(buf, 8, "aaaa a@b.c"), "aaaa [a");
}

static void
permitted(void **state)
{
	uint8_t h[33] = {0};
	struct record r = {.event = EV_REQUEST};

	(void)state;
	assert_int_equal(record_permitted(&r, UPSTREAM_EXCHANGE), 0);
	r.upstream = UPSTREAM_EXCHANGE;
	assert_int_equal(record_permitted(&r, UPSTREAM_EXCHANGE), 0);
	assert_int_equal(record_permitted(&r, UPSTREAM_TOPDESK), -1);
	assert_int_equal(record_permitted(&r, UPSTREAM_NONE), 0);
	r.upstream = UPSTREAM_COUNT;
	assert_int_equal(record_permitted(&r, UPSTREAM_NONE), -1);
	r.upstream = 0;
	r.booking = (struct wire_bytes){h, 31};
	assert_int_equal(record_permitted(&r, UPSTREAM_NONE), -1);
	r.booking.len = 32;
	assert_int_equal(record_permitted(&r, UPSTREAM_NONE), 0);
	r.event = 60000;
	assert_int_equal(record_permitted(&r, UPSTREAM_NONE), -1);
}

static void
not_canonical(void **state)
{
	static const char *const bad[] = {
	    "",
	    "{",
	    "{}",
	    "[]",
	    "{\"index\":41",
	    "{\"index\":42}",
	    "{\"index\":\"41\"}",
	    "{\"index\":041}",
	    "{\"index\":41} ",
	    "{\"index\": 41}",
	    "{\"index\":41,\"a\":1}",
	    "{\"index\":41,\"index\":41}",
	    "{\"index\":41,\"z\":\"\x01\"}",
	    "{\"index\":41,\"z\":\"\\n\"}",
	    "{\"index\":41,\"z\":-1}",
	    "{\"index\":41,\"z\":1.0}",
	    "{\"index\":41,\"z\":true}",
	    "{\"index\":41,\"z\":\"\xff\"}",
	    "{\"index\":41,}",
	    "{\"index\":41,\"z\":9007199254740992}",
	};

	(void)state;
	assert_int_equal(
	    record_check((const uint8_t *)"{\"index\":41}", 12, 41), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (record_check((const uint8_t *)bad[i], strlen(bad[i]), 41) !=
		    -1)
			fail_msg("taken for canonical: %s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(least),
	    cmocka_unit_test(everything),
	    cmocka_unit_test(largest),
	    cmocka_unit_test(masked),
	    cmocka_unit_test(permitted),
	    cmocka_unit_test(not_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
