/*
 * fiql.h: the query language of TOPdesk, over any kind of row.
 */
#ifndef ORB_SIM_FIQL_H
#define ORB_SIM_FIQL_H

#include <stddef.h>
#include <stdint.h>

enum fiql_type { FIQL_TEXT, FIQL_DATE, FIQL_NUMBER, FIQL_BOOL };
enum fiql_op {
	FIQL_EQ,
	FIQL_NE,
	FIQL_GT,
	FIQL_GE,
	FIQL_LT,
	FIQL_LE,
	FIQL_SW,
	FIQL_IN,
	FIQL_OUT,
	FIQL_AND,
	FIQL_OR
};

struct fiql_field {
	const char *name;
	enum fiql_type type;
};

struct fiql_value {
	const char *text;
	int64_t number; /* dates, numbers, booleans */
};

struct fiql {
	enum fiql_op op;
	struct fiql *left; /* of and, or */
	struct fiql *right;
	int field;
	int is_null;
	char **texts;
	int64_t *numbers;
	size_t n;
};

/* The nth value of a field of a row: 1, or 0 when there are no more. */
typedef int (*fiql_get)(const void *, int, size_t, struct fiql_value *);

struct fiql *fiql_parse(
    const char *, const struct fiql_field *, char *, size_t);
int fiql_match(
    const struct fiql *, const struct fiql_field *, fiql_get, const void *);
void fiql_free(struct fiql *);

#endif
