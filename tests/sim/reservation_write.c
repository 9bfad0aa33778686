/*
 * reservation_write.c: making, changing and cancelling of reservations, and the
 * reading of what such requests carry.  Everything is validated before
 * anything is changed.  Times and rooms are changed in reservation_move.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "topdesk_http.h"

#define CREATE_MEMBERS                                                     \
	"briefDescription notes status requester operator "                \
	"operatorGroup processingStatus participants numberOfPersons "     \
	"plannedStartDate plannedEndDate reservedFacilities externalLink " \
	"optionalFields1 optionalFields2"
#define PATCH_MEMBERS                                           \
	"briefDescription notes numberOfPersons requester "     \
	"operatorGroup operator processingStatus externalLink " \
	"optionalFields1 optionalFields2"

void
td_bad(struct request *r, const char *field, const char *text)
{
	td_error(r, 400, "INVALID_VALUE", field, "%s: %s", field, text);
}

/* The body as an object with no other members than words. */
json_t *
td_body(struct request *r, const char *words, int optional)
{
	if (r->body.len == 0 && optional)
		return r->json = json_object();
	r->json = json_loadb(r->body.b ? r->body.b : "", r->body.len, 0, NULL);
	if (r->json == NULL) {
		violation(r, "the body is not JSON");
		td_bad(r, "body", "not JSON");
		return NULL;
	}
	if (!body_allows(r, r->json, words, "body")) {
		td_bad(r, "body", "unknown member");
		return NULL;
	}
	return r->json;
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static int
read_brief(struct request *r, const char **brief)
{
	json_t *v = json_object_get(r->json, "briefDescription");

	*brief = json_string_value(v);
	if (v == NULL || json_is_null(v))
		return 0;
	if (*brief == NULL || characters(*brief) > 100) {
		violation(r, "briefDescription above 100 or no text");
		td_bad(r, "briefDescription", "0 to 100 characters");
		return -1;
	}
	return 0;
}

static int
read_date(struct request *r, const char *name, int64_t *t)
{
	json_t *v = json_object_get(r->json, name);
	int offset;

	if (when_parse(json_string_value(v), t, &offset) == -1 || !offset) {
		violation(r, "%s is missing or no date", name);
		td_bad(r, name, "a date in ISO 8601 is needed");
		return -1;
	}
	*t -= (*t % 60 + 60) % 60;
	return 0;
}

int
td_read_dates(struct request *r, int64_t *start, int64_t *end)
{
	if (read_date(r, "plannedStartDate", start) == -1 ||
	    read_date(r, "plannedEndDate", end) == -1)
		return -1;
	if (*start >= *end) {
		td_bad(r, "plannedEndDate", "must be after plannedStartDate");
		return -1;
	}
	return 0;
}

static int
read_requester(struct request *r, struct person **p)
{
	json_t *v = json_object_get(r->json, "requester");
	const char *id = json_string_value(json_object_get(v, "id"));

	if (v == NULL || !body_allows(r, v, "id", "requester") || id == NULL ||
	    !uuid_valid(id)) {
		violation(r, "requester is missing or has no id");
		td_bad(r, "requester", "an id is needed");
		return -1;
	}
	*p = map_get(&topdesk.persons, id);
	if (*p == NULL || (*p)->archived) {
		td_error(r, 400, "PERSON_NOT_FOUND", "requester.id",
		    "The person does not exist or is archived");
		return -1;
	}
	return 0;
}

int
td_read_location(struct request *r, json_t *facility, struct location **l)
{
	json_t *v = json_object_get(facility, "location");
	const char *id = json_string_value(json_object_get(v, "id"));

	if (!body_allows(
		r, facility, "location object asset services", "facility") ||
	    id == NULL || !uuid_valid(id)) {
		violation(r, "a facility without location.id");
		td_bad(r, "reservedFacilities", "location.id is needed");
		return -1;
	}
	*l = map_get(&topdesk.locations, id);
	if (*l == NULL || (*l)->archived || (*l)->hidden) {
		td_error(r, 400, "LOCATION_NOT_RESERVABLE",
		    "reservedFacilities.location.id",
		    "The location cannot be reserved");
		return -1;
	}
	return 0;
}

static int
read_link(struct request *r, json_t *v)
{
	const char *id = json_string_value(json_object_get(v, "id"));
	const char *type = json_string_value(json_object_get(v, "type"));
	const char *p;
	int64_t t;

	if (!body_allows(r, v, "id type date", "externalLink") || id == NULL ||
	    *id == '\0' || strlen(id) > 450 || type == NULL)
		goto bad;
	for (p = type; *p >= '0' && *p <= '9'; p++)
		continue;
	if (*p != '\0' || strtol(type, NULL, 10) == 0)
		goto bad;
	if (json_object_get(v, "date") != NULL &&
	    when_parse(
		json_string_value(json_object_get(v, "date")), &t, NULL) == -1)
		goto bad;
	return 0;
bad:
	violation(r, "externalLink is not {id, type, date}");
	td_bad(r, "externalLink", "id and a whole number other than 0 as type");
	return -1;
}

static void
set_link(struct reservation *res, json_t *v)
{
	int64_t t = WHEN_NONE;
	const char *date = json_string_value(json_object_get(v, "date"));

	if (date != NULL)
		(void)when_parse(date, &t, NULL);
	reservation_link(res, json_string_value(json_object_get(v, "id")),
	    json_string_value(json_object_get(v, "type")), t);
}

void
td_conflict(struct request *r)
{
	td_error(r, 400, "FACILITY_ALREADY_RESERVED", "reservedFacilities",
	    "The facility is already reserved in this period");
}

static int
read_facilities(struct request *r, struct reservation *draft)
{
	json_t *list = json_object_get(r->json, "reservedFacilities"), *v;
	struct location *l;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0) {
		violation(r, "reservedFacilities is missing or empty");
		td_bad(r, "reservedFacilities", "at least one is needed");
		return -1;
	}
	json_array_foreach(list, i, v)
	{
		if (td_read_location(r, v, &l) == -1)
			return -1;
		reservation_facility(draft, l);
	}
	return 0;
}

