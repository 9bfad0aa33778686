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

static int
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
		d->both |= theirs;
	} else {
		d->theirs |= theirs;
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
		d->both |= text_edited(t, a, 1);
	} else if (moved) {
		d->theirs |= text_edited(t, a, 0);
		d->learn |= !text_edited(t, a, 0);
	}
}

void
agree_compare(const struct seen *e, const struct seen *t,
    const struct agreed *a, struct difference *d)
{
	memset(d, 0, sizeof(*d));
	compare_time(e, t, a, d);
	compare_text(e, t, a, d);
	d->learn |= a->gen != t->gen;
}

unsigned
agree_changed(const struct seen *e, const struct agreed *a)
{
	unsigned bits = 0;

	if (!same_time(e->start, e->end, a->start, a->end))
		bits |= CHANGE_TIME;
	if (is_known(e->print) && !same_print(e->print, a->ex_print))
		bits |= CHANGE_TEXT;
	return bits;
}

void
plan_aim(const struct action *x, const struct seen *e, const struct seen *t,
    struct aim *aim)
{
	(void)t;
	memset(aim, 0, sizeof(*aim));
	aim->kind = (uint8_t)x->kind;
	aim->change = (uint8_t)x->change;
	aim->gen = x->gen;
	aim->reason = (uint8_t)x->reason;
	if (x->kind == PLAN_CANCEL || e == NULL)
		return;
	aim->start = e->start;
	aim->end = e->end;
	memcpy(aim->print, e->print, PRINT_LEN);
}

int
aim_same(const struct aim *a, const struct aim *b)
{
	return a->kind == b->kind && a->change == b->change &&
	    a->gen == b->gen && a->reason == b->reason &&
	    same_time(a->start, a->end, b->start, b->end) &&
	    same_print(a->print, b->print);
}

void
agreed_adopt(struct agreed *a, const struct seen *e, const struct seen *t)
{
	struct difference d = {0};
	int fresh = a->gen == 0 || a->dead;

	memcpy(a->key, t->key, KEY_LEN);
	if (e)
		a->group = e->group;
	if (fresh) {
		memset(a->ex_print, 0, PRINT_LEN);
		memset(a->td_print, 0, PRINT_LEN);
	}
	compare_time(e ? e : t, t, a, &d);
	if (fresh || !d.theirs) {
		a->start = t->start;
		a->end = t->end;
	}
	d.theirs = 0;
	compare_text(e ? e : t, t, a, &d);
	if (e && same_print(e->print, t->print))
		memcpy(a->ex_print, e->print, PRINT_LEN);
	if (fresh || !d.theirs) {
		memcpy(a->td_print, t->print, PRINT_LEN);
		a->changed = t->changed;
	}
	a->gen = t->gen;
	a->dead = 0;
}

void
agreed_settle(
    struct agreed *a, const struct aim *aim, int64_t changed, int64_t now)
{
	(void)now;
	int create = aim->kind == PLAN_CREATE;

	if (aim->gen)
		a->gen = aim->gen;
	a->dead = aim->kind == PLAN_CANCEL || aim->kind == PLAN_BURY;
	if (create || (aim->change & CHANGE_TIME)) {
		a->start = aim->start;
		a->end = aim->end;
	}
	if (create || (aim->change & CHANGE_TEXT)) {
		memcpy(a->ex_print, aim->print, PRINT_LEN);
		memcpy(a->td_print, aim->print, PRINT_LEN);
		/* Only here: a write of the time alone must not make text that
		 * a person edited before it look like ours. */
		a->changed = changed;
	}
}
