/*
 * round.c: a round polls both sides of every room and hands each room whose
 * two sides have been read to settle.c.  Here: asking and collecting.  Not
 * here: what it means.
 *
 * The two cursors of a room differ in kind: Exchange answers with changes since
 * a cursor that stands for a fixed window; TOPdesk answers with the whole
 * window.  Exchange's window is made anew every rebase_days, before it stops
 * covering window_ahead_days; rooms take turns by their index, so that not all
 * are read whole on the same day.
 */
#include "mapd/mapd.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define POLL_DEADLINE (15 * 60 * 1000)
#define READ_DEADLINE (5 * 60 * 1000)
#define RETRY_MS 2000 /* after a round that failed; doubles, five times */

static void round_over(struct mapd *);

static const char flood[] =
    "the adapter sent more bookings of this room than can be kept; none of "
    "this answer is used";

static void
timer_round(void *arg)
{
	struct mapd *m = arg;

	m->round.timer = 0;
	round_now(m);
}

static void
plan_next(struct mapd *m, int64_t ms)
{
	if (m->stopping)
		return;
	loop_timer_del(m->loop, m->round.timer);
	m->round.timer =
	    loop_timer(m->loop, ms < 50 ? 50 : ms, 0, timer_round, m);
}

static void
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

void
visit_over(struct visit *v)
{
	struct mapd *m = v->m;

	m->rooms[v->room].visit = NULL;
	if (!v->ex_ok || !v->td_ok)
		m->round.failed++;
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
static int
take_booking(struct visit *v, struct packet *pk)
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
static void
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
		return take_booking(v, pk);
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

	(void)c;
	if (pk && pk->type == MSG_MAPD_BOOKING)
		return take_booking(v, pk);
	if (pk && pk->type == MSG_MAPD_READ) {
		if (mapd_read_get(pk, &r))
			return -1;
		outcome = r.outcome;
	} else if (pk && pk->type != MSG_ERROR)
		return -1;
	if (outcome == OUTCOME_GONE && g->suspect)
		mark_gone(v, g->id);
	else if (outcome == OUTCOME_OK && g->series)
		settle_expanded(v, g->id);
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

/* --- the round --------------------------------------------------------------------- */

/* The Exchange window of a room: its cursor's, or a new one when that is old. */
static void
window_of(struct mapd *m, struct room *r, int64_t now)
{
	const struct conf_policy *p = &m->conf->policy;
	int64_t turn = (int64_t)(r - m->rooms) % p->rebase_days;

	if (r->st.cursor &&
	    now < r->st.based + (p->rebase_days - turn % 2) * (int64_t)DAY &&
	    r->st.to >= m->round.to)
		return;
	free(r->st.cursor);
	r->st.cursor = NULL;
	r->st.cursor_len = 0;
	r->st.based = now;
	r->st.from = m->round.from;
	r->st.to = m->round.to + (p->rebase_days + 1) * (int64_t)DAY;
}

static void
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
	window_of(m, r, time(NULL));
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

void
round_now(struct mapd *m)
{
	const struct conf_policy *p = &m->conf->policy;
	int64_t today = time(NULL) / DAY * DAY;

	if (m->seal == NULL || m->stopping || m->nrooms == 0)
		return;
	if (m->round.active) {
		m->round.again = 1;
		return;
	}
	loop_timer_del(m->loop, m->round.timer);
	m->round.timer = 0;
	m->round.active = 1;
	m->round.again = 0;
	m->round.dry = m->control.plan != NULL;
	m->round.started = loop_now();
	m->round.failed = m->round.planned = 0;
	m->round.bytes = 0;
	m->round.from = today - p->window_back_days * (int64_t)DAY;
	m->round.to = today + (p->window_ahead_days + 1) * (int64_t)DAY;
	/* One more than there are, so that no early failure ends the round. */
	m->round.left = 1;
	for (size_t i = 0; i < m->nrooms; i++)
		visit_start(m, i);
	peer_flush(&m->exchange);
	peer_flush(&m->topdesk);
	if (--m->round.left == 0)
		round_over(m);
}

static void
round_over(struct mapd *m)
{
	int64_t took = loop_now() - m->round.started, next, soon;
	int dry = m->round.dry;
	char text[120];

	m->round.active = 0;
	m->round.count++;
	if (m->round.failed == 0)
		m->round.last_done = time(NULL);
	if (!dry)
		settle_round(m);
	if (m->round.planned || m->round.failed) {
		snprintf(text, sizeof(text),
		    "%zu rooms, %u actions, %zu failed, %lld ms", m->nrooms,
		    m->round.planned, m->round.failed, (long long)took);
		evidence(m, EV_ROUND_DONE, NULL, NULL, NULL, text);
		log_debug("round: %s", text);
	}
	evidence_flush(m);
	mapd_status(m);
	execute_wake(m);
	control_round_over(m);
	next = m->conf->exchange.up.poll_seconds * (int64_t)1000 - took;
	if (m->round.failed) {
		/* Soon at first: an upstream that was down for a moment, a
		 * credential that has just been entered. */
		soon = (int64_t)RETRY_MS << m->round.failures;
		if (m->round.failures < 5)
			m->round.failures++;
		next = soon < next || next < RETRY_MS ? soon : next;
	} else
		m->round.failures = 0;
	plan_next(m, m->round.again || dry ? 0 : next);
}

void
round_start(struct mapd *m)
{
	plan_next(m, 0);
}

void
round_stop(struct mapd *m)
{
	loop_timer_del(m->loop, m->round.timer);
	m->round.timer = 0;
}

void
rounds_free(struct mapd *m)
{
	for (size_t i = 0; i < m->nrooms; i++) {
		if (m->rooms[i].visit)
			visit_free(m->rooms[i].visit);
		free(m->rooms[i].st.cursor);
		free(m->rooms[i].strays);
	}
	free(m->rooms);
	m->rooms = NULL;
	m->nrooms = 0;
}
