/*
 * test_adapter_ews_read.c: a series read by views, a meeting looked for by its
 * uid or by ORB's tag, at Exchange Web Services.  The calendar is a model that
 * gives a view no more than it asks for, as Exchange does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/tag.h"
#include "lib/marks.h"
#include "tests/unit/ews_upstream.h"

#define ROOM "room1@sim.test"
#define MINE "orb@sim.test"
#define FROM 1795392000 /* 2026-11-23 */
#define DAYS 90
#define TO (FROM + DAYS * 86400)
#define MOST (DAYS * 24 * 3)

#define TIMES(start, end) "<t:Start>" start "</t:Start><t:End>" end "</t:End>"
#define OCCURRENCE(id, uid, type, original, start, end)             \
	ITEM(id,                                                    \
	    "<t:UID>" uid "</t:UID><t:RecurrenceId>" original       \
	    "</t:RecurrenceId>" TIMES(start, end) "<t:CalendarItem" \
						  "Type>" type      \
						  "</t:CalendarItemType>")
#define MASTER(id, uid)                                                       \
	ITEM(id,                                                              \
	    "<t:UID>" uid "</t:UID>" TIMES("2026-11-23T09:00:00Z",            \
		"2026-11-23T09:10:00Z") "<t:CalendarItemType>RecurringMaster" \
					"</t:CalendarItemType>")

/* --- a calendar -------------------------------------------------------------- */

/* Occurrences of one series, ten minutes each, so many seconds apart. */
static struct {
	unsigned n;
	int64_t first;
	int64_t apart;
	int lies; /* says of every view that it is whole */
	unsigned views;
	unsigned char fetched[MOST];
} model;

static int64_t
time_in(const char *request, const char *attribute)
{
	const char *p = strstr(request, attribute);
	char text[40];
	int64_t t;

	assert_non_null(p);
	snprintf(text, sizeof(text), "%.20s", p + strlen(attribute) + 2);
	assert_int_equal(moment_parse(text, &t), 0);
	return t;
}

static char *
say_view(const char *request)
{
	int64_t from = time_in(request, "StartDate");
	int64_t to = time_in(request, "EndDate"), at;
	unsigned most, there = 0;
	struct strbuf items, whole;

	model.views++;
	assert_in_range(to - from, 1, INT64_C(2) * 365 * 86400);
	most = (unsigned)strtoul(
	    strstr(request, "MaxEntriesReturned=\"") + 20, NULL, 10);
	assert_in_range(most, 1, 1000);
	strbuf_init(&items, 1 << 20);
	strbuf_init(&whole, 1 << 20);
	for (unsigned i = 0; i < model.n; i++) {
		at = model.first + i * model.apart;
		if (at + 600 > from && at < to && there++ < most)
			strbuf_fmt(&items,
			    ITEM("o-%u",
				"<t:CalendarItemType>Occurrence"
				"</t:CalendarItemType>"),
			    i);
	}
	strbuf_fmt(&whole, VIEW("%s", "%s"),
	    there <= most || model.lies ? "true" : "false", strbuf_get(&items));
	strbuf_free(&items);
	return whole.p;
}

static void
put_occurrence(struct strbuf *b, unsigned i)
{
	int64_t at = model.first + i * model.apart;
	char start[MOMENT_TEXT], end[MOMENT_TEXT];

	model.fetched[i]++;
	moment_text(at, start);
	moment_text(at + 600, end);
	strbuf_fmt(b,
	    GOOD("<m:Items>" OCCURRENCE(
		"o-%u", "SU", "Occurrence", "%s", "%s", "%s") "</m:Items>"),
	    i, start, start, end);
}

/* What was asked for, in its order: the master, occurrences. */
static char *
say_items(const char *request)
{
	struct strbuf b;
	const char *p = request;

	strbuf_init(&b, 1 << 20);
	strbuf_str(&b, HEAD "<m:XResponse><m:ResponseMessages>");
	while ((p = strstr(p, "<t:ItemId Id=\"")) != NULL) {
		p += strlen("<t:ItemId Id=\"");
		if (strncmp(p, "o-", 2) == 0)
			put_occurrence(&b, (unsigned)strtoul(p + 2, NULL, 10));
		else
			strbuf_str(&b,
			    GOOD("<m:Items>" MASTER("master", "SU") "</m:"
								    "Items>"));
	}
	strbuf_str(&b, "</m:ResponseMessages></m:XResponse>" TAIL);
	return b.p;
}

