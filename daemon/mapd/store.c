/*
 * store.c: the database as a whole: opening it, or putting a damaged one aside
 * and beginning anew; transactions; statements; rooms.
 *
 * Opening reads and checks everything and may rename; what comes after uses
 * the database and its -wal only.  The lock is exclusive: with it WAL needs no
 * shared memory file, and a second mapd on the same state cannot start.
 *
 * A lost database is not a catastrophe, since both systems hold the truth; a
 * wrong one would be.  So nothing is repaired: what fails its check is put
 * aside for a person to look at, and the state is read anew.
 *
 * Not here: trees (store_trees.c), journal and problems (store_journal.c), SQL
 * text (queries.c).
 */
#include "mapd/store_db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mapd/schema.h"

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x4f52426d /* "ORBm", for file(1) and for us */
#define CURSOR_MAX 12000

/* Of SQLite's answer.  Its message names tables, never values. */
static int
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

/* --- statements ------------------------------------------------------------ */

/* All at once: a wrong statement shows at start, not when it is needed. */
static int
prepare_all(struct store *st, struct err *e)
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

/* --- opening ---------------------------------------------------------------- */

static const char settings[] =
    /* Before the first access: WAL without a shared memory file. */
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -2048;"
    "PRAGMA foreign_keys = ON;"
    /* What is deleted is overwritten: payloads, ids. */
    "PRAGMA secure_delete = ON;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA wal_autocheckpoint = 1000;"
    "PRAGMA journal_size_limit = 8388608;";

/* The one value of a pragma or count; -1 and err. */
static int
one_value(struct store *st, const char *sql, int64_t *v, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(st->db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW) {
		*v = sqlite3_column_int64(s, 0);
		rc = 0;
	} else {
		db_err(st->db, e, sql);
	}
	sqlite3_finalize(s);
	return rc;
}

static int
exec(struct store *st, const char *sql, struct err *e, const char *what)
{
	if (sqlite3_exec(st->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return db_err(st->db, e, what);
}

static int
schema_make(struct store *st, struct err *e)
{
	char version[96];

	snprintf(version, sizeof(version),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
	    APPLICATION_ID, SCHEMA_VERSION);
	if (exec(st, "BEGIN IMMEDIATE", e, "begin") ||
	    exec(st, schema_sql, e, "make the tables") ||
	    exec(st, version, e, "make the tables"))
		return -1;
	return 0;
}

/* Ours, of this version, or empty. */
static int
schema_check(struct store *st, const char *path, struct err *e)
{
	int64_t version, app, tables;

	if (one_value(st, "PRAGMA user_version", &version, e) ||
	    one_value(st, "PRAGMA application_id", &app, e) ||
	    one_value(st, "SELECT count(*) FROM sqlite_schema", &tables, e))
		return -1;
	if (version == 0 && app == 0 && tables == 0)
		return schema_make(st, e);
	if (app != APPLICATION_ID)
		return err_set(e, EINVAL,
		    "%s is a database, but not orb-mapd's: move it away", path);
	if (version > SCHEMA_VERSION)
		return err_set(e, ENOTSUP,
		    "%s was written by a newer ORB (schema %" PRId64
		    ", this one knows %d): install that version again, or move "
		    "the file away to have it rebuilt",
		    path, version, SCHEMA_VERSION);
	return 0;
}

/* EUCLEAN when SQLite finds anything amiss. */
static int
integrity_check(struct store *st, struct err *e)
{
	const char *answer = NULL;
	sqlite3_stmt *s = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(st->db, "PRAGMA quick_check(1)", -1, &s, NULL) !=
		SQLITE_OK ||
	    sqlite3_step(s) != SQLITE_ROW)
		rc = db_err(st->db, e, "check");
	else if ((answer = (const char *)sqlite3_column_text(s, 0)) == NULL ||
	    strcmp(answer, "ok") != 0)
		rc = err_set(e, EUCLEAN, "state database: %s",
		    answer ? answer : "no answer of the check");
	sqlite3_finalize(s);
	return rc;
}

static struct store *
open_once(const char *path, struct err *e)
{
	struct store *st = calloc(1, sizeof(*st));
	int fd;

	if (st == NULL) {
		err_set(e, ENOMEM, "state database: no memory");
		return NULL;
	}
	/* SQLite would make it readable for others; -wal follows its mode. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		err_sys(e, "state database %s", path);
		free(st);
		return NULL;
	}
	close(fd);
	if (sqlite3_open_v2(path, &st->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK) {
		db_err(st->db, e, "open");
		goto bad;
	}
	sqlite3_busy_timeout(st->db, 2000);
	if (exec(st, settings, e, "open") || schema_check(st, path, e) ||
	    integrity_check(st, e) || prepare_all(st, e) ||
	    query_run(st, Q_SERIES_SWEEP, e, "sweep series"))
		goto bad;
	return st;
bad:
	store_close(st);
	return NULL;
}

/* The -wal belongs to it: alone it would be played into the new one. */
static int
put_aside(const char *path, struct err *e)
{
	static const char *const tails[] = {"-wal", "-journal", ""};
	char from[4096], to[4200];
	long long t = (long long)time(NULL);

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, tails[i]);
		snprintf(
		    to, sizeof(to), "%s.damaged-%lld%s", path, t, tails[i]);
		if (rename(from, to) && errno != ENOENT)
			return err_sys(e, "cannot put %s aside", from);
	}
	return 0;
}

