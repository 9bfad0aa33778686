/*
 * execute_pull.c: which of the journaled actions may run now, and how each
 * begins: its payload opened, its agreed row read, its first queue chosen.
 *
 * Not here: the queues (execute.c).
 */
#include "mapd/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALIVE 512 /* jobs in memory */

static int
job_load(struct job *j, struct err *e)
{
	struct mapd *m = j->m;
	struct secret plain = {NULL, 0};
	int rc;

	j->room = mapd_room(m, j->act.room);
	if (j->room == m->nrooms)
		return err_set(e, 0, "its room is not configured any more");
	rc = store_agreed_get(m->store, j->act.room, j->act.key, &j->agreed, e);
	if (rc < 0)
		return -1;
	j->has_agreed = rc;
	if (store_act_payload(m->store, &j->act, &plain, e))
		return -1;
	rc = payload_get(
	    (struct wire_bytes){plain.p, plain.len}, &j->base, &j->content);
	secret_free(&plain);
	if (rc)
		return err_set(e, 0, "its payload cannot be read");
	if (j->content)
		brief_of(m, j->content, j->brief);
	return 0;
}

static void
job_start(struct mapd *m, const struct act *act)
{
	struct job *j = calloc(1, sizeof(*j));
	struct err e = {0};
	int look;

	if (j == NULL)
		return;
	j->m = m;
	j->act = *act;
	j->todo = act->aim.change;
	j->to = m->nrooms;
	m->ex.alive++;
	if (job_load(j, &e)) {
		j->room = j->room < m->nrooms ? j->room : 0;
		j->outcome = OUTCOME_REFUSED;
		snprintf(j->text, sizeof(j->text), "%s", e.text);
		job_next(j, JOB_OVER);
		return;
	}
	if (job_is_paired(j) && act->state != ACT_SENT) {
		act_looked(j, NULL);
		return;
	}
	if (act_on_exchange(act->aim.kind) && act->number[0] == '\0') {
		act_exchange_looked(j, NULL);
		return;
	}
	/* A second try looks too: a first look may have been blind. */
	look = act->aim.kind == PLAN_CREATE
	    ? act->state == ACT_SENT || act->tries > 0
	    : act->number[0] != '\0';
	job_next(j, look ? JOB_LOOK : JOB_PERSON);
}

/* What was set aside may be sent now: from here on it may have been. */
static int
make_ready(struct mapd *m, struct act *acts, size_t n, struct err *e)
{
	size_t i, aside = 0;

	for (i = 0; i < n; i++)
		aside += acts[i].state == ACT_ASIDE;
	if (aside == 0)
		return 0;
	if (store_begin(m->store, e))
		return -1;
	for (i = 0; i < n; i++) {
		if (acts[i].state != ACT_ASIDE)
			continue;
		acts[i].state = ACT_READY;
		if (store_act_update(m->store, &acts[i], e)) {
			store_rollback(m->store);
			return -1;
		}
	}
	return store_commit(m->store, e);
}

static void due_timer(void *);

/* When nothing can run now: wake up when the first pause is over. */
static void
sleep_until_due(struct mapd *m)
{
	struct err e;
	int64_t when = 0, ms;

	if (store_act_next(m->store, &when, &e) || when == 0)
		return;
	ms = (when - time(NULL)) * 1000;
	if (m->ex.timer == 0)
		m->ex.timer =
		    loop_timer(m->loop, ms < 200 ? 200 : ms, 0, due_timer, m);
}

static int
can_write(const struct mapd *m)
{
	return m->seal && m->topdesk.chan && m->ledgerd.chan && !m->stopping &&
	    !m->disk_bad;
}

/* What was set aside may be wanted no more: a planning that is under way says. */
static int
is_judged(const struct mapd *m, const struct act *a)
{
	size_t room = mapd_room(m, a->room);

	return a->state == ACT_ASIDE && room < m->nrooms &&
	    m->rooms[room].visit;
}

/*
 * Drops from acts those whose time another action will free first.  They stay
 * journaled and are looked at again when something has been settled.  When all
 * that is left are changes that wait for each other, the oldest goes.
 */
static int
leave_blocked(struct mapd *m, struct act *acts, size_t *n, struct err *e)
{
	size_t i, kept = 0, ring = *n;
	int blocked;

	for (i = 0; i < *n; i++) {
		blocked = is_judged(m, &acts[i]) ? 2 : 0;
		if (!blocked &&
		    (acts[i].aim.kind == PLAN_CREATE ||
			acts[i].aim.kind == PLAN_CHANGE) &&
		    acts[i].state != ACT_SENT &&
		    store_act_blocked(m->store, &acts[i], &blocked, e))
			return -1;
		if (blocked == 1 && ring == *n)
			ring = i;
		if (!blocked)
			acts[kept++] = acts[i];
	}
	if (kept == 0 && ring < *n && m->ex.alive == 0)
		acts[kept++] = acts[ring];
	*n = kept;
	return 0;
}

void
execute_pull(struct mapd *m)
{
	struct executor *ex = &m->ex;
	struct act *acts = NULL;
	struct err e;
	size_t n = 0, got;

	if (ex->alive == 0)
		ex->after = 0;
	while (can_write(m) && ex->alive + CHUNK <= ALIVE) {
		if (store_act_due(
			m->store, time(NULL), ex->after, CHUNK, &acts, &n, &e))
			goto bad;
		got = n;
		if (got)
			ex->after = acts[got - 1].id;
		if (leave_blocked(m, acts, &n, &e) ||
		    make_ready(m, acts, n, &e))
			goto bad;
		for (size_t i = 0; i < n; i++)
			job_start(m, &acts[i]);
		free(acts);
		acts = NULL;
		if (got < CHUNK) {
			if (ex->alive == 0)
				sleep_until_due(m);
			break;
		}
	}
	return;
bad:
	free(acts);
	mapd_store_failed(m, &e);
}

void
due_timer(void *arg)
{
	struct mapd *m = arg;

	m->ex.timer = 0;
	m->ex.pull = 1;
}
