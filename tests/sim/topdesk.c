/*
 * topdesk.c: the TOPdesk listener's routes, who may use them, its errors, and
 * its small endpoints: versions, the operator, locations, reasons, persons.
 */
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "topdesk_http.h"

#define PERSONS_TYPE "application/x.topdesk-collection-person-v2+json"
#define PERSON_TYPE "application/x.topdesk-person-v2+json"

static void
td_version(struct request *r)
{
	r->status = 200;
	text_str(&r->out, "{\"version\":\"3.4.0\"}");
}

static void
td_product(struct request *r)
{
	r->status = 200;
	text_str(&r->out, "{\"major\":15,\"minor\":10,\"patch\":3}");
}

static void
td_operator_id(struct request *r)
{
	r->status = 200;
	text_str(&r->out, "{\"id\":\"7d0f0f1e-3a6b-4c55-9d57-51a600000001\"}");
}

static void
td_operator(struct request *r)
{
	r->status = 200;
	text_str(&r->out,
	    "{\"id\":\"7d0f0f1e-3a6b-4c55-9d57-51a600000001\","
	    "\"status\":\"operator\",\"apiAccount\":true,"
	    "\"hasApplicationPasswords\":true,\"loginPermission\":true,"
	    "\"reservationsOperator\":true,\"surName\":\"Orb\",\"loginName\":");
	text_json(&r->out, topdesk.login);
	text_str(&r->out, "}");
}

void
td_error(struct request *r, int status, const char *code, const char *field,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	answer_clear(r);
	r->status = status;
	r->type = "application/json";
	text_fmt(&r->out, "{\"errors\":[{\"errorCode\":\"%s\",\"appliesTo\":[",
	    code);
	if (field != NULL)
		text_json(&r->out, field);
	text_str(&r->out, "],\"errorMessage\":");
	text_json(&r->out, text);
	text_str(&r->out, "}]}");
}

int
td_forbidden(struct request *r, int allowed, const char *text)
{
	if (allowed)
		return 0;
	td_error(r, 403, "FORBIDDEN", NULL, "%s", text);
	return 1;
}

/* Whether login and application password are good; answers 401 when not. */
int
topdesk_admit(struct request *r)
{
	const char *a = request_header(r, "Authorization");

	if (a != NULL && topdesk.operator_ok &&
	    strlen(a) == strlen(topdesk.authorization) &&
	    CRYPTO_memcmp(a, topdesk.authorization, strlen(a)) == 0)
		return 1;
	r->status = 401;
	answer_header(r, "WWW-Authenticate", "Basic realm=\"TOPdesk\"");
	text_fmt(&r->out, "[{\"message\":\"%s\"}]",
	    a ? "User removed or archived"
	      : "No authentication token provided");
	return 0;
}

/* Counts arguments that the operation does not have. */
void
td_allows_args(struct request *r, const char *words)
{
	size_t i, n;
	const char *at;

	for (i = 0; i < r->nargs; i++) {
		n = strlen(r->args[i].name);
		for (at = strstr(words, r->args[i].name); at != NULL;
		     at = strstr(at + 1, r->args[i].name))
			if ((at == words || at[-1] == ' ') &&
			    (at[n] == ' ' || at[n] == '\0'))
				break;
		if (at == NULL)
			violation(r, "unknown argument %.60s", r->args[i].name);
	}
}

static void
location_json(struct text *o, const struct location *l)
{
	text_fmt(o,
	    "{\"id\":\"%s\",\"branch\":{\"id\":"
	    "\"7d0f0f1e-3a6b-4c55-9d57-51a6000000b1\",\"name\":\"Main\"},"
	    "\"name\":",
	    l->id);
	text_json(o, l->name);
	text_str(o, ",\"roomNumber\":");
	text_json(o, l->name);
	text_fmt(o, ",\"capacity\":%d}", l->capacity);
}

static void
td_locations(struct request *r)
{
	const char *top = request_arg(r, "$top");
	long max = top ? strtol(top, NULL, 10) : 1000, n = 0;
	size_t i;

	td_allows_args(r, "$fields $top branchId");
	if (td_forbidden(r, topdesk.may_locations,
		"No permission to access reservable locations"))
		return;
	if (max < 1 || max > 10000) {
		td_error(r, 400, "INVALID_PARAMETER", "$top", "bad $top");
		return;
	}
	r->status = 200;
	text_str(&r->out, "{\"results\":[");
	for (i = 0; i < topdesk.nrooms && n < max; i++) {
		if (topdesk.rooms[i]->hidden || topdesk.rooms[i]->archived)
			continue;
		if (n++ > 0)
			text_str(&r->out, ",");
		location_json(&r->out, topdesk.rooms[i]);
	}
	text_str(&r->out, "]}");
}

static void
td_location(struct request *r)
{
	struct location *l = map_get(&topdesk.locations, r->segs[1]);

	if (td_forbidden(r, topdesk.may_locations,
		"No permission to access reservable locations"))
		return;
	if (l == NULL || l->hidden || l->archived) {
		td_error(r, uuid_valid(r->segs[1]) ? 404 : 400, "NOT_FOUND",
		    "id", "Reservable location could not be found");
		return;
	}
	r->status = 200;
	location_json(&r->out, l);
}

static void
td_reasons(struct request *r)
{
	int i;

	td_allows_args(r, "archived");
	r->status = 200;
	text_str(&r->out, "{\"results\":[");
	for (i = 0; reasons[i][0] != NULL; i++)
		text_fmt(&r->out, "%s{\"id\":\"%s\",\"name\":\"%s\"}",
		    i ? "," : "", reasons[i][0], reasons[i][1]);
	text_str(&r->out, "]}");
}

