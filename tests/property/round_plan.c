/*
 * round_plan.c: the first half of the model's round: reading both systems,
 * planning, journaling.
 */
#include "round.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/marks.h"

#define CURSOR_LEN 8 /* a version of the world */

/* --- reading ---------------------------------------------------------------------- */

static int
put_slot(struct round *r, int slot)
{
	struct model *m = r->m;
	struct slot *s = &m->w->slots[slot];
	struct seen seen = {0};
	struct err e = {0};

	memcpy(seen.key, s->key, KEY_LEN);
	print_of(s->text, seen.print);
	seen.start = s->start;
	seen.end = s->end;
	seen.group =
	    s->series >= 0 ? 100 + (uint64_t)s->series : 1 + (uint64_t)slot;
	seen.state = s->state;
	r->shown[slot] = is_dropped_slot(s);
	if (store_seen_put(m->st, m->room.id, &seen, "remote",
		s->series >= 0 ? "series" : NULL, &e))
		return model_fail(m, &e);
	return 0;
}

/* The feed or an expansion lacks it and a GET says that it is gone. */
static int
mark_gone(struct round *r, struct seen_row *row)
{
	struct model *m = r->m;
	struct err e = {0};
	int slot = slot_of(m->w, row->s.key);

	if (m->w->slots[slot].exists || row->s.gone)
		return 0;
	row->s.gone = 1;
	r->shown[slot] = 1;
	if (store_seen_put(
		m->st, m->room.id, &row->s, row->remote_id, row->series_id, &e))
		return model_fail(m, &e);
	return 0;
}

/* In the changes since the cursor, itself or through its series. */
static int
is_news(const struct round *r, int slot, int64_t cursor)
{
	const struct world *w = r->m->w;
	const struct slot *s = &w->slots[slot];

	return s->version > cursor ||
	    (s->series >= 0 && w->series_version[s->series] > cursor);
}

int
round_read_feed(struct round *r)
{
	struct model *m = r->m;
	struct seen_row *rows;
	struct err e = {0};
	int64_t cursor = -1;
	size_t n;
	int rc = 0;

	if (m->room.cursor)
		memcpy(&cursor, m->room.cursor, sizeof(cursor));
	if (store_seen_load(m->st, m->room.id, &rows, &n, &e))
		return model_fail(m, &e);
	for (int i = 0; i < SLOTS && rc == 0; i++)
		if (m->w->slots[i].exists && is_news(r, i, cursor))
			rc = put_slot(r, i);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (is_news(r, slot_of(m->w, rows[i].s.key), cursor))
			rc = mark_gone(r, &rows[i]);
	seen_rows_free(rows, n);
	return rc;
}

int
round_keep_cursor(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};

	free(m->room.cursor);
	if ((m->room.cursor = malloc(CURSOR_LEN)) == NULL)
		return -1;
	memcpy(m->room.cursor, &m->w->version, CURSOR_LEN);
	m->room.cursor_len = CURSOR_LEN;
	m->room.from = m->w->now - DAY;
	m->room.to = m->w->now + WINDOW;
	if (store_room_cursor(m->st, &m->room, &e) ||
	    store_seen_expire(m->st, m->room.id, m->room.from, &e))
		return model_fail(m, &e);
	return 0;
}

void
reservation_seen(const struct world *w, int id, struct seen *s)
{
	const struct reservation *res = &w->res[id];

	memset(s, 0, sizeof(*s));
	if (res->slot >= 0)
		memcpy(s->key, w->slots[res->slot].key, KEY_LEN);
	print_of(res->text, s->print);
	s->start = res->start;
	s->end = res->end;
	s->changed = res->changed;
	s->row = (uint32_t)id;
	s->state = res->state;
	s->gen = (uint8_t)res->gen;
	s->marks = (uint16_t)((res->issued ? MARK_ISSUED : 0) |
	    (res->archived ? MARK_ARCHIVED : 0));
}

