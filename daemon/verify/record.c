/* record.c: see record.h. */
#include "verify/record.h"

#include <string.h>

#define SAFE_INTEGER ((UINT64_C(1) << 53) - 1) /* RFC 7493, section 2.2 */

enum type { TEXT, HASH, BOOT_ID, DIGITS, TIME, INTEGER };

/* The members that FORMAT names.  Others are let pass when they are canonical:
 * what they say is covered by the tree as well. */
static const struct member {
	const char *name;
	enum type type;
	int must;
} members[] = {
    {"after", HASH, 0},
    {"before", HASH, 0},
    {"booking", HASH, 0},
    {"boot_id", BOOT_ID, 1},
    {"boottime", TIME, 1},
    {"code", INTEGER, 1},
    {"event", TEXT, 1},
    {"index", INTEGER, 1},
    {"lease", DIGITS, 0},
    {"pid", INTEGER, 1},
    {"process", TEXT, 1},
    {"realtime", TIME, 1},
    {"remote", TEXT, 0},
    {"request_id", TEXT, 0},
    {"room", TEXT, 0},
    {"status", INTEGER, 0},
    {"text", TEXT, 0},
    {"uid", INTEGER, 1},
    {"upstream", TEXT, 0},
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

struct in {
	const uint8_t *p, *end;
	const char *why;
};

static int
wrong(struct in *in, const char *why)
{
	in->why = why;
	return -1;
}

static int
take(struct in *in, char c, const char *why)
{
	if (in->p == in->end || *in->p != (uint8_t)c)
		return wrong(in, why);
	in->p++;
	return 0;
}

/* --- strings ---------------------------------------------------------------------- */

/* One character beyond ASCII in its shortest form, no surrogate (RFC 3629). */
static int
take_utf8(struct in *in)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t c = *in->p;
	int n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	uint32_t v;

	if (c < 0xc2 || c > 0xf4 || in->end - in->p < n)
		return wrong(in, "bytes that are no UTF-8");
	v = c & (0x7fu >> n);
	for (int i = 1; i < n; i++) {
		if ((in->p[i] & 0xc0) != 0x80)
			return wrong(in, "bytes that are no UTF-8");
		v = v << 6 | (in->p[i] & 0x3fu);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return wrong(in, "bytes that are no UTF-8");
	in->p += n;
	return 0;
}

/* RFC 8785, section 3.2.2.2: one way to write each character that must be
 * escaped, and no other is. */
static int
take_escape(struct in *in)
{
	static const char why[] = "an escape that is not canonical";
	const uint8_t *p = in->p + 1;
	int v;

	if (p < in->end && *p != 0 && strchr("\"\\bfnrt", *p)) {
		in->p += 2;
		return 0;
	}
	if (in->end - p < 5 || memcmp(p, "u00", 3) != 0 ||
	    (p[3] != '0' && p[3] != '1'))
		return wrong(in, why);
	if (p[4] >= '0' && p[4] <= '9')
		v = p[4] - '0';
	else if (p[4] >= 'a' && p[4] <= 'f')
		v = p[4] - 'a' + 10;
	else
		return wrong(in, why);
	if (p[3] == '0' && v >= 8 && v <= 13 && v != 11)
		return wrong(in, why); /* has a short form */
	in->p += 6;
	return 0;
}

static int
take_string(struct in *in, struct slice *s)
{
	if (take(in, '"', "no string where one belongs"))
		return -1;
	s->p = (const char *)in->p;
	while (in->p < in->end && *in->p != '"') {
		if (*in->p < 0x20)
			return wrong(in, "a control character");
		if (*in->p >= 0x80) {
			if (take_utf8(in))
				return -1;
		} else if (*in->p == '\\') {
			if (take_escape(in))
				return -1;
		} else
			in->p++;
	}
	s->n = (size_t)((const char *)in->p - s->p);
	return take(in, '"', "a string without an end");
}

/* --- numbers ---------------------------------------------------------------------- */

/* Decimal, no leading zero, up to most. */
static int
read_decimal(const char *p, size_t n, uint64_t most, uint64_t *v)
{
	uint64_t x = 0;

	if (n == 0 || n > 20 || (n > 1 && *p == '0'))
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(p[i] - '0');

		if (p[i] < '0' || p[i] > '9' || x > (most - d) / 10)
			return -1;
		x = x * 10 + d;
	}
	*v = x;
	return 0;
}

static int
take_integer(struct in *in, uint64_t *v)
{
	const uint8_t *from = in->p;

	while (in->p < in->end && *in->p >= '0' && *in->p <= '9')
		in->p++;
	if (read_decimal(
		(const char *)from, (size_t)(in->p - from), SAFE_INTEGER, v))
		return wrong(in, "a number that is not canonical");
	return 0;
}

/* --- values ------------------------------------------------------------------------ */

static int
is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') ||
			(p[i] >= 'a' && p[i] <= 'f')))
			return 0;
	return 1;
}

