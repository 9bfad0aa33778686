/*
 * assertion.h: the client assertion, a JWT (RFC 7523) that proves the
 * application's identity to the login host with the private key.
 *
 * Here: the whole of it is composed and signed in one operation.  Every byte
 * that is signed comes from orb.conf, the clock and the random generator; no
 * function here takes bytes or a digest to sign, so that no peer can ask for
 * a signature of its choice.
 */
#ifndef ORB_KEYD_ASSERTION_H
#define ORB_KEYD_ASSERTION_H

#include <stdint.h>

#include "keyd/keypair.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "lib/secret.h"

#define ASSERTION_LIFETIME 300 /* seconds; the login host takes up to 600 */

struct assertion {
	enum conf_alg alg;
	const char *login_url; /* without trailing slash */
	const char *tenant;
	const char *client_id;
	int64_t now; /* seconds since 1970 */
};

/*
 * *jwt: header.payload.signature in base64url without padding (RFC 7515).
 * PS256 goes with x5t#S256 (43 characters) and a salt of 32 bytes (RFC 7518,
 * 3.5), RS256 with x5t (27 characters); the login host takes no mixture.
 * 0, or -1 and err.
 */
int assertion_make(const struct assertion *, const struct keypair *,
    struct secret *jwt, struct err *);

#endif
