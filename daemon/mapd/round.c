/*
 * round.c: a round polls both sides of every room and hands each room whose
 * two sides have been read to settle.c.  Here: when, and over which time.  Not
 * here: asking and collecting (visit.c, visit_read.c), what it means (settle.c).
 *
 * The two cursors of a room differ in kind: Exchange answers with changes since
 * a cursor that stands for a fixed window (window.c); TOPdesk answers with the
 * whole window.
 */
#include "mapd/visit.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY 86400
#define RETRY_MS 2000 /* after a round that failed; doubles, five times */

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

void
round_now(struct mapd *m)
{
	const struct conf_policy *p = &m->conf->policy;
	int64_t today = time(NULL) / DAY * DAY, was = m->round.to;

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
	for (size_t i = 0; i < m->nrooms; i++) {
		/* On a new day the window reaches what nobody has changed. */
		m->rooms[i].dirty |= m->round.to != was;
		visit_start(m, i);
	}
	peer_flush(&m->exchange);
	peer_flush(&m->topdesk);
	if (--m->round.left == 0)
		round_over(m);
}

/* Rooms that could be read the last time and cannot now; when none can, it is
 * not the rooms, and the status says what it is. */
static void
rooms_tell_trouble(struct mapd *m)
{
	for (size_t i = 0; i < m->nrooms; i++)
		if (m->rooms[i].trouble_rounds == 1)
			evidence(m, EV_PROBLEM, &m->rooms[i], NULL, NULL,
			    m->rooms[i].trouble);
}

void
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
	if (m->round.failed < m->nrooms)
		rooms_tell_trouble(m);
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
		/* For all rooms: one that cannot be read holds up nobody. */
		next = soon < next ||
			(next < RETRY_MS && m->round.failed == m->nrooms)
		    ? soon
		    : next;
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
	first_over(m);
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
