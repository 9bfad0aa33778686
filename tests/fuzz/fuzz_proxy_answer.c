/* fuzz_proxy_answer.c: what a proxy may answer to dial's CONNECT. */
#include "dial/dial.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *text = (const char *)p;
	int status = 0, whole, rc = 0;
	size_t used = 0, part = 0;

	whole = proxy_answer(text, n, &status, &used);
	if (whole == 1 && (used > n || status < 100 || status > 599))
		abort();
	if (whole == 0 && n >= DIAL_PROXY_HEADER)
		abort();
	/* In pieces it ends in the same way, and never later. */
	for (size_t i = 1; i <= n && rc == 0; i += 1 + i / 8)
		rc = proxy_answer(text, i, &status, &part);
	if (rc == 1 && (whole != 1 || part != used))
		abort();
	return 0;
}
