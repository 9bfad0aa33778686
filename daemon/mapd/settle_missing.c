/*
 * settle_missing.c: what an answer of Exchange lacks.  Positive evidence only: a
 * booking that an answer merely lacks becomes a suspect and is read by its id;
 * only "it does not exist" marks it gone.
 *
 * Not here: the reads themselves (visit_read.c), what follows (settle.c).
 */
#include "mapd/settle.h"

#include <string.h>

static int
in_window(const struct room *r, const struct seen *s)
{
	return s->end > r->st.from && s->start < r->st.to;
}

static void
suspect_missing(struct visit *v, const char *series_id)
{
	const struct room *r = &v->m->rooms[v->room];
	struct seen_row *row;

	for (size_t i = 0; i < v->nrows; i++) {
		row = &v->rows[i];
		if (series_id && strcmp(row->series_id, series_id) != 0)
			continue;
		if (row->s.gone || row->s.state == BOOKING_STATE_CANCELLED ||
		    !in_window(r, &row->s) || visit_content(v, row->s.key))
			continue;
		if (visit_get(v, row->remote_id, 1))
			v->reads_failed = 1;
	}
}

void
settle_expanded(struct visit *v, const char *series_id)
{
	suspect_missing(v, series_id);
}

static int
series_known(const struct visit *v, const char *series_id)
{
	for (size_t i = 0; i < v->nrows; i++)
		if (strcmp(v->rows[i].series_id, series_id) == 0)
			return 1;
	return 0;
}

static int
remote_known(const struct visit *v, const char *id)
{
	for (size_t i = 0; i < v->nrows; i++)
		if (strcmp(v->rows[i].remote_id, id) == 0)
			return 1;
	return series_known(v, id);
}

int
settle_observe(struct visit *v)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	struct err e;

	v->npolled = v->nin;
	if (store_seen_load(m->store, r->st.id, &v->rows, &v->nrows, &e)) {
		mapd_store_failed(m, &e);
		return -1;
	}
	if (v->ex_full) {
		suspect_missing(v, NULL);
		return 0;
	}
	/* What was never mapped is no concern: the feed also names events
	 * outside the window. */
	for (size_t i = 0; i < v->nremoved; i++)
		if (remote_known(v, v->removed[i]) &&
		    visit_get(v, v->removed[i], 1))
			v->reads_failed = 1;
	for (size_t i = 0; i < v->nseries; i++)
		if (series_known(v, v->series[i]) &&
		    visit_expand(v, v->series[i]))
			v->reads_failed = 1;
	for (size_t i = 0; i < v->nshown; i++)
		suspect_missing(v, v->shown[i]);
	return 0;
}
