/* ledgerd_process.h: the real orb-ledgerd as a child, with the sockets that
 * systemd would pass, for tests and the bench. */
#ifndef ORB_LEDGERD_PROCESS_H
#define ORB_LEDGERD_PROCESS_H

#include <sys/types.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "tests/unit/scratch.h"

struct process {
	char dir[SCRATCH_MAX], conf_file[128];
	int listening[5]; /* kept across restarts, as systemd keeps them */
	int notify;       /* the end that READY=1 and STATUS= come to */
	pid_t pid;
	struct conf *conf;
};

/* Makes a directory below TMPDIR with orb.conf and sockets; does not start.
 * The program is ORB_BUILD/orb-ledgerd.  0 or -1, with a message on stderr. */
int process_make(struct process *);
void process_remove(struct process *);
/* Starts it and waits for READY=1 (at most 10 s). */
int process_start(struct process *);
/* Sends the signal and waits for the end; the wait status. */
int process_end(struct process *, int sig);
/* The last STATUS= that came, into buf; "" when there is none. */
const char *process_status(struct process *, char *buf, size_t size);
/* A connection as that role, or NULL. */
struct chan *process_connect(struct process *, struct loop *, enum role,
    enum upstream, chan_closed, void *ctx);

#endif
