/* test_adapter_query.c: what goes into URLs and bodies; times; links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/query.h"
#include "fetchd/adapter/topdesk.h"

static struct strbuf b;

static const char *
fiql(const char *s)
{
	strbuf_reset(&b);
	assert_int_equal(query_fiql(&b, s), 0);
	return b.p;
}

static void
fiql_quotes(void **state)
{
	(void)state;
	assert_string_equal(fiql("11111111-0000-4000-8000-00000000000a"),
	    "11111111-0000-4000-8000-00000000000a");
	assert_string_equal(fiql("a@b.nl"), "%27a%40b.nl%27");
	assert_string_equal(fiql("o'neill\\x"), "%27o%5C%27neill%5C%5Cx%27");
	assert_string_equal(fiql("');archived==true,(id=='"),
	    "%27%5C%27%29%3Barchived%3D%3Dtrue%2C%28id%3D%3D%5C%27%27");
	assert_string_equal(fiql("a&b#c%d+e"), "%27a%26b%23c%25d%2Be%27");
	assert_string_equal(fiql(""), "%27%27");
	assert_string_equal(fiql("\xc3\xa9"), "%27%C3%A9%27");
}

static const char *
link_of(const char *s)
{
	static const struct conf_url base = {
	    "https://graph.test/v1.0", "graph.test", 443, "/v1.0"};

	return query_link(&base, s, &b) ? "refused" : b.p;
}

static void
links(void **state)
{
	static const char *const bad[] = {"http://graph.test/v1.0/users/r/x",
	    "https://evil.test/v1.0/users/r",
	    "https://graph.test.evil/v1.0/users/r",
	    "https://graph.test@evil.test/v1.0/users/r",
	    "https://evil.test\\@graph.test/v1.0/users/r",
	    "https://graph.test:444/v1.0/users/r",
	    "https://graph.test:443x/v1.0/users/r",
	    "https://graph.test:/v1.0/users/r",
	    "https://graph.test/beta/users/r",
	    "https://graph.test/v1.0x/users/r",
	    "https://graph.test/v1.0/me/messages",
	    "https://graph.test/v1.0/usersx",
	    "https://graph.test/v1.0/users/../groups",
	    "https://graph.test/v1.0/users/%2e%2E/groups",
	    "https://graph.test/v1.0/users/..%2fgroups",
	    "https://graph.test/v1.0/users/%252e%252e/groups",
	    "https://graph.test/v1.0/users/%zz",
	    "https://graph.test/v1.0/users/r#f",
	    "https://graph.test/v1.0/users/r\r\nHost: x",
	    "https://graph.test/v1.0/users/r x",
	    "https://graph.test/v1.0/users/\xc3\xa9",
	    "//graph.test/v1.0/users/r", "/users/r", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(link_of(bad[i]), "refused");
	assert_string_equal(
	    link_of("HTTPS://Graph.Test:443/v1.0/users/r@x/delta?$t=a%2Fb.."),
	    "/users/r@x/delta?$t=a%2Fb..");
	assert_string_equal(link_of("https://graph.test/v1.0/users('r')/x?a"),
	    "/users('r')/x?a");
	assert_true(query_is_path("/users/r/calendarView/delta?$deltatoken=x"));
	assert_false(query_is_path("/me"));
	assert_false(query_is_path("https://graph.test/v1.0/users/r"));
}

static void
times(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} good[] = {{"1970-01-01T00:00:00Z", 0},
	    {"2026-12-01T10:00:00.0000000", 1796119200},
	    {"2026-12-01T11:00:00+01:00", 1796119200},
	    {"2026-12-01T05:30:00.5-0430", 1796119200},
	    {"2026-12-01T10:00Z", 1796119200}, {"2024-02-29", 1709164800},
	    {"0001-01-01T00:00:00Z", MOMENT_MIN},
	    {"9999-12-31T23:59:59Z", MOMENT_MAX}};
	static const char *const bad[] = {"", "2026", "2026-13-01",
	    "2026-02-29", "1900-02-29", "2026-12-01T24:00:00",
	    "2026-12-01T10:60:00", "2026-12-01T10:00:00X",
	    "2026-12-01T10:00:00+1", "tomorrow", "2026-12-01T10:00:00+01:00x",
	    "0000-01-01", "2026-1-1"};
	char t[MOMENT_TEXT];
	int64_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(moment_parse(good[i].text, &at), 0);
		assert_int_equal(at, good[i].at);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(moment_parse(bad[i], &at), -1);
	/* There and back over four centuries. */
	for (int64_t d = -146097; d < 146097; d += 13) {
		assert_int_equal(
		    moment_parse(moment_text(d * 86400 + 3661, t), &at), 0);
		assert_int_equal(at, d * 86400 + 3661);
	}
	assert_string_equal(moment_text(INT64_MIN, t), "0001-01-01T00:00:00Z");
	assert_string_equal(moment_text(INT64_MAX, t), "9999-12-31T23:59:59Z");
	assert_int_equal(moment_minute(-1), -60);
	assert_int_equal(moment_date(86400 + 23 * 3600), 2 * 86400);
	assert_int_equal(moment_date(86400 + 5 * 3600), 86400);
}

