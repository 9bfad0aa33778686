/*
 * edge.c: the list of edges, and making connections along them.
 */
#include "lib/edge.h"
#include "lib/conf.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EX UPSTREAM_EXCHANGE
#define TD UPSTREAM_TOPDESK
#define LISTEN_FDS_START 3

/* http and adapter are two processes of the unit fetchd@UPSTREAM. */
const struct edge edge_table[] = {
    {ROLE_KEYD, ROLE_HTTP, EX, "http-exchange", "keyd-http-exchange.sock"},
    {ROLE_KEYD, ROLE_HTTP, TD, "http-topdesk", "keyd-http-topdesk.sock"},
    {ROLE_KEYD, ROLE_MAPD, UPSTREAM_NONE, "mapd", "keyd-mapd.sock"},
    {ROLE_KEYD, ROLE_CTL, UPSTREAM_NONE, "ctl", "keyd-ctl.sock"},
    {ROLE_HTTP, ROLE_DIAL, EX, "dial", "fetchd-exchange-dial.sock"},
    {ROLE_HTTP, ROLE_DIAL, TD, "dial", "fetchd-topdesk-dial.sock"},
    {ROLE_ADAPTER, ROLE_MAPD, EX, "mapd", "fetchd-exchange-mapd.sock"},
    {ROLE_ADAPTER, ROLE_MAPD, TD, "mapd", "fetchd-topdesk-mapd.sock"},
    {ROLE_LEDGERD, ROLE_HTTP, EX, "http-exchange",
	"ledgerd-http-exchange.sock"},
    {ROLE_LEDGERD, ROLE_HTTP, TD, "http-topdesk", "ledgerd-http-topdesk.sock"},
    {ROLE_LEDGERD, ROLE_KEYD, UPSTREAM_NONE, "keyd", "ledgerd-keyd.sock"},
    {ROLE_LEDGERD, ROLE_MAPD, UPSTREAM_NONE, "mapd", "ledgerd-mapd.sock"},
    {ROLE_LEDGERD, ROLE_CTL, UPSTREAM_NONE, "ctl", "ledgerd-ctl.sock"},
    {ROLE_MAPD, ROLE_CTL, UPSTREAM_NONE, "ctl", "mapd-ctl.sock"},
};
const size_t edge_table_len = sizeof(edge_table) / sizeof(edge_table[0]);

struct listener {
	struct loop *loop;
	int fd;
	const struct edge *edge;
	uid_t uid;
	const struct permit *permits;
	int (*on_open)(struct chan *, uid_t, pid_t);
	chan_closed on_closed;
	void *ctx;
};

const char *
edge_process(enum role r, enum upstream u)
{
	static char name[40];

	if (u == UPSTREAM_NONE)
		return role_name(r);
	snprintf(name, sizeof(name), "%s@%s", role_name(r), upstream_name(u));
	return name;
}

static const struct edge *
edge_find(enum role listener, enum role connector, enum upstream u)
{
	for (size_t i = 0; i < edge_table_len; i++)
		if (edge_table[i].listener == listener &&
		    edge_table[i].connector == connector &&
		    edge_table[i].upstream == u)
			return &edge_table[i];
	return NULL;
}

uid_t
edge_uid(const struct conf *conf, enum role r, enum upstream u, struct err *e)
{
	/* dial, http and adapter are one an upstream; the others serve both. */
	int each = r == ROLE_DIAL || r == ROLE_HTTP || r == ROLE_ADAPTER;
	const char *user = conf->users[r][each ? u : UPSTREAM_NONE];
	struct passwd *pw;
	unsigned long n;
	char *end;

	if (user == NULL || user[0] == '\0') {
		err_set(e, EINVAL, "no user is configured for %s",
		    edge_process(r, u));
		return (uid_t)-1;
	}
	n = strtoul(user, &end, 10);
	if (*end == '\0')
		return (uid_t)n;
	if ((pw = getpwnam(user)) != NULL)
		return pw->pw_uid;
	err_set(e, ENOENT,
	    "the user \"%s\" of %s does not exist; systemd-sysusers makes it",
	    user, edge_process(r, u));
	return (uid_t)-1;
}

int
edge_passed(const char *name)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	int count = n ? atoi(n) : 0, i;
	size_t len;

	if (pid && (pid_t)atol(pid) != getpid())
		return -1;
	for (i = 0; names && i < count; i++) {
		len = strcspn(names, ":");
		if (strlen(name) == len && strncmp(names, name, len) == 0)
			return LISTEN_FDS_START + i;
		names += len + (names[len] == ':');
	}
	return -1;
}

static void
open_one(struct listener *l, int fd)
{
	struct ucred cr;
	socklen_t len = sizeof(cr);
	struct chan *c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) < 0) {
		close(fd);
		return;
	}
	if (l->edge->connector != ROLE_CTL && cr.uid != l->uid) {
		log_warn("connection on %s from uid %u refused: only uid %u "
			 "may connect there",
		    l->edge->socket, (unsigned)cr.uid, (unsigned)l->uid);
		close(fd);
		return;
	}
	c = chan_new(l->loop, fd, l->edge->listener, l->edge->connector,
	    l->permits, l->on_closed, l->ctx);
	if (c == NULL) {
		close(fd);
		return;
	}
	if (l->on_open && l->on_open(c, cr.uid, cr.pid))
		chan_free(c);
}

static void
listener_ready(void *arg, int fd, short revents)
{
	struct listener *l = arg;
	int s;

	(void)revents;
	while ((s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		open_one(l, s);
}

struct listener *
edge_listen(struct loop *loop, const struct conf *conf, enum role self,
    enum role connector, enum upstream u, const struct permit *permits,
    int (*on_open)(struct chan *, uid_t, pid_t), chan_closed on_closed,
    void *ctx, struct err *e)
{
	const struct edge *edge = edge_find(self, connector, u);
	struct listener *l;
	int fd, fl;

	if (edge == NULL) {
		err_set(e, EINVAL, "no edge from %s to %s",
		    role_name(connector), role_name(self));
		return NULL;
	}
	if ((fd = edge_passed(edge->name)) < 0) {
		err_set(e, ENOENT,
		    "the socket \"%s\" (%s) was not passed by systemd: start "
		    "the service through orb.target",
		    edge->name, edge->socket);
		return NULL;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		err_sys(e, "listener");
		return NULL;
	}
	*l = (struct listener){
	    loop, fd, edge, (uid_t)-1, permits, on_open, on_closed, ctx};
	if (connector != ROLE_CTL &&
	    (l->uid = edge_uid(conf, connector, u, e)) == (uid_t)-1) {
		free(l);
		return NULL;
	}
	if ((fl = fcntl(fd, F_GETFL)) >= 0)
		(void)fcntl(fd, F_SETFL, fl | O_NONBLOCK);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	loop_fd(loop, fd, POLLIN, listener_ready, l);
	return l;
}

void
edge_listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	loop_fd_del(l->loop, l->fd);
	close(l->fd);
	free(l);
}

int
edge_connect(const struct conf *conf, enum role listener, enum role self,
    enum upstream u, struct err *e)
{
	const struct edge *edge = edge_find(listener, self, u);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, n;

	if (edge == NULL)
		return err_set(e, EINVAL, "no edge from %s to %s",
		    role_name(self), role_name(listener));
	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", conf->run_dir,
	    edge->socket);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return err_set(e, ENAMETOOLONG,
		    "run directory \"%s\": the path of %s is too long",
		    conf->run_dir, edge->socket);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err_sys(e, "connect %s", sa.sun_path);
		close(fd);
		return -1;
	}
	return fd;
}
