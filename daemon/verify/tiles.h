/*
 * tiles.h: the export's files of hashes (C2SP tlog-tiles) held against the tree
 * that follows from the records.  They are not needed to check the log; that
 * they agree is what lets others rely on them.
 */
#ifndef ORB_VERIFY_TILES_H
#define ORB_VERIFY_TILES_H

#include "verify/report.h"
#include "verify/stream.h"
#include "verify/tree.h"

#define TILE_BYTES (TILE_WIDTH * HASH_LEN)

struct tiles {
	struct report *report;
	int dir;
	int off; /* the tree is not what was signed: nothing to compare with */
	uint64_t compared; /* files */
	/* The tile of the bundle that is being read. */
	char leaf_path[PATH_LEN];
	unsigned leaves; /* 0: there is none */
	uint8_t leaf[TILE_BYTES + 1];
	struct {
		uint64_t number; /* of the tile that is being filled */
		unsigned n;
		uint8_t hash[TILE_BYTES];
	} level[TILE_LEVELS]; /* [0] is not used */
};

/* Reads the tile of leaves that belongs to a bundle of width records. */
void tiles_open_leaves(struct tiles *, uint64_t bundle, unsigned width);
/* The hash that the file has for leaf i of the bundle; NULL: none. */
const uint8_t *tiles_leaf(const struct tiles *, unsigned i);
/* After each leaf: compares the tiles above that it completes. */
void tiles_see(struct tiles *, const struct tree *);
/* After the last: compares those that are not full. */
void tiles_end(struct tiles *);

#endif
