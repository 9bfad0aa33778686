/*
 * edge.h: who connects to whom.  The list of edges is the architecture: every
 * connection between two ORB processes stands in edge_table (edge.c) with its
 * socket's path, and the socket units are checked against it.
 *
 * The listening side verifies the peer by SO_PEERCRED.  The connecting side
 * trusts the path, which lies in a directory only root can write.
 */
#ifndef ORB_EDGE_H
#define ORB_EDGE_H

#include <sys/types.h>

#include "lib/chan.h"
#include "lib/err.h"

struct conf;

struct edge {
	enum role listener, connector;
	enum upstream upstream; /* UPSTREAM_NONE: not per upstream */
	const char *name;       /* FileDescriptorName= of the socket unit */
	const char *socket;     /* file name below the run directory */
};
extern const struct edge edge_table[];
extern const size_t edge_table_len;

/* The uid of a process by conf's users; (uid_t)-1 and err when unknown. */
uid_t edge_uid(const struct conf *, enum role, enum upstream, struct err *);

struct listener;

/*
 * Takes the listening socket that systemd passed for this edge (LISTEN_FDS,
 * LISTEN_FDNAMES; sd_listen_fds(3)).  Each connection whose SO_PEERCRED is the
 * edge's connector (for ROLE_CTL: any, since the file's mode decides; the uid
 * is given) becomes a chan; on_open may refuse with -1.  peer is the
 * connector's uid and pid.
 */
struct listener *edge_listen(struct loop *, const struct conf *, enum role self,
    enum role connector, enum upstream, const struct permit *,
    int (*on_open)(struct chan *, uid_t, pid_t), chan_closed, void *ctx,
    struct err *);
void edge_listener_free(struct listener *);
/* The descriptor that systemd passed under this name, for one that is handed
 * on or is no listener; -1 when there is none. */
int edge_passed(const char *name);
/*
 * Connects to the listener's socket below conf's run directory and returns the
 * connected descriptor, for chan_new(); -1 and err.
 */
int edge_connect(const struct conf *, enum role listener, enum role self,
    enum upstream, struct err *);
/* The name of a process as units and logs use it, "fetchd@exchange". */
const char *edge_process(enum role, enum upstream);

#endif