struct store *
store_open(const char *path, int *rebuilt, struct err *e)
{
	struct err why = {0};
	struct store *st;

	*rebuilt = 0;
	if ((st = open_once(path, &why)) == NULL && why.code == EUCLEAN) {
		if (put_aside(path, e))
			return NULL;
		*rebuilt = 1;
		st = open_once(path, &why);
	}
	if (st == NULL && e)
		*e = why;
	return st;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	for (int i = 0; i < Q_MAX; i++)
		sqlite3_finalize(st->kept[i]);
	sqlite3_close(st->db);
	free(st);
}

/* --- key and transactions ------------------------------------------------------ */

static const char forget_all[] =
    "DELETE FROM problem; DELETE FROM act; DELETE FROM agreed;"
    "DELETE FROM seen; DELETE FROM series; DELETE FROM room;"
    "DELETE FROM meta;";

static int
key_change(struct store *st, const uint8_t check[PRINT_LEN], struct err *e)
{
	struct query q;

	if (store_begin(st, e))
		return -1;
	if (exec(st, forget_all, e, "drop what another key wrote"))
		goto bad;
	q = query_start(st, Q_META_PUT);
	query_str(&q, "seal");
	query_blob(&q, check, PRINT_LEN);
	if (query_end(&q, e, "keep the key's check"))
		goto bad;
	return store_commit(st, e);
bad:
	store_rollback(st);
	return -1;
}

int
store_set_seal(
    struct store *st, const struct seal *seal, int *rebuilt, struct err *e)
{
	struct query q = query_start(st, Q_META_GET);
	uint8_t check[PRINT_LEN];
	struct wire_bytes b;
	int found = 0, same = 0;

	seal_check(seal, check);
	query_str(&q, "seal");
	if (query_row(&q)) {
		b = query_get_bytes(&q);
		found = 1;
		same = b.len == PRINT_LEN && memcmp(b.p, check, PRINT_LEN) == 0;
	}
	if (query_end(&q, e, "read the key's check"))
		return -1;
	if (!same && key_change(st, check, e))
		return -1;
	*rebuilt = found && !same;
	st->seal = seal;
	return 0;
}

int
store_begin(struct store *st, struct err *e)
{
	if (st->depth == 0 && query_run(st, Q_BEGIN, e, "begin"))
		return -1;
	st->depth++;
	return 0;
}

int
store_commit(struct store *st, struct err *e)
{
	if (st->depth == 0)
		return err_set(
		    e, EINVAL, "state database: commit without a transaction");
	if (--st->depth > 0)
		return 0;
	if (query_run(st, Q_COMMIT, e, "commit") == 0)
		return 0;
	store_rollback(st);
	return -1;
}

void
store_rollback(struct store *st)
{
	st->depth = 0;
	/* SQLite may have rolled back by itself (disk full, I/O error). */
	if (!sqlite3_get_autocommit(st->db))
		query_run(st, Q_ROLLBACK, NULL, "roll back");
}

