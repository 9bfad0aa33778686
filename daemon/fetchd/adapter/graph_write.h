/*
 * graph_write.h: ORB's meetings in Exchange, by Graph: found by their tag, and
 * written.
 *
 * Sources: Microsoft Graph v1.0, "Create event", "Update event", "event:
 * cancel", "event: decline", "Delete event".
 */
#ifndef ORB_ADAPTER_GRAPH_WRITE_H
#define ORB_ADAPTER_GRAPH_WRITE_H

#include <jansson.h>

#include "fetchd/adapter/adapter.h"
#include "fetchd/adapter/graph.h"
#include "fetchd/adapter/tag.h"

/* A body: two texts at their longest, every character escaped. */
#define GRAPH_BODY_MAX 65536
/* With the attendees of a meeting that a room is changed of. */
#define GRAPH_ATTENDEES_MAX (2 * 1024 * 1024)

/* Each takes one request over and answers it.  0, or -1 when there is no
 * memory: nothing was answered. */
int graph_find(struct adapter *, uint64_t id, const struct msg_adapter_find *);
int graph_meet(struct adapter *, uint64_t id, const struct msg_adapter_meet *);
int graph_change(
    struct adapter *, uint64_t id, const struct msg_adapter_meeting_change *);
int graph_cancel(
    struct adapter *, uint64_t id, const struct msg_adapter_meeting_cancel *);
int graph_decline(
    struct adapter *, uint64_t id, const struct msg_adapter_meeting_decline *);

/*
 * One event of ADAPTER_FIND: f and o are the same event.  0 and the booking,
 * whose strings are borrowed from all the others; or -1 and why.
 */
int graph_find_get(struct flat *f, json_t *o, const char *address,
    const char *tag, struct graph_text *, char room[255], struct booking *,
    const char **why);

/* Bodies (graph_body.c), in place of what the buffer has: 0, or -1 when there
 * is no room. */
int graph_body_meet(struct strbuf *, const struct msg_adapter_meet *);
/* attendees: those it has now, when the room changes; else NULL. */
int graph_body_change(struct strbuf *,
    const struct msg_adapter_meeting_change *, json_t *attendees);
/* {comment, sendResponse}: respond -1 leaves sendResponse out. */
int graph_body_comment(struct strbuf *, const char *comment, int respond);

/*
 * How a write ended.  Whatever leaves open whether it took effect is UNKNOWN: a
 * 5xx, a cut connection, a page of a proxy's.  make: there is no item yet that
 * could be gone.  said: a good answer says what was done, or need not.
 */
enum outcome graph_write_outcome(const struct reply *, const struct flat *,
    int make, int said, char *text, size_t cap);

#endif
