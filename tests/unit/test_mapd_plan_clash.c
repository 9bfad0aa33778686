/*
 * test_mapd_plan_clash.c: the rules of plan_clash.c, by their letters there.
 *
 * A plan is compared as text: of each action its kind, key and reason, and of a
 * conflict who loses.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/marks.h"
#include "mapd/plan.h"

#define NOW 1790000040
#define DAY 86400
/* Minutes after ten. */
#define AT(m) (NOW - NOW % 60 + 7200 + (m)*60)

struct room {
	struct seen e[8], t[8];
	struct agreed a[8];
	struct plan_input in;
};

static struct room
a_room(enum plan_conflict conflict)
{
	struct room r = {.in = {.policy = {.to_topdesk = 1,
				    .to_exchange = 1,
				    .answer_seconds = 900,
				    .conflict = conflict},
			     .now = NOW,
			     .from = NOW - DAY,
			     .to = NOW + DAY}};

	return r;
}

static struct seen *
put(struct seen *s, size_t *n, int k, int from, int to)
{
	s += *n;
	s->key[0] = (uint8_t)k;
	s->start = AT(from);
	s->end = AT(to);
	s->row = (uint32_t)(*n)++;
	return s;
}

static struct seen *
put_e(struct room *r, int k, int from, int to)
{
	return put(r->e, &r->in.nexchange, k, from, to);
}

/* Without a link. */
static struct seen *
put_t(struct room *r, int k, int from, int to)
{
	struct seen *s = put(r->t, &r->in.ntopdesk, k, from, to);

	s->provisional = 1;
	return s;
}

static struct agreed *
put_a(struct room *r, int k, int from, int to)
{
	struct agreed *a = &r->a[r->in.nagreed];

	a->key[0] = (uint8_t)k;
	a->start = AT(from);
	a->end = AT(to);
	a->row = (uint32_t)r->in.nagreed++;
	return a;
}

/* On both sides, and agreed. */
static struct seen *
put_paired(struct room *r, int k, int from, int to)
{
	struct seen *t = put_t(r, k, from, to);

	put_e(r, k, from, to);
	put_a(r, k, from, to)->gen = 1;
	t->provisional = 0;
	t->link = LINK_OURS;
	t->gen = 1;
	return t;
}

static void
say(const struct plan_output *out, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < out->n && n < size; i++) {
		const struct action *x = &out->actions[i];

		n += (size_t)snprintf(buf + n, size - n, "%s%s %d",
		    i ? ", " : "", plan_kind_name(x->kind), x->key[0]);
		if (x->reason && n < size)
			n += (size_t)snprintf(
			    buf + n, size - n, " %d", (int)x->reason);
		if (x->kind == PLAN_CLASH && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%c",
			    x->loser == UPSTREAM_EXCHANGE      ? 'e'
				: x->loser == UPSTREAM_TOPDESK ? 't'
							       : '-');
	}
}

static void
check(struct room *r, const char *want, int line)
{
	struct plan_output out = {0};
	char got[512];

	r->in.exchange = r->e;
	r->in.topdesk = r->t;
	r->in.agreed = r->a;
	assert_int_equal(plan_room(&r->in, &out), 0);
	say(&out, got, sizeof(got));
	plan_free(&out);
	if (strcmp(got, want) != 0)
		fail_msg("line %d: %s; not %s", line, got, want);
}

#define plans(r, want) check(r, want, __LINE__)
/* The reasons' numbers, as text. */
#define LOST "11"
#define DOUBTFUL "9"
#define BLOCK "10"
#define CONFLICTING "4"

static void
the_numbers_of_the_reasons(void **state)
{
	(void)state;
	assert_int_equal(REASON_LOST, atoi(LOST));
	assert_int_equal(REASON_DOUBTFUL, atoi(DOUBTFUL));
	assert_int_equal(REASON_BLOCK, atoi(BLOCK));
	assert_int_equal(REASON_CONFLICTING, atoi(CONFLICTING));
}

static void
a_the_same_times_are_one_booking(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_e(&r, 1, 0, 60)->start += 20;
	put_t(&r, 2, 0, 60);
	plans(&r, "pair 1");
	r.in.policy.to_exchange = 0;
	plans(&r, "create 1");
	r.t[0].start += 60;
	r.in.policy.to_exchange = 1;
	plans(&r, "conflict 2 " LOST "t, tell requester 2 " LOST);
}

