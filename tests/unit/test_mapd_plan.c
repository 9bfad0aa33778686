/*
 * test_mapd_plan.c: the rules of plan.c, one by one, by their numbers there.
 * Random histories are the property test's.
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

static void
an_empty_room_needs_nothing(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	nothing(&s);
}

static void
rule_1_a_wanted_booking_is_made(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	only(&s, PLAN_CREATE, REASON_NONE, 0, 1);
	s.e.start = NOW - HOUR;
	only(&s, PLAN_CREATE, REASON_NONE, 0, 1);
}

static void
rule_1_not_when_it_is_over_or_outside(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	s.e.start = NOW - HOUR;
	s.e.end = NOW;
	nothing(&s);
	s.e.start = NOW + 30 * DAY;
	s.e.end = s.e.start + HOUR;
	nothing(&s);
	s.e.start -= 60;
	only(&s, PLAN_CREATE, REASON_NONE, 0, 1);
}

static void
rule_1_tentative_only_where_policy_says_so(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_TENTATIVE);
	nothing(&s);
	s.policy.tentative_books = 1;
	only(&s, PLAN_CREATE, REASON_NONE, 0, 1);
}

static void
rule_2_a_reservation_with_our_link_is_adopted(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	show_t(&s, BOOKING_STATE_BOOKED, 3);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 3);
	s.t[0].state = BOOKING_STATE_REQUEST;
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 3);
}

/* Adopted, what differs is written in one change, and then it is quiet. */
static void
rule_2_then_what_differs_is_written_once(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};
	struct aim aim;

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	show_t(&s, BOOKING_STATE_BOOKED, 1);
	s.t[0].start -= HOUR;
	memcpy(s.t[0].print, red, PRINT_LEN);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	s.na = 1;
	plan(&s);
	assert_int_equal(s.out.n, 1);
	assert_int_equal(s.out.actions[0].kind, PLAN_CHANGE);
	assert_int_equal(s.out.actions[0].reason, REASON_NONE);
	assert_int_equal(s.out.actions[0].change, CHANGE_TIME | CHANGE_TEXT);
	plan_aim(&s.out.actions[0], &s.e, NULL, &aim);
	plan_free(&s.out);
	agreed_settle(&s.a, &aim, 6, 0);
	s.t[0].start = s.e.start;
	memcpy(s.t[0].print, blue, PRINT_LEN);
	s.t[0].changed = 6;
	nothing(&s);
}

static void
rule_2_what_is_equal_needs_no_write(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	show_t(&s, BOOKING_STATE_BOOKED, 2);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	s.na = 1;
	assert_int_equal(s.a.gen, 2);
	assert_true(s.a.group == 42);
	nothing(&s);
}

static void
rule_3_what_was_cancelled_is_not_made_again(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	show_t(&s, BOOKING_STATE_CANCELLED, 1);
	only(&s, PLAN_REPORT, REASON_CANCELLED_IN_TOPDESK, 0, 0);
	s.e.end = NOW;
	nothing(&s);
}

static void
rule_4_equal_is_quiet(void **state)
{
	struct scene s = settled();

	(void)state;
	nothing(&s);
	/* Seconds do not count: TOPdesk keeps whole minutes. */
	s.e.start += 19;
	nothing(&s);
}

static void
rule_4_a_move_is_written(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.start += HOUR;
	s.e.end += HOUR;
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME, 1);
	memcpy(s.e.print, red, PRINT_LEN);
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME | CHANGE_TEXT, 1);
	s.e.start = SOON;
	s.e.end = SOON + HOUR;
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TEXT, 1);
}

static void
rule_4_both_changed_is_a_conflict(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.start += HOUR;
	s.t[0].start -= HOUR;
	only(&s, PLAN_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TIME, 1);
	/* In text, too; but not when one side changed time, the other text. */
	s = settled();
	memcpy(s.e.print, red, PRINT_LEN);
	memcpy(s.t[0].print, grey, PRINT_LEN);
	s.t[0].changed = 6;
	only(&s, PLAN_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TEXT, 1);
}

