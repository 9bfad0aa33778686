/*
 * control_topdesk.c: commands that do what people do in TOPdesk.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control.h"
#include "topdesk.h"

static json_t *
fail(const char **why, const char *text)
{
	*why = text;
	return NULL;
}

json_t *
cmd_add_person(json_t *a, const char **why)
{
	const char *email = arg_text(a, "email");
	struct person *p;

	if (email == NULL && arg_text(a, "name") == NULL)
		return fail(why, "email or name");
	p = person_new(email, arg_text(a, "name"), arg_int(a, "archived", 0));
	if (email != NULL && arg_int(a, "mailbox", 1))
		(void)mailbox_new(email, arg_text(a, "name"), 0);
	return json_pack("{s:s}", "id", p->id);
}

/* By id, by name, or by the address of its room. */
static struct location *
location_find(const char *key)
{
	struct location *l = key ? map_get(&topdesk.locations, key) : NULL;
	size_t i;

	for (i = 0; key != NULL && l == NULL && i < topdesk.nrooms; i++)
		if (strcmp(topdesk.rooms[i]->name, key) == 0 ||
		    (topdesk.rooms[i]->mailbox != NULL &&
			strcasecmp(topdesk.rooms[i]->mailbox, key) == 0))
			l = topdesk.rooms[i];
	return l;
}

static struct location *
location_arg(json_t *a)
{
	return location_find(arg_text(a, "location"));
}

json_t *
cmd_location_set(json_t *a, const char **why)
{
	struct location *l = location_arg(a);

	if (l == NULL)
		return fail(why, "no such location");
	l->block = arg_int(a, "block_minutes", l->block);
	l->hidden = arg_int(a, "hidden", l->hidden);
	l->archived = arg_int(a, "archived", l->archived);
	l->capacity = arg_int(a, "capacity", l->capacity);
	return done();
}

static json_t *
view(const struct reservation *r)
{
	return json_pack("{s:s,s:s,s:s}", "id", r->id, "number", r->number,
	    "status", status_names[r->status]);
}

static struct reservation *
reservation_arg(json_t *a, const char **why)
{
	const char *id = arg_text(a, "id");
	struct reservation *r = id ? reservation_find(id) : NULL;

	if (r == NULL)
		*why = "no such reservation";
	return r;
}

static struct person *
person_arg(json_t *a, const char *name)
{
	const char *email = arg_text(a, name);

	struct person *p = email ? map_get(&topdesk.emails, email) : NULL;

	return p || email == NULL ? p : map_get(&topdesk.persons, email);
}

/* [{name,[lead_minutes],[from_hour],[to_hour]}] or plain names */
static int
services_arg(json_t *a, struct reservation *r)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(a, "services"), i, v)
	{
		const char *name = json_is_string(v) ? json_string_value(v)
						     : arg_text(v, "name");

		if (name == NULL)
			return -1;
		service_add(r, name, arg_int(v, "lead_minutes", 0),
		    arg_int(v, "from_hour", 0), arg_int(v, "to_hour", 0));
	}
	return 0;
}

/* location, and all of locations */
static int
locations_arg(json_t *a, struct reservation *r)
{
	struct location *l = location_arg(a);
	json_t *v;
	size_t i;

	if (l != NULL)
		reservation_facility(r, l);
	json_array_foreach(json_object_get(a, "locations"), i, v)
	{
		l = location_find(json_string_value(v));
		if (l == NULL)
			return -1;
		reservation_facility(r, l);
	}
	return r->nfacilities > 0 ? 0 : -1;
}

