/*
 * ews_job.c: the reads from Exchange Web Services.
 *
 * ADAPTER_POLL asks SyncFolderItems what changed.  That says nothing of single
 * occurrences, so that a changed series is read by a view of the window.  A
 * full poll takes the sync state first, then everything that the view shows:
 * what changes in between comes with the next poll.  ADAPTER_EXPAND and
 * ADAPTER_MEETING are views too, ADAPTER_FIND a search, ADAPTER_GET one item.
 *
 * FindItem does not give every property: what it lists is fetched, ten a time.
 *
 * Here: what is asked next, and the end.  ews_want.c keeps what is to be asked,
 * ews_told.c takes what comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/ews_job.h"
#include "lib/events.h"

#define SYNC_PAGES \
	1000 /* of one poll; beyond that the server goes in circles */

static void
read_release(struct job *job)
{
	struct ews_read *j = (struct ews_read *)job;

	ews_call_free(&j->call);
	ews_masters_free(j);
	for (size_t i = 0; i < j->nids; i++)
		free(j->ids[i]);
	free(j->ids);
	strbuf_free(&j->state);
	strbuf_free(&j->query);
	strbuf_free(&j->tags);
	free(j->address);
	free(j->room);
	free(j->target);
	free(j);
}

static void
put_gets(struct ews_read *j)
{
	struct strbuf *b = &j->call.body;

	j->asking = ASK_GET;
	ews_get_begin(b, j->job.a->conf->policy.body);
	if (j->type == MSG_ADAPTER_GET)
		ews_get_master_of(b, j->target);
	for (j->asked = 0; j->asked < EWS_GET && j->got + j->asked < j->nids;
	     j->asked++)
		ews_get_id(b, j->ids[j->got + j->asked]);
	ews_get_end(b);
}

/* Nothing failed; but is what could be read enough of an answer?  What is not
 * brought is taken for "not there". */
static enum outcome
read_verdict(struct ews_read *j)
{
	int one = j->type == MSG_ADAPTER_GET || j->type == MSG_ADAPTER_MEETING;

	if (j->type == MSG_ADAPTER_MEETING && j->found)
		j->bad = 0; /* others' */
	if (j->bad && (one || j->type == MSG_ADAPTER_FIND))
		return OUTCOME_BROKEN;
	if (j->type != MSG_ADAPTER_MEETING || j->found)
		return OUTCOME_OK;
	snprintf(j->text, sizeof(j->text), "the mailbox has no such meeting");
	return OUTCOME_GONE;
}

static void
read_end(struct ews_read *j)
{
	struct adapter *a = j->job.a;
	const char *state = strbuf_get(&j->state);
	char text[420];

	if (j->outcome == OUTCOME_OK && j->gone)
		j->outcome = OUTCOME_GONE;
	if (j->outcome == OUTCOME_OK)
		j->outcome = read_verdict(j);
	snprintf(text, sizeof(text), "%s", j->text);
	if (j->bad)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%u items cannot be read (the first: %s)",
		    *text ? "; " : "", j->bad, j->bad_why);
	if (j->type == MSG_ADAPTER_POLL)
		adapter_poll_end(a, j->job.id, j->outcome,
		    j->full && j->outcome == OUTCOME_OK, j->count, j->bad,
		    j->call.retry_after, text,
		    j->outcome == OUTCOME_OK ? state : "");
	else
		adapter_read_end(a, j->job.id, j->outcome, j->count,
		    j->call.retry_after, text);
	job_end(&j->job);
}

static void
read_next(struct ews_read *j)
{
	struct strbuf *b = &j->call.body;

	/* EXPAND looks at the window when it knows the series, POLL when one
	 * has changed. */
	if (j->view_wanted && !j->sync && j->got == j->nids &&
	    j->type != MSG_ADAPTER_GET) {
		j->view_wanted = 0;
		if (!j->full)
			ews_want_window(j);
	}
	ews_begin(b, j->address);
	j->asking = ASK_NOTHING;
	if (j->outcome != OUTCOME_OK)
		j->folder = 0;
	else if (j->sync) {
		j->asking = ASK_SYNC;
		ews_sync(b, strbuf_get(&j->state));
	} else if (j->find) {
		j->asking = ASK_FIND;
		j->find = 0;
		strbuf_str(b, strbuf_get(&j->query));
	} else if (j->got < j->nids)
		put_gets(j);
	else if (j->ranges > 0 && !j->gone) {
		j->asking = ASK_VIEW;
		j->viewed.from = j->range[--j->ranges].from;
		j->viewed.to = j->range[j->ranges].to;
		j->view_mark = j->nids;
		j->listed = 0;
		j->cut = 0;
		ews_view(b, j->viewed.from, j->viewed.to);
	} else if (j->folder) {
		j->asking = ASK_FOLDER;
		j->folder = 0;
		ews_folder(b);
	}
	if (j->asking == ASK_NOTHING)
		read_end(j);
	else
		ews_call_send(&j->call, 0);
}

