/* test_adapter_ews.c: reads and writes by Exchange Web Services. */
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

#define ROOM "room1@sim.test"
#define HEAD                                                                 \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" " \
	"xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/"     \
	"messages\" xmlns:t=\"http://schemas.microsoft.com/exchange/"        \
	"services/2006/types\"><s:Body>"
#define TAIL "</s:Body></s:Envelope>"
#define GOOD(inner)                                                      \
	"<m:XResponseMessage ResponseClass=\"Success\"><m:ResponseCode>" \
	"NoError</m:ResponseCode>" inner "</m:XResponseMessage>"
#define BAD(code)                                                       \
	"<m:XResponseMessage ResponseClass=\"Error\"><m:MessageText>no" \
	"</m:MessageText><m:ResponseCode>" code                         \
	"</m:ResponseCode></m:XResponseMessage>"
#define ANSWER(messages)                                  \
	HEAD "<m:XResponse><m:ResponseMessages>" messages \
	     "</m:ResponseMessages></m:XResponse>" TAIL
#define ITEM(id, inner)                                                   \
	"<t:CalendarItem><t:ItemId Id=\"" id "\" ChangeKey=\"K\"/>" inner \
	"</t:CalendarItem>"
#define SINGLE                                                           \
	ITEM("one",                                                      \
	    "<t:Subject>A &amp; B</t:Subject><t:UID>U1</t:UID><t:Start>" \
	    "2026-12-01T08:00:30Z</t:Start><t:End>2026-12-01T09:00:00Z"  \
	    "</t:End><t:CalendarItemType>Single</t:CalendarItemType>"    \
	    "<t:MyResponseType>Accept</t:MyResponseType><t:Organizer>"   \
	    "<t:Mailbox><t:EmailAddress>ada@sim.test</t:EmailAddress>"   \
	    "<t:RoutingType>SMTP</t:RoutingType></t:Mailbox>"            \
	    "</t:Organizer><t:Resources><t:Attendee><t:Mailbox>"         \
	    "<t:EmailAddress>" ROOM "</t:EmailAddress></t:Mailbox>"      \
	    "<t:ResponseType>Accept</t:ResponseType></t:Attendee>"       \
	    "</t:Resources>")
#define SYNCED(changes)                       \
	ANSWER(GOOD(                          \
	    "<m:SyncState>S2</m:SyncState>"   \
	    "<m:IncludesLastItemInRange>true" \
	    "</m:IncludesLastItemInRange><m:Changes>" changes "</m:Changes>"))
#define VIEW(last, items)                                                 \
	ANSWER(GOOD("<m:RootFolder IncludesLastItemInRange=\"" last "\">" \
		    "<t:Items>" items "</t:Items></m:RootFolder>"))

/* What is answered to requests that contain a word, first match. */
struct script {
	const char *word, *body;
	int status;
};
static const struct script *script;
static char sent[200000];

static void
upstream(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	const struct script *s = script;

	(void)r;
	assert_string_equal(method, "post");
	assert_string_equal(path, "/");
	assert_non_null(strstr(
	    body, "<t:PrimarySmtpAddress>" ROOM "</t:PrimarySmtpAddress>"));
	snprintf(sent, sizeof(sent), "%s", body);
	while (s->word && strstr(body, s->word) == NULL)
		s++;
	assert_non_null(s->word);
	x->status = s->status ? s->status : 200;
	x->type =
	    *s->body == '<' && s->body[1] == 'h' ? "text/html" : "text/xml";
	x->body = strdup(s->body);
}

static struct rig *
rig(const struct script *s)
{
	struct rig *r;

	rig_ews = 1;
	r = rig_new(UPSTREAM_EXCHANGE);
	r->upstream = upstream;
	script = s;
	return r;
}

