/*
 * test_mapd_plan_exchange.c: the rules of plan_exchange.c, one by one, and what
 * is agreed after a write to Exchange.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "lib/marks.h"
#include "mapd/plan.h"
#include "plan_scene.h"

#define ANSWER 900

/* Made in Exchange, agreed; both ways may be written. */
static struct scene
both_ways(void)
{
	struct scene s = settled();

	s.policy.to_topdesk = s.policy.to_exchange = 1;
	s.policy.answer_seconds = ANSWER;
	s.t[0].link = LINK_OURS;
	return s;
}

/* The same, made in TOPdesk. */
static struct scene
from_topdesk(void)
{
	struct scene s = both_ways();

	s.a.origin = ORIGIN_TOPDESK;
	s.a.gen = s.t[0].gen = GEN_TOPDESK;
	memset(s.a.ex_print, 0, PRINT_LEN);
	memcpy(s.e.print, red, PRINT_LEN);
	return s;
}

static void
move_t(struct scene *s, int by)
{
	s->t[0].start += by;
	s->t[0].end += by;
	s->t[0].changed = 6;
}

static void
move_e(struct scene *s, int by)
{
	s->e.start += by;
	s->e.end += by;
}

static void
rule_4_a_move_in_topdesk(void **state)
{
	struct scene s = both_ways();

	(void)state;
	nothing(&s);
	move_t(&s, HOUR);
	only(&s, PLAN_REPORT, REASON_CHANGED_IN_TOPDESK, 0, 0);
	s.e.marks = MARK_ROOM_OWN;
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, 1);
	s.e.marks = 0;
	s.policy.organiser_writable = 1;
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, 1);
	s.policy.to_exchange = 0;
	only(&s, PLAN_REPORT, REASON_CHANGED_IN_TOPDESK, 0, 0);
	s = from_topdesk();
	nothing(&s);
	move_t(&s, HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	move_t(&s, -HOUR);
	move_e(&s, HOUR);
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	s.policy.to_topdesk = 0;
	nothing(&s);
}

static void
rule_4_both_moved_differently(void **state)
{
	struct scene s = both_ways();

	(void)state;
	s.policy.organiser_writable = 1;
	move_e(&s, HOUR);
	move_t(&s, 2 * HOUR);
	only(&s, PLAN_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TIME, 1);
	s.policy.conflict = CONFLICT_TOPDESK;
	only(&s, PLAN_MEETING_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TIME, 1);
	s.policy.organiser_writable = 0;
	only(&s, PLAN_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TIME, 1);
	s = from_topdesk();
	move_e(&s, HOUR);
	move_t(&s, 2 * HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TIME,
	    GEN_TOPDESK);
	s.policy.conflict = CONFLICT_EXCHANGE;
	only(&s, PLAN_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TIME, GEN_TOPDESK);
}

static void
rule_4_text_belongs_to_who_made_it(void **state)
{
	struct scene s = both_ways();

	(void)state;
	memcpy(s.t[0].print, grey, PRINT_LEN);
	s.t[0].changed = 6;
	nothing(&s);
	s = from_topdesk();
	memcpy(s.e.print, grey, PRINT_LEN);
	nothing(&s);
	memcpy(s.t[0].print, grey, PRINT_LEN);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TEXT, GEN_TOPDESK);
	s.policy.to_exchange = 0;
	nothing(&s);
}

/* TOPdesk first, then the meeting. */
static void
rule_4_one_write_at_a_time(void **state)
{
	struct scene s = from_topdesk();
	struct aim aim;

	(void)state;
	move_e(&s, HOUR);
	memcpy(s.t[0].print, grey, PRINT_LEN);
	plan(&s);
	assert_int_equal(s.out.n, 1);
	assert_int_equal(s.out.actions[0].kind, PLAN_CHANGE);
	assert_int_equal(s.out.actions[0].change, CHANGE_TIME);
	plan_aim(&s.out.actions[0], &s.e, &s.t[0], &aim);
	plan_free(&s.out);
	agreed_settle(&s.a, &aim, 6, NOW);
	move_t(&s, HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TEXT, GEN_TOPDESK);
}

