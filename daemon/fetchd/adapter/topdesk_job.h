/*
 * topdesk_job.h: mapd's requests to TOPdesk: what main's permit table calls.
 */
#ifndef ORB_ADAPTER_TOPDESK_JOB_H
#define ORB_ADAPTER_TOPDESK_JOB_H

#include "fetchd/adapter/adapter.h"
#include "fetchd/adapter/topdesk.h"

/* Each takes one request over and answers it, at the latest when its HTTP
 * request ends.  0, or -1 when there is no memory: nothing was answered. */

/* Waits for topdesk_flush(). */
int topdesk_poll(
    struct adapter *, uint64_t id, const struct msg_adapter_poll *);
/* ADAPTER_GET, _FIND, _CHECK, _PERSONS: by values. */
int topdesk_read(struct adapter *, uint16_t type, uint64_t id,
    const struct wire_list *values, const char *one);
/* path and body are those of a write, both copied; what could not be put
 * together is no memory.  A good answer has nothing in it when no_content. */
int topdesk_write(struct adapter *, uint64_t id, enum method, const char *path,
    const struct strbuf *body, int no_content);

/* A cancellation; a request, which cannot be cancelled, is rejected.  body is
 * the reason, in either form. */
int topdesk_cancel(struct adapter *, uint64_t id, const char *reservation,
    const struct strbuf *body);

#endif
