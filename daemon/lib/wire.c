/*
 * wire.c: the cursors.  Nothing here allocates for a peer's claim: a length is
 * checked against the bytes that are there before it is believed.
 */
#include "lib/wire.h"

#include <stdlib.h>
#include <string.h>

void
wire_out_init(struct wire_out *w, size_t max)
{
	memset(w, 0, sizeof(*w));
	w->max = max;
}

void
wire_out_free(struct wire_out *w)
{
	if (w->buf)
		explicit_bzero(w->buf, w->cap);
	free(w->buf);
	memset(w, 0, sizeof(*w));
}

void
wire_out_reset(struct wire_out *w)
{
	w->len = 0;
	w->err = 0;
}

/* Room for n more bytes, or NULL and the sticky error. */
static uint8_t *
reserve(struct wire_out *w, size_t n)
{
	uint8_t *p;
	size_t cap;

	if (w->err || n > w->max || w->len > w->max - n) {
		w->err = -1;
		return NULL;
	}
	if (w->len + n > w->cap) {
		cap = w->cap ? w->cap : 256;
		while (cap < w->len + n)
			cap *= 2;
		if ((p = malloc(cap)) == NULL) {
			w->err = -1;
			return NULL;
		}
		/* Not realloc: what it leaves behind is not cleansed. */
		if (w->buf) {
			memcpy(p, w->buf, w->len);
			explicit_bzero(w->buf, w->cap);
			free(w->buf);
		}
		w->buf = p;
		w->cap = cap;
	}
	p = w->buf + w->len;
	w->len += n;
	return p;
}

uint8_t *
wire_reserve(struct wire_out *w, size_t n)
{
	return reserve(w, n);
}

static int
put_be(struct wire_out *w, uint64_t v, size_t n)
{
	uint8_t *p = reserve(w, n);

	if (p == NULL)
		return -1;
	for (size_t i = n; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
	return 0;
}

int
wire_put_u8(struct wire_out *w, uint8_t v)
{
	return put_be(w, v, 1);
}

int
wire_put_u16(struct wire_out *w, uint16_t v)
{
	return put_be(w, v, 2);
}

int
wire_put_u32(struct wire_out *w, uint32_t v)
{
	return put_be(w, v, 4);
}

int
wire_put_u64(struct wire_out *w, uint64_t v)
{
	return put_be(w, v, 8);
}

int
wire_put_i64(struct wire_out *w, int64_t v)
{
	return put_be(w, (uint64_t)v, 8);
}

int
wire_put_str(struct wire_out *w, const char *s, size_t max)
{
	size_t len = s ? strlen(s) : 0;
	uint8_t *p;

	if (len > max || len > UINT16_MAX) {
		w->err = -1;
		return -1;
	}
	if (wire_put_u16(w, (uint16_t)len) || (p = reserve(w, len + 1)) == NULL)
		return -1;
	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return 0;
}

static int
put_raw(struct wire_out *w, const uint8_t *src, size_t len)
{
	uint8_t *p = reserve(w, len);

	if (p == NULL)
		return -1;
	if (len)
		memcpy(p, src, len);
	return 0;
}

int
wire_put_bytes(struct wire_out *w, struct wire_bytes b, size_t max)
{
	if (b.len > max || b.len > UINT32_MAX) {
		w->err = -1;
		return -1;
	}
	if (wire_put_u32(w, (uint32_t)b.len))
		return -1;
	return put_raw(w, b.p, b.len);
}

int
wire_put_list(struct wire_out *w, const struct wire_list *l, uint32_t max)
{
	if (l->count > max || l->items.len > UINT32_MAX) {
		w->err = -1;
		return -1;
	}
	if (wire_put_u32(w, l->count) ||
	    wire_put_u32(w, (uint32_t)l->items.len))
		return -1;
	return put_raw(w, l->items.p, l->items.len);
}

/* The next n bytes, or NULL and the sticky error. */
static const uint8_t *
take(struct wire_in *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->err || (size_t)(r->end - r->p) < n) {
		r->err = -1;
		return NULL;
	}
	r->p += n;
	return p;
}

