/*
 * act_exchange.c: one action on Exchange: in whose calendar, sent as what, and
 * what the answer means for the state.
 *
 * Whose calendar.  A meeting that ORB made stands where book_as says, under the
 * tag of its reservation; the mailbox follows from the reservation's requester,
 * who is read anew each time, since no address is kept at rest.  A meeting that
 * a person made is changed in its organiser's calendar, found there by its uid,
 * and leaves the room by the room's own refusal.  What stands in the room's own
 * calendar only is changed there.
 *
 * Not here: finding it there (act_exchange_find.c), when it runs (execute.c),
 * why it was planned (plan_exchange.c), the actions on TOPdesk (act.c).
 */
#include "mapd/act_exchange.h"
#include "lib/marks.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WRITE_DEADLINE (15 * 60 * 1000)

void
job_end(struct job *j, enum outcome outcome, const char *text)
{
	j->outcome = (uint16_t)outcome;
	snprintf(j->text, sizeof(j->text), "%s", text);
	job_next(j, JOB_OVER);
}

const struct conf_room *
job_room(const struct job *j)
{
	return j->m->rooms[j->room].conf;
}

int
act_on_exchange(enum plan_kind kind)
{
	return kind == PLAN_ASK || plan_writes(kind) == UPSTREAM_EXCHANGE;
}

/* --- whose calendar ------------------------------------------------------------- */

int
job_is_ours(const struct job *j)
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

int
job_in_room_only(const struct job *j)
{
	return j->content && j->content->s.marks & MARK_ROOM_OWN;
}

int
job_declines(const struct job *j)
{
	return j->act.aim.kind == PLAN_MEETING_CANCEL && !job_is_ours(j) &&
	    !job_in_room_only(j);
}

static const char *
fallback_of(const struct job *j)
{
	const char *f = j->m->conf->exchange.fallback_organiser;

	return f[0] ? f : job_room(j)->mailbox;
}

const char *
job_mailbox(const struct job *j)
{
	const struct conf_exchange *x = &j->m->conf->exchange;

	if (job_in_room_only(j) || job_declines(j))
		return job_room(j)->mailbox;
	if (!job_is_ours(j))
		return j->content ? j->content->organiser : "";
	if (j->fallback)
		return fallback_of(j);
	if (x->book_as == CONF_BOOK_SERVICE)
		return x->service_mailbox;
	/* Nobody is mailed what stands in his own calendar. */
	if (x->book_as == CONF_BOOK_ROOM || j->act.aim.kind == PLAN_NOTICE)
		return job_room(j)->mailbox;
	return j->organiser[0] ? j->organiser : fallback_of(j);
}

int
job_can_fall_back(const struct job *j)
{
	return job_is_ours(j) && j->act.aim.kind != PLAN_NOTICE &&
	    !j->fallback &&
	    j->m->conf->exchange.book_as == CONF_BOOK_ORGANISER &&
	    strcmp(job_mailbox(j), fallback_of(j)) != 0;
}

