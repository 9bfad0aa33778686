/*
 * strbuf.h: bytes that grow up to a cap, for paths, bodies and elements.
 *
 * Sticky like wire_out: after the first failure nothing more is added and err
 * stays set, so that a builder checks once.  Always NUL-terminated.
 */
#ifndef ORB_ADAPTER_STRBUF_H
#define ORB_ADAPTER_STRBUF_H

#include <stddef.h>

struct strbuf {
	char *p; /* NULL before the first byte */
	size_t len, cap, max;
	int err;
};

void strbuf_init(struct strbuf *, size_t max);
void strbuf_free(struct strbuf *);
/* Forgets the contents and the error; keeps the memory up to a page or four. */
void strbuf_reset(struct strbuf *);
void strbuf_cut(struct strbuf *, size_t len);
int strbuf_grow(struct strbuf *, size_t more);
int strbuf_add(struct strbuf *, const void *, size_t);
int strbuf_str(struct strbuf *, const char *);
int strbuf_fmt(struct strbuf *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
/* The contents as a string; never NULL. */
const char *strbuf_get(const struct strbuf *);

/* Fit for a message's str field: at most max bytes, no control characters.
 * That it is UTF-8 is its reader's to know. */
int str_fits(const char *s, size_t max);

static inline int
strbuf_ch(struct strbuf *b, char c)
{
	if (b->len + 1 < b->cap && !b->err) {
		b->p[b->len++] = c;
		b->p[b->len] = '\0';
		return 0;
	}
	return strbuf_add(b, &c, 1);
}

#endif
