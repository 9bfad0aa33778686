/*
 * mapd.h: the state of the mapd process, shared by its files.
 *
 *   main.c     table of contents: start, lock down, serve, stop
 *   peers.c    the connections to keyd, ledgerd and the two adapters
 *   round.c    a round: when, and over which time
 *   visit.c, visit_read.c  one room of it: ask both sides, collect
 *   observe.c  from a booking as sent to a booking as seen
 *   settle.c, settle_missing.c, settle_commit.c,
 *   settle_over.c, settle_hurry.c, settle_round.c
 *              plan a room, commit tree, cursor and actions together
 *   execute.c, execute_pull.c, execute_look.c
 *              journaled actions, in chunks: look, announce, write, settle
 *   confirm.c  reservations that TOPdesk's list does not show any more
 *   trees.c    which booking each reservation belongs to
 *   act.c, act_settle.c  one action: what is sent for it, what its answer means
 *   act_exchange.c, act_exchange_find.c  the same for actions on Exchange
 *   persons.c  organiser to person
 *   evidence.c the records for ledgerd
 *   control.c, control_list.c  what orbctl asks
 */
#ifndef ORB_MAPD_H
#define ORB_MAPD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/edge.h"
#include "lib/err.h"
#include "lib/events.h"
#include "lib/loop.h"
#include "lib/notify.h"
#include "mapd/plan.h"
#include "mapd/seal.h"
#include "mapd/store.h"

struct mapd;

/* --- peers.c ------------------------------------------------------------------ */
struct peer {
	struct mapd *m;
	enum role role;
	enum upstream upstream;
	struct chan *chan; /* NULL while not connected */
	int64_t pause;     /* ms before the next attempt */
	unsigned timer;
	uint8_t flush;
	uint8_t state; /* 0 unknown, 1 ok, 2 waiting, 3 failing */
	char text[200];
};
void peers_start(struct mapd *);
void peers_stop(struct mapd *);
/* What the last answers of an upstream say about it, for status. */
void peer_state(struct peer *, int state, const char *text);
/* The adapter shall send what it has gathered, before the loop waits again. */
void peer_flush(struct peer *);
void peers_idle(struct mapd *);

/* --- observe.c ------------------------------------------------------------------ */
/* An Exchange booking with its contents, from a poll until it is committed. */
struct content {
	struct seen s;
	uint32_t attendees;
	/* uid: Exchange's, to find the meeting in another mailbox. */
	char *remote_id, *series_id, *subject, *organiser, *body, *uid;
	int64_t original_start;
	char strings[];
};
/* A TOPdesk reservation of the room, as the last complete list shows it. */
struct reservation {
	struct seen s;
	char id[48], number[32];
};
/*
 * A reservation that a room's agreed row names, seen in another room: it was
 * moved there in TOPdesk.  Kept with the room it came from.
 */
struct stray {
	struct reservation r;
	size_t to; /* index of the room it is in, nrooms: none of ORB's */
};
/* Keyed hash of an address, the same on both sides; 0 for none. */
uint64_t person_hash(const struct mapd *, const char *address);
/* NULL: no memory, or a booking that cannot be used (*why). */
struct content *content_of(
    struct mapd *, size_t room, const struct booking *, const char **why);
/* -1: not usable. */
int reservation_of(
    struct mapd *, size_t room, const struct booking *, struct reservation *);
/* What TOPdesk's brief description shall be, by the policy on subjects: at most
 * 100 characters. */
#define BRIEF_MAX 401
void brief_of(
    const struct mapd *, const struct content *, char brief[BRIEF_MAX]);
/* Fingerprint of a brief description: of what it is, and of what it shall be. */
void brief_print(
    const struct mapd *, const char *brief, uint8_t out[PRINT_LEN]);
/*
 * The payload of an action: the change tag (hash) of the reservation that the
 * plan was made on, and what of the contents it needs (none for a
 * cancellation: NULL).
 */
int payload_put(struct wire_out *, int64_t base, const struct content *);
/* Decodes; *c is freed with free().  0, or -1. */
int payload_get(struct wire_bytes, int64_t *base, struct content **c);

