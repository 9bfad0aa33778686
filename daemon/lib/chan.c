/*
 * chan.c: see chan.h.  Sending and receiving packets, the permit table, and
 * the requests that wait for an answer.
 */
#include "lib/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BURST 8  /* times RX_MANY packets, then others get a turn */
#define RX_MANY 8     /* packets received in one system call */
#define SEND_BURST 64 /* messages that wait for the end of a turn */
#define SEND_BYTES 65536
#define TX_MANY 32   /* packets sent in one system call */
#define CALLS_MIN 16 /* a power of two */
#define TICK 250     /* ms between looks at deadlines */
#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

/* A packet that the socket did not take yet. */
struct unsent {
	struct unsent *next;
	size_t len;
	int fd;
	int secret;
	uint8_t data[];
};

/* A request of ours that waits for its END. */
struct call {
	uint64_t id; /* 0: free, ~0: was used (open addressing) */
	int64_t deadline;
	chan_answer fn;
	void *arg;
};
#define CALL_GONE UINT64_MAX

struct chan {
	struct loop *loop;
	int fd;
	enum role self, peer;
	const struct permit *permits;
	uint64_t served; /* bit per row of permits, for once */
	chan_closed on_closed;
	void (*on_drain)(struct chan *);
	void *ctx;
	uid_t uid;

	struct wire_out tx; /* header and payload of the message being made */
	const struct msg_info *tx_info;
	struct unsent *head, **tail;
	size_t backlog, nunsent;
	int above;   /* backlog has been seen above CHAN_BACKLOG */
	int blocked; /* the socket is full: POLLOUT goes on */
	int deferred, corked;

	struct call *calls;
	size_t ncalls, nslots, cap; /* nslots counts the gone ones too */
	uint64_t next_id;
	unsigned tick;

	int paused, busy, dead;
	unsigned closing; /* timer that will close it */
	char why[160];
	uint8_t *rx; /* RX_MANY packets */
};

static void chan_ready(void *, int, short);
static int transmit(struct chan *);

const struct msg_info *
msg_find(uint16_t type)
{
	static const struct msg_info *page[8][256];
	unsigned hi = type >> 8, lo = type & 0xff;

	if (hi >= 8)
		return NULL;
	if (page[hi][lo] == NULL)
		for (size_t i = 0; i < msg_table_len; i++)
			if (msg_table[i].type == type)
				page[hi][lo] = &msg_table[i];
	return page[hi][lo];
}

static void
want(struct chan *c)
{
	short ev =
	    (short)((c->paused ? 0 : POLLIN) | (c->blocked ? POLLOUT : 0));

	if (c->fd < 0 || c->dead)
		return;
	/* poll reports a hang-up unasked: a paused connection that is gone
	 * would keep the loop spinning until somebody resumes it. */
	if (ev == 0)
		loop_fd_del(c->loop, c->fd);
	else
		loop_fd(c->loop, c->fd, ev, chan_ready, c);
}

struct chan *
chan_new(struct loop *loop, int fd, enum role self, enum role peer,
    const struct permit *permits, chan_closed on_closed, void *ctx)
{
	struct chan *c = calloc(1, sizeof(*c));
	int fl;

	if (c == NULL)
		return NULL;
	c->loop = loop;
	c->fd = fd;
	c->self = self;
	c->peer = peer;
	c->permits = permits;
	c->on_closed = on_closed;
	c->ctx = ctx;
	c->uid = (uid_t)-1;
	c->tail = &c->head;
	wire_out_init(&c->tx, CHAN_PACKET);
	if (fd >= 0) {
		/* Pages that no packet needs are never touched. */
		if ((c->rx = malloc((size_t)RX_MANY * CHAN_PACKET)) == NULL) {
			free(c);
			return NULL;
		}
		if ((fl = fcntl(fd, F_GETFL)) >= 0)
			(void)fcntl(fd, F_SETFL, fl | O_NONBLOCK);
		if (loop_fd(loop, fd, POLLIN, chan_ready, c)) {
			free(c->rx);
			free(c);
			return NULL;
		}
	}
	return c;
}

