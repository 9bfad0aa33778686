/*
 * graph_read.c: ADAPTER_EXPAND (the instances of a series), ADAPTER_GET (one
 * event) and ADAPTER_MEETING (one by its uid) on Exchange.
 *
 * A meeting is looked for in a calendarView, not by a filter for its iCalUId: an
 * occurrence has its series' uid only in its master, which is fetched.
 *
 * ADAPTER_GET is what mapd believes: outcome gone is said only when Exchange
 * says that the event does not exist, not the mailbox and not a proxy.
 */
#include <stdio.h>
#include <string.h>

#include "fetchd/adapter/graph_job.h"

static void
on_item(void *arg, const char *json, size_t len)
{
	struct graph_job *j = arg;

	if (j->type != MSG_ADAPTER_GET)
		graph_job_item(j, json, len);
}

static void on_instances_done(void *, const struct batch_answer *);
static const struct batch_asker instances = {on_item, on_instances_done};

static void
on_instances_done(void *arg, const struct batch_answer *a)
{
	struct graph_job *j = arg;
	char text[160];
	enum outcome r = graph_outcome(a, text, sizeof(text));
	const char *next = a->body ? flat_string(a->body, GRAPH_NEXT) : NULL;

	j->pending--;
	if (r == OUTCOME_GONE && j->type == MSG_ADAPTER_MEETING)
		r = OUTCOME_REFUSED; /* the mailbox, not the meeting */
	if (r != OUTCOME_OK)
		graph_job_fail(j, r, a->retry_after, text);
	else if (next)
		graph_job_follow(j, next, &instances);
	graph_job_advance(j);
}

static void
on_event_done(void *arg, const struct batch_answer *a)
{
	struct graph_job *j = arg;
	char text[160];
	enum outcome r = graph_outcome(a, text, sizeof(text));

	j->pending--;
	if (r != OUTCOME_OK)
		graph_job_fail(j, r, a->retry_after, text);
	else
		graph_job_event(j, a->body);
	graph_job_advance(j);
}

void
graph_read_start(struct job *job)
{
	static const struct batch_asker event = {on_item, on_event_done};
	struct graph_job *j = (struct graph_job *)job;
	int body = job->a->conf->policy.body;

	if (j->type == MSG_ADAPTER_EXPAND) {
		graph_path_instances(
		    &j->path, j->address, j->target, j->from, j->to, body);
		graph_job_ask(j, &instances);
		/* The master in the same batch: the uid is its own. */
		if (series_want(&j->series, j->target))
			graph_job_fail(j, OUTCOME_FAILED, 0, "no memory");
		graph_job_hydrate(j);
	} else if (j->type == MSG_ADAPTER_MEETING) {
		graph_path_view(&j->path, j->address, j->from, j->to);
		graph_job_ask(j, &instances);
	} else {
		graph_path_event(&j->path, j->address, j->target, body);
		graph_job_ask(j, &event);
	}
	if (j->pending == 0)
		graph_job_advance(j);
}

void
graph_read_finish(struct graph_job *j)
{
	char text[160];

	snprintf(text, sizeof(text), "%s", j->text);
	if (j->type == MSG_ADAPTER_MEETING && j->got)
		j->bad = 0; /* others' */
	if (j->outcome == OUTCOME_OK && j->bad) {
		if (j->type != MSG_ADAPTER_EXPAND)
			j->outcome = OUTCOME_BROKEN;
		snprintf(text, sizeof(text), "%u items cannot be read: %s",
		    j->bad, j->bad_why);
	} else if (j->outcome == OUTCOME_OK && !j->got &&
	    j->type == MSG_ADAPTER_MEETING) {
		j->outcome = OUTCOME_GONE;
		snprintf(text, sizeof(text), "the mailbox has no such meeting");
	} else if (j->outcome == OUTCOME_OK && j->type == MSG_ADAPTER_GET &&
	    !j->got) {
		/* An occurrence whose series is gone is gone with it. */
		j->outcome = OUTCOME_GONE;
		snprintf(text, sizeof(text), "its series does not exist");
	}
	adapter_read_end(
	    j->job.a, j->job.id, j->outcome, j->count, j->retry_after, text);
	job_end(&j->job);
}
