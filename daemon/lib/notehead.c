/* notehead.c: see notehead.h. */
#include "lib/notehead.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define ROOT64 44 /* base64 of a hash; it decodes to one byte of padding more */

int
note_head(const char *note, uint64_t *size, struct merkle_hash *root)
{
	const char *line = strchr(note, '\n');
	uint8_t raw[36];
	char *end;

	if (line == NULL)
		return -1;
	*size = strtoull(line + 1, &end, 10);
	if (end == line + 1 || *end != '\n' ||
	    strcspn(end + 1, "\n") != ROOT64 ||
	    EVP_DecodeBlock(raw, (const uint8_t *)end + 1, ROOT64) !=
		MERKLE_HASH + 1)
		return -1;
	memcpy(root->b, raw, MERKLE_HASH);
	return 0;
}
