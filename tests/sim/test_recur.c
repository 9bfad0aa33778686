/*
 * test_recur.c: zones and recurrences of the simulator: wall time across the
 * changes of the clocks, months without a 31st, every second week, exceptions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exchange.h"
#include "text.h"

static int64_t
at(const char *s)
{
	int64_t t;

	assert_int_equal(when_parse(s, &t, NULL), 0);
	return t;
}

/* Expands a rule and compares the starts with a list of texts. */
static void
expand(const char *zone, const char *start, const char *rule,
    const char *const *want)
{
	struct event e = {0};
	struct occurrences l = {0};
	json_t *j = json_loads(rule, 0, NULL);
	const char *why = "";
	char got[32];
	size_t i;

	e.zone = zone_find(zone);
	assert_non_null(e.zone);
	e.start = zone_utc(e.zone, at(start));
	e.end = e.start + 1800;
	if (recurrence_parse(j, &e.rec, &why) == -1)
		fail_msg("%s", why);
	event_occurrences(
	    &e, at("2026-01-01T00:00:00Z"), at("2029-01-01T00:00:00Z"), &l);
	for (i = 0; i < l.n && want[i] != NULL; i++) {
		when_print(l.v[i].start, got);
		assert_string_equal(got, want[i]);
	}
	assert_int_equal(i, l.n);
	assert_null(want[i]);
	free(l.v);
	free(e.rec);
	json_decref(j);
}

#define RULE(p, r) "{\"pattern\":{" p "},\"range\":{" r "}}"

static void
recur_dst(void **state)
{
	(void)state;
	expand("W. Europe Standard Time", "2026-10-23T09:00:00",
	    RULE("\"type\":\"daily\",\"interval\":2",
		"\"type\":\"numbered\",\"startDate\":\"2026-10-23\","
		"\"numberOfOccurrences\":3"),
	    (const char *const[]){"2026-10-23T07:00:00Z",
		"2026-10-25T08:00:00Z", "2026-10-27T08:00:00Z", NULL});
	/* a time that does not exist, and one that happens twice */
	expand("Europe/Amsterdam", "2027-03-27T02:30:00",
	    RULE("\"type\":\"daily\",\"interval\":1",
		"\"type\":\"endDate\",\"startDate\":\"2027-03-27\","
		"\"endDate\":\"2027-03-29\""),
	    (const char *const[]){"2027-03-27T01:30:00Z",
		"2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z", NULL});
	expand("Europe/Amsterdam", "2027-10-31T02:30:00",
	    RULE("\"type\":\"daily\",\"interval\":1",
		"\"type\":\"numbered\",\"startDate\":\"2027-10-31\","
		"\"numberOfOccurrences\":1"),
	    (const char *const[]){"2027-10-31T01:30:00Z", NULL});
	expand("New Zealand Standard Time", "2027-04-02T08:00:00",
	    RULE("\"type\":\"daily\",\"interval\":2",
		"\"type\":\"numbered\",\"startDate\":\"2027-04-02\","
		"\"numberOfOccurrences\":2"),
	    (const char *const[]){
		"2027-04-01T19:00:00Z", "2027-04-03T20:00:00Z", NULL});
}

