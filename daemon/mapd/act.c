/*
 * act.c: one action: what is sent for it, and what the answer means for the
 * state.  Not here: when it runs (execute.c), why it was planned (plan.c).
 */
#include "mapd/mapd.h"
#include "lib/log.h"
#include "lib/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WRITE_DEADLINE (15 * 60 * 1000)
#define ASIDE_FIRST 300 /* seconds */
#define ASIDE_MOST (6 * 3600)
#define AGAIN_MOST 300

/* --- sending ------------------------------------------------------------------------ */

static void
lost(struct job *j)
{
	j->outcome = OUTCOME_UNKNOWN;
	strcpy(j->text, "the answer was lost; it is looked up");
	job_next(j, JOB_OVER);
}

static void
take_answer(struct job *j, const struct msg_mapd_written *w)
{
	j->outcome = w->outcome;
	j->status = w->status;
	j->state = w->state;
	j->retry_after = w->retry_after;
	if (w->remote_id[0])
		snprintf(
		    j->remote_id, sizeof(j->remote_id), "%s", w->remote_id);
	if (w->number[0])
		snprintf(j->number, sizeof(j->number), "%s", w->number);
	snprintf(j->request_id, sizeof(j->request_id), "%s", w->request_id);
	snprintf(j->text, sizeof(j->text), "%s", w->text);
	if (w->change_tag[0])
		j->changed = (int64_t)seal_hash(j->m->seal, w->change_tag);
}

static int
on_written(struct chan *c, struct packet *pk, void *arg)
{
	struct job *j = arg;
	struct mapd *m = j->m;
	struct msg_mapd_written w;
	struct msg_error e;

	(void)c;
	if (pk == NULL) {
		lost(j);
		return 0;
	}
	if (pk->type == MSG_ERROR && error_get(pk, &e) == 0) {
		j->outcome = OUTCOME_REFUSED;
		snprintf(j->text, sizeof(j->text), "%s", e.text);
		job_next(j, JOB_OVER);
		return 0;
	}
	if (pk->type != MSG_MAPD_WRITTEN || mapd_written_get(pk, &w))
		return -1;
	take_answer(j, &w);
	if (w.outcome == OUTCOME_OK && w.state != BOOKING_STATE_CONFLICTING)
		peer_state(&m->topdesk, 1, "");
	else if (w.outcome == OUTCOME_DENIED || w.outcome == OUTCOME_FAILED)
		peer_state(&m->topdesk, 3, w.text);
	/* A change of time and text is two requests; over another reservation,
	 * the time was changed all the same. */
	if ((w.outcome == OUTCOME_OK ||
		(w.outcome == OUTCOME_CONFLICT && w.remote_id[0])) &&
	    j->act.aim.kind == PLAN_CHANGE) {
		j->todo &= j->todo & CHANGE_TIME ? ~CHANGE_TIME : ~CHANGE_TEXT;
		if (j->todo && act_send(j) == 0)
			return 0;
		if (j->todo)
			j->outcome = OUTCOME_UNKNOWN;
	}
	job_next(j, JOB_OVER);
	return 0;
}

static int
send_create(struct chan *c, uint64_t id, struct job *j)
{
	struct mapd *m = j->m;
	const struct content *k = j->content;
	char link[IDENTITY_LINK_MAX], note[4096];
	struct msg_adapter_create msg = {.link = link,
	    .room = m->rooms[j->room].conf->location,
	    .person = j->person,
	    .start = j->act.aim.start,
	    .end = j->act.aim.end,
	    .attendee_count = k->attendees,
	    .subject = j->brief,
	    .body = k->body};

	identity_link(j->act.key, j->act.aim.gen, link);
	if (j->fallback) {
		/* Said in the reservation itself. */
		snprintf(note, sizeof(note),
		    "Booked in Exchange by %s, who is not (or not uniquely) a "
		    "person in TOPdesk.%s%.3000s",
		    k->organiser[0] ? k->organiser : "an unknown organiser",
		    k->body[0] ? "\n\n" : "", k->body);
		msg.body = wire_mend(note);
	}
	return adapter_create_send(c, id, 0, &msg);
}