void
td_create(struct request *r)
{
	struct reservation draft = {.status = PLANNED}, *res;
	const char *brief, *status;
	json_t *link, *people;

	td_allows_args(r,
	    "allowPassedLeadTimes rescheduleVisitors "
	    "allowServicesOutsideServiceWindow");
	if (td_forbidden(r, topdesk.may_create,
		"No permission to create reservations or requests") ||
	    td_body(r, CREATE_MEMBERS, 0) == NULL)
		return;
	link = json_object_get(r->json, "externalLink");
	people = json_object_get(r->json, "numberOfPersons");
	status = json_string_value(json_object_get(r->json, "status"));
	if (read_brief(r, &brief) == -1 ||
	    read_requester(r, &draft.requester) == -1 ||
	    td_read_dates(r, &draft.start, &draft.end) == -1 ||
	    read_facilities(r, &draft) == -1 ||
	    (link != NULL && read_link(r, link) == -1))
		goto out;
	if (people != NULL &&
	    (!json_is_integer(people) || json_integer_value(people) < 0 ||
		json_integer_value(people) > 99999)) {
		violation(r, "numberOfPersons");
		td_bad(r, "numberOfPersons", "0 to 99999");
		goto out;
	}
	if (status != NULL && strcmp(status, "request") == 0)
		draft.status = REQUEST;
	else if (status != NULL && strcmp(status, "planned") != 0) {
		violation(r, "status %.20s", status);
		td_bad(r, "status", "planned or request");
		goto out;
	}
	if (reservation_settle(&draft) == -1) {
		td_conflict(r);
		goto out;
	}
	res = reservation_new(brief,
	    link ? json_string_value(json_object_get(link, "id")) : NULL);
	res->requester = draft.requester;
	res->start = draft.start;
	res->end = draft.end;
	res->status = draft.status;
	res->facilities = draft.facilities;
	res->nfacilities = draft.nfacilities;
	draft.facilities = NULL;
	set_text(
	    &res->notes, json_string_value(json_object_get(r->json, "notes")));
	if (people != NULL)
		res->people = (int)json_integer_value(people);
	if (link != NULL)
		set_link(res, link);
	reservation_seat(res);
	answer_header(r, "Location", "https://%s/tas/api/reservations/%s",
	    r->host ? r->host : "localhost", res->id);
	td_answer(r, res, 201);
out:
	free(draft.facilities);
}