/* Accept must name the vendor's type, or be absent, or take anything. */
static int
accepts(struct request *r, const char *type)
{
	const char *a = request_header(r, "Accept");

	if (a == NULL || strcasestr(a, type) != NULL ||
	    strstr(a, "*/*") != NULL)
		return 1;
	violation(r, "Accept: %.80s where %s is needed", a, type);
	r->status = 406;
	r->type = NULL;
	return 0;
}

static void
person_json(struct text *o, const struct person *p, const char *fields)
{
	const char *all = fields == NULL || strcmp(fields, "*") == 0 ||
		strcmp(fields, "all") == 0
	    ? "id,email,dynamicName,archived,"
	      "surName,branch"
	    : fields;

	text_fmt(o, "{\"id\":\"%s\"", p->id);
	if (strstr(all, "dynamicName")) {
		text_str(o, ",\"dynamicName\":");
		text_json(o, p->name);
	}
	if (strstr(all, "surName")) {
		text_str(o, ",\"surName\":");
		text_json(o, p->name);
	}
	if (strstr(all, "email")) {
		text_str(o, ",\"email\":");
		text_json(o, p->email);
	}
	if (strstr(all, "archived"))
		text_fmt(o, ",\"archived\":%s", p->archived ? "true" : "false");
	if (strstr(all, "branch"))
		text_str(o,
		    ",\"branch\":{\"id\":"
		    "\"7d0f0f1e-3a6b-4c55-9d57-51a6000000b1\",\"name\":"
		    "\"Main\"}");
	text_str(o, "}");
}

static void
td_persons(struct request *r)
{
	const char *q = request_arg(r, "query"), *s;
	long size = 50, start = 0, seen = 0, n = 0;
	struct fiql *f = NULL;
	char why[120];
	size_t i;
	int more = 0;

	td_allows_args(r, "query pageStart pageSize fields sort");
	if (!accepts(r, PERSONS_TYPE) ||
	    td_forbidden(
		r, topdesk.may_persons, "No permission to access the data"))
		return;
	if ((s = request_arg(r, "pageSize")) != NULL)
		size = strtol(s, NULL, 10);
	if ((s = request_arg(r, "pageStart")) != NULL)
		start = strtol(s, NULL, 10);
	if (q != NULL)
		f = fiql_parse(q, person_fields, why, sizeof(why));
	if ((q != NULL && f == NULL) || size < 1 || size > 5000 || start < 0) {
		if (q != NULL && f == NULL)
			violation(r, "bad query: %s", why);
		r->status = 400;
		text_str(&r->out,
		    "[{\"message\":\"Input parameters "
		    "malformed\"}]");
		fiql_free(f);
		return;
	}
	text_str(&r->out, "{\"item\":[");
	for (i = 0; i < topdesk.npeople && !more; i++) {
		const struct person *p = topdesk.people[i];

		if (f != NULL && !fiql_match(f, person_fields, person_get, p))
			continue;
		if (seen++ < start)
			continue;
		if (n == size) {
			more = 1;
			break;
		}
		if (n++ > 0)
			text_str(&r->out, ",");
		person_json(&r->out, p, request_arg(r, "fields"));
	}
	text_fmt(&r->out, "],\"size\":%ld}", n);
	r->type = PERSONS_TYPE;
	r->status = n == 0 ? 204 : more ? 206 : 200;
	if (n == 0)
		text_free(&r->out);
	fiql_free(f);
}

static void
td_person(struct request *r)
{
	struct person *p = map_get(&topdesk.persons, r->segs[r->nsegs - 1]);

	if (!accepts(r, PERSON_TYPE) ||
	    td_forbidden(
		r, topdesk.may_persons, "No permission to access the data"))
		return;
	if (p == NULL) {
		td_error(r, 404, "NOT_FOUND", "id", "Entity not found");
		return;
	}
	r->status = 200;
	r->type = PERSON_TYPE;
	person_json(&r->out, p, request_arg(r, "fields"));
}

#define ONE "reservations/{id}"

struct route topdesk_routes[] = {
    {.method = "GET", .path = "version", .serve = td_version},
    {.method = "GET", .path = "productVersion", .serve = td_product},
    {.method = "GET", .path = "operators/current/id", .serve = td_operator_id},
    {.method = "GET", .path = "operators/current", .serve = td_operator},
    {.method = "GET", .path = "reservations", .serve = td_list},
    {.method = "POST",
	.path = "reservations",
	.serve = td_create,
	.flags = ROUTE_BODY},
    {.method = "GET", .path = ONE, .serve = td_get},
    {.method = "PATCH", .path = ONE, .serve = td_patch, .flags = ROUTE_BODY},
    {.method = "POST",
	.path = ONE "/cancel",
	.serve = td_cancel,
	.flags = ROUTE_BODY},
    {.method = "POST",
	.path = ONE "/reschedule",
	.serve = td_reschedule,
	.flags = ROUTE_BODY},
    {.method = "POST",
	.path = ONE "/reservedFacilities/add",
	.serve = td_facility_add,
	.flags = ROUTE_BODY},
    {.method = "POST",
	.path = ONE "/reservedFacilities/move",
	.serve = td_facility_move,
	.flags = ROUTE_BODY},
    {.method = "POST",
	.path = ONE "/reservedFacilities/remove",
	.serve = td_facility_remove,
	.flags = ROUTE_BODY},
    {.method = "GET", .path = "reservableLocations", .serve = td_locations},
    {.method = "GET", .path = "reservableLocations/{id}", .serve = td_location},
    {.method = "GET",
	.path = "reservationCancellationReasons",
	.serve = td_reasons},
    {.method = "GET", .path = "persons", .serve = td_persons},
    {.method = "GET", .path = "persons/id/{id}", .serve = td_person},
    {.method = "GET", .path = "persons/{id}", .serve = td_person},
    {.path = NULL}};
