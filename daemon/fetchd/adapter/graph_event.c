/* graph_event.c: one event, as its fields were read, turned into values. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/graph.h"
#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/zone_name.h"
#include "lib/marks.h"

/* A dateTimeTimeZone; a time with an offset of its own needs no zone. */
static const char *
when_get(const struct flat *f, int time, int zone, int64_t *at)
{
	const char *s = flat_text(f, time), *t = strpbrk(s, "Tt");

	if (*s == '\0')
		return "a time is missing";
	if (moment_parse(s, at))
		return "a time cannot be read";
	if (!(t && strpbrk(t, "Zz+-")) && zone_is_other(flat_text(f, zone)))
		return "a time is not in UTC, though UTC was asked for";
	return NULL;
}

static enum graph_type
type_of(const struct flat *f, const char *series_id)
{
	const char *s = flat_text(f, GRAPH_TYPE);

	if (strcasecmp(s, "seriesMaster") == 0)
		return GRAPH_MASTER;
	if (strcasecmp(s, "exception") == 0)
		return GRAPH_EXCEPTION;
	if (strcasecmp(s, "occurrence") == 0)
		return GRAPH_OCCURRENCE;
	return *series_id ? GRAPH_OCCURRENCE : GRAPH_SINGLE;
}

/*
 * showAs "free" is no cancellation: it is what the organiser says of his own
 * time, while the room is used all the same; a cancelled meeting says
 * isCancelled.
 */
static uint8_t
state_of(const struct flat *f)
{
	const char *show = flat_text(f, GRAPH_SHOW_AS);
	const char *r = flat_text(f, GRAPH_RESPONSE);

	if (flat_is_true(f, GRAPH_CANCELLED) || strcasecmp(r, "declined") == 0)
		return BOOKING_STATE_CANCELLED;
	if (strcasecmp(show, "tentative") == 0 ||
	    strcasecmp(r, "notResponded") == 0 ||
	    strcasecmp(r, "tentativelyAccepted") == 0)
		return BOOKING_STATE_TENTATIVE;
	return BOOKING_STATE_BOOKED;
}

static int
times_get(const struct flat *f, struct graph_event *e, const char **why)
{
	const char *orig = flat_text(f, GRAPH_ORIGINAL_START);

	*why = when_get(f, GRAPH_START, GRAPH_START_ZONE, &e->start);
	if (*why == NULL)
		*why = when_get(f, GRAPH_END, GRAPH_END_ZONE, &e->end);
	if (*why)
		return -1;
	if (*orig && moment_parse(orig, &e->original_start)) {
		*why = "its original start cannot be read";
		return -1;
	}
	if (e->end < e->start) {
		*why = "it ends before it begins";
		return -1;
	}
	e->start = moment_minute(e->start);
	e->end = moment_minute(e->end);
	e->original_start = moment_minute(e->original_start);
	if (e->end <= e->start)
		e->end = e->start + 60;
	return 0;
}

int
graph_event_times(const struct flat *f, struct graph_event *e, const char **why)
{
	return times_get(f, e, why);
}

int
graph_event_read(struct flat *f, const char *json, size_t len, const char **why)
{
	if (json == NULL)
		*why = "it is larger than ORB reads";
	else if (flat_read(f, graph_schema(1)->members, json, len))
		*why = "it is not JSON";
	else
		return 0;
	return -1;
}

