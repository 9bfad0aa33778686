/*
 * record.c: see record.h.  The writer and the checker of canonical JSON; both
 * know only what a record needs: one flat object of strings and integers.
 */
#include "ledgerd/record.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/events.h"

#define SAFE_INTEGER (UINT64_C(1) << 53) /* RFC 7493, section 2.2 */

static int
hash_or_none(struct wire_bytes b)
{
	return b.len == 0 || b.len == 32;
}

int
record_permitted(const struct record *r, enum upstream own)
{
	if (event_find(r->event) == NULL || r->upstream >= UPSTREAM_COUNT)
		return -1;
	if (own != UPSTREAM_NONE && r->upstream != UPSTREAM_NONE &&
	    r->upstream != own)
		return -1;
	return hash_or_none(r->booking) && hash_or_none(r->before) &&
		hash_or_none(r->after)
	    ? 0
	    : -1;
}

/* --- writing ----------------------------------------------------------------- */

struct out {
	char *p, *end; /* p == NULL: it did not fit */
};

static void
put(struct out *o, const char *s, size_t n)
{
	if (o->p == NULL || (size_t)(o->end - o->p) < n) {
		o->p = NULL;
		return;
	}
	memcpy(o->p, s, n);
	o->p += n;
}

static void
put_name(struct out *o, const char *name)
{
	put(o, o->p && o->p[-1] == '{' ? "\"" : ",\"",
	    o->p && o->p[-1] == '{' ? 1 : 2);
	put(o, name, strlen(name));
	put(o, "\":", 2);
}

/* RFC 8785, section 3.2.2.2.  The cursor has let no control character in, so
 * that two characters are left that must be escaped. */
static void
put_text(struct out *o, const char *name, const char *s)
{
	size_t n;

	if (s == NULL || *s == '\0')
		return;
	put_name(o, name);
	put(o, "\"", 1);
	while (*s) {
		n = strcspn(s, "\"\\");
		put(o, s, n);
		s += n;
		if (*s == '\0')
			break;
		put(o, "\\", 1);
		put(o, s++, 1);
	}
	put(o, "\"", 1);
}

static void
put_integer(struct out *o, const char *name, uint64_t v)
{
	char s[24];

	put_name(o, name);
	put(o, s, (size_t)snprintf(s, sizeof(s), "%" PRIu64, v));
}

/* Of integers that a double cannot hold. */
static void
put_digits(struct out *o, const char *name, uint64_t v)
{
	char s[24];

	snprintf(s, sizeof(s), "%" PRIu64, v);
	put_text(o, name, s);
}

static void
put_hex(struct out *o, const char *name, struct wire_bytes b)
{
	static const char digit[] = "0123456789abcdef";
	char s[2 * 32 + 1];
	size_t i;

	for (i = 0; i < b.len && i < 32; i++) {
		s[2 * i] = digit[b.p[i] >> 4];
		s[2 * i + 1] = digit[b.p[i] & 15];
	}
	s[2 * i] = '\0';
	put_text(o, name, s);
}

size_t
record_canonical(const struct provenance *v, const struct record *r, char *buf)
{
	struct out o = {buf, buf + RECORD_MAX};
	const struct event_info *ev = event_find(r->event);
	char text[640]; /* a mask can be longer than what it hides */

	put(&o, "{", 1);
	put_hex(&o, "after", r->after);
	put_hex(&o, "before", r->before);
	put_hex(&o, "booking", r->booking);
	put_text(&o, "boot_id", v->boot_id); /* k < t, _ < t */
	put_digits(&o, "boottime", (uint64_t)v->boottime);
	put_integer(&o, "code", r->event);
	put_text(&o, "event", ev ? ev->name : "?");
	put_integer(&o, "index", v->index);
	if (r->lease)
		put_digits(&o, "lease", r->lease);
	put_integer(&o, "pid", (uint64_t)v->pid);
	put_text(&o, "process", v->process);
	put_digits(&o, "realtime", (uint64_t)v->realtime);
	put_text(&o, "remote", r->remote_id);
	put_text(&o, "request_id", r->request_id);
	put_text(&o, "room", r->room);
	if (r->status)
		put_integer(&o, "status", r->status);
	put_text(&o, "text", record_mask(text, sizeof(text), r->text));
	put_integer(&o, "uid", v->uid);
	if (r->upstream != UPSTREAM_NONE)
		put_text(&o, "upstream", upstream_name(r->upstream));
	put(&o, "}", 1);
	return o.p ? (size_t)(o.p - buf) : 0;
}

