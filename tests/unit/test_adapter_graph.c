/* test_adapter_graph.c: polls and reads of Exchange, against a scripted http. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/events.h"
#include "lib/marks.h"
#include "tests/unit/adapter_rig.h"

static int failures; /* inner answers still to fail */
static int fail_status, fail_retry;
static const char *delta_link_host = "graph.test";

static char *
delta_of(const char *host)
{
	char *s = NULL;

	assert_true(asprintf(&s,
			"{\"value\":[],\"@odata.deltaLink\":\"https://%s/"
			"v1.0/users/x/calendarView/delta?$deltatoken=n\"}",
			host) > 0);
	return s;
}

static void
error(struct rig_answer *x, int status, const char *code)
{
	x->status = status;
	assert_true(
	    asprintf(&x->body,
		"{\"error\":{\"code\":\"%s\",\"message\":\"m\"}}", code) > 0);
}

/* A mailbox with the recorded pages, masters and the traps. */
static void
upstream(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	(void)r;
	(void)method;
	(void)body;
	if (failures > 0) {
		failures--;
		error(x, fail_status, "ApplicationThrottled");
		x->retry_after = (uint32_t)fail_retry;
	} else if (strstr(path, "skiptoken=p2"))
		x->body = rig_data("graph_page2.json");
	else if (strstr(path, "skiptoken=p3"))
		x->body = rig_data("graph_page3.json");
	else if (strstr(path, "deltatoken=old"))
		error(x, 410, "SyncStateNotFound");
	else if (strstr(path, "deltatoken=twice") || strstr(path, "room9"))
		error(x, 410, "resyncRequired");
	else if (strstr(path, "deltatoken=loop") ||
	    strstr(path, "skiptoken=loop"))
		x->body = strdup("{\"value\":[],\"@odata.nextLink\":"
				 "\"https://graph.test/v1.0/users/x/delta?"
				 "$skiptoken=loop\"}");
	else if (strstr(path, "deltatoken=evil"))
		x->body = strdup("{\"value\":[],\"@odata.nextLink\":"
				 "\"https://evil.test/v1.0/users/x/delta\"}");
	else if (strstr(path, "deltatoken=html")) {
		x->type = "text/html";
		x->body = strdup("<html>gateway</html>");
	} else if (strstr(path, "deltatoken="))
		x->body = delta_of(delta_link_host);
	else if (strstr(path, "room1%40") || strstr(path, "room1@")) {
		if (strstr(path, "/delta?startDateTime="))
			x->body = rig_data("graph_page1.json");
		else if (strstr(path, "/events/master-1/instances"))
			x->body = rig_data("graph_instances.json");
		else if (strstr(path, "/events/master-1?"))
			x->body = rig_data("graph_master1.json");
		else if (strstr(path, "/events/master-2?"))
			x->body = rig_data("graph_master2.json");
		else if (strstr(path, "/events/denied"))
			error(x, 403, "ErrorAccessDenied");
		else if (strstr(path, "/events/nomailbox"))
			error(x, 404, "MailboxNotEnabledForRESTAPI");
		else
			error(x, 404, "ErrorItemNotFound");
	} else
		x->body = delta_of("graph.test");
}

static void
flush(struct rig *r)
{
	assert_int_equal(adapter_flush_send(r->mapd, 0, 0), 0);
}

static struct rig *
rig(void)
{
	struct rig *r = rig_new(UPSTREAM_EXCHANGE);

	r->upstream = upstream;
	failures = 0;
	delta_link_host = "graph.test";
	return r;
}

