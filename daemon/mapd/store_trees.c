/*
 * store_trees.c: the two trees that are kept: Exchange as seen, and what both
 * systems agreed on.  (TOPdesk as seen comes whole with every poll.)
 *
 * Not here: what follows from them (plan.c).
 */
#include "mapd/store_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many expired rows are worth a look for series that nothing names. */
#define SWEEP_EVERY 1000

static int
series_add(struct store *st, const char *remote, int64_t *id, struct err *e)
{
	struct query q = query_start(st, Q_SERIES_ADD);

	query_str(&q, remote);
	if (query_end(&q, e, "keep a series"))
		return -1;
	*id = sqlite3_last_insert_rowid(st->db);
	return 0;
}

static int
series_id(struct store *st, const char *remote, int64_t *id, struct err *e)
{
	struct query q = query_start(st, Q_SERIES_GET);
	int found;

	query_str(&q, remote);
	if ((found = query_row(&q)) != 0)
		*id = query_get_int(&q);
	if (query_end(&q, e, "find a series"))
		return -1;
	return found ? 0 : series_add(st, remote, id, e);
}

int
store_seen_put(struct store *st, int64_t room, const struct seen *s,
    const char *remote_id, const char *series, struct err *e)
{
	int64_t sid = 0;
	struct query q;

	if (series && *series && series_id(st, series, &sid, e))
		return -1;
	q = query_start(st, Q_SEEN_PUT);
	query_int(&q, room);
	query_blob(&q, s->key, KEY_LEN);
	query_blob(&q, s->print, PRINT_LEN);
	query_int(&q, s->start);
	query_int(&q, s->end);
	query_int(&q, s->changed);
	query_int(&q, (int64_t)s->group);
	query_int(&q, (int64_t)s->person);
	query_int(&q, s->marks);
	query_int(&q, s->state);
	query_int(&q, s->gone);
	if (sid)
		query_int(&q, sid);
	else
		query_null(&q);
	query_str(&q, remote_id);
	return query_end(&q, e, "keep a booking");
}

static int
drop_key(struct store *st, enum query_id id, int64_t room,
    const uint8_t key[KEY_LEN], struct err *e, const char *what)
{
	struct query q = query_start(st, id);

	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	return query_end(&q, e, what);
}

int
store_seen_drop(
    struct store *st, int64_t room, const uint8_t key[KEY_LEN], struct err *e)
{
	return drop_key(st, Q_SEEN_DROP, room, key, e, "drop a booking");
}

/* What the database has no value for is "": readers compare. */
static int
copy_str(const char *s, char **out)
{
	*out = strdup(s ? s : "");
	return *out == NULL ? -1 : 0;
}

static int
seen_get(struct query *q, struct seen_row *r)
{
	memset(r, 0, sizeof(*r));
	query_get_blob(q, r->s.key, KEY_LEN);
	query_get_blob(q, r->s.print, PRINT_LEN);
	r->s.start = query_get_int(q);
	r->s.end = query_get_int(q);
	r->s.changed = query_get_int(q);
	r->s.group = (uint64_t)query_get_int(q);
	r->s.person = (uint64_t)query_get_int(q);
	r->s.marks = (uint16_t)query_get_int(q);
	r->s.state = (uint8_t)query_get_int(q);
	r->s.gone = (uint8_t)query_get_int(q);
	if (copy_str(query_get_str(q), &r->remote_id) ||
	    copy_str(query_get_str(q), &r->series_id)) {
		free(r->remote_id);
		return -1;
	}
	return 0;
}

int
store_seen_load(struct store *st, int64_t room, struct seen_row **out,
    size_t *n, struct err *e)
{
	struct query q = query_start(st, Q_SEEN_LOAD);
	struct seen_row *rows = NULL;
	size_t have = 0, cap = 0;
	int rc = 0;

	query_int(&q, room);
	while (rc == 0 && query_row(&q)) {
		if (rows_grow((void **)&rows, have, &cap, sizeof(*rows)) ||
		    seen_get(&q, &rows[have])) {
			rc = err_set(e, ENOMEM, "no memory for bookings");
			break;
		}
		rows[have].s.row = (uint32_t)have;
		have++;
	}
	if (rc == 0)
		rc = query_end(&q, e, "read bookings");
	else
		query_end(&q, NULL, "");
	if (rc) {
		seen_rows_free(rows, have);
		return -1;
	}
	*out = rows;
	*n = have;
	return 0;
}

