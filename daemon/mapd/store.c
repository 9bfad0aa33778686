/*
 * store.c: the database as a whole: opening it, or putting a damaged one aside
 * and beginning anew; its key; transactions.
 *
 * Opening reads and checks everything and may rename; what comes after uses
 * the database and its -wal only.  The lock is exclusive: with it WAL needs no
 * shared memory file, and a second mapd on the same state cannot start.
 *
 * A lost database is not a catastrophe, since both systems hold the truth; a
 * wrong one would be.  So nothing is repaired: what fails its check is put
 * aside for a person to look at, and the state is read anew.
 *
 * Not here: rooms (store_rooms.c), trees (store_trees.c), journal and problems
 * (store_journal.c), SQL text (queries.c) and how it is run (store_query.c).
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

#define SCHEMA_VERSION 2
#define APPLICATION_ID 0x4f52426d /* "ORBm", for file(1) and for us */

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

/* From the version before: what is new has a default that fits what is there. */
static const char upgrade_1_2[] =
    "ALTER TABLE seen ADD COLUMN person INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE agreed ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE agreed ADD COLUMN await INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE agreed ADD COLUMN was_start INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE agreed ADD COLUMN was_stop INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX agreed_remote ON agreed (remote) WHERE remote <> '';"
    "CREATE TABLE conflict (room INTEGER NOT NULL, key BLOB NOT NULL,"
    " since INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,"
    " number TEXT NOT NULL, rival TEXT NOT NULL, policy INTEGER NOT NULL,"
    " loser INTEGER NOT NULL, why INTEGER NOT NULL, settled INTEGER NOT NULL,"
    " PRIMARY KEY (room, key)) WITHOUT ROWID;"
    "ALTER TABLE problem ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX act_meets ON act (remote) WHERE kind = 12;"
    "CREATE INDEX act_meeting ON act (room) WHERE kind = 12;"
    "PRAGMA user_version = 2; COMMIT;";

static int
schema_upgrade(struct store *st, struct err *e)
{
	if (exec(st, "BEGIN IMMEDIATE", e, "begin") == 0 &&
	    exec(st, upgrade_1_2, e, "bring the tables up to date") == 0)
		return 0;
	sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* Ours, of this version or the one before, or empty. */
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
	return version < SCHEMA_VERSION ? schema_upgrade(st, e) : 0;
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
	    integrity_check(st, e) || query_prepare_all(st, e) ||
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
store_meta_is(struct store *st, const char *name, struct err *e)
{
	struct query q = query_start(st, Q_META_GET);
	int found;

	query_str(&q, name);
	found = query_row(&q);
	return query_end(&q, e, "read a fact") ? -1 : found;
}

int
store_meta_set(struct store *st, const char *name, struct err *e)
{
	struct query q = query_start(st, Q_META_PUT);

	query_str(&q, name);
	query_blob(&q, "1", 1);
	return query_end(&q, e, "keep a fact");
}

int
store_meta_drop(struct store *st, const char *name, struct err *e)
{
	struct query q = query_start(st, Q_META_DROP);

	query_str(&q, name);
	return query_end(&q, e, "drop a fact");
}

/* 13 to 15: PLAN_MEETING_CHANGE, _SWAP, _CANCEL. */
static const char forget_sightings[] =
    "DELETE FROM seen; DELETE FROM series; UPDATE room SET cursor = NULL;"
    "DELETE FROM act WHERE kind IN (13, 14, 15);"
    "DELETE FROM meta WHERE name LIKE 'kind %';";
_Static_assert(PLAN_MEETING_CHANGE == 13 && PLAN_MEETING_CANCEL == 15,
    "forget_sightings names them");

int
store_exchange_kind(
    struct store *st, const char *kind, int *changed, struct err *e)
{
	char name[40];
	int same;

	snprintf(name, sizeof(name), "kind %s", kind);
	*changed = 0;
	if ((same = store_meta_is(st, name, e)) != 0)
		return same < 0 ? -1 : 0;
	if (store_begin(st, e))
		return -1;
	/* A new database, or one of the version before: nothing is lost, since
	 * all that is dropped is read again. */
	*changed = 1;
	if (exec(st, forget_sightings, e, "drop what was seen") ||
	    store_meta_set(st, name, e)) {
		store_rollback(st);
		return -1;
	}
	return store_commit(st, e);
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
