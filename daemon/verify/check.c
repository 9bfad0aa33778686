/*
 * check.c: see check.h.
 *
 * Records are read bundle by bundle.  Each makes a leaf of the tree (roots.h)
 * and is looked at by whoever keeps count of something.
 */
#include "verify/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/clock.h"
#include "verify/gaps.h"
#include "verify/order.h"
#include "verify/record.h"
#include "verify/roots.h"
#include "verify/stream.h"
#include "verify/tiles.h"

struct check {
	const struct check_options *opt;
	const struct marks *marks;
	struct report *report;
	uint64_t place; /* of the next record */
	struct roots roots;
	struct order order;
	struct clock clock;
	struct gaps gaps;
	struct tiles tiles;
	struct stream stream;
};

/* --- records ---------------------------------------------------------------------------- */

static void
see_record(
    struct check *c, const uint8_t *p, size_t n, unsigned i, struct place at)
{
	uint8_t leaf[HASH_LEN];
	struct record r;
	const char *why;
	size_t where;

	tree_leaf_hash(p, n, leaf);
	roots_see(&c->roots, leaf, tiles_leaf(&c->tiles, i), at);
	c->tiles.off |= c->roots.forked | c->roots.broken;
	tiles_see(&c->tiles, &c->roots.tree);
	if (record_read(p, n, &r, &why, &where)) {
		at.offset += where;
		report_add(c->report, RECORD_FORM, at, "%s", why);
	} else {
		order_see(&c->order, r.index, at, i == 0);
		clock_see(&c->clock, &r, at);
		gaps_see(&c->gaps, &r, at);
		c->roots.realtime = r.realtime;
		c->roots.disordered = c->order.faults || c->order.pending;
	}
	c->place++;
	roots_check(&c->roots);
}

/* --- bundles ----------------------------------------------------------------------------- */

/* The width of the largest partial bundle; 0: none. */
static unsigned
partial_width(struct check *c, uint64_t bundle)
{
	char path[PATH_LEN];
	struct dirent *d;
	unsigned best = 0;
	DIR *dir;
	int fd;

	tile_path(path, -1, bundle, 0);
	fd = openat(
	    c->opt->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR) {
		report_add(c->report, CANNOT_READ,
		    (struct place){c->place, path, NOWHERE}, "%s",
		    strerror(errno));
		c->roots.broken = 1;
	}
	if (fd < 0)
		return 0;
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return 0;
	}
	while ((d = readdir(dir)) != NULL) {
		char name[8];
		unsigned long w = strtoul(d->d_name, NULL, 10);

		snprintf(name, sizeof(name), "%lu", w % TILE_WIDTH);
		if (w < TILE_WIDTH && w > best && strcmp(name, d->d_name) == 0)
			best = (unsigned)w;
	}
	closedir(dir);
	return best;
}

/* One record of a bundle: 0; 1: the file ends before it; -1: in it. */
static int
take_record(struct check *c, const char *path, unsigned i)
{
	struct stream *s = &c->stream;
	struct place at = {c->place, path, s->offset + 2};
	const uint8_t *p;
	size_t have = stream_peek(s, 2, &p), len;

	if (have == 0)
		return 1;
	if (have < 2)
		return -1;
	len = (size_t)p[0] << 8 | p[1];
	if (stream_peek(s, 2 + len, &p) < 2 + len)
		return -1;
	see_record(c, p + 2, len, i, at);
	stream_skip(s, 2 + len);
	return 0;
}

static void
bundle_ends_early(
    struct check *c, const char *path, unsigned i, unsigned width, int in)
{
	struct place at = {c->place, path, c->stream.offset};

	if (c->stream.error)
		report_add(c->report, CANNOT_READ, at, "%s",
		    strerror(c->stream.error));
	else
		report_add(c->report, in ? FILE_TRUNCATED : BUNDLE_SHORT, at,
		    in ? "the file ends within a record, after %u of %u"
		       : "the file has %u records of %u",
		    i, width);
	c->roots.broken = 1;
}

