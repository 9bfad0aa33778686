/*
 * batchq.h: GETs to Graph, gathered into POST /$batch of at most twenty.
 *
 * Here: filling batches, matching the unordered answers by id, and repeating
 * what Graph throttled or failed inside of a batch, which http cannot see.
 * Not here: what the GETs are for (graph_job.h) and how many HTTP requests may
 * be outstanding (outbound.h).
 *
 * Source: Microsoft Graph, "Combine multiple HTTP requests using JSON
 * batching": at most 20, answers in any order, an outer 200 says nothing about
 * the inner ones, an inner 429 carries a Retry-After of its own.
 */
#ifndef ORB_ADAPTER_BATCHQ_H
#define ORB_ADAPTER_BATCHQ_H

#include "fetchd/adapter/flat.h"
#include "fetchd/adapter/outbound.h"

#define BATCH_MAX 20

struct batchq;

/* The fields of an inner response; those of its body come behind. */
enum batch_field {
	BATCH_ID = 1,
	BATCH_STATUS,
	BATCH_RETRY,
	BATCH_RETRY_LOW, /* the header in lower case */
	BATCH_FIELDS
};

/* How one GET ended.  Lives until done returns. */
struct batch_answer {
	int status;          /* the inner status; 0 when there is none */
	enum outcome failed; /* OUTCOME_OK: status and body count */
	uint32_t retry_after;
	const char *text;        /* why, when failed */
	const struct flat *body; /* what was not streamed; NULL when failed */
};

/*
 * item: one element of the body's "value", of a 2xx answer only, as project_fn
 * is given it.  done: once, after the items.
 */
struct batch_asker {
	void (*item)(void *arg, const char *json, size_t len);
	void (*done)(void *arg, const struct batch_answer *);
};

/* prefer goes with every GET, inner ones too; good are the members of a 2xx
 * answer, be it a list or a single object; the first member of batch's is the
 * stream of responses. */
struct batchq *batchq_new(struct outbound *, const char *prefer,
    const struct project_member *batch, const struct project_member *plain);
void batchq_free(struct batchq *);
/* Queues a GET of path (copied).  0, or -1 when there is no memory. */
int batchq_get(
    struct batchq *, const char *path, const struct batch_asker *, void *arg);
void batchq_drop(struct batchq *, const void *arg);
/*
 * Sends what has gathered: full batches at once, a smaller rest only while no
 * answer is coming in, since what is coming in is likely to add to it.  To be
 * called when all that was ready has been served (loop_idle).
 */
void batchq_flush(struct batchq *);

#endif
