/*
 * trees.c: the tree "TOPdesk as seen" of a visit: which booking each reservation
 * of the room belongs to.
 *
 * A reservation's link is set once and names the room it was made for, so it is
 * not enough: what was moved to another room in TOPdesk, what another
 * integration has linked, and what has no link yet are known by their id, which
 * the agreed row keeps.
 *
 * Not here: the other two trees (settle.c), what follows from them (plan.c).
 */
#include "mapd/mapd.h"
#include "lib/marks.h"
#include "mapd/agree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_remote(const void *a, const void *b)
{
	return strcmp((*(const struct agreed_row *const *)a)->remote_id,
	    (*(const struct agreed_row *const *)b)->remote_id);
}

/* Rows that are agreed and live, by the id of their reservation. */
struct by_remote {
	const struct agreed_row **row;
	size_t n;
};

static int
index_agreed(const struct visit *v, struct by_remote *x)
{
	x->n = 0;
	x->row = calloc(v->nagreed + 1, sizeof(*x->row));
	if (x->row == NULL)
		return -1;
	for (size_t i = 0; i < v->nagreed; i++)
		if (v->agreed[i].a.gen && !v->agreed[i].a.dead &&
		    v->agreed[i].remote_id[0])
			x->row[x->n++] = &v->agreed[i];
	qsort(x->row, x->n, sizeof(*x->row), compare_remote);
	return 0;
}

static const struct agreed_row *
find_remote(const struct by_remote *x, const char *id)
{
	struct agreed_row probe;
	const struct agreed_row *p = &probe, **hit;

	snprintf(probe.remote_id, sizeof(probe.remote_id), "%s", id);
	hit = bsearch(&p, x->row, x->n, sizeof(*x->row), compare_remote);
	return hit ? *hit : NULL;
}

/* Does the key of a link stand for something of this room? */
static int
key_known(const struct visit *v, const uint8_t key[KEY_LEN])
{
	struct seen e = {0};
	struct agreed a = {0};

	memcpy(e.key, key, KEY_LEN);
	memcpy(a.key, key, KEY_LEN);
	return bsearch(&e, v->seen, v->nseen, sizeof(e), seen_compare) ||
	    bsearch(&a, v->aseen, v->nagreed, sizeof(a), agreed_compare);
}

/* --- strays -------------------------------------------------------------------- */

/* What room `to` showed of other rooms' reservations is looked at anew. */
static void
strays_drop(struct mapd *m, size_t to)
{
	struct room *r;

	for (r = m->rooms; r < m->rooms + m->nrooms; r++)
		for (size_t i = 0; i < r->nstrays;)
			if (r->strays[i].to == to)
				r->strays[i] = r->strays[--r->nstrays];
			else
				i++;
}

int
stray_add(struct mapd *m, size_t home, const uint8_t key[KEY_LEN],
    const struct reservation *t, size_t to)
{
	struct room *r = &m->rooms[home];
	struct stray *p;
	size_t i;

	for (i = 0; i < r->nstrays; i++)
		if (strcmp(r->strays[i].r.id, t->id) == 0)
			break;
	if (i == r->nstrays) {
		p = realloc(r->strays, (r->nstrays + 1) * sizeof(*p));
		if (p == NULL)
			return -1;
		r->strays = p;
		r->nstrays++;
	}
	p = &r->strays[i];
	p->r = *t;
	p->to = to;
	memcpy(p->r.s.key, key, KEY_LEN);
	p->r.s.elsewhere = to < m->nrooms ? ELSEWHERE_KNOWN : ELSEWHERE_UNKNOWN;
	r->dirty = 1;
	return 0;
}

/* The reservation of a stray is this room's no longer: its row was settled. */
static int
is_settled(const struct by_remote *x, const struct reservation *t)
{
	const struct agreed_row *row = find_remote(x, t->id);

	return row == NULL || memcmp(row->a.key, t->s.key, KEY_LEN) != 0;
}

static int
is_listed(const struct visit *v, const char *id)
{
	for (size_t i = 0; i < v->nlisted; i++)
		if (strcmp(v->td[i].id, id) == 0)
			return 1;
	return 0;
}

void
trees_released(
    struct mapd *m, const struct room *home, const uint8_t key[KEY_LEN])
{
	for (size_t i = 0; i < home->nstrays; i++)
		if (memcmp(home->strays[i].r.s.key, key, KEY_LEN) == 0)
			m->rooms[home->strays[i].to].dirty = 1;
}