static void
add_reservation(struct round *r, int id)
{
	reservation_seen(r->m->w, id, &r->td[r->ntd++]);
}

void
round_read_list(struct round *r)
{
	struct world *w = r->m->w;

	for (size_t i = 0; i < w->nres && !w->hidden; i++)
		if (w->res[i].end > w->now - DAY &&
		    w->res[i].start < w->now + WINDOW)
			add_reservation(r, (int)i);
}

/* --- planning ---------------------------------------------------------------------- */

static int
load_trees(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};

	if (store_seen_load(m->st, m->room.id, &r->ex_rows, &r->nex, &e) ||
	    store_agreed_load(m->st, m->room.id, &r->ag_rows, &r->nag, &e))
		return model_fail(m, &e);
	r->ex = calloc(r->nex + 1, sizeof(*r->ex));
	r->ag = calloc(r->nag + 1, sizeof(*r->ag));
	if (r->ex == NULL || r->ag == NULL)
		return -1;
	for (size_t i = 0; i < r->nex; i++)
		r->ex[i] = r->ex_rows[i].s;
	for (size_t i = 0; i < r->nag; i++)
		r->ag[i] = r->ag_rows[i].a;
	return 0;
}

static int
plan_once(struct round *r)
{
	struct world *w = r->m->w;
	struct plan_input in = {.exchange = r->ex,
	    .topdesk = r->td,
	    .agreed = r->ag,
	    .nexchange = r->nex,
	    .ntopdesk = r->ntd,
	    .nagreed = r->nag,
	    .policy = r->m->policy,
	    .now = w->now,
	    .from = w->now - DAY,
	    .to = w->now + WINDOW};

	plan_free(&r->out);
	qsort(r->td, r->ntd, sizeof(r->td[0]), seen_compare);
	return plan_room(&in, &r->out);
}

/* Reads what the plan names without having seen it; 1 when that is news. */
static int
look(struct round *r, const struct action *x)
{
	struct world *w = r->m->w;
	int slot = slot_of(w, x->key), before = (int)r->ntd;
	struct reservation *res;

	if (x->topdesk != PLAN_NOROW)
		return 0;
	if (x->kind == PLAN_CREATE && r->rebuilding) {
		for (size_t i = 0; i < w->nres && !w->hidden; i++)
			if (w->res[i].slot == slot)
				add_reservation(r, (int)i);
	} else if (x->kind == PLAN_CONFIRM || x->kind == PLAN_CHANGE ||
	    x->kind == PLAN_CANCEL) {
		res = topdesk_get(w, atoi(r->ag_rows[x->agreed].remote_id));
		if (res)
			add_reservation(r, (int)(res - w->res));
		else
			r->looked_gone[slot] = 1;
	}
	return (int)r->ntd > before;
}

static int
plan_twice(struct round *r)
{
	int news = 0;

	if (plan_once(r))
		return -1;
	for (size_t i = 0; i < r->out.n; i++)
		news |= look(r, &r->out.actions[i]);
	return news ? plan_once(r) : 0;
}

/* --- journaling ----------------------------------------------------------------------- */

static int
journal(struct round *r, const struct action *x, int held)
{
	struct model *m = r->m;
	struct payload p = {.slot = slot_of(m->w, x->key)};
	struct wire_bytes bytes = {(const uint8_t *)&p, sizeof(p)};
	struct act a = {0};
	struct err e = {0};

	a.room = m->room.id;
	memcpy(a.key, x->key, KEY_LEN);
	plan_aim(x, x->exchange == PLAN_NOROW ? NULL : &r->ex[x->exchange],
	    NULL, &a.aim);
	a.state = held ? ACT_HELD : ACT_READY;
	a.created = m->w->now;
	a.group = x->group;
	if (x->topdesk != PLAN_NOROW)
		p.base = m->w->res[x->topdesk].changed;
	if (x->topdesk != PLAN_NOROW)
		snprintf(a.remote_id, sizeof(a.remote_id), "%u", x->topdesk);
	else if (x->agreed != PLAN_NOROW)
		snprintf(a.remote_id, sizeof(a.remote_id), "%s",
		    r->ag_rows[x->agreed].remote_id);
	if (x->kind == PLAN_CANCEL)
		m->let[slot_of(m->w, x->key)] = !held;
	return store_act_add(m->st, &a, bytes, &e) ? model_fail(m, &e) : 0;
}

