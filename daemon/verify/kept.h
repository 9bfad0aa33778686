/*
 * kept.h: notes found again where they were kept: in mail and tickets, which
 * make CR LF of the ends of lines and indent them, and in what a journal or a
 * SIEM gives out, where a note is one string of JSON.
 *
 * Nothing is decided here: what comes out is held against the signature.
 */
#ifndef ORB_VERIFY_KEPT_H
#define ORB_VERIFY_KEPT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Makes plain notes of what was kept, in place: each ends in a newline, and
 * there may be empty lines between them.  There must be room for one byte more.
 * name: the origin of the notes looked for in JSON.  The new length.
 */
size_t kept_plain(uint8_t *, size_t n, const char *name);

#endif
