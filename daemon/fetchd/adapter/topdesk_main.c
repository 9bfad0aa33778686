/*
 * topdesk_main.c: what mapd may ask of TOPdesk: the permit table.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fetchd/adapter/query.h"
#include "fetchd/adapter/topdesk_job.h"

static int
answered(struct adapter *a, uint64_t id, int rc)
{
	struct msg_error e = {.code = OUTCOME_FAILED,
	    .text = "the adapter has no memory for the request"};

	if (rc)
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
	return answered(a, pk->id, topdesk_poll(a, pk->id, &m));
}

static int
adapter_on_flush(struct chan *c, struct packet *pk)
{
	if (adapter_flush_get(pk))
		return -1;
	topdesk_flush(chan_ctx(c));
	return 0;
}

static int
adapter_on_get(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_get m;

	if (adapter_get_get(pk, &m))
		return -1;
	return answered(
	    a, pk->id, topdesk_read(a, pk->type, pk->id, NULL, m.remote_id));
}

static int
adapter_on_find(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_find m;

	if (adapter_find_get(pk, &m))
		return -1;
	return answered(
	    a, pk->id, topdesk_read(a, pk->type, pk->id, &m.links, NULL));
}

static int
adapter_on_check(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_check m;

	if (adapter_check_get(pk, &m))
		return -1;
	return answered(
	    a, pk->id, topdesk_read(a, pk->type, pk->id, &m.numbers, NULL));
}

static int
adapter_on_persons(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_persons m;

	if (adapter_persons_get(pk, &m))
		return -1;
	return answered(
	    a, pk->id, topdesk_read(a, pk->type, pk->id, &m.addresses, NULL));
}

static int
adapter_on_expand(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_expand m;

	if (adapter_expand_get(pk, &m))
		return -1;
	adapter_read_end(a, pk->id, OUTCOME_UNSUPPORTED, 0, 0,
	    "reservations of a TOPdesk series stand in the list by themselves");
	return 0;
}

static int
adapter_on_create(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	const struct conf_topdesk *t = &a->conf->topdesk;
	struct msg_adapter_create m;
	struct strbuf body, path;
	int rc;

	if (adapter_create_get(pk, &m))
		return -1;
	strbuf_init(&body, TOPDESK_BODY_MAX);
	topdesk_body_create(
	    &body, &m, t->link_type, t->fallback_person, time(NULL));
	strbuf_init(&path, QUERY_PATH_MAX);
	strbuf_str(&path, "/reservations");
	strbuf_str(&path, topdesk_flags(t, TOPDESK_FOR_CHANGE));
	rc = topdesk_write(a, pk->id, METHOD_POST, strbuf_get(&path), &body, 0);
	strbuf_free(&path);
	strbuf_free(&body);
	return answered(a, pk->id, rc);
}

/* A write to one reservation: /reservations/ID and what follows it.  Frees
 * the body. */
static int
write_to(struct adapter *a, uint64_t id, enum method method,
    const char *reservation, const char *what, const char *flags,
    struct strbuf *body)
{
	struct strbuf path;
	int rc;

	strbuf_init(&path, QUERY_PATH_MAX);
	topdesk_path_one(&path, reservation);
	strbuf_str(&path, what);
	strbuf_str(&path, flags);
	rc = topdesk_write(a, id, method, strbuf_get(&path), body, 0);
	strbuf_free(&path);
	strbuf_free(body);
	return answered(a, id, rc);
}

static int
adapter_on_reschedule(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_reschedule m;
	struct strbuf body;

	if (adapter_reschedule_get(pk, &m) || *m.remote_id == '\0')
		return -1;
	strbuf_init(&body, TOPDESK_BODY_MAX);
	topdesk_body_reschedule(&body, m.start, m.end);
	return write_to(a, pk->id, METHOD_POST, m.remote_id, "/reschedule",
	    topdesk_flags(&a->conf->topdesk, TOPDESK_FOR_RESCHEDULE), &body);
}

static int
adapter_on_move(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_move m;
	struct strbuf body;

	if (adapter_move_get(pk, &m) || *m.remote_id == '\0')
		return -1;
	strbuf_init(&body, TOPDESK_BODY_MAX);
	topdesk_body_move(&body, m.from, m.to);
	return write_to(a, pk->id, METHOD_POST, m.remote_id,
	    "/reservedFacilities/move",
	    topdesk_flags(&a->conf->topdesk, TOPDESK_FOR_CHANGE), &body);
}

static int
adapter_on_edit(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_edit m;
	struct strbuf body;

	if (adapter_edit_get(pk, &m) || *m.remote_id == '\0')
		return -1;
	strbuf_init(&body, TOPDESK_BODY_MAX);
	topdesk_body_edit(&body, &m, a->conf->topdesk.link_type, time(NULL));
	return write_to(a, pk->id, METHOD_PATCH, m.remote_id, "", "", &body);
}

static int
adapter_on_cancel(struct chan *c, struct packet *pk)
{
	struct adapter *a = chan_ctx(c);
	struct msg_adapter_cancel m;
	struct strbuf body;
	int rc;

	if (adapter_cancel_get(pk, &m) || *m.remote_id == '\0')
		return -1;
	strbuf_init(&body, TOPDESK_BODY_MAX);
	topdesk_body_cancel(
	    &body, *m.reason ? m.reason : a->conf->topdesk.cancel_reason);
	rc = topdesk_cancel(a, pk->id, m.remote_id, &body);
	strbuf_free(&body);
	return answered(a, pk->id, rc);
}

const struct permit topdesk_permits[] = {
    {MSG_ADAPTER_POLL, adapter_on_poll, 0},
    {MSG_ADAPTER_FLUSH, adapter_on_flush, 0},
    {MSG_ADAPTER_GET, adapter_on_get, 0},
    {MSG_ADAPTER_FIND, adapter_on_find, 0},
    {MSG_ADAPTER_CHECK, adapter_on_check, 0},
    {MSG_ADAPTER_PERSONS, adapter_on_persons, 0},
    {MSG_ADAPTER_EXPAND, adapter_on_expand, 0},
    {MSG_ADAPTER_CREATE, adapter_on_create, 0},
    {MSG_ADAPTER_RESCHEDULE, adapter_on_reschedule, 0},
    {MSG_ADAPTER_MOVE, adapter_on_move, 0},
    {MSG_ADAPTER_EDIT, adapter_on_edit, 0},
    {MSG_ADAPTER_CANCEL, adapter_on_cancel, 0},
    {0, NULL, 0},
};