/* --- rooms and rounds: round.c, visit*.c, settle*.c ------------------------------------------- */
struct room {
	const struct conf_room *conf;
	struct room_state st;
	int64_t exchange_at, topdesk_at; /* last good read, seconds */
	char text[200];                  /* what is wrong with it, or "" */
	/* Why it could not be read, how many times in a row, since when;
	 * text is made anew in each round. */
	char trouble[200];
	uint32_t trouble_rounds;
	int64_t trouble_since;
	uint64_t digest; /* of the reservations last planned with */
	int digest_known;
	int dirty;        /* plan it even if nothing changed */
	int cursor_moved; /* st.cursor is newer than the database's */
	uint32_t bookings;
	struct stray *strays;
	size_t nstrays;

	/* The visit of the round that is under way. */
	struct visit *visit;
};

/*
 * What an adapter may make mapd keep: sightings of a room in one round, and
 * bytes of them in all rooms together.  180 days of quarters of an hour in
 * office hours are 5,200.
 */
#define VISIT_MOST 10000
#define ROUND_BYTES (96u << 20)

struct visit {
	struct mapd *m;
	size_t room;
	int64_t sent; /* ms: when TOPdesk was asked */
	int ex_done, ex_ok, ex_full;
	int td_done, td_ok;
	unsigned reads; /* ADAPTER_GET and _EXPAND under way */
	int reads_failed;
	unsigned unread;        /* items of Exchange that nobody can read */
	char unread_text[250];  /* why: of the first */
	unsigned sightings;     /* taken from both adapters: see VISIT_MOST */
	int ex_flood, td_flood; /* more came than is taken */
	int planned;            /* contents of planned actions are being got */
	struct content **in;    /* from the poll, in order of arrival */
	size_t nin, capin;
	char **series; /* masters seen, to be expanded */
	size_t nseries;
	char **shown; /* masters whose occurrences are all in the answer */
	size_t nshown;
	char **removed; /* remote ids said to be removed */
	size_t nremoved;
	uint8_t *cursor;
	size_t cursor_len;
	struct reservation *td;
	size_t ntd, captd;
	size_t nlisted; /* of td: those of the list; strays follow */
	/* Loaded when the Exchange side is complete. */
	struct seen_row *rows;
	size_t nrows;
	struct agreed_row *agreed;
	size_t nagreed;
	struct seen *seen, *tseen;
	struct agreed *aseen;
	struct plan_output plan;
	size_t nseen;   /* entries of seen */
	size_t ntseen;  /* of tseen */
	size_t npolled; /* of in: those of the poll, not of later reads */
	int changed;    /* the Exchange tree changed */
	int td_news;    /* TOPdesk's list is another than the last one */
};

struct round {
	int active, dry;
	int64_t started;  /* ms */
	int64_t from, to; /* TOPdesk's window, seconds */
	size_t left;      /* visits not over */
	size_t failed;
	unsigned failures; /* rounds in a row, at most 5 */
	uint32_t planned;  /* actions */
	size_t bytes;      /* of what the adapters sent */
	unsigned timer;    /* the next round */
	uint64_t count;
	int64_t last_done; /* seconds */
	int again;         /* asked for while one was under way */
};

void round_start(struct mapd *);
/* Starts a round now, or as soon as the one under way is over. */
void round_now(struct mapd *);
void round_stop(struct mapd *);
/* At the end: visits that were cut short, rooms. */
void rounds_free(struct mapd *);
/* trees.c: v->tseen, and the keys of v->td; after v->seen and v->aseen. */
int trees_topdesk(struct visit *, struct err *);
/* The room's next planning sees that t is in another room; -1: no memory. */
int stray_add(struct mapd *, size_t home, const uint8_t key[KEY_LEN],
    const struct reservation *t, size_t to);
/* confirm.c: reads, by their numbers, the reservations of the visit's plan that
 * TOPdesk's list lacks. */
void confirm_ask(struct visit *);
/* A row of home was settled, perhaps for the last time: the room in which its
 * reservation stands now is planned anew, with nothing new in its list. */
void trees_released(
    struct mapd *, const struct room *home, const uint8_t key[KEY_LEN]);
/* Called by settle.c when a visit is over. */
void visit_over(struct visit *);
void visit_add(struct visit *, struct content *);
/* Reads one object of Exchange again; the answer goes into v->in.  With
 * suspect, "gone" is the evidence that it does not exist any more. */
