/*
 * base64.h: base64 of RFC 4648, section 4, read strictly: padded, no white
 * space, and the unused bits of the last character zero, so that bytes have
 * one spelling only and no bit of a note can be flipped without effect.
 */
#ifndef ORB_VERIFY_BASE64_H
#define ORB_VERIFY_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Decodes n characters into dst, which holds cap bytes.  The number of bytes,
 * or -1 when it is no base64 or does not fit. */
int base64_decode(const char *, size_t n, uint8_t *dst, size_t cap);

#endif