/* What ORB wrote is not undone because Exchange is slow. */
static void
rule_4_exchange_shows_a_change_late(void **state)
{
	struct scene s = from_topdesk();
	struct aim aim;

	(void)state;
	move_t(&s, HOUR);
	plan(&s);
	plan_aim(&s.out.actions[0], &s.e, &s.t[0], &aim);
	plan_free(&s.out);
	assert_true(aim.start == SOON + HOUR);
	agreed_settle(&s.a, &aim, 0, NOW - ANSWER);
	assert_true(s.a.was_start == SOON && s.a.start == SOON + HOUR);
	nothing(&s);
	s.a.await--;
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	s.a.await = NOW;
	move_e(&s, HOUR);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, GEN_TOPDESK);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	assert_true(s.a.await == 0 && s.a.was_start == 0);
	assert_int_equal(s.a.origin, ORIGIN_TOPDESK);
	nothing(&s);
}

/* The first old time must not be forgotten with a second change: it would be
 * taken for a person's in Outlook, and TOPdesk be moved back to it. */
static void
rule_4_a_second_change_waits_for_the_first(void **state)
{
	struct scene s = from_topdesk();
	struct aim aim;

	(void)state;
	move_t(&s, HOUR);
	plan(&s);
	plan_aim(&s.out.actions[0], &s.e, &s.t[0], &aim);
	plan_free(&s.out);
	agreed_settle(&s.a, &aim, 0, NOW - ANSWER);
	/* Exchange still shows the old time, or nothing at all. */
	move_t(&s, HOUR);
	nothing(&s);
	s.ne = 0;
	only(&s, PLAN_ASK, REASON_NONE, 0, GEN_TOPDESK);
	s.ne = 1;
	/* It shows the first change: the second one goes. */
	move_e(&s, HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	plan(&s);
	plan_aim(&s.out.actions[0], &s.e, &s.t[0], &aim);
	plan_free(&s.out);
	agreed_settle(&s.a, &aim, 0, NOW);
	assert_true(s.a.was_start == SOON + HOUR);
	assert_true(s.a.start == SOON + 2 * HOUR);
	nothing(&s);
}

static void
rule_4_in_a_room_of_nobodys(void **state)
{
	struct scene s = from_topdesk();
	struct aim aim = {.kind = PLAN_MEETING_CANCEL,
	    .reason = REASON_MOVED_ROOM,
	    .gen = GEN_TOPDESK};
	struct aim bury = {.kind = PLAN_BURY};

	(void)state;
	s.t[0].elsewhere = ELSEWHERE_UNKNOWN;
	only(&s, PLAN_MEETING_CANCEL, REASON_MOVED_ROOM, 0, GEN_TOPDESK);
	agreed_settle(&s.a, &aim, 0, NOW);
	assert_int_equal(s.a.dead, DEAD_MOVED);
	s.nt = 0;
	nothing(&s);
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_BURY, REASON_NONE, 0, GEN_TOPDESK);
	/* It is still known where the reservation went. */
	agreed_settle(&s.a, &bury, 0, NOW);
	assert_int_equal(s.a.dead, DEAD_MOVED);
	nothing(&s);
}

static void
rule_8_gone_without_a_word(void **state)
{
	struct scene s = from_topdesk();

	(void)state;
	s.policy.invites = 1;
	s.e.gone = 1;
	only(&s, PLAN_ASK, REASON_NONE, 0, GEN_TOPDESK);
	/* Nobody was invited, so nobody can tell. */
	s.policy.invites = 0;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, GEN_TOPDESK);
	s.policy.invites = 1;
	s.e.gone = 0;
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, GEN_TOPDESK);
	s.t[0].marks = MARK_SEVERAL_ROOMS;
	only(&s, PLAN_REPORT, REASON_SEVERAL_ROOMS, 0, 0);
	s.t[0].marks = 0;
	/* Declined, and topdesk-wins: asked again at another time only. */
	s.e.marks = MARK_DECLINED;
	s.policy.conflict = CONFLICT_TOPDESK;
	only(&s, PLAN_REPORT, REASON_DECLINED, 0, 0);
	move_t(&s, HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	s.t[0].state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_MEETING_CANCEL, REASON_CANCELLED_IN_TOPDESK, 0,
	    GEN_TOPDESK);
}

