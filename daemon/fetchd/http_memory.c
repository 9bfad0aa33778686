/*
 * http_memory.c: what libcurl frees is overwritten first.
 *
 * The Authorization header and the token request pass through libcurl's
 * buffers.  Not reached: what OpenSSL and nghttp2 keep for a connection that is
 * still open.
 */
#include "fetchd/http.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void
cleansing_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* Not realloc(3): it may leave a copy behind where the block was. */
static void *
cleansing_realloc(void *p, size_t size)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *q;

	if (p && size <= had && size >= had / 2)
		return p;
	if ((q = malloc(size)) == NULL)
		return NULL;
	if (p)
		memcpy(q, p, had < size ? had : size);
	cleansing_free(p);
	return q;
}

CURLcode
memory_open(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, cleansing_free,
	    cleansing_realloc, strdup, calloc);
}
