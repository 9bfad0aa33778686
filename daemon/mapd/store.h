/*
 * store.h: mapd's state in SQLite: rooms and their cursors, the trees
 * "exchange as seen" and "agreed", the journal of actions, problems.
 *
 * Everything that belongs together is committed together: store_begin() ...
 * store_commit().  WAL, synchronous=FULL: what was committed is there after a
 * crash of the process and of the machine.  The database may be lost at any
 * time: it is rebuilt from the two systems.
 *
 * No subject and no address is stored but in sealed payloads; rooms are known
 * by a hash of mailbox and location.
 */
#ifndef ORB_STORE_H
#define ORB_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/wire.h"
#include "mapd/plan.h"
#include "mapd/seal.h"

struct store;

/*
 * Opens or makes PATH.  A database of a newer schema is refused; one that is
 * damaged (integrity) is moved aside to PATH.damaged-TIME and a new one made,
 * *rebuilt says so.  NULL and err.
 */
struct store *store_open(const char *path, int *rebuilt, struct err *);
void store_close(struct store *);
/*
 * Tells the store its key.  When the database was written with another key its
 * contents are of no use and are dropped (rebuild): *rebuilt.
 */
int store_set_seal(
    struct store *, const struct seal *, int *rebuilt, struct err *);
/* One write transaction; nesting is counted.  All return 0 or -1 and err. */
int store_begin(struct store *, struct err *);
int store_commit(struct store *, struct err *);
void store_rollback(struct store *);

/* A fact that is kept as long as the database: 1 set, 0 not, -1 error. */
int store_meta_is(struct store *, const char *name, struct err *);
int store_meta_set(struct store *, const char *name, struct err *);
int store_meta_drop(struct store *, const char *name, struct err *);
/* All but the rooms and the facts: both systems are to be looked at anew. */
int store_forget(struct store *, struct err *);

/*
 * Tells the store by which interface Exchange is read.  Ids of one mean nothing
 * to another, so when it changed (*changed) what was seen by the old one is
 * dropped, with the cursors and what was journaled with such ids.  What was
 * agreed stays: a booking is known by its uid.
 */
int store_exchange_kind(
    struct store *, const char *kind, int *changed, struct err *);

/* --- rooms ------------------------------------------------------------------- */
struct room_state {
	int64_t id;
	int64_t from, to; /* the window its cursor stands for */
	int64_t based;    /* when that window was made */
	uint8_t *cursor;  /* malloced; NULL: none */
	size_t cursor_len;
};
/* Finds or adds the room; out->cursor is the caller's to free. */
int store_room(struct store *, const char *mailbox, const char *location,
    struct room_state *out, struct err *);
int store_room_cursor(struct store *, const struct room_state *, struct err *);
/* Rooms in the database that are not in ids[]: *n of them (left alone). */
int store_rooms_unknown(
    struct store *, const int64_t *ids, size_t nids, size_t *n, struct err *);

/* --- exchange as seen ----------------------------------------------------------- */
struct seen_row {
	struct seen s;
	char *remote_id,
	    *series_id; /* malloced by load; "" when there is none */
};
int store_seen_put(struct store *, int64_t room, const struct seen *,
    const char *remote_id, const char *series_id, struct err *);
int store_seen_drop(
    struct store *, int64_t room, const uint8_t key[KEY_LEN], struct err *);
/* All of a room, sorted by key; s.row is the index.  Free with seen_rows_free(). */
int store_seen_load(struct store *, int64_t room, struct seen_row **out,
    size_t *n, struct err *);
void seen_rows_free(struct seen_row *, size_t n);
/* Drops what ended before t, and so did what was agreed on it. */
int store_seen_expire(struct store *, int64_t room, int64_t t, struct err *);

/* --- agreed ------------------------------------------------------------------------ */
struct agreed_row {
	struct agreed a;
	char remote_id[64]; /* reservation id */
	char number[64];
};
int store_agreed_put(
    struct store *, int64_t room, const struct agreed_row *, struct err *);
int store_agreed_drop(
    struct store *, int64_t room, const uint8_t key[KEY_LEN], struct err *);
/*
 * Sorted by key; a.busy, a.waiting and a.aim are filled from the journal.  A
 * key with an action but nothing agreed yet gets a row with gen 0.  free().
 */
int store_agreed_load(struct store *, int64_t room, struct agreed_row **out,
    size_t *n, struct err *);
int store_agreed_get(struct store *, int64_t room, const uint8_t key[KEY_LEN],
    struct agreed_row *, struct err *); /* 1 found, 0 not, -1 error */

/*
 * The row of another room than this one that names the reservation, one that
 * is not dead before one that is.  1 found, 0 not, -1 error.
 */
int store_agreed_by_remote(struct store *, const char *remote_id,
    int64_t not_room, int64_t *room, struct agreed_row *, struct err *);

/* --- the journal ----------------------------------------------------------------------- */
enum act_state {
	ACT_READY, /* journaled, not sent since the last look */
	ACT_SENT,  /* may have been sent: look before sending */
	ACT_HELD,  /* waits for orbctl approve */
	ACT_ASIDE, /* failed without effect: tried again at next_try; make
			 * it READY (store_act_update) before it is sent */
};
struct act {
	int64_t id, room;
	struct aim aim; /* see plan_aim() */
	enum act_state state;
	unsigned tries;
	uint8_t key[KEY_LEN];
	int64_t created, next_try;
	uint64_t group;
	char remote_id[64], number[64];
	char reason[200]; /* why it was set aside; no personal data */
};
/*
 * Journals an action with its payload (sealed here; aad is key and kind); sets
 * id.  A key has at most one action: an older one that is READY, ASIDE or HELD
 * is replaced, and passes its tries on to one of the same kind; one that is
 * SENT is not (-1, EBUSY).
 */
