/*
 * test_adapter_ews_write.c: meetings written by Exchange Web Services: who is
 * told of each write, in which order its elements stand, to which state of the
 * meeting it is done, and what follows when its answer is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/tag.h"
#include "tests/unit/ews_order.h"
#include "tests/unit/ews_upstream.h"

#define MINE "orb@sim.test"
#define ROOM "room1@sim.test"
#define GUEST(address)                                               \
	"<t:Attendee><t:Mailbox><t:EmailAddress>" address            \
	"</t:EmailAddress></t:Mailbox><t:ResponseType>Accept</t:Res" \
	"ponseType></t:Attendee>"
#define ALONE ITEM("one", "<t:UID>U1</t:UID>")
#define MEETING                                                                    \
	ITEM("one",                                                                \
	    "<t:UID>U1</t:UID><t:RequiredAttendees>" GUEST(                        \
		"rose@sim.test") "</t:RequiredAttendees><t:Resources>" GUEST(ROOM) \
		GUEST("room9@sim.test") "</t:Resources>")
#define DONE ITEMS(ITEM("new", ""))

static const struct ews_line good[] = {{"GetItem", ITEMS(MEETING), 0, NULL},
    {"", DONE, 0, NULL}, {NULL, NULL, 0, NULL}};
static const struct ews_line good_alone[] = {{"GetItem", ITEMS(ALONE), 0, NULL},
    {"", DONE, 0, NULL}, {NULL, NULL, 0, NULL}};

static const struct msg_adapter_meet meet = {.address = MINE,
    .room = ROOM,
    .room_name = "Room <1>",
    .organiser = "rose@sim.test",
    .tag = "topdesk:1",
    .transaction = "T-1",
    .start = 1796112000,
    .end = 1796115600,
    .private_ = 1,
    .subject = "s & \"t\" \xc3\xa9",
    .body = "a\nb]]>"};

static void
send_meet(struct rig *r, const struct msg_adapter_meet *m)
{
	rig_reset(r);
	adapter_meet_send(r->mapd, rig_call(r), 0, m);
	rig_run(r, 1);
}

static void
send_change(struct rig *r, const char *tag, int64_t start, const char *subject,
    const char *from, const char *to)
{
	struct msg_adapter_meeting_change m = {MINE, "one", tag, start,
	    start ? start + 3600 : 0, subject, from, to, "Room 2"};

	rig_reset(r);
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
}

static void
send_cancel(struct rig *r, const char *tag)
{
	struct msg_adapter_meeting_cancel m = {MINE, "one", tag, "why <so>"};

	rig_reset(r);
	adapter_meeting_cancel_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
}

static void
send_decline(struct rig *r)
{
	struct msg_adapter_meeting_decline m = {MINE, "one", "it is taken"};

	rig_reset(r);
	adapter_meeting_decline_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
}

/* --- who is told ----------------------------------------------------------------- */

/* The last request says this to whom it concerns, and nothing else. */
static void
assert_told(const char *value, const char *attribute)
{
	static const char *const all[] = {"MessageDisposition",
	    "SendMeetingInvitations", "SendMeetingInvitationsOrCancellations",
	    "SendMeetingCancellations"};
	char want[120];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int it = strcmp(all[i], attribute) == 0;

		snprintf(
		    want, sizeof(want), " %s=\"%s", all[i], it ? value : "");
		if ((strstr(ews_sent(), want) != NULL) != it)
			fail_msg("%s: %s", want, ews_sent());
	}
}

static void
told_of_a_new_meeting(void **state)
{
	static const struct {
		const char *address, *room, *organiser;
		int notice;
		const char *told, *required, *resource;
		int state;
	} cases[] = {{MINE, ROOM, "rose@sim.test", 0, "SendToAllAndSaveCopy",
			 "rose@sim.test", ROOM, BOOKING_STATE_TENTATIVE},
	    {MINE, ROOM, "", 0, "SendToAllAndSaveCopy", NULL, ROOM,
		BOOKING_STATE_TENTATIVE},
	    /* the organiser's own calendar */
	    {MINE, ROOM, "ORB@sim.test", 0, "SendToAllAndSaveCopy", NULL, ROOM,
		BOOKING_STATE_TENTATIVE},
	    /* the room's own calendar */
	    {ROOM, "ROOM1@sim.test", "rose@sim.test", 0, "SendToAllAndSaveCopy",
		"rose@sim.test", NULL, BOOKING_STATE_BOOKED},
	    {ROOM, ROOM, "", 0, "SendToNone", NULL, NULL, BOOKING_STATE_BOOKED},
	    {ROOM, ROOM, ROOM, 0, "SendToNone", NULL, NULL,
		BOOKING_STATE_BOOKED},
	    /* an entry that takes no room */
	    {MINE, ROOM, "rose@sim.test", 1, "SendToAllAndSaveCopy",
		"rose@sim.test", NULL, BOOKING_STATE_BOOKED},
	    {MINE, ROOM, "", 1, "SendToNone", NULL, NULL,
		BOOKING_STATE_BOOKED}};
	char want[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msg_adapter_meet m = meet;
		struct rig *r = ews_rig(good, cases[i].address);

		m.address = cases[i].address;
		m.room = cases[i].room;
		m.organiser = cases[i].organiser;
		m.notice = (uint8_t)cases[i].notice;
		send_meet(r, &m);
		assert_int_equal(r->outcome, OUTCOME_OK);
		assert_int_equal(r->requests, 1);
		assert_int_equal(r->state, cases[i].state);
		assert_told(cases[i].told, "SendMeetingInvitations");
		snprintf(want, sizeof(want), "<t:EmailAddress>%s<",
		    cases[i].required ? cases[i].required : "");
		assert_int_equal(ews_sent_with("<t:RequiredAttendees>"),
		    cases[i].required != NULL);
		if (cases[i].required)
			assert_non_null(strstr(ews_sent(), want));
		assert_int_equal(
		    ews_sent_with("<t:Resources>"), cases[i].resource != NULL);
		assert_int_equal(ews_sent_with(">Free<"), cases[i].notice);
		rig_free(r);
	}
}

