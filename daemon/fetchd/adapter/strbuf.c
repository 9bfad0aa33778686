/* strbuf.c: see strbuf.h. */
#include "fetchd/adapter/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP (4 * 4096)

void
strbuf_init(struct strbuf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
strbuf_free(struct strbuf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}

void
strbuf_reset(struct strbuf *b)
{
	if (b->cap > KEEP)
		strbuf_free(b);
	b->err = 0;
	strbuf_cut(b, 0);
}

void
strbuf_cut(struct strbuf *b, size_t len)
{
	if (len < b->len)
		b->len = len;
	if (b->p)
		b->p[b->len] = '\0';
}

int
strbuf_grow(struct strbuf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->err || more > b->max || b->len > b->max - more)
		return b->err = -1;
	if (b->len + more + 1 <= b->cap)
		return 0;
	while (cap < b->len + more + 1)
		cap *= 2;
	if ((p = realloc(b->p, cap)) == NULL)
		return b->err = -1;
	b->p = p;
	b->cap = cap;
	return 0;
}

int
strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	if (strbuf_grow(b, n))
		return -1;
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
	return 0;
}

int
strbuf_str(struct strbuf *b, const char *s)
{
	return strbuf_add(b, s, strlen(s));
}

int
strbuf_fmt(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || strbuf_grow(b, (size_t)n))
		return b->err = -1;
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

const char *
strbuf_get(const struct strbuf *b)
{
	return b->p ? b->p : "";
}

int
str_fits(const char *s, size_t max)
{
	size_t n;

	for (n = 0; s[n]; n++)
		if ((unsigned char)s[n] < 0x20 || s[n] == 0x7f)
			return 0;
	return n <= max;
}
