/*
 * model.c: see model.h.
 *
 * The order of a round, and why:
 *
 * 1. What may have been sent is looked up first, and either settled or dropped;
 *    it is never sent again from the journal.  What is dropped is planned anew
 *    from what both sides show now, so an old payload does no harm.
 * 2. Both systems are read.  Absence is followed by a GET.
 * 3. Plan.  Whatever the plan names without a reservation's row is read by its
 *    id, put into the tree, and the room is planned once more; after the state
 *    was lost this goes for every CREATE, by its link.
 * 4. Tree, cursor and journal are committed together.
 * 5. Execute what is due, settle one by one.
 */
#include "model.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/marks.h"

#define CRASH 1
#define BACKOFF_MAX 600
#define EXTRA_MAX (SLOTS * 4)

/* What one round knows; gone with a crash. */
struct round {
	struct model *m;
	struct seen td[RESERVATIONS_MAX + EXTRA_MAX];
	size_t ntd;
	struct seen_row *ex_rows;
	struct agreed_row *ag_rows;
	struct seen *ex;
	struct agreed *ag;
	size_t nex, nag;
	struct plan_output out;
	int looked_gone[SLOTS]; /* a GET in this round said so */
	int shown[SLOTS];       /* -1 not, else is_dropped_slot() */
	int have_list, have_feed;
	int rebuilding;
};

static int
fail(struct model *m, const struct err *e)
{
	snprintf(m->bad, sizeof(m->bad), "store: %s", e->text);
	return -1;
}

static int
crash(struct model *m)
{
	return m->crash_in > 0 && --m->crash_in == 0 ? CRASH : 0;
}

int
slot_of(const struct world *w, const uint8_t key[KEY_LEN])
{
	for (int i = 0; i < SLOTS; i++)
		if (memcmp(w->slots[i].key, key, KEY_LEN) == 0)
			return i;
	return -1;
}

/* --- start, crash, loss ------------------------------------------------------ */

static void
db_path(const struct model *m, const char *tail, char path[256])
{
	snprintf(path, 256, "%s/state-%u%s", m->dir, m->file, tail);
}

/* Whose cancellation one sees later, nobody can tell. */
static int
doubt(void *arg, const struct act *a)
{
	struct model *m = arg;

	if (a->state == ACT_SENT && a->aim.kind == PLAN_CANCEL)
		m->w->res[atoi(a->remote_id)].doubt = 1;
	return 0;
}

static int
open_file(struct model *m)
{
	struct err e = {0};
	char path[256];
	int rebuilt;
	size_t n;

	db_path(m, "", path);
	free(m->room.cursor);
	memset(&m->room, 0, sizeof(m->room));
	if ((m->st = store_open(path, &rebuilt, &e)) == NULL)
		return fail(m, &e);
	if (rebuilt) {
		snprintf(
		    m->bad, sizeof(m->bad), "a crash damaged the database");
		return -1;
	}
	if (store_set_seal(m->st, m->seal, &rebuilt, &e) ||
	    store_act_recover(m->st, &n, &e) ||
	    store_act_list(m->st, doubt, m, &e) ||
	    store_room(m->st, "room@example.org", "location", &m->room, &e))
		return fail(m, &e);
	return 0;
}

static void
remove_file(struct model *m)
{
	char path[256];

	db_path(m, "", path);
	unlink(path);
	db_path(m, "-wal", path);
	unlink(path);
}