int
graph_event_get(const struct flat *f, struct graph_event *e, const char **why)
{
	const char *private_;

	memset(e, 0, sizeof(*e));
	e->id = flat_text(f, GRAPH_ID);
	e->series_id = flat_text(f, GRAPH_SERIES);
	e->uid = flat_text(f, GRAPH_UID);
	e->change_tag = flat_text(f, GRAPH_ETAG);
	if (*e->change_tag == '\0')
		e->change_tag = flat_text(f, GRAPH_CHANGE_KEY);
	e->subject = flat_text(f, GRAPH_SUBJECT);
	e->organiser = flat_text(f, GRAPH_ORGANISER);
	e->body = flat_text(f, GRAPH_BODY);
	if (*e->id == '\0' || !str_fits(e->id, 512)) {
		*why = *e->id ? "its id cannot be one" : "it has no id";
		e->id = "";
		return -1;
	}
	if (f->v[GRAPH_GONE].kind != FLAT_ABSENT) {
		e->type = GRAPH_REMOVED;
		return 0;
	}
	e->type = type_of(f, e->series_id);
	e->stub = e->type == GRAPH_OCCURRENCE &&
	    f->v[GRAPH_SUBJECT].kind == FLAT_ABSENT &&
	    f->v[GRAPH_PARTY].kind == FLAT_ABSENT;
	e->all_day = flat_is_true(f, GRAPH_ALL_DAY);
	e->ahead = (uint8_t)zone_is_ahead(flat_text(f, GRAPH_ZONE));
	e->state = state_of(f);
	if (strcasecmp(flat_text(f, GRAPH_SHOW_AS), "free") == 0)
		e->marks = MARK_FREE;
	/* Nobody outside of the room can change or cancel such a one. */
	if (flat_is_true(f, GRAPH_IS_ORGANISER) ||
	    strcasecmp(flat_text(f, GRAPH_RESPONSE), "organizer") == 0)
		e->marks |= MARK_ROOM_OWN;
	private_ = flat_text(f, GRAPH_SENSITIVITY);
	e->private_ = strcasecmp(private_, "private") == 0 ||
	    strcasecmp(private_, "confidential") == 0;
	e->attendees = (uint32_t)flat_integer(f, GRAPH_ATTENDEES);
	if (!str_fits(e->uid, 512) || !str_fits(e->series_id, 512) ||
	    !str_fits(e->change_tag, 256)) {
		*why = "an identifier cannot be one";
		return -1;
	}
	/* A master's own times say nothing; its occurrences have theirs. */
	if (e->type == GRAPH_MASTER)
		return 0;
	if ((e->type == GRAPH_OCCURRENCE || e->type == GRAPH_EXCEPTION) &&
	    *e->series_id == '\0') {
		*why = "it belongs to a series that it does not name";
		return -1;
	}
	if (e->type == GRAPH_SINGLE && *e->uid == '\0') {
		*why = "it has no iCalUId";
		return -1;
	}
	return times_get(f, e, why);
}

void
graph_booking(
    const struct graph_event *e, const char *address, struct booking *b)
{
	memset(b, 0, sizeof(*b));
	b->room = address;
	b->uid = e->uid;
	b->original_start = e->original_start;
	b->start = e->start;
	b->end = e->end;
	b->all_day = e->all_day;
	b->state = e->state;
	b->private_ = e->private_;
	b->marks = e->marks;
	b->subject = e->subject;
	b->organiser = e->organiser;
	b->attendee_count = e->attendees;
	b->body = e->body;
	b->change_tag = e->change_tag;
	b->remote_id = e->id;
	b->series_id = e->series_id;
	b->number = b->link = "";
	if (e->type == GRAPH_SINGLE)
		b->original_start = 0;
	if (e->all_day) {
		b->start = zone_date(e->ahead, b->start);
		b->end = zone_date(e->ahead, b->end);
		if (b->end <= b->start)
			b->end = b->start + 86400;
	}
}

void
graph_clean(struct graph_text *t, struct booking *b)
{
	/* An address that is too long is none; cut, it would be another's. */
	wire_clean(t->organiser, sizeof(t->organiser),
	    strlen(b->organiser) > 254 ? "" : b->organiser, 254);
	wire_clean(t->subject, sizeof(t->subject), b->subject, 1020);
	b->organiser = t->organiser;
	b->subject = t->subject;
	if (*b->body) {
		wire_clean_lines(t->body, sizeof(t->body), b->body);
		b->body = t->body;
	}
}
