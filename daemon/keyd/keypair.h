/*
 * keypair.h: a private key with its certificate, read from PEM.
 *
 * Here: reading and checking what a person enters as exchange-key.  Not here:
 * signing (assertion.h), keeping (vault.h).
 *
 * The parsed key lives in OpenSSL's own memory (its secret numbers are taken
 * from the secure heap) for the time of one signature; it is not kept between
 * two.
 */
#ifndef ORB_KEYD_KEYPAIR_H
#define ORB_KEYD_KEYPAIR_H

#include <openssl/types.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/wire.h"

#define KEYPAIR_BITS_MIN 2048

/* What may be shown of a key pair. */
struct key_facts {
	char thumbprint[65]; /* SHA-256 of the certificate's DER, lower hex */
	int64_t not_before, not_after;
	int bits;
};

struct keypair {
	EVP_PKEY *key;
	uint8_t sha256[32], sha1[20]; /* of the certificate's DER */
	struct key_facts facts;
};

/*
 * pem: one unencrypted RSA private key of at least 2048 bits and a certificate
 * for it, in any order; further certificates (a chain) are passed over.
 * 0 and *kp (free with keypair_free()), or -1 and err that says what is wrong
 * in words for the person who enters it.
 */
int keypair_parse(struct wire_bytes pem, struct keypair *kp, struct err *);
void keypair_free(struct keypair *);

#endif
