/* order.c: see order.h. */
#include "verify/order.h"

#include <inttypes.h>
#include <stdio.h>

static void
missing(struct order *o, uint64_t from, uint64_t to)
{
	struct place at = {o->place, o->file, o->offset};

	o->faults++;
	if (to - from == 1)
		report_add(o->report, RECORD_MISSING, at,
		    "record %" PRIu64 " is missing", from);
	else
		report_add(o->report, RECORD_MISSING, at,
		    "%" PRIu64 " records are missing, %" PRIu64 " to %" PRIu64,
		    to - from, from, to - 1);
}

static void
fault(struct order *o, enum kind kind, uint64_t expected)
{
	struct place at = {o->place, o->file, o->offset};

	o->faults++;
	report_add(o->report, kind, at,
	    "record %" PRIu64 " stands where %" PRIu64 " belongs", o->index,
	    expected);
}

/* The last record, with what followed it: 1 when that explains the new one,
 * too. */
static int
resolve(struct order *o, uint64_t next)
{
	uint64_t expected = o->place + (uint64_t)o->shift;

	o->pending = 0;
	if (next == o->index + 1 && o->index > expected) {
		missing(o, expected, o->index);
		o->shift = (int64_t)(o->index - o->place);
		return 1;
	}
	fault(
	    o, o->index < expected ? RECORD_REPLAYED : RECORD_ORDER, expected);
	if (next == o->index + 1) { /* and all that followed it, again */
		o->shift = (int64_t)(o->index - o->place);
		return 1;
	}
	if (next == expected && o->index < expected) {
		o->shift--;
		return 1;
	}
	return next == expected || next == expected + 1;
}

void
order_see(struct order *o, uint64_t index, struct place at, int first)
{
	if (o->pending && resolve(o, index))
		return;
	if (index == at.record + (uint64_t)o->shift)
		return;
	if (first && index == at.record) {
		o->shift = 0; /* the file before was short, and said to be */
		return;
	}
	o->pending = 1;
	o->place = at.record;
	o->index = index;
	o->offset = at.offset;
	snprintf(o->file, sizeof(o->file), "%s", at.file);
}

void
order_end(struct order *o)
{
	uint64_t expected = o->place + (uint64_t)o->shift;

	if (!o->pending)
		return;
	o->pending = 0;
	if (o->index > expected) {
		missing(o, expected, o->index);
		o->shift = (int64_t)(o->index - o->place);
	} else
		fault(o, RECORD_REPLAYED, expected);
}
