/*
 * story.c: see story.h.  A step carries its own numbers, so that dropping one
 * leaves the others what they were.
 */
#include "story.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clockwork.h"

static const struct {
	const char *name;
	unsigned weight;
} ops[OP_COUNT] = {
    [OP_ROUND] = {"round", 60},
    [OP_SOME] = {"some", 16},
    [OP_TIME] = {"time", 4},
    [OP_APPROVE] = {"approve", 6},
    [OP_DEED + DEED_MEET] = {"meet", 16},
    [OP_DEED + DEED_MEET_SERIES] = {"meet-series", 5},
    [OP_DEED + DEED_BOOK_ROOM] = {"book-room", 5},
    [OP_DEED + DEED_MOVE] = {"move", 10},
    [OP_DEED + DEED_RETITLE] = {"retitle", 6},
    [OP_DEED + DEED_SWAP_ROOM] = {"swap-room", 5},
    [OP_DEED + DEED_ADD_ROOM] = {"add-room", 3},
    [OP_DEED + DEED_CANCEL] = {"cancel", 7},
    [OP_DEED + DEED_DELETE] = {"delete", 4},
    [OP_DEED + DEED_RESERVE] = {"reserve", 18},
    [OP_DEED + DEED_MOVE_RESERVATION] = {"td-move", 9},
    [OP_DEED + DEED_RETITLE_RESERVATION] = {"td-retitle", 6},
    [OP_DEED + DEED_SWAP_RESERVATION] = {"td-swap", 6},
    [OP_DEED + DEED_CANCEL_RESERVATION] = {"td-cancel", 7},
    [OP_DEED + DEED_LOCK] = {"td-lock", 2},
    [OP_DEED + DEED_REQUEST] = {"td-request", 3},
    [OP_DEED + DEED_TWICE] = {"twice", 4},
    [OP_DEED + DEED_MOOD] = {"mood", 5},
    [OP_CRASH] = {"crash", 14},
    [OP_LOSE] = {"lose-answer", 8},
    [OP_REFUSE] = {"refuse", 3},
    [OP_FAIL] = {"fail", 3},
    [OP_BUSY] = {"busy", 3},
    [OP_POLL] = {"poll-fails", 3},
    [OP_CUT] = {"list-cut", 3},
    [OP_HIDE] = {"hide", 3},
    [OP_CURSOR] = {"cursor-lost", 3},
    [OP_STALE] = {"stale", 4},
    [OP_PEER] = {"peer-dies", 4},
    [OP_RESTART] = {"restart", 2},
    [OP_STATE_LOST] = {"state-lost", 2},
    [OP_KIND] = {"other-interface", 1},
    [OP_DIRECTION] = {"direction", 1},
    [OP_RETIRE] = {"retire", 1},
};

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere. */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void
story_make(struct story *h, uint64_t seed, size_t steps)
{
	uint64_t state = seed, x;
	unsigned total = 0, at;

	h->seed = seed;
	/* A quarter without faults. */
	h->faults = seed % 4 != 0;
	h->n = steps;
	for (int i = 0; i < (h->faults ? OP_COUNT : OP_FAULT); i++)
		total += ops[i].weight;
	for (size_t i = 0; i < steps; i++) {
		at = (unsigned)(draw(&state) % total);
		h->steps[i].op = 0;
		while (at >= ops[h->steps[i].op].weight)
			at -= ops[h->steps[i].op++].weight;
		x = draw(&state);
		h->steps[i].a = (uint32_t)x;
		h->steps[i].b = (uint32_t)(x >> 32);
	}
}

static void
fault_do(struct office *o, const struct step *s)
{
	struct faults *f = &o->faults;
	int side = (int)(s->a % 2);

	switch (s->op) {
	case OP_LOSE:
		f->lose[side] = 1 + (int)(s->b % 3);
		f->lose_effect[side] = s->b % 4 != 0;
		break;
	case OP_REFUSE:
		f->refuse[side] = 1 + (int)(s->b % 3);
		break;
	case OP_FAIL:
		f->fail[side] = 1 + (int)(s->b % 3);
		break;
	case OP_BUSY:
		f->busy[side] = 1 + (int)(s->b % 3);
		break;
	case OP_POLL:
		f->poll[side] = 1 + (int)(s->b % 4);
		break;
	case OP_CUT:
		f->cut = 1 + (int)(s->b % 4);
		break;
	case OP_HIDE:
		f->hidden = 1 + (int)(s->b % 6);
		break;
	case OP_CURSOR:
		f->cursor |= 1 << s->b % ROOMS;
		break;
	default: /* OP_STALE */
		f->stale = o->version;
		f->stale_until = office_now() + 30 + s->b % 240;
		break;
	}
}

/* The site is configured otherwise, and mapd started again. */
static int
configure_do(struct machine *k, const struct step *s)
{
	struct conf_room *room = &k->rooms[s->a % ROOMS];

	if (s->op == OP_KIND) {
		k->o->ews = !k->o->ews;
		k->conf.exchange.kind = k->o->ews ? "ews" : "graph";
	} else if (s->op == OP_DIRECTION) {
		k->conf.policy.direction = (enum conf_direction)(s->b % 3);
	} else if (s->op == OP_RETIRE) {
		room->retire =
		    room->retire ? CONF_RETIRE_NO : CONF_RETIRE_CANCEL;
	}
	return machine_restart(k);
}

