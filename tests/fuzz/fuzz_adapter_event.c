/*
 * fuzz_adapter_event.c: an event of Graph's or a reservation of TOPdesk's, to
 * a booking.  Whatever it says, the message that comes of it is one that mapd
 * accepts: a mailbox must not be able to cut the connection to mapd.  And an
 * event is read as the reader that jansson was used for read it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/graph_series.h"
#include "fetchd/adapter/graph_write.h"
#include "fetchd/adapter/topdesk.h"
#include "lib/chan.h"
#include "tests/unit/event_oracle.h"

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
event(const struct flat *f)
{
	struct series series = {0};
	struct graph_event e, out;
	const char *why;

	if (graph_event_get(f, &e, &why))
		return;
	if (e.type == GRAPH_SINGLE)
		emit(&e);
	if (e.type == GRAPH_MASTER)
		series_learn(&series, &e);
	if (e.type == GRAPH_OCCURRENCE || e.type == GRAPH_EXCEPTION) {
		series_hold(&series, &e);
		e.id = series_next_wanted(&series);
		e.uid = "uid";
		series_learn(&series, &e);
		while (series_next(&series, &out) == 1)
			emit(&out);
	}
	series_free(&series);
}

/* As it is projected, read as before and in the same way by jansson. */
static int
on_event(void *arg, int level, const char *json, size_t len)
{
	struct flat f = {0};
	const char *why;

	(void)arg;
	(void)level;
	if (json == NULL)
		return 0;
	if (!oracle_agrees(json, len) ||
	    !oracle_fields_agree(graph_schema(1)->members, json, len))
		abort();
	if (graph_event_read(&f, json, len, &why) == 0)
		event(&f);
	flat_free(&f);
	return 0;
}

/* As it is: whatever it is, no byte outside of it is touched. */
static void
raw(const uint8_t *p, size_t n)
{
	struct flat f = {0};
	char *s = malloc(n + 1);

	memcpy(s, p, n);
	s[n] = '\0';
	flat_read(&f, graph_schema(1)->members, s, n);
	flat_free(&f);
	free(s);
}

/* A meeting that ADAPTER_FIND brings, and the same with another room. */
static int
on_found(void *arg, int level, const char *json, size_t len)
{
	const struct msg_adapter_meeting_change m = {"a@sim.test", "id", "", 60,
	    120, "s", "r@sim.test", "s@sim.test", ""};
	json_t *o = json ? json_loadb(json, len, 0, NULL) : NULL;
	struct graph_text text;
	struct flat f = {0};
	struct booking b;
	struct strbuf body;
	const char *why;
	char room[255];

	(void)arg;
	(void)level;
	if (o && flat_read(&f, graph_find_schema()->members, json, len) == 0) {
		if (graph_find_get(&f, o, "a@sim.test", "topdesk:1", &text,
			room, &b, &why) == 0)
			accepted(&b);
		strbuf_init(&body, GRAPH_ATTENDEES_MAX);
		if (graph_body_change(
			&body, &m, json_object_get(o, "attendees")) == 0) {
			json_t *back = json_loadb(
			    body.p, body.len, JSON_REJECT_DUPLICATES, NULL);

			if (back == NULL)
				abort();
			json_decref(back);
		}
		strbuf_free(&body);
	}
	flat_free(&f);
	json_decref(o);
	return 0;
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
	struct project pr;

	raw(p, n);
	project_init(&pr, graph_schema(1), on_event, NULL);
	if (project_feed(&pr, p, n) == 0)
		project_end(&pr);
	project_free(&pr);
	project_init(&pr, graph_find_schema(), on_found, NULL);
	if (project_feed(&pr, p, n) == 0)
		project_end(&pr);
	project_free(&pr);
	if (o)
		reservation(o);
	json_decref(o);
	return 0;
}
