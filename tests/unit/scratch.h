/* scratch.h: a directory of a test's own, below TMPDIR. */
#ifndef ORB_SCRATCH_H
#define ORB_SCRATCH_H

#include <stddef.h>

/* Short enough for a socket's path below it. */
#define SCRATCH_MAX 64

/* Makes it and writes its path to dir[SCRATCH_MAX]: 0 or -1. */
int scratch_make(char *dir);
/* Removes it with all that is in it: 0 or -1. */
int scratch_remove(const char *dir);

#endif
