/*
 * project.c: see project.h.  A byte-wise automaton over a stack of frames, one
 * a container that is open.  out holds the projection of what is open: an
 * element that is handed out is cut off its end again.
 */
#include "fetchd/adapter/project.h"

#include <stdio.h>
#include <string.h>

#include "fetchd/adapter/jstr.h"

#define ATOM_MAX 64

enum state {
	VALUE,        /* a value must come */
	VALUE_OR_END, /* after "[" */
	NAME_OR_END,  /* after "{" */
	NAME,         /* after "," in an object */
	IN_NAME,
	COLON,
	AFTER,  /* after a value: "," or the end of its container */
	STRING, /* in a string value */
	ATOM,   /* in a number or a literal */
	DONE,
	BROKEN
};

static int
fail(struct project *p, const char *why)
{
	if (p->error == NULL)
		p->error = why;
	p->state = BROKEN;
	return -1;
}

static struct project_frame *
top(struct project *p)
{
	return p->depth > 0 ? &p->stack[p->depth - 1] : NULL;
}

void
project_init(struct project *p, const struct project_member *root,
    project_fn fn, void *arg)
{
	memset(p, 0, sizeof(*p));
	p->root = root;
	p->fn = fn;
	p->arg = arg;
	p->state = VALUE;
	strbuf_init(&p->out, PROJECT_MAX);
}

void
project_free(struct project *p)
{
	strbuf_free(&p->out);
	p->state = BROKEN;
}

const char *
project_slot(const struct project *p, int slot)
{
	return p->slot[slot - 1];
}

/*
 * Adds to the projection.  What does not fit takes the innermost element that
 * is handed out with it: that one is dropped, the rest goes on.
 */
static int
emit(struct project *p, const void *s, size_t n)
{
	int i;

	if (p->too_big)
		return 0;
	if (n < p->out.cap - p->out.len && n <= p->out.max - p->out.len &&
	    !p->out.err) {
		memcpy(p->out.p + p->out.len, s, n);
		p->out.len += n;
		p->out.p[p->out.len] = '\0';
		return 0;
	}
	if (strbuf_add(&p->out, s, n) == 0)
		return 0;
	for (i = p->depth - 1; i >= 0; i--)
		if (p->stack[i].handed)
			break;
	if (i < 0)
		return fail(p, "the answer is larger than ORB reads");
	p->out.err = 0;
	strbuf_cut(&p->out, p->stack[i].start);
	p->too_big = p->stack[i].level;
	return 0;
}

/* The member's name, with its comma: once it is known that a value follows. */
static void
emit_name(struct project *p, struct project_frame *f,
    const struct project_member *row)
{
	char text[PROJECT_NAME + 4], *t = text;
	size_t n = strlen(row->name);

	if (f->comma)
		*t++ = ',';
	f->comma = 1;
	*t++ = '"';
	memcpy(t, row->name, n);
	t += n;
	*t++ = '"';
	*t++ = ':';
	emit(p, text, (size_t)(t - text));
}

static void
slot_start(struct project *p)
{
	p->slot_len = 0;
	if (p->row && p->row->slot)
		p->slot[p->row->slot - 1][0] = '\0';
}

static void
slot_add(struct project *p, const uint8_t *s, size_t n)
{
	char *to;

	if (p->row == NULL || p->row->slot == 0)
		return;
	to = p->slot[p->row->slot - 1];
	if (n > PROJECT_SLOT_MAX - p->slot_len)
		n = PROJECT_SLOT_MAX - p->slot_len;
	memcpy(to + p->slot_len, s, n);
	p->slot_len += n;
	to[p->slot_len] = '\0';
}

/* A scalar begins: is it one that is copied? */
static void
scalar_open(struct project *p, int string)
{
	struct project_frame *f = top(p);

	p->scalar_copied =
	    f && !f->array && p->row && p->row->kind == PROJECT_SCALAR;
	p->slot_len = 0;
	p->escaped = 0;
	if (!p->scalar_copied)
		return;
	slot_start(p);
	emit_name(p, f, p->row);
	if (string)
		emit(p, "\"", 1);
}

