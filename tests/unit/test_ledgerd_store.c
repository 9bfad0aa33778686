/* Segments: order, rolling over, torn tails at every byte, a disk that refuses,
 * readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "ledgerd/segment.h"
#include "ledgerd/store.h"
#include "scratch.h"

#define PER 16 /* records a segment in these tests */

static char dir[SCRATCH_MAX];

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

static struct store *
open_store(struct store_repair *repair)
{
	struct store_repair none;
	struct store *s;
	struct err e;

	if (store_open(dir, PER, &s, repair ? repair : &none, &e))
		fail_msg("%s", e.text);
	return s;
}

/* A record with the next index, of a length that differs. */
static void
put(struct store *s)
{
	char buf[200];
	uint64_t i = store_next(s);
	int n = snprintf(buf, sizeof(buf), "{\"index\":%llu,\"z\":\"%.*s\"}",
	    (unsigned long long)i, (int)(i * 7 % 40),
	    "0123456789012345678901234567890123456789");

	assert_int_equal(store_put(s, buf, (size_t)n), 0);
}

static void
fill(struct store *s, uint64_t upto)
{
	struct err e;

	while (store_next(s) < upto)
		put(s);
	assert_int_equal(store_sync(s, &e), 0);
	assert_int_equal(store_durable(s), upto);
}

/* Everything from `from` on can be read and is what was put. */
static void
read_all(struct store *s, uint64_t from, uint64_t end)
{
	struct store_reader *r = store_reader_open(s, from);
	const uint8_t *p;
	char want[40];
	uint64_t index;
	size_t n;
	int rc;

	for (; from < end; from++) {
		do
			rc = store_reader_next(r, &p, &n, &index, NULL);
		while (rc == 2);
		assert_int_equal(rc, 1);
		assert_int_equal(index, from);
		snprintf(want, sizeof(want), "{\"index\":%llu,",
		    (unsigned long long)from);
		assert_memory_equal(p, want, strlen(want));
		assert_int_equal(p[n - 1], '}');
	}
	assert_int_equal(store_reader_next(r, &p, &n, &index, NULL), 0);
	store_reader_free(r);
}

static char *
segment_path(char *path, uint64_t number)
{
	char name[SEGMENT_NAME];

	snprintf(path, 300, "%s/%s", dir, segment_name(name, number));
	return path;
}

static off_t
size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void
rolls_over(void **state)
{
	char path[300];
	struct store *s = open_store(NULL);

	(void)state;
	fill(s, 5);
	fill(s, PER);     /* exactly full */
	fill(s, PER + 1); /* the next one */
	fill(s, 2 * PER + 3);
	read_all(s, 0, 2 * PER + 3);
	read_all(s, 2 * PER + 1, 2 * PER + 3);
	store_close(s);
	assert_true(size_of(segment_path(path, 2)) > 0);
	s = open_store(NULL);
	assert_int_equal(store_next(s), 2 * PER + 3);
	fill(s, 3 * PER);
	store_close(s);
	/* a complete last segment */
	s = open_store(NULL);
	assert_int_equal(store_next(s), 3 * PER);
	fill(s, 3 * PER + 1);
	read_all(s, 0, 3 * PER + 1);
	store_close(s);
}

static void
one_writer(void **state)
{
	struct store *s = open_store(NULL), *t;
	struct store_repair r;
	struct err e;

	(void)state;
	assert_int_equal(store_open(dir, PER, &t, &r, &e), -1);
	assert_non_null(strstr(e.text, "another orb-ledgerd"));
	store_close(s);
}

/* The segment is cut at every byte of its last three records: what was whole
 * stays, what was not is set aside, and writing goes on. */
