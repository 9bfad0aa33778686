/*
 * sandbox_seccomp.c: a process's list of system calls as a seccomp filter.
 * What is not on it kills the whole process, so that an attacker gets one try
 * and the operator gets a record (audit type 1326, or the kernel's log).
 *
 * With --enable-seccomp-trap, for development, such a call instead ends the
 * process with its name on standard error.
 */
#include "config.h"
#include "lib/sandbox_part.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef ORB_SECCOMP_TRAP
#define ACT_DEFAULT SCMP_ACT_TRAP

/* Development only: what it calls is not async-signal-safe, but nothing is
 * going on in a process that ends here. */
static void
on_sigsys(int sig, siginfo_t *si, void *ctx)
{
	char line[128], *name;
	int n;

	(void)sig;
	(void)ctx;
	name =
	    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, si->si_syscall);
	n = snprintf(line, sizeof(line),
	    "seccomp: %s (%d) is not on the list of this process\n",
	    name ? name : "?", si->si_syscall);
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(127);
	_exit(126);
}

static int
trap(struct err *e)
{
	struct sigaction sa = {
	    .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGSYS, &sa, NULL))
		return err_sys(e, "sandbox: SIGSYS");
	return 0;
}
#else
#define ACT_DEFAULT SCMP_ACT_KILL_PROCESS

static int
trap(struct err *e)
{
	(void)e;
	return 0;
}
#endif

static struct scmp_arg_cmp
compare(const struct policy_cond *c)
{
	struct scmp_arg_cmp a = {
	    .arg = c->arg, .op = SCMP_CMP_EQ, .datum_a = c->value};

	if (c->op == POLICY_SELF)
		a.datum_a = (scmp_datum_t)getpid();
	if (c->op == POLICY_MASKED) {
		a.op = SCMP_CMP_MASKED_EQ;
		a.datum_a = c->mask;
		a.datum_b = c->value;
	}
	return a;
}

static int
add_rule(scmp_filter_ctx ctx, const struct policy_rule *r, struct err *e)
{
	struct scmp_arg_cmp cmp[POLICY_CONDS];
	uint32_t action =
	    r->answer ? SCMP_ACT_ERRNO((uint32_t)r->answer) : SCMP_ACT_ALLOW;
	int rc;

	if (r->number < 0)
		return 0; /* an older call that this architecture never had */
	for (unsigned i = 0; i < r->nconds; i++)
		cmp[i] = compare(&r->conds[i]);
	rc = seccomp_rule_add_array(ctx, action, r->number, r->nconds, cmp);
	if (rc && rc != -EEXIST)
		return err_set(
		    e, -rc, "sandbox: rule for %s: %s", r->call, strerror(-rc));
	return 0;
}

/* Not every kernel and library has each of these; none is needed to be safe. */
static void
tune(scmp_filter_ctx ctx)
{
	/* A binary tree over the numbers instead of a chain. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
}

int
sandbox_seccomp(const struct policy *p, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(ACT_DEFAULT);
	int rc = -1, n;

	if (ctx == NULL)
		return err_set(e, ENOMEM, "sandbox: seccomp_init failed");
	/* Calls of another architecture (32 bit, x32) always kill. */
	if ((n = seccomp_attr_set(
		 ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) != 0) {
		err_set(e, -n, "sandbox: seccomp attribute: %s", strerror(-n));
		goto out;
	}
	tune(ctx);
	for (size_t i = 0; i < p->len; i++)
		if (add_rule(ctx, &p->rules[i], e))
			goto out;
	if (trap(e))
		goto out;
	if ((n = seccomp_load(ctx)) != 0) {
		err_set(e, -n,
		    "sandbox: the kernel refuses the seccomp filter: %s (is "
		    "CONFIG_SECCOMP_FILTER there?)",
		    strerror(-n));
		goto out;
	}
	rc = 0;
out:
	seccomp_release(ctx);
	return rc;
}
