/*
 * round_execute.c: the second half of the model's round: sending what is due,
 * settling it, and looking up what may have been sent.
 */
#include "round.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MAX 600

/* --- settling ------------------------------------------------------------------- */

int
model_agreed(struct model *m, const uint8_t key[KEY_LEN], struct agreed_row *r)
{
	struct err e = {0};
	int rc = store_agreed_get(m->st, m->room.id, key, r, &e);

	if (rc < 0)
		return model_fail(m, &e);
	if (rc == 0) {
		memset(r, 0, sizeof(*r));
		memcpy(r->a.key, key, KEY_LEN);
	}
	return 0;
}

void
model_name(struct agreed_row *r, int id)
{
	snprintf(r->remote_id, sizeof(r->remote_id), "%d", id);
	snprintf(r->number, sizeof(r->number), "R %d", id);
}

/* One transaction: what is agreed now, and the action gone. */
static int
settle(struct model *m, const struct agreed_row *r, int64_t id)
{
	struct err e = {0};

	if (store_begin(m->st, &e) ||
	    store_agreed_put(m->st, m->room.id, r, &e) ||
	    store_act_drop(m->st, id, &e))
		return model_fail(m, &e);
	if (model_crash(m))
		return CRASH;
	return store_commit(m->st, &e) ? model_fail(m, &e) : 0;
}

static int
settle_act(struct model *m, const struct act *a, const struct aim *aim, int id,
    int64_t changed)
{
	struct agreed_row r;

	if (model_agreed(m, a->key, &r))
		return -1;
	if (aim->kind == PLAN_CREATE) {
		memset(&r.a, 0, sizeof(r.a));
		memcpy(r.a.key, a->key, KEY_LEN);
		r.a.group = a->group;
	}
	agreed_settle(&r.a, aim, changed, 0);
	if (id >= 0)
		model_name(&r, id);
	return settle(m, &r, a->id);
}

static int
drop_act(struct model *m, const struct act *a)
{
	struct err e = {0};

	return store_act_drop(m->st, a->id, &e) ? model_fail(m, &e) : 0;
}

/* --- what may have been sent --------------------------------------------------- */

/* Not to be seen may be hidden: planned again, and looked for once more before
 * it is sent. */
static int
wait_again(struct model *m, struct act *a)
{
	struct err e = {0};

	a->state = ACT_ASIDE;
	a->tries++;
	a->next_try = m->w->now;
	return store_act_update(m->st, a, &e) ? model_fail(m, &e) : 0;
}

/*
 * What is older than the action was made by an earlier one, of what the meeting
 * was then, or before the state was lost: it is adopted.
 */
static int
found_older(struct model *m, const struct act *a, struct reservation *r)
{
	struct agreed_row row;
	struct seen t;

	if (model_agreed(m, a->key, &row))
		return -1;
	reservation_seen(m->w, (int)(r - m->w->res), &t);
	agreed_adopt(&row.a, NULL, &t);
	row.a.group = a->group;
	model_name(&row, (int)(r - m->w->res));
	r->agreed_start = r->start;
	r->person_moved = r->person_edited = 0;
	return settle(m, &row, a->id);
}

static int
found_create(struct model *m, const struct act *a, struct reservation *r)
{
	if (r->changed < a->created ||
	    (a->tries > 0 &&
		(r->start != a->aim.start || r->end != a->aim.end)))
		return found_older(m, a, r);
	/* changed is not known: people may have been there since. */
	r->unclear = 1;
	return settle_act(m, a, &a->aim, (int)(r - m->w->res), 0);
}

static int
recover_one(struct model *m, struct act *a)
{
	int slot = slot_of(m->w, a->key);
	struct reservation *r;

	if (a->aim.kind == PLAN_CHANGE)
		return drop_act(m, a);
	if (a->aim.kind == PLAN_CREATE) {
		r = topdesk_find(m->w, slot, a->aim.gen);
		if (r == NULL || r->end <= m->w->now)
			return wait_again(m, a);
		return found_create(m, a, r);
	}
	/* Dropped, ORB's own cancellation would look like a person's. */
	r = topdesk_get(m->w, atoi(a->remote_id));
	if (r == NULL)
		return 0; /* not to be seen: it stays unknown */
	if (is_live(r))
		return drop_act(m, a);
	return settle_act(m, a, &a->aim, -1, 0);
}

int
model_recover(struct model *m)
{
	struct err e = {0};
	struct act *acts;
	size_t n;
	int rc = 0;

	if (store_act_due(m->st, m->w->now, 0, SIZE_MAX, &acts, &n, &e))
		return model_fail(m, &e);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (acts[i].state == ACT_SENT && (rc = model_crash(m)) == 0)
			rc = recover_one(m, &acts[i]);
	free(acts);
	return rc;
}

/* --- executing ---------------------------------------------------------------------------- */

