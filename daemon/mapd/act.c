/*
 * act.c: one action on TOPdesk: what a look at its reservation says, and what is
 * sent for it.  Not here: what the answer means for the state (act_settle.c), when
 * it runs (execute.c), why it was planned (plan.c).
 */
#include "mapd/mapd.h"
#include "lib/log.h"
#include "lib/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WRITE_DEADLINE (15 * 60 * 1000)

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
	if (job_problem(j, j->act.key, 0, text, &e))
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