int
act_send(struct job *j)
{
	struct chan *c = j->m->topdesk.chan;
	struct msg_adapter_reschedule move = {
	    j->act.remote_id, j->act.aim.start, j->act.aim.end};
	struct msg_adapter_edit edit = {
	    .remote_id = j->act.remote_id, .subject = j->brief};
	struct msg_adapter_cancel cancel = {
	    j->act.remote_id, j->m->conf->topdesk.cancel_reason};
	char link[IDENTITY_LINK_MAX];
	uint64_t id;

	if (c == NULL ||
	    (id = chan_call(c, WRITE_DEADLINE, on_written, j)) == 0)
		return -1;
	/* When sending fails the connection is closing: on_written gets NULL,
	 * and the action is looked up. */
	switch (j->act.aim.kind) {
	case PLAN_CREATE:
		(void)send_create(c, id, j);
		break;
	case PLAN_CANCEL:
		(void)adapter_cancel_send(c, id, 0, &cancel);
		break;
	case PLAN_LINK:
		identity_link(j->act.key, j->act.aim.gen, link);
		edit.subject = "";
		edit.link = link;
		(void)adapter_edit_send(c, id, 0, &edit);
		break;
	default:
		if (j->todo & CHANGE_TIME)
			(void)adapter_reschedule_send(c, id, 0, &move);
		else
			(void)adapter_edit_send(c, id, 0, &edit);
	}
	return 0;
}

/* Something stands by its key, though nothing did when it was planned. */
int
job_is_paired(const struct job *j)
{
	return j->act.aim.kind == PLAN_CREATE && j->has_agreed &&
	    j->agreed.a.gen && !j->agreed.a.dead;
}

/* --- what a look says ------------------------------------------------------------------ */

static void
already(struct job *j, const struct reservation *r)
{
	j->outcome = OUTCOME_OK;
	j->adopted = 1;
	j->state = r->s.state;
	j->changed = r->s.changed;
	snprintf(j->remote_id, sizeof(j->remote_id), "%s", r->id);
	snprintf(j->number, sizeof(j->number), "%s", r->number);
	job_next(j, JOB_OVER);
}

static int
put_problem(struct job *j, const uint8_t key[KEY_LEN], int64_t kept,
    const char *text, struct err *e)
{
	struct problem p = {
	    .room = j->act.room, .since = time(NULL), .kept = kept};
	const char *number = j->number[0] ? j->number : j->act.number;
	int fresh;

	memcpy(p.key, key, KEY_LEN);
	snprintf(p.text, sizeof(p.text), "%s%s%s%s",
	    *number ? "reservation " : "", number, *number ? ": " : "", text);
	return store_problem_put(j->m->store, &p, &fresh, e);
}

/* Whose calendar it had to be, when it is not the requester's. */
static int
say_fallback(struct job *j, struct err *e)
{
	enum plan_kind kind = j->act.aim.kind;
	int nobody = j->organiser[0] == '\0' &&
	    (kind == PLAN_NOTICE ||
		j->m->conf->exchange.book_as == CONF_BOOK_ORGANISER);

	if ((!j->fallback && !nobody) ||
	    (kind != PLAN_MEET && kind != PLAN_NOTICE))
		return 0;
	evidence_job(j->m, EV_ORGANISER_UNKNOWN, j);
	if (kind == PLAN_NOTICE)
		return put_problem(j, j->act.key, time(NULL) + HISTORY_KEPT,
		    "its requester has no mailbox that ORB may write to, so "
		    "the fallback was told: pass it on",
		    e);
	return put_problem(j, j->met_key, -j->act.aim.end,
	    "its requester has no mailbox that ORB may write to; the meeting "
	    "was made in the fallback's calendar",
	    e);
}

/* The plan had not seen it, as it lies beyond the list: was a person there? */
static int
is_overwritten(const struct job *j, const struct reservation *r)
{
	const struct agreed *a = &j->agreed.a;

	if (j->base || !j->has_agreed)
		return 0;
	if (j->todo & CHANGE_TIME &&
	    (r->s.start != a->start || r->s.end != a->end))
		return 1;
	return j->todo & CHANGE_TEXT && r->s.changed != a->changed &&
	    memcmp(r->s.print, a->td_print, PRINT_LEN) != 0;
}

