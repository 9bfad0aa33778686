/*
 * fuzz_orbctl.c: orbctl as a receiver: what mapd, keyd and ledgerd may answer.
 *
 * A command is run against a daemon that has answered already: the packets
 * wait in the socket, and then it is gone.
 *
 * Input: a byte that chooses the command and the output, then packets, each
 * with two bytes of length in front.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/edge.h"
#include "lib/log.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t *packets;
static size_t left;
static int far_end = -1;

/* The program's own instead of lib/edge.c's. */
int
edge_connect(const struct conf *conf, enum role listener, enum role self,
    enum upstream u, struct err *e)
{
	int s[2], size = 1 << 20;
	size_t n;

	(void)conf;
	(void)listener;
	(void)self;
	(void)u;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s))
		return err_sys(e, "socketpair");
	(void)setsockopt(s[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (left >= 2) {
		n = (size_t)(packets[0] << 8 | packets[1]);
		if (n > left - 2)
			n = left - 2;
		if (n == 0 ||
		    send(s[1], packets + 2, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		packets += 2 + n;
		left -= 2 + n;
	}
	(void)shutdown(s[1], SHUT_WR);
	far_end = s[1];
	return s[0];
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)argc;
	(void)argv;
	log_init("fuzz", 0);
	/* What orbctl prints; its errors too, which is why a crash is to be
	 * looked at with the artifact and not in the output. */
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		abort();
	stderr = fopen("/dev/null", "we");
	return stderr == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct {
		int (*run)(struct ctl *, int, char **);
		const char *words[7];
	} commands[] = {
	    {ctl_status, {"status", "--rooms"}},
	    {ctl_plan, {"plan"}},
	    {ctl_problems, {"problems"}},
	    {ctl_approve, {"approve"}},
	    {ctl_sync, {"sync", "now"}},
	    {ctl_audit, {"audit", "tail"}},
	    {ctl_audit, {"audit", "tail", "--room", "A", "-n", "3"}},
	    {ctl_credential, {"credential", "list"}},
	    {ctl_conflicts, {"conflicts"}},
	    {ctl_conflicts, {"conflicts", "show", "orb1:"}},
	    {ctl_audit, {"audit", "account"}},
	    {ctl_audit,
		{"audit", "tail", "--since", "-9w", "--booking",
		    "orb1:aerukz"}},
	};
	static struct conf conf = {.run_dir = "/nonexistent"};
	struct ctl ctl = {.conf = &conf};
	char word[7][16], *argv[8] = {NULL};
	int argc = 0;
	size_t c;

	if (n < 1)
		return 0;
	c = p[0] & 128 ? 10u + p[0] % 2 : p[0] & 64 ? 8u + p[0] % 2 : p[0] % 8;
	ctl.output = p[0] & 8 ? CTL_JSON : CTL_TEXT;
	ctl.colour = (p[0] & 16) != 0;
	ctl.width = p[0] & 32 ? 40 : 0;
	packets = p + 1;
	left = n - 1;
	for (; argc < 7 && commands[c].words[argc]; argc++) {
		snprintf(word[argc], sizeof(word[argc]), "%s",
		    commands[c].words[argc]);
		argv[argc] = word[argc];
	}
	(void)commands[c].run(&ctl, argc, argv);
	ctl_close(&ctl);
	loop_free(ctl.loop);
	if (far_end >= 0)
		close(far_end);
	far_end = -1;
	return 0;
}
