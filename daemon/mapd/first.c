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
 * Not here: what matches (plan_pair.c), how the count is made (settle_round.c).
 */
#include "mapd/mapd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
first_begin(struct mapd *m, struct err *e)
{
	int looked, begun;

	if ((looked = store_meta_is(m->store, "looked", e)) < 0 ||
	    (begun = store_meta_is(m->store, "begun", e)) < 0)
		return -1;
	m->first = !looked;
	return looked || begun ? 0 : store_forget(m->store, e);
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
