/*
 * test_adapter_ews_error.c: what the adapter makes of the errors of Exchange
 * Web Services: a SOAP fault, a ResponseCode inside of an answer that is well
 * (both may be any code), a status of HTTP, bytes that are no answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/events.h"
#include "tests/unit/ews_upstream.h"

#define ROOM "room1@sim.test"

/* What each code means to a read and to a write. */
static const struct code {
	const char *code;
	enum outcome read, write;
} codes[] = {{"ErrorServerBusy", OUTCOME_BUSY, OUTCOME_BUSY},
    {"ErrorExceededConnectionCount", OUTCOME_BUSY, OUTCOME_BUSY},
    {"ErrorTooManyObjectsOpened", OUTCOME_BUSY, OUTCOME_BUSY},
    {"ErrorMailboxMoveInProgress", OUTCOME_BUSY, OUTCOME_BUSY},
    {"ErrorMailboxStoreUnavailable", OUTCOME_BUSY, OUTCOME_BUSY},
    {"ErrorADUnavailable", OUTCOME_BUSY, OUTCOME_BUSY},
    {"ErrorBatchProcessingStopped", OUTCOME_BUSY, OUTCOME_BUSY},
    /* They say nothing about whether the write was done. */
    {"ErrorInternalServerTransientError", OUTCOME_BUSY, OUTCOME_UNKNOWN},
    {"ErrorInternalServerError", OUTCOME_BUSY, OUTCOME_UNKNOWN},
    {"ErrorTimeoutExpired", OUTCOME_BUSY, OUTCOME_UNKNOWN},
    {"ErrorConnectionFailed", OUTCOME_BUSY, OUTCOME_UNKNOWN},
    {"ErrorImpersonateUserDenied", OUTCOME_DENIED, OUTCOME_DENIED},
    {"ErrorImpersonationDenied", OUTCOME_DENIED, OUTCOME_DENIED},
    {"ErrorImpersonationFailed", OUTCOME_DENIED, OUTCOME_DENIED},
    {"ErrorInvalidExchangeImpersonationHeaderData", OUTCOME_DENIED,
	OUTCOME_DENIED},
    {"ErrorAccessDenied", OUTCOME_DENIED, OUTCOME_DENIED},
    {"ErrorNonExistentMailbox", OUTCOME_REFUSED, OUTCOME_REFUSED},
    {"ErrorSchemaValidation", OUTCOME_REFUSED, OUTCOME_REFUSED},
    {"ErrorInvalidServerVersion", OUTCOME_REFUSED, OUTCOME_REFUSED},
    {"ErrorCalendarIsNotOrganizer", OUTCOME_REFUSED, OUTCOME_REFUSED},
    {"ErrorNobodyHasHeardOf", OUTCOME_REFUSED, OUTCOME_REFUSED},
    {"ErrorIrresolvableConflict", OUTCOME_STALE, OUTCOME_STALE},
    {"ErrorStaleObject", OUTCOME_STALE, OUTCOME_STALE},
    {"ErrorChangeKeyRequired", OUTCOME_STALE, OUTCOME_STALE},
    {"ErrorChangeKeyRequiredForWriteOperations", OUTCOME_STALE, OUTCOME_STALE},
    {"ErrorInvalidSyncStateData", OUTCOME_CURSOR, OUTCOME_REFUSED},
    {"ErrorSyncFolderNotFound", OUTCOME_CURSOR, OUTCOME_REFUSED}};
#define CODES (sizeof(codes) / sizeof(codes[0]))

static const char *code_now;
static int fault_now;

/* The code of now, in the layer of now. */
static char *
say_error(const char *request)
{
	char *s = NULL;

	(void)request;
	if (asprintf(&s, fault_now ? FAULT_OF("%s", "") : ANSWER(BAD("%s")),
		code_now) < 0)
		abort();
	return s;
}

static void
of_reads(void **state)
{
	struct ews_line s[] = {{"", NULL, 0, say_error}, {NULL, NULL, 0, NULL}};

	(void)state;
	for (size_t i = 0; i < 2 * CODES; i++) {
		const struct code *c = &codes[i / 2];
		struct rig *r;

		fault_now = i % 2;
		s[0].status = fault_now ? 500 : 200;
		code_now = c->code;
		r = ews_rig(s, ROOM);
		rig_poll(r, ROOM, "S1");
		rig_run(r, 1);
		if (r->outcome != (int)c->read)
			fail_msg("%s gave %d", c->code, r->outcome);
		/* Named, and without a cursor: nothing was learnt. */
		assert_non_null(strstr(r->text, c->code));
		assert_string_equal(r->cursor, "");
		assert_int_equal(r->full, 0);
		assert_int_equal(r->ngot + r->nremoved + r->nseries, 0);
		/* A state that is lost is asked for anew, once. */
		assert_int_equal(
		    r->requests, c->read == OUTCOME_CURSOR ? 2 : 1);
		assert_int_equal(
		    r->holds, strcmp(c->code, "ErrorServerBusy") == 0);
		rig_free(r);
	}
}

