/* assertion.c: see assertion.h. */
#include "keyd/assertion.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#define PART_MAX 1400      /* bytes of header or payload before encoding */
#define SIGNATURE_MAX 1024 /* RSA-8192 */

/* base64url without padding (RFC 7515, appendix C).  Returns the length. */
static size_t
base64url(char *out, const uint8_t *p, size_t len)
{
	size_t n = (size_t)EVP_EncodeBlock((uint8_t *)out, p, (int)len);

	while (n > 0 && out[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		if (out[i] == '+')
			out[i] = '-';
		else if (out[i] == '/')
			out[i] = '_';
	out[n] = '\0';
	return n;
}

/* A value of orb.conf as it may stand in JSON without escapes. */
static int
is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x21 || (unsigned char)*s > 0x7e ||
		    *s == '"' || *s == '\\')
			return 0;
	return 1;
}

/* A random UUID (RFC 9562, version 4), so that an assertion is used once. */
static int
uuid_make(char out[37])
{
	uint8_t r[16];

	if (RAND_bytes(r, sizeof(r)) != 1)
		return -1;
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	snprintf(out, 37,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10],
	    r[11], r[12], r[13], r[14], r[15]);
	return 0;
}

static int
header_make(
    const struct assertion *a, const struct keypair *kp, char *out, size_t size)
{
	char x5t[64];

	if (a->alg == CONF_ALG_PS256) {
		base64url(x5t, kp->sha256, sizeof(kp->sha256));
		return snprintf(out, size,
		    "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"%s\"}",
		    x5t);
	}
	base64url(x5t, kp->sha1, sizeof(kp->sha1));
	return snprintf(out, size,
	    "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"%s\"}", x5t);
}

static int
payload_make(const struct assertion *a, char *out, size_t size)
{
	char jti[37];

	if (uuid_make(jti))
		return -1;
	return snprintf(out, size,
	    "{\"aud\":\"%s/%s/oauth2/v2.0/token\",\"iss\":\"%s\","
	    "\"sub\":\"%s\",\"jti\":\"%s\",\"nbf\":%" PRId64 ",\"iat\":%" PRId64
	    ",\"exp\":%" PRId64 "}",
	    a->login_url, a->tenant, a->client_id, a->client_id, jti, a->now,
	    a->now, a->now + ASSERTION_LIFETIME);
}

static int
sign(const struct keypair *kp, enum conf_alg alg, const char *input, size_t len,
    uint8_t *sig, size_t *siglen)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k = NULL;
	int ok;

	ok = c && EVP_DigestSignInit(c, &k, EVP_sha256(), NULL, kp->key) == 1;
	if (ok && alg == CONF_ALG_PS256)
		ok = EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING) >
			0 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(k, EVP_sha256()) > 0 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(
			k, RSA_PSS_SALTLEN_DIGEST) > 0;
	ok = ok &&
	    EVP_DigestSign(c, sig, siglen, (const uint8_t *)input, len) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return ok ? 0 : -1;
}

int
assertion_make(const struct assertion *a, const struct keypair *kp,
    struct secret *jwt, struct err *e)
{
	char part[PART_MAX], *in, b64[4 * ((SIGNATURE_MAX + 2) / 3) + 1];
	uint8_t sig[SIGNATURE_MAX];
	size_t siglen = sizeof(sig), n = 0, m;
	struct secret work = {NULL, 0};
	int len, rc = -1;

	if (!is_plain(a->login_url) || !is_plain(a->tenant) ||
	    !is_plain(a->client_id))
		return err_set(e, EINVAL,
		    "exchange.login_url, tenant and client_id of orb.conf may "
		    "hold no quotes, backslashes, spaces or letters beyond "
		    "ASCII");
	if (EVP_PKEY_get_size(kp->key) > SIGNATURE_MAX)
		return err_set(e, EINVAL, "the key is larger than RSA-%d",
		    8 * SIGNATURE_MAX);
	if (secret_alloc(&work, 4 * PART_MAX + sizeof(b64)))
		return err_set(e, ENOMEM, "no room in the secure heap");
	in = (char *)work.p;
	for (int i = 0; i < 2; i++) {
		len = i == 0 ? header_make(a, kp, part, sizeof(part))
			     : payload_make(a, part, sizeof(part));
		if (len <= 0 || (size_t)len >= sizeof(part)) {
			err_set(e, EINVAL,
			    "exchange.login_url, tenant or client_id of "
			    "orb.conf is too long");
			goto out;
		}
		n += base64url(in + n, (uint8_t *)part, (size_t)len);
		if (i == 0)
			in[n++] = '.';
	}
	if (sign(kp, a->alg, in, n, sig, &siglen)) {
		err_set(e, EIO, "the assertion cannot be signed");
		goto out;
	}
	in[n++] = '.';
	m = base64url(b64, sig, siglen);
	memcpy(in + n, b64, m);
	if (secret_copy(jwt, in, n + m))
		err_set(e, ENOMEM, "no room in the secure heap");
	else
		rc = 0;
	/* Whoever has it is the application for five minutes. */
	OPENSSL_cleanse(b64, sizeof(b64));
	OPENSSL_cleanse(sig, sizeof(sig));
out:
	secret_free(&work);
	return rc;
}
