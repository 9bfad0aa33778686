/*
 * jstr.h: JSON strings as bytes: where one ends, writing one, reading one.
 *
 * Not here: the structure around them (project.h and flat.h read it; bodies
 * are written where they are thought of).
 *
 * Source: RFC 8259, section 7.
 */
#ifndef ORB_ADAPTER_JSTR_H
#define ORB_ADAPTER_JSTR_H

#include <stddef.h>
#include <stdint.h>

#include "fetchd/adapter/strbuf.h"

/* The first quote, backslash or control character from s on, or end. */
const uint8_t *jstr_run(const uint8_t *s, const uint8_t *end);

/*
 * Adds text, which is UTF-8, as a JSON string in its quotes: what must be
 * escaped is, all else stays as it is.  0, or -1 when there is no room.
 */
int jstr_put(struct strbuf *, const char *text);
/* The same as a member of an object: a comma unless it is the first, and its
 * name, which needs no escapes. */
int jstr_member(struct strbuf *, const char *name, const char *text);
/* And a member that is an object: all up to its opening brace. */
int jstr_object(struct strbuf *, const char *name);

/*
 * Decodes the string whose opening quote lies right before s into dst, as
 * UTF-8 with a NUL; dst needs as many bytes as the string has, quotes left
 * out, and one.  Returns where its closing quote is, and *len; NULL when there
 * is none before end, or the string is not one: a control character, bytes
 * that are not UTF-8, an escape that there is not, half of a surrogate pair,
 * or U+0000, which no C string can hold.
 */
const char *jstr_get(const char *s, const char *end, char *dst, size_t *len);

#endif