/* Never silently; the rest is as if the plan had known. */
static void
say_overwritten(struct job *j)
{
	const char *text = plan_reason_text(REASON_CHANGED_ON_BOTH);
	struct err e;

	j->act.aim.reason = REASON_CHANGED_ON_BOTH;
	snprintf(j->number, sizeof(j->number), "%s", j->act.number);
	snprintf(j->text, sizeof(j->text), "%s", text);
	evidence_job(j->m, EV_CONFLICT, j);
	if (put_problem(j, j->act.key, 0, text, &e))
		mapd_store_failed(j->m, &e);
}

static void
looked_change(struct job *j, const struct reservation *r)
{
	uint8_t print[PRINT_LEN];

	if (j->todo & CHANGE_TIME && r->s.start == j->act.aim.start &&
	    r->s.end == j->act.aim.end)
		j->todo &= ~CHANGE_TIME;
	if (j->todo & CHANGE_TEXT) {
		brief_print(j->m, j->brief, print);
		if (memcmp(print, r->s.print, PRINT_LEN) == 0)
			j->todo &= ~CHANGE_TEXT;
	}
	if (j->todo == 0) {
		already(j, r);
	} else if (j->base && r->s.changed != j->base) {
		/* Of unknown outcome, and not what it would have made of it:
		 * a person was there. */
		j->outcome = OUTCOME_STALE;
		strcpy(j->text, "the reservation changed meanwhile");
		job_next(j, JOB_OVER);
	} else {
		if (is_overwritten(j, r))
			say_overwritten(j);
		job_next(j, JOB_ANNOUNCE);
	}
}

/*
 * What an action of unknown outcome finds, it made; people may have changed it
 * since.  What another try finds, an earlier one made, perhaps of a meeting
 * that was changed meanwhile, or a state that was lost: it is adopted as it is,
 * at once, since the list may not reach as far as somebody moved it.
 */
static void
looked_create(struct job *j, const struct reservation *r)
{
	uint8_t print[PRINT_LEN];

	if (r == NULL && job_is_paired(j)) {
		j->outcome = OUTCOME_STALE;
		strcpy(j->text, "it is another reservation's meeting");
		job_next(j, JOB_OVER);
		return;
	}
	if (r == NULL) {
		job_next(j, JOB_PERSON);
		return;
	}
	brief_print(j->m, j->brief, print);
	if (r->s.gen != j->act.aim.gen ||
	    (j->act.state != ACT_SENT &&
		(r->s.start != j->act.aim.start || r->s.end != j->act.aim.end ||
		    memcmp(print, r->s.print, PRINT_LEN) != 0))) {
		j->as = r->s;
		j->as_found = 1;
	}
	already(j, r);
}

/* Since it was planned.  Trying AGAIN is such a change, and not one of times. */
static int
is_changed(const struct job *j, const struct reservation *r)
{
	if (j->act.aim.kind == PLAN_AGAIN)
		return r->s.start != j->act.aim.start ||
		    r->s.end != j->act.aim.end;
	return j->base && r->s.changed != j->base;
}

/* r is NULL when the look did not find it. */
void
act_looked(struct job *j, const struct reservation *r)
{
	enum plan_kind kind = j->act.aim.kind;

	if (kind == PLAN_CREATE) {
		looked_create(j, r);
		return;
	}
	/* Not in the list is no evidence; a write by its id will tell.  But
	 * not a cancellation of unknown outcome: see below. */
	if (r == NULL && kind == PLAN_CANCEL && j->act.state == ACT_SENT) {
		j->outcome = j->has_agreed && j->agreed.a.end <= time(NULL)
		    ? OUTCOME_STALE
		    : OUTCOME_UNKNOWN;
		strcpy(j->text, "the reservation is not to be seen");
		job_next(j, JOB_OVER);
		return;
	}
	if (r == NULL) {
		job_next(j, JOB_ANNOUNCE);
		return;
	}
	if (kind == PLAN_CANCEL && r->s.state == BOOKING_STATE_CANCELLED) {
		already(j, r);
		return;
	}
	/* Beyond the list no plan sees it: kept, and said. */
	if (kind == PLAN_CHANGE && j->base == 0 &&
	    r->s.state == BOOKING_STATE_CANCELLED) {
		j->outcome = OUTCOME_REFUSED;
		snprintf(j->text, sizeof(j->text), "%s",
		    plan_reason_text(REASON_CANCELLED_IN_TOPDESK));
		job_next(j, JOB_OVER);
		return;
	}
	/* Somebody changed it since it was planned: plan again.  What an
	 * action of unknown outcome changed itself is not that; but the meeting
	 * may be wanted again since, so a cancellation that had no effect is
	 * never sent from the journal: it too is planned again. */
	if (r->s.state == BOOKING_STATE_CANCELLED ||
	    (kind == PLAN_CANCEL && j->act.state == ACT_SENT) ||
	    (j->act.state != ACT_SENT && is_changed(j, r))) {
		j->outcome = OUTCOME_STALE;
		strcpy(j->text, "the reservation changed meanwhile");
		job_next(j, JOB_OVER);
		return;
	}
	if (r->s.marks & (MARK_ISSUED | MARK_ARCHIVED)) {
		j->outcome = OUTCOME_REFUSED;
		strcpy(j->text,
		    r->s.marks & MARK_ISSUED
			? "the room is handed out (issued) in TOPdesk"
			: "the reservation is archived in TOPdesk");
		job_next(j, JOB_OVER);
		return;
	}
	if (kind == PLAN_LINK && r->s.link != LINK_NONE)
		already(j, r);
	else if (kind == PLAN_AGAIN && r->s.state != BOOKING_STATE_CONFLICTING)
		already(j, r);
	else if (kind == PLAN_CHANGE)
		looked_change(j, r);
	else
		job_next(j, JOB_ANNOUNCE);
}

