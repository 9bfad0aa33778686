/*
 * http_tls.c: whom http trusts.
 *
 * libcurl would parse the CA bundle again for each connection.  Here it is
 * read once, before lock-down, and only indexed: a certificate is decoded when
 * a chain asks for its subject.  140 decoded CAs cost 4 MiB and more; a site
 * needs two of them.
 */
#include "fetchd/http.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
};

struct anchor {
	unsigned long subject; /* X509_NAME_hash_ex() */
	unsigned char *der;
	int len;
	int added; /* is in the store already */
};

struct tls {
	X509_STORE *store;
	X509_LOOKUP_METHOD *method;
	struct anchor *anchors;
	size_t n, cap;
};

static int
anchor_add(struct tls *t, X509 *x)
{
	struct anchor *a;
	int ok = 0;

	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 32;

		if ((a = realloc(t->anchors, cap * sizeof(*a))) == NULL)
			return -1;
		t->anchors = a;
		t->cap = cap;
	}
	a = &t->anchors[t->n];
	memset(a, 0, sizeof(*a));
	a->subject =
	    X509_NAME_hash_ex(X509_get_subject_name(x), NULL, NULL, &ok);
	if (!ok || (a->len = i2d_X509(x, &a->der)) <= 0)
		return -1;
	t->n++;
	return 0;
}

static int
anchors_read(struct tls *t, const char *file, struct err *e)
{
	FILE *f = fopen(file, "re");
	X509 *x;
	int rc = 0;

	if (f == NULL)
		return err_sys(e, "CA file %s", file);
	while (rc == 0 && (x = PEM_read_X509(f, NULL, NULL, NULL)) != NULL) {
		rc = anchor_add(t, x);
		X509_free(x);
	}
	/* The end of the file is an error to the reader. */
	ERR_clear_error();
	fclose(f);
	if (rc)
		return err_set(e, EINVAL,
		    "CA file %s: a certificate cannot "
		    "be used",
		    file);
	if (t->n == 0)
		return err_set(
		    e, EINVAL, "CA file %s has no certificate", file);
	return 0;
}

/* Decodes the CAs of that subject into the store, which keeps them. */
static int
on_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
    X509_OBJECT *ret)
{
	struct tls *t = X509_LOOKUP_get_method_data(lookup);
	X509_STORE *store = X509_LOOKUP_get_store(lookup);
	const unsigned char *p;
	unsigned long hash;
	X509 *x, *found = NULL;
	int ok = 0;

	if (type != X509_LU_X509)
		return 0;
	hash = X509_NAME_hash_ex(name, NULL, NULL, &ok);
	for (size_t i = 0; ok && i < t->n; i++) {
		if (t->anchors[i].subject != hash || t->anchors[i].added)
			continue;
		p = t->anchors[i].der;
		if ((x = d2i_X509(NULL, &p, t->anchors[i].len)) == NULL)
			continue;
		t->anchors[i].added = X509_STORE_add_cert(store, x);
		if (found == NULL && t->anchors[i].added &&
		    X509_NAME_cmp(X509_get_subject_name(x), name) == 0)
			found = x;
		else
			X509_free(x);
	}
	if (found == NULL)
		return 0;
	/*
	 * The caller takes a reference of its own from what the store holds
	 * (x509_lu.c), as it does after OpenSSL's own lookups, so the one that
	 * set1 took is given back.
	 */
	if ((ok = X509_OBJECT_set1_X509(ret, found)) != 0)
		X509_free(found);
	X509_free(found);
	return ok;
}

static int
store_make(struct tls *t)
{
	X509_LOOKUP *lookup;

	if ((t->store = X509_STORE_new()) == NULL ||
	    (t->method = X509_LOOKUP_meth_new("orb anchors")) == NULL ||
	    !X509_LOOKUP_meth_set_get_by_subject(t->method, on_subject) ||
	    (lookup = X509_STORE_add_lookup(t->store, t->method)) == NULL ||
	    !X509_LOOKUP_set_method_data(lookup, t))
		return -1;
	/* As libcurl sets it: an intermediate that is trusted is enough. */
	X509_STORE_set_flags(
	    t->store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

int
tls_open(struct tls **out, const char *file, struct err *e)
{
	struct tls *t = calloc(1, sizeof(*t));
	struct err last;

	/* The first gmtime() reads /etc/localtime; a certificate's dates are
	 * looked at after lock-down. */
	tzset();
	if (t == NULL || store_make(t)) {
		tls_free(t);
		return err_set(e, ENOMEM, "no memory for the CA store");
	}
	if (file[0]) {
		if (anchors_read(t, file, e))
			goto bad;
	} else if (anchors_read(t, bundles[0], e) &&
	    anchors_read(t, bundles[1], &last))
		goto bad;
	*out = t;
	return 0;
bad:
	tls_free(t);
	return -1;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	X509_STORE_free(t->store);
	X509_LOOKUP_meth_free(t->method);
	for (size_t i = 0; i < t->n; i++)
		OPENSSL_free(t->anchors[i].der);
	free(t->anchors);
	free(t);
}

CURLcode
tls_on_context(CURL *easy, void *ctx, void *arg)
{
	struct tls *t = arg;

	(void)easy;
	SSL_CTX_set1_cert_store(ctx, t->store);
	return CURLE_OK;
}

int
tls_peer_spki(CURL *easy, uint8_t out[32])
{
	struct curl_tlssessioninfo *info = NULL;
	unsigned char *der = NULL;
	X509 *x = NULL;
	int len, rc = -1;

	if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) ||
	    info == NULL || info->backend != CURLSSLBACKEND_OPENSSL ||
	    info->internals == NULL)
		return -1;
	x = SSL_get1_peer_certificate(info->internals);
	if (x && SSL_get_verify_result(info->internals) == X509_V_OK) {
		len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
		if (len > 0 &&
		    EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL))
			rc = 0;
	}
	OPENSSL_free(der);
	X509_free(x);
	return rc;
}
