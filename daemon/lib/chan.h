/*
 * chan.h: one end of an edge: an AF_UNIX SOCK_SEQPACKET connection on which
 * the kernel keeps the boundaries of messages.
 *
 * Here: header, sending and receiving, the permit table, requests with ids and
 * deadlines, sealed memfds, descriptors.  Not here: what the fields are
 * (messages.def) and who may connect (edge.h).
 *
 * The header, 16 bytes: version, flags, type (u16), payload length (u32),
 * request id (u64), big endian.  A packet is at most 16 KiB; a larger payload
 * of a type that declares it comes in a memfd sealed against writing, growing
 * and shrinking, which the receiver checks before it maps it.
 *
 * A hostile peer can at worst have its connection closed: an unknown,
 * unpermitted or malformed message ends it, and on_closed says why.
 */
#ifndef ORB_CHAN_H
#define ORB_CHAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/loop.h"
#include "lib/messages.h"
#include "lib/wire.h"

#define CHAN_VERSION 1
#define CHAN_HEADER 16
#define CHAN_PACKET 16384         /* header and payload */
#define CHAN_BACKLOG (256 * 1024) /* unsent bytes at which producers pause */
#define CHAN_LIMIT (16 * 1024 * 1024) /* unsent bytes at which it is closed */

/* Flags in the header. */
#define CHAN_END 1u   /* last packet of an answer */
#define CHAN_MEMFD 2u /* the payload is in the descriptor; set by chan.c */

/* Flags of a type, in msg_table. */
#define MSG_REQUEST 1u
#define MSG_ANSWER 2u
#define MSG_FD 4u
#define MSG_MEMFD 8u
#define MSG_SECRET 16u
#define MSG_FINAL 32u  /* an answer that ends its request */
#define MSG_STREAM 64u /* an answer that may end it */
#define MSG_ANY 0xffffffffu

/* A received message.  Lives until the handler returns. */
struct packet {
	uint16_t type;
	unsigned flags;
	uint64_t id;
	const uint8_t *data;
	size_t len;
	int fd; /* the handler takes it by setting it to -1; else closed */
};

struct msg_info {
	uint16_t type;
	const char *name;
	unsigned from, to; /* bits of enum role */
	unsigned flags;
	size_t max;
	/* Decodes and throws away: 0, or -1 when it is malformed. */
	int (*check)(const struct packet *);
};
extern const struct msg_info msg_table[];
extern const size_t msg_table_len;
/* The row of a type, or NULL. */
const struct msg_info *msg_find(uint16_t type);

static inline struct wire_in
packet_payload(const struct packet *p)
{
	return (struct wire_in){p->data, p->data + p->len, 0};
}

struct chan;

/*
 * Serves one message.  Decodes it first (NAME_get); returns 0, or -1 when the
 * peer broke the protocol, which closes the connection.
 */
typedef int (*chan_handler)(struct chan *, struct packet *);

/*
 * The permit table of a process for one edge: only what stands here is served.
 * Answers to one's own requests need no row.  A row with once is served once a
 * connection.  Ends with type 0.
 */
struct permit {
	uint16_t type;
	chan_handler handler;
	unsigned once;
};

/*
 * An answer to a request: pk is NULL when none will come any more (deadline,
 * or the connection closed).  Called for each packet; the last one has
 * CHAN_END, or is NULL.  The same return as a handler; after -1 the request is
 * not over yet, whatever the packet said: it ends with NULL, so that a peer
 * cannot lose it by answering nonsense.
 */
typedef int (*chan_answer)(struct chan *, struct packet *pk, void *arg);
/* why is NULL after an orderly close by the peer.  The chan is freed after it. */
typedef void (*chan_closed)(struct chan *, const char *why);

/*
 * Takes fd.  self and peer are the roles of the edge; every message must be
 * allowed from one to the other by messages.def, and be in permits.
 */
struct chan *chan_new(struct loop *, int fd, enum role self, enum role peer,
    const struct permit *permits, chan_closed on_closed, void *ctx);
/* Pending requests are answered with NULL first.  on_closed is not called. */
void chan_free(struct chan *);
void *chan_ctx(const struct chan *);
enum role chan_peer(const struct chan *);
/* The peer's uid as the kernel gave it at connect, once set by the listener. */
uid_t chan_uid(const struct chan *);
void chan_set_uid(struct chan *, uid_t);

/*
 * What the generated NAME_send() functions are made of (END is set here on the
 * types that always carry it): begin gives a writer,
 * commit sends what was put there (and *fd, which it closes and sets to -1,
 * for a type that carries one).  0, or -1: too large a field, no such
 * connection, or the peer does not read.  Never blocks.
 *
 * What is sent in one turn of the loop goes out together at its end, in one
 * system call and with one wake-up of the peer: at most SEND_BURST messages or
 * 64 KiB wait.  chan_flush() and chan_free() send what waits.
 */
struct wire_out *chan_begin(
    struct chan *, uint16_t type, uint64_t id, unsigned flags);
int chan_commit(struct chan *, int *fd);

/*
 * A request: registers answer for the returned id (never 0; 0 when there is no
 * memory), to be used in the NAME_send() that follows.  deadline in
 * milliseconds from now to the END; 0: none.
 */
uint64_t chan_call(struct chan *, int64_t deadline, chan_answer, void *arg);
/* Forgets a request; late answers to it are dropped. */
void chan_forget(struct chan *, uint64_t id);

/* Bytes that wait to be sent; a producer pauses above CHAN_BACKLOG. */
size_t chan_backlog(const struct chan *);
/*
 * While corked, the ends of turns send nothing either: only the limits do, and
 * uncorking.  For who knows that more will follow soon, and bounds the wait.
 */
void chan_cork(struct chan *, int corked);
/*
 * Stop and resume reading from the peer (flow control).  What has been received
 * already, a few messages, is still served.
 */
void chan_pause(struct chan *, int paused);
/* fn is called when the backlog has fallen to nothing after it was above. */
void chan_on_drain(struct chan *, void (*fn)(struct chan *));
/* Sends what waits, up to ms milliseconds: for the stop path. */
int chan_flush(struct chan *, int64_t ms);
/*
 * For tests, and programs that are not locked down: sends what waits and
 * serves this one connection until done(arg) is true or ms have passed.  0, or
 * -1.  No daemon reads a byte of a peer before its lock-down.
 */
int chan_wait(struct chan *, int64_t ms, int (*done)(void *), void *arg);

/*
 * The receiving half without a socket, for the fuzz targets: serves one packet
 * (header and payload) as if it had come.  0 or -1 as a handler.
 */
int chan_feed(struct chan *, const uint8_t *, size_t, int fd);

#endif
