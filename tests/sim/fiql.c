/*
 * fiql.c: parser and evaluator of FIQL as TOPdesk has it.  `;' binds tighter
 * than `,'; brackets group; values may be quoted with ' or ", with backslash
 * escapes inside; a bare value ends at a reserved character.  What the fields
 * are and where their values come from is the caller's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fiql.h"
#include "text.h"
#include "when.h"

#define RESERVED "'\"();,=!~<>"

struct parser {
	const char *p;
	const struct fiql_field *fields;
	char *why;
	size_t size;
	int depth;
};

static const struct {
	const char *text;
	enum fiql_op op;
} ops[] = {
    {"==", FIQL_EQ},
    {"!=", FIQL_NE},
    {"=gt=", FIQL_GT},
    {"=ge=", FIQL_GE},
    {"=lt=", FIQL_LT},
    {"=le=", FIQL_LE},
    {"=sw=", FIQL_SW},
    {"=in=", FIQL_IN},
    {"=out=", FIQL_OUT},
};

static struct fiql *fiql_or(struct parser *);

void
fiql_free(struct fiql *f)
{
	size_t i;

	if (f == NULL)
		return;
	fiql_free(f->left);
	fiql_free(f->right);
	for (i = 0; i < f->n; i++)
		free(f->texts[i]);
	free(f->texts);
	free(f->numbers);
	free(f);
}

static struct fiql *
fail(struct parser *ps, struct fiql *f, const char *what)
{
	if (*ps->why == '\0')
		(void)snprintf(ps->why, ps->size, "%s at '%.20s'", what, ps->p);
	fiql_free(f);
	return NULL;
}

/* One value, quoted or bare; NULL on a bad one. */
static char *
fiql_word(struct parser *ps, int *quoted)
{
	struct text t = {0};
	char q = *ps->p;
	size_t n;

	text_str(&t, "");
	*quoted = q == '\'' || q == '"';
	if (!*quoted) {
		n = strcspn(ps->p, RESERVED);
		text_add(&t, ps->p, n);
		ps->p += n;
		if (n == 0)
			text_free(&t);
		return t.b;
	}
	for (ps->p++; *ps->p != q; ps->p++) {
		if (*ps->p == '\\')
			ps->p++;
		if (*ps->p == '\0') {
			text_free(&t);
			return NULL;
		}
		text_add(&t, ps->p, 1);
	}
	ps->p++;
	return t.b;
}

static int
fiql_value_add(struct parser *ps, struct fiql *f)
{
	const enum fiql_type type = ps->fields[f->field].type;
	int64_t number = 0;
	int quoted, offset;
	char *end, *word = fiql_word(ps, &quoted);

	if (word == NULL)
		return -1;
	if (!quoted && strcmp(word, "null") == 0) {
		free(word);
		f->is_null = 1;
		return f->op == FIQL_EQ || f->op == FIQL_NE ? 0 : -1;
	}
	if (type == FIQL_DATE &&
	    (when_parse(word, &number, &offset) == -1 || !offset))
		goto bad;
	if (type == FIQL_NUMBER) {
		number = strtoll(word, &end, 10);
		if (*end != '\0')
			goto bad;
	}
	if (type == FIQL_BOOL) {
		if (strcasecmp(word, "true") != 0 &&
		    strcasecmp(word, "false") != 0)
			goto bad;
		number = strcasecmp(word, "true") == 0;
	}
	f->texts = grow(f->texts, f->n + 1, sizeof(*f->texts));
	f->numbers = grow(f->numbers, f->n + 1, sizeof(*f->numbers));
	f->texts[f->n] = word;
	f->numbers[f->n++] = number;
	return 0;
bad:
	free(word);
	return -1;
}

static int
fiql_op_fits(enum fiql_op op, enum fiql_type type)
{
	if (op >= FIQL_GT && op <= FIQL_LE)
		return type == FIQL_DATE || type == FIQL_NUMBER;
	return op != FIQL_SW || type == FIQL_TEXT;
}