static void
rule_9_not_accepted_yet(void **state)
{
	struct scene s = from_topdesk();

	(void)state;
	s.e.state = BOOKING_STATE_TENTATIVE;
	s.a.await = NOW - ANSWER;
	nothing(&s);
	s.a.await--;
	only(&s, PLAN_REPORT, REASON_NO_ANSWER, 0, 0);
	move_t(&s, HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	s.t[0].state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_MEETING_CANCEL, REASON_CANCELLED_IN_TOPDESK, 0,
	    GEN_TOPDESK);
	/* A person's is waited for. */
	s = both_ways();
	s.e.state = BOOKING_STATE_TENTATIVE;
	move_t(&s, HOUR);
	nothing(&s);
}

static void
rule_4_in_another_room(void **state)
{
	struct scene s = from_topdesk();

	(void)state;
	s.t[0].elsewhere = 1;
	only(&s, PLAN_MEETING_SWAP, REASON_MOVED_ROOM, 0, GEN_TOPDESK);
	s.e.marks = MARK_ROOM_OWN;
	only(&s, PLAN_MEETING_CANCEL, REASON_MOVED_ROOM, 0, GEN_TOPDESK);
	s.policy.to_exchange = 0;
	only(&s, PLAN_REPORT, REASON_MOVED_ROOM, 0, 0);
	/* The meeting is over, the reservation is not. */
	s = both_ways();
	s.t[0].elsewhere = 1;
	s.e.start = s.e.end = NOW;
	only(&s, PLAN_REPORT, REASON_MOVED_ROOM, 0, 0);
	/* Archived there, it cannot be followed. */
	s = both_ways();
	s.t[0].elsewhere = 1;
	s.t[0].marks = MARK_ARCHIVED;
	only(&s, PLAN_REPORT, REASON_LOCKED, 0, 0);
	s = both_ways();
	s.t[0].elsewhere = 1;
	only(&s, PLAN_MEETING_CANCEL, REASON_MOVED_ROOM, 0, 1);
	/* What stands in the other room is not ours to cancel. */
	s.a.dead = DEAD_RELEASED;
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_BURY, REASON_NONE, 0, 1);
	s.a.dead = DEAD_NOT;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, 1);
}

static void
rule_6_cancelled_in_topdesk_leaves_the_room(void **state)
{
	struct scene s = both_ways();
	struct aim aim = {.kind = PLAN_MEETING_CANCEL, .gen = 1};

	(void)state;
	s.t[0].state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_MEETING_CANCEL, REASON_CANCELLED_IN_TOPDESK, 0, 1);
	agreed_settle(&s.a, &aim, 0, NOW - ANSWER);
	assert_int_equal(s.a.dead, DEAD_RELEASED);
	nothing(&s);
	s.a.await--;
	only(&s, PLAN_REPORT, REASON_STILL_THERE, 0, 0);
	/* Its organiser has booked the room anew, for another time. */
	s.e.end += HOUR;
	only(&s, PLAN_CREATE, REASON_NONE, 0, 2);
	s.e.end -= HOUR;
	/* Who read of it is there no more. */
	s.ne = 0;
	s.t[0].state = BOOKING_STATE_BOOKED;
	only(&s, PLAN_REPORT, REASON_ORPHAN, 0, 0);
	s.a.await++;
	nothing(&s);
	s.a.await--;
	s.ne = 1;
	s.t[0].state = BOOKING_STATE_BOOKED;
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
	s.t[0].state = BOOKING_STATE_CANCELLED;
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_BURY, REASON_NONE, 0, 1);
	s.e.state = BOOKING_STATE_BOOKED;
	s.a.dead = DEAD_NOT;
	s.e.start = s.e.end = NOW;
	nothing(&s);
}

