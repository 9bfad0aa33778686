/*
 * fuzz_identity.c: links as TOPdesk gives them back: externalLink.id is what
 * anybody may have written there.  What parses is what would be written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mapd/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *link = malloc(size + 1), again[IDENTITY_LINK_MAX];
	uint8_t key[KEY_LEN];
	unsigned gen;

	if (link == NULL)
		return 0;
	memcpy(link, data, size);
	link[size] = '\0';
	if (identity_parse(link, key, &gen) == 0) {
		identity_link(key, gen, again);
		if (strcmp(link, again) != 0)
			abort();
	}
	free(link);
	return 0;
}