static int
copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out, rc = 0;
	char buf[65536];
	ssize_t n;

	if (in == -1)
		return 0; /* no -wal yet */
	if ((out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1)
		rc = -1;
	while (rc == 0 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			rc = -1;
	close(in);
	if (out != -1)
		close(out);
	return rc;
}

/* The process is gone; its files are what they are. */
static int
restart(struct model *m)
{
	char from[256], to[256], wal[256], to_wal[256];
	unsigned old = m->file, new = m->file + 1;
	int rc;

	m->crashes++;
	m->crash_in = 0;
	db_path(m, "", from);
	db_path(m, "-wal", wal);
	m->file = new;
	db_path(m, "", to);
	db_path(m, "-wal", to_wal);
	rc = copy_file(from, to) || copy_file(wal, to_wal);
	m->file = old;
	store_rollback(m->st);
	store_close(m->st);
	m->st = NULL;
	remove_file(m);
	m->file = new;
	if (rc) {
		snprintf(m->bad, sizeof(m->bad), "cannot copy in %s", m->dir);
		return -1;
	}
	return open_file(m);
}

int
model_open(
    struct model *m, struct world *w, const char *dir, const struct seal *seal)
{
	memset(m, 0, sizeof(*m));
	m->w = w;
	/* The model only lends it on. */
	m->seal = (struct seal *)(uintptr_t)seal;
	m->mass_limit = 3;
	snprintf(m->dir, sizeof(m->dir), "%s", dir);
	return open_file(m);
}

void
model_close(struct model *m)
{
	store_close(m->st);
	free(m->room.cursor);
	remove_file(m);
	memset(m, 0, sizeof(*m));
}

int
model_lose(struct model *m)
{
	store_close(m->st);
	remove_file(m);
	m->file++;
	m->lost_state = 1;
	memset(m->let, 0, sizeof(m->let));
	return open_file(m);
}

/* --- settling ------------------------------------------------------------------- */

/* One transaction: what is agreed now, and the action gone. */
static int
settle(struct model *m, const struct agreed_row *r, int64_t id)
{
	struct err e = {0};

	if (store_begin(m->st, &e) ||
	    store_agreed_put(m->st, m->room.id, r, &e) ||
	    store_act_drop(m->st, id, &e))
		return fail(m, &e);
	if (crash(m))
		return CRASH;
	return store_commit(m->st, &e) ? fail(m, &e) : 0;
}

static int
agreed_row_of(struct model *m, const uint8_t key[KEY_LEN], struct agreed_row *r)
{
	struct err e = {0};
	int rc = store_agreed_get(m->st, m->room.id, key, r, &e);

	if (rc < 0)
		return fail(m, &e);
	if (rc == 0) {
		memset(r, 0, sizeof(*r));
		memcpy(r->a.key, key, KEY_LEN);
	}
	return 0;
}

static void
row_names(struct agreed_row *r, int id)
{
	snprintf(r->remote_id, sizeof(r->remote_id), "%d", id);
	snprintf(r->number, sizeof(r->number), "R %d", id);
}

static int
settle_act(struct model *m, const struct act *a, const struct aim *aim, int id,
    int64_t changed)
{
	struct agreed_row r;

	if (agreed_row_of(m, a->key, &r))
		return -1;
	if (aim->kind == PLAN_CREATE) {
		memset(&r.a, 0, sizeof(r.a));
		memcpy(r.a.key, a->key, KEY_LEN);
		r.a.group = a->group;
	}
	agreed_settle(&r.a, aim, changed);
	if (id >= 0)
		row_names(&r, id);
	return settle(m, &r, a->id);
}

static int
drop_act(struct model *m, const struct act *a)
{
	struct err e = {0};

	return store_act_drop(m->st, a->id, &e) ? fail(m, &e) : 0;
}

/* --- 1. what may have been sent --------------------------------------------------- */

static int
recover_one(struct model *m, const struct act *a)
{
	int slot = slot_of(m->w, a->key);
	struct reservation *r;

	if (a->aim.kind == PLAN_CHANGE)
		return drop_act(m, a);
	if (a->aim.kind == PLAN_CREATE) {
		r = topdesk_find(m->w, slot, a->aim.gen);
		/* What is over, or older than the action, is another one of
		 * the same link, from before the state was lost. */
		if (r == NULL || r->end <= m->w->now || r->changed < a->created)
			return drop_act(m, a);
		/* changed is not known: people may have been there since. */
		r->unclear = 1;
		return settle_act(m, a, &a->aim, (int)(r - m->w->res), 0);
	}
	/* Dropped, ORB's own cancellation would look like a person's. */
	r = topdesk_get(m->w, atoi(a->remote_id));
	if (r == NULL)
		return 0; /* not to be seen: it stays unknown */
	if (is_live(r))
		return drop_act(m, a);
	return settle_act(m, a, &a->aim, -1, 0);
}

static int
recover(struct model *m)
{
	struct err e = {0};
	struct act *acts;
	size_t n;
	int rc = 0;

	if (store_act_due(m->st, m->w->now, 0, SIZE_MAX, &acts, &n, &e))
		return fail(m, &e);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (acts[i].state == ACT_SENT && (rc = crash(m)) == 0)
			rc = recover_one(m, &acts[i]);
	free(acts);
	return rc;
}

/* --- 2. reading ---------------------------------------------------------------------- */

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
		return fail(m, &e);
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
		return fail(m, &e);
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

static int
read_feed(struct round *r)
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
		return fail(m, &e);
	for (int i = 0; i < SLOTS && rc == 0; i++)
		if (m->w->slots[i].exists && is_news(r, i, cursor))
			rc = put_slot(r, i);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (is_news(r, slot_of(m->w, rows[i].s.key), cursor))
			rc = mark_gone(r, &rows[i]);
	seen_rows_free(rows, n);
	return rc;
}

