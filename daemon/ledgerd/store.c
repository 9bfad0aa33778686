/*
 * store.c: see store.h.
 *
 * The last segment is [0, base) durable, then buf[0, written) handed to the
 * kernel, then buf[written, len) not yet.  After every successful sync written
 * and len are 0 again.
 */
#include "ledgerd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledgerd/segment.h"

#define BUF_KEEP (128 * 1024) /* a larger buffer is given back */

struct store {
	int dir, fd;
	uint32_t per;     /* records a segment */
	uint64_t number;  /* of the last segment */
	uint64_t next;    /* index of the next record to be put */
	uint64_t durable; /* records before it are on disk */
	uint64_t base;    /* bytes of the last segment that are on disk */
	uint8_t *buf;
	size_t len, cap, written;
	size_t split; /* where in buf the next segment begins; 0: nowhere */
	uint64_t split_index;
	uint64_t *mark; /* offsets in the last segment, every SEGMENT_MARK */
	int dirty;      /* a failed write may have left bytes behind base */
};

struct store_reader {
	struct store *s;
	int fd; /* -1: none open */
	uint64_t number, off, at, want;
	uint8_t buf[16 * 1024];
	uint64_t from; /* offset of buf */
	size_t len;
};

static int
make_dirs(const char *dir, struct err *e)
{
	int fd;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_sys(e, "audit log: cannot make %s", dir);
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, "audit log: cannot open %s", dir);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err_sys(e, "audit log: another orb-ledgerd writes to %s", dir);
		close(fd);
		return -1;
	}
	if ((mkdirat(fd, "log", 0700) && errno != EEXIST) || fsync(fd)) {
		err_sys(e, "audit log: cannot make %s/log", dir);
		close(fd);
		return -1;
	}
	return fd;
}

/* Opens segment s->number; a new one is in the directory for good before a
 * record is written to it. */
static int
open_segment(struct store *s, int flags, struct err *e)
{
	char name[SEGMENT_NAME];
	int fd, dir;

	segment_name(name, s->number);
	fd = openat(s->dir, name, O_RDWR | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return err_sys(e, "audit log: open %s", name);
	if (flags & O_CREAT) {
		dir = openat(s->dir, "log", O_RDONLY | O_CLOEXEC);
		if (dir < 0 || fsync(dir)) {
			err_sys(
			    e, "audit log: sync of the directory of %s", name);
			if (dir >= 0)
				close(dir);
			close(fd);
			return -1;
		}
		close(dir);
	}
	s->fd = fd;
	return 0;
}

static int
find_end(struct store *s, struct store_repair *repair, struct err *e)
{
	struct segment_end end;
	int rc;

	rc = segment_last(s->dir, &s->number, e);
	if (rc < 0)
		return -1;
	if (open_segment(s, rc ? O_CREAT : 0, e))
		return -1;
	s->next = s->durable = s->number * s->per;
	if (segment_scan(s->fd, s->next, s->per, s->mark, &end, e))
		return -1;
	if (end.size > end.good &&
	    segment_repair(s->dir, s->fd, s->number, &end, repair, e))
		return -1;
	s->next = s->durable = s->next + end.records;
	s->base = end.good;
	/* A full segment: the next record opens the next one. */
	if (end.records == s->per) {
		s->split = 0;
		s->split_index = s->next;
	} else
		s->split_index = UINT64_MAX;
	return 0;
}

int
store_open(const char *dir, uint32_t per, struct store **out,
    struct store_repair *repair, struct err *e)
{
	struct store *s = calloc(1, sizeof(*s));

	memset(repair, 0, sizeof(*repair));
	if (s == NULL)
		return err_sys(e, "audit log");
	s->per = per;
	s->dir = s->fd = -1;
	s->mark =
	    calloc((per + SEGMENT_MARK - 1) / SEGMENT_MARK, sizeof(*s->mark));
	if (s->mark == NULL) {
		err_sys(e, "audit log");
		goto bad;
	}
	if ((s->dir = make_dirs(dir, e)) < 0 || find_end(s, repair, e))
		goto bad;
	*out = s;
	return 0;
bad:
	store_close(s);
	return -1;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->dir >= 0)
		close(s->dir);
	free(s->mark);
	free(s->buf);
	free(s);
}