static void
told_of_a_change(void **state)
{
	struct rig *r = ews_rig(good, MINE);

	(void)state;
	send_change(r, "K", 1796112000, "", "", "");
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->state, BOOKING_STATE_BOOKED);
	assert_told(
	    "SendToAllAndSaveCopy", "SendMeetingInvitationsOrCancellations");
	assert_null(strstr(ews_sent(), "item:Subject"));
	assert_null(strstr(ews_sent(), "calendar:Resources"));
	send_change(r, "K", 0, "x < y", "", "");
	assert_told(
	    "SendToAllAndSaveCopy", "SendMeetingInvitationsOrCancellations");
	assert_non_null(strstr(ews_sent(), "<t:Subject>x &lt; y</t:Subject>"));
	assert_null(strstr(ews_sent(), "calendar:Start"));
	/* Times, text and room in one write: one update to everybody. */
	send_change(r, "K", 1796112000, "x", ROOM, "room2@sim.test");
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->state, BOOKING_STATE_TENTATIVE);
	assert_int_equal(r->requests, 2);
	assert_told(
	    "SendToAllAndSaveCopy", "SendMeetingInvitationsOrCancellations");
	assert_non_null(strstr(ews_sent(), ">room2@sim.test<"));
	assert_non_null(strstr(ews_sent(), ">room9@sim.test<"));
	assert_null(strstr(ews_sent(), ">" ROOM "<"));
	assert_null(strstr(ews_sent(), ">rose@sim.test<"));
	rig_free(r);
}

static void
told_of_the_end(void **state)
{
	struct rig *r = ews_rig(good, MINE);

	(void)state;
	send_cancel(r, "K");
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->state, BOOKING_STATE_CANCELLED);
	assert_told("SendAndSaveCopy", "MessageDisposition");
	assert_non_null(strstr(ews_sent(),
	    "<t:CancelCalendarItem><t:ReferenceItemId Id=\"one\" "
	    "ChangeKey=\"K\"/><t:NewBodyContent BodyType=\"Text\">"
	    "why &lt;so&gt;</t:NewBodyContent></t:CancelCalendarItem>"));
	/* What answers is the message that was sent, not the meeting. */
	assert_string_equal(r->remote_id, "one");
	assert_string_equal(r->uid, "U1");
	send_decline(r);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->state, BOOKING_STATE_CANCELLED);
	assert_told("SendAndSaveCopy", "MessageDisposition");
	assert_non_null(strstr(ews_sent(),
	    "<t:DeclineItem><t:Body BodyType=\"Text\">it is taken</t:Body>"
	    "<t:ReferenceItemId Id=\"one\" ChangeKey=\"K\"/>"
	    "</t:DeclineItem>"));
	assert_int_equal(ews_sent_with("DeleteItem"), 0);
	/* Nobody is invited: nobody to tell, and no cancellation to send. */
	ews_script(good_alone);
	send_cancel(r, "K");
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_told("SendToNone", "SendMeetingCancellations");
	assert_non_null(
	    strstr(ews_sent(), "DeleteType=\"MoveToDeletedItems\""));
	rig_free(r);
}

/* --- what is sent ----------------------------------------------------------------- */