/* Pushes the frame of a container that begins with c ("{" or "["). */
static int
container_open(struct project *p, char c)
{
	struct project_frame *f = top(p), n;
	const struct project_member *row = f && f->array ? NULL
	    : f                                          ? p->row
							 : p->root;

	if (p->depth == PROJECT_DEPTH)
		return fail(p, "the answer is nested too deeply");
	memset(&n, 0, sizeof(n));
	n.array = c == '[';
	n.level = f ? f->level : 0;
	if (f && f->array) {
		/* An element: of a stream, of an array of objects, or dropped. */
		n.members = n.array ? NULL : f->members;
		n.handed = f->stream && n.members;
		n.level = (uint8_t)(f->level + n.handed);
		n.start = p->out.len;
		if (n.members && !n.handed && f->comma)
			emit(p, ",", 1);
		if (n.members)
			f->comma = 1;
		if (n.handed && n.level == 1)
			memset(p->slot, 0, sizeof(p->slot));
	} else if (row && row->kind == PROJECT_OBJECT) {
		n.members = row->members;
		if (f)
			emit_name(p, f, row);
	} else if (row && row->kind == PROJECT_STREAM && n.array) {
		n.members = row->members;
		n.stream = 1;
	} else if (row && row->kind == PROJECT_COUNT && n.array) {
		n.counted = 1;
		/* The parent's row is needed again at the end. */
		n.members = NULL;
		emit_name(p, f, row);
	}
	if (n.members && !n.stream)
		emit(p, &c, 1);
	p->stack[p->depth++] = n;
	p->row = NULL;
	p->state = c == '{' ? NAME_OR_END : VALUE_OR_END;
	return p->error ? -1 : 0;
}

static int
hand_out(struct project *p, const struct project_frame *f)
{
	int big = p->too_big == f->level, rc;

	if (p->too_big && !big)
		return 0; /* inside one that is dropped */
	rc = p->fn(p->arg, f->level, big ? NULL : p->out.p + f->start,
	    big ? 0 : p->out.len - f->start);
	strbuf_cut(&p->out, f->start);
	p->too_big = 0;
	return rc ? fail(p, "the answer cannot be used") : 0;
}

static int
container_close(struct project *p, char c)
{
	struct project_frame f = *top(p);
	char count[12];

	if (f.array != (c == ']'))
		return fail(p, "brackets do not match");
	if (f.members && !f.stream)
		emit(p, &c, 1);
	if (f.counted) {
		snprintf(count, sizeof(count), "%u", f.count);
		emit(p, count, strlen(count));
	}
	if (f.handed && hand_out(p, &f))
		return -1;
	p->depth--;
	p->state = p->depth ? AFTER : DONE;
	return p->error ? -1 : 0;
}

/* The row of a name, -1 when there is none.  Members come in much the same
 * order as in the schema, so the search begins behind the one before. */
static int
row_find(struct project_frame *f, const char *name)
{
	const struct project_member *m = f->members;
	int i;

	for (i = f->next; m[i].name; i++)
		if (*m[i].name == *name && strcmp(m[i].name, name) == 0)
			goto found;
	for (i = 0; i < f->next; i++)
		if (*m[i].name == *name && strcmp(m[i].name, name) == 0)
			goto found;
	return -1;
found:
	f->next = (uint8_t)(i + 1);
	return i;
}

/* The member whose name has just been read: which row is it? */
static int
name_close(struct project *p)
{
	struct project_frame *f = top(p);
	int i;

	p->row = NULL;
	p->state = COLON;
	if (f->members == NULL || p->name_len > PROJECT_NAME)
		return 0;
	p->name[p->name_len] = '\0';
	if ((i = row_find(f, p->name)) < 0)
		return 0;
	if (f->seen & UINT64_C(1) << i)
		return fail(p, "a member comes twice in one object");
	f->seen |= UINT64_C(1) << i;
	p->row = &f->members[i];
	return 0;
}

/*
 * On to the quote that ends a string, or to the end of the chunk, over what is
 * escaped: it is copied as it is.  NULL: a control character.
 */
static const uint8_t *
string_rest(struct project *p, const uint8_t *s, const uint8_t *end)
{
	for (;;) {
		if (p->escaped && s < end) {
			if (*s++ < 0x20)
				return NULL;
			p->escaped = 0;
		}
		s = jstr_run(s, end);
		if (s == end || *s == '"')
			return s;
		if (*s != '\\')
			return NULL;
		p->escaped = 1;
		s++;
	}
}

/* A name with an escape in it is none that is looked for, nor a long one. */
static void
name_add(struct project *p, const uint8_t *s, size_t n)
{
	if (n > PROJECT_NAME || p->name_len + n > PROJECT_NAME ||
	    memchr(s, '\\', n))
		p->name_len = PROJECT_NAME + 1;
	else {
		memcpy(p->name + p->name_len, s, n);
		p->name_len += n;
	}
}