static void
keep_state(struct ews_read *j)
{
	const char *state = ews_reader_state(j->call.reader);

	if (j->call.outcome != OUTCOME_OK)
		return;
	if (state == NULL && j->sync) {
		ews_read_fail(j, OUTCOME_BROKEN,
		    "Exchange's sync state is too long to go on with");
		return;
	}
	if (j->sync &&
	    (strcmp(state, strbuf_get(&j->state)) == 0 ||
		++j->pages == SYNC_PAGES)) {
		ews_read_fail(
		    j, OUTCOME_BROKEN, "Exchange's changes do not end");
		return;
	}
	strbuf_reset(&j->state);
	/* Too long to be kept: mapd goes on from the one before. */
	strbuf_str(&j->state, state ? state : "");
}

static void
start_over(struct ews_read *j)
{
	j->restarted = j->full = j->sync = 1;
	strbuf_reset(&j->state);
	outbound_incident(j->job.a->out, EV_CURSOR_RESET, j->call.text);
	snprintf(j->text, sizeof(j->text), "%.200s: read from the start",
	    j->call.text);
	ews_want_window(j);
}

static void
on_done(void *arg)
{
	struct ews_read *j = arg;

	if (j->call.outcome == OUTCOME_CURSOR && j->asking == ASK_SYNC &&
	    !j->restarted && !j->full)
		start_over(j);
	else if (j->call.outcome != OUTCOME_OK)
		ews_read_fail(j, j->call.outcome, j->call.text);
	else if (j->asking == ASK_SYNC)
		keep_state(j);
	else if (j->asking == ASK_VIEW && (j->cut || j->listed >= EWS_VIEW))
		ews_want_halves(j);
	if (j->asking == ASK_GET)
		j->got += j->asked;
	read_next(j);
}

static void
keep_tags(struct ews_read *j, const struct wire_list *tags)
{
	struct wire_in in = wire_list_open(tags);
	const char *tag;

	while (wire_next_str(&in, &tag))
		strbuf_add(&j->tags, tag, strlen(tag) + 1);
	if (j->tags.err || j->query.err)
		ews_read_fail(j, OUTCOME_FAILED, "too many tags at once");
}

static int
copy_all(struct ews_read *j, const struct ews_ask *q)
{
	j->address = strdup(q->address);
	j->room = strdup(q->room ? q->room : q->address);
	j->target = strndup(q->target ? q->target : "", q->target_len);
	return j->address && j->room && j->target ? 0 : -1;
}

int
ews_read_new(struct adapter *a, uint64_t id, const struct ews_ask *q)
{
	struct ews_read *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return -1;
	j->type = q->type;
	j->from = q->from;
	j->to = q->to;
	j->original_start = q->original_start;
	strbuf_init(&j->state, EWS_STATE_MAX + 1);
	strbuf_init(&j->query, 128 * 1024);
	strbuf_init(&j->tags, 32 * 1024);
	j->job.release = read_release;
	job_add(a, &j->job, id, 1);
	if (copy_all(j, q)) {
		job_end(&j->job);
		return -1;
	}
	ews_call_init(&j->call, a, j->address, &ews_read_reading, on_done, j);
	if (j->type == MSG_ADAPTER_POLL) {
		j->sync = 1;
		j->full = *j->target == '\0';
		strbuf_str(&j->state, j->target);
	}
	if (j->type == MSG_ADAPTER_FIND) {
		j->find = 1;
		ews_find(&j->query, &q->find->links);
		keep_tags(j, &q->find->links);
	}
	if (j->full || j->type == MSG_ADAPTER_MEETING)
		ews_want_window(j);
	if (j->type == MSG_ADAPTER_GET || j->type == MSG_ADAPTER_EXPAND)
		ews_want_id(j, j->target);
	read_next(j);
	return 0;
}
