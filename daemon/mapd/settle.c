/*
 * settle.c: what a room's two sides, once read, lead to: the tree "Exchange as
 * seen" brought up to date, the plan, and all of it committed together with the
 * cursor and the journaled actions.
 *
 * Positive evidence only: a booking that an answer merely lacks becomes a
 * suspect and is read by its id; only "it does not exist" marks it gone.
 */
#include "mapd/mapd.h"
#include "lib/log.h"
#include "lib/marks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The last sighting of a key in the visit, or NULL. */
static struct content *
content_find(const struct visit *v, const uint8_t key[KEY_LEN])
{
	for (size_t i = v->nin; i-- > 0;)
		if (memcmp(v->in[i]->s.key, key, KEY_LEN) == 0)
			return v->in[i];
	return NULL;
}

static int
in_window(const struct room *r, const struct seen *s)
{
	return s->end > r->st.from && s->start < r->st.to;
}

/* --- what an answer lacks -------------------------------------------------------- */

static void
suspect_missing(struct visit *v, const char *series_id)
{
	const struct room *r = &v->m->rooms[v->room];
	struct seen_row *row;

	for (size_t i = 0; i < v->nrows; i++) {
		row = &v->rows[i];
		if (series_id && strcmp(row->series_id, series_id) != 0)
			continue;
		if (row->s.gone || row->s.state == BOOKING_STATE_CANCELLED ||
		    !in_window(r, &row->s) || content_find(v, row->s.key))
			continue;
		if (visit_get(v, row->remote_id, 1))
			v->reads_failed = 1;
	}
}

void
settle_expanded(struct visit *v, const char *series_id)
{
	suspect_missing(v, series_id);
}

static int
series_known(const struct visit *v, const char *series_id)
{
	for (size_t i = 0; i < v->nrows; i++)
		if (strcmp(v->rows[i].series_id, series_id) == 0)
			return 1;
	return 0;
}

static int
remote_known(const struct visit *v, const char *id)
{
	for (size_t i = 0; i < v->nrows; i++)
		if (strcmp(v->rows[i].remote_id, id) == 0)
			return 1;
	return series_known(v, id);
}

int
settle_observe(struct visit *v)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	struct err e;

	v->npolled = v->nin;
	if (store_seen_load(m->store, r->st.id, &v->rows, &v->nrows, &e)) {
		mapd_store_failed(m, &e);
		return -1;
	}
	if (v->ex_full) {
		suspect_missing(v, NULL);
		return 0;
	}
	/* What was never mapped is no concern: the feed also names events
	 * outside the window. */
	for (size_t i = 0; i < v->nremoved; i++)
		if (remote_known(v, v->removed[i]) &&
		    visit_get(v, v->removed[i], 1))
			v->reads_failed = 1;
	for (size_t i = 0; i < v->nseries; i++)
		if (series_known(v, v->series[i]) &&
		    visit_expand(v, v->series[i]))
			v->reads_failed = 1;
	return 0;
}

/* --- the three trees ------------------------------------------------------------------ */

static int
same_seen(const struct seen_row *row, const struct content *c)
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
		if ((c = content_find(v, v->rows[i].s.key)) != NULL) {
			if (!same_seen(&v->rows[i], c))
				v->changed = 1;
			continue;
		}
		v->seen[n] = v->rows[i].s;
		v->seen[n++].row = (uint32_t)i;
	}
	for (i = 0; i < v->nin; i++) {
		if (content_find(v, v->in[i]->s.key) != v->in[i])
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
		int64_t f[5] = {
		    r->s.start, r->s.end, r->s.changed, r->s.state, r->s.marks};

		h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
		for (p = (const uint8_t *)f; p < (const uint8_t *)(f + 5); p++)
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
		if (a->busy && content_find(v, a->key))
			r->dirty = 1;
	}
	return 0;
}

static void
policy_of(const struct mapd *m, size_t room, struct plan_policy *p)
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
	policy_of(m, v->room, &in.policy);
	in.now = time(NULL);
	in.from = m->round.from;
	in.to = m->round.to;
	if (plan_room(&in, &v->plan))
		return err_set(e, ENOMEM, "no memory");
	return 0;
}