static const struct ews_line of_model[] = {{"CalendarView", NULL, 0, say_view},
    {"GetItem", NULL, 0, say_items}, {"SyncFolderItems", SYNCED(""), 0, NULL},
    {NULL, NULL, 0, NULL}};

static void
model_set(unsigned n, int64_t apart)
{
	memset(&model, 0, sizeof(model));
	model.n = n;
	model.apart = apart;
	model.first = FROM + 9 * 3600;
	assert_in_range(n, 0, MOST);
}

static void
expand(struct rig *r, const char *id)
{
	struct msg_adapter_expand m = {ROOM, id, FROM, TO};

	rig_reset(r);
	adapter_expand_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
}

/* --- EXPAND -------------------------------------------------------------------- */

static void
a_series_is_read_whole(void **state)
{
	static const struct {
		unsigned n;
		int64_t apart;
		unsigned views;
	} cases[] = {{0, 86400, 1}, {1, 86400, 1}, {DAYS, 86400, 1},
	    /* one less than a view takes, as many, more */
	    {499, 4 * 3600, 1}, {500, 4 * 3600, 3}, {501, 4 * 3600, 3},
	    {2100, 3600, 15}, {6000, 1200, 31}};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = ews_rig(of_model, ROOM);
		const struct booking *b;

		model_set(cases[i / 2].n, cases[i / 2].apart);
		model.lies = i % 2;
		expand(r, "master");
		assert_int_equal(r->outcome, OUTCOME_OK);
		assert_int_equal(r->nremoved + r->nseries, 0);
		assert_in_range(model.views, 1, cases[i / 2].views);
		/* Every one of them; on a border, in both views. */
		for (unsigned k = 0; k < model.n; k++)
			assert_in_range(model.fetched[k], 1, 2);
		assert_int_equal(r->count, r->ngot + r->nmore);
		if (model.n) {
			b = &r->got[0].b;
			assert_string_equal(b->series_id, "master");
			assert_string_equal(b->uid, "SU");
			assert_int_equal(b->original_start,
			    model.first +
				strtol(b->remote_id + 2, NULL, 10) *
				    model.apart);
		}
		rig_free(r);
	}
}

static void
a_minute_without_end(void **state)
{
	struct rig *r = ews_rig(of_model, ROOM);

	(void)state;
	model_set(800, 0); /* all of them at once */
	expand(r, "master");
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->ngot, 0);
	assert_in_range(model.views, 2, 64);
	rig_free(r);
}

