/* tpm_say.c: see tpm_say.h. */
#include "keyd/tpm_say.h"

#include <errno.h>
#include <stddef.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

/* The one way back when a sealed key cannot be had any more. */
#define AGAIN                                                      \
	"; if that cannot be mended, enter the credentials again " \
	"(orb-keyd(8), "                                           \
	"A KEY THAT IS LOST)"

static const struct {
	TSS2_RC rc;
	int code;
	const char *text;
} meaning[] = {
    {TPM2_RC_POLICY_FAIL, EPERM,
	"the PCRs of keyd.tpm_pcrs hold other values than when the key was "
	"sealed: the firmware, its settings or the boot loader changed; start "
	"the machine as it was" AGAIN},
    {TPM2_RC_PCR_CHANGED, EPERM,
	"the PCRs of keyd.tpm_pcrs changed in the middle: start keyd again"},
    {TPM2_RC_LOCKOUT, EPERM,
	"the TPM is in lock-out after wrong passwords of some program: wait "
	"for its recovery time, or reset it (tpm2_dictionarylockout "
	"--clear-lockout)"},
    {TPM2_RC_BAD_AUTH, EPERM,
	"the TPM's owner hierarchy has a password, which ORB does not take: "
	"remove it, or take another keyd.kek"},
    {TPM2_RC_AUTH_FAIL, EPERM,
	"the TPM and keyd do not agree about what was said: something stands "
	"between them, or the TPM has a password on its owner hierarchy"},
    {TPM2_RC_INTEGRITY, EBADMSG,
	"the sealed key is damaged, or not of this TPM" AGAIN},
    {TPM2_RC_INITIALIZE, EIO,
	"the TPM was not started by the firmware: start the machine again"},
    {TPM2_RC_FAILURE, EIO,
	"the TPM is in failure mode: switch the machine off and on; if it "
	"stays so the TPM is broken" AGAIN},
    {TPM2_RC_OBJECT_MEMORY, EBUSY,
	"the TPM has no room: another program holds its places; use "
	"/dev/tpmrm0, not /dev/tpm0"},
    {TPM2_RC_SESSION_MEMORY, EBUSY,
	"the TPM has no room for a session: another program holds them; use "
	"/dev/tpmrm0, not /dev/tpm0"},
    {TPM2_RC_SESSION_HANDLES, EBUSY,
	"the TPM has no room for a session: another program holds them; use "
	"/dev/tpmrm0, not /dev/tpm0"},
    {TPM2_RC_RETRY, EBUSY, "the TPM is busy: keyd tries again by itself"},
    {TPM2_RC_TESTING, EBUSY,
	"the TPM tests itself: keyd tries again by itself"},
};

/* The code without what says which parameter or session it is about. */
static TSS2_RC
bare(TSS2_RC rc)
{
	if (rc & TPM2_RC_FMT1)
		return rc & (TPM2_RC_FMT1 | 0x3f);
	return rc & ~(TSS2_RC)TSS2_RC_LAYER_MASK;
}

int
tpm_say(struct err *e, const char *doing, TSS2_RC rc)
{
	TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;

	if (layer == TSS2_TCTI_RC_LAYER ||
	    (rc & ~(TSS2_RC)TSS2_RC_LAYER_MASK) == TSS2_BASE_RC_IO_ERROR)
		return err_set(e, EIO,
		    "%s: the TPM does not answer (%s): see the kernel's log "
		    "for tpm, and whether the library libtss2-tcti-device is "
		    "installed",
		    doing, Tss2_RC_Decode(rc));
	if (layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER)
		for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]);
		     i++)
			if (bare(rc) == meaning[i].rc)
				return err_set(e, meaning[i].code, "%s: %s",
				    doing, meaning[i].text);
	if (layer == TSS2_ESAPI_RC_LAYER)
		return err_set(e, EBADMSG,
		    "%s: the TPM's answer is not authentic or makes no sense "
		    "(%s): something stands between it and keyd, or it is "
		    "broken",
		    doing, Tss2_RC_Decode(rc));
	return err_set(
	    e, EIO, "%s: the TPM refuses: %s", doing, Tss2_RC_Decode(rc));
}
