/*
 * execute_look.c: the reservations that actions are about, read before anything
 * is written: by their links for creations, by their numbers for the rest, up to
 * fifty a request.
 *
 * Not here: what the answer means for an action (act.c, act_exchange_find.c).
 */
#include "mapd/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_DEADLINE 180000

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

/* The first generation may be of either side: after a lost state nothing is
 * known of whose. */
static int
is_linked(const struct job *j, const struct seen *t)
{
	return memcmp(t->key, j->act.key, KEY_LEN) == 0 &&
	    (t->gen == j->act.aim.gen ||
		(j->act.aim.gen == 1 && t->gen == GEN_TOPDESK));
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
		if (l->by_link ? !is_linked(j, &r.s)
			       : strcmp(r.number, j->act.number) != 0)
			continue;
		/* Two with one link: the live one counts; of several rooms, the
		 * action's own. */
		if (l->found[i] &&
		    l->found[i]->s.state != BOOKING_STATE_CANCELLED &&
		    strcmp(b->room, l->m->rooms[j->room].conf->location) != 0)
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
		if (l->n < (link ? LOOKS / 2 : LOOKS) && link == l->by_link)
			l->job[l->n++] = j;
		else
			jobs_add(&rest, j);
	}
	while ((j = jobs_take(&rest)) != NULL)
		jobs_add(q, j);
	return l;
}

static uint32_t
put_numbers(const struct look *l, struct wire_out *w)
{
	for (size_t i = 0; i < l->n; i++)
		wire_put_str(w, l->job[i]->act.number, 64);
	return (uint32_t)l->n;
}

/* See is_linked(). */
static uint32_t
put_links(const struct look *l, struct wire_out *w)
{
	char link[IDENTITY_LINK_MAX];
	uint32_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct act *a = &l->job[i]->act;

		identity_link(a->key, a->aim.gen, link);
		wire_put_str(w, link, 450);
		n++;
		if (a->aim.gen != 1)
			continue;
		identity_link(a->key, GEN_TOPDESK, link);
		wire_put_str(w, link, 450);
		n++;
	}
	return n;
}

void
execute_look(struct mapd *m)
{
	struct look *l = look_gather(m);
	struct msg_adapter_find find = {.address = ""};
	struct msg_adapter_check check;
	struct chan *c = m->topdesk.chan;
	struct wire_out w;
	uint64_t id;
	uint32_t n;

	if (l == NULL)
		return;
	m->ex.looking++;
	id = c ? chan_call(c, LOOK_DEADLINE, on_look, l) : 0;
	if (id == 0) {
		look_over(l, OUTCOME_FAILED, "the adapter is not running");
		return;
	}
	wire_out_init(&w, 16000);
	n = l->by_link ? put_links(l, &w) : put_numbers(l, &w);
	find.links = check.numbers = wire_list_of(&w, n);
	if (l->by_link)
		(void)adapter_find_send(c, id, 0, &find);
	else
		(void)adapter_check_send(c, id, 0, &check);
	peer_flush(&m->topdesk);
	wire_out_free(&w);
}