static void
rule_4_what_a_person_changed_is_reported_not_undone(void **state)
{
	struct scene s = settled();

	(void)state;
	s.t[0].start -= HOUR;
	only(&s, PLAN_REPORT, REASON_CHANGED_IN_TOPDESK, 0, 0);
	s = settled();
	memcpy(s.t[0].print, grey, PRINT_LEN);
	s.t[0].changed = 6;
	only(&s, PLAN_REPORT, REASON_CHANGED_IN_TOPDESK, 0, 0);
}

static void
rule_4_each_side_changed_another_thing(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.start += HOUR;
	memcpy(s.t[0].print, grey, PRINT_LEN);
	s.t[0].changed = 6;
	plan(&s);
	assert_int_equal(s.out.n, 2);
	assert_int_equal(s.out.actions[0].kind, PLAN_REPORT);
	assert_int_equal(s.out.actions[0].reason, REASON_CHANGED_IN_TOPDESK);
	assert_int_equal(s.out.actions[1].kind, PLAN_CHANGE);
	assert_int_equal(s.out.actions[1].reason, REASON_NONE);
	assert_int_equal(s.out.actions[1].change, CHANGE_TIME);
	plan_free(&s.out);
}

static void
rule_4_the_same_change_on_both_sides_is_agreed(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.start += HOUR;
	s.t[0].start += HOUR;
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	nothing(&s);
}

static void
rule_4_the_same_text_on_both_sides_is_agreed(void **state)
{
	struct scene s = settled();

	(void)state;
	/* Ours is new to the agreement, TOPdesk's is not. */
	memcpy(s.a.ex_print, grey, PRINT_LEN);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	nothing(&s);
	/* The other way round. */
	memcpy(s.a.td_print, grey, PRINT_LEN);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	nothing(&s);
}

/* Of a tombstone nothing is left but its key. */
static void
rule_7_adoption_over_a_tombstone_starts_anew(void **state)
{
	struct scene s = settled();

	(void)state;
	s.a.dead = 1;
	memcpy(s.e.print, grey, PRINT_LEN);
	memcpy(s.a.ex_print, grey, PRINT_LEN);
	s.t[0].start -= HOUR;
	s.t[0].changed = 6;
	memcpy(s.t[0].print, red, PRINT_LEN);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	assert_false(s.a.dead);
	assert_true(s.a.start == s.t[0].start && s.a.changed == 6);
	assert_memory_equal(s.a.td_print, red, PRINT_LEN);
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME | CHANGE_TEXT, 1);
}

/* TOPdesk trims and cuts: the same modification date, another text. */
static void
rule_4_text_that_topdesk_keeps_differently_is_learnt(void **state)
{
	struct scene s = settled();

	(void)state;
	memcpy(s.t[0].print, grey, PRINT_LEN);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
	agreed_adopt(&s.a, &s.e, &s.t[0]);
	nothing(&s);
	s.t[0].changed = 6;
	nothing(&s);
	memcpy(s.t[0].print, red, PRINT_LEN);
	only(&s, PLAN_REPORT, REASON_CHANGED_IN_TOPDESK, 0, 0);
}

static void
rule_4_unknown_text_is_no_evidence(void **state)
{
	struct scene s = settled();

	(void)state;
	memset(s.t[0].print, 0, PRINT_LEN);
	s.t[0].changed = 6;
	nothing(&s);
	memset(s.e.print, 0, PRINT_LEN);
	nothing(&s);
}

static void
rule_4_what_is_locked_is_reported(void **state)
{
	struct scene s = settled();

	(void)state;
	s.t[0].marks = MARK_ISSUED;
	nothing(&s);
	s.e.start += HOUR;
	only(&s, PLAN_REPORT, REASON_LOCKED, 0, 0);
	s.t[0].marks = MARK_ARCHIVED;
	only(&s, PLAN_REPORT, REASON_LOCKED, 0, 0);
}

