/*
 * act_exchange_find.c: before an action on Exchange is announced: does the
 * reservation still say what it was planned on, and where does the meeting
 * stand?  ORB's own meetings are found by their tag, a person's by its uid.
 *
 * Not here: whose calendar that is, and the write (act_exchange.c).
 */
#include "mapd/act_exchange.h"
#include "lib/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LOOK_DEADLINE (5 * 60 * 1000)
/* Seconds in which what was made may not be found yet. */
#define FOUND_LATE 600

/* --- looking in Exchange -------------------------------------------------------- */

struct finding {
	struct job *j;
	int found;
	int done;  /* it shows what the action wants: an answer was lost */
	int moved; /* it is not at the times that were agreed on */
	uint8_t print[PRINT_LEN]; /* of its subject; zero: not the text */
	uint8_t state;
	uint16_t marks;
};

/* To write again what stands there would mail everybody for nothing. */
static int
shows_aim(const struct job *j, const struct booking *b)
{
	const struct aim *aim = &j->act.aim;
	const struct mapd *m = j->m;

	if (aim->kind == PLAN_MEETING_SWAP)
		return j->to < m->nrooms && b->room[0] &&
		    strcasecmp(b->room, m->rooms[j->to].conf->mailbox) == 0;
	if (aim->kind != PLAN_MEETING_CHANGE || b->all_day)
		return 0;
	if (aim->change & CHANGE_TIME &&
	    (b->start != aim->start || b->end != aim->end))
		return 0;
	return !(aim->change & CHANGE_TEXT) ||
	    m->conf->policy.meeting_subject != CONF_MEETING_KEEP ||
	    strcmp(b->subject, j->subject) == 0;
}

/* By a person, since the plan: only a conflict that is said goes over that. */
static int
was_moved(const struct job *j, const struct booking *b)
{
	const struct aim *aim = &j->act.aim;

	return aim->kind == PLAN_MEETING_CHANGE && aim->change & CHANGE_TIME &&
	    aim->reason != REASON_CHANGED_ON_BOTH && j->has_agreed &&
	    !b->all_day &&
	    (b->start != j->agreed.a.start || b->end != j->agreed.a.end);
}

/* What it was made with is agreed on, whatever the reservation says by now. */
static void
take_text(struct finding *f)
{
	static const uint8_t unknown[PRINT_LEN];

	if (memcmp(f->print, unknown, PRINT_LEN) != 0)
		memcpy(f->j->act.aim.print, f->print, PRINT_LEN);
}

/* Reads the meeting's answer, or goes on to the write. */
static void
found_over(struct finding *f)
{
	struct job *j = f->j;
	enum plan_kind kind = j->act.aim.kind;

	j->state = f->state;
	j->found_marks = f->marks;
	if (kind == PLAN_ASK) {
		j->adopted = f->found;
		job_end(j, OUTCOME_OK, "");
	} else if (kind == PLAN_MEET || kind == PLAN_NOTICE) {
		if (f->found) {
			take_text(f);
			j->adopted = 1;
			job_end(j, OUTCOME_OK, "");
		} else if (job_can_fall_back(j) &&
		    (j->act.state == ACT_SENT || j->act.tries > 0)) {
			/* An earlier try may have gone there. */
			j->fallback = 1;
			act_exchange_find(j);
		} else if (j->moved &&
		    time(NULL) < j->act.created + FOUND_LATE) {
			job_end(j, OUTCOME_UNKNOWN,
			    "it may have been made: it is looked for again");
		} else if (j->moved) {
			job_end(j, OUTCOME_STALE,
			    "the reservation changed meanwhile");
		} else {
			j->fallback = 0;
			job_next(j, JOB_ANNOUNCE);
		}
	} else if (f->found && f->done) {
		job_take_print(j);
		j->adopted = 1;
		job_end(j, OUTCOME_OK, "");
	} else if (f->found && f->moved) {
		job_end(j, OUTCOME_STALE, "the meeting was moved meanwhile");
	} else if (f->found) {
		j->adopted = 0;
		job_next(j, JOB_ANNOUNCE);
	} else if (j->adopted) {
		job_end(j, OUTCOME_OK, "");
	} else if (job_can_fall_back(j)) {
		j->fallback = 1;
		act_exchange_find(j);
	} else if (kind == PLAN_MEETING_CANCEL) {
		j->adopted = 1;
		job_end(j, OUTCOME_OK, "");
	} else {
		job_end(j, OUTCOME_REFUSED,
		    "the meeting is not in the calendar where it should be");
	}
}

