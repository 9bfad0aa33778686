/* test_adapter_topdesk.c: TOPdesk's lists, reads and writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/marks.h"
#include "tests/unit/adapter_rig.h"

#define ROOM1 "aaaaaaaa-0000-4000-8000-000000000001"
#define ROOM2 "aaaaaaaa-0000-4000-8000-000000000002"
#define ROOM3 "aaaaaaaa-0000-4000-8000-000000000003"
#define RID "11111111-0000-4000-8000-000000000001"

static struct rig_answer next_answer;

static void
same_again(struct rig *r, const char *method, const char *path,
    const char *body, struct rig_answer *x)
{
	(void)r;
	(void)method;
	(void)path;
	(void)body;
	*x = next_answer;
	x->body = next_answer.body ? strdup(next_answer.body) : NULL;
}

static void
recorded(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	(void)r;
	(void)method;
	(void)body;
	x->body = rig_data(strstr(path, "/persons") ? "topdesk_persons.json"
						    : "topdesk_list.json");
}

static void
flush(struct rig *r)
{
	adapter_flush_send(r->mapd, 0, 0);
}

static struct rig *
rig(void (*upstream)(struct rig *, const char *, const char *, const char *,
    struct rig_answer *))
{
	struct rig *r = rig_new(UPSTREAM_TOPDESK);

	r->upstream = upstream;
	next_answer =
	    (struct rig_answer){.status = 200, .type = "application/json"};
	return r;
}

static void
lists_over_rooms(void **state)
{
	static const size_t chunks[] = {0, 1};
	const struct booking *b;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = rig(recorded);
		uint64_t one, two;

		r->chunk = chunks[i];
		one = rig_poll(r, ROOM1, "");
		two = rig_poll(r, ROOM2, "");
		for (int k = 0; k < 5; k++)
			loop_turn(r->loop, 1);
		assert_int_equal(r->requests, 0);
		flush(r);
		rig_run(r, 2);
		assert_int_equal(r->requests, 1);
		assert_int_equal(r->outcome, OUTCOME_OK);
		assert_int_equal(r->full, 1);
		assert_non_null(strstr(r->text, "1 reservations of this list"));
		assert_int_equal(r->ngot, 4);
		b = rig_booking(r, RID);
		assert_string_equal(b->room, ROOM1);
		assert_string_equal(b->subject, "Projectoverleg \xc3\xa9");
		assert_string_equal(b->organiser, "Ada@sim.test");
		assert_string_equal(b->number, "R 2612 001");
		assert_string_equal(b->link, "orb1:abc");
		assert_string_equal(b->change_tag, "2026-11-02T10:11:12Z");
		assert_int_equal(b->attendee_count, 6);
		assert_int_equal(b->start, 1796112000);
		assert_int_equal(b->marks, 0);
		/* One in both rooms, to each room's poll; and all its marks. */
		assert_int_equal(r->got[1].id, one);
		assert_int_equal(r->got[2].id, two);
		b = &r->got[1].b;
		assert_string_equal(b->room, ROOM1);
		assert_string_equal(r->got[2].b.room, ROOM2);
		assert_int_equal(b->state, BOOKING_STATE_CONFLICTING);
		assert_int_equal(b->marks,
		    MARK_ISSUED | MARK_ARCHIVED | MARK_SERVICES | MARK_SERIES |
			MARK_SEVERAL_ROOMS | MARK_FOREIGN_LINK);
		assert_string_equal(b->link, "");
		assert_int_equal(b->end, b->start + 60);
		assert_int_equal(r->got[3].b.state, BOOKING_STATE_REQUEST);
		assert_non_null(strstr(r->log[0],
		    "get /reservations?query=reservedFacilities.location.id"
		    "%3Din%3D(" ROOM1 "," ROOM2 ")%3BplannedEndDate%3Dgt%3D"
		    "2026-11-23T00:00:00Z%3BplannedStartDate%3Dlt%3D"
		    "2027-02-21T00:00:00Z&$fields="));
		rig_free(r);
	}
}

static void
rooms_per_list(void **state)
{
	struct rig *r = rig(recorded);

	(void)state;
	rig_poll(r, ROOM1, "");
	rig_poll(r, ROOM2, "");
	rig_poll(r, ROOM3, "");
	flush(r);
	rig_run(r, 3);
	assert_int_equal(r->requests, 2);
	rig_free(r);
}

