/*
 * graph.c: the Graph listener's routes, who may use them, and its errors.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph.h"
#include "random.h"

#define CAL ROUTE_CALENDAR
#define CALBODY (ROUTE_CALENDAR | ROUTE_BODY)

struct route graph_routes[] = {{.method = "POST",
				   .path = "$batch",
				   .serve = graph_batch,
				   .flags = ROUTE_BODY},
    {.method = "GET",
	.path = "users/{user}/calendarView/delta",
	.serve = graph_delta,
	.flags = CAL},
    {.method = "GET",
	.path = "users/{user}/calendarView",
	.serve = graph_view,
	.flags = CAL},
    {.method = "GET",
	.path = "users/{user}/events/{id}/instances",
	.serve = graph_instances,
	.flags = CAL},
    {.method = "GET",
	.path = "users/{user}/events/{id}",
	.serve = graph_get_event,
	.flags = CAL},
    {.method = "GET",
	.path = "users/{user}/calendar/events/{id}",
	.serve = graph_get_event,
	.flags = CAL},
    {.method = "GET",
	.path = "users/{user}/events",
	.serve = graph_list_events,
	.flags = CAL},
    {.method = "POST",
	.path = "users/{user}/events",
	.serve = graph_create,
	.flags = CALBODY},
    {.method = "PATCH",
	.path = "users/{user}/events/{id}",
	.serve = graph_patch,
	.flags = CALBODY},
    {.method = "POST",
	.path = "users/{user}/events/{id}/cancel",
	.serve = graph_cancel,
	.flags = CALBODY},
    {.method = "POST",
	.path = "users/{user}/events/{id}/accept",
	.serve = graph_accept,
	.flags = CALBODY},
    {.method = "POST",
	.path = "users/{user}/events/{id}/tentativelyAccept",
	.serve = graph_tentative,
	.flags = CALBODY},
    {.method = "POST",
	.path = "users/{user}/events/{id}/decline",
	.serve = graph_decline,
	.flags = CALBODY},
    {.method = "DELETE",
	.path = "users/{user}/events/{id}",
	.serve = graph_delete,
	.flags = CAL},
    {.method = "GET",
	.path = "places/microsoft.graph.room",
	.serve = graph_rooms},
    {.method = "GET",
	.path = "places/microsoft.graph.roomlist",
	.serve = graph_roomlists},
    {.method = "GET",
	.path = "places/{list}/microsoft.graph.roomlist/rooms",
	.serve = graph_rooms},
    {.path = NULL}};

void
graph_error(
    struct request *r, int status, const char *code, const char *fmt, ...)
{
	char text[512], now[32], id[37];
	unsigned char raw[16];
	va_list ap;
	int i;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	random_fill(RANDOM_TRACE, raw, sizeof(raw));
	for (i = 0; i < 16; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", raw[i]);
	when_print(when_now(), now);
	now[19] = '\0';
	answer_clear(r);
	r->status = status;
	text_fmt(&r->out, "{\"error\":{\"code\":\"%s\",\"message\":", code);
	text_json(&r->out, text);
	text_fmt(&r->out,
	    ",\"innerError\":{\"date\":\"%s\",\"request-id\":"
	    "\"%s\",\"client-request-id\":\"%s\"}}}",
	    now, id, id);
}

/* Whether the bearer token is good; answers 401 when not. */
int
graph_admit(struct request *r)
{
	const char *a;
	int state;

	if (r->is_inner)
		return 1;
	if (settings.enforce && listening[GRAPH].busy > 4) {
		graph_error(r, 429, "ApplicationThrottled",
		    "Application is "
		    "over its MailboxConcurrency limit.");
		answer_header(r, "Retry-After", "1");
		return 0;
	}
	a = request_header(r, "Authorization");
	if (a == NULL || strncasecmp(a, "Bearer ", 7) != 0) {
		graph_error(r, 401, "InvalidAuthenticationToken",
		    "Access token is empty.");
		answer_header(r, "WWW-Authenticate", "Bearer realm=\"\"");
		return 0;
	}
	if ((state = token_state(a + 7)) != 1) {
		if (state == 0)
			violation(r, "a token that was never given out");
		graph_error(r, 401, "InvalidAuthenticationToken",
		    state < 0
			? "Lifetime validation failed, the token is expired."
			: "Access token validation failure. Invalid audience.");
		answer_header(r, "WWW-Authenticate",
		    "Bearer realm=\"\", "
		    "error=\"invalid_token\"");
		return 0;
	}
	return 1;
}

/* The mailbox of users/{user}; NULL after answering that there is none. */
struct mailbox *
graph_mailbox(struct request *r)
{
	struct mailbox *mb = mailbox_find(r->segs[1]);

	if (mb == NULL) {
		graph_error(r, 404, "ErrorInvalidUser",
		    "The requested user '%.200s' is invalid.", r->segs[1]);
		return NULL;
	}
	if (r->mailbox == NULL && !r->is_inner) {
		r->mailbox = mb;
		if (++mb->busy > mb->busy_peak)
			mb->busy_peak = mb->busy;
	}
	if (mb->out_of_scope ||
	    (settings.rooms_only && !mb->is_room &&
		strcasecmp(mb->email, settings.service_mailbox) != 0)) {
		graph_error(r, 403, "ErrorAccessDenied",
		    "Access to OData is disabled.");
		return NULL;
	}
	if (r->prefer != NULL && (r->route->flags & ROUTE_CALENDAR))
		answer_header(r, "Preference-Applied", "%s", r->prefer);
	return mb;
}

/* The URL of the service by the name that the client called it. */
void
graph_base(const struct request *r, struct text *out)
{
	if (r->host != NULL)
		text_fmt(out, "https://%s/v1.0", r->host);
	else
		text_str(out, settings.graph_url);
}

/* startDateTime and endDateTime; -1 after answering that they are bad. */
int
graph_window(struct request *r, int64_t *from, int64_t *to)
{
	const char *a = request_arg(r, "startDateTime");
	const char *b = request_arg(r, "endDateTime");

	if (a == NULL || b == NULL || when_parse(a, from, NULL) == -1 ||
	    when_parse(b, to, NULL) == -1) {
		graph_error(r, 400, "ErrorInvalidParameter",
		    "This request "
		    "requires a time window specified by the query string "
		    "parameters StartDateTime and EndDateTime.");
		violation(r, "no window, or a bad one");
		return -1;
	}
	if (*to <= *from || *to - *from > 1825 * (int64_t)DAY) {
		graph_error(r, 400, "ErrorInvalidRequest",
		    "The requested time "
		    "window is too large or empty. Maximum number of days: "
		    "1825.");
		return -1;
	}
	return 0;
}
