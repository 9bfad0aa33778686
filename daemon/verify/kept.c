/* kept.c: see kept.h. */
#include "verify/kept.h"

#include <stdio.h>
#include <string.h>

#include "verify/key.h"

/* --- text --------------------------------------------------------------------------- */

/* Without CR, and without blanks where a line begins: no line of a note has
 * any there. */
static size_t
plain_lines(uint8_t *p, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		int begins = len == 0 || p[len - 1] == '\n';

		if (p[i] == '\r' || (begins && (p[i] == ' ' || p[i] == '\t')))
			continue;
		p[len++] = p[i];
	}
	if (len && p[len - 1] != '\n')
		p[len++] = '\n';
	return len;
}

/* --- JSON ---------------------------------------------------------------------------- */

/* "\u2014": no other character of a note need be written so.  1, or 0. */
static int
take_dash(const uint8_t *p, size_t n, uint8_t *out, size_t *len)
{
	if (n < 6 || memcmp(p, "\\u2014", 6) != 0)
		return 0;
	memcpy(out + *len, "\xe2\x80\x94", 3);
	*len += 3;
	return 1;
}

/* Unescapes from behind a quote to the next one.  How far it went; *len grows
 * by what was written at out, which is never beyond what was read. */
static size_t
take_string(const uint8_t *p, size_t n, uint8_t *out, size_t *len)
{
	size_t i = 0;

	while (i < n && p[i] != '"') {
		if (take_dash(p + i, n - i, out, len)) {
			i += 6;
			continue;
		}
		if (p[i] == '\\' && i + 1 < n) {
			i++;
			out[(*len)++] = p[i] == 'n' ? '\n' : p[i];
		} else
			out[(*len)++] = p[i];
		i++;
	}
	return i;
}

/* Where a string begins with the origin: behind its quote; n: nowhere. */
static size_t
find_string(const uint8_t *p, size_t n, const char *name)
{
	/* Some writers escape a slash. */
	char plain[KEY_NAME_MAX + 4], slash[2 * KEY_NAME_MAX + 4], *s = slash;
	const uint8_t *a, *b;

	*s++ = '"';
	for (const char *c = name; *c; c++) {
		if (*c == '/')
			*s++ = '\\';
		*s++ = *c;
	}
	memcpy(s, "\\n", 3);
	snprintf(plain, sizeof(plain), "\"%s\\n", name);
	a = memmem(p, n, plain, strlen(plain));
	b = memmem(p, n, slash, strlen(slash));
	if (a == NULL || (b && b < a))
		a = b;
	return a ? (size_t)(a - p) + 1 : n;
}

static size_t
plain_strings(uint8_t *p, size_t n, const char *name)
{
	size_t len = 0, i = find_string(p, n, name);

	while (i < n) {
		i += take_string(p + i, n - i, p, &len);
		/* The opening quote at least has been read and not written. */
		p[len++] = '\n';
		i += find_string(p + i, n - i, name);
	}
	return len;
}

size_t
kept_plain(uint8_t *p, size_t n, const char *name)
{
	return find_string(p, n, name) < n ? plain_strings(p, n, name)
					   : plain_lines(p, n);
}
