/*
 * vault.h: credentials at rest: one file each below the state directory,
 * sealed with AES-256-GCM under a key derived from the key-encryption key.
 *
 * Here: sealing, opening, writing so that a crash loses nothing.  Not here:
 * where the key-encryption key comes from (kek.h), what a credential is used
 * for (lease.c).
 *
 * A file, NAME.cred, by the cursors of wire.h:
 *
 *	8 bytes	"ORBVAULT"
 *	u8	format version, 1
 *	str	name
 *	u8 u8	kind, upstream
 *	i64 i64	entered, expires (seconds, 0: never)
 *	bytes	nonce, 12 bytes, random
 *	bytes	ciphertext and tag (16 bytes)
 *
 * All that stands before the ciphertext is its additional data, and the key is
 * HKDF-SHA256(key-encryption key, "orb/keyd/vault/1/" NAME): a file that is
 * changed, renamed or taken from another installation does not open.  An older
 * file put back in its place does; that needs a counter, which comes with the
 * TPM.
 *
 * The vault keeps no plaintext: each vault_read() reads and opens the file.
 */
#ifndef ORB_KEYD_VAULT_H
#define ORB_KEYD_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "keyd/slot.h"
#include "lib/err.h"
#include "lib/secret.h"

#define VAULT_VALUE_MAX 12000

enum vault_state { VAULT_EMPTY, VAULT_OK, VAULT_DAMAGED };

struct vault_entry {
	enum vault_state state;
	int64_t entered, expires;
	char problem[300]; /* of a damaged one: what, and what to do */
};

struct vault;

/* 1 when the directory holds no credential file. */
int vault_is_empty(int dirfd);
/*
 * Takes kek (emptied) and borrows dirfd.  Looks at each credential and opens
 * it once; a damaged file is logged and disables that credential only.
 * 0 and *out, or -1 and err.
 */
int vault_open(int dirfd, struct secret *kek, struct vault **out, struct err *);
void vault_free(struct vault *);
const struct vault_entry *vault_entry(const struct vault *, enum slot_id);

/* The plaintext, which the caller frees.  -1 and err: empty, damaged. */
int vault_read(struct vault *, enum slot_id, struct secret *, struct err *);

/*
 * Replacing a credential takes two steps, so that its record can be durable
 * before it counts: stage writes the sealed file beside and syncs it, commit
 * renames it into place and syncs the directory.  The old one is whole until
 * then.  -1 and err: staged already, disk full, ...
 */
int vault_stage(struct vault *, enum slot_id, struct wire_bytes value,
    int64_t entered, int64_t expires, struct err *);
int vault_commit(struct vault *, enum slot_id, struct err *);
void vault_abandon(struct vault *, enum slot_id);
int vault_remove(struct vault *, enum slot_id, struct err *);

#endif
