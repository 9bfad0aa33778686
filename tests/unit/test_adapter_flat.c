/*
 * test_adapter_flat.c: JSON strings and flat elements against jansson, over
 * recorded shapes, mutated ones and random texts.  ORB_TEST_SEED=N repeats a
 * run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/flat.h"
#include "fetchd/adapter/jstr.h"
#include "fetchd/adapter/topdesk.h"
#include "tests/unit/adapter_rig.h"
#include "tests/unit/event_oracle.h"

#define SIZE(a) (sizeof(a) / sizeof((a)[0]))

static unsigned
below(unsigned n)
{
	return (unsigned)random() % n;
}

/* A character as UTF-8, of those that are not NUL nor a surrogate; how long. */
static size_t
character(char *p)
{
	static const unsigned limit[] = {0x20, 0x80, 0x800, 0x10000, 0x110000};
	static const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
	static const char *const nasty[] = {"\"", "\\", "/", "\x7f", "\x1f"};
	unsigned c, i = below(10);

	if (i >= 5) {
		i = below(SIZE(nasty));
		strcpy(p, nasty[i]);
		return 1;
	}
	do
		c = 1 + below(limit[i] - 1);
	while (c >= 0xd800 && c <= 0xdfff);
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	i = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	for (unsigned k = i; k > 0; k--, c >>= 6)
		p[k] = (char)(0x80 | (c & 0x3f));
	p[0] = (char)(lead[i] | c);
	return i + 1;
}

static void
what_is_written_is_read(void **state)
{
	struct strbuf b;
	char text[200], back[200];
	json_t *o;
	size_t n, len;

	(void)state;
	strbuf_init(&b, 4096);
	for (int i = 0; i < 50000; i++) {
		for (n = 0; n + 5 < sizeof(text) && below(40) > 0;)
			if (below(3))
				text[n++] = (char)('a' + below(26));
			else
				n += character(text + n);
		text[n] = '\0';
		strbuf_reset(&b);
		assert_int_equal(jstr_put(&b, text), 0);
		o = json_loadb(b.p, b.len, JSON_DECODE_ANY, NULL);
		assert_non_null(o);
		assert_string_equal(json_string_value(o), text);
		json_decref(o);
		assert_ptr_equal(jstr_get(b.p + 1, b.p + b.len, back, &len),
		    b.p + b.len - 1);
		assert_int_equal(len, n);
		assert_string_equal(back, text);
	}
	strbuf_free(&b);
}

static void
the_run_ends_where_it_must(void **state)
{
	uint8_t s[40];
	size_t end;

	(void)state;
	for (unsigned c = 0; c < 256; c++)
		for (unsigned at = 0; at < 24; at++)
			for (unsigned from = 0; from < 9; from++) {
				memset(s, 0x80 | c, sizeof(s));
				s[at] = (uint8_t)c;
				end = at >= from &&
					(c < 0x20 || c == '"' || c == '\\')
				    ? at
				    : 24;
				assert_ptr_equal(
				    jstr_run(s + from, s + 24), s + end);
			}
}

/* Texts that begin behind a quote, of what can go wrong in them. */
static void
strings_as_jansson_reads_them(void **state)
{
	static const char *const piece[] = {"\\u00e9", "\\u0000", "\\uD83D",
	    "\\uDE00", "\\ud83d\\ude00", "\\uDBFF\\uDFFF", "\\uD800\\u0041",
	    "\\u20ac", "\\u00", "\\u12g4", "\\n", "\\/", "\\\\", "\\\"", "\\x",
	    "\\", "\\u", "\xc3\xa9", "\xc3", "\xa9", "\xed\xa0\x80", "\xc0\x80",
	    "\xf4\x90\x80\x80", "\xf0\x9f\x98\x80", "\xef\xbf\xbe", "\x01",
	    "\x7f", "plain text that is long", "e", "\"", " "};
	char text[400], out[400];
	const char *at;
	json_t *o;
	size_t n, len;
	unsigned read = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		strcpy(text, "[\"");
		for (unsigned k = below(6); k > 0; k--)
			strcat(text, piece[below(SIZE(piece))]);
		strcat(text, "\"]");
		n = strlen(text);
		at = jstr_get(text + 2, text + n, out, &len);
		if (at && strcmp(at, "\"]") != 0)
			continue; /* it ended early; the rest is not JSON */
		o = json_loadb(text, n, 0, NULL);
		if ((at != NULL) != (o != NULL))
			fail_msg("%s: %s", text, o ? "refused" : "read");
		if (o) {
			read++;
			assert_string_equal(
			    out, json_string_value(json_array_get(o, 0)));
			assert_int_equal(len, strlen(out));
		}
		json_decref(o);
	}
	assert_in_range(read, 10000, 190000);
}

