/*
 * settle.c: what a room's two sides, once read, lead to: the three trees put
 * side by side, the plan, and the contents that its actions need.
 *
 * Not here: what an answer lacks (settle_missing.c), the transaction that keeps
 * all of it (settle_commit.c), the end of a round (settle_round.c).
 */
#include "mapd/settle.h"
#include "lib/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The last sighting of a key in the visit, or NULL. */
struct content *
visit_content(const struct visit *v, const uint8_t key[KEY_LEN])
{
	for (size_t i = v->nin; i-- > 0;)
		if (memcmp(v->in[i]->s.key, key, KEY_LEN) == 0)
			return v->in[i];
	return NULL;
}

/* The Exchange side of a key in this planning, or NULL. */
const struct seen *
visit_seen(const struct visit *v, const uint8_t key[KEY_LEN])
{
	struct seen probe = {0};

	memcpy(probe.key, key, KEY_LEN);
	return bsearch(
	    &probe, v->seen, v->nseen, sizeof(*v->seen), seen_compare);
}

const char *
action_number(const struct visit *v, const struct action *a)
{
	if (a->topdesk != PLAN_NOROW)
		return v->td[a->topdesk].number;
	return a->agreed != PLAN_NOROW ? v->agreed[a->agreed].number : "";
}

/* --- the three trees ------------------------------------------------------------------ */

int
sighting_same(const struct seen_row *row, const struct content *c)
{
	return row->s.start == c->s.start && row->s.end == c->s.end &&
	    row->s.state == c->s.state && row->s.gone == 0 &&
	    row->s.marks == c->s.marks &&
	    memcmp(row->s.print, c->s.print, PRINT_LEN) == 0 &&
	    strcmp(row->remote_id, c->remote_id) == 0 &&
	    strcmp(row->series_id, c->series_id) == 0;
}

/*
 * v->seen: the rows, with the sightings of this visit over them.  row is an
 * index of rows, or nrows and an index of in.
 */
static int
merge_seen(struct visit *v)
{
	struct content *c;
	size_t i, n = 0;

	free(v->seen);
	v->seen = calloc(v->nrows + v->nin + 1, sizeof(*v->seen));
	if (v->seen == NULL)
		return -1;
	for (i = 0; i < v->nrows; i++) {
		if ((c = visit_content(v, v->rows[i].s.key)) != NULL) {
			if (!sighting_same(&v->rows[i], c))
				v->changed = 1;
			continue;
		}
		v->seen[n] = v->rows[i].s;
		v->seen[n++].row = (uint32_t)i;
	}
	for (i = 0; i < v->nin; i++) {
		if (visit_content(v, v->in[i]->s.key) != v->in[i])
			continue;
		v->seen[n] = v->in[i]->s;
		v->seen[n++].row = (uint32_t)(v->nrows + i);
	}
	if (n > v->nrows)
		v->changed = 1;
	v->nseen = n;
	qsort(v->seen, n, sizeof(*v->seen), seen_compare);
	return 0;
}

/* Order-independent: TOPdesk's order says nothing. */
static uint64_t
digest_of(const struct visit *v)
{
	uint64_t sum = 0, h;
	const uint8_t *p;

	size_t n = v->nlisted ? v->nlisted : v->ntd;

	for (size_t i = 0; i < n; i++) {
		const struct reservation *r = &v->td[i];
		int64_t f[7] = {r->s.start, r->s.end, r->s.block_start,
		    r->s.block_end, r->s.changed, r->s.state, r->s.marks};

		h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
		for (p = (const uint8_t *)f; p < (const uint8_t *)(f + 7); p++)
			/* NOLINTNEXTLINE: clang-tidy loses f behind the cast */
			h = (h ^ *p) * UINT64_C(0x100000001b3);
		for (p = (const uint8_t *)r->id; *p; p++)
			h = (h ^ *p) * UINT64_C(0x100000001b3);
		for (p = r->s.print; p < r->s.print + PRINT_LEN; p++)
			h = (h ^ *p) * UINT64_C(0x100000001b3);
		sum += h;
	}
	return sum ^ n;
}

/*
 * The agreed tree.  A key that was settled after TOPdesk's list was asked for
 * cannot be compared with that list, so it is left alone this time.
 */
static int
build_agreed(struct visit *v, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	int64_t now = time(NULL),
		wait = m->conf->exchange.answer_minutes * INT64_C(60);
	struct agreed *a;

	if (store_agreed_load(m->store, r->st.id, &v->agreed, &v->nagreed, e))
		return -1;
	v->aseen = calloc(v->nagreed + 1, sizeof(*v->aseen));
	if (v->aseen == NULL)
		return err_set(e, ENOMEM, "no memory");
	for (size_t i = 0; i < v->nagreed; i++) {
		a = &v->aseen[i];
		*a = v->agreed[i].a;
		a->row = (uint32_t)i;
		if (recent_has(m, a->key, v->sent)) {
			a->busy = 1;
			r->dirty = 1;
		}
		if (a->busy && visit_content(v, a->key))
			r->dirty = 1;
		/* What Exchange has not shown in time is judged then, though
		 * nothing changes. */
		if (a->await && now <= a->await + wait)
			r->dirty = 1;
	}
	return 0;
}

