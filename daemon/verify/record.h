/*
 * record.h: the reader of one record: canonical JSON (RFC 8785) of one flat
 * object, as daemon/ledgerd/FORMAT says, and nothing else.
 *
 * It is written from FORMAT and not from ledgerd's code, so that a mistake of
 * the one is not the other's, too.  Nothing is copied: what is found points
 * into the record's bytes.
 */
#ifndef ORB_VERIFY_RECORD_H
#define ORB_VERIFY_RECORD_H

#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *p; /* NULL: absent; still escaped */
	size_t n;
};

struct record {
	uint64_t index, code;
	int64_t realtime, boottime; /* ns */
	struct slice boot_id, booking, event, process;
};

/*
 * Reads a record.  0; or -1, with *why what is wrong and *where the byte of the
 * record at which it was seen.  Safe on any bytes.
 */
int record_read(
    const uint8_t *, size_t, struct record *, const char **why, size_t *where);

/* Whether a slice is this word. */
int slice_is(struct slice, const char *word);
/* Whether it ends in this. */
int slice_ends(struct slice, const char *tail);

#endif
