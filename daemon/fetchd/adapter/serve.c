/*
 * serve.c: mapd's connection and the turns of the loop.  One mapd at a time: a
 * newer connection replaces the older, whose outstanding work is dropped.
 */
#include "fetchd/adapter/serve.h"

#include "fetchd/adapter/graph_job.h"
#include "lib/log.h"

/* mapd has read what was waiting: go on where it was left. */
static void
on_mapd_drain(struct chan *c)
{
	struct adapter *a = chan_ctx(c);
	struct job *j, *next;

	chan_pause(a->http, 0);
	for (j = a->first; j && !adapter_congested(a); j = next) {
		next = j->next;
		if (j->running && j->resume)
			j->resume(j);
	}
}

static void
drop_mapd(struct adapter *a)
{
	a->mapd = NULL;
	jobs_drop(a);
	if (a->http)
		chan_pause(a->http, 0);
}

int
serve_open(struct chan *c, uid_t uid, pid_t pid)
{
	struct adapter *a = chan_ctx(c);
	struct chan *old = a->mapd;

	(void)uid;
	if (a->stopping)
		return -1;
	if (old) {
		log_notice("a new mapd (pid %d) takes over", (int)pid);
		drop_mapd(a);
		chan_free(old);
	}
	a->mapd = c;
	chan_on_drain(c, on_mapd_drain);
	return 0;
}

void
serve_closed(struct chan *c, const char *why)
{
	struct adapter *a = chan_ctx(c);

	if (why)
		log_err("connection to mapd: %s", why);
	if (a->mapd == c)
		drop_mapd(a);
}

void
serve_stop(struct adapter *a)
{
	struct chan *mapd = a->mapd;

	a->stopping = 1;
	a->mapd = NULL;
	jobs_drop(a);
	chan_free(mapd);
}

void
serve_idle(void *arg)
{
	struct adapter *a = arg;

	if (a->batch == NULL || a->stopping)
		return;
	jobs_start(a, GRAPH_JOBS);
	batchq_flush(a->batch);
	batchq_flush(a->finds);
}
