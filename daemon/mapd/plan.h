/*
 * plan.h: what must be done so that both systems say the same about one room.
 *
 * plan_room() is a pure function of three trees (Exchange as seen, TOPdesk as
 * seen, what both agreed on last), the policy and the time.  It does no I/O,
 * keeps nothing, and is the same in the daemon and in the property tests.
 *
 * plan_room.c walks the trees; plan.c judges each key by itself, with the rules
 * for what TOPdesk changed in plan_exchange.c; plan_clash.c, plan_pair.c and
 * plan_overlap.c say what bookings that are on one side only have to do with
 * one another: the same booking made twice by hand, or two that want one room.
 */
#ifndef ORB_PLAN_H
#define ORB_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/messages.h"
#include "mapd/identity.h"

#define PRINT_LEN 16 /* bytes of a fingerprint */

/* Whose external link a reservation carries. */
enum link {
	LINK_NONE,
	LINK_OURS,   /* ORB's, of this key */
	LINK_OTHER,  /* ORB's, of another booking: it was in another room */
	LINK_FOREIGN /* another integration's: ORB cannot set its own */
};

/*
 * A booking as one side shows it.  Instants are seconds UTC, whole minutes.
 *
 * The key of a reservation: that of the agreed row that names its id; else that
 * of ORB's link, when it is of this room; else a provisional one, made of the
 * room and the reservation's id (identity_provisional()), under which nothing
 * of Exchange can stand.
 *
 * print is a keyed fingerprint (seal_print()) of the text that stands, or
 * should stand, in the reservation: both sides make it of the same parts in
 * the same form, so that equal prints mean equal text.  All zero: unknown.
 */
struct seen {
	uint8_t key[KEY_LEN];
	uint8_t print[PRINT_LEN];
	int64_t start, end;
	int64_t block_start, block_end; /* topdesk: nobody else may have it */
	int64_t changed; /* topdesk: hash of the change tag, 0 unknown */
	uint64_t group;  /* exchange: hash of the uid: a series is one group */
	uint64_t person; /* hash of the organiser's address, 0 unknown */
	uint32_t row;    /* the caller's */
	uint16_t marks;  /* enum mark, lib/marks.h */
	uint8_t state;   /* enum booking_state */
	uint8_t gone;    /* exchange: a GET said that it does not exist */
	uint8_t gen;     /* topdesk: generation of the link */
	uint8_t link;    /* topdesk: enum link */
	uint8_t provisional; /* topdesk: so is its key */
	uint8_t elsewhere; /* topdesk: it is in another room, enum elsewhere */
	uint8_t arriving;  /* topdesk: its meeting is in another room yet */
};

/* A reservation's room, when it is not the one that is planned. */
enum elsewhere {
	ELSEWHERE_NOT,
	ELSEWHERE_KNOWN,  /* a configured one */
	ELSEWHERE_UNKNOWN /* one that ORB has no mailbox for */
};

/* What a journaled action would bring about. */
struct aim {
	int64_t start, end;
	uint8_t print[PRINT_LEN];
	uint8_t kind;   /* enum plan_kind */
	uint8_t change; /* bits */
	uint8_t gen;    /* of the reservation's link */
	uint8_t reason; /* enum plan_reason: a conflict must be said */
};

/* On which side a booking was made first. */
enum origin { ORIGIN_EXCHANGE, ORIGIN_TOPDESK };

/* Why a key of which nothing is agreed any more is remembered. */
enum dead {
	DEAD_NOT,
	DEAD_CANCELLED, /* ORB cancelled the reservation, or both sides did */
	DEAD_RELEASED,  /* ORB took the meeting out of the room */
	DEAD_TOLD,      /* provisional key: its requester was told (NOTICE) */
	DEAD_MOVED      /* its reservation went to another room; with await: the
		      meeting was taken out of this one, as released */
};

/* What both sides agreed on, the last time they did. */
struct agreed {
	uint8_t key[KEY_LEN];
	uint8_t ex_print[PRINT_LEN], td_print[PRINT_LEN]; /* zero: unknown */
	int64_t start, end;
	int64_t changed; /* topdesk's then, 0 unknown */
	/*
	 * When ORB wrote to Exchange what Exchange has not shown yet, 0: nothing.
	 * was_start and was_end are what it shows until then (a change).
	 */
	int64_t await, was_start, was_end;
	uint64_t group;
	uint32_t row;
	/* 0: nothing agreed yet, the row is only busy, waiting, or dead */
	uint8_t gen;
	uint8_t dead;   /* enum dead: a tombstone until the window has passed */
	uint8_t origin; /* enum origin */
	uint8_t busy;   /* an action that may be under way: leave alone */
	uint8_t waiting; /* an action that is set aside or held; see aim */
	struct aim aim;  /* of what is busy or waiting */
};

enum plan_kind {
	/* Writes to TOPdesk. */
	PLAN_CREATE, /* make a reservation */
	PLAN_ADOPT, /* the reservation is there and carries our link: no write */
	PLAN_CHANGE, /* reschedule and/or edit: see change */
	PLAN_CANCEL, /* on positive evidence only */
	PLAN_BURY,   /* it is cancelled on both sides: tombstone, no write */
	PLAN_FORGET, /* drop the agreed row: the window has passed */
	PLAN_UNHOLD, /* what is held or set aside is no longer wanted: drop it */
	PLAN_CONFIRM, /* TOPdesk's list lacks it: GET it; absence is no evidence */
	PLAN_REPORT, /* a person must know: see reason */
	/* Both directions. */
	PLAN_PAIR, /* one booking, made by hand on both sides: agreed from now,
		       under the meeting's key; no write */
	PLAN_LINK, /* write ORB's link into a reservation that has none */
	PLAN_CLASH, /* two bookings want the room: a record; no write by itself */
	/* Writes to Exchange. */
	PLAN_MEET,           /* make the meeting of a reservation */
	PLAN_MEETING_CHANGE, /* times and/or subject: see change */
	PLAN_MEETING_SWAP,   /* the reservation is in another room now */
	PLAN_MEETING_CANCEL, /* the meeting leaves the room */
	PLAN_NOTICE, /* tell a requester that the reservation lost its room */
	PLAN_ASK,    /* read what the room answered; no write */
	/* To TOPdesk again; last, since the database keeps these numbers. */
	PLAN_AGAIN /* reschedule a conflicting reservation to its own times:
		       what was in its way has gone */
};

