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
 * writes.  Here: the queues.  What is sent and what an answer means: act.c.
 */
#include "mapd/mapd.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK 128    /* acts pulled, records announced at a time */
#define ALIVE 512    /* jobs in memory */
#define LOOKS 50     /* reservations a read */
#define SETTLE 160   /* results that are worth a transaction */
#define SETTLE_MS 15 /* and how long fewer may wait */
#define LOOK_DEADLINE 180000

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

/* --- pulling ---------------------------------------------------------------------- */

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
	m->ex.alive++;
	if (job_load(j, &e)) {
		j->room = j->room < m->nrooms ? j->room : 0;
		j->outcome = OUTCOME_REFUSED;
		snprintf(j->text, sizeof(j->text), "%s", e.text);
		job_next(j, JOB_OVER);
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

static void execute_timer(void *);

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
		m->ex.timer = loop_timer(
		    m->loop, ms < 200 ? 200 : ms, 0, execute_timer, m);
}

static int
can_write(const struct mapd *m)
{
	return m->seal && m->topdesk.chan && m->ledgerd.chan && !m->stopping &&
	    !m->disk_bad;
}

/*
 * Drops from acts those whose time another action will free first.  They stay
 * journaled and are looked at again when something has been settled.
 */
static int
leave_blocked(struct mapd *m, struct act *acts, size_t *n, struct err *e)
{
	size_t i, kept = 0;
	int blocked;

	for (i = 0; i < *n; i++) {
		blocked = 0;
		if ((acts[i].aim.kind == PLAN_CREATE ||
			acts[i].aim.kind == PLAN_CHANGE) &&
		    acts[i].state != ACT_SENT &&
		    store_act_blocked(m->store, &acts[i], &blocked, e))
			return -1;
		if (!blocked)
			acts[kept++] = acts[i];
	}
	*n = kept;
	return 0;
}

static void
pull(struct mapd *m)
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

static void
execute_timer(void *arg)
{
	struct mapd *m = arg;

	m->ex.timer = 0;
	m->ex.pull = 1;
}

void
execute_wake(struct mapd *m)
{
	loop_timer_del(m->loop, m->ex.timer);
	m->ex.timer = 0;
	m->ex.pull = 1;
}

/* --- looking ---------------------------------------------------------------------------- */

struct look {
	struct mapd *m;
	struct job *job[LOOKS];
	struct reservation *found[LOOKS];
	size_t n;
	int by_link;
};

static void
look_over(struct look *l, int outcome, const char *text)
{
	struct job *j;

	l->m->ex.looking--;
	for (size_t i = 0; i < l->n; i++) {
		j = l->job[i];
		if (outcome == OUTCOME_OK && act_on_exchange(j->act.aim.kind)) {
			act_exchange_looked(j, l->found[i]);
		} else if (outcome == OUTCOME_OK) {
			act_looked(j, l->found[i]);
		} else {
			j->outcome = j->act.state == ACT_SENT ? OUTCOME_UNKNOWN
							      : OUTCOME_FAILED;
			snprintf(j->text, sizeof(j->text),
			    "could not be looked up: %s", text);
			job_next(j, JOB_OVER);
		}
		free(l->found[i]);
	}
	free(l);
}

/* What an action on Exchange needs of its reservation. */
static void
take_reservation(struct job *j, const struct booking *b)
{
	struct mapd *m = j->m;

	snprintf(j->organiser, sizeof(j->organiser), "%s", b->organiser);
	snprintf(j->subject, sizeof(j->subject), "%s", b->subject);
	for (j->to = 0; j->to < m->nrooms; j->to++)
		if (strcmp(m->rooms[j->to].conf->location, b->room) == 0)
			break;
}

static void
look_found(struct look *l, const struct booking *b)
{
	struct reservation r;
	struct job *j;

	for (size_t i = 0; i < l->n; i++) {
		j = l->job[i];
		if (reservation_of(l->m, j->room, b, &r))
			continue;
		if (l->by_link ? memcmp(r.s.key, j->act.key, KEY_LEN) != 0 ||
			    r.s.gen != j->act.aim.gen
			       : strcmp(r.number, j->act.number) != 0)
			continue;
		/* Two with one link: the live one counts. */
		if (l->found[i] &&
		    l->found[i]->s.state != BOOKING_STATE_CANCELLED)
			continue;
		if (l->found[i] == NULL)
			l->found[i] = malloc(sizeof(r));
		if (l->found[i])
			*l->found[i] = r;
		if (act_on_exchange(j->act.aim.kind))
			take_reservation(j, b);
	}
}

static int
on_look(struct chan *c, struct packet *pk, void *arg)
{
	struct look *l = arg;
	struct msg_mapd_booking b;
	struct msg_mapd_read r;

	(void)c;
	if (pk == NULL || pk->type == MSG_ERROR) {
		look_over(l, OUTCOME_FAILED, "no answer from the adapter");
		return 0;
	}
	if (pk->type == MSG_MAPD_BOOKING) {
		if (mapd_booking_get(pk, &b))
			return -1;
		look_found(l, &b.booking);
		return 0;
	}
	if (pk->type != MSG_MAPD_READ || mapd_read_get(pk, &r))
		return -1;
	look_over(l, r.outcome, r.text);
	return 0;
}

/* Takes what can be asked in one request: only creations, or only others. */
static struct look *
look_gather(struct mapd *m)
{
	struct jobs rest = {0}, *q = &m->ex.look;
	struct look *l = calloc(1, sizeof(*l));
	struct job *j;
	int link;

	if (l == NULL)
		return NULL;
	l->m = m;
	while ((j = jobs_take(q)) != NULL) {
		link = j->act.aim.kind == PLAN_CREATE;
		if (l->n == 0)
			l->by_link = link;
		if (l->n < LOOKS && link == l->by_link)
			l->job[l->n++] = j;
		else
			jobs_add(&rest, j);
	}
	while ((j = jobs_take(&rest)) != NULL)
		jobs_add(q, j);
	return l;
}

static void
look_send(struct mapd *m)
{
	struct look *l = look_gather(m);
	struct msg_adapter_find find = {.address = ""};
	struct msg_adapter_check check;
	struct chan *c = m->topdesk.chan;
	char link[IDENTITY_LINK_MAX];
	struct wire_out w;
	uint64_t id;

	if (l == NULL)
		return;
	m->ex.looking++;
	id = c ? chan_call(c, LOOK_DEADLINE, on_look, l) : 0;
	if (id == 0) {
		look_over(l, OUTCOME_FAILED, "the adapter is not running");
		return;
	}
	wire_out_init(&w, 16000);
	for (size_t i = 0; i < l->n; i++) {
		identity_link(l->job[i]->act.key, l->job[i]->act.aim.gen, link);
		wire_put_str(
		    &w, l->by_link ? link : l->job[i]->act.number, 450);
	}
	find.links = check.numbers = wire_list_of(&w, (uint32_t)l->n);
	if (l->by_link)
		(void)adapter_find_send(c, id, 0, &find);
	else
		(void)adapter_check_send(c, id, 0, &check);
	peer_flush(&m->topdesk);
	wire_out_free(&w);
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
		pull(m);
	}
	if (ex->person.n)
		persons_ask(m);
	while (ex->look.n && (ex->looking == 0 || ex->look.n >= LOOKS))
		look_send(m);
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
