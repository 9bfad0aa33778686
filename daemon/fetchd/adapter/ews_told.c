/* ews_told.c: what came in an answer of Exchange Web Services to a read, and
 * what mapd is told of it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/ews_job.h"
#include "lib/marks.h"

#define ROOMS_MOST 20 /* of one meeting: more are left out */

/* Not evidence: mapd looks at it by itself. */
static void
tell_removed(struct ews_read *j, const char *id)
{
	struct msg_mapd_removed m = {.remote_id = id};

	if (j->type != MSG_ADAPTER_POLL || *id == '\0')
		return; /* who asked for something cannot be told of others */
	j->count++;
	if (j->job.a->mapd)
		mapd_removed_send(j->job.a->mapd, j->job.id, 0, &m);
}

static void
tell_bad(struct ews_read *j, const char *id, const char *why)
{
	if (j->bad++ == 0)
		snprintf(j->bad_why, sizeof(j->bad_why), "%s", why);
	tell_removed(j, id);
}

static void
tell_master(struct ews_read *j, const struct ews_item *it, int quiet)
{
	struct msg_mapd_series m = {
	    .series_id = strbuf_get(&it->f[EWS_ID]), .whole = 1};
	const char *uid = strbuf_get(&it->f[EWS_UID]);

	if (it->cut || *uid == '\0' || strlen(uid) > 512) {
		tell_bad(j, m.series_id, "a series has no UID");
		return;
	}
	ews_master_learn(j, uid, m.series_id, strbuf_get(&it->f[EWS_THREAD]),
	    ews_all_day(it));
	if (quiet)
		return;
	j->found = 1;
	j->view_wanted = 1;
	/* Only a feed names series; the others were asked for one. */
	if (j->type == MSG_ADAPTER_POLL && j->job.a->mapd)
		mapd_series_send(j->job.a->mapd, j->job.id, 0, &m);
}

/* Is this item what was asked for? */
static int
is_wanted(const struct ews_read *j, const struct booking *b, enum ews_type t)
{
	if (j->type == MSG_ADAPTER_EXPAND)
		return t == EWS_OCCURRENCE && *b->series_id;
	if (j->type == MSG_ADAPTER_MEETING)
		return strcmp(b->uid, j->target) == 0 &&
		    b->original_start == j->original_start;
	if (j->type == MSG_ADAPTER_POLL && !j->full && t == EWS_OCCURRENCE)
		return *b->series_id != '\0';
	return 1;
}

/* A server that passes over the restriction would give the whole calendar. */
static int
was_asked(const struct ews_read *j, const char *tag)
{
	size_t at;

	for (at = 0; at < j->tags.len; at += strlen(j->tags.p + at) + 1)
		if (strcasecmp(j->tags.p + at, tag) == 0)
			return 1;
	return 0;
}

/* People may have invited more rooms than ORB did: a booking for each. */
static void
tell_other_rooms(
    struct ews_read *j, const struct ews_item *it, struct booking *b)
{
	char room[255];

	/* The whole meeting is: what the rooms said before counts no more. */
	if (b->state == BOOKING_STATE_CANCELLED && !(b->marks & MARK_DECLINED))
		return;
	for (unsigned n = 1; n < it->resources && n < ROOMS_MOST; n++) {
		if (!ews_other_room(it, n, room, b))
			continue;
		b->room = wire_mend(room);
		j->count++;
		adapter_booking(j->job.a, j->job.id, b);
	}
}

static void
tell_item(struct ews_read *j, const struct ews_item *it)
{
	enum ews_type t = ews_type(it);
	struct ews_copy copy;
	struct booking b;
	const struct ews_master *master;
	const char *why;

	if (ews_booking(
		it, j->room, j->type == MSG_ADAPTER_FIND, &copy, &b, &why)) {
		tell_bad(j, it->cut ? "" : strbuf_get(&it->f[EWS_ID]), why);
		return;
	}
	master = t == EWS_OCCURRENCE ? ews_master_of(j, b.uid) : NULL;
	if (master) {
		b.series_id = master->id;
		/* One date may be all-day where the series is not. */
		b.original_start = ews_original(it, master->all_day);
	}
	if (!is_wanted(j, &b, t))
		return;
	if (j->type == MSG_ADAPTER_FIND && !was_asked(j, b.link)) {
		tell_bad(j, b.remote_id, "it does not have the tag asked for");
		return;
	}
	if (j->type == MSG_ADAPTER_POLL && t == EWS_SINGLE &&
	    (b.end <= j->from || b.start >= j->to)) {
		tell_removed(j, b.remote_id); /* out of the window */
		return;
	}
	j->count++;
	j->found = 1;
	adapter_booking(j->job.a, j->job.id, &b);
	if (j->type == MSG_ADAPTER_FIND)
		tell_other_rooms(j, it, &b);
}