static void
rule_7_after_the_first_of_topdesk_comes_2(void **state)
{
	struct scene s = from_topdesk();

	(void)state;
	s.a.dead = DEAD_CANCELLED;
	s.nt = 0;
	only(&s, PLAN_CREATE, REASON_NONE, 0, 2);
	s.policy.to_topdesk = 0;
	nothing(&s);
}

static void
rule_8_the_room_declined(void **state)
{
	struct scene s = from_topdesk();
	struct aim aim = {.kind = PLAN_MEETING_CANCEL, .gen = GEN_TOPDESK};

	(void)state;
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, GEN_TOPDESK);
	s.e.marks = MARK_DECLINED;
	only(&s, PLAN_MEETING_CANCEL, REASON_DECLINED, 0, GEN_TOPDESK);
	s.policy.conflict = CONFLICT_TOPDESK;
	only(&s, PLAN_REPORT, REASON_DECLINED, 0, 0);
	s.policy.conflict = CONFLICT_FIRST;
	s.policy.to_exchange = 0;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, GEN_TOPDESK);
	s.policy.to_exchange = 1;
	agreed_settle(&s.a, &aim, 0, NOW);
	only(&s, PLAN_CANCEL, REASON_NONE, 0, GEN_TOPDESK);
	s = both_ways();
	s.e.state = BOOKING_STATE_CANCELLED;
	s.e.marks = MARK_DECLINED;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, 1);
}

static void
rule_10_asked_until_it_answers(void **state)
{
	struct scene s = from_topdesk();

	(void)state;
	s.ne = 0;
	s.a.await = NOW - ANSWER;
	only(&s, PLAN_ASK, REASON_NONE, 0, GEN_TOPDESK);
	s.a.await--;
	plan(&s);
	assert_int_equal(s.out.n, 2);
	assert_int_equal(s.out.actions[0].reason, REASON_NO_ANSWER);
	assert_int_equal(s.out.actions[1].kind, PLAN_ASK);
	plan_free(&s.out);
	move_t(&s, HOUR);
	memcpy(s.t[0].print, grey, PRINT_LEN);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME | CHANGE_TEXT,
	    GEN_TOPDESK);
	s.t[0].elsewhere = 1;
	only(&s, PLAN_MEETING_SWAP, REASON_MOVED_ROOM, 0, GEN_TOPDESK);
	s.t[0].elsewhere = 0;
	s.t[0].state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_MEETING_CANCEL, REASON_CANCELLED_IN_TOPDESK, 0,
	    GEN_TOPDESK);
	s.a.await = 0;
	nothing(&s);
}

static void
rule_12_a_write_to_exchange_waits(void **state)
{
	struct scene s = from_topdesk();

	(void)state;
	move_t(&s, HOUR);
	plan(&s);
	plan_aim(&s.out.actions[0], &s.e, &s.t[0], &s.a.aim);
	plan_free(&s.out);
	s.a.waiting = 1;
	nothing(&s);
	move_t(&s, HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	move_t(&s, -2 * HOUR);
	only(&s, PLAN_UNHOLD, REASON_NONE, 0, GEN_TOPDESK);
}

static void
rule_13_a_reservation_gets_its_link(void **state)
{
	struct scene s = from_topdesk();
	struct aim aim = {.kind = PLAN_LINK, .gen = GEN_TOPDESK};

	(void)state;
	s.t[0].link = LINK_NONE;
	s.t[0].gen = 0;
	only(&s, PLAN_LINK, REASON_NONE, 0, GEN_TOPDESK);
	agreed_settle(&s.a, &aim, 7, NOW);
	assert_int_equal(s.a.gen, GEN_TOPDESK);
	move_t(&s, HOUR);
	only(&s, PLAN_MEETING_CHANGE, REASON_NONE, CHANGE_TIME, GEN_TOPDESK);
	move_t(&s, -HOUR);
	s.t[0].link = LINK_FOREIGN;
	nothing(&s);
	s = both_ways();
	s.t[0].link = LINK_NONE;
	s.t[0].gen = 0;
	only(&s, PLAN_LINK, REASON_NONE, 0, 1);
	/* It is the agreed row's, though it has no generation. */
	s.t[0].state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_MEETING_CANCEL, REASON_CANCELLED_IN_TOPDESK, 0, 1);
}

