/*
 * seal.c: the two keys that mapd derives from its data key, and their use.
 *
 * The keys themselves lie in the secure heap.  OpenSSL's contexts keep state
 * that follows from them in its own memory, which it cleanses when they are
 * freed; they are made once, since making one costs more than using it.
 *
 * Nonces are random: with 96 bits, 2^32 payloads under one key keep the chance
 * of a repeated one below 2^-32 (NIST SP 800-38D, section 8.3), and a payload
 * is sealed once an action.
 *
 * Not here: where the data key comes from (keyd), what is compared (rooms).
 */
#include "mapd/seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_LEN 12
#define TAG_LEN 16
#define MAC_LEN 32

struct seal {
	struct secret close_key, print_key;
	EVP_MAC_CTX *mac;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
};

/* One key for one purpose: HKDF-SHA256 (RFC 5869) with the purpose as info. */
static int
derive(const uint8_t key[32], const char *info, struct secret *out)
{
	OSSL_PARAM params[4];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	int rc = -1;

	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	/* OSSL_PARAM has no const; neither is written to. */
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key, 32);
	params[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info));
	params[3] = OSSL_PARAM_construct_end();
	if (ctx && secret_alloc(out, 32) == 0 &&
	    EVP_KDF_derive(ctx, out->p, out->len, params) == 1)
		rc = 0;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

static int
mac_new(struct seal *s)
{
	OSSL_PARAM params[2];
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	int rc = -1;

	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (mac && (s->mac = EVP_MAC_CTX_new(mac)) != NULL &&
	    EVP_MAC_init(s->mac, s->print_key.p, s->print_key.len, params))
		rc = 0;
	EVP_MAC_free(mac);
	return rc;
}

struct seal *
seal_new(const uint8_t key[32])
{
	struct seal *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	if (derive(key, "orb mapd payload", &s->close_key) ||
	    derive(key, "orb mapd print", &s->print_key) || mac_new(s) ||
	    (s->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) == NULL ||
	    (s->ctx = EVP_CIPHER_CTX_new()) == NULL) {
		seal_free(s);
		return NULL;
	}
	return s;
}

void
seal_free(struct seal *s)
{
	if (s == NULL)
		return;
	EVP_MAC_CTX_free(s->mac);
	EVP_CIPHER_CTX_free(s->ctx);
	EVP_CIPHER_free(s->cipher);
	secret_free(&s->close_key);
	secret_free(&s->print_key);
	free(s);
}

/*
 * HMAC of use, then of each part its length and its bytes: so that no two
 * lists of parts, and no two uses, are the same bytes.
 */
static void
mac(const struct seal *s, uint8_t use, uint8_t out[MAC_LEN], int nparts,
    const char *const *parts)
{
	uint8_t head[4];
	size_t len, n;

	/* Without key: starts again with the one it has. */
	if (!EVP_MAC_init(s->mac, NULL, 0, NULL) ||
	    !EVP_MAC_update(s->mac, &use, 1))
		abort();
	for (int i = 0; i < nparts; i++) {
		len = parts[i] ? strlen(parts[i]) : 0;
		for (int b = 0; b < 4; b++)
			head[b] = (uint8_t)(len >> (24 - 8 * b));
		if (!EVP_MAC_update(s->mac, head, sizeof(head)) ||
		    !EVP_MAC_update(
			s->mac, (const uint8_t *)(len ? parts[i] : ""), len))
			abort();
	}
	if (!EVP_MAC_final(s->mac, out, &n, MAC_LEN))
		abort();
}

void
seal_print(const struct seal *s, uint8_t out[PRINT_LEN], int nparts,
    const char *const *parts)
{
	uint8_t full[MAC_LEN];

	mac(s, 'p', full, nparts, parts);
	memcpy(out, full, PRINT_LEN);
}

uint64_t
seal_hash(const struct seal *s, const char *text)
{
	uint8_t full[MAC_LEN];
	uint64_t v = 0;

	mac(s, 'h', full, 1, &text);
	for (int i = 0; i < 8; i++)
		v = v << 8 | full[i];
	return v;
}

void
seal_check(const struct seal *s, uint8_t out[PRINT_LEN])
{
	uint8_t full[MAC_LEN];

	mac(s, 'c', full, 0, NULL);
	memcpy(out, full, PRINT_LEN);
}

int
seal_close(const struct seal *s, struct wire_bytes aad, struct wire_bytes plain,
    struct wire_out *out)
{
	uint8_t nonce[NONCE_LEN], *p;
	int n;

	if (plain.len > INT32_MAX || aad.len > INT32_MAX ||
	    RAND_bytes(nonce, sizeof(nonce)) != 1 ||
	    (p = wire_reserve(out, NONCE_LEN + plain.len + TAG_LEN)) == NULL)
		return -1;
	memcpy(p, nonce, NONCE_LEN);
	p += NONCE_LEN;
	if (!EVP_EncryptInit_ex2(
		s->ctx, s->cipher, s->close_key.p, nonce, NULL) ||
	    !EVP_EncryptUpdate(s->ctx, NULL, &n, aad.p, (int)aad.len) ||
	    !EVP_EncryptUpdate(s->ctx, p, &n, plain.p, (int)plain.len) ||
	    !EVP_EncryptFinal_ex(s->ctx, p + n, &n) ||
	    !EVP_CIPHER_CTX_ctrl(
		s->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, p + plain.len)) {
		out->err = -1;
		return -1;
	}
	return 0;
}

int
seal_open(const struct seal *s, struct wire_bytes aad, struct wire_bytes sealed,
    struct secret *plain)
{
	struct secret text = {NULL, 0};
	uint8_t tag[TAG_LEN];
	size_t len;
	int n;

	if (sealed.len < NONCE_LEN + TAG_LEN || sealed.len > INT32_MAX ||
	    aad.len > INT32_MAX)
		return -1;
	len = sealed.len - NONCE_LEN - TAG_LEN;
	memcpy(tag, sealed.p + NONCE_LEN + len, TAG_LEN);
	if (secret_alloc(&text, len))
		return -1;
	if (!EVP_DecryptInit_ex2(
		s->ctx, s->cipher, s->close_key.p, sealed.p, NULL) ||
	    !EVP_DecryptUpdate(s->ctx, NULL, &n, aad.p, (int)aad.len) ||
	    !EVP_DecryptUpdate(
		s->ctx, text.p, &n, sealed.p + NONCE_LEN, (int)len) ||
	    !EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) ||
	    EVP_DecryptFinal_ex(s->ctx, text.p + len, &n) != 1) {
		secret_free(&text);
		return -1;
	}
	*plain = text;
	return 0;
}
