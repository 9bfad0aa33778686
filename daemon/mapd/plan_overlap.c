/*
 * plan_overlap.c: an e and a t that overlap, and who loses: c, d and e of
 * plan_clash.c.
 *
 * Not here: which overlap (the sweep, plan_clash.c), how the loser is told
 * (mapd's executor).
 */
#include "mapd/agree.h"
#include "mapd/plan_clash.h"

static int
overlap_really(const struct spot *e, const struct spot *t)
{
	return e->first < t->until && t->first < e->until;
}

/* c */
int
on_doubt(struct clash *c, struct spot *e, struct spot *t)
{
	(void)c;
	if (!overlap_really(e, t) || e->person == 0 || e->person != t->person ||
	    (e->first != t->first && e->until != t->until))
		return 0;
	if (e->w->fate != FATE_OPEN || t->w->fate != FATE_OPEN ||
	    !is_new_e(e->w) || !is_new_t(t->w) || is_meeting(t->w))
		return 0;
	return make_doubtful(e->w) || make_doubtful(t->w) ? -1 : 0;
}

/* The record of two that want the room: the loser's, who may lose only once. */
static int
clash(struct turn *e, struct turn *t, enum upstream loser)
{
	struct turn *w = loser == UPSTREAM_EXCHANGE ? e : t;
	struct action *x;

	if (emit(w, PLAN_CLASH, REASON_LOST, 0, 0))
		return -1;
	x = turn_latest(w);
	x->loser = (uint8_t)loser;
	if (loser == UPSTREAM_EXCHANGE)
		x->rival_topdesk = t->t->row;
	else
		x->rival_exchange = e->e->row;
	return 0;
}

static int
lose_exchange(struct turn *e, struct turn *t)
{
	if (e->fate == FATE_LOST)
		return 0;
	turn_drop_writes(e);
	e->fate = FATE_LOST;
	if (clash(e, t, UPSTREAM_EXCHANGE) ||
	    emit(e, PLAN_MEETING_CANCEL, REASON_LOST, 0, e->a ? e->a->gen : 0))
		return -1;
	turn_latest(e)->rival_topdesk = t->t->row;
	return 0;
}

static int
lose_topdesk(struct turn *e, struct turn *t)
{
	turn_drop(t, PLAN_MEET, REASON_NONE);
	turn_drop(t, PLAN_REPORT, REASON_CONFLICTING);
	if (t->fate == FATE_LOST)
		return 0;
	t->fate = FATE_LOST;
	/* It cannot be cancelled, so nobody is told that it is. */
	if (!t->in->policy.to_topdesk)
		return clash(e, t, UPSTREAM_NONE);
	if (clash(e, t, UPSTREAM_TOPDESK) ||
	    emit(t, PLAN_NOTICE, REASON_LOST, 0, 0))
		return -1;
	turn_latest(t)->rival_exchange = e->e->row;
	return 0;
}

/* Who loses where a reservation without a meeting is in it. */
static int
topdesk_stays(const struct turn *t)
{
	return t->in->policy.conflict == CONFLICT_TOPDESK && !is_conflicting(t);
}

/* The reservation will be elsewhere, or gone: planned, or journaled. */
static int
makes_way(const struct turn *t)
{
	struct drafted *x = turn_write(t);
	unsigned kind = x ? x->x.kind : PLAN_REPORT;
	unsigned journaled = t->row && (t->row->busy || t->row->waiting)
	    ? t->row->aim.kind
	    : PLAN_REPORT;

	return kind == PLAN_CANCEL || kind == PLAN_CHANGE ||
	    journaled == PLAN_CANCEL || journaled == PLAN_CHANGE;
}

static int
block_in_the_way(struct turn *e)
{
	turn_drop(e, PLAN_CREATE, REASON_NONE);
	e->fate = FATE_WAITS;
	return report(e, REASON_BLOCK);
}

