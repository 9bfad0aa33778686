/*
 * settle_hurry.c: what was set aside is tried again when its reason may have
 * gone, not only when its pause is over: TOPdesk's list of the room is another
 * than it was, and nothing in it stands in the way any more.
 *
 * One try for each change of the list, so what is refused for another reason
 * costs a request whenever somebody changes a reservation of the room.
 *
 * Not here: how long the pauses are (act.c).
 */
#include "lib/marks.h"
#include "mapd/mapd.h"
#include "mapd/settle.h"

#include <string.h>

/* Does a live reservation, but the action's own, meet its times? */
static int
is_taken(const struct visit *v, const struct agreed *a)
{
	const struct seen *t;

	for (size_t i = 0; i < v->ntseen; i++) {
		t = &v->tseen[i];
		if (t->state == BOOKING_STATE_CANCELLED || t->elsewhere ||
		    (t->marks & MARK_ARCHIVED) ||
		    memcmp(t->key, a->key, KEY_LEN) == 0)
			continue;
		if (t->start < a->aim.end && t->end > a->aim.start)
			return 1;
	}
	return 0;
}

/* May the one that a is about be written to again? */
static int
is_locked_still(const struct visit *v, const struct agreed *a)
{
	for (size_t i = 0; i < v->ntseen; i++)
		if (memcmp(v->tseen[i].key, a->key, KEY_LEN) == 0 &&
		    (v->tseen[i].marks & (MARK_ISSUED | MARK_ARCHIVED)))
			return 1;
	return 0;
}

int
settle_hurry(struct visit *v, struct err *e)
{
	const struct agreed *a;
	int rc = 0;

	for (size_t i = 0; rc == 0 && v->td_news && i < v->nagreed; i++) {
		a = &v->aseen[i];
		if (!a->waiting || a->busy ||
		    plan_writes(a->aim.kind) != UPSTREAM_TOPDESK ||
		    /* Its own try is what changed the list. */
		    a->aim.kind == PLAN_AGAIN || is_locked_still(v, a) ||
		    (a->aim.kind != PLAN_CANCEL && is_taken(v, a)))
			continue;
		rc = store_act_hurry(
		    v->m->store, v->m->rooms[v->room].st.id, a->key, e);
	}
	return rc;
}