static void
changes(void **state)
{
	static const struct script s[] = {
	    {"SyncFolderItems",
		SYNCED("<t:Create>" ITEM(
		    "one", "") "</t:Create><t:Delete>"
			       "<t:ItemId Id=\"gone\"/></t:Delete>"),
		0},
	    {"Id=\"one\"", ANSWER(GOOD("<m:Items>" SINGLE "</m:Items>")), 0},
	    {NULL, NULL, 0}};
	static const size_t chunks[] = {0, 1};
	const struct booking *b;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = rig(s);

		r->chunk = chunks[i];
		rig_poll(r, ROOM, "S1");
		rig_run(r, 1);
		assert_int_equal(r->outcome, OUTCOME_OK);
		assert_int_equal(r->full, 0);
		assert_string_equal(r->cursor, "S2");
		assert_int_equal(r->nremoved, 1);
		assert_string_equal(r->removed[0], "gone");
		b = rig_booking(r, "one");
		assert_string_equal(b->uid, "U1");
		assert_string_equal(b->subject, "A & B");
		assert_string_equal(b->organiser, "ada@sim.test");
		assert_string_equal(b->change_tag, "K");
		assert_int_equal(b->start, 1796112000);
		assert_int_equal(b->end, 1796115600);
		assert_int_equal(b->attendee_count, 1);
		assert_int_equal(b->original_start, 0);
		assert_int_equal(b->state, BOOKING_STATE_BOOKED);
		rig_free(r);
	}
}

static void
full_and_lost_cursor(void **state)
{
	static const struct script s[] = {
	    {"<m:SyncState>S1<", ANSWER(BAD("ErrorInvalidSyncStateData")), 0},
	    {"SyncFolderItems", SYNCED(""), 0},
	    {"CalendarView", VIEW("true", ITEM("one", "")), 0},
	    {"Id=\"one\"", ANSWER(GOOD("<m:Items>" SINGLE "</m:Items>")), 0},
	    {NULL, NULL, 0}};
	struct rig *r = rig(s);

	(void)state;
	rig_poll(r, ROOM, "S1");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->full, 1);
	assert_int_equal(r->incidents, 1);
	assert_int_equal(r->ngot, 1);
	assert_string_equal(r->cursor, "S2");
	rig_free(r);
}

static void
a_cut_view_is_halved(void **state)
{
	static const struct script s[] = {{"SyncFolderItems", SYNCED(""), 0},
	    {"StartDate=\"2026-11-23T00:00:00Z\" EndDate=\"2027-02-21",
		VIEW("false", ITEM("one", "")), 0},
	    {"CalendarView", VIEW("true", ""), 0}, {NULL, NULL, 0}};
	struct rig *r = rig(s);

	(void)state;
	rig_poll(r, ROOM, "");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->requests, 4); /* sync, whole, two halves */
	assert_int_equal(r->ngot, 0);
	rig_free(r);
}

#define FAULT(code)                                                          \
	HEAD "<s:Fault><faultcode>x</faultcode><faultstring>f</faultstring>" \
	     "<detail><e:ResponseCode xmlns:e=\"http://schemas.microsoft."   \
	     "com/exchange/services/2006/errors\">" code                     \
	     "</e:ResponseCode><t:MessageXml><t:Value Name=\""               \
	     "BackOffMilliseconds\">20000</t:Value></t:MessageXml></detail>" \
	     "</s:Fault>" TAIL

static void
errors(void **state)
{
	static const struct {
		struct script s[2];
		enum outcome want;
	} cases[] = {{{{"Sync", FAULT("ErrorServerBusy"), 500}}, OUTCOME_BUSY},
	    {{{"Sync", FAULT("ErrorImpersonateUserDenied"), 500}},
		OUTCOME_DENIED},
	    {{{"Sync", ANSWER(BAD("ErrorAccessDenied")), 0}}, OUTCOME_DENIED},
	    {{{"Sync", FAULT("ErrorSchemaValidation"), 500}}, OUTCOME_REFUSED},
	    {{{"Sync", "<html>x</html>", 200}}, OUTCOME_BROKEN},
	    {{{"Sync", "<html>x</html>", 503}}, OUTCOME_BUSY},
	    {{{"Sync", "<html>x</html>", 401}}, OUTCOME_DENIED},
	    {{{"Sync", "<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>", 0}},
		OUTCOME_BROKEN},
	    {{{"Sync", HEAD TAIL, 0}}, OUTCOME_BROKEN},
	    {{{"Sync", HEAD, 0}}, OUTCOME_BROKEN}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig(cases[i].s);

		rig_poll(r, ROOM, "S1");
		rig_run(r, 1);
		assert_int_equal(r->outcome, cases[i].want);
		assert_string_equal(r->cursor, "");
		assert_int_equal(r->holds, i == 0);
		if (i == 0)
			assert_int_equal(r->hold_seconds, 30);
		rig_free(r);
	}
}

