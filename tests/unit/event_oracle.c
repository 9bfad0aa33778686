/*
 * event_oracle.c: see event_oracle.h.  The reader as it was before flat.h, kept
 * as it was: it shares nothing with the one it is compared with but the times
 * and the names of zones.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/zone_name.h"
#include "lib/marks.h"
#include "tests/unit/event_oracle.h"

static const char *
text_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* A dateTimeTimeZone; a time with an offset of its own needs no zone. */
static const char *
when_get(json_t *o, const char *name, int64_t *at)
{
	json_t *w = json_object_get(o, name);
	const char *s = text_of(w, "dateTime"), *t = strpbrk(s, "Tt");

	if (w == NULL || *s == '\0')
		return "a time is missing";
	if (moment_parse(s, at))
		return "a time cannot be read";
	if (!(t && strpbrk(t, "Zz+-")) && zone_is_other(text_of(w, "timeZone")))
		return "a time is not in UTC, though UTC was asked for";
	return NULL;
}

static enum graph_type
type_of(json_t *o, const char *series_id)
{
	const char *s = text_of(o, "type");

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
state_of(json_t *o)
{
	const char *show = text_of(o, "showAs");
	const char *r =
	    text_of(json_object_get(o, "responseStatus"), "response");

	if (json_is_true(json_object_get(o, "isCancelled")) ||
	    strcasecmp(r, "declined") == 0)
		return BOOKING_STATE_CANCELLED;
	if (strcasecmp(show, "tentative") == 0 ||
	    strcasecmp(r, "notResponded") == 0 ||
	    strcasecmp(r, "tentativelyAccepted") == 0)
		return BOOKING_STATE_TENTATIVE;
	return BOOKING_STATE_BOOKED;
}

static int
times_get(json_t *o, struct graph_event *e, const char **why)
{
	const char *orig = text_of(o, "originalStart");

	if ((*why = when_get(o, "start", &e->start)) != NULL ||
	    (*why = when_get(o, "end", &e->end)) != NULL)
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

/* Fit for a str field: not too long, no control characters. */
static int
plain(const char *s, size_t max)
{
	size_t n;

	for (n = 0; s[n]; n++)
		if ((unsigned char)s[n] < 0x20 || s[n] == 0x7f)
			return 0;
	return n <= max;
}

int
oracle_event_get(json_t *o, struct graph_event *e, const char **why)
{
	json_t *attendees = json_object_get(o, "attendees");
	const char *private_;

	memset(e, 0, sizeof(*e));
	e->id = text_of(o, "id");
	e->series_id = text_of(o, "seriesMasterId");
	e->uid = text_of(o, "iCalUId");
	e->change_tag = text_of(o, "@odata.etag");
	if (*e->change_tag == '\0')
		e->change_tag = text_of(o, "changeKey");
	e->subject = text_of(o, "subject");
	e->organiser = text_of(
	    json_object_get(json_object_get(o, "organizer"), "emailAddress"),
	    "address");
	e->body = text_of(json_object_get(o, "body"), "content");
	if (*e->id == '\0' || !plain(e->id, 512)) {
		*why = *e->id ? "its id cannot be one" : "it has no id";
		e->id = "";
		return -1;
	}
	if (json_object_get(o, "@removed")) {
		e->type = GRAPH_REMOVED;
		return 0;
	}
	e->type = type_of(o, e->series_id);
	e->stub = e->type == GRAPH_OCCURRENCE &&
	    json_object_get(o, "subject") == NULL &&
	    json_object_get(o, "organizer") == NULL;
	e->all_day = json_is_true(json_object_get(o, "isAllDay"));
	e->ahead = (uint8_t)zone_is_ahead(text_of(o, "originalStartTimeZone"));
	e->state = state_of(o);
	if (strcasecmp(text_of(o, "showAs"), "free") == 0)
		e->marks = MARK_FREE;
	if (json_is_true(json_object_get(o, "isOrganizer")) ||
	    strcasecmp(
		text_of(json_object_get(o, "responseStatus"), "response"),
		"organizer") == 0)
		e->marks |= MARK_ROOM_OWN;
	private_ = text_of(o, "sensitivity");
	e->private_ = strcasecmp(private_, "private") == 0 ||
	    strcasecmp(private_, "confidential") == 0;
	e->attendees = attendees && json_is_integer(attendees)
	    ? (uint32_t)json_integer_value(attendees)
	    : 0;
	if (!plain(e->uid, 512) || !plain(e->series_id, 512) ||
	    !plain(e->change_tag, 256)) {
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
	return times_get(o, e, why);
}

static int
differ(const char *a, const char *b)
{
	return strcmp(a, b) != 0;
}

int
oracle_same(const struct graph_event *a, const struct graph_event *b)
{
	return a->type == b->type && a->stub == b->stub &&
	    a->start == b->start && a->end == b->end &&
	    a->original_start == b->original_start &&
	    a->all_day == b->all_day && a->state == b->state &&
	    a->private_ == b->private_ && a->marks == b->marks &&
	    a->attendees == b->attendees && !differ(a->id, b->id) &&
	    !differ(a->series_id, b->series_id) && !differ(a->uid, b->uid) &&
	    !differ(a->change_tag, b->change_tag) &&
	    !differ(a->subject, b->subject) &&
	    !differ(a->organiser, b->organiser) && !differ(a->body, b->body);
}

int
oracle_agrees(const char *json, size_t len)
{
	json_t *o = json_loadb(json, len, 0, NULL);
	struct flat f = {0};
	struct graph_event was, is;
	const char *why_was = "", *why_is = "";
	int ok = 0, r;

	if (graph_event_read(&f, json, len, &why_is)) {
		ok = o == NULL;
		goto out;
	}
	if (o == NULL)
		goto out;
	r = oracle_event_get(o, &was, &why_was);
	ok = r == graph_event_get(&f, &is, &why_is);
	if (ok && r)
		ok = !differ(why_was, why_is) && !differ(was.id, is.id);
	else if (ok && was.type == GRAPH_REMOVED)
		ok = is.type == GRAPH_REMOVED && !differ(was.id, is.id);
	else if (ok)
		ok = oracle_same(&was, &is);
out:
	flat_free(&f);
	json_decref(o);
	return ok;
}

static int
value_agrees(json_t *v, const struct flat_value *f)
{
	if (v == NULL)
		return f->kind == FLAT_ABSENT;
	switch (json_typeof(v)) {
	case JSON_STRING:
		return f->kind == FLAT_STRING &&
		    strcmp(f->text, json_string_value(v)) == 0;
	case JSON_INTEGER:
		return f->kind == FLAT_INTEGER &&
		    strtoll(f->text, NULL, 10) == json_integer_value(v);
	case JSON_REAL:
		return f->kind == FLAT_REAL;
	case JSON_TRUE:
		return f->kind == FLAT_TRUE;
	case JSON_FALSE:
		return f->kind == FLAT_FALSE;
	case JSON_NULL:
		return f->kind == FLAT_NULL;
	default:
		return f->kind == FLAT_CONTAINER;
	}
}

static int
object_agrees(json_t *o, const struct project_member *m, const struct flat *f)
{
	json_t *v;

	for (; m->name; m++) {
		v = json_object_get(o, m->name);
		if (m->field && !value_agrees(v, &f->v[m->field]))
			return 0;
		if (m->kind == PROJECT_OBJECT && m->members &&
		    !object_agrees(v, m->members, f))
			return 0;
	}
	return 1;
}

int
oracle_fields_agree(
    const struct project_member *members, const char *json, size_t len)
{
	json_t *o = json_loadb(json, len, 0, NULL);
	struct flat f = {0};
	int r = flat_read(&f, members, json, len);
	int ok =
	    (r != 0) == (o == NULL) && object_agrees(r ? NULL : o, members, &f);

	flat_free(&f);
	json_decref(o);
	return ok;
}
