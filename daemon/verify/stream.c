/* stream.c: see stream.h. */
#include "verify/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: a pipe in place of a file must not hold us. */
static int
open_regular(int dir, const char *path, int *fd)
{
	struct stat st;
	int error;

	*fd = openat(dir, path,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0)
		return errno;
	error = fstat(*fd, &st) ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;
	if (error)
		close(*fd);
	return error;
}

int
stream_open(struct stream *s, int dir, const char *path)
{
	s->error = s->eof = 0;
	s->offset = 0;
	s->pos = s->end = 0;
	return open_regular(dir, path, &s->fd);
}

void
stream_close(struct stream *s)
{
	close(s->fd);
	s->fd = -1;
}

static ssize_t
read_some(int fd, uint8_t *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

size_t
stream_peek(struct stream *s, size_t want, const uint8_t **p)
{
	ssize_t got;

	if (s->end - s->pos < want && s->pos) {
		memmove(s->buf, s->buf + s->pos, s->end - s->pos);
		s->end -= s->pos;
		s->pos = 0;
	}
	while (s->end - s->pos < want && !s->eof && !s->error) {
		got = read_some(s->fd, s->buf + s->end, STREAM_BUFFER - s->end);
		if (got < 0)
			s->error = errno;
		else if (got == 0)
			s->eof = 1;
		else
			s->end += (size_t)got;
	}
	*p = s->buf + s->pos;
	return s->end - s->pos < want ? s->end - s->pos : want;
}

void
stream_skip(struct stream *s, size_t n)
{
	s->pos += n;
	s->offset += n;
}

long
stream_whole(int dir, const char *path, uint8_t *buf, size_t cap, int *error)
{
	size_t len = 0;
	ssize_t got;
	int fd;

	if ((*error = open_regular(dir, path, &fd)) != 0)
		return -1;
	while (len < cap && (got = read_some(fd, buf + len, cap - len)) != 0) {
		if (got < 0) {
			*error = errno;
			break;
		}
		len += (size_t)got;
	}
	close(fd);
	if (*error == 0 && len == cap)
		*error = EFBIG;
	return *error ? -1 : (long)len;
}

void
tile_path(char path[PATH_LEN], int level, uint64_t n, unsigned width)
{
	char groups[40], *p = groups + sizeof(groups);
	char name[12] = "entries", part[12] = "";
	const char *x = "";

	*--p = '\0';
	do {
		char group[8];
		size_t len;

		snprintf(group, sizeof(group), "%s%03u%s", *x ? "x" : "",
		    (unsigned)(n % 1000), x);
		len = strlen(group);
		p -= len;
		memcpy(p, group, len);
		x = "/";
		n /= 1000;
	} while (n);
	if (level >= 0)
		snprintf(name, sizeof(name), "%d", level);
	if (width == 0)
		snprintf(part, sizeof(part), ".p");
	else if (width < 256)
		snprintf(part, sizeof(part), ".p/%u", width);
	snprintf(path, PATH_LEN, "tile/%s/%s%s", name, p, part);
}
