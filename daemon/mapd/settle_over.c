/*
 * settle_over.c: what a plan does not find again is over: problems go, conflicts
 * are settled.  Also the one problem that no plan knows of.
 *
 * Not here: what makes them (settle_commit.c, act.c).
 */
#include "mapd/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds: longer than until all is read again (rebase_days). */
#define UNREAD_KEPT (100 * INT64_C(86400))

/* Problems of the room that this plan did not find again are over. */
struct stale {
	struct visit *v;
	uint8_t (*key)[KEY_LEN];
	size_t n;
};

/* Is something agreed under the key, and stands? */
static int
is_agreed(const struct visit *v, const uint8_t key[KEY_LEN])
{
	struct agreed probe = {0};
	const struct agreed *a;

	memcpy(probe.key, key, KEY_LEN);
	a = bsearch(
	    &probe, v->aseen, v->nagreed, sizeof(*v->aseen), agreed_compare);
	return a && a->gen && !a->dead;
}

/* What waits is not planned again, so that the plan says nothing of it. */
static int
is_pending(const struct visit *v, const uint8_t key[KEY_LEN])
{
	for (size_t i = 0; i < v->nagreed; i++)
		if ((v->aseen[i].busy || v->aseen[i].waiting) &&
		    memcmp(v->aseen[i].key, key, KEY_LEN) == 0)
			return 1;
	return 0;
}

static int
problem_stale(void *arg, const struct problem *p)
{
	struct stale *s = arg;
	const struct plan_output *plan = &s->v->plan;
	void *k;

	if (p->room != s->v->m->rooms[s->v->room].st.id || p->kept > 0 ||
	    (p->kept < 0 && is_agreed(s->v, p->key)) ||
	    is_pending(s->v, p->key))
		return 0;
	for (size_t i = 0; i < plan->n; i++)
		if (memcmp(plan->actions[i].key, p->key, KEY_LEN) == 0 &&
		    (plan->actions[i].kind == PLAN_REPORT ||
			plan->actions[i].kind == PLAN_CONFIRM ||
			plan->actions[i].reason == REASON_CHANGED_ON_BOTH))
			return 0;
	if ((k = realloc(s->key, (s->n + 1) * KEY_LEN)) == NULL)
		return 0;
	s->key = k;
	memcpy(s->key[s->n++], p->key, KEY_LEN);
	return 0;
}

int
settle_problems(struct visit *v, struct err *e)
{
	struct stale s = {v, NULL, 0};
	int rc = store_problem_list(v->m->store, problem_stale, &s, e);

	for (size_t i = 0; rc == 0 && i < s.n; i++)
		rc = store_problem_drop(
		    v->m->store, v->m->rooms[v->room].st.id, s.key[i], e);
	free(s.key);
	return rc;
}

/* Is the key's conflict, or what ends it, still on? */
static int
conflict_over(void *arg, const struct conflict *c)
{
	struct stale *s = arg;
	const struct plan_output *plan = &s->v->plan;
	void *k;

	if (c->settled)
		return 0;
	for (size_t i = 0; i < plan->n; i++)
		if ((plan->actions[i].kind == PLAN_CLASH ||
			plan_writes(plan->actions[i].kind) != UPSTREAM_NONE) &&
		    memcmp(plan->actions[i].key, c->key, KEY_LEN) == 0)
			return 0;
	if (is_pending(s->v, c->key))
		return 0;
	if ((k = realloc(s->key, (s->n + 1) * KEY_LEN)) == NULL)
		return 0;
	s->key = k;
	memcpy(s->key[s->n++], c->key, KEY_LEN);
	return 0;
}

/*
 * What Exchange has and nobody can read is one problem of the room, of no
 * booking.  The feed names it once: it stays until all has been read again,
 * which happens every rebase_days.
 */
int
settle_unread(struct visit *v, struct err *e)
{
	static const uint8_t no_key[KEY_LEN];
	struct room *r = &v->m->rooms[v->room];
	struct problem p = {.room = r->st.id, .since = time(NULL)};
	int fresh;

	if (!v->ex_ok || (v->unread == 0 && !v->ex_full))
		return 0;
	if (v->unread == 0)
		return store_problem_drop(v->m->store, p.room, no_key, e);
	p.kept = p.since + UNREAD_KEPT;
	snprintf(p.text, sizeof(p.text), "Exchange: %s", v->unread_text);
	if (store_problem_put(v->m->store, &p, &fresh, e))
		return -1;
	if (fresh)
		evidence(v->m, EV_PROBLEM, r, NULL, NULL, p.text);
	return 0;
}

int
settle_conflicts(struct visit *v, struct err *e)
{
	struct stale s = {v, NULL, 0};
	int64_t room = v->m->rooms[v->room].st.id, now = time(NULL);
	int rc = store_conflict_list(v->m->store, room, conflict_over, &s, e);

	for (size_t i = 0; rc == 0 && i < s.n; i++)
		rc = store_conflict_settle(v->m->store, room, s.key[i], now, e);
	free(s.key);
	return rc;
}
