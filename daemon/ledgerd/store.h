/*
 * store.h: the segments on disk: append, make durable, repair, read.
 *
 * What has been put and is not yet known to be on disk is kept in memory: when
 * a write or an fdatasync fails (disk full, I/O error; after a failed fsync the
 * kernel forgets the pages), the segment is cut back to its last durable byte
 * and everything since is written again.  So a failure loses nothing and leaves
 * no half record behind.
 *
 * Not here: what a record is (record.h), who waits for it (commit.h).
 */
#ifndef ORB_STORE_H
#define ORB_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define STORE_SEGMENT 65536 /* records; tests use fewer */

struct store;

/* What store_open() had to set aside. */
struct store_repair {
	uint64_t bytes; /* 0: nothing */
	char file[80];  /* below the ledger's directory */
};

/*
 * Opens (makes) dir and locks it against a second writer; finds the end of the
 * log and moves an unfinished tail into a file of its own.  per_segment is a
 * power of two of at least 16.  -1 and err.
 */
int store_open(const char *dir, uint32_t per_segment, struct store **out,
    struct store_repair *, struct err *);
/* Does not write: sync first. */
void store_close(struct store *);

/* The ledger's directory, open; borrowed. */
int store_dir(const struct store *);
/* Index of the next record to be put. */
uint64_t store_next(const struct store *);
/* Records before this index are on disk. */
uint64_t store_durable(const struct store *);
/* Bytes held in memory since the last sync. */
size_t store_held(const struct store *);

/* Takes a record of 1..65535 bytes; in memory only.  -1: no memory. */
int store_put(struct store *, const void *, size_t);
/* Hands everything put to the kernel, with one write a segment.  -1 and err:
 * nothing is lost, call again later. */
int store_write(struct store *, struct err *);
/* store_write(), then fdatasync.  The same errors. */
int store_sync(struct store *, struct err *);

/* A place in the log; reads only what is durable. */
struct store_reader;
struct store_reader *store_reader_open(struct store *, uint64_t index);
void store_reader_free(struct store_reader *);
/*
 * The next record: 1 and its bytes (they live until the next call); 0: there
 * is none yet; 2: nothing yet, but call again (searching an old segment is
 * done in steps); -1 and err.
 */
int store_reader_next(struct store_reader *, const uint8_t **, size_t *,
    uint64_t *index, struct err *);

#endif
