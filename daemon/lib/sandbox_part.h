/*
 * sandbox_part.h: the halves of sandbox_enter().  For sandbox*.c only.
 */
#ifndef ORB_SANDBOX_PART_H
#define ORB_SANDBOX_PART_H

#include "lib/err.h"
#include "lib/policy.h"
#include "lib/sandbox.h"

/*
 * Files (and, unless the policy may use the network, TCP, other processes'
 * abstract sockets and signals) by Landlock.  Returns the kernel's Landlock
 * version, 0 when it has none, -1 and err.
 */
int sandbox_landlock(
    const struct sandbox *, const struct policy *, struct err *);
/* Loads the list of system calls.  0, or -1 and err. */
int sandbox_seccomp(const struct policy *, struct err *);

#endif
