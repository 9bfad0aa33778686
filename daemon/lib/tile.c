/* tile.c: see tile.h. */
#include "lib/tile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
tile_path(char path[TILE_PATH], int level, uint64_t n, unsigned part)
{
	char digits[32], *p = path;
	size_t len, first;

	/* Groups of three digits, all but the last with an x. */
	len = (size_t)snprintf(digits, sizeof(digits), "%03" PRIu64, n);
	first = len % 3 ? len % 3 : 3;
	if (level < 0)
		p += snprintf(path, TILE_PATH, "tile/entries/");
	else
		p += snprintf(path, TILE_PATH, "tile/%d/", level);
	p += snprintf(p, 16, "%s%0*d", len > 3 ? "x" : "", 3 - (int)first, 0);
	p -= first == 3;
	memcpy(p, digits, first);
	p += first;
	for (size_t at = first; at < len; at += 3)
		p += snprintf(
		    p, 8, "/%s%.3s", at + 3 < len ? "x" : "", digits + at);
	*p = '\0';
	if (part)
		snprintf(p, 8, ".p/%u", part % TILE_WIDTH);
}

struct merkle_hash
tile_fold(const struct merkle_hash *at, unsigned n)
{
	struct merkle_hash h[TILE_WIDTH];

	memcpy(h, at, n * sizeof(*h));
	for (; n > 1; n /= 2)
		for (unsigned i = 0; i < n / 2; i++)
			h[i] = merkle_node(&h[2 * i], &h[2 * i + 1]);
	return h[0];
}
