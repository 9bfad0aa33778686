/*
 * sandbox.h: what a process gives up after start-up, for good.
 *
 * The order in every main: parse arguments, read the configuration, open,
 * sandbox_enter(), and only then read a byte that a peer sent.
 */
#ifndef ORB_SANDBOX_H
#define ORB_SANDBOX_H

#include <stddef.h>

#include "lib/err.h"

struct sandbox {
	const char *process; /* the name of its list in policy/ */
	/* Paths it may still use, by Landlock where the kernel has it. */
	const char *const *read_paths;  /* NULL-terminated or NULL */
	const char *const *write_paths; /* directories: read, write, create */
};

/*
 * No new privileges, not dumpable, no core, resource limits, Landlock, and the
 * process's seccomp list: whatever is not on it kills the process.
 * level gets a short text of what was reached ("seccomp landlock-7"), for the
 * status line.  0, or -1 and err: the caller must not go on.
 */
int sandbox_enter(
    const struct sandbox *, char *level, size_t size, struct err *);

#endif
