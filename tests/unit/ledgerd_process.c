/* ledgerd_process.c: see ledgerd_process.h. */
#include "ledgerd_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/edge.h"
#include "lib/err.h"

#define NAMES "http-exchange:http-topdesk:keyd:mapd:ctl"
#define UUID "00000000-0000-4000-8000-00000000000"

static int
bind_at(int type, const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    (type == SOCK_SEQPACKET && listen(fd, 16))) {
		perror(path);
		return -1;
	}
	return fd;
}

static int
write_conf(struct process *p)
{
	FILE *f = fopen(p->conf_file, "w");
	unsigned uid = (unsigned)getuid();

	if (f == NULL)
		return -1;
	fprintf(f,
	    "state_dir = \"%s\"; run_dir = \"%s\";\n"
	    "exchange: { tenant = \"" UUID "1\"; client_id = \"" UUID
	    "2\"; };\n"
	    "topdesk: { url = \"https://topdesk.test/tas/api\";\n"
	    "  login = \"orb\"; fallback_person = \"" UUID "3\"; };\n"
	    "ledger: { journal = \"file:%s/copy\"; };\n"
	    "users: { mapd = \"%u\"; keyd = \"%u\"; ledgerd = \"%u\";\n"
	    "  fetchd_exchange = \"%u\"; fetchd_topdesk = \"%u\"; };\n"
	    "rooms: ();\n",
	    p->dir, p->dir, p->dir, uid, uid, uid, uid, uid);
	return fclose(f);
}

int
process_make(struct process *p)
{
	static const char *const file[5] = {
	    "http-exchange", "http-topdesk", "keyd", "mapd", "ctl"};
	char path[160];

	memset(p, 0, sizeof(*p));
	if (scratch_make(p->dir))
		return -1;
	snprintf(p->conf_file, sizeof(p->conf_file), "%s/orb.conf", p->dir);
	for (int i = 0; i < 5; i++) {
		snprintf(
		    path, sizeof(path), "%s/ledgerd-%s.sock", p->dir, file[i]);
		if ((p->listening[i] = bind_at(SOCK_SEQPACKET, path)) < 0)
			return -1;
	}
	snprintf(path, sizeof(path), "%s/notify", p->dir);
	if ((p->notify = bind_at(SOCK_DGRAM, path)) < 0 || write_conf(p))
		return -1;
	return conf_load(p->conf_file, &p->conf, conf_report_log, NULL);
}

void
process_remove(struct process *p)
{
	if (p->pid)
		process_end(p, SIGKILL);
	for (int i = 0; i < 5; i++)
		close(p->listening[i]);
	close(p->notify);
	conf_free(p->conf);
	if (scratch_remove(p->dir))
		perror(p->dir);
}

/* In the child: what systemd does. */
static _Noreturn void
become(struct process *p)
{
	const char *build = getenv("ORB_BUILD");
	char program[512], text[160];
	int high[5];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 5; i++)
		high[i] = dup(p->listening[i]);
	for (int i = 0; i < 5; i++)
		high[i] = high[i] < 8 ? dup(high[i]) : high[i];
	for (int i = 0; i < 5; i++)
		dup2(high[i], 3 + i);
	closefrom(8);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "5", 1);
	setenv("LISTEN_FDNAMES", NAMES, 1);
	snprintf(text, sizeof(text), "%s/notify", p->dir);
	setenv("NOTIFY_SOCKET", text, 1);
	snprintf(
	    program, sizeof(program), "%s/orb-ledgerd", build ? build : ".");
	execl(program, program, "--config", p->conf_file, (char *)NULL);
	perror(program);
	_exit(126);
}

int
process_start(struct process *p)
{
	struct pollfd pfd = {p->notify, POLLIN, 0};
	char buf[600];
	ssize_t n;

	if ((p->pid = fork()) < 0)
		return -1;
	if (p->pid == 0)
		become(p);
	while (poll(&pfd, 1, 10000) > 0) {
		n = recv(p->notify, buf, sizeof(buf) - 1, MSG_DONTWAIT);
		buf[n > 0 ? n : 0] = '\0';
		if (strstr(buf, "READY=1"))
			return 0;
	}
	fprintf(stderr, "orb-ledgerd did not get ready\n");
	return -1;
}

int
process_end(struct process *p, int sig)
{
	int status = -1;

	kill(p->pid, sig);
	waitpid(p->pid, &status, 0);
	p->pid = 0;
	return status;
}

const char *
process_status(struct process *p, char *buf, size_t size)
{
	char text[600], *s;
	ssize_t n;

	buf[0] = '\0';
	while (
	    (n = recv(p->notify, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
		text[n] = '\0';
		if ((s = strstr(text, "STATUS=")) != NULL)
			snprintf(buf, size, "%s", s + 7);
	}
	return buf;
}

struct chan *
process_connect(struct process *p, struct loop *loop, enum role role,
    enum upstream u, chan_closed closed, void *ctx)
{
	struct err e;
	int fd = edge_connect(p->conf, ROLE_LEDGERD, role, u, &e);

	if (fd < 0) {
		fprintf(stderr, "%s\n", e.text);
		return NULL;
	}
	return chan_new(loop, fd, role, ROLE_LEDGERD, NULL, closed, ctx);
}