static void
atoms_as_jansson_reads_them(void **state)
{
	static const char *const atom[] = {"0", "-0", "1", "-1", "01", "-",
	    "-a", "1.", ".5", "1.5", "1e5", "1E+5", "1e", "1e+", "1e400",
	    "-1e400", "1e-400", "9223372036854775807", "9223372036854775808",
	    "-9223372036854775808", "-9223372036854775809", "true", "false",
	    "null", "nul", "truee", "true1", "1true", "+1", "1-1", "1.5.5",
	    "0x10", "00", "0.0", "E", "NaN", "nan", "inf"};
	char text[100];

	(void)state;
	for (size_t i = 0; i < SIZE(atom); i++) {
		snprintf(text, sizeof(text), "{\"id\":%s,\"subject\":\"s\"}",
		    atom[i]);
		if (!oracle_fields_agree(
			graph_schema(1)->members, text, strlen(text)))
			fail_msg("%s", text);
		snprintf(text, sizeof(text), "{\"x\":[%s,{\"id\":%s}]}",
		    atom[i], atom[i]);
		if (!oracle_fields_agree(
			graph_schema(1)->members, text, strlen(text)))
			fail_msg("%s", text);
	}
}

/* --- elements ------------------------------------------------------------------ */

struct check {
	const struct project_member *members; /* of an element */
	int event;
	unsigned elements, good;
};

static int
on_element(void *arg, int level, const char *json, size_t len)
{
	struct check *c = arg;
	struct flat f = {0};

	if (json == NULL || (level == 0 && c->event))
		return 0;
	c->elements++;
	c->good += flat_read(&f, c->members, json, len) == 0;
	flat_free(&f);
	if (!oracle_fields_agree(c->members, json, len) ||
	    (c->event && !oracle_agrees(json, len)))
		fail_msg("the readers differ about %s", json);
	return 0;
}

static void
check(struct check *c, const struct project_member *root, const char *text,
    size_t n)
{
	struct project p;

	project_init(&p, root, on_element, c);
	if (project_feed(&p, text, n) == 0)
		project_end(&p);
	project_free(&p);
}

/* One to four bytes or pieces put in, taken out or put in place of others. */
static size_t
mutate(char *to, const char *from, size_t n)
{
	static const char *const piece[] = {"\\u00e9", "\\ud83d\\ude00",
	    "\\ud83d", "\\u0000", "null", "true", "{}", "[]", "[{\"id\":1}]",
	    "\"\"", "\"occurrence\"", "\"exception\"", "\"seriesMaster\"",
	    "\"free\"", "\"declined\"", "\"2026-12-01T10:00:00+01:00\"",
	    "1e400", "-1", "\xc3", "\xc3\xa9", "\\n",
	    "\"@removed\":{\"reason\":\"x\"},", "\"subject\":null,",
	    "\"id\":7,", "W. Europe", ",", "}", "]"};
	size_t at, cut, add;
	const char *s;
	char one[2] = {0};

	memcpy(to, from, n + 1);
	for (unsigned k = 1 + below(4); k > 0; k--) {
		at = below((unsigned)n + 1);
		cut = below(3) ? 0 : below(12);
		if (cut > n - at)
			cut = n - at;
		one[0] = (char)(32 + below(224));
		s = below(3) ? piece[below(SIZE(piece))] : below(4) ? one : "";
		/* Often a whole value: behind a colon, up to a comma. */
		if (below(2) && strchr(to + at, ':')) {
			at = (size_t)(strchr(to + at, ':') + 1 - to);
			cut = strcspn(to + at, ",}");
		}
		add = strlen(s);
		memmove(to + at + add, to + at + cut, n - at - cut + 1);
		memcpy(to + at, s, add);
		n = n - cut + add;
	}
	return n;
}

/* The elements of a recorded file, by themselves and mutated. */
static void
shapes(const char *file, const struct project_member *root, struct check *c,
    int rounds)
{
	struct check whole = {c->members, c->event, 0, 0};
	char *text = rig_data(file), *m;
	size_t n = strlen(text);

	check(&whole, root, text, n);
	assert_true(whole.elements > 0 && whole.good == whole.elements);
	m = malloc(n + 400);
	for (int i = 0; i < rounds; i++)
		check(c, root, m, mutate(m, text, n));
	free(m);
	free(text);
}