static void
a_an_orphan_is_matched(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);
	struct seen *t;

	(void)state;
	t = put_t(&r, 2, 0, 60);
	t->provisional = 0;
	t->link = LINK_OURS;
	t->gen = 1;
	plans(&r, "report 2 5");
	put_e(&r, 1, 0, 60);
	plans(&r, "pair 1");
	r.e[0].end += 60;
	plans(&r, "create 1, report 2 5");
}

static void
a_several_are_told_apart_by_person(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_e(&r, 1, 0, 60);
	put_e(&r, 2, 0, 60);
	put_t(&r, 3, 0, 60);
	put_t(&r, 4, 0, 60);
	plans(&r,
	    "report 1 " DOUBTFUL ", report 2 " DOUBTFUL ", report 3 " DOUBTFUL
	    ", report 4 " DOUBTFUL);
	r.e[0].person = r.t[1].person = 77;
	plans(&r, "pair 1, report 2 " DOUBTFUL ", report 3 " DOUBTFUL);
	r.e[1].person = r.t[0].person = 78;
	plans(&r, "pair 1, pair 2");
	r.e[1].person = r.t[0].person = 77;
	plans(&r,
	    "report 1 " DOUBTFUL ", report 2 " DOUBTFUL ", report 3 " DOUBTFUL
	    ", report 4 " DOUBTFUL);
}

static void
a_b_nothing_is_made_while_a_meeting_is(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);
	struct agreed *a;

	(void)state;
	put_e(&r, 1, 0, 60);
	put_e(&r, 2, 120, 180);
	put_t(&r, 3, 0, 60);
	a = put_a(&r, 3, 0, 0);
	a->busy = 1;
	a->aim.kind = PLAN_MEET;
	plans(&r, "");
	/* What is new in TOPdesk and free of all that is made. */
	put_t(&r, 4, 200, 260);
	put_t(&r, 5, 150, 200);
	plans(&r, "make meeting 4");
	a->busy = 0;
	plans(&r,
	    "pair 1, make meeting 4, conflict 5 " LOST
	    "t, tell requester 5 " LOST);
}

static void
a_waiting_meeting_that_is_paired_is_dropped(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);
	struct agreed *a;

	(void)state;
	put_e(&r, 1, 0, 60);
	put_t(&r, 3, 0, 60);
	a = put_a(&r, 3, 0, 0);
	a->waiting = 1;
	a->aim.kind = PLAN_MEET;
	plans(&r, "pair 1, unhold 3");
}

static void
c_almost_the_same_is_doubtful(void **state)
{
	struct room r = a_room(CONFLICT_TOPDESK);

	(void)state;
	put_e(&r, 1, 0, 60)->person = 77;
	put_t(&r, 2, 0, 90)->person = 77;
	plans(&r, "report 1 " DOUBTFUL ", report 2 " DOUBTFUL);
	r.t[0].start = AT(30);
	plans(&r, "conflict 1 " LOST "e, cancel meeting 1 " LOST);
	r.t[0].end = AT(60);
	plans(&r, "report 1 " DOUBTFUL ", report 2 " DOUBTFUL);
	r.t[0].person = 78;
	plans(&r, "conflict 1 " LOST "e, cancel meeting 1 " LOST);
}

static void
d_two_new_ones_want_the_room(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_e(&r, 1, 0, 60);
	put_t(&r, 2, 30, 90);
	plans(&r, "conflict 2 " LOST "t, tell requester 2 " LOST);
	r.in.policy.conflict = CONFLICT_EXCHANGE;
	plans(&r, "conflict 2 " LOST "t, tell requester 2 " LOST);
	r.in.policy.conflict = CONFLICT_TOPDESK;
	plans(&r, "conflict 1 " LOST "e, cancel meeting 1 " LOST);
	r.t[0].state = BOOKING_STATE_CONFLICTING;
	plans(&r, "conflict 2 " LOST "t, tell requester 2 " LOST);
	r.t[0].state = BOOKING_STATE_REQUEST;
	plans(&r, "create 1");
	/* Back to back is no conflict. */
	r.t[0].state = BOOKING_STATE_BOOKED;
	r.t[0].start = AT(60);
	plans(&r, "create 1, make meeting 2");
}

static void
d_a_requester_is_told_once(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_e(&r, 1, 0, 60);
	put_e(&r, 2, 60, 120);
	put_t(&r, 3, 30, 90);
	plans(&r, "conflict 3 " LOST "t, tell requester 3 " LOST);
	r.in.policy.conflict = CONFLICT_TOPDESK;
	plans(&r,
	    "conflict 1 " LOST "e, cancel meeting 1 " LOST ", conflict 2 " LOST
	    "e, cancel meeting 2 " LOST);
}

