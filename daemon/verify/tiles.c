/* tiles.c: see tiles.h. */
#include "verify/tiles.h"

#include <errno.h>
#include <string.h>

/* All hashes of one tile; 0 when there is no such file, or none that could be
 * one, which is said here. */
static unsigned
read_tile(struct tiles *t, const char *path, unsigned width,
    uint8_t buf[TILE_BYTES + 1])
{
	struct place at = {NOWHERE, path, NOWHERE};
	int error;
	long n;

	n = stream_whole(t->dir, path, buf, TILE_BYTES + 1, &error);
	if (n < 0 && (error == ENOENT || error == ENOTDIR))
		return 0;
	if (n < 0 && error != EFBIG) {
		report_add(t->report, CANNOT_READ, at, "%s", strerror(error));
		return 0;
	}
	if (n != (long)width * HASH_LEN) {
		report_add(t->report, TILE_MISMATCH, at,
		    "it must be of %u hashes, %u bytes, and is not", width,
		    width * HASH_LEN);
		return 0;
	}
	t->compared++;
	return width;
}

void
tiles_open_leaves(struct tiles *t, uint64_t bundle, unsigned width)
{
	tile_path(t->leaf_path, 0, bundle, width);
	t->leaves = read_tile(t, t->leaf_path, width, t->leaf);
}

const uint8_t *
tiles_leaf(const struct tiles *t, unsigned i)
{
	return i < t->leaves ? t->leaf + (size_t)i * HASH_LEN : NULL;
}

static void
compare(struct tiles *t, int level)
{
	uint8_t file[TILE_BYTES + 1];
	char path[PATH_LEN];
	unsigned n, i;

	tile_path(path, level, t->level[level].number, t->level[level].n);
	n = read_tile(t, path, t->level[level].n, file);
	for (i = 0; i < n; i++)
		if (memcmp(file + (size_t)i * HASH_LEN,
			t->level[level].hash + (size_t)i * HASH_LEN,
			HASH_LEN) != 0) {
			report_add(t->report, TILE_MISMATCH,
			    (struct place){
				NOWHERE, path, (uint64_t)i * HASH_LEN},
			    "hash %u is not that of the records", i);
			return;
		}
}

void
tiles_see(struct tiles *t, const struct tree *tree)
{
	for (unsigned l = 1; l < tree->made; l++) {
		if (t->off)
			return;
		memcpy(t->level[l].hash + (size_t)t->level[l].n * HASH_LEN,
		    tree->whole[l], HASH_LEN);
		if (++t->level[l].n < TILE_WIDTH)
			continue;
		compare(t, (int)l);
		t->level[l].number++;
		t->level[l].n = 0;
	}
}

void
tiles_end(struct tiles *t)
{
	for (int l = 1; l < TILE_LEVELS; l++)
		if (!t->off && t->level[l].n)
			compare(t, l);
}
