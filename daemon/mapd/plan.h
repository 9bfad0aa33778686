/*
 * plan.h: what must be done so that both systems say the same about one room.
 *
 * plan_room() is a pure function of three trees (Exchange as seen, TOPdesk as
 * seen, what both agreed on last), the policy and the time.  It does no I/O,
 * keeps nothing, and is the same in the daemon and in the property tests.
 *
 * In this version writes go from Exchange to TOPdesk; a change made in TOPdesk
 * is reported, never undone and never overwritten silently.
 */
#ifndef ORB_PLAN_H
#define ORB_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/messages.h"
#include "mapd/identity.h"

#define PRINT_LEN 16 /* bytes of a fingerprint */

/*
 * A booking as one side shows it.  Instants are seconds UTC, whole minutes.
 *
 * print is a keyed fingerprint (seal_print()) of the text that stands, or
 * should stand, in the reservation: both sides make it of the same parts in
 * the same form, so that equal prints mean equal text.  All zero: unknown.
 */
struct seen {
	uint8_t key[KEY_LEN]; /* topdesk without a link of ours: all zero */
	uint8_t print[PRINT_LEN];
	int64_t start, end;
	int64_t changed; /* topdesk: hash of the change tag, 0 unknown */
	uint64_t group;  /* exchange: hash of the uid: a series is one group */
	uint32_t row;    /* the caller's */
	uint16_t marks;  /* enum mark, lib/marks.h */
	uint8_t state;   /* enum booking_state */
	uint8_t gone;    /* exchange: a GET said that it does not exist */
	uint8_t gen;     /* topdesk: generation of the link */
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

/* What both sides agreed on, the last time they did. */
struct agreed {
	uint8_t key[KEY_LEN];
	uint8_t ex_print[PRINT_LEN], td_print[PRINT_LEN]; /* zero: unknown */
	int64_t start, end;
	int64_t changed; /* topdesk's then, 0 unknown */
	uint64_t group;
	uint32_t row;
	uint8_t
	    gen; /* 0: nothing agreed yet, the row is only busy or waiting */
	uint8_t
	    dead; /* ORB cancelled it: a tombstone until the window has passed */
	uint8_t busy;    /* an action that may be under way: leave alone */
	uint8_t waiting; /* an action that is set aside or held; see aim */
	struct aim aim;
};

enum plan_kind {
	PLAN_CREATE, /* make a reservation */
	PLAN_ADOPT, /* the reservation is there and carries our link: no write */
	PLAN_CHANGE, /* reschedule and/or edit: see change */
	PLAN_CANCEL, /* on positive evidence only */
	PLAN_BURY,   /* it is cancelled on both sides: tombstone, no write */
	PLAN_FORGET, /* drop the agreed row: the window has passed */
	PLAN_UNHOLD, /* what is held or set aside is no longer wanted: drop it */
	PLAN_CONFIRM, /* TOPdesk's list lacks it: GET it; absence is no evidence */
	PLAN_REPORT, /* a person must know: see reason */
};

/* bits of change */
#define CHANGE_TIME 1u
#define CHANGE_TEXT 2u

enum plan_reason {
	REASON_NONE,
	REASON_CANCELLED_IN_TOPDESK,
	REASON_CHANGED_IN_TOPDESK, /* only there: would go to Exchange */
	REASON_CHANGED_ON_BOTH,    /* conflict: Exchange's is written */
	REASON_CONFLICTING,        /* TOPdesk planned it over another */
	REASON_ORPHAN,    /* our link, nothing in Exchange, no evidence */
	REASON_LOCKED,    /* issued, archived: the API will refuse */
	REASON_DUPLICATE, /* two live reservations carry the link */
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
};
#define PLAN_NOROW UINT32_MAX

struct plan_policy {
	int tentative_books; /* a tentative booking takes the room */
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
/* What an action aims at, e being its row of exchange (NULL for CANCEL): for
 * the journal, so that the next planning knows whether it still holds. */
void plan_aim(const struct action *, const struct seen *e, struct aim *);
/*
 * What is agreed after a PLAN_ADOPT: *a is the agreed row (zero when there is
 * none), e and t the two sides.  Where they do not agree, what t shows becomes
 * (or what was agreed stays) the base that the next planning compares with.
 */
void agreed_adopt(struct agreed *a, const struct seen *e, const struct seen *t);
/*
 * What is agreed after a write of aim took effect (CREATE, CHANGE with the bits
 * that were written, CANCEL; BURY needs only kind).  changed is the
 * modificationDate of the answer, 0 when it is not known.
 */
void agreed_settle(struct agreed *a, const struct aim *, int64_t changed);
const char *plan_kind_name(enum plan_kind);
/* What a person should know, and do. */
const char *plan_reason_text(enum plan_reason);

#endif