static void
torn_everywhere(void **state)
{
	char path[300], aside[400];
	struct store_repair repair;
	uint8_t whole[4096];
	off_t end[4], size, cut;
	struct store *s = open_store(NULL);
	int fd, i, want;

	(void)state;
	for (i = 0; i < 4; i++) {
		fill(s, 6 + (uint64_t)i);
		end[i] = size_of(segment_path(path, 0));
	}
	store_close(s);
	size = end[3];
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, whole, sizeof(whole)), size);
	close(fd);
	for (cut = end[0]; cut <= size; cut++) {
		fd = open(path, O_WRONLY | O_TRUNC);
		assert_int_equal(write(fd, whole, (size_t)cut), cut);
		close(fd);
		for (want = 0; want < 3 && end[want + 1] <= cut;)
			want++;
		s = open_store(&repair);
		assert_int_equal(store_next(s), 6 + want);
		assert_int_equal(repair.bytes, cut - end[want]);
		assert_int_equal(size_of(path), end[want]);
		if (repair.bytes) {
			snprintf(
			    aside, sizeof(aside), "%s/%s", dir, repair.file);
			assert_int_equal(size_of(aside), repair.bytes);
		}
		fill(s, 12);
		read_all(s, 0, 12);
		store_close(s);
	}
}

/* A crash can also leave blocks of zeros, or old bytes, behind the end. */
static void
rubbish_behind_the_end(void **state)
{
	static const char *const rubbish[] = {"\0\0\0\0\0\0", "\x00\x05hello",
	    "\x00\x0c{\"index\":99}", "\xff\xff{\"index\":6}"};
	static const size_t len[] = {6, 7, 14, 13};
	struct store_repair repair;
	char path[300];
	struct store *s;
	int fd;

	(void)state;
	for (int i = 0; i < 4; i++) {
		s = open_store(NULL);
		fill(s, 6 + (uint64_t)i);
		store_close(s);
		fd = open(segment_path(path, 0), O_WRONLY | O_APPEND);
		assert_int_equal(write(fd, rubbish[i], len[i]), len[i]);
		close(fd);
		s = open_store(&repair);
		assert_int_equal(repair.bytes, len[i]);
		read_all(s, 0, 6 + (uint64_t)i);
		store_close(s);
	}
}

static void
segment_taken_away(void **state)
{
	char path[300];
	struct store_repair r;
	struct store *s = open_store(NULL);
	struct err e;

	(void)state;
	for (int i = 1; i <= 3; i++)
		fill(s, (uint64_t)i * PER);
	store_close(s);
	assert_int_equal(unlink(segment_path(path, 1)), 0);
	assert_int_equal(store_open(dir, PER, &s, &r, &e), -1);
	assert_non_null(strstr(e.text, "was taken away"));
}

/* RLIMIT_FSIZE stands for the full disk: a write is cut short, then refused. */
static void
disk_refuses(void **state)
{
	struct rlimit old, small;
	struct store *s = open_store(NULL);
	char path[300];
	struct err e;
	off_t before;
	void (*sig)(int) = signal(SIGXFSZ, SIG_IGN);

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	fill(s, 4);
	before = size_of(segment_path(path, 0));
	small = old;
	small.rlim_cur = (rlim_t)before + 5;
	for (int i = 0; i < 20; i++) /* over the end of the segment */
		put(s);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_sync(s, &e), -1);
		assert_non_null(strstr(e.text, "write to segment"));
		assert_int_equal(size_of(path), before);
		assert_int_equal(store_durable(s), 4);
	}
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, sig);
	assert_int_equal(store_sync(s, &e), 0);
	assert_int_equal(store_durable(s), 24);
	assert_int_equal(store_held(s), 0);
	read_all(s, 0, 24);
	store_close(s);
	s = open_store(NULL);
	assert_int_equal(store_next(s), 24);
	store_close(s);
}

/* What is written and not synced is not shown, and is not lost when the sync
 * that comes is of more. */
static void
written_then_synced(void **state)
{
	struct store *s = open_store(NULL);
	struct err e;

	(void)state;
	for (int i = 0; i < 3; i++) {
		put(s);
		assert_int_equal(store_write(s, &e), 0);
		read_all(s, 0, 0);
	}
	fill(s, 20);
	read_all(s, 0, 20);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(rolls_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_writer, setup, teardown),
	    cmocka_unit_test_setup_teardown(torn_everywhere, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		rubbish_behind_the_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		segment_taken_away, setup, teardown),
	    cmocka_unit_test_setup_teardown(disk_refuses, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		written_then_synced, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
