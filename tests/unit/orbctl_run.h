/* orbctl_run.h: the real orbctl as a child of a test that plays its daemons. */
#ifndef ORB_ORBCTL_RUN_H
#define ORB_ORBCTL_RUN_H

#include "lib/loop.h"

struct orbctl_result {
	int status; /* exit status; -1: ended otherwise */
	char out[65536], err[8192];
};

/*
 * Runs ORB_BUILD/orbctl --config conf WORDS (NULL-terminated), serving loop
 * meanwhile.  columns > 0: its output is a terminal of that width (err stays
 * empty then).  At most 20 s.
 */
void orbctl_run(struct loop *, const char *conf, int columns,
    const char *const *words, struct orbctl_result *);

#endif
