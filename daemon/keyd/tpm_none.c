/* tpm_none.c: tpm.h in a build without libtss2. */
#include "keyd/tpm.h"

#include <errno.h>

static int
none(struct err *e)
{
	return err_set(e, ENOTSUP,
	    "keyd.kek names a TPM, but this orb-keyd was built without "
	    "libtss2: build it with configure --with-tpm=yes, or take another "
	    "source (orb.conf(5))");
}

int
tpm_seal(const char *tcti, uint32_t pcrs, const uint8_t key[TPM_KEY],
    struct tpm_blob *blob, struct err *e)
{
	(void)tcti;
	(void)pcrs;
	(void)key;
	(void)blob;
	return none(e);
}

int
tpm_unseal(const char *tcti, const struct tpm_blob *blob, uint8_t key[TPM_KEY],
    struct err *e)
{
	(void)tcti;
	(void)blob;
	(void)key;
	return none(e);
}