/* In a name or a string value; returns how far it got, NULL on error. */
static const uint8_t *
in_string(struct project *p, const uint8_t *s, const uint8_t *end)
{
	const uint8_t *at = string_rest(p, s, end);

	if (at == NULL) {
		fail(p, "a control character in a string");
		return NULL;
	}
	if (p->state == IN_NAME) {
		name_add(p, s, (size_t)(at - s));
		if (at == end)
			return at;
		return name_close(p) ? NULL : at + 1;
	}
	if (p->scalar_copied) {
		slot_add(p, s, (size_t)(at - s));
		if (emit(p, s, (size_t)(at - s) + (at < end)))
			return NULL;
	}
	if (at == end)
		return at;
	p->state = AFTER;
	return at + 1;
}

static int
atom_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' ||
	    c == '+' || c == '.' || c == 'E';
}

/* Takes the atom's bytes; the one after it is left for the next state. */
static const uint8_t *
in_atom(struct project *p, const uint8_t *s, const uint8_t *end)
{
	const uint8_t *run = s;

	while (s < end && atom_byte(*s))
		s++;
	p->name_len += (size_t)(s - run);
	if (p->name_len > ATOM_MAX) {
		fail(p, "a number or literal that is too long");
		return NULL;
	}
	if (p->scalar_copied && s > run) {
		slot_add(p, run, (size_t)(s - run));
		if (emit(p, run, (size_t)(s - run)))
			return NULL;
	}
	if (s < end)
		p->state = p->depth ? AFTER : DONE;
	return s;
}

/* The first byte of a value. */
static int
value_open(struct project *p, char c)
{
	struct project_frame *f = top(p);

	if (f && f->array)
		f->count++;
	if (c == '{' || c == '[')
		return container_open(p, c);
	if (f == NULL)
		return fail(p, "neither an object nor an array");
	if (c == '"') {
		scalar_open(p, 1);
		p->state = STRING;
	} else if (atom_byte((uint8_t)c)) {
		scalar_open(p, 0);
		p->name_len = 0;
		p->state = ATOM;
		in_atom(p, (const uint8_t *)&c, (const uint8_t *)&c + 1);
	} else
		return fail(p, "a value was expected");
	return p->error ? -1 : 0;
}

/* One byte that is structure, not inside a string or an atom. */
static int
structure(struct project *p, char c)
{
	switch (p->state) {
	case VALUE_OR_END:
		if (c == ']')
			return container_close(p, c);
		__attribute__((fallthrough));
	case VALUE:
		return value_open(p, c);
	case NAME_OR_END:
		if (c == '}')
			return container_close(p, c);
		__attribute__((fallthrough));
	case NAME:
		if (c != '"')
			return fail(p, "a member's name was expected");
		p->name_len = 0;
		p->escaped = 0;
		p->state = IN_NAME;
		return 0;
	case COLON:
		if (c != ':')
			return fail(p, "a colon was expected");
		p->state = VALUE;
		return 0;
	case AFTER:
		if (c == '}' || c == ']')
			return container_close(p, c);
		if (c != ',')
			return fail(p, "a comma was expected");
		p->state = top(p)->array ? VALUE : NAME;
		p->row = NULL;
		return 0;
	default:
		return fail(p, "more bytes after the end");
	}
}

int
project_feed(struct project *p, const void *data, size_t len)
{
	const uint8_t *s = data, *end = s + len;

	while (s < end && p->error == NULL) {
		if (p->state == STRING || p->state == IN_NAME)
			s = in_string(p, s, end);
		else if (p->state == ATOM)
			s = in_atom(p, s, end);
		else if (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t')
			s++;
		else if (structure(p, (char)*s++))
			return -1;
		if (s == NULL)
			return -1;
	}
	return p->error ? -1 : 0;
}

int
project_end(struct project *p)
{
	if (p->error)
		return -1;
	if (p->state != DONE)
		return fail(p, "the answer ends in the middle");
	p->state = BROKEN;
	/* A document that was one stream leaves nothing of its own. */
	if (p->out.len > 0 && p->fn(p->arg, 0, p->out.p, p->out.len))
		p->error = "the answer cannot be used";
	return p->error ? -1 : 0;
}