static int
is_boot_id(struct slice s)
{
	return s.n == 36 && is_hex(s.p, 8) && s.p[8] == '-' &&
	    is_hex(s.p + 9, 4) && s.p[13] == '-' && is_hex(s.p + 14, 4) &&
	    s.p[18] == '-' && is_hex(s.p + 19, 4) && s.p[23] == '-' &&
	    is_hex(s.p + 24, 12);
}

static int
check_string(struct in *in, enum type type, struct slice s, uint64_t *v)
{
	if (s.n == 0)
		return wrong(in, "an empty member, which should be absent");
	switch (type) {
	case HASH:
		return s.n == 64 && is_hex(s.p, 64)
		    ? 0
		    : wrong(in, "a commitment that is not 64 hex digits");
	case BOOT_ID:
		return is_boot_id(s) ? 0 : wrong(in, "no boot_id");
	case DIGITS:
	case TIME: /* signed in every program that will read it */
		return read_decimal(
			   s.p, s.n, type == TIME ? INT64_MAX : UINT64_MAX, v)
		    ? wrong(in, "a number in a string that is not canonical")
		    : 0;
	case INTEGER:
		return wrong(in, "a string where a number belongs");
	default:
		return 0;
	}
}

static int
take_value(struct in *in, const struct member *m, struct slice *s, uint64_t *v)
{
	if (in->p < in->end && *in->p == '"') {
		if (take_string(in, s))
			return -1;
		return m ? check_string(in, m->type, *s, v) : 0;
	}
	if (take_integer(in, v))
		return -1;
	return m && m->type != INTEGER
	    ? wrong(in, "a number where a string belongs")
	    : 0;
}

static const struct member *
find_member(struct slice name)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (slice_is(name, members[i].name))
			return &members[i];
	return NULL;
}

static void
keep(struct record *r, const char *name, struct slice s, uint64_t v)
{
	if (strcmp(name, "index") == 0)
		r->index = v;
	else if (strcmp(name, "code") == 0)
		r->code = v;
	else if (strcmp(name, "realtime") == 0)
		r->realtime = (int64_t)v;
	else if (strcmp(name, "boottime") == 0)
		r->boottime = (int64_t)v;
	else if (strcmp(name, "boot_id") == 0)
		r->boot_id = s;
	else if (strcmp(name, "booking") == 0)
		r->booking = s;
	else if (strcmp(name, "event") == 0)
		r->event = s;
	else if (strcmp(name, "process") == 0)
		r->process = s;
}

/* Names are of a-z, 0-9 and "_": there the order of bytes is that of UTF-16
 * code units, which RFC 8785, section 3.2.3 asks for. */
static int
name_is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && s.p[i] != '_' &&
		    !(s.p[i] >= '0' && s.p[i] <= '9'))
			return 0;
	return s.n > 0;
}

static int
rises(struct slice a, struct slice b)
{
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return d < 0 || (d == 0 && a.n < b.n);
}

static int
take_member(struct in *in, struct slice *last, struct record *r, uint32_t *seen)
{
	struct slice name, s = {NULL, 0};
	const struct member *m;
	uint64_t v = 0;

	if (take_string(in, &name))
		return -1;
	if (!name_is_plain(name))
		return wrong(in, "a member's name that FORMAT excludes");
	if (last->p && !rises(*last, name))
		return wrong(in, "members that are not sorted, or twice there");
	*last = name;
	m = find_member(name);
	if (take(in, ':', "no colon after a name") || take_value(in, m, &s, &v))
		return -1;
	if (m) {
		*seen |= 1u << (m - members);
		keep(r, m->name, s, v);
	}
	return 0;
}

static int
read_object(struct in *in, struct record *r)
{
	struct slice last = {NULL, 0};
	uint32_t seen = 0;

	if (take(in, '{', "no object"))
		return -1;
	do {
		if (take_member(in, &last, r, &seen))
			return -1;
	} while (in->p < in->end && *in->p == ',' && in->p++);
	if (take(in, '}', "an object without an end"))
		return -1;
	if (in->p != in->end)
		return wrong(in, "bytes after the object");
	for (size_t i = 0; i < MEMBERS; i++)
		if (members[i].must && (seen & 1u << i) == 0)
			return wrong(in, "a member that must be there is not");
	return 0;
}

int
record_read(const uint8_t *p, size_t n, struct record *r, const char **why,
    size_t *where)
{
	struct in in = {p, p + n, NULL};

	memset(r, 0, sizeof(*r));
	if (read_object(&in, r) == 0)
		return 0;
	*why = in.why;
	*where = (size_t)(in.p - p);
	return -1;
}

int
slice_is(struct slice s, const char *word)
{
	return s.p && strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

int
slice_ends(struct slice s, const char *tail)
{
	size_t n = strlen(tail);

	return s.p && s.n >= n && memcmp(s.p + s.n - n, tail, n) == 0;
}