/* --- rooms ------------------------------------------------------------------------ */

static struct wire_bytes
cursor_place(int64_t room, uint8_t buf[16])
{
	struct wire_bytes aad = {buf, 16};

	memcpy(buf, "cursor: ", 8);
	for (int i = 0; i < 8; i++)
		buf[8 + i] = (uint8_t)((uint64_t)room >> (56 - 8 * i));
	return aad;
}

/* A cursor that cannot be opened is none: the room is read whole. */
static int
cursor_open(struct store *st, struct wire_bytes sealed, struct room_state *r,
    struct err *e)
{
	struct secret plain;
	uint8_t aad[16];

	if (sealed.len == 0 ||
	    seal_open(st->seal, cursor_place(r->id, aad), sealed, &plain))
		return 0;
	r->cursor = malloc(plain.len ? plain.len : 1);
	if (r->cursor) {
		memcpy(r->cursor, plain.p, plain.len);
		r->cursor_len = plain.len;
	}
	secret_free(&plain);
	return r->cursor ? 0 : err_set(e, ENOMEM, "no memory for a cursor");
}

static int
room_get(struct store *st, const uint8_t hash[PRINT_LEN], struct room_state *r,
    struct err *e)
{
	struct query q = query_start(st, Q_ROOM_GET);
	int rc = 0, found;

	memset(r, 0, sizeof(*r));
	query_blob(&q, hash, PRINT_LEN);
	if ((found = query_row(&q)) != 0) {
		r->id = query_get_int(&q);
		r->from = query_get_int(&q);
		r->to = query_get_int(&q);
		r->based = query_get_int(&q);
		rc = cursor_open(st, query_get_bytes(&q), r, e);
	}
	if (query_end(&q, e, "read a room") || rc) {
		free(r->cursor);
		r->cursor = NULL;
		return -1;
	}
	return found;
}

int
store_room(struct store *st, const char *mailbox, const char *location,
    struct room_state *out, struct err *e)
{
	const char *parts[] = {"room", mailbox, location};
	uint8_t hash[PRINT_LEN];
	struct room_state r;
	struct query q;
	int rc;

	if (st->seal == NULL)
		return err_set(e, EINVAL, "state database: no data key yet");
	seal_print(st->seal, hash, 3, parts);
	if ((rc = room_get(st, hash, &r, e)) == 0) {
		q = query_start(st, Q_ROOM_ADD);
		query_blob(&q, hash, PRINT_LEN);
		if (query_end(&q, e, "add a room"))
			return -1;
		rc = room_get(st, hash, &r, e);
	}
	if (rc < 0)
		return -1;
	*out = r;
	return 0;
}

int
store_room_cursor(struct store *st, const struct room_state *r, struct err *e)
{
	struct wire_bytes plain = {r->cursor, r->cursor_len};
	struct query q;
	struct wire_out sealed;
	uint8_t aad[16];
	int rc = -1;

	wire_out_init(&sealed, CURSOR_MAX + 64);
	if (st->seal == NULL ||
	    (r->cursor &&
		seal_close(
		    st->seal, cursor_place(r->id, aad), plain, &sealed))) {
		err_set(e, EINVAL, "state database: cannot seal a cursor");
		goto out;
	}
	q = query_start(st, Q_ROOM_CURSOR);
	query_int(&q, r->from);
	query_int(&q, r->to);
	query_int(&q, r->based);
	if (r->cursor)
		query_blob(&q, sealed.buf, sealed.len);
	else
		query_null(&q);
	query_int(&q, r->id);
	rc = query_end(&q, e, "keep a cursor");
out:
	wire_out_free(&sealed);
	return rc;
}

int
store_rooms_unknown(
    struct store *st, const int64_t *ids, size_t nids, size_t *n, struct err *e)
{
	struct query q = query_start(st, Q_ROOM_IDS);
	size_t unknown = 0, i;
	int64_t id;

	while (query_row(&q)) {
		id = query_get_int(&q);
		for (i = 0; i < nids && ids[i] != id; i++)
			;
		unknown += i == nids;
	}
	if (query_end(&q, e, "list rooms"))
		return -1;
	*n = unknown;
	return 0;
}
