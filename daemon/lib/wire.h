/*
 * wire.h: typed cursors over the bytes of a message, in the manner of sshbuf.
 *
 * Here: putting and getting single fields with hard caps.  Not here: packets
 * and sockets (chan.h), which fields a message has (messages.def).
 *
 * All integers are big endian.  A string is a u16 length, that many bytes of
 * UTF-8 and one zero byte that the length does not count, so that a decoded
 * string can be used as a C string where it lies.  Bytes are a u32 length and
 * the bytes.  A list is a u32 count, a u32 length and its encoded items.
 *
 * Both cursors are sticky: after the first error every further call fails and
 * changes nothing, so that a caller checks once, at the end.
 */
#ifndef ORB_WIRE_H
#define ORB_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. */
struct wire_bytes {
	const uint8_t *p;
	size_t len;
};

/* Encoded items of a list; borrowed.  See wire_list_open(). */
struct wire_list {
	uint32_t count;
	struct wire_bytes items;
};

/* A cursor that reads. */
struct wire_in {
	const uint8_t *p, *end;
	int err; /* 0 or -1 */
};

/* A cursor that writes; grows on the heap up to max. */
struct wire_out {
	uint8_t *buf;
	size_t len, cap, max;
	int err; /* 0 or -1: a field or the whole is too large, or no memory */
};

/* A writer of at most max bytes; free with wire_out_free(), which cleanses. */
void wire_out_init(struct wire_out *, size_t max);
void wire_out_free(struct wire_out *);
/* Forget the contents, keep the memory. */
void wire_out_reset(struct wire_out *);

/* Room for n more bytes that the caller fills, or NULL and the sticky error. */
uint8_t *wire_reserve(struct wire_out *, size_t n);
int wire_put_u8(struct wire_out *, uint8_t);
int wire_put_u16(struct wire_out *, uint16_t);
int wire_put_u32(struct wire_out *, uint32_t);
int wire_put_u64(struct wire_out *, uint64_t);
int wire_put_i64(struct wire_out *, int64_t);
/* NULL puts the empty string.  More than max bytes is an error, never a cut. */
int wire_put_str(struct wire_out *, const char *, size_t max);
int wire_put_bytes(struct wire_out *, struct wire_bytes, size_t max);
int wire_put_list(struct wire_out *, const struct wire_list *, uint32_t max);

int wire_get_u8(struct wire_in *, uint8_t *);
int wire_get_u16(struct wire_in *, uint16_t *);
int wire_get_u32(struct wire_in *, uint32_t *);
int wire_get_u64(struct wire_in *, uint64_t *);
int wire_get_i64(struct wire_in *, int64_t *);
/* The string lives as long as the packet.  Refuses what is not UTF-8, a zero
 * inside, and (str) control characters; text allows newline and tab. */
int wire_get_str(struct wire_in *, const char **, size_t max);
int wire_get_text(struct wire_in *, const char **, size_t max);
int wire_get_bytes(struct wire_in *, struct wire_bytes *, size_t max);
/* Every item is checked here, so that walking the list later cannot fail. */
int wire_get_strs(
    struct wire_in *, struct wire_list *, uint32_t count, size_t max);
int wire_get_list(struct wire_in *, struct wire_list *, uint32_t count,
    int (*skip)(struct wire_in *));
/* 0 when all was well and nothing is left over, else -1. */
int wire_end(const struct wire_in *);

/* A reader over the items; use with wire_next_str() or NAME_next(). */
struct wire_in wire_list_open(const struct wire_list *);
/* Next string of a strs list: 1, or 0 at its end. */
int wire_next_str(struct wire_in *, const char **);
/* The list that a writer's contents are: items put one after the other. */
struct wire_list wire_list_of(const struct wire_out *, uint32_t count);

/* 1 when the bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong). */
int wire_is_utf8(const uint8_t *, size_t);
/*
 * Copies src into dst[cap], at most max bytes, cut on a character's boundary,
 * control characters turned into spaces, invalid bytes into '?'.  For text
 * that comes from outside and goes into a str field.  Returns dst.
 */
char *wire_clean(char *dst, size_t cap, const char *src, size_t max);
/* The same for a text field: ends of lines and tabs stay.  cap fits it all. */
char *wire_clean_lines(char *dst, size_t cap, const char *src);
/*
 * Drops the character that a cut (snprintf() into too small a buffer) left
 * unfinished at the end: one such byte makes a message malformed.  Returns s.
 */
char *wire_mend(char *s);

#endif
