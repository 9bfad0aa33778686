/*
 * http_token.c: the only body that http reads.  It comes from the login host
 * that TLS has verified, and is at most 64 KiB.
 */
#include "fetchd/http_pure.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOKEN_MAX 16384

void
token_parse_open(void)
{
	json_object_seed(0);
}

/* Some login services put numbers into strings. */
static uint32_t
number(const json_t *v)
{
	long long n = json_is_integer(v) ? json_integer_value(v)
	    : json_is_string(v)          ? atoll(json_string_value(v))
					 : 0;

	return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (uint32_t)n;
}

static int
is_token(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return 0;
	return len > 0 && len <= TOKEN_MAX;
}

static int
parse_error(const json_t *root, struct token_answer *a, const char **text)
{
	const char *name = json_string_value(json_object_get(root, "error"));
	const char *from = "abcdefghijklmnopqrstuvwxyz_";

	if (name == NULL) {
		*text = "neither access_token nor error is in it";
		return -1;
	}
	/* The words are RFC 6749's; anything else is not passed on. */
	if (name[0] && strlen(name) < sizeof(a->error) &&
	    name[strspn(name, from)] == '\0')
		strcpy(a->error, name);
	else
		strcpy(a->error, "error");
	a->error_code =
	    number(json_array_get(json_object_get(root, "error_codes"), 0));
	return 0;
}

static int
parse_token(const json_t *root, struct token_answer *a, const char **text)
{
	const json_t *v = json_object_get(root, "access_token");
	const char *type =
	    json_string_value(json_object_get(root, "token_type"));
	const char *p = json_string_value(v);

	if (type == NULL || strcasecmp(type, "Bearer") != 0) {
		*text = "token_type is not Bearer";
		return -1;
	}
	a->expires_in = number(json_object_get(root, "expires_in"));
	a->refresh_in = number(json_object_get(root, "refresh_in"));
	if (a->expires_in == 0) {
		*text = "expires_in is missing";
		return -1;
	}
	if (p == NULL || !is_token(p, json_string_length(v))) {
		*text = "access_token cannot stand in a header";
		return -1;
	}
	a->token_len = json_string_length(v);
	if ((a->access_token = malloc(a->token_len + 1)) == NULL) {
		*text = "no memory";
		return -1;
	}
	memcpy(a->access_token, p, a->token_len + 1);
	return 0;
}

/* jansson's copies of the token are overwritten before they are freed. */
static void
cleanse(json_t *root)
{
	const json_t *v = json_object_get(root, "access_token");

	if (json_is_string(v))
		explicit_bzero((void *)(uintptr_t)json_string_value(v),
		    json_string_length(v));
	json_decref(root);
}

int
token_parse(
    const uint8_t *p, size_t len, struct token_answer *a, const char **text)
{
	json_t *root;
	int rc;

	memset(a, 0, sizeof(*a));
	root = json_loadb((const char *)p, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		*text = "it is not a JSON object";
		json_decref(root);
		return -1;
	}
	rc = json_object_get(root, "access_token") ? parse_token(root, a, text)
						   : parse_error(root, a, text);
	cleanse(root);
	return rc;
}

void
token_answer_free(struct token_answer *a)
{
	if (a->access_token) {
		explicit_bzero(a->access_token, a->token_len);
		free(a->access_token);
	}
	memset(a, 0, sizeof(*a));
}