/* The reservation of the path; NULL after answering. */
static struct reservation *
target(struct request *r)
{
	struct reservation *res;

	if (td_forbidden(r, topdesk.may_edit,
		"No permission to edit reservations or requests"))
		return NULL;
	res = reservation_find(r->segs[1]);
	if (res == NULL || reservation_hidden(res)) {
		td_error(r, 404, "NOT_FOUND", "identifier",
		    "Reservation could not be found");
		return NULL;
	}
	return res;
}

/* As target(), for what needs a reservation that is still open. */
struct reservation *
td_open_target(struct request *r)
{
	struct reservation *res = target(r);

	if (res == NULL)
		return NULL;
	if (res->archived || res->issued || res->status == CANCELLED ||
	    res->status == REJECTED_REQUEST) {
		td_error(r, 400, "NOT_ALLOWED_IN_STATE", "status",
		    "The reservation is archived, issued, cancelled or "
		    "rejected");
		return NULL;
	}
	return res;
}

static int
flag(const struct request *r, const char *name)
{
	const char *s = request_arg(r, name);

	return s != NULL && strcmp(s, "true") == 0;
}

/*
 * Whether the services of a reservation let it be changed to these times, or
 * with start == end be cancelled; answers 400 when not.
 */
int
td_services_allow(struct request *r, const struct reservation *res,
    int64_t start, int64_t end)
{
	int late = services_too_late(res, res->start) ||
	    (start != end && services_too_late(res, start));

	if (late && !flag(r, "allowPassedLeadTimes")) {
		td_error(r, 400, "SERVICE_LEAD_TIME_PASSED", "reservedServices",
		    "The lead time of a service has passed");
		return 0;
	}
	if (start != end && services_outside(res, start, end) &&
	    !flag(r, "allowServicesOutsideServiceWindow")) {
		td_error(r, 400, "SERVICE_OUTSIDE_WINDOW", "reservedServices",
		    "A service is not given at this time");
		return 0;
	}
	return 1;
}

void
td_patch(struct request *r)
{
	struct reservation *res = target(r);
	struct person *p = NULL;
	const char *brief;
	json_t *link, *v;

	td_allows_args(r, "occurrences allowPassedLeadTimes");
	if (res == NULL || td_body(r, PATCH_MEMBERS, 0) == NULL)
		return;
	link = json_object_get(r->json, "externalLink");
	if (read_brief(r, &brief) == -1 ||
	    (json_object_get(r->json, "requester") != NULL &&
		read_requester(r, &p) == -1) ||
	    (link != NULL && read_link(r, link) == -1))
		return;
	if (link != NULL && res->link_id != NULL) {
		td_error(r, 400, "EXTERNAL_LINK_ALREADY_SET", "externalLink",
		    "The external link is already set");
		return;
	}
	if (brief != NULL)
		set_text(&res->brief, brief);
	if (p != NULL)
		res->requester = p;
	if (json_is_string(v = json_object_get(r->json, "notes")))
		set_text(&res->notes, json_string_value(v));
	if (json_is_integer(v = json_object_get(r->json, "numberOfPersons")))
		res->people = (int)json_integer_value(v);
	if (link != NULL)
		set_link(res, link);
	res->modified = when_now();
	td_answer(r, res, 200);
}

static int
reason_known(json_t *body)
{
	const char *id = json_string_value(json_object_get(body, "id"));
	const char *name = json_string_value(json_object_get(body, "name"));
	int i;

	if (id == NULL && name == NULL)
		return topdesk.default_reason;
	for (i = 0; reasons[i][0] != NULL; i++)
		if (id ? strcasecmp(id, reasons[i][0]) == 0
		       : strcmp(name, reasons[i][1]) == 0)
			return 1;
	return 0;
}

void
td_cancel(struct request *r)
{
	struct reservation *res = target(r);

	td_allows_args(r, "allowPassedLeadTimes");
	if (res == NULL || td_body(r, "id name", 1) == NULL)
		return;
	if (!reason_known(r->json)) {
		td_error(r, 400, "CANCELLATION_REASON", "id",
		    "A known cancellation reason is needed");
		return;
	}
	if (res->archived || res->issued ||
	    (res->status != PLANNED && res->status != CONFLICTING_PLANNED)) {
		td_error(r, 400, "NOT_ALLOWED_IN_STATE", "status",
		    "Only planned reservations can be cancelled");
		return;
	}
	if (!td_services_allow(r, res, res->start, res->start))
		return;
	res->status = CANCELLED;
	res->modified = when_now();
	r->status = 204;
}