/* --- settling ------------------------------------------------------------------------------ */

static size_t
recent_slot(const uint8_t key[KEY_LEN])
{
	return ((size_t)key[0] << 8 | key[1]) & (RECENT - 1);
}

/* Several keys share a slot: at worst one is left alone once too often. */
int
recent_has(const struct mapd *m, const uint8_t key[KEY_LEN], int64_t since)
{
	return m->recent[recent_slot(key)] >= since;
}

/* kept as struct problem says. */
static int
settled(struct job *j, struct err *e)
{
	struct mapd *m = j->m;
	static const enum event done[PLAN_AGAIN + 1] = {
	    [PLAN_CREATE] = EV_CREATE_DONE,
	    [PLAN_CHANGE] = EV_EDIT_DONE,
	    [PLAN_CANCEL] = EV_CANCEL_DONE,
	    [PLAN_LINK] = EV_EDIT_DONE,
	    [PLAN_MEET] = EV_MEET_DONE,
	    [PLAN_MEETING_CHANGE] = EV_MEETING_CHANGE_DONE,
	    [PLAN_MEETING_SWAP] = EV_MEETING_CHANGE_DONE,
	    [PLAN_MEETING_CANCEL] = EV_MEETING_CANCEL_DONE,
	    [PLAN_NOTICE] = EV_MEET_DONE};
	struct agreed_row row = j->agreed;
	enum plan_kind kind = j->act.aim.kind;
	enum event ev = done[kind];
	int exchange = act_on_exchange(kind);

	if (!j->has_agreed) {
		memset(&row, 0, sizeof(row));
		memcpy(row.a.key, j->act.key, KEY_LEN);
		row.a.group = j->act.group;
	}
	if (j->as_found)
		agreed_adopt(&row.a, NULL, &j->as);
	else
		agreed_settle(&row.a, &j->act.aim, j->changed, time(NULL));
	snprintf(row.remote_id, sizeof(row.remote_id), "%s",
	    j->remote_id[0] ? j->remote_id : j->act.remote_id);
	snprintf(row.number, sizeof(row.number), "%s",
	    j->number[0] ? j->number : j->act.number);
	if ((exchange ? act_exchange_settled(j, e)
		      : store_agreed_put(m->store, j->act.room, &row, e)) ||
	    store_act_drop(m->store, j->act.id, e))
		return -1;
	m->recent[recent_slot(j->act.key)] = loop_now();
	m->rooms[j->room].dirty = 1;
	trees_released(m, &m->rooms[j->room], j->act.key);
	m->ex.done++;
	if (kind == PLAN_CHANGE && j->act.aim.change & CHANGE_TIME)
		ev = EV_MOVE_DONE;
	if (kind != PLAN_ASK)
		evidence_job(m, j->adopted ? EV_ADOPTED : ev, j);
	if (exchange)
		return say_fallback(j, e);
	if (j->fallback && kind == PLAN_CREATE) {
		evidence_job(m, EV_ORGANISER_UNKNOWN, j);
		if (put_problem(j, row.a.key, -row.a.end,
			"its organiser is not (or not uniquely) a "
			"person in TOPdesk; the fallback person "
			"was used",
			e))
			return -1;
	}
	if (j->state == BOOKING_STATE_CONFLICTING) {
		evidence_job(m, EV_CONFLICT, j);
		/* The words of the next plan: it is said once. */
		return put_problem(
		    j, row.a.key, 0, plan_reason_text(REASON_CONFLICTING), e);
	}
	return 0;
}