static void
a_meeting_in_full(void **state)
{
	struct rig *r = ews_rig(good, MINE);

	(void)state;
	send_meet(r, &meet);
	assert_string_equal(r->remote_id, "new");
	assert_string_equal(r->tag, "K");
	assert_string_equal(r->uid, "T-1");
	assert_non_null(strstr(ews_sent(),
	    "<t:CalendarItem><t:Subject>s &amp; &quot;t&quot; \xc3\xa9"
	    "</t:Subject><t:Sensitivity>Private</t:Sensitivity>"
	    "<t:Body BodyType=\"Text\">a\nb]]&gt;</t:Body>"
	    "<t:ReminderIsSet>false</t:ReminderIsSet><t:ExtendedProperty>"
	    "<t:ExtendedFieldURI PropertySetId=\"" TAG_GUID
	    "\" PropertyName=\"" TAG_NAME "\" PropertyType=\"String\"/>"
	    "<t:Value>topdesk:1</t:Value></t:ExtendedProperty>"
	    "<t:UID>T-1</t:UID><t:Start>2026-12-01T08:00:00Z</t:Start>"
	    "<t:End>2026-12-01T09:00:00Z</t:End>"
	    "<t:IsAllDayEvent>false</t:IsAllDayEvent>"
	    "<t:LegacyFreeBusyStatus>Busy</t:LegacyFreeBusyStatus>"
	    "<t:Location>Room &lt;1&gt;</t:Location><t:RequiredAttendees>"));
	rig_free(r);
}

/* ews_order.c sees what Exchange would refuse, or all of this is for nothing. */
static void
the_order_counts(void **state)
{
	static const struct {
		const char *find, *put, *why;
	} cases[] = {{"<t:Start>", "<t:Subject>x</t:Subject><t:Start>", "not"},
	    {"<t:Start>", "<t:Begin>x</t:Begin><t:Start>", "not here"},
	    {"<m:Items>", "<m:Things>", "not"},
	    {" SendMeetingInvitations=\"SendToAll",
		" SendMeetingInvitations=\"To", "attribute"},
	    {" SendMeetingInvitations", " SendMeetingInvitation",
		"an attribute too many"},
	    {" PropertyType=\"String\"", "", "attribute"},
	    {"<t:Mailbox>",
		"<t:ResponseType>Accept</t:ResponseType><t:Mailbox>",
		"not here"},
	    {"<t:ExchangeImpersonation>", "<t:Nothing>", "not"},
	    {"</s:Envelope>", "", "not XML"},
	    {"<s:Body>", "<s:Body>&", "not XML"}};
	struct rig *r = ews_rig(good, MINE);
	char why[300], *bad;
	const char *at, *sent;

	(void)state;
	send_meet(r, &meet);
	sent = ews_sent();
	assert_int_equal(ews_order_check(sent, why, sizeof(why)), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		at = strstr(sent, cases[i].find);
		assert_non_null(at);
		if (asprintf(&bad, "%.*s%s%s", (int)(at - sent), sent,
			cases[i].put, at + strlen(cases[i].find)) < 0)
			abort();
		assert_int_equal(ews_order_check(bad, why, sizeof(why)), -1);
		assert_non_null(strstr(why, cases[i].why));
		free(bad);
	}
	rig_free(r);
}

/* --- to which state ----------------------------------------------------------------- */

static void
only_what_was_seen(void **state)
{
	static const struct ews_line keyless[] = {
	    {"GetItem",
		ITEMS(
		    "<t:CalendarItem><t:ItemId Id=\"one\"/></t:CalendarItem>"),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(good, MINE);

	(void)state;
	send_change(r, "old", 0, "x", "", "");
	assert_int_equal(r->outcome, OUTCOME_STALE);
	send_cancel(r, "old");
	assert_int_equal(r->outcome, OUTCOME_STALE);
	assert_int_equal(ews_sent_with("<m:UpdateItem"), 0);
	assert_int_equal(ews_sent_with("<m:CreateItem"), 0);
	send_change(r, "K", 0, "x", "", "");
	assert_non_null(
	    strstr(ews_sent(), " ConflictResolution=\"NeverOverwrite\""));
	assert_non_null(
	    strstr(ews_sent(), "<t:ItemId Id=\"one\" ChangeKey=\"K\"/>"));
	/* Without mapd's tag, still what the look has just shown. */
	send_change(r, "", 0, "x", "", "");
	assert_non_null(
	    strstr(ews_sent(), " ConflictResolution=\"AutoResolve\""));
	assert_non_null(
	    strstr(ews_sent(), "<t:ItemId Id=\"one\" ChangeKey=\"K\"/>"));
	ews_script(keyless);
	send_change(r, "", 0, "x", "", "");
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->requests, 1);
	rig_free(r);
}

/* "Not found" also means "no right to see it". */
static void
gone_or_hidden(void **state)
{
	static const struct {
		const char *folder;
		enum outcome want;
	} cases[] = {{ANSWER(GOOD("")), OUTCOME_GONE},
	    {ANSWER(BAD("ErrorFolderNotFound")), OUTCOME_BROKEN},
	    {ANSWER(BAD("ErrorItemNotFound")), OUTCOME_BROKEN},
	    {ANSWER(BAD("ErrorAccessDenied")), OUTCOME_DENIED}};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct ews_line s[] = {
		    {"GetItem",
			i % 2 ? ITEMS(MEETING)
			      : ANSWER(BAD("ErrorItemNotFound")),
			0, NULL},
		    {"GetFolder", cases[i / 2].folder, 0, NULL},
		    {"CreateItem", ANSWER(BAD("ErrorItemNotFound")), 0, NULL},
		    {NULL, NULL, 0, NULL}};
		struct rig *r = ews_rig(s, MINE);

		send_cancel(r, "K");
		assert_int_equal(r->outcome, cases[i / 2].want);
		assert_int_equal(ews_sent_with("<m:CreateItem"), i % 2);
		rig_free(r);
	}
}

