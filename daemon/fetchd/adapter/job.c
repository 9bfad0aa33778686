/* job.c: the list of mapd's requests under way, and their last messages. */
#include "fetchd/adapter/adapter.h"

#include <stdlib.h>

void
job_add(struct adapter *a, struct job *j, uint64_t id, int running)
{
	j->a = a;
	j->id = id;
	j->running = running;
	j->next = NULL;
	j->prev = a->last;
	if (a->last)
		a->last->next = j;
	else
		a->first = j;
	a->last = j;
	a->running += running != 0;
}

static void
job_unlink(struct job *j)
{
	struct adapter *a = j->a;

	if (j->prev)
		j->prev->next = j->next;
	else
		a->first = j->next;
	if (j->next)
		j->next->prev = j->prev;
	else
		a->last = j->prev;
	a->running -= j->running != 0;
}

void
job_end(struct job *j)
{
	job_unlink(j);
	j->release(j);
}

void
jobs_start(struct adapter *a, unsigned limit)
{
	struct job *j, *next;

	if (!a->flushed || a->running + BATCH_MAX > limit)
		return;
	for (j = a->first; j && a->running < limit; j = next) {
		next = j->next;
		if (j->running)
			continue;
		j->running = 1;
		a->running++;
		j->start(j);
	}
	if (j == NULL)
		a->flushed = 0;
}

void
jobs_drop(struct adapter *a)
{
	while (a->first)
		job_end(a->first);
	a->flushed = 0;
}

int
adapter_congested(const struct adapter *a)
{
	return a->mapd && chan_backlog(a->mapd) > CHAN_BACKLOG;
}

void
adapter_booking(struct adapter *a, uint64_t id, const struct booking *b)
{
	struct msg_mapd_booking m = {.booking = *b};

	if (a->mapd == NULL)
		return;
	mapd_booking_send(a->mapd, id, 0, &m);
	if (adapter_congested(a))
		chan_pause(a->http, 1);
}

void
adapter_read_end(struct adapter *a, uint64_t id, enum outcome outcome,
    uint32_t count, uint32_t retry_after, const char *text)
{
	char clean[301];
	struct msg_mapd_read m = {.outcome = outcome,
	    .count = count,
	    .retry_after = retry_after,
	    .text = wire_clean(clean, sizeof(clean), text, 300)};

	if (a->mapd)
		mapd_read_send(a->mapd, id, CHAN_END, &m);
}

void
adapter_poll_end(struct adapter *a, uint64_t id, enum outcome outcome, int full,
    uint32_t count, uint32_t bad, uint32_t retry_after, const char *text,
    const char *cursor)
{
	char clean[301];
	struct msg_mapd_polled m = {.outcome = outcome,
	    .full = full != 0,
	    .count = count,
	    .bad = bad,
	    .retry_after = retry_after,
	    .text = wire_clean(clean, sizeof(clean), text, 300)};

	m.cursor.p = (const uint8_t *)cursor;
	while (cursor[m.cursor.len])
		m.cursor.len++;
	if (a->mapd)
		mapd_polled_send(a->mapd, id, CHAN_END, &m);
}