int visit_get(struct visit *, const char *remote_id, int suspect);
/* Reads the occurrences of a series over the room's window. */
int visit_expand(struct visit *, const char *series_id);

/* Both sides of the room are read: plan, get contents, commit. */
void settle_visit(struct visit *);
/* Applies v->in to the rows; finds what has to be confirmed by a GET. */
int settle_observe(struct visit *);
/* The series was expanded: who is missing in it is suspect. */
void settle_expanded(struct visit *, const char *series_id);
void settle_contents_done(struct visit *);
/* The end of a round: cursors are kept, cancellations go or are held. */
void settle_round(struct mapd *);

/* --- execute*.c, act*.c ----------------------------------------------------------------- */
enum job_stage { JOB_PERSON, JOB_LOOK, JOB_ANNOUNCE, JOB_WRITE, JOB_OVER };

struct job {
	struct mapd *m;
	struct act act;
	size_t room;             /* index in m->rooms */
	struct content *content; /* NULL for a cancellation */
	struct agreed_row agreed;
	int has_agreed;
	enum job_stage stage;
	unsigned todo; /* CHANGE_ bits still to write */
	int adopted;   /* it was there already: nothing was written */
	int as_found;  /* and is agreed on as it is: */
	struct seen as;
	int64_t base; /* change tag the plan was made on, 0 unknown */
	int fallback; /* the organiser is not a person in TOPdesk */
	char person[64];
	char brief[BRIEF_MAX];
	/* Actions on Exchange: what TOPdesk says of the reservation ... */
	char organiser[255], subject[1021];
	size_t to; /* room that it is in, m->nrooms: none of ours */
	int moved; /* it is not any more what the plan was made on */
	int has_print;
	uint8_t print[PRINT_LEN]; /* of its text now */
	/* ... and where the meeting was found. */
	char meeting[513], meeting_tag[257], uid[513];
	uint16_t found_marks;
	uint8_t met_key[KEY_LEN]; /* MEET, settled: what it is from now on */
	/* What the answer said. */
	uint16_t outcome, status;
	uint8_t state;
	uint32_t retry_after;
	char remote_id[64], number[64], request_id[64], text[300];
	int64_t changed;
	struct job *next;
};

struct jobs {
	struct job *head, **tail;
	size_t n;
};

struct executor {
	struct jobs person, look, announce, write, over;
	size_t alive;  /* jobs in memory */
	int64_t after; /* id of the last act pulled */
	unsigned timer, settle_timer;
	size_t announcing, looking; /* requests under way */
	int pull, settle_due;       /* for the next execute_idle() */
	uint64_t done, failed;
};
/* Something may be due. */
void execute_wake(struct mapd *);
/* Before the loop waits: sends what has gathered in the queues. */
void execute_idle(struct mapd *);
void execute_stop(struct mapd *);
void jobs_add(struct jobs *, struct job *);
struct job *jobs_take(struct jobs *);
/* Moves a job on; called when what it waited for is there. */
void job_next(struct job *, enum job_stage);
/* Sends what the job's action is made of; -1: the adapter is not there. */
int act_send(struct job *);
/* A creation whose meeting turned out to be a reservation's already. */
int job_is_paired(const struct job *);
/* What a read of its reservation says: write, nothing to do, or plan anew. */
void act_looked(struct job *, const struct reservation *);
/* act_settle.c */
/* A problem about the job's reservation; kept as struct problem says.  0, or -1. */
int job_problem(struct job *, const uint8_t key[KEY_LEN], int64_t kept,
    const char *text, struct err *);
/* Within a transaction: what the outcome means for the state. */
int act_settle(struct job *, struct err *);
/* act_exchange.c: is it carried out there?  ASK only reads. */
int act_on_exchange(enum plan_kind);
/* The same as above for actions on Exchange; r may be NULL. */
void act_exchange_looked(struct job *, const struct reservation *r);
void act_exchange_find(struct job *);
int act_exchange_send(struct job *);
/* What is agreed now; the rest of settling is act_settle.c's. */
int act_exchange_settled(struct job *, struct err *);
/* Keys settled since a time: their planning waits for a fresh list. */
int recent_has(const struct mapd *, const uint8_t key[KEY_LEN], int64_t since);