/* --- what came ----------------------------------------------------------------- */

static void
on_listed(struct ews_read *j, const struct ews_item *it)
{
	const char *id = strbuf_get(&it->f[EWS_ID]);
	enum ews_type t = ews_type(it);

	j->listed++;
	if (it->cut || *id == '\0')
		tell_bad(j, "", "its id cannot be one");
	else if (it->deleted)
		tell_removed(j, id);
	else if (j->asking == ASK_SYNC && j->full && t != EWS_MASTER)
		return; /* the view shows it, when it is in the window */
	else if (j->asking == ASK_VIEW && t == EWS_SINGLE &&
	    (j->type == MSG_ADAPTER_EXPAND ||
		(j->type == MSG_ADAPTER_POLL && !j->full)))
		return;
	else if (j->asking == ASK_VIEW && t == EWS_OCCURRENCE && !j->full &&
	    j->type != MSG_ADAPTER_MEETING &&
	    !ews_thread_known(j, strbuf_get(&it->f[EWS_THREAD])))
		return; /* of a series that did not change */
	else if (j->asking == ASK_VIEW && j->type == MSG_ADAPTER_MEETING &&
	    it->f[EWS_UID].len > 0 &&
	    strcmp(strbuf_get(&it->f[EWS_UID]), j->target) != 0)
		return; /* nobody else's meeting is read */
	else
		ews_want_id(j, id);
}

static void
on_item(void *arg, unsigned index, const struct ews_item *it)
{
	struct ews_read *j = arg;

	if (j->asking != ASK_GET) {
		on_listed(j, it);
		return;
	}
	/* ADAPTER_GET asks for the item's master first.  What was found by its
	 * tag may have been made a series meanwhile. */
	if (ews_type(it) == EWS_MASTER && j->type != MSG_ADAPTER_FIND)
		tell_master(j, it, j->type == MSG_ADAPTER_GET && index == 0);
	else
		tell_item(j, it);
}

static void
on_message(void *arg, const struct ews_message *m)
{
	struct ews_read *j = arg;
	enum outcome r = ews_outcome(m->code, 0);
	size_t at = j->got + m->index;
	char text[250];

	if (j->asking == ASK_VIEW && !m->last)
		j->cut = 1;
	if (j->asking == ASK_FIND && !m->last)
		ews_read_fail(j, OUTCOME_BROKEN,
		    "Exchange does not show all that carry the tag");
	if (j->asking == ASK_SYNC && m->last)
		j->sync = 0;
	if (j->type == MSG_ADAPTER_GET && j->asking == ASK_GET &&
	    m->index == 0 && m->error && !m->fault && r != OUTCOME_BUSY) {
		j->call.messages++; /* it is no occurrence */
		return;
	}
	if (ews_call_message(&j->call, m) || !m->error)
		return;
	snprintf(text, sizeof(text), "Exchange: %s %s", m->code, m->text);
	if (j->asking == ASK_GET && j->type != MSG_ADAPTER_GET &&
	    j->type != MSG_ADAPTER_EXPAND) {
		if (at < j->nids && r == OUTCOME_GONE)
			tell_removed(j, j->ids[at]);
		else
			tell_bad(j, at < j->nids ? j->ids[at] : "", text);
	} else if (j->asking == ASK_GET && r == OUTCOME_GONE && at > 0 &&
	    j->type == MSG_ADAPTER_EXPAND) {
		return; /* an occurrence that went meanwhile */
	} else if (j->asking == ASK_GET && r == OUTCOME_GONE) {
		/* It also means "no right to see it". */
		j->gone = j->folder = 1;
		snprintf(j->text, sizeof(j->text), "%.250s", text);
	} else
		ews_read_fail(j,
		    j->asking == ASK_FOLDER || r == OUTCOME_GONE
			? OUTCOME_BROKEN
			: r,
		    text);
}

const struct ews_reading ews_read_reading = {on_item, on_message};
