/* sandboxed.c: see sandboxed.h. */
#include "config.h"
#include "sandboxed.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_ENTERED 255

const char *const sandboxed_processes[SANDBOXED_COUNT] = {
    "dial", "http", "adapter", "keyd", "mapd", "ledgerd"};
char sandboxed_dir[] = "/tmp/orb-test-sandbox-XXXXXX";
int sandboxed_tcp = -1;
const char sandboxed_abstract[24] = "\0orb-test-sandbox";
static int listener = -1;

int
sandboxed_setup(void **state)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	(void)state;
	if (mkdtemp(sandboxed_dir) == NULL)
		return -1;
	sandboxed_tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(sa.sun_path, sandboxed_abstract, sizeof(sandboxed_abstract));
	/* Somebody else's run of this test may have the name: fine too. */
	if (bind(listener, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		    sizeof(sandboxed_abstract))) == 0)
		return listen(listener, 8);
	return errno == EADDRINUSE ? 0 : -1;
}

static int
drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int
sandboxed_teardown(void **state)
{
	(void)state;
	close(sandboxed_tcp);
	close(listener);
	return nftw(sandboxed_dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

int
sandboxed_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	return abi < 0 ? 0 : (int)abi;
}

/* The paths that the real processes ask for. */
int
sandboxed_enter(const char *process)
{
	static const char *const resolver[] = {"/etc/resolv.conf", "/etc/hosts",
	    "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/host.conf",
	    "/run/systemd/resolve", NULL};
	static const char *const zones[] = {"/usr/share/zoneinfo", NULL};
	const char *const state[] = {sandboxed_dir, NULL};
	struct sandbox sb = {process, NULL, NULL};
	char level[64];
	struct err e;

	if (strcmp(process, "dial") == 0)
		sb.read_paths = resolver;
	if (strcmp(process, "mapd") == 0)
		sb.read_paths = zones;
	if (strcmp(process, "keyd") == 0 || strcmp(process, "mapd") == 0 ||
	    strcmp(process, "ledgerd") == 0)
		sb.write_paths = state;
	if (sandbox_enter(&sb, level, sizeof(level), &e) == 0)
		return 0;
	fprintf(stderr, "%s\n", e.text);
	return -1;
}

struct outcome
sandboxed(const char *process, int (*fn)(void))
{
	struct outcome o = {0, NOT_ENTERED};
	int status;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0)
		_exit(sandboxed_enter(process) ? NOT_ENTERED : fn());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return o;
	o.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
#ifdef ORB_SECCOMP_TRAP
	/* What another ABI's number asks for is killed even then. */
	o.killed |= WIFEXITED(status) && WEXITSTATUS(status) == 126;
#endif
	if (WIFEXITED(status))
		o.error = WEXITSTATUS(status);
	return o;
}
