/* jstr.c: see jstr.h. */
#include "fetchd/adapter/jstr.h"

#include <string.h>

#include "lib/wire.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGH UINT64_C(0x8080808080808080)

/* Not 0 when one of eight bytes is 0.  What is above the lowest such byte may
 * be said wrongly, whether there is one may not. */
static inline uint64_t
has_zero(uint64_t v)
{
	return (v - ONES) & ~v & HIGH;
}

/* Eight bytes at a time, since the text of a message is long. */
const uint8_t *
jstr_run(const uint8_t *s, const uint8_t *end)
{
	uint64_t v;

	for (; end - s >= 8; s += 8) {
		memcpy(&v, s, sizeof(v));
		if (has_zero(v ^ ONES * '"') | has_zero(v ^ ONES * '\\') |
		    ((v - ONES * 0x20) & ~v & HIGH))
			break;
	}
	while (s < end && *s != '"' && *s != '\\' && *s >= 0x20)
		s++;
	return s;
}

/* --- writing --------------------------------------------------------------- */

static void
put_escape(struct strbuf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *at = strchr(plain, c);
	char text[6] = {'\\', 'u', '0', '0'};

	if (at) {
		text[1] = letter[at - plain];
		strbuf_add(b, text, 2);
		return;
	}
	text[4] = hex[c >> 4];
	text[5] = hex[c & 15];
	strbuf_add(b, text, 6);
}

int
jstr_put(struct strbuf *b, const char *text)
{
	const uint8_t *s = (const uint8_t *)text, *end = s + strlen(text), *at;

	strbuf_ch(b, '"');
	for (; s < end; s = at + 1) {
		at = jstr_run(s, end);
		strbuf_add(b, s, (size_t)(at - s));
		if (at == end)
			break;
		put_escape(b, *at);
	}
	return strbuf_ch(b, '"');
}

/* Only an object's opening brace has no comma behind it: a string ends with a
 * quote whatever is in it. */
static void
put_name(struct strbuf *b, const char *name)
{
	if (b->len > 0 && b->p[b->len - 1] != '{')
		strbuf_ch(b, ',');
	strbuf_ch(b, '"');
	strbuf_str(b, name);
	strbuf_add(b, "\":", 2);
}

int
jstr_member(struct strbuf *b, const char *name, const char *text)
{
	put_name(b, name);
	return jstr_put(b, text);
}

int
jstr_object(struct strbuf *b, const char *name)
{
	put_name(b, name);
	return strbuf_ch(b, '{');
}

/* --- reading --------------------------------------------------------------- */

/* Four hexadecimal digits; -1 when they are not there. */
static int32_t
unit_get(const char *s, const char *end)
{
	int32_t v = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		v <<= 4;
		if (s[i] >= '0' && s[i] <= '9')
			v += s[i] - '0';
		else if (s[i] >= 'a' && s[i] <= 'f')
			v += s[i] - 'a' + 10;
		else if (s[i] >= 'A' && s[i] <= 'F')
			v += s[i] - 'A' + 10;
		else
			return -1;
	}
	return v;
}

/* A character as UTF-8: never more bytes than its escape has. */
static char *
put_utf8(char *d, int32_t c)
{
	if (c < 0x80)
		*d++ = (char)c;
	else if (c < 0x800)
		*d++ = (char)(0xc0 | c >> 6);
	else if (c < 0x10000) {
		*d++ = (char)(0xe0 | c >> 12);
		*d++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*d++ = (char)(0xf0 | c >> 18);
		*d++ = (char)(0x80 | (c >> 12 & 0x3f));
		*d++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		*d++ = (char)(0x80 | (c & 0x3f));
	return d;
}

/* What follows a "\u", with the second half of a pair.  Where it ends. */
static const char *
get_unit(const char *s, const char *end, char **d)
{
	int32_t c = unit_get(s, end), low;

	if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff))
		return NULL;
	s += 4;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
			return NULL;
		low = unit_get(s + 2, end);
		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		s += 6;
	}
	*d = put_utf8(*d, c);
	return s;
}

/* What follows a backslash.  Where it ends, or NULL. */
static const char *
get_escape(const char *s, const char *end, char **d)
{
	static const char letter[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (s == end)
		return NULL;
	if (*s == 'u')
		return get_unit(s + 1, end, d);
	if (*s == '\0' || (at = strchr(letter, *s)) == NULL)
		return NULL;
	*(*d)++ = plain[at - letter];
	return s + 1;
}

const char *
jstr_get(const char *s, const char *end, char *dst, size_t *len)
{
	const char *at;
	char *d = dst;

	for (;;) {
		at = (const char *)jstr_run(
		    (const uint8_t *)s, (const uint8_t *)end);
		memcpy(d, s, (size_t)(at - s));
		d += at - s;
		if (at == end)
			return NULL;
		if (*at == '"')
			break;
		if (*at != '\\' || (s = get_escape(at + 1, end, &d)) == NULL)
			return NULL;
	}
	*d = '\0';
	*len = (size_t)(d - dst);
	/* An escape begins and ends on a character's boundary, so that it can
	 * neither mend nor break the bytes around it. */
	return wire_is_utf8((const uint8_t *)dst, *len) ? at : NULL;
}