static void
check_first_load(struct rig *r)
{
	const struct booking *b;

	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->full, 1);
	assert_string_equal(r->cursor,
	    "/users/room1%40sim.test/calendarView/delta?$deltatoken=d1");
	b = rig_booking(r, "AAMk=single/1");
	assert_string_equal(b->room, "room1@sim.test");
	assert_string_equal(
	    b->subject, "Ada Lovelace \xe2\x80\x93 \"budget\" 2027");
	assert_string_equal(b->organiser, "ada@sim.test");
	assert_string_equal(b->body, "");
	assert_int_equal(b->start, 1796119200);
	assert_int_equal(b->end, 1796122800);
	assert_int_equal(b->original_start, 0);
	assert_int_equal(b->private_, 1);
	assert_int_equal(b->attendee_count, 2);
	assert_string_equal(b->change_tag, "W/\"s1\"");
	/* A stub before its master, with all that is its master's. */
	b = rig_booking(r, "occ-1");
	assert_string_equal(b->uid, "uid-of-master-1");
	assert_string_equal(b->subject, "stand-up");
	assert_string_equal(b->organiser, "grace@sim.test");
	assert_string_equal(b->series_id, "master-1");
	assert_int_equal(b->original_start, b->start);
	assert_int_equal(b->attendee_count, 3);
	/* An exception: its own subject, its master's uid. */
	b = rig_booking(r, "exc-1");
	assert_string_equal(b->uid, "uid-of-master-1");
	assert_string_equal(b->subject, "moved once");
	assert_int_equal(b->original_start, 1796803200);
	assert_int_equal(b->start, 1796821200);
	b = rig_booking(r, "cancelled-1");
	assert_int_equal(b->state, BOOKING_STATE_CANCELLED);
	assert_int_equal(b->end, b->start + 60);
	b = rig_booking(r, "allday-1");
	assert_int_equal(b->all_day, 1);
	assert_int_equal(b->start, 1796428800); /* 5 December, a date */
	assert_int_equal(b->end, 1796515200);
	assert_int_equal(b->state, BOOKING_STATE_BOOKED);
	assert_int_equal(b->marks, MARK_FREE);
	b = rig_booking(r, "tentative-1");
	assert_int_equal(b->state, BOOKING_STATE_TENTATIVE);
	assert_int_equal(b->start, 1796551200);
	/* One whose master had to be fetched. */
	b = rig_booking(r, "occ-2");
	assert_string_equal(b->uid, "uid-of-master-2");
	assert_int_equal(b->state, BOOKING_STATE_TENTATIVE);
	rig_booking(r, "occ-4");
	assert_int_equal(r->ngot, 8);
	/* Removed; with a wrong zone; and of a series that is gone. */
	assert_int_equal(r->nremoved, 3);
	assert_string_equal(r->removed[0], "gone-1");
	assert_string_equal(r->removed[1], "zone-1");
	assert_string_equal(r->removed[2], "occ-3");
	assert_int_equal(r->nseries, 1);
	assert_string_equal(r->series[0], "master-1");
	assert_int_equal(r->count, 11);
	assert_non_null(strstr(r->text, "1 items cannot be read"));
	assert_int_equal(r->incidents, 0);
}

static void
first_load(void **state)
{
	static const size_t chunks[] = {0, 1, 100};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig *r = rig();

		r->chunk = chunks[i];
		rig_poll(r, "room1@sim.test", "");
		flush(r);
		rig_run(r, 1);
		check_first_load(r);
		/* Three pages alone, then two masters in one batch. */
		assert_int_equal(r->requests, 4);
		assert_int_equal(r->batches, 1);
		assert_string_equal(r->log[0],
		    "get /users/room1@sim.test/calendarView/delta?"
		    "startDateTime=2026-11-23T00:00:00Z&"
		    "endDateTime=2027-02-21T00:00:00Z");
		rig_free(r);
	}
}

