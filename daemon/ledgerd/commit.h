/*
 * commit.h: group commit: what arrived in one turn of the loop goes to disk
 * with one write and one fdatasync, and then everybody who waited is answered.
 *
 * While an fdatasync runs nothing else is served; what arrives meanwhile is
 * the next group.  So the slower the disk, the larger the groups: the rate of
 * records does not depend on the rate of syncs.
 *
 * A sender that did not ask for durability is answered after the write; its
 * records are synced within a second.
 *
 * When the disk refuses, nobody is answered, the senders are not read from
 * (commit_paused), and it is tried again every second.
 */
#ifndef ORB_COMMIT_H
#define ORB_COMMIT_H

#include "ledgerd/journal.h"
#include "ledgerd/record.h"
#include "ledgerd/tree.h"
#include "lib/chan.h"

/* No more bytes than these are ever written and not yet synced: a group, and
 * the largest message that can come on top. */
#define COMMIT_UNSYNCED_MAX (1024 * 1024)

struct commit;

struct commit_figures {
	uint64_t records, syncs; /* since the start, on disk */
	uint64_t waiting;        /* records not yet on disk */
	int failing;
	const char *why; /* of the failure */
};

/*
 * Takes over the loop's idle function.  on_paused(arg, 1) when senders must not
 * be read from, (arg, 0) when they may again; on_durable(arg) after each sync.
 * store, tree and journal are borrowed.
 */
struct commit *commit_new(struct loop *, struct store *, struct tree *,
    struct journal *, void (*on_paused)(void *, int),
    void (*on_durable)(void *), void *arg);
void commit_free(struct commit *);
/*
 * Gathers a record; v's index, times and boot id are filled in here.  Ends the
 * process when there is no memory: nothing acknowledged is lost by that.
 */
void commit_put(struct commit *, struct provenance *v, const struct record *);
/* DONE{first} to the request as soon as all that was put so far is on disk,
 * or (durable 0) written. */
void commit_answer(
    struct commit *, struct chan *, uint64_t id, uint64_t first, int durable);
/* The connection is gone: nobody waits there any more. */
void commit_forget(struct commit *, const struct chan *);
/* Everything put so far to disk, now: 0, or -1 and figures.why. */
int commit_now(struct commit *);
struct commit_figures commit_figures(const struct commit *);

#endif
