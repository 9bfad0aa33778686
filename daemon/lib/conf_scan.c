/*
 * conf_scan.c: what is refused before libconfig sees the text: includes (what
 * is configured must stand in one file, whose owner and mode were checked),
 * zero bytes (libconfig would stop there and take the rest for absent), text
 * that is not UTF-8, and numbers that libconfig 1.5 would silently wrap.
 */
#include "lib/conf_scan.h"
#include "lib/wire.h"

#include <ctype.h>
#include <string.h>

#define DIGITS_MAX 9 /* so that a decimal number fits an int */

struct scan {
	const char *p, *end;
	unsigned line;
	int line_start; /* nothing but blanks since the line began */
	void (*report)(void *, unsigned, const char *);
	void *arg;
	int fatal;
};

static void
refuse(struct scan *s, int fatal, const char *text)
{
	s->report(s->arg, s->line, text);
	s->fatal |= fatal;
}

static void
skip_comment_block(struct scan *s)
{
	for (s->p += 2; s->p < s->end; s->p++) {
		if (*s->p == '\n')
			s->line++;
		if (s->end - s->p >= 2 && memcmp(s->p, "*/", 2) == 0) {
			s->p += 2;
			return;
		}
	}
}

static void
skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
		if (*s->p == '\\' && s->end - s->p > 1)
			s->p++;
		if (*s->p == '\n')
			s->line++;
	}
	if (s->p < s->end)
		s->p++;
}

static void
skip_word(struct scan *s)
{
	const char *start = s->p;

	while (s->p < s->end &&
	    (isalnum((unsigned char)*s->p) || strchr("_-*.", *s->p)))
		s->p++;
	if (isdigit((unsigned char)*start) && s->p - start > DIGITS_MAX)
		refuse(s, 0, "the number is too large");
}

static void
scan_one(struct scan *s)
{
	int first = s->line_start;

	if (*s->p != ' ' && *s->p != '\t')
		s->line_start = 0;
	if (*s->p == '\n') {
		s->line++;
		s->line_start = 1;
		s->p++;
	} else if (*s->p == '#' ||
	    (s->end - s->p >= 2 && memcmp(s->p, "//", 2) == 0)) {
		while (s->p < s->end && *s->p != '\n')
			s->p++;
	} else if (s->end - s->p >= 2 && memcmp(s->p, "/*", 2) == 0) {
		skip_comment_block(s);
	} else if (*s->p == '"') {
		skip_string(s);
	} else if (isalnum((unsigned char)*s->p)) {
		skip_word(s);
	} else {
		if (*s->p == '@' && first)
			refuse(s, 1,
			    "@include is not allowed: the whole configuration "
			    "stands in one file");
		s->p++;
	}
}

/*
 * libconfig takes @include at the start of any line, even where this scan is
 * inside something that only looks like a string to it: so look again without
 * knowing anything about strings and comments.
 */
static int
has_include(const char *p, const char *end)
{
	static const char word[] = "@include";

	while (p < end) {
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if ((size_t)(end - p) >= sizeof(word) - 1 &&
		    memcmp(p, word, sizeof(word) - 1) == 0)
			return 1;
		if ((p = memchr(p, '\n', (size_t)(end - p))) == NULL)
			return 0;
		p++;
	}
	return 0;
}

int
conf_scan(const char *text, size_t len,
    void (*report)(void *, unsigned, const char *), void *arg)
{
	struct scan s = {text, text + len, 1, 1, report, arg, 0};

	if (memchr(text, '\0', len) != NULL) {
		s.line = 0;
		refuse(&s, 1, "the file has zero bytes: it is not text");
		return -1;
	}
	if (!wire_is_utf8((const uint8_t *)text, len)) {
		s.line = 0;
		refuse(&s, 1, "the file is not UTF-8 text");
		return -1;
	}
	while (s.p < s.end)
		scan_one(&s);
	if (!s.fatal && has_include(text, text + len)) {
		s.line = 0;
		refuse(&s, 1, "@include is not allowed");
	}
	return s.fatal ? -1 : 0;
}
