/*
 * test_keyd_assertion.c: what a lease for Exchange and for TOPdesk is made of,
 * checked with OpenSSL's verification and not with keyd's own code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "keyd/assertion.h"
#include "keyd/token_form.h"
#include "tests/unit/keyd_keys.h"

static const struct assertion claims = {CONF_ALG_PS256, "https://login.example",
    "11111111-2222-3333-4444-555555555555",
    "99999999-8888-7777-6666-555555555555", 1700000000};

/* Decodes base64url without padding; returns the length. */
static size_t
unbase64url(const char *s, size_t len, uint8_t *out)
{
	char b[4096];
	size_t pad = (4 - len % 4) % 4;

	assert_true(len + pad < sizeof(b));
	assert_null(memchr(s, '=', len));
	assert_null(memchr(s, '+', len));
	assert_null(memchr(s, '/', len));
	for (size_t i = 0; i < len; i++)
		b[i] = (char)(s[i] == '-' ? '+' : s[i] == '_' ? '/' : s[i]);
	memset(b + len, '=', pad);
	assert_int_equal(EVP_DecodeBlock(out, (uint8_t *)b, (int)(len + pad)),
	    (int)((len + pad) / 4 * 3));
	return (len + pad) / 4 * 3 - pad;
}

static json_t *
part(const char *s, size_t len)
{
	uint8_t raw[4096];
	size_t n = unbase64url(s, len, raw);
	json_t *j = json_loadb((char *)raw, n, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(j);
	return j;
}

static const char *
text(const json_t *j, const char *name)
{
	assert_true(json_is_string(json_object_get(j, name)));
	return json_string_value(json_object_get(j, name));
}

/* 1 when the signature over the first two parts is right. */
static int
verified(EVP_PKEY *key, enum conf_alg alg, const char *jwt, size_t signed_len,
    const uint8_t *sig, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k;
	int rc;

	assert_int_equal(
	    EVP_DigestVerifyInit(c, &k, EVP_sha256(), NULL, key), 1);
	if (alg == CONF_ALG_PS256) {
		EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_mgf1_md(k, EVP_sha256());
		/* Exactly 32, neither found out nor the most there can be. */
		EVP_PKEY_CTX_set_rsa_pss_saltlen(k, 32);
	}
	rc = EVP_DigestVerify(c, sig, n, (const uint8_t *)jwt, signed_len);
	EVP_MD_CTX_free(c);
	return rc == 1;
}

static void
check(enum conf_alg alg, int bits)
{
	EVP_PKEY *key = test_key(bits);
	X509 *x = test_certificate(key, -60, 86400);
	char *pem = test_pem(key, x), *dot1, *dot2, *s;
	struct assertion a = claims;
	struct secret jwt = {NULL, 0};
	uint8_t sig[1024], digest[32], thumb[64];
	struct keypair kp;
	unsigned dn;
	json_t *h, *p;
	struct err e;
	size_t n;

	a.alg = alg;
	assert_int_equal(
	    keypair_parse(
		(struct wire_bytes){(uint8_t *)pem, strlen(pem)}, &kp, &e),
	    0);
	assert_int_equal(assertion_make(&a, &kp, &jwt, &e), 0);
	s = strndup((char *)jwt.p, jwt.len);
	dot1 = strchr(s, '.');
	dot2 = strchr(dot1 + 1, '.');
	h = part(s, (size_t)(dot1 - s));
	p = part(dot1 + 1, (size_t)(dot2 - dot1 - 1));

	assert_string_equal(text(h, "typ"), "JWT");
	assert_int_equal(json_object_size(h), 3);
	if (alg == CONF_ALG_PS256) {
		assert_string_equal(text(h, "alg"), "PS256");
		assert_int_equal(strlen(text(h, "x5t#S256")), 43);
		n = unbase64url(text(h, "x5t#S256"), 43, thumb);
		X509_digest(x, EVP_sha256(), digest, &dn);
	} else {
		assert_string_equal(text(h, "alg"), "RS256");
		assert_int_equal(strlen(text(h, "x5t")), 27);
		n = unbase64url(text(h, "x5t"), 27, thumb);
		X509_digest(x, EVP_sha1(), digest, &dn);
	}
	assert_int_equal(n, dn);
	assert_memory_equal(thumb, digest, dn);

	assert_string_equal(text(p, "aud"),
	    "https://login.example/11111111-2222-3333-4444-555555555555"
	    "/oauth2/v2.0/token");
	assert_string_equal(text(p, "iss"), claims.client_id);
	assert_string_equal(text(p, "sub"), claims.client_id);
	assert_int_equal(strlen(text(p, "jti")), 36);
	assert_int_equal(text(p, "jti")[14], '4');
	assert_int_equal(
	    json_integer_value(json_object_get(p, "nbf")), claims.now);
	assert_int_equal(
	    json_integer_value(json_object_get(p, "iat")), claims.now);
	assert_int_equal(
	    json_integer_value(json_object_get(p, "exp")), claims.now + 300);
	assert_int_equal(json_object_size(p), 7);

	n = unbase64url(dot2 + 1, strlen(dot2 + 1), sig);
	assert_int_equal(n, bits / 8);
	assert_true(verified(key, alg, s, (size_t)(dot2 - s), sig, n));
	sig[5] ^= 1;
	assert_false(verified(key, alg, s, (size_t)(dot2 - s), sig, n));

	json_decref(h);
	json_decref(p);
	free(s);
	free(pem);
	secret_free(&jwt);
	keypair_free(&kp);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
ps256(void **state)
{
	(void)state;
	check(CONF_ALG_PS256, 2048);
	check(CONF_ALG_PS256, 3072);
}

static void
rs256(void **state)
{
	(void)state;
	check(CONF_ALG_RS256, 2048);
}

static void
jti_is_fresh(void **state)
{
	EVP_PKEY *key = test_key(2048);
	X509 *x = test_certificate(key, -60, 86400);
	char *pem = test_pem(key, x);
	struct secret one = {NULL, 0}, two = {NULL, 0};
	struct assertion a = claims;
	struct keypair kp;
	struct err e;

	(void)state;
	a.alg = CONF_ALG_RS256; /* which has no random salt */
	assert_int_equal(
	    keypair_parse(
		(struct wire_bytes){(uint8_t *)pem, strlen(pem)}, &kp, &e),
	    0);
	assert_int_equal(assertion_make(&a, &kp, &one, &e), 0);
	assert_int_equal(assertion_make(&a, &kp, &two, &e), 0);
	assert_int_equal(one.len, two.len);
	assert_memory_not_equal(one.p, two.p, one.len);
	secret_free(&one);
	secret_free(&two);
	/* What would break out of the JSON is refused, not escaped. */
	a.client_id = "a\",\"sub\":\"b";
	assert_int_equal(assertion_make(&a, &kp, &one, &e), -1);
	assert_null(one.p);
	keypair_free(&kp);
	free(pem);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* keypair_parse() refuses pem, and says why in these words. */
static void
refused(const char *pem, const char *words)
{
	struct keypair kp;
	struct err e = {0, ""};

	assert_int_equal(keypair_parse((struct wire_bytes){(const uint8_t *)pem,
					   strlen(pem)},
			     &kp, &e),
	    -1);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, e.text);
	assert_null(kp.key);
}

static char *
locked_pem(EVP_PKEY *key, int traditional)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p, *out;
	long n;

	if (traditional)
		PEM_write_bio_PrivateKey_traditional(b, key, EVP_aes_128_cbc(),
		    (const unsigned char *)"pass", 4, NULL, NULL);
	else
		PEM_write_bio_PKCS8PrivateKey(
		    b, key, EVP_aes_128_cbc(), "pass", 4, NULL, NULL);
	n = BIO_get_mem_data(b, &p);
	out = strndup(p, (size_t)n);
	BIO_free(b);
	return out;
}

static void
keys_refused(void **state)
{
	EVP_PKEY *weak = test_key(1024), *ec = test_key(0);
	EVP_PKEY *good = test_key(2048), *other = test_key(2048);
	X509 *x = test_certificate(other, -60, 86400);
	char *pem;

	(void)state;
	refused("", "no private key");
	refused("hello", "no private key");
	refused(
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	    "cannot be read");
	pem = test_pem(NULL, x);
	refused(pem, "no private key");
	free(pem);
	pem = test_pem(weak, NULL);
	refused(pem, "the key is RSA-1024; at least 2048 bits are needed");
	free(pem);
	pem = test_pem(ec, NULL);
	refused(pem, "the key is EC; an RSA key is needed");
	free(pem);
	pem = test_pem(good, NULL);
	refused(pem, "no certificate");
	free(pem);
	pem = test_pem(good, x);
	refused(pem, "does not belong to the private key");
	free(pem);
	for (int i = 0; i < 2; i++) {
		pem = locked_pem(good, i);
		refused(pem, "passphrase");
		free(pem);
	}
	X509_free(x);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(good);
	EVP_PKEY_free(other);
}

/* Certificate first, a foreign one before it, PKCS#1: all of it is in use. */
static void
orders(void **state)
{
	EVP_PKEY *key = test_key(2048), *other = test_key(2048);
	X509 *x = test_certificate(key, -60, 86400);
	X509 *ca = test_certificate(other, -60, 86400);
	BIO *b = BIO_new(BIO_s_mem());
	struct keypair kp;
	struct err e;
	char *p;
	long n;

	(void)state;
	PEM_write_bio_X509(b, ca);
	PEM_write_bio_X509(b, x);
	PEM_write_bio_PrivateKey_traditional(b, key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(b, &p);
	assert_int_equal(
	    keypair_parse(
		(struct wire_bytes){(uint8_t *)p, (size_t)n}, &kp, &e),
	    0);
	assert_int_equal(EVP_PKEY_eq(kp.key, key), 1);
	assert_int_equal(kp.facts.bits, 2048);
	assert_int_equal(strlen(kp.facts.thumbprint), 64);
	assert_int_equal(kp.facts.not_after - kp.facts.not_before, 86460);
	keypair_free(&kp);
	BIO_free(b);
	X509_free(x);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void
forms(void **state)
{
	struct secret proof, body = {NULL, 0};
	struct err e;
	static const char want[] =
	    "client_id=abc&scope=https%3A%2F%2Fgraph.example%2F.default"
	    "&grant_type=client_credentials"
	    "&client_secret=a%2Bb%26c%3Dd%20%25~-._%C3%A9";
	static const char jwt_form[] =
	    "client_id=abc&scope=s&grant_type=client_credentials"
	    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
	    "client-assertion-type%3Ajwt-bearer&client_assertion=ab.c-d._e";

	(void)state;
	secret_copy(&proof, "a+b&c=d %~-._\xc3\xa9", 15);
	assert_int_equal(token_form("abc", "https://graph.example/.default",
			     TOKEN_SECRET, &proof, &body, &e),
	    0);
	assert_int_equal(body.len, strlen(want));
	assert_memory_equal(body.p, want, body.len);
	secret_free(&body);
	secret_free(&proof);
	secret_copy(&proof, "ab.c-d._e", 9);
	assert_int_equal(
	    token_form("abc", "s", TOKEN_ASSERTION, &proof, &body, &e), 0);
	assert_int_equal(body.len, strlen(jwt_form));
	assert_memory_equal(body.p, jwt_form, body.len);
	secret_free(&body);
	secret_free(&proof);
}

static void
basic(void **state)
{
	struct secret pw, v = {NULL, 0};
	struct err e;

	(void)state;
	/* The example of RFC 7617, section 2. */
	secret_copy(&pw, "open sesame", 11);
	assert_int_equal(token_basic("Aladdin", &pw, &v, &e), 0);
	assert_int_equal(v.len, strlen("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
	assert_memory_equal(v.p, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", v.len);
	secret_free(&v);
	assert_int_equal(token_basic("a:b", &pw, &v, &e), -1);
	assert_int_equal(token_basic("", &pw, &v, &e), -1);
	assert_null(v.p);
	secret_free(&pw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ps256),
	    cmocka_unit_test(rs256),
	    cmocka_unit_test(jti_is_fresh),
	    cmocka_unit_test(keys_refused),
	    cmocka_unit_test(orders),
	    cmocka_unit_test(forms),
	    cmocka_unit_test(basic),
	};

	(void)secret_init(256 * 1024);
	return cmocka_run_group_tests_name("keyd_assertion", tests, NULL, NULL);
}