static int
adopt(struct round *r, const struct action *x)
{
	struct model *m = r->m;
	struct reservation *res = &m->w->res[x->topdesk];
	const struct seen *e = &r->ex[x->exchange], *t = NULL;
	struct agreed_row row;
	struct err err = {0};

	for (size_t i = 0; i < r->ntd; i++)
		if (r->td[i].row == x->topdesk)
			t = &r->td[i];
	if (t == NULL || model_agreed(m, x->key, &row))
		return -1;
	agreed_adopt(&row.a, e, t);
	model_name(&row, (int)x->topdesk);
	/* What is agreed is nobody's change any more. */
	if (row.a.start == res->start && row.a.end == res->end) {
		res->person_moved = 0;
		res->agreed_start = res->start;
	}
	if (memcmp(row.a.td_print, t->print, PRINT_LEN) == 0)
		res->person_edited = 0;
	return store_agreed_put(m->st, m->room.id, &row, &err)
	    ? model_fail(m, &err)
	    : 0;
}

static int
bury(struct round *r, const struct action *x)
{
	struct agreed_row row;
	struct err e = {0};
	struct aim aim;

	if (model_agreed(r->m, x->key, &row))
		return -1;
	plan_aim(x, NULL, NULL, &aim);
	agreed_settle(&row.a, &aim, 0, 0);
	return store_agreed_put(r->m->st, r->m->room.id, &row, &e)
	    ? model_fail(r->m, &e)
	    : 0;
}

static int
take_action(struct round *r, const struct action *x, int hold)
{
	struct model *m = r->m;
	int slot = slot_of(m->w, x->key);
	struct err e = {0};
	int rc = 0;

	switch (x->kind) {
	case PLAN_CREATE:
		return journal(r, x, 0);
	case PLAN_CHANGE:
		return r->looked_gone[slot] ? 0 : journal(r, x, 0);
	case PLAN_CANCEL:
		/* 404 may be a filter's: then it must be cancelled later, so
		 * that nobody takes a person's cancellation for ORB's. */
		return r->looked_gone[slot] ? 0 : journal(r, x, hold);
	case PLAN_ADOPT:
		return adopt(r, x);
	case PLAN_BURY:
		return bury(r, x);
	case PLAN_FORGET:
		rc = store_agreed_drop(m->st, m->room.id, x->key, &e);
		break;
	case PLAN_UNHOLD:
		rc = store_act_unhold(m->st, m->room.id, x->key, &e);
		break;
	case PLAN_REPORT:
		m->reports[slot] |= 1u << x->reason;
		break;
	case PLAN_CONFIRM:
	default: /* the other direction: not in this model yet */
		break;
	}
	return rc ? model_fail(m, &e) : 0;
}

/* Above the limit, and while any is held: a person is asked. */
static int
must_hold(struct round *r, int *hold)
{
	struct store_counts c;
	struct err e = {0};

	if (store_counts(r->m->st, r->m->room.id, &c, &e))
		return model_fail(r->m, &e);
	*hold = c.held > 0 || plan_cancellations(&r->out, 1) > r->m->mass_limit;
	return 0;
}

int
round_plan(struct round *r)
{
	int hold = 0, rc;

	if ((rc = load_trees(r)) || (rc = plan_twice(r)) ||
	    (rc = must_hold(r, &hold)))
		return rc;
	memset(r->m->reports, 0, sizeof(r->m->reports));
	for (size_t i = 0; i < r->out.n; i++)
		if ((rc = take_action(r, &r->out.actions[i], hold)) ||
		    (rc = model_crash(r->m)))
			return rc;
	return 0;
}
