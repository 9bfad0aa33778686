/* test_adapter_meeting.c: ORB's own meetings in Exchange: found by their tag,
 * looked for by uid, and written; http is scripted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/tag.h"
#include "lib/marks.h"
#include "tests/unit/adapter_rig.h"

#define AT                                                              \
	"\"start\":{\"dateTime\":\"2026-12-01T10:00:00\",\"timeZone\":" \
	"\"UTC\"},\"end\":{\"dateTime\":\"2026-12-01T11:00:00\","       \
	"\"timeZone\":\"UTC\"}"
#define GUEST(type, address, said)                                       \
	"{\"type\":\"" type "\",\"status\":{\"response\":\"" said "\"}," \
	"\"emailAddress\":{\"address\":\"" address "\",\"name\":\"N\"}}"
#define TAGGED(tag)                                                  \
	"\"singleValueExtendedProperties\":[{\"id\":\"" TAG_PROPERTY \
	"\",\"value\":\"" tag "\"}]"
#define MINE "orb@sim.test"

static struct {
	const char *when; /* part of "method path" */
	int status;
	const char *body;
	enum outcome failed;
	const char *type;
} script[8];
static char sent[8][2000], *bodies[8];
static unsigned nsent;

/* The first line of the script that fits; else 404. */
static void
scripted(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	unsigned n = nsent < 8 ? nsent++ : 7;

	(void)r;
	snprintf(sent[n], sizeof(sent[0]), "%s %s", method, path);
	free(bodies[n]);
	bodies[n] = strdup(body);
	x->status = 404;
	for (int i = 0; i < 8 && script[i].when; i++)
		if (strstr(sent[n], script[i].when)) {
			x->status = script[i].status;
			x->outcome = script[i].failed;
			x->body =
			    script[i].body ? strdup(script[i].body) : NULL;
			if (script[i].type)
				x->type = script[i].type;
			return;
		}
}

static struct rig *
rig(void)
{
	struct rig *r = rig_new(UPSTREAM_EXCHANGE);

	r->upstream = scripted;
	memset(script, 0, sizeof(script));
	nsent = 0;
	return r;
}

static void
done(struct rig *r)
{
	rig_free(r);
	for (int i = 0; i < 8; i++) {
		free(bodies[i]);
		bodies[i] = NULL;
	}
}

static void
say(int i, const char *when, int status, const char *body)
{
	script[i].when = when;
	script[i].status = status;
	script[i].body = body;
}

/* --- FIND ------------------------------------------------------------------ */

static void
found_by_tag(void **state)
{
	static const char *const tags[] = {
	    "td:yes", "td:no", "td:wait", "td:own", "td:off", "td:o'x"};
	struct rig *r = rig();
	const struct booking *b;

	(void)state;
#define EV(id, tag, more)                                                     \
	"{\"value\":[{\"id\":\"" id "\",\"iCalUId\":\"uid-" id                \
	"\",\"@odata.etag\":\"W/1\",\"isOrganizer\":true," AT "," TAGGED(tag) \
	    more "}]}"
#define WHO(said)                                             \
	",\"attendees\":[" GUEST("required", "rose@sim.test", \
	    "accepted") "," GUEST("resource", "room1@sim.test", said) "]"
	say(0, "td%3Ayes", 200, EV("1", "TD:yes", WHO("accepted")));
	say(1, "td%3Ano", 200, EV("2", "td:no", WHO("declined")));
	say(2, "td%3Await", 200, EV("3", "td:wait", WHO("notResponded")));
	say(3, "td%3Aown", 200, EV("4", "td:own", ""));
	say(4, "td%3Aoff", 200,
	    EV("5", "td:off", WHO("accepted") ",\"isCancelled\":true"));
	say(5, "td%3Ao%27%27x", 200, "{\"value\":[]}");
	rig_find(r, MINE, tags, 6);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->count, 5);
	assert_int_equal(r->requests, 1);
	assert_int_equal(r->batches, 1);
	b = rig_booking(r, "1");
	assert_string_equal(b->link, "td:yes");
	assert_string_equal(b->room, "room1@sim.test");
	assert_string_equal(b->uid, "uid-1");
	assert_string_equal(b->change_tag, "W/1");
	assert_int_equal(b->start, 1796119200);
	assert_int_equal(b->state, BOOKING_STATE_BOOKED);
	assert_int_equal(b->marks, 0);
	b = rig_booking(r, "2");
	assert_int_equal(b->state, BOOKING_STATE_CANCELLED);
	assert_int_equal(b->marks, MARK_DECLINED);
	assert_int_equal(rig_booking(r, "3")->state, BOOKING_STATE_TENTATIVE);
	b = rig_booking(r, "4");
	assert_string_equal(b->room, MINE);
	assert_int_equal(b->state, BOOKING_STATE_BOOKED);
	assert_int_equal(rig_booking(r, "5")->state, BOOKING_STATE_CANCELLED);
	done(r);
}

