/*
 * count.c: what is counted, and the checks that hold for every request.  A
 * violation is something a correct client never sends; checks that need to
 * know an endpoint's members are made where the endpoint is served.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"
#include "topdesk.h"

#define KEPT 100

static char *kept[KEPT];
unsigned long violation_count;

void
violation(const struct request *r, const char *fmt, ...)
{
	char *text, *where;
	va_list ap;

	if (violation_count++ >= KEPT)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		text = NULL;
	va_end(ap);
	where = text_print("%s %s /%s%s: %s", listener_names[r->listener],
	    r->method, r->route && r->route->path ? r->route->path : "?",
	    r->is_inner ? " (in a batch)" : "", text ? text : "");
	free(text);
	kept[violation_count - 1] = where;
}

json_t *
violations_json(void)
{
	json_t *a = json_array();
	unsigned long i;

	for (i = 0; i < violation_count && i < KEPT; i++)
		json_array_append_new(a, json_string(kept[i]));
	return a;
}

void
violations_clear(void)
{
	unsigned long i;

	for (i = 0; i < violation_count && i < KEPT; i++)
		free(kept[i]);
	violation_count = 0;
}

static void
check_credential(struct request *r)
{
	const char *a = request_header(r, "Authorization");

	if (r->listener == TRAP)
		violation(r, "a credential was sent to another host");
	else if (r->listener == LOGIN)
		violation(r, "an Authorization header for the token endpoint");
	else if (r->listener == GRAPH && strncasecmp(a, "Bearer ", 7) != 0)
		violation(r,
		    "not a bearer token: a credential of another "
		    "upstream");
	else if ((r->listener == TOPDESK || r->listener == EWS) &&
	    strncasecmp(a, "Basic ", 6) != 0)
		violation(r, "not Basic: a credential of another upstream");
}

static void
check_url(struct request *r)
{
	static const char *const names[] = {
	    "access_token", "client_secret", "password", "token", "assertion"};
	size_t i, j;

	for (i = 0; i < r->nargs; i++) {
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (strcasecmp(r->args[i].name, names[j]) == 0)
				violation(
				    r, "a credential in the URL: %s", names[j]);
		if (strcmp(r->args[i].value, settings.client_secret) == 0 ||
		    strcmp(r->args[i].value, topdesk.password) == 0)
			violation(r, "a secret in the URL");
	}
}

static void
check_graph(struct request *r)
{
	if (listening[GRAPH].busy > 4 && !r->is_inner)
		violation(r, "%u requests at a time, 4 are allowed",
		    listening[GRAPH].busy);
	if (!(r->route->flags & ROUTE_CALENDAR))
		return;
	if (!request_prefers(r, "IdType=\"ImmutableId\""))
		violation(r, "Prefer: IdType=\"ImmutableId\" is missing");
	if (!request_prefers(r, "outlook.timezone=\"UTC\""))
		violation(r, "Prefer: outlook.timezone=\"UTC\" is missing");
}

/* What holds for every request, before anything is done about it. */
void
check_request(struct request *r, int credential)
{
	const char *v;

	if (r->listener == TRAP) {
		violation(r, "a request to a host that was never configured");
		if (credential)
			check_credential(r);
		return;
	}
	if (!r->is_inner) {
		if (request_header(r, "User-Agent") == NULL)
			violation(r, "User-Agent is missing");
		if (request_header(r, "Accept") == NULL)
			violation(r, "Accept is missing");
		if (credential)
			check_credential(r);
		check_url(r);
	}
	if (r->body.len > 0 && (r->route->flags & ROUTE_BODY)) {
		v = request_header(r, "Content-Type");
		if (v == NULL || strncasecmp(v, "application/json", 16) != 0)
			violation(r, "a body that is not said to be JSON");
	}
	if (r->listener == GRAPH)
		check_graph(r);
}

json_t *
counters_json(void)
{
	json_t *o = json_object(), *ends = json_array(), *hosts, *boxes;
	struct route *rt;
	size_t at = 0;
	void *v;
	int i;

	hosts = json_object();
	for (i = 0; i < LISTENERS; i++) {
		json_object_set_new(hosts, listener_names[i],
		    json_pack("{s:I,s:I,s:I}", "requests",
			(json_int_t)listening[i].requests, "credentials",
			(json_int_t)listening[i].credentials,
			"peak_concurrency",
			(json_int_t)listening[i].busy_peak));
		for (rt = routes_of((enum listener)i); rt->path != NULL; rt++)
			if (rt->count > 0)
				json_array_append_new(ends,
				    json_pack("{s:s,s:o,s:I,s:I,s:I}",
					"listener", listener_names[i],
					"endpoint",
					json_sprintf(
					    "%s /%s", rt->method, rt->path),
					"count", (json_int_t)rt->count,
					"in_batch", (json_int_t)rt->inner,
					"credentials",
					(json_int_t)rt->credentials));
	}
	boxes = json_object();
	while (map_each(&exchange.mailboxes, &at, NULL, &v)) {
		const struct mailbox *mb = v;

		if (mb->busy_peak > 0)
			json_object_set_new(
			    boxes, mb->email, json_integer(mb->busy_peak));
	}
	json_object_set_new(o, "listeners", hosts);
	json_object_set_new(o, "endpoints", ends);
	json_object_set_new(o, "mailbox_peak_concurrency", boxes);
	json_object_set_new(
	    o, "violations", json_integer((json_int_t)violation_count));
	json_object_set_new(o, "faults", fault_list());
	return o;
}

void
counters_reset(void)
{
	struct route *rt;
	size_t at = 0;
	void *v;
	int i;

	for (i = 0; i < LISTENERS; i++) {
		listening[i].requests = listening[i].credentials = 0;
		listening[i].busy_peak = listening[i].busy;
		for (rt = routes_of((enum listener)i); rt->path != NULL; rt++)
			rt->count = rt->inner = rt->credentials = 0;
	}
	while (map_each(&exchange.mailboxes, &at, NULL, &v))
		((struct mailbox *)v)->busy_peak = ((struct mailbox *)v)->busy;
	violations_clear();
}