int store_act_add(
    struct store *, struct act *, struct wire_bytes payload, struct err *);
int store_act_update(struct store *, const struct act *, struct err *);
/* Settled, or given up. */
int store_act_drop(struct store *, int64_t id, struct err *);
/* PLAN_UNHOLD: drops the action of a key that is HELD or ASIDE. */
int store_act_unhold(
    struct store *, int64_t room, const uint8_t key[KEY_LEN], struct err *);
/* What is set aside is tried without waiting for its pause to end. */
int store_act_hurry(
    struct store *, int64_t room, const uint8_t key[KEY_LEN], struct err *);
int store_act_payload(
    struct store *, const struct act *, struct secret *, struct err *);
/*
 * Up to max actions that may run now, oldest first, with id > after.  free().
 */
int store_act_due(struct store *, int64_t now, int64_t after, size_t max,
    struct act **out, size_t *n, struct err *);
/* The next_try that comes first, 0 when there is none. */
int store_act_next(struct store *, int64_t *when, struct err *);
/*
 * *blocked: the time that a wants is still taken in TOPdesk by a booking whose
 * own action will free it.  It waits for that, or TOPdesk would see a conflict:
 * 2 for a cancellation, and a creation also for a change; 1, a change for a
 * change: of those that wait for each other in a ring, one has to go first.
 * 2 also for a creation while meetings of its room are being made: what it would
 * book may be one of them, which is known only then.
 */
int store_act_blocked(
    struct store *, const struct act *a, int *blocked, struct err *);
/*
 * A meeting of the reservation is being made, or may have been, in another room
 * than this one: 1, 0, or -1 and err.
 */
int store_act_meets(
    struct store *, const char *remote_id, int64_t not_room, struct err *);
/* At start: everything READY becomes SENT (it is not known whether it was). */
int store_act_recover(struct store *, size_t *n, struct err *);
/*
 * A person lets what is HELD through: it becomes ASIDE and due at once, so that
 * the next planning may still drop it when it is no longer wanted.
 */
int store_act_approve(struct store *, size_t *n, struct err *);
/* A person asks for it: what is ASIDE is due at once; n counts it. */
int store_act_wake(struct store *, size_t *n, struct err *);
/* In the order of ids.  fn must not write to the store; not 0 ends the walk. */
int store_act_list(struct store *, int (*fn)(void *, const struct act *),
    void *arg, struct err *);

/* --- problems --------------------------------------------------------------------------- */
struct problem {
	int64_t room, since, next_try;
	uint8_t key[KEY_LEN];
	unsigned tries;
	/*
	 * 0: for as long as plannings find it.  What an action says once is kept
	 * until this time; until its negative, for as long as the booking is
	 * agreed.
	 */
	int64_t kept;
	char text[300];
};
/* Adds or updates by (room, key); *fresh when it was not there with this text. */
int store_problem_put(
    struct store *, const struct problem *, int *fresh, struct err *);
int store_problem_drop(
    struct store *, int64_t room, const uint8_t key[KEY_LEN], struct err *);
/* Those whose time is over. */
int store_problem_expire(struct store *, int64_t now, struct err *);
int store_problem_list(struct store *,
    int (*fn)(void *, const struct problem *), void *arg, struct err *);

/* --- conflicts: store_conflict.c ------------------------------------------------------ */
/* Two bookings that wanted one room and time (PLAN_CLASH). */
struct conflict {
	int64_t room, since, start, end; /* start, end: of the booking */
	uint8_t key[KEY_LEN];
	char number[64]; /* its reservation, "" for none */
	char rival[64];  /* the reservation in its way, or which meeting */
	uint8_t policy;  /* enum plan_conflict */
	uint8_t loser;   /* enum upstream; NONE: nobody, it is reported */
	uint8_t why;     /* enum plan_reason */
	int64_t settled; /* when it ended, 0: it has not */
};
#define HISTORY_KEPT 86400         /* seconds: a problem that is over already */
#define CONFLICT_KEPT (90 * 86400) /* seconds, after it ended */
/*
 * Adds, or updates by (room, key); c->settled is not looked at.  *fresh: it
 * was not there, had ended, or has another rival, loser or reason now: to be
 * said.  since is kept while it is open, and equal contents write nothing, so
 * it may be called in every round.
 */
int store_conflict_put(
    struct store *, const struct conflict *c, int *fresh, struct err *);
/* It ended at when (not 0); nothing when there is none or it had ended. */
int store_conflict_settle(struct store *, int64_t room,
    const uint8_t key[KEY_LEN], int64_t when, struct err *);
/* Those of a room (0: all), the open ones first.  fn must not write to the
 * store; not 0 ends the walk. */
int store_conflict_list(struct store *, int64_t room,
    int (*fn)(void *, const struct conflict *), void *arg, struct err *);
/* At start: those of rooms that are not in ids[] ended at when: nobody looks at
 * them any more. */
int store_conflict_leave(struct store *, const int64_t *ids, size_t nids,
    int64_t when, struct err *);
/* Forgets what ended before that time: now - CONFLICT_KEPT. */
int store_conflict_expire(struct store *, int64_t before, struct err *);

struct store_counts {
	uint32_t bookings, pending, problems, aside;
	uint32_t conflicts; /* open */
	/* Both wait for orbctl approve: cancellations on either side, and
	 * everything else. */
	uint32_t held, held_writes;
};
/* room 0: all. */
int store_counts(
    struct store *, int64_t room, struct store_counts *, struct err *);

#endif