static void
not_found_is_certain(void **state)
{
	static const char *const tags[] = {"td:a"};
	static const struct {
		int status;
		const char *body;
		enum outcome want;
	} cases[] = {{200, "{\"value\":[]}", OUTCOME_OK},
	    {200, EV("1", "td:other", ""), OUTCOME_BROKEN},
	    {200, "{\"value\":[{\"id\":\"1\"}]}", OUTCOME_BROKEN},
	    {200,
		"{\"value\":[],\"@odata.nextLink\":"
		"\"https://graph.test/v1.0/users/x/events\"}",
		OUTCOME_BROKEN},
	    {404, "{\"error\":{\"code\":\"ErrorItemNotFound\"}}",
		OUTCOME_REFUSED},
	    {403, "{\"error\":{\"code\":\"ErrorAccessDenied\"}}",
		OUTCOME_DENIED}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig();

		say(0, "/events", cases[i].status, cases[i].body);
		rig_find(r, MINE, tags, 1);
		assert_int_equal(r->outcome, cases[i].want);
		assert_int_equal(r->count, 0);
		done(r);
	}
}

/* --- MEETING --------------------------------------------------------------- */

static void
look(struct rig *r, const char *uid, int64_t original)
{
	struct msg_adapter_meeting m = {
	    MINE, "room1@sim.test", uid, original, 1796083200, 1796169600};

	rig_reset(r);
	adapter_meeting_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
}

static void
looked_for_by_uid(void **state)
{
	struct rig *r = rig();

	(void)state;
	say(0, "/calendarView?", 200,
	    "{\"value\":[{\"id\":\"s\",\"iCalUId\":\"u1\",\"subject\":\"x\","
	    "\"organizer\":{}," AT "},{\"id\":\"o\",\"iCalUId\":\"own\","
	    "\"type\":\"occurrence\",\"seriesMasterId\":\"m\",\"subject\":"
	    "\"y\",\"organizer\":{}," AT "},{\"id\":\"bad\"}]}");
	say(1, "/events/m?", 200,
	    "{\"id\":\"m\",\"iCalUId\":\"um\",\"type\":\"seriesMaster\"}");
	look(r, "u1", 0);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot, 1);
	assert_string_equal(rig_booking(r, "s")->room, "room1@sim.test");
	assert_non_null(strstr(r->log[0],
	    "startDateTime=2026-11-30T00:00:00Z&"
	    "endDateTime=2026-12-03T00:00:00Z"));
	look(r, "um", 1796119200);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot, 1);
	assert_string_equal(rig_booking(r, "o")->uid, "um");
	assert_int_equal(r->nremoved + r->nseries, 0);
	/* It may be the one that cannot be read. */
	look(r, "um", 1796119260);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	say(0, "/calendarView?", 200, "{\"value\":[]}");
	look(r, "um", 0);
	assert_int_equal(r->outcome, OUTCOME_GONE);
	say(0, "/calendarView?", 404,
	    "{\"error\":{\"code\":\"ErrorItemNotFound\"}}");
	look(r, "um", 0);
	assert_int_equal(r->outcome, OUTCOME_REFUSED);
	done(r);
}

/* --- writes ---------------------------------------------------------------- */

#define MADE "{\"id\":\"new\",\"iCalUId\":\"uid-n\",\"@odata.etag\":\"W/9\"}"
#define CODE(c, text) \
	"{\"error\":{\"code\":\"" c "\",\"message\":\"" text "\"}}"

static const struct msg_adapter_meet meet = {.address = MINE,
    .room = "room1@sim.test",
    .room_name = "Room \"1\"",
    .organiser = "rose@sim.test",
    .tag = "topdesk:1",
    .transaction = "t-1",
    .start = 1796119200,
    .end = 1796122800,
    .private_ = 1,
    .subject = "s",
    .body = "a\nb"};