void
job_tag(const struct job *j, char *tag, size_t cap)
{
	snprintf(tag, cap, "%s:%s",
	    j->act.aim.kind == PLAN_NOTICE ? "notice" : "topdesk",
	    j->act.remote_id);
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
		job_end(
		    j, OUTCOME_UNKNOWN, "the answer was lost; it is looked up");
		return 0;
	}
	if (pk->type == MSG_ERROR && error_get(pk, &e) == 0) {
		job_end(j, OUTCOME_REFUSED, e.text);
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
	    j->act.aim.kind == PLAN_MEET && job_can_fall_back(j)) {
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
	job_end(j, w.outcome, w.text);
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
	struct msg_adapter_meet m = {.address = job_mailbox(j),
	    .room = job_room(j)->mailbox,
	    .room_name = job_room(j)->name,
	    .organiser = "",
	    .tag = tag,
	    .transaction = transaction,
	    .start = j->act.aim.start,
	    .end = j->act.aim.end,
	    .notice = (uint8_t)notice,
	    .subject = subject,
	    .body = ""};

	job_tag(j, tag, sizeof(tag));
	transaction_of(j, transaction);
	if (j->m->conf->exchange.book_as == CONF_BOOK_SERVICE || notice)
		m.organiser = j->organiser;
	/* Somebody has to know. */
	if (notice && j->organiser[0] == '\0')
		m.organiser = j->m->conf->exchange.fallback_organiser;
	if (notice)
		snprintf(subject, sizeof(subject),
		    "Not reserved: %s (%s): another booking has the room",
		    job_room(j)->name, j->act.number);
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
	struct msg_adapter_meeting_change m = {.address = job_mailbox(j),
	    .remote_id = j->meeting,
	    .change_tag = j->meeting_tag,
	    .subject = "",
	    .room_from = "",
	    .room_to = "",
	    .room_name = ""};

	if (aim->kind == PLAN_MEETING_SWAP) {
		m.room_from = job_room(j)->mailbox;
		m.room_to = j->m->rooms[j->to].conf->mailbox;
		m.room_name = j->m->rooms[j->to].conf->name;
		/* In the same write, so that all are told once. */
		if (j->agreed.a.start != aim->start ||
		    j->agreed.a.end != aim->end) {
			m.start = aim->start;
			m.end = aim->end;
		}
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
	struct msg_adapter_meeting_cancel m = {.address = job_mailbox(j),
	    .remote_id = j->meeting,
	    .change_tag = j->meeting_tag,
	    .comment = text};
	struct msg_adapter_meeting_decline d = {.address = job_room(j)->mailbox,
	    .remote_id = j->meeting,
	    .comment = text};

	snprintf(text, sizeof(text), "%s: the booking%s%s %s.",
	    job_room(j)->name, j->act.number[0] ? " " : "", j->act.number,
	    why_cancelled(j));
	wire_mend(text);
	if (job_declines(j))
		return adapter_meeting_decline_send(c, id, 0, &d);
	return adapter_meeting_cancel_send(c, id, 0, &m);
}

void
job_take_print(struct job *j)
{
	const struct aim *aim = &j->act.aim;

	if (j->has_print &&
	    (aim->kind == PLAN_MEET ||
		(aim->kind == PLAN_MEETING_CHANGE &&
		    aim->change & CHANGE_TEXT)))
		memcpy(j->act.aim.print, j->print, PRINT_LEN);
}

int
act_exchange_send(struct job *j)
{
	struct chan *c = j->m->exchange.chan;
	uint64_t id;

	job_take_print(j);

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
	identity_key(job_room(j)->mailbox, j->uid, 0, row.a.key);
	memcpy(j->met_key, row.a.key, KEY_LEN);
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
	/* What the room showed when it had this meeting before is no news. */
	if (store_seen_drop(m->store, to->st.id, row.a.key, e))
		return -1;
	return store_agreed_put(m->store, to->st.id, &row, e);
}

/* Did ORB write lately what the room may yet have to answer? */
static int
is_expected(const struct job *j)
{
	return j->agreed.a.await &&
	    time(NULL) <= j->agreed.a.await +
		j->m->conf->exchange.answer_minutes * INT64_C(60);
}

/*
 * What the room answered, as if its feed had shown it: it shows no refusals, and
 * of what it had and removed not why.  A room that has no more what it had
 * accepted, or had time to answer, has said no, too.
 */
static int
settle_answer(struct job *j, struct err *e)
{
	int had = j->content && j->content->s.start != 0;
	struct seen s = {.start = j->agreed.a.start,
	    .end = j->agreed.a.end,
	    .group = j->agreed.a.group,
	    .state = BOOKING_STATE_CANCELLED,
	    .marks = j->found_marks};

	if (!had && (!j->adopted || j->state != BOOKING_STATE_CANCELLED))
		return 0;
	if (j->adopted && j->state != BOOKING_STATE_CANCELLED) {
		if (j->state == BOOKING_STATE_TENTATIVE && is_expected(j))
			return 0;
		s.marks |= MARK_DECLINED;
	}
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
	/* It had been declined, and the room was asked anew. */
	if (j->act.aim.kind == PLAN_MEETING_CHANGE && j->content &&
	    j->content->s.state == BOOKING_STATE_CANCELLED &&
	    store_seen_drop(j->m->store, j->act.room, j->act.key, e))
		return -1;
	agreed_settle(&row.a, &j->act.aim, 0, time(NULL));
	/* Its new room may have waited for that. */
	if (row.a.dead == DEAD_MOVED && j->to < j->m->nrooms)
		j->m->rooms[j->to].dirty = 1;
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
