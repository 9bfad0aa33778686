/* base64.c: see base64.h. */
#include "verify/base64.h"

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* One group of four characters: 1 to 3 bytes, or -1. */
static int
decode_group(const char *s, int last, uint8_t *dst)
{
	int pad = last ? (s[3] == '=') + (s[3] == '=' && s[2] == '=') : 0;
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int d = i >= 4 - pad ? 0 : value_of(s[i]);

		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
	}
	if (v & ((1u << (8 * pad)) - 1))
		return -1;
	dst[0] = (uint8_t)(v >> 16);
	dst[1] = (uint8_t)(v >> 8);
	dst[2] = (uint8_t)v;
	return 3 - pad;
}

int
base64_decode(const char *s, size_t n, uint8_t *dst, size_t cap)
{
	uint8_t group[3];
	size_t len = 0;
	int got;

	if (n % 4)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		got = decode_group(s + i, i + 4 == n, group);
		if (got < 0 || cap - len < (size_t)got)
			return -1;
		for (int k = 0; k < got; k++)
			dst[len++] = group[k];
	}
	return (int)len;
}