static int
keep_cursor(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};

	free(m->room.cursor);
	if ((m->room.cursor = malloc(sizeof(int64_t))) == NULL)
		return -1;
	memcpy(m->room.cursor, &m->w->version, sizeof(int64_t));
	m->room.cursor_len = sizeof(int64_t);
	m->room.from = m->w->now - DAY;
	m->room.to = m->w->now + WINDOW;
	if (store_room_cursor(m->st, &m->room, &e) ||
	    store_seen_expire(m->st, m->room.id, m->room.from, &e))
		return fail(m, &e);
	return 0;
}

static void
add_reservation(struct round *r, int id)
{
	const struct reservation *res = &r->m->w->res[id];
	struct seen *s = &r->td[r->ntd++];

	memset(s, 0, sizeof(*s));
	if (res->slot >= 0)
		memcpy(s->key, r->m->w->slots[res->slot].key, KEY_LEN);
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
read_list(struct round *r)
{
	struct world *w = r->m->w;

	for (size_t i = 0; i < w->nres && !w->hidden; i++)
		if (w->res[i].end > w->now - DAY &&
		    w->res[i].start < w->now + WINDOW)
			add_reservation(r, (int)i);
}

/* --- 3. planning ---------------------------------------------------------------------- */

static int
load_trees(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};

	if (store_seen_load(m->st, m->room.id, &r->ex_rows, &r->nex, &e) ||
	    store_agreed_load(m->st, m->room.id, &r->ag_rows, &r->nag, &e))
		return fail(m, &e);
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

/* --- 4. journaling ----------------------------------------------------------------------- */

/* A payload is not empty and is what was put in. */
struct payload {
	int slot;
};

static int
journal(struct round *r, const struct action *x, int held)
{
	struct model *m = r->m;
	struct payload p = {slot_of(m->w, x->key)};
	struct wire_bytes bytes = {(const uint8_t *)&p, sizeof(p)};
	struct act a = {0};
	struct err e = {0};

	a.room = m->room.id;
	memcpy(a.key, x->key, KEY_LEN);
	plan_aim(
	    x, x->exchange == PLAN_NOROW ? NULL : &r->ex[x->exchange], &a.aim);
	a.state = held ? ACT_HELD : ACT_READY;
	a.created = m->w->now;
	a.group = x->group;
	if (x->topdesk != PLAN_NOROW)
		snprintf(a.remote_id, sizeof(a.remote_id), "%u", x->topdesk);
	else if (x->agreed != PLAN_NOROW)
		snprintf(a.remote_id, sizeof(a.remote_id), "%s",
		    r->ag_rows[x->agreed].remote_id);
	if (x->kind == PLAN_CANCEL)
		m->let[slot_of(m->w, x->key)] = !held;
	return store_act_add(m->st, &a, bytes, &e) ? fail(m, &e) : 0;
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
	if (agreed_row_of(m, x->key, &row))
		return -1;
	agreed_adopt(&row.a, e, t);
	row_names(&row, (int)x->topdesk);
	/* What is agreed is nobody's change any more. */
	if (row.a.start == res->start && row.a.end == res->end) {
		res->person_moved = 0;
		res->agreed_start = res->start;
	}
	if (memcmp(row.a.td_print, t->print, PRINT_LEN) == 0)
		res->person_edited = 0;
	return store_agreed_put(m->st, m->room.id, &row, &err) ? fail(m, &err)
							       : 0;
}

static int
bury(struct round *r, const struct action *x)
{
	struct agreed_row row;
	struct err e = {0};
	struct aim aim;

	if (agreed_row_of(r->m, x->key, &row))
		return -1;
	plan_aim(x, NULL, &aim);
	agreed_settle(&row.a, &aim, 0);
	return store_agreed_put(r->m->st, r->m->room.id, &row, &e)
	    ? fail(r->m, &e)
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
		break;
	}
	return rc ? fail(m, &e) : 0;
}

