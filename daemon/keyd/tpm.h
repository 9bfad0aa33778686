/*
 * tpm.h: a key sealed by a TPM 2.0, and unsealed.
 *
 * Here: what is said to the TPM.  Not here: the sealed key's file, the deadline
 * and the process apart in which all of this runs (kek_tpm.c).
 *
 * The TPM makes its storage primary key anew each time, always the same one
 * while its owner seed is the same; the name of that key (a hash of its public
 * part) is remembered in the blob.  Each session is salted with that key, so
 * that only the TPM which has it can take part: what goes over the bus is
 * encrypted and authenticated (TPM 2.0 Library, Part 1, 19.6.8 and 21).  One
 * that stands between can break it and read nothing.
 *
 * Without libtss2 at build time tpm_none.c stands in for tpm.c.
 */
#ifndef ORB_KEYD_TPM_H
#define ORB_KEYD_TPM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define TPM_KEY 32   /* bytes of the key that is sealed */
#define TPM_NAME 34  /* of the primary: algorithm and SHA-256 */
#define TPM_PART 512 /* of the blob's public and private part, at most */

struct tpm_blob {
	uint32_t pcrs; /* bit N: PCR N of the SHA-256 bank; 0: no policy */
	uint16_t pub_len, priv_len;
	uint8_t name[TPM_NAME];
	uint8_t pub[TPM_PART], priv[TPM_PART]; /* as the TPM marshals them */
};

/*
 * Seals key by the TPM behind tcti (tss2-tctildr(7)), to what pcrs hold now.
 * 0 and *blob, or -1 and err.  A hostile TPM can refuse, answer late or seal
 * badly: the caller unseals what was sealed before it relies on it.
 */
int tpm_seal(const char *tcti, uint32_t pcrs, const uint8_t key[TPM_KEY],
    struct tpm_blob *blob, struct err *);
/*
 * The inverse.  -1 and err, which says what to do: another TPM, other PCRs, a
 * damaged blob, no answer, ...  blob may hold anything.
 */
int tpm_unseal(const char *tcti, const struct tpm_blob *blob,
    uint8_t key[TPM_KEY], struct err *);

#endif