static void
made(void **state)
{
	struct msg_adapter_meet m = meet;
	struct rig *r = rig();

	(void)state;
	say(0, "post /users/orb@sim.test/events", 201, MADE);
	adapter_meet_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(r->remote_id, "new");
	assert_string_equal(r->uid, "uid-n");
	assert_string_equal(r->tag, "W/9");
	assert_int_equal(r->state, BOOKING_STATE_TENTATIVE);
	assert_non_null(strstr(r->prefer, "IdType=\"ImmutableId\""));
	assert_string_equal(bodies[0],
	    "{\"subject\":\"s\",\"body\":{\"contentType\":\"text\","
	    "\"content\":\"a\\nb\"},\"start\":{\"dateTime\":"
	    "\"2026-12-01T10:00:00\",\"timeZone\":\"UTC\"},\"end\":"
	    "{\"dateTime\":\"2026-12-01T11:00:00\",\"timeZone\":\"UTC\"},"
	    "\"isReminderOn\":false,\"showAs\":\"busy\",\"sensitivity\":"
	    "\"private\",\"attendees\":[{\"type\":\"resource\","
	    "\"emailAddress\":{\"address\":\"room1@sim.test\"}},{\"type\":"
	    "\"required\",\"emailAddress\":{\"address\":\"rose@sim.test\"}}],"
	    "\"location\":{\"displayName\":\"Room \\\"1\\\"\","
	    "\"locationEmailAddress\":\"room1@sim.test\",\"locationType\":"
	    "\"conferenceRoom\"},\"transactionId\":\"t-1\","
	    "\"singleValueExtendedProperties\":[{\"id\":\"" TAG_PROPERTY
	    "\",\"value\":\"topdesk:1\"}]}");
	m.address = m.room; /* in the room's own calendar */
	m.organiser = "";
	say(0, "/events", 201, MADE);
	adapter_meet_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 2);
	assert_int_equal(r->state, BOOKING_STATE_BOOKED);
	assert_null(strstr(bodies[1], "attendees"));
	m = meet;
	m.notice = 1;
	adapter_meet_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 3);
	assert_non_null(strstr(bodies[2], "\"showAs\":\"free\""));
	assert_null(strstr(bodies[2], "room1@sim.test"));
	assert_non_null(strstr(bodies[2], "rose@sim.test"));
	done(r);
}

static void
how_writes_end(void **state)
{
	static const struct {
		int status;
		const char *body, *type;
		enum outcome failed, make, change;
	} cases[] = {{201, MADE, NULL, 0, OUTCOME_OK, OUTCOME_OK},
	    {201, "{}", NULL, 0, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
	    {201, "{\"id\":", NULL, 0, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
	    {200, "<html>", "text/html", 0, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
	    {400, CODE("ErrorX", "secret words"), NULL, 0, OUTCOME_REFUSED,
		OUTCOME_REFUSED},
	    {403, CODE("ErrorAccessDenied", ""), NULL, 0, OUTCOME_DENIED,
		OUTCOME_DENIED},
	    {404, CODE("ErrorItemNotFound", ""), NULL, 0, OUTCOME_REFUSED,
		OUTCOME_GONE},
	    {404, CODE("ErrorInvalidUser", ""), NULL, 0, OUTCOME_REFUSED,
		OUTCOME_REFUSED},
	    {409, CODE("ErrorDuplicateTransactionId", ""), NULL, 0,
		OUTCOME_UNKNOWN, OUTCOME_STALE},
	    {412, CODE("ErrorIrresolvableConflict", ""), NULL, 0, OUTCOME_STALE,
		OUTCOME_STALE},
	    {429, NULL, NULL, 0, OUTCOME_BUSY, OUTCOME_BUSY},
	    {503, NULL, NULL, 0, OUTCOME_BUSY, OUTCOME_BUSY},
	    {500, NULL, NULL, 0, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
	    {0, NULL, NULL, OUTCOME_FAILED, OUTCOME_FAILED, OUTCOME_FAILED},
	    {0, NULL, NULL, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN}};
	struct msg_adapter_meeting_change c = {
	    MINE, "id", "W/1", 60, 120, "", "", "", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig();

		say(0, "/events", cases[i].status, cases[i].body);
		script[0].failed = cases[i].failed;
		script[0].type = cases[i].type;
		adapter_meet_send(r->mapd, rig_call(r), 0, &meet);
		rig_run(r, 1);
		assert_int_equal(r->outcome, cases[i].make);
		assert_null(strstr(r->text, "secret"));
		adapter_meeting_change_send(r->mapd, rig_call(r), 0, &c);
		rig_run(r, 2);
		assert_int_equal(r->outcome, cases[i].change);
		assert_int_equal(r->requests, 2); /* never repeated here */
		assert_string_equal(r->if_match, "W/1");
		done(r);
	}
}

#define NOW(tag)                                                 \
	"{\"id\":\"id\",\"@odata.etag\":\"" tag                  \
	"\",\"attendees\":[" GUEST("resource", "Room1@sim.test", \
	    "accepted") "," GUEST("optional", "ada@sim.test", "none") "]}"

static void
changed(void **state)
{
	struct msg_adapter_meeting_change m = {
	    MINE, "a/b", "W/1", 0, 0, "new", "", "", ""};
	struct rig *r = rig();

	(void)state;
	say(0, "patch ", 200, MADE);
	say(1, "get ", 200, NOW("W/1"));
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(sent[0], "patch /users/" MINE "/events/a%2Fb");
	assert_string_equal(bodies[0], "{\"subject\":\"new\"}");
	m.subject = "";
	m.room_from = "room1@sim.test";
	m.room_to = "room2@sim.test";
	m.room_name = "Two";
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->state, BOOKING_STATE_TENTATIVE);
	assert_string_equal(r->if_match, "W/1");
	assert_string_equal(bodies[2],
	    "{\"location\":{\"displayName\":\"Two\",\"locationEmailAddress\":"
	    "\"room2@sim.test\",\"locationType\":\"conferenceRoom\"},"
	    "\"attendees\":[{\"type\":\"optional\",\"emailAddress\":"
	    "{\"address\":\"ada@sim.test\",\"name\":\"N\"}},{\"type\":"
	    "\"resource\",\"emailAddress\":{\"address\":\"room2@sim.test\"}}]"
	    "}");
	say(1, "get ", 200, NOW("W/2"));
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 3);
	assert_int_equal(r->outcome, OUTCOME_STALE);
	say(1, "get ", 200, "{\"id\":\"id\"}"); /* nobody is dropped */
	m.change_tag = "";
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 4);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	say(1, "get ", 500, NULL);
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 5);
	assert_int_equal(r->outcome, OUTCOME_FAILED);
	assert_int_equal(r->requests, 6); /* no second PATCH of the room */
	done(r);
}

