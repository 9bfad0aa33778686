/*
 * visit.c: one room in a round: both sides are asked at once, and what comes is
 * collected, up to what an adapter may make mapd keep.
 *
 * Not here: reads of single objects (visit_read.c), when it is visited
 * (round.c), what the answers mean (settle.c).
 */
#include "mapd/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_DEADLINE (15 * 60 * 1000)

static const char flood[] =
    "the adapter sent more bookings of this room than can be kept; none of "
    "this answer is used";

void
visit_free(struct visit *v)
{
	size_t i;

	for (i = 0; i < v->nin; i++)
		free(v->in[i]);
	for (i = 0; i < v->nseries; i++)
		free(v->series[i]);
	for (i = 0; i < v->nshown; i++)
		free(v->shown[i]);
	for (i = 0; i < v->nremoved; i++)
		free(v->removed[i]);
	free(v->in);
	free(v->series);
	free(v->shown);
	free(v->removed);
	free(v->cursor);
	free(v->td);
	seen_rows_free(v->rows, v->nrows);
	free(v->agreed);
	free(v->seen);
	free(v->tseen);
	free(v->aseen);
	plan_free(&v->plan);
	free(v);
}

/* A room that cannot be read is a problem until it can. */
static void
room_trouble(struct room *r, int failed)
{
	if (!failed) {
		r->trouble[0] = '\0';
		r->trouble_rounds = 0;
		return;
	}
	if (r->trouble_rounds++ == 0)
		r->trouble_since = time(NULL);
	memcpy(r->trouble, r->text, sizeof(r->trouble));
}

void
visit_over(struct visit *v)
{
	struct mapd *m = v->m;
	struct room *r = &m->rooms[v->room];
	int failed = !v->ex_ok || !v->td_ok;

	r->visit = NULL;
	room_trouble(r, failed);
	m->round.failed += failed ? 1 : 0;
	visit_free(v);
	if (--m->round.left == 0)
		round_over(m);
}

void
visit_add(struct visit *v, struct content *c)
{
	struct content **p;
	size_t cap;

	if (v->nin == v->capin) {
		cap = v->capin ? v->capin * 2 : 16;
		if ((p = realloc(v->in, cap * sizeof(*p))) == NULL) {
			free(c);
			v->reads_failed = 1;
			return;
		}
		v->in = p;
		v->capin = cap;
	}
	v->in[v->nin++] = c;
}

static void
add_string(char ***list, size_t *n, const char *s)
{
	char **p;

	/* Grown by powers of two: *n is one when it must grow. */
	if ((*n & (*n - 1)) == 0) {
		p = realloc(*list, (*n ? *n * 2 : 1) * sizeof(*p));
		if (p == NULL)
			return;
		*list = p;
	}
	if (((*list)[*n] = strdup(s)) != NULL)
		(*n)++;
}

/* Room for one more of what an adapter says about the room? */
static int
can_take(struct visit *v, size_t bytes)
{
	struct round *r = &v->m->round;

	if (v->sightings >= VISIT_MOST || r->bytes + bytes > ROUND_BYTES)
		return 0;
	v->sightings++;
	r->bytes += bytes + sizeof(struct content);
	return 1;
}

/* A booking of a poll, an expansion or a read of Exchange. */
int
visit_take_booking(struct visit *v, struct packet *pk)
{
	struct room *r = &v->m->rooms[v->room];
	struct msg_mapd_booking b;
	struct content *c;
	const char *why;

	if (mapd_booking_get(pk, &b))
		return -1;
	if (!can_take(v, pk->len)) {
		v->ex_flood = v->reads_failed = 1;
		return 0;
	}
	if ((c = content_of(v->m, v->room, &b.booking, &why)) != NULL) {
		visit_add(v, c);
		return 0;
	}
	/* One bad item never holds up a room. */
	if (r->text[0] == '\0')
		evidence(v->m, EV_PROBLEM, r, NULL, NULL, why);
	snprintf(r->text, sizeof(r->text), "%s", why);
	return 0;
}

/* Both sides read? */
void
visit_step(struct visit *v)
{
	if (v->planned) {
		if (v->reads == 0)
			settle_contents_done(v);
		return;
	}
	if (!v->ex_done || !v->td_done || v->reads)
		return;
	settle_visit(v);
}

/* --- Exchange ------------------------------------------------------------------ */

static void
exchange_failed(struct visit *v, const char *text)
{
	struct room *r = &v->m->rooms[v->room];

	v->ex_done = 1;
	v->ex_ok = 0;
	snprintf(r->text, sizeof(r->text), "Exchange: %s", text);
	wire_mend(r->text);
}

void
visit_unread(struct visit *v, unsigned n, const char *text)
{
	if (v->unread == 0) {
		snprintf(v->unread_text, sizeof(v->unread_text), "%s", text);
		wire_mend(v->unread_text);
	}
	v->unread += n;
	v->changed = 1;
}

static int
exchange_polled(struct visit *v, struct packet *pk)
{
	struct mapd *m = v->m;
	struct msg_mapd_polled p;

	if (mapd_polled_get(pk, &p))
		return -1;
	if (p.outcome != OUTCOME_OK) {
		exchange_failed(v, p.text);
		peer_state(
		    &m->exchange, p.outcome == OUTCOME_BUSY ? 2 : 3, p.text);
		visit_step(v);
		return 0;
	}
	if (v->ex_flood) {
		exchange_failed(v, flood);
		evidence(m, EV_PROBLEM, &m->rooms[v->room], NULL, NULL, flood);
		visit_step(v);
		return 0;
	}
	v->ex_done = v->ex_ok = 1;
	v->ex_full = p.full;
	if (p.bad)
		visit_unread(v, p.bad, p.text);
	if (p.cursor.len && (v->cursor = malloc(p.cursor.len)) != NULL) {
		memcpy(v->cursor, p.cursor.p, p.cursor.len);
		v->cursor_len = p.cursor.len;
	}
	m->rooms[v->room].exchange_at = time(NULL);
	peer_state(&m->exchange, 1, "");
	if (settle_observe(v))
		exchange_failed(v, "no memory");
	visit_step(v);
	return 0;
}

