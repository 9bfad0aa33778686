/*
 * adapter.h: the process that speaks an upstream's protocol, and its jobs.
 *
 * A job is one request of mapd's under way.  Here: the process's state and the
 * list of jobs.  What a job does is in graph_*.c and topdesk_*.c.
 */
#ifndef ORB_ADAPTER_ADAPTER_H
#define ORB_ADAPTER_ADAPTER_H

#include "fetchd/adapter/batchq.h"
#include "fetchd/adapter/outbound.h"
#include "lib/chan.h"
#include "lib/conf.h"

struct adapter;

/* The beginning of every job; its kind's struct continues it. */
struct job {
	struct job *next, *prev;
	struct adapter *a;
	uint64_t id; /* mapd's request */
	int running; /* start() was called */
	void (*start)(struct job *);
	/* mapd has room again; NULL when the job never waits for that. */
	void (*resume)(struct job *);
	/* Frees the job and drops what it asked for. */
	void (*release)(struct job *);
};

struct adapter {
	struct loop *loop;
	const struct conf *conf;
	enum upstream upstream;
	struct chan *http;
	struct chan *mapd; /* NULL while nobody is connected */
	struct outbound *out;
	struct batchq *batch, *finds; /* exchange; finds: ADAPTER_FIND's */
	struct job *first, *last;
	unsigned running;
	int flushed; /* jobs may be started: ADAPTER_FLUSH came */
	int stopping;
};

/* Appends a job; the adapter owns it.  running jobs count as started. */
void job_add(struct adapter *, struct job *, uint64_t id, int running);
/* Ends a job after its last message: unlinks and releases it. */
void job_end(struct job *);
/* Starts waiting jobs after a flush: in lots of a batch, at most limit at a
 * time, so that memory stays bounded and batches full. */
void jobs_start(struct adapter *, unsigned limit);
void jobs_drop(struct adapter *);

/* Sends a booking; pauses http while mapd is behind. */
void adapter_booking(struct adapter *, uint64_t id, const struct booking *);
/* 1 while mapd has more to read than CHAN_BACKLOG. */
int adapter_congested(const struct adapter *);

/* The end of ADAPTER_EXPAND, GET, FIND, CHECK, PERSONS. */
void adapter_read_end(struct adapter *, uint64_t id, enum outcome,
    uint32_t count, uint32_t retry_after, const char *text);
/* The end of ADAPTER_POLL; bad: of items that could not be read, text names the
 * first; cursor may be "". */
void adapter_poll_end(struct adapter *, uint64_t id, enum outcome, int full,
    uint32_t count, uint32_t bad, uint32_t retry_after, const char *text,
    const char *cursor);

/* The permit tables of the two upstreams (graph_main.c, topdesk_main.c). */
extern const struct permit graph_permits[], topdesk_permits[];
/* Sets up what the upstream needs besides; 0 or -1. */
int graph_open(struct adapter *);
/* Polls of several rooms become lists at a flush. */
void topdesk_flush(struct adapter *);

#endif
