/*
 * serve.h: the two adapters as mapd sees them, on the office's data: what each
 * request is answered, with the faults that are on.
 */
#ifndef ORB_PROPERTY_SERVE_H
#define ORB_PROPERTY_SERVE_H

#include "lib/chan.h"
#include "office.h"

/* Each serves what fits its upstream, and nothing else comes. */
void serve_exchange(struct office *, struct chan *far, struct packet *);
void serve_exchange_write(struct office *, struct chan *far, struct packet *);
void serve_topdesk(struct office *, struct chan *far, struct packet *);
void serve_topdesk_write(struct office *, struct chan *far, struct packet *);
/* Between them. */
void serve_read(struct chan *, uint64_t id, unsigned outcome);
void serve_written(struct chan *, uint64_t id, enum answer, const char *remote,
    const char *number, const char *tag, const char *uid, unsigned state);
/* The outcome that belongs to an answer other than OK. */
unsigned serve_outcome(enum answer);
/* An id of this interface: its meeting and mailbox; -1 when it is none. */
int serve_id(const struct office *, const char *id, int *box);
void serve_make_id(const struct office *, int meeting, int box, char buf[32]);
int serve_reservation_id(const char *id);

#endif