/* Only in TOPdesk, under its provisional key. */
static struct scene
provisional(void)
{
	struct scene s = both_ways();

	s.ne = s.na = 0;
	memset(&s.a, 0, sizeof(s.a));
	memcpy(s.a.key, key, KEY_LEN);
	s.t[0].provisional = 1;
	s.t[0].gen = 0;
	s.t[0].link = LINK_NONE;
	return s;
}

static void
rule_14_a_meeting_is_made(void **state)
{
	struct scene s = provisional();
	struct action meet = {.kind = PLAN_MEET, .gen = GEN_TOPDESK};
	struct aim aim;

	(void)state;
	only(&s, PLAN_MEET, REASON_NONE, 0, GEN_TOPDESK);
	s.t[0].state = BOOKING_STATE_REQUEST;
	nothing(&s);
	s.t[0].state = BOOKING_STATE_CONFLICTING;
	only(&s, PLAN_AGAIN, REASON_CONFLICTING, CHANGE_TIME, 0);
	s.t[0].state = BOOKING_STATE_BOOKED;
	s.t[0].marks = MARK_ARCHIVED;
	nothing(&s);
	s = provisional();
	s.policy.to_exchange = 0;
	nothing(&s);
	s = provisional();
	move_t(&s, -DAY);
	nothing(&s);
	move_t(&s, 60 * DAY);
	nothing(&s);
	s = provisional();
	plan_aim(&meet, NULL, &s.t[0], &aim);
	agreed_settle(&s.a, &aim, 0, NOW);
	assert_int_equal(s.a.gen, GEN_TOPDESK);
	assert_int_equal(s.a.origin, ORIGIN_TOPDESK);
	assert_true(s.a.await == NOW && s.a.start == SOON);
	assert_memory_equal(s.a.td_print, blue, PRINT_LEN);
}

static void
rule_14_who_was_told_loses_the_reservation(void **state)
{
	struct scene s = provisional();
	struct aim aim = {.kind = PLAN_NOTICE};

	(void)state;
	s.na = 1;
	agreed_settle(&s.a, &aim, 0, NOW);
	assert_int_equal(s.a.dead, DEAD_TOLD);
	plan(&s);
	assert_int_equal(s.out.n, 1);
	assert_int_equal(s.out.actions[0].kind, PLAN_CANCEL);
	assert_int_equal(s.out.actions[0].reason, REASON_LOST);
	plan_free(&s.out);
	s.t[0].state = BOOKING_STATE_CANCELLED;
	plan(&s);
	assert_int_equal(s.out.n, 1);
	assert_int_equal(s.out.actions[0].kind, PLAN_FORGET);
	plan_free(&s.out);
	s.nt = 0;
	plan(&s);
	assert_int_equal(s.out.n, 1);
	assert_int_equal(s.out.actions[0].kind, PLAN_FORGET);
	plan_free(&s.out);
}

