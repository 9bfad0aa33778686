/* seal.c: see seal.h. */
#include "keyd/seal.h"
#include "keyd/vault.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define SEAL_MAGIC UINT64_C(0x4f52425641554c54) /* "ORBVAULT" */
#define SEAL_VERSION 1
#define SEAL_INFO "orb/keyd/vault/1/"

/* HKDF-SHA256 (RFC 5869) without salt: the key-encryption key is random. */
static int
seal_key(const struct secret *kek, const char *name, struct secret *key)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char info[100], md[] = "SHA256";
	OSSL_PARAM p[4];
	int rc = -1;

	EVP_KDF_free(kdf);
	snprintf(info, sizeof(info), "%s%s", SEAL_INFO, name);
	p[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, md, 0);
	p[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, kek->p, kek->len);
	p[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, info, strlen(info));
	p[3] = OSSL_PARAM_construct_end();
	if (ctx && secret_alloc(key, SEAL_KEY) == 0) {
		if (EVP_KDF_derive(ctx, key->p, key->len, p) == 1)
			rc = 0;
		else
			secret_free(key);
	}
	EVP_KDF_CTX_free(ctx);
	return rc;
}

/* value under key into out[value.len + SEAL_TAG]. */
static int
gcm_seal(const struct secret *key, const uint8_t *nonce, struct wire_bytes aad,
    struct wire_bytes value, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n, rc = -1;

	if (c &&
	    EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->p, nonce) &&
	    EVP_EncryptUpdate(c, NULL, &n, aad.p, (int)aad.len) &&
	    EVP_EncryptUpdate(c, out, &n, value.p, (int)value.len) &&
	    EVP_EncryptFinal_ex(c, out + value.len, &n) &&
	    EVP_CIPHER_CTX_ctrl(
		c, EVP_CTRL_GCM_GET_TAG, SEAL_TAG, out + value.len))
		rc = 0;
	EVP_CIPHER_CTX_free(c);
	return rc;
}

/* The inverse; 0 only when the tag is right. */
static int
gcm_open(const struct secret *key, const uint8_t *nonce, struct wire_bytes aad,
    struct wire_bytes sealed, struct secret *value)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t len = sealed.len - SEAL_TAG;
	uint8_t tag[SEAL_TAG];
	int n, rc = -1;

	memcpy(tag, sealed.p + len, SEAL_TAG);
	if (c && secret_alloc(value, len) == 0) {
		if (EVP_DecryptInit_ex(
			c, EVP_aes_256_gcm(), NULL, key->p, nonce) &&
		    EVP_DecryptUpdate(c, NULL, &n, aad.p, (int)aad.len) &&
		    EVP_DecryptUpdate(c, value->p, &n, sealed.p, (int)len) &&
		    EVP_CIPHER_CTX_ctrl(
			c, EVP_CTRL_GCM_SET_TAG, SEAL_TAG, tag) &&
		    EVP_DecryptFinal_ex(c, value->p + len, &n) > 0)
			rc = 0;
		else
			secret_free(value);
	}
	EVP_CIPHER_CTX_free(c);
	return rc;
}

int
seal_make(const struct secret *kek, const struct slot *slot,
    const struct seal_header *h, struct wire_bytes value, struct wire_out *w,
    struct err *e)
{
	uint8_t nonce[SEAL_NONCE], sealed[VAULT_VALUE_MAX + SEAL_TAG];
	struct secret key = {NULL, 0};
	int rc = -1;

	if (value.len == 0 || value.len > VAULT_VALUE_MAX)
		return err_set(e, EINVAL, "%s: 1 to %d bytes are allowed",
		    slot->name, VAULT_VALUE_MAX);
	if (RAND_bytes(nonce, sizeof(nonce)) != 1 ||
	    seal_key(kek, slot->name, &key))
		goto out;
	wire_put_u64(w, SEAL_MAGIC);
	wire_put_u8(w, SEAL_VERSION);
	wire_put_str(w, slot->name, 64);
	wire_put_u8(w, (uint8_t)slot->kind);
	wire_put_u8(w, (uint8_t)slot->upstream);
	wire_put_i64(w, h->entered);
	wire_put_i64(w, h->expires);
	wire_put_bytes(
	    w, (struct wire_bytes){nonce, sizeof(nonce)}, sizeof(nonce));
	if (w->err ||
	    gcm_seal(&key, nonce, (struct wire_bytes){w->buf, w->len}, value,
		sealed))
		goto out;
	rc = wire_put_bytes(w,
	    (struct wire_bytes){sealed, value.len + SEAL_TAG}, sizeof(sealed));
out:
	secret_free(&key);
	return rc ? err_set(e, EIO, "%s: cannot be sealed", slot->name) : 0;
}

int
seal_open(const struct secret *kek, const struct slot *slot, const uint8_t *p,
    size_t len, struct seal_header *h, struct secret *value, struct err *e)
{
	struct wire_in r = {p, p + len, 0};
	struct wire_bytes nonce, sealed, aad = {p, 0};
	struct secret key = {NULL, 0};
	uint8_t version = 0, kind = 0, up = 0;
	uint64_t magic = 0;
	const char *name = "";
	int rc;

	wire_get_u64(&r, &magic);
	wire_get_u8(&r, &version);
	if (r.err || magic != SEAL_MAGIC || version != SEAL_VERSION)
		return err_set(e, EINVAL,
		    "the file is not one of ORB's, or of another version: "
		    "enter it again with orbctl credential set");
	wire_get_str(&r, &name, 64);
	wire_get_u8(&r, &kind);
	wire_get_u8(&r, &up);
	wire_get_i64(&r, &h->entered);
	wire_get_i64(&r, &h->expires);
	wire_get_bytes(&r, &nonce, SEAL_NONCE);
	aad.len = (size_t)(r.p - p);
	wire_get_bytes(&r, &sealed, VAULT_VALUE_MAX + SEAL_TAG);
	if (wire_end(&r) || nonce.len != SEAL_NONCE || sealed.len <= SEAL_TAG)
		return err_set(e, EINVAL,
		    "the file is damaged: enter it again with orbctl "
		    "credential set");
	if (strcmp(name, slot->name) || kind != slot->kind ||
	    up != slot->upstream)
		return err_set(e, EINVAL,
		    "the file holds another credential: somebody renamed it; "
		    "enter it again with orbctl credential set");
	if (seal_key(kek, slot->name, &key))
		return err_set(e, ENOMEM, "the vault's key cannot be derived");
	rc = gcm_open(&key, nonce.p, aad, sealed, value);
	secret_free(&key);
	if (rc)
		return err_set(e, EBADMSG,
		    "the file does not open: it was changed, or sealed under "
		    "another key-encryption key; enter it again with orbctl "
		    "credential set");
	return 0;
}
