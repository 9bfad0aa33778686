/*
 * tile.h: tiles of the log's tree as C2SP tlog-tiles names and cuts them: 256
 * hashes of one level in a file.
 *
 * Not here: the files (ledgerd/tree.c keeps them, orbctl audit export copies).
 */
#ifndef ORB_TILE_H
#define ORB_TILE_H

#include "lib/merkle.h"

#define TILE_WIDTH 256 /* hashes, or records of a bundle */
#define TILE_BYTES (TILE_WIDTH * MERKLE_HASH)
#define TILE_LEVELS 7 /* 256^7 records */
#define TILE_PATH 64

/*
 * "tile/0/x001/067" of tile n of a level, into path; level -1 is a bundle of
 * records: "tile/entries/x001/067".  partial: how many it has when it is not
 * full, else 0 ("tile/0/x001/067.p/8").
 */
void tile_path(char path[TILE_PATH], int level, uint64_t n, unsigned partial);
/* The root over n hashes, a power of two of at most TILE_WIDTH. */
struct merkle_hash tile_fold(const struct merkle_hash *, unsigned n);

#endif
