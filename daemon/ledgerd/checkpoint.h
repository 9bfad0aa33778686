/*
 * checkpoint.h: the log's signed checkpoints: when one is due, asking keyd for
 * it, keeping it.
 *
 * Not here: what keyd signs (keyd/checkpoint.c), the tree (tree.h).
 */
#ifndef ORB_LEDGERD_CHECKPOINT_H
#define ORB_LEDGERD_CHECKPOINT_H

#include "ledgerd/tree.h"
#include "lib/chan.h"

#define CHECKPOINT_RECORDS 1000
#define CHECKPOINT_MS (5 * 60 * 1000)
#define CHECKPOINT_NOTE 2000 /* bytes, the longest */

/* The newest complete note of a ledger's directory. */
struct checkpoint_last {
	uint64_t size; /* 0: there is none */
	struct merkle_hash root;
	uint64_t torn; /* bytes of an unfinished one behind it, cut off */
};

/* Reads the file checkpoints below dir, making it.  -1 and err when it cannot
 * be read, or does not end in a note. */
int checkpoint_last(int dir, struct checkpoint_last *, struct err *);

struct checkpoints;

/* What happened: a note that is kept, or (note NULL) why there is none; "" when
 * keyd has gone before it answered. */
typedef void checkpoint_fn(void *arg, const char *note, const char *why);

/*
 * dir, store and tree are borrowed; told is called for each note once it is
 * on disk, and for each failure.  NULL: no memory, or the file cannot be
 * opened.
 */
struct checkpoints *checkpoints_new(struct loop *, int dir, struct store *,
    struct tree *, uint64_t last, checkpoint_fn *told, void *arg);
void checkpoints_free(struct checkpoints *);
/* keyd's connection; NULL: it is gone. */
void checkpoints_keyd(struct checkpoints *, struct chan *);
/* To be called after each sync.  now: whatever is new, at once.  1: an answer of
 * keyd is waited for, after which told is called. */
int checkpoints_due(struct checkpoints *, int now);
/* Records that the newest checkpoint covers. */
uint64_t checkpoints_size(const struct checkpoints *);

/*
 * Reads the notes back, oldest first: the next one into out[CHECKPOINT_NOTE +
 * 1], from *off on, which is moved on.  1, 0 at the end, -1 and err.
 */
int checkpoint_next(int dir, uint64_t *off, char *out, struct err *);

#endif