static void
unsent_free(struct unsent *u)
{
	if (u->secret)
		explicit_bzero(u->data, u->len);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

/* Ends every pending request with NULL. */
static void
calls_end(struct chan *c)
{
	struct call *calls = c->calls, k;
	size_t cap = c->cap;

	c->calls = NULL;
	c->cap = c->ncalls = c->nslots = 0;
	for (size_t i = 0; i < cap; i++) {
		k = calls[i];
		if (k.id != 0 && k.id != CALL_GONE && k.fn)
			k.fn(c, NULL, k.arg);
	}
	free(calls);
}

static void
release(struct chan *c)
{
#ifndef __clang_analyzer__ /* busy keeps c alive: it loses count of that */
	struct unsent *u;

	while ((u = c->head) != NULL) {
		c->head = u->next;
		unsent_free(u);
	}
	wire_out_free(&c->tx);
	free(c->calls);
	free(c->rx);
	free(c);
#endif
}

void
chan_free(struct chan *c)
{
	if (c == NULL || c->dead)
		return;
	if (c->head && !c->blocked && c->fd >= 0)
		(void)transmit(c); /* the last words, if they are taken */
	c->dead = 1;
	if (c->fd >= 0) {
		loop_fd_del(c->loop, c->fd);
		close(c->fd);
		c->fd = -1;
	}
	loop_timer_del(c->loop, c->tick);
	loop_timer_del(c->loop, c->closing);
	if (c->deferred)
		loop_defer_del(c->loop, c);
	c->busy++;
	calls_end(c);
	if (--c->busy == 0)
		release(c);
}

void *
chan_ctx(const struct chan *c)
{
	return c->ctx;
}

enum role
chan_peer(const struct chan *c)
{
	return c->peer;
}

uid_t
chan_uid(const struct chan *c)
{
	return c->uid;
}

void
chan_set_uid(struct chan *c, uid_t uid)
{
	c->uid = uid;
}

/* Tells the owner and frees.  why NULL: the peer closed in order. */
static void
chan_end(struct chan *c, const char *why)
{
	if (c->dead)
		return;
	c->busy++;
	if (c->on_closed)
		c->on_closed(c, why);
	chan_free(c);
	if (--c->busy == 0)
		release(c);
}

static void
closing_now(void *arg)
{
	struct chan *c = arg;

	c->closing = 0;
	chan_end(c, c->why);
}

/* The connection is of no more use; closed from the loop, not from under the
 * caller. */
static int
chan_break(struct chan *c, const char *why)
{
	if (!c->dead && c->closing == 0) {
		snprintf(c->why, sizeof(c->why), "%s", why);
		c->closing = loop_timer(c->loop, 0, 0, closing_now, c);
	}
	return -1;
}

/* --- sending ---------------------------------------------------------------- */

struct wire_out *
chan_begin(struct chan *c, uint16_t type, uint64_t id, unsigned flags)
{
	c->tx_info = msg_find(type);
	if (c->tx_info && c->tx_info->flags & MSG_FINAL)
		flags |= CHAN_END;
	wire_out_reset(&c->tx);
	c->tx.max = c->tx_info && c->tx_info->flags & MSG_MEMFD
	    ? CHAN_HEADER + c->tx_info->max
	    : CHAN_PACKET;
	wire_put_u8(&c->tx, CHAN_VERSION);
	wire_put_u8(&c->tx, (uint8_t)flags);
	wire_put_u16(&c->tx, type);
	wire_put_u32(&c->tx, 0);
	wire_put_u64(&c->tx, id);
	return &c->tx;
}

union control {
	struct cmsghdr h;
	char buf[CMSG_SPACE(sizeof(int))];
};

static void
put_descriptor(struct msghdr *m, union control *u, int fd)
{
	memset(u, 0, sizeof(*u));
	m->msg_control = u->buf;
	m->msg_controllen = sizeof(u->buf);
	u->h.cmsg_level = SOL_SOCKET;
	u->h.cmsg_type = SCM_RIGHTS;
	u->h.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&u->h), &fd, sizeof(fd));
}

