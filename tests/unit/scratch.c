/* scratch.c: see scratch.h. */
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
scratch_make(char *dir)
{
	const char *base = getenv("TMPDIR");

	if (base == NULL || strlen(base) > SCRATCH_MAX - 16)
		base = "/tmp";
	snprintf(dir, SCRATCH_MAX, "%s/orb-test-XXXXXX", base);
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
scratch_remove(const char *dir)
{
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
