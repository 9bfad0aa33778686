/*
 * store_conflict.c: the conflicts: two bookings that wanted one room and time,
 * from when they were seen until a while after they ended.
 *
 * Not here: what is a conflict and who loses (plan), how it is shown
 * (control_list.c).
 */
#include "mapd/store_db.h"

#include <stdio.h>
#include <string.h>

/* The columns in the order of CONFLICT_COLUMNS. */
static void
conflict_get(struct query *q, struct conflict *c)
{
	memset(c, 0, sizeof(*c));
	c->room = query_get_int(q);
	query_get_blob(q, c->key, KEY_LEN);
	c->since = query_get_int(q);
	c->start = query_get_int(q);
	c->end = query_get_int(q);
	snprintf(c->number, sizeof(c->number), "%s", query_get_str(q));
	snprintf(c->rival, sizeof(c->rival), "%s", query_get_str(q));
	c->policy = (uint8_t)query_get_int(q);
	c->loser = (uint8_t)query_get_int(q);
	c->why = (uint8_t)query_get_int(q);
	c->settled = query_get_int(q);
}

/* 1 found, 0 not, -1 error. */
static int
conflict_find(struct store *st, int64_t room, const uint8_t key[KEY_LEN],
    struct conflict *out, struct err *e)
{
	struct query q = query_start(st, Q_CONFLICT_GET);
	int found;

	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	if ((found = query_row(&q)) != 0)
		conflict_get(&q, out);
	return query_end(&q, e, "read a conflict") ? -1 : found;
}

static int
conflict_write(struct store *st, const struct conflict *c, struct err *e)
{
	struct query q = query_start(st, Q_CONFLICT_PUT);

	query_int(&q, c->room);
	query_blob(&q, c->key, KEY_LEN);
	query_int(&q, c->since);
	query_int(&q, c->start);
	query_int(&q, c->end);
	query_str(&q, c->number);
	query_str(&q, c->rival);
	query_int(&q, c->policy);
	query_int(&q, c->loser);
	query_int(&q, c->why);
	query_int(&q, 0);
	return query_end(&q, e, "keep a conflict");
}

/* Is it the same story: would a person be told the same again? */
static int
same_story(const struct conflict *a, const struct conflict *b)
{
	return a->loser == b->loser && a->why == b->why &&
	    strcmp(a->rival, b->rival) == 0;
}

static int
same_rest(const struct conflict *a, const struct conflict *b)
{
	return a->start == b->start && a->end == b->end &&
	    a->policy == b->policy && strcmp(a->number, b->number) == 0;
}

int
store_conflict_put(
    struct store *st, const struct conflict *c, int *fresh, struct err *e)
{
	struct conflict old, new = *c;
	int known, news;

	if ((known = conflict_find(st, c->room, c->key, &old, e)) < 0)
		return -1;
	known = known && old.settled == 0;
	news = !known || !same_story(&old, c);
	if (known)
		new.since = old.since;
	/* Each round sees it again: nothing new is nothing to write. */
	if ((news || !same_rest(&old, c)) && conflict_write(st, &new, e))
		return -1;
	*fresh = news;
	return 0;
}

int
store_conflict_settle(struct store *st, int64_t room,
    const uint8_t key[KEY_LEN], int64_t when, struct err *e)
{
	struct query q = query_start(st, Q_CONFLICT_SETTLE);

	query_int(&q, when);
	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	return query_end(&q, e, "settle a conflict");
}

int
store_conflict_list(struct store *st, int64_t room,
    int (*fn)(void *, const struct conflict *), void *arg, struct err *e)
{
	struct query q = query_start(st, Q_CONFLICT_LIST);
	struct conflict c;
	int stop = 0;

	query_int(&q, room);
	while (!stop && query_row(&q)) {
		conflict_get(&q, &c);
		/* A row that is not ours is said at the end, not shown. */
		if (q.rc == SQLITE_ROW)
			stop = fn(arg, &c);
	}
	return query_end(&q, e, "list conflicts");
}

struct left {
	const int64_t *ids;
	size_t nids;
	int64_t room; /* one with an open conflict that is not in ids */
	int found;
};

static int
find_left(void *arg, const struct conflict *c)
{
	struct left *l = arg;

	if (c->settled)
		return 1; /* the open ones came first */
	for (size_t i = 0; i < l->nids; i++)
		if (l->ids[i] == c->room)
			return 0;
	l->room = c->room;
	return l->found = 1;
}

int
store_conflict_leave(struct store *st, const int64_t *ids, size_t nids,
    int64_t when, struct err *e)
{
	struct left l = {ids, nids, 0, 0};
	struct query q;

	for (;;) {
		l.found = 0;
		if (store_conflict_list(st, 0, find_left, &l, e))
			return -1;
		if (!l.found)
			return 0;
		q = query_start(st, Q_CONFLICT_SETTLE_ROOM);
		query_int(&q, when);
		query_int(&q, l.room);
		if (query_end(&q, e, "settle the conflicts of a room"))
			return -1;
	}
}

int
store_conflict_expire(struct store *st, int64_t before, struct err *e)
{
	struct query q = query_start(st, Q_CONFLICT_EXPIRE);

	query_int(&q, before);
	return query_end(&q, e, "forget old conflicts");
}
