/*
 * flat.h: what project.h copied out of an answer, as an array of values: no
 * tree is built.  Each row of a schema that has a field number gives the value
 * at that number; the strings are decoded into one piece of memory that is
 * used again for the next element.
 *
 * Here: decoding strings, telling numbers from what is none.  Not here: what
 * the fields mean (graph_event.c, topdesk_write.c).  What lies in an array is
 * read but recorded nowhere: where lists are wanted there is jansson.
 *
 * What is refused is what jansson refuses, as a whole: an element with one bad
 * escape in it is unreadable, not half of itself.
 */
#ifndef ORB_ADAPTER_FLAT_H
#define ORB_ADAPTER_FLAT_H

#include "fetchd/adapter/project.h"

#define FLAT_FIELDS 40

enum flat_kind {
	FLAT_ABSENT,
	FLAT_STRING,
	FLAT_INTEGER,
	FLAT_REAL,
	FLAT_TRUE,
	FLAT_FALSE,
	FLAT_NULL,
	FLAT_CONTAINER
};

struct flat_value {
	enum flat_kind kind;
	const char *text; /* of a string, decoded, or of a number; else NULL */
};

/* All zero is an empty one. */
struct flat {
	struct flat_value v[FLAT_FIELDS]; /* by field number; 0 is none */
	char *text;
	size_t cap;
};

/*
 * Reads json, compact and with a NUL behind its len bytes, as project_fn is
 * given it.  0, or -1 when it cannot be read or there is no memory: then all
 * fields are absent.  The texts live until the next flat_read or flat_free.
 */
int flat_read(
    struct flat *, const struct project_member *, const char *json, size_t len);
void flat_free(struct flat *);
/* A string; NULL when the field is absent or something else. */
const char *flat_string(const struct flat *, int field);
/* The same, "" instead of NULL. */
const char *flat_text(const struct flat *, int field);
int flat_is_true(const struct flat *, int field);
/* 0 when it is no integer. */
int64_t flat_integer(const struct flat *, int field);

#endif