/* --- addresses ------------------------------------------------------------------ */

static int
in_local_part(unsigned char c)
{
	return isalnum(c) || strchr(".!#$%&'*+-/=?^_`{|}~", c) || c >= 0x80;
}

static int
in_domain(unsigned char c)
{
	return isalnum(c) || c == '.' || c == '-' || c >= 0x80;
}

char *
record_mask(char *dst, size_t cap, const char *s)
{
	static const char mask[] = "[address]";
	size_t n = 0, local = 0,
	       len; /* local: where a local part would begin */

	for (; s && *s && n + 1 < cap; s++) {
		for (len = 0;
		     *s == '@' && in_domain((unsigned char)s[1 + len]);)
			len++;
		if (len > 0 && n > local && memchr(s + 1, '.', len)) {
			n = local;
			snprintf(dst + n, cap - n, "%s", mask);
			n += strlen(dst + n);
			local = n;
			s += len;
			continue;
		}
		dst[n++] = *s;
		if (!in_local_part((unsigned char)*s))
			local = n;
	}
	dst[n] = '\0';
	return dst;
}

/* --- checking --------------------------------------------------------------------- */

struct in {
	const uint8_t *p, *end;
};

static int
take(struct in *i, char c)
{
	if (i->p == i->end || *i->p != (uint8_t)c)
		return -1;
	i->p++;
	return 0;
}

/* A string as put_text() writes it; *s and *n get what is between the quotes,
 * still escaped. */
static int
take_string(struct in *i, const uint8_t **s, size_t *n)
{
	if (take(i, '"'))
		return -1;
	for (*s = i->p; i->p < i->end && *i->p != '"'; i->p++) {
		if (*i->p < 0x20)
			return -1;
		if (*i->p == '\\' &&
		    (++i->p == i->end || (*i->p != '"' && *i->p != '\\')))
			return -1;
	}
	*n = (size_t)(i->p - *s);
	return wire_is_utf8(*s, *n) ? take(i, '"') : -1;
}

static int
take_integer(struct in *i, uint64_t *v)
{
	const uint8_t *from = i->p;

	for (*v = 0; i->p < i->end && isdigit(*i->p); i->p++)
		if ((*v = *v * 10 + (uint64_t)(*i->p - '0')) >= SAFE_INTEGER)
			return -1;
	if (i->p == from || (*from == '0' && i->p - from > 1))
		return -1;
	return 0;
}

/* Names stand in rising order, so that none stands twice. */
static int
rises(const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	int d = memcmp(a, b, an < bn ? an : bn);

	return d < 0 || (d == 0 && an < bn);
}

int
record_check(const uint8_t *p, size_t len, uint64_t index)
{
	struct in i = {p, p + len};
	const uint8_t *name, *last = p, *s;
	size_t n, lastn = 0, sn;
	uint64_t v;
	int found = 0;

	if (len > RECORD_MAX || take(&i, '{'))
		return -1;
	do {
		if (take_string(&i, &name, &n) || take(&i, ':') ||
		    !rises(last, lastn, name, n))
			return -1;
		if (i.p < i.end && *i.p == '"') {
			if (take_string(&i, &s, &sn))
				return -1;
		} else if (take_integer(&i, &v))
			return -1;
		else if (n == 5 && memcmp(name, "index", 5) == 0)
			found = v == index;
		last = name;
		lastn = n;
	} while (take(&i, ',') == 0);
	return take(&i, '}') == 0 && i.p == i.end && found ? 0 : -1;
}
