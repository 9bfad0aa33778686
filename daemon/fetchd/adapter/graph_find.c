/*
 * graph_find.c: ADAPTER_FIND on Exchange: the meetings in a mailbox that carry
 * one of ORB's tags, and what the invited room said to each.
 *
 * These answers have attendees in them, which a poll never copies; so they
 * have a schema and a queue of batches of their own.
 *
 * What is not brought is taken for "not there", and then made again: so what
 * cannot be read, or does not end, is a failure and not an answer.
 *
 * Sources: Microsoft Graph v1.0, "Get singleValueLegacyExtendedProperty",
 * "attendee resource type".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "fetchd/adapter/graph_write.h"
#include "lib/marks.h"

#define ROOMS_MOST 20 /* of one meeting: more are left out */

struct find_job;

/* One tag asked for. */
struct find_ask {
	struct find_job *j;
	char *tag;
};

struct find_job {
	struct job job; /* first */
	char *address;
	struct find_ask *ask;
	unsigned n, pending, count, bad;
	struct flat item;
	enum outcome outcome;
	uint32_t retry_after;
	char text[200], bad_why[80];
};

static void
find_release(struct job *job)
{
	struct find_job *j = (struct find_job *)job;

	for (unsigned i = 0; i < j->n; i++) {
		batchq_drop(job->a->finds, &j->ask[i]);
		free(j->ask[i].tag);
	}
	flat_free(&j->item);
	free(j->ask);
	free(j->address);
	free(j);
}

static const char *
text_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/*
 * The nth invited room, from 0, and its answer into the booking; without any the
 * booking takes the mailbox's own time and nobody is asked.  0 when there is no
 * nth.
 */
static int
room_get(json_t *o, unsigned n, struct booking *b)
{
	json_t *who, *list = json_object_get(o, "attendees");
	const char *room, *said;
	size_t i;

	json_array_foreach(list, i, who)
	{
		room = text_of(json_object_get(who, "emailAddress"), "address");
		if (strcasecmp(text_of(who, "type"), "resource") != 0 ||
		    *room == '\0' || strlen(room) > 254 || n-- > 0)
			continue;
		said = text_of(json_object_get(who, "status"), "response");
		b->room = room;
		b->marks &= (uint16_t)~MARK_DECLINED;
		b->state = BOOKING_STATE_TENTATIVE;
		if (strcasecmp(said, "accepted") == 0 ||
		    strcasecmp(said, "organizer") == 0)
			b->state = BOOKING_STATE_BOOKED;
		if (strcasecmp(said, "declined") == 0) {
			b->state = BOOKING_STATE_CANCELLED;
			b->marks |= MARK_DECLINED;
		}
		return 1;
	}
	return 0;
}

/* Does it carry the tag?  The filter said so; that it is what was asked for
 * is not left to it. */
static int
has_tag(json_t *o, const char *tag)
{
	json_t *p, *list = json_object_get(o, "singleValueExtendedProperties");
	size_t i;

	json_array_foreach(
	    list, i, p) if (strcasecmp(text_of(p, "id"), TAG_PROPERTY) == 0 &&
	    strcasecmp(text_of(p, "value"), tag) == 0) return 1;
	return 0;
}

int
graph_find_get(struct flat *f, json_t *o, const char *address, const char *tag,
    struct graph_text *text, char room[255], struct booking *b,
    const char **why)
{
	struct graph_event e;

	if (graph_event_get(f, &e, why))
		return -1;
	/* A person made a series of it: its first occurrence's times. */
	if (e.type != GRAPH_SINGLE && graph_event_times(f, &e, why))
		return -1;
	if (*e.uid == '\0' || !has_tag(o, tag)) {
		*why = *e.uid ? "it does not have the tag that was asked for"
			      : "it has no iCalUId";
		return -1;
	}
	graph_booking(&e, address, b);
	graph_clean(text, b);
	b->marks &= (uint16_t)~MARK_ROOM_OWN;
	if (e.type != GRAPH_SINGLE)
		b->marks |= MARK_SERIES;
	b->state = BOOKING_STATE_BOOKED;
	(void)room_get(o, 0, b);
	if (flat_is_true(f, GRAPH_CANCELLED))
		b->state = BOOKING_STATE_CANCELLED;
	b->room = wire_clean(room, 255, b->room, 254);
	b->link = tag;
	return 0;
}