static int
on_exchange(struct chan *c, struct packet *pk, void *arg)
{
	struct visit *v = arg;
	struct msg_mapd_series s;
	struct msg_mapd_removed g;
	struct msg_error e;

	(void)c;
	if (pk == NULL) {
		exchange_failed(v, "no answer from the adapter");
		visit_step(v);
		return 0;
	}
	switch (pk->type) {
	case MSG_MAPD_BOOKING:
		return visit_take_booking(v, pk);
	case MSG_MAPD_SERIES:
		if (mapd_series_get(pk, &s))
			return -1;
		if (!can_take(v, pk->len))
			v->ex_flood = 1;
		else if (s.whole)
			add_string(&v->shown, &v->nshown, s.series_id);
		else
			add_string(&v->series, &v->nseries, s.series_id);
		return 0;
	case MSG_MAPD_REMOVED:
		if (mapd_removed_get(pk, &g))
			return -1;
		if (can_take(v, pk->len))
			add_string(&v->removed, &v->nremoved, g.remote_id);
		else
			v->ex_flood = 1;
		return 0;
	case MSG_MAPD_POLLED:
		return exchange_polled(v, pk);
	case MSG_ERROR:
		if (error_get(pk, &e))
			return -1;
		exchange_failed(v, e.text);
		visit_step(v);
		return 0;
	default:
		return -1;
	}
}

/* --- TOPdesk --------------------------------------------------------------------- */

static int
take_reservation(struct visit *v, struct packet *pk)
{
	struct msg_mapd_booking b;
	struct reservation *p;
	size_t cap;

	if (mapd_booking_get(pk, &b))
		return -1;
	if (!can_take(v, sizeof(*p))) {
		v->td_flood = 1;
		return 0;
	}
	if (v->ntd == v->captd) {
		cap = v->captd ? v->captd * 2 : 16;
		if ((p = realloc(v->td, cap * sizeof(*p))) == NULL) {
			v->td_flood = 1;
			return 0;
		}
		v->td = p;
		v->captd = cap;
	}
	if (reservation_of(v->m, v->room, &b.booking, &v->td[v->ntd]) == 0)
		v->ntd++;
	return 0;
}

static void
topdesk_done(struct visit *v, int ok, const char *text)
{
	struct room *r = &v->m->rooms[v->room];

	v->td_done = 1;
	v->td_ok = ok;
	if (!ok) {
		snprintf(r->text, sizeof(r->text), "TOPdesk: %s", text);
		wire_mend(r->text);
	} else
		r->topdesk_at = time(NULL);
	visit_step(v);
}

static int
on_topdesk(struct chan *c, struct packet *pk, void *arg)
{
	struct visit *v = arg;
	struct msg_mapd_polled p;
	struct msg_error e;
	int ok;

	(void)c;
	if (pk == NULL) {
		topdesk_done(v, 0, "no answer from the adapter");
		return 0;
	}
	switch (pk->type) {
	case MSG_MAPD_BOOKING:
		return take_reservation(v, pk);
	case MSG_MAPD_POLLED:
		if (mapd_polled_get(pk, &p))
			return -1;
		/* Only a complete list may be compared with. */
		ok = p.outcome == OUTCOME_OK && p.full && !v->td_flood;
		if (v->td_flood) {
			p.text = flood;
			evidence(v->m, EV_PROBLEM, &v->m->rooms[v->room], NULL,
			    NULL, flood);
		}
		peer_state(&v->m->topdesk,
		    ok                              ? 1
			: p.outcome == OUTCOME_BUSY ? 2
						    : 3,
		    p.text);
		topdesk_done(v, ok, p.text);
		return 0;
	case MSG_ERROR:
		if (error_get(pk, &e))
			return -1;
		topdesk_done(v, 0, e.text);
		return 0;
	default:
		return -1;
	}
}

/* --- both ------------------------------------------------------- */

void
visit_start(struct mapd *m, size_t i)
{
	struct room *r = &m->rooms[i];
	struct visit *v = calloc(1, sizeof(*v));
	struct msg_adapter_poll ex, td;
	uint64_t id;

	if (v == NULL)
		return;
	m->round.left++;
	r->visit = v;
	r->text[0] = '\0';
	v->m = m;
	v->room = i;
	v->sent = loop_now();
	room_window(m, r, time(NULL));
	ex = (struct msg_adapter_poll){r->conf->mailbox, r->st.from, r->st.to,
	    {r->st.cursor, r->st.cursor_len}};
	td = (struct msg_adapter_poll){
	    r->conf->location, m->round.from, m->round.to, {NULL, 0}};
	if (m->exchange.chan &&
	    (id = chan_call(m->exchange.chan, POLL_DEADLINE, on_exchange, v)))
		adapter_poll_send(m->exchange.chan, id, 0, &ex);
	else
		exchange_failed(v, "the adapter is not running");
	if (m->topdesk.chan &&
	    (id = chan_call(m->topdesk.chan, POLL_DEADLINE, on_topdesk, v)))
		adapter_poll_send(m->topdesk.chan, id, 0, &td);
	else
		topdesk_done(v, 0, "the adapter is not running");
}