/* A list in pages of five: starts are minutes, two at the seam are the same. */
static int pages, stuck, disorder, fail_at;

static void
paged(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	static const int start[] = {1, 2, 3, 4, 4, 4, 5, 6, 6, 7, 8};
	const char *ge = strstr(path, "plannedStartDate%3Dge%3D");
	int from = ge ? atoi(ge + 24 + 14) : 0, n = 0;
	struct strbuf b;

	(void)r;
	(void)method;
	(void)body;
	pages++;
	if (pages == fail_at) {
		x->status = 500;
		return;
	}
	strbuf_init(&b, 100000);
	strbuf_str(&b, "{\"results\":[");
	x->status = 200;
	for (int i = 0; i < 11; i++) {
		if (start[i] < from && !stuck)
			continue;
		if (n == 5) {
			x->status = 206;
			break;
		}
		strbuf_fmt(&b,
		    "%s{\"id\":\"id-%d\",\"status\":\"planned\","
		    "\"plannedStartDate\":\"2026-12-01T08:%02d:00Z\","
		    "\"plannedEndDate\":\"2026-12-01T09:00:00Z\","
		    "\"reservedFacilities\":[{\"location\":{\"id\":\"" ROOM1
		    "\"}}]}",
		    n++ ? "," : "", i, disorder ? 59 - start[i] : start[i]);
	}
	strbuf_str(&b, "]}");
	x->body = b.p;
}

static void
poll_pages(struct rig *r)
{
	pages = 0;
	rig_reset(r);
	rig_poll(r, ROOM1, "");
	flush(r);
	rig_run(r, 1);
}

static void
cut_lists_are_followed(void **state)
{
	struct rig *r = rig(paged);

	(void)state;
	stuck = disorder = fail_at = 0;
	poll_pages(r);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->full, 1);
	assert_int_equal(r->ngot, 11);
	assert_int_equal(r->count, 11);
	/* And not followed for ever, nor when it cannot be, nor half. */
	stuck = 1;
	poll_pages(r);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->full, 0);
	assert_int_equal(pages, 2);
	stuck = 0;
	disorder = 1;
	poll_pages(r);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->full, 0);
	disorder = 0;
	fail_at = 2;
	poll_pages(r);
	assert_int_equal(r->outcome, OUTCOME_FAILED);
	assert_int_equal(r->full, 0);
	fail_at = 0;
	rig_free(r);
}

static void
list_failures(void **state)
{
	static const struct {
		int status;
		const char *type, *body;
		enum outcome failed, want;
	} cases[] = {{200, "text/html", "<html>", 0, OUTCOME_BROKEN},
	    {404, "application/json", NULL, 0, OUTCOME_REFUSED},
	    {403, "", NULL, 0, OUTCOME_DENIED},
	    {401, "application/json", "[{\"message\":\"m\"}]", 0,
		OUTCOME_DENIED},
	    {503, "text/html", "<html>", 0, OUTCOME_BUSY},
	    {500, "text/html", "<html>", 0, OUTCOME_FAILED},
	    {200, "application/json", "{\"results\":[{\"id\":", 0,
		OUTCOME_BROKEN},
	    {0, "", NULL, OUTCOME_FAILED, OUTCOME_FAILED},
	    {0, "", NULL, OUTCOME_UNKNOWN, OUTCOME_FAILED},
	    {0, "", NULL, OUTCOME_DENIED, OUTCOME_DENIED}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig(same_again);

		next_answer = (struct rig_answer){.status = cases[i].status,
		    .type = cases[i].type,
		    .body = (char *)(uintptr_t)cases[i].body,
		    .outcome = cases[i].failed};
		rig_poll(r, ROOM1, "");
		rig_poll(r, ROOM2, "");
		flush(r);
		rig_run(r, 2);
		assert_int_equal(r->outcome, cases[i].want);
		assert_int_equal(r->full, 0);
		rig_free(r);
	}
}