/* People may have invited more rooms than ORB did: a booking for each. */
static void
other_rooms(struct find_job *j, json_t *o, struct booking *b)
{
	char room[255];

	if (flat_is_true(&j->item, GRAPH_CANCELLED))
		return;
	for (unsigned n = 1; n < ROOMS_MOST && room_get(o, n, b); n++) {
		b->room = wire_clean(room, sizeof(room), b->room, 254);
		j->count++;
		adapter_booking(j->job.a, j->job.id, b);
	}
}

static void
on_item(void *arg, const char *json, size_t len)
{
	struct find_ask *k = arg;
	struct find_job *j = k->j;
	const char *why = "it is larger than ORB reads";
	json_t *o = json ? json_loadb(json, len, 0, NULL) : NULL;
	struct graph_text text;
	struct booking b;
	char room[255];

	if (o == NULL ||
	    flat_read(&j->item, graph_find_schema()->members, json, len) ||
	    graph_find_get(
		&j->item, o, j->address, k->tag, &text, room, &b, &why)) {
		if (j->bad++ == 0)
			snprintf(j->bad_why, sizeof(j->bad_why), "%s", why);
	} else {
		j->count++;
		adapter_booking(j->job.a, j->job.id, &b);
		other_rooms(j, o, &b);
	}
	json_decref(o);
}

static void
find_fail(struct find_job *j, enum outcome r, uint32_t retry, const char *text)
{
	if (j->outcome != OUTCOME_OK)
		return;
	j->outcome = r;
	j->retry_after = retry;
	snprintf(j->text, sizeof(j->text), "%s", text);
}

static void
find_end(struct find_job *j)
{
	char text[200];

	if (j->bad) {
		snprintf(text, sizeof(text),
		    "%u meetings of ORB's cannot be read (the first: %s)",
		    j->bad, j->bad_why);
		find_fail(j, OUTCOME_BROKEN, 0, text);
	}
	adapter_read_end(
	    j->job.a, j->job.id, j->outcome, j->count, j->retry_after, j->text);
	job_end(&j->job);
}

static void
on_done(void *arg, const struct batch_answer *a)
{
	struct find_ask *k = arg;
	struct find_job *j = k->j;
	char text[160];
	enum outcome r = graph_outcome(a, text, sizeof(text));

	j->pending--;
	if (r != OUTCOME_OK) /* gone: the mailbox, not a meeting */
		find_fail(j, r == OUTCOME_GONE ? OUTCOME_REFUSED : r,
		    a->retry_after, text);
	else if (flat_string(a->body, GRAPH_NEXT))
		find_fail(j, OUTCOME_BROKEN, 0,
		    "more meetings have one tag of ORB's than a page holds");
	if (j->pending == 0)
		find_end(j);
}

static int
ask(struct find_job *j, const char *tag, struct strbuf *path)
{
	static const struct batch_asker asker = {on_item, on_done};
	struct find_ask *k = &j->ask[j->n];

	if ((k->tag = strdup(tag)) == NULL)
		return -1;
	k->j = j;
	j->n++;
	if (graph_path_find(path, j->address, tag) ||
	    batchq_get(j->job.a->finds, path->p, &asker, k))
		return -1;
	j->pending++;
	return 0;
}

int
graph_find(struct adapter *a, uint64_t id, const struct msg_adapter_find *m)
{
	struct find_job *j = calloc(1, sizeof(*j));
	struct strbuf path;
	struct wire_in r;
	const char *tag;

	if (j == NULL)
		return -1;
	j->job.release = find_release;
	j->address = strdup(m->address);
	j->ask = calloc(m->links.count + 1, sizeof(*j->ask));
	job_add(a, &j->job, id, 1);
	if (j->address == NULL || j->ask == NULL) {
		job_end(&j->job);
		return -1;
	}
	strbuf_init(&path, 16384);
	r = wire_list_open(&m->links);
	for (uint32_t i = 0; i < m->links.count; i++) {
		wire_next_str(&r, &tag);
		if (ask(j, tag, &path))
			find_fail(j, OUTCOME_FAILED, 0,
			    "the request could not be made");
	}
	strbuf_free(&path);
	if (j->pending == 0)
		find_end(j);
	return 0;
}
