/*
 * seal.h: one credential as sealed bytes: header, AES-256-GCM, key derivation.
 * The format stands in vault.h.  No files here.
 */
#ifndef ORB_KEYD_SEAL_H
#define ORB_KEYD_SEAL_H

#include "keyd/slot.h"
#include "lib/err.h"
#include "lib/secret.h"

#define SEAL_KEY 32
#define SEAL_NONCE 12
#define SEAL_TAG 16

struct seal_header {
	int64_t entered, expires;
};

/*
 * Seals value for slot and puts the file's bytes into w.  The nonce is random:
 * 96 bits under a key that seals one credential, a handful of times in its
 * life (NIST SP 800-38D, 8.2.2).  0, or -1 and err.
 */
int seal_make(const struct secret *kek, const struct slot *,
    const struct seal_header *, struct wire_bytes value, struct wire_out *w,
    struct err *);
/*
 * Opens a file's bytes, which may be anything at all.  0, *h and *value (to be
 * freed), or -1 and err; nothing is returned that was not authentic.
 */
int seal_open(const struct secret *kek, const struct slot *, const uint8_t *,
    size_t, struct seal_header *h, struct secret *value, struct err *);

#endif
