/*
 * fuzz_adapter_event.c: an event of Graph's or a reservation of TOPdesk's, to
 * a booking.  Whatever it says, the message that comes of it is one that mapd
 * accepts: a mailbox must not be able to cut the connection to mapd.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/graph_series.h"
#include "fetchd/adapter/topdesk.h"
#include "lib/chan.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
accepted(const struct booking *b)
{
	struct msg_mapd_booking m = {.booking = *b};
	struct packet pk = {.fd = -1, .type = MSG_MAPD_BOOKING};
	struct wire_out w;

	wire_out_init(&w, msg_find(MSG_MAPD_BOOKING)->max);
	if (mapd_booking_put(&w, &m))
		abort();
	pk.data = w.buf;
	pk.len = w.len;
	if (mapd_booking_get(&pk, &m) || b->end <= b->start)
		abort();
	wire_out_free(&w);
}

static void
emit(const struct graph_event *e)
{
	struct graph_text text;
	struct booking b;

	graph_booking(e, "room@sim.test", &b);
	graph_clean(&text, &b);
	accepted(&b);
}

static void
event(json_t *o)
{
	struct series series = {0};
	struct graph_event e, out;
	const char *why;

	if (graph_event_get(o, &e, &why))
		return;
	if (e.type == GRAPH_SINGLE)
		emit(&e);
	if (e.type == GRAPH_MASTER)
		series_learn(&series, &e);
	if (e.type == GRAPH_OCCURRENCE || e.type == GRAPH_EXCEPTION) {
		series_hold(&series, &e, o);
		e.id = series_next_wanted(&series);
		e.uid = "uid";
		series_learn(&series, &e);
		while (series_next(&series, &out) == 1)
			emit(&out);
	}
	series_free(&series);
}

static void
reservation(json_t *o)
{
	struct reservation r;
	const char *why;
	char text[300];

	topdesk_error_text(o, text, sizeof(text));
	if (reservation_get(o, "7301", &r, &why))
		return;
	accepted(&r.booking);
	while (reservation_room(&r))
		accepted(&r.booking);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	json_t *o =
	    json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES, NULL);

	if (o) {
		event(o);
		reservation(o);
	}
	json_decref(o);
	return 0;
}