static void
of_writes(void **state)
{
	struct ews_line s[] = {{"<m:CreateItem", NULL, 0, say_error},
	    {"<m:UpdateItem", NULL, 0, say_error},
	    {"<m:GetItem",
		ITEMS(ITEM("one",
		    "<t:UID>U</t:UID><t:Resources><t:Attendee/>"
		    "</t:Resources>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct msg_adapter_meet meet = {ROOM, ROOM, "", "", "topdesk:1", "T",
	    1796112000, 1796115600, 0, 0, "s", ""};
	struct msg_adapter_meeting_change change = {
	    ROOM, "one", "K", 0, 0, "x", "", "", ""};

	(void)state;
	for (size_t i = 0; i < 4 * CODES; i++) {
		const struct code *c = &codes[i / 4];
		struct rig *r;

		fault_now = i % 2;
		s[0].status = s[1].status = fault_now ? 500 : 200;
		code_now = c->code;
		r = ews_rig(s, ROOM);
		if (i & 2)
			adapter_meet_send(r->mapd, rig_call(r), 0, &meet);
		else
			adapter_meeting_change_send(
			    r->mapd, rig_call(r), 0, &change);
		rig_run(r, 1);
		if (r->outcome != (int)c->write)
			fail_msg("%s gave %d", c->code, r->outcome);
		assert_non_null(strstr(r->text, c->code));
		/* Never a second time by itself. */
		assert_int_equal(r->requests, i & 2 ? 1 : 2);
		rig_free(r);
	}
}

/* Exchange's own wait, and ten seconds for clocks that differ. */
static void
of_a_busy_server(void **state)
{
	static const struct {
		const char *answer;
		int status;
		unsigned wait;
	} cases[] = {
	    {FAULT_OF("ErrorServerBusy", BACKOFF_OF("20000")), 500, 30},
	    {FAULT_OF("ErrorServerBusy", BACKOFF_OF("0")), 500, 60},
	    {FAULT_OF("ErrorServerBusy", ""), 500, 60},
	    {FAULT_OF("ErrorServerBusy", BACKOFF_OF("4294967295")), 500, 3600},
	    {FAULT_OF("ErrorServerBusy", BACKOFF_OF("99999999999999999999")),
		500, 3600},
	    {FAULT_OF("ErrorServerBusy", BACKOFF_OF("4294967300")), 500, 3600},
	    {FAULT_OF("ErrorServerBusy", BACKOFF_OF("soon")), 500, 60},
	    {ANSWER("<m:XResponseMessage ResponseClass=\"Error\">"
		    "<m:ResponseCode>ErrorServerBusy</m:ResponseCode>"
		    "<m:MessageXml><t:Value Name=\"BackOffMilliseconds\">5000"
		    "</t:Value></m:MessageXml></m:XResponseMessage>"),
		200, 15}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ews_line s[] = {
		    {"Sync", cases[i].answer, cases[i].status, NULL},
		    {NULL, NULL, 0, NULL}};
		struct rig *r = ews_rig(s, ROOM);

		rig_poll(r, ROOM, "S1");
		rig_run(r, 1);
		assert_int_equal(r->outcome, OUTCOME_BUSY);
		assert_int_equal(r->retry_after, cases[i].wait);
		assert_int_equal(r->holds, 1);
		assert_int_equal(r->hold_seconds, cases[i].wait);
		rig_free(r);
	}
}

/* Answers that are none; read, then as the answer to a write. */
static void
of_no_answer(void **state)
{
	static const struct {
		const char *answer;
		int status;
		enum outcome read, write;
	} cases[] = {{"<html>x</html>", 200, OUTCOME_BROKEN, OUTCOME_UNKNOWN},
	    {"<html>x</html>", 500, OUTCOME_BUSY, OUTCOME_UNKNOWN},
	    {"<html>x</html>", 502, OUTCOME_BUSY, OUTCOME_UNKNOWN},
	    {"<html>x</html>", 503, OUTCOME_BUSY, OUTCOME_BUSY},
	    {"<html>x</html>", 429, OUTCOME_BUSY, OUTCOME_BUSY},
	    {"<html>x</html>", 401, OUTCOME_DENIED, OUTCOME_DENIED},
	    {"<html>x</html>", 403, OUTCOME_DENIED, OUTCOME_DENIED},
	    {"<html>x</html>", 404, OUTCOME_BROKEN, OUTCOME_BROKEN},
	    {"", 200, OUTCOME_BROKEN, OUTCOME_UNKNOWN},
	    {HEAD TAIL, 200, OUTCOME_BROKEN, OUTCOME_UNKNOWN},
	    {HEAD, 200, OUTCOME_BROKEN, OUTCOME_UNKNOWN},
	    {HEAD "<a>", 500, OUTCOME_BUSY, OUTCOME_UNKNOWN},
	    {"<x/>", 200, OUTCOME_BROKEN, OUTCOME_UNKNOWN},
	    {"{}", 200, OUTCOME_BROKEN, OUTCOME_UNKNOWN},
	    {"<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>", 200, OUTCOME_BROKEN,
		OUTCOME_UNKNOWN},
	    {"<!DOCTYPE x SYSTEM 'https://evil.test/x.dtd'><x/>", 200,
		OUTCOME_BROKEN, OUTCOME_UNKNOWN}};
	struct msg_adapter_meet meet = {ROOM, ROOM, "", "", "topdesk:1", "T",
	    1796112000, 1796115600, 0, 0, "s", ""};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct ews_line s[] = {
		    {"", cases[i / 2].answer, cases[i / 2].status, NULL},
		    {NULL, NULL, 0, NULL}};
		struct rig *r = ews_rig(s, ROOM);
		enum outcome want =
		    i % 2 ? cases[i / 2].write : cases[i / 2].read;

		if (i % 2)
			adapter_meet_send(r->mapd, rig_call(r), 0, &meet);
		else
			rig_poll(r, ROOM, "S1");
		rig_run(r, 1);
		if (r->outcome != (int)want)
			fail_msg("case %zu gave %d", i, r->outcome);
		assert_string_equal(r->cursor, "");
		assert_int_equal(r->requests, 1);
		if (cases[i / 2].status == 200)
			assert_int_equal(r->incident, EV_ANSWER_BROKEN);
		rig_free(r);
	}
}

/* Half an answer is no answer, wherever it is cut: of the changes in it only
 * the cursor counts, and that is not given out. */
static void
of_half_an_answer(void **state)
{
	static const char whole[] =
	    SYNCED("<t:Delete><t:ItemId Id=\"gone\"/></t:Delete>");
	char *part = strdup(whole);

	(void)state;
	for (size_t n = sizeof(whole) - 2; n > 0; n -= n > 7 ? 7 : 1) {
		struct ews_line s[] = {
		    {"", part, 0, NULL}, {NULL, NULL, 0, NULL}};
		struct rig *r;

		part[n] = '\0';
		r = ews_rig(s, ROOM);
		rig_poll(r, ROOM, "S1");
		rig_run(r, 1);
		assert_int_equal(r->outcome, OUTCOME_BROKEN);
		assert_string_equal(r->cursor, "");
		assert_int_equal(r->full, 0);
		rig_free(r);
	}
	free(part);
}

/* One bad item of ten is looked at by itself; the others are as they are. */
static void
of_one_item(void **state)
{
	static const struct ews_line s[] = {
	    {"SyncFolderItems",
		SYNCED("<t:Create>" ITEM("a", "") "</t:Create><t:Create>" ITEM(
		    "b", "") "</t:Create><t:Create>" ITEM("c", "") "</t:"
								   "Create>"),
		0, NULL},
	    {"GetItem",
		ANSWER(BAD("ErrorItemNotFound") BAD(
		    "ErrorCorruptData") GOOD("<m:Items>" ITEM("c",
		    "<t:UID>U</t:UID><t:Start>2026-12-01T08:00:00Z"
		    "</t:Start><t:End>2026-12-01T09:00:00Z</t:End>") "</"
								     "m:"
								     "Items>")),
		0, NULL},
	    {NULL, NULL, 0, NULL}};
	struct rig *r = ews_rig(s, ROOM);

	(void)state;
	rig_poll(r, ROOM, "S1");
	rig_run(r, 1);
	assert_int_equal(r->outcome, OUTCOME_OK);
	assert_string_equal(r->cursor, "S2");
	assert_int_equal(r->nremoved, 2);
	assert_string_equal(r->removed[0], "a");
	assert_string_equal(r->removed[1], "b");
	assert_non_null(rig_booking(r, "c"));
	assert_non_null(strstr(r->text, "ErrorCorruptData"));
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(of_reads),
	    cmocka_unit_test(of_writes), cmocka_unit_test(of_a_busy_server),
	    cmocka_unit_test(of_no_answer), cmocka_unit_test(of_half_an_answer),
	    cmocka_unit_test(of_one_item)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
