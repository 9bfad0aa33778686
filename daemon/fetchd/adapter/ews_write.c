/*
 * ews_write.c: the writes to Exchange Web Services.  One of them each, never
 * repeated here.
 *
 * What exists is looked at first, for the ChangeKey that every write must name
 * and for whether anybody is invited, who then is told.  With mapd's change
 * tag the write is done only to what mapd has seen.
 */
#include "fetchd/adapter/ews_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ews_write {
	struct job job; /* first */
	uint16_t type;
	struct ews_call call;
	struct wire_out request; /* as it came; the strings of m are in it */
	union {
		struct msg_adapter_meet meet;
		struct msg_adapter_meeting_change change;
		struct msg_adapter_meeting_cancel cancel;
		struct msg_adapter_meeting_decline decline;
	} m;
	const char *address, *target, *tag;
	int looking;  /* the answer is to the look, not to the write */
	int checking; /* it is gone: is the calendar to be seen at all? */
	enum outcome outcome;
	char id[513], key[257], uid[513], text[300];
	unsigned attendees;
	struct strbuf resources; /* as ews_read.c lists them */
	int unlisted;
};

static void
write_release(struct job *job)
{
	struct ews_write *w = (struct ews_write *)job;

	ews_call_free(&w->call);
	wire_out_free(&w->request);
	strbuf_free(&w->resources);
	free(w);
}

/* What the meeting is when the write was done: a room that is invited has yet
 * to answer. */
static uint8_t
state_of(const struct ews_write *w)
{
	const char *room = "";

	if (w->type == MSG_ADAPTER_MEETING_CANCEL ||
	    w->type == MSG_ADAPTER_MEETING_DECLINE)
		return BOOKING_STATE_CANCELLED;
	if (w->type == MSG_ADAPTER_MEET && !w->m.meet.notice)
		room = w->m.meet.room;
	else if (w->type == MSG_ADAPTER_MEETING_CHANGE)
		room = w->m.change.room_to;
	return *room && strcasecmp(room, w->address) != 0
	    ? BOOKING_STATE_TENTATIVE
	    : BOOKING_STATE_BOOKED;
}

static void
write_end(struct ews_write *w, enum outcome r, const char *text)
{
	char clean[301];
	struct msg_mapd_written m = {.outcome = r,
	    .status = w->call.status,
	    .retry_after = w->call.retry_after,
	    .request_id = w->call.request_id,
	    .remote_id = w->id,
	    .change_tag = w->key,
	    .uid = w->uid};

	m.state = state_of(w);
	m.text = wire_clean(clean, sizeof(clean), text, 300);
	if (w->job.a->mapd)
		mapd_written_send(w->job.a->mapd, w->job.id, CHAN_END, &m);
	job_end(&w->job);
}

static void
on_item(void *arg, unsigned index, const struct ews_item *it)
{
	struct ews_write *w = arg;

	(void)index;
	/* What answers a cancellation is the message that was sent. */
	if (!w->looking &&
	    (w->type == MSG_ADAPTER_MEETING_CANCEL ||
		w->type == MSG_ADAPTER_MEETING_DECLINE))
		return;
	if (it->cut || *strbuf_get(&it->f[EWS_ID]) == '\0')
		return;
	wire_clean(w->id, sizeof(w->id), strbuf_get(&it->f[EWS_ID]), 512);
	wire_clean(w->key, sizeof(w->key), strbuf_get(&it->f[EWS_KEY]), 256);
	if (w->looking) {
		wire_clean(
		    w->uid, sizeof(w->uid), strbuf_get(&it->f[EWS_UID]), 512);
		w->attendees = it->attendees;
		strbuf_reset(&w->resources);
		strbuf_str(&w->resources, strbuf_get(&it->f[EWS_RESOURCES]));
		w->unlisted = it->unlisted || w->resources.err;
	}
}

static void
on_message(void *arg, const struct ews_message *m)
{
	struct ews_write *w = arg;

	if (ews_call_message(&w->call, m) || !m->error)
		return;
	if (w->outcome == OUTCOME_OK) {
		w->outcome = ews_outcome(m->code, !w->looking);
		snprintf(w->text, sizeof(w->text), "Exchange: %s %s", m->code,
		    m->text);
	}
}

static void
send_write(struct ews_write *w)
{
	struct strbuf *b = &w->call.body;

	w->looking = 0;
	ews_begin(b, w->address);
	if (w->type == MSG_ADAPTER_MEET) {
		ews_meet(b, &w->m.meet);
		wire_clean(w->uid, sizeof(w->uid), w->m.meet.transaction, 512);
	} else if (w->type == MSG_ADAPTER_MEETING_CHANGE)
		ews_change(b, &w->m.change, w->key, strbuf_get(&w->resources));
	else if (w->type == MSG_ADAPTER_MEETING_DECLINE)
		ews_decline(b, w->target, w->key, w->m.decline.comment);
	else if (w->attendees > 0)
		ews_cancel(b, w->target, w->key, w->m.cancel.comment);
	else
		ews_delete(b, w->target, w->key);
	ews_call_send(&w->call, 1);
}

