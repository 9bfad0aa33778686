/*
 * fuzz_token_answer.c: the token endpoint's answer, and, since its bytes are as
 * good as any, the path and header checks of what the adapter asks for.
 */
#include "fetchd/http_pure.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_path(const uint8_t *p, size_t n)
{
	char *s = malloc(n + 1), out[300];

	if (s == NULL)
		return;
	memcpy(s, p, n);
	s[n] = '\0';
	if (path_is_allowed(s)) {
		if (s[0] != '/' || strpbrk(s, "\r\n \t#\\"))
			abort();
		path_template(out, sizeof(out), "PATCH", s);
		if (strchr(out, '@') || strchr(out, '?'))
			abort();
	}
	if (header_is_allowed(s) && strpbrk(s, "\r\n"))
		abort();
	free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct token_answer a;
	const char *why = NULL;
	int rc = token_parse(p, n, &a, &why);

	if (rc != 0 && (why == NULL || a.access_token != NULL))
		abort();
	if (rc == 0 && a.access_token == NULL && a.error[0] == '\0')
		abort();
	if (a.token_len > 0 && a.access_token == NULL)
		abort();
	for (size_t i = 0; i < a.token_len; i++)
		if (a.access_token[i] <= ' ' || a.access_token[i] > '~')
			abort();
	token_answer_free(&a);
	check_path(p, n);
	return 0;
}
