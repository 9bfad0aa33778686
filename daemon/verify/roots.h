/*
 * roots.h: the tree that follows from the records, held against every root that
 * was signed.
 *
 * When a leaf is not the one that the export's tile has, a second tree goes on
 * from there with the tile's: at the next mark it turns out which of the two
 * was signed, and so which record was edited.
 */
#ifndef ORB_VERIFY_ROOTS_H
#define ORB_VERIFY_ROOTS_H

#include "verify/marks.h"
#include "verify/stream.h"

#define SUSPECTS 32 /* records named between two marks */

struct roots {
	struct report *report;
	const struct marks *marks; /* sorted */
	int64_t bound;             /* s that a checkpoint may be too early */
	size_t next;               /* mark */
	struct tree tree;
	struct tree fork; /* with the hashes of the tiles */
	int forked;
	struct {
		uint64_t record, offset;
		char file[PATH_LEN];
	} suspect[SUSPECTS];
	uint64_t nsuspect; /* all, also those that are not kept */
	uint64_t good;     /* records that a signed root covers */
	int broken;        /* records are lost: no later root can match */
	/* What is known of the records by others. */
	int disordered;   /* they do not stand where they belong */
	int64_t realtime; /* ns, of the last one */
};

/* The next record's leaf; told: the hash that the tile has for it, or NULL. */
void roots_see(struct roots *, const uint8_t leaf[HASH_LEN],
    const uint8_t *told, struct place);
/* After each record, and before the first: the marks of this size. */
void roots_check(struct roots *);
/* After the last of count records; explained: it was said already where the
 * missing ones are. */
void roots_end(struct roots *, uint64_t count, int explained);

#endif