int
store_dir(const struct store *s)
{
	return s->dir;
}

uint64_t
store_next(const struct store *s)
{
	return s->next;
}

uint64_t
store_durable(const struct store *s)
{
	return s->durable;
}

size_t
store_held(const struct store *s)
{
	return s->len;
}

static int
grow(struct store *s, size_t n)
{
	size_t cap = s->cap ? s->cap : 16 * 1024;
	uint8_t *p;

	while (cap < s->len + n)
		cap *= 2;
	if (cap == s->cap)
		return 0;
	if ((p = realloc(s->buf, cap)) == NULL)
		return -1;
	s->buf = p;
	s->cap = cap;
	return 0;
}

int
store_put(struct store *s, const void *p, size_t n)
{
	if (n == 0 || n > UINT16_MAX || grow(s, n + 2))
		return -1;
	/* A buffer never holds records of three segments: it is synced long
	 * before, or, while the disk is full, its senders are not read. */
	if (s->next % s->per == 0 && s->next != s->number * s->per) {
		if (s->split_index == UINT64_MAX || s->split_index == s->next) {
			s->split = s->len;
			s->split_index = s->next;
		} else
			return -1;
	}
	s->buf[s->len] = (uint8_t)(n >> 8);
	s->buf[s->len + 1] = (uint8_t)n;
	memcpy(s->buf + s->len + 2, p, n);
	s->len += n + 2;
	s->next++;
	return 0;
}

/* Cuts the segment back to what is durable; all in buf is to be written
 * again.  Returns -1. */
static int
rewind_to_durable(struct store *s)
{
	s->written = 0;
	s->dirty = 1;
	if (s->fd >= 0 && ftruncate(s->fd, (off_t)s->base) == 0)
		s->dirty = 0;
	return -1;
}

/* buf[written, to) goes to the last segment. */
static int
write_upto(struct store *s, size_t to, struct err *e)
{
	ssize_t n;

	if (s->dirty && rewind_to_durable(s) && s->dirty)
		return err_sys(e, "audit log: cut the segment back");
	while (s->written < to) {
		n = pwrite(s->fd, s->buf + s->written, to - s->written,
		    (off_t)(s->base + s->written));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_sys(e, "audit log: write to segment %06" PRIu64,
			    s->number);
			return rewind_to_durable(s);
		}
		s->written += (size_t)n;
	}
	return 0;
}

/* Notes where the bundles begin in the bytes that became durable. */
static void
note_marks(struct store *s, size_t to)
{
	uint64_t i = s->durable % s->per;

	for (size_t at = 0; at < to; i++) {
		if (i % SEGMENT_MARK == 0 && i < s->per)
			s->mark[i / SEGMENT_MARK] = s->base + at;
		at += 2 + ((size_t)s->buf[at] << 8 | s->buf[at + 1]);
		s->durable++;
	}
}

/* Makes buf[0, to) durable, which has been written, and lets it go. */
static int
sync_upto(struct store *s, size_t to, struct err *e)
{
	if (to == 0)
		return 0;
	if (fdatasync(s->fd)) {
		err_sys(e, "audit log: sync of segment %06" PRIu64, s->number);
		return rewind_to_durable(s);
	}
	note_marks(s, to);
	s->base += to;
	memmove(s->buf, s->buf + to, s->len - to);
	s->len -= to;
	s->written -= to;
	if (s->split_index != UINT64_MAX)
		s->split -= to;
	if (s->len == 0 && s->cap > BUF_KEEP) {
		free(s->buf);
		s->buf = NULL;
		s->cap = 0;
	}
	return 0;
}