static struct fiql *
fiql_compare(struct parser *ps)
{
	struct fiql *f = zalloc(sizeof(*f));
	size_t n = strcspn(ps->p, RESERVED), i;

	for (f->field = 0; ps->fields[f->field].name != NULL; f->field++)
		if (strlen(ps->fields[f->field].name) == n &&
		    strncmp(ps->fields[f->field].name, ps->p, n) == 0)
			break;
	if (ps->fields[f->field].name == NULL)
		return fail(ps, f, "unknown field");
	ps->p += n;
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strncmp(ps->p, ops[i].text, strlen(ops[i].text)) == 0)
			break;
	if (i == sizeof(ops) / sizeof(ops[0]))
		return fail(ps, f, "unknown operator");
	f->op = ops[i].op;
	if (!fiql_op_fits(f->op, ps->fields[f->field].type))
		return fail(ps, f, "operator does not fit the field");
	ps->p += strlen(ops[i].text);
	if (f->op != FIQL_IN && f->op != FIQL_OUT)
		return fiql_value_add(ps, f) == -1 ? fail(ps, f, "bad value")
						   : f;
	if (*ps->p != '(')
		return fail(ps, f, "a list in brackets expected");
	do {
		ps->p++;
		if (fiql_value_add(ps, f) == -1)
			return fail(ps, f, "bad value");
	} while (*ps->p == ',');
	if (*ps->p != ')')
		return fail(ps, f, "unclosed list");
	ps->p++;
	return f;
}

static struct fiql *
fiql_primary(struct parser *ps)
{
	struct fiql *f;

	if (*ps->p != '(')
		return fiql_compare(ps);
	if (++ps->depth > 50)
		return fail(ps, NULL, "too deep");
	ps->p++;
	if ((f = fiql_or(ps)) == NULL)
		return NULL;
	if (*ps->p != ')')
		return fail(ps, f, "unclosed bracket");
	ps->p++;
	ps->depth--;
	return f;
}

static struct fiql *
fiql_join(enum fiql_op op, struct fiql *left, struct fiql *right)
{
	struct fiql *f;

	if (right == NULL) {
		fiql_free(left);
		return NULL;
	}
	f = zalloc(sizeof(*f));
	f->op = op;
	f->left = left;
	f->right = right;
	return f;
}

static struct fiql *
fiql_and(struct parser *ps)
{
	struct fiql *f = fiql_primary(ps);

	while (f != NULL && *ps->p == ';') {
		ps->p++;
		f = fiql_join(FIQL_AND, f, fiql_primary(ps));
	}
	return f;
}

static struct fiql *
fiql_or(struct parser *ps)
{
	struct fiql *f = fiql_and(ps);

	while (f != NULL && *ps->p == ',') {
		ps->p++;
		f = fiql_join(FIQL_OR, f, fiql_and(ps));
	}
	return f;
}

/* The query as a tree, or NULL with the reason in why. */
struct fiql *
fiql_parse(
    const char *query, const struct fiql_field *fields, char *why, size_t size)
{
	struct parser ps = {query, fields, why, size, 0};
	struct fiql *f;

	*why = '\0';
	f = fiql_or(&ps);
	if (f != NULL && *ps.p != '\0')
		return fail(&ps, f, "something is left over");
	return f;
}

static int
fiql_one(const struct fiql *f, enum fiql_type type, const struct fiql_value *v)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		int64_t x = v->number, y = f->numbers[i];

		switch (f->op) {
		case FIQL_GT:
			return x > y;
		case FIQL_GE:
			return x >= y;
		case FIQL_LT:
			return x < y;
		case FIQL_LE:
			return x <= y;
		case FIQL_SW:
			return strncasecmp(v->text, f->texts[i],
				   strlen(f->texts[i])) == 0;
		default:
			if (type == FIQL_TEXT
				? strcasecmp(v->text, f->texts[i]) == 0
				: x == y)
				return 1;
		}
	}
	return 0;
}

int
fiql_match(const struct fiql *f, const struct fiql_field *fields, fiql_get get,
    const void *row)
{
	struct fiql_value v = {0};
	size_t i;
	int hit = 0;

	if (f->op == FIQL_AND)
		return fiql_match(f->left, fields, get, row) &&
		    fiql_match(f->right, fields, get, row);
	if (f->op == FIQL_OR)
		return fiql_match(f->left, fields, get, row) ||
		    fiql_match(f->right, fields, get, row);
	if (f->is_null)
		return (get(row, f->field, 0, &v) == 0) == (f->op == FIQL_EQ);
	for (i = 0; !hit && get(row, f->field, i, &v); i++)
		hit = fiql_one(f, fields[f->field].type, &v);
	return f->op == FIQL_NE || f->op == FIQL_OUT ? !hit : hit;
}