static void
get_one(void **state)
{
	static const struct script one[] = {
	    {"RecurringMasterItemId OccurrenceId=\"one\"",
		ANSWER(BAD("ErrorItemNotFound")
			GOOD("<m:Items>" SINGLE "</m:Items>")),
		0},
	    {NULL, NULL, 0}};
	static const struct script gone[] = {
	    {"GetItem",
		ANSWER(BAD("ErrorItemNotFound") BAD("ErrorItemNotFound")), 0},
	    {"GetFolder", ANSWER(GOOD("")), 0}, {NULL, NULL, 0}};
	static const struct script hidden[] = {
	    {"GetItem",
		ANSWER(BAD("ErrorItemNotFound") BAD("ErrorItemNotFound")), 0},
	    {"GetFolder", ANSWER(BAD("ErrorFolderNotFound")), 0},
	    {NULL, NULL, 0}};
	static const struct {
		const struct script *s;
		enum outcome want;
	} cases[] = {
	    {one, OUTCOME_OK}, {gone, OUTCOME_GONE}, {hidden, OUTCOME_BROKEN}};
	struct msg_adapter_get m = {ROOM, "one"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig *r = rig(cases[i].s);

		adapter_get_send(r->mapd, rig_call(r), 0, &m);
		rig_run(r, 1);
		assert_int_equal(r->outcome, cases[i].want);
		assert_int_equal(r->ngot, i == 0);
		rig_free(r);
	}
}

static void
writes(void **state)
{
	static const struct script s[] = {
	    {"GetItem", ANSWER(GOOD("<m:Items>" SINGLE "</m:Items>")), 0},
	    {"", ANSWER(GOOD("<m:Items>" ITEM("new", "") "</m:Items>")), 0},
	    {NULL, NULL, 0}};
	struct rig *r = rig(s);
	struct msg_adapter_meet meet = {ROOM, "room2@sim.test", "Room <2>", "",
	    "topdesk:1", "T-1", 1796112000, 1796115600, 1, 0, "s & t", ""};
	struct msg_adapter_meeting_change change = {
	    ROOM, "one", "old", 0, 0, "x", "", "", ""};
	struct msg_adapter_meeting_cancel cancel = {ROOM, "one", "K", "why"};
	static const char *const order[] = {"SendToAllAndSaveCopy",
	    "<t:Subject>s &amp; t<", "<t:Sensitivity>", "<t:ReminderIsSet>",
	    "<t:ExtendedProperty>", "<t:Value>topdesk:1<", "<t:UID>T-1<",
	    "<t:Start>2026-12-01T08:00:00Z<", "<t:End>", "<t:IsAllDayEvent>",
	    "<t:LegacyFreeBusyStatus>Busy", "<t:Location>Room &lt;2&gt;<",
	    "<t:Resources>"};
	const char *at = sent;

	(void)state;
	adapter_meet_send(r->mapd, rig_call(r), 0, &meet);
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(r->remote_id, "new");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		at = strstr(at, order[i]);
		assert_non_null(at);
	}
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &change);
	rig_run(r, 2);
	assert_int_equal(r->outcome, OUTCOME_STALE);
	assert_null(strstr(sent, "UpdateItem"));
	change.change_tag = "K";
	adapter_meeting_change_send(r->mapd, rig_call(r), 0, &change);
	rig_run(r, 3);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_non_null(strstr(sent, "NeverOverwrite"));
	assert_non_null(strstr(sent, "<t:ItemId Id=\"one\" ChangeKey=\"K\"/>"));
	adapter_meeting_cancel_send(r->mapd, rig_call(r), 0, &cancel);
	rig_run(r, 4);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_non_null(strstr(sent, "<t:CancelCalendarItem>"));
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(changes),
	    cmocka_unit_test(full_and_lost_cursor),
	    cmocka_unit_test(a_cut_view_is_halved), cmocka_unit_test(errors),
	    cmocka_unit_test(get_one), cmocka_unit_test(writes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
