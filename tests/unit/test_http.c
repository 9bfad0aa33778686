/*
 * test_http.c: the pure parts of http: what may be asked for, what is noted of
 * it, when to wait, what a status means, the token answer.
 */
#include "fetchd/http_pure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
paths(void **state)
{
	static const char *const good[] = {"/", "/reservations", "/a..b",
	    "/users/r@x.test/events/AAMk%3D", "/a?x=../..", "/...", "/$batch",
	    "/a/.hidden", "/a%2Fb", "/a?x=%2f.."};
	static const char *const bad[] = {"", "a", "?", "/a b", "/a\tb",
	    "/a\r\nHost: x", "/a#b", "/a\\b", "/..", "/../a", "/a/..",
	    "/a/../b", "/a/..?x", "/.", "/./a", "/%2e%2e/a", "/a/.%2E",
	    "/a/%2e", "/a%2f..%2Fb", "/a%5c..", "/a/..%2fb", "/\x7f",
	    "/\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(path_is_allowed(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(path_is_allowed(bad[i]));
	assert_true(header_is_allowed("a; b=\"c\""));
	assert_true(header_is_allowed("W/\"1-a==\""));
	assert_false(header_is_allowed("a\nb"));
	assert_false(header_is_allowed("a\r\nHost: x"));
	assert_false(header_is_allowed("a\x7f"));
	assert_false(header_is_allowed("\xc3\xa9"));
}

static void
templates(void **state)
{
	static const struct {
		const char *path, *want;
	} t[] = {
	    {"/users/r@x.test/calendarView/delta?$deltatoken=x",
		"GET /users/*/calendarView/delta"},
	    {"/reservations", "GET /reservations"},
	    {"/reservations/11-22/cancel", "GET /reservations/*/cancel"},
	    {"/persons?query=email=='a@b'", "GET /persons"},
	    {"/$batch", "GET /$batch"},
	    {"/users/delta", "GET /users/delta"},
	    {"/users/johnsmith/events/AAA", "GET /users/*/events/*"},
	    {"//x", "GET //*"},
	    {"/", "GET /"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_string_equal(
		    path_template(buf, sizeof(buf), "GET", t[i].path),
		    t[i].want);
	/* Cut at a segment, whatever the size. */
	for (size_t n = 5; n < sizeof(buf); n++) {
		path_template(buf, n, "GET", t[0].path);
		assert_true(strlen(buf) < n);
		assert_null(strchr(buf, '@'));
	}
}

static void
gate(void **state)
{
	struct gate g = {0};
	int64_t wait;

	(void)state;
	assert_int_equal(gate_wait(&g, 5), 0);
	/* Its own floor, with jitter of up to a half. */
	wait = gate_close(&g, 1000, 0, 0);
	assert_int_equal(wait, 1000);
	assert_int_equal(gate_wait(&g, 1500), 500);
	/* Of the same burst: longer only when the server says so. */
	assert_int_equal(gate_close(&g, 1500, 0, 0), 500);
	assert_int_equal(gate_close(&g, 1500, 3, 0), 3000);
	assert_int_equal(g.strikes, 1);
	/* The next time twice as long. */
	assert_int_equal(gate_close(&g, 5000, 0, 0), 2000);
	assert_in_range(gate_close(&g, 10000, 0, 12345), 4000, 6000);
	assert_int_equal(gate_close(&g, 100000, 30, 0), 30000);
	gate_good(&g);
	assert_int_equal(gate_close(&g, 200000, 0, 0), 1000);
	/* Never for more than ten minutes, nor ever for nothing. */
	assert_int_equal(gate_close(&g, 300000, UINT32_MAX, 0), 600000);
	assert_int_equal(gate_close(&g, 300000, UINT32_MAX, 0), 600000);
	for (int64_t now = 1000000, i = 0; i < 100; i++, now += 1000000)
		assert_in_range(
		    gate_close(&g, now, 0, (uint32_t)(i * 7919)), 1000, 96000);
}

static void
verdicts(void **state)
{
	(void)state;
	for (int idempotent = 0; idempotent < 2; idempotent++) {
		assert_int_equal(
		    answer_verdict(200, idempotent, 0, 0, 0), VERDICT_FORWARD);
		assert_int_equal(
		    answer_verdict(404, idempotent, 0, 0, 0), VERDICT_FORWARD);
		assert_int_equal(
		    answer_verdict(304, idempotent, 0, 0, 0), VERDICT_FORWARD);
		assert_int_equal(
		    answer_verdict(301, idempotent, 0, 0, 0), VERDICT_REDIRECT);
		assert_int_equal(
		    answer_verdict(429, idempotent, 5, 9, 1), VERDICT_THROTTLE);
		assert_int_equal(
		    answer_verdict(429, idempotent, 6, 0, 0), VERDICT_FORWARD);
		assert_int_equal(
		    answer_verdict(401, idempotent, 0, 0, 0), VERDICT_RENEW);
		assert_int_equal(
		    answer_verdict(401, idempotent, 0, 0, 1), VERDICT_DENIED);
	}
	assert_int_equal(answer_verdict(503, 1, 0, 0, 0), VERDICT_THROTTLE);
	assert_int_equal(answer_verdict(502, 1, 0, 1, 0), VERDICT_AGAIN);
	assert_int_equal(answer_verdict(502, 1, 0, 2, 0), VERDICT_FORWARD);
	assert_int_equal(answer_verdict(501, 1, 0, 0, 0), VERDICT_FORWARD);
	/* What may have been done is not done again. */
	for (long status = 500; status < 600; status++)
		assert_int_equal(
		    answer_verdict(status, 0, 0, 0, 0), VERDICT_FORWARD);
}

static int
parse(const char *text, struct token_answer *a)
{
	const char *why = NULL;
	int rc = token_parse((const uint8_t *)text, strlen(text), a, &why);

	assert_true(rc == 0 || why != NULL);
	return rc;
}

static void
token(void **state)
{
	struct token_answer a;

	(void)state;
	assert_int_equal(parse("{\"token_type\":\"Bearer\",\"expires_in\":3599,"
			       "\"ext_expires_in\":3599,\"refresh_in\":1800,"
			       "\"access_token\":\"abc.def\"}",
			     &a),
	    0);
	assert_string_equal(a.access_token, "abc.def");
	assert_int_equal(a.token_len, 7);
	assert_int_equal(a.expires_in, 3599);
	assert_int_equal(a.refresh_in, 1800);
	token_answer_free(&a);
	assert_null(a.access_token);
	/* AD FS and older services: numbers in strings, "bearer". */
	assert_int_equal(parse("{\"token_type\":\"bearer\",\"expires_in\":"
			       "\"60\",\"access_token\":\"x\"}",
			     &a),
	    0);
	assert_int_equal(a.expires_in, 60);
	token_answer_free(&a);
	assert_int_equal(parse("{\"error\":\"invalid_client\",\"error_codes\":"
			       "[7000215,1]}",
			     &a),
	    0);
	assert_null(a.access_token);
	assert_string_equal(a.error, "invalid_client");
	assert_int_equal(a.error_code, 7000215);
	/* Words that are not RFC 6749's are not passed on. */
	assert_int_equal(parse("{\"error\":\"<script>\"}", &a), 0);
	assert_string_equal(a.error, "error");
}

static void
token_refused(void **state)
{
	static const char *const bad[] = {"", "[]", "{}", "null", "{\"a\":1",
	    "{\"access_token\":\"x\",\"expires_in\":1}",
	    "{\"access_token\":\"x\",\"token_type\":\"Bearer\"}",
	    "{\"access_token\":\"\",\"token_type\":\"Bearer\","
	    "\"expires_in\":9}",
	    "{\"access_token\":7,\"token_type\":\"Bearer\","
	    "\"expires_in\":9}",
	    "{\"access_token\":\"a\\r\\nb\",\"token_type\":\"Bearer\","
	    "\"expires_in\":9}",
	    "{\"access_token\":\"a b\",\"token_type\":\"Bearer\","
	    "\"expires_in\":9}",
	    "{\"access_token\":\"a\",\"token_type\":\"Bearer\","
	    "\"expires_in\":-9}",
	    "{\"access_token\":\"a\",\"access_token\":\"b\","
	    "\"token_type\":\"Bearer\",\"expires_in\":9}"};
	struct token_answer a;
	char *big;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], &a), -1);
		assert_null(a.access_token);
	}
	big = malloc(20000);
	assert_non_null(big);
	strcpy(big,
	    "{\"token_type\":\"Bearer\",\"expires_in\":9,"
	    "\"access_token\":\"");
	memset(big + strlen(big), 'x', 17000);
	strcpy(big + 17000, "\"}");
	assert_int_equal(parse(big, &a), -1);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths),
	    cmocka_unit_test(templates),
	    cmocka_unit_test(gate),
	    cmocka_unit_test(verdicts),
	    cmocka_unit_test(token),
	    cmocka_unit_test(token_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
