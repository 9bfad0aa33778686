/*
 * plan_scene.c: see plan_scene.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "plan_scene.h"

const uint8_t key[KEY_LEN] = {7};
const uint8_t blue[PRINT_LEN] = {1, 'b'}, red[PRINT_LEN] = {1, 'r'},
	      grey[PRINT_LEN] = {1, 'g'};

void
show_e(struct scene *s, int state)
{
	s->ne = 1;
	memcpy(s->e.key, key, KEY_LEN);
	memcpy(s->e.print, blue, PRINT_LEN);
	s->e.start = SOON;
	s->e.end = SOON + HOUR;
	s->e.group = 42;
	s->e.state = (uint8_t)state;
}

struct seen *
show_t(struct scene *s, int state, unsigned gen)
{
	struct seen *t = &s->t[s->nt];

	memcpy(t->key, key, KEY_LEN);
	memcpy(t->print, blue, PRINT_LEN);
	t->start = SOON;
	t->end = SOON + HOUR;
	t->changed = 5;
	t->row = (uint32_t)s->nt++;
	t->state = (uint8_t)state;
	t->gen = (uint8_t)gen;
	return t;
}

void
agree(struct scene *s, unsigned gen, int dead)
{
	s->na = 1;
	memcpy(s->a.key, key, KEY_LEN);
	memcpy(s->a.ex_print, blue, PRINT_LEN);
	memcpy(s->a.td_print, blue, PRINT_LEN);
	s->a.start = SOON;
	s->a.end = SOON + HOUR;
	s->a.changed = 5;
	s->a.group = 42;
	s->a.gen = (uint8_t)gen;
	s->a.dead = (uint8_t)dead;
}

/* Booked, made, agreed: nothing is to be done. */
struct scene
settled(void)
{
	struct scene s = {.policy.to_topdesk = 1};

	show_e(&s, BOOKING_STATE_BOOKED);
	show_t(&s, BOOKING_STATE_BOOKED, 1);
	agree(&s, 1, 0);
	return s;
}

void
plan(struct scene *s)
{
	struct plan_input in = {.exchange = &s->e,
	    .topdesk = s->t,
	    .agreed = &s->a,
	    .nexchange = s->ne,
	    .ntopdesk = s->nt,
	    .nagreed = s->na,
	    .policy = s->policy,
	    .now = NOW,
	    .from = NOW - DAY,
	    .to = NOW + 30 * DAY};

	assert_int_equal(plan_room(&in, &s->out), 0);
}

/* The plan is this one action, or none (kind -1). */
void
check(struct scene *s, int kind, int reason, unsigned change, unsigned gen,
    int line)
{
	const struct action *x;

	plan(s);
	if (s->out.n != (kind == -1 ? 0u : 1u))
		fail_msg("line %d: %zu actions, the first %s", line, s->out.n,
		    s->out.n ? plan_kind_name(s->out.actions[0].kind) : "-");
	if (kind != -1) {
		x = &s->out.actions[0];
		if ((int)x->kind != kind || (int)x->reason != reason ||
		    x->change != change || x->gen != gen)
			fail_msg("line %d: %s, reason %d, change %u, gen %u",
			    line, plan_kind_name(x->kind), x->reason, x->change,
			    x->gen);
		assert_memory_equal(x->key, key, KEY_LEN);
		assert_int_equal(x->exchange, s->ne ? 0 : PLAN_NOROW);
		if (s->na && s->a.gen)
			assert_int_equal(x->agreed, 0);
		else
			assert_int_equal(x->agreed, PLAN_NOROW);
	}
	plan_free(&s->out);
}
