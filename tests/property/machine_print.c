/* machine_print.c: mapd's state as lines for whoever looks for a mistake. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* Which copy or reservation a key is of, as far as that can be told. */
static const char *
key_name(const struct machine *k, const uint8_t key[KEY_LEN], char buf[64])
{
	uint8_t other[KEY_LEN];
	char id[24];

	for (int room = 0; room < ROOMS; room++) {
		for (size_t i = 0; i < k->o->nmeetings; i++) {
			office_key(k->o, room, &k->o->meeting[i], other);
			if (memcmp(key, other, KEY_LEN) == 0) {
				snprintf(
				    buf, 64, "meeting %zu room %d", i, room);
				return buf;
			}
		}
		for (size_t i = 0; i < k->o->nres; i++) {
			snprintf(id, sizeof(id), "res-%zu", i);
			identity_provisional(k->rooms[room].mailbox, id, other);
			if (memcmp(key, other, KEY_LEN) == 0) {
				snprintf(buf, 64, "provisional %zu room %d", i,
				    room);
				return buf;
			}
		}
	}
	return "unknown";
}

static int
on_problem(void *arg, const struct problem *p)
{
	char buf[64];

	printf("#   problem: %s: %s\n", key_name(arg, p->key, buf), p->text);
	return 0;
}

static int
on_conflict(void *arg, const struct conflict *c)
{
	char buf[64];

	printf("#   conflict: %s, number %s, rival %s, loser %s, why %u%s\n",
	    key_name(arg, c->key, buf), c->number, c->rival,
	    upstream_name(c->loser), c->why, c->settled ? ", settled" : "");
	return 0;
}

static int
on_act(void *arg, const struct act *a)
{
	char buf[64];

	printf("#   act: %s (change %u, reason %u) of %s, state %d, tries %u, "
	       "next %lld: %s\n",
	    plan_kind_name(a->aim.kind), a->aim.change, a->aim.reason,
	    key_name(arg, a->key, buf), a->state, a->tries,
	    (long long)a->next_try, a->reason);
	return 0;
}

static void
print_agreed(struct machine *k, int room)
{
	struct agreed_row *rows;
	struct err e;
	char buf[64];
	size_t n;

	if (store_agreed_load(
		k->m->store, k->m->rooms[room].st.id, &rows, &n, &e))
		return;
	for (size_t i = 0; i < n; i++)
		printf("#   agreed: %s is %s, gen %u, origin %u, dead %u, "
		       "await %lld, start %lld, end %lld\n",
		    key_name(k, rows[i].a.key, buf), rows[i].remote_id,
		    rows[i].a.gen, rows[i].a.origin, rows[i].a.dead,
		    (long long)rows[i].a.await, (long long)rows[i].a.start,
		    (long long)rows[i].a.end);
	free(rows);
}

static void
print_seen(struct machine *k, int room)
{
	struct seen_row *rows;
	struct err e;
	char buf[64];
	size_t n;

	if (store_seen_load(
		k->m->store, k->m->rooms[room].st.id, &rows, &n, &e))
		return;
	for (size_t i = 0; i < n; i++)
		printf("#   seen: %s, %s%s, start %lld, end %lld\n",
		    key_name(k, rows[i].s.key, buf),
		    booking_state_name(rows[i].s.state),
		    rows[i].s.gone ? ", gone" : "", (long long)rows[i].s.start,
		    (long long)rows[i].s.end);
	seen_rows_free(rows, n);
}

void
machine_print(struct machine *k)
{
	struct err e;

	for (int room = 0; room < ROOMS; room++) {
		printf("#   room %d: %s\n", room, k->m->rooms[room].text);
		print_agreed(k, room);
		print_seen(k, room);
	}
	printf("#   direction %d, book_as %d, conflict %d, ews %d, first %d\n",
	    k->conf.policy.direction, k->conf.exchange.book_as,
	    k->conf.policy.conflict, k->o->ews, k->m->first);
	(void)store_problem_list(k->m->store, on_problem, k, &e);
	(void)store_conflict_list(k->m->store, 0, on_conflict, k, &e);
	(void)store_act_list(k->m->store, on_act, k, &e);
}
