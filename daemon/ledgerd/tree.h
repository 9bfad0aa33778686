/*
 * tree.h: the hash tree of the log on disk: tiles (C2SP tlog-tiles) of 256
 * hashes each, and the right edge in memory.
 *
 * A tile is derived data: what a crash left out, or cut, is made again from the
 * records.  Not here: the arithmetic (merkle.h), the records (store.h), who
 * signs a root (checkpoint.h).
 */
#ifndef ORB_LEDGERD_TREE_H
#define ORB_LEDGERD_TREE_H

#include "lib/tile.h"
#include "ledgerd/store.h"

struct tree;

/*
 * Reads the tree of all that store holds, from the tiles below dir (an open
 * directory, borrowed) and the last records.  Tiles of the first trusted records
 * were synced before; what is beyond is made again, since a crash may have left
 * files there that have their size and not their bytes.  store is borrowed.
 * -1 and err.
 */
int tree_open(
    int dir, struct store *, uint64_t trusted, struct tree **, struct err *);
void tree_free(struct tree *);

/* The same with the tree of the directory that store has, checked against the
 * root that was signed: size 0 when nothing was.  *differs: the records are not
 * those. */
int tree_load(struct store *, uint64_t size, const struct merkle_hash *root,
    struct tree **, int *differs, struct err *);
/* Records in the tree. */
uint64_t tree_size(const struct tree *);
/*
 * The next record.  Its tile is written when it is full; that it could not be
 * (disk full) is no failure: tree_sync() makes it again.  -1: no memory.
 */
int tree_append(struct tree *, const void *record, size_t);
/* The root of all records. */
struct merkle_hash tree_root(const struct tree *);
/* For proofs about any size up to tree_size(). */
struct merkle_source tree_source(struct tree *);
/*
 * All full tiles to disk for good, before a checkpoint: its size is what
 * tree_open() may trust.  The records must be durable.  -1 and err: call again.
 */
int tree_sync(struct tree *, struct err *);

#endif
