/* orbctl_run.c: see orbctl_run.h. */
#include "orbctl_run.h"

#include <pty.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct sink {
	struct loop *loop;
	int fd, over;
	char *buf;
	size_t len, size;
};

static void
sink_ready(void *arg, int fd, short revents)
{
	struct sink *s = arg;
	ssize_t n = read(fd, s->buf + s->len, s->size - 1 - s->len);

	(void)revents;
	if (n > 0)
		s->len += (size_t)n;
	else if (n == 0 || errno != EAGAIN) { /* EIO: the pty's other end */
		s->over = 1;
		loop_fd_del(s->loop, fd);
		close(fd);
	}
	s->buf[s->len] = '\0';
}

static struct sink
sink_on(struct loop *loop, int fd, char *buf, size_t size)
{
	buf[0] = '\0';
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return (struct sink){loop, fd, fd < 0, buf, 0, size};
}

static _Noreturn void
become(const char *conf, const char *const *words)
{
	const char *build = getenv("ORB_BUILD"),
		   *argv[32] = {"orbctl", "--config", conf};
	char program[512];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 28 && words[i]; i++)
		argv[3 + i] = words[i];
	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	snprintf(program, sizeof(program), "%s/orbctl", build ? build : ".");
	execv(program, (char *const *)(uintptr_t)argv);
	perror(program);
	_exit(126);
}

static pid_t
spawn(
    const char *conf, int columns, const char *const *words, int *out, int *err)
{
	struct winsize ws = {.ws_row = 24, .ws_col = (unsigned short)columns};
	int o[2], e[2];
	pid_t pid;

	*err = -1;
	if (columns > 0) {
		if ((pid = forkpty(out, NULL, NULL, &ws)) == 0)
			become(conf, words);
		return pid;
	}
	if (pipe2(o, O_CLOEXEC) || pipe2(e, O_CLOEXEC))
		return -1;
	if ((pid = fork()) == 0) {
		dup2(o[1], STDOUT_FILENO);
		dup2(e[1], STDERR_FILENO);
		become(conf, words);
	}
	close(o[1]);
	close(e[1]);
	*out = o[0];
	*err = e[0];
	return pid;
}

void
orbctl_run(struct loop *loop, const char *conf, int columns,
    const char *const *words, struct orbctl_result *r)
{
	int64_t end = loop_now() + 20000;
	int out = -1, err = -1, status;
	struct sink so, se;
	pid_t pid = spawn(conf, columns, words, &out, &err);

	r->status = -1;
	so = sink_on(loop, out, r->out, sizeof(r->out));
	se = sink_on(loop, err, r->err, sizeof(r->err));
	if (pid < 0)
		return;
	loop_fd(loop, out, POLLIN, sink_ready, &so);
	if (err >= 0)
		loop_fd(loop, err, POLLIN, sink_ready, &se);
	while ((!so.over || !se.over) && loop_now() < end)
		loop_turn(loop, 100);
	if (!so.over || !se.over)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		r->status = WEXITSTATUS(status);
}
