/*
 * outbound.h: HTTP requests under way at the unit's http process.
 *
 * Here: the queue before http, the number that may be outstanding, and putting
 * each answer through the projection as its packets come.  Not here: what is
 * asked and what the answer means (graph_*.c, topdesk_*.c).
 *
 * http waits out 429 and repeats what is idempotent; what comes here is final.
 */
#ifndef ORB_ADAPTER_OUTBOUND_H
#define ORB_ADAPTER_OUTBOUND_H

#include <jansson.h>

#include "fetchd/adapter/project.h"
#include "lib/chan.h"
#include "lib/messages.h"

struct outbound;

/* What came.  Lives until done returns. */
struct reply {
	uint16_t status;     /* 0 when no answer came */
	enum outcome failed; /* OUTCOME_OK: the answer is complete */
	uint32_t retry_after;
	int64_t last_modified;
	int json, html; /* what its content type says */
	char request_id[65];
	char text[300]; /* why, when failed */
	json_t *rest;   /* what was not streamed; NULL when there is nothing */
};

/*
 * Who asks.  item is called for each streamed element (project.h; level 1 or
 * 2) of an answer with a status of 2xx; done once, when nothing more comes.
 * A status other than 2xx is read by bad instead of good.  whole, which may be
 * NULL, reads what was not streamed in place of reply.rest, from the compact
 * JSON: 0 when it did, 1 to have reply.rest all the same, -1 when it cannot be
 * read.
 */
struct asker {
	const struct project_member *good, *bad;
	int (*item)(void *arg, int level, const char *json, size_t len,
	    const struct project *);
	int (*whole)(
	    void *arg, const struct reply *, const char *json, size_t len);
	void (*done)(void *arg, struct reply *);
};

/* As good or bad: the answer is no JSON, and item is given its bytes as they
 * come (level 0). */
extern const struct project_member outbound_raw[];

/* limit: HTTP requests outstanding at a time. */
struct outbound *outbound_new(struct chan *http, unsigned limit);
void outbound_free(struct outbound *);
/*
 * Queues m (copied) and sends it when there is room.  0, or -1 when there is no
 * memory or a field is too long: then done is not called.
 */
int outbound_send(struct outbound *, const struct msg_http_request *m,
    const struct asker *, void *arg);
/*
 * arg asks no more: its answers are dropped.  The requests still count.  While a
 * write of an asker that went away is under way nothing else is sent: a mapd
 * that starts again looks for what the one before it may have written, and
 * must not look before that has happened or not.
 */
void outbound_drop(struct outbound *, const void *arg);
/* How many more would be sent at once; how many answers are coming in. */
unsigned outbound_room(const struct outbound *);
unsigned outbound_receiving(const struct outbound *);
/* To http: hold all requests; record an incident (events.def). */
void outbound_hold(struct outbound *, uint32_t seconds, const char *why);
void outbound_incident(struct outbound *, uint16_t event, const char *text);
/* A fresh client-request-id, a UUID in form; lives until the next call. */
const char *outbound_correlation(struct outbound *);

#endif
