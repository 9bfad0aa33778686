/* note.c: see note.h. */
#include "keyd/note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#define ED25519 1 /* signed-note's number of the algorithm */
#define PUBLIC 32
#define SIGNATURE 64
#define DASH "\xe2\x80\x94 " /* U+2014 begins a signature line */

void
note_name(char name[NOTE_NAME], const char *site)
{
	size_t n;

	snprintf(name, NOTE_NAME, "orb/%.64s", site);
	n = strspn(name,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/");
	for (; name[n]; n += strspn(name + n,
			    "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._-"))
		name[n] = '-';
}

static EVP_PKEY *
key_of(const struct secret *seed, uint8_t public[PUBLIC])
{
	EVP_PKEY *k = NULL;
	size_t n = PUBLIC;

	if (seed->len == NOTE_SEED)
		k = EVP_PKEY_new_raw_private_key(
		    EVP_PKEY_ED25519, NULL, seed->p, seed->len);
	if (k == NULL || EVP_PKEY_get_raw_public_key(k, public, &n) != 1 ||
	    n != PUBLIC) {
		EVP_PKEY_free(k);
		return NULL;
	}
	return k;
}

/* The first four bytes of SHA-256(name || newline || algorithm || key). */
static int
key_id(const char *name, const uint8_t public[PUBLIC], uint8_t id[4])
{
	char text[NOTE_NAME + 2 + PUBLIC];
	uint8_t sum[32];
	size_t n =
	    (size_t)snprintf(text, sizeof(text), "%s\n%c", name, ED25519);

	memcpy(text + n, public, PUBLIC);
	if (EVP_Digest(text, n + PUBLIC, sum, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	memcpy(id, sum, 4);
	return 0;
}

static int
sign(EVP_PKEY *k, const char *text, size_t len, uint8_t out[SIGNATURE])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = SIGNATURE;
	int ok;

	ok = c && EVP_DigestSignInit(c, NULL, NULL, NULL, k) == 1 &&
	    EVP_DigestSign(c, out, &n, (const uint8_t *)text, len) == 1 &&
	    n == SIGNATURE;
	EVP_MD_CTX_free(c);
	return ok ? 0 : -1;
}

size_t
note_sign(
    const struct note *x, const struct secret *seed, char *out, struct err *e)
{
	uint8_t public[PUBLIC], line[4 + SIGNATURE];
	char root[48], sig[100];
	EVP_PKEY *k = key_of(seed, public);
	int n, rc = -1;

	EVP_EncodeBlock((uint8_t *)root, x->root.b, MERKLE_HASH);
	n = snprintf(out, NOTE_MAX,
	    "%s\n%" PRIu64 "\n%s\ntime %" PRId64 "\nboot %s\ncounter none\n"
	    "key software\n",
	    x->name, x->size, root, x->time, x->boot_id);
	if (k && key_id(x->name, public, line) == 0)
		rc = sign(k, out, (size_t)n, line + 4);
	EVP_PKEY_free(k);
	if (rc) {
		err_set(e, EIO, "the checkpoint could not be signed");
		return 0;
	}
	EVP_EncodeBlock((uint8_t *)sig, line, sizeof(line));
	n += snprintf(
	    out + n, NOTE_MAX - (size_t)n, "\n" DASH "%s %s\n", x->name, sig);
	return (size_t)n;
}

int
note_key(const char *name, const struct secret *seed, char *out, struct err *e)
{
	uint8_t public[1 + PUBLIC] = {ED25519}, id[4];
	EVP_PKEY *k = key_of(seed, public + 1);
	char key[60];

	EVP_PKEY_free(k);
	if (k == NULL || key_id(name, public + 1, id))
		return err_set(e, EIO, "the signing key cannot be read");
	EVP_EncodeBlock((uint8_t *)key, public, sizeof(public));
	snprintf(out, NOTE_KEY_MAX, "%s+%02x%02x%02x%02x+%s", name, id[0],
	    id[1], id[2], id[3], key);
	return 0;
}