static int
get_be(struct wire_in *r, uint64_t *v, size_t n)
{
	const uint8_t *p = take(r, n);

	*v = 0;
	if (p == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		*v = *v << 8 | p[i];
	return 0;
}

int
wire_get_u8(struct wire_in *r, uint8_t *v)
{
	uint64_t x;
	int rc = get_be(r, &x, 1);

	*v = (uint8_t)x;
	return rc;
}

int
wire_get_u16(struct wire_in *r, uint16_t *v)
{
	uint64_t x;
	int rc = get_be(r, &x, 2);

	*v = (uint16_t)x;
	return rc;
}

int
wire_get_u32(struct wire_in *r, uint32_t *v)
{
	uint64_t x;
	int rc = get_be(r, &x, 4);

	*v = (uint32_t)x;
	return rc;
}

int
wire_get_u64(struct wire_in *r, uint64_t *v)
{
	return get_be(r, v, 8);
}

int
wire_get_i64(struct wire_in *r, int64_t *v)
{
	uint64_t x;
	int rc = get_be(r, &x, 8);

	*v = (int64_t)x;
	return rc;
}

/*
 * Length of the well-formed UTF-8 sequence at p, or 0 (RFC 3629 section 4).
 */
static size_t
utf8_len(const uint8_t *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	if (left < 2 || (p[1] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	if (left < 3 || (p[2] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xf0)
		return 3;
	return left >= 4 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
}

/*
 * How many bytes at the front are printable ASCII, in steps of eight; what
 * comes after is looked at byte by byte.  Nearly every string is nothing else,
 * and every string passes here.  A byte is below 0x20, 0x7f or above when one of
 * the three has its top bit set; borrow and carry come from such bytes only.
 */
static size_t
plain_prefix(const uint8_t *p, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t v;
	size_t n;

	for (n = 0; len - n >= sizeof(v); n += sizeof(v)) {
		memcpy(&v, p + n, sizeof(v));
		if ((v | (v - 0x20 * ones) | (v + ones)) & 0x80 * ones)
			break;
	}
	return n;
}

int
wire_is_utf8(const uint8_t *p, size_t len)
{
	size_t n = plain_prefix(p, len);

	for (p += n, len -= n; len > 0; p += n, len -= n)
		if ((n = utf8_len(p, len)) == 0)
			return 0;
	return 1;
}

static int
get_string(struct wire_in *r, const char **s, size_t max, int lines)
{
	const uint8_t *p;
	uint16_t len;
	size_t i;

	*s = "";
	if (wire_get_u16(r, &len))
		return -1;
	if (len > max || (p = take(r, (size_t)len + 1)) == NULL ||
	    p[len] != '\0')
		goto bad;
	i = plain_prefix(p, len);
	if (!wire_is_utf8(p + i, len - i))
		goto bad;
	for (; i < len; i++) {
		if (p[i] >= 0x20 && p[i] != 0x7f)
			continue;
		if (!lines || (p[i] != '\n' && p[i] != '\t'))
			goto bad;
	}
	*s = (const char *)p;
	return 0;
bad:
	r->err = -1;
	return -1;
}

int
wire_get_str(struct wire_in *r, const char **s, size_t max)
{
	return get_string(r, s, max, 0);
}

int
wire_get_text(struct wire_in *r, const char **s, size_t max)
{
	return get_string(r, s, max, 1);
}

int
wire_get_bytes(struct wire_in *r, struct wire_bytes *b, size_t max)
{
	const uint8_t *p;
	uint32_t len;

	b->p = NULL;
	b->len = 0;
	if (wire_get_u32(r, &len))
		return -1;
	if (len > max || (p = take(r, len)) == NULL) {
		r->err = -1;
		return -1;
	}
	b->p = p;
	b->len = len;
	return 0;
}

/* Count and length of a list, and its items as borrowed bytes. */
static int
get_list_head(struct wire_in *r, struct wire_list *l, uint32_t count)
{
	const uint8_t *p;
	uint32_t n, len;

	memset(l, 0, sizeof(*l));
	if (wire_get_u32(r, &n) || wire_get_u32(r, &len))
		return -1;
	if (n > count || (p = take(r, len)) == NULL) {
		r->err = -1;
		return -1;
	}
	l->count = n;
	l->items.p = p;
	l->items.len = len;
	return 0;
}

int
wire_get_strs(
    struct wire_in *r, struct wire_list *l, uint32_t count, size_t max)
{
	struct wire_in in;
	const char *s;

	if (get_list_head(r, l, count))
		return -1;
	in = wire_list_open(l);
	for (uint32_t i = 0; i < l->count; i++)
		wire_get_str(&in, &s, max);
	if (wire_end(&in)) {
		memset(l, 0, sizeof(*l));
		r->err = -1;
	}
	return r->err;
}

int
wire_get_list(struct wire_in *r, struct wire_list *l, uint32_t count,
    int (*skip)(struct wire_in *))
{
	struct wire_in in;

	if (get_list_head(r, l, count))
		return -1;
	in = wire_list_open(l);
	for (uint32_t i = 0; i < l->count; i++)
		skip(&in);
	if (wire_end(&in)) {
		memset(l, 0, sizeof(*l));
		r->err = -1;
	}
	return r->err;
}

int
wire_end(const struct wire_in *r)
{
	return r->err == 0 && r->p == r->end ? 0 : -1;
}

struct wire_in
wire_list_open(const struct wire_list *l)
{
	struct wire_in in = {l->items.p, l->items.p, 0};

	if (l->items.len)
		in.end += l->items.len;
	return in;
}

int
wire_next_str(struct wire_in *r, const char **s)
{
	if (r->err || r->p == r->end)
		return 0;
	return wire_get_str(r, s, UINT16_MAX) == 0;
}

struct wire_list
wire_list_of(const struct wire_out *w, uint32_t count)
{
	struct wire_list l = {count, {w->buf, w->len}};

	return l;
}

char *
wire_clean(char *dst, size_t cap, const char *src, size_t max)
{
	const uint8_t *p = (const uint8_t *)src;
	size_t left = src ? strlen(src) : 0, n, len = 0;

	if (cap == 0)
		return dst;
	if (max > cap - 1)
		max = cap - 1;
	for (; left > 0; p += n ? n : 1, left -= n ? n : 1) {
		n = utf8_len(p, left);
		if (len + (n ? n : 1) > max)
			break;
		if (n > 1)
			memcpy(dst + len, p, n);
		else
			dst[len] = n == 0             ? '?'
			    : *p < 0x20 || *p == 0x7f ? ' '
						      : (char)*p;
		len += n ? n : 1;
	}
	dst[len] = '\0';
	return dst;
}

char *
wire_clean_lines(char *dst, size_t cap, const char *src)
{
	size_t len;

	wire_clean(dst, cap, src, cap - 1);
	/* wire_clean() maps byte to byte up to the cut. */
	len = strlen(dst);
	for (size_t i = 0; i < len; i++)
		if (src[i] == '\n' || src[i] == '\t')
			dst[i] = src[i];
	return dst;
}

char *
wire_mend(char *s)
{
	size_t n = strlen(s), i = n;

	while (i > 0 && n - i < 3 && ((uint8_t)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i > 0 && (uint8_t)s[i - 1] >= 0xc0 &&
	    !wire_is_utf8((const uint8_t *)s + i - 1, n - i + 1))
		s[i - 1] = '\0';
	return s;
}
