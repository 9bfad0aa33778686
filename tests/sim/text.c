/*
 * text.c: growable text, the writing of JSON strings, URL escapes, base64 of
 * both alphabets.  The simulator writes its JSON answers straight into a
 * struct text, since building trees first would cost more than the answer.
 *
 * Running out of memory ends the program: this is a simulator.
 */
#include <err.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void *
zalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (p == NULL)
		err(1, "calloc");
	return p;
}

void *
grow(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n, size);

	if (q == NULL)
		err(1, "reallocarray");
	return q;
}

char *
text_dup(const char *s)
{
	char *p;

	if (s == NULL)
		return NULL;
	if ((p = strdup(s)) == NULL)
		err(1, "strdup");
	return p;
}

/* Replaces an owned string; taking a string from itself is fine. */
void
set_text(char **where, const char *s)
{
	char *n = text_dup(s);

	free(*where);
	*where = n;
}

char *
text_print(const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	if (vasprintf(&p, fmt, ap) == -1)
		err(1, "vasprintf");
	va_end(ap);
	return p;
}

static void
text_room(struct text *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 512;

	if (t->len + n + 1 <= t->cap)
		return;
	while (cap < t->len + n + 1)
		cap *= 2;
	t->b = grow(t->b, cap, 1);
	t->cap = cap;
}

void
text_add(struct text *t, const char *s, size_t n)
{
	text_room(t, n);
	if (n > 0)
		memcpy(t->b + t->len, s, n);
	t->len += n;
	t->b[t->len] = '\0';
}

void
text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void
text_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	text_room(t, 128);
	va_start(ap, fmt);
	n = vsnprintf(t->b + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		errx(1, "vsnprintf");
	if ((size_t)n >= t->cap - t->len) {
		text_room(t, (size_t)n);
		va_start(ap, fmt);
		(void)vsnprintf(t->b + t->len, t->cap - t->len, fmt, ap);
		va_end(ap);
	}
	t->len += (size_t)n;
}

/* Adds s as a JSON string, or null. */
void
text_json(struct text *t, const char *s)
{
	const char *from;

	if (s == NULL) {
		text_add(t, "null", 4);
		return;
	}
	text_add(t, "\"", 1);
	for (from = s; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_add(t, from, (size_t)(s - from));
		if (c == '"' || c == '\\')
			text_fmt(t, "\\%c", c);
		else
			text_fmt(t, "\\u%04x", c);
		from = s + 1;
	}
	text_add(t, from, (size_t)(s - from));
	text_add(t, "\"", 1);
}

void
text_free(struct text *t)
{
	free(t->b);
	memset(t, 0, sizeof(*t));
}

static int
hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Undoes percent escapes (and '+' in a query); bad escapes stay as they are */
char *
text_decode(const char *s, size_t n, int plus)
{
	char *out = zalloc(n + 1), *p = out;
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == '%' && i + 2 < n && hex(s[i + 1]) >= 0 &&
		    hex(s[i + 2]) >= 0) {
			*p++ = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
			i += 2;
		} else if (plus && s[i] == '+')
			*p++ = ' ';
		else
			*p++ = s[i];
	}
	*p = '\0';
	return out;
}

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* out needs 4 * ceil(n / 3) + 1 bytes */
size_t
base64(char *out, const unsigned char *in, size_t n)
{
	size_t i, o = 0;
	uint32_t v;

	for (i = 0; i < n; i += 3) {
		v = (uint32_t)in[i] << 16;
		if (i + 1 < n)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < n)
			v |= in[i + 2];
		out[o++] = alphabet[v >> 18];
		out[o++] = alphabet[v >> 12 & 63];
		out[o++] = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
		out[o++] = i + 2 < n ? alphabet[v & 63] : '=';
	}
	out[o] = '\0';
	return o;
}

/* Either alphabet, padding optional; the length, or -1. */
int
unbase64(unsigned char *out, size_t max, const char *in, size_t n)
{
	uint32_t v = 0;
	size_t i, o = 0;
	int bits = 0, d;

	while (n > 0 && in[n - 1] == '=')
		n--;
	for (i = 0; i < n; i++) {
		int c = (unsigned char)in[i];

		if (c >= 'A' && c <= 'Z')
			d = c - 'A';
		else if (c >= 'a' && c <= 'z')
			d = c - 'a' + 26;
		else if (c >= '0' && c <= '9')
			d = c - '0' + 52;
		else if (c == '+' || c == '-')
			d = 62;
		else if (c == '/' || c == '_')
			d = 63;
		else
			return -1;
		v = v << 6 | (uint32_t)d;
		if ((bits += 6) >= 8) {
			if (o == max)
				return -1;
			bits -= 8;
			out[o++] = (unsigned char)(v >> bits);
			v &= (1u << bits) - 1;
		}
	}
	return (int)o;
}
