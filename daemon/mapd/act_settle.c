/*
 * act_settle.c: what the outcome of an action means for the state: settled, tried
 * again after a pause, looked up, set aside with its reason, or dropped and planned
 * anew.  Within a transaction of the executor's.
 *
 * Not here: what is agreed after an action (agree.c, act_exchange.c), how it was
 * sent (act.c, act_exchange.c).
 */
#include "mapd/mapd.h"
#include "lib/log.h"
#include "lib/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASIDE_FIRST 300 /* seconds */
#define ASIDE_MOST (6 * 3600)
#define AGAIN_MOST 300

int
job_problem(struct job *j, const uint8_t key[KEY_LEN], int64_t kept,
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
		return job_problem(j, j->act.key, time(NULL) + HISTORY_KEPT,
		    j->m->conf->exchange.fallback_organiser[0]
			? "its requester has no mailbox that ORB may write "
			  "to, so the fallback was told: pass it on"
			: "its requester has no mailbox that ORB may write "
			  "to, so nobody was told that it lost the room: do "
			  "it",
		    e);
	return job_problem(j, j->met_key, -j->act.aim.end,
	    "its requester has no mailbox that ORB may write to; the meeting "
	    "was made in the fallback's calendar",
	    e);
}

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
		if (job_problem(j, row.a.key, -row.a.end,
			"its organiser is not (or not uniquely) a "
			"person in TOPdesk; the fallback person "
			"was used",
			e))
			return -1;
	}
	if (j->state == BOOKING_STATE_CONFLICTING) {
		evidence_job(m, EV_CONFLICT, j);
		/* The words of the next plan: it is said once. */
		return job_problem(
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
		evidence_job(m, EV_ACTION_DROPPED, j);
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
