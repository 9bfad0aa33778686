/*
 * graph.h: Microsoft Graph's calendar, as pure functions: paths to ask, the
 * members that are read, and one event's JSON turned into values.
 *
 * Not here: asking (graph_job.h), occurrences and their masters
 * (graph_series.h).
 *
 * Sources: Microsoft Graph v1.0, "event: delta", "List instances", "event
 * resource type", "Get event"; "Obtain immutable identifiers".
 */
#ifndef ORB_ADAPTER_GRAPH_H
#define ORB_ADAPTER_GRAPH_H

#include "fetchd/adapter/batchq.h"
#include "fetchd/adapter/project.h"
#include "fetchd/adapter/strbuf.h"
#include "lib/messages.h"

/* The fields of an answer, be it a list, one event, or an error. */
enum graph_field {
	GRAPH_ID = BATCH_FIELDS,
	GRAPH_ETAG,
	GRAPH_CHANGE_KEY,
	GRAPH_UID,
	GRAPH_SUBJECT,
	GRAPH_SENSITIVITY,
	GRAPH_ALL_DAY,
	GRAPH_CANCELLED,
	GRAPH_SERIES,
	GRAPH_SHOW_AS,
	GRAPH_TYPE,
	GRAPH_ORIGINAL_START,
	GRAPH_RESPONSE,
	GRAPH_START,
	GRAPH_START_ZONE,
	GRAPH_END,
	GRAPH_END_ZONE,
	GRAPH_ATTENDEES,
	GRAPH_PARTY, /* the organiser as a whole */
	GRAPH_ORGANISER,
	GRAPH_GONE, /* "@removed" */
	GRAPH_BODY,
	GRAPH_NEXT,
	GRAPH_DELTA,
	GRAPH_ERROR_CODE,
	GRAPH_ERROR_MESSAGE, /* of writes: never passed on */
	GRAPH_IS_ORGANISER,
	GRAPH_ZONE, /* it was made in, whatever the times are in */
	GRAPH_FIELDS
};
_Static_assert((int)GRAPH_FIELDS <= FLAT_FIELDS, "they have a place each");

/* What is read of an answer: a list or one event, and a $batch of such.  With
 * body the event's text is among it (policy.body). */
const struct project_member *graph_schema(int body);
const struct project_member *graph_batch_schema(int body);
/* The same for ADAPTER_FIND: with the attendees and the tag. */
const struct project_member *graph_find_schema(void);
const struct project_member *graph_find_batch_schema(void);
/* The Prefer header of every request.  Into buf, which is returned. */
const char *graph_prefer(char *buf, size_t cap, int page_size, int body);

/* Paths relative to the configured base URL.  0, or -1 when out of room. */
int graph_path_delta(
    struct strbuf *, const char *address, int64_t from, int64_t to);
int graph_path_instances(struct strbuf *, const char *address,
    const char *series_id, int64_t from, int64_t to, int body);
int graph_path_event(
    struct strbuf *, const char *address, const char *id, int body);

/* Meetings that carry ORB's tag (tag.h), with who is invited. */
int graph_path_find(struct strbuf *, const char *address, const char *tag);
int graph_path_view(
    struct strbuf *, const char *address, int64_t from, int64_t to);
/* Where a write goes: id "" makes an event; what follows is added as it is. */
int graph_path_write(
    struct strbuf *, const char *address, const char *id, const char *what);

enum graph_type {
	GRAPH_SINGLE,
	GRAPH_OCCURRENCE,
	GRAPH_EXCEPTION,
	GRAPH_MASTER,
	GRAPH_REMOVED
};

/* One event.  Strings are borrowed from what it was read of; "" when absent. */
struct graph_event {
	enum graph_type type;
	int stub; /* an occurrence that brought neither subject nor organiser */
	const char *id, *series_id, *uid, *change_tag, *subject, *organiser;
	const char *body;
	int64_t start, end, original_start; /* original_start 0: not said */
	uint8_t all_day, state, private_;
	uint8_t ahead;  /* its zone is (zone_name.h) */
	uint16_t marks; /* marks.h */
	uint32_t attendees;
};

/*
 * 0; or -1 and why, with e->id set when at least that could be read.  Times:
 * start down to the minute, end too but at least one minute later; all-day as
 * UTC midnights, the nearest, since Graph gives them as midnights of the
 * event's zone, which may be up to twelve hours off.
 */
int graph_event_get(
    const struct flat *, struct graph_event *e, const char **why);
/* The times of a series master, which graph_event_get() leaves out. */
int graph_event_times(
    const struct flat *, struct graph_event *, const char **why);
/* Reads one event's JSON, as projected, for it; json NULL: one that was too
 * large.  0; or -1 and why. */
int graph_event_read(
    struct flat *, const char *json, size_t len, const char **why);
/* Borrows from the event; address is the room's. */
void graph_booking(
    const struct graph_event *, const char *address, struct booking *);
/*
 * A number on its own is not enough for text: these are copies with control
 * characters gone and at most the length that the booking's fields allow.
 */
struct graph_text {
	char subject[1021], organiser[255], body[4097];
};
void graph_clean(struct graph_text *, struct booking *);

/* How an answer with this status and body ended, for a read; text is put
 * together of the status and Graph's own error code. */
enum outcome graph_outcome(const struct batch_answer *, char *text, size_t cap);
/* The code of an error body, "" when there is none. */
const char *graph_error_code(const struct flat *body);
/* Does this answer to a delta request mean that the cursor is of no use? */
int graph_cursor_lost(const struct batch_answer *);
/* Is a 404 with this code about the event (and not about the mailbox)? */
int graph_event_gone(const struct batch_answer *);

#endif
