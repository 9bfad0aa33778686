/*
 * reservation.c: reservations, their indexes and their conflicts.  A
 * reservation stands in the list of all and in that of each of its locations,
 * both in order of start; reservation_unseat() before its times or facilities
 * change, reservation_seat() after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topdesk.h"
#include "when.h"

const char *const status_names[] = {"request", "rejectedRequest", "planned",
    "cancelled", "conflictingPlanned", "conflictingRequest", NULL};

enum {
	F_STATUS,
	F_ARCHIVED,
	F_NUMBER,
	F_BRIEF,
	F_NOTES,
	F_PEOPLE,
	F_START,
	F_END,
	F_REQUESTER,
	F_EMAIL,
	F_LOCATION,
	F_ROOM,
	F_LINK,
	F_LINK_TYPE,
	F_LINK_DATE,
	F_SERIES,
	F_ID,
	F_REST
};

const struct fiql_field reservation_fields[] = {{"status", FIQL_TEXT},
    {"archived", FIQL_BOOL}, {"number", FIQL_TEXT},
    {"briefDescription", FIQL_TEXT}, {"notes", FIQL_TEXT},
    {"numberOfPersons", FIQL_NUMBER}, {"plannedStartDate", FIQL_DATE},
    {"plannedEndDate", FIQL_DATE}, {"requester.id", FIQL_TEXT},
    {"requester.email", FIQL_TEXT},
    {"reservedFacilities.location.id", FIQL_TEXT},
    {"reservedFacilities.location.roomNumber", FIQL_TEXT},
    {"externalLinks.id", FIQL_TEXT}, {"externalLinks.type", FIQL_TEXT},
    {"externalLinks.date", FIQL_DATE}, {"series.id", FIQL_TEXT},
    {"\001id", FIQL_TEXT}, /* has a place, but no name */
    {"requester.loginName", FIQL_TEXT},
    {"requester.networkLoginName", FIQL_TEXT},
    {"requester.employeeNumber", FIQL_TEXT}, {"reservedForOther.id", FIQL_TEXT},
    {"reservedForOther.email", FIQL_TEXT}, {"operatorGroup.id", FIQL_TEXT},
    {"operatorGroup.name", FIQL_TEXT}, {"operator.id", FIQL_TEXT},
    {"operator.name", FIQL_TEXT}, {"event.id", FIQL_TEXT},
    {"event.number", FIQL_TEXT}, {"processingStatus.id", FIQL_TEXT},
    {"processingStatus.name", FIQL_TEXT},
    {"reservedFacilities.object.id", FIQL_TEXT},
    {"reservedFacilities.object.name", FIQL_TEXT},
    {"reservedFacilities.asset.id", FIQL_TEXT},
    {"reservedFacilities.asset.name", FIQL_TEXT},
    {"reservedFacilities.reservedServices.id", FIQL_TEXT},
    {"participants.persons.id", FIQL_TEXT},
    {"participants.persons.email", FIQL_TEXT},
    {"participants.visitors.id", FIQL_TEXT},
    {"optionalFields1.text1", FIQL_TEXT}, {"optionalFields1.text2", FIQL_TEXT},
    {"optionalFields2.text1", FIQL_TEXT}, {"optionalFields2.text2", FIQL_TEXT},
    {NULL, FIQL_TEXT}};

static int
text_value(struct fiql_value *v, const char *s, size_t n)
{
	v->text = s;
	return s != NULL && n == 0;
}

int
reservation_get(const void *row, int field, size_t n, struct fiql_value *v)
{
	const struct reservation *r = row;

	switch (field) {
	case F_STATUS:
		return text_value(v, status_names[r->status], n);
	case F_ARCHIVED:
		v->number = r->archived;
		return n == 0;
	case F_NUMBER:
		return text_value(v, r->number, n);
	case F_BRIEF:
		return text_value(v, r->brief, n);
	case F_NOTES:
		return text_value(v, r->notes, n);
	case F_PEOPLE:
		v->number = r->people;
		return n == 0 && r->people >= 0;
	case F_START:
		v->number = r->start;
		return n == 0;
	case F_END:
		v->number = r->end;
		return n == 0;
	case F_REQUESTER:
		return text_value(v, r->requester ? r->requester->id : NULL, n);
	case F_EMAIL:
		return text_value(
		    v, r->requester ? r->requester->email : NULL, n);
	case F_LOCATION:
		if (n >= r->nfacilities)
			return 0;
		return text_value(v, r->facilities[n].location->id, 0);
	case F_ROOM:
		if (n >= r->nfacilities)
			return 0;
		return text_value(v, r->facilities[n].location->name, 0);
	case F_LINK:
		return text_value(v, r->link_id, n);
	case F_LINK_TYPE:
		return text_value(v, r->link_type, n);
	case F_LINK_DATE:
		v->number = r->link_date;
		return n == 0 && r->link_id && r->link_date != WHEN_NONE;
	case F_SERIES:
		return text_value(v, r->series, n);
	default:
		return 0;
	}
}

