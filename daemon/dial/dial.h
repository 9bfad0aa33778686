/*
 * dial.h: what the files of orb-dial share.
 *
 * orb-dial is the only process with a network.  It connects to the hosts of
 * its one upstream and to no others, and hands the connected descriptor to
 * http.  It holds no key and never sees a byte of what goes over a connection,
 * but for the header of a proxy's answer.
 */
#ifndef ORB_DIAL_H
#define ORB_DIAL_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "lib/loop.h"

#define DIAL_ADDRESSES 16      /* of one name */
#define DIAL_ATTEMPTS 32       /* under way at a time */
#define DIAL_PROXY_HEADER 8192 /* bytes of a proxy's answer */

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct addresses {
	struct address a[DIAL_ADDRESSES];
	size_t n;
};

struct attempt;

struct dial {
	struct loop *loop;
	const struct conf *conf;
	const struct conf_upstream *up;
	enum upstream upstream;
	const struct conf_url *hosts[2]; /* where it may connect to */
	size_t nhosts;
	struct address source; /* len 0: the kernel chooses */
	struct chan *chan;     /* to http; NULL while it is not there */
	unsigned retry;        /* timer */
	int64_t retry_ms;
	struct attempt *attempts;
	size_t nattempts;
	uint64_t made, failed;
};

/*
 * resolve.c.  The addresses of a name, in the resolver's order, family
 * AF_UNSPEC or that of the source address.  Blocks for at most the resolver's
 * own bound (RES_OPTIONS, set by resolve_init(): 2 s, twice, per server); an
 * answer is kept for half a minute.  0, or -1 and err ("DNS: ...").
 */
void resolve_init(void);
int resolve_host(const char *host, uint16_t port, int family,
    struct addresses *out, struct err *);
/* A numeric address; 0, or -1 when it is none. */
int resolve_numeric(const char *text, struct address *out);
/* "192.0.2.1:443" or "[2001:db8::1]:443" into buf; returns buf. */
const char *address_text(const struct address *, char *buf, size_t size);

/*
 * connect.c.  Serves one DIAL_CONNECT whose host has been allowed: ends with
 * HTTP_CONNECTED or HTTP_DIAL_FAILED on d->chan.
 */
void attempt_start(struct dial *, uint64_t id, const char *host, uint16_t port);
/* Forgets all of them: nobody waits any more. */
void attempts_drop(struct dial *);

/*
 * proxy.c.  CONNECT (RFC 9110 section 9.3.6) to an HTTP proxy.  Writes the
 * request for host:port; the length, or 0 when it does not fit.
 */
size_t proxy_request(char *buf, size_t size, const char *host, uint16_t port);
/*
 * Looks at the bytes of an answer.  1: the header is complete, *used bytes
 * long, *status is set.  0: more is needed.  -1: not an HTTP/1 answer, or no
 * end within DIAL_PROXY_HEADER bytes.  A hostile proxy gets no further than a
 * number from 100 to 599.
 */
int proxy_answer(const char *buf, size_t len, int *status, size_t *used);

#endif