/* What is the same by hand must become one, when ORB could see both at once. */
static void
deed_do(struct machine *k, enum deed deed, const struct step *s)
{
	struct office *o = k->o;
	size_t meetings = o->nmeetings, res = o->nres;

	people_do(o, deed, s->a, s->b);
	if (deed == DEED_TWICE && o->nres > res && o->nmeetings > meetings &&
	    !k->m->round.active && !o->faults.stale &&
	    o->meeting[meetings].copy[o->res[res].room].state ==
		BOOKING_STATE_BOOKED)
		o->res[res].twin = 1 + (int)meetings;
}

static int
step_do(struct machine *k, const struct step *s)
{
	struct office *o = k->o;

	clockwork_order(k->m->loop, s->b % 3 ? s->b : 0);
	switch (s->op) {
	case OP_ROUND:
		if (o->faults.hidden) {
			if (machine_run(k, 1000, 0))
				return -1;
			o->faults.hidden--;
		}
		return machine_run(k, 61000, 0);
	case OP_SOME:
		return machine_run(k, 61000, 1 + s->b % 40);
	case OP_TIME:
		clock_ms += (int64_t)(1 + s->b % 24) * HOUR * 1000;
		return 0;
	case OP_APPROVE:
		return machine_approve(k);
	case OP_CRASH:
		k->crash_in = 1 + (int)(s->b % 60);
		k->arrive = s->a % 8;
		return 0;
	case OP_PEER:
		clockwork_cut(k->m->loop, ROLE_ADAPTER,
		    s->a % 2 ? UPSTREAM_TOPDESK : UPSTREAM_EXCHANGE);
		return 0;
	case OP_STATE_LOST:
		return machine_lose(k);
	case OP_RESTART:
	case OP_KIND:
	case OP_DIRECTION:
	case OP_RETIRE:
		return configure_do(k, s);
	default:
		if (s->op >= OP_FAULT)
			fault_do(o, s);
		else
			deed_do(k, (enum deed)(s->op - OP_DEED), s);
		return 0;
	}
}

static void
step_print(const struct step *s)
{
	printf("#   %-15s %#x %#x\n", ops[s->op].name, s->a, s->b);
}

int
story_run(struct ground *g, const struct story *h, char why[WHY_MAX])
{
	static struct office o;
	struct machine k;
	int rc;

	rc = machine_open(&k, &o, g->dir, h->seed);
	for (size_t i = 0; i < h->n && rc == 0; i++) {
		if (clockwork_trace)
			step_print(&h->steps[i]);
		rc = step_do(&k, &h->steps[i]);
		if (o.bad[0] || k.bad[0])
			rc = -1;
	}
	if (rc == 0)
		rc = verdict(&k, &o);
	if (clockwork_trace) {
		office_print(&o);
		machine_print(&k);
	}
	if (rc)
		snprintf(why, WHY_MAX, "%s%s", o.bad, k.bad);
	g->totals.stories++;
	g->totals.steps += h->n;
	g->totals.messages += k.messages;
	g->totals.crashes += k.crashes;
	g->totals.people += o.people;
	g->totals.writes += o.writes[0] + o.writes[1];
	g->totals.mails += o.mails;
	machine_close(&k);
	return rc;
}

void
story_shorten(struct ground *g, struct story *h, char why[WHY_MAX])
{
	static struct story tried;
	int shorter;

	do {
		shorter = 0;
		for (size_t size = h->n / 2 + 1; size > 0; size /= 2) {
			for (size_t at = 0; at + size <= h->n;) {
				tried = *h;
				memmove(&tried.steps[at],
				    &tried.steps[at + size],
				    (h->n - at - size) * sizeof(h->steps[0]));
				tried.n -= size;
				if (story_run(g, &tried, why)) {
					*h = tried;
					shorter = 1;
				} else {
					at += size;
				}
			}
		}
	} while (shorter);
	story_run(g, h, why);
}

void
story_print(const struct story *h, const char *why)
{
	printf("# seed %" PRIu64 ": %s\n# shortest history found:\n", h->seed,
	    why);
	for (size_t i = 0; i < h->n; i++)
		step_print(&h->steps[i]);
}

/* As printed: name and two numbers a line. */
int
story_parse(struct story *h, const char *text)
{
	struct step *s;
	char name[32];
	int n;

	for (h->n = 0; h->n < STEPS_MAX; h->n++, text += n) {
		s = &h->steps[h->n];
		if (sscanf(text, " %31s %" SCNx32 " %" SCNx32 "%n", name, &s->a,
			&s->b, &n) != 3)
			return *text == '\0' || *text == '\n' ? 0 : -1;
		s->op = 0;
		while (s->op < OP_COUNT && strcmp(ops[s->op].name, name) != 0)
			s->op++;
		if (s->op == OP_COUNT)
			return -1;
	}
	return -1;
}