/* TOPdesk has judged it anew; nothing is agreed on by that. */
static int
judged(struct job *j, struct err *e)
{
	struct mapd *m = j->m;

	m->recent[recent_slot(j->act.key)] = loop_now();
	m->rooms[j->room].dirty = 1;
	m->ex.done++;
	evidence_job(m, EV_MOVE_DONE, j);
	return store_act_drop(m->store, j->act.id, e);
}

static int
later(struct job *j, enum act_state state, int64_t pause, struct err *e)
{
	struct act *a = &j->act;

	a->state = state;
	a->tries++;
	a->next_try = time(NULL) + pause;
	snprintf(a->reason, sizeof(a->reason), "%.199s", j->text);
	j->m->ex.failed++;
	/* What waited for this meeting is looked at again. */
	if (a->aim.kind == PLAN_MEET)
		j->m->rooms[j->room].dirty = 1;
	return store_act_update(j->m->store, a, e);
}

static int64_t
growing(unsigned tries, int64_t first, int64_t most)
{
	int64_t p = first << (tries > 10 ? 10 : tries);

	return p > most ? most : p;
}

static int
set_aside(struct job *j, struct err *e)
{
	/* The first time it is a record; then only the journal counts. */
	if (j->act.tries == 0)
		evidence_job(j->m,
		    j->outcome == OUTCOME_CONFLICT ? EV_CONFLICT
						   : EV_ACTION_FAILED,
		    j);
	return later(
	    j, ACT_ASIDE, growing(j->act.tries, ASIDE_FIRST, ASIDE_MOST), e);
}

int
act_settle(struct job *j, struct err *e)
{
	struct mapd *m = j->m;
	/* Without effect for certain, unless its outcome was unknown before. */
	enum act_state same = j->act.state == ACT_SENT ? ACT_SENT : ACT_ASIDE;
	int64_t pause = growing(j->act.tries, 2, AGAIN_MOST);

	switch (j->outcome) {
	case OUTCOME_OK:
		return j->act.aim.kind == PLAN_AGAIN ? judged(j, e)
						     : settled(j, e);
	case OUTCOME_CONFLICT:
		if (j->act.aim.kind == PLAN_AGAIN) {
			strcpy(j->text,
			    "TOPdesk still has another reservation of the "
			    "room at that time, though none is to be seen");
			return set_aside(j, e);
		}
		if (j->remote_id[0]) {
			j->state = BOOKING_STATE_CONFLICTING;
			return settled(j, e);
		}
		snprintf(j->text, sizeof(j->text),
		    "the room is taken in TOPdesk at that time: move one of "
		    "the two");
		return set_aside(j, e);
	case OUTCOME_GONE:
		/* Deleted, or hidden by a branch filter: should it be seen
		 * again, it must still be cancelled.  Over, it is dropped. */
		if (j->act.aim.kind == PLAN_CANCEL) {
			strcpy(j->text,
			    "TOPdesk says that it does not exist: deleted, or "
			    "hidden by a branch filter");
			return set_aside(j, e);
		}
		/* What was to be changed is not there: plan anew. */
		__attribute__((fallthrough));
	case OUTCOME_STALE:
		m->rooms[j->room].dirty = 1;
		return store_act_drop(m->store, j->act.id, e);
	case OUTCOME_BUSY:
		return later(
		    j, same, j->retry_after ? j->retry_after : pause, e);
	case OUTCOME_FAILED:
		return later(j, same, pause, e);
	case OUTCOME_UNKNOWN:
	case OUTCOME_BROKEN:
		evidence_job(m, EV_ACTION_UNKNOWN, j);
		return later(
		    j, ACT_SENT, growing(j->act.tries, 1, AGAIN_MOST), e);
	case OUTCOME_DENIED:
		evidence_job(m, EV_ACTION_FAILED, j);
		return later(j, same, growing(j->act.tries, 30, 900), e);
	default:
		return set_aside(j, e);
	}
}