void
seen_rows_free(struct seen_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].remote_id);
		free(rows[i].series_id);
	}
	free(rows);
}

int
store_seen_expire(struct store *st, int64_t room, int64_t t, struct err *e)
{
	struct query q = query_start(st, Q_SEEN_EXPIRE);

	query_int(&q, room);
	query_int(&q, t);
	if (query_end(&q, e, "expire bookings"))
		return -1;
	st->expired += sqlite3_changes(st->db);
	if (st->expired < SWEEP_EVERY)
		return 0;
	st->expired = 0;
	return query_run(st, Q_SERIES_SWEEP, e, "sweep series");
}

/* --- agreed -------------------------------------------------------------------- */

int
store_agreed_put(
    struct store *st, int64_t room, const struct agreed_row *r, struct err *e)
{
	struct query q = query_start(st, Q_AGREED_PUT);

	query_int(&q, room);
	query_blob(&q, r->a.key, KEY_LEN);
	query_blob(&q, r->a.ex_print, PRINT_LEN);
	query_blob(&q, r->a.td_print, PRINT_LEN);
	query_int(&q, r->a.start);
	query_int(&q, r->a.end);
	query_int(&q, r->a.changed);
	query_int(&q, (int64_t)r->a.group);
	query_int(&q, r->a.gen);
	query_int(&q, r->a.dead);
	query_int(&q, r->a.origin);
	query_int(&q, r->a.await);
	query_int(&q, r->a.was_start);
	query_int(&q, r->a.was_end);
	query_str(&q, r->remote_id);
	query_str(&q, r->number);
	return query_end(&q, e, "keep what was agreed");
}

int
store_agreed_drop(
    struct store *st, int64_t room, const uint8_t key[KEY_LEN], struct err *e)
{
	return drop_key(
	    st, Q_AGREED_DROP, room, key, e, "drop what was agreed");
}

static void
agreed_get(struct query *q, struct agreed_row *r)
{
	memset(r, 0, sizeof(*r));
	query_get_blob(q, r->a.key, KEY_LEN);
	query_get_blob(q, r->a.ex_print, PRINT_LEN);
	query_get_blob(q, r->a.td_print, PRINT_LEN);
	r->a.start = query_get_int(q);
	r->a.end = query_get_int(q);
	r->a.changed = query_get_int(q);
	r->a.group = (uint64_t)query_get_int(q);
	r->a.gen = (uint8_t)query_get_int(q);
	r->a.dead = (uint8_t)query_get_int(q);
	r->a.origin = (uint8_t)query_get_int(q);
	r->a.await = query_get_int(q);
	r->a.was_start = query_get_int(q);
	r->a.was_end = query_get_int(q);
	snprintf(r->remote_id, sizeof(r->remote_id), "%s", query_get_str(q));
	snprintf(r->number, sizeof(r->number), "%s", query_get_str(q));
}

/* What the journal says of a key: r->a.key is set, the rest is filled. */
static void
aim_get(struct query *q, struct agreed *a)
{
	int state = (int)query_get_int(q);

	a->busy = state == ACT_READY || state == ACT_SENT;
	a->waiting = !a->busy;
	a->aim.kind = (uint8_t)query_get_int(q);
	a->aim.change = (uint8_t)query_get_int(q);
	a->aim.gen = (uint8_t)query_get_int(q);
	a->aim.reason = (uint8_t)query_get_int(q);
	a->aim.start = query_get_int(q);
	a->aim.end = query_get_int(q);
	query_get_blob(q, a->aim.print, PRINT_LEN);
	if (a->gen == 0)
		a->group = (uint64_t)query_get_int(q);
}

