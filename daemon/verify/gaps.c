/* gaps.c: see gaps.h. */
#include "verify/gaps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UNDER_WAY (INT64_C(600) * 1000000000) /* ns: no action takes longer */
#define FULL (GAPS_INTENTS / 4 * 3)

/* --- processes ---------------------------------------------------------------------- */

static int
process_of(struct gaps *g, struct slice name)
{
	size_t i;

	if (name.n >= GAPS_NAME)
		return -1;
	for (i = 0; i < g->nprocess; i++)
		if (slice_is(name, g->process[i].name))
			return (int)i;
	if (i == GAPS_PROCESSES)
		return -1;
	memcpy(g->process[i].name, name.p, name.n);
	g->nprocess++;
	return (int)i;
}

static void
see_process(struct gaps *g, const struct record *r, struct place at)
{
	int i = process_of(g, r->process);

	if (i < 0)
		return;
	if (slice_is(r->event, "process_started")) {
		if (g->process[i].running)
			report_add(g->report, PROCESS_GAP, at,
			    "%s starts, though it had not stopped after "
			    "record %" PRIu64,
			    g->process[i].name, g->process[i].seen);
		g->process[i].running = 1;
	} else
		g->process[i].running = !slice_is(r->event, "process_stopped");
	g->process[i].seen = at.record;
}

/* --- intents --------------------------------------------------------------------------- */

static int
is_result(struct slice event)
{
	static const char *const also[] = {"action_failed", "action_unknown",
	    "action_dropped", "adopted", "paired", "conflict", "problem"};

	if (slice_ends(event, "_done"))
		return 1;
	for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++)
		if (slice_is(event, also[i]))
			return 1;
	return 0;
}

static uint8_t
nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void
booking_bytes(struct slice hex, uint8_t b[32])
{
	for (int i = 0; i < 32; i++)
		b[i] = (uint8_t)(nibble(hex.p[2 * i]) << 4 |
		    nibble(hex.p[2 * i + 1]));
}

/* The booking's place in the table, or the one where it would be. */
static struct intent *
intent_find(struct gaps *g, const uint8_t booking[32])
{
	struct intent *in;
	uint32_t i;

	/* The identity is a hash already. */
	memcpy(&i, booking, sizeof(i));
	for (;; i++) {
		in = &g->intent[i % GAPS_INTENTS];
		if (in->used == 0 || memcmp(in->booking, booking, 32) == 0)
			return in;
	}
}

/* The table anew without those that are closed. */
static void
intent_tidy(struct gaps *g)
{
	struct intent *old = g->intent, *in;

	g->nused = 0;
	if ((g->intent = calloc(GAPS_INTENTS, sizeof(*in))) == NULL) {
		g->intent = old;
		g->nused = FULL;
		return;
	}
	for (size_t i = 0; i < GAPS_INTENTS; i++) {
		if (old[i].used != 1)
			continue;
		in = intent_find(g, old[i].booking);
		*in = old[i];
		g->nused++;
	}
	free(old);
}

static void
intent_open(struct gaps *g, const uint8_t booking[32], const struct record *r,
    struct place at)
{
	struct intent *in;

	if (g->nused >= FULL)
		intent_tidy(g);
	in = intent_find(g, booking);
	if (in->used == 0 && g->nused >= FULL) {
		g->unfollowed++;
		return;
	}
	if (in->used == 1)
		report_add(g->report, INTENT_AGAIN,
		    (struct place){in->place, NULL, NOWHERE},
		    "no result before record %" PRIu64
		    ", which announces an action for the same booking",
		    at.record);
	g->nused += in->used == 0;
	in->used = 1;
	in->place = at.record;
	in->realtime = r->realtime;
	memcpy(in->booking, booking, 32);
}

static void
see_booking(struct gaps *g, const struct record *r, struct place at)
{
	int opens = slice_ends(r->event, "_intent");
	struct intent *in;
	uint8_t booking[32];

	if (!opens && !is_result(r->event))
		return;
	if (g->intent == NULL &&
	    (g->intent = calloc(GAPS_INTENTS, sizeof(*in))) == NULL) {
		g->unfollowed += (uint64_t)opens;
		return;
	}
	booking_bytes(r->booking, booking);
	if (opens) {
		intent_open(g, booking, r, at);
		return;
	}
	in = intent_find(g, booking);
	if (in->used == 1)
		in->used = -1;
}

/* What ORB itself found wrong with its log. */
static void
see_ledger(struct gaps *g, const struct record *r, struct place at)
{
	if (slice_is(r->event, "ledger_repaired"))
		report_add(g->report, LEDGER_REPAIRED, at,
		    "the log's end was not whole when ledgerd started");
	else if (slice_is(r->event, "ledger_differs"))
		report_add(g->report, LEDGER_DIFFERS, at,
		    "keyd refused to sign the log");
}

void
gaps_see(struct gaps *g, const struct record *r, struct place at)
{
	see_process(g, r, at);
	see_ledger(g, r, at);
	if (r->booking.p)
		see_booking(g, r, at);
	g->last = r->realtime;
}

static int
by_place(const void *pa, const void *pb)
{
	const struct intent *a = pa, *b = pb;

	if ((a->used == 1) != (b->used == 1))
		return a->used == 1 ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

void
gaps_end(struct gaps *g)
{
	struct intent *in = g->intent;

	if (in == NULL)
		return;
	qsort(in, GAPS_INTENTS, sizeof(*in), by_place);
	for (; in < g->intent + GAPS_INTENTS && in->used == 1; in++)
		report_add(g->report,
		    g->last - in->realtime < UNDER_WAY ? INTENT_UNDER_WAY
						       : INTENT_OPEN,
		    (struct place){in->place, NULL, NOWHERE},
		    "an action was announced and no result followed");
	if (g->unfollowed)
		report_add(g->report, INTENT_OPEN,
		    (struct place){NOWHERE, NULL, NOWHERE},
		    "of %" PRIu64 " more intents the result was not looked for",
		    g->unfollowed);
}

void
gaps_free(struct gaps *g)
{
	free(g->intent);
	g->intent = NULL;
}