static void
many(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	struct strbuf b;

	(void)r;
	(void)method;
	(void)path;
	(void)body;
	strbuf_init(&b, 8 * 1024 * 1024);
	for (int i = 0; i < 8000; i++)
		strbuf_fmt(&b,
		    "%s{\"id\":\"id-%d\",\"status\":\"planned\","
		    "\"plannedStartDate\":\"2026-12-%02dT%02d:%02d:00Z\","
		    "\"plannedEndDate\":\"2026-12-31T09:00:00Z\","
		    "\"reservedFacilities\":[{\"location\":{\"id\":\"" ROOM1
		    "\"}}]}",
		    i ? "," : "{\"results\":[", i, 1 + i / 1440, i / 60 % 24,
		    i % 60);
	strbuf_str(&b, "]}");
	x->body = b.p;
}

/* A mapd that does not read stops http, not only the adapter. */
static void
a_slow_mapd_is_waited_for(void **state)
{
	struct rig *r = rig(many);

	(void)state;
	chan_pause(r->mapd, 1);
	rig_poll(r, ROOM1, "");
	flush(r);
	for (int i = 0; i < 300; i++)
		loop_turn(r->loop, 1);
	assert_int_equal(r->ended, 0);
	assert_int_equal(r->ngot, 0);
	/* What is over the mark is what one packet of http's makes. */
	assert_in_range(
	    chan_backlog(r->a.mapd), CHAN_BACKLOG, CHAN_BACKLOG + 64 * 1024);
	chan_pause(r->mapd, 0);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot + r->nmore, 8000);
	rig_free(r);
}

static struct wire_list
strs(struct wire_out *w, const char *const *s, uint32_t n)
{
	wire_out_init(w, 100000);
	for (uint32_t i = 0; i < n; i++)
		wire_put_str(w, s[i], 1000);
	return wire_list_of(w, n);
}

static void
find_and_check(void **state)
{
	static const char *const links[] = {"orb1:abc", "orb1:it's"};
	struct rig *r = rig(recorded);
	struct msg_adapter_find f = {.address = ""};
	struct msg_adapter_check c;
	struct wire_out w;

	(void)state;
	f.links = strs(&w, links, 2);
	next_answer.body = (char *)(uintptr_t) "{\"results\":[]}";
	r->upstream = same_again;
	adapter_find_send(r->mapd, rig_call(r), 0, &f);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->count, 0);
	assert_non_null(strstr(r->log[0],
	    "externalLinks.type%3D%3D7301%3BexternalLinks.id%3Din%3D("
	    "%27orb1%3Aabc%27,%27orb1%3Ait%5C%27s%27)"));
	/* A part of the answer is not "not there". */
	next_answer.status = 206;
	adapter_find_send(r->mapd, rig_call(r), 0, &f);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_FAILED);
	/* Nor is what cannot be read. */
	r->upstream = recorded;
	adapter_find_send(r->mapd, rig_call(r), 0, &f);
	rig_run(r, 3);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	c.numbers = f.links;
	adapter_check_send(r->mapd, rig_call(r), 0, &c);
	rig_run(r, 4);
	assert_non_null(strstr(r->log[3], "?query=number%3Din%3D("));
	wire_out_free(&w);
	rig_free(r);
}

static void
many_links_are_several_requests(void **state)
{
	struct rig *r = rig(same_again);
	struct msg_adapter_find f = {.address = ""};
	struct wire_out w;
	char link[451];

	(void)state;
	memset(link, ':', 450);
	link[450] = '\0';
	wire_out_init(&w, 100000);
	for (int i = 0; i < 30; i++)
		wire_put_str(&w, link, 450);
	f.links = wire_list_of(&w, 30);
	next_answer.body = (char *)(uintptr_t) "{\"results\":[]}";
	adapter_find_send(r->mapd, rig_call(r), 0, &f);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_in_range(r->requests, 6, 10);
	wire_out_free(&w);
	rig_free(r);
}

