/* serve_meeting.c: the writes to Exchange. */
#include "serve.h"

#include <stdio.h>
#include <string.h>

#include "lib/messages.h"

unsigned
serve_outcome(enum answer a)
{
	switch (a) {
	case ANSWER_OK:
		return OUTCOME_OK;
	case ANSWER_LOST:
		return OUTCOME_UNKNOWN;
	case ANSWER_REFUSED:
		return OUTCOME_REFUSED;
	case ANSWER_FAILED:
		return OUTCOME_FAILED;
	default:
		return OUTCOME_BUSY;
	}
}

static void
written(struct chan *far, uint64_t id, unsigned outcome, const char *remote,
    const char *number, const char *tag, const char *uid, unsigned state)
{
	struct msg_mapd_written m = {.outcome = (uint16_t)outcome,
	    .state = (uint8_t)state,
	    .retry_after = outcome == OUTCOME_BUSY ? 30 : 0,
	    .remote_id = remote,
	    .number = number,
	    .change_tag = tag,
	    .request_id = "",
	    .uid = uid,
	    .text = "written"};

	mapd_written_send(far, id, 0, &m);
}

void
serve_written(struct chan *far, uint64_t id, enum answer answer,
    const char *remote, const char *number, const char *tag, const char *uid,
    unsigned state)
{
	if (answer == ANSWER_OK)
		written(far, id, OUTCOME_OK, remote, number, tag, uid, state);
	else
		written(far, id, serve_outcome(answer), "", "", "", "", 0);
}

static void
simply(struct chan *far, uint64_t id, unsigned outcome)
{
	written(far, id, outcome, "", "", "", "", BOOKING_STATE_BOOKED);
}

static void
serve_meet(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_meet m;
	struct meeting as = {.reservation = -1, .guest = NOBODY};
	char uid[32] = "", id[32] = "";
	enum answer answer;
	int effect, i;

	if (adapter_meet_get(pk, &m))
		return;
	as.owner = office_box(m.address);
	if (as.owner == NOBODY) {
		simply(far, pk->id, OUTCOME_REFUSED);
		return;
	}
	as.notice = m.notice;
	(void)sscanf(m.tag, m.notice ? "notice:res-%d" : "topdesk:res-%d",
	    &as.reservation);
	as.start = m.start;
	as.end = m.end;
	as.text = office_text_of(m.subject);
	if (m.organiser[0])
		as.guest = office_box(m.organiser);
	as.invited[office_box(m.room) - ROOM_BOX] = 1;
	snprintf(as.transaction, sizeof(as.transaction), "%s", m.transaction);
	answer = office_fate(o, 0, &effect);
	if (effect && (i = orb_meets(o, &as)) >= 0) {
		office_uid(o->meeting[i].uid, uid);
		serve_make_id(o, i, as.owner, id);
	}
	serve_written(
	    far, pk->id, answer, id, "", "", uid, BOOKING_STATE_BOOKED);
}

/* The meeting of an id in its owner's calendar; else answers. */
static int
owned(struct office *o, struct chan *far, struct packet *pk, const char *id,
    const char *address, const char *change_tag)
{
	const struct meeting *m;
	char tag[32];
	int box, i = serve_id(o, id, &box);

	if (i < 0 || box != office_box(address) || box != o->meeting[i].owner) {
		simply(far, pk->id, OUTCOME_REFUSED);
		return -1;
	}
	m = &o->meeting[i];
	snprintf(tag, sizeof(tag), "t%u", m->changes);
	if (m->gone) {
		simply(far, pk->id, OUTCOME_GONE);
		return -1;
	}
	if (*change_tag && strcmp(change_tag, tag) != 0) {
		simply(far, pk->id, OUTCOME_STALE);
		return -1;
	}
	return i;
}

static void
serve_change(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_meeting_change m;
	struct change c = {.from = -1, .to = -1};
	enum answer answer;
	int effect, i;

	if (adapter_meeting_change_get(pk, &m) ||
	    (i = owned(o, far, pk, m.remote_id, m.address, m.change_tag)) < 0)
		return;
	c.start = m.start;
	c.end = m.end;
	c.text = office_text_of(m.subject);
	if (m.room_to[0]) {
		c.from = office_box(m.room_from) - ROOM_BOX;
		c.to = office_box(m.room_to) - ROOM_BOX;
	}
	/* The adapter reads who is invited, and leaves what is right. */
	if (c.to >= 0 && o->meeting[i].invited[c.to] &&
	    !o->meeting[i].invited[c.from]) {
		serve_written(far, pk->id, ANSWER_OK, m.remote_id, "", "", "",
		    BOOKING_STATE_BOOKED);
		return;
	}
	answer = office_fate(o, 0, &effect);
	if (effect)
		orb_changes_meeting(o, i, &c);
	serve_written(
	    far, pk->id, answer, m.remote_id, "", "", "", BOOKING_STATE_BOOKED);
}

static void
serve_cancel(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_meeting_cancel m;
	enum answer answer;
	int effect, i;

	if (adapter_meeting_cancel_get(pk, &m) ||
	    (i = owned(o, far, pk, m.remote_id, m.address, m.change_tag)) < 0)
		return;
	answer = office_fate(o, 0, &effect);
	if (effect)
		orb_cancels_meeting(o, i);
	serve_written(far, pk->id, answer, "", "", "", "", 0);
}

static void
serve_decline(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_meeting_decline m;
	enum answer answer;
	int effect, i, box;

	if (adapter_meeting_decline_get(pk, &m))
		return;
	i = serve_id(o, m.remote_id, &box);
	if (i < 0 || box < ROOM_BOX || box != office_box(m.address)) {
		simply(far, pk->id, OUTCOME_REFUSED);
		return;
	}
	if (!o->meeting[i].copy[box - ROOM_BOX].there) {
		simply(far, pk->id, OUTCOME_GONE);
		return;
	}
	answer = office_fate(o, 0, &effect);
	if (effect)
		orb_declines(o, i, box - ROOM_BOX);
	serve_written(far, pk->id, answer, "", "", "", "", 0);
}

void
serve_exchange_write(struct office *o, struct chan *far, struct packet *pk)
{
	switch (pk->type) {
	case MSG_ADAPTER_MEET:
		serve_meet(o, far, pk);
		break;
	case MSG_ADAPTER_MEETING_CHANGE:
		serve_change(o, far, pk);
		break;
	case MSG_ADAPTER_MEETING_CANCEL:
		serve_cancel(o, far, pk);
		break;
	case MSG_ADAPTER_MEETING_DECLINE:
		serve_decline(o, far, pk);
		break;
	default:
		office_bad(o, "an unknown request to Exchange", -1, -1);
		break;
	}
}