static void
rule_4_conflicting_is_reported_besides(void **state)
{
	struct scene s = settled();

	(void)state;
	s.t[0].state = BOOKING_STATE_CONFLICTING;
	/* Nothing else is there that it could be in conflict with. */
	only(&s, PLAN_AGAIN, REASON_CONFLICTING, CHANGE_TIME, 1);
	s.policy.to_topdesk = 0;
	only(&s, PLAN_REPORT, REASON_CONFLICTING, 0, 0);
	s.policy.to_topdesk = 1;
	s.e.start += HOUR;
	plan(&s);
	assert_int_equal(s.out.n, 2);
	assert_int_equal(s.out.actions[0].reason, REASON_CONFLICTING);
	assert_int_equal(s.out.actions[1].kind, PLAN_CHANGE);
	plan_free(&s.out);
}

static void
rule_4_what_is_over_is_not_written_to(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.start = s.t[0].start = s.a.start = NOW - 2 * HOUR;
	s.e.end = s.t[0].end = s.a.end = NOW - HOUR;
	memcpy(s.e.print, red, PRINT_LEN);
	nothing(&s);
	s.e.start += DAY;
	s.e.end += DAY;
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME | CHANGE_TEXT, 1);
}

static void
rule_5_absence_is_confirmed(void **state)
{
	struct scene s = settled();

	(void)state;
	s.nt = 0;
	only(&s, PLAN_CONFIRM, REASON_NONE, 0, 1);
	s.e.start += HOUR;
	only(&s, PLAN_CONFIRM, REASON_NONE, 0, 1);
}

static void
rule_5_outside_the_list_a_change_is_written(void **state)
{
	struct scene s = settled();

	(void)state;
	s.nt = 0;
	s.a.start = NOW - 3 * DAY;
	s.a.end = s.a.start + HOUR;
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME, 1);
	s.e.start = s.a.start;
	s.e.end = s.a.end;
	nothing(&s);
}

static void
rule_6_cancelled_by_a_person_is_reported(void **state)
{
	struct scene s = settled();

	(void)state;
	s.t[0].state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_REPORT, REASON_CANCELLED_IN_TOPDESK, 0, 0);
	/* Also when it was changed in Exchange meanwhile. */
	s.e.start += HOUR;
	only(&s, PLAN_REPORT, REASON_CANCELLED_IN_TOPDESK, 0, 0);
}

static void
rule_6_an_earlier_generation_says_nothing(void **state)
{
	struct scene s = settled();

	(void)state;
	s.t[0].state = BOOKING_STATE_CANCELLED;
	s.a.gen = 2;
	only(&s, PLAN_CONFIRM, REASON_NONE, 0, 2);
}

static void
rule_7_booked_again_is_made_with_the_next_generation(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	agree(&s, 2, 1);
	only(&s, PLAN_CREATE, REASON_NONE, 0, 3);
	show_t(&s, BOOKING_STATE_CANCELLED, 2);
	only(&s, PLAN_CREATE, REASON_NONE, 0, 3);
	show_t(&s, BOOKING_STATE_BOOKED, 1);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 1);
}

/* ORB made it, heard no answer, and a person cancelled it. */
static void
rule_7_a_later_generation_was_cancelled_by_a_person(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	agree(&s, 1, 1);
	show_t(&s, BOOKING_STATE_CANCELLED, 2);
	only(&s, PLAN_REPORT, REASON_CANCELLED_IN_TOPDESK, 0, 0);
}

static void
rule_7_generations_end(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	agree(&s, 254, 1);
	only(&s, PLAN_REPORT, REASON_LOCKED, 0, 0);
}

static void
rule_8_cancelled_in_exchange_is_cancelled(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, 1);
	s.e.state = BOOKING_STATE_BOOKED;
	s.e.gone = 1;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, 1);
	s.nt = 0;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, 1);
}

static void
rule_8_not_when_it_is_over(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.gone = 1;
	s.t[0].start = s.a.start = NOW - 2 * HOUR;
	s.t[0].end = s.a.end = NOW;
	nothing(&s);
	s.nt = 0;
	nothing(&s);
}

static void
rule_8_cancelled_on_both_sides_is_buried(void **state)
{
	struct scene s = settled();
	struct aim aim = {.kind = PLAN_BURY};

	(void)state;
	s.e.state = s.t[0].state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_BURY, REASON_NONE, 0, 1);
	agreed_settle(&s.a, &aim, 0, 0);
	assert_true(s.a.dead);
	assert_int_equal(s.a.gen, 1);
	nothing(&s);
}

