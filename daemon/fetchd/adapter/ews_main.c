/*
 * ews_main.c: what mapd may ask of Exchange Web Services: the permit table.
 */
#include <string.h>

#include "fetchd/adapter/ews.h"
#include "fetchd/adapter/ews_write.h"

static int
start(struct adapter *a, uint64_t id, const struct ews_ask *q)
{
	struct msg_error e = {.code = OUTCOME_FAILED,
	    .text = "the adapter has no memory for the request"};

	if (ews_read_new(a, id, q))
		error_send(a->mapd, id, CHAN_END, &e);
	return 0;
}

static int
ews_on_poll(struct chan *c, struct packet *pk)
{
	struct msg_adapter_poll m;
	struct ews_ask q = {.type = pk->type};

	if (adapter_poll_get(pk, &m))
		return -1;
	q.address = m.address;
	q.from = m.from;
	q.to = m.to;
	q.target = (const char *)m.cursor.p;
	q.target_len = m.cursor.len;
	return start(chan_ctx(c), pk->id, &q);
}

static int
ews_on_expand(struct chan *c, struct packet *pk)
{
	struct msg_adapter_expand m;
	struct ews_ask q = {.type = pk->type};

	if (adapter_expand_get(pk, &m))
		return -1;
	q.address = m.address;
	q.from = m.from;
	q.to = m.to;
	q.target = m.series_id;
	q.target_len = strlen(m.series_id);
	return start(chan_ctx(c), pk->id, &q);
}

static int
ews_on_get(struct chan *c, struct packet *pk)
{
	struct msg_adapter_get m;
	struct ews_ask q = {.type = pk->type};

	if (adapter_get_get(pk, &m))
		return -1;
	q.address = m.address;
	q.target = m.remote_id;
	q.target_len = strlen(m.remote_id);
	return start(chan_ctx(c), pk->id, &q);
}

static int
ews_on_find(struct chan *c, struct packet *pk)
{
	struct msg_adapter_find m;
	struct ews_ask q = {.type = pk->type, .find = &m};

	if (adapter_find_get(pk, &m))
		return -1;
	q.address = m.address;
	if (m.links.count == 0) {
		adapter_read_end(chan_ctx(c), pk->id, OUTCOME_OK, 0, 0, "");
		return 0;
	}
	return start(chan_ctx(c), pk->id, &q);
}

static int
ews_on_meeting(struct chan *c, struct packet *pk)
{
	struct msg_adapter_meeting m;
	struct ews_ask q = {.type = pk->type};

	if (adapter_meeting_get(pk, &m))
		return -1;
	q.address = m.address;
	q.room = m.room;
	q.from = m.from;
	q.to = m.to;
	q.original_start = m.original_start;
	q.target = m.uid;
	q.target_len = strlen(m.uid);
	return start(chan_ctx(c), pk->id, &q);
}

/* Nothing is gathered here: what is asked is sent at once. */
static int
ews_on_flush(struct chan *c, struct packet *pk)
{
	(void)c;
	return adapter_flush_get(pk) ? -1 : 0;
}

static int
ews_on_other_read(struct chan *c, struct packet *pk)
{
	if (msg_find(pk->type)->check(pk))
		return -1;
	adapter_read_end(chan_ctx(c), pk->id, OUTCOME_UNSUPPORTED, 0, 0,
	    "Exchange has no such operation");
	return 0;
}

static int
ews_on_other_write(struct chan *c, struct packet *pk)
{
	struct msg_mapd_written m = {.outcome = OUTCOME_UNSUPPORTED,
	    .text = "Exchange has no such operation"};

	if (msg_find(pk->type)->check(pk))
		return -1;
	mapd_written_send(c, pk->id, CHAN_END, &m);
	return 0;
}

const struct permit ews_permits[] = {
    {MSG_ADAPTER_POLL, ews_on_poll, 0},
    {MSG_ADAPTER_EXPAND, ews_on_expand, 0},
    {MSG_ADAPTER_GET, ews_on_get, 0},
    {MSG_ADAPTER_FLUSH, ews_on_flush, 0},
    {MSG_ADAPTER_FIND, ews_on_find, 0},
    {MSG_ADAPTER_MEETING, ews_on_meeting, 0},
    {MSG_ADAPTER_MEET, ews_on_write, 0},
    {MSG_ADAPTER_MEETING_CHANGE, ews_on_write, 0},
    {MSG_ADAPTER_MEETING_CANCEL, ews_on_write, 0},
    {MSG_ADAPTER_MEETING_DECLINE, ews_on_write, 0},
    {MSG_ADAPTER_CHECK, ews_on_other_read, 0},
    {MSG_ADAPTER_PERSONS, ews_on_other_read, 0},
    {MSG_ADAPTER_CREATE, ews_on_other_write, 0},
    {MSG_ADAPTER_RESCHEDULE, ews_on_other_write, 0},
    {MSG_ADAPTER_MOVE, ews_on_other_write, 0},
    {MSG_ADAPTER_EDIT, ews_on_other_write, 0},
    {MSG_ADAPTER_CANCEL, ews_on_other_write, 0},
    {0, NULL, 0},
};