static void
take_found(struct finding *f, const struct booking *b)
{
	struct job *j = f->j;
	int done = shows_aim(j, b);

	/* The answer to an earlier try was lost: it is in its new room. */
	if (j->act.aim.kind == PLAN_MEETING_SWAP && j->to < j->m->nrooms &&
	    b->state != BOOKING_STATE_CANCELLED &&
	    strcasecmp(b->room, j->m->rooms[j->to].conf->mailbox) == 0) {
		j->adopted = 1;
		snprintf(j->uid, sizeof(j->uid), "%s", b->uid);
		return;
	}
	/* A reservation of several rooms has several meetings. */
	if (!done && job_is_ours(j) && j->act.aim.kind != PLAN_NOTICE &&
	    b->room[0] && strcasecmp(b->room, job_room(j)->mailbox) != 0)
		return;
	/* A cancelled one counts only when there is no other. */
	if (f->found && b->state == BOOKING_STATE_CANCELLED)
		return;
	if (b->state == BOOKING_STATE_CANCELLED &&
	    !(b->marks & MARK_DECLINED) && j->act.aim.kind != PLAN_ASK)
		return;
	/* Nor one in the other room, while there is one in this. */
	if (f->found && done && j->act.aim.kind == PLAN_MEETING_SWAP)
		return;
	f->found = 1;
	f->done = done;
	f->moved = was_moved(j, b);
	if (j->m->conf->policy.meeting_subject == CONF_MEETING_KEEP &&
	    b->subject[0])
		brief_print(j->m, b->subject, f->print);
	f->state = b->state;
	f->marks = b->marks;
	snprintf(j->meeting, sizeof(j->meeting), "%s", b->remote_id);
	snprintf(j->meeting_tag, sizeof(j->meeting_tag), "%s", b->change_tag);
	snprintf(j->uid, sizeof(j->uid), "%s", b->uid);
}

static int
on_found(struct chan *c, struct packet *pk, void *arg)
{
	struct finding *f = arg;
	struct msg_mapd_booking b;
	struct msg_mapd_read r;
	struct job *j = f->j;
	enum outcome outcome;

	(void)c;
	if (pk && pk->type == MSG_MAPD_BOOKING) {
		if (mapd_booking_get(pk, &b))
			return -1;
		take_found(f, &b.booking);
		return 0;
	}
	/* Whatever else is no end: f is still to be called with. */
	if (pk && pk->type != MSG_MAPD_READ && pk->type != MSG_ERROR)
		return -1;
	if (pk && pk->type == MSG_MAPD_READ) {
		if (mapd_read_get(pk, &r))
			return -1;
		outcome = r.outcome;
		if (outcome == OUTCOME_OK || outcome == OUTCOME_GONE)
			found_over(f);
		else if ((outcome == OUTCOME_DENIED ||
			     outcome == OUTCOME_REFUSED) &&
		    job_can_fall_back(j)) {
			j->fallback = 1;
			act_exchange_find(j);
		} else {
			j->retry_after = r.retry_after;
			job_end(j,
			    j->act.state == ACT_SENT ? OUTCOME_UNKNOWN
						     : outcome,
			    r.text);
		}
	} else {
		job_end(j,
		    j->act.state == ACT_SENT ? OUTCOME_UNKNOWN : OUTCOME_FAILED,
		    "could not be looked up in Exchange");
	}
	free(f);
	return 0;
}

static int
send_find(struct job *j, struct chan *c, uint64_t id)
{
	struct msg_adapter_find find = {.address = job_mailbox(j)};
	struct msg_adapter_meeting meeting = {
	    .address = job_mailbox(j), .room = job_room(j)->mailbox};
	char tag[120];
	struct wire_out w;
	int rc;

	if (!job_is_ours(j)) {
		meeting.uid = j->content->uid;
		meeting.original_start = j->content->original_start;
		meeting.from = j->content->s.start;
		meeting.to = j->content->s.end;
		return adapter_meeting_send(c, id, 0, &meeting);
	}
	job_tag(j, tag, sizeof(tag));
	wire_out_init(&w, 1024);
	wire_put_str(&w, tag, 450);
	find.links = wire_list_of(&w, 1);
	rc = adapter_find_send(c, id, 0, &find);
	wire_out_free(&w);
	return rc;
}

