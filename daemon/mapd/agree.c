/*
 * agree.c: comparing what Exchange shows, what TOPdesk shows and what both
 * agreed on last, and what is agreed after an action.
 *
 * Time and text are compared apart: a person may have moved a reservation in
 * TOPdesk while its organiser changed the subject, and neither contradicts the
 * other.
 *
 * Not here: what is to be done about a difference (plan.c).
 */
#include "mapd/agree.h"

#include <string.h>

static const uint8_t unknown[PRINT_LEN];

static int64_t
minute(int64_t t)
{
	return t / 60 - (t % 60 < 0);
}

int
same_time(int64_t s1, int64_t e1, int64_t s2, int64_t e2)
{
	return minute(s1) == minute(s2) && minute(e1) == minute(e2);
}

static int
is_known(const uint8_t print[PRINT_LEN])
{
	return memcmp(print, unknown, PRINT_LEN) != 0;
}

static int
same_print(const uint8_t a[PRINT_LEN], const uint8_t b[PRINT_LEN])
{
	return memcmp(a, b, PRINT_LEN) == 0;
}

static void
compare_time(const struct seen *e, const struct seen *t, const struct agreed *a,
    struct difference *d)
{
	int ours = !same_time(e->start, e->end, a->start, a->end);
	int theirs = !same_time(t->start, t->end, a->start, a->end);

	if (same_time(e->start, e->end, t->start, t->end)) {
		d->learn |= ours;
	} else if (ours) {
		d->write |= CHANGE_TIME;
		d->both |= theirs ? CHANGE_TIME : 0;
	} else {
		d->theirs |= theirs ? CHANGE_TIME : 0;
	}
}

/*
 * Did a person change the text of t?  TOPdesk may keep a text differently than
 * it was written; as long as the reservation was not modified since then, that
 * is no change.  unclear is the answer when nobody knows when it was written.
 */
static int
text_edited(const struct seen *t, const struct agreed *a, int unclear)
{
	if (!is_known(a->td_print) || !is_known(t->print) ||
	    same_print(t->print, a->td_print))
		return 0;
	return a->changed ? t->changed != a->changed : unclear;
}

static void
compare_text(const struct seen *e, const struct seen *t, const struct agreed *a,
    struct difference *d)
{
	int ours = is_known(e->print) && !same_print(e->print, a->ex_print);
	int moved = is_known(t->print) && !same_print(t->print, a->td_print);

	if (is_known(e->print) && same_print(e->print, t->print)) {
		d->learn |= ours || moved;
	} else if (ours) {
		d->write |= CHANGE_TEXT;
		/* Rather said once too often than overwritten silently. */
		d->both |= text_edited(t, a, 1) ? CHANGE_TEXT : 0;
	} else if (moved) {
		if (text_edited(t, a, 0))
			d->theirs |= CHANGE_TEXT;
		else
			d->learn = 1;
	}
}

/* The text is TOPdesk's: ORB never wrote it there. */
static void
compare_own_text(
    const struct seen *t, const struct agreed *a, struct difference *d)
{
	if (is_known(t->print) && is_known(a->td_print) &&
	    !same_print(t->print, a->td_print))
		d->theirs |= CHANGE_TEXT;
}

unsigned
gen_linked(const struct seen *t)
{
	return t->link == LINK_OTHER || t->link == LINK_FOREIGN ? 0 : t->gen;
}

unsigned
gen_order(unsigned gen)
{
	return gen == GEN_TOPDESK ? 1 : gen;
}

unsigned
gen_of(const struct seen *t, const struct agreed *a)
{
	unsigned gen = gen_linked(t);

	return gen == 0 && a ? a->gen : gen;
}

void
agree_compare(const struct seen *e, const struct seen *t,
    const struct agreed *a, struct difference *d)
{
	memset(d, 0, sizeof(*d));
	compare_time(e, t, a, d);
	if (a->origin == ORIGIN_TOPDESK)
		compare_own_text(t, a, d);
	else
		compare_text(e, t, a, d);
	d->learn |= a->gen != gen_of(t, a);
}