/* One sendmmsg of what waits.  The number sent, 0 when the socket is full, -1
 * on an error. */
static int
send_some(struct chan *c)
{
	union control u[TX_MANY];
	struct iovec iov[TX_MANY];
	struct mmsghdr mm[TX_MANY];
	struct unsent *w;
	unsigned n = 0;
	int rc;

	for (w = c->head; w && n < TX_MANY; w = w->next, n++) {
		memset(&mm[n], 0, sizeof(mm[n]));
		iov[n] = (struct iovec){w->data, w->len};
		mm[n].msg_hdr.msg_iov = &iov[n];
		mm[n].msg_hdr.msg_iovlen = 1;
		if (w->fd >= 0)
			put_descriptor(&mm[n].msg_hdr, &u[n], w->fd);
	}
	do
		rc = sendmmsg(c->fd, mm, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && (errno == EAGAIN || errno == ENOBUFS))
		rc = 0;
	return rc;
}

/* Sends what waits until the socket is full.  0, or -1 on an error. */
static int
transmit(struct chan *c)
{
	struct unsent *w;
	int n;

	c->blocked = 0;
	while (c->head) {
		if ((n = send_some(c)) <= 0) {
			c->blocked = n == 0;
			return n;
		}
		while (n-- > 0 && (w = c->head) != NULL) {
			if ((c->head = w->next) == NULL)
				c->tail = &c->head;
			c->backlog -= w->len;
			c->nunsent--;
			unsent_free(w);
		}
	}
	return 0;
}

