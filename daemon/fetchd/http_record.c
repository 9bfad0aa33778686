/*
 * http_record.c: what http tells ledgerd.
 *
 * Every request that carried a credential is a record.  They are not waited
 * for, since reading changes nothing and mapd's intents are durable before a
 * write comes here at all; so they are gathered and sent many at a time.
 */
#include "fetchd/http.h"
#include "lib/log.h"

#include <stdio.h>
#include <string.h>

#define RECORD_BATCH 64
#define RECORD_MS 100
#define RECORD_DEADLINE 60000
#define RECORD_BYTES (256 * 1024)
#define RECORD_SAID 600 /* an hour */

/* ledgerd says DONE, or ERROR; there is nothing to be done about either. */
static int
on_written(struct chan *c, struct packet *pk, void *arg)
{
	(void)c;
	(void)pk;
	(void)arg;
	return 0;
}

void
record_flush(struct http *h)
{
	struct msg_ledgerd_records m = {0, {0, {NULL, 0}}};
	uint64_t id;

	if (h->nrecords == 0)
		return;
	loop_timer_del(h->loop, h->record_timer);
	h->record_timer = 0;
	m.records = wire_list_of(&h->records, h->nrecords);
	if (h->ledgerd &&
	    (id = chan_call(h->ledgerd, RECORD_DEADLINE, on_written, h)) != 0 &&
	    ledgerd_records_send(h->ledgerd, id, 0, &m))
		log_err("%u records could not be sent to orb-ledgerd",
		    (unsigned)h->nrecords);
	wire_out_reset(&h->records);
	h->nrecords = 0;
}

static void
flush_late(void *arg)
{
	struct http *h = arg;

	h->record_timer = 0;
	record_flush(h);
}

void
record_event(struct http *h, uint16_t event, uint16_t status, uint64_t lease,
    const char *request_id, const char *text)
{
	char clean[301];
	struct record r;

	memset(&r, 0, sizeof(r));
	r.event = event;
	r.upstream = (uint8_t)h->upstream;
	r.status = status;
	r.lease = lease;
	r.request_id = request_id;
	r.text = wire_clean(clean, sizeof(clean), text, 300);
	if (h->records.max == 0)
		wire_out_init(&h->records, RECORD_BYTES);
	record_put(&h->records, &r);
	if (h->records.err) {
		wire_out_reset(&h->records);
		h->nrecords = 0;
		log_err("a record was lost: no memory");
		return;
	}
	if (++h->nrecords >= RECORD_BATCH)
		record_flush(h);
	else if (h->record_timer == 0)
		h->record_timer =
		    loop_timer(h->loop, RECORD_MS, 0, flush_late, h);
}

void
record_said(struct http *h, uint16_t event, const char *text)
{
	char whole[400];

	if (h->said.per_hour == 0)
		limit_init(&h->said, RECORD_SAID, loop_now());
	if (limit_take(&h->said, loop_now())) {
		h->unsaid++;
		return;
	}
	if (h->unsaid)
		snprintf(
		    whole, sizeof(whole), "(and %u more) %s", h->unsaid, text);
	else
		snprintf(whole, sizeof(whole), "%s", text);
	h->unsaid = 0;
	record_event(h, event, 0, 0, NULL, whole);
}
