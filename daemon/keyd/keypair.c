/* keypair.c: see keypair.h. */
#include "keyd/keypair.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* No passphrase is ever asked for; that one was needed is remembered. */
static int
passphrase_wanted(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	*(int *)arg = 1;
	return -1;
}

/*
 * The next PEM block whose label fits what (PEM_STRING_X509 or
 * PEM_STRING_EVP_PKEY, which is any private key), decoded into the secure
 * heap: PEM_read_bio_X509() would leave the private keys that it passes over
 * in ordinary memory.
 */
static int
pem_block(BIO *bio, const char *what, uint8_t **der, long *len, char *label,
    size_t size, int *locked)
{
	char *name = NULL;

	if (PEM_bytes_read_bio_secmem(
		der, len, &name, what, bio, passphrase_wanted, locked) != 1)
		return -1;
	snprintf(label, size, "%s", name);
	OPENSSL_secure_free(name);
	return 0;
}

static void
block_free(uint8_t *der, long len)
{
	OPENSSL_secure_clear_free(der, (size_t)len);
}

static EVP_PKEY *
key_decode(const uint8_t *der, long len, const char *label)
{
	PKCS8_PRIV_KEY_INFO *p8;
	EVP_PKEY *key;

	if (strcmp(label, PEM_STRING_PKCS8INF))
		return d2i_AutoPrivateKey(NULL, &der, len);
	if ((p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len)) == NULL)
		return NULL;
	key = EVP_PKCS82PKEY(p8);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return key;
}

static int
key_read(struct wire_bytes pem, struct keypair *kp, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	uint8_t *der = NULL;
	char label[64];
	int locked = 0, rc;
	long len = 0;

	rc = bio ? pem_block(bio, PEM_STRING_EVP_PKEY, &der, &len, label,
		       sizeof(label), &locked)
		 : -1;
	BIO_free(bio);
	if (locked || (rc == 0 && strcmp(label, PEM_STRING_PKCS8) == 0)) {
		if (rc == 0)
			block_free(der, len);
		return err_set(e, EINVAL,
		    "the private key is protected by a passphrase: take it "
		    "off first (openssl pkey -in KEY)");
	}
	if (rc)
		return err_set(e, EINVAL,
		    "there is no private key in it: a PEM block \"PRIVATE "
		    "KEY\" and the certificate are needed");
	kp->key = key_decode(der, len, label);
	block_free(der, len);
	if (kp->key == NULL)
		return err_set(e, EINVAL,
		    "the private key (PEM block \"%.40s\") cannot be read",
		    label);
	kp->facts.bits = EVP_PKEY_get_bits(kp->key);
	if (!EVP_PKEY_is_a(kp->key, "RSA"))
		return err_set(e, EINVAL,
		    "the key is %.30s; an RSA key is needed, since only that "
		    "may sign a client assertion",
		    EVP_PKEY_get0_type_name(kp->key));
	if (kp->facts.bits < KEYPAIR_BITS_MIN)
		return err_set(e, EINVAL,
		    "the key is RSA-%d; at least %d bits are needed",
		    kp->facts.bits, KEYPAIR_BITS_MIN);
	return 0;
}

static int64_t
asn1_seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

/* Takes what is to be known from the certificate. */
static int
certificate_note(X509 *x, struct keypair *kp, struct err *e)
{
	unsigned n;

	kp->facts.not_before = asn1_seconds(X509_get0_notBefore(x));
	kp->facts.not_after = asn1_seconds(X509_get0_notAfter(x));
	if (X509_digest(x, EVP_sha256(), kp->sha256, &n) != 1 || n != 32 ||
	    X509_digest(x, EVP_sha1(), kp->sha1, &n) != 1 || n != 20 ||
	    kp->facts.not_before < 0 || kp->facts.not_after < 0)
		return err_set(e, EINVAL, "the certificate cannot be read");
	for (size_t i = 0; i < sizeof(kp->sha256); i++)
		snprintf(
		    kp->facts.thumbprint + 2 * i, 3, "%02x", kp->sha256[i]);
	return 0;
}

static int
certificate_read(struct wire_bytes pem, struct keypair *kp, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	const uint8_t *p;
	uint8_t *der;
	char label[64];
	int locked = 0, seen = 0, rc = 1;
	long len;
	X509 *x;

	while (rc > 0 && bio &&
	    pem_block(bio, PEM_STRING_X509, &der, &len, label, sizeof(label),
		&locked) == 0) {
		seen++;
		p = der;
		x = d2i_X509(NULL, &p, len);
		block_free(der, len);
		if (x && X509_check_private_key(x, kp->key) == 1)
			rc = certificate_note(x, kp, e);
		X509_free(x);
	}
	BIO_free(bio);
	if (rc <= 0)
		return rc;
	if (seen == 0)
		return err_set(e, EINVAL,
		    "there is no certificate in it: put the certificate's PEM "
		    "block behind the private key's");
	return err_set(e, EINVAL,
	    "the certificate does not belong to the private key (%d "
	    "certificate%s looked at)",
	    seen, seen == 1 ? "" : "s");
}

int
keypair_parse(struct wire_bytes pem, struct keypair *kp, struct err *e)
{
	int rc = -1;

	memset(kp, 0, sizeof(*kp));
	if (key_read(pem, kp, e) == 0 && certificate_read(pem, kp, e) == 0)
		rc = 0;
	else
		keypair_free(kp);
	ERR_clear_error();
	return rc;
}

void
keypair_free(struct keypair *kp)
{
	EVP_PKEY_free(kp->key);
	memset(kp, 0, sizeof(*kp));
}