/* The last segment is complete: what is left in buf belongs to a new one. */
static int
roll(struct store *s, struct err *e)
{
	int old = s->fd;

	if (write_upto(s, s->split, e) || sync_upto(s, s->split, e))
		return -1;
	s->number++;
	/* Not O_EXCL: an attempt that failed may have left it, empty. */
	if (open_segment(s, O_CREAT | O_TRUNC, e)) {
		s->number--;
		s->fd = old;
		return -1;
	}
	close(old);
	s->base = 0;
	s->split_index = UINT64_MAX;
	s->split = 0;
	return 0;
}

int
store_write(struct store *s, struct err *e)
{
	if (s->len == s->written)
		return 0;
	if (s->split_index != UINT64_MAX && roll(s, e))
		return -1;
	return write_upto(s, s->len, e);
}

int
store_sync(struct store *s, struct err *e)
{
	if (s->len == 0)
		return 0;
	return store_write(s, e) || sync_upto(s, s->len, e) ? -1 : 0;
}

/* --- reading --------------------------------------------------------------------- */

struct store_reader *
store_reader_open(struct store *s, uint64_t index)
{
	struct store_reader *r = malloc(sizeof(*r));

	if (r) {
		memset(r, 0, offsetof(struct store_reader, buf));
		r->s = s;
		r->fd = -1;
		r->want = index;
		r->from = 0;
		r->len = 0;
	}
	return r;
}

void
store_reader_free(struct store_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

/* Opens the segment of r->want and goes as near as is known. */
static int
reader_segment(struct store_reader *r, struct err *e)
{
	struct store *s = r->s;
	uint64_t number = r->want / s->per, i = r->want % s->per;
	char name[SEGMENT_NAME];

	if (r->fd >= 0)
		close(r->fd);
	segment_name(name, number);
	r->fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return err_sys(e, "audit log: open %s", name);
	r->number = number;
	r->off = 0;
	r->at = number * s->per;
	r->len = 0;
	if (number == s->number) {
		i -= i % SEGMENT_MARK;
		r->off = s->mark[i / SEGMENT_MARK];
		r->at += i;
	}
	return 0;
}

/* Makes the record at r->off visible: its length, -1. */
static int
reader_record(struct store_reader *r, const uint8_t **p, struct err *e)
{
	size_t have, n;
	ssize_t got;

	for (;;) {
		have = r->off >= r->from && r->off < r->from + r->len
		    ? (size_t)(r->from + r->len - r->off)
		    : 0;
		*p = r->buf + (have ? r->off - r->from : 0);
		if (have >= 2) {
			n = (size_t)(*p)[0] << 8 | (*p)[1];
			if (n == 0 || n + 2 > sizeof(r->buf))
				return err_set(e, EIO,
				    "audit log: segment "
				    "%06" PRIu64 " is damaged at byte %" PRIu64,
				    r->number, r->off);
			if (have >= n + 2)
				return (int)n;
		}
		r->from = r->off;
		do
			got =
			    pread(r->fd, r->buf, sizeof(r->buf), (off_t)r->off);
		while (got < 0 && errno == EINTR);
		r->len = got > 0 ? (size_t)got : 0;
		if (got < 0)
			return err_sys(e, "audit log: read");
		if (r->len <= have)
			return err_set(e, EIO,
			    "audit log: segment %06" PRIu64
			    " ends too early, at byte %" PRIu64,
			    r->number, r->off);
	}
}

int
store_reader_next(struct store_reader *r, const uint8_t **p, size_t *len,
    uint64_t *index, struct err *e)
{
	int n;

	if (r->want >= r->s->durable)
		return 0;
	if (r->fd < 0 || r->number != r->want / r->s->per)
		if (reader_segment(r, e))
			return -1;
	for (int step = 0; step < 1024; step++) {
		if ((n = reader_record(r, p, e)) < 0)
			return -1;
		r->off += 2 + (uint64_t)n;
		if (r->at++ < r->want)
			continue;
		*p += 2;
		*len = (size_t)n;
		*index = r->want++;
		return 1;
	}
	return 2;
}
