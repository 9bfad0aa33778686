/*
 * window.c: the window of Exchange that a room's cursor stands for.  It is
 * fixed with the cursor and reaches further than what is planned; on the room's
 * turn, every rebase_days, it is read anew from where the plan's window is then.
 * Rooms have their turns by their index, so that not all are read whole on the
 * same day.
 *
 * Not here: the plan's window (round.c), what a reading means (settle.c).
 */
#include "mapd/visit.h"

#include <stdlib.h>

#define DAY 86400

void
room_window(struct mapd *m, struct room *r, int64_t now)
{
	const struct conf_policy *p = &m->conf->policy;
	int64_t day = now / DAY; /* its last turn was so many days ago: */
	int64_t ago = (day + (r - m->rooms)) % p->rebase_days;

	if (r->st.cursor && r->st.based >= (day - ago) * DAY &&
	    r->st.from <= m->round.from && r->st.to >= m->round.to)
		return;
	free(r->st.cursor);
	r->st.cursor = NULL;
	r->st.cursor_len = 0;
	r->st.based = now;
	r->st.from = m->round.from;
	r->st.to = m->round.to + (p->rebase_days + 1) * (int64_t)DAY;
}
