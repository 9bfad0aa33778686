/*
 * tree.c: see tree.h.
 *
 * Level 0 has the leaf hashes, level k + 1 the roots of the full tiles of level
 * k.  Of every level the last tile, which is not full, is in memory; the others
 * are files.
 */
#include "ledgerd/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct edge_tile {
	unsigned n; /* hashes in it, below TILE_WIDTH */
	struct merkle_hash *at;
	uint64_t synced;  /* tiles before it are on disk for good, */
	uint64_t written; /* before this one at least in their files */
};

struct tree {
	int dir;
	struct store *store;
	uint64_t size;
	struct edge_tile level[TILE_LEVELS];
	/* The file read last: proofs and roots come back to it. */
	int cached;
	unsigned cache_level;
	uint64_t cache_n;
	struct merkle_hash cache[TILE_WIDTH];
};

static uint64_t
tiles_of(const struct tree *t, unsigned level)
{
	return level >= TILE_LEVELS ? 0 : t->size >> (8 * (level + 1));
}

/* --- files --------------------------------------------------------------------- */

static int
open_tile(struct tree *t, unsigned level, uint64_t n, int flags)
{
	char path[TILE_PATH], *slash;
	int fd;

	tile_path(path, (int)level, n, 0);
	fd = openat(t->dir, path, flags | O_CLOEXEC, 0600);
	if (fd >= 0 || errno != ENOENT || !(flags & O_CREAT))
		return fd;
	for (slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		if (mkdirat(t->dir, path, 0700) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return openat(t->dir, path, flags | O_CLOEXEC, 0600);
}

static int
write_tile(
    struct tree *t, unsigned level, uint64_t n, const struct merkle_hash *at)
{
	int fd = open_tile(t, level, n, O_WRONLY | O_CREAT);
	ssize_t done;

	if (fd < 0)
		return -1;
	done = pwrite(fd, at, TILE_BYTES, 0);
	close(fd);
	if (done != TILE_BYTES)
		return -1;
	if (t->level[level].written == n)
		t->level[level].written++;
	return 0;
}

static int
read_tile(struct tree *t, unsigned level, uint64_t n, struct merkle_hash *at)
{
	int fd = open_tile(t, level, n, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return -1;
	got = pread(fd, at, TILE_BYTES, 0);
	close(fd);
	return got == TILE_BYTES ? 0 : -1;
}

/* Leaf hashes of records [from, from + n) out of the store. */
static int
hash_records(struct tree *t, uint64_t from, unsigned n, struct merkle_hash *at)
{
	struct store_reader *r = store_reader_open(t->store, from);
	const uint8_t *p;
	uint64_t index;
	struct err e;
	size_t len;
	unsigned i = 0;
	int rc = -1;

	while (
	    r && i < n && (rc = store_reader_next(r, &p, &len, &index, &e)) > 0)
		if (rc == 1)
			at[i++] = merkle_leaf(p, len);
	store_reader_free(r);
	return i == n ? 0 : -1;
}

static int tile_get(
    struct tree *, unsigned level, uint64_t n, struct merkle_hash *at);

/* A tile from what it was made of. */
static int
make_tile(struct tree *t, unsigned level, uint64_t n, struct merkle_hash *at)
{
	struct merkle_hash below[TILE_WIDTH];

	if (level == 0)
		return hash_records(t, n * TILE_WIDTH, TILE_WIDTH, at);
	for (unsigned i = 0; i < TILE_WIDTH; i++) {
		if (tile_get(t, level - 1, n * TILE_WIDTH + i, below))
			return -1;
		at[i] = tile_fold(below, TILE_WIDTH);
	}
	return 0;
}

/* A full tile: from its file, or made again. */
static int
tile_get(struct tree *t, unsigned level, uint64_t n, struct merkle_hash *at)
{
	if (n < t->level[level].written && read_tile(t, level, n, at) == 0)
		return 0;
	if (make_tile(t, level, n, at))
		return -1;
	(void)write_tile(t, level, n, at);
	return 0;
}

/* --- hashes of subtrees ----------------------------------------------------------- */

/* The hashes [from, from + n) of a level; they are in one tile. */
static int
level_get(struct tree *t, unsigned level, uint64_t from, unsigned n,
    struct merkle_hash *out)
{
	uint64_t tile = from / TILE_WIDTH;
	unsigned at = (unsigned)(from % TILE_WIDTH);

	if (level >= TILE_LEVELS || at + n > TILE_WIDTH)
		return -1;
	if (tile == tiles_of(t, level)) {
		if (at + n > t->level[level].n)
			return -1;
		memcpy(out, t->level[level].at + at, n * sizeof(*out));
		return 0;
	}
	if (tile > tiles_of(t, level))
		return -1;
	if (!t->cached || t->cache_level != level || t->cache_n != tile) {
		t->cached = 0;
		if (tile_get(t, level, tile, t->cache))
			return -1;
		t->cached = 1;
		t->cache_level = level;
		t->cache_n = tile;
	}
	memcpy(out, t->cache + at, n * sizeof(*out));
	return 0;
}

static int
source_get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out)
{
	struct merkle_hash h[TILE_WIDTH];
	unsigned wide = 1u << level % 8;

	if (index > UINT64_MAX / wide ||
	    level_get(arg, level / 8, index * wide, wide, h))
		return -1;
	*out = tile_fold(h, wide);
	return 0;
}

struct merkle_source
tree_source(struct tree *t)
{
	return (struct merkle_source){source_get, t};
}

/* --- growing ------------------------------------------------------------------------ */

static int
push(struct tree *t, unsigned level, const struct merkle_hash *h, uint64_t n)
{
	struct edge_tile *e = &t->level[level];
	struct merkle_hash root;

	if (e->at == NULL && (e->at = malloc(TILE_BYTES)) == NULL)
		return -1;
	e->at[e->n++] = *h;
	if (e->n < TILE_WIDTH)
		return 0;
	/* When it cannot be written it is made again: tree_sync(). */
	(void)write_tile(t, level, n / TILE_WIDTH, e->at);
	root = tile_fold(e->at, TILE_WIDTH);
	e->n = 0;
	return level + 1 < TILE_LEVELS
	    ? push(t, level + 1, &root, n / TILE_WIDTH)
	    : -1;
}

int
tree_append(struct tree *t, const void *record, size_t len)
{
	struct merkle_hash h = merkle_leaf(record, len);

	if (push(t, 0, &h, t->size))
		return -1;
	t->size++;
	return 0;
}

uint64_t
tree_size(const struct tree *t)
{
	return t->size;
}

struct merkle_hash
tree_root(const struct tree *t)
{
	struct merkle_hash h = {{0}}, part;
	struct merkle_edge none = {0};
	unsigned n, wide;
	int any = 0;

	if (t->size == 0)
		return merkle_root(&none);
	/* From the small end: what each level's last tile has, in powers of
	 * two from its right. */
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		for (n = t->level[level].n; n > 0; n -= wide) {
			wide = n & -n;
			part = tile_fold(t->level[level].at + n - wide, wide);
			h = any ? merkle_node(&part, &h) : part;
			any = 1;
		}
	return h;
}

/* --- opening ---------------------------------------------------------------------- */

static int
load_level(struct tree *t, unsigned level, struct err *e)
{
	struct edge_tile *edge = &t->level[level];
	uint64_t n = t->size >> (8 * level), first = n - n % TILE_WIDTH;
	struct merkle_hash below[TILE_WIDTH];

	edge->n = (unsigned)(n % TILE_WIDTH);
	if (edge->n == 0)
		return 0;
	if ((edge->at = malloc(TILE_BYTES)) == NULL)
		return err_sys(e, "audit log");
	if (level == 0)
		return hash_records(t, first, edge->n, edge->at)
		    ? err_set(e, EIO,
			  "audit log: the last records cannot be "
			  "read")
		    : 0;
	for (unsigned i = 0; i < edge->n; i++) {
		if (tile_get(t, level - 1, first + i, below))
			return err_set(e, EIO,
			    "audit log: tile %" PRIu64
			    " of level %u can be neither read nor made again "
			    "from the records",
			    first + i, level - 1);
		edge->at[i] = tile_fold(below, TILE_WIDTH);
	}
	return 0;
}

/* The tiles that no checkpoint covers: a crash may have left anything there. */
static int
remake(struct tree *t, unsigned level, uint64_t trusted, struct err *e)
{
	struct merkle_hash at[TILE_WIDTH];
	uint64_t n = trusted >> (8 * (level + 1));

	t->level[level].synced = t->level[level].written = n;
	for (; n < tiles_of(t, level); n++)
		if (make_tile(t, level, n, at))
			return err_set(e, EIO,
			    "audit log: tile %" PRIu64 " of level %u cannot be "
			    "made from the records: one of them is damaged",
			    n, level);
		else
			(void)write_tile(t, level, n, at);
	return 0;
}

int
tree_open(int dir, struct store *store, uint64_t trusted, struct tree **out,
    struct err *e)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_sys(e, "audit log");
	t->dir = dir;
	t->store = store;
	t->size = store_durable(store);
	if (trusted > t->size)
		trusted = t->size;
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (remake(t, level, trusted, e) || load_level(t, level, e)) {
			tree_free(t);
			return -1;
		}
	*out = t;
	return 0;
}

/* Is the tree of the first size records this one? */
static int
was_signed(struct tree *t, uint64_t size, const struct merkle_hash *root)
{
	struct merkle_source src = tree_source(t);
	struct merkle_edge edge;
	struct merkle_hash h;

	if (size == 0)
		return 1;
	if (size > t->size || merkle_edge_load(&src, size, &edge))
		return 0;
	h = merkle_root(&edge);
	return memcmp(&h, root, sizeof(h)) == 0;
}

int
tree_load(struct store *store, uint64_t size, const struct merkle_hash *root,
    struct tree **out, int *differs, struct err *e)
{
	int dir = store_dir(store);

	*differs = 0;
	if (tree_open(dir, store, size, out, e))
		return -1;
	if (was_signed(*out, size, root))
		return 0;
	/* The tiles may be to blame: all of them from the records. */
	tree_free(*out);
	if (tree_open(dir, store, 0, out, e))
		return -1;
	*differs = !was_signed(*out, size, root);
	return 0;
}

void
tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		free(t->level[level].at);
	free(t);
}

static int
sync_tile(struct tree *t, unsigned level, uint64_t n)
{
	struct merkle_hash at[TILE_WIDTH];
	int fd, rc;

	if (n >= t->level[level].written &&
	    (make_tile(t, level, n, at) || write_tile(t, level, n, at)))
		return -1;
	if ((fd = open_tile(t, level, n, O_RDONLY)) < 0)
		return -1;
	rc = fdatasync(fd);
	close(fd);
	return rc;
}

int
tree_sync(struct tree *t, struct err *e)
{
	struct edge_tile *l;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		for (l = &t->level[level]; l->synced < tiles_of(t, level);
		     l->synced++)
			if (sync_tile(t, level, l->synced))
				return err_sys(e,
				    "audit log: tile %" PRIu64 " of level %u",
				    l->synced, level);
	return 0;
}
