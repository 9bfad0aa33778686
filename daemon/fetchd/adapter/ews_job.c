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
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/ews.h"
#include "lib/events.h"

#define YEAR (366 * INT64_C(86400))
#define RANGES 64
#define IDS_MAX 100000 /* of one job; a calendar of this size is none */

enum ask { ASK_NOTHING, ASK_SYNC, ASK_VIEW, ASK_FIND, ASK_GET, ASK_FOLDER };

/* A master that was seen. */
struct master {
	struct master *next;
	char *uid, *id;
};

struct ews_read {
	struct job job; /* first */
	uint16_t type;
	char *address, *room, *target;
	int64_t from, to, original_start;
	struct ews_call call;
	enum ask asking;
	struct strbuf state, query; /* query: what ADAPTER_FIND asks */
	int sync, find, folder;     /* still to be asked */
	int full, restarted, view_wanted;
	struct {
		int64_t from, to;
	} range[RANGES], viewed;
	unsigned ranges;
	char **ids; /* to be fetched; got: how many were */
	size_t nids, got, asked, view_mark;
	int cut; /* the view was not whole */
	struct master *masters;
	unsigned count, bad;
	int found, gone;
	enum outcome outcome;
	char text[300], bad_why[100];
};

static void
read_release(struct job *job)
{
	struct ews_read *j = (struct ews_read *)job;
	struct master *m;

	ews_call_free(&j->call);
	while ((m = j->masters) != NULL) {
		j->masters = m->next;
		free(m->uid);
		free(m->id);
		free(m);
	}
	for (size_t i = 0; i < j->nids; i++)
		free(j->ids[i]);
	free(j->ids);
	strbuf_free(&j->state);
	strbuf_free(&j->query);
	free(j->address);
	free(j->room);
	free(j->target);
	free(j);
}

static void
read_fail(struct ews_read *j, enum outcome r, const char *text)
{
	if (j->outcome != OUTCOME_OK)
		return;
	j->outcome = r;
	snprintf(j->text, sizeof(j->text), "%s", text);
}

static void
want_id(struct ews_read *j, const char *id)
{
	char **p = j->ids;

	if (j->nids >= IDS_MAX) {
		read_fail(j, OUTCOME_BROKEN, "the calendar has no end");
		return;
	}
	if ((j->nids & (j->nids + 1)) == 0) /* 0, 1, 3, 7, ... */
		p = realloc(j->ids, (j->nids + 1) * 2 * sizeof(*p));
	if (p)
		j->ids = p;
	if (p == NULL || (p[j->nids] = strdup(id)) == NULL)
		read_fail(j, OUTCOME_FAILED, "no memory");
	else
		j->nids++;
}

static void
want_range(struct ews_read *j, int64_t from, int64_t to)
{
	if (j->ranges == RANGES)
		read_fail(
		    j, OUTCOME_BROKEN, "a view cannot be divided further");
	else if (from < to) {
		j->range[j->ranges].from = from;
		j->range[j->ranges++].to = to;
	}
}

static void
want_window(struct ews_read *j)
{
	int64_t at = j->from;

	for (; j->to - at > YEAR && j->outcome == OUTCOME_OK; at += YEAR)
		want_range(j, at, at + YEAR);
	want_range(j, at, j->to);
}

static const char *
master_of(const struct ews_read *j, const char *uid)
{
	for (const struct master *m = j->masters; m; m = m->next)
		if (strcmp(m->uid, uid) == 0)
			return m->id;
	return NULL;
}

static void
master_learn(struct ews_read *j, const char *uid, const char *id)
{
	struct master *m;

	if (master_of(j, uid))
		return;
	if ((m = calloc(1, sizeof(*m))) == NULL) {
		read_fail(j, OUTCOME_FAILED, "no memory");
		return;
	}
	m->next = j->masters;
	j->masters = m;
	m->uid = strdup(uid);
	m->id = strdup(id);
	if (m->uid == NULL || m->id == NULL) {
		free(m->uid);
		free(m->id);
		j->masters = m->next;
		free(m);
		read_fail(j, OUTCOME_FAILED, "no memory");
	}
}

/* --- what is told ------------------------------------------------------------ */

/* Not evidence: mapd looks at it by itself. */
static void
tell_removed(struct ews_read *j, const char *id)
{
	struct msg_mapd_removed m = {.remote_id = id};

	if (j->type == MSG_ADAPTER_GET || *id == '\0')
		return;
	j->count++;
	if (j->job.a->mapd)
		mapd_removed_send(j->job.a->mapd, j->job.id, 0, &m);
}

static void
tell_bad(struct ews_read *j, const char *id, const char *why)
{
	if (j->bad++ == 0)
		snprintf(j->bad_why, sizeof(j->bad_why), "%s", why);
	tell_removed(j, id);
}