static void
rule_15_a_room_is_taken_out(void **state)
{
	struct scene s = both_ways();

	(void)state;
	s.policy.retire = 1;
	only(&s, PLAN_CANCEL, REASON_RETIRED, 0, 1);
	/* What a person gave another room is not this one's to cancel. */
	s.t[0].elsewhere = 1;
	only(&s, PLAN_BURY, REASON_RETIRED, 0, 1);
	s.a.end = NOW;
	nothing(&s);
	s = from_topdesk();
	s.policy.retire = 1;
	only(&s, PLAN_MEETING_CANCEL, REASON_RETIRED, 0, GEN_TOPDESK);
	/* It was cancelled: the other room's now. */
	s.e.state = BOOKING_STATE_CANCELLED;
	nothing(&s);
	s.t[0].elsewhere = 1;
	only(&s, PLAN_BURY, REASON_RETIRED, 0, GEN_TOPDESK);
	s.a.dead = DEAD_RELEASED;
	nothing(&s);
	/* Made, and not shown by the room yet. */
	s = from_topdesk();
	s.policy.retire = 1;
	s.ne = 0;
	nothing(&s);
	s.a.await = NOW - 60;
	only(&s, PLAN_MEETING_CANCEL, REASON_RETIRED, 0, GEN_TOPDESK);
	s = provisional();
	s.policy.retire = 1;
	nothing(&s);
}

static void
adoption_knows_who_made_it(void **state)
{
	struct scene s = from_topdesk();

	(void)state;
	memset(&s.a, 0, sizeof(s.a));
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	assert_int_equal(s.a.origin, ORIGIN_TOPDESK);
	assert_int_equal(s.a.gen, GEN_TOPDESK);
	nothing(&s);
}

static void
a_pair_is_agreed_as_it_stands(void **state)
{
	struct scene s = provisional();

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	memcpy(s.e.print, red, PRINT_LEN);
	s.t[0].provisional = 0;
	s.na = 1;
	agreed_pair(&s.a, &s.e, &s.t[0]);
	assert_int_equal(s.a.origin, ORIGIN_EXCHANGE);
	only(&s, PLAN_LINK, REASON_NONE, 0, 1);
	s.t[0].link = LINK_OURS;
	s.t[0].gen = 1;
	nothing(&s);
}

static void
every_write_has_its_side(void **state)
{
	(void)state;
	assert_int_equal(plan_writes(PLAN_LINK), UPSTREAM_TOPDESK);
	assert_int_equal(plan_writes(PLAN_CANCEL), UPSTREAM_TOPDESK);
	assert_int_equal(plan_writes(PLAN_PAIR), UPSTREAM_NONE);
	assert_int_equal(plan_writes(PLAN_ASK), UPSTREAM_NONE);
	for (int k = PLAN_MEET; k <= PLAN_NOTICE; k++)
		assert_int_equal(
		    plan_writes((enum plan_kind)k), UPSTREAM_EXCHANGE);
}

#define T(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(rule_4_a_move_in_topdesk),
	    T(rule_4_both_moved_differently),
	    T(rule_4_text_belongs_to_who_made_it),
	    T(rule_4_one_write_at_a_time),
	    T(rule_4_exchange_shows_a_change_late),
	    T(rule_4_a_second_change_waits_for_the_first),
	    T(rule_4_in_a_room_of_nobodys),
	    T(rule_8_gone_without_a_word),
	    T(rule_9_not_accepted_yet),
	    T(rule_4_in_another_room),
	    T(rule_6_cancelled_in_topdesk_leaves_the_room),
	    T(rule_7_after_the_first_of_topdesk_comes_2),
	    T(rule_8_the_room_declined),
	    T(rule_10_asked_until_it_answers),
	    T(rule_12_a_write_to_exchange_waits),
	    T(rule_13_a_reservation_gets_its_link),
	    T(rule_14_a_meeting_is_made),
	    T(rule_14_who_was_told_loses_the_reservation),
	    T(rule_15_a_room_is_taken_out),
	    T(adoption_knows_who_made_it),
	    T(a_pair_is_agreed_as_it_stands),
	    T(every_write_has_its_side),
	};

	return cmocka_run_group_tests_name("plan_exchange", tests, NULL, NULL);
}
