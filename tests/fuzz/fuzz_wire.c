/*
 * fuzz_wire.c: every message's decoder.  The first two bytes choose the type.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chan.h"
#include "lib/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct msg_info *info;
	struct packet pk = {.fd = -1};

	if (n < 2)
		return 0;
	info = &msg_table[(size_t)(p[0] << 8 | p[1]) % msg_table_len];
	pk.type = info->type;
	pk.data = p + 2;
	pk.len = n - 2;
	if (info->check(&pk) == 0 && pk.len > info->max &&
	    info->flags & MSG_MEMFD)
		abort(); /* the table's limit is not the decoder's */
	return 0;
}