static void
read_bundle(struct check *c, uint64_t bundle, const char *path, unsigned width)
{
	const uint8_t *p;
	unsigned i;
	int rc = 0;

	tiles_open_leaves(&c->tiles, bundle, width);
	for (i = 0; i < width && (rc = take_record(c, path, i)) == 0;)
		i++;
	if (rc)
		bundle_ends_early(c, path, i, width, rc < 0);
	else if (stream_peek(&c->stream, 1, &p))
		report_add(c->report, TRAILING_BYTES,
		    (struct place){c->place, path, c->stream.offset},
		    "the file goes on after its %u records", width);
}

/* Opens the bundle, in full or in part.  Its width; 0: there is none; -1: it
 * cannot be read. */
static int
open_bundle(struct check *c, uint64_t bundle, char path[PATH_LEN])
{
	unsigned width = TILE_WIDTH;
	int error;

	tile_path(path, -1, bundle, width);
	error = stream_open(&c->stream, c->opt->dir, path);
	if (error == ENOENT && (width = partial_width(c, bundle)) != 0) {
		tile_path(path, -1, bundle, width);
		error = stream_open(&c->stream, c->opt->dir, path);
	}
	if (error == 0 || error == ENOENT)
		return error ? 0 : (int)width;
	report_add(c->report, CANNOT_READ,
	    (struct place){c->place, path, NOWHERE}, "%s", strerror(error));
	c->roots.broken = 1;
	return -1;
}

/* Is there a bundle here, after one that was missing or not full? */
static int
bundle_exists(struct check *c, uint64_t bundle)
{
	char path[PATH_LEN];

	tile_path(path, -1, bundle, TILE_WIDTH);
	return faccessat(c->opt->dir, path, F_OK, 0) == 0 ||
	    partial_width(c, bundle) != 0;
}

/* A bundle is missing when there is one after it: the next, or the last one
 * that was signed. */
static void
bundle_missing(struct check *c, uint64_t bundle)
{
	uint64_t last =
	    c->marks->newest ? (c->marks->newest - 1) / TILE_WIDTH : 0;
	char path[PATH_LEN];

	if (!bundle_exists(c, bundle + 1) &&
	    (last <= bundle || !bundle_exists(c, last)))
		return;
	tile_path(path, -1, bundle, TILE_WIDTH);
	report_add(c->report, BUNDLE_MISSING,
	    (struct place){c->place, path, NOWHERE},
	    "the file is not there, but a later one is");
	c->roots.broken = 1;
}

static void
read_records(struct check *c)
{
	char path[PATH_LEN];
	uint64_t bundle;
	int width = TILE_WIDTH;

	roots_check(&c->roots); /* a tree of nothing can be signed, too */
	for (bundle = 0; width == TILE_WIDTH; bundle++) {
		c->place = bundle * TILE_WIDTH;
		if ((width = open_bundle(c, bundle, path)) <= 0)
			break;
		read_bundle(c, bundle, path, (unsigned)width);
		stream_close(&c->stream);
	}
	if (width == 0 || (width > 0 && bundle_exists(c, bundle)))
		bundle_missing(c, width ? bundle - 1 : bundle);
}

/* --- the end -------------------------------------------------------------------------------- */

static void
check_end(struct check *c)
{
	order_end(&c->order);
	c->tiles.off |= c->roots.forked | c->roots.broken;
	tiles_end(&c->tiles);
	gaps_end(&c->gaps);
	roots_end(&c->roots, c->place, c->roots.broken || c->order.shift != 0);
	if (c->marks->kept == 0)
		report_add(c->report, NOTHING_KEPT,
		    (struct place){NOWHERE, NULL, NOWHERE},
		    "no good checkpoint from elsewhere was given");
}

void
check_export(const struct check_options *opt, const struct marks *marks,
    struct report *report, struct summary *sum)
{
	struct check *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		report_add(report, CANNOT_READ,
		    (struct place){NOWHERE, NULL, NOWHERE}, "no memory");
		return;
	}
	c->opt = opt;
	c->marks = marks;
	c->report = report;
	c->order.report = c->clock.report = c->gaps.report = report;
	c->clock.bound = opt->clock_step;
	c->roots.report = report;
	c->roots.marks = marks;
	c->roots.bound = opt->clock_step / 1000000000;
	c->tiles.report = report;
	c->tiles.dir = opt->dir;
	read_records(c);
	check_end(c);
	sum->records = c->place;
	sum->covered = c->roots.good;
	sum->tiles = c->tiles.compared;
	clock_free(&c->clock);
	gaps_free(&c->gaps);
	free(c);
}