static void
prefer_on_every_request(void **state)
{
	struct rig *r = rig();

	(void)state;
	rig_poll(r, "room1@sim.test", "");
	flush(r);
	rig_run(r, 1);
	rig_poll(r, "r@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 2);
	assert_string_equal(r->prefer,
	    "odata.maxpagesize=100, outlook.timezone=\"UTC\", "
	    "IdType=\"ImmutableId\"");
	assert_string_equal(r->accept, "application/json");
	rig_free(r);
}

/* Forty rooms are two batches; answers come in reverse, and in both orders of
 * members, and in small pieces. */
static void
rooms_go_in_batches(void **state)
{
	(void)state;
	for (int last = 0; last < 2; last++) {
		struct rig *r = rig();
		char room[40];

		r->id_last = last;
		r->chunk = last ? 3 : 0;
		for (int i = 0; i < 39; i++) {
			snprintf(room, sizeof(room), "r%d@sim.test", i);
			rig_poll(r, room, "/users/x/delta?$deltatoken=a");
		}
		rig_poll(r, "room1@sim.test", "");
		for (int i = 0; i < 5; i++)
			loop_turn(r->loop, 1);
		assert_int_equal(r->requests, 0); /* not before the flush */
		flush(r);
		rig_run(r, 40);
		/* Two batches; two pages and two masters of room1. */
		assert_int_equal(r->batches, 3);
		assert_int_equal(r->requests, 5);
		assert_int_equal(r->ngot, 8);
		assert_in_range(r->most, 1, 4);
		rig_free(r);
	}
}

static void
two_hundred_rooms_idle(void **state)
{
	struct rig *r = rig();

	(void)state;
	for (int i = 0; i < 200; i++)
		rig_poll(r, "r@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 200);
	assert_int_equal(r->requests, 10);
	assert_int_equal(r->batches, 10);
	assert_in_range(r->most, 1, 4);
	rig_free(r);
}

static void
throttled_inside(void **state)
{
	struct rig *r = rig();

	(void)state;
	failures = 3;
	fail_status = 429;
	fail_retry = 17;
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=a");
	rig_poll(r, "b@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_in_range(r->holds, 1, 2);
	assert_int_equal(r->hold_seconds, 17);
	/* Without a Retry-After: ten seconds. */
	failures = 2;
	fail_retry = 0;
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=a");
	rig_poll(r, "b@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 4);
	assert_int_equal(r->hold_seconds, 10);
	/* Not for ever. */
	failures = 1000;
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=a");
	rig_poll(r, "b@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 6);
	assert_int_equal(r->outcome, OUTCOME_BUSY);
	assert_string_equal(r->cursor, "");
	rig_free(r);
}

static void
failed_inside(void **state)
{
	struct rig *r = rig();

	(void)state;
	failures = 4;
	fail_status = 504;
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=a");
	rig_poll(r, "b@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->requests, 3);
	failures = 1000;
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=a");
	rig_poll(r, "b@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 4);
	assert_int_equal(r->outcome, OUTCOME_FAILED);
	rig_free(r);
}

static void
left_out_of_a_batch(void **state)
{
	struct rig *r = rig();

	(void)state;
	r->unanswered = 1;
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=a");
	rig_poll(r, "b@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	rig_free(r);
}

static void
cursor_lost(void **state)
{
	struct rig *r = rig();

	(void)state;
	rig_poll(r, "room1@sim.test", "/users/x/delta?$deltatoken=old");
	flush(r);
	rig_run(r, 1);
	assert_int_equal(r->incidents, 1);
	assert_int_equal(r->incident, EV_CURSOR_RESET);
	assert_non_null(strstr(r->text, "410 SyncStateNotFound"));
	r->incidents = 0;
	check_first_load(r);
	/* Lost again when it was read from the start: no endless turn. */
	rig_reset(r);
	rig_poll(r, "room9@sim.test", "/users/x/delta?$deltatoken=twice");
	flush(r);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_CURSOR);
	assert_int_equal(r->full, 0);
	assert_int_equal(r->requests, 2);
	/* A cursor that is no path of ours is never sent. */
	rig_reset(r);
	rig_poll(r, "room1@sim.test", "https://evil.test/users/x");
	flush(r);
	rig_run(r, 1);
	check_first_load(r);
	assert_null(strstr(r->log[0], "evil"));
	rig_free(r);
}

static void
bad_links(void **state)
{
	struct rig *r = rig();

	(void)state;
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=evil");
	flush(r);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->incident, EV_LINK_REFUSED);
	assert_int_equal(r->requests, 1);
	assert_int_equal(r->full, 0);
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=loop");
	flush(r);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->requests, 3);
	r->incident = 0;
	delta_link_host = "evil.test";
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 3);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->incident, EV_LINK_REFUSED);
	assert_string_equal(r->cursor, "");
	rig_poll(r, "a@sim.test", "/users/x/delta?$deltatoken=html");
	flush(r);
	rig_run(r, 4);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	rig_free(r);
}

static void
cut_off(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	upstream(r, method, path, body, x);
	x->cut = 1;
}

static void
a_cut_answer_is_no_answer(void **state)
{
	struct rig *r = rig();

	(void)state;
	r->upstream = cut_off;
	rig_poll(r, "room1@sim.test", "");
	flush(r);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_FAILED);
	assert_int_equal(r->full, 0);
	assert_string_equal(r->cursor, "");
	rig_free(r);
}

static void
get(struct rig *r, const char *id)
{
	struct msg_adapter_get m = {"room1@sim.test", id};
	unsigned n;

	rig_reset(r);
	n = r->ended + 1;
	adapter_get_send(r->mapd, rig_call(r), 0, &m);
	flush(r);
	rig_run(r, n);
}

static void
master_unavailable(struct rig *r, const char *method, const char *path,
    const char *body, struct rig_answer *x)
{
	if (strstr(path, "/events/master"))
		error(x, 403, "ErrorAccessDenied");
	else
		upstream(r, method, path, body, x);
}

/* A stub is not delivered again: without its master there is no new cursor. */
static void
no_cursor_without_masters(void **state)
{
	struct rig *r = rig();

	(void)state;
	r->upstream = master_unavailable;
	rig_poll(r, "room1@sim.test", "");
	flush(r);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_DENIED);
	assert_string_equal(r->cursor, "");
	assert_int_equal(r->full, 0);
	rig_free(r);
}

static void
one_event(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	if (strstr(path, "/events/inst-1?")) {
		x->body = strdup(
		    "{\"id\":\"inst-1\",\"iCalUId\":\"own\",\"type\":"
		    "\"occurrence\",\"seriesMasterId\":\"master-1\","
		    "\"subject\":\"mine\",\"organizer\":{},\"start\":"
		    "{\"dateTime\":\"2026-12-02T08:00:00\",\"timeZone\":"
		    "\"UTC\"},\"end\":{\"dateTime\":\"2026-12-02T09:00:00\","
		    "\"timeZone\":\"UTC\"}}");
	} else if (strstr(path, "/events/broken?"))
		x->body = strdup("{\"id\":\"broken\",\"iCalUId\":\"u\"}");
	else
		upstream(r, method, path, body, x);
}

static void
get_by_id(void **state)
{
	struct rig *r = rig();

	(void)state;
	r->upstream = one_event;
	get(r, "inst-1");
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(rig_booking(r, "inst-1")->uid, "uid-of-master-1");
	assert_string_equal(rig_booking(r, "inst-1")->subject, "mine");
	get(r, "a/b+c=");
	assert_int_equal(r->outcome, OUTCOME_GONE);
	assert_non_null(strstr(r->log[0], "/events/a%2Fb%2Bc%3D?$select="));
	get(r, "denied");
	assert_int_equal(r->outcome, OUTCOME_DENIED);
	get(r, "nomailbox"); /* no evidence that the event is gone */
	assert_int_equal(r->outcome, OUTCOME_REFUSED);
	get(r, "broken");
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	get(r, "master-1");
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->nseries, 1);
	failures = 99;
	fail_status = 503;
	get(r, "inst-1");
	assert_int_equal(r->outcome, OUTCOME_BUSY);
	rig_free(r);
}