/* Is what is known of the meeting in the state enough for the action? */
static int
needs_content(const struct visit *v, const struct action *a)
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

/* --- committing ---------------------------------------------------------------------------- */

static const char *
number_of(const struct visit *v, const struct action *a)
{
	if (a->topdesk != PLAN_NOROW)
		return v->td[a->topdesk].number;
	return a->agreed != PLAN_NOROW ? v->agreed[a->agreed].number : "";
}

static const char *
reservation_id(const struct visit *v, const struct action *a)
{
	if (a->topdesk != PLAN_NOROW)
		return v->td[a->topdesk].id;
	return a->agreed != PLAN_NOROW ? v->agreed[a->agreed].remote_id : "";
}

/* The Exchange side of a key in this planning, or NULL. */
static const struct seen *
seen_of(const struct visit *v, const uint8_t key[KEY_LEN])
{
	struct seen probe = {0};

	memcpy(probe.key, key, KEY_LEN);
	return bsearch(
	    &probe, v->seen, v->nseen, sizeof(*v->seen), seen_compare);
}

/* Within the transaction: what TOPdesk shows is the base from now on. */
static int
adopt(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	const struct reservation *t = &v->td[a->topdesk];
	struct agreed_row row;

	memset(&row, 0, sizeof(row));
	if (a->agreed != PLAN_NOROW)
		row = v->agreed[a->agreed];
	memcpy(row.a.key, a->key, KEY_LEN);
	row.a.group = a->group;
	agreed_adopt(&row.a, seen_of(v, a->key), &t->s);
	snprintf(row.remote_id, sizeof(row.remote_id), "%s", t->id);
	snprintf(row.number, sizeof(row.number), "%s", t->number);
	r->dirty = 1;
	evidence(m, EV_ADOPTED, r, a->key, t->number, NULL);
	return store_agreed_put(m->store, r->st.id, &row, e);
}

static int
report(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	struct problem p = {.room = r->st.id, .since = time(NULL)};
	int fresh;

	memcpy(p.key, a->key, KEY_LEN);
	if (number_of(v, a)[0])
		snprintf(p.text, sizeof(p.text), "reservation %s: %s",
		    number_of(v, a),
		    a->kind == PLAN_CONFIRM
			? "TOPdesk's list does not show it any more (another "
			  "room, a branch filter?); absence alone changes "
			  "nothing"
			: plan_reason_text(a->reason));
	else
		snprintf(
		    p.text, sizeof(p.text), "%s", plan_reason_text(a->reason));
	if (store_problem_put(m->store, &p, &fresh, e))
		return -1;
	if (fresh)
		evidence(m,
		    a->reason == REASON_CONFLICTING ||
			    a->reason == REASON_CHANGED_ON_BOTH
			? EV_CONFLICT
			: EV_PROBLEM,
		    r, a->key, number_of(v, a), p.text);
	return 0;
}

/* Does it wait for the round's end, where it is counted and perhaps held? */
static int
is_counted(const struct mapd *m, const struct action *a)
{
	return m->first || a->kind == PLAN_CANCEL ||
	    (a->kind == PLAN_MEETING_CANCEL && a->reason != REASON_LOST &&
		a->reason != REASON_DECLINED);
}

/* What the payload needs of the meeting, when the visit has not read it. */
static void
bare_content(struct visit *v, const struct action *a, struct content *c)
{
	static char nothing[1] = "";
	const struct seen *s = seen_of(v, a->key);

	memset(c, 0, sizeof(*c));
	c->remote_id = c->series_id = c->subject = c->organiser = c->body =
	    c->uid = nothing;
	if (s == NULL)
		return;
	c->s = *s;
	if (s->row < v->nrows)
		c->remote_id = v->rows[s->row].remote_id;
}

