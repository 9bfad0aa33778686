/*
 * sandboxed.h: running a function in a child that has entered the sandbox as
 * one of ORB's processes, and seeing what became of it.
 */
#ifndef ORB_TEST_SANDBOXED_H
#define ORB_TEST_SANDBOXED_H

#include "lib/sandbox.h"

#include <stddef.h>

#define SANDBOXED_COUNT 6
extern const char *const sandboxed_processes[SANDBOXED_COUNT];

struct outcome {
	int killed; /* by the filter */
	int error;  /* what the function returned: 0 or an errno */
};

/* The state directory that keyd, mapd and ledgerd may write. */
extern char sandboxed_dir[];
/* Open before the sandbox, as a process would have it: a TCP socket. */
extern int sandboxed_tcp;
/* An AF_UNIX listener outside of any sandbox, by abstract name. */
extern const char sandboxed_abstract[24];

int sandboxed_setup(void **);
int sandboxed_teardown(void **);
/* Enters the sandbox as process, for good.  0, or -1 with the reason said. */
int sandboxed_enter(const char *process);
/* Runs fn in a child. */
struct outcome sandboxed(const char *process, int (*fn)(void));
/* The kernel's version of Landlock, 0 when it has none. */
int sandboxed_landlock(void);

#endif