/* The strays of this room, behind its own list; not those that are back. */
static int
strays_take(struct visit *v, const struct by_remote *x)
{
	struct room *r = &v->m->rooms[v->room];
	struct reservation *td;

	v->nlisted = v->ntd;
	if (r->nstrays == 0)
		return 0;
	td = realloc(v->td, (v->ntd + r->nstrays) * sizeof(*td));
	if (td == NULL)
		return -1;
	v->td = td;
	for (size_t i = 0; i < r->nstrays;)
		if (is_settled(x, &r->strays[i].r) ||
		    is_listed(v, r->strays[i].r.id))
			r->strays[i] = r->strays[--r->nstrays];
		else
			td[v->ntd++] = r->strays[i++].r;
	return 0;
}

/* --- keys ------------------------------------------------------------------------ */

/*
 * The link is of something that this reservation has left: it went to another
 * room, where it got another meeting, and has come back without it.
 */
static int
is_given_up(const struct visit *v, const struct reservation *t)
{
	struct agreed probe = {0};
	const struct agreed *a;

	memcpy(probe.key, t->s.key, KEY_LEN);
	a = bsearch(
	    &probe, v->aseen, v->nagreed, sizeof(probe), agreed_compare);
	return a && a->dead == DEAD_MOVED &&
	    gen_order(t->s.gen) <= gen_order(a->gen);
}

/*
 * A reservation that no live row of this room names.  When it is another
 * room's, that one is told; until its meeting has followed it only takes the
 * time here.
 */
static int
place_unknown(struct visit *v, struct reservation *t, struct err *e)
{
	struct mapd *m = v->m;
	struct agreed_row row;
	int64_t id;
	size_t home;
	int found = store_agreed_by_remote(
	    m->store, t->id, m->rooms[v->room].st.id, &id, &row, e);

	if (found < 0)
		return -1;
	home = found ? mapd_room(m, id) : m->nrooms;
	/* One of several rooms has a meeting in each of them. */
	if (found && !row.a.dead && home < m->nrooms &&
	    !(t->s.marks & MARK_SEVERAL_ROOMS)) {
		if (stray_add(m, home, row.a.key, t, v->room))
			return err_set(e, ENOMEM, "no memory");
		t->s.arriving = 1;
	}
	if (t->s.link == LINK_OURS && !t->s.arriving &&
	    key_known(v, t->s.key) && !is_given_up(v, t))
		return 0;
	/* ORB's own link, and no state that says more: it may have been lost. */
	if (t->s.link == LINK_OURS && !found && !key_known(v, t->s.key))
		return 0;
	/* Its meeting may be on its way in the room that it was in. */
	found = t->s.arriving
	    ? 0
	    : store_act_meets(m->store, t->id, m->rooms[v->room].st.id, e);
	if (found < 0)
		return -1;
	if (found)
		t->s.arriving = m->rooms[v->room].dirty = 1;
	if (t->s.link == LINK_OURS)
		t->s.link = LINK_OTHER;
	t->s.provisional = 1;
	t->s.gen = 0;
	identity_provisional(m->rooms[v->room].conf->mailbox, t->id, t->s.key);
	return 0;
}

static int
place(struct visit *v, const struct by_remote *x, struct reservation *t,
    struct err *e)
{
	const struct agreed_row *row = find_remote(x, t->id);

	if (t->s.elsewhere)
		return 0;
	if (row == NULL)
		return place_unknown(v, t, e);
	if (t->s.link == LINK_OURS &&
	    memcmp(t->s.key, row->a.key, KEY_LEN) != 0)
		t->s.link = LINK_OTHER;
	if (t->s.link != LINK_OURS)
		t->s.gen = row->a.gen;
	memcpy(t->s.key, row->a.key, KEY_LEN);
	return 0;
}

int
trees_topdesk(struct visit *v, struct err *e)
{
	struct by_remote x;

	strays_drop(v->m, v->room);
	if (index_agreed(v, &x))
		return err_set(e, ENOMEM, "no memory");
	if (strays_take(v, &x)) {
		free(x.row);
		return err_set(e, ENOMEM, "no memory");
	}
	free(v->tseen);
	if ((v->tseen = calloc(v->ntd + 1, sizeof(*v->tseen))) == NULL) {
		free(x.row);
		return err_set(e, ENOMEM, "no memory");
	}
	v->ntseen = 0;
	for (size_t i = 0; i < v->ntd; i++) {
		if (place(v, &x, &v->td[i], e)) {
			free(x.row);
			return -1;
		}
		v->tseen[v->ntseen] = v->td[i].s;
		v->tseen[v->ntseen++].row = (uint32_t)i;
	}
	free(x.row);
	qsort(v->tseen, v->ntseen, sizeof(*v->tseen), seen_compare);
	return 0;
}
