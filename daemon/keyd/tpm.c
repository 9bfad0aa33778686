/* tpm.c: see tpm.h.  By ESAPI; what a code means is said by tpm_say.c. */
#include "keyd/tpm.h"
#include "keyd/tpm_say.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

struct tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR primary, session; /* the session authorizes and encrypts */
	uint8_t name[TPM_NAME];
};

static const TPMT_SYM_DEF aes = {.algorithm = TPM2_ALG_AES,
    .keyBits = {.aes = 128},
    .mode = {.aes = TPM2_ALG_CFB}};

/*
 * The storage primary: P-256, as TCG's provisioning guidance has it.  Exempt
 * from the dictionary attack's protection, as there is no password to guess:
 * a TPM that other programs drove into lock-out still serves ORB.
 */
static const TPM2B_PUBLIC primary_template = {
    .publicArea = {.type = TPM2_ALG_ECC,
	.nameAlg = TPM2_ALG_SHA256,
	.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
	    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
	    TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
	.parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
				     .keyBits = {.aes = 128},
				     .mode = {.aes = TPM2_ALG_CFB}},
	    .scheme = {.scheme = TPM2_ALG_NULL},
	    .curveID = TPM2_ECC_NIST_P256,
	    .kdf = {.scheme = TPM2_ALG_NULL}}}};

static TPML_PCR_SELECTION
selection(uint32_t pcrs)
{
	TPML_PCR_SELECTION s = {.count = pcrs ? 1 : 0};

	s.pcrSelections[0].hash = TPM2_ALG_SHA256;
	s.pcrSelections[0].sizeofSelect = 3;
	for (int i = 0; i < 3; i++)
		s.pcrSelections[0].pcrSelect[i] = (BYTE)(pcrs >> 8 * i);
	return s;
}

/* What there is is let go: a bare TPM has only three places for objects. */
static void
tpm_close(struct tpm *t)
{
	if (t->esys && t->session != ESYS_TR_NONE)
		(void)Esys_FlushContext(t->esys, t->session);
	if (t->esys && t->primary != ESYS_TR_NONE)
		(void)Esys_FlushContext(t->esys, t->primary);
	Esys_Finalize(&t->esys);
	Tss2_TctiLdr_Finalize(&t->tcti);
}

/* A session salted with the primary. */
static TSS2_RC
session_start(struct tpm *t, TPM2_SE type, ESYS_TR *out)
{
	return Esys_StartAuthSession(t->esys, t->primary, ESYS_TR_NONE,
	    ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, type, &aes,
	    TPM2_ALG_SHA256, out);
}

/* Which way the next command's first parameter is encrypted. */
static TSS2_RC
session_crypt(struct tpm *t, TPMA_SESSION ways)
{
	return Esys_TRSess_SetAttributes(t->esys, t->session,
	    ways | TPMA_SESSION_CONTINUESESSION,
	    TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT |
		TPMA_SESSION_CONTINUESESSION);
}

static int
primary_make(struct tpm *t, struct err *e)
{
	TPM2B_SENSITIVE_CREATE nothing = {0};
	TPM2B_DATA outside = {0};
	TPML_PCR_SELECTION none = {0};
	TPM2B_NAME *name = NULL;
	TSS2_RC rc;
	int same;

	rc = Esys_CreatePrimary(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
	    ESYS_TR_NONE, ESYS_TR_NONE, &nothing, &primary_template, &outside,
	    &none, &t->primary, NULL, NULL, NULL, NULL);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_TR_GetName(t->esys, t->primary, &name);
	if (rc)
		return tpm_say(e, "making the TPM's primary key", rc);
	same = name->size == TPM_NAME;
	if (same)
		memcpy(t->name, name->name, TPM_NAME);
	Esys_Free(name);
	return same ? 0
		    : err_set(e, EBADMSG,
			  "the name of the TPM's primary key is not a SHA-256");
}

/*
 * Connects and makes the primary.  known: the name it must have, or NULL; it is
 * compared before anything is said that another TPM should not hear.
 */
