/*
 * world.h: a room as Exchange shows it and the reservations as TOPdesk keeps
 * them, small and in memory, with the traps that matter to the plan: items that
 * stay when they are cancelled, occurrences that vanish without a word, a
 * branch filter that hides everything, text that is kept differently than it
 * was written, people who change things on the other side.
 *
 * It watches what is written to TOPdesk and says at once what must never
 * happen.  Not here: mapd (model.h), histories (plan_property.c).
 */
#ifndef ORB_PROPERTY_WORLD_H
#define ORB_PROPERTY_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "mapd/plan.h"

#define SINGLES 5
#define SERIES 2
#define OCCURRENCES 3
#define SLOTS (SINGLES + SERIES * OCCURRENCES)
#define RESERVATIONS_MAX 512
#define HOUR 3600
#define DAY 86400
#define WINDOW (8 * DAY) /* how far ORB looks ahead; people book 10 days */

/* One identity in Exchange. */
struct slot {
	uint8_t key[KEY_LEN];
	int series; /* -1: a single meeting */
	int exists;
	uint8_t state; /* enum booking_state */
	int64_t start, end;
	int text;
	int64_t version; /* of the feed */
	/* As mapd was shown it last, and what people did in TOPdesk. */
	int shown_dropped;
	int person_cancelled; /* while it was booked */
};

struct reservation {
	int slot; /* -1: not ours */
	unsigned gen;
	uint8_t state;
	int archived, issued;
	int64_t start, end, changed;
	int text;
	int64_t agreed_start; /* as ORB left it: moved back is not moved */
	int person_moved, person_edited; /* since ORB wrote or agreed */
	int person_cancelled;
	int doubt;      /* ORB's own cancellation may have been done */
	int person_far; /* moved beyond all that ORB looks at */
	int unclear;    /* ORB cannot know whose text it is */
};

enum answer {
	ANSWER_OK,
	ANSWER_LOST,    /* it may have taken effect */
	ANSWER_REFUSED, /* no effect */
};

struct world {
	struct slot slots[SLOTS];
	int64_t series_version[SERIES];
	int64_t version;
	struct reservation res[RESERVATIONS_MAX];
	size_t nres;
	int64_t now, clock; /* clock: TOPdesk's modification dates */
	/* Faults; counted down where they are counts. */
	int hidden;      /* rounds */
	int list_cut;    /* rounds */
	int feed_cut;    /* rounds */
	int refuse;      /* writes */
	int lose;        /* 1 + writes until an answer is lost */
	int lose_effect; /* ... which had its effect */
	/* Accounts. */
	unsigned changes, writes, touched;
	char bad[300]; /* what must never happen, and did */
};

void world_init(struct world *);
int world_text(int text); /* as TOPdesk keeps it */
void print_of(int text, uint8_t print[PRINT_LEN]);
int text_of(const uint8_t print[PRINT_LEN]);
int is_live(const struct reservation *);
int is_dropped_slot(const struct slot *);
struct reservation *live_of(struct world *, int slot);

/* What people do in Exchange and in TOPdesk; impossible things do nothing. */
void people_book(struct world *, int slot, uint32_t how);
void people_tentative(struct world *, int slot, uint32_t how);
void people_accept(struct world *, int slot);
void people_move(struct world *, int slot, uint32_t how);
void people_retitle(struct world *, int slot, uint32_t how);
void people_cancel(struct world *, int slot);
void people_delete(struct world *, int slot);
void topdesk_person_moves(struct world *, int slot, uint32_t how);
void topdesk_person_edits(struct world *, int slot, uint32_t how);
void topdesk_person_cancels(struct world *, int slot);
void topdesk_person_locks(struct world *, int slot, uint32_t how);
void topdesk_person_books(struct world *, uint32_t how);

/* What mapd may ask of TOPdesk.  Reads: NULL is "gone", as a filter makes it. */
struct reservation *topdesk_get(struct world *, int id);
struct reservation *topdesk_find(struct world *, int slot, unsigned gen);
enum answer topdesk_create(
    struct world *, int slot, const struct aim *, int *id);
enum answer topdesk_reschedule(
    struct world *, int id, const struct aim *, int said_conflict);
enum answer topdesk_edit(
    struct world *, int id, const struct aim *, int said_conflict);
enum answer topdesk_cancel(struct world *, int id);

#endif
