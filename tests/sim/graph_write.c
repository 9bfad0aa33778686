/*
 * graph_write.c: what Graph lets an organiser do: make, change, cancel and
 * delete an event.  A room that is invited answers by its own policy.  What an
 * invited mailbox may do is in graph_reply.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

static void
event_answer(struct request *r, const struct event *e,
    const struct occurrence *occ, int status)
{
	r->status = status;
	text_str(&r->out, "{");
	event_json(r, e, occ, SELECT_ALL);
	text_str(&r->out, "}");
}

/* A transactionId means something within one mailbox. */
static char *
transaction_key(const struct mailbox *mb, const char *id)
{
	return text_print("%s %s", mb->email, id);
}

/* A live meeting made by the same transaction: 1 after answering so. */
static int
answered_before(struct request *r, const char *key)
{
	struct meeting *m = key ? map_get(&exchange.transactions, key) : NULL;

	if (m == NULL || m->own->removed)
		return 0;
	if (settings.duplicate_status == 0)
		event_answer(r, m->own, NULL, 201);
	else
		graph_error(r, settings.duplicate_status,
		    "ErrorDuplicateTransactionId",
		    "Your request can't be completed. The transaction ID has "
		    "been used before.");
	return 1;
}

void
graph_create(struct request *r)
{
	struct mailbox *mb = graph_mailbox(r);
	struct event blank = {0};
	const char *transaction;
	struct meeting *m;
	struct draft d;
	char *key = NULL;

	if (mb == NULL || body_read(r) == -1)
		return;
	transaction =
	    json_string_value(json_object_get(r->json, "transactionId"));
	if (transaction != NULL)
		key = transaction_key(mb, transaction);
	if (answered_before(r, key))
		goto out;
	if (json_object_get(r->json, "start") == NULL ||
	    json_object_get(r->json, "end") == NULL) {
		(void)graph_refuse(r, "ErrorInvalidParameter", "start and end");
		violation(r, "an event without start or end");
		goto out;
	}
	blank.zone = mb->zone;
	if (draft_read(r, &blank, &d) == -1)
		goto out;
	m = meeting_new(mb, NULL);
	(void)draft_apply(r, m->own, &d);
	if (key != NULL) {
		m->transaction = text_dup(transaction);
		map_put(&exchange.transactions, key, m);
	}
	booking_deliver(m, BOOKING_REPATTERN);
	event_answer(r, m->own, NULL, 201);
out:
	free(key);
}

static int
etag_good(struct request *r, const struct event *e)
{
	const char *want = request_header(r, "If-Match");
	unsigned char b[32];
	uint64_t changed = 0;
	const char *p;

	if (want == NULL || strcmp(want, "*") == 0)
		return 1;
	p = strchr(want, '"');
	if (p != NULL &&
	    unbase64(b, sizeof(b), p + 1, strcspn(p + 1, "\"")) == 12) {
		memcpy(&changed, b + 6, 6);
		if (changed == e->changed)
			return 1;
	}
	graph_error(r, 412, "ErrorIrresolvableConflict",
	    "The send or update operation could not be performed because the "
	    "change key passed in the request does not match.");
	return 0;
}

static int
organiser_only(struct request *r, const struct event *e)
{
	if (e == e->meeting->own)
		return 1;
	return graph_refuse(r, "ErrorInvalidRequest",
		   "You need to be an organizer to do this to a meeting.") == 0;
}

static void
patch_occurrence(
    struct request *r, struct event *e, const struct occurrence *occ)
{
	int64_t start = occ->start, end = occ->end;
	const struct occurrence *now;
	const struct zone *zone;
	struct occurrence room;

	if (json_object_get(r->json, "attendees") != NULL) {
		graph_error(r, 501, "NotImplemented",
		    "orb-sim: other attendees for one occurrence");
		return;
	}
	if (body_time(r, "start", &start, &zone) == -1 ||
	    body_time(r, "end", &end, &zone) == -1)
		return;
	if (end < start) {
		(void)graph_refuse(r,
		    "ErrorCalendarEndDateIsEarlierThanStartDate",
		    "End date is earlier than start date.");
		return;
	}
	if (booking_crosses(e, occ->original, start, end)) {
		(void)graph_refuse(r, "ErrorOccurrenceCrossingBoundary",
		    "Modified occurrence is crossing or overlapping adjacent "
		    "occurrence.");
		return;
	}
	if (body_tells(r))
		(void)booking_move_occurrence(e->meeting, occ->original, start,
		    end,
		    json_string_value(json_object_get(r->json, "subject")));
	if (graph_target(r, &e, &room, &now) == 0)
		event_answer(r, e, now, 200);
}

void
graph_patch(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;
	struct draft d;
	size_t exceptions;
	int flags = 0;

	if (graph_target(r, &e, &room, &occ) == -1 || !etag_good(r, e) ||
	    !organiser_only(r, e) || body_read(r) == -1)
		return;
	if (json_object_get(r->json, "transactionId") != NULL) {
		(void)graph_refuse(r, "ErrorInvalidPropertySet",
		    "transactionId cannot be changed.");
		return;
	}
	if (occ != NULL) {
		patch_occurrence(r, e, occ);
		return;
	}
	if (draft_read(r, e, &d) == -1)
		return;
	exceptions = booking_exceptions(e);
	if (draft_apply(r, e, &d))
		flags |= BOOKING_REPATTERN;
	if (body_tells(r))
		flags |= BOOKING_UPDATE;
	booking_deliver(e->meeting, flags);
	/* each exception is sent again, with a message of its own */
	for (; (flags & BOOKING_UPDATE) && exceptions > 0; exceptions--)
		mail_attendees(MAIL_UPDATE, e->meeting);
	event_answer(r, e, NULL, 200);
}

void
graph_cancel(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;

	if (graph_target(r, &e, &room, &occ) == -1)
		return;
	r->json = json_loadb(
	    r->body.b ? r->body.b : "{}", r->body.b ? r->body.len : 2, 0, NULL);
	if (r->json == NULL ||
	    !body_allows(r, r->json, "comment Comment", "cancel"))
		(void)graph_refuse(r, "BadRequest", "The body cannot be read.");
	else if (e != e->meeting->own)
		(void)graph_refuse(r, "ErrorInvalidRequest",
		    "You need to be an organizer to cancel a meeting.");
	else {
		if (occ != NULL)
			(void)booking_drop_occurrence(
			    e->meeting, occ->original, 1);
		else
			booking_cancel(e->meeting, 0);
		r->status = 202;
	}
}

/* On the organiser's copy this cancels, on another it just removes it. */
void
graph_delete(struct request *r)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;

	if (graph_target(r, &e, &room, &occ) == -1 || !etag_good(r, e))
		return;
	if (e != e->meeting->own)
		booking_remove(e, occ ? occ->original : WHEN_NONE);
	else if (occ != NULL)
		(void)booking_drop_occurrence(e->meeting, occ->original, 1);
	else
		booking_cancel(e->meeting, 0);
	r->status = 204;
}