static int
journal(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	const struct content *c = content_find(v, a->key);
	struct act act = {
	    .room = r->st.id, .group = a->group, .created = time(NULL)};
	struct content bare;
	struct wire_out w;
	int rc;

	if (is_counted(m, a))
		act.state = ACT_HELD; /* until settle_round() */
	/* Nothing is known yet of what was there before: look first. */
	if (m->first && (a->kind == PLAN_CREATE || a->kind == PLAN_MEET))
		act.tries = 1;
	if (c == NULL && a->kind != PLAN_CANCEL) {
		if (needs_content(v, a)) {
			r->dirty = 1; /* contents were not to be had: later */
			return 0;
		}
		bare_content(v, a, &bare);
		c = &bare;
	}
	memcpy(act.key, a->key, KEY_LEN);
	plan_aim(a, seen_of(v, a->key),
	    a->topdesk != PLAN_NOROW ? &v->td[a->topdesk].s : NULL, &act.aim);
	snprintf(
	    act.remote_id, sizeof(act.remote_id), "%s", reservation_id(v, a));
	snprintf(act.number, sizeof(act.number), "%s", number_of(v, a));
	wire_out_init(&w, 16384);
	payload_put(&w,
	    a->topdesk != PLAN_NOROW ? v->td[a->topdesk].s.changed : 0,
	    a->kind == PLAN_CANCEL ? NULL : c);
	rc = w.err ? err_set(e, EMSGSIZE, "payload")
		   : store_act_add(
			 m->store, &act, (struct wire_bytes){w.buf, w.len}, e);
	wire_out_free(&w);
	if (rc && e->code == EBUSY) {
		r->dirty = 1;
		return 0;
	}
	m->round.planned++;
	if (rc == 0 &&
	    (a->reason == REASON_CHANGED_ON_BOTH ||
		a->reason == REASON_DECLINED))
		return report(v, a, e);
	return rc;
}

static int
bury(struct visit *v, const struct action *a, struct err *e)
{
	struct agreed_row row = v->agreed[a->agreed];
	struct aim aim = {.kind = PLAN_BURY};

	agreed_settle(&row.a, &aim, 0, time(NULL));
	return store_agreed_put(
	    v->m->store, v->m->rooms[v->room].st.id, &row, e);
}

/* Two bookings that want the room: said once, and listed. */
static int
clash(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	const struct seen *s = seen_of(v, a->key);
	struct plan_policy policy = {0};
	struct conflict c = {
	    .room = r->st.id, .since = time(NULL), .why = a->reason};
	int fresh;

	policy_of(m, v->room, &policy);
	if (s == NULL && a->topdesk != PLAN_NOROW)
		s = &v->td[a->topdesk].s;
	memcpy(c.key, a->key, KEY_LEN);
	c.start = s ? s->start : 0;
	c.end = s ? s->end : 0;
	c.policy = policy.conflict;
	c.loser = a->loser;
	snprintf(c.number, sizeof(c.number), "%s", number_of(v, a));
	if (a->rival_topdesk != PLAN_NOROW)
		snprintf(c.rival, sizeof(c.rival), "%s",
		    v->td[a->rival_topdesk].number);
	if (store_conflict_put(m->store, &c, &fresh, e))
		return -1;
	if (fresh)
		evidence(m, EV_CONFLICT, r, a->key, c.number,
		    plan_reason_text(a->reason));
	return 0;
}

/* One booking on both sides, entered by hand twice: agreed, no write. */
static int
pair(struct visit *v, const struct action *a, struct err *e)
{
	struct room *r = &v->m->rooms[v->room];
	const struct reservation *t = &v->td[a->topdesk];
	struct agreed_row row;

	memset(&row, 0, sizeof(row));
	memcpy(row.a.key, a->key, KEY_LEN);
	row.a.group = a->group;
	agreed_pair(&row.a, seen_of(v, a->key), &t->s);
	snprintf(row.remote_id, sizeof(row.remote_id), "%s", t->id);
	snprintf(row.number, sizeof(row.number), "%s", t->number);
	r->dirty = 1;
	evidence(v->m, EV_PAIRED, r, a->key, t->number, NULL);
	return store_agreed_put(v->m->store, r->st.id, &row, e);
}

