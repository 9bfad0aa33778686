/*
 * proof.h: the check of one proof: that a record is in the log that was signed,
 * without the log.  orb-verify(1), FORMAT OF PROOFS, says what the file is.
 */
#ifndef ORB_VERIFY_PROOF_H
#define ORB_VERIFY_PROOF_H

#include "verify/key.h"
#include "verify/report.h"

#define PROOF_MAX (128 * 1024)

/* Checks the n bytes of the file of this name. */
void proof_check(const char *name, const uint8_t *, size_t n,
    const struct key *, struct report *, struct summary *);

#endif
