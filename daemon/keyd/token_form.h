/*
 * token_form.h: what a lease consists of: the body of the token request
 * (application/x-www-form-urlencoded, RFC 6749, 4.4.2 and RFC 7523, 2.2), or
 * the value of a Basic header (RFC 7617).  Composed in the secure heap.
 */
#ifndef ORB_KEYD_TOKEN_FORM_H
#define ORB_KEYD_TOKEN_FORM_H

#include "lib/err.h"
#include "lib/secret.h"

enum token_proof { TOKEN_SECRET, TOKEN_ASSERTION };

/* 0 and *body (to be freed), or -1 and err. */
int token_form(const char *client_id, const char *scope, enum token_proof,
    const struct secret *proof, struct secret *body, struct err *);
/* "Basic " and base64 of login:password.  The login may hold no colon. */
int token_basic(const char *login, const struct secret *password,
    struct secret *value, struct err *);

#endif
