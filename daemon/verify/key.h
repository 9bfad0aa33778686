/*
 * key.h: the key that checkpoints are checked with, as C2SP signed-note writes
 * it: NAME+HASH+KEY.
 *
 * Not here: notes (note.h); where the key comes from (main.c).
 */
#ifndef ORB_VERIFY_KEY_H
#define ORB_VERIFY_KEY_H

#include <stddef.h>
#include <stdint.h>

#define KEY_NAME_MAX 128
#define KEY_TEXT_MAX 512 /* of the whole line */

struct key {
	char name[KEY_NAME_MAX]; /* also the origin of its checkpoints */
	uint8_t hash[4];
	char id[KEY_NAME_MAX + 16]; /* NAME+HASH, for people */
	struct evp_pkey_st *pkey;
};

/*
 * Reads NAME+HASH+KEY of n bytes; one newline at its end may be there.  HASH
 * must follow from NAME and KEY.  0; or -1 with *why.  key_drop() frees.
 */
int key_read(struct key *, const char *, size_t n, const char **why);
void key_drop(struct key *);

/* Whether sig is this key's signature of the text: 0 or -1. */
int key_verify(const struct key *, const uint8_t *text, size_t n,
    const uint8_t *sig, size_t sig_len);

#endif