/* --- persons.c --------------------------------------------------------------------------- */
struct persons;
struct persons *persons_new(void);
void persons_free(struct persons *);
/* 1: known, *id is borrowed ("" for nobody or several); 0: not (any more). */
int persons_get(struct persons *, const char *address, const char **id);
/* Asks for the organisers of the jobs that wait; moves them on when known. */
void persons_ask(struct mapd *);

/* --- evidence.c ---------------------------------------------------------------------------- */
/* Appends a record; sent with the next evidence_flush(). */
void evidence(struct mapd *, enum event, const struct room *,
    const uint8_t *key, const char *remote, const char *text);
/* 0, or -1: it could not be kept, so what it announces must not be done. */
int evidence_job(struct mapd *, enum event, const struct job *);
void evidence_flush(struct mapd *);
/*
 * Sends the gathered records and calls fn when they are durable (ok 1), or when
 * that will not be known (ok 0).
 */
int evidence_durable(struct mapd *, void (*fn)(void *arg, int ok), void *arg);

/* --- control.c ------------------------------------------------------------------------------ */
extern const struct permit control_permits[];
int control_open(struct chan *, uid_t, pid_t);
void control_closed(struct chan *, const char *why);
/* What the first look has found on both sides. */
struct match;
void control_matched(struct mapd *, const struct match *);
/* A planned action of a dry round. */
void control_planned(struct mapd *, const struct room *, const struct action *,
    int64_t start, int64_t end, const char *number);
void control_round_over(struct mapd *);
void control_tick(struct mapd *);

struct control {
	struct chan *plan, *sync; /* who waits for a dry round, a sync */
	uint64_t plan_id, sync_id, sync_round;
	int plan_waits; /* for a round that is not dry to end */
	uint32_t total, most;
	unsigned open; /* connections */
};

/* What the first look has found on both sides; for orbctl plan. */
struct match {
	uint8_t key[KEY_LEN];
	int64_t start, end;
	size_t room;
	char number[64];
	uint8_t kind; /* PLAN_PAIR, PLAN_ADOPT */
};

struct matches {
	struct match *row;
	size_t n, cap;
	int news; /* since the last round ended */
};

#define RECENT 16384 /* a power of two */

struct mapd {
	const struct conf *conf;
	struct loop *loop;
	struct store *store;
	struct seal *seal; /* NULL until keyd has answered */
	struct peer keyd, ledgerd, exchange, topdesk;
	struct room *rooms;
	size_t nrooms;
	struct round round;
	struct executor ex;
	struct persons *persons;
	struct control control;
	struct wire_out
	    records; /* encoded struct record, one after the other */
	uint32_t nrecords;
	int64_t *recent; /* [RECENT]: ms, when a key of this slot was settled */
	int64_t started;
	char key_source[200];
	char sandbox[80];
	int stopping;
	int first; /* the first look at two systems: see first.c */
	struct matches matches;
	size_t held_said; /* cancellations the last record spoke of */
	int disk_bad;     /* ledgerd or the store cannot write */
	char trouble[200];
};

/* --- first.c ---------------------------------------------------------------------------------- */
/* At the start: is it the first look?  0, or -1 and err. */
int first_begin(struct mapd *, struct err *);
/* It is over, and the store is to know; within a transaction.  0, or -1. */
int first_keep(struct mapd *, struct err *);
/* A PLAN_PAIR or an ADOPT of what was not agreed; within its transaction. */
int first_matched(struct mapd *, const struct room *, const struct action *,
    const struct reservation *, struct err *);
/* At the end of a round: must another be made before the writes are counted? */
int first_goes_on(struct mapd *);
/* To the orbctl that asked for the plan. */
void first_show(struct mapd *);
void first_over(struct mapd *);

/* --- state.c ---------------------------------------------------------------------------------- */
/*
 * Once the data key is there: the rooms' database ids and cursors; what was
 * journaled and may have been sent is to be looked up.  0, or -1 and err.
 */
int mapd_open_rooms(struct mapd *, struct err *);
/* The room with this database id, or m->nrooms. */
size_t mapd_room(const struct mapd *, int64_t id);
void mapd_status(struct mapd *);
/* A database error: said, and the process ends so that systemd starts it anew. */
void mapd_store_failed(struct mapd *, const struct err *);

#endif
