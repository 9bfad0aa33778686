/*
 * random.h: what the simulator takes for random.
 */
#ifndef ORB_SIM_RANDOM_H
#define ORB_SIM_RANDOM_H

#include <stddef.h>

/* Each use draws from a stream of its own, so that with --seed how often one
 * is used does not change what another gives. */
enum random_use {
	RANDOM_KEY,
	RANDOM_UUID,
	RANDOM_UID,
	RANDOM_TOKEN,
	RANDOM_TRACE,
	RANDOM_USES
};

void random_seed(const char *);
void random_fill(enum random_use, void *, size_t);
int random_named(const char *, unsigned int, unsigned char[16]);

#endif
