/*
 * project.c: see project.h.  A byte-wise automaton over a stack of frames, one
 * a container that is open.  out holds the projection of what is open: an
 * element that is handed out is cut off its end again.
 */
#include "fetchd/adapter/project.h"

#include <stdio.h>
#include <string.h>

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

	if (p->too_big || strbuf_add(&p->out, s, n) == 0)
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
	if (f->comma)
		emit(p, ",", 1);
	f->comma = 1;
	emit(p, "\"", 1);
	emit(p, row->name, strlen(row->name));
	emit(p, "\":", 2);
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

/* The member whose name has just been read: which row is it? */
static int
name_close(struct project *p)
{
	struct project_frame *f = top(p);

	p->row = NULL;
	p->state = COLON;
	if (f->members == NULL || p->name_len > PROJECT_NAME)
		return 0;
	p->name[p->name_len] = '\0';
	for (int i = 0; f->members[i].name; i++) {
		if (strcmp(f->members[i].name, p->name) != 0)
			continue;
		if (f->seen & UINT64_C(1) << i)
			return fail(p, "a member comes twice in one object");
		f->seen |= UINT64_C(1) << i;
		p->row = &f->members[i];
		break;
	}
	return 0;
}

/* Runs to the byte that ends the run, or to the end. */
static const uint8_t *
string_run(const uint8_t *s, const uint8_t *end)
{
	while (s < end && *s != '"' && *s != '\\' && *s >= 0x20)
		s++;
	return s;
}

/* In a name or a string value; returns how far it got, NULL on error. */
static const uint8_t *
in_string(struct project *p, const uint8_t *s, const uint8_t *end)
{
	const uint8_t *run = s;

	if (p->escaped) {
		p->escaped = 0;
		if (*s < 0x20)
			goto control;
		s++;
		goto copy;
	}
	s = string_run(s, end);
	if (s == run && *s == '\\') {
		p->escaped = 1;
		s++;
	} else if (s == run && *s == '"') {
		if (p->state == IN_NAME)
			return name_close(p) ? NULL : s + 1;
		if (p->scalar_copied && emit(p, "\"", 1))
			return NULL;
		p->state = AFTER;
		return s + 1;
	} else if (s == run)
		goto control;
copy:
	if (p->state == STRING && p->scalar_copied) {
		slot_add(p, run, (size_t)(s - run));
		return emit(p, run, (size_t)(s - run)) ? NULL : s;
	}
	if (p->state == IN_NAME) {
		if (p->escaped || (size_t)(s - run) > PROJECT_NAME ||
		    p->name_len + (size_t)(s - run) > PROJECT_NAME)
			p->name_len = PROJECT_NAME + 1;
		else {
			memcpy(p->name + p->name_len, run, (size_t)(s - run));
			p->name_len += (size_t)(s - run);
		}
	}
	return s;
control:
	fail(p, "a control character in a string");
	return NULL;
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
