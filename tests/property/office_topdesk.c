/* office_topdesk.c: what TOPdesk does by itself. */
#include "office.h"

#include <string.h>

#include "lib/marks.h"
#include "lib/messages.h"

int
reservation_new(struct office *o)
{
	struct reserved *r;

	if (o->nres == RESERVATIONS_MAX)
		return -1;
	r = &o->res[o->nres];
	memset(r, 0, sizeof(*r));
	r->person = NOBODY;
	r->shown_room = -1;
	return (int)o->nres++;
}

/* No two modifications have one date: TOPdesk's second is ORB's grain. */
void
reservation_changed(struct office *o, int res)
{
	o->clock = o->clock < office_now() ? office_now() : o->clock + 1;
	o->res[res].changed = o->clock;
}

uint8_t
reservation_state(
    const struct office *o, int room, int64_t start, int64_t end, int self)
{
	return rival_reservation(o, room, start, end, self) >= 0
	    ? BOOKING_STATE_CONFLICTING
	    : BOOKING_STATE_BOOKED;
}