/* The payload as a sealed memfd; -1 when there is none to be had. */
static int
seal(const uint8_t *p, size_t len)
{
	int fd = memfd_create("orb", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n;

	if (fd < 0)
		return -1;
	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			goto bad;
		p += n;
		len -= (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == 0)
		return fd;
bad:
	close(fd);
	return -1;
}

static int
enqueue(struct chan *c, const uint8_t *p, size_t len, int fd, int secret)
{
	struct unsent *u;

	if (c->backlog + len > CHAN_LIMIT ||
	    (u = malloc(sizeof(*u) + len)) == NULL)
		return -1;
	u->next = NULL;
	u->len = len;
	u->fd = fd;
	u->secret = secret;
	memcpy(u->data, p, len);
	*c->tail = u;
	c->tail = &u->next;
	c->backlog += len;
	c->nunsent++;
	if (c->backlog > CHAN_BACKLOG)
		c->above = 1;
	return 0;
}

static int
drain(struct chan *c)
{
	if (transmit(c))
		return -1;
	want(c);
	if (c->head == NULL && c->above) {
		c->above = 0;
		if (c->on_drain)
			c->on_drain(c);
	}
	return 0;
}

static void
end_of_turn(void *arg)
{
	struct chan *c = arg;

	c->deferred = 0;
	if (!c->corked && !c->blocked && c->head && drain(c))
		chan_break(c, "the peer does not take messages any more");
}

/* What has been queued goes out now, or at the end of the turn. */
static int
send_soon(struct chan *c)
{
	if (c->blocked)
		return 0;
	if (c->nunsent >= SEND_BURST || c->backlog >= SEND_BYTES)
		return drain(c);
	if (!c->deferred && !c->corked) {
		if (loop_defer(c->loop, end_of_turn, c))
			return drain(c);
		c->deferred = 1;
	}
	return 0;
}

int
chan_commit(struct chan *c, int *passed)
{
	struct wire_out *w = &c->tx;
	int fd = passed ? *passed : -1, secret, rc = -1;
	size_t len;

	if (passed)
		*passed = -1;
	secret = c->tx_info && c->tx_info->flags & MSG_SECRET;
	if (w->err || c->tx_info == NULL || c->dead || c->closing ||
	    c->fd < 0 || !(c->tx_info->from & 1u << c->self) ||
	    !(c->tx_info->to & 1u << c->peer))
		goto out;
	len = w->len - CHAN_HEADER;
	w->buf[4] = (uint8_t)(len >> 24);
	w->buf[5] = (uint8_t)(len >> 16);
	w->buf[6] = (uint8_t)(len >> 8);
	w->buf[7] = (uint8_t)len;
	len = w->len;
	if (len > CHAN_PACKET) {
		fd = seal(w->buf + CHAN_HEADER, len - CHAN_HEADER);
		if (fd < 0)
			goto out;
		w->buf[1] |= CHAN_MEMFD;
		len = CHAN_HEADER;
	}
	if ((rc = enqueue(c, w->buf, len, fd, secret)) == 0) {
		fd = -1;
		rc = send_soon(c);
	}
	if (rc < 0)
		chan_break(c, "the peer does not take messages any more");
out:
	if (fd >= 0)
		close(fd);
	if (secret && w->buf)
		explicit_bzero(w->buf, w->len);
	/* One large message must not keep its memory for ever. */
	if (w->cap > 4 * CHAN_PACKET)
		wire_out_free(w);
	c->tx_info = NULL;
	return rc;
}

size_t
chan_backlog(const struct chan *c)
{
	return c->backlog;
}

void
chan_cork(struct chan *c, int corked)
{
	c->corked = corked;
	if (!corked && c->head && !c->dead && c->fd >= 0)
		end_of_turn(c);
}

void
chan_pause(struct chan *c, int paused)
{
	c->paused = paused;
	want(c);
}

void
chan_on_drain(struct chan *c, void (*fn)(struct chan *))
{
	c->on_drain = fn;
}

int
chan_flush(struct chan *c, int64_t ms)
{
	struct pollfd p = {c->fd, POLLOUT, 0};
	int64_t end = loop_now() + ms, left;

	while (c->head) {
		if ((left = end - loop_now()) <= 0)
			return -1;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -1;
		if (drain(c))
			return -1;
	}
	return 0;
}

/* --- requests ------------------------------------------------------------------ */

static size_t
call_slot(const struct chan *c, uint64_t id)
{
	size_t i =
	    (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (c->cap - 1);

	while (c->calls[i].id != id && c->calls[i].id != 0)
		i = (i + 1) & (c->cap - 1);
	return i;
}

static int
calls_grow(struct chan *c)
{
	struct call *old = c->calls;
	size_t oldcap = c->cap;
	size_t cap = CALLS_MIN;

	while (cap < c->ncalls * 4)
		cap *= 2;
	if ((c->calls = calloc(cap, sizeof(*c->calls))) == NULL) {
		c->calls = old;
		return -1;
	}
	c->cap = cap;
	c->nslots = c->ncalls;
	for (size_t i = 0; i < oldcap; i++)
		if (old[i].id != 0 && old[i].id != CALL_GONE)
			c->calls[call_slot(c, old[i].id)] = old[i];
	free(old);
	return 0;
}

static void
look_at_deadlines(void *arg)
{
	struct chan *c = arg;
	int64_t now = loop_now();
	struct call k;

	c->busy++;
	for (size_t i = 0; i < c->cap && !c->dead; i++) {
		k = c->calls[i];
		if (k.id == 0 || k.id == CALL_GONE || k.deadline == 0 ||
		    k.deadline > now)
			continue;
		c->calls[i].id = CALL_GONE;
		c->ncalls--;
		k.fn(c, NULL, k.arg);
	}
	if (!c->dead && c->ncalls == 0) {
		loop_timer_del(c->loop, c->tick);
		c->tick = 0;
	}
	if (--c->busy == 0 && c->dead)
		release(c);
}

uint64_t
chan_call(struct chan *c, int64_t deadline, chan_answer fn, void *arg)
{
	size_t i;

	if ((c->nslots + 1) * 2 > c->cap && calls_grow(c))
		return 0;
	if (c->tick == 0 && deadline)
		c->tick = loop_timer(c->loop, TICK, 1, look_at_deadlines, c);
	c->next_id++;
	i = call_slot(c, c->next_id);
	c->calls[i] = (struct call){
	    c->next_id, deadline ? loop_now() + deadline : 0, fn, arg};
	c->ncalls++;
	c->nslots++;
	return c->next_id;
}

void
chan_forget(struct chan *c, uint64_t id)
{
	size_t i;

	if (c->cap == 0 || id == 0)
		return;
	i = call_slot(c, id);
	if (c->calls[i].id == id) {
		c->calls[i].id = CALL_GONE;
		c->ncalls--;
	}
}

/* --- receiving ------------------------------------------------------------------- */

static int
deliver_answer(struct chan *c, const struct msg_info *info, struct packet *pk)
{
	struct call k;
	size_t i;

	/* Who counts on a final answer being the last one may free what the
	 * request was for: so END is checked here, for all. */
	if (!(info->flags & MSG_STREAM) &&
	    !(pk->flags & CHAN_END) != !(info->flags & MSG_FINAL))
		return -1;
	/* An id that was never given out is a lie; one that was is late. */
	if (pk->id == 0 || pk->id > c->next_id)
		return -1;
	if (c->cap == 0 || c->calls[i = call_slot(c, pk->id)].id != pk->id)
		return 0;
	k = c->calls[i];
	if (!(pk->flags & CHAN_END))
		return k.fn(c, pk, k.arg);
	c->calls[i].id = CALL_GONE;
	c->ncalls--;
	if (k.fn(c, pk, k.arg) == 0)
		return 0;
	/* The last packet was not one: the request still has to end. */
	(void)k.fn(c, NULL, k.arg);
	return -1;
}

static int
serve(struct chan *c, const struct msg_info *info, struct packet *pk)
{
	const struct permit *r;

	if (info->flags & MSG_ANSWER)
		return deliver_answer(c, info, pk);
	if ((pk->id != 0) != ((info->flags & MSG_REQUEST) != 0))
		return -1;
	for (r = c->permits; r && r->type; r++)
		if (r->type == pk->type)
			break;
	if (r == NULL || r->type == 0)
		return -1;
	if (r->once) {
		if (c->served & UINT64_C(1) << (r - c->permits))
			return -1;
		c->served |= UINT64_C(1) << (r - c->permits);
	}
	return r->handler(c, pk);
}

static uint64_t
be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* Maps a memfd payload after looking at its seals and size.  NULL: refused. */
static void *
map_sealed(int fd, size_t len)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *p;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) ||
	    (size_t)st.st_size != len)
		return NULL;
	p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

