/*
 * execute.c: the journaled actions, on their way.  Jobs go through queues:
 *
 *   person    the organiser's person in TOPdesk must be known (persons.c)
 *   look      the reservation is read before it is written to: those whose
 *             outcome is not known by their link, those to be changed or
 *             cancelled by their number, fifty a request
 *   announce  the record of the intent must be durable
 *   write     sent; many are under way at once
 *   over      settled in the database, many in one transaction
 *
 * A crash at any point leaves the journal, and the next start looks before it
 * writes.  Here: the queues, announcing and settling.  Not here: which actions
 * may run now (execute_pull.c), the look (execute_look.c), what is sent and what
 * an answer means (act.c, act_exchange.c).
 */
#include "mapd/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE 160   /* results that are worth a transaction */
#define SETTLE_MS 15 /* and how long fewer may wait */

void
jobs_add(struct jobs *q, struct job *j)
{
	j->next = NULL;
	if (q->head == NULL)
		q->tail = &q->head;
	*q->tail = j;
	q->tail = &j->next;
	q->n++;
}

struct job *
jobs_take(struct jobs *q)
{
	struct job *j = q->head;

	if (j == NULL)
		return NULL;
	if ((q->head = j->next) == NULL)
		q->tail = &q->head;
	q->n--;
	j->next = NULL;
	return j;
}

static void
job_free(struct job *j)
{
	if (j->content) {
		explicit_bzero(
		    j->content->subject, strlen(j->content->subject));
		free(j->content);
	}
	j->m->ex.alive--;
	free(j);
}

/* Frees a whole queue: what it holds is journaled. */
static void
jobs_free(struct jobs *q)
{
	struct job *j;

	while ((j = jobs_take(q)) != NULL)
		job_free(j);
}

void
job_next(struct job *j, enum job_stage stage)
{
	struct executor *ex = &j->m->ex;
	const char *id;

	if (stage == JOB_PERSON) {
		if (j->act.aim.kind != PLAN_CREATE)
			stage = JOB_ANNOUNCE;
		else if (persons_get(
			     j->m->persons, j->content->organiser, &id)) {
			j->fallback = id[0] == '\0';
			snprintf(j->person, sizeof(j->person), "%s",
			    id[0] ? id : j->m->conf->topdesk.fallback_person);
			stage = JOB_ANNOUNCE;
		}
	}
	j->stage = stage;
	switch (stage) {
	case JOB_PERSON:
		jobs_add(&ex->person, j);
		break;
	case JOB_LOOK:
		jobs_add(&ex->look, j);
		break;
	case JOB_ANNOUNCE:
		jobs_add(&ex->announce, j);
		break;
	case JOB_WRITE:
		jobs_add(&ex->write, j);
		break;
	case JOB_OVER:
		jobs_add(&ex->over, j);
		break;
	}
}

void
execute_wake(struct mapd *m)
{
	loop_timer_del(m->loop, m->ex.timer);
	m->ex.timer = 0;
	m->ex.pull = 1;
}

/* --- announcing ----------------------------------------------------------------------------- */

struct announced {
	struct mapd *m;
	struct jobs jobs;
};

static void
not_announced(struct job *j)
{
	j->outcome = OUTCOME_FAILED;
	strcpy(j->text,
	    "the audit log did not take the record of this action, so it was "
	    "not sent");
	job_next(j, JOB_OVER);
}

static void
on_announced(void *arg, int ok)
{
	struct announced *a = arg;
	struct job *j;

	a->m->ex.announcing--;
	while ((j = jobs_take(&a->jobs)) != NULL) {
		if (ok) {
			job_next(j, JOB_WRITE);
			continue;
		}
		not_announced(j);
	}
	free(a);
}

static enum event
intent_of(const struct job *j)
{
	switch (j->act.aim.kind) {
	case PLAN_CREATE:
		return EV_CREATE_INTENT;
	case PLAN_CANCEL:
		return EV_CANCEL_INTENT;
	case PLAN_MEET:
	case PLAN_NOTICE:
		return EV_MEET_INTENT;
	case PLAN_MEETING_CHANGE:
	case PLAN_MEETING_SWAP:
		return EV_MEETING_CHANGE_INTENT;
	case PLAN_MEETING_CANCEL:
		return EV_MEETING_CANCEL_INTENT;
	default:
		return j->todo & CHANGE_TIME ? EV_MOVE_INTENT : EV_EDIT_INTENT;
	}
}

static void
announce(struct mapd *m)
{
	struct announced *a = calloc(1, sizeof(*a));
	struct job *j;

	if (a == NULL)
		return;
	a->m = m;
	while (a->jobs.n < CHUNK && (j = jobs_take(&m->ex.announce)) != NULL) {
		if (evidence_job(m, intent_of(j), j) == 0) {
			jobs_add(&a->jobs, j);
			continue;
		}
		not_announced(j);
	}
	if (a->jobs.n == 0) {
		free(a);
		return;
	}
	m->ex.announcing++;
	if (evidence_durable(m, on_announced, a))
		on_announced(a, 0);
}

/* --- settling --------------------------------------------------------------------------------- */

static void
settle_timer(void *arg)
{
	struct mapd *m = arg;

	m->ex.settle_timer = 0;
	m->ex.settle_due = 1;
}

static void
settle_jobs(struct mapd *m)
{
	struct executor *ex = &m->ex;
	struct job *j;
	struct err e;

	loop_timer_del(m->loop, ex->settle_timer);
	ex->settle_timer = 0;
	ex->settle_due = 0;
	if (store_begin(m->store, &e))
		goto bad;
	for (j = ex->over.head; j; j = j->next)
		if (act_settle(j, &e)) {
			store_rollback(m->store);
			goto bad;
		}
	if (store_commit(m->store, &e))
		goto bad;
	jobs_free(&ex->over);
	evidence_flush(m);
	ex->pull = 1;
	return;
bad:
	mapd_store_failed(m, &e);
}

void
execute_idle(struct mapd *m)
{
	struct executor *ex = &m->ex;
	struct job *j;

	if (m->disk_bad)
		return;
	if (ex->pull) {
		ex->pull = 0;
		execute_pull(m);
	}
	if (ex->person.n)
		persons_ask(m);
	while (ex->look.n && (ex->looking == 0 || ex->look.n >= LOOKS))
		execute_look(m);
	while (ex->announce.n &&
	    (ex->announcing == 0 || ex->announce.n >= CHUNK / 2))
		announce(m);
	while ((j = jobs_take(&ex->write)) != NULL)
		if (act_on_exchange(j->act.aim.kind) ? act_exchange_send(j)
						     : act_send(j)) {
			j->outcome = OUTCOME_FAILED;
			strcpy(j->text, "the adapter is not running");
			job_next(j, JOB_OVER);
		}
	if (ex->over.n >= SETTLE || (ex->over.n && ex->settle_due))
		settle_jobs(m);
	else if (ex->over.n && ex->settle_timer == 0)
		ex->settle_timer =
		    loop_timer(m->loop, SETTLE_MS, 0, settle_timer, m);
}

void
execute_stop(struct mapd *m)
{
	struct executor *ex = &m->ex;
	struct jobs *q[] = {&ex->person, &ex->look, &ex->announce, &ex->write};

	for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++)
		jobs_free(q[i]);
	if (ex->over.n && !m->disk_bad)
		settle_jobs(m);
	jobs_free(&ex->over);
	loop_timer_del(m->loop, ex->timer);
	loop_timer_del(m->loop, ex->settle_timer);
	ex->timer = ex->settle_timer = 0;
}