static void
cancelled(void **state)
{
	struct msg_adapter_meeting_cancel m = {MINE, "id", "W/1", "bye\nbye"};
	struct rig *r = rig();

	(void)state;
	say(0, "post ", 202, NULL);
	adapter_meeting_cancel_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(sent[0], "post /users/" MINE "/events/id/cancel");
	assert_string_equal(bodies[0], "{\"comment\":\"bye\\nbye\"}");
	/* Nobody is invited: it can only be deleted. */
	say(0, "post ", 400, CODE("ErrorInvalidRequest", "no meeting"));
	say(1, "get ", 200, "{\"id\":\"id\",\"attendees\":[]}");
	say(2, "delete ", 204, NULL);
	adapter_meeting_cancel_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(sent[3], "delete /users/" MINE "/events/id");
	/* Somebody is: it is another's meeting, which stays. */
	say(1, "get ", 200, NOW("W/1"));
	adapter_meeting_cancel_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 3);
	assert_int_equal(r->outcome, OUTCOME_REFUSED);
	assert_int_equal(r->requests, 6);
	say(0, "post ", 404, CODE("ErrorItemNotFound", ""));
	adapter_meeting_cancel_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 4);
	assert_int_equal(r->outcome, OUTCOME_GONE);
	done(r);
}

static void
declined(void **state)
{
	struct msg_adapter_meeting_decline m = {"room1@sim.test", "id", "no"};
	struct rig *r = rig();

	(void)state;
	say(0, "/decline", 202, NULL);
	adapter_meeting_decline_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(
	    bodies[0], "{\"comment\":\"no\",\"sendResponse\":true}");
	say(0, "/decline", 400,
	    CODE("ErrorInvalidRequest",
		"Your request can't be completed. The meeting organizer "
		"hasn't requested a response."));
	adapter_meeting_decline_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_REFUSED); /* twice, no more */
	assert_int_equal(r->requests, 3);
	assert_string_equal(
	    bodies[2], "{\"comment\":\"\",\"sendResponse\":false}");
	say(0, "/decline", 400,
	    CODE("ErrorInvalidRequest",
		"Your request can't be completed. You can't respond to this "
		"meeting because you're the meeting organizer."));
	adapter_meeting_decline_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 3);
	assert_int_equal(r->outcome, OUTCOME_REFUSED);
	assert_int_equal(r->requests, 4);
	done(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(found_by_tag),
	    cmocka_unit_test(not_found_is_certain),
	    cmocka_unit_test(looked_for_by_uid), cmocka_unit_test(made),
	    cmocka_unit_test(how_writes_end), cmocka_unit_test(changed),
	    cmocka_unit_test(cancelled), cmocka_unit_test(declined)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
