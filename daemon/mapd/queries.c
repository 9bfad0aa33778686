/*
 * queries.c: every SQL statement that runs after the database is open, in one
 * place to be read.  The schema is schema.sql; what is set once is in store.c.
 */
#include "mapd/store_db.h"

#define ACT_COLUMNS                                                          \
	"id, room, key, state, kind, change, gen, why, start, stop, print, " \
	"tries, "                                                            \
	"created, next_try, grp, remote, number, reason"
#define AGREED_COLUMNS                                                    \
	"key, ex_print, td_print, start, stop, changed, grp, gen, dead, " \
	"origin, await, was_start, was_stop, remote, number"
/* What agreed rows need of the journal. */
#define AIM_COLUMNS \
	"key, state, kind, change, gen, why, start, stop, print, grp"

#define CONFLICT_COLUMNS                                                     \
	"room, key, since, start, stop, number, rival, policy, loser, why, " \
	"settled"

const char *const query_text[Q_MAX] = {
    /* IMMEDIATE: nobody else writes, so it can only fail at once. */
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",

    [Q_META_GET] = "SELECT value FROM meta WHERE name = ?",
    [Q_META_PUT] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",

    [Q_META_DROP] = "DELETE FROM meta WHERE name = ?",
    [Q_ROOM_GET] = "SELECT id, win_from, win_to, based, cursor FROM room"
		   " WHERE hash = ?",
    [Q_ROOM_ADD] = "INSERT INTO room (hash) VALUES (?)",
    [Q_ROOM_CURSOR] = "UPDATE room SET win_from = ?, win_to = ?, based = ?,"
		      " cursor = ? WHERE id = ?",
    [Q_FORGET_CURSORS] = "UPDATE room SET cursor = NULL, based = 0",
    [Q_FORGET_SEEN] = "DELETE FROM seen",
    [Q_FORGET_AGREED] = "DELETE FROM agreed",
    [Q_FORGET_ACTS] = "DELETE FROM act",
    [Q_FORGET_PROBLEMS] = "DELETE FROM problem",
    [Q_FORGET_CONFLICTS] = "DELETE FROM conflict",
    [Q_ROOM_IDS] = "SELECT id FROM room",

    [Q_SERIES_GET] = "SELECT id FROM series WHERE remote = ?",
    [Q_SERIES_ADD] = "INSERT INTO series (remote) VALUES (?)",
    [Q_SERIES_SWEEP] = "DELETE FROM series WHERE id NOT IN"
		       " (SELECT series FROM seen WHERE series NOT NULL)",

    [Q_SEEN_PUT] = "INSERT OR REPLACE INTO seen (room, key, print, start,"
		   " stop, changed, grp, person, marks, state, gone, series,"
		   " remote) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [Q_SEEN_DROP] = "DELETE FROM seen WHERE room = ? AND key = ?",
    [Q_SEEN_LOAD] = "SELECT key, print, start, stop, changed, grp, person,"
		    " marks, state, gone, seen.remote, series.remote FROM seen"
		    " LEFT JOIN series ON series.id = seen.series"
		    " WHERE room = ? ORDER BY key",
    /* A meeting moved into the past is not forgotten before its reservation
     * has followed. */
    [Q_SEEN_EXPIRE] = "DELETE FROM seen WHERE room = ?1 AND stop < ?2"
		      " AND NOT EXISTS (SELECT 1 FROM agreed AS a"
		      " WHERE a.room = seen.room AND a.key = seen.key"
		      " AND a.dead = 0 AND a.stop >= ?2)",

    [Q_AGREED_PUT] = "INSERT OR REPLACE INTO agreed (room, " AGREED_COLUMNS
		     ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		     " ?)",
    [Q_AGREED_DROP] = "DELETE FROM agreed WHERE room = ? AND key = ?",
    [Q_AGREED_LOAD] = "SELECT " AGREED_COLUMNS " FROM agreed"
		      " WHERE room = ? ORDER BY key",
    [Q_AGREED_GET] = "SELECT " AGREED_COLUMNS " FROM agreed"
		     " WHERE room = ? AND key = ?",
    /* The term of the index agreed_remote, word for word. */
    [Q_AGREED_REMOTE] = "SELECT room, " AGREED_COLUMNS " FROM agreed"
			" WHERE remote = ?1 AND remote <> '' AND room <> ?2"
			" ORDER BY dead LIMIT 1",
    [Q_AGREED_ACTS] = "SELECT " AIM_COLUMNS " FROM act"
		      " WHERE room = ? ORDER BY key",
    [Q_AGREED_ACT] = "SELECT " AIM_COLUMNS " FROM act"
		     " WHERE room = ? AND key = ?",

    [Q_ACT_CLASH] = "SELECT id, state, kind, tries FROM act"
		    " WHERE room = ? AND key = ?",
    [Q_ACT_ADD] = "INSERT INTO act (room, key, state, kind, change, gen,"
		  " why, start, stop, print, tries, created, next_try, grp,"
		  " remote, number, reason, payload) VALUES (?, ?, ?, ?, ?, ?,"
		  " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    /* kind stays: the payload is sealed for it. */
    [Q_ACT_UPDATE] = "UPDATE act SET state = ?, change = ?, gen = ?,"
		     " tries = ?, next_try = ?, remote = ?, number = ?,"
		     " reason = ? WHERE id = ?",
    [Q_ACT_DROP] = "DELETE FROM act WHERE id = ?",
    [Q_ACT_UNHOLD] = "DELETE FROM act WHERE room = ? AND key = ?"
		     " AND state IN (2, 3)",
    [Q_ACT_HURRY] = "UPDATE act SET next_try = 0 WHERE room = ? AND key = ?"
		    " AND state = 3",
    [Q_ACT_PAYLOAD] = "SELECT payload FROM act WHERE id = ?",
    /*
	 * Three walks of the index act_due, each in the order of id, merged:
	 * it stops at the limit however many rows wait.
	 */
    [Q_ACT_DUE] = "SELECT " ACT_COLUMNS " FROM act JOIN (SELECT * FROM ("
		  "SELECT id AS due FROM act WHERE state = 0 AND id > ?1"
		  " UNION ALL "
		  "SELECT id FROM act WHERE state = 1 AND id > ?1"
		  " AND next_try <= ?2 UNION ALL "
		  "SELECT id FROM act WHERE state = 3 AND id > ?1"
		  " AND next_try <= ?2 ORDER BY 1 LIMIT ?3)) ON id = due"
		  " ORDER BY id",
    [Q_ACT_NEXT] = "SELECT coalesce(min(next_try), 0) FROM act"
		   " WHERE state IN (1, 3)",
    /* The terms of the index act_frees, word for word: it is nearly empty. */
    [Q_ACT_BLOCKED] = "SELECT max(CASE WHEN c.kind = 3 OR ?2 THEN 2 ELSE 1 END)"
		      " FROM act c JOIN agreed a ON a.room = c.room"
		      " AND a.key = c.key WHERE c.room = ?1"
		      " AND c.kind IN (2, 3) AND c.id <> ?3 AND a.dead = 0"
		      " AND a.start < ?5 AND a.stop > ?4",
    [Q_ACT_MEETS] = "SELECT 1 FROM act WHERE remote = ?1 AND kind = 12"
		    " AND room <> ?2 LIMIT 1",
    [Q_ACT_MEETING] = "SELECT 1 FROM act WHERE room = ?1 AND kind = 12"
		      " AND (state <> 3 OR tries <= 1) LIMIT 1",
    [Q_ACT_RECOVER] = "UPDATE act SET state = 1 WHERE state = 0",
    [Q_ACT_APPROVE] = "UPDATE act SET state = 3, next_try = 0"
		      " WHERE state = 2",
    [Q_ACT_WAKE] = "UPDATE act SET next_try = 0 WHERE state = 3",
    [Q_ACT_LIST] = "SELECT " ACT_COLUMNS " FROM act ORDER BY id",

    [Q_PROBLEM_TEXT] = "SELECT text, since FROM problem"
		       " WHERE room = ? AND key = ?",
    [Q_PROBLEM_PUT] = "INSERT OR REPLACE INTO problem (room, key, since,"
		      " next_try, tries, text, kept)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [Q_PROBLEM_DROP] = "DELETE FROM problem WHERE room = ? AND key = ?",
    [Q_PROBLEM_LIST] = "SELECT room, key, since, next_try, tries, text, kept"
		       " FROM problem ORDER BY room, since",
    [Q_PROBLEM_EXPIRE] = "DELETE FROM problem"
			 " WHERE kept <> 0 AND abs(kept) < ?",

    [Q_CONFLICT_GET] = "SELECT " CONFLICT_COLUMNS " FROM conflict"
		       " WHERE room = ? AND key = ?",
    [Q_CONFLICT_PUT] = "INSERT OR REPLACE INTO conflict (" CONFLICT_COLUMNS
		       ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [Q_CONFLICT_SETTLE] = "UPDATE conflict SET settled = ?"
			  " WHERE room = ? AND key = ? AND settled = 0",
    [Q_CONFLICT_SETTLE_ROOM] = "UPDATE conflict SET settled = ?"
			       " WHERE room = ? AND settled = 0",
    /* What is still open comes first. */
    [Q_CONFLICT_LIST] = "SELECT " CONFLICT_COLUMNS " FROM conflict"
			" WHERE ?1 = 0 OR room = ?1"
			" ORDER BY settled <> 0, room, start, key",
    [Q_CONFLICT_EXPIRE] = "DELETE FROM conflict"
			  " WHERE settled <> 0 AND settled < ?",

    [Q_COUNT_BOOKINGS] = "SELECT count(*) FROM agreed"
			 " WHERE (?1 = 0 OR room = ?1) AND dead = 0",
    [Q_COUNT_ACTS] = "SELECT state, kind, count(*) FROM act"
		     " WHERE ?1 = 0 OR room = ?1 GROUP BY state, kind",
    [Q_COUNT_PROBLEMS] = "SELECT count(*) FROM problem"
			 " WHERE ?1 = 0 OR room = ?1",
    [Q_COUNT_CONFLICTS] = "SELECT count(*) FROM conflict"
			  " WHERE (?1 = 0 OR room = ?1) AND settled = 0",
};