static void
d_block_time_is_no_conflict(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);
	struct seen *t;

	(void)state;
	t = put_paired(&r, 1, 60, 120);
	t->block_start = AT(45);
	t->block_end = AT(135);
	put_e(&r, 2, 0, 60);
	put_e(&r, 3, 135, 150);
	plans(&r, "report 2 " BLOCK ", create 3");
}

/* What fits in Exchange and TOPdesk must refuse is not written. */
static void
d_moved_into_block_time(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);
	struct seen *t;

	(void)state;
	t = put_paired(&r, 1, 60, 120);
	t->block_end = AT(135);
	put_paired(&r, 2, 300, 360);
	r.e[1].start = AT(120);
	r.e[1].end = AT(180);
	plans(&r, "report 2 " BLOCK);
	r.e[1].start = AT(135);
	plans(&r, "change 2");
}

/* The meeting that a swap brings here is seen before the swap is settled. */
static void
d_a_reservation_arrives(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_t(&r, 1, 60, 120)->arriving = 1;
	put_e(&r, 2, 60, 120);
	put_e(&r, 3, 120, 180);
	plans(&r, "create 3");
}

static void
d_against_a_pair(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_paired(&r, 1, 60, 120);
	put_e(&r, 2, 90, 150);
	plans(&r, "conflict 2 " LOST "e, cancel meeting 2 " LOST);
	r.in.policy.conflict = CONFLICT_TOPDESK;
	plans(&r, "conflict 2 " LOST "e, cancel meeting 2 " LOST);
	r.in.policy.conflict = CONFLICT_EXCHANGE;
	plans(&r, "create 2");
	r.in.policy.conflict = CONFLICT_FIRST;
	r.in.policy.to_exchange = 0;
	plans(&r, "create 2");
	/* It makes way: cancelled, or moved. */
	r.in.policy.to_exchange = 1;
	r.e[0].state = BOOKING_STATE_CANCELLED;
	plans(&r, "cancel 1, create 2");
	r.e[0].state = BOOKING_STATE_BOOKED;
	r.e[0].start -= 3600;
	r.e[0].end -= 3600;
	plans(&r, "change 1, create 2");
	r.a[0].busy = 1;
	r.a[0].aim.kind = PLAN_CANCEL;
	plans(&r, "create 2");
}

static void
e_a_new_reservation_against_a_pair(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_paired(&r, 1, 60, 120);
	put_t(&r, 2, 90, 150);
	plans(&r, "conflict 2 " LOST "t, tell requester 2 " LOST);
	r.in.policy.conflict = CONFLICT_TOPDESK;
	plans(&r, "conflict 1 " LOST "e, cancel meeting 1 " LOST);
	r.t[1].state = BOOKING_STATE_CONFLICTING;
	plans(&r, "conflict 2 " LOST "t, tell requester 2 " LOST);
	r.t[1].state = BOOKING_STATE_BOOKED;
	/* The loser is on its way out: the meeting waits for that. */
	r.a[0].dead = DEAD_RELEASED;
	r.a[0].await = NOW;
	plans(&r, "");
	r.e[0].state = BOOKING_STATE_CANCELLED;
	plans(&r, "cancel 1, make meeting 2");
}

static void
e_against_what_is_being_made(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);
	struct agreed *a;

	(void)state;
	put_e(&r, 1, 60, 120);
	a = put_a(&r, 1, 0, 0);
	a->busy = 1;
	a->aim.kind = PLAN_CREATE;
	put_t(&r, 2, 90, 150);
	plans(&r, "");
}

static void
one_way_plans_nothing_for_topdesk(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	r.in.policy.to_exchange = 0;
	put_paired(&r, 1, 60, 120);
	put_t(&r, 2, 90, 150);
	put_t(&r, 3, 200, 250)->state = BOOKING_STATE_CONFLICTING;
	plans(&r, "");
	r.in.policy.to_exchange = 1;
	r.in.policy.to_topdesk = 0;
	put_e(&r, 4, 300, 360);
	plans(&r, "conflict 2 " LOST "-, report 3 " CONFLICTING);
}