static void
expand(void **state)
{
	struct rig *r = rig();
	struct msg_adapter_expand m = {
	    "room1@sim.test", "master-1", 1795392000, 1803168000};

	(void)state;
	adapter_expand_send(r->mapd, rig_call(r), 0, &m);
	flush(r);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->count, 2);
	assert_int_equal(r->requests, 1); /* the master in the same batch */
	assert_string_equal(rig_booking(r, "inst-1")->uid, "uid-of-master-1");
	assert_int_equal(rig_booking(r, "inst-1")->original_start, 1796198400);
	assert_int_equal(rig_booking(r, "inst-2")->original_start, 1796803200);
	assert_string_equal(rig_booking(r, "inst-2")->subject, "late");
	m.series_id = "no-such";
	adapter_expand_send(r->mapd, rig_call(r), 0, &m);
	flush(r);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_GONE);
	rig_free(r);
}

static void
no_reservations(void **state)
{
	struct rig *r = rig();
	struct msg_adapter_cancel m = {"id", ""};

	(void)state;
	adapter_cancel_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_UNSUPPORTED);
	assert_int_equal(r->requests, 0);
	rig_free(r);
}

static void
a_new_mapd_takes_over(void **state)
{
	static const struct permit none[] = {{0, NULL, 0}};
	struct rig *r = rig();
	struct chan *c, *old = r->mapd;
	int m[2];

	(void)state;
	r->slow = 1;
	rig_poll(r, "room1@sim.test", "");
	rig_poll(r, "room1@sim.test", "");
	flush(r);
	for (int i = 0; i < 9; i++)
		loop_turn(r->loop, 1);
	assert_int_equal(r->requests, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, m), 0);
	c = chan_new(r->loop, m[1], ROLE_ADAPTER, ROLE_MAPD, graph_permits,
	    serve_closed, &r->a);
	r->mapd =
	    chan_new(r->loop, m[0], ROLE_MAPD, ROLE_ADAPTER, none, NULL, r);
	serve_open(c, 0, 1);
	r->slow = 0;
	rig_release(r);
	for (int i = 0; i < 9; i++)
		loop_turn(r->loop, 1);
	assert_int_equal(r->ended, 0);
	assert_null(r->a.first);
	rig_poll(r, "room1@sim.test", "");
	flush(r);
	rig_run(r, 1);
	check_first_load(r);
	(void)old; /* closed by the adapter, freed by its own loop */
	rig_free(r);
}

