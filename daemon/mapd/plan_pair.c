/*
 * plan_pair.c: the same booking on both sides: a of plan_clash.c.
 *
 * Not here: bookings that merely overlap (plan_overlap.c).
 */
#include <stdlib.h>
#include <string.h>

#include "mapd/plan_clash.h"

static int
spot_compare_time(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->until != y->until)
		return x->until < y->until ? -1 : 1;
	if (x->person != y->person)
		return x->person < y->person ? -1 : 1;
	return memcmp(x->w->key, y->w->key, KEY_LEN);
}

static int
pair(struct turn *e, struct turn *t)
{
	turn_drop_writes(e);
	turn_drop_writes(t);
	turn_drop(t, PLAN_REPORT, REASON_ORPHAN);
	e->fate = t->fate = FATE_PAIRED;
	if (is_meeting(t)) {
		e->fate = FATE_WAITS;
		return 0;
	}
	if (emit(e, PLAN_PAIR, REASON_NONE, 0, 1))
		return -1;
	turn_latest(e)->topdesk = t->t->row;
	return 0;
}

/* How many from s on are of the same person. */
static size_t
same_person(const struct spot *s, size_t n)
{
	size_t k = 1;

	while (k < n && s[k].person == s[0].person)
		k++;
	return k;
}

/* ne and nt of the same times, sorted by person. */
static int
match_group(struct spot *e, size_t ne, struct spot *t, size_t nt)
{
	size_t i = 0, k = 0, many_e, many_t;

	if (ne == 1 && nt == 1)
		return pair(e->w, t->w);
	while (i < ne && k < nt) {
		if (e[i].person != t[k].person) {
			if (e[i].person < t[k].person)
				i++;
			else
				k++;
			continue;
		}
		many_e = same_person(e + i, ne - i);
		many_t = same_person(t + k, nt - k);
		if (many_e == 1 && many_t == 1 && e[i].person != 0 &&
		    pair(e[i].w, t[k].w))
			return -1;
		i += many_e;
		k += many_t;
	}
	for (i = 0; i < ne; i++)
		if (e[i].w->fate == FATE_OPEN && make_doubtful(e[i].w))
			return -1;
	for (k = 0; k < nt; k++)
		if (t[k].w->fate == FATE_OPEN && !is_meeting(t[k].w) &&
		    make_doubtful(t[k].w))
			return -1;
	return 0;
}

/* The length of the run at s of one pair of times. */
static size_t
same_times(const struct spot *s, size_t n)
{
	size_t k = 1;

	while (k < n && s[k].first == s[0].first && s[k].until == s[0].until)
		k++;
	return k;
}

static int
compare_times(const struct spot *e, const struct spot *t)
{
	if (e->first != t->first)
		return e->first < t->first ? -1 : 1;
	return (e->until > t->until) - (e->until < t->until);
}

/* Only those that may be matched come here: e and t of c are filtered. */
static int
match(struct spot *e, size_t ne, struct spot *t, size_t nt)
{
	size_t i = 0, k = 0, many_e, many_t;
	int c;

	while (i < ne && k < nt) {
		many_e = same_times(e + i, ne - i);
		many_t = same_times(t + k, nt - k);
		c = compare_times(&e[i], &t[k]);
		if (c == 0 && match_group(e + i, many_e, t + k, many_t))
			return -1;
		i += c <= 0 ? many_e : 0;
		k += c >= 0 ? many_t : 0;
	}
	return 0;
}

/* a, over copies of those that may be one booking. */
int
pair_new(struct clash *c)
{
	struct spot *e = calloc(c->ne + 1, sizeof(*e));
	struct spot *t = calloc(c->nt + 1, sizeof(*t));
	size_t ne = 0, nt = 0;
	int rc = -1;

	if (e == NULL || t == NULL)
		goto out;
	for (size_t i = 0; i < c->ne; i++)
		if (is_new_e(c->e[i].w))
			e[ne++] = c->e[i];
	for (size_t i = 0; i < c->nt; i++)
		if (is_new_t(c->t[i].w) || is_orphan(c->t[i].w))
			t[nt++] = c->t[i];
	qsort(e, ne, sizeof(*e), spot_compare_time);
	qsort(t, nt, sizeof(*t), spot_compare_time);
	rc = match(e, ne, t, nt);
out:
	free(e);
	free(t);
	return rc;
}
