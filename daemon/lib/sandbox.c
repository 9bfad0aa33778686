/*
 * sandbox.c: the order in which a process gives things up.  The system calls:
 * sandbox_seccomp.c and policy/.  The files: sandbox_landlock.c.
 */
#include "config.h"
#include "lib/sandbox.h"
#include "lib/sandbox_part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifdef ORB_SECCOMP_TRAP
#define SECCOMP_LEVEL "seccomp-trap (development only)"
#else
#define SECCOMP_LEVEL "seccomp"
#endif

static const struct policy *
find_policy(const char *process)
{
	for (size_t i = 0; i < policy_table_len; i++)
		if (strcmp(policy_table[i].process, process) == 0)
			return &policy_table[i];
	return NULL;
}

/* Only ever downwards: a limit that is lower already stays. */
static int
limit(int what, const char *name, int64_t value, struct err *e)
{
	struct rlimit rl;

	if (value < 0)
		return 0;
	if (getrlimit(what, &rl))
		return err_sys(e, "resource limit %s", name);
	if (rl.rlim_max == RLIM_INFINITY || rl.rlim_max > (rlim_t)value)
		rl.rlim_max = (rlim_t)value;
	if (rl.rlim_cur == RLIM_INFINITY || rl.rlim_cur > rl.rlim_max)
		rl.rlim_cur = rl.rlim_max;
	if (setrlimit(what, &rl))
		return err_sys(e, "resource limit %s", name);
	return 0;
}

static int
limits(const struct policy *p, struct err *e)
{
	if (limit(RLIMIT_CORE, "core", 0, e) ||
	    limit(RLIMIT_NPROC, "nproc", p->nproc, e) ||
	    limit(RLIMIT_FSIZE, "fsize", p->fsize, e))
		return -1;
	return 0;
}

#ifdef ORB_SANITIZERS
static int entered;

/* The leak check needs clone and ptrace, which are gone. */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return entered;
}
#define ENTERED() (entered = 1)
#else
#define ENTERED() ((void)0)
#endif

static int
compare_bytes(const void *a, const void *b)
{
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

/*
 * glibc's qsort asks the system for its memory (sysinfo) when it sorts more
 * than 1 KiB for the first time, and remembers: so it asks now.
 */
static void
sort_once(void)
{
	unsigned char bytes[4096] = {1};

	qsort(bytes, sizeof(bytes), 1, compare_bytes);
}

int
sandbox_enter(const struct sandbox *sb, char *level, size_t size, struct err *e)
{
	const struct policy *p = find_policy(sb->process);
	int abi;

	if (p == NULL)
		return err_set(e, EINVAL,
		    "sandbox: there is no list of system calls for \"%s\"",
		    sb->process);
	/* Neither ptrace nor /proc/PID/mem from a process of the same user. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return err_sys(e, "sandbox: PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_sys(e, "sandbox: PR_SET_NO_NEW_PRIVS");
	if (limits(p, e))
		return -1;
	sort_once();
	if ((abi = sandbox_landlock(sb, p, e)) < 0)
		return -1;
	ENTERED();
	if (sandbox_seccomp(p, e))
		return -1;
	if (abi > 0)
		snprintf(level, size, SECCOMP_LEVEL " landlock-%d", abi);
	else
		snprintf(
		    level, size, SECCOMP_LEVEL ", no landlock in this kernel");
	return 0;
}