int
chan_feed(struct chan *c, const uint8_t *p, size_t n, int fd)
{
	const struct msg_info *info = NULL;
	struct packet pk;
	void *map = NULL;
	int rc = -1, carries;

	if (n < CHAN_HEADER || p[0] != CHAN_VERSION)
		goto out;
	pk.flags = p[1];
	pk.type = (uint16_t)be(p + 2, 2);
	pk.len = be(p + 4, 4);
	pk.id = be(p + 8, 8);
	pk.data = p + CHAN_HEADER;
	pk.fd = -1;
	info = msg_find(pk.type);
	if (info == NULL || pk.flags & ~(CHAN_END | CHAN_MEMFD) ||
	    !(info->from & 1u << c->peer) || !(info->to & 1u << c->self) ||
	    pk.len > info->max)
		goto out;
	carries = (info->flags & MSG_FD) != 0;
	if (pk.flags & CHAN_MEMFD) {
		if (!(info->flags & MSG_MEMFD) || n != CHAN_HEADER || fd < 0 ||
		    pk.len == 0 || (map = map_sealed(fd, pk.len)) == NULL)
			goto out;
		pk.data = map;
	} else {
		if (pk.len != n - CHAN_HEADER || carries != (fd >= 0))
			goto out;
		pk.fd = fd;
		fd = -1;
	}
	rc = serve(c, info, &pk);
	if (pk.fd >= 0)
		close(pk.fd);
	if (map)
		munmap(map, pk.len);
out:
	/* Refused or not. */
	if (info && info->flags & MSG_SECRET)
		explicit_bzero(
		    (void *)(uintptr_t)(p + CHAN_HEADER), n - CHAN_HEADER);
	if (fd >= 0)
		close(fd);
	return rc;
}

