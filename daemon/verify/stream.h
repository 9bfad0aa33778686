/*
 * stream.h: a file of the export, read once from its beginning through one
 * buffer of fixed size; and the paths of C2SP tlog-tiles.
 */
#ifndef ORB_VERIFY_STREAM_H
#define ORB_VERIFY_STREAM_H

#include <stddef.h>
#include <stdint.h>

#define STREAM_BUFFER (256 * 1024)
#define PATH_LEN 80

struct stream {
	int fd;
	int error; /* errno of a read that failed */
	int eof;
	uint64_t offset; /* in the file, of buf[pos] */
	size_t pos, end;
	uint8_t buf[STREAM_BUFFER];
};

/* Opens a regular file below dir, never through a symbolic link in its last
 * part.  0 or errno. */
int stream_open(struct stream *, int dir, const char *path);
void stream_close(struct stream *);

/* Makes want bytes (STREAM_BUFFER at most) readable at *p, or all there are up
 * to the end of the file, and returns how many. */
size_t stream_peek(struct stream *, size_t want, const uint8_t **p);
/* Goes on behind n bytes that were peeked at. */
void stream_skip(struct stream *, size_t n);

/*
 * Reads all of a small file into a buffer of cap bytes.  The length; or -1 with
 * *error: errno, or EFBIG when there is more.
 */
long stream_whole(
    int dir, const char *path, uint8_t *buf, size_t cap, int *error);

/* tile/LEVEL/N, or with width below 256 tile/LEVEL/N.p/WIDTH.  Level -1 is
 * "entries"; width 0: the directory of partial ones, tile/LEVEL/N.p. */
void tile_path(char path[PATH_LEN], int level, uint64_t n, unsigned width);

#endif
