/*
 * visit_read.c: one object of Exchange, or the occurrences of a series, read
 * while a visit is under way: what its answer lacked, or its plan needs.
 *
 * Not here: what is asked for and why (settle.c, settle_missing.c).
 */
#include "mapd/visit.h"

#include <stdlib.h>
#include <string.h>

#define READ_DEADLINE (5 * 60 * 1000)

/* A read of one object, or of a series, while a visit is under way. */
struct reading {
	struct visit *v;
	int suspect; /* a "gone" answer is the evidence that was missing */
	int series;  /* an expansion */
	char id[];
};

static void
mark_gone(struct visit *v, const char *id)
{
	for (size_t i = 0; i < v->nrows; i++)
		if (strcmp(v->rows[i].remote_id, id) == 0 ||
		    strcmp(v->rows[i].series_id, id) == 0)
			v->rows[i].s.gone = 2; /* 2: to be written */
	v->changed = 1;
}

static int
on_read(struct chan *c, struct packet *pk, void *arg)
{
	struct reading *g = arg;
	struct visit *v = g->v;
	struct msg_mapd_read r;
	int outcome = OUTCOME_FAILED;
	const char *text = "";

	(void)c;
	if (pk && pk->type == MSG_MAPD_BOOKING)
		return visit_take_booking(v, pk);
	if (pk && pk->type == MSG_MAPD_READ) {
		if (mapd_read_get(pk, &r))
			return -1;
		outcome = r.outcome;
		text = r.text;
	} else if (pk && pk->type != MSG_ERROR)
		return -1;
	if (outcome == OUTCOME_GONE && g->suspect)
		mark_gone(v, g->id);
	else if (outcome == OUTCOME_OK && g->series)
		settle_expanded(v, g->id);
	else if (outcome == OUTCOME_BROKEN && !g->series)
		visit_unread(v, 1, text); /* it does not hold up the room */
	else if (outcome != OUTCOME_OK && outcome != OUTCOME_GONE)
		v->reads_failed = 1;
	free(g);
	v->reads--;
	visit_step(v);
	return 0;
}

static struct reading *
reading_start(
    struct visit *v, const char *id, int suspect, int series, uint64_t *call)
{
	struct chan *c = v->m->exchange.chan;
	struct reading *g;

	if (c == NULL || (g = malloc(sizeof(*g) + strlen(id) + 1)) == NULL)
		return NULL;
	g->v = v;
	g->suspect = suspect;
	g->series = series;
	strcpy(g->id, id);
	if ((*call = chan_call(c, READ_DEADLINE, on_read, g)) == 0) {
		free(g);
		return NULL;
	}
	v->reads++;
	peer_flush(&v->m->exchange);
	return g;
}

/* When sending fails the connection is closing, and on_read gets NULL. */
int
visit_get(struct visit *v, const char *remote_id, int suspect)
{
	struct msg_adapter_get get = {
	    v->m->rooms[v->room].conf->mailbox, remote_id};
	uint64_t id;

	if (reading_start(v, remote_id, suspect, 0, &id) == NULL)
		return -1;
	(void)adapter_get_send(v->m->exchange.chan, id, 0, &get);
	return 0;
}

int
visit_expand(struct visit *v, const char *series_id)
{
	const struct room *r = &v->m->rooms[v->room];
	struct msg_adapter_expand x = {
	    r->conf->mailbox, series_id, r->st.from, r->st.to};
	uint64_t id;

	if (reading_start(v, series_id, 1, 1, &id) == NULL)
		return -1;
	(void)adapter_expand_send(v->m->exchange.chan, id, 0, &x);
	return 0;
}
