/*
 * store_query.c: running the statements of queries.c: bind, step, take, end;
 * and what is said when SQLite says no.
 *
 * Every value is bound.  A statement is prepared once and kept; query_end()
 * resets it and forgets what was bound.
 */
#include "mapd/store_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of SQLite's answer.  Its message names tables, never values. */
int
db_err(sqlite3 *db, struct err *e, const char *what)
{
	int rc = sqlite3_errcode(db) & 0xff, code = EIO;
	const char *cure = "";

	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB) {
		code = EUCLEAN;
		cure = "; restart orb-mapd, which puts it aside and reads both "
		       "systems anew";
	} else if (rc == SQLITE_FULL) {
		code = ENOSPC;
		cure = "; make room on the disk";
	} else if (rc == SQLITE_BUSY) {
		code = EBUSY;
		cure = "; is another orb-mapd running?";
	} else if (rc == SQLITE_CANTOPEN || rc == SQLITE_PERM ||
	    rc == SQLITE_READONLY) {
		code = EACCES;
		cure = "; the directory and the file must belong to orb-mapd";
	}
	return err_set(e, code, "state database: %s: %s%s", what,
	    sqlite3_errmsg(db), cure);
}

int
query_prepare_all(struct store *st, struct err *e)
{
	for (int i = 0; i < Q_MAX; i++)
		if (sqlite3_prepare_v3(st->db, query_text[i], -1,
			SQLITE_PREPARE_PERSISTENT, &st->kept[i],
			NULL) != SQLITE_OK ||
		    st->kept[i] == NULL)
			return db_err(st->db, e, "prepare a statement");
	return 0;
}

struct query
query_start(struct store *st, enum query_id id)
{
	struct query q = {st, st->kept[id], 1, SQLITE_OK};

	return q;
}

void
query_int(struct query *q, int64_t v)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_int64(q->s, q->at++, v);
}

void
query_blob(struct query *q, const void *p, size_t len)
{
	/* A NULL pointer would bind NULL. */
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_blob64(
		    q->s, q->at++, p ? p : "", len, SQLITE_STATIC);
}

void
query_str(struct query *q, const char *s)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_text(
		    q->s, q->at++, s ? s : "", -1, SQLITE_STATIC);
}

void
query_null(struct query *q)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_null(q->s, q->at++);
}

int
query_row(struct query *q)
{
	if (q->rc == SQLITE_OK || q->rc == SQLITE_ROW)
		q->rc = sqlite3_step(q->s);
	q->at = 0;
	return q->rc == SQLITE_ROW;
}

int64_t
query_get_int(struct query *q)
{
	return sqlite3_column_int64(q->s, q->at++);
}

struct wire_bytes
query_get_bytes(struct query *q)
{
	struct wire_bytes b;

	b.p = sqlite3_column_blob(q->s, q->at);
	b.len = (size_t)sqlite3_column_bytes(q->s, q->at++);
	return b;
}

void
query_get_blob(struct query *q, void *out, size_t n)
{
	struct wire_bytes b = query_get_bytes(q);

	if (b.len == n)
		memcpy(out, b.p, n);
	else
		q->rc = SQLITE_CORRUPT;
}

const char *
query_get_str(struct query *q)
{
	return (const char *)sqlite3_column_text(q->s, q->at++);
}

int
query_end(struct query *q, struct err *e, const char *what)
{
	int rc = 0;

	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_step(q->s);
	if (q->rc == SQLITE_CORRUPT && sqlite3_errcode(q->st->db) != q->rc)
		rc = err_set(e, EUCLEAN,
		    "state database: %s: a row is not as it was written; stop "
		    "orb-mapd, move the database away and start it",
		    what);
	else if (q->rc != SQLITE_DONE && q->rc != SQLITE_ROW)
		rc = db_err(q->st->db, e, what);
	if (q->s) {
		sqlite3_reset(q->s);
		sqlite3_clear_bindings(q->s);
	}
	return rc;
}

int
query_run(struct store *st, enum query_id id, struct err *e, const char *what)
{
	struct query q = query_start(st, id);

	return query_end(&q, e, what);
}

int
rows_grow(void **p, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 64;
	void *q;

	if (n < *cap)
		return 0;
	if ((q = realloc(*p, more * size)) == NULL)
		return -1;
	*p = q;
	*cap = more;
	return 0;
}