static void
persons(void **state)
{
	static const char *const asked[] = {
	    "ada@sim.test", "twin@sim.test", "Nobody@sim.test", "old@sim.test"};
	struct rig *r = rig(recorded);
	struct msg_adapter_persons m;
	struct wire_out w;

	(void)state;
	m.addresses = strs(&w, asked, 4);
	adapter_persons_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->npersons, 4);
	assert_string_equal(
	    r->persons[0].person, "22222222-0000-4000-8000-000000000001");
	assert_int_equal(r->persons[0].matches, 1);
	assert_int_equal(r->persons[1].matches, 2);
	assert_string_equal(r->persons[1].person, "");
	assert_int_equal(r->persons[2].matches, 0);
	assert_int_equal(r->persons[3].matches, 0);
	assert_string_equal(
	    r->accept, "application/x.topdesk-collection-person-v2+json");
	assert_non_null(strstr(
	    r->path, "/persons?query=email%3Din%3D(%27ada%40sim.test%27,"));
	assert_non_null(
	    strstr(r->path, "%27Nobody%40sim.test%27,%27nobody%40sim.test%27"));
	assert_non_null(strstr(r->path, ")%3Barchived%3D%3Dfalse&pageSize="));
	/* 204: none of them. */
	r->upstream = same_again;
	next_answer.status = 204;
	next_answer.type = "";
	rig_reset(r);
	adapter_persons_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->npersons, 4);
	assert_int_equal(r->persons[0].matches, 0);
	/* No right to read persons is not "nobody". */
	next_answer.status = 403;
	rig_reset(r);
	adapter_persons_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_DENIED);
	assert_int_equal(r->npersons, 0);
	wire_out_free(&w);
	rig_free(r);
}

static void
get_one(void **state)
{
	struct rig *r = rig(same_again);
	struct msg_adapter_get m = {"", RID};

	(void)state;
	next_answer.body =
	    (char *)(uintptr_t) "{\"id\":\"" RID "\",\"status\":\"cancelled\","
				"\"plannedStartDate\":"
				"\"2026-12-01T08:00:00Z\",\"plannedEndDate\":"
				"\"2026-12-01T09:00:00Z\"}";
	adapter_get_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(rig_booking(r, RID)->state, BOOKING_STATE_CANCELLED);
	assert_string_equal(rig_booking(r, RID)->room, "");
	next_answer = (struct rig_answer){.status = 404, .type = ""};
	adapter_get_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_GONE);
	/* A proxy's 404 is not TOPdesk's. */
	next_answer.type = "text/html";
	adapter_get_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 3);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	rig_free(r);
}