json_t *
cmd_reservation_create(json_t *a, const char **why)
{
	struct person *p = person_arg(a, "requester");
	const char *status = arg_text(a, "status");
	struct reservation draft = {0}, *r;
	int64_t start, end;

	if (p == NULL || arg_time(a, "start", NULL, &start) ||
	    arg_time(a, "end", NULL, &end) || end <= start ||
	    locations_arg(a, &draft) == -1 || services_arg(a, &draft) == -1) {
		free(draft.facilities);
		services_free(&draft);
		return fail(
		    why, "location(s), requester, start, end or services");
	}
	r = reservation_new(arg_text(a, "briefDescription"), NULL);
	r->requester = p;
	r->start = start - start % 60;
	r->end = end - end % 60;
	r->facilities = draft.facilities;
	r->nfacilities = draft.nfacilities;
	r->services = draft.services;
	r->nservices = draft.nservices;
	r->issued = arg_int(a, "issued", 0);
	r->archived = arg_int(a, "archived", 0);
	set_text(&r->series, arg_text(a, "series"));
	if (status != NULL && strcmp(status, "request") == 0)
		r->status = REQUEST;
	if (arg_text(a, "link_id"))
		reservation_link(r, arg_text(a, "link_id"),
		    arg_text(a, "link_type") ? arg_text(a, "link_type") : "1",
		    WHEN_NONE);
	if (reservation_settle(r) == -1)
		r->status = CANCELLED; /* refused; a row must stay behind */
	reservation_seat(r);
	return view(r);
}

/* What becomes of a request, in the hands of an operator. */
json_t *
cmd_reservation_status(json_t *a, const char **why)
{
	struct reservation *r = reservation_arg(a, why);
	const char *s = arg_text(a, "status");

	if (r == NULL)
		return NULL;
	if (s == NULL || r->status == CANCELLED ||
	    r->status == REJECTED_REQUEST)
		return fail(why, "status, or one that is at its end");
	if (strcmp(s, "approved") == 0 || strcmp(s, "planned") == 0)
		r->status = PLANNED;
	else if (strcmp(s, "rejected") == 0)
		r->status = REJECTED_REQUEST;
	else if (strcmp(s, "request") == 0)
		r->status = REQUEST;
	else
		return fail(why, "approved, rejected or request");
	if (reservation_settle(r) == -1)
		r->status = CONFLICTING_PLANNED;
	r->modified = when_now();
	return view(r);
}

json_t *
cmd_reservation_move(json_t *a, const char **why)
{
	struct reservation *r = reservation_arg(a, why);
	int64_t start, end;

	if (r == NULL)
		return NULL;
	if (arg_time(a, "start", NULL, &start) ||
	    arg_time(a, "end", NULL, &end) || end <= start)
		return fail(why, "start or end");
	reservation_unseat(r);
	r->start = start - start % 60;
	r->end = end - end % 60;
	r->modified = when_now();
	(void)reservation_settle(r);
	reservation_seat(r);
	return view(r);
}

json_t *
cmd_reservation_cancel(json_t *a, const char **why)
{
	struct reservation *r = reservation_arg(a, why);

	if (r == NULL)
		return NULL;
	r->status = CANCELLED;
	r->modified = when_now();
	return view(r);
}

json_t *
cmd_reservation_change(json_t *a, const char **why)
{
	struct reservation *r = reservation_arg(a, why);
	struct person *p;

	if (r == NULL)
		return NULL;
	if (arg_text(a, "requester")) {
		if ((p = person_arg(a, "requester")) == NULL)
			return fail(why, "no such person");
		r->requester = p;
	}
	if (arg_text(a, "briefDescription"))
		set_text(&r->brief, arg_text(a, "briefDescription"));
	if (arg_text(a, "series"))
		set_text(&r->series, arg_text(a, "series"));
	r->issued = arg_int(a, "issued", r->issued);
	r->archived = arg_int(a, "archived", r->archived);
	r->modified = when_now();
	return view(r);
}

json_t *
cmd_reservation_room(json_t *a, const char **why)
{
	struct reservation *r = reservation_arg(a, why);
	struct location *l = location_arg(a);

	if (r == NULL)
		return NULL;
	if (l == NULL)
		return fail(why, "no such location");
	reservation_unseat(r);
	r->nfacilities = 0;
	reservation_facility(r, l);
	r->modified = when_now();
	(void)reservation_settle(r);
	reservation_seat(r);
	return view(r);
}

json_t *
cmd_reservation_get(json_t *a, const char **why)
{
	struct reservation *r = reservation_arg(a, why);
	struct text t = {0};
	json_t *o;

	if (r == NULL)
		return NULL;
	reservation_json(&t, r, UINT64_MAX);
	o = json_loads(t.b, 0, NULL);
	text_free(&t);
	return o;
}
