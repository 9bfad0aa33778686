/*
 * settle_commit.c: one transaction for a planned room: the tree "Exchange as
 * seen" brought up to date, the cursor, and of each planned action what is kept
 * of it: a journaled write, an agreed row, a problem, a conflict.
 *
 * Not here: how the plan came about (settle.c), sending what is journaled
 * (execute.c).
 */
#include "mapd/settle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *
reservation_id(const struct visit *v, const struct action *a)
{
	if (a->topdesk != PLAN_NOROW)
		return v->td[a->topdesk].id;
	return a->agreed != PLAN_NOROW ? v->agreed[a->agreed].remote_id : "";
}

/* Within the transaction: what TOPdesk shows is the base from now on. */
static int
adopt(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	const struct reservation *t = &v->td[a->topdesk];
	const struct seen *e_side = visit_seen(v, a->key);
	struct agreed_row row;
	int fresh;

	memset(&row, 0, sizeof(row));
	if (a->agreed != PLAN_NOROW)
		row = v->agreed[a->agreed];
	fresh = row.a.gen == 0 || row.a.dead;
	memcpy(row.a.key, a->key, KEY_LEN);
	row.a.group = a->group;
	agreed_adopt(&row.a, e_side, &t->s);
	/* Nobody knows any more who wrote which text; a person may have written
	 * that in TOPdesk.  It stands until the meeting gets another. */
	if (fresh && m->first && e_side)
		memcpy(row.a.ex_print, e_side->print, PRINT_LEN);
	snprintf(row.remote_id, sizeof(row.remote_id), "%s", t->id);
	snprintf(row.number, sizeof(row.number), "%s", t->number);
	r->dirty = 1;
	evidence(m, EV_ADOPTED, r, a->key, t->number, NULL);
	if (fresh && first_matched(m, r, a, t, e))
		return -1;
	return store_agreed_put(m->store, r->st.id, &row, e);
}

static int
report(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	struct problem p = {.room = r->st.id, .since = time(NULL)};
	int fresh;

	/* What is done about it ends it: who was not there must still see it. */
	if (a->kind != PLAN_REPORT && a->kind != PLAN_CONFIRM)
		p.kept = p.since + HISTORY_KEPT;

	memcpy(p.key, a->key, KEY_LEN);
	if (action_number(v, a)[0])
		snprintf(p.text, sizeof(p.text), "reservation %s: %s",
		    action_number(v, a),
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
		    r, a->key, action_number(v, a), p.text);
	return 0;
}

/* Does it wait for the round's end, where it is counted and perhaps held? */
static int
is_counted(const struct mapd *m, const struct action *a)
{
	return m->first || a->kind == PLAN_CANCEL ||
	    (a->kind == PLAN_MEETING_CANCEL && a->reason != REASON_DECLINED);
}

/* What the payload needs of the meeting, when the visit has not read it. */
static void
bare_content(struct visit *v, const struct action *a, struct content *c)
{
	static char nothing[1] = "";
	const struct seen *s = visit_seen(v, a->key);

	memset(c, 0, sizeof(*c));
	c->remote_id = c->series_id = c->subject = c->organiser = c->body =
	    c->uid = nothing;
	if (s == NULL)
		return;
	c->s = *s;
	if (s->row < v->nrows)
		c->remote_id = v->rows[s->row].remote_id;
}

/* Was the meeting not there when Exchange was read last? */
static int
is_fresh(const struct visit *v, const uint8_t key[KEY_LEN])
{
	if (v->ex_full || v->m->first)
		return 0;
	for (size_t i = 0; i < v->nrows; i++)
		if (memcmp(v->rows[i].s.key, key, KEY_LEN) == 0)
			return 0;
	return 1;
}

static int
journal(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	const struct content *c = visit_content(v, a->key);
	const struct seen *s = visit_seen(v, a->key);
	struct act act = {
	    .room = r->st.id, .group = a->group, .created = time(NULL)};
	struct content bare;
	struct wire_out w;
	int rc;

	if (is_counted(m, a))
		act.state = ACT_HELD; /* until settle_round() */
	/* It may have been made before the state was lost: look first. */
	if ((a->kind == PLAN_CREATE && !is_fresh(v, a->key)) ||
	    (m->first && (a->kind == PLAN_MEET || a->kind == PLAN_NOTICE)))
		act.tries = 1;
	/* Read for its contents, it is not what was planned on: the feed lags. */
	if (c && s &&
	    (c->s.start != s->start || c->s.end != s->end ||
		c->s.state != s->state)) {
		r->dirty = 1;
		return 0;
	}
	if (c == NULL && a->kind != PLAN_CANCEL) {
		if (action_needs_content(v, a)) {
			r->dirty = 1; /* contents were not to be had: later */
			return 0;
		}
		bare_content(v, a, &bare);
		c = &bare;
	}
	memcpy(act.key, a->key, KEY_LEN);
	plan_aim(a, visit_seen(v, a->key),
	    a->topdesk != PLAN_NOROW ? &v->td[a->topdesk].s : NULL, &act.aim);
	snprintf(
	    act.remote_id, sizeof(act.remote_id), "%s", reservation_id(v, a));
	snprintf(act.number, sizeof(act.number), "%s", action_number(v, a));
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
	trees_released(v->m, &v->m->rooms[v->room], a->key);
	return store_agreed_put(
	    v->m->store, v->m->rooms[v->room].st.id, &row, e);
}

