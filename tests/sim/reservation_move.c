/*
 * reservation_move.c: other times and other rooms for a reservation.  A
 * conflict that is refused leaves the reservation as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "topdesk_http.h"

/* Settles a changed reservation; back is what to return to when refused. */
static void
settled(struct request *r, struct reservation *res, struct reservation *back)
{
	struct facility *old = back->facilities;
	int refused = reservation_settle(res) == -1;

	if (refused) {
		free(res->facilities);
		res->facilities = old;
		res->nfacilities = back->nfacilities;
		res->start = back->start;
		res->end = back->end;
		res->status = back->status;
	} else {
		free(old);
		res->modified = when_now();
	}
	reservation_seat(res);
	if (refused)
		td_conflict(r);
	else
		td_answer(r, res, 200);
}

/* Takes a reservation out of the indexes, with a copy to fall back on. */
static struct reservation
opened(struct reservation *res)
{
	struct reservation back = *res;

	reservation_unseat(res);
	res->facilities =
	    grow(NULL, res->nfacilities + 1, sizeof(*res->facilities));
	memcpy(res->facilities, back.facilities,
	    back.nfacilities * sizeof(*res->facilities));
	return back;
}

void
td_reschedule(struct request *r)
{
	struct reservation *res = td_open_target(r), back;
	int64_t start, end;

	td_allows_args(r,
	    "allowServicesOutsideReservation "
	    "allowReservationOutsideEvent allowPassedLeadTimes "
	    "allowServicesOutsideServiceWindow rescheduleVisitors");
	if (res == NULL ||
	    td_body(r, "plannedStartDate plannedEndDate", 0) == NULL ||
	    td_read_dates(r, &start, &end) == -1 ||
	    !td_services_allow(r, res, start, end))
		return;
	back = opened(res);
	res->start = start;
	res->end = end;
	settled(r, res, &back);
}

static int
facility_change(
    struct request *r, struct reservation *res, json_t *list, int add)
{
	struct location *l;
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
	{
		if (td_read_location(r, v, &l) == -1)
			return -1;
		if (add)
			reservation_facility(res, l);
		else if (reservation_unfacility(res, l) == -1) {
			td_bad(r, "remove", "not reserved");
			return -1;
		}
	}
	return 0;
}

static void
facility_serve(
    struct request *r, const char *words, const char *off, const char *on)
{
	struct reservation *res = td_open_target(r), back;
	json_t *out, *in, *none = json_array();

	td_allows_args(r,
	    "allowPassedLeadTimes "
	    "allowServicesOutsideServiceWindow "
	    "allowServicesNotAvailableForNewFacility");
	if (res == NULL || td_body(r, words, 0) == NULL)
		goto out;
	if (res->series != NULL) {
		td_error(r, 400, "NOT_ALLOWED_FOR_SERIES", "series",
		    "Not for an occurrence of a recurring series");
		goto out;
	}
	out = off ? json_object_get(r->json, off) : none;
	in = on ? json_object_get(r->json, on) : none;
	if (out == NULL || in == NULL) {
		violation(r, "a needed member is missing");
		td_bad(r, words, "is needed");
		goto out;
	}
	if (json_is_object(out) && json_is_object(in)) {
		out = json_pack("[O]", out);
		in = json_pack("[O]", in);
	} else {
		json_incref(out);
		json_incref(in);
	}
	back = opened(res);
	if (facility_change(r, res, out, 0) == -1 ||
	    facility_change(r, res, in, 1) == -1 || res->nfacilities == 0) {
		free(res->facilities);
		res->facilities = back.facilities;
		res->nfacilities = back.nfacilities;
		reservation_seat(res);
		if (r->status == 0)
			td_bad(r, "remove", "one facility must stay");
	} else
		settled(r, res, &back);
	json_decref(out);
	json_decref(in);
out:
	json_decref(none);
}

void
td_facility_add(struct request *r)
{
	facility_serve(r, "add", NULL, "add");
}

void
td_facility_move(struct request *r)
{
	facility_serve(r, "from to", "from", "to");
}

void
td_facility_remove(struct request *r)
{
	facility_serve(r, "remove", "remove", NULL);
}
