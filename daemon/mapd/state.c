/*
 * state.c: mapd's hold on its database: rooms, what was under way at the last
 * end, and what happens when it cannot be written.
 */
#include "mapd/mapd.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

size_t
mapd_room(const struct mapd *m, int64_t id)
{
	size_t i;

	for (i = 0; i < m->nrooms; i++)
		if (m->rooms[i].st.id == id)
			break;
	return i;
}

void
mapd_store_failed(struct mapd *m, const struct err *e)
{
	if (m->disk_bad)
		return;
	m->disk_bad = 1;
	snprintf(m->trouble, sizeof(m->trouble),
	    "the state cannot be "
	    "written: %.150s",
	    e->text);
	log_err("%s; starting again", m->trouble);
	mapd_status(m);
	/* What was journaled is safe; systemd starts a fresh process. */
	loop_stop(m->loop);
}

/* Finds or adds every configured room.  Within a transaction. */
static int
find_rooms(struct mapd *m, int64_t *ids, struct err *e)
{
	struct room *r;

	for (size_t i = 0; i < m->nrooms; i++) {
		r = &m->rooms[i];
		if (store_room(m->store, r->conf->mailbox, r->conf->location,
			&r->st, e))
			return -1;
		ids[i] = r->st.id;
	}
	return 0;
}

int
mapd_open_rooms(struct mapd *m, struct err *e)
{
	int64_t *ids = calloc(m->nrooms + 1, sizeof(*ids));
	size_t n = 0;
	int rc = -1, changed;

	if (ids == NULL)
		return err_set(e, 0, "no memory");
	if (store_exchange_kind(
		m->store, m->conf->exchange.kind, &changed, e) ||
	    first_begin(m, e))
		goto out;
	if (store_begin(m->store, e))
		goto out;
	if (find_rooms(m, ids, e)) {
		store_rollback(m->store);
		goto out;
	}
	if (store_commit(m->store, e) ||
	    store_conflict_leave(m->store, ids, m->nrooms, time(NULL), e) ||
	    store_rooms_unknown(m->store, ids, m->nrooms, &n, e))
		goto out;
	if (n)
		log_notice("%zu rooms are not configured any more; their "
			   "reservations are left as they are",
		    n);
	if (store_act_recover(m->store, &n, e))
		goto out;
	if (n)
		log_notice("%zu actions were under way: each is looked up "
			   "before it is sent again",
		    n);
	rc = 0;
out:
	free(ids);
	return rc;
}