static void
rule_8_locked_is_reported(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.gone = 1;
	s.t[0].marks = MARK_ISSUED;
	only(&s, PLAN_REPORT, REASON_LOCKED, 0, 0);
	s.t[0].marks = MARK_ARCHIVED;
	only(&s, PLAN_REPORT, REASON_LOCKED, 0, 0);
	s.na = 0;
	only(&s, PLAN_REPORT, REASON_LOCKED, 0, 0);
}

static void
rule_8_a_tombstone_with_a_live_reservation_is_cancelled(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.gone = 1;
	s.a.dead = 1;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, 1);
}

static void
rule_9_tentative_again_waits(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.state = BOOKING_STATE_TENTATIVE;
	s.e.start += HOUR;
	nothing(&s);
	s.policy.tentative_books = 1;
	only(&s, PLAN_CHANGE, REASON_NONE, CHANGE_TIME, 1);
}

static void
rule_10_absence_in_exchange_is_no_evidence(void **state)
{
	struct scene s = settled();

	(void)state;
	/* Nor is it passed over in silence while both should have it. */
	s.ne = 0;
	only(&s, PLAN_REPORT, REASON_ORPHAN, 0, 0);
	s.a.end = NOW;
	nothing(&s);
	s = settled();
	s.ne = s.nt = 0;
	nothing(&s);
	s.a.dead = 1;
	nothing(&s);
}

static void
rule_10_forgotten_when_the_window_has_passed(void **state)
{
	struct scene s = settled();

	(void)state;
	s.ne = s.nt = 0;
	s.a.end = NOW - DAY;
	nothing(&s);
	s.a.end -= 60;
	only(&s, PLAN_FORGET, REASON_NONE, 0, 1);
	s.a.dead = 1;
	only(&s, PLAN_FORGET, REASON_NONE, 0, 1);
	/* ORB's own cancellation must not be taken for a person's. */
	show_t(&s, BOOKING_STATE_CANCELLED, 1);
	nothing(&s);
}

static void
rule_11_our_link_without_an_agreement(void **state)
{
	struct scene s = settled();

	(void)state;
	s.na = 0;
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_CANCEL, REASON_NONE, 0, 1);
	s.e.state = BOOKING_STATE_TENTATIVE;
	nothing(&s);
	s.ne = 0;
	only(&s, PLAN_REPORT, REASON_ORPHAN, 0, 0);
	s.t[0].end = NOW;
	nothing(&s);
}

static void
rule_12_what_is_under_way_is_left_alone(void **state)
{
	struct scene s = settled();

	(void)state;
	s.a.busy = 1;
	s.e.gone = 1;
	nothing(&s);
	s.nt = 0;
	nothing(&s);
	/* Nothing agreed yet: the row stands for the action alone. */
	s.e.gone = 0;
	s.a.gen = 0;
	nothing(&s);
}

static void
rule_12_a_held_cancellation_waits_or_is_dropped(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.gone = 1;
	s.a.waiting = 1;
	s.a.aim.kind = PLAN_CANCEL;
	s.a.aim.gen = 1;
	nothing(&s);
	s.e.gone = 0;
	only(&s, PLAN_UNHOLD, REASON_NONE, 0, 1);
}

static void
rule_12_what_is_set_aside_is_superseded(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	s.na = 1;
	memcpy(s.a.key, key, KEY_LEN);
	s.a.waiting = 1;
	s.a.aim = (struct aim){
	    .kind = PLAN_CREATE, .gen = 1, .start = SOON, .end = SOON + HOUR};
	memcpy(s.a.aim.print, blue, PRINT_LEN);
	nothing(&s);
	/* The organiser moved it: perhaps because it was refused. */
	s.e.start += HOUR;
	only(&s, PLAN_CREATE, REASON_NONE, 0, 1);
	s.e.state = BOOKING_STATE_CANCELLED;
	only(&s, PLAN_UNHOLD, REASON_NONE, 0, 1);
}

