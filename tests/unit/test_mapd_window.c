/*
 * test_mapd_window.c: the window of Exchange that a room's cursor stands for,
 * over the days: it always covers what is planned, and each room has its turn
 * to read it anew.  What that reading leads to: tests/system/test_window.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mapd/visit.h"

#define DAY INT64_C(86400)
#define ROOMS 9
#define START (20000 * DAY + 4711)

static struct conf conf;
static struct room rooms[ROOMS];
static struct mapd m;

/* As round_now() does it. */
static void
round_at(int64_t now)
{
	const struct conf_policy *p = &conf.policy;

	m.round.from = now / DAY * DAY - p->window_back_days * DAY;
	m.round.to = now / DAY * DAY + (p->window_ahead_days + 1) * DAY;
}

static void
begin(int rebase, int back, int ahead)
{
	for (size_t i = 0; i < ROOMS; i++)
		free(rooms[i].st.cursor);
	memset(&conf, 0, sizeof(conf));
	memset(rooms, 0, sizeof(rooms));
	memset(&m, 0, sizeof(m));
	conf.policy.rebase_days = rebase;
	conf.policy.window_back_days = back;
	conf.policy.window_ahead_days = ahead;
	m.conf = &conf;
	m.rooms = rooms;
	m.nrooms = ROOMS;
}

/* One visit: 1 when the window was read anew. */
static int
visit(struct room *r, int64_t now)
{
	struct room_state was = r->st;

	room_window(&m, r, now);
	assert_true(r->st.from <= m.round.from);
	assert_true(r->st.to >= m.round.to);
	if (r->st.cursor) {
		assert_int_equal(r->st.from, was.from);
		assert_int_equal(r->st.to, was.to);
		assert_int_equal(r->st.based, was.based);
		return 0;
	}
	assert_int_equal(r->st.based, now);
	r->st.cursor = calloc(1, 1);
	r->st.cursor_len = 1;
	return 1;
}

static void
covers_every_day(int rebase)
{
	unsigned anew[ROOMS] = {0}, at_once, most = 0;
	int64_t last[ROOMS] = {0}, now;

	begin(rebase, 1, 180);
	for (now = START; now < START + 400 * DAY; now += DAY / 3) {
		at_once = 0;
		round_at(now);
		for (size_t i = 0; i < ROOMS; i++) {
			if (!visit(&rooms[i], now))
				continue;
			anew[i]++;
			at_once++;
			if (last[i])
				assert_true(now - last[i] <= rebase * DAY);
			last[i] = now;
		}
		if (now > START && at_once > most)
			most = at_once;
	}
	for (size_t i = 0; i < ROOMS; i++) {
		assert_true(anew[i] >= 400 / (unsigned)rebase);
		assert_true(anew[i] <= 400 / (unsigned)rebase + 2);
	}
	/* Not all at the same time. */
	assert_true(most <= ROOMS / (unsigned)rebase + 1);
}

static void
the_window_covers_every_day(void **state)
{
	(void)state;
	covers_every_day(1);
	covers_every_day(2);
	covers_every_day(7);
	covers_every_day(90);
}

static void
a_long_pause_reads_anew(void **state)
{
	(void)state;
	begin(7, 1, 30);
	round_at(START);
	assert_int_equal(visit(&rooms[0], START), 1);
	assert_int_equal(visit(&rooms[0], START + 60), 0);
	round_at(START + 50 * DAY);
	assert_int_equal(visit(&rooms[0], START + 50 * DAY), 1);
}

static void
another_configuration_is_covered_at_once(void **state)
{
	(void)state;
	begin(90, 1, 30);
	round_at(START);
	assert_int_equal(visit(&rooms[0], START), 1);
	conf.policy.window_ahead_days = 300;
	round_at(START + 1);
	assert_int_equal(visit(&rooms[0], START + 1), 1);
	conf.policy.window_back_days = 31;
	round_at(START + 2);
	assert_int_equal(visit(&rooms[0], START + 2), 1);
	/* Less than what is there needs no reading. */
	conf.policy.window_back_days = 0;
	conf.policy.window_ahead_days = 10;
	round_at(START + 3);
	assert_int_equal(visit(&rooms[0], START + 3), 0);
}

static int
end(void **state)
{
	(void)state;
	begin(1, 1, 1);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_window_covers_every_day),
	    cmocka_unit_test(a_long_pause_reads_anew),
	    cmocka_unit_test(another_configuration_is_covered_at_once),
	};

	return cmocka_run_group_tests_name("mapd_window", tests, NULL, end);
}