/* Above the limit, and while any is held: a person is asked. */
static int
must_hold(struct round *r, int *hold)
{
	struct store_counts c;
	struct err e = {0};

	if (store_counts(r->m->st, r->m->room.id, &c, &e))
		return fail(r->m, &e);
	*hold = c.held > 0 || plan_cancellations(&r->out, 1) > r->m->mass_limit;
	return 0;
}

static int
plan_and_journal(struct round *r)
{
	int hold, rc;

	if ((rc = load_trees(r)) || (rc = plan_twice(r)) ||
	    (rc = must_hold(r, &hold)))
		return rc;
	memset(r->m->reports, 0, sizeof(r->m->reports));
	for (size_t i = 0; i < r->out.n; i++)
		if ((rc = take_action(r, &r->out.actions[i], hold)) ||
		    (rc = crash(r->m)))
			return rc;
	return 0;
}

/* --- 5. executing ---------------------------------------------------------------------------- */

static int
put_off(struct model *m, struct act *a, enum answer answer)
{
	struct err e = {0};
	int64_t pause = 60 << (a->tries < 4 ? a->tries : 4);

	if (answer == ANSWER_LOST) {
		a->state = ACT_SENT;
	} else {
		a->state = ACT_ASIDE;
		a->tries++;
		a->next_try =
		    m->w->now + (pause < BACKOFF_MAX ? pause : BACKOFF_MAX);
		snprintf(a->reason, sizeof(a->reason), "refused");
	}
	return store_act_update(m->st, a, &e) ? fail(m, &e) : 0;
}

static int
send_create(struct model *m, struct act *a)
{
	enum answer answer;
	int id = -1, rc;

	answer = topdesk_create(m->w, slot_of(m->w, a->key), &a->aim, &id);
	if ((rc = crash(m)))
		return rc;
	if (answer != ANSWER_OK)
		return put_off(m, a, answer);
	return settle_act(m, a, &a->aim, id, m->w->res[id].changed);
}

/* Two requests; each that was answered is settled by itself. */
static int
send_change(struct model *m, struct act *a, int id)
{
	int said = a->aim.reason == REASON_CHANGED_ON_BOTH, rc;
	enum answer answer = ANSWER_OK;
	struct aim done = a->aim;

	done.change = 0;
	if (a->aim.change & CHANGE_TIME) {
		answer = topdesk_reschedule(m->w, id, &a->aim, said);
		if ((rc = crash(m)))
			return rc;
		if (answer == ANSWER_OK)
			done.change |= CHANGE_TIME;
	}
	if (answer == ANSWER_OK && (a->aim.change & CHANGE_TEXT)) {
		answer = topdesk_edit(m->w, id, &a->aim, said);
		if ((rc = crash(m)))
			return rc;
		if (answer == ANSWER_OK)
			done.change |= CHANGE_TEXT;
	}
	if (answer == ANSWER_OK)
		return settle_act(m, a, &done, id, m->w->res[id].changed);
	/* The half that was done shows in the list; it is agreed from there. */
	return put_off(m, a, answer);
}

static int
send_cancel(struct model *m, struct act *a, int id)
{
	int slot = slot_of(m->w, a->key), rc;
	enum answer answer;

	if (!m->let[slot])
		snprintf(m->bad, sizeof(m->bad),
		    "booking %d: a held cancellation went through", slot);
	answer = topdesk_cancel(m->w, id);
	if ((rc = crash(m)))
		return rc;
	if (answer != ANSWER_OK)
		return put_off(m, a, answer);
	return settle_act(m, a, &a->aim, id, 0);
}

