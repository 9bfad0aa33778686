/*
 * segment.h: one segment file: its name, its framing, the search for its end,
 * and the reader.  store.c appends; this only reads, but for setting a torn
 * tail aside.
 */
#ifndef ORB_SEGMENT_H
#define ORB_SEGMENT_H

#include <stdint.h>

#include "ledgerd/store.h"

#define SEGMENT_NAME 32
#define SEGMENT_MARK 256 /* records between two known offsets: a bundle */

/* "log/000007" into name[SEGMENT_NAME]; returns name. */
char *segment_name(char *name, uint64_t number);
/* The number of the last segment in dir: 0 and *last, 1 when there is none,
 * -1 and err. */
int segment_last(int dir, uint64_t *last, struct err *);

/* What a scan found: good records and bytes, and all bytes. */
struct segment_end {
	uint32_t records;
	uint64_t good, size;
};
/*
 * Reads a segment from its start and stops at the first thing that is not the
 * record expected there.  mark (may be NULL) gets the offset of every
 * SEGMENT_MARKth record.  -1 and err only on a read error.
 */
int segment_scan(int fd, uint64_t first, uint32_t per_segment, uint64_t *mark,
    struct segment_end *, struct err *);
/* Copies what is behind end.good into a file in dir (synced), then cuts it
 * off.  repair is filled in. */
int segment_repair(int dir, int fd, uint64_t number,
    const struct segment_end *end, struct store_repair *repair, struct err *);

#endif
