/*
 * conf_pool.c: the memory of one configuration, in a chain of blocks that are
 * freed together, so that no error path can leak or free twice.
 */
#include "lib/conf_table.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4000 /* with malloc's own header within a page */

struct block {
	struct block *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

struct conf_pool {
	struct block *head;
};

struct conf_pool *
conf_pool_new(void)
{
	return calloc(1, sizeof(struct conf_pool));
}

void
conf_pool_free(struct conf_pool *pool)
{
	struct block *b;

	if (pool == NULL)
		return;
	while ((b = pool->head) != NULL) {
		pool->head = b->next;
		free(b);
	}
	free(pool);
}

static void *
take(struct conf_pool *pool, size_t n, size_t align)
{
	struct block *b = pool->head;
	size_t at = b ? (b->used + align - 1) / align * align : 0;
	size_t size = n > BLOCK ? n : BLOCK;

	if (b == NULL || at > b->size || b->size - at < n) {
		if ((b = calloc(1, sizeof(*b) + size)) == NULL)
			return NULL;
		b->next = pool->head;
		b->size = size;
		pool->head = b;
		at = 0;
	}
	b->used = at + n;
	return b->data + at;
}

void *
conf_pool_get(struct conf_pool *pool, size_t n)
{
	return take(pool, n, alignof(max_align_t));
}

char *
conf_pool_text(struct conf_pool *pool, const char *text, size_t n)
{
	char *p = take(pool, n + 1, 1);

	if (p != NULL)
		memcpy(
		    p, text, n); /* the zero is there: blocks are calloc'ed */
	return p;
}
