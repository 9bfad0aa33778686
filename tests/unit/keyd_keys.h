/* keyd_keys.h: key pairs made for the tests of keyd; none lies in the tree. */
#ifndef ORB_TESTS_KEYD_KEYS_H
#define ORB_TESTS_KEYD_KEYS_H

#include <openssl/types.h>
#include <stdint.h>

/* RSA of so many bits, or EC P-256 with 0.  Of 2048 bits there are two, by
 * turns, since making them takes long under valgrind. */
EVP_PKEY *test_key(int bits);
/* Self-signed, valid from..to seconds from now. */
X509 *test_certificate(EVP_PKEY *, long from, long to);
/* PEM of key and certificate (each may be NULL); to be freed with free(). */
char *test_pem(EVP_PKEY *, X509 *);

#endif
