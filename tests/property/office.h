/*
 * office.h: Exchange and TOPdesk of a small office, in memory, with the traps
 * that matter to ORB; what people do in both; who is mailed.
 *
 * Exchange: calendars of people, of a service and of rooms; a room has its own
 * copy of what it is invited to and accepts, declines, or says nothing for a
 * while.  TOPdesk: reservations by room and time, links that are set once,
 * conflicts that are refused or planned all the same.
 *
 * It watches what ORB writes and says at once what must never happen (bad).
 * Not here: what the adapters make of it (serve_*.c), mapd (machine.h),
 * histories (story.h).
 */
#ifndef ORB_PROPERTY_OFFICE_H
#define ORB_PROPERTY_OFFICE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/conf.h"
#include "mapd/identity.h"

#define ROOMS 3
#define PEOPLE 3
#define SERVICE PEOPLE
#define ROOM_BOX 10 /* mailbox of room 0 */
#define NOBODY (-1) /* no mailbox, no person */
#define MEETINGS_MAX 256
#define RESERVATIONS_MAX 384
#define OCCURRENCES 3
#define HOUR 3600
#define DAY 86400
#define AHEAD_DAYS 8 /* how far ORB looks; people book ten days */

enum mood {
	MOOD_ANSWERS, /* accepts, or declines what is in the way */
	MOOD_SILENT,
	MOOD_LATE, /* after ten minutes */
	MOODS
};

/* What a room's calendar has of a meeting. */
struct copy {
	int there;
	uint8_t state; /* enum booking_state */
	int declined;
	int64_t start, end;
	int64_t version;    /* of the feed; 0: was never there */
	int64_t answers_at; /* seconds, while it is tentative */
	int shown_dropped;  /* as mapd was shown it last */
	int was_booked;     /* since its times were set */
};

/* One date: a single meeting, or an occurrence. */
struct meeting {
	int uid;          /* of a series, all dates have one */
	int series;       /* -1: none */
	int64_t original; /* start of an occurrence, 0 */
	int owner; /* a mailbox; ROOM_BOX + n: in the room's own calendar */
	int guest; /* who is invited beside the room, or NOBODY */
	int64_t start, end;
	int text, text_by_person;
	int invited[ROOMS];
	int moved, unseen; /* by a person, and not shown to ORB yet */
	int gone;          /* cancelled by its owner, or deleted */
	unsigned changes;  /* its change tag */
	int64_t made;      /* version */
	struct copy copy[ROOMS];
	/* ORB's own. */
	int orb, notice, reservation;
	char transaction[64];
	/* Mails that people got of it because of ORB. */
	unsigned invitations, updates, cancellations, responses;
};

struct reserved {
	int room;
	uint8_t state;
	uint16_t marks;
	int64_t start, end, changed;
	int text;
	int person; /* requester: a mailbox, or NOBODY */
	int linked; /* a link of ORB's */
	uint8_t key[KEY_LEN];
	unsigned gen;
	int orb; /* ORB made it */
	int cancelled_by_person;
	unsigned touched;                    /* changes that people made */
	int moved_by_person, text_by_person; /* since ORB wrote or took it */
	/* As ORB was shown it last; unseen: and a person was there since. */
	int shown_gone, shown_room, unseen;
	int doubt;        /* a cancellation of ORB's without an answer */
	int text_unclear; /* edited while nobody knew */
	int64_t base_start, base_end; /* before a person moved it */
	int twin;    /* 1 + the meeting that is the same booking, by hand */
	int strange; /* the state was lost while its link was another room's */
};

/* A change of a meeting: times unless 0, text unless 0, rooms unless -1. */
struct change {
	int64_t start, end;
	int text, from, to;
};

enum answer {
	ANSWER_OK,
	ANSWER_LOST,    /* it may have had its effect */
	ANSWER_REFUSED, /* and the others: none */
	ANSWER_FAILED,
	ANSWER_BUSY,
};

struct faults {
	int refuse[2], fail[2], busy[2]; /* writes; [0] Exchange, [1] TOPdesk */
	int lose[2];                     /* 1 + writes until one is lost */
	int lose_effect[2];
	int poll[2]; /* polls that fail */
	int cut;     /* lists that are not whole */
	int hidden;  /* minutes in which TOPdesk shows nothing */
	int cursor;  /* a bit for each room: its cursor is lost */
	int64_t stale, stale_until; /* Exchange's feed shows this version yet */
};