static void
rule_12_a_conflict_that_came_up_while_waiting_is_said(void **state)
{
	struct scene s = settled();

	(void)state;
	s.e.start += HOUR;
	s.a.waiting = 1;
	s.a.aim = (struct aim){.kind = PLAN_CHANGE,
	    .change = CHANGE_TIME,
	    .gen = 1,
	    .start = s.e.start,
	    .end = s.e.end};
	memcpy(s.a.aim.print, blue, PRINT_LEN);
	nothing(&s);
	s.t[0].start -= HOUR;
	only(&s, PLAN_CHANGE, REASON_CHANGED_ON_BOTH, CHANGE_TIME, 1);
}

static void
the_live_one_of_the_highest_generation_counts(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_e(&s, BOOKING_STATE_BOOKED);
	show_t(&s, BOOKING_STATE_CANCELLED, 3);
	show_t(&s, BOOKING_STATE_BOOKED, 2);
	only(&s, PLAN_ADOPT, REASON_NONE, 0, 2);
	show_t(&s, BOOKING_STATE_BOOKED, 1);
	plan(&s);
	assert_int_equal(s.out.n, 2);
	assert_int_equal(s.out.actions[0].kind, PLAN_REPORT);
	assert_int_equal(s.out.actions[0].reason, REASON_DUPLICATE);
	assert_int_equal(s.out.actions[1].kind, PLAN_ADOPT);
	assert_int_equal(s.out.actions[1].topdesk, 1);
	plan_free(&s.out);
}

static void
without_our_link_it_is_none_of_ours(void **state)
{
	struct scene s = {.policy.to_topdesk = 1};

	(void)state;
	show_t(&s, BOOKING_STATE_BOOKED, 1);
	show_t(&s, BOOKING_STATE_CONFLICTING, 1);
	memset(s.t[0].key, 0, KEY_LEN);
	memset(s.t[1].key, 0, KEY_LEN);
	nothing(&s);
}

/* Many keys, each on some of the three sides: every one has its turn once. */
static void
the_walk_meets_every_key(void **state)
{
	struct seen e[64] = {0}, t[64] = {0};
	struct agreed a[64] = {0};
	struct plan_input in = {.exchange = e,
	    .topdesk = t,
	    .agreed = a,
	    .now = NOW,
	    .from = NOW - DAY,
	    .to = NOW + DAY,
	    .policy.to_topdesk = 1};
	struct plan_output out = {0};

	(void)state;
	for (uint8_t k = 1; k < 64; k++) {
		if (k & 1) {
			e[in.nexchange].row = k;
			e[in.nexchange].start = SOON;
			e[in.nexchange].end = SOON + HOUR;
			e[in.nexchange++].key[0] = k;
		}
		if (k & 2) {
			t[in.ntopdesk].row = k;
			t[in.ntopdesk].gen = 1;
			t[in.ntopdesk].start = SOON;
			t[in.ntopdesk].end = SOON + HOUR;
			t[in.ntopdesk++].key[0] = k;
		}
		if (k & 4) {
			a[in.nagreed].row = k;
			a[in.nagreed].gen = 1;
			a[in.nagreed++].key[0] = k;
		}
	}
	assert_int_equal(plan_room(&in, &out), 0);
	for (size_t i = 0; i < out.n; i++) {
		uint8_t k = out.actions[i].key[0];
		enum plan_kind kind = out.actions[i].kind;

		if (i > 0)
			assert_true(out.actions[i - 1].key[0] < k);
		assert_int_equal(
		    out.actions[i].exchange, k & 1 ? k : PLAN_NOROW);
		assert_int_equal(
		    out.actions[i].topdesk, k & 2 ? k : PLAN_NOROW);
		assert_int_equal(out.actions[i].agreed, k & 4 ? k : PLAN_NOROW);
		switch (k & 7) {
		case 1:
			assert_int_equal(kind, PLAN_CREATE);
			break;
		case 2:
			assert_int_equal(out.actions[i].reason, REASON_ORPHAN);
			break;
		case 3:
			assert_int_equal(kind, PLAN_ADOPT);
			break;
		case 4:
			assert_int_equal(kind, PLAN_FORGET);
			break;
		case 5:
			assert_int_equal(kind, PLAN_CHANGE);
			break;
		default:
			assert_int_equal(k & 7, 7);
			assert_int_equal(kind, PLAN_ADOPT);
		}
	}
	/* All but those on no side and those (6) that are left alone. */
	assert_int_equal(out.n, 63 - 7 - 8);
	plan_free(&out);
}