static int
put_off(struct model *m, struct act *a, enum answer answer)
{
	struct err e = {0};
	int64_t pause = 60 << (a->tries < 4 ? a->tries : 4);

	if (answer == ANSWER_LOST) {
		a->state = ACT_SENT;
	} else {
		a->state = ACT_ASIDE;
		a->tries++;
		a->next_try =
		    m->w->now + (pause < BACKOFF_MAX ? pause : BACKOFF_MAX);
		snprintf(a->reason, sizeof(a->reason), "refused");
	}
	return store_act_update(m->st, a, &e) ? model_fail(m, &e) : 0;
}

static int
send_create(struct model *m, struct act *a)
{
	enum answer answer;
	int id = -1, rc;

	answer = topdesk_create(m->w, slot_of(m->w, a->key), &a->aim, &id);
	if ((rc = model_crash(m)))
		return rc;
	if (answer != ANSWER_OK)
		return put_off(m, a, answer);
	return settle_act(m, a, &a->aim, id, m->w->res[id].changed);
}

/* Two requests; each that was answered is settled by itself. */
static int
send_change(struct model *m, struct act *a, int id)
{
	int said = a->aim.reason == REASON_CHANGED_ON_BOTH, rc;
	enum answer answer = ANSWER_OK;
	struct aim done = a->aim;

	done.change = 0;
	if (a->aim.change & CHANGE_TIME) {
		answer = topdesk_reschedule(m->w, id, &a->aim, said);
		if ((rc = model_crash(m)))
			return rc;
		if (answer == ANSWER_OK)
			done.change |= CHANGE_TIME;
	}
	if (answer == ANSWER_OK && (a->aim.change & CHANGE_TEXT)) {
		answer = topdesk_edit(m->w, id, &a->aim, said);
		if ((rc = model_crash(m)))
			return rc;
		if (answer == ANSWER_OK)
			done.change |= CHANGE_TEXT;
	}
	if (answer == ANSWER_OK)
		return settle_act(m, a, &done, id, m->w->res[id].changed);
	/* The half that was done shows in the list; it is agreed from there. */
	return put_off(m, a, answer);
}

static int
send_cancel(struct model *m, struct act *a, int id)
{
	int slot = slot_of(m->w, a->key), rc;
	enum answer answer;

	if (!m->let[slot])
		snprintf(m->bad, sizeof(m->bad),
		    "booking %d: a held cancellation went through", slot);
	answer = topdesk_cancel(m->w, id);
	if ((rc = model_crash(m)))
		return rc;
	if (answer != ANSWER_OK)
		return put_off(m, a, answer);
	return settle_act(m, a, &a->aim, id, 0);
}

static int
act_payload(struct model *m, const struct act *a, struct payload *p)
{
	struct err e = {0};
	struct secret s;

	if (store_act_payload(m->st, a, &s, &e))
		return model_fail(m, &e);
	if (s.len != sizeof(*p)) {
		secret_free(&s);
		snprintf(m->bad, sizeof(m->bad), "a payload of another size");
		return -1;
	}
	memcpy(p, s.p, sizeof(*p));
	secret_free(&s);
	if (p->slot != slot_of(m->w, a->key)) {
		snprintf(m->bad, sizeof(m->bad), "another action's payload");
		return -1;
	}
	return 0;
}

/* Reads before it writes, as what waited may be about what changed since. */
static int
send_act(struct round *r, struct act *a)
{
	struct model *m = r->m;
	struct reservation *res;
	struct err e = {0};
	struct payload p = {-1, 0};
	int id = atoi(a->remote_id), again = a->tries > 0;

	if (a->state == ACT_ASIDE) {
		a->state = ACT_READY;
		if (store_act_update(m->st, a, &e))
			return model_fail(m, &e);
	}
	if (act_payload(m, a, &p))
		return -1;
	if (a->aim.kind == PLAN_CREATE && again &&
	    (res = topdesk_find(m->w, p.slot, a->aim.gen)) != NULL &&
	    res->end > m->w->now)
		return found_create(m, a, res);
	if (a->aim.kind == PLAN_CREATE)
		return send_create(m, a);
	res = topdesk_get(m->w, id);
	if (res == NULL)
		return put_off(m, a, ANSWER_REFUSED);
	/* Somebody was there since: plan anew from what it is now. */
	if (!is_live(res) || res->issued || res->archived ||
	    (p.base && res->changed != p.base))
		return drop_act(m, a);
	return a->aim.kind == PLAN_CHANGE ? send_change(m, a, id)
					  : send_cancel(m, a, id);
}

int
round_execute(struct round *r)
{
	struct model *m = r->m;
	struct err e = {0};
	struct act *acts;
	size_t n;
	int rc = 0;

	if (store_act_due(m->st, m->w->now, 0, 64, &acts, &n, &e))
		return model_fail(m, &e);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (acts[i].state != ACT_SENT && (rc = model_crash(m)) == 0)
			rc = send_act(r, &acts[i]);
	free(acts);
	return rc;
}