void
room_policy(const struct mapd *m, size_t room, struct plan_policy *p)
{
	const struct conf *c = m->conf;
	const struct conf_room *r = m->rooms[room].conf;

	p->tentative_books = c->policy.tentative == CONF_TENTATIVE_BOOK;
	p->to_topdesk = c->policy.direction != CONF_DIRECTION_TO_EXCHANGE;
	p->to_exchange = c->policy.direction != CONF_DIRECTION_TO_TOPDESK;
	p->organiser_writable = c->exchange.book_as == CONF_BOOK_ORGANISER;
	p->invites = c->exchange.book_as != CONF_BOOK_ROOM;
	p->retire = r->retire == CONF_RETIRE_CANCEL;
	p->conflict = (enum plan_conflict)(
	    r->conflict == CONF_ROOM_CONFLICT_POLICY ? (int)c->policy.conflict
						     : r->conflict - 1);
	p->answer_seconds = c->exchange.answer_minutes * INT64_C(60);
}

static int
run_plan(struct visit *v, struct err *e)
{
	struct mapd *m = v->m;
	struct plan_input in = {0};

	if (merge_seen(v))
		return err_set(e, ENOMEM, "no memory");
	if (build_agreed(v, e) || trees_topdesk(v, e))
		return -1;
	in.exchange = v->seen;
	in.nexchange = v->nseen;
	in.topdesk = v->tseen;
	in.ntopdesk = v->ntseen;
	in.agreed = v->aseen;
	in.nagreed = v->nagreed;
	room_policy(m, v->room, &in.policy);
	in.now = time(NULL);
	in.from = m->round.from;
	in.to = m->round.to;
	if (plan_room(&in, &v->plan))
		return err_set(e, ENOMEM, "no memory");
	return 0;
}

int
action_needs_content(const struct visit *v, const struct action *a)
{
	switch (a->kind) {
	case PLAN_CREATE:
		return 1;
	case PLAN_CHANGE:
		return (a->change & CHANGE_TEXT) != 0;
	case PLAN_MEETING_CHANGE:
	case PLAN_MEETING_SWAP:
		/* A person's meeting is found by its uid. */
		return a->exchange != PLAN_NOROW &&
		    (a->agreed == PLAN_NOROW ||
			v->agreed[a->agreed].a.origin == ORIGIN_EXCHANGE);
	default:
		return 0;
	}
}

/* --- a visit, step by step ------------------------------------------------ */

void
settle_contents_done(struct visit *v)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	struct err e;

	if (settle_commit(v, &e)) {
		mapd_store_failed(m, &e);
	} else {
		if (v->td_ok) {
			r->digest = digest_of(v);
			r->digest_known = 1;
		}
		r->bookings = 0;
		for (size_t i = 0; i < v->nseen; i++)
			r->bookings +=
			    v->seen[i].state == BOOKING_STATE_BOOKED &&
			    !v->seen[i].gone;
		execute_wake(m);
	}
	visit_over(v);
}

/* Asks for the contents that planned actions need and the visit has not. */
static void
get_contents(struct visit *v)
{
	const struct action *a;
	uint32_t row;

	v->planned = 1;
	for (size_t i = 0; i < v->plan.n; i++) {
		a = &v->plan.actions[i];
		if (a->exchange == PLAN_NOROW || visit_content(v, a->key) ||
		    !(a->kind == PLAN_ADOPT || action_needs_content(v, a)))
			continue;
		row = a->exchange;
		if (row < v->nrows)
			visit_get(v, v->rows[row].remote_id, 0);
	}
}

static void
show_plan(struct visit *v)
{
	struct mapd *m = v->m;
	const struct action *a;
	const struct seen *s;

	for (size_t i = 0; i < v->plan.n; i++) {
		a = &v->plan.actions[i];
		s = visit_seen(v, a->key);
		if (s == NULL && a->topdesk != PLAN_NOROW)
			s = &v->td[a->topdesk].s;
		control_planned(m, &m->rooms[v->room], a, s ? s->start : 0,
		    s ? s->end : 0, action_number(v, a));
	}
}

void
settle_visit(struct visit *v)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	struct err e = {0};
	int due;

	if (!v->ex_ok && !v->td_ok) {
		visit_over(v);
		return;
	}
	for (size_t i = 0; i < v->nrows; i++)
		v->changed |= v->rows[i].s.gone == 2;
	v->td_news = v->td_ok && r->digest_known && r->digest != digest_of(v);
	due = v->td_ok &&
	    (r->dirty || !r->digest_known || v->td_news || m->round.dry);
	if (!due && v->nin == 0 && !v->changed && !v->ex_full) {
		visit_take_cursor(v);
		visit_over(v);
		return;
	}
	if (!v->ex_ok && v->rows == NULL &&
	    store_seen_load(m->store, r->st.id, &v->rows, &v->nrows, &e)) {
		mapd_store_failed(m, &e);
		visit_over(v);
		return;
	}
	if (!v->td_ok) {
		/* Kept, and planned when TOPdesk can be read again. */
		r->dirty = 1;
		if (!m->round.dry && merge_seen(v) == 0)
			settle_contents_done(v);
		else
			visit_over(v);
		return;
	}
	/* What Exchange shows is not known: a change of TOPdesk's would go over
	 * one that was made there meanwhile; and where Exchange was never read,
	 * every reservation would look as if it were in TOPdesk only. */
	if (!v->ex_ok) {
		r->dirty = 1;
		visit_over(v);
		return;
	}
	r->dirty = v->reads_failed;
	if (run_plan(v, &e)) {
		log_err("planning room %s: %s", r->conf->name, e.text);
		r->dirty = 1;
		visit_over(v);
		return;
	}
	if (m->round.dry) {
		show_plan(v);
		r->dirty = 1;
		visit_over(v);
		return;
	}
	confirm_ask(v);
	get_contents(v);
	if (v->reads == 0)
		settle_contents_done(v);
}
