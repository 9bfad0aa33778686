/*
 * plan_report.c: a plan in words for people, and what of it counts as a
 * cancellation.
 *
 * Not here: the plan (plan.c), where the words go (settle, control).
 */
#include "mapd/plan.h"

#include <stdlib.h>

static int
compare_groups(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Either takes from people what they have. */
static int
is_cancellation(const struct action *x)
{
	return x->kind == PLAN_CANCEL || x->kind == PLAN_MEETING_CANCEL;
}

size_t
plan_cancellations(const struct plan_output *out, size_t nrooms)
{
	uint64_t *groups = NULL;
	size_t n = 0, total = 0, distinct = 0;

	for (size_t r = 0; r < nrooms; r++)
		for (size_t i = 0; i < out[r].n; i++)
			total += is_cancellation(&out[r].actions[i]);
	if (total == 0)
		return 0;
	/* Without memory each counts: rather ask a person than not. */
	if ((groups = malloc(total * sizeof(*groups))) == NULL)
		return total;
	for (size_t r = 0; r < nrooms; r++)
		for (size_t i = 0; i < out[r].n; i++) {
			if (!is_cancellation(&out[r].actions[i]))
				continue;
			/* An unknown group is one of its own. */
			if (out[r].actions[i].group == 0)
				distinct++;
			else
				groups[n++] = out[r].actions[i].group;
		}
	qsort(groups, n, sizeof(*groups), compare_groups);
	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || groups[i] != groups[i - 1];
	free(groups);
	return distinct;
}

const char *
plan_kind_name(enum plan_kind kind)
{
	static const char *const names[] = {[PLAN_CREATE] = "create",
	    [PLAN_ADOPT] = "adopt",
	    [PLAN_CHANGE] = "change",
	    [PLAN_CANCEL] = "cancel",
	    [PLAN_BURY] = "bury",
	    [PLAN_FORGET] = "forget",
	    [PLAN_UNHOLD] = "unhold",
	    [PLAN_CONFIRM] = "confirm",
	    [PLAN_REPORT] = "report",
	    [PLAN_PAIR] = "pair",
	    [PLAN_LINK] = "link",
	    [PLAN_CLASH] = "conflict",
	    [PLAN_MEET] = "make meeting",
	    [PLAN_MEETING_CHANGE] = "change meeting",
	    [PLAN_MEETING_SWAP] = "swap room of meeting",
	    [PLAN_MEETING_CANCEL] = "cancel meeting",
	    [PLAN_NOTICE] = "tell requester",
	    [PLAN_ASK] = "ask room",
	    [PLAN_AGAIN] = "plan anew"};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind]
							       : "unknown";
}

const char *
plan_reason_text(enum plan_reason reason)
{
	switch (reason) {
	case REASON_NONE:
		return "";
	case REASON_CANCELLED_IN_TOPDESK:
		return "cancelled in TOPdesk, but still booked in Exchange: "
		       "cancel the meeting in Outlook, or move it to have it "
		       "reserved anew by hand";
	case REASON_CHANGED_IN_TOPDESK:
		return "changed in TOPdesk only: make the same change in "
		       "Outlook, or change it back in TOPdesk";
	case REASON_CHANGED_ON_BOTH:
		return "changed in Outlook and in TOPdesk: Outlook's was "
		       "written; tell whoever changed the reservation";
	case REASON_CONFLICTING:
		return "TOPdesk planned it over another reservation: move one "
		       "of the two";
	case REASON_ORPHAN:
		return "the reservation carries ORB's link, but Exchange shows "
		       "no such meeting and no sign that it was cancelled: "
		       "cancel it in TOPdesk if it is not needed";
	case REASON_LOCKED:
		return "the reservation is issued or archived, so TOPdesk "
		       "refuses the change: make it there by hand";
	case REASON_DUPLICATE:
		return "two live reservations carry the same link: cancel the "
		       "one that is not needed";
	case REASON_ONLY_IN_TOPDESK:
		return "only in TOPdesk: policy.direction says that nothing is "
		       "written to Exchange; book it in Outlook, too";
	case REASON_DOUBTFUL:
		return "both sides have a booking that may be this one: give "
		       "both the same times, or cancel one of them";
	case REASON_BLOCK:
		return "TOPdesk's block time around another reservation is in "
		       "the way: set the room's block time to 0 in TOPdesk, or "
		       "move one of the two";
	case REASON_LOST:
		return "another booking has the room at that time: see orbctl "
		       "conflicts";
	case REASON_DECLINED:
		return "the room declined the meeting in Exchange: move the "
		       "reservation, or look at the room's booking policy";
	case REASON_NO_ANSWER:
		return "the room has not answered the invitation: is its "
		       "automatic processing (AutoAccept) on?";
	case REASON_STILL_THERE:
		return "cancelled in TOPdesk, and the room was told, but still "
		       "stands in its calendar: cancel the meeting in Outlook";
	case REASON_MOVED_ROOM:
		return "the reservation is in another room now: change the "
		       "meeting's room in Outlook";
	case REASON_RETIRED:
		return "the room is being taken out: what ORB made for it is "
		       "cancelled";
	case REASON_SEVERAL_ROOMS:
		return "its meeting in this room is over, but the reservation "
		       "holds other rooms, too: take this room out of it in "
		       "TOPdesk, or cancel it there";
	}
	return "unknown";
}
