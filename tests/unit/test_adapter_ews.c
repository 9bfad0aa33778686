/* test_adapter_ews.c: polls by Exchange Web Services, and one item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ews_upstream.h"

#define ROOM "room1@sim.test"
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

static struct rig *
rig(const struct ews_line *s)
{
	return ews_rig(s, ROOM);
}

static void
changes(void **state)
{
	static const struct ews_line s[] = {
	    {"SyncFolderItems",
		SYNCED("<t:Create>" ITEM(
		    "one", "") "</t:Create><t:Delete>"
			       "<t:ItemId Id=\"gone\"/></t:Delete>"),
		0, NULL},
	    {"Id=\"one\"", ANSWER(GOOD("<m:Items>" SINGLE "</m:Items>")), 0,
		NULL},
	    {NULL, NULL, 0, NULL}};
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

/* Pages of changes; each answer has another state, but the model's last one. */
static int pages, turns;

static char *
say_page(const char *request)
{
	char *s = NULL, want[60];
	int last = ++turns == pages;

	/* The state of the page before is the question. */
	snprintf(want, sizeof(want), "<m:SyncState>S%d<", turns);
	assert_non_null(strstr(request, want));
	if (asprintf(&s,
		ANSWER(
		    GOOD("<m:SyncState>S%d</m:SyncState>"
			 "<m:IncludesLastItemInRange>%s"
			 "</m:IncludesLastItemInRange><m:Changes><t:Delete>"
			 "<t:ItemId Id=\"gone%d\"/></t:Delete></m:Changes>")),
		turns + 1, last ? "true" : "false", turns) < 0)
		abort();
	return s;
}

static void
changes_in_pages(void **state)
{
	static const struct ews_line s[] = {
	    {"SyncFolderItems", NULL, 0, say_page}, {NULL, NULL, 0, NULL}};
	static const struct ews_line still[] = {
	    {"SyncFolderItems",
		ANSWER(GOOD("<m:SyncState>S1</m:SyncState>"
			    "<m:IncludesLastItemInRange>false"
			    "</m:IncludesLastItemInRange>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = rig(s);

	(void)state;
	pages = 7;
	turns = 0;
	rig_poll(r, ROOM, "S1");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->requests, 7);
	assert_int_equal(r->nremoved, 7);
	assert_string_equal(r->cursor, "S8");
	/* A state that does not advance has no end. */
	ews_script(still);
	rig_reset(r);
	rig_poll(r, ROOM, "S1");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->requests, 1);
	assert_string_equal(r->cursor, "");
	rig_free(r);
}

/* Nor does one that goes in circles. */
static void
changes_without_end(void **state)
{
	static const struct ews_line s[] = {
	    {"<m:SyncState>A<",
		ANSWER(GOOD("<m:SyncState>B</m:SyncState>"
			    "<m:IncludesLastItemInRange>false"
			    "</m:IncludesLastItemInRange>")),
		0, NULL},
	    {"SyncFolderItems",
		ANSWER(GOOD("<m:SyncState>A</m:SyncState>"
			    "<m:IncludesLastItemInRange>false"
			    "</m:IncludesLastItemInRange>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = rig(s);

	(void)state;
	rig_poll(r, ROOM, "S1");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_in_range(r->requests, 2, 1000);
	assert_string_equal(r->cursor, "");
	rig_free(r);
}

static void
full_and_lost_cursor(void **state)
{
	static const struct ews_line s[] = {
	    {"<m:SyncState>S1<", ANSWER(BAD("ErrorInvalidSyncStateData")), 0,
		NULL},
	    {"SyncFolderItems", SYNCED(""), 0, NULL},
	    {"CalendarView", VIEW("true", ITEM("one", "")), 0, NULL},
	    {"Id=\"one\"", ANSWER(GOOD("<m:Items>" SINGLE "</m:Items>")), 0,
		NULL},
	    {NULL, NULL, 0, NULL}};
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
	static const struct ews_line s[] = {
	    {"SyncFolderItems", SYNCED(""), 0, NULL},
	    {"StartDate=\"2026-11-23T00:00:00Z\" EndDate=\"2027-02-21",
		VIEW("false", ITEM("one", "")), 0, NULL},
	    {"CalendarView", VIEW("true", ""), 0, NULL}, {NULL, NULL, 0, NULL}};
	struct rig *r = rig(s);

	(void)state;
	rig_poll(r, ROOM, "");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->requests, 4); /* sync, whole, two halves */
	assert_int_equal(r->ngot, 0);
	rig_free(r);
}

static void
get_one(void **state)
{
	static const struct ews_line one[] = {
	    {"RecurringMasterItemId OccurrenceId=\"one\"",
		ANSWER(BAD("ErrorItemNotFound")
			GOOD("<m:Items>" SINGLE "</m:Items>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	static const struct ews_line gone[] = {
	    {"GetItem",
		ANSWER(BAD("ErrorItemNotFound") BAD("ErrorItemNotFound")), 0,
		NULL},
	    {"GetFolder", ANSWER(GOOD("")), 0, NULL}, {NULL, NULL, 0, NULL}};
	static const struct ews_line hidden[] = {
	    {"GetItem",
		ANSWER(BAD("ErrorItemNotFound") BAD("ErrorItemNotFound")), 0,
		NULL},
	    {"GetFolder", ANSWER(BAD("ErrorFolderNotFound")), 0, NULL},
	    {NULL, NULL, 0, NULL}};
	static const struct {
		const struct ews_line *s;
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

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(changes),
	    cmocka_unit_test(changes_in_pages),
	    cmocka_unit_test(changes_without_end),
	    cmocka_unit_test(full_and_lost_cursor),
	    cmocka_unit_test(a_cut_view_is_halved), cmocka_unit_test(get_one)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