static int
apply(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	switch (a->kind) {
	case PLAN_CREATE:
	case PLAN_CHANGE:
	case PLAN_CANCEL:
	case PLAN_LINK:
	case PLAN_MEET:
	case PLAN_MEETING_CHANGE:
	case PLAN_MEETING_SWAP:
	case PLAN_MEETING_CANCEL:
	case PLAN_NOTICE:
	case PLAN_ASK:
		return journal(v, a, e);
	case PLAN_PAIR:
		return pair(v, a, e);
	case PLAN_CLASH:
		return clash(v, a, e);
	case PLAN_ADOPT:
		return adopt(v, a, e);
	case PLAN_BURY:
		return bury(v, a, e);
	case PLAN_FORGET:
		return store_agreed_drop(
		    m->store, m->rooms[v->room].st.id, a->key, e);
	case PLAN_UNHOLD:
		return store_act_unhold(
		    m->store, m->rooms[v->room].st.id, a->key, e);
	default: /* PLAN_CONFIRM, PLAN_REPORT */
		return report(v, a, e);
	}
	return 0;
}

/* Problems of the room that this plan did not find again are over. */
struct stale {
	struct visit *v;
	uint8_t (*key)[KEY_LEN];
	size_t n;
};

static int
problem_stale(void *arg, const struct problem *p)
{
	struct stale *s = arg;
	const struct plan_output *plan = &s->v->plan;
	void *k;

	if (p->room != s->v->m->rooms[s->v->room].st.id)
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

static int
drop_stale_problems(struct visit *v, struct err *e)
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
		if (plan->actions[i].kind == PLAN_CLASH &&
		    memcmp(plan->actions[i].key, c->key, KEY_LEN) == 0)
			return 0;
	for (size_t i = 0; i < s->v->nagreed; i++)
		if ((s->v->aseen[i].busy || s->v->aseen[i].waiting) &&
		    memcmp(s->v->aseen[i].key, c->key, KEY_LEN) == 0)
			return 0;
	if ((k = realloc(s->key, (s->n + 1) * KEY_LEN)) == NULL)
		return 0;
	s->key = k;
	memcpy(s->key[s->n++], c->key, KEY_LEN);
	return 0;
}

static int
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

static int
commit_seen(struct visit *v, struct err *e)
{
	struct mapd *m = v->m;
	int64_t room = m->rooms[v->room].st.id;
	struct content *c;
	size_t i, j;

	for (i = 0; i < v->nin; i++) {
		c = v->in[i];
		if (content_find(v, c->s.key) != c)
			continue;
		for (j = 0; j < v->nrows; j++)
			if (memcmp(v->rows[j].s.key, c->s.key, KEY_LEN) == 0)
				break;
		if (j < v->nrows && same_seen(&v->rows[j], c))
			continue;
		if (store_seen_put(
			m->store, room, &c->s, c->remote_id, c->series_id, e))
			return -1;
	}
	for (j = 0; j < v->nrows; j++) {
		if (v->rows[j].s.gone != 2 || content_find(v, v->rows[j].s.key))
			continue;
		v->rows[j].s.gone = 1;
		if (store_seen_put(m->store, room, &v->rows[j].s,
			v->rows[j].remote_id, v->rows[j].series_id, e))
			return -1;
	}
	return v->ex_full
	    ? store_seen_expire(m->store, room, m->rooms[v->room].st.from, e)
	    : 0;
}

/* The new cursor, in memory; settle_round() or the commit keeps it. */
static void
take_cursor(struct visit *v)
{
	struct room *r = &v->m->rooms[v->room];

	if (!v->ex_ok || v->reads_failed || v->cursor == NULL)
		return;
	free(r->st.cursor);
	r->st.cursor = v->cursor;
	r->st.cursor_len = v->cursor_len;
	v->cursor = NULL;
	r->cursor_moved = 1;
}