/* A meeting has no number, and its subject is nobody's business here. */
static void
name_meeting(const struct visit *v, uint32_t row, char *out, size_t size)
{
	time_t start = 0;
	struct tm tm;

	for (size_t i = 0; i < v->nseen; i++)
		if (v->seen[i].row == row)
			start = (time_t)v->seen[i].start;
	if (gmtime_r(&start, &tm) == NULL ||
	    strftime(out, size, "meeting %Y-%m-%d %H:%MZ", &tm) == 0)
		snprintf(out, size, "meeting");
}

/* Two bookings that want the room: said once, and listed. */
static int
clash(struct visit *v, const struct action *a, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	const struct seen *s = visit_seen(v, a->key);
	struct plan_policy policy = {0};
	struct conflict c = {
	    .room = r->st.id, .since = time(NULL), .why = a->reason};
	int fresh;

	room_policy(m, v->room, &policy);
	if (s == NULL && a->topdesk != PLAN_NOROW)
		s = &v->td[a->topdesk].s;
	memcpy(c.key, a->key, KEY_LEN);
	c.start = s ? s->start : 0;
	c.end = s ? s->end : 0;
	c.policy = policy.conflict;
	c.loser = a->loser;
	snprintf(c.number, sizeof(c.number), "%s", action_number(v, a));
	if (a->rival_topdesk != PLAN_NOROW)
		snprintf(c.rival, sizeof(c.rival), "%s",
		    v->td[a->rival_topdesk].number);
	else if (a->rival_exchange != PLAN_NOROW)
		name_meeting(v, a->rival_exchange, c.rival, sizeof(c.rival));
	if (store_conflict_put(m->store, &c, &fresh, e))
		return -1;
	if (fresh)
		evidence(m, EV_CONFLICT, r, a->key, c.number,
		    plan_reason_text(a->reason));
	return 0;
}

/* Nobody but ORB makes meetings in the service mailbox. */
static int
is_of_service(const struct mapd *m, const struct seen *s)
{
	const struct conf_exchange *x = &m->conf->exchange;

	return x->book_as == CONF_BOOK_SERVICE && s->person != 0 &&
	    s->person == person_hash(m, x->service_mailbox);
}

/* One booking on both sides, entered by hand twice: agreed, no write. */
static int
pair(struct visit *v, const struct action *a, struct err *e)
{
	struct room *r = &v->m->rooms[v->room];
	const struct reservation *t = &v->td[a->topdesk];
	const struct seen *e_side = visit_seen(v, a->key);
	struct agreed_row row;

	memset(&row, 0, sizeof(row));
	memcpy(row.a.key, a->key, KEY_LEN);
	row.a.group = a->group;
	agreed_pair(&row.a, e_side, &t->s);
	/* The state was lost before the link was written, or could not be: it
	 * is the meeting that ORB made, and it can be changed. */
	if (is_of_service(v->m, e_side)) {
		row.a.origin = ORIGIN_TOPDESK;
		row.a.gen = GEN_TOPDESK;
	}
	snprintf(row.remote_id, sizeof(row.remote_id), "%s", t->id);
	snprintf(row.number, sizeof(row.number), "%s", t->number);
	r->dirty = 1;
	evidence(v->m, EV_PAIRED, r, a->key, t->number, NULL);
	if (first_matched(v->m, r, a, t, e))
		return -1;
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
	case PLAN_AGAIN:
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

static int
commit_seen(struct visit *v, struct err *e)
{
	struct mapd *m = v->m;
	int64_t room = m->rooms[v->room].st.id;
	struct content *c;
	size_t i, j;

	for (i = 0; i < v->nin; i++) {
		c = v->in[i];
		if (visit_content(v, c->s.key) != c)
			continue;
		for (j = 0; j < v->nrows; j++)
			if (memcmp(v->rows[j].s.key, c->s.key, KEY_LEN) == 0)
				break;
		if (j < v->nrows && sighting_same(&v->rows[j], c))
			continue;
		if (store_seen_put(
			m->store, room, &c->s, c->remote_id, c->series_id, e))
			return -1;
	}
	for (j = 0; j < v->nrows; j++) {
		if (v->rows[j].s.gone != 2 ||
		    visit_content(v, v->rows[j].s.key))
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
void
visit_take_cursor(struct visit *v)
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

int
settle_commit(struct visit *v, struct err *e)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];

	visit_take_cursor(v);
	if (store_begin(m->store, e))
		return -1;
	if ((v->ex_ok && commit_seen(v, e)) || settle_unread(v, e))
		goto bad;
	if (r->cursor_moved && store_room_cursor(m->store, &r->st, e))
		goto bad;
	for (size_t i = 0; i < v->plan.n; i++)
		if (apply(v, &v->plan.actions[i], e))
			goto bad;
	if (v->td_ok &&
	    (settle_problems(v, e) || settle_conflicts(v, e) ||
		settle_hurry(v, e)))
		goto bad;
	if (store_commit(m->store, e))
		return -1;
	r->cursor_moved = 0;
	return 0;
bad:
	store_rollback(m->store);
	return -1;
}
