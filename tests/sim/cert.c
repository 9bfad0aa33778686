/*
 * cert.c: makes a CA and a server certificate at every start, so that no key
 * is ever stored in the repository.  The CA's key is dropped at once; only
 * ca.pem is written.  Three bad kinds exist for tests of clients.
 */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "text.h"

static int
extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	int ok;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static X509 *
cert_new(const char *name, EVP_PKEY *key, long from, long to)
{
	X509 *x = X509_new();
	unsigned char serial[8];
	BIGNUM *bn;

	(void)RAND_bytes(serial, sizeof(serial));
	serial[0] &= 0x7f;
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	(void)BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
	BN_free(bn);
	(void)X509_set_version(x, 2);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), from);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), to);
	(void)X509_set_pubkey(x, key);
	(void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
	    MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	return x;
}

static char *
names_san(const char *names, enum tls_mode mode)
{
	struct text t = {0};
	const char *p;
	size_t n;

	if (mode == TLS_WRONGHOST) {
		text_str(&t, "DNS:wrong.sim.test");
		return t.b;
	}
	text_str(&t,
	    "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:login.sim.test,"
	    "DNS:graph.sim.test,DNS:topdesk.sim.test");
	for (p = names ? names : ""; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (n > 0)
			text_fmt(&t, ",DNS:%.*s", (int)n, p);
	}
	return t.b;
}

static char *
bio_text(BIO *b)
{
	char *data;
	long n = BIO_get_mem_data(b, &data);
	struct text t = {0};

	text_add(&t, data, (size_t)n);
	BIO_free(b);
	return t.b;
}

/*
 * Writes the CA's certificate to ca_path and gives the server's key and chain
 * as PEM, which the caller frees.  0, or -1.
 */
int
cert_make(const char *ca_path, enum tls_mode mode, const char *names,
    char **key_pem, char **chain_pem)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca, *x;
	BIO *b;
	char *san = names_san(names, mode);
	FILE *f;
	int ok, self = mode == TLS_SELFSIGNED;

	ca = cert_new("ORB simulator CA", ca_key, -86400, 30 * 86400L);
	(void)X509_set_issuer_name(ca, X509_get_subject_name(ca));
	ok = extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE") &&
	    extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    extend(ca, ca, NID_subject_key_identifier, "hash") &&
	    X509_sign(ca, ca_key, EVP_sha256()) > 0;
	x = cert_new("localhost", key,
	    mode == TLS_EXPIRED ? -10 * 86400L : -86400L,
	    mode == TLS_EXPIRED ? -5 * 86400L : 20 * 86400L);
	(void)X509_set_issuer_name(x, X509_get_subject_name(self ? x : ca));
	ok = ok && extend(x, self ? x : ca, NID_subject_alt_name, san) &&
	    extend(
		x, self ? x : ca, NID_basic_constraints, "critical,CA:FALSE") &&
	    extend(x, self ? x : ca, NID_ext_key_usage, "serverAuth") &&
	    extend(
		x, self ? x : ca, NID_key_usage, "critical,digitalSignature") &&
	    extend(x, self ? x : ca, NID_subject_key_identifier, "hash") &&
	    (self || extend(x, ca, NID_authority_key_identifier, "keyid")) &&
	    X509_sign(x, self ? key : ca_key, EVP_sha256()) > 0;
	f = fopen(ca_path, "we");
	ok = ok && f != NULL && PEM_write_X509(f, ca) == 1;
	if (f != NULL)
		ok = fclose(f) == 0 && ok;
	b = BIO_new(BIO_s_mem());
	(void)PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
	*key_pem = bio_text(b);
	b = BIO_new(BIO_s_mem());
	(void)PEM_write_bio_X509(b, x);
	*chain_pem = bio_text(b);
	free(san);
	X509_free(ca);
	X509_free(x);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return ok ? 0 : -1;
}