static void
events_as_they_were_read_before(void **state)
{
	static const char *const files[] = {
	    "graph_page1.json", "graph_page3.json", "graph_instances.json"};
	static const char *const made[] = {
	    "{\"id\":\"a\",\"seriesMasterId\":\"m\",\"type\":\"occurrence\","
	    "\"start\":{\"dateTime\":\"2026-12-01T10:00:00.0000000\","
	    "\"timeZone\":\"UTC\"},\"end\":{\"dateTime\":"
	    "\"2026-12-01T11:00:00.0000000\",\"timeZone\":\"UTC\"}}",
	    "{\"@removed\":{\"reason\":\"deleted\"},\"id\":\"a\"}",
	    "{\"@odata.etag\":\"W/\\\"1\\\"\",\"id\":\"a\",\"iCalUId\":\"u\","
	    "\"subject\":\"caf\\u00e9 \\ud83d\\ude00\",\"sensitivity\":"
	    "\"private\",\"isAllDay\":true,\"isCancelled\":false,\"showAs\":"
	    "\"free\",\"type\":\"singleInstance\",\"responseStatus\":{"
	    "\"response\":\"accepted\"},\"start\":{\"dateTime\":"
	    "\"2026-12-01T00:00:00\",\"timeZone\":\"UTC\"},\"end\":{"
	    "\"dateTime\":\"2026-12-02T00:00:00\",\"timeZone\":\"UTC\"},"
	    "\"attendees\":12,\"organizer\":{\"emailAddress\":{\"address\":"
	    "\"a@x.test\"}},\"body\":{\"content\":\"line\\r\\nline\"}}"};
	struct check c = {graph_schema(1)->members, 1, 0, 0};
	char m[2000], page[2100];
	const char *s;

	(void)state;
	for (size_t i = 0; i < SIZE(files); i++)
		shapes(files[i], graph_schema(1), &c, 3000);
	/* Elements by themselves: half of them still get as far as a field. */
	for (int i = 0; i < 60000; i++) {
		s = made[below(SIZE(made))];
		mutate(m, s, strlen(s));
		snprintf(page, sizeof(page), "{\"value\":[%s]}", m);
		check(&c, graph_schema(1), page, strlen(page));
	}
	assert_true(c.good > 20000 && c.good < c.elements);
}

static void
answers_as_jansson_reads_them(void **state)
{
	struct check batch = {
	    graph_batch_schema(1)->members[0].members, 0, 0, 0};
	struct check list = {topdesk_one_schema->members, 0, 0, 0};
	char text[600], m[1000];
	size_t n;

	(void)state;
	shapes("topdesk_list.json", topdesk_list_schema, &list, 3000);
	n = (size_t)snprintf(text, sizeof(text),
	    "{\"responses\":[{\"id\":\"3\",\"status\":429,\"headers\":{"
	    "\"retry-after\":\"7\",\"Retry-After\":\"8\"},\"body\":{\"error\":{"
	    "\"code\":\"c\"}}},{\"body\":{\"id\":\"event\",\"@odata.nextLink\":"
	    "\"n\",\"subject\":\"s\"},\"id\":\"4\",\"status\":200}]}");
	for (int i = 0; i < 30000; i++)
		check(&batch, graph_batch_schema(1), m, mutate(m, text, n));
	assert_true(batch.good > 10000);
}

/* What no projection would give, cut anywhere: refused, and nothing read
 * outside of it. */
static void
the_reader_does_not_trust(void **state)
{
	static const char whole[] = "{\"id\":\"a\\u00e9\",\"x\":[1,{\"y\":[]}],"
				    "\"start\":{\"dateTime\":\"t\"}}";
	struct flat f = {0};
	char *s;

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		s = strndup(whole, n);
		assert_int_equal(
		    flat_read(&f, graph_schema(0)->members, s, n), -1);
		assert_null(flat_string(&f, GRAPH_ID));
		free(s);
	}
	assert_int_equal(
	    flat_read(&f, graph_schema(0)->members, whole, sizeof(whole) - 1),
	    0);
	assert_string_equal(flat_text(&f, GRAPH_ID), "a\xc3\xa9");
	assert_string_equal(flat_text(&f, GRAPH_START), "t");
	s = calloc(1, 400);
	memset(s, '[', 200);
	memset(s + 200, ']', 199);
	assert_int_equal(
	    flat_read(&f, graph_schema(0)->members, s, strlen(s)), -1);
	free(s);
	flat_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(the_run_ends_where_it_must),
	    cmocka_unit_test(strings_as_jansson_reads_them),
	    cmocka_unit_test(atoms_as_jansson_reads_them),
	    cmocka_unit_test(events_as_they_were_read_before),
	    cmocka_unit_test(answers_as_jansson_reads_them),
	    cmocka_unit_test(the_reader_does_not_trust)};
	const char *env = getenv("ORB_TEST_SEED");
	unsigned seed = env ? (unsigned)strtoul(env, NULL, 0) : 20261123;

	printf("# seed %u\n", seed);
	srandom(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
