/* secret.c: see secret.h. */
#include "lib/secret.h"

#include <openssl/crypto.h>
#include <string.h>

int
secret_init(size_t heap)
{
	/* 1: locked; 2: made, but the pages could not be locked. */
	return CRYPTO_secure_malloc_initialized() ||
		CRYPTO_secure_malloc_init(heap, 16) == 1
	    ? 0
	    : -1;
}

int
secret_alloc(struct secret *s, size_t len)
{
	s->len = 0;
	if ((s->p = OPENSSL_secure_zalloc(len ? len : 1)) == NULL)
		return -1;
	s->len = len;
	return 0;
}

int
secret_copy(struct secret *s, const void *p, size_t len)
{
	if (secret_alloc(s, len))
		return -1;
	if (len)
		memcpy(s->p, p, len);
	return 0;
}

void
secret_free(struct secret *s)
{
	if (s->p)
		OPENSSL_secure_clear_free(s->p, s->len ? s->len : 1);
	s->p = NULL;
	s->len = 0;
}