static void
write_outcomes(void **state)
{
	static const struct {
		int status;
		const char *type, *body;
		enum outcome failed, want;
	} cases[] = {{201, "application/json",
			 "{\"id\":\"" RID
			 "\",\"number\":\"R 1\",\"status\":\"planned\"}",
			 0, OUTCOME_OK},
	    {201, "application/json",
		"{\"id\":\"" RID "\",\"number\":\"R 1\",\"status\":"
		"\"conflictingPlanned\"}",
		0, OUTCOME_CONFLICT},
	    {201, "application/json", "{}", 0, OUTCOME_UNKNOWN},
	    {201, "application/json", "{\"id\":", 0, OUTCOME_UNKNOWN},
	    {201, "text/html", "<html>", 0, OUTCOME_UNKNOWN},
	    {400, "application/json",
		"{\"errors\":[{\"errorCode\":\"FACILITY_NOT_AVAILABLE\"}]}", 0,
		OUTCOME_CONFLICT},
	    {400, "application/json",
		"{\"errors\":[{\"errorCode\":\"E\",\"errorMessage\":"
		"\"The room overlaps\"}]}",
		0, OUTCOME_CONFLICT},
	    {400, "application/json",
		"{\"errors\":[{\"errorCode\":\"REQUIRED\"}]}", 0,
		OUTCOME_REFUSED},
	    {400, "text/html", "<html>", 0, OUTCOME_UNKNOWN},
	    {403, "", NULL, 0, OUTCOME_DENIED},
	    {404, "", NULL, 0, OUTCOME_GONE},
	    {409, "", NULL, 0, OUTCOME_CONFLICT},
	    {429, "", NULL, 0, OUTCOME_BUSY}, {503, "", NULL, 0, OUTCOME_BUSY},
	    {500, "", NULL, 0, OUTCOME_UNKNOWN},
	    {502, "text/html", "<html>", 0, OUTCOME_UNKNOWN},
	    {0, "", NULL, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
	    {0, "", NULL, OUTCOME_FAILED, OUTCOME_FAILED}};
	struct msg_adapter_create m = {
	    "orb1:x", ROOM1, "p", 1796112000, 1796115600, 2, "subject", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig(same_again);

		next_answer = (struct rig_answer){.status = cases[i].status,
		    .type = cases[i].type,
		    .body = (char *)(uintptr_t)cases[i].body,
		    .outcome = cases[i].failed,
		    .retry_after = cases[i].status == 429 ? 7 : 0};
		adapter_create_send(r->mapd, rig_call(r), 0, &m);
		rig_run(r, 1);
		assert_int_equal(r->outcome, cases[i].want);
		assert_int_equal(r->requests, 1); /* never repeated here */
		if (i < 2) {
			assert_string_equal(r->remote_id, RID);
			assert_string_equal(r->number, "R 1");
		}
		if (cases[i].status == 429)
			assert_int_equal(r->retry_after, 7);
		rig_free(r);
	}
}

static char sent[5000];

static void
remember(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	snprintf(sent, sizeof(sent), "%s %s %s", method, path, body);
	same_again(r, method, path, body, x);
}

static void
writes(void **state)
{
	struct rig *r = rig(remember);
	struct msg_adapter_reschedule s = {RID, 1796112000, 1796115600};
	struct msg_adapter_move m = {"a/../b", ROOM1, ROOM2};
	struct msg_adapter_edit e = {RID, "s", "", ""};
	struct msg_adapter_cancel c = {RID, ""};

	(void)state;
	next_answer.body = (char
		*)(uintptr_t) "{\"id\":\"" RID
			      "\",\"status\":\"planned\",\"number\":\"R 1\","
			      "\"modificationDate\":\"2026-11-02T10:11:12Z\"}";
	adapter_reschedule_send(r->mapd, rig_call(r), 0, &s);
	rig_run(r, 1);
	assert_string_equal(sent,
	    "post /reservations/" RID "/reschedule {\"plannedStartDate\":"
	    "\"2026-12-01T08:00:00Z\",\"plannedEndDate\":"
	    "\"2026-12-01T09:00:00Z\"}");
	assert_string_equal(r->tag, "2026-11-02T10:11:12Z");
	adapter_move_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 2);
	assert_string_equal(sent,
	    "post /reservations/a%2F..%2Fb/reservedFacilities/move {\"from\":"
	    "{\"location\":{\"id\":\"" ROOM1 "\"}},\"to\":{\"location\":"
	    "{\"id\":\"" ROOM2 "\"}}}");
	adapter_edit_send(r->mapd, rig_call(r), 0, &e);
	rig_run(r, 3);
	assert_string_equal(
	    sent, "patch /reservations/" RID " {\"briefDescription\":\"s\"}");
	assert_int_equal(r->outcome, OUTCOME_OK);
	next_answer = (struct rig_answer){.status = 204, .type = ""};
	adapter_cancel_send(r->mapd, rig_call(r), 0, &c);
	rig_run(r, 4);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(sent, "post /reservations/" RID "/cancel ");
	r->conf.topdesk.cancel_reason = RID;
	adapter_cancel_send(r->mapd, rig_call(r), 0, &c);
	rig_run(r, 5);
	assert_string_equal(
	    sent, "post /reservations/" RID "/cancel {\"id\":\"" RID "\"}");
	rig_free(r);
}

static void
flags_as_configured(void **state)
{
	struct rig *r = rig(remember);
	struct msg_adapter_reschedule s = {RID, 1796112000, 1796115600};
	struct msg_adapter_cancel c = {RID, ""};

	(void)state;
	r->conf.topdesk.allow_passed_lead_times = 1;
	next_answer = (struct rig_answer){.status = 204, .type = ""};
	adapter_cancel_send(r->mapd, rig_call(r), 0, &c);
	rig_run(r, 1);
	assert_string_equal(sent,
	    "post /reservations/" RID "/cancel?allowPassedLeadTimes=true ");
	r->conf.topdesk.allow_services_outside_window = 1;
	adapter_reschedule_send(r->mapd, rig_call(r), 0, &s);
	rig_run(r, 2);
	assert_non_null(strstr(sent,
	    "/reschedule?allowPassedLeadTimes=true&"
	    "allowServicesOutsideServiceWindow=true&"
	    "allowServicesOutsideReservation=true {"));
	rig_free(r);
}