static int
tpm_open(struct tpm *t, const char *tcti, const uint8_t *known, struct err *e)
{
	TSS2_RC rc;

	*t = (struct tpm){.primary = ESYS_TR_NONE, .session = ESYS_TR_NONE};
	if ((rc = Tss2_TctiLdr_Initialize(tcti, &t->tcti)) ||
	    (rc = Esys_Initialize(&t->esys, t->tcti, NULL))) {
		tpm_say(e, "opening the TPM", rc);
		goto fail;
	}
	if (primary_make(t, e))
		goto fail;
	if (known && memcmp(known, t->name, TPM_NAME) != 0) {
		err_set(e, EXDEV,
		    "wrong TPM: the key was sealed by one whose primary key "
		    "has another name (the TPM was cleared, the disk moved to "
		    "another machine, or something stands between); bring the "
		    "TPM back, or enter the credentials again (orb-keyd(8), "
		    "A KEY THAT IS LOST)");
		goto fail;
	}
	if ((rc = session_start(t, TPM2_SE_HMAC, &t->session))) {
		tpm_say(e, "a session with the TPM", rc);
		goto fail;
	}
	return 0;
fail:
	tpm_close(t);
	return -1;
}

/*
 * A TPM leaves out of a policy, without a word, what it has no bank for; such a
 * policy would hold nothing.  At most eight PCRs come in one answer, which is
 * what orb.conf allows.
 */
static int
pcrs_exist(struct tpm *t, uint32_t pcrs, struct err *e)
{
	TPML_PCR_SELECTION want = selection(pcrs), *have = NULL;
	TPML_DIGEST *values = NULL;
	UINT32 counter, got = 0;
	TSS2_RC rc;

	rc = Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
	    &want, &counter, &have, &values);
	if (rc)
		return tpm_say(e, "reading the PCRs", rc);
	if (have->count == 1)
		for (int i = 0; i < 3; i++)
			got |= (UINT32)have->pcrSelections[0].pcrSelect[i]
			    << 8 * i;
	Esys_Free(have);
	Esys_Free(values);
	if (got != pcrs)
		return err_set(e, ENOTSUP,
		    "this TPM has no SHA-256 bank for all of keyd.tpm_pcrs: "
		    "switch it on in the firmware, or set it to \"none\"");
	return 0;
}

/* The policy "these PCRs as they are now" in a session of that type. */
static int
policy_start(
    struct tpm *t, TPM2_SE type, uint32_t pcrs, ESYS_TR *policy, struct err *e)
{
	TPML_PCR_SELECTION sel = selection(pcrs);
	TPM2B_DIGEST any = {0};
	TSS2_RC rc;

	if ((rc = session_start(t, type, policy)) ||
	    (rc = session_crypt(t, TPMA_SESSION_DECRYPT)) ||
	    (rc = Esys_PolicyPCR(t->esys, *policy, t->session, ESYS_TR_NONE,
		 ESYS_TR_NONE, &any, &sel)))
		return tpm_say(e, "the policy of the PCRs", rc);
	return 0;
}

static int
policy_digest(struct tpm *t, uint32_t pcrs, TPM2B_DIGEST *out, struct err *e)
{
	ESYS_TR trial = ESYS_TR_NONE;
	TPM2B_DIGEST *digest = NULL;
	TSS2_RC rc;
	int done = -1;

	if (pcrs_exist(t, pcrs, e))
		return -1;
	if (policy_start(t, TPM2_SE_TRIAL, pcrs, &trial, e))
		goto out;
	if ((rc = session_crypt(t, TPMA_SESSION_ENCRYPT)) ||
	    (rc = Esys_PolicyGetDigest(t->esys, trial, t->session, ESYS_TR_NONE,
		 ESYS_TR_NONE, &digest))) {
		tpm_say(e, "the digest of the PCRs' policy", rc);
		goto out;
	}
	*out = *digest;
	Esys_Free(digest);
	done = 0;
out:
	if (trial != ESYS_TR_NONE)
		(void)Esys_FlushContext(t->esys, trial);
	return done;
}

/* Both parts as bytes. */
static int
blob_fill(struct tpm_blob *b, const TPM2B_PUBLIC *pub,
    const TPM2B_PRIVATE *priv, struct err *e)
{
	size_t n = 0, m = 0;

	if (Tss2_MU_TPM2B_PUBLIC_Marshal(pub, b->pub, TPM_PART, &n) ||
	    Tss2_MU_TPM2B_PRIVATE_Marshal(priv, b->priv, TPM_PART, &m))
		return err_set(
		    e, EOVERFLOW, "the TPM's sealed key is too large");
	b->pub_len = (uint16_t)n;
	b->priv_len = (uint16_t)m;
	return 0;
}