static void
a_series_counts_as_one_cancellation(void **state)
{
	struct action x[6] = {{.kind = PLAN_CANCEL, .group = 1},
	    {.kind = PLAN_CANCEL, .group = 1},
	    {.kind = PLAN_CANCEL, .group = 2},
	    {.kind = PLAN_CREATE, .group = 3}, {.kind = PLAN_CANCEL},
	    {.kind = PLAN_CANCEL}};
	struct plan_output out[2] = {{x, 4, 4}, {x + 2, 4, 4}};

	(void)state;
	assert_int_equal(plan_cancellations(out, 0), 0);
	assert_int_equal(plan_cancellations(out, 1), 2);
	assert_int_equal(plan_cancellations(out, 2), 4);
}

static void
every_reason_says_what_to_do(void **state)
{
	(void)state;
	for (int r = REASON_NONE + 1; r <= REASON_RETIRED; r++) {
		assert_true(strlen(plan_reason_text(r)) > 40);
		assert_non_null(strchr(plan_reason_text(r), ':'));
	}
	for (int k = 0; k <= PLAN_AGAIN; k++)
		assert_string_not_equal(plan_kind_name(k), "unknown");
}

#define T(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_empty_room_needs_nothing),
	    T(rule_1_a_wanted_booking_is_made),
	    T(rule_1_not_when_it_is_over_or_outside),
	    T(rule_1_tentative_only_where_policy_says_so),
	    T(rule_2_a_reservation_with_our_link_is_adopted),
	    T(rule_2_then_what_differs_is_written_once),
	    T(rule_2_what_is_equal_needs_no_write),
	    T(rule_3_what_was_cancelled_is_not_made_again),
	    T(rule_4_equal_is_quiet),
	    T(rule_4_a_move_is_written),
	    T(rule_4_both_changed_is_a_conflict),
	    T(rule_4_what_a_person_changed_is_reported_not_undone),
	    T(rule_4_each_side_changed_another_thing),
	    T(rule_4_the_same_change_on_both_sides_is_agreed),
	    T(rule_4_the_same_text_on_both_sides_is_agreed),
	    T(rule_7_adoption_over_a_tombstone_starts_anew),
	    T(rule_4_text_that_topdesk_keeps_differently_is_learnt),
	    T(rule_4_unknown_text_is_no_evidence),
	    T(rule_4_what_is_locked_is_reported),
	    T(rule_4_conflicting_is_reported_besides),
	    T(rule_4_what_is_over_is_not_written_to),
	    T(rule_5_absence_is_confirmed),
	    T(rule_5_outside_the_list_a_change_is_written),
	    T(rule_6_cancelled_by_a_person_is_reported),
	    T(rule_6_an_earlier_generation_says_nothing),
	    T(rule_7_booked_again_is_made_with_the_next_generation),
	    T(rule_7_a_later_generation_was_cancelled_by_a_person),
	    T(rule_7_generations_end),
	    T(rule_8_cancelled_in_exchange_is_cancelled),
	    T(rule_8_not_when_it_is_over),
	    T(rule_8_cancelled_on_both_sides_is_buried),
	    T(rule_8_locked_is_reported),
	    T(rule_8_a_tombstone_with_a_live_reservation_is_cancelled),
	    T(rule_9_tentative_again_waits),
	    T(rule_10_absence_in_exchange_is_no_evidence),
	    T(rule_10_forgotten_when_the_window_has_passed),
	    T(rule_11_our_link_without_an_agreement),
	    T(rule_12_what_is_under_way_is_left_alone),
	    T(rule_12_a_held_cancellation_waits_or_is_dropped),
	    T(rule_12_what_is_set_aside_is_superseded),
	    T(rule_12_a_conflict_that_came_up_while_waiting_is_said),
	    T(the_live_one_of_the_highest_generation_counts),
	    T(without_our_link_it_is_none_of_ours),
	    T(the_walk_meets_every_key),
	    T(a_series_counts_as_one_cancellation),
	    T(every_reason_says_what_to_do),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
