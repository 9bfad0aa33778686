/* test_adapter_project.c: the projection, in chunks of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/graph.h"
#include "fetchd/adapter/project.h"
#include "fetchd/adapter/topdesk.h"
#include "tests/unit/adapter_rig.h"

static struct strbuf seen;
static struct project parser;
static int refuse_at = -1;

static int
take(void *arg, int level, const char *json, size_t len)
{
	(void)arg;
	if (level == refuse_at)
		return -1;
	assert_true(json == NULL || strlen(json) == len);
	strbuf_fmt(&seen, "%d[%s,%s]%s\n", level, project_slot(&parser, 1),
	    project_slot(&parser, 2), json ? json : "TOO BIG");
	return 0;
}

/* What comes out of text in chunks of n; "ERROR why" when it is refused. */
static const char *
run(const struct project_member *root, const char *text, size_t n)
{
	size_t len = strlen(text), i, k;
	int rc = 0;

	strbuf_free(&seen);
	strbuf_init(&seen, 64 * 1024 * 1024);
	project_init(&parser, root, take, NULL);
	for (i = 0; i < len && rc == 0; i += k) {
		k = len - i < n ? len - i : n;
		rc = project_feed(&parser, text + i, k);
	}
	if (rc == 0)
		rc = project_end(&parser);
	if (rc) {
		assert_non_null(parser.error);
		strbuf_fmt(&seen, "ERROR %s", parser.error);
		/* And it stays an error. */
		assert_int_equal(project_feed(&parser, "{}", 2), -1);
		assert_int_equal(project_end(&parser), -1);
	}
	project_free(&parser);
	return strbuf_get(&seen);
}

#define GRAPH graph_schema(0)

static void
only_what_is_allowed(void **state)
{
	(void)state;
	assert_string_equal(
	    run(GRAPH,
		"{\"x\":[{\"id\":1},\"]}\\\"\"],\"value\":[{\"id\":\"a\","
		"\"body\":{\"content\":\"C\"},\"attendees\":[{},{\"a\":[1]},3],"
		"\"start\":{\"dateTime\":\"t\",\"more\":{}}}],"
		"\"@odata.nextLink\":\"n\"}",
		1000),
	    "1[,]{\"id\":\"a\",\"attendees\":3,\"start\":{\"dateTime\":\"t\"}}"
	    "\n"
	    "0[,]{\"@odata.nextLink\":\"n\"}\n");
	/* Not even with policy.body unless asked for, and then only that. */
	assert_string_equal(
	    run(graph_schema(1),
		"{\"id\":\"a\",\"body\":{\"content\":\"C\",\"x\":1}}", 1000),
	    "0[,]{\"id\":\"a\",\"body\":{\"content\":\"C\"}}\n");
}

static void
no_canary_gets_through(void **state)
{
	char *s = rig_data("graph_page1.json"), *t;

	(void)state;
	t = strdup(run(GRAPH, s, 7));
	assert_null(strstr(t, "CANARY"));
	assert_non_null(strstr(t, "stand-up"));
	free(t);
	free(s);
	s = rig_data("topdesk_list.json");
	assert_null(strstr(run(topdesk_list_schema, s, 7), "CANARY"));
	assert_non_null(strstr(run(topdesk_list_schema, s, 7), "R 2612 001"));
	free(s);
}

static void
chunks_make_no_difference(void **state)
{
	static const char *const files[] = {"graph_page1.json",
	    "graph_page2.json", "graph_page3.json", "graph_master2.json"};
	char *s, *whole;

	(void)state;
	for (size_t f = 0; f < 4; f++) {
		s = rig_data(files[f]);
		whole = strdup(run(GRAPH, s, 1 << 20));
		assert_null(strstr(whole, "ERROR"));
		for (size_t n = 1; n < 40; n++)
			assert_string_equal(run(GRAPH, s, n), whole);
		free(whole);
		free(s);
	}
}

