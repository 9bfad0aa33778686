/*
 * evidence.c: the records that mapd sends to ledgerd.  They are gathered and
 * go out together; what announces an external write is waited for.
 *
 * A record names booking, room and reservation; never a subject or an address.
 */
#include "mapd/mapd.h"

#include "lib/log.h"

#include <stdlib.h>
#include <string.h>

#define MOST 200     /* records a message */
#define WAITING 4096 /* while ledgerd is away; older ones are not dropped */
#define DEADLINE 60000

static int
append(struct mapd *m, const struct record *record)
{
	struct record r = *record;
	size_t before = m->records.len;
	char text[301];

	if (m->nrecords >= WAITING)
		return -1; /* ledgerd is away: no write is going on either */
	/* One byte that is no UTF-8 would make ledgerd refuse them all. */
	r.text = wire_clean(text, sizeof(text), r.text ? r.text : "", 300);
	if (record_put(&m->records, &r)) {
		/* The error sticks, and the others shall be sent. */
		m->records.len = before;
		m->records.err = 0;
		log_err(
		    "a record (event %u) could not be kept", (unsigned)r.event);
		return -1;
	}
	m->nrecords++;
	if (m->nrecords >= MOST)
		evidence_flush(m);
	return 0;
}

void
evidence(struct mapd *m, enum event event, const struct room *room,
    const uint8_t *key, const char *remote, const char *text)
{
	struct record r = {.event = event,
	    .remote_id = remote,
	    .text = text,
	    .room = room ? room->conf->name : NULL};

	if (key) {
		r.booking.p = key;
		r.booking.len = KEY_LEN;
	}
	(void)append(m, &r);
}

int
evidence_job(struct mapd *m, enum event event, const struct job *j)
{
	struct record r = {.event = event,
	    .upstream = act_on_exchange(j->act.aim.kind) ? UPSTREAM_EXCHANGE
							 : UPSTREAM_TOPDESK,
	    .status = j->status,
	    .booking = {j->act.key, KEY_LEN},
	    .room = m->rooms[j->room].conf->name,
	    .remote_id = j->number[0] ? j->number : j->act.number,
	    .request_id = j->request_id,
	    .text = j->text};

	return append(m, &r);
}

/* Somebody waits for the records to be durable. */
struct waiter {
	void (*fn)(void *, int);
	void *arg;
};

static int
on_durable(struct chan *c, struct packet *pk, void *arg)
{
	struct waiter *w = arg;
	struct msg_done done;
	int ok = pk && pk->type == MSG_DONE && done_get(pk, &done) == 0;

	(void)c;
	if (w == NULL)
		return 0;
	w->fn(w->arg, ok);
	free(w);
	return 0;
}

/* w hears of the last message; those before it are on disk by then. */
static int
send_records(struct mapd *m, int durable, struct waiter *w)
{
	struct msg_ledgerd_records msg = {.durable = (uint8_t)durable};
	struct wire_list all = wire_list_of(&m->records, m->nrecords);
	struct wire_in in = wire_list_open(&all);
	struct record r;
	uint64_t id;

	do {
		msg.records.items.p = in.p;
		for (msg.records.count = 0;
		     msg.records.count < MOST && record_next(&in, &r);)
			msg.records.count++;
		msg.records.items.len = (size_t)(in.p - msg.records.items.p);
		id = chan_call(m->ledgerd.chan, durable ? DEADLINE : 0,
		    on_durable, in.p == in.end ? w : NULL);
		if (id == 0)
			return -1;
		(void)ledgerd_records_send(m->ledgerd.chan, id, 0, &msg);
	} while (in.err == 0 && in.p != in.end);
	wire_out_reset(&m->records);
	m->nrecords = 0;
	/* What is not whole is not ours: w has not been told to anyone. */
	return in.p == in.end ? 0 : -1;
}

void
evidence_flush(struct mapd *m)
{
	if (m->nrecords && m->ledgerd.chan)
		(void)send_records(m, 0, NULL);
}

int
evidence_durable(struct mapd *m, void (*fn)(void *arg, int ok), void *arg)
{
	struct waiter *w;

	if (m->ledgerd.chan == NULL || (w = calloc(1, sizeof(*w))) == NULL)
		return -1;
	w->fn = fn;
	w->arg = arg;
	if (send_records(m, 1, w)) {
		free(w);
		return -1;
	}
	return 0;
}