/* d, with a reservation that has no meeting: both are new. */
static int
both_new(struct spot *e, struct spot *t)
{
	if (!overlap_really(e, t)) {
		/* The meeting fits; TOPdesk would refuse the reservation. */
		return e->w->fate == FATE_OPEN ? block_in_the_way(e->w) : 0;
	}
	/* What waits, or is to leave, still stands in the room. */
	if (is_meeting(t->w) || e->w->fate == FATE_WAITS ||
	    t->w->fate == FATE_PAIRED) {
		turn_drop_writes(e->w);
		turn_drop(t->w, PLAN_MEET, REASON_NONE);
		return 0;
	}
	if (t->w->fate == FATE_DOUBTFUL)
		return make_doubtful(e->w);
	if (topdesk_stays(t->w)) {
		turn_drop(t->w, PLAN_MEET, REASON_NONE);
		return lose_exchange(e->w, t->w);
	}
	turn_drop(e->w, PLAN_CREATE, REASON_NONE);
	e->w->fate = FATE_WINS;
	return lose_topdesk(e->w, t->w);
}

/* d, with a reservation whose meeting stands. */
static int
new_against_paired(struct spot *e, struct spot *t)
{
	if (e->w->fate != FATE_OPEN || makes_way(t->w))
		return 0;
	if (!overlap_really(e, t))
		return block_in_the_way(e->w);
	if (e->w->in->policy.conflict == CONFLICT_EXCHANGE)
		return 0;
	return lose_exchange(e->w, t->w);
}

/* e, and what of a wanted e is neither new nor paired. */
static int
meet_against(struct spot *e, struct spot *t)
{
	int busy = e->w->row && e->w->row->busy;
	struct drafted *x = turn_write(e->w);

	if (!overlap_really(e, t) || is_meeting(t->w))
		return 0;
	if (busy || (e->w->a && is_released(e->w->a) && !is_late(e->w)) ||
	    e->w->fate == FATE_PAIRED || e->w->fate == FATE_LOST ||
	    (x && x->x.kind == PLAN_MEETING_CANCEL)) {
		turn_drop(t->w, PLAN_MEET, REASON_NONE);
		return 0;
	}
	if (!is_agreed(e->w))
		return t->w->fate == FATE_OPEN ? make_doubtful(t->w) : 0;
	if (!topdesk_stays(t->w))
		return lose_topdesk(e->w, t->w);
	turn_drop(t->w, PLAN_MEET, REASON_NONE);
	return lose_exchange(e->w, t->w);
}

/* What was new before phase 2 touched it, or is so once more. */
static int
was_new_e(const struct turn *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->draft->actions[w->first + i].x.kind == PLAN_CREATE)
			return !is_agreed(w);
	return 0;
}

static int
was_new_t(const struct turn *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->draft->actions[w->first + i].x.kind == PLAN_MEET)
			return 1;
	return is_meeting(w) || is_conflicting(w);
}

/* TOPdesk would refuse the new times of a meeting that fits in Exchange. */
static int
moves_into_block(const struct spot *e, const struct spot *t)
{
	struct drafted *x = turn_write(e->w);

	return x && x->x.kind == PLAN_CHANGE && x->x.change & CHANGE_TIME &&
	    e->w->fate == FATE_OPEN && !overlap_really(e, t) &&
	    !makes_way(t->w);
}

/* d and e */
int
on_overlap(struct clash *c, struct spot *e, struct spot *t)
{
	int new_e = was_new_e(e->w) && e->w->fate != FATE_DOUBTFUL &&
	    e->w->fate != FATE_PAIRED;

	(void)c;
	/* Perhaps it is the very meeting that is on its way here. */
	if (t->w->t->arriving) {
		turn_drop(e->w, PLAN_CREATE, REASON_NONE);
		return 0;
	}
	if (moves_into_block(e, t)) {
		turn_drop(e->w, PLAN_CHANGE, REASON_NONE);
		e->w->fate = FATE_WAITS;
		return report(e->w, REASON_BLOCK);
	}
	if (was_new_t(t->w))
		return new_e ? both_new(e, t) : meet_against(e, t);
	if (new_e && is_agreed(t->w))
		return new_against_paired(e, t);
	/* Paired just now: from the next planning on it is as the others. */
	if (new_e && t->w->fate == FATE_PAIRED)
		turn_drop_writes(e->w);
	return 0;
}
