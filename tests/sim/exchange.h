/*
 * exchange.h: the Exchange half of the store: mailboxes, meetings and the
 * copies of a meeting that stand in mailboxes.  Every protocol that shows
 * this half (Graph and EWS) reads and changes it through here.
 */
#ifndef ORB_SIM_EXCHANGE_H
#define ORB_SIM_EXCHANGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "map.h"
#include "when.h"

enum pattern {
	DAILY,
	WEEKLY,
	ABSOLUTE_MONTHLY,
	RELATIVE_MONTHLY,
	ABSOLUTE_YEARLY,
	RELATIVE_YEARLY
};
enum range { RANGE_END, RANGE_NUMBERED, RANGE_NONE };
enum response {
	RESPONSE_NONE,
	RESPONSE_ORGANIZER,
	RESPONSE_TENTATIVE,
	RESPONSE_ACCEPTED,
	RESPONSE_DECLINED,
	RESPONSE_WAITING
};
enum attendee_type { ATTENDEE_REQUIRED, ATTENDEE_OPTIONAL, ATTENDEE_RESOURCE };

struct recurrence {
	enum pattern type;
	int interval;
	unsigned int days; /* bit 0 is sunday */
	int first_day;     /* of the week, 0 is sunday */
	int day_of_month;
	int index; /* 0 first .. 4 last */
	int month;
	enum range range;
	int64_t start_day; /* days since 1970 */
	int64_t end_day;
	int count;
};

/* What differs from the pattern at one original start. */
struct change {
	int64_t original;
	int64_t start;
	int64_t end;
	char *subject; /* NULL: the master's */
	int deleted;
	int cancelled;
	int all_day; /* 0: as the series is, 1: yes, 2: no */
	uint64_t seq;
};

struct attendee {
	char *email;
	char *name;
	enum attendee_type type;
	enum response response;
	int64_t answered; /* when, 0: never */
	int told;         /* was sent an invitation */
};

/* What a mailbox did with one occurrence, other than with the series. */
struct reply {
	char *email;
	int64_t original;
	enum response response; /* NONE: the organiser was not told */
	int removed;            /* it left that mailbox's calendar */
};

struct property {
	char *id;
	char *value;
};

/* One copy of a meeting, in one mailbox. */
struct event {
	struct mailbox *mailbox;
	struct meeting *meeting;
	uint32_t serial;
	int64_t start; /* of the first occurrence */
	int64_t end;
	int64_t instance; /* 0, or of which date it is alone (instance.c) */
	const struct zone *zone;
	int all_day;
	int private;
	int cancelled;
	int removed;
	int free; /* showAs free although live */
	enum response response;
	char *subject;
	char *body;
	char *location;         /* as the organiser wrote it, or NULL */
	char *zone_shown;       /* the name to show for its zone, or NULL */
	struct recurrence *rec; /* NULL: single */
	struct change *changes;
	size_t nchanges;
	struct property *props;
	size_t nprops;
	uint64_t born;        /* sequence of its making */
	uint64_t changed;     /* sequence of the last change */
	uint64_t repatterned; /* .. that moved its occurrences */
	int64_t created;
	int64_t modified;
	int64_t accept_at;     /* ms; 0: nothing pending */
	enum response verdict; /* .. what it will answer then */
};

/* What all copies share. */
struct meeting {
	char *uid;
	char *transaction;
	struct event *own;     /* the organiser's copy */
	struct event **copies; /* own among them */
	size_t ncopies;
	struct attendee *attendees;
	size_t nattendees;
	char **dropped; /* were told, are not invited any more */
	size_t ndropped;
	struct reply *replies;
	size_t nreplies;
	uint64_t said;      /* digest of what attendees know */
	int hide_attendees; /* from each other */
	int no_response;    /* responseRequested is false */
};

struct room_policy {
	int add_organizer; /* AddOrganizerToSubject */
	int delete_subject;
	int delete_comments;
	int remove_private;
	int remove_cancelled; /* RemoveCanceledMeetings */
	int allow_conflicts;
	int auto_accept;     /* 0: answers tentatively, without a check */
	int silent;          /* never answers (AutoUpdate) */
	int accept_delay;    /* ms, -1: the store's */
	int booking_window;  /* BookingWindowInDays */
	int enforce_horizon; /* EnforceSchedulingHorizon */
	int max_minutes;     /* MaximumDurationInMinutes, 0: any */
	int max_conflicts;   /* MaximumConflictInstances */
};

struct lineage {
	uint32_t id;
	uint32_t generation;
};

