/*
 * control_list.c: the lists that orbctl asks of mapd: what was set aside
 * (problems), and what wanted a room that was taken (conflicts).
 *
 * Not here: who may ask (control.c), what is a problem or a conflict (plan).
 */
#include "mapd/control.h"

#include <stdio.h>
#include <string.h>

struct listing {
	struct mapd *m;
	struct chan *c;
	uint64_t id, n;
	const char *prefix; /* of conflicts: only bookings whose id begins so */
};

static const char *
room_name(const struct mapd *m, int64_t id)
{
	size_t i = mapd_room(m, id);

	return i < m->nrooms ? m->rooms[i].conf->name : "?";
}

/* --- problems ------------------------------------------------------------------------ */

static void
send_problem(struct listing *l, const struct problem *p)
{
	static const uint8_t no_key[KEY_LEN]; /* of the room, of no booking */
	char link[IDENTITY_LINK_MAX], text[sizeof(p->text)];
	int of_one = memcmp(p->key, no_key, KEY_LEN) != 0;
	struct msg_ctl_problem row = {.room = room_name(l->m, p->room),
	    .booking = of_one ? control_booking(p->key, link) : "",
	    .since = p->since,
	    .next_try = p->next_try,
	    .tries = p->tries,
	    .text = text};

	snprintf(text, sizeof(text), "%s", p->text);
	wire_mend(text);
	ctl_problem_send(l->c, l->id, 0, &row);
	l->n++;
}

static int
show_problem(void *arg, const struct problem *p)
{
	send_problem(arg, p);
	return 0;
}

static int
show_aside(void *arg, const struct act *a)
{
	struct problem p = {.room = a->room,
	    .since = a->created,
	    .next_try = a->next_try,
	    .tries = a->tries};

	if (a->tries == 0 || a->state == ACT_HELD)
		return 0;
	memcpy(p.key, a->key, KEY_LEN);
	snprintf(p.text, sizeof(p.text), "%s%s%s: %s",
	    plan_kind_name(a->aim.kind), a->number[0] ? " " : "", a->number,
	    a->reason);
	send_problem(arg, &p);
	return 0;
}

size_t
control_rooms_in_trouble(const struct mapd *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nrooms; i++)
		n += m->rooms[i].trouble_rounds > 0;
	return n;
}

/* A room that cannot be read; the booking is none. */
static void
show_trouble(struct listing *l, const struct room *r)
{
	struct msg_ctl_problem row = {.room = r->conf->name,
	    .booking = "",
	    .since = r->trouble_since,
	    .tries = r->trouble_rounds,
	    .text = r->trouble};

	ctl_problem_send(l->c, l->id, 0, &row);
	l->n++;
}

int
control_on_problems(struct chan *c, struct packet *pk)
{
	struct listing l = {chan_ctx(c), c, pk->id, 0, ""};
	struct err e;

	if (mapd_problems_get(pk))
		return -1;
	for (size_t i = 0; i < l.m->nrooms; i++)
		if (l.m->rooms[i].trouble_rounds)
			show_trouble(&l, &l.m->rooms[i]);
	if (store_problem_list(l.m->store, show_problem, &l, &e) ||
	    store_act_list(l.m->store, show_aside, &l, &e))
		return control_error(c, pk->id, e.text);
	return control_done(c, pk->id, l.n);
}

/* --- conflicts ----------------------------------------------------------------------- */

static const char *
policy_word(uint8_t policy)
{
	static const char *const words[] = {[CONFLICT_FIRST] = "first-wins",
	    [CONFLICT_EXCHANGE] = "exchange-wins",
	    [CONFLICT_TOPDESK] = "topdesk-wins"};

	return policy < sizeof(words) / sizeof(words[0]) ? words[policy] : "";
}

static const char *
loser_word(uint8_t upstream)
{
	return upstream == UPSTREAM_EXCHANGE ? "exchange"
	    : upstream == UPSTREAM_TOPDESK   ? "topdesk"
					     : "";
}

/* The plan's words; where those only point here, what there is to know. */
static const char *
conflict_text(uint8_t why)
{
	if (why == REASON_NONE || why == REASON_LOST)
		return "each side holds a booking of the room at that time";
	return plan_reason_text(why);
}

static int
show_conflict(void *arg, const struct conflict *f)
{
	struct listing *l = arg;
	char link[IDENTITY_LINK_MAX], text[300];
	struct msg_ctl_conflict row = {.room = room_name(l->m, f->room),
	    .booking = control_booking(f->key, link),
	    .since = f->since,
	    .start = f->start,
	    .end = f->end,
	    .number = f->number,
	    .rival = f->rival,
	    .policy = policy_word(f->policy),
	    .loser = loser_word(f->loser),
	    .settled = f->settled != 0,
	    .text = text};

	if (strncmp(link, l->prefix, strlen(l->prefix)) != 0)
		return 0;
	snprintf(text, sizeof(text), "%s", conflict_text(f->why));
	ctl_conflict_send(l->c, l->id, 0, &row);
	l->n++;
	return 0;
}

int
control_on_conflicts(struct chan *c, struct packet *pk)
{
	struct listing l = {chan_ctx(c), c, pk->id, 0, ""};
	struct msg_mapd_conflicts m;
	struct err e;

	if (mapd_conflicts_get(pk, &m))
		return -1;
	l.prefix = m.booking;
	if (store_conflict_list(l.m->store, 0, show_conflict, &l, &e))
		return control_error(c, pk->id, e.text);
	return control_done(c, pk->id, l.n);
}
