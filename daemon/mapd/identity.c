/*
 * identity.c: the key of a booking and the link made of it.
 *
 * The canonical form is "orb1", the mailbox, the uid and the original start in
 * decimal, each but the last followed by one zero byte.  No C string holds a
 * zero byte, so two different bookings never have the same form.
 *
 * Not here: where mailbox and uid come from (the adapters), and what is done
 * with a reservation that carries a link (plan.c).
 */
#include "mapd/identity.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINK_PREFIX "orb1:"
#define GEN_MAX 254
/* Characters of a key in base32: 256 bits, five a character. */
#define KEY_CHARS 52

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void
identity_key(const char *mailbox, const char *uid, int64_t original_start,
    uint8_t key[KEY_LEN])
{
	static EVP_MD_CTX *ctx;
	static EVP_MD *md;
	char number[24];

	/* Fetched once: a lookup of the algorithm costs more than the hash. */
	if (ctx == NULL) {
		ctx = EVP_MD_CTX_new();
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	}
	snprintf(number, sizeof(number), "%" PRId64, original_start);
	/* Without a key nothing can be told apart: there is no going on. */
	if (ctx == NULL || md == NULL || !EVP_DigestInit_ex2(ctx, md, NULL) ||
	    !EVP_DigestUpdate(ctx, "orb1", 5) ||
	    !EVP_DigestUpdate(ctx, mailbox, strlen(mailbox) + 1) ||
	    !EVP_DigestUpdate(ctx, uid, strlen(uid) + 1) ||
	    !EVP_DigestUpdate(ctx, number, strlen(number)) ||
	    !EVP_DigestFinal_ex(ctx, key, NULL))
		abort();
}

void
identity_provisional(
    const char *mailbox, const char *reservation, uint8_t key[KEY_LEN])
{
	char uid[128];

	/* No uid begins so: a message's strings hold no control characters. */
	snprintf(uid, sizeof(uid), "\1topdesk:%s", reservation);
	identity_key(mailbox, uid, 0, key);
}

void
identity_link(
    const uint8_t key[KEY_LEN], unsigned gen, char link[IDENTITY_LINK_MAX])
{
	char *p = link + sizeof(LINK_PREFIX) - 1;
	uint32_t bits = 0;
	int n = 0;

	memcpy(link, LINK_PREFIX, sizeof(LINK_PREFIX));
	for (size_t i = 0; i < KEY_LEN; i++) {
		bits = bits << 8 | key[i];
		for (n += 8; n >= 5; n -= 5)
			*p++ = alphabet[bits >> (n - 5) & 31];
	}
	*p++ = alphabet[bits << (5 - n) & 31];
	*p = '\0';
	if (gen == GEN_TOPDESK)
		strcpy(p, ".t");
	else if (gen > 1)
		snprintf(p, 8, ".%u", gen & 255);
}

/* The generation behind the key: "" is 1, ".2" to ".254", ".t"; 0 is none. */
static unsigned
parse_gen(const char *p)
{
	unsigned gen = 0;

	if (*p == '\0')
		return 1;
	if (strcmp(p, ".t") == 0)
		return GEN_TOPDESK;
	if (*p++ != '.' || *p == '0')
		return 0;
	for (; *p >= '0' && *p <= '9' && gen <= GEN_MAX; p++)
		gen = gen * 10 + (unsigned)(*p - '0');
	return *p == '\0' && gen >= 2 && gen <= GEN_MAX ? gen : 0;
}

int
identity_parse(const char *link, uint8_t key[KEY_LEN], unsigned *gen)
{
	uint8_t out[KEY_LEN], *o = out;
	const char *p = link + sizeof(LINK_PREFIX) - 1, *c;
	uint32_t bits = 0;
	unsigned g;
	int n = 0;

	if (strncmp(link, LINK_PREFIX, sizeof(LINK_PREFIX) - 1) != 0)
		return -1;
	for (int i = 0; i < KEY_CHARS; i++, p++) {
		if (*p == '\0' || (c = strchr(alphabet, *p)) == NULL)
			return -1;
		bits = bits << 5 | (uint32_t)(c - alphabet);
		if ((n += 5) >= 8) {
			n -= 8;
			*o++ = (uint8_t)(bits >> n);
		}
	}
	/* One key has one link: the bits left over must be zero. */
	if ((bits & ((1u << n) - 1)) != 0 || (g = parse_gen(p)) == 0)
		return -1;
	memcpy(key, out, KEY_LEN);
	*gen = g;
	return 0;
}