/* bits of change */
#define CHANGE_TIME 1u
#define CHANGE_TEXT 2u

enum plan_reason {
	REASON_NONE,
	REASON_CANCELLED_IN_TOPDESK,
	REASON_CHANGED_IN_TOPDESK, /* only there, and ORB may not follow */
	REASON_CHANGED_ON_BOTH,    /* conflict: one side's is written */
	REASON_CONFLICTING,        /* TOPdesk planned it over another */
	REASON_ORPHAN,          /* our link, nothing in Exchange, no evidence */
	REASON_LOCKED,          /* issued, archived: the API will refuse */
	REASON_DUPLICATE,       /* two live reservations carry the link */
	REASON_ONLY_IN_TOPDESK, /* would go to Exchange, but policy.direction */
	REASON_DOUBTFUL,        /* the same booking on both sides, or two? */
	REASON_BLOCK,           /* only TOPdesk's block time is in the way */
	REASON_LOST,            /* another booking has the room, by policy */
	REASON_DECLINED,        /* the room declined ORB's invitation */
	REASON_NO_ANSWER,       /* the room has not answered it */
	REASON_STILL_THERE,  /* the meeting was released, but the room has it */
	REASON_MOVED_ROOM,   /* the reservation went to another room */
	REASON_RETIRED,      /* the room is being taken out of ORB */
	REASON_SEVERAL_ROOMS /* its meeting here is over; it has others */
};

struct action {
	enum plan_kind kind;
	enum plan_reason reason;
	unsigned change;
	uint8_t key[KEY_LEN];
	uint8_t gen; /* CREATE: of the link to write */
	uint64_t group;
	/* Rows of the three inputs, or PLAN_NOROW. */
	uint32_t exchange, topdesk, agreed;
	/* CLASH: the row of topdesk or exchange that is in the way, or
	 * PLAN_NOROW, and who loses. */
	uint32_t rival_topdesk, rival_exchange;
	uint8_t loser; /* enum upstream; NONE: nobody, it is only reported */
};
#define PLAN_NOROW UINT32_MAX

enum plan_conflict { CONFLICT_FIRST, CONFLICT_EXCHANGE, CONFLICT_TOPDESK };

struct plan_policy {
	int tentative_books;         /* a tentative booking takes the room */
	int to_topdesk, to_exchange; /* which way may be written */
	/* Meetings that people made can be changed (book_as = organiser);
	 * else only those of ORB's and of the room's own calendar. */
	int organiser_writable;
	int invites; /* the room is invited, so it answers (not book_as = room) */
	int retire;
	enum plan_conflict conflict;
	int64_t answer_seconds; /* until no answer is a problem */
};

struct plan_input {
	/* Each sorted by key; topdesk may hold a key more than once. */
	const struct seen *exchange, *topdesk;
	const struct agreed *agreed;
	size_t nexchange, ntopdesk, nagreed;
	struct plan_policy policy;
	int64_t now, from, to; /* the window that topdesk's list covers */
};

struct plan_output {
	struct action *actions;
	size_t n, cap;
};

/* Orders by key, for qsort. */
int seen_compare(const void *, const void *);
int agreed_compare(const void *, const void *);
/*
 * Appends to out (which the caller zeroes first and frees with plan_free()).
 * 0, or -1 when there is no memory.  The same input gives the same output, in
 * the order of keys.
 */
int plan_room(const struct plan_input *, struct plan_output *out);
void plan_free(struct plan_output *);
/*
 * How many cancellations count for mass_cancel_limit: those of one group (one
 * series) count once.
 */
size_t plan_cancellations(const struct plan_output *, size_t nrooms);
/* What an action aims at, e and t being its rows (or NULL): for the journal, so
 * that the next planning knows whether it still holds.  A write to Exchange aims
 * at what t shows, one to TOPdesk at what e shows. */
void plan_aim(const struct action *, const struct seen *e, const struct seen *t,
    struct aim *);
/* Is it a write, and to which side?  UPSTREAM_NONE: to neither. */
enum upstream plan_writes(enum plan_kind);
/*
 * What is agreed after a PLAN_ADOPT: *a is the agreed row (zero when there is
 * none), e and t the two sides.  Where they do not agree, what t shows becomes
 * (or what was agreed stays) the base that the next planning compares with.
 */
void agreed_adopt(struct agreed *a, const struct seen *e, const struct seen *t);
/* What is agreed after a PLAN_PAIR: as an adoption, made in Exchange first. */
void agreed_pair(struct agreed *a, const struct seen *e, const struct seen *t);
/*
 * What is agreed after a write of aim took effect (CREATE, CHANGE and
 * MEETING_CHANGE with the bits that were written, and the others; BURY needs
 * only kind).  changed is the modificationDate of TOPdesk's answer, 0 when it is
 * not known; now starts the wait for Exchange to show it.
 */
void agreed_settle(
    struct agreed *a, const struct aim *, int64_t changed, int64_t now);
const char *plan_kind_name(enum plan_kind);
/* What a person should know, and do. */
const char *plan_reason_text(enum plan_reason);

#endif
