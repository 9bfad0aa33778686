/* segment.c: see segment.h. */
#include "ledgerd/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ledgerd/record.h"

#define SCAN_BUFFER (64 * 1024)

char *
segment_name(char *name, uint64_t number)
{
	snprintf(name, SEGMENT_NAME, "log/%06" PRIu64, number);
	return name;
}

int
segment_last(int dir, uint64_t *last, struct err *e)
{
	int fd = openat(dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	uint64_t n, count = 0, max = 0;
	char *end;

	if (d == NULL) {
		err_sys(e, "audit log: cannot list its directory \"log\"");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((de = readdir(d)) != NULL) {
		n = strtoull(de->d_name, &end, 10);
		if (de->d_name[0] < '0' || de->d_name[0] > '9' || *end)
			continue;
		count++;
		if (n > max)
			max = n;
	}
	closedir(d);
	if (count == 0)
		return 1;
	if (count != max + 1)
		return err_set(e, ENOENT,
		    "audit log: %" PRIu64 " segments in log/, but the last "
		    "is number %06" PRIu64 ": one was taken away; restore "
		    "it, or move the whole ledger directory away to begin a "
		    "new log",
		    count, max);
	*last = max;
	return 0;
}

/* A window that slides over the file. */
struct window {
	int fd;
	uint8_t *buf;
	uint64_t at; /* file offset of buf */
	size_t len;
};

/* Makes n bytes at off visible: 1, 0 when the file ends before, -1. */
static int
window_at(struct window *w, uint64_t off, size_t n, const uint8_t **p)
{
	ssize_t r;

	if (off < w->at || off + n > w->at + w->len) {
		w->at = off;
		w->len = 0;
		while (w->len < n) {
			r = pread(w->fd, w->buf + w->len, SCAN_BUFFER - w->len,
			    (off_t)(off + w->len));
			if (r < 0 && errno == EINTR)
				continue;
			if (r < 0)
				return -1;
			if (r == 0)
				return 0;
			w->len += (size_t)r;
		}
	}
	*p = w->buf + (off - w->at);
	return 1;
}

/* The record at off is whole and the one expected: its framed length, 0, -1. */
static int
record_at(struct window *w, uint64_t off, uint64_t index)
{
	const uint8_t *p;
	size_t len;
	int rc;

	if ((rc = window_at(w, off, 2, &p)) <= 0)
		return rc;
	len = (size_t)p[0] << 8 | p[1];
	if (len == 0 || len > RECORD_MAX)
		return 0;
	if ((rc = window_at(w, off, 2 + len, &p)) <= 0)
		return rc;
	return record_check(p + 2, len, index) ? 0 : (int)(2 + len);
}

int
segment_scan(int fd, uint64_t first, uint32_t per_segment, uint64_t *mark,
    struct segment_end *end, struct err *e)
{
	struct window w = {fd, malloc(SCAN_BUFFER), 0, 0};
	struct stat st;
	uint64_t off = 0;
	uint32_t n = 0;
	int rc = 0;

	if (w.buf == NULL || fstat(fd, &st)) {
		free(w.buf);
		return err_sys(e, "audit log");
	}
	while (n < per_segment && (rc = record_at(&w, off, first + n)) > 0) {
		if (mark && n % SEGMENT_MARK == 0)
			mark[n / SEGMENT_MARK] = off;
		off += (uint64_t)rc;
		n++;
	}
	free(w.buf);
	if (rc < 0)
		return err_sys(e, "audit log: read at byte %" PRIu64, off);
	*end = (struct segment_end){n, off, (uint64_t)st.st_size};
	return 0;
}

static int
copy_tail(int to, int from, uint64_t off, uint64_t size)
{
	uint8_t buf[4096];
	ssize_t r, w;

	while (off < size) {
		r = pread(from, buf, sizeof(buf), (off_t)off);
		if (r <= 0)
			return -1;
		for (ssize_t n = 0; n < r; n += w)
			if ((w = write(to, buf + n, (size_t)(r - n))) <= 0)
				return -1;
		off += (uint64_t)r;
	}
	return fsync(to);
}

int
segment_repair(int dir, int fd, uint64_t number, const struct segment_end *end,
    struct store_repair *repair, struct err *e)
{
	char *name = repair->file;
	int to;

	snprintf(name, sizeof(repair->file),
	    "torn-%06" PRIu64 "-%" PRIu64 "-%lld", number, end->good,
	    (long long)time(NULL));
	to = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0 || copy_tail(to, fd, end->good, end->size) || fsync(dir)) {
		err_sys(e,
		    "audit log: cannot set the torn end of segment "
		    "%06" PRIu64 " aside as %s (nothing was changed)",
		    number, name);
		if (to >= 0)
			close(to);
		return -1;
	}
	close(to);
	if (ftruncate(fd, (off_t)end->good) || fsync(fd))
		return err_sys(e, "audit log: cut segment %06" PRIu64, number);
	repair->bytes = end->size - end->good;
	return 0;
}