struct office {
	struct meeting meeting[MEETINGS_MAX];
	size_t nmeetings;
	struct reserved res[RESERVATIONS_MAX];
	size_t nres;
	enum mood mood[ROOMS];
	int refuses; /* TOPdesk: 400 for what is in the way */
	int removes; /* cancelled meetings leave the room's calendar */
	int64_t version, clock;
	int next_uid;
	int forgot; /* ORB's state was lost, at least once */
	struct faults faults;
	const struct conf *conf;
	int ews; /* which interface */
	/* What ORB knows (machine.c): whether it says that the reservation is
	 * in a conflict, under which key it knows it, and whether it is known
	 * how both sides were, so that a change of one can be told. */
	int (*is_said)(void *, int reservation);
	void (*known_key)(void *, int reservation, uint8_t key[KEY_LEN]);
	int (*is_agreed)(void *, int reservation);
	void *known_arg;
	unsigned writes[2], mails, people; /* accounts */
	char bad[300];
};

void office_init(struct office *, const struct conf *);
int64_t office_now(void);
void office_bad(struct office *, const char *what, int meeting, int res);
/* The state is lost: nobody knows any more which side changed what. */
void office_forget(struct office *);
/* ORB has it with a meeting, and what was agreed on it. */
int office_is_known(const struct office *, int res);
/* Its link is of another room than it is in. */
int office_is_moved(const struct office *, int res);
/* What time brings: rooms answer. */
void office_tick(struct office *);
const char *office_mailbox(int box, char buf[32]);
/* -1: nobody's. */
int office_box(const char *address);
void office_key(const struct office *, int room, const struct meeting *,
    uint8_t key[KEY_LEN]);
void office_uid(int uid, char buf[32]);
/* A text as people write it, and back; TOPdesk keeps some differently. */
void office_text(int text, char buf[40]);
int office_text_of(const char *);
int topdesk_text(int text);
enum answer office_fate(struct office *, int side, int *effect);
int overlap(int64_t start1, int64_t end1, int64_t start2, int64_t end2);
int is_live(const struct reserved *);
/* It takes the room's time. */
int is_on(const struct copy *);
int is_own(const struct meeting *, int room);
/* The live reservation of a room's copy, the meeting of a reservation; -1. */
int reservation_of_copy(const struct office *, int meeting, int room);
int meeting_of_reservation(const struct office *, int res);
/* Somebody else's live booking there: in TOPdesk, in Exchange. */
int rival_reservation(
    const struct office *, int room, int64_t start, int64_t end, int not_res);
int rival_copy(const struct office *, int room, int64_t start, int64_t end,
    int not_meeting);

/* All there is, as comment lines. */
void office_print(const struct office *);

/* office_exchange.c: what a calendar does. */
int meeting_new(struct office *);
void meeting_invite(struct office *, int meeting, int room);
void meeting_uninvite(struct office *, int meeting, int room);
void meeting_changed(struct office *, int meeting, int times);
void meeting_cancel(struct office *, int meeting);

/* office_orb.c: what ORB writes, watched. */
int orb_meets(struct office *, struct meeting *as);
void orb_changes_meeting(struct office *, int meeting, const struct change *);
void orb_cancels_meeting(struct office *, int meeting);
void orb_declines(struct office *, int meeting, int room);
int orb_creates(struct office *, const struct reserved *as);
void orb_reschedules(struct office *, int res, int64_t start, int64_t end);
void orb_edits(struct office *, int res, int text);
void orb_links(
    struct office *, int res, const uint8_t key[KEY_LEN], unsigned gen);
void orb_cancels(struct office *, int res);

/* office_topdesk.c */
int reservation_new(struct office *);
void reservation_changed(struct office *, int res);
/* The state that a booking of that time gets. */
uint8_t reservation_state(
    const struct office *, int room, int64_t start, int64_t end, int self);

/* people.c: impossible things do nothing.  a chooses of what, b how. */
enum deed {
	DEED_MEET,
	DEED_MEET_SERIES,
	DEED_BOOK_ROOM, /* in the room's own calendar */
	DEED_MOVE,
	DEED_RETITLE,
	DEED_SWAP_ROOM,
	DEED_ADD_ROOM,
	DEED_CANCEL,
	DEED_DELETE,
	DEED_RESERVE,
	DEED_MOVE_RESERVATION,
	DEED_RETITLE_RESERVATION,
	DEED_SWAP_RESERVATION,
	DEED_CANCEL_RESERVATION,
	DEED_LOCK,
	DEED_REQUEST,
	DEED_TWICE, /* the same booking by hand on both sides */
	DEED_MOOD
};
void people_do(struct office *, enum deed, uint32_t a, uint32_t b);

#endif
