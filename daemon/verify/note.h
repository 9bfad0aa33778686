/*
 * note.h: the reader of one checkpoint: a C2SP signed note whose text is as
 * daemon/ledgerd/FORMAT says.
 *
 * The signature is checked before the text is understood, so that what an
 * attacker wrote is not parsed further than it takes to find the signature.
 */
#ifndef ORB_VERIFY_NOTE_H
#define ORB_VERIFY_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "verify/key.h"
#include "verify/report.h"
#include "verify/tree.h"

#define NOTE_MAX 4096

struct note {
	uint64_t size;
	uint8_t root[HASH_LEN];
	int64_t time; /* seconds since 1970, of keyd */
	char boot[37];
	int has_counter;
	uint64_t counter;
};

/*
 * How many bytes the note at p takes: its text, the empty line and every
 * signature line.  0 when no note can be found in what is there.
 */
size_t note_length(const uint8_t *p, size_t n);

/*
 * Reads a note of exactly n bytes and checks it with the key.  0; or -1 with
 * *kind and *why set: NOTE_FORM, SIGNATURE_BAD, KEY_SWAPPED, ORIGIN_OTHER.
 */
int note_read(const uint8_t *, size_t n, const struct key *, struct note *,
    enum kind *kind, const char **why);

#endif