static int
commit(struct visit *v, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];

	take_cursor(v);
	if (store_begin(m->store, e))
		return -1;
	if (v->ex_ok && commit_seen(v, e))
		goto bad;
	if (r->cursor_moved && store_room_cursor(m->store, &r->st, e))
		goto bad;
	for (size_t i = 0; i < v->plan.n; i++)
		if (apply(v, &v->plan.actions[i], e))
			goto bad;
	if (v->td_ok && (drop_stale_problems(v, e) || settle_conflicts(v, e)))
		goto bad;
	if (store_commit(m->store, e))
		return -1;
	r->cursor_moved = 0;
	return 0;
bad:
	store_rollback(m->store);
	return -1;
}

void
settle_contents_done(struct visit *v)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	struct err e;

	if (commit(v, &e)) {
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
		if (a->exchange == PLAN_NOROW || content_find(v, a->key) ||
		    !(a->kind == PLAN_ADOPT || needs_content(v, a)))
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
		s = seen_of(v, a->key);
		if (s == NULL && a->topdesk != PLAN_NOROW)
			s = &v->td[a->topdesk].s;
		control_planned(m, &m->rooms[v->room], a, s ? s->start : 0,
		    s ? s->end : 0, number_of(v, a));
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
	due = v->td_ok &&
	    (r->dirty || !r->digest_known || r->digest != digest_of(v));
	if (!due && v->nin == 0 && !v->changed && !v->ex_full) {
		take_cursor(v);
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
	get_contents(v);
	if (v->reads == 0)
		settle_contents_done(v);
}

/* --- the end of a round ------------------------------------------------------------------------ */

struct held {
	uint64_t *group;
	size_t n, cap, acts;
};

static int
count_held(void *arg, const struct act *a)
{
	struct held *h = arg;
	uint64_t *p;

	if (a->state != ACT_HELD)
		return 0;
	h->acts++;
	for (size_t i = 0; i < h->n; i++)
		if (h->group[i] == a->group)
			return 0;
	if (h->n == h->cap) {
		p = realloc(h->group, (h->cap + 64) * sizeof(*p));
		if (p == NULL)
			return -1;
		h->group = p;
		h->cap += 64;
	}
	h->group[h->n++] = a->group;
	return 0;
}

static void
say_held(struct mapd *m, size_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", n);
	evidence(m, m->first ? EV_WRITES_HELD : EV_CANCELLATIONS_HELD, NULL,
	    NULL, NULL, text);
	log_warn("%zu %s are held: see orbctl plan, then orbctl approve", n,
	    m->first ? "writes of the first look" : "cancellations");
}

void
settle_round(struct mapd *m)
{
	struct held h = {0};
	struct err e;
	size_t n, held;
	int limit;

	if (store_begin(m->store, &e))
		goto bad;
	for (size_t i = 0; i < m->nrooms; i++) {
		if (!m->rooms[i].cursor_moved)
			continue;
		if (store_room_cursor(m->store, &m->rooms[i].st, &e))
			goto rollback;
		m->rooms[i].cursor_moved = 0;
	}
	if (store_conflict_expire(m->store, time(NULL) - CONFLICT_KEPT, &e) ||
	    store_act_list(m->store, count_held, &h, &e))
		goto rollback;
	limit = m->first ? m->conf->policy.approve_writes
			 : m->conf->policy.mass_cancel_limit;
	held = m->first ? h.acts : h.n;
	if (held <= (size_t)limit && h.acts &&
	    store_act_approve(m->store, &n, &e))
		goto rollback;
	/* What could be read was read: the next look is not the first. */
	if (m->first && held <= (size_t)limit && m->round.failed == 0) {
		if (store_meta_set(m->store, "looked", &e))
			goto rollback;
		m->first = 0;
	}
	if (store_commit(m->store, &e))
		goto bad;
	if (held > (size_t)limit && h.acts != m->held_said)
		say_held(m, h.acts);
	m->held_said = held > (size_t)limit ? h.acts : 0;
	free(h.group);
	return;
rollback:
	store_rollback(m->store);
bad:
	free(h.group);
	mapd_store_failed(m, &e);
}
