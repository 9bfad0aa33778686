/*
 * token.c: the token endpoint, and the bearer tokens it gave.  Assertions are
 * verified in assertion.c.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"
#include "random.h"
#include "topdesk.h"

#define GRANT_ASSERTION "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static struct map tokens; /* -> expiry, ms, as a pointer value */
static int64_t expired_before;

void
token_start(void)
{
	memset(&tokens, 0, sizeof(tokens));
	expired_before = 0;
}

struct issued {
	int64_t made;
	int64_t until;
};

void
token_end(void)
{
	map_free(&tokens, free);
}

/* 1 good, 0 never given, -1 expired. */
int
token_state(const char *bearer)
{
	const struct issued *t = map_get(&tokens, bearer);

	if (t == NULL)
		return 0;
	return t->until > when_ms() && t->made > expired_before ? 1 : -1;
}

void
token_expire_all(void)
{
	expired_before = when_ms();
}

static void
token_fail(struct request *r, int status, const char *error, int code,
    const char *text)
{
	char now[32];

	when_print(when_now(), now);
	r->status = status;
	text_fmt(&r->out,
	    "{\"error\":\"%s\",\"error_description\":\"AADSTS%d: "
	    "%s Trace ID: 0 Correlation ID: 0 Timestamp: %s\","
	    "\"error_codes\":[%d],\"timestamp\":\"%s\",\"trace_id\":\"0\","
	    "\"correlation_id\":\"0\",\"error_uri\":"
	    "\"https://login.sim.test/error?code=%d\"}",
	    error, code, text, now, code, now, code);
}

static void
token_give(struct request *r)
{
	unsigned char raw[48];
	char token[80];
	struct issued *t = zalloc(sizeof(*t));

	random_fill(RANDOM_TOKEN, raw, sizeof(raw));
	base64(token, raw, sizeof(raw));
	for (char *p = token; *p != '\0'; p++)
		if (*p == '+' || *p == '/')
			*p = *p == '+' ? '-' : '_';
	t->made = when_ms();
	if (t->made <= expired_before)
		t->made = expired_before + 1;
	t->until = t->made + (int64_t)settings.token_lifetime * 1000;
	map_put(&tokens, token, t);
	r->status = 200;
	answer_header(r, "Cache-Control", "no-store");
	text_fmt(&r->out,
	    "{\"token_type\":\"Bearer\",\"expires_in\":%d,"
	    "\"ext_expires_in\":%d,\"access_token\":\"%s\"}",
	    settings.token_lifetime, settings.token_lifetime, token);
}

static int
same(const char *a, const char *b)
{
	size_t n = strlen(b);

	return strlen(a) == n && CRYPTO_memcmp(a, b, n) == 0;
}

/* The body of a form, read into the arguments of the request. */
static void
token_form(struct request *r)
{
	const char *type = request_header(r, "Content-Type");
	char *target;

	if (type == NULL ||
	    strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
		violation(r, "the token request is not a form");
	if (r->nargs > 0)
		violation(r, "arguments in the URL of the token endpoint");
	target = r->target;
	r->target = text_print("/?%s", r->body.b ? r->body.b : "");
	r->is_inner = 1; /* no base, one segment at most */
	request_split(r);
	r->is_inner = 0;
	free(r->target);
	r->target = target;
}

static void
token_post(struct request *r)
{
	const char *id, *scope, *secret, *assertion, *why, *type;
	int code;

	token_form(r);
	id = request_arg(r, "client_id");
	scope = request_arg(r, "scope");
	secret = request_arg(r, "client_secret");
	assertion = request_arg(r, "client_assertion");
	type = request_arg(r, "client_assertion_type");
	if (strcasecmp(r->segs[0], settings.tenant) != 0)
		token_fail(
		    r, 400, "invalid_request", 90002, "Tenant not found.");
	else if (request_arg(r, "grant_type") == NULL ||
	    strcmp(request_arg(r, "grant_type"), "client_credentials") != 0)
		token_fail(r, 400, "unsupported_grant_type", 70003,
		    "The app requested an unsupported grant type.");
	else if (id == NULL || strcasecmp(id, settings.client_id) != 0)
		token_fail(r, 400, "unauthorized_client", 700016,
		    "Application was not found in the directory.");
	else if (scope == NULL ||
	    strcmp(scope, "https://graph.microsoft.com/.default") != 0)
		token_fail(r, 400, "invalid_scope", 70011,
		    "The provided value for the input parameter 'scope' is "
		    "not valid.");
	else if (secret == NULL && assertion == NULL)
		token_fail(r, 401, "invalid_client", 7000218,
		    "The request body must contain client_assertion or "
		    "client_secret.");
	else if (secret != NULL && !same(secret, settings.client_secret))
		token_fail(r, 401, "invalid_client", 7000215,
		    "Invalid client secret provided.");
	else if (secret == NULL &&
	    (type == NULL || strcmp(type, GRANT_ASSERTION) != 0))
		token_fail(r, 400, "invalid_request", 900144,
		    "The request body must contain client_assertion_type.");
	else if (secret == NULL && assertion_verify(assertion, &why, &code))
		token_fail(r, 401, "invalid_client", code, why);
	else
		token_give(r);
}

struct route login_routes[] = {{.method = "POST",
				   .path = "{tenant}/oauth2/v2.0/token",
				   .serve = token_post,
				   .flags = ROUTE_OPEN},
    {.path = NULL}};

struct route trap_routes[] = {
    {.method = "*", .path = "*", .flags = ROUTE_OPEN}, {.path = NULL}};
