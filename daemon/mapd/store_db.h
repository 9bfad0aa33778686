/*
 * store_db.h: what the files of the store share: the handle, the prepared
 * statements, and a cursor over one of them.  Nobody else includes this.
 *
 * Every value goes in by binding.  The text of all statements is in queries.c.
 */
#ifndef ORB_STORE_DB_H
#define ORB_STORE_DB_H

#include <sqlite3.h>

#include "mapd/store.h"

enum query_id {
	Q_BEGIN,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_META_GET,
	Q_META_PUT,
	Q_META_DROP,
	Q_ROOM_GET,
	Q_ROOM_ADD,
	Q_ROOM_CURSOR,
	Q_FORGET_CURSORS,
	Q_FORGET_SEEN,
	Q_FORGET_AGREED,
	Q_FORGET_ACTS,
	Q_FORGET_PROBLEMS,
	Q_FORGET_CONFLICTS,
	Q_ROOM_IDS,
	Q_SERIES_GET,
	Q_SERIES_ADD,
	Q_SERIES_SWEEP,
	Q_SEEN_PUT,
	Q_SEEN_DROP,
	Q_SEEN_LOAD,
	Q_SEEN_EXPIRE,
	Q_AGREED_PUT,
	Q_AGREED_DROP,
	Q_AGREED_LOAD,
	Q_AGREED_GET,
	Q_AGREED_REMOTE,
	Q_AGREED_ACTS,
	Q_AGREED_ACT,
	Q_ACT_CLASH,
	Q_ACT_ADD,
	Q_ACT_UPDATE,
	Q_ACT_DROP,
	Q_ACT_UNHOLD,
	Q_ACT_HURRY,
	Q_ACT_PAYLOAD,
	Q_ACT_DUE,
	Q_ACT_NEXT,
	Q_ACT_BLOCKED,
	Q_ACT_MEETS,
	Q_ACT_MEETING,
	Q_ACT_RECOVER,
	Q_ACT_APPROVE,
	Q_ACT_WAKE,
	Q_ACT_LIST,
	Q_PROBLEM_TEXT,
	Q_PROBLEM_PUT,
	Q_PROBLEM_DROP,
	Q_PROBLEM_LIST,
	Q_PROBLEM_EXPIRE,
	Q_CONFLICT_GET,
	Q_CONFLICT_PUT,
	Q_CONFLICT_SETTLE,
	Q_CONFLICT_SETTLE_ROOM,
	Q_CONFLICT_LIST,
	Q_CONFLICT_EXPIRE,
	Q_COUNT_BOOKINGS,
	Q_COUNT_ACTS,
	Q_COUNT_PROBLEMS,
	Q_COUNT_CONFLICTS,
	Q_MAX
};
extern const char *const query_text[Q_MAX];

struct store {
	sqlite3 *db;
	const struct seal *seal; /* borrowed; NULL before store_set_seal() */
	sqlite3_stmt *kept[Q_MAX];
	int depth;       /* of nested store_begin() */
	int64_t expired; /* rows since series were swept last */
};

/* One run of one statement.  Errors are sticky until query_end(). */
struct query {
	struct store *st;
	sqlite3_stmt *s;
	int at; /* the next parameter, or the next column */
	int rc;
};

/* All at once: a wrong statement shows at start, not when it is needed. */
int query_prepare_all(struct store *, struct err *);
/* Of SQLite's last answer: returns -1, the text says what could not be done. */
int db_err(sqlite3 *, struct err *, const char *what);

struct query query_start(struct store *, enum query_id);
/* Bind the next parameter; the memory must stay until query_end(). */
void query_int(struct query *, int64_t);
void query_blob(struct query *, const void *, size_t);
void query_str(struct query *, const char *); /* NULL: '' */
void query_null(struct query *);
/* 1: a row, whose columns are taken from the first on.  0: no more, or error. */
int query_row(struct query *);
int64_t query_get_int(struct query *);
/* Exactly n bytes into out, else the query fails: the row is not ours. */
void query_get_blob(struct query *, void *out, size_t n);
/* Borrowed until the next row. */
struct wire_bytes query_get_bytes(struct query *);
const char *query_get_str(struct query *);
/* Ends it (running it first when it has no row to give): 0, or -1 and err,
 * which says what could not be done. */
int query_end(struct query *, struct err *, const char *what);
/* Start, bind nothing, run, end. */
int query_run(struct store *, enum query_id, struct err *, const char *what);

/* Doubles *p, an array of cap elements of size bytes, when n has reached cap. */
int rows_grow(void **p, size_t n, size_t *cap, size_t size);

#endif