/* TOPdesk does not judge again by itself. */
static void
f_what_was_in_the_way_has_gone(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);

	(void)state;
	put_t(&r, 1, 60, 120)->state = BOOKING_STATE_CONFLICTING;
	plans(&r, "plan anew 1 " CONFLICTING);
	/* Something is there, if only a request, or a block time. */
	put_t(&r, 2, 100, 160)->state = BOOKING_STATE_REQUEST;
	plans(&r, "report 1 " CONFLICTING);
	r.t[1].start = AT(120);
	plans(&r, "plan anew 1 " CONFLICTING);
	r.t[1].block_start = AT(110);
	plans(&r, "report 1 " CONFLICTING);
	r.t[1].state = BOOKING_STATE_CANCELLED;
	plans(&r, "plan anew 1 " CONFLICTING);
	/* It waits already, and it is the same. */
	put_a(&r, 1, 0, 0)->waiting = 1;
	r.a[0].aim.kind = PLAN_AGAIN;
	r.a[0].aim.change = CHANGE_TIME;
	r.a[0].aim.reason = REASON_CONFLICTING;
	r.a[0].aim.start = r.t[0].start;
	r.a[0].aim.end = r.t[0].end;
	plans(&r, "");
	r.t[0].state = BOOKING_STATE_BOOKED;
	plans(&r, "make meeting 1");
}

static void
f_not_what_must_not_be_touched(void **state)
{
	struct room r = a_room(CONFLICT_FIRST);
	struct seen *t = put_paired(&r, 1, 60, 120);

	(void)state;
	t->state = BOOKING_STATE_CONFLICTING;
	plans(&r, "plan anew 1 " CONFLICTING);
	r.in.policy.to_exchange = 0;
	plans(&r, "plan anew 1 " CONFLICTING);
	t->marks = MARK_ISSUED;
	plans(&r, "report 1 " CONFLICTING);
	t->marks = MARK_SEVERAL_ROOMS;
	plans(&r, "report 1 " CONFLICTING);
	t->marks = 0;
	/* Its own double is what is in its way. */
	put_t(&r, 1, 60, 120)->provisional = 0;
	plans(&r, "report 1 7, report 1 " CONFLICTING);
	r.in.ntopdesk--;
	/* A write that is planned anyway does it, too. */
	r.e[0].start = AT(50);
	plans(&r, "report 1 " CONFLICTING ", change 1");
}

/* Thousands that do not overlap cost no more than sorting them. */
static void
many_bookings_are_compared_quickly(void **state)
{
	enum { N = 20000 };
	struct seen *e = calloc(N, sizeof(*e)), *t = calloc(N, sizeof(*t));
	struct plan_output out = {0};
	struct room r = a_room(CONFLICT_FIRST);
	clock_t began = clock();

	(void)state;
	assert_true(e && t);
	for (uint32_t i = 0; i < N; i++) {
		e[i].key[0] = 1;
		t[i].key[0] = 2;
		e[i].key[1] = t[i].key[1] = (uint8_t)(i >> 8);
		e[i].key[2] = t[i].key[2] = (uint8_t)i;
		e[i].row = t[i].row = i;
		e[i].start = AT((int)i * 20);
		e[i].end = AT((int)i * 20 + 10);
		t[i].start = e[i].end;
		t[i].end = e[i].end + 600;
		t[i].provisional = 1;
	}
	r.in.exchange = e;
	r.in.topdesk = t;
	r.in.nexchange = r.in.ntopdesk = N;
	r.in.to = AT(N * 20);
	assert_int_equal(plan_room(&r.in, &out), 0);
	assert_int_equal(out.n, 2 * N);
	assert_int_equal(out.actions[0].kind, PLAN_CREATE);
	assert_int_equal(out.actions[N].kind, PLAN_MEET);
	assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
	plan_free(&out);
	free(e);
	free(t);
}

#define T(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_numbers_of_the_reasons),
	    T(a_the_same_times_are_one_booking),
	    T(a_an_orphan_is_matched),
	    T(a_several_are_told_apart_by_person),
	    T(a_b_nothing_is_made_while_a_meeting_is),
	    T(a_waiting_meeting_that_is_paired_is_dropped),
	    T(c_almost_the_same_is_doubtful),
	    T(d_two_new_ones_want_the_room),
	    T(d_a_requester_is_told_once),
	    T(d_block_time_is_no_conflict),
	    T(d_moved_into_block_time),
	    T(d_a_reservation_arrives),
	    T(d_against_a_pair),
	    T(e_a_new_reservation_against_a_pair),
	    T(e_against_what_is_being_made),
	    T(one_way_plans_nothing_for_topdesk),
	    T(f_what_was_in_the_way_has_gone),
	    T(f_not_what_must_not_be_touched),
	    T(many_bookings_are_compared_quickly),
	};

	return cmocka_run_group_tests_name("plan_clash", tests, NULL, NULL);
}
