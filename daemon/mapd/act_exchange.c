/*
 * act_exchange.c: one action on Exchange: in whose calendar, found how, sent as
 * what, and what the answer means for the state.
 *
 * Whose calendar.  A meeting that ORB made stands where book_as says, under the
 * tag of its reservation; the mailbox follows from the reservation's requester,
 * who is read anew each time, since no address is kept at rest.  A meeting that
 * a person made is changed in its organiser's calendar, found there by its uid,
 * and leaves the room by the room's own refusal.  What stands in the room's own
 * calendar only is changed there.
 *
 * Not here: when it runs (execute.c), why it was planned (plan_exchange.c), the
 * actions on TOPdesk (act.c).
 */
#include "mapd/mapd.h"
#include "lib/log.h"
#include "lib/marks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WRITE_DEADLINE (15 * 60 * 1000)
#define LOOK_DEADLINE (5 * 60 * 1000)

static void
over(struct job *j, enum outcome outcome, const char *text)
{
	j->outcome = (uint16_t)outcome;
	snprintf(j->text, sizeof(j->text), "%s", text);
	job_next(j, JOB_OVER);
}

static const struct conf_room *
room_of(const struct job *j)
{
	return j->m->rooms[j->room].conf;
}

int
act_on_exchange(enum plan_kind kind)
{
	return kind == PLAN_ASK || plan_writes(kind) == UPSTREAM_EXCHANGE;
}

/* --- whose calendar ------------------------------------------------------------- */

/* A meeting of ORB's own, or one that a person made? */
static int
is_ours(const struct job *j)
{
	switch (j->act.aim.kind) {
	case PLAN_MEET:
	case PLAN_NOTICE:
	case PLAN_ASK:
		return 1;
	default:
		return j->has_agreed && j->agreed.a.origin == ORIGIN_TOPDESK;
	}
}

static int
in_room_only(const struct job *j)
{
	return j->content && j->content->s.marks & MARK_ROOM_OWN;
}

/* The room's no, to a meeting that a person made. */
static int
declines(const struct job *j)
{
	return j->act.aim.kind == PLAN_MEETING_CANCEL && !is_ours(j) &&
	    !in_room_only(j);
}

static const char *
fallback_of(const struct job *j)
{
	const char *f = j->m->conf->exchange.fallback_organiser;

	return f[0] ? f : room_of(j)->mailbox;
}

static const char *
mailbox_of(const struct job *j)
{
	const struct conf_exchange *x = &j->m->conf->exchange;

	if (in_room_only(j) || declines(j))
		return room_of(j)->mailbox;
	if (!is_ours(j))
		return j->content ? j->content->organiser : "";
	if (j->fallback)
		return fallback_of(j);
	if (x->book_as == CONF_BOOK_SERVICE)
		return x->service_mailbox;
	if (x->book_as == CONF_BOOK_ROOM)
		return room_of(j)->mailbox;
	return j->organiser[0] ? j->organiser : fallback_of(j);
}

/* Is there another mailbox to try, when this one is not to be had? */
static int
can_fall_back(const struct job *j)
{
	return is_ours(j) && !j->fallback &&
	    j->m->conf->exchange.book_as == CONF_BOOK_ORGANISER &&
	    strcmp(mailbox_of(j), fallback_of(j)) != 0;
}

static void
tag_of(const struct job *j, char *tag, size_t cap)
{
	snprintf(tag, cap, "%s:%s",
	    j->act.aim.kind == PLAN_NOTICE ? "notice" : "topdesk",
	    j->act.remote_id);
}

/* --- looking in Exchange -------------------------------------------------------- */

struct finding {
	struct job *j;
	int found;
	uint8_t state;
	uint16_t marks;
};

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
		over(j, OUTCOME_OK, "");
	} else if (kind == PLAN_MEET || kind == PLAN_NOTICE) {
		if (f->found) {
			j->adopted = 1;
			over(j, OUTCOME_OK, "");
		} else if (can_fall_back(j)) {
			/* An earlier try may have gone there. */
			j->fallback = 1;
			act_exchange_find(j);
		} else {
			j->fallback = 0;
			job_next(j, JOB_ANNOUNCE);
		}
	} else if (f->found) {
		job_next(j, JOB_ANNOUNCE);
	} else if (can_fall_back(j)) {
		j->fallback = 1;
		act_exchange_find(j);
	} else if (kind == PLAN_MEETING_CANCEL) {
		j->adopted = 1;
		over(j, OUTCOME_OK, "");
	} else {
		over(j, OUTCOME_REFUSED,
		    "the meeting is not in the calendar where it should be");
	}
}