struct mailbox {
	char *email;
	char *name;
	unsigned char mark[96]; /* what its ids carry */
	uint32_t number;
	int is_room;
	int out_of_scope;
	int unknown; /* to EWS's directory: 1, or 2 and the item knows neither */
	struct room_policy policy;
	const struct zone *zone;
	char *location; /* TOPdesk id of the same room */
	struct event **events;
	size_t nevents;
	struct lineage lineages[64];
	uint32_t nlineages;
	unsigned int busy;
	unsigned int busy_peak;
};

struct occurrence {
	int64_t original;
	int64_t start;
	int64_t end;
	const struct change *change;
};

struct occurrences {
	struct occurrence *v;
	size_t n;
	size_t cap;
};

struct exchange {
	struct map mailboxes; /* by address */
	struct mailbox **rooms;
	size_t nrooms;
	uint32_t nmailboxes;
	struct map meetings;     /* by uid */
	struct map transactions; /* transactionId -> meeting */
	struct event **events;   /* by serial, from 1 */
	uint32_t nevents;
	uint64_t seq;
	unsigned char key[16]; /* makes ids and tokens opaque */
	size_t pending;        /* copies with accept_at set */
	int accept_delay;      /* ms */
};

extern struct exchange exchange;

/* exchange.c */
void exchange_start(void);
void exchange_end(void);
struct mailbox *mailbox_find(const char *);
struct mailbox *mailbox_new(const char *, const char *, int);
struct event *event_new(struct mailbox *, struct meeting *);
void event_touch(struct event *, int);
struct change *event_change(struct event *, int64_t, int);
void event_forget_changes(struct event *);
int event_all_day(const struct event *, const struct change *);
void event_property(struct event *, const char *, const char *);
void event_drop(struct event *);
struct meeting *meeting_new(struct mailbox *, const char *);
struct meeting *meeting_find(const char *);
struct attendee *meeting_attendee(struct meeting *, const char *);
struct attendee *meeting_invite(
    struct meeting *, const char *, const char *, enum attendee_type);
void meeting_uninvite(struct meeting *, const char *);
struct event *meeting_copy(const struct meeting *, const struct mailbox *);
struct reply *meeting_reply(struct meeting *, const char *, int64_t, int);
void meeting_forget_replies(struct meeting *, int64_t);
void uid_of_occurrence(const char *, int64_t, char *, size_t);

/* recur.c */
void event_occurrences(
    const struct event *, int64_t, int64_t, struct occurrences *);
int event_has_occurrence(const struct event *, int64_t);
#define RECURRENCE_NUMBERS 11
void recurrence_numbers(const struct recurrence *, int64_t[RECURRENCE_NUMBERS]);
int recurrence_same(const struct recurrence *, const struct recurrence *);
int recurrence_parse(json_t *, struct recurrence **, const char **);
extern const char *const pattern_names[];
extern const char *const range_names[];
extern const char *const weekday_names[];
extern const char *const index_names[];

/* room.c: what a room thinks of an invitation, and what its copy says */
char *room_subject(
    const struct mailbox *, const struct event *, const char *, int);
enum response room_verdict(const struct mailbox *, const struct event *,
    const struct occurrence *, int);
int room_delay(const struct mailbox *);
size_t room_conflicts(const struct mailbox *, const struct event *,
    const struct occurrence *, struct occurrences *);
void room_fill(struct event *, struct event *);

/* booking.c: the one way in which organisers and attendees change things */
#define BOOKING_REPATTERN 0x1    /* times or pattern are new */
#define BOOKING_UNCHECKED 0x2    /* there is no conflict, do not look */
#define BOOKING_UPDATE 0x4       /* tell all attendees, changed or not */
#define BOOKING_CHANGED_ONLY 0x8 /* tell only new and removed attendees */
#define BOOKING_SILENT 0x10      /* tell nobody: no room hears of it */
void booking_deliver(struct meeting *, int);
void booking_cancel(struct meeting *, int);
void booking_respond(struct event *, enum response);
void booking_reply(struct event *, int64_t, enum response, int);
void booking_remove(struct event *, int64_t);
void booking_tick(int64_t);
int booking_move_occurrence(
    struct meeting *, int64_t, int64_t, int64_t, const char *);
int booking_drop_occurrence(struct meeting *, int64_t, int);
int booking_crosses(const struct event *, int64_t, int64_t, int64_t);
size_t booking_exceptions(const struct event *);

/* instance.c: one date of a series in other rooms */
int instance_rooms(struct meeting *, int64_t, struct mailbox *const *, size_t);
void instance_update(struct event *, const struct change *);

/* mail.c: every message Exchange would have sent, counted */
enum mail {
	MAIL_INVITATION,
	MAIL_UPDATE,
	MAIL_CANCELLATION,
	MAIL_RESPONSE,
	MAIL_KINDS
};
void mail_send(enum mail, const char *, const char *, const struct meeting *);
void mail_attendees(enum mail, const struct meeting *);
void mail_reset(void);

#endif
