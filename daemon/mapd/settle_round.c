/*
 * settle_round.c: the end of a round, over all rooms: cursors are kept, and the
 * writes that wait for a count go, or are held for orbctl approve.
 *
 * Not here: asking the rooms (round.c), what is journaled as held
 * (settle_commit.c).
 */
#include "mapd/mapd.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct held {
	uint64_t *group;
	size_t n, cap, acts;
};

static int
count_held(void *arg, const struct act *a)
{
	struct held *h = arg;
	uint64_t *p;

	if (a->state != ACT_HELD)
		return 0;
	h->acts++;
	for (size_t i = 0; i < h->n; i++)
		if (h->group[i] == a->group)
			return 0;
	if (h->n == h->cap) {
		p = realloc(h->group, (h->cap + 64) * sizeof(*p));
		if (p == NULL)
			return -1;
		h->group = p;
		h->cap += 64;
	}
	h->group[h->n++] = a->group;
	return 0;
}

static void
say_held(struct mapd *m, size_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", n);
	evidence(m, m->first ? EV_WRITES_HELD : EV_CANCELLATIONS_HELD, NULL,
	    NULL, NULL, text);
	log_warn("%zu %s are held: see orbctl plan, then orbctl approve", n,
	    m->first ? "writes of the first look" : "cancellations");
}

void
settle_round(struct mapd *m)
{
	struct held h = {0};
	struct err e;
	size_t n, held;
	int over, limit, more = first_goes_on(m);

	if (store_begin(m->store, &e))
		goto bad;
	for (size_t i = 0; i < m->nrooms; i++) {
		if (!m->rooms[i].cursor_moved)
			continue;
		if (store_room_cursor(m->store, &m->rooms[i].st, &e))
			goto rollback;
		m->rooms[i].cursor_moved = 0;
	}
	if (store_conflict_expire(m->store, time(NULL) - CONFLICT_KEPT, &e) ||
	    store_problem_expire(m->store, time(NULL), &e) ||
	    store_act_list(m->store, count_held, &h, &e))
		goto rollback;
	limit = m->first ? m->conf->policy.approve_writes
			 : m->conf->policy.mass_cancel_limit;
	held = m->first ? h.acts : h.n;
	if (held <= (size_t)limit && h.acts && !more &&
	    (store_act_approve(m->store, &n, &e) ||
		(m->first && store_meta_set(m->store, "begun", &e))))
		goto rollback;
	/* What could be read was read: the next look is not the first. */
	over =
	    m->first && held <= (size_t)limit && !more && m->round.failed == 0;
	if (over && first_keep(m, &e))
		goto rollback;
	if (store_commit(m->store, &e))
		goto bad;
	if (over)
		first_over(m);
	if (held > (size_t)limit && h.acts != m->held_said && !more)
		say_held(m, h.acts);
	m->held_said = held > (size_t)limit ? h.acts : 0;
	free(h.group);
	return;
rollback:
	store_rollback(m->store);
bad:
	free(h.group);
	mapd_store_failed(m, &e);
}