void
act_exchange_find(struct job *j)
{
	struct chan *c = j->m->exchange.chan;
	struct finding *f;
	uint64_t id;

	if (job_mailbox(j)[0] == '\0' ||
	    (!job_is_ours(j) && (j->content == NULL || !j->content->uid[0]))) {
		job_end(j, OUTCOME_REFUSED,
		    "it is not known in whose calendar the meeting stands");
		return;
	}
	if (c == NULL || (f = calloc(1, sizeof(*f))) == NULL) {
		job_end(j, OUTCOME_FAILED, "the adapter is not running");
		return;
	}
	f->j = j;
	if ((id = chan_call(c, LOOK_DEADLINE, on_found, f)) == 0) {
		free(f);
		job_end(j, OUTCOME_FAILED, "the adapter is not running");
		return;
	}
	/* When sending fails the connection is closing: on_found gets NULL. */
	(void)send_find(j, c, id);
	peer_flush(&j->m->exchange);
}

/* --- what the reservation says ---------------------------------------------------- */

/* Is the reservation still what the plan was made on? */
static int
still_holds(const struct job *j, const struct reservation *r)
{
	const struct aim *aim = &j->act.aim;

	switch (aim->kind) {
	case PLAN_MEET:
		return r && r->s.state == BOOKING_STATE_BOOKED &&
		    j->to == j->room && r->s.start == aim->start &&
		    r->s.end == aim->end;
	case PLAN_MEETING_CHANGE:
		return r && r->s.state != BOOKING_STATE_CANCELLED &&
		    (!(aim->change & CHANGE_TIME) ||
			(r->s.start == aim->start && r->s.end == aim->end));
	case PLAN_MEETING_SWAP:
		return r && r->s.state != BOOKING_STATE_CANCELLED &&
		    r->s.start == aim->start && r->s.end == aim->end &&
		    j->to < j->m->nrooms && j->to != j->room;
	case PLAN_MEETING_CANCEL:
		/* What was in its way may have gone: planned once more. */
		if (aim->reason == REASON_LOST && j->act.tries > 0 &&
		    j->act.state != ACT_SENT)
			return 0;
		/* It may have come back since. */
		if (aim->reason == REASON_MOVED_ROOM)
			return r && r->s.state != BOOKING_STATE_CANCELLED &&
			    j->to != j->room;
		return aim->reason != REASON_CANCELLED_IN_TOPDESK ||
		    r == NULL || r->s.state == BOOKING_STATE_CANCELLED;
	default:
		return 1;
	}
}

/* What is known of the meeting already, so that it need not be looked for. */
static int
is_found(struct job *j)
{
	enum plan_kind kind = j->act.aim.kind;

	/* A meeting mails people: never on the word of a state that may have
	 * been lost since. */
	if (kind == PLAN_MEET)
		return 0;
	if (kind == PLAN_NOTICE)
		return j->act.state != ACT_SENT && j->act.tries == 0;
	/* It may have been changed already. */
	if (kind == PLAN_MEETING_CHANGE && j->act.state == ACT_SENT)
		return 0;
	if (kind == PLAN_ASK || j->content == NULL ||
	    !(job_in_room_only(j) || job_declines(j)))
		return 0;
	snprintf(j->meeting, sizeof(j->meeting), "%s", j->content->remote_id);
	return j->meeting[0] != '\0';
}

void
act_exchange_looked(struct job *j, const struct reservation *r)
{
	j->moved = !still_holds(j, r);
	if (r) {
		memcpy(j->print, r->s.print, PRINT_LEN);
		j->has_print = 1;
	}
	/* A meeting that may have been made is found first: forgotten, it would
	 * be made once more. */
	if (j->moved &&
	    !(j->act.aim.kind == PLAN_MEET && j->act.state == ACT_SENT))
		job_end(j, OUTCOME_STALE, "the reservation changed meanwhile");
	else if (is_found(j))
		job_next(j, JOB_ANNOUNCE);
	else
		act_exchange_find(j);
}