void
row_push(struct row_list *l, struct reservation *r)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->v = grow(l->v, l->cap, sizeof(r));
	}
	l->v[l->n++] = r;
}

/* The first row that starts at or after an instant. */
size_t
rows_at(const struct row_list *l, int64_t start)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->v[mid]->start < start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
row_insert(struct row_list *l, struct reservation *r)
{
	size_t at = rows_at(l, r->start + 1);

	row_push(l, r);
	memmove(l->v + at + 1, l->v + at, (l->n - 1 - at) * sizeof(r));
	l->v[at] = r;
}

static void
row_remove(struct row_list *l, struct reservation *r)
{
	size_t at;

	for (at = rows_at(l, r->start); at < l->n; at++)
		if (l->v[at] == r) {
			memmove(l->v + at, l->v + at + 1,
			    (l->n - 1 - at) * sizeof(r));
			l->n--;
			return;
		}
}

/* link_id: of its external link, or NULL. */
struct reservation *
reservation_new(const char *brief, const char *link_id)
{
	struct reservation *r = zalloc(sizeof(*r));

	if (link_id != NULL)
		uuid_of(link_id, r->id);
	else
		uuid_new(r->id);
	(void)snprintf(r->number, sizeof(r->number), "R %04d %05lu", 2611,
	    ++topdesk.numbers);
	r->brief = text_dup(brief);
	r->status = PLANNED;
	r->people = -1;
	r->link_date = WHEN_NONE;
	r->created = r->modified = when_now();
	map_put(&topdesk.by_id, r->id, r);
	map_put(&topdesk.by_number, r->number, r);
	return r;
}

/* By id or by number. */
struct reservation *
reservation_find(const char *key)
{
	struct reservation *r = map_get(&topdesk.by_id, key);

	return r ? r : map_get(&topdesk.by_number, key);
}

void
reservation_seat(struct reservation *r)
{
	size_t i;

	if (r->end - r->start > topdesk.longest)
		topdesk.longest = r->end - r->start;
	row_insert(&topdesk.all, r);
	for (i = 0; i < r->nfacilities; i++)
		row_insert(&r->facilities[i].location->booked, r);
}

void
reservation_unseat(struct reservation *r)
{
	size_t i;

	row_remove(&topdesk.all, r);
	for (i = 0; i < r->nfacilities; i++)
		row_remove(&r->facilities[i].location->booked, r);
}

void
reservation_facility(struct reservation *r, struct location *l)
{
	r->facilities =
	    grow(r->facilities, r->nfacilities + 1, sizeof(*r->facilities));
	uuid_new(r->facilities[r->nfacilities].id);
	r->facilities[r->nfacilities++].location = l;
}

int
reservation_unfacility(struct reservation *r, const struct location *l)
{
	size_t i;

	for (i = 0; i < r->nfacilities; i++)
		if (r->facilities[i].location == l) {
			r->facilities[i] = r->facilities[--r->nfacilities];
			return 0;
		}
	return -1;
}

void
reservation_link(
    struct reservation *r, const char *id, const char *type, int64_t date)
{
	struct row_list *l = map_get(&topdesk.by_link, id);

	r->link_id = text_dup(id);
	r->link_type = text_dup(type);
	r->link_date = date;
	if (l == NULL) {
		l = zalloc(sizeof(*l));
		map_put(&topdesk.by_link, id, l);
	}
	row_push(l, r);
}

/* Whether another live reservation has the room then, block time included. */
int
reservation_conflicts(const struct reservation *r)
{
	size_t i, j;

	for (i = 0; i < r->nfacilities; i++) {
		const struct location *l = r->facilities[i].location;
		const struct row_list *rows = &l->booked;
		int64_t block = (int64_t)l->block * 60;

		for (j = rows_at(
			 rows, r->start - block - topdesk.longest - 3600);
		     j < rows->n; j++) {
			const struct reservation *o = rows->v[j];

			if (o->start - block >= r->end)
				break;
			if (o != r && !o->archived && o->status != CANCELLED &&
			    o->status != REJECTED_REQUEST &&
			    o->end + block > r->start)
				return 1;
		}
	}
	return 0;
}

/*
 * Decides the status of a reservation whose times or rooms are new: -1 when
 * it conflicts and conflicts are refused.
 */
int
reservation_settle(struct reservation *r)
{
	int request = r->status == REQUEST || r->status == CONFLICTING_REQUEST;

	if (r->status == CANCELLED || r->status == REJECTED_REQUEST)
		return 0;
	if (!reservation_conflicts(r)) {
		r->status = request ? REQUEST : PLANNED;
		return 0;
	}
	if (topdesk.refuse_conflicts)
		return -1;
	r->status = request ? CONFLICTING_REQUEST : CONFLICTING_PLANNED;
	return 0;
}

/* A branch filter hides what stands in a hidden location. */
int
reservation_hidden(const struct reservation *r)
{
	size_t i;

	for (i = 0; i < r->nfacilities; i++)
		if (r->facilities[i].location->hidden)
			return 1;
	return 0;
}
