/*
 * secret.h: bytes that must not leave the process: in OpenSSL's secure heap
 * (mlocked, not dumped, guard pages), cleansed when freed.
 */
#ifndef ORB_SECRET_H
#define ORB_SECRET_H

#include <stddef.h>
#include <stdint.h>

struct secret {
	uint8_t *p;
	size_t len;
};

/* Sets the secure heap up (bytes, a power of two).  Before lock-down.
 * 0, or -1 when pages cannot be locked; the caller decides. */
int secret_init(size_t heap);
/* len zero bytes.  0 or -1 (no room in the secure heap). */
int secret_alloc(struct secret *, size_t len);
/* A copy of p. */
int secret_copy(struct secret *, const void *p, size_t len);
/* Cleanses and frees; the struct is empty afterwards. */
void secret_free(struct secret *);

#endif
