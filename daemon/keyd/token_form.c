/* token_form.c: see token_form.h. */
#include "keyd/token_form.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

/* A writer that only counts while p is NULL: each form is made twice, once
 * for its length, so that the secret never lies in memory that has grown. */
struct form {
	uint8_t *p;
	size_t len;
};

static void
form_raw(struct form *f, const char *s)
{
	size_t n = strlen(s);

	if (f->p)
		memcpy(f->p + f->len, s, n);
	f->len += n;
}

/* Percent-encodes all but RFC 3986's unreserved characters. */
static void
form_encoded(struct form *f, const uint8_t *s, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		int plain = (s[i] < 0x80 && isalnum(s[i])) ||
		    (s[i] && strchr("-._~", s[i]));

		if (f->p && plain)
			f->p[f->len] = s[i];
		else if (f->p) {
			f->p[f->len] = '%';
			f->p[f->len + 1] = (uint8_t)hex[s[i] >> 4];
			f->p[f->len + 2] = (uint8_t)hex[s[i] & 15];
		}
		f->len += plain ? 1 : 3;
	}
}

static void
form_compose(struct form *f, const char *client_id, const char *scope,
    enum token_proof kind, const struct secret *proof)
{
	f->len = 0;
	form_raw(f, "client_id=");
	form_encoded(f, (const uint8_t *)client_id, strlen(client_id));
	form_raw(f, "&scope=");
	form_encoded(f, (const uint8_t *)scope, strlen(scope));
	form_raw(f, "&grant_type=client_credentials");
	if (kind == TOKEN_ASSERTION) {
		form_raw(f,
		    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
		    "client-assertion-type%3Ajwt-bearer&client_assertion=");
	} else
		form_raw(f, "&client_secret=");
	form_encoded(f, proof->p, proof->len);
}

int
token_form(const char *client_id, const char *scope, enum token_proof kind,
    const struct secret *proof, struct secret *body, struct err *e)
{
	struct form f = {NULL, 0};

	form_compose(&f, client_id, scope, kind, proof);
	if (secret_alloc(body, f.len))
		return err_set(e, ENOMEM, "no room in the secure heap");
	f.p = body->p;
	form_compose(&f, client_id, scope, kind, proof);
	return 0;
}

int
token_basic(const char *login, const struct secret *password,
    struct secret *value, struct err *e)
{
	static const char scheme[] = "Basic ";
	size_t n = strlen(login), plain = n + 1 + password->len;
	size_t head = sizeof(scheme) - 1, b64 = 4 * ((plain + 2) / 3);
	struct secret pair = {NULL, 0}, text = {NULL, 0};
	int rc = -1;

	if (n == 0 || strchr(login, ':'))
		return err_set(e, EINVAL,
		    "topdesk.login and exchange.ews_login of orb.conf may "
		    "not be empty or hold a colon");
	/* EVP_EncodeBlock() writes a zero behind: hence text, one longer. */
	if (secret_alloc(&pair, plain) || secret_alloc(&text, b64 + 1) ||
	    secret_alloc(value, head + b64)) {
		err_set(e, ENOMEM, "no room in the secure heap");
		goto out;
	}
	memcpy(pair.p, login, n);
	pair.p[n] = ':';
	memcpy(pair.p + n + 1, password->p, password->len);
	EVP_EncodeBlock(text.p, pair.p, (int)plain);
	memcpy(value->p, scheme, head);
	memcpy(value->p + head, text.p, b64);
	rc = 0;
out:
	secret_free(&pair);
	secret_free(&text);
	return rc;
}