static void
cut_between_characters(void **state)
{
	char out[9];

	(void)state;
	topdesk_cut(out, sizeof(out), "caf\xc3\xa9s", 4);
	assert_string_equal(out, "caf\xc3\xa9");
	topdesk_cut(out, sizeof(out), "1234567\xc3\xa9", 100);
	assert_string_equal(out, "1234567");
	topdesk_cut(out, sizeof(out), "123456\xc3\xa9", 100);
	assert_string_equal(out, "123456\xc3\xa9");
	topdesk_cut(out, sizeof(out), "", 100);
	assert_string_equal(out, "");
}

static const char *
error_text(const char *json)
{
	static char text[300];
	json_t *o = json_loads(json, 0, NULL);

	topdesk_error_text(o, text, sizeof(text));
	json_decref(o);
	return text;
}

static void
errors_name_nobody(void **state)
{
	(void)state;
	assert_string_equal(
	    error_text("{\"errors\":[{\"errorCode\":\"INVALID\","
		       "\"errorMessage\":\"no 'Ada Lovelace' or ada@x.nl "
		       "here\"}]}"),
	    "INVALID: no ... or ... here");
	assert_string_equal(
	    error_text("[{\"message\":\"User archived\"}]"), "User archived");
	assert_string_equal(error_text("{\"message\":\"m\\u0007\"}"), "m ");
	assert_string_equal(
	    error_text("{\"error\":{\"code\":\"c\",\"message\":\"it's\"}}"),
	    "c: it's");
	assert_string_equal(error_text("{}"), "");
	assert_string_equal(error_text("[]"), "");
}

static void
bodies(void **state)
{
	struct msg_adapter_create m = {"orb1:x", "room-id", "", 1796119200,
	    1796122800, 200000, "caf\xc3\xa9 \"x\"", ""};
	struct msg_adapter_edit e = {"id", "s", "p", "l"};

	(void)state;
	assert_int_equal(topdesk_body_create(&b, &m, "7301", "fallback", 0), 0);
	assert_string_equal(b.p,
	    "{\"requester\":{\"id\":\"fallback\"},\"plannedStartDate\":"
	    "\"2026-12-01T10:00:00Z\",\"plannedEndDate\":"
	    "\"2026-12-01T11:00:00Z\",\"reservedFacilities\":[{\"location\":"
	    "{\"id\":\"room-id\"}}],\"briefDescription\":\"caf\xc3\xa9 "
	    "\\\"x\\\"\",\"numberOfPersons\":99999,\"externalLink\":{\"id\":"
	    "\"orb1:x\",\"type\":\"7301\",\"date\":\"1970-01-01T00:00:00Z\"}}");
	m.attendee_count = 0;
	m.link = "";
	m.body = "one\ntwo\t\"three\"";
	topdesk_body_create(&b, &m, "7301", "fallback", 0);
	assert_null(strstr(b.p, "numberOfPersons"));
	assert_null(strstr(b.p, "externalLink"));
	assert_non_null(
	    strstr(b.p, ",\"notes\":\"one\\ntwo\\t\\\"three\\\"\"}"));
	topdesk_body_edit(&b, &e, "7301", 0);
	assert_string_equal(b.p,
	    "{\"briefDescription\":\"s\",\"requester\":{\"id\":\"p\"},"
	    "\"externalLink\":{\"id\":\"l\",\"type\":\"7301\",\"date\":"
	    "\"1970-01-01T00:00:00Z\"}}");
	e = (struct msg_adapter_edit){"id", "", "p", ""};
	topdesk_body_edit(&b, &e, "7301", 0);
	assert_string_equal(b.p, "{\"requester\":{\"id\":\"p\"}}");
	topdesk_body_reschedule(&b, 0, 60);
	assert_string_equal(b.p,
	    "{\"plannedStartDate\":\"1970-01-01T00:00:00Z\","
	    "\"plannedEndDate\":\"1970-01-01T00:01:00Z\"}");
	topdesk_body_move(&b, "a", "b");
	assert_string_equal(b.p,
	    "{\"from\":{\"location\":{\"id\":\"a\"}},"
	    "\"to\":{\"location\":{\"id\":\"b\"}}}");
	topdesk_body_cancel(&b, "11111111-0000-4000-8000-00000000000a");
	assert_string_equal(
	    b.p, "{\"id\":\"11111111-0000-4000-8000-00000000000a\"}");
	topdesk_body_cancel(&b, "Not needed");
	assert_string_equal(b.p, "{\"name\":\"Not needed\"}");
	topdesk_body_cancel(&b, "");
	assert_string_equal(b.p, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fiql_quotes),
	    cmocka_unit_test(links), cmocka_unit_test(times),
	    cmocka_unit_test(cut_between_characters),
	    cmocka_unit_test(errors_name_nobody), cmocka_unit_test(bodies)};
	int rc;

	strbuf_init(&b, 20000);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	strbuf_free(&b);
	return rc;
}
