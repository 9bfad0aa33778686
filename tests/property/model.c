/*
 * model.c: see model.h.
 *
 * The order of a round, and why:
 *
 * 1. What may have been sent is looked up first, and either settled, or dropped
 *    to be planned anew from what both sides show now; only a CREATE that was
 *    not found waits in the journal, for a plan that still wants it and a
 *    second look.
 * 2. Both systems are read.  Absence is followed by a GET.
 * 3. Plan.  Whatever the plan names without a reservation's row is read by its
 *    id, put into the tree, and the room is planned once more; after the state
 *    was lost this goes for every CREATE, by its link.
 * 4. Tree, cursor and journal are committed together.
 * 5. Execute what is due, settle one by one.
 */
#include "round.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
model_fail(struct model *m, const struct err *e)
{
	snprintf(m->bad, sizeof(m->bad), "store: %s", e->text);
	return -1;
}

int
model_crash(struct model *m)
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
		return model_fail(m, &e);
	if (rebuilt) {
		snprintf(
		    m->bad, sizeof(m->bad), "a crash damaged the database");
		return -1;
	}
	if (store_set_seal(m->st, m->seal, &rebuilt, &e) ||
	    store_act_recover(m->st, &n, &e) ||
	    store_act_list(m->st, doubt, m, &e) ||
	    store_room(m->st, "room@example.org", "location", &m->room, &e))
		return model_fail(m, &e);
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
	m->policy.to_topdesk = 1;
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

/* --- a round ------------------------------------------------------------------------------------ */

static int
round_try(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};
	int rc;

	if ((rc = model_recover(m)) || (rc = model_crash(m)))
		return rc;
	r->have_feed = m->w->feed_cut == 0;
	r->have_list = m->w->list_cut == 0;
	/* For good: what lay beyond the window then may come back later. */
	r->rebuilding = m->lost_state;
	if (r->have_list)
		round_read_list(r);
	if ((rc = model_crash(m)))
		return rc;
	if (store_begin(m->st, &e))
		return model_fail(m, &e);
	if ((r->have_feed &&
		((rc = round_read_feed(r)) || (rc = round_keep_cursor(r)))) ||
	    (rc = model_crash(m)))
		return rc;
	/* Without a feed ever there is no tree, and without a list no plan. */
	if (m->room.cursor && r->have_list &&
	    ((rc = round_plan(r)) || (rc = model_crash(m))))
		return rc;
	if (store_commit(m->st, &e))
		return model_fail(m, &e);
	for (int i = 0; i < SLOTS; i++)
		if (r->shown[i] >= 0)
			m->w->slots[i].shown_dropped = r->shown[i];
	if ((rc = model_crash(m)))
		return rc;
	return r->have_list ? round_execute(r) : 0;
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
		return model_fail(m, &e);
	return 0;
}