/*
 * The descriptor that came with a message, -1 for none.  There may be one: with
 * more, MSG_CTRUNC is set, and -2 says that the packet is refused.
 */
static int
descriptor_of(struct msghdr *m)
{
	struct cmsghdr *h;
	int fd = -1;

	for (h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
		    h->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(h), sizeof(int));
	if (m->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		if (fd >= 0)
			close(fd);
		return -2;
	}
	return fd;
}

/* Packets of one recvmmsg: the number, 0 when there is none now, -1. */
static int
receive(struct chan *c, struct mmsghdr mm[RX_MANY], struct iovec iov[RX_MANY],
    union control u[RX_MANY])
{
	int n;

	for (unsigned i = 0; i < RX_MANY; i++) {
		iov[i] = (struct iovec){
		    c->rx + (size_t)i * CHAN_PACKET, CHAN_PACKET};
		memset(&mm[i], 0, sizeof(mm[i]));
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
		mm[i].msg_hdr.msg_control = u[i].buf;
		/* Not sizeof(buf): its padding has room for a second one. */
		mm[i].msg_hdr.msg_controllen = CMSG_LEN(sizeof(int));
	}
	do
		n = recvmmsg(
		    c->fd, mm, RX_MANY, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* A message the peer was not allowed to send, with its name for the log. */
static void
violation(struct chan *c, const uint8_t *p, size_t n)
{
	const struct msg_info *info =
	    n >= CHAN_HEADER ? msg_find((uint16_t)be(p + 2, 2)) : NULL;
	char why[160];

	snprintf(why, sizeof(why),
	    "%s broke the protocol (%s, %zu bytes): connection closed",
	    role_name(c->peer), info ? info->name : "unknown message", n);
	chan_end(c, why);
}

/* Serves one received packet; after the connection's end only its descriptor
 * is closed. */
static void
serve_packet(struct chan *c, struct mmsghdr *mm, const uint8_t *p)
{
	int fd = descriptor_of(&mm->msg_hdr);

	if (c->dead) {
		if (fd >= 0)
			close(fd);
	} else if (fd == -2)
		chan_end(c, "the connection broke");
	else if (mm->msg_len == 0)
		chan_end(c, NULL);
	else if (chan_feed(c, p, mm->msg_len, fd))
		violation(c, p, mm->msg_len);
}

static void
chan_ready(void *arg, int fd, short revents)
{
	struct chan *c = arg;
	union control u[RX_MANY];
	struct iovec iov[RX_MANY];
	struct mmsghdr mm[RX_MANY];
	int n = RX_MANY;

	(void)fd;
	c->busy++;
	if (revents & POLLOUT && drain(c))
		chan_end(c, "the peer does not take messages any more");
	for (int i = 0; i < READ_BURST && n == RX_MANY; i++) {
		if (c->dead || c->paused ||
		    !(revents & (POLLIN | POLLHUP | POLLERR)))
			break;
		if ((n = receive(c, mm, iov, u)) < 0)
			chan_end(c, "the connection broke");
		for (int k = 0; k < n; k++)
			serve_packet(c, &mm[k], iov[k].iov_base);
	}
	if (!c->dead)
		want(c);
	if (--c->busy == 0 && c->dead)
		release(c);
}

int
chan_wait(struct chan *c, int64_t ms, int (*done)(void *), void *arg)
{
	struct pollfd p = {c->fd, 0, 0};
	int64_t end = loop_now() + ms, left;
	int rc = 0;

	c->busy++;
	while (!done(arg)) {
		if (c->head && !c->blocked && drain(c))
			chan_break(c, "the peer does not take messages");
		left = end - loop_now();
		if (left <= 0 || c->dead || c->closing) {
			rc = -1;
			break;
		}
		p.events = (short)(POLLIN | (c->head ? POLLOUT : 0));
		if (poll(&p, 1, left > 1000 ? 1000 : (int)left) > 0)
			chan_ready(c, c->fd, p.revents);
	}
	if (--c->busy == 0 && c->dead)
		release(c);
	return rc;
}
