/*
 * serve.h: mapd's connection and the turns of the loop.
 */
#ifndef ORB_ADAPTER_SERVE_H
#define ORB_ADAPTER_SERVE_H

#include <sys/types.h>

#include "fetchd/adapter/adapter.h"

/* edge_listen()'s on_open and on_closed; the chan's ctx is the adapter. */
int serve_open(struct chan *, uid_t, pid_t);
void serve_closed(struct chan *, const char *why);
/* Drops mapd and all its work, for good. */
void serve_stop(struct adapter *);
/* loop_idle()'s: starts jobs and sends what has gathered. */
void serve_idle(void *adapter);

#endif
