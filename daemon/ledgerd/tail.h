/*
 * tail.h: records read back for orbctl, one stream a connection.
 *
 * Reading never holds up writing: it goes on in small steps between turns of
 * the loop, pauses while the person's terminal does not take more, and shows
 * only what is on disk.
 */
#ifndef ORB_TAIL_H
#define ORB_TAIL_H

#include "ledgerd/store.h"
#include "lib/chan.h"

/* from: the last count records; as LEDGERD_TAIL in messages.def says. */
#define TAIL_LAST UINT64_MAX

struct tail;

/* Begins to answer request id.  NULL: no memory. */
struct tail *tail_new(struct loop *, struct store *, struct chan *, uint64_t id,
    const struct msg_ledgerd_tail *);
void tail_free(struct tail *);
/* The stream has ended: the connection may ask again. */
int tail_over(const struct tail *);
/* There are new records on disk, or the connection takes more. */
void tail_wake(struct tail *);

#endif
