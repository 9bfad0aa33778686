/* keyd_keys.c: see keyd_keys.h. */
#include "tests/unit/keyd_keys.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

EVP_PKEY *
test_key(int bits)
{
	static EVP_PKEY *made[2];
	static unsigned turn;
	EVP_PKEY **key = &made[turn % 2];

	if (bits == 0)
		return EVP_EC_gen("P-256");
	if (bits != 2048)
		return EVP_RSA_gen((unsigned)bits);
	turn++;
	if (*key == NULL)
		*key = EVP_RSA_gen(2048);
	EVP_PKEY_up_ref(*key);
	return *key;
}

X509 *
test_certificate(EVP_PKEY *key, long from, long to)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"orb test", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	return x;
}

char *
test_pem(EVP_PKEY *key, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p, *out;
	long n;

	if (key)
		PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
	if (x)
		PEM_write_bio_X509(b, x);
	n = BIO_get_mem_data(b, &p);
	out = calloc(1, (size_t)n + 1);
	memcpy(out, p, (size_t)n);
	OPENSSL_cleanse(p, (size_t)n);
	BIO_free(b);
	return out;
}
