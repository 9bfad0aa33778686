/*
 * graph_id.c: ids of events and the opaque tokens of links.  An id carries
 * the serial number of its event and, for an occurrence, its original start,
 * under a check value; to a client it is as opaque as Exchange's, case
 * sensitive, about as long, and never free of `/', `+' and `='.
 */
#include <openssl/sha.h>
#include <string.h>

#include "graph.h"

#define ID_BYTES 113

static uint32_t
check(const void *p, size_t n)
{
	unsigned char d[SHA256_DIGEST_LENGTH];
	SHA256_CTX c;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	SHA256_Init(&c);
	SHA256_Update(&c, exchange.key, sizeof(exchange.key));
	SHA256_Update(&c, p, n);
	SHA256_Final(d, &c);
#pragma GCC diagnostic pop
	return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 |
	    (uint32_t)d[2] << 8 | d[3];
}

/* A quick check of two numbers; ids are written by the thousand. */
static uint32_t
mix(uint32_t a, uint32_t b)
{
	uint64_t k, h;

	memcpy(&k, exchange.key, sizeof(k));
	h = (k ^ a) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 29 ^ b) * 0xbf58476d1ce4e5b9u;
	return (uint32_t)(h >> 32 ^ h);
}

static void
put32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* original is that of the occurrence meant, or WHEN_NONE. */
void
id_write(
    struct text *out, const struct event *e, int64_t original, int immutable)
{
	unsigned char b[ID_BYTES];
	char s[ID_BYTES / 3 * 4 + 8];
	uint32_t occ = original == WHEN_NONE ? 0 : (uint32_t)(original / 60);

	memcpy(b, immutable ? "\0\011\0" : "\0\003\044", 3);
	memcpy(b + 3, e->mailbox->mark, 96);
	put32(b + 99, mix(e->serial, occ));
	put32(b + 103, e->serial);
	put32(b + 107, occ);
	memcpy(b + 111, "\373\377", 2);
	text_add(out, s, base64(s, b, sizeof(b)));
}

/* 0 and what the id means, or -1 when it means nothing in this mailbox. */
int
id_read(const struct mailbox *mb, const char *id, struct event **e,
    int64_t *original)
{
	unsigned char b[ID_BYTES + 4];
	uint32_t serial, occ;

	if (strlen(id) != 152 || unbase64(b, sizeof(b), id, 152) != ID_BYTES ||
	    b[0] != 0 || memcmp(b + 3, mb->mark, 96) != 0)
		return -1;
	serial = get32(b + 103);
	occ = get32(b + 107);
	if (get32(b + 99) != mix(serial, occ) || serial == 0 ||
	    serial > exchange.nevents)
		return -1;
	*e = exchange.events[serial - 1];
	*original = occ ? (int64_t)occ * 60 : WHEN_NONE;
	return 0;
}

/* Writes text as a token that a client cannot read, nor change. */
void
seal_write(struct text *out, const char *plain)
{
	unsigned char b[256];
	char s[352], *p;
	size_t n = strlen(plain), i;

	if (n > sizeof(b) - 4)
		n = sizeof(b) - 4;
	put32(b, check(plain, n));
	for (i = 0; i < n; i++)
		b[4 + i] = (unsigned char)plain[i] ^
		    exchange.key[i % sizeof(exchange.key)] ^ b[i % 4];
	base64(s, b, n + 4);
	for (p = s; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	if ((p = strchr(s, '=')) != NULL)
		*p = '\0';
	text_str(out, s);
}

int
seal_read(const char *token, char *plain, size_t size)
{
	unsigned char b[256];
	int n = unbase64(b, sizeof(b), token, strlen(token)), i;

	if (n < 5 || (size_t)n - 4 >= size)
		return -1;
	for (i = 0; i < n - 4; i++)
		plain[i] = (char)(b[4 + i] ^
		    exchange.key[(size_t)i % sizeof(exchange.key)] ^ b[i % 4]);
	plain[n - 4] = '\0';
	return check(plain, (size_t)n - 4) == get32(b) ? 0 : -1;
}
