/*
 * fetchd.h: the start of orb-fetchd, which is two processes: orb-adapter is
 * started on one end of a socketpair, and orb-fetchd itself goes on as http.
 */
#ifndef ORB_FETCHD_H
#define ORB_FETCHD_H

#include "lib/err.h"
#include "lib/messages.h"

struct adapter_start {
	const char *program; /* NULL: ORB_LIBEXECDIR, or beside this program */
	const char *config;  /* NULL: the built-in path */
	enum upstream upstream;
	int mapd; /* the listening socket for mapd, as systemd passed it */
};

/*
 * Starts orb-adapter with http's end of the socketpair as fd 3 and the
 * listener as fd 4, named by LISTEN_FDNAMES=http:mapd, and nothing else open
 * but the standard streams.  It gets SIGTERM when this process ends.  Returns
 * this process's end; -1 and err.
 */
int adapter_start(const struct adapter_start *, struct err *);

/*
 * Makes what only the start needed not resident any more.  Before lock-down,
 * after everything has been opened; costs a few milliseconds.
 */
void start_pages_drop(void);

#endif
