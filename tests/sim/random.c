/*
 * random.c: keys, tokens, ids.  They come from OpenSSL, unless the simulator
 * was started with --seed: then two simulators that are told the same things
 * give the same secrets, ids and links, so that the requests of one run can be
 * sent to another.  That is for benches and tests; it makes every secret of
 * the run known.
 */
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "random.h"

static char seed[65];
static uint64_t drawn[RANDOM_USES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
random_seed(const char *s)
{
	(void)snprintf(seed, sizeof(seed), "%s", s);
}

static void
block(enum random_use use, unsigned char out[SHA256_DIGEST_LENGTH])
{
	char in[128];
	int n = snprintf(in, sizeof(in), "orb-sim %s %d %llu", seed, (int)use,
	    (unsigned long long)drawn[use]++);

	SHA256((unsigned char *)in, (size_t)n, out);
}

void
random_fill(enum random_use use, void *p, size_t n)
{
	unsigned char one[SHA256_DIGEST_LENGTH], *at = p;
	size_t part;

	if (seed[0] == '\0') {
		(void)RAND_bytes(p, (int)n);
		return;
	}
	pthread_mutex_lock(&lock);
	for (; n > 0; n -= part, at += part) {
		part = n < sizeof(one) ? n : sizeof(one);
		block(use, one);
		memcpy(at, one, part);
	}
	pthread_mutex_unlock(&lock);
}

/*
 * With a seed: bytes that depend on a name and a number alone, for things that
 * are made in an order no one promises.  Without: -1, and nothing is written.
 */
int
random_named(const char *name, unsigned int number, unsigned char out[16])
{
	unsigned char d[SHA256_DIGEST_LENGTH];
	char in[640];
	int n;

	if (seed[0] == '\0')
		return -1;
	n = snprintf(
	    in, sizeof(in), "orb-sim %s name %u %.500s", seed, number, name);
	SHA256((unsigned char *)in, (size_t)n, d);
	memcpy(out, d, 16);
	return 0;
}
