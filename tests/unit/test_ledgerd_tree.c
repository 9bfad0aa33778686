/*
 * test_ledgerd_tree.c: tiles on disk.  The tree that is opened is the tree of
 * the records, whatever became of the tiles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledgerd/tree.h"
#include "scratch.h"

#define PER 65536

static char dir[SCRATCH_MAX];

struct log {
	struct store *store;
	struct tree *tree;
	struct merkle_edge oracle;
	int dir;
};

static int
setup(void **state)
{
	(void)state;
	return scratch_make(dir);
}

static int
teardown(void **state)
{
	(void)state;
	return scratch_remove(dir);
}

static void
open_log(struct log *l, uint64_t trusted)
{
	struct store_repair none;
	struct err e;

	memset(l, 0, sizeof(*l));
	l->dir = open(dir, O_RDONLY | O_DIRECTORY);
	assert_true(l->dir >= 0);
	if (store_open(dir, PER, &l->store, &none, &e) ||
	    tree_open(l->dir, l->store, trusted, &l->tree, &e))
		fail_msg("%s", e.text);
}

static void
close_log(struct log *l)
{
	tree_free(l->tree);
	store_close(l->store);
	close(l->dir);
}

static size_t
record_of(uint64_t i, char buf[64])
{
	return (size_t)snprintf(
	    buf, 64, "{\"index\":%llu}", (unsigned long long)i);
}

static void
grow(struct log *l, uint64_t to)
{
	struct err e;
	char buf[64];
	size_t n;

	while (store_next(l->store) < to) {
		n = record_of(store_next(l->store), buf);
		assert_int_equal(store_put(l->store, buf, n), 0);
		assert_int_equal(tree_append(l->tree, buf, n), 0);
		if (store_held(l->store) > 60000)
			assert_int_equal(store_sync(l->store, &e), 0);
	}
	assert_int_equal(store_sync(l->store, &e), 0);
}

static void
oracle_of(uint64_t size, struct merkle_edge *edge)
{
	struct merkle_hash h;
	char buf[64];

	memset(edge, 0, sizeof(*edge));
	for (uint64_t i = 0; i < size; i++) {
		h = merkle_leaf(buf, record_of(i, buf));
		merkle_append(edge, &h);
	}
}

static void
assert_root(struct log *l, uint64_t size)
{
	struct merkle_edge edge;
	struct merkle_hash a, b;

	assert_int_equal(tree_size(l->tree), size);
	oracle_of(size, &edge);
	a = merkle_root(&edge);
	b = tree_root(l->tree);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
tile_paths(void **state)
{
	char p[TILE_PATH];

	(void)state;
	tile_path(p, 0, 0, 0);
	assert_string_equal(p, "tile/0/000");
	tile_path(p, 0, 67, 8);
	assert_string_equal(p, "tile/0/067.p/8");
	tile_path(p, 1, 999, 0);
	assert_string_equal(p, "tile/1/999");
	tile_path(p, 0, 1000, 0);
	assert_string_equal(p, "tile/0/x001/000");
	/* The example of the C2SP page. */
	tile_path(p, 0, 1234067, 0);
	assert_string_equal(p, "tile/0/x001/x234/067");
	tile_path(p, 7, UINT64_MAX, 255);
	assert_string_equal(
	    p, "tile/7/x018/x446/x744/x073/x709/x551/615.p/255");
}

static void
grows_and_opens(void **state)
{
	static const uint64_t sizes[] = {
	    0, 1, 2, 255, 256, 257, 511, 512, 700, 65535, 65536, 65537, 70000};
	struct log l;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		open_log(&l, 0);
		grow(&l, sizes[i]);
		assert_root(&l, sizes[i]);
		close_log(&l);
		open_log(&l, 0);
		assert_root(&l, sizes[i]);
		close_log(&l);
	}
}

/* Proofs of every kind, out of files and memory. */
static void
proves(void **state)
{
	struct merkle_source src;
	struct merkle_hash root, leaf, old;
	struct merkle_edge edge;
	struct merkle_proof p;
	struct log l;
	char buf[64];

	(void)state;
	open_log(&l, 0);
	grow(&l, 66000);
	root = tree_root(l.tree);
	src = tree_source(l.tree);
	for (uint64_t i = 0; i < 66000; i += 1 + i / 3) {
		leaf = merkle_leaf(buf, record_of(i, buf));
		assert_int_equal(merkle_prove_inclusion(&src, i, 66000, &p), 0);
		assert_int_equal(
		    merkle_check_inclusion(&leaf, i, 66000, &root, &p), 0);
	}
	for (uint64_t m = 1; m < 66000; m = m * 3 + 1) {
		oracle_of(m, &edge);
		old = merkle_root(&edge);
		assert_int_equal(
		    merkle_prove_consistency(&src, m, 66000, &p), 0);
		assert_int_equal(
		    merkle_check_consistency(m, &old, 66000, &root, &p), 0);
	}
	assert_int_equal(merkle_edge_load(&src, 65999, &edge), 0);
	assert_int_equal(merkle_edge_load(&src, 66001, &edge), -1);
	close_log(&l);
}

static void
spoil(const char *path, int how)
{
	char full[SCRATCH_MAX + TILE_PATH + 2], zero[TILE_BYTES] = {0};
	int fd;

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	if (how == 0) {
		assert_int_equal(unlink(full), 0);
		return;
	}
	assert_true((fd = open(full, O_WRONLY)) >= 0);
	if (how == 1)
		assert_int_equal(ftruncate(fd, 100), 0);
	else
		assert_int_equal(write(fd, zero, sizeof(zero)), TILE_BYTES);
	close(fd);
}

/* Lost, cut, or (where no checkpoint was) full of zeros. */
static void
lost_tiles_are_made_again(void **state)
{
	struct err e;
	struct log l;

	(void)state;
	open_log(&l, 0);
	grow(&l, 66000);
	assert_int_equal(tree_sync(l.tree, &e), 0);
	close_log(&l);
	for (int how = 0; how < 3; how++) {
		spoil("tile/0/000", how);
		spoil("tile/0/255", how);
		spoil("tile/0/256", how);
		spoil("tile/1/000", how);
		/* Zeros show only to who does not trust them. */
		open_log(&l, how == 2 ? 0 : 66000);
		assert_root(&l, 66000);
		close_log(&l);
		open_log(&l, 66000);
		assert_root(&l, 66000);
		close_log(&l);
	}
}

/* A tile that cannot be written costs nothing but the way back. */
static void
a_full_disk(void **state)
{
	char path[SCRATCH_MAX + 8];
	struct merkle_source src;
	struct merkle_proof p;
	struct err e;
	struct log l;
	int fd;

	(void)state;
	open_log(&l, 0);
	snprintf(path, sizeof(path), "%s/tile", dir);
	/* A file where the directory should be, since root passes over modes. */
	assert_true((fd = open(path, O_CREAT | O_WRONLY, 0600)) >= 0);
	close(fd);
	grow(&l, 700);
	assert_root(&l, 700);
	assert_int_equal(tree_sync(l.tree, &e), -1);
	src = tree_source(l.tree);
	assert_int_equal(merkle_prove_inclusion(&src, 3, 700, &p), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(tree_sync(l.tree, &e), 0);
	close_log(&l);
	open_log(&l, 700);
	assert_root(&l, 700);
	grow(&l, 800);
	assert_root(&l, 800);
	close_log(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tile_paths),
	    cmocka_unit_test_setup_teardown(grows_and_opens, setup, teardown),
	    cmocka_unit_test_setup_teardown(proves, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		lost_tiles_are_made_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
