/* adapter_start.c: see fetchd.h.  Before lock-down; the one fork and exec. */
#include "fetchd/fetchd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FD_HTTP 3
#define FD_MAPD 4
#define FD_HIGH 10 /* out of the way of the two */

/*
 * The program beside this one, when it is there (a build tree, in which the
 * adapter has a folder of its own or not), else the installed one.
 */
static const char *
find_program(char *buf, size_t size)
{
	static const char *const names[] = {"orb-adapter", "../orb-adapter"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
		for (size_t i = 0; i < 2; i++) {
			snprintf(buf, size, "%s/%s", self, names[i]);
			if (access(buf, X_OK) == 0)
				return buf;
		}
	}
	snprintf(buf, size, "%s/orb-adapter", ORB_LIBEXECDIR);
	return buf;
}

/* In the child: puts the two descriptors in their places, closes the rest. */
static int
arrange(int http, int mapd)
{
	/* First upwards, so that neither is overwritten by the other. */
	http = fcntl(http, F_DUPFD, FD_HIGH);
	mapd = fcntl(mapd, F_DUPFD, FD_HIGH);
	if (http < 0 || mapd < 0 || dup2(http, FD_HTTP) < 0 ||
	    dup2(mapd, FD_MAPD) < 0)
		return -1;
	return close_range(FD_MAPD + 1, ~0U, 0);
}

static void
child(
    const struct adapter_start *s, const char *program, int http, pid_t parent)
{
	const char *argv[] = {"orb-adapter", "--upstream",
	    upstream_name(s->upstream), s->config ? "--config" : NULL,
	    s->config, NULL};

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent ||
	    arrange(http, s->mapd))
		_exit(126);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "http:mapd", 1);
	unsetenv("LISTEN_PID");
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

int
adapter_start(const struct adapter_start *s, struct err *e)
{
	const char *program = s->program;
	char buf[PATH_MAX + 32];
	pid_t pid, parent = getpid();
	int sv[2];

	if (program == NULL)
		program = find_program(buf, sizeof(buf));
	if (access(program, X_OK))
		return err_sys(e, "cannot start the adapter %s", program);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return err_sys(e, "socketpair");
	if ((pid = fork()) < 0) {
		close(sv[0]);
		close(sv[1]);
		return err_sys(e, "fork");
	}
	if (pid == 0)
		child(s, program, sv[1], parent);
	close(sv[1]);
	return sv[0];
}
