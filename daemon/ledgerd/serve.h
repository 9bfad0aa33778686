/*
 * serve.h: ledgerd's edges: who is connected, what each may send, and the
 * records that ledgerd writes about itself.
 */
#ifndef ORB_LEDGERD_SERVE_H
#define ORB_LEDGERD_SERVE_H

#include "ledgerd/commit.h"
#include "lib/conf.h"
#include "lib/events.h"

struct ledger;

/* Makes the server's state, and reads the tree of what store holds; store and
 * journal are borrowed.  NULL and err. */
struct ledger *ledger_new(
    struct loop *, struct store *, struct journal *, struct err *);
void ledger_free(struct ledger *);
/* Takes the sockets of all edges that systemd passed.  -1 and err. */
int ledger_listen(struct ledger *, const struct conf *, struct err *);
/* A record of ledgerd's own. */
void ledger_say(struct ledger *, enum event, const char *text);
/* What the log's checkpoints are: records that the newest covers, and why there
 * is no newer one ("": all is well). */
struct ledger_signed {
	uint64_t size;
	const char *why;
};
struct ledger_signed ledger_signed(const struct ledger *);
/*
 * Asks keyd for a checkpoint of everything; settled(arg) is called when it is
 * kept or cannot be had.  1; 0: there is nobody to ask, it is not called.
 */
int ledger_last_checkpoint(struct ledger *, void (*settled)(void *), void *arg);
/* Everything to disk; 0 or -1.  Answers are flushed. */
int ledger_stop(struct ledger *);
struct commit *ledger_commit(struct ledger *);

/*
 * A connection as if it had been accepted, with fd -1 for the fuzz target:
 * packets are given to it with chan_feed().  connector is http, keyd, mapd or
 * ctl.  Freed by ledger_free().
 */
struct chan *ledger_connect(
    struct ledger *, int fd, enum role connector, enum upstream, uid_t, pid_t);

#endif
