/* key.c: see key.h. */
#include "verify/key.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "verify/base64.h"
#include "verify/tree.h"

#define ED25519 1 /* C2SP signed-note, "Signature types" */
#define ED25519_LEN 32

/* SHA-256(NAME || newline || algorithm || key), the first four bytes. */
static void
key_hash(
    const char *name, size_t len, const uint8_t *key, size_t n, uint8_t hash[4])
{
	uint8_t text[KEY_NAME_MAX + 1 + 1 + ED25519_LEN], h[HASH_LEN];

	memcpy(text, name, len);
	text[len] = '\n';
	memcpy(text + len + 1, key, n);
	tree_sha256(text, len + 1 + n, h);
	memcpy(hash, h, 4);
}

/* Eight hex digits, lower case. */
static int
read_hash(const char *s, uint8_t hash[4])
{
	for (int i = 0; i < 8; i++) {
		int d = s[i] >= '0' && s[i] <= '9' ? s[i] - '0'
		    : s[i] >= 'a' && s[i] <= 'f'   ? s[i] - 'a' + 10
						   : -1;

		if (d < 0)
			return -1;
		hash[i / 2] = (uint8_t)(hash[i / 2] << 4 | d);
	}
	return 0;
}

/* A name has no white space and no "+" (C2SP signed-note); ORB's are printable
 * ASCII. */
static int
name_is_good(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return 0;
	return n > 0 && n < KEY_NAME_MAX;
}

int
key_read(struct key *k, const char *s, size_t n, const char **why)
{
	uint8_t raw[1 + ED25519_LEN], hash[4] = {0}, own[4];
	const char *plus;
	size_t len;

	memset(k, 0, sizeof(*k));
	if (n && s[n - 1] == '\n')
		n--;
	*why = "a key is NAME+HASH+KEY";
	if (n > KEY_TEXT_MAX || (plus = memchr(s, '+', n)) == NULL)
		return -1;
	len = (size_t)(plus - s);
	if (!name_is_good(s, len) || n - len < 10 || plus[9] != '+' ||
	    read_hash(plus + 1, hash))
		return -1;
	*why = "KEY must be base64 of an Ed25519 key: 1 and 32 bytes";
	if (base64_decode(plus + 10, n - len - 10, raw, sizeof(raw)) !=
		(int)sizeof(raw) ||
	    raw[0] != ED25519)
		return -1;
	*why = "HASH does not belong to NAME and KEY: one of them has a "
	       "mistake";
	key_hash(s, len, raw, sizeof(raw), own);
	if (memcmp(hash, own, 4) != 0)
		return -1;
	*why = "libcrypto does not take the key";
	k->pkey = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, raw + 1, ED25519_LEN);
	if (k->pkey == NULL)
		return -1;
	memcpy(k->name, s, len);
	memcpy(k->hash, hash, 4);
	snprintf(k->id, sizeof(k->id), "%s+%.8s", k->name, plus + 1);
	return 0;
}

void
key_drop(struct key *k)
{
	EVP_PKEY_free(k->pkey);
	k->pkey = NULL;
}

int
key_verify(const struct key *k, const uint8_t *text, size_t n,
    const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	if (ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
	    EVP_DigestVerify(ctx, sig, sig_len, text, n) == 1)
		rc = 0;
	EVP_MD_CTX_free(ctx);
	return rc;
}
