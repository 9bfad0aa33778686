/*
 * assertion.c: verifies client assertions (signed JWTs) against certificates
 * registered at run time, as strictly as Entra says it does: signature,
 * thumbprint, audience, issuer, subject, times, and no jti twice.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

static struct certificate {
	X509 *x509;
	char sha1[28]; /* base64url, no padding */
	char sha256[44];
} * certificates;
static size_t ncertificates;
static struct map seen; /* jti */

static void
url64(char *out, const unsigned char *in, size_t n)
{
	char *p;

	base64(out, in, n);
	for (p = out; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	if ((p = strchr(out, '=')) != NULL)
		*p = '\0';
}

/* Registers a PEM certificate; its SHA-256 in hex.  -1: cannot be read. */
int
certificate_register(const char *pem, char thumb[65])
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	struct certificate *c;
	unsigned char d[EVP_MAX_MD_SIZE];
	char b64[96];
	unsigned int n, i;

	BIO_free(bio);
	if (x == NULL)
		return -1;
	certificates = grow(certificates, ncertificates + 1, sizeof(*c));
	c = &certificates[ncertificates++];
	c->x509 = x;
	(void)X509_digest(x, EVP_sha1(), d, &n);
	url64(b64, d, n);
	memcpy(c->sha1, b64, sizeof(c->sha1));
	(void)X509_digest(x, EVP_sha256(), d, &n);
	url64(b64, d, n);
	memcpy(c->sha256, b64, sizeof(c->sha256));
	for (i = 0; i < 32; i++)
		(void)snprintf(thumb + 2 * i, 3, "%02x", d[i]);
	return 0;
}

void
certificates_end(void)
{
	size_t i;

	for (i = 0; i < ncertificates; i++)
		X509_free(certificates[i].x509);
	free(certificates);
	certificates = NULL;
	ncertificates = 0;
	map_free(&seen, NULL);
}

static const struct certificate *
certificate_of(json_t *header)
{
	const char *five = json_string_value(json_object_get(header, "x5t"));
	const char *six =
	    json_string_value(json_object_get(header, "x5t#S256"));
	size_t i;

	for (i = 0; i < ncertificates; i++)
		if ((six && strcmp(six, certificates[i].sha256) == 0) ||
		    (!six && five && strcmp(five, certificates[i].sha1) == 0))
			return &certificates[i];
	return NULL;
}

static int
signature_good(const struct certificate *c, int pss, const char *signed_part,
    size_t len, const unsigned char *sig, size_t nsig)
{
	EVP_PKEY *key = X509_get0_pubkey(c->x509);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc;
	int ok;

	ok = key != NULL && EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
	    EVP_DigestVerifyInit(ctx, &pc, EVP_sha256(), NULL, key) == 1;
	if (ok && pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) ==
			1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(
			pc, RSA_PSS_SALTLEN_DIGEST) == 1 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(pc, EVP_sha256()) == 1;
	ok = ok &&
	    EVP_DigestVerify(
		ctx, sig, nsig, (const unsigned char *)signed_part, len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static json_t *
part(const char *s, size_t n)
{
	unsigned char buf[4096];
	int len = unbase64(buf, sizeof(buf), s, n);

	return len < 0 || memchr(s, '=', n) != NULL
	    ? NULL
	    : json_loadb((char *)buf, (size_t)len, 0, NULL);
}

static int
claims_good(json_t *p, const char **why, int *code)
{
	int64_t now = when_now(), nbf, exp;
	const char *aud = json_string_value(json_object_get(p, "aud"));
	const char *iss = json_string_value(json_object_get(p, "iss"));
	const char *sub = json_string_value(json_object_get(p, "sub"));
	const char *jti = json_string_value(json_object_get(p, "jti"));
	char tail[512];

	/* any name of this listener will do, its port and path must fit */
	(void)snprintf(tail, sizeof(tail), ":%d/%s/oauth2/v2.0/token",
	    listening[LOGIN].port, settings.tenant);
	exp = json_integer_value(json_object_get(p, "exp"));
	nbf = json_integer_value(json_object_get(p, "nbf"));
	*code = 50013;
	if (aud == NULL || strncmp(aud, "https://", 8) != 0 ||
	    strcmp(aud + 8 + strcspn(aud + 8, ":/"), tail) != 0)
		*why = "Assertion audience is not the token endpoint.";
	else if (iss == NULL || sub == NULL || strcmp(iss, sub) != 0 ||
	    strcmp(iss, settings.client_id) != 0)
		*why = "Assertion issuer or subject is not the client.";
	else if (jti == NULL || map_get(&seen, jti) != NULL)
		*why = "Assertion jti is missing or was used before.";
	else if (*code = 700024,
	    !json_is_integer(json_object_get(p, "nbf")) || nbf > now + 60 ||
		exp <= now || exp > now + 600 + 60 || exp - nbf > 600)
		*why = "Client assertion is not within its valid time range.";
	else {
		map_put(&seen, jti, &seen);
		return 1;
	}
	return 0;
}

/* 0 when good; else the reason and its AADSTS number. */
int
assertion_verify(const char *jwt, const char **why, int *code)
{
	const char *dot = strchr(jwt, '.'), *dot2, *alg;
	const struct certificate *c;
	unsigned char sig[1024];
	json_t *header = NULL, *claims = NULL;
	int nsig, pss, bad = 1;

	*code = 50027;
	*why = "Invalid JWT token.";
	dot2 = dot ? strchr(dot + 1, '.') : NULL;
	if (dot2 == NULL || strchr(dot2 + 1, '.') != NULL)
		return 1;
	header = part(jwt, (size_t)(dot - jwt));
	claims = part(dot + 1, (size_t)(dot2 - dot - 1));
	nsig = unbase64(sig, sizeof(sig), dot2 + 1, strlen(dot2 + 1));
	alg = json_string_value(json_object_get(header, "alg"));
	if (header == NULL || claims == NULL || nsig <= 0 || alg == NULL)
		goto out;
	pss = strcmp(alg, "PS256") == 0;
	if (!pss && strcmp(alg, "RS256") != 0)
		goto out;
	*code = 700027;
	*why = "The certificate with identifier used to sign the client "
	       "assertion is not registered on application.";
	c = certificate_of(header);
	if (c == NULL)
		goto out;
	if (pss && json_object_get(header, "x5t#S256") == NULL)
		goto out;
	*why = "Client assertion failed signature validation.";
	if (!signature_good(
		c, pss, jwt, (size_t)(dot2 - jwt), sig, (size_t)nsig))
		goto out;
	bad = !claims_good(claims, why, code);
out:
	json_decref(header);
	json_decref(claims);
	return bad;
}