static void
many_stubs(struct rig *r, const char *method, const char *path,
    const char *body, struct rig_answer *x)
{
	struct strbuf b;

	if (!strstr(path, "/delta?")) {
		upstream(r, method, path, body, x);
		return;
	}
	strbuf_init(&b, 8 * 1024 * 1024);
	for (int i = 0; i < 8000; i++)
		strbuf_fmt(&b,
		    "%s{\"id\":\"occ-%d\",\"type\":\"occurrence\","
		    "\"seriesMasterId\":\"master-1\",\"start\":{\"dateTime\":"
		    "\"2026-12-%02dT%02d:%02d:00\",\"timeZone\":\"UTC\"},"
		    "\"end\":{\"dateTime\":\"2026-12-31T09:00:00\","
		    "\"timeZone\":\"UTC\"}}",
		    i ? "," : "{\"value\":[", i, 1 + i / 1440, i / 60 % 24,
		    i % 60);
	strbuf_str(&b,
	    "],\"@odata.deltaLink\":\"https://graph.test/v1.0/"
	    "users/x/delta?$deltatoken=n\"}");
	x->body = b.p;
}

/* What waited for its master is handed out as mapd takes it. */
static void
held_stubs_wait_for_mapd(void **state)
{
	struct rig *r = rig();

	(void)state;
	r->upstream = many_stubs;
	chan_pause(r->mapd, 1);
	rig_poll(r, "room1@sim.test", "");
	flush(r);
	for (int i = 0; i < 500; i++)
		loop_turn(r->loop, 1);
	assert_int_equal(r->ended, 0);
	assert_in_range(
	    chan_backlog(r->a.mapd), CHAN_BACKLOG, CHAN_BACKLOG + 4096);
	chan_pause(r->mapd, 0);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot + r->nmore, 8000);
	rig_free(r);
}

static void
with_body(void **state)
{
	struct rig *r = rig();

	(void)state;
	r->conf.policy.body = 1;
	batchq_free(r->a.batch);
	batchq_free(r->a.finds);
	assert_int_equal(graph_open(&r->a), 0);
	rig_poll(r, "room1@sim.test", "");
	flush(r);
	rig_run(r, 1);
	assert_non_null(
	    strstr(rig_booking(r, "AAMk=single/1")->body, "CANARY-body"));
	rig_poll(r, "r@sim.test", "/users/x/delta?$deltatoken=a");
	flush(r);
	rig_run(r, 2);
	assert_non_null(strstr(r->prefer, "body-content-type=\"text\""));
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(first_load),
	    cmocka_unit_test(prefer_on_every_request),
	    cmocka_unit_test(rooms_go_in_batches),
	    cmocka_unit_test(two_hundred_rooms_idle),
	    cmocka_unit_test(throttled_inside), cmocka_unit_test(failed_inside),
	    cmocka_unit_test(left_out_of_a_batch),
	    cmocka_unit_test(cursor_lost), cmocka_unit_test(bad_links),
	    cmocka_unit_test(a_cut_answer_is_no_answer),
	    cmocka_unit_test(no_cursor_without_masters),
	    cmocka_unit_test(get_by_id), cmocka_unit_test(expand),
	    cmocka_unit_test(no_reservations),
	    cmocka_unit_test(a_new_mapd_takes_over),
	    cmocka_unit_test(held_stubs_wait_for_mapd),
	    cmocka_unit_test(with_body)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