void
agree_unseen(const struct seen *t, const struct agreed *a, struct difference *d)
{
	memset(d, 0, sizeof(*d));
	if (!same_time(t->start, t->end, a->start, a->end))
		d->theirs |= CHANGE_TIME;
	compare_own_text(t, a, d);
}

unsigned
agree_changed(const struct seen *e, const struct agreed *a)
{
	unsigned bits = 0;

	if (!same_time(e->start, e->end, a->start, a->end))
		bits |= CHANGE_TIME;
	if (a->origin == ORIGIN_EXCHANGE && is_known(e->print) &&
	    !same_print(e->print, a->ex_print))
		bits |= CHANGE_TEXT;
	return bits;
}

enum upstream
plan_writes(enum plan_kind kind)
{
	switch (kind) {
	case PLAN_CREATE:
	case PLAN_CHANGE:
	case PLAN_CANCEL:
	case PLAN_LINK:
	case PLAN_AGAIN:
		return UPSTREAM_TOPDESK;
	case PLAN_MEET:
	case PLAN_MEETING_CHANGE:
	case PLAN_MEETING_SWAP:
	case PLAN_MEETING_CANCEL:
	case PLAN_NOTICE:
		return UPSTREAM_EXCHANGE;
	case PLAN_ADOPT:
	case PLAN_BURY:
	case PLAN_FORGET:
	case PLAN_UNHOLD:
	case PLAN_CONFIRM:
	case PLAN_REPORT:
	case PLAN_PAIR:
	case PLAN_CLASH:
	case PLAN_ASK:
		break;
	}
	return UPSTREAM_NONE;
}

void
plan_aim(const struct action *x, const struct seen *e, const struct seen *t,
    struct aim *aim)
{
	const struct seen *s = e;

	/* The link, too, is written to what t is. */
	if (x->kind == PLAN_LINK || x->kind == PLAN_AGAIN ||
	    plan_writes(x->kind) == UPSTREAM_EXCHANGE)
		s = t;
	memset(aim, 0, sizeof(*aim));
	aim->kind = (uint8_t)x->kind;
	aim->change = (uint8_t)x->change;
	aim->gen = x->gen;
	aim->reason = (uint8_t)x->reason;
	if (x->kind == PLAN_CANCEL || s == NULL)
		return;
	aim->start = s->start;
	aim->end = s->end;
	memcpy(aim->print, s->print, PRINT_LEN);
}

int
aim_same(const struct aim *a, const struct aim *b)
{
	return a->kind == b->kind && a->change == b->change &&
	    a->gen == b->gen && a->reason == b->reason &&
	    same_time(a->start, a->end, b->start, b->end) &&
	    same_print(a->print, b->print);
}

/* Exchange shows what is agreed: nothing is waited for. */
static void
stop_waiting(struct agreed *a)
{
	a->await = a->was_start = a->was_end = 0;
}

/* A row of which nothing stands starts anew. */
static void
begin(struct agreed *a, const struct seen *t)
{
	memset(a->ex_print, 0, PRINT_LEN);
	memset(a->td_print, 0, PRINT_LEN);
	stop_waiting(a);
	if (gen_linked(t))
		a->origin =
		    t->gen == GEN_TOPDESK ? ORIGIN_TOPDESK : ORIGIN_EXCHANGE;
}

void
agreed_adopt(struct agreed *a, const struct seen *e, const struct seen *t)
{
	struct difference d = {0};
	int fresh = a->gen == 0 || a->dead;

	memcpy(a->key, t->key, KEY_LEN);
	if (e)
		a->group = e->group;
	if (fresh)
		begin(a, t);
	if (e && same_time(e->start, e->end, a->start, a->end))
		stop_waiting(a);
	compare_time(e ? e : t, t, a, &d);
	if (fresh || !d.theirs) {
		a->start = t->start;
		a->end = t->end;
	}
	d.theirs = 0;
	if (a->origin == ORIGIN_TOPDESK)
		compare_own_text(t, a, &d);
	else
		compare_text(e ? e : t, t, a, &d);
	if (a->origin == ORIGIN_EXCHANGE && e && same_print(e->print, t->print))
		memcpy(a->ex_print, e->print, PRINT_LEN);
	if (fresh || !d.theirs) {
		memcpy(a->td_print, t->print, PRINT_LEN);
		a->changed = t->changed;
	}
	a->gen = (uint8_t)gen_of(t, a);
	a->dead = DEAD_NOT;
}

