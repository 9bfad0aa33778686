/*
 * graph_main.c: what mapd may ask of Exchange: the permit table.
 */
#include "fetchd/adapter/graph_job.h"
#include "fetchd/adapter/graph_write.h"

#include <stdlib.h>
#include <string.h>

static int
no_memory(struct adapter *a, uint64_t id)
{
	struct msg_error e = {.code = OUTCOME_FAILED,
	    .text = "the adapter has no memory for the request"};

	error_send(a->mapd, id, CHAN_END, &e);
	return 0;
}

static int
adapter_on_poll(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_poll m;

	if (adapter_poll_get(pk, &m))
		return -1;
	if (graph_job_new(a, pk->type, pk->id, m.address, m.from, m.to,
		(const char *)m.cursor.p, m.cursor.len) == NULL)
		return no_memory(a, pk->id);
	return 0;
}

static int
adapter_on_expand(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_expand m;

	if (adapter_expand_get(pk, &m))
		return -1;
	if (graph_job_new(a, pk->type, pk->id, m.address, m.from, m.to,
		m.series_id, strlen(m.series_id)) == NULL)
		return no_memory(a, pk->id);
	return 0;
}

static int
adapter_on_get(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_get m;

	if (adapter_get_get(pk, &m))
		return -1;
	if (graph_job_new(a, pk->type, pk->id, m.address, 0, 0, m.remote_id,
		strlen(m.remote_id)) == NULL)
		return no_memory(a, pk->id);
	return 0;
}

static int
adapter_on_flush(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);

	if (adapter_flush_get(pk))
		return -1;
	a->flushed = 1;
	return 0;
}

static int
adapter_on_meeting(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_meeting m;
	struct graph_job *j;
	char *room;

	if (adapter_meeting_get(pk, &m))
		return -1;
	if ((room = strdup(m.room)) == NULL)
		return no_memory(a, pk->id);
	j = graph_job_new(a, pk->type, pk->id, m.address, m.from - 86400,
	    m.to + 86400, m.uid, strlen(m.uid));
	if (j == NULL) {
		free(room);
		return no_memory(a, pk->id);
	}
	j->room = room;
	a->flushed = 1; /* somebody waits for this one */
	j->original_start = m.original_start;
	return 0;
}

/* Reads and writes of ORB's own meetings: each answers by itself. */
#define MEETING(name, what)                                             \
	static int adapter_on_##name(struct chan *c, struct packet *pk) \
	{                                                               \
		struct adapter *a = chan_ctx(c);                        \
		struct msg_adapter_##name m;                            \
                                                                        \
		if (adapter_##name##_get(pk, &m))                       \
			return -1;                                      \
		return what(a, pk->id, &m) ? no_memory(a, pk->id) : 0;  \
	}
MEETING(find, graph_find)
MEETING(meet, graph_meet)
MEETING(meeting_change, graph_change)
MEETING(meeting_cancel, graph_cancel)
MEETING(meeting_decline, graph_decline)
#undef MEETING

/* What only TOPdesk has is answered so. */
static int
adapter_on_write(struct chan *c, struct packet *pk)
{
	struct msg_mapd_written m = {.outcome = OUTCOME_UNSUPPORTED,
	    .text = "Exchange has no reservations"};

	if (msg_find(pk->type)->check(pk))
		return -1;
	mapd_written_send(c, pk->id, CHAN_END, &m);
	return 0;
}

/* The same for reads that only TOPdesk has. */
static int
adapter_on_other_read(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);

	if (msg_find(pk->type)->check(pk))
		return -1;
	adapter_read_end(a, pk->id, OUTCOME_UNSUPPORTED, 0, 0,
	    "Exchange has no such operation");
	return 0;
}

const struct permit graph_permits[] = {
    {MSG_ADAPTER_POLL, adapter_on_poll, 0},
    {MSG_ADAPTER_EXPAND, adapter_on_expand, 0},
    {MSG_ADAPTER_GET, adapter_on_get, 0},
    {MSG_ADAPTER_FLUSH, adapter_on_flush, 0},
    {MSG_ADAPTER_FIND, adapter_on_find, 0},
    {MSG_ADAPTER_MEETING, adapter_on_meeting, 0},
    {MSG_ADAPTER_MEET, adapter_on_meet, 0},
    {MSG_ADAPTER_MEETING_CHANGE, adapter_on_meeting_change, 0},
    {MSG_ADAPTER_MEETING_CANCEL, adapter_on_meeting_cancel, 0},
    {MSG_ADAPTER_MEETING_DECLINE, adapter_on_meeting_decline, 0},
    {MSG_ADAPTER_CHECK, adapter_on_other_read, 0},
    {MSG_ADAPTER_PERSONS, adapter_on_other_read, 0},
    {MSG_ADAPTER_CREATE, adapter_on_write, 0},
    {MSG_ADAPTER_RESCHEDULE, adapter_on_write, 0},
    {MSG_ADAPTER_MOVE, adapter_on_write, 0},
    {MSG_ADAPTER_EDIT, adapter_on_write, 0},
    {MSG_ADAPTER_CANCEL, adapter_on_write, 0},
    {0, NULL, 0},
};

int
graph_open(struct adapter *a)
{
	static char prefer[200];
	int body = a->conf->policy.body;

	graph_prefer(prefer, sizeof(prefer), a->conf->exchange.page_size, body);
	a->batch = batchq_new(
	    a->out, prefer, graph_batch_schema(body), graph_schema(body));
	a->finds = batchq_new(
	    a->out, prefer, graph_find_batch_schema(), graph_find_schema());
	return a->batch && a->finds ? 0 : -1;
}
