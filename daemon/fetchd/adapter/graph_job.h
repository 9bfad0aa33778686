/*
 * graph_job.h: a request of mapd's that reads a room's calendar: pages of
 * events, then the masters that are missing, then what waited for them.
 *
 * Here: what ADAPTER_POLL, ADAPTER_EXPAND, ADAPTER_GET and
 * ADAPTER_MEETING share.  What differs
 * stands in graph_poll.c and graph_read.c.
 */
#ifndef ORB_ADAPTER_GRAPH_JOB_H
#define ORB_ADAPTER_GRAPH_JOB_H

#include "fetchd/adapter/adapter.h"
#include "fetchd/adapter/graph_series.h"

/* Jobs under way at a time: two batches' worth, so that the memory a first
 * load of hundreds of rooms needs is that of forty. */
#define GRAPH_JOBS (2 * BATCH_MAX)
/* Pages of one answer; a room with more is a loop of links. */
#define GRAPH_PAGES 500

struct fetch;

struct graph_job {
	struct job job;         /* first */
	uint16_t type;          /* of mapd's message */
	char *address, *target; /* target: series_id, remote_id or cursor */
	int64_t from, to;
	int64_t original_start; /* ADAPTER_MEETING, and the room it is for */
	char *room;

	struct series series;
	struct flat item;      /* the event that is being read */
	struct fetch *fetches; /* masters asked for */
	unsigned pending;      /* HTTP answers that are missing */
	uint64_t *links;       /* hashes of the links followed */
	unsigned pages;

	int full, restarted, got; /* got: ADAPTER_GET found something */
	unsigned count, bad;
	enum outcome outcome;
	uint32_t retry_after;
	char text[200];   /* of outcome */
	char bad_why[80]; /* of the first item that could not be read */
	struct strbuf path, cursor;
};

struct graph_job *graph_job_new(struct adapter *, uint16_t type, uint64_t id,
    const char *address, int64_t from, int64_t to, const char *target,
    size_t target_len);
/* Asks for j->path; item and done as batchq.h says. */
void graph_job_ask(struct graph_job *, const struct batch_asker *);
/* One event of whatever kind: an answer by itself, or an item as batchq gives
 * it. */
void graph_job_event(struct graph_job *, const struct flat *);
void graph_job_item(struct graph_job *, const char *json, size_t len);
/* Notes the first failure; later ones do not replace it. */
void graph_job_fail(
    struct graph_job *, enum outcome, uint32_t retry_after, const char *text);
/*
 * Follows link: 0; or -1 and the job has failed, since the link is another
 * host's (recorded), has been followed before, or is one too many.
 */
int graph_job_follow(
    struct graph_job *, const char *link, const struct batch_asker *);
/* Fetches the masters that are missing. */
void graph_job_hydrate(struct graph_job *);
/* To be called when something has come: goes on with whatever is next, and
 * ends the job when nothing is missing.  j may be gone afterwards. */
void graph_job_advance(struct graph_job *);

void graph_poll_start(struct job *);
void graph_poll_finish(struct graph_job *);
void graph_read_start(struct job *);
void graph_read_finish(struct graph_job *);

#endif
