/*
 * test_wire.c: the cursors: round trips, every cut, every limit, and messages
 * mutated byte by byte (whatever comes, decoding ends and stays inside).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/chan.h"
#include "lib/messages.h"
#include "lib/wire.h"

static struct wire_in
reader(const struct wire_out *w, size_t len)
{
	return (struct wire_in){w->buf, w->buf + len, 0};
}

static void
integers_round_trip(void **state)
{
	struct wire_out w;
	struct wire_in r;
	uint8_t a;
	uint16_t b;
	uint32_t c;
	uint64_t d;
	int64_t e;

	(void)state;
	wire_out_init(&w, 100);
	wire_put_u8(&w, 0xfe);
	wire_put_u16(&w, 0xfedc);
	wire_put_u32(&w, 0xfedcba98);
	wire_put_u64(&w, UINT64_C(0xfedcba9876543210));
	wire_put_i64(&w, -5);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.len, 23);
	assert_int_equal(w.buf[1], 0xfe); /* big endian */
	r = reader(&w, w.len);
	wire_get_u8(&r, &a);
	wire_get_u16(&r, &b);
	wire_get_u32(&r, &c);
	wire_get_u64(&r, &d);
	wire_get_i64(&r, &e);
	assert_int_equal(wire_end(&r), 0);
	assert_int_equal(a, 0xfe);
	assert_int_equal(b, 0xfedc);
	assert_int_equal(c, 0xfedcba98);
	assert_true(d == UINT64_C(0xfedcba9876543210));
	assert_true(e == -5);
	wire_out_free(&w);
}

static void
string_limits(void **state)
{
	struct wire_out w;
	struct wire_in r;
	const char *s;

	(void)state;
	wire_out_init(&w, 100);
	assert_int_equal(wire_put_str(&w, "12345", 5), 0);
	assert_int_equal(wire_put_str(&w, NULL, 5), 0);
	r = reader(&w, w.len);
	assert_int_equal(wire_get_str(&r, &s, 5), 0);
	assert_string_equal(s, "12345");
	assert_int_equal(wire_get_str(&r, &s, 5), 0);
	assert_string_equal(s, "");
	r = reader(&w, w.len);
	assert_int_equal(wire_get_str(&r, &s, 4), -1);
	assert_string_equal(s, "");
	/* Too long to put: an error that sticks, never a cut. */
	assert_int_equal(wire_put_str(&w, "123456", 5), -1);
	assert_int_equal(wire_put_u8(&w, 1), -1);
	wire_out_free(&w);
}

/* What a string on the wire must not contain. */
static void
string_contents(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int str, text;
	} t[] = {
	    {"plain", 5, 0, 0}, {"gr\xc3\xbc\xc3\x9f", 6, 0, 0},
	    {"\xf0\x9f\x93\x85", 4, 0, 0}, {"a\nb\tc", 5, -1, 0},
	    {"a\rb", 3, -1, -1}, {"a\x7f", 2, -1, -1}, {"a\0b", 3, -1, -1},
	    {"\xc0\xaf", 2, -1, -1},         /* overlong */
	    {"\xed\xa0\x80", 3, -1, -1},     /* surrogate */
	    {"\xf4\x90\x80\x80", 4, -1, -1}, /* above U+10FFFF */
	    {"\xe2\x82", 2, -1, -1},         /* cut */
	};
	struct wire_out w;
	struct wire_in r;
	const char *s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		wire_out_init(&w, 100);
		wire_put_u16(&w, (uint16_t)t[i].len);
		for (size_t k = 0; k < t[i].len; k++)
			wire_put_u8(&w, (uint8_t)t[i].bytes[k]);
		wire_put_u8(&w, 0);
		r = reader(&w, w.len);
		assert_int_equal(wire_get_str(&r, &s, 50), t[i].str);
		r = reader(&w, w.len);
		assert_int_equal(wire_get_text(&r, &s, 50), t[i].text);
		wire_out_free(&w);
	}
}

/* Every byte at every place of strings of every length up to three words: the
 * look at eight bytes at a time decides as the look at one does. */
static void
string_every_byte(void **state)
{
	uint8_t b[2 + 24 + 1];
	struct wire_in r;
	const char *s;
	int good;

	(void)state;
	for (size_t len = 1; len <= 24; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned c = 0; c < 256; c++) {
				memset(b, 'a', sizeof(b));
				b[0] = 0;
				b[1] = (uint8_t)len;
				b[2 + at] = (uint8_t)c;
				b[2 + len] = 0;
				good = c >= 0x20 && c < 0x7f;
				r = (struct wire_in){b, b + 3 + len, 0};
				assert_int_equal(
				    wire_get_str(&r, &s, 24), good ? 0 : -1);
				good |= c == '\n' || c == '\t';
				r = (struct wire_in){b, b + 3 + len, 0};
				assert_int_equal(
				    wire_get_text(&r, &s, 24), good ? 0 : -1);
			}
}

static void
clean_cuts_on_characters(void **state)
{
	char b[16];

	(void)state;
	assert_string_equal(
	    wire_clean(b, sizeof(b), "a\nb\x01\xff", 99), "a b ?");
	assert_string_equal(wire_clean(b, sizeof(b), "abc\xc3\xbc", 4), "abc");
	assert_string_equal(wire_clean(b, 5, "abc\xc3\xbc", 99), "abc");
	assert_string_equal(wire_clean(b, sizeof(b), NULL, 99), "");
	assert_string_equal(wire_clean(b, sizeof(b), "\xe2\x82", 99), "??");
}

