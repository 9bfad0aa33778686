/*
 * graph_poll.c: ADAPTER_POLL on Exchange: one room's calendarView/delta, from
 * its cursor or from the start, to the deltaLink that is the next cursor.
 *
 * A cursor that Exchange has thrown away is no failure: the window is read
 * from the start within the same poll, which then is a full one.  Nothing is
 * ever concluded from what a full read does not contain.
 */
#include <stdio.h>
#include <string.h>

#include "fetchd/adapter/graph_job.h"
#include "fetchd/adapter/query.h"
#include "lib/events.h"

static void on_page_item(void *, const char *, size_t);
static void on_page_done(void *, const struct batch_answer *);
static const struct batch_asker page = {on_page_item, on_page_done};

static void
start_over(struct graph_job *j)
{
	j->full = 1;
	series_free(&j->series);
	j->pages = 0;
	graph_path_delta(&j->path, j->address, j->from, j->to);
	graph_job_ask(j, &page);
}

void
graph_poll_start(struct job *job)
{
	struct graph_job *j = (struct graph_job *)job;

	/* mapd gives back what it was given; a database that was tampered with
	 * must not choose what is asked. */
	if (*j->target && query_is_path(j->target)) {
		strbuf_str(&j->path, j->target);
		graph_job_ask(j, &page);
	} else
		start_over(j);
	if (j->pending == 0)
		graph_job_advance(j);
}

static void
on_page_item(void *arg, const char *json, size_t len)
{
	graph_job_item(arg, json, len);
}

/* Reads from the start, once a poll: a second loss is an answer that would
 * come for ever. */
static void
restart(struct graph_job *j, const struct batch_answer *a)
{
	char text[160];

	j->restarted = 1;
	snprintf(text, sizeof(text),
	    "Exchange no longer knows the cursor (%d %.80s)", a->status,
	    graph_error_code(a->body));
	outbound_incident(j->job.a->out, EV_CURSOR_RESET, text);
	snprintf(j->text, sizeof(j->text), "%s: read from the start", text);
	start_over(j);
}

/* The last page: its deltaLink, relative to the base URL, is the cursor. */
static void
keep_cursor(struct graph_job *j, const char *link)
{
	struct adapter *a = j->job.a;

	if (query_link(&a->conf->exchange.graph_url, link, &j->path)) {
		outbound_incident(a->out, EV_LINK_REFUSED,
		    "a link for the next poll leads to another host or path");
		graph_job_fail(j, OUTCOME_BROKEN, 0,
		    "Exchange named a cursor at another host or path; it was "
		    "not taken");
	} else if (strbuf_str(&j->cursor, j->path.p))
		graph_job_fail(j, OUTCOME_BROKEN, 0,
		    "Exchange's cursor is longer than 12000 bytes");
}

static void
on_page_done(void *arg, const struct batch_answer *a)
{
	struct graph_job *j = arg;
	const char *next, *delta;
	char text[160];
	enum outcome r = graph_outcome(a, text, sizeof(text));

	j->pending--;
	if (r != OUTCOME_OK) {
		if (graph_cursor_lost(a) && (j->pages > 0 || !j->full) &&
		    !j->restarted)
			restart(j, a);
		else if (graph_cursor_lost(a) && j->restarted)
			graph_job_fail(j, OUTCOME_CURSOR, 0, text);
		else /* the mailbox, not a booking, is what is not there */
			graph_job_fail(j,
			    r == OUTCOME_GONE ? OUTCOME_REFUSED : r,
			    a->retry_after, text);
	} else {
		next = flat_string(a->body, GRAPH_NEXT);
		delta = flat_string(a->body, GRAPH_DELTA);
		if (next)
			graph_job_follow(j, next, &page);
		else if (delta)
			keep_cursor(j, delta);
		else
			graph_job_fail(j, OUTCOME_BROKEN, 0,
			    "a page has neither a next link nor a cursor");
	}
	graph_job_advance(j);
}

void
graph_poll_finish(struct graph_job *j)
{
	char text[320];
	int n = snprintf(text, sizeof(text), "%s", j->text);

	if (j->bad)
		snprintf(text + n, sizeof(text) - (size_t)n,
		    "%s%u items cannot be read (the first: %s)", n ? "; " : "",
		    j->bad, j->bad_why);
	adapter_poll_end(j->job.a, j->job.id, j->outcome,
	    j->full && j->outcome == OUTCOME_OK, j->count, j->bad,
	    j->retry_after, text,
	    j->outcome == OUTCOME_OK ? strbuf_get(&j->cursor) : "");
	job_end(&j->job);
}
