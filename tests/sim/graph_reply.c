/*
 * graph_reply.c: what Graph lets an invited mailbox do: accept, accept
 * tentatively, decline; the whole of a meeting or one occurrence.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph.h"

static int
reply_body(struct request *r, int *send)
{
	json_t *v;

	r->json = json_loadb(
	    r->body.b ? r->body.b : "{}", r->body.b ? r->body.len : 2, 0, NULL);
	if (r->json == NULL ||
	    !body_allows(r, r->json,
		"comment Comment sendResponse SendResponse", "response"))
		return graph_refuse(
		    r, "BadRequest", "The body cannot be read.");
	v = json_object_get(r->json, "sendResponse");
	if (v == NULL)
		v = json_object_get(r->json, "SendResponse");
	*send = v == NULL || json_is_true(v);
	return 0;
}

static void
reply(struct request *r, enum response answer, const char *verb)
{
	const struct occurrence *occ;
	struct occurrence room;
	struct event *e;
	int send = 1;

	if (graph_target(r, &e, &room, &occ) == -1 ||
	    reply_body(r, &send) == -1)
		return;
	if (e == e->meeting->own)
		graph_error(r, 400, "ErrorInvalidRequest",
		    "Your request can't be completed. You can't respond to "
		    "this meeting because you're the meeting organizer.");
	else if (e->cancelled ||
	    (occ != NULL && occ->change != NULL && occ->change->cancelled))
		graph_error(r, 400, "ErrorInvalidRequest",
		    "Your request can't be completed. The meeting was "
		    "cancelled and cannot be %s.",
		    verb);
	else if (send && e->meeting->no_response)
		graph_error(r, 400, "ErrorInvalidRequest",
		    "Your request can't be completed. The meeting organizer "
		    "hasn't requested a response.");
	else {
		booking_reply(e, occ ? occ->original : WHEN_NONE, answer, send);
		r->status = 202;
	}
}

void
graph_accept(struct request *r)
{
	reply(r, RESPONSE_ACCEPTED, "accepted");
}

void
graph_tentative(struct request *r)
{
	reply(r, RESPONSE_TENTATIVE, "accepted");
}

void
graph_decline(struct request *r)
{
	reply(r, RESPONSE_DECLINED, "declined");
}