static int
is_listed(const struct ews_write *w, const char *address)
{
	const char *p = strbuf_get(&w->resources);

	for (; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (ews_line_is(p, address))
			return 1;
	return 0;
}

/* It was looked at.  Another room takes the old one's place among the
 * resources; one that is invited otherwise is not ORB's to take out. */
static void
write_looked(struct ews_write *w)
{
	const struct msg_adapter_meeting_change *m = &w->m.change;

	if (w->type != MSG_ADAPTER_MEETING_CHANGE || *m->room_to == '\0')
		send_write(w);
	else if (w->unlisted)
		write_end(w, OUTCOME_REFUSED,
		    "the meeting invites more resources than can be listed");
	else if (is_listed(w, m->room_from) || *m->room_from == '\0')
		send_write(w);
	else if (is_listed(w, m->room_to))
		write_end(w, OUTCOME_OK, ""); /* an earlier try did it */
	else
		write_end(w, OUTCOME_REFUSED,
		    "the meeting invites the room, but not as a resource: only "
		    "its organiser can give it another");
}

static void
on_done(void *arg)
{
	struct ews_write *w = arg;
	struct ews_call *k = &w->call;

	if (k->outcome != OUTCOME_OK)
		write_end(w, k->outcome, k->text);
	else if (w->checking)
		write_end(w,
		    w->outcome == OUTCOME_OK ? OUTCOME_GONE : OUTCOME_BROKEN,
		    w->text);
	else if (w->outcome == OUTCOME_GONE) {
		/* It also means "no right to see it". */
		w->checking = w->looking = 1;
		w->outcome = OUTCOME_OK;
		ews_begin(&k->body, w->address);
		ews_folder(&k->body);
		ews_call_send(k, 0);
	} else if (w->outcome != OUTCOME_OK)
		write_end(w, w->outcome, w->text);
	else if (w->looking && *w->key == '\0')
		write_end(w, OUTCOME_BROKEN, "Exchange showed no change key");
	else if (w->looking && *w->tag && strcmp(w->tag, w->key) != 0)
		write_end(w, OUTCOME_STALE, "it changed since it was read");
	else if (w->looking)
		write_looked(w);
	else if (w->type == MSG_ADAPTER_MEET && *w->id == '\0')
		write_end(w, OUTCOME_UNKNOWN, "Exchange named no new item");
	else
		write_end(w, OUTCOME_OK, "");
}

/* The request, decoded from a copy: it is needed after the packet. */
static int
decode(struct ews_write *w, const struct packet *pk)
{
	int r;

	w->tag = "";
	if (w->type == MSG_ADAPTER_MEET) {
		r = adapter_meet_get(pk, &w->m.meet);
		w->address = w->m.meet.address;
	} else if (w->type == MSG_ADAPTER_MEETING_CHANGE) {
		r = adapter_meeting_change_get(pk, &w->m.change);
		w->address = w->m.change.address;
		w->target = w->m.change.remote_id;
		w->tag = w->m.change.change_tag;
	} else if (w->type == MSG_ADAPTER_MEETING_CANCEL) {
		r = adapter_meeting_cancel_get(pk, &w->m.cancel);
		w->address = w->m.cancel.address;
		w->target = w->m.cancel.remote_id;
		w->tag = w->m.cancel.change_tag;
	} else {
		r = adapter_meeting_decline_get(pk, &w->m.decline);
		w->address = w->m.decline.address;
		w->target = w->m.decline.remote_id;
	}
	return r;
}

static void
look(struct ews_write *w)
{
	struct strbuf *b = &w->call.body;

	w->looking = 1;
	ews_begin(b, w->address);
	ews_get_begin(b, 0);
	ews_get_id(b, w->target);
	ews_get_end(b);
	ews_call_send(&w->call, 0);
}

int
ews_on_write(struct chan *c, struct packet *pk)
{
	static const struct ews_reading reading = {on_item, on_message};
	struct adapter *a = chan_ctx(c);
	struct ews_write *w = calloc(1, sizeof(*w));
	struct packet copy = *pk;
	struct msg_mapd_written none = {.outcome = OUTCOME_FAILED,
	    .text = "the adapter has no memory for the request"};

	if (msg_find(pk->type)->check(pk)) {
		free(w);
		return -1;
	}
	if (w == NULL) {
		mapd_written_send(c, pk->id, CHAN_END, &none);
		return 0;
	}
	w->type = pk->type;
	w->job.release = write_release;
	job_add(a, &w->job, pk->id, 1);
	ews_call_init(&w->call, a, "", &reading, on_done, w);
	strbuf_init(&w->resources, 8192);
	wire_out_init(&w->request, pk->len + 1);
	w->request.buf = malloc(pk->len + 1);
	if (w->request.buf == NULL) {
		write_end(w, OUTCOME_FAILED, none.text);
		return 0;
	}
	memcpy(w->request.buf, pk->data, pk->len);
	w->request.len = pk->len;
	copy.data = w->request.buf;
	if (decode(w, &copy)) {
		write_end(w, OUTCOME_FAILED, "the request cannot be read");
		return 0;
	}
	w->call.address = w->address;
	if (w->type == MSG_ADAPTER_MEET)
		send_write(w);
	else
		look(w);
	return 0;
}