static void
a_batch_streams_twice(void **state)
{
	(void)state;
	assert_string_equal(
	    run(graph_batch_schema(0),
		"{\"responses\":[{\"id\":\"7\",\"status\":200,\"body\":"
		"{\"value\":[{\"id\":\"a\"},{\"id\":\"b\"}],"
		"\"@odata.deltaLink\":\"d\"}},"
		"{\"body\":{\"value\":[{\"id\":\"c\"}]},\"id\":\"8\"}]}",
		3),
	    "2[7,200]{\"id\":\"a\"}\n2[7,200]{\"id\":\"b\"}\n"
	    "1[7,200]{\"id\":\"7\",\"status\":200,\"body\":"
	    "{\"@odata.deltaLink\":\"d\"}}\n"
	    "2[,]{\"id\":\"c\"}\n1[8,]{\"body\":{},\"id\":\"8\"}\n"
	    "0[8,]{}\n");
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"{\"id\":1,\"id\":2}", "a member comes twice in one object"},
	    {"{\"id\":1", "the answer ends in the middle"},
	    {"", "the answer ends in the middle"},
	    {"{\"id\":1}}", "more bytes after the end"},
	    {"{\"id\":1]", "brackets do not match"},
	    {"[1}", "brackets do not match"},
	    {"{\"id\" 1}", "a colon was expected"},
	    {"{\"id\":}", "a value was expected"},
	    {"{\"id\":1 \"b\":2}", "a comma was expected"},
	    {"{1:2}", "a member's name was expected"},
	    {"{\"id\":1,}", "a member's name was expected"},
	    {"\"text\"", "neither an object nor an array"},
	    {"<html>", "neither an object nor an array"},
	    {"{\"a\":\"\n\"}", "a control character in a string"},
	};
	char deep[200], want[100];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t n = 1; n < 20; n += 18) {
			snprintf(want, sizeof(want), "ERROR %s", cases[i].why);
			assert_string_equal(run(GRAPH, cases[i].text, n), want);
		}
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_string_equal(
	    run(GRAPH, deep, 9), "ERROR the answer is nested too deeply");
}

static void
a_large_element_goes_alone(void **state)
{
	size_t n = 1200 * 1000;
	char *s = malloc(n + 400);

	(void)state;
	strcpy(s, "{\"value\":[{\"id\":\"a\"},{\"id\":\"b\",\"subject\":\"");
	memset(s + strlen(s), 'x', n);
	memset(s + n + 40, 0, 300);
	strcat(s, "\"},{\"id\":\"c\"}],\"@odata.nextLink\":\"n\"}");
	assert_string_equal(run(GRAPH, s, 16000),
	    "1[,]{\"id\":\"a\"}\n1[,]TOO BIG\n1[,]{\"id\":\"c\"}\n"
	    "0[,]{\"@odata.nextLink\":\"n\"}\n");
	/* One that nobody keeps may be as large as it likes. */
	memcpy(strstr(s, "subject"), "xubject", 7);
	assert_string_equal(run(GRAPH, s, 16000),
	    "1[,]{\"id\":\"a\"}\n1[,]{\"id\":\"b\"}\n1[,]{\"id\":\"c\"}\n"
	    "0[,]{\"@odata.nextLink\":\"n\"}\n");
	free(s);
}

static void
kinds_that_do_not_fit_are_dropped(void **state)
{
	(void)state;
	assert_string_equal(
	    run(GRAPH,
		"{\"id\":{\"id\":1},\"subject\":[\"s\"],\"start\":null,"
		"\"value\":{\"id\":2},\"attendees\":\"many\",\"type\":\"t\","
		"\"\\u0069d\":3}",
		2),
	    "0[,]{\"type\":\"t\"}\n");
	assert_string_equal(
	    run(GRAPH, "{\"value\":[1,\"a\",[{}],{\"id\":1}]}", 2),
	    "1[,]{\"id\":1}\n0[,]{}\n");
	assert_string_equal(
	    run(topdesk_error_schema, "[{\"message\":\"m\"},{\"x\":1}]", 2),
	    "0[,][{\"message\":\"m\"},{}]\n");
}

static void
a_taker_may_refuse(void **state)
{
	(void)state;
	refuse_at = 1;
	assert_string_equal(run(GRAPH, "{\"value\":[{\"id\":1}]}", 2),
	    "ERROR the answer cannot be used");
	refuse_at = -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_what_is_allowed),
	    cmocka_unit_test(no_canary_gets_through),
	    cmocka_unit_test(chunks_make_no_difference),
	    cmocka_unit_test(a_batch_streams_twice), cmocka_unit_test(refused),
	    cmocka_unit_test(a_large_element_goes_alone),
	    cmocka_unit_test(kinds_that_do_not_fit_are_dropped),
	    cmocka_unit_test(a_taker_may_refuse)};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	strbuf_free(&seen);
	return rc;
}