static int
act_payload(struct model *m, const struct act *a, struct payload *p)
{
	struct err e = {0};
	struct secret s;

	if (store_act_payload(m->st, a, &s, &e))
		return fail(m, &e);
	if (s.len != sizeof(*p)) {
		secret_free(&s);
		snprintf(m->bad, sizeof(m->bad), "a payload of another size");
		return -1;
	}
	memcpy(p, s.p, sizeof(*p));
	secret_free(&s);
	if (p->slot != slot_of(m->w, a->key)) {
		snprintf(m->bad, sizeof(m->bad), "another action's payload");
		return -1;
	}
	return 0;
}

/* Reads before it writes, as what waited may be about what changed since. */
static int
send_act(struct round *r, struct act *a)
{
	struct model *m = r->m;
	const struct reservation *res;
	struct err e = {0};
	struct payload p;
	int id = atoi(a->remote_id), waited = a->state == ACT_ASIDE;

	if (waited) {
		a->state = ACT_READY;
		if (store_act_update(m->st, a, &e))
			return fail(m, &e);
	}
	if (act_payload(m, a, &p))
		return -1;
	if (a->aim.kind == PLAN_CREATE && waited &&
	    (res = topdesk_find(m->w, p.slot, a->aim.gen)) != NULL &&
	    res->end > m->w->now)
		return drop_act(m, a);
	if (a->aim.kind == PLAN_CREATE)
		return send_create(m, a);
	res = topdesk_get(m->w, id);
	if (res == NULL)
		return put_off(m, a, ANSWER_REFUSED);
	if (!is_live(res) || res->issued || res->archived)
		return drop_act(m, a);
	return a->aim.kind == PLAN_CHANGE ? send_change(m, a, id)
					  : send_cancel(m, a, id);
}

static int
execute(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};
	struct act *acts;
	size_t n;
	int rc = 0;

	if (store_act_due(m->st, m->w->now, 0, 64, &acts, &n, &e))
		return fail(m, &e);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (acts[i].state != ACT_SENT && (rc = crash(m)) == 0)
			rc = send_act(r, &acts[i]);
	free(acts);
	return rc;
}

/* --- a round ------------------------------------------------------------------------------------ */

static int
round_try(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};
	int rc;

	if ((rc = recover(m)) || (rc = crash(m)))
		return rc;
	r->have_feed = m->w->feed_cut == 0;
	r->have_list = m->w->list_cut == 0;
	/* For good: what lay beyond the window then may come back later. */
	r->rebuilding = m->lost_state;
	if (r->have_list)
		read_list(r);
	if ((rc = crash(m)))
		return rc;
	if (store_begin(m->st, &e))
		return fail(m, &e);
	if ((r->have_feed && ((rc = read_feed(r)) || (rc = keep_cursor(r)))) ||
	    (rc = crash(m)))
		return rc;
	/* Without a feed ever there is no tree, and without a list no plan. */
	if (m->room.cursor && r->have_list &&
	    ((rc = plan_and_journal(r)) || (rc = crash(m))))
		return rc;
	if (store_commit(m->st, &e))
		return fail(m, &e);
	for (int i = 0; i < SLOTS; i++)
		if (r->shown[i] >= 0)
			m->w->slots[i].shown_dropped = r->shown[i];
	if ((rc = crash(m)))
		return rc;
	return r->have_list ? execute(r) : 0;
}

static void
tick(int *n)
{
	*n -= *n > 0;
}

int
model_round(struct model *m)
{
	struct round *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return -1;
	r->m = m;
	for (int i = 0; i < SLOTS; i++)
		r->shown[i] = -1;
	m->rounds++;
	rc = round_try(r);
	seen_rows_free(r->ex_rows, r->nex);
	free(r->ag_rows);
	free(r->ex);
	free(r->ag);
	plan_free(&r->out);
	free(r);
	tick(&m->w->hidden);
	tick(&m->w->list_cut);
	tick(&m->w->feed_cut);
	if (rc == CRASH)
		rc = restart(m);
	return rc == 0 && m->bad[0] == '\0' ? 0 : -1;
}

static int
let_through(void *arg, const struct act *a)
{
	struct model *m = arg;

	if (a->state == ACT_HELD)
		m->let[slot_of(m->w, a->key)] = 1;
	return 0;
}

int
model_approve(struct model *m)
{
	struct err e = {0};
	size_t n;

	if (store_act_list(m->st, let_through, m, &e) ||
	    store_act_approve(m->st, &n, &e))
		return fail(m, &e);
	return 0;
}