static void
tell_master(struct ews_read *j, const struct ews_item *it, int quiet)
{
	struct msg_mapd_series m = {.series_id = strbuf_get(&it->f[EWS_ID]),
	    .uid = strbuf_get(&it->f[EWS_UID])};

	if (it->cut || *m.uid == '\0' || strlen(m.uid) > 512) {
		tell_bad(j, m.series_id, "a series has no UID");
		return;
	}
	master_learn(j, m.uid, m.series_id);
	if (quiet)
		return;
	j->found = 1;
	j->view_wanted = 1;
	if (j->job.a->mapd)
		mapd_series_send(j->job.a->mapd, j->job.id, 0, &m);
}

/* Is this item what was asked for? */
static int
is_wanted(const struct ews_read *j, const struct booking *b, enum ews_type t)
{
	if (j->type == MSG_ADAPTER_EXPAND)
		return t == EWS_OCCURRENCE && *b->series_id;
	if (j->type == MSG_ADAPTER_MEETING)
		return strcmp(b->uid, j->target) == 0 &&
		    b->original_start == j->original_start;
	if (j->type == MSG_ADAPTER_POLL && !j->full && t == EWS_OCCURRENCE)
		return *b->series_id != '\0';
	return 1;
}

static void
tell_item(struct ews_read *j, const struct ews_item *it)
{
	enum ews_type t = ews_type(it);
	struct ews_copy copy;
	struct booking b;
	const char *why, *master;

	if (ews_booking(
		it, j->room, j->type == MSG_ADAPTER_FIND, &copy, &b, &why)) {
		tell_bad(j, it->cut ? "" : strbuf_get(&it->f[EWS_ID]), why);
		return;
	}
	master = t == EWS_OCCURRENCE ? master_of(j, b.uid) : NULL;
	if (master)
		b.series_id = master;
	if (!is_wanted(j, &b, t))
		return;
	if (j->type == MSG_ADAPTER_POLL && t == EWS_SINGLE &&
	    (b.end <= j->from || b.start >= j->to)) {
		tell_removed(j, b.remote_id); /* out of the window */
		return;
	}
	j->count++;
	j->found = 1;
	adapter_booking(j->job.a, j->job.id, &b);
}

/* --- what came ----------------------------------------------------------------- */

static void
on_listed(struct ews_read *j, const struct ews_item *it)
{
	const char *id = strbuf_get(&it->f[EWS_ID]);
	enum ews_type t = ews_type(it);

	if (it->cut || *id == '\0')
		tell_bad(j, "", "its id cannot be one");
	else if (it->deleted)
		tell_removed(j, id);
	else if (j->asking == ASK_SYNC && j->full && t != EWS_MASTER)
		return; /* the view shows it, when it is in the window */
	else if (j->asking == ASK_VIEW && t == EWS_SINGLE &&
	    (j->type == MSG_ADAPTER_EXPAND ||
		(j->type == MSG_ADAPTER_POLL && !j->full)))
		return;
	else
		want_id(j, id);
}

static void
on_item(void *arg, unsigned index, const struct ews_item *it)
{
	struct ews_read *j = arg;

	if (j->asking != ASK_GET) {
		on_listed(j, it);
		return;
	}
	/* ADAPTER_GET asks for the item's master first. */
	if (ews_type(it) == EWS_MASTER)
		tell_master(j, it, j->type == MSG_ADAPTER_GET && index == 0);
	else
		tell_item(j, it);
}

static void
on_message(void *arg, const struct ews_message *m)
{
	struct ews_read *j = arg;
	enum outcome r = ews_outcome(m->code, 0);
	size_t at = j->got + m->index;
	char text[250];

	if (j->asking == ASK_VIEW && !m->last)
		j->cut = 1;
	if (j->asking == ASK_SYNC && m->last)
		j->sync = 0;
	if (j->type == MSG_ADAPTER_GET && j->asking == ASK_GET &&
	    m->index == 0 && m->error && !m->fault && r != OUTCOME_BUSY) {
		j->call.messages++; /* it is no occurrence */
		return;
	}
	if (ews_call_message(&j->call, m) || !m->error)
		return;
	snprintf(text, sizeof(text), "Exchange: %s %s", m->code, m->text);
	if (j->asking == ASK_GET && j->type != MSG_ADAPTER_GET &&
	    j->type != MSG_ADAPTER_EXPAND) {
		if (at < j->nids && r == OUTCOME_GONE)
			tell_removed(j, j->ids[at]);
		else
			tell_bad(j, at < j->nids ? j->ids[at] : "", text);
	} else if (j->asking == ASK_GET && r == OUTCOME_GONE && at > 0 &&
	    j->type == MSG_ADAPTER_EXPAND) {
		return; /* an occurrence that went meanwhile */
	} else if (j->asking == ASK_GET && r == OUTCOME_GONE) {
		/* It also means "no right to see it". */
		j->gone = j->folder = 1;
		snprintf(j->text, sizeof(j->text), "%.250s", text);
	} else
		read_fail(j,
		    j->asking == ASK_FOLDER || r == OUTCOME_GONE
			? OUTCOME_BROKEN
			: r,
		    text);
}

