/* query.c: see query.h. */
#include "fetchd/adapter/query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

static void
encode_byte(struct strbuf *b, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	char out[3] = {'%', hex[c >> 4], hex[c & 15]};

	if (unreserved(c))
		strbuf_ch(b, (char)c);
	else
		strbuf_add(b, out, sizeof(out));
}

int
query_encode(struct strbuf *b, const char *s)
{
	for (; *s; s++)
		encode_byte(b, (unsigned char)*s);
	return b->err;
}

int
query_segment(struct strbuf *b, const char *s)
{
	for (; *s; s++)
		if (*s == '@')
			strbuf_ch(b, *s);
		else
			encode_byte(b, (unsigned char)*s);
	return b->err;
}

int
query_fiql(struct strbuf *b, const char *s)
{
	const char *q;

	for (q = s; isalnum((unsigned char)*q) || *q == '-'; q++)
		;
	if (*q == '\0' && q > s)
		return strbuf_str(b, s);
	encode_byte(b, '\'');
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			encode_byte(b, '\\');
		encode_byte(b, (unsigned char)*s);
	}
	encode_byte(b, '\'');
	return b->err;
}

/* The byte at s with %XX undone; *n is how many characters it took. */
static int
decoded(const char *s, size_t *n)
{
	char hex[3] = {0};

	*n = 1;
	if (s[0] != '%')
		return (unsigned char)s[0];
	if (!isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]))
		return -1;
	memcpy(hex, s + 1, 2);
	*n = 3;
	return (int)strtoul(hex, NULL, 16);
}

/*
 * No segment of the path (before "?") may be "." or "..", nor hide a slash, a
 * control character or a second layer of encoding that another reader of the
 * path could see as one.
 */
static int
segments_ok(const char *p)
{
	size_t n, dots = 0, len = 0;
	int c;

	for (;; p += n) {
		n = 1;
		c = *p == '?' || *p == '\0' ? 0 : decoded(p, &n);
		if (c == '/' || (c == 0 && n == 1)) {
			if (len > 0 && len <= 2 && dots == len)
				return 0;
			if (c == 0)
				return 1;
			len = dots = 0;
			continue;
		}
		if (c < 0x20 || c == 0x7f || c == '\\')
			return 0;
		if (n == 3 && c == '%')
			return 0;
		len++;
		dots += c == '.';
	}
}

int
query_is_path(const char *s)
{
	if (strncasecmp(s, "/users", 6) != 0 || (s[6] != '/' && s[6] != '('))
		return 0;
	for (const char *q = s; *q; q++)
		if (*q <= 0x20 || *q >= 0x7f || *q == '#' || *q == '\\' ||
		    *q == '"' || *q == '<' || *q == '>')
			return 0;
	return segments_ok(s);
}

/* The authority of the link, up to the path; NULL when it is another host. */
static const char *
authority_ok(const struct conf_url *base, const char *s)
{
	size_t host = strcspn(s, ":/?#@\\");
	unsigned long port = 443;
	char *end;

	if (host == 0 || strlen(base->host) != host ||
	    strncasecmp(s, base->host, host) != 0)
		return NULL;
	s += host;
	if (*s == ':') {
		if (!isdigit((unsigned char)s[1]))
			return NULL;
		port = strtoul(s + 1, &end, 10);
		s = end;
	}
	return port == base->port && *s == '/' ? s : NULL;
}

int
query_link(const struct conf_url *base, const char *link, struct strbuf *path)
{
	size_t n = strlen(base->path);

	if (strncasecmp(link, "https://", 8) != 0 ||
	    (link = authority_ok(base, link + 8)) == NULL ||
	    strncmp(link, base->path, n) != 0 || !query_is_path(link + n))
		return -1;
	strbuf_reset(path);
	return strbuf_str(path, link + n);
}