/* --- lost answers --------------------------------------------------------------------- */

static void
a_lost_answer_is_looked_up(void **state)
{
	static const struct ews_line lost[] = {
	    {"<m:CreateItem", "", ANSWER_LOST, NULL},
	    {"<m:FindItem", VIEW("true", ITEM("new", "")), 0, NULL},
	    {"GetItem",
		ITEMS(ITEM("new",
		    "<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="
		    "\"" TAG_GUID "\" PropertyName=\"" TAG_NAME
		    "\" PropertyType=\"String\"/><t:Value>topdesk:1</t:Value>"
		    "</t:ExtendedProperty><t:UID>T-1</t:UID><t:Start>"
		    "2026-12-01T08:00:00Z</t:Start><t:End>2026-12-01T09:00:00Z"
		    "</t:End>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	static const struct ews_line nameless[] = {
	    {"<m:CreateItem", ITEMS(""), 0, NULL}, {NULL, NULL, 0, NULL}};
	struct msg_adapter_find find = {.address = MINE};
	struct rig *r = ews_rig(lost, MINE);
	struct wire_out w;

	(void)state;
	send_meet(r, &meet);
	assert_int_equal(r->outcome, OUTCOME_UNKNOWN);
	assert_int_equal(r->requests, 1);
	/* What mapd then asks finds it, by the tag that was sent. */
	wire_out_init(&w, 4096);
	wire_put_str(&w, meet.tag, 450);
	find.links = wire_list_of(&w, 1);
	rig_reset(r);
	adapter_find_send(r->mapd, rig_call(r), 0, &find);
	rig_run(r, 1);
	wire_out_free(&w);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(rig_booking(r, "new")->uid, "T-1");
	assert_string_equal(rig_booking(r, "new")->link, meet.tag);
	assert_int_equal(ews_sent_with("<m:CreateItem"), 1);
	/* Done, but as what?  The same. */
	ews_script(nameless);
	send_meet(r, &meet);
	assert_int_equal(r->outcome, OUTCOME_UNKNOWN);
	rig_free(r);
}

static void
a_lost_answer_to_others(void **state)
{
	static const struct ews_line lost[] = {
	    {"GetItem", ITEMS(MEETING), 0, NULL}, {"", "", ANSWER_LOST, NULL},
	    {NULL, NULL, 0, NULL}};
	static const struct ews_line look_lost[] = {
	    {"", "", ANSWER_LOST, NULL}, {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(lost, MINE);

	(void)state;
	send_change(r, "K", 0, "x", "", "");
	assert_int_equal(r->outcome, OUTCOME_UNKNOWN);
	send_cancel(r, "K");
	assert_int_equal(r->outcome, OUTCOME_UNKNOWN);
	send_decline(r);
	assert_int_equal(r->outcome, OUTCOME_UNKNOWN);
	assert_int_equal(ews_sent_with("<m:UpdateItem"), 1);
	assert_int_equal(ews_sent_with("<t:CancelCalendarItem"), 1);
	assert_int_equal(ews_sent_with("<t:DeclineItem"), 1);
	/* Only looked: nothing was done for certain. */
	ews_script(look_lost);
	send_change(r, "K", 0, "x", "", "");
	assert_int_equal(r->outcome, OUTCOME_FAILED);
	send_cancel(r, "K");
	assert_int_equal(r->outcome, OUTCOME_FAILED);
	assert_int_equal(ews_sent_with("<m:UpdateItem"), 1);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(told_of_a_new_meeting),
	    cmocka_unit_test(told_of_a_change),
	    cmocka_unit_test(told_of_the_end),
	    cmocka_unit_test(a_meeting_in_full),
	    cmocka_unit_test(the_order_counts),
	    cmocka_unit_test(only_what_was_seen),
	    cmocka_unit_test(gone_or_hidden),
	    cmocka_unit_test(a_lost_answer_is_looked_up),
	    cmocka_unit_test(a_lost_answer_to_others)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