static const char *td_status;

/* Cancelling is refused; the reservation is in td_status. */
static void
not_to_cancel(struct rig *r, const char *method, const char *path,
    const char *body, struct rig_answer *x)
{
	(void)r;
	snprintf(sent, sizeof(sent), "%s %s %s", method, path, body);
	if (strstr(path, "/cancel")) {
		x->status = 400;
		x->body = strdup("{\"errors\":[{\"errorCode\":"
				 "\"NOT_ALLOWED_IN_STATE\"}]}");
	} else if (strcmp(method, "get") == 0)
		assert_true(
		    asprintf(&x->body, "{\"id\":\"" RID "\",\"status\":\"%s\"}",
			td_status) > 0);
}

static void
a_request_is_rejected(void **state)
{
	struct msg_adapter_cancel c = {RID, "why"};
	struct rig *r = rig(not_to_cancel);

	(void)state;
	td_status = "conflictingRequest";
	adapter_cancel_send(r->mapd, rig_call(r), 0, &c);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->requests, 3);
	assert_string_equal(
	    sent, "post /reservations/" RID "/reject {\"name\":\"why\"}");
	td_status = "planned";
	adapter_cancel_send(r->mapd, rig_call(r), 0, &c);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_REFUSED);
	assert_int_equal(r->requests, 5);
	rig_free(r);
}

static void
link_once_only(void **state)
{
	struct msg_adapter_edit e = {RID, "", "", "orb1:x"};
	struct rig *r = rig(remember);

	(void)state;
	next_answer = (struct rig_answer){.status = 400,
	    .type = "application/json",
	    .body = (char *)(uintptr_t) "{\"errors\":[{\"errorCode\":"
					"\"EXTERNAL_LINK_ALREADY_SET\"}]}"};
	adapter_edit_send(r->mapd, rig_call(r), 0, &e);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_REFUSED);
	assert_non_null(strstr(sent,
	    "{\"externalLink\":{\"id\":\"orb1:x\",\"type\":\"7301\","
	    "\"date\":\""));
	rig_free(r);
}

static void
block_times(void **state)
{
	struct rig *r = rig(same_again);
	struct msg_adapter_get m = {"", RID};
	const struct booking *b;

	(void)state;
	next_answer.body =
	    (char *)(uintptr_t) "{\"id\":\"" RID "\",\"status\":\"planned\","
				"\"plannedStartDate\":\"2026-12-01T08:00:00Z\","
				"\"plannedEndDate\":\"2026-12-01T09:00:00Z\","
				"\"requester\":{\"email\":\"rose@sim.test\"},"
				"\"reservedFacilities\":[{\"location\":{\"id\":"
				"\"" ROOM1 "\"},\"startDateBlock\":"
				"\"2026-12-01T07:45:00Z\",\"endDateBlock\":"
				"\"2026-12-01T09:15:00Z\"},{\"location\":"
				"{\"id\":\"" ROOM2 "\"},\"startDateBlock\":"
				"\"2026-12-01T08:00:00Z\",\"endDateBlock\":"
				"\"2026-12-01T09:00:00Z\"}]}";
	adapter_get_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->ngot, 2);
	b = &r->got[0].b;
	assert_string_equal(b->organiser, "rose@sim.test");
	assert_int_equal(b->block_start, b->start - 900);
	assert_int_equal(b->block_end, b->end + 900);
	assert_int_equal(r->got[1].b.block_start, 0);
	assert_int_equal(r->got[1].b.block_end, 0);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lists_over_rooms),
	    cmocka_unit_test(rooms_per_list),
	    cmocka_unit_test(cut_lists_are_followed),
	    cmocka_unit_test(list_failures), cmocka_unit_test(find_and_check),
	    cmocka_unit_test(a_slow_mapd_is_waited_for),
	    cmocka_unit_test(many_links_are_several_requests),
	    cmocka_unit_test(persons), cmocka_unit_test(get_one),
	    cmocka_unit_test(write_outcomes), cmocka_unit_test(writes),
	    cmocka_unit_test(flags_as_configured),
	    cmocka_unit_test(a_request_is_rejected),
	    cmocka_unit_test(link_once_only), cmocka_unit_test(block_times)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