/* --- what comes next ---------------------------------------------------------- */

static void
read_end(struct ews_read *j)
{
	struct adapter *a = j->job.a;
	const char *state = strbuf_get(&j->state);
	char text[420];

	if (j->outcome == OUTCOME_OK && j->gone)
		j->outcome = OUTCOME_GONE;
	if (j->outcome == OUTCOME_OK && j->bad && j->type == MSG_ADAPTER_GET)
		j->outcome = OUTCOME_BROKEN;
	snprintf(text, sizeof(text), "%s", j->text);
	if (j->bad)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%u items cannot be read (the first: %s)",
		    *text ? "; " : "", j->bad, j->bad_why);
	if (j->type == MSG_ADAPTER_POLL)
		adapter_poll_end(a, j->job.id, j->outcome,
		    j->full && j->outcome == OUTCOME_OK, j->count,
		    j->call.retry_after, text,
		    j->outcome == OUTCOME_OK ? state : "");
	else
		adapter_read_end(a, j->job.id, j->outcome, j->count,
		    j->call.retry_after, text);
	job_end(&j->job);
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
			want_window(j);
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

/* A view that was cut has no next page: both halves are asked for. */
static void
halve(struct ews_read *j)
{
	int64_t from = j->viewed.from, to = j->viewed.to;
	int64_t middle = from + (to - from) / 2;

	while (j->nids > j->view_mark)
		free(j->ids[--j->nids]);
	if (to - from < 120) {
		read_fail(j, OUTCOME_BROKEN,
		    "Exchange shows no end of the bookings of a minute");
		return;
	}
	want_range(j, from, middle);
	want_range(j, middle, to);
}

static void
keep_state(struct ews_read *j)
{
	const char *state = ews_reader_state(j->call.reader);

	if (j->call.outcome != OUTCOME_OK)
		return;
	if (state == NULL && j->sync) {
		read_fail(j, OUTCOME_BROKEN,
		    "Exchange's sync state is too long to go on with");
		return;
	}
	if (state && j->sync && strcmp(state, strbuf_get(&j->state)) == 0) {
		read_fail(j, OUTCOME_BROKEN, "Exchange's changes do not end");
		return;
	}
	strbuf_reset(&j->state);
	/* Too long to be kept: the next poll compares instead. */
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
	want_window(j);
}

static void
on_done(void *arg)
{
	struct ews_read *j = arg;

	if (j->call.outcome == OUTCOME_CURSOR && j->asking == ASK_SYNC &&
	    !j->restarted && !j->full)
		start_over(j);
	else if (j->call.outcome != OUTCOME_OK)
		read_fail(j, j->call.outcome, j->call.text);
	else if (j->asking == ASK_SYNC)
		keep_state(j);
	else if (j->asking == ASK_VIEW &&
	    (j->cut || j->nids - j->view_mark >= EWS_VIEW))
		halve(j);
	if (j->asking == ASK_GET)
		j->got += j->asked;
	read_next(j);
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
	static const struct ews_reading reading = {on_item, on_message};
	struct ews_read *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return -1;
	j->type = q->type;
	j->from = q->from;
	j->to = q->to;
	j->original_start = q->original_start;
	strbuf_init(&j->state, EWS_STATE_MAX + 1);
	strbuf_init(&j->query, 128 * 1024);
	j->job.release = read_release;
	job_add(a, &j->job, id, 1);
	if (copy_all(j, q)) {
		job_end(&j->job);
		return -1;
	}
	ews_call_init(&j->call, a, j->address, &reading, on_done, j);
	if (j->type == MSG_ADAPTER_POLL) {
		j->sync = 1;
		j->full = *j->target == '\0';
		strbuf_str(&j->state, j->target);
	}
	if (j->type == MSG_ADAPTER_FIND) {
		j->find = 1;
		ews_find(&j->query, &q->find->links);
	}
	if (j->full || j->type == MSG_ADAPTER_MEETING)
		want_window(j);
	if (j->type == MSG_ADAPTER_GET || j->type == MSG_ADAPTER_EXPAND)
		want_id(j, j->target);
	read_next(j);
	return 0;
}
