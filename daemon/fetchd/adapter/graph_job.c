/* graph_job.c: see graph_job.h. */
#include "fetchd/adapter/graph_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/query.h"
#include "lib/events.h"
#include "lib/marks.h"

/* A master asked for. */
struct fetch {
	struct fetch *next;
	struct graph_job *j;
	char id[];
};

static void
graph_job_release(struct job *job)
{
	struct graph_job *j = (struct graph_job *)job;
	struct fetch *f;

	batchq_drop(job->a->batch, j);
	while ((f = j->fetches) != NULL) {
		j->fetches = f->next;
		batchq_drop(job->a->batch, f);
		free(f);
	}
	series_free(&j->series);
	flat_free(&j->item);
	strbuf_free(&j->path);
	strbuf_free(&j->cursor);
	free(j->links);
	free(j->address);
	free(j->target);
	free(j->room);
	free(j);
}

static void
graph_job_resume(struct job *job)
{
	graph_job_advance((struct graph_job *)job);
}

struct graph_job *
graph_job_new(struct adapter *a, uint16_t type, uint64_t id,
    const char *address, int64_t from, int64_t to, const char *target,
    size_t target_len)
{
	struct graph_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->type = type;
	j->from = from;
	j->to = to;
	strbuf_init(&j->path, 16384);
	strbuf_init(&j->cursor, 12000);
	j->address = strdup(address);
	j->target = strndup(target, target_len);
	if (j->address == NULL || j->target == NULL) {
		free(j->address);
		free(j->target);
		free(j);
		return NULL;
	}
	j->job.start =
	    type == MSG_ADAPTER_POLL ? graph_poll_start : graph_read_start;
	j->job.resume = graph_job_resume;
	j->job.release = graph_job_release;
	job_add(a, &j->job, id, 0);
	return j;
}

void
graph_job_fail(struct graph_job *j, enum outcome why, uint32_t retry_after,
    const char *text)
{
	if (j->outcome != OUTCOME_OK)
		return;
	j->outcome = why;
	j->retry_after = retry_after;
	snprintf(j->text, sizeof(j->text), "%s", text);
}

void
graph_job_ask(struct graph_job *j, const struct batch_asker *asker)
{
	if (j->path.err || batchq_get(j->job.a->batch, j->path.p, asker, j)) {
		graph_job_fail(j, OUTCOME_FAILED, 0, "no memory for a request");
		return;
	}
	j->pending++;
}

/* --- events ---------------------------------------------------------------- */

static void
emit_removed(struct graph_job *j, const char *id)
{
	struct msg_mapd_removed m = {.remote_id = id};

	j->count++;
	if (j->job.a->mapd)
		mapd_removed_send(j->job.a->mapd, j->job.id, 0, &m);
}

static void
emit_series(struct graph_job *j, const struct graph_event *e)
{
	struct msg_mapd_series m = {.series_id = e->id};

	if (j->job.a->mapd)
		mapd_series_send(j->job.a->mapd, j->job.id, 0, &m);
}

/* One is asked for: nothing is said of others. */
static int
of_one(const struct graph_job *j)
{
	return j->type == MSG_ADAPTER_GET || j->type == MSG_ADAPTER_MEETING;
}

/* Is it the one that ADAPTER_MEETING asks for?  Then its room is set. */
static int
is_wanted(const struct graph_job *j, struct booking *b)
{
	if (j->type != MSG_ADAPTER_MEETING)
		return 1;
	if (strcmp(b->uid, j->target) != 0 ||
	    b->original_start != j->original_start)
		return 0;
	if (*j->room && strcasecmp(j->room, j->address) != 0) {
		b->room = j->room;
		b->marks &= (uint16_t)~MARK_ROOM_OWN;
	}
	return 1;
}

/*
 * An item that cannot be read is set aside, not the room: mapd is told its id
 * as if it were removed, which makes it read that one by itself and keep the
 * reason with it.
 */
static void
emit_bad(struct graph_job *j, const char *id, const char *why)
{
	if (j->bad++ == 0)
		snprintf(j->bad_why, sizeof(j->bad_why), "%s", why);
	if (*id && !of_one(j))
		emit_removed(j, id);
}

static void
emit_booking(struct graph_job *j, const struct graph_event *e)
{
	struct graph_text text;
	struct booking b;

	if (*e->uid == '\0') {
		emit_bad(j, e->id, "its series has no iCalUId");
		return;
	}
	graph_booking(e, j->address, &b);
	if (!is_wanted(j, &b))
		return;
	graph_clean(&text, &b);
	j->count++;
	j->got = 1;
	adapter_booking(j->job.a, j->job.id, &b);
}

void
graph_job_event(struct graph_job *j, const struct flat *f)
{
	const struct graph_event *master;
	struct graph_event e;
	const char *why;

	if (graph_event_get(f, &e, &why)) {
		emit_bad(j, e.id, why);
		return;
	}
	switch (e.type) {
	case GRAPH_REMOVED:
		emit_removed(j, e.id);
		break;
	case GRAPH_SINGLE:
		emit_booking(j, &e);
		break;
	case GRAPH_MASTER:
		j->got = 1;
		if (series_learn(&j->series, &e))
			graph_job_fail(j, OUTCOME_FAILED, 0, "no memory");
		emit_series(j, &e);
		break;
	case GRAPH_OCCURRENCE:
	case GRAPH_EXCEPTION:
		master = series_find(&j->series, e.series_id);
		if (master) {
			series_fill(&e, master);
			emit_booking(j, &e);
		} else if (series_hold(&j->series, &e))
			graph_job_fail(j, OUTCOME_FAILED, 0, "no memory");
		break;
	}
}