void
agreed_pair(struct agreed *a, const struct seen *e, const struct seen *t)
{
	memcpy(a->key, e->key, KEY_LEN);
	a->group = e->group;
	a->start = t->start;
	a->end = t->end;
	/* Both texts stand as people wrote them, until one is changed. */
	memcpy(a->ex_print, e->print, PRINT_LEN);
	memcpy(a->td_print, t->print, PRINT_LEN);
	a->changed = t->changed;
	a->origin = ORIGIN_EXCHANGE;
	a->gen = 1;
	a->dead = DEAD_NOT;
	stop_waiting(a);
}

int
is_released(const struct agreed *a)
{
	return a->dead == DEAD_RELEASED || (a->dead == DEAD_MOVED && a->await);
}

/* A write to TOPdesk, of what e shows. */
static void
settle_topdesk(struct agreed *a, const struct aim *aim, int64_t changed)
{
	int create = aim->kind == PLAN_CREATE;

	a->dead = DEAD_NOT;
	if (create)
		a->origin = ORIGIN_EXCHANGE;
	if (create || (aim->change & CHANGE_TIME)) {
		a->start = aim->start;
		a->end = aim->end;
		stop_waiting(a);
	}
	if (create || (aim->change & CHANGE_TEXT)) {
		memcpy(a->ex_print, aim->print, PRINT_LEN);
		memcpy(a->td_print, aim->print, PRINT_LEN);
		/* Only here: a write of the time alone must not make text that
		 * a person edited before it look like ours. */
		a->changed = changed;
	}
}

static void
settle_meet(struct agreed *a, const struct aim *aim, int64_t now)
{
	a->gen = GEN_TOPDESK;
	a->origin = ORIGIN_TOPDESK;
	a->dead = DEAD_NOT;
	a->start = aim->start;
	a->end = aim->end;
	memset(a->ex_print, 0, PRINT_LEN);
	memcpy(a->td_print, aim->print, PRINT_LEN);
	stop_waiting(a);
	a->await = now;
}

static void
settle_meeting_change(struct agreed *a, const struct aim *aim, int64_t now)
{
	if (aim->change & CHANGE_TIME) {
		a->was_start = a->start;
		a->was_end = a->end;
		a->start = aim->start;
		a->end = aim->end;
		a->await = now;
	}
	if (aim->change & CHANGE_TEXT)
		memcpy(a->td_print, aim->print, PRINT_LEN);
}

void
agreed_settle(
    struct agreed *a, const struct aim *aim, int64_t changed, int64_t now)
{
	if (aim->gen)
		a->gen = aim->gen;
	switch (aim->kind) {
	case PLAN_CREATE:
	case PLAN_CHANGE:
		settle_topdesk(a, aim, changed);
		break;
	case PLAN_BURY:
		stop_waiting(a);
		if (a->dead == DEAD_MOVED)
			break;
		__attribute__((fallthrough));
	case PLAN_CANCEL:
		a->dead = DEAD_CANCELLED;
		break;
	case PLAN_MEET:
		settle_meet(a, aim, now);
		break;
	case PLAN_MEETING_CHANGE:
		settle_meeting_change(a, aim, now);
		break;
	case PLAN_MEETING_SWAP:
	case PLAN_MEETING_CANCEL:
		a->dead = aim->reason == REASON_MOVED_ROOM ? DEAD_MOVED
							   : DEAD_RELEASED;
		a->await = now;
		break;
	case PLAN_NOTICE:
		a->dead = DEAD_TOLD;
		a->start = aim->start;
		a->end = aim->end;
		break;
	default: /* LINK: its generation; the others settle nothing */
		break;
	}
}