static int
key_create(struct tpm *t, const uint8_t *key, struct tpm_blob *b, struct err *e)
{
	TPM2B_SENSITIVE_CREATE in = {0};
	TPM2B_PUBLIC template = {.publicArea = {.type = TPM2_ALG_KEYEDHASH,
				     .nameAlg = TPM2_ALG_SHA256}};
	TPMT_PUBLIC *area = &template.publicArea;
	TPM2B_PUBLIC *pub = NULL;
	TPM2B_PRIVATE *priv = NULL;
	TPML_PCR_SELECTION none = {0};
	TPM2B_DATA outside = {0};
	TSS2_RC rc;
	int done;

	area->objectAttributes = TPMA_OBJECT_FIXEDTPM |
	    TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA |
	    (b->pcrs ? 0 : TPMA_OBJECT_USERWITHAUTH);
	area->parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
	if (b->pcrs && policy_digest(t, b->pcrs, &area->authPolicy, e))
		return -1;
	in.sensitive.data.size = TPM_KEY;
	memcpy(in.sensitive.data.buffer, key, TPM_KEY);
	if ((rc = session_crypt(
		 t, TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT)) == 0)
		rc = Esys_Create(t->esys, t->primary, t->session, ESYS_TR_NONE,
		    ESYS_TR_NONE, &in, &template, &outside, &none, &priv, &pub,
		    NULL, NULL, NULL);
	OPENSSL_cleanse(&in, sizeof(in));
	if (rc)
		return tpm_say(e, "sealing the key", rc);
	done = blob_fill(b, pub, priv, e);
	Esys_Free(pub);
	Esys_Free(priv);
	return done;
}

int
tpm_seal(const char *tcti, uint32_t pcrs, const uint8_t key[TPM_KEY],
    struct tpm_blob *blob, struct err *e)
{
	struct tpm t;
	int rc;

	if (tpm_open(&t, tcti, NULL, e))
		return -1;
	*blob = (struct tpm_blob){.pcrs = pcrs};
	memcpy(blob->name, t.name, TPM_NAME);
	rc = key_create(&t, key, blob, e);
	tpm_close(&t);
	return rc;
}

static int
key_load(struct tpm *t, const struct tpm_blob *b, ESYS_TR *out, struct err *e)
{
	TPM2B_PUBLIC pub = {0};
	TPM2B_PRIVATE priv = {0};
	size_t n = 0, m = 0;
	TSS2_RC rc;

	if (b->pub_len > TPM_PART || b->priv_len > TPM_PART ||
	    Tss2_MU_TPM2B_PUBLIC_Unmarshal(b->pub, b->pub_len, &n, &pub) ||
	    Tss2_MU_TPM2B_PRIVATE_Unmarshal(b->priv, b->priv_len, &m, &priv))
		return tpm_say(e, "loading the sealed key", TPM2_RC_INTEGRITY);
	if ((rc = session_crypt(t, TPMA_SESSION_DECRYPT)) ||
	    (rc = Esys_Load(t->esys, t->primary, t->session, ESYS_TR_NONE,
		 ESYS_TR_NONE, &priv, &pub, out)))
		return tpm_say(e, "loading the sealed key", rc);
	return 0;
}

/* By the policy's session, or by the other one, which encrypts in any case. */
static int
key_unseal(
    struct tpm *t, ESYS_TR item, ESYS_TR policy, uint8_t *key, struct err *e)
{
	int with = policy != ESYS_TR_NONE;
	TPM2B_SENSITIVE_DATA *data = NULL;
	TSS2_RC rc;
	int right;

	if ((rc = session_crypt(t, TPMA_SESSION_ENCRYPT)) ||
	    (rc = Esys_Unseal(t->esys, item, with ? policy : t->session,
		 with ? t->session : ESYS_TR_NONE, ESYS_TR_NONE, &data)))
		return tpm_say(e, "unsealing the key", rc);
	right = data->size == TPM_KEY;
	if (right)
		memcpy(key, data->buffer, TPM_KEY);
	OPENSSL_cleanse(data, sizeof(*data));
	Esys_Free(data);
	return right ? 0 : tpm_say(e, "unsealing the key", TPM2_RC_INTEGRITY);
}

int
tpm_unseal(const char *tcti, const struct tpm_blob *blob, uint8_t key[TPM_KEY],
    struct err *e)
{
	ESYS_TR item = ESYS_TR_NONE, policy = ESYS_TR_NONE;
	struct tpm t;
	int rc = -1;

	if (tpm_open(&t, tcti, blob->name, e))
		return -1;
	if (key_load(&t, blob, &item, e) == 0 &&
	    (blob->pcrs == 0 ||
		policy_start(&t, TPM2_SE_POLICY, blob->pcrs, &policy, e) == 0))
		rc = key_unseal(&t, item, policy, key, e);
	if (policy != ESYS_TR_NONE)
		(void)Esys_FlushContext(t.esys, policy);
	if (item != ESYS_TR_NONE)
		(void)Esys_FlushContext(t.esys, item);
	tpm_close(&t);
	return rc;
}
