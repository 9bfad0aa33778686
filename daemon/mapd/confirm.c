/*
 * confirm.c: reservations that are agreed on and that TOPdesk's list of the room
 * does not show any more (PLAN_CONFIRM), read by their numbers.
 *
 * That the list lacks one is no evidence of anything.  What the reservation says
 * itself is: when it stands in another room, one that ORB may have no mailbox
 * for, the room's next planning sees it there.  When it cannot be read either,
 * a branch filter may hide it, and it stays a problem for people.
 *
 * Nothing is kept of this: it is asked again after a restart.
 *
 * Not here: those that another configured room's list shows (trees.c).
 */
#include "mapd/mapd.h"

#include <stdlib.h>
#include <string.h>

#define MOST 50 /* a request */
#define DEADLINE 180000

struct unlisted {
	uint8_t key[KEY_LEN];
	char id[48];
	struct reservation found;
	size_t to; /* the room it is in, nrooms: none of ORB's */
	int is_found;
};

struct confirming {
	struct mapd *m;
	size_t room, n;
	struct unlisted of[MOST];
};

/* One of several rooms is told of once a room: this one counts most. */
static void
take(struct confirming *c, const struct booking *b)
{
	struct mapd *m = c->m;
	struct reservation r;
	size_t to;

	if (reservation_of(m, c->room, b, &r))
		return;
	for (to = 0; to < m->nrooms; to++)
		if (strcmp(m->rooms[to].conf->location, b->room) == 0)
			break;
	for (size_t i = 0; i < c->n; i++) {
		struct unlisted *u = &c->of[i];

		if (strcmp(u->id, r.id) != 0 || (u->is_found && to != c->room))
			continue;
		u->found = r;
		u->to = to;
		u->is_found = 1;
	}
}

static void
done(struct confirming *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->of[i].is_found && c->of[i].to != c->room)
			(void)stray_add(c->m, c->room, c->of[i].key,
			    &c->of[i].found, c->of[i].to);
	free(c);
}

static int
on_answer(struct chan *chan, struct packet *pk, void *arg)
{
	struct confirming *c = arg;
	struct msg_mapd_booking b;
	struct msg_mapd_read r;

	(void)chan;
	if (pk == NULL || pk->type == MSG_ERROR) {
		free(c);
		return 0;
	}
	if (pk->type == MSG_MAPD_BOOKING) {
		if (mapd_booking_get(pk, &b))
			return -1;
		take(c, &b.booking);
		return 0;
	}
	if (pk->type != MSG_MAPD_READ || mapd_read_get(pk, &r))
		return -1;
	if (r.outcome == OUTCOME_OK)
		done(c);
	else
		free(c);
	return 0;
}

/* The numbers go into w. */
static void
gather(struct confirming *c, const struct visit *v, struct wire_out *w)
{
	const struct agreed_row *row;

	for (size_t i = 0; i < v->plan.n && c->n < MOST; i++) {
		const struct action *a = &v->plan.actions[i];

		if (a->kind != PLAN_CONFIRM || a->agreed == PLAN_NOROW)
			continue;
		row = &v->agreed[a->agreed];
		if (row->number[0] == '\0' ||
		    strlen(row->remote_id) >= sizeof(c->of[0].id))
			continue;
		memcpy(c->of[c->n].key, a->key, KEY_LEN);
		strcpy(c->of[c->n].id, row->remote_id);
		wire_put_str(w, row->number, 450);
		c->n++;
	}
}

void
confirm_ask(struct visit *v)
{
	struct chan *chan = v->m->topdesk.chan;
	struct confirming *c = calloc(1, sizeof(*c));
	struct msg_adapter_check check;
	struct wire_out w;
	uint64_t id;

	if (c == NULL)
		return;
	c->m = v->m;
	c->room = v->room;
	wire_out_init(&w, 16000);
	gather(c, v, &w);
	id = chan && c->n ? chan_call(chan, DEADLINE, on_answer, c) : 0;
	if (id) {
		/* When sending fails the connection is closing: NULL comes. */
		check.numbers = wire_list_of(&w, (uint32_t)c->n);
		(void)adapter_check_send(chan, id, 0, &check);
		peer_flush(&v->m->topdesk);
	} else
		free(c);
	wire_out_free(&w);
}