static void
take_found(struct finding *f, const struct booking *b)
{
	struct job *j = f->j;

	/* A reservation of several rooms has several meetings. */
	if (is_ours(j) && j->act.aim.kind != PLAN_NOTICE && b->room[0] &&
	    strcasecmp(b->room, room_of(j)->mailbox) != 0)
		return;
	/* A cancelled one counts only when there is no other. */
	if (f->found && b->state == BOOKING_STATE_CANCELLED)
		return;
	if (b->state == BOOKING_STATE_CANCELLED &&
	    !(b->marks & MARK_DECLINED) && j->act.aim.kind != PLAN_ASK)
		return;
	f->found = 1;
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
		    can_fall_back(j)) {
			j->fallback = 1;
			act_exchange_find(j);
		} else {
			j->retry_after = r.retry_after;
			over(j,
			    j->act.state == ACT_SENT ? OUTCOME_UNKNOWN
						     : outcome,
			    r.text);
		}
	} else {
		over(j,
		    j->act.state == ACT_SENT ? OUTCOME_UNKNOWN : OUTCOME_FAILED,
		    "could not be looked up in Exchange");
	}
	free(f);
	return 0;
}

static int
send_find(struct job *j, struct chan *c, uint64_t id)
{
	struct msg_adapter_find find = {.address = mailbox_of(j)};
	struct msg_adapter_meeting meeting = {
	    .address = mailbox_of(j), .room = room_of(j)->mailbox};
	char tag[120];
	struct wire_out w;
	int rc;

	if (!is_ours(j)) {
		meeting.uid = j->content->uid;
		meeting.original_start = j->content->original_start;
		meeting.from = j->content->s.start;
		meeting.to = j->content->s.end;
		return adapter_meeting_send(c, id, 0, &meeting);
	}
	tag_of(j, tag, sizeof(tag));
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

	if (mailbox_of(j)[0] == '\0' ||
	    (!is_ours(j) && (j->content == NULL || !j->content->uid[0]))) {
		over(j, OUTCOME_REFUSED,
		    "it is not known in whose calendar the meeting stands");
		return;
	}
	if (c == NULL || (f = calloc(1, sizeof(*f))) == NULL) {
		over(j, OUTCOME_FAILED, "the adapter is not running");
		return;
	}
	f->j = j;
	if ((id = chan_call(c, LOOK_DEADLINE, on_found, f)) == 0) {
		free(f);
		over(j, OUTCOME_FAILED, "the adapter is not running");
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
		    r->s.start == aim->start && r->s.end == aim->end;
	case PLAN_MEETING_CHANGE:
		return r && r->s.state != BOOKING_STATE_CANCELLED &&
		    (!(aim->change & CHANGE_TIME) ||
			(r->s.start == aim->start && r->s.end == aim->end));
	case PLAN_MEETING_SWAP:
		return r && r->s.state != BOOKING_STATE_CANCELLED &&
		    j->to < j->m->nrooms && j->to != j->room;
	case PLAN_MEETING_CANCEL:
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

	if (kind == PLAN_MEET || kind == PLAN_NOTICE)
		return j->act.state != ACT_SENT && j->act.tries == 0;
	if (kind == PLAN_ASK || j->content == NULL ||
	    !(in_room_only(j) || declines(j)))
		return 0;
	snprintf(j->meeting, sizeof(j->meeting), "%s", j->content->remote_id);
	return j->meeting[0] != '\0';
}

void
act_exchange_looked(struct job *j, const struct reservation *r)
{
	if (!still_holds(j, r))
		over(j, OUTCOME_STALE, "the reservation changed meanwhile");
	else if (is_found(j))
		job_next(j, JOB_ANNOUNCE);
	else
		act_exchange_find(j);
}

/* --- writing ------------------------------------------------------------------------ */

static int
on_meeting(struct chan *c, struct packet *pk, void *arg)
{
	struct job *j = arg;
	struct msg_mapd_written w;
	struct msg_error e;

	(void)c;
	if (pk == NULL) {
		over(
		    j, OUTCOME_UNKNOWN, "the answer was lost; it is looked up");
		return 0;
	}
	if (pk->type == MSG_ERROR && error_get(pk, &e) == 0) {
		over(j, OUTCOME_REFUSED, e.text);
		return 0;
	}
	if (pk->type != MSG_MAPD_WRITTEN || mapd_written_get(pk, &w))
		return -1;
	j->status = w.status;
	j->retry_after = w.retry_after;
	j->state = w.state;
	snprintf(j->request_id, sizeof(j->request_id), "%s", w.request_id);
	if (w.uid[0])
		snprintf(j->uid, sizeof(j->uid), "%s", w.uid);
	if (w.outcome == OUTCOME_OK)
		peer_state(&j->m->exchange, 1, "");
	if ((w.outcome == OUTCOME_GONE || w.outcome == OUTCOME_REFUSED ||
		w.outcome == OUTCOME_DENIED) &&
	    j->act.aim.kind == PLAN_MEET && can_fall_back(j)) {
		j->fallback = 1;
		if (act_exchange_send(j) == 0)
			return 0;
	}
	/* It was made, but under which uid?  The tag will tell. */
	if (w.outcome == OUTCOME_OK && j->act.aim.kind == PLAN_MEET &&
	    j->uid[0] == '\0')
		w.outcome = OUTCOME_UNKNOWN;
	/* Gone is what a cancellation wants. */
	if (w.outcome == OUTCOME_GONE && j->act.aim.kind == PLAN_MEETING_CANCEL)
		w.outcome = OUTCOME_OK;
	over(j, w.outcome, w.text);
	return 0;
}

/* The same for every try of this action, another for every other: UUID form. */
static void
transaction_of(const struct job *j, char out[64])
{
	const uint8_t *k = j->act.key;

	snprintf(out, 64,
	    "%02x%02x%02x%02x-%02x%02x-5%01x%02x-8%01x%02x-%012llx", k[0], k[1],
	    k[2], k[3], k[4], k[5], k[6] & 15, k[7], k[8] & 15, k[9],
	    (unsigned long long)j->act.created & 0xffffffffffffULL);
}

static int
send_meet(struct job *j, struct chan *c, uint64_t id)
{
	const struct conf_policy *p = &j->m->conf->policy;
	int notice = j->act.aim.kind == PLAN_NOTICE;
	char tag[120], transaction[64], subject[1021];
	struct msg_adapter_meet m = {.address = mailbox_of(j),
	    .room = room_of(j)->mailbox,
	    .room_name = room_of(j)->name,
	    .organiser = "",
	    .tag = tag,
	    .transaction = transaction,
	    .start = j->act.aim.start,
	    .end = j->act.aim.end,
	    .notice = (uint8_t)notice,
	    .subject = subject,
	    .body = ""};

	tag_of(j, tag, sizeof(tag));
	transaction_of(j, transaction);
	if (j->m->conf->exchange.book_as == CONF_BOOK_SERVICE || notice)
		m.organiser = j->organiser;
	if (notice)
		snprintf(subject, sizeof(subject),
		    "Not reserved: %s (%s): another booking has the room",
		    room_of(j)->name, j->act.number);
	else if (p->meeting_subject == CONF_MEETING_KEEP && j->subject[0])
		snprintf(subject, sizeof(subject), "%s", j->subject);
	else
		snprintf(subject, sizeof(subject), "%s (TOPdesk %s)",
		    p->placeholder, j->act.number);
	wire_mend(subject);
	return adapter_meet_send(c, id, 0, &m);
}

static int
send_change(struct job *j, struct chan *c, uint64_t id)
{
	const struct aim *aim = &j->act.aim;
	struct msg_adapter_meeting_change m = {.address = mailbox_of(j),
	    .remote_id = j->meeting,
	    .change_tag = j->meeting_tag,
	    .subject = "",
	    .room_from = "",
	    .room_to = "",
	    .room_name = ""};

	if (aim->kind == PLAN_MEETING_SWAP) {
		m.room_from = room_of(j)->mailbox;
		m.room_to = j->m->rooms[j->to].conf->mailbox;
		m.room_name = j->m->rooms[j->to].conf->name;
	} else {
		if (aim->change & CHANGE_TIME) {
			m.start = aim->start;
			m.end = aim->end;
		}
		if (aim->change & CHANGE_TEXT &&
		    j->m->conf->policy.meeting_subject == CONF_MEETING_KEEP)
			m.subject = j->subject;
	}
	return adapter_meeting_change_send(c, id, 0, &m);
}

static const char *
why_cancelled(const struct job *j)
{
	switch (j->act.aim.reason) {
	case REASON_CANCELLED_IN_TOPDESK:
		return "was cancelled in TOPdesk";
	case REASON_MOVED_ROOM:
		return "was given another room in TOPdesk";
	case REASON_DECLINED:
		return "was declined by the room";
	case REASON_RETIRED:
		return "ends: the room is no longer booked this way";
	default:
		return "has lost the room to another booking";
	}
}

static int
send_cancel(struct job *j, struct chan *c, uint64_t id)
{
	char text[1000];
	struct msg_adapter_meeting_cancel m = {.address = mailbox_of(j),
	    .remote_id = j->meeting,
	    .change_tag = j->meeting_tag,
	    .comment = text};
	struct msg_adapter_meeting_decline d = {.address = room_of(j)->mailbox,
	    .remote_id = j->meeting,
	    .comment = text};

	snprintf(text, sizeof(text), "%s: the booking%s%s %s.",
	    room_of(j)->name, j->act.number[0] ? " " : "", j->act.number,
	    why_cancelled(j));
	wire_mend(text);
	if (declines(j))
		return adapter_meeting_decline_send(c, id, 0, &d);
	return adapter_meeting_cancel_send(c, id, 0, &m);
}

int
act_exchange_send(struct job *j)
{
	struct chan *c = j->m->exchange.chan;
	uint64_t id;

	if (c == NULL ||
	    (id = chan_call(c, WRITE_DEADLINE, on_meeting, j)) == 0)
		return -1;
	/* When sending fails the connection is closing: on_meeting gets NULL. */
	switch (j->act.aim.kind) {
	case PLAN_MEET:
	case PLAN_NOTICE:
		(void)send_meet(j, c, id);
		break;
	case PLAN_MEETING_CANCEL:
		(void)send_cancel(j, c, id);
		break;
	default:
		(void)send_change(j, c, id);
	}
	return 0;
}

/* --- settling ------------------------------------------------------------------------- */

/* The meeting is there: from now on the booking stands under its own key. */
static int
settle_met(struct job *j, struct err *e)
{
	struct mapd *m = j->m;
	struct agreed_row row;

	memset(&row, 0, sizeof(row));
	identity_key(room_of(j)->mailbox, j->uid, 0, row.a.key);
	row.a.group = seal_hash(m->seal, j->uid);
	agreed_settle(&row.a, &j->act.aim, 0, time(NULL));
	snprintf(
	    row.remote_id, sizeof(row.remote_id), "%.63s", j->act.remote_id);
	snprintf(row.number, sizeof(row.number), "%s", j->act.number);
	return store_agreed_put(m->store, j->act.room, &row, e);
}

/* The reservation's row goes to the other room, with the meeting. */
static int
settle_swapped(struct job *j, struct err *e)
{
	struct mapd *m = j->m;
	struct room *to = &m->rooms[j->to];
	struct agreed_row row = j->agreed;

	identity_key(to->conf->mailbox, j->uid,
	    j->content ? j->content->original_start : 0, row.a.key);
	row.a.start = j->act.aim.start;
	row.a.end = j->act.aim.end;
	row.a.await = time(NULL);
	row.a.was_start = row.a.was_end = 0;
	row.a.dead = DEAD_NOT;
	row.a.busy = row.a.waiting = 0;
	to->dirty = 1;
	return store_agreed_put(m->store, to->st.id, &row, e);
}

/* What the room answered, as if its feed had shown it: it shows no refusals. */
static int
settle_answer(struct job *j, struct err *e)
{
	struct seen s = {.start = j->agreed.a.start,
	    .end = j->agreed.a.end,
	    .group = j->agreed.a.group,
	    .state = BOOKING_STATE_CANCELLED,
	    .marks = j->found_marks};

	if (!j->adopted || j->state != BOOKING_STATE_CANCELLED)
		return 0;
	memcpy(s.key, j->act.key, KEY_LEN);
	return store_seen_put(j->m->store, j->act.room, &s, j->meeting, "", e);
}

static int
settle_row(struct job *j, struct err *e)
{
	struct agreed_row row = j->agreed;

	if (!j->has_agreed) {
		memset(&row, 0, sizeof(row));
		memcpy(row.a.key, j->act.key, KEY_LEN);
		row.a.group = j->act.group;
		snprintf(row.remote_id, sizeof(row.remote_id), "%.63s",
		    j->act.remote_id);
		snprintf(row.number, sizeof(row.number), "%s", j->act.number);
	}
	if (j->act.aim.kind == PLAN_MEETING_SWAP && settle_swapped(j, e))
		return -1;
	agreed_settle(&row.a, &j->act.aim, 0, time(NULL));
	/* The id goes with the reservation. */
	if (j->act.aim.kind == PLAN_MEETING_SWAP)
		row.remote_id[0] = '\0';
	return store_agreed_put(j->m->store, j->act.room, &row, e);
}

int
act_exchange_settled(struct job *j, struct err *e)
{
	enum plan_kind kind = j->act.aim.kind;
	int rc;

	if (kind == PLAN_MEET)
		rc = settle_met(j, e);
	else if (kind == PLAN_ASK)
		rc = settle_answer(j, e);
	else
		rc = settle_row(j, e);
	return rc;
}
