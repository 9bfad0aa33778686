/*
 * note.h: the text of a checkpoint, its signature, and the key as a verifier
 * takes it (C2SP signed-note and tlog-checkpoint).  ledgerd/FORMAT says what
 * stands in which line.
 *
 * Not here: whether a tree may be signed (checkpoint.c).
 */
#ifndef ORB_KEYD_NOTE_H
#define ORB_KEYD_NOTE_H

#include <stdint.h>

#include "lib/err.h"
#include "lib/merkle.h"
#include "lib/secret.h"

#define NOTE_MAX 2000
#define NOTE_NAME 80
#define NOTE_KEY_MAX 200
#define NOTE_SEED 32 /* bytes of an Ed25519 private key (RFC 8032) */

/* "orb/" and the site with what a name may not have replaced by "-". */
void note_name(char name[NOTE_NAME], const char *site);

struct note {
	const char *name;
	uint64_t size;
	struct merkle_hash root;
	int64_t time;
	const char *boot_id;
};

/* The signed note into out[NOTE_MAX]: its length, or 0 and err. */
size_t note_sign(
    const struct note *, const struct secret *seed, char *out, struct err *);
/* The verifier's key into out[NOTE_KEY_MAX].  -1 and err. */
int note_key(
    const char *name, const struct secret *seed, char *out, struct err *);

#endif
