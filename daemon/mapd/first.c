/*
 * first.c: the first look at two systems that may both have been in use for
 * years.  Until it is over, every write is held (settle_commit.c): when they are
 * more than policy.approve_writes, a person sees them in orbctl plan, and what
 * was matched with them, and lets them through.
 *
 * What is matched is followed by writes that no plan of the same round can know
 * of yet (a link, a change of what differs).  So the look goes on until a round
 * has matched nothing new, and only then is counted.
 *
 * A look that ended before anything was written is begun anew at the next start:
 * so the list of what was matched need not be kept, and it is never older than
 * the two systems.
 *
 * A way (policy.direction) that is carried from now on is looked at in the same
 * manner: what people made meanwhile on a side that was not followed may be a lot.
 *
 * Not here: what matches (plan_pair.c), how the count is made (settle_round.c).
 */
#include "mapd/mapd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which way is carried, as a fact of the store; and does orb.conf say so now? */
static const struct way {
	const char *fact;
	enum conf_direction not_with;
} ways[] = {{"carries to-topdesk", CONF_DIRECTION_TO_EXCHANGE},
    {"carries to-exchange", CONF_DIRECTION_TO_TOPDESK}};
#define NWAYS (sizeof(ways) / sizeof(ways[0]))

/* A way that is carried anew is looked at as if for the first time. */
static int
begin_way(struct mapd *m, const struct way *w, struct err *e)
{
	int known = store_meta_is(m->store, w->fact, e);
	int on = m->conf->policy.direction != w->not_with;

	if (known < 0)
		return -1;
	if (on && !known)
		m->first = 1;
	return known && !on ? store_meta_drop(m->store, w->fact, e) : 0;
}

int
first_begin(struct mapd *m, struct err *e)
{
	int looked, begun;

	if ((looked = store_meta_is(m->store, "looked", e)) < 0 ||
	    (begun = store_meta_is(m->store, "begun", e)) < 0)
		return -1;
	m->first = !looked;
	if (!looked && !begun && store_forget(m->store, e))
		return -1;
	for (size_t i = 0; i < NWAYS; i++)
		if (begin_way(m, &ways[i], e))
			return -1;
	return 0;
}

int
first_keep(struct mapd *m, struct err *e)
{
	for (size_t i = 0; i < NWAYS; i++)
		if (m->conf->policy.direction != ways[i].not_with &&
		    store_meta_set(m->store, ways[i].fact, e))
			return -1;
	return store_meta_set(m->store, "looked", e);
}

int
first_matched(struct mapd *m, const struct room *r, const struct action *a,
    const struct reservation *t, struct err *e)
{
	struct matches *list = &m->matches;
	struct match *p;
	size_t cap;

	if (!m->first)
		return 0;
	if (list->n == list->cap) {
		cap = list->cap ? list->cap * 2 : 64;
		if ((p = realloc(list->row, cap * sizeof(*p))) == NULL)
			return err_set(e, ENOMEM, "no memory");
		list->row = p;
		list->cap = cap;
	}
	p = &list->row[list->n++];
	list->news = 1;
	p->kind = (uint8_t)a->kind;
	p->room = (size_t)(r - m->rooms);
	p->start = t->s.start;
	p->end = t->s.end;
	memcpy(p->key, a->key, KEY_LEN);
	snprintf(p->number, sizeof(p->number), "%s", t->number);
	return 0;
}

int
first_goes_on(struct mapd *m)
{
	int news = m->first && m->matches.news;

	m->matches.news = 0;
	if (news)
		m->round.again = 1;
	return news;
}

void
first_show(struct mapd *m)
{
	for (size_t i = 0; m->first && i < m->matches.n; i++)
		control_matched(m, &m->matches.row[i]);
}

void
first_over(struct mapd *m)
{
	free(m->matches.row);
	memset(&m->matches, 0, sizeof(m->matches));
	m->first = 0;
}
