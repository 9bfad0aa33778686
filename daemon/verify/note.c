/* note.c: see note.h. */
#include "verify/note.h"

#include <string.h>

#include "verify/base64.h"

#define DASH "\xe2\x80\x94 " /* "— ", which begins a signature line */
#define DASH_LEN 4
#define SIGNATURES_MAX 16
#define SIZE_MOST ((UINT64_C(1) << 53) - 1) /* index is a JSON integer */

struct lines {
	const char *p, *end;
};

/* The next line without its newline; -1 when there is none with one. */
static int
next_line(struct lines *l, const char **s, size_t *n)
{
	const char *nl =
	    l->p < l->end ? memchr(l->p, '\n', (size_t)(l->end - l->p)) : NULL;

	if (nl == NULL)
		return -1;
	*s = l->p;
	*n = (size_t)(nl - l->p);
	l->p = nl + 1;
	return 0;
}

size_t
note_length(const uint8_t *p, size_t n)
{
	struct lines l = {(const char *)p, (const char *)p + n};
	const char *s, *from;
	size_t len;
	int signatures = 0;

	do {
		if (next_line(&l, &s, &len))
			return 0;
	} while (len > 0);
	for (from = l.p; next_line(&l, &s, &len) == 0; from = l.p) {
		if (len < DASH_LEN || memcmp(s, DASH, DASH_LEN) != 0)
			break;
		signatures++;
	}
	return signatures ? (size_t)(from - (const char *)p) : 0;
}

/* --- the signature ------------------------------------------------------------------- */

/* One line "— NAME BASE64".  1: by the key and good; 0: by another key; -1: no
 * such line, or by the key and bad. */
static int
signature_line(const char *s, size_t n, const uint8_t *text, size_t text_len,
    const struct key *key)
{
	size_t name = strlen(key->name);
	uint8_t raw[4 + 256];
	const char *space;
	int len;

	if (n < DASH_LEN || memcmp(s, DASH, DASH_LEN) != 0)
		return -1;
	s += DASH_LEN;
	n -= DASH_LEN;
	if ((space = memchr(s, ' ', n)) == NULL || space == s)
		return -1;
	len = base64_decode(
	    space + 1, n - (size_t)(space + 1 - s), raw, sizeof(raw));
	if (len < 5)
		return -1;
	if ((size_t)(space - s) != name || memcmp(s, key->name, name) != 0 ||
	    memcmp(raw, key->hash, 4) != 0)
		return 0;
	return key_verify(key, text, text_len, raw + 4, (size_t)len - 4) ? -1
									 : 1;
}

/* All lines must be signatures, and one at least good and by the key. */
static int
check_signatures(struct lines l, const uint8_t *text, size_t text_len,
    const struct key *key, enum kind *kind, const char **why)
{
	int good = 0, got;
	const char *s;
	size_t n;

	for (int i = 0; l.p < l.end; i++) {
		if (i == SIGNATURES_MAX || next_line(&l, &s, &n) ||
		    (got = signature_line(s, n, text, text_len, key)) < 0) {
			*kind = SIGNATURE_BAD;
			*why = "its signature is not a good one by your key";
			return -1;
		}
		good += got;
	}
	*kind = KEY_SWAPPED;
	*why = "it has no signature by your key, but by another one";
	return good ? 0 : -1;
}

/* --- the text ---------------------------------------------------------------------------- */

/* Decimal without a leading zero, up to most. */
static int
number_of(const char *s, size_t n, uint64_t most, uint64_t *v)
{
	uint64_t x = 0;

	if (n == 0 || (*s == '0' && n > 1))
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(s[i] - '0');

		if (s[i] < '0' || s[i] > '9' || x > (most - d) / 10)
			return -1;
		x = x * 10 + d;
	}
	*v = x;
	return 0;
}

/* The value of the next line, which must begin with this word and a space. */
static int
extension(struct lines *l, const char *word, const char **s, size_t *n)
{
	size_t len = strlen(word);

	if (next_line(l, s, n) || *n < len + 2 || memcmp(*s, word, len) != 0 ||
	    (*s)[len] != ' ')
		return -1;
	*s += len + 1;
	*n -= len + 1;
	return 0;
}

static int
read_boot(const char *s, size_t n, struct note *note)
{
	if (n != 36)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') ||
			(s[i] >= 'a' && s[i] <= 'f') || s[i] == '-'))
			return -1;
	memcpy(note->boot, s, n);
	note->boot[n] = '\0';
	return 0;
}

static int
read_counter(const char *s, size_t n, struct note *note)
{
	if (n == 4 && memcmp(s, "none", 4) == 0)
		return 0;
	note->has_counter = 1;
	return number_of(s, n, UINT64_MAX, &note->counter);
}

/* After the origin.  Lines after those that FORMAT names are let pass: they are
 * signed, too, and mean nothing here. */
static int
read_text(struct lines *l, struct note *note)
{
	uint64_t seconds;
	const char *s;
	size_t n;

	if (next_line(l, &s, &n) || number_of(s, n, SIZE_MOST, &note->size))
		return -1;
	if (next_line(l, &s, &n) ||
	    base64_decode(s, n, note->root, HASH_LEN) != HASH_LEN)
		return -1;
	if (extension(l, "time", &s, &n) ||
	    number_of(s, n, SIZE_MOST, &seconds))
		return -1;
	note->time = (int64_t)seconds;
	if (extension(l, "boot", &s, &n) || read_boot(s, n, note))
		return -1;
	if (extension(l, "counter", &s, &n) || read_counter(s, n, note))
		return -1;
	return extension(l, "key", &s, &n);
}

int
note_read(const uint8_t *p, size_t n, const struct key *key, struct note *note,
    enum kind *kind, const char **why)
{
	struct lines text = {(const char *)p, (const char *)p + n};
	struct lines sigs = text;
	const char *s;
	size_t len;

	memset(note, 0, sizeof(*note));
	*kind = NOTE_FORM;
	*why = "not a signed checkpoint";
	if (n > NOTE_MAX || note_length(p, n) != n)
		return -1;
	do {
		if (next_line(&sigs, &s, &len))
			return -1;
	} while (len > 0);
	text.end = s;
	if (next_line(&text, &s, &len))
		return -1;
	if (len != strlen(key->name) || memcmp(s, key->name, len) != 0) {
		*kind = ORIGIN_OTHER;
		*why = "its origin is not the name of your key";
		return -1;
	}
	if (check_signatures(
		sigs, p, (size_t)(text.end - (const char *)p), key, kind, why))
		return -1;
	*kind = NOTE_FORM;
	*why = "well signed, but its text is not a checkpoint of ORB";
	return read_text(&text, note);
}
