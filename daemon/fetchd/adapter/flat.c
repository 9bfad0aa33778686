/* flat.c: see flat.h. */
#include "fetchd/adapter/flat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/jstr.h"

/* Memory for text that is kept from one element to the next. */
#define KEEP (16 * 1024)
#define NUMBER_MAX 64

struct reader {
	struct flat *f;
	const char *s, *end; /* *end is NUL, which nothing accepts */
	char *to;
};

void
flat_free(struct flat *f)
{
	free(f->text);
	memset(f, 0, sizeof(*f));
}

const char *
flat_string(const struct flat *f, int field)
{
	return f->v[field].kind == FLAT_STRING ? f->v[field].text : NULL;
}

const char *
flat_text(const struct flat *f, int field)
{
	const char *s = flat_string(f, field);

	return s ? s : "";
}

int
flat_is_true(const struct flat *f, int field)
{
	return f->v[field].kind == FLAT_TRUE;
}

int64_t
flat_integer(const struct flat *f, int field)
{
	return f->v[field].kind == FLAT_INTEGER
	    ? strtoll(f->v[field].text, NULL, 10)
	    : 0;
}

static void
record(struct reader *r, const struct project_member *row, enum flat_kind kind,
    const char *text)
{
	if (row && row->field > 0 && row->field < FLAT_FIELDS)
		r->f->v[row->field] = (struct flat_value){kind, text};
}

static int
string(struct reader *r, const struct project_member *row)
{
	const char *at;
	size_t n;

	if ((at = jstr_get(r->s + 1, r->end, r->to, &n)) == NULL)
		return -1;
	r->s = at + 1;
	record(r, row, FLAT_STRING, r->to);
	r->to += n + 1;
	return 0;
}

static const char *
digits(const char *s)
{
	while (*s >= '0' && *s <= '9')
		s++;
	return s;
}

/* A number with nothing behind it, of a size that can be held. */
static int
number(const char *text, enum flat_kind *kind)
{
	const char *s = text + (*text == '-'), *from = s;
	double v;

	s = digits(s);
	if (s == from || (*from == '0' && s > from + 1))
		return -1;
	*kind = *s == '\0' ? FLAT_INTEGER : FLAT_REAL;
	errno = 0;
	if (*kind == FLAT_INTEGER) {
		(void)strtoll(text, NULL, 10);
		return errno == ERANGE ? -1 : 0;
	}
	if (*s == '.') {
		from = ++s;
		if ((s = digits(s)) == from)
			return -1;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '+' || *s == '-')
			s++;
		from = s;
		if ((s = digits(s)) == from)
			return -1;
	}
	if (*s != '\0')
		return -1;
	v = strtod(text, NULL);
	return errno == ERANGE && (v >= HUGE_VAL || v <= -HUGE_VAL) ? -1 : 0;
}

/* A number or a literal, up to the structure behind it. */
static int
atom(struct reader *r, const struct project_member *row)
{
	size_t n = strcspn(r->s, ",}]");
	enum flat_kind kind;

	if (n == 0 || n > NUMBER_MAX || n > (size_t)(r->end - r->s))
		return -1;
	memcpy(r->to, r->s, n);
	r->to[n] = '\0';
	r->s += n;
	if (strcmp(r->to, "true") == 0)
		record(r, row, FLAT_TRUE, NULL);
	else if (strcmp(r->to, "false") == 0)
		record(r, row, FLAT_FALSE, NULL);
	else if (strcmp(r->to, "null") == 0)
		record(r, row, FLAT_NULL, NULL);
	else if (number(r->to, &kind))
		return -1;
	else {
		record(r, row, kind, r->to);
		r->to += n + 1;
	}
	return 0;
}

/*
 * Which row a name is; the search begins behind the row before, since members
 * come in much the same order.  -1 when there is no name.
 */
static int
name(struct reader *r, const struct project_member *members,
    const struct project_member **last, const struct project_member **row)
{
	const struct project_member *m = *last;
	const char *s = r->s + 1, *at;
	size_t n;

	*row = NULL;
	if (*r->s != '"' ||
	    (at = memchr(s, '"', (size_t)(r->end - s))) == NULL || at[1] != ':')
		return -1;
	r->s = at + 2;
	if (members == NULL)
		return 0;
	n = (size_t)(at - s);
	do {
		if (m->name == NULL) {
			m = members;
			continue;
		}
		if (strncmp(m->name, s, n) == 0 && strlen(m->name) == n) {
			*row = m;
			*last = m + 1;
			return 0;
		}
		m++;
	} while (m != *last);
	return 0;
}

static int value(struct reader *, const struct project_member *row, int depth);

/* The rest of a container, elements of an array or members; behind its
 * bracket. */
static int
container(struct reader *r, const struct project_member *members, char close,
    int depth)
{
	const struct project_member *last = members, *row = NULL;

	if (depth > PROJECT_DEPTH)
		return -1;
	if (*r->s == close) {
		r->s++;
		return 0;
	}
	for (;;) {
		if (close == '}' && name(r, members, &last, &row))
			return -1;
		if (value(r, row, depth))
			return -1;
		if (*r->s == close) {
			r->s++;
			return 0;
		}
		if (*r->s++ != ',')
			return -1;
	}
}

static int
value(struct reader *r, const struct project_member *row, int depth)
{
	switch (*r->s) {
	case '"':
		return string(r, row);
	case '{':
		record(r, row, FLAT_CONTAINER, NULL);
		r->s++;
		return container(r, row ? row->members : NULL, '}', depth + 1);
	case '[':
		record(r, row, FLAT_CONTAINER, NULL);
		r->s++;
		return container(r, NULL, ']', depth + 1);
	default:
		return atom(r, row);
	}
}

int
flat_read(struct flat *f, const struct project_member *members,
    const char *json, size_t len)
{
	struct reader r = {f, json, json + len, NULL};
	struct project_member root = {"", PROJECT_OBJECT, 0, members, 0};

	memset(f->v, 0, sizeof(f->v));
	/* Decoded, nothing is longer, and each text's NUL has the place of a
	 * quote or of the structure behind it. */
	if (f->cap <= len || f->cap > KEEP) {
		free(f->text);
		f->cap = len < 1024 ? 1024 : len + 1;
		if ((f->text = malloc(f->cap)) == NULL)
			f->cap = 0;
	}
	r.to = f->text;
	if (f->text && (*json == '{' || *json == '[') &&
	    value(&r, &root, 0) == 0 && r.s == r.end)
		return 0;
	memset(f->v, 0, sizeof(f->v));
	return -1;
}