struct agreed_rows {
	struct agreed_row *p;
	size_t n, cap;
};

static int
agreed_rows_read(
    struct store *st, int64_t room, struct agreed_rows *rows, struct err *e)
{
	struct query q = query_start(st, Q_AGREED_LOAD);

	query_int(&q, room);
	while (query_row(&q)) {
		if (rows_grow((void **)&rows->p, rows->n, &rows->cap,
			sizeof(*rows->p))) {
			query_end(&q, NULL, "");
			return err_set(e, ENOMEM, "no memory for bookings");
		}
		agreed_get(&q, &rows->p[rows->n++]);
	}
	return query_end(&q, e, "read what was agreed");
}

/* Both come in the order of keys: one walk over the two. */
static int
agreed_rows_mark(
    struct store *st, int64_t room, struct agreed_rows *rows, struct err *e)
{
	struct query q = query_start(st, Q_AGREED_ACTS);
	size_t i = 0, n = rows->n;
	struct agreed_row *r;
	uint8_t key[KEY_LEN];

	query_int(&q, room);
	while (query_row(&q)) {
		query_get_blob(&q, key, KEY_LEN);
		while (i < n && memcmp(rows->p[i].a.key, key, KEY_LEN) < 0)
			i++;
		if (i < n && memcmp(rows->p[i].a.key, key, KEY_LEN) == 0) {
			aim_get(&q, &rows->p[i].a);
			continue;
		}
		if (rows_grow((void **)&rows->p, rows->n, &rows->cap,
			sizeof(*rows->p))) {
			query_end(&q, NULL, "");
			return err_set(e, ENOMEM, "no memory for bookings");
		}
		r = &rows->p[rows->n++];
		memset(r, 0, sizeof(*r));
		memcpy(r->a.key, key, KEY_LEN);
		aim_get(&q, &r->a);
	}
	if (query_end(&q, e, "read what is journaled"))
		return -1;
	/* struct agreed stands first in a row. */
	if (rows->n > n)
		qsort(rows->p, rows->n, sizeof(*rows->p), agreed_compare);
	return 0;
}

int
store_agreed_load(struct store *st, int64_t room, struct agreed_row **out,
    size_t *n, struct err *e)
{
	struct agreed_rows rows = {NULL, 0, 0};

	if (agreed_rows_read(st, room, &rows, e) ||
	    agreed_rows_mark(st, room, &rows, e)) {
		free(rows.p);
		return -1;
	}
	for (size_t i = 0; i < rows.n; i++)
		rows.p[i].a.row = (uint32_t)i;
	*out = rows.p;
	*n = rows.n;
	return 0;
}

int
store_agreed_by_remote(struct store *st, const char *remote_id,
    int64_t not_room, int64_t *room, struct agreed_row *out, struct err *e)
{
	struct query q = query_start(st, Q_AGREED_REMOTE);
	struct agreed_row r;
	int64_t id = 0;
	int found;

	query_str(&q, remote_id);
	query_int(&q, not_room);
	if ((found = query_row(&q)) != 0) {
		id = query_get_int(&q);
		agreed_get(&q, &r);
	}
	if (query_end(&q, e, "find what was agreed on a reservation"))
		return -1;
	if (found) {
		*room = id;
		*out = r;
	}
	return found;
}

int
store_agreed_get(struct store *st, int64_t room, const uint8_t key[KEY_LEN],
    struct agreed_row *out, struct err *e)
{
	struct query q = query_start(st, Q_AGREED_GET);
	struct agreed_row r;
	uint8_t same[KEY_LEN];
	int found;

	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	if ((found = query_row(&q)) != 0)
		agreed_get(&q, &r);
	if (query_end(&q, e, "read what was agreed"))
		return -1;
	if (!found)
		return 0;
	q = query_start(st, Q_AGREED_ACT);
	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	if (query_row(&q)) {
		query_get_blob(&q, same, KEY_LEN);
		aim_get(&q, &r.a);
	}
	if (query_end(&q, e, "read what is journaled"))
		return -1;
	*out = r;
	return 1;
}
