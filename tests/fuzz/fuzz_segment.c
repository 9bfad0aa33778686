/*
 * fuzz_segment: what a start makes of a segment that a crash or an attacker
 * left behind.  Input: the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ledgerd/record.h"
#include "ledgerd/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define PER 512

static int fd = -1;

/* What was found good is a chain of records, from byte 0, with no gap. */
static void
check(const uint8_t *p, const struct segment_end *end, const uint64_t *mark)
{
	uint64_t off = 0;
	size_t len;

	for (uint32_t i = 0; i < end->records; i++) {
		if (i % SEGMENT_MARK == 0 && mark[i / SEGMENT_MARK] != off)
			abort();
		len = (size_t)p[off] << 8 | p[off + 1];
		if (off + 2 + len > end->size ||
		    record_check(p + off + 2, len, i))
			abort();
		off += 2 + len;
	}
	if (off != end->good || end->good > end->size)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t mark[PER / SEGMENT_MARK];
	struct segment_end end;
	char masked[128], *text;
	struct err e;

	if (fd < 0)
		fd = memfd_create("segment", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, p, n, 0) != (ssize_t)n)
		abort();
	if (segment_scan(fd, 0, PER, mark, &end, &e))
		abort();
	check(p, &end, mark);
	if ((text = malloc(n + 1)) == NULL)
		abort();
	memcpy(text, p, n);
	text[n] = '\0';
	if (strlen(record_mask(masked, sizeof(masked), text)) >= sizeof(masked))
		abort();
	free(text);
	return 0;
}