static void
recur_patterns(void **state)
{
	(void)state;
	/* every second week: the first day of the week decides */
	expand("UTC", "2027-01-05T10:00:00",
	    RULE("\"type\":\"weekly\","
		 "\"interval\":2,\"daysOfWeek\":[\"sunday\",\"tuesday\"],"
		 "\"firstDayOfWeek\":\"sunday\"",
		"\"type\":\"numbered\","
		"\"startDate\":\"2027-01-05\",\"numberOfOccurrences\":3"),
	    (const char *const[]){"2027-01-05T10:00:00Z",
		"2027-01-17T10:00:00Z", "2027-01-19T10:00:00Z", NULL});
	expand("UTC", "2027-01-05T10:00:00",
	    RULE("\"type\":\"weekly\","
		 "\"interval\":2,\"daysOfWeek\":[\"sunday\",\"tuesday\"],"
		 "\"firstDayOfWeek\":\"monday\"",
		"\"type\":\"numbered\","
		"\"startDate\":\"2027-01-05\",\"numberOfOccurrences\":3"),
	    (const char *const[]){"2027-01-05T10:00:00Z",
		"2027-01-10T10:00:00Z", "2027-01-19T10:00:00Z", NULL});
	expand("UTC", "2027-01-31T10:00:00",
	    RULE(
		"\"type\":\"absoluteMonthly\",\"interval\":1,\"dayOfMonth\":31",
		"\"type\":\"endDate\",\"startDate\":\"2027-01-31\","
		"\"endDate\":\"2027-04-30\""),
	    (const char *const[]){"2027-01-31T10:00:00Z",
		"2027-02-28T10:00:00Z", "2027-03-31T10:00:00Z",
		"2027-04-30T10:00:00Z", NULL});
	expand("UTC", "2027-01-29T10:00:00",
	    RULE("\"type\":\"relativeMonthly\",\"interval\":1,"
		 "\"daysOfWeek\":[\"friday\"],\"index\":\"last\"",
		"\"type\":\"numbered\",\"startDate\":\"2027-01-29\","
		"\"numberOfOccurrences\":3"),
	    (const char *const[]){"2027-01-29T10:00:00Z",
		"2027-02-26T10:00:00Z", "2027-03-26T10:00:00Z", NULL});
	expand("UTC", "2027-02-02T10:00:00",
	    RULE("\"type\":\"relativeMonthly\",\"interval\":1,"
		 "\"daysOfWeek\":[\"monday\",\"tuesday\"],\"index\":\"second\"",
		"\"type\":\"numbered\",\"startDate\":\"2027-02-01\","
		"\"numberOfOccurrences\":2"),
	    (const char *const[]){
		"2027-02-02T10:00:00Z", "2027-03-02T10:00:00Z", NULL});
	expand("UTC", "2026-02-28T10:00:00",
	    RULE("\"type\":\"absoluteYearly\",\"interval\":1,\"dayOfMonth\":29,"
		 "\"month\":2",
		"\"type\":\"noEnd\","
		"\"startDate\":\"2026-02-28\""),
	    (const char *const[]){"2026-02-28T10:00:00Z",
		"2027-02-28T10:00:00Z", "2028-02-29T10:00:00Z", NULL});
}

static void
recur_refused(void **state)
{
	static const char *const bad[] = {RULE("\"type\":\"daily\"",
					      "\"type\":\"noEnd\","
					      "\"startDate\":\"2027-01-01\""),
	    RULE("\"type\":\"daily\",\"interval\":1,\"dayOfMonth\":3",
		"\"type\":\"noEnd\",\"startDate\":\"2027-01-01\""),
	    RULE("\"type\":\"weekly\",\"interval\":1",
		"\"type\":\"noEnd\",\"startDate\":\"2027-01-01\""),
	    RULE("\"type\":\"daily\",\"interval\":1",
		"\"type\":\"endDate\",\"startDate\":\"2027-01-01\""),
	    "{}", "[]", NULL};
	struct recurrence *r;
	const char *why;
	json_t *j;
	int i;

	(void)state;
	for (i = 0; bad[i] != NULL; i++) {
		j = json_loads(bad[i], 0, NULL);
		assert_int_equal(recurrence_parse(j, &r, &why), -1);
		json_decref(j);
	}
}

static void
zone_names(void **state)
{
	(void)state;
	assert_null(zone_find("Nowhere Standard Time"));
	assert_null(zone_find("../../etc/passwd"));
	assert_null(zone_find(""));
	/* far beyond the table in the file: the rule goes on */
	assert_int_equal(zone_wall(zone_find("Europe/Amsterdam"),
			     at("2061-07-01T10:00:00Z")),
	    at("2061-07-01T12:00:00Z"));
	assert_int_equal(zone_wall(zone_find("India Standard Time"),
			     at("2027-07-01T10:00:00Z")),
	    at("2027-07-01T15:30:00Z"));
}

static void
uids(void **state)
{
	char out[128];

	(void)state;
	uid_of_occurrence("040000008200E00074C5B7101A82E00800000000AABB",
	    at("2027-03-16T08:00:00Z"), out, sizeof(out));
	assert_string_equal(
	    out, "040000008200E00074C5B7101A82E00807EB0310AABB");
	uid_of_occurrence("short", 0, out, sizeof(out));
	assert_string_equal(out, "short");
}

static int
teardown(void **state)
{
	(void)state;
	zone_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recur_dst),
	    cmocka_unit_test(recur_patterns),
	    cmocka_unit_test(recur_refused),
	    cmocka_unit_test(zone_names),
	    cmocka_unit_test(uids),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