void
graph_job_item(struct graph_job *j, const char *json, size_t len)
{
	const char *why;

	if (graph_event_read(&j->item, json, len, &why))
		emit_bad(j, "", why);
	else
		graph_job_event(j, &j->item);
}

/* --- links --------------------------------------------------------------------- */

/* FNV-1a: only to see a link again; a collision ends a poll as broken, and the
 * next one has other links. */
static uint64_t
hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

static int
seen_before(struct graph_job *j, const char *path)
{
	uint64_t h = hash(path), *p;

	for (unsigned i = 0; i < j->pages; i++)
		if (j->links[i] == h)
			return 1;
	if ((j->pages & 7) == 0) {
		p = realloc(j->links, (j->pages + 8) * sizeof(*p));
		if (p == NULL)
			return 1;
		j->links = p;
	}
	j->links[j->pages++] = h;
	return 0;
}

int
graph_job_follow(
    struct graph_job *j, const char *link, const struct batch_asker *asker)
{
	struct adapter *a = j->job.a;

	if (query_link(&a->conf->exchange.graph_url, link, &j->path)) {
		outbound_incident(a->out, EV_LINK_REFUSED,
		    "a link to the next page leads to another host or path");
		graph_job_fail(j, OUTCOME_BROKEN, 0,
		    "Exchange named a next page at another host or path; it "
		    "was not followed");
		return -1;
	}
	if (j->pages >= GRAPH_PAGES || seen_before(j, j->path.p)) {
		graph_job_fail(j, OUTCOME_BROKEN, 0,
		    "Exchange's links to next pages do not end");
		return -1;
	}
	graph_job_ask(j, asker);
	return 0;
}

/* --- masters -------------------------------------------------------------------- */

static void
on_master_item(void *arg, const char *json, size_t len)
{
	(void)arg; /* an event has no elements; if it has, they are nobody's */
	(void)json;
	(void)len;
}

/*
 * A master came, or did not.  Gone, or not to be had for what it is: its
 * occurrences are sent as removed, and mapd looks at each.  Denied, busy or cut
 * off: the whole job ends so, without a cursor, and the occurrences come again.
 */
static void
on_master_done(void *arg, const struct batch_answer *answer)
{
	struct fetch *f = arg, **p;
	struct graph_job *j = f->j;
	struct graph_event e;
	const char *why = "its series cannot be read";
	char text[160];
	enum outcome r = graph_outcome(answer, text, sizeof(text));

	j->pending--;
	if (r == OUTCOME_OK) {
		if (graph_event_get(answer->body, &e, &why) ||
		    strcmp(e.id, f->id) != 0 || series_learn(&j->series, &e)) {
			series_gone(&j->series, f->id);
			emit_bad(j, "", why);
		}
	} else if (r == OUTCOME_GONE ||
	    (answer->failed == OUTCOME_OK && r == OUTCOME_REFUSED))
		series_gone(&j->series, f->id);
	else
		graph_job_fail(j, r, answer->retry_after, text);
	for (p = &j->fetches; *p && *p != f; p = &(*p)->next)
		;
	if (*p)
		*p = f->next;
	free(f);
	graph_job_advance(j);
}

void
graph_job_hydrate(struct graph_job *j)
{
	static const struct batch_asker asker = {
	    on_master_item, on_master_done};
	struct adapter *a = j->job.a;
	struct fetch *f;
	const char *id;
	size_t n;

	while (j->outcome == OUTCOME_OK &&
	    (id = series_next_wanted(&j->series)) != NULL) {
		n = strlen(id) + 1;
		graph_path_event(
		    &j->path, j->address, id, a->conf->policy.body);
		if ((f = calloc(1, sizeof(*f) + n)) == NULL || j->path.err ||
		    batchq_get(a->batch, j->path.p, &asker, f)) {
			free(f);
			graph_job_fail(j, OUTCOME_FAILED, 0, "no memory");
			return;
		}
		memcpy(f->id, id, n);
		f->j = j;
		f->next = j->fetches;
		j->fetches = f;
		j->pending++;
	}
}

void
graph_job_advance(struct graph_job *j)
{
	struct graph_event e;
	int r;

	if (j->pending > 0)
		return;
	graph_job_hydrate(j);
	if (j->pending > 0)
		return;
	while (j->outcome == OUTCOME_OK) {
		if (adapter_congested(j->job.a))
			return; /* resumed when mapd has read */
		if ((r = series_next(&j->series, &e)) < 0)
			break;
		if (r)
			emit_booking(j, &e);
		else if (!of_one(j))
			emit_removed(j, e.id);
	}
	if (j->type == MSG_ADAPTER_POLL)
		graph_poll_finish(j);
	else
		graph_read_finish(j);
}
