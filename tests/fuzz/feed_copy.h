/*
 * feed_copy.h: chan_feed() of a fuzzer's input, which must not change: chan.c
 * cleanses a packet that may hold a secret where it stands.
 */
#ifndef ORB_TESTS_FEED_COPY_H
#define ORB_TESTS_FEED_COPY_H

#include <stdlib.h>
#include <string.h>

#include "lib/chan.h"

static inline int
feed_copy(struct chan *c, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1); /* ASan knows where it ends */
	int rc;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	rc = chan_feed(c, copy, n, -1);
	free(copy);
	return rc;
}

#endif