static void
a_list_that_lies(void **state)
{
	struct wire_out items, w;
	struct wire_list l, got;
	struct wire_in r;
	const char *s;
	uint32_t n;

	(void)state;
	wire_out_init(&items, 100);
	wire_put_str(&items, "one", 10);
	wire_put_str(&items, "two", 10);
	/* count says 2, 1 and 3: only the truth is taken. */
	for (n = 1; n <= 3; n++) {
		l = wire_list_of(&items, n);
		wire_out_init(&w, 100);
		wire_put_list(&w, &l, 10);
		r = reader(&w, w.len);
		assert_int_equal(
		    wire_get_strs(&r, &got, 10, 10), n == 2 ? 0 : -1);
		if (n == 2) {
			r = wire_list_open(&got);
			assert_int_equal(wire_next_str(&r, &s), 1);
			assert_string_equal(s, "one");
			assert_int_equal(wire_next_str(&r, &s), 1);
			assert_int_equal(wire_next_str(&r, &s), 0);
		} else
			assert_int_equal(got.count, 0);
		wire_out_free(&w);
	}
	wire_out_free(&items);
}

static struct booking
sample(struct wire_out *attendees)
{
	struct booking b = {.room = "room1@example.org",
	    .uid = "040000008200",
	    .start = 1796119200,
	    .end = 1796122800,
	    .state = 0,
	    .subject = "Planung \xc3\xbc"
		       "ber alles",
	    .organiser = "a@b.example",
	    .attendee_count = 2,
	    .body = "line\nline",
	    .change_tag = "W/1",
	    .remote_id = "AAMkAD/+=",
	    .number = "R 1",
	    .series_id = "",
	    .link = "orb1:abc"};

	wire_out_init(attendees, 1000);
	wire_put_str(attendees, "x@b.example", 254);
	wire_put_str(attendees, "y@b.example", 254);
	b.attendees = wire_list_of(attendees, 2);
	return b;
}

/* Every prefix of a message is refused, and so is one byte more. */
static void
every_cut_is_refused(void **state)
{
	struct wire_out att, w;
	struct msg_mapd_booking m = {sample(&att)}, got;
	struct packet p = {.type = MSG_MAPD_BOOKING};

	(void)state;
	wire_out_init(&w, 10000);
	assert_int_equal(mapd_booking_put(&w, &m), 0);
	p.data = w.buf;
	for (p.len = 0; p.len < w.len; p.len++)
		assert_int_equal(mapd_booking_get(&p, &got), -1);
	p.len = w.len;
	assert_int_equal(mapd_booking_get(&p, &got), 0);
	assert_string_equal(got.booking.subject, m.booking.subject);
	assert_int_equal(got.booking.attendees.count, 2);
	wire_put_u8(&w, 0);
	p.data = w.buf;
	p.len = w.len;
	assert_int_equal(mapd_booking_get(&p, &got), -1);
	wire_out_free(&w);
	wire_out_free(&att);
}

/* A hundred thousand mutations of every message type, seeded and said. */
static void
mutations_stay_inside(void **state)
{
	const char *env = getenv("ORB_TEST_SEED");
	unsigned seed = env ? (unsigned)strtoul(env, NULL, 0) : 20261123;
	uint8_t *copy;
	struct wire_out att, w;
	struct msg_mapd_booking m = {sample(&att)};
	struct packet p;
	size_t len;

	(void)state;
	print_message("seed %u (ORB_TEST_SEED)\n", seed);
	srand(seed);
	wire_out_init(&w, 10000);
	mapd_booking_put(&w, &m);
	for (int i = 0; i < 100000; i++) {
		const struct msg_info *info =
		    &msg_table[(size_t)rand() % msg_table_len];

		len = (size_t)rand() % (w.len + 1);
		/* Exactly as large as it says, so that ASan sees a step over. */
		copy = malloc(len ? len : 1);
		memcpy(copy, w.buf, len);
		for (int k = rand() % 8; k > 0 && len; k--)
			copy[(size_t)rand() % len] = (uint8_t)rand();
		p = (struct packet){
		    .type = info->type, .data = copy, .len = len, .fd = -1};
		assert_in_range(info->check(&p) + 1, 0, 1);
		free(copy);
	}
	wire_out_free(&w);
	wire_out_free(&att);
}

/* What messages.def says of each type is in the table, and only once. */
static void
table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < msg_table_len; i++) {
		const struct msg_info *m = &msg_table[i];

		assert_ptr_equal(msg_find(m->type), m);
		assert_int_not_equal(m->from, 0);
		assert_int_not_equal(m->to, 0);
		assert_false(m->flags & MSG_REQUEST && m->flags & MSG_ANSWER);
		if (!(m->flags & MSG_MEMFD))
			assert_true(m->max + CHAN_HEADER <= CHAN_PACKET);
	}
	assert_null(msg_find(0));
	assert_null(msg_find(0xffff));
}

/* Whatever buffer a text was cut for, what is left is UTF-8. */
static void
mend_drops_what_is_unfinished(void **state)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
	char buf[sizeof(text)];

	(void)state;
	for (size_t cap = 1; cap <= sizeof(text); cap++) {
		snprintf(buf, cap, "%s", text);
		assert_ptr_equal(wire_mend(buf), buf);
		assert_int_equal(strlen(buf), want[cap - 1]);
		assert_true(wire_is_utf8((const uint8_t *)buf, strlen(buf)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(integers_round_trip),
	    cmocka_unit_test(string_limits),
	    cmocka_unit_test(string_contents),
	    cmocka_unit_test(string_every_byte),
	    cmocka_unit_test(clean_cuts_on_characters),
	    cmocka_unit_test(mend_drops_what_is_unfinished),
	    cmocka_unit_test(a_list_that_lies),
	    cmocka_unit_test(every_cut_is_refused),
	    cmocka_unit_test(mutations_stay_inside),
	    cmocka_unit_test(table_is_sound),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