static void
of_a_series_that_is_gone(void **state)
{
	static const struct ews_line gone[] = {
	    {"GetItem", ANSWER(BAD("ErrorItemNotFound")), 0, NULL},
	    {"GetFolder", ANSWER(GOOD("")), 0, NULL}, {NULL, NULL, 0, NULL}};
	static const struct ews_line hidden[] = {
	    {"GetItem", ANSWER(BAD("ErrorItemNotFound")), 0, NULL},
	    {"GetFolder", ANSWER(BAD("ErrorAccessDenied")), 0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(gone, ROOM);

	(void)state;
	expand(r, "master");
	assert_int_equal(r->outcome, OUTCOME_GONE);
	/* Nothing is gone from a calendar that cannot be seen. */
	ews_script(hidden);
	expand(r, "master");
	assert_int_equal(r->outcome, OUTCOME_DENIED);
	rig_free(r);
}

/* Others' occurrences and singles are not this series. */
static void
only_of_the_series(void **state)
{
	static const struct ews_line s[] = {
	    {"CalendarView",
		VIEW("true",
		    ITEM("single", "") ITEM("mine",
			"<t:CalendarItemType>Exception</t:CalendarItemType>")
			ITEM("other",
			    "<t:CalendarItemType>Occurrence"
			    "</t:CalendarItemType>") ITEM("went",
			    "<t:CalendarItemType>Occurrence"
			    "</t:CalendarItemType>")),
		0, NULL},
	    {"Id=\"mine\"",
		ANSWER(GOOD("<m:Items>" OCCURRENCE("mine", "SU", "Exception",
		    "2026-12-02T09:00:00Z", "2026-12-03T10:00:00Z",
		    "2026-12-03T11:00:00Z") "</m:Items>")
			GOOD("<m:Items>" OCCURRENCE("other", "XU", "Occurrence",
			    "2026-12-02T09:00:00Z", "2026-12-02T09:00:00Z",
			    "2026-12-02T09:10:00Z") "</m:Items>")
			    BAD("ErrorCalendarOccurrenceIsDeletedFrom"
				"Recurrence")),
		0, NULL},
	    {"Id=\"master\"", ITEMS(MASTER("master", "SU")), 0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(s, ROOM);
	const struct booking *b;

	(void)state;
	expand(r, "master");
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(ews_sent_with("Id=\"single\""), 0);
	assert_int_equal(r->ngot, 1);
	assert_int_equal(r->nremoved, 0);
	b = rig_booking(r, "mine");
	assert_int_equal(b->original_start, 1796202000);
	assert_int_equal(b->start, 1796292000);
	assert_string_equal(b->series_id, "master");
	rig_free(r);
}

/* --- a feed with series --------------------------------------------------------- */

/* SyncFolderItems names the master only; what vanished is not shown, and mapd
 * compares. */
static void
a_changed_series_in_the_feed(void **state)
{
	static const struct ews_line s[] = {
	    {"SyncFolderItems",
		SYNCED("<t:Update>" ITEM("master", "") "</t:Update>"), 0, NULL},
	    {"CalendarView",
		VIEW("true",
		    ITEM("o1",
			"<t:CalendarItemType>Occurrence"
			"</t:CalendarItemType>") ITEM("o3",
			"<t:CalendarItemType>Exception"
			"</t:CalendarItemType>") ITEM("other",
			"<t:CalendarItemType>Occurrence"
			"</t:CalendarItemType>") ITEM("single", "")),
		0, NULL},
	    {"Id=\"o1\"",
		ANSWER(GOOD("<m:Items>" OCCURRENCE("o1", "SU", "Occurrence",
		    "2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z",
		    "2026-12-01T09:10:00Z") "</m:Items>")
			GOOD("<m:Items>" OCCURRENCE("o3", "SU", "Exception",
			    "2026-12-15T09:00:00Z", "2026-12-16T13:00:00Z",
			    "2026-12-16T14:00:00Z") "</m:Items>")
			    GOOD("<m:Items>" OCCURRENCE("other", "XU",
				"Occurrence", "2026-12-01T09:00:00Z",
				"2026-12-01T09:00:00Z",
				"2026-12-01T09:10:00Z") "</m:Items>")),
		0, NULL},
	    {"Id=\"master\"", ITEMS(MASTER("master", "SU")), 0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(s, ROOM);

	(void)state;
	rig_poll(r, ROOM, "S1");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->full, 0);
	assert_int_equal(r->nseries, 1);
	assert_string_equal(r->series[0], "master");
	assert_int_equal(r->ngot, 2);
	assert_int_equal(r->nremoved, 0);
	assert_int_equal(rig_booking(r, "o1")->original_start, 1796115600);
	assert_int_equal(rig_booking(r, "o3")->original_start, 1797325200);
	assert_int_equal(rig_booking(r, "o3")->start, 1797426000);
	assert_string_equal(rig_booking(r, "o3")->series_id, "master");
	assert_string_equal(r->cursor, "S2");
	rig_free(r);
}

/* --- MEETING -------------------------------------------------------------------- */

static void
look(struct rig *r, const char *uid, int64_t original)
{
	struct msg_adapter_meeting m = {
	    MINE, ROOM, uid, original, FROM, FROM + 2 * 86400};

	rig_reset(r);
	adapter_meeting_send(r->mapd, rig_call(r), 0, &m);
	rig_run(r, 1);
}

static void
looked_for_by_uid(void **state)
{
	static const struct ews_line s[] = {
	    {"CalendarView", VIEW("true", ITEM("a", "") ITEM("b", "")), 0,
		NULL},
	    {"Id=\"a\"",
		ANSWER(GOOD("<m:Items>" ITEM("a",
		    "<t:UID>U1</t:UID>" TIMES("2026-11-23T09:00:00Z",
			"2026-11-23T10:00:00Z")) "</m:Items>")
			GOOD("<m:Items>" OCCURRENCE("b", "U2", "Occurrence",
			    "2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z",
			    "2026-11-24T09:10:00Z") "</m:Items>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	static const struct ews_line unfit[] = {
	    {"CalendarView", VIEW("true", ITEM("a", "") ITEM("b", "")), 0,
		NULL},
	    {"Id=\"a\"",
		ANSWER(GOOD("<m:Items>" ITEM("a",
		    "<t:UID>U1</t:UID>" TIMES("2026-11-23T09:00:00Z",
			"2026-11-23T10:00:00Z")) "</m:Items>")
			GOOD("<m:Items>" ITEM("b", "") "</m:Items>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(s, MINE);

	(void)state;
	look(r, "U1", 0);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot, 1);
	assert_string_equal(rig_booking(r, "a")->room, ROOM);
	assert_int_equal(ews_sent_with("StartDate=\"2026-11-23T00:00:00Z\" "
				       "EndDate=\"2026-11-25T00:00:00Z\""),
	    1);
	look(r, "U2", FROM + 86400 + 9 * 3600);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot, 1);
	look(r, "U2", FROM); /* another occurrence of it */
	assert_int_equal(r->outcome, OUTCOME_GONE);
	look(r, "U3", 0);
	assert_int_equal(r->outcome, OUTCOME_GONE);
	assert_int_equal(r->ngot + r->nremoved + r->nseries, 0);
	ews_script(unfit);
	look(r, "U1", 0);
	assert_int_equal(r->outcome, OUTCOME_OK);
	look(r, "U3", 0); /* it may be the one that cannot be read */
	assert_int_equal(r->outcome, OUTCOME_BROKEN);
	assert_int_equal(r->nremoved, 0);
	rig_free(r);
}

/* --- FIND ----------------------------------------------------------------------- */

#define TAGGED(id, tag, more)                                               \
	ITEM(id,                                                            \
	    "<t:ExtendedProperty><t:ExtendedFieldURI "                      \
	    "PropertySetId=\"" TAG_GUID "\" PropertyName=\"" TAG_NAME       \
	    "\" PropertyType=\"String\"/><t:Value>" tag                     \
	    "</t:Value></t:ExtendedProperty><t:UID>u-" id "</t:UID>" TIMES( \
		"2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z") more)
#define SAID(answer)                                                       \
	"<t:MyResponseType>Organizer</t:MyResponseType><t:Resources>"      \
	"<t:Attendee><t:Mailbox><t:EmailAddress>" ROOM "</t:EmailAddress>" \
	"</t:Mailbox><t:ResponseType>" answer                              \
	"</t:ResponseType></t:Attendee></t:Resources>"

static void
found_by_tag(void **state)
{
	static const char *const tags[] = {"td:<1>", "td:2"};
	static const struct ews_line s[] = {
	    {"<m:FindItem", VIEW("true", ITEM("1", "") ITEM("2", "")), 0, NULL},
	    {"Id=\"1\"",
		ANSWER(GOOD("<m:Items>" TAGGED("1", "TD:&lt;1&gt;",
		    SAID("Accept")) "</m:Items>") GOOD("<m:Items>" TAGGED("2",
		    "td:2", SAID("Decline")) "</m:Items>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(s, MINE);

	(void)state;
	rig_find(r, MINE, tags, 2);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot, 2);
	assert_int_equal(
	    ews_sent_with("<t:Constant Value=\"td:&lt;1&gt;\"/>"), 1);
	assert_int_equal(ews_sent_with("<t:Constant Value=\"td:2\"/>"), 1);
	assert_int_equal(ews_sent_with("CalendarView"), 0);
	assert_string_equal(rig_booking(r, "1")->room, ROOM);
	assert_int_equal(rig_booking(r, "1")->state, BOOKING_STATE_BOOKED);
	assert_int_equal(rig_booking(r, "2")->state, BOOKING_STATE_CANCELLED);
	assert_int_equal(rig_booking(r, "2")->marks, MARK_DECLINED);
	rig_find(r, MINE, tags, 0);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->requests, 0);
	rig_free(r);
}

/* People invited a room before ORB's own, and one that has not answered. */
static void
found_with_all_its_rooms(void **state)
{
	static const char *const tags[] = {"td:1"};
	static const struct ews_line s[] = {
	    {"<m:FindItem", VIEW("true", ITEM("1", "")), 0, NULL},
	    {"Id=\"1\"",
		ITEMS(TAGGED("1", "td:1",
		    "<t:MyResponseType>Organizer</t:MyResponseType>"
		    "<t:Resources>"
		    "<t:Attendee><t:Mailbox><t:EmailAddress>other@sim.test"
		    "</t:EmailAddress></t:Mailbox><t:ResponseType>Accept"
		    "</t:ResponseType></t:Attendee>"
		    "<t:Attendee><t:Mailbox><t:EmailAddress>late@sim.test"
		    "</t:EmailAddress></t:Mailbox></t:Attendee>"
		    "<t:Attendee><t:Mailbox><t:EmailAddress>" ROOM
		    "</t:EmailAddress></t:Mailbox><t:ResponseType>Decline"
		    "</t:ResponseType></t:Attendee></t:Resources>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(s, MINE);

	(void)state;
	rig_find(r, MINE, tags, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_int_equal(r->ngot, 3);
	assert_string_equal(r->got[0].b.room, "other@sim.test");
	assert_int_equal(r->got[0].b.state, BOOKING_STATE_BOOKED);
	assert_string_equal(r->got[1].b.room, "late@sim.test");
	assert_int_equal(r->got[1].b.state, BOOKING_STATE_TENTATIVE);
	assert_string_equal(r->got[2].b.room, ROOM);
	assert_int_equal(r->got[2].b.state, BOOKING_STATE_CANCELLED);
	assert_int_equal(r->got[2].b.marks, MARK_DECLINED);
	rig_free(r);
}

static void
not_found_is_certain(void **state)
{
	static const char *const tags[] = {"td:1"};
	static const struct {
		const char *list, *item;
		enum outcome want;
		unsigned got;
	} cases[] = {{VIEW("true", ""), NULL, OUTCOME_OK, 0},
	    /* not all of it; another's tag; one that cannot be read */
	    {VIEW("false", ""), NULL, OUTCOME_BROKEN, 0},
	    {VIEW("true", ITEM("1", "")), ITEMS(TAGGED("1", "td:2", "")),
		OUTCOME_BROKEN, 0},
	    {VIEW("true", ITEM("1", "")), ITEMS(ITEM("1", "")), OUTCOME_BROKEN,
		0},
	    {VIEW("true", ITEM("1", "")), ANSWER(BAD("ErrorCorruptData")),
		OUTCOME_BROKEN, 0},
	    {VIEW("true", ITEM("1", "")), ANSWER(BAD("ErrorServerBusy")),
		OUTCOME_BUSY, 0},
	    {ANSWER(BAD("ErrorAccessDenied")), NULL, OUTCOME_DENIED, 0},
	    {ANSWER(BAD("ErrorNonExistentMailbox")), NULL, OUTCOME_REFUSED, 0},
	    /* deleted meanwhile; made a series by somebody */
	    {VIEW("true", ITEM("1", "")), ANSWER(BAD("ErrorItemNotFound")),
		OUTCOME_OK, 0},
	    {VIEW("true", ITEM("1", "")),
		ITEMS(TAGGED("1", "td:1",
		    "<t:CalendarItemType>RecurringMaster"
		    "</t:CalendarItemType>")),
		OUTCOME_OK, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ews_line s[] = {{"<m:FindItem", cases[i].list, 0, NULL},
		    {"GetItem", cases[i].item, 0, NULL}, {NULL, NULL, 0, NULL}};
		struct rig *r = ews_rig(s, MINE);

		rig_find(r, MINE, tags, 1);
		if (r->outcome != (int)cases[i].want)
			fail_msg("case %zu gave %d", i, r->outcome);
		assert_int_equal(r->ngot, cases[i].got);
		assert_int_equal(r->nremoved + r->nseries, 0);
		rig_free(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_series_is_read_whole),
	    cmocka_unit_test(a_minute_without_end),
	    cmocka_unit_test(of_a_series_that_is_gone),
	    cmocka_unit_test(only_of_the_series),
	    cmocka_unit_test(a_changed_series_in_the_feed),
	    cmocka_unit_test(looked_for_by_uid), cmocka_unit_test(found_by_tag),
	    cmocka_unit_test(found_with_all_its_rooms),
	    cmocka_unit_test(not_found_is_certain)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
