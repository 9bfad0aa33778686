/*
 * tpm_say.h: what an answer of the TPM, or of the libraries before it, means to
 * the person who has to do something about it.
 */
#ifndef ORB_KEYD_TPM_SAY_H
#define ORB_KEYD_TPM_SAY_H

#include <tss2/tss2_common.h>

#include "lib/err.h"

/* Sets err for rc, which came of doing ("unsealing the key").  Always -1. */
int tpm_say(struct err *, const char *doing, TSS2_RC rc);

#endif
