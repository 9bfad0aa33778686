/*
 * seal.h: what mapd does with the data key that keyd gave it: fingerprints of
 * what is compared, and sealed payloads of actions not yet settled.  At rest
 * there is no subject and no address but in these.
 */
#ifndef ORB_SEAL_H
#define ORB_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/secret.h"
#include "lib/wire.h"
#include "mapd/plan.h"

struct seal;

/* Derives a sealing and a fingerprint key (HKDF-SHA256) from key[32], which
 * the caller may cleanse.  NULL when there is no memory. */
struct seal *seal_new(const uint8_t key[32]);
void seal_free(struct seal *);
/* HMAC-SHA256, cut: of the parts in order, each with its length. */
void seal_print(const struct seal *, uint8_t out[PRINT_LEN], int nparts,
    const char *const *parts);
/* 64-bit keyed hash of a string. */
uint64_t seal_hash(const struct seal *, const char *);
/* A value that tells whether a database was written with this key. */
void seal_check(const struct seal *, uint8_t out[PRINT_LEN]);
/*
 * AES-256-GCM; aad binds the payload to its place.  Appends nonce, text and
 * tag to out.  0 or -1.
 */
int seal_close(const struct seal *, struct wire_bytes aad,
    struct wire_bytes plain, struct wire_out *out);
/* plain is allocated in the secure heap; free with secret_free().  -1 when it
 * was not sealed with this key for this place. */
int seal_open(const struct seal *, struct wire_bytes aad,
    struct wire_bytes sealed, struct secret *plain);

#endif
