/* clockwork.c: see clockwork.h. */
#include "clockwork.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/edge.h"

#define FD_FIRST 10000 /* a descriptor that is none: role and upstream */

int64_t clock_ms;
int clockwork_trace;

struct call {
	uint64_t id;
	chan_answer fn;
	void *arg;
};

struct parcel {
	struct parcel *next;
	struct chan *to;
	uint16_t type;
	unsigned flags;
	uint64_t id;
	size_t len;
	uint8_t data[];
};

struct chan {
	struct loop *loop;
	struct chan *far, *next;
	enum role self, peer;
	enum upstream upstream;
	const struct permit *permits; /* of the process's end */
	chan_closed on_closed;
	void *ctx;
	uid_t uid;
	struct wire_out tx;
	struct parcel head; /* of the message being made */
	struct call *calls;
	size_t ncalls, capcalls;
	uint64_t next_id;
	int near, dead;
};

struct timer {
	unsigned id;
	int64_t at, every;
	loop_fn fn;
	void *arg;
};

struct loop {
	struct timer *timers;
	size_t ntimers, captimers;
	unsigned next_id;
	loop_fn idle;
	void *idle_arg;
	struct chan *chans;
	struct parcel *first, **last;
	far_fn far;
	void *far_arg;
	uint64_t order;
	int dead;
	const char *trouble;
};

time_t
time(time_t *t)
{
	if (t)
		*t = clock_ms / 1000;
	return clock_ms / 1000;
}

int64_t
loop_now(void)
{
	return clock_ms;
}

/* --- loop.h ------------------------------------------------------------------ */

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l)
		l->last = &l->first;
	return l;
}

void
loop_free(struct loop *l)
{
	struct parcel *p;
	struct chan *c;

	while ((p = l->first) != NULL) {
		l->first = p->next;
		free(p);
	}
	while ((c = l->chans) != NULL) {
		l->chans = c->next;
		wire_out_free(&c->tx);
		free(c->calls);
		free(c);
	}
	free(l->timers);
	free(l);
}

unsigned
loop_timer(struct loop *l, int64_t ms, int repeat, loop_fn fn, void *arg)
{
	struct timer *t;

	if (l->ntimers == l->captimers) {
		l->captimers = l->captimers * 2 + 8;
		t = realloc(l->timers, l->captimers * sizeof(*t));
		if (t == NULL)
			abort();
		l->timers = t;
	}
	t = &l->timers[l->ntimers++];
	*t = (struct timer){
	    ++l->next_id, clock_ms + ms, repeat ? ms : 0, fn, arg};
	return t->id;
}

void
loop_timer_del(struct loop *l, unsigned id)
{
	for (size_t i = 0; id && i < l->ntimers; i++)
		if (l->timers[i].id == id) {
			l->timers[i] = l->timers[--l->ntimers];
			return;
		}
}

void
loop_idle(struct loop *l, loop_fn fn, void *arg)
{
	l->idle = fn;
	l->idle_arg = arg;
}

void
loop_stop(struct loop *l)
{
	l->trouble = "the process stopped itself";
}

/* --- chan.h ------------------------------------------------------------------ */

/* The clockwork has no paths: whom one asks for is in the descriptor. */
int
edge_connect(const struct conf *conf, enum role listener, enum role self,
    enum upstream upstream, struct err *e)
{
	(void)conf;
	(void)self;
	(void)e;
	return FD_FIRST + (int)listener * 16 + (int)upstream;
}

const char *
edge_process(enum role role, enum upstream upstream)
{
	return upstream ? upstream_name(upstream) : role_name(role);
}

static struct chan *
chan_half(struct loop *l, enum role self, enum role peer)
{
	struct chan *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->loop = l;
	c->self = self;
	c->peer = peer;
	c->next = l->chans;
	l->chans = c;
	return c;
}

struct chan *
chan_new(struct loop *l, int fd, enum role self, enum role peer,
    const struct permit *permits, chan_closed on_closed, void *ctx)
{
	struct chan *c = chan_half(l, self, peer);

	c->far = chan_half(l, peer, self);
	c->far->far = c;
	c->near = 1;
	c->permits = permits;
	c->on_closed = on_closed;
	c->ctx = ctx;
	c->uid = (uid_t)-1;
	c->upstream = fd < FD_FIRST ? 0 : (fd - FD_FIRST) % 16;
	return c;
}

/* What is on its way to c will not come. */
static void
drop_parcels(struct loop *l, const struct chan *c)
{
	struct parcel **p = &l->first, *gone;

	while ((gone = *p) != NULL) {
		if (gone->to == c) {
			*p = gone->next;
			free(gone);
		} else {
			p = &gone->next;
		}
	}
	l->last = p;
}

void
chan_free(struct chan *c)
{
	struct call *calls;
	size_t n;

	if (c == NULL || c->dead)
		return;
	c->dead = 1;
	drop_parcels(c->loop, c);
	calls = c->calls;
	n = c->ncalls;
	c->calls = NULL;
	c->ncalls = c->capcalls = 0;
	for (size_t i = 0; i < n; i++)
		calls[i].fn(c, NULL, calls[i].arg);
	free(calls);
}

void *
chan_ctx(const struct chan *c)
{
	return c->ctx;
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

int
chan_flush(struct chan *c, int64_t ms)
{
	(void)c;
	(void)ms;
	return 0;
}

struct wire_out *
chan_begin(struct chan *c, uint16_t type, uint64_t id, unsigned flags)
{
	const struct msg_info *info = NULL;

	for (size_t i = 0; info == NULL && i < msg_table_len; i++)
		if (msg_table[i].type == type)
			info = &msg_table[i];
	if (info == NULL)
		abort();
	if (info->flags & MSG_FINAL)
		flags |= CHAN_END;
	c->head = (struct parcel){.type = type, .id = id, .flags = flags};
	wire_out_reset(&c->tx);
	c->tx.max = info->max;
	return &c->tx;
}

int
chan_commit(struct chan *c, int *fd)
{
	struct loop *l = c->loop;
	struct parcel *p;

	(void)fd;
	if (c->tx.err) {
		l->trouble = "a message is too large";
		return -1;
	}
	if (c->dead || c->far->dead || l->dead)
		return -1;
	if ((p = malloc(sizeof(*p) + c->tx.len)) == NULL)
		return -1;
	*p = c->head;
	p->to = c->far;
	p->len = c->tx.len;
	if (p->len)
		memcpy(p->data, c->tx.buf, p->len);
	p->next = NULL;
	*l->last = p;
	l->last = &p->next;
	return 0;
}

uint64_t
chan_call(struct chan *c, int64_t deadline, chan_answer fn, void *arg)
{
	struct call *k;

	(void)deadline; /* an answer comes, or the peer is gone */
	if (c->ncalls == c->capcalls) {
		c->capcalls = c->capcalls * 2 + 8;
		k = realloc(c->calls, c->capcalls * sizeof(*k));
		if (k == NULL)
			abort();
		c->calls = k;
	}
	c->calls[c->ncalls++] = (struct call){++c->next_id, fn, arg};
	return c->next_id;
}

/* --- delivering ---------------------------------------------------------------- */

static int
deliver_answer(struct chan *c, struct packet *pk)
{
	struct call k;
	size_t i;

	for (i = 0; i < c->ncalls; i++)
		if (c->calls[i].id == pk->id)
			break;
	if (i == c->ncalls)
		return 0;
	k = c->calls[i];
	if (pk->flags & CHAN_END)
		c->calls[i] = c->calls[--c->ncalls];
	return k.fn(c, pk, k.arg);
}

static int
deliver_near(struct chan *c, struct packet *pk)
{
	const struct permit *r = c->permits;

	for (; r && r->type; r++)
		if (r->type == pk->type)
			return r->handler(c, pk);
	return deliver_answer(c, pk);
}

static void
trace(const struct parcel *p)
{
	const char *name = "";

	for (size_t i = 0; i < msg_table_len; i++)
		if (msg_table[i].type == p->type)
			name = msg_table[i].name;
	/* What every round has would drown the rest. */
	if (p->type == MSG_ADAPTER_POLL || p->type == MSG_MAPD_POLLED ||
	    p->type == MSG_ADAPTER_FLUSH || p->type == MSG_LEDGERD_RECORDS ||
	    p->type == MSG_DONE)
		return;
	printf("#     %lld.%03lld %s %s %s %llu\n",
	    (long long)(clock_ms / 1000), (long long)(clock_ms % 1000),
	    p->to->near ? "<-" : "->",
	    edge_process(p->to->near ? p->to->peer : p->to->self,
		p->to->near ? p->to->upstream : p->to->far->upstream),
	    name, (unsigned long long)p->id);
}

static void
deliver(struct loop *l, struct parcel *p)
{
	struct packet pk = {.type = p->type,
	    .flags = p->flags,
	    .id = p->id,
	    .data = p->data,
	    .len = p->len,
	    .fd = -1};
	struct chan *c = p->to;

	if (clockwork_trace)
		trace(p);
	if (!c->near)
		l->far(l->far_arg, c, c->self, c->far->upstream, &pk);
	else if (!c->dead && deliver_near(c, &pk) && !l->dead)
		l->trouble = "the process took a message for broken";
}

/* The first, or the first for one of those who wait for any. */
static struct parcel *
take_parcel(struct loop *l)
{
	struct chan *to[16];
	struct parcel **p, *taken;
	size_t n = 0, i, at = 0;

	for (taken = l->first; l->order && taken && n < 16;
	     taken = taken->next) {
		for (i = 0; i < n && to[i] != taken->to; i++)
			;
		if (i == n)
			to[n++] = taken->to;
	}
	if (n > 1) {
		l->order =
		    l->order * UINT64_C(6364136223846793005) + 1442695041;
		at = (size_t)(l->order >> 33) % n;
	}
	for (p = &l->first; n && *p && (*p)->to != to[at]; p = &(*p)->next)
		;
	if ((taken = *p) == NULL)
		abort(); /* only called when there is one */
	*p = taken->next;
	if (l->last == &taken->next)
		l->last = p;
	return taken;
}

static struct timer *
next_timer(struct loop *l)
{
	struct timer *t = NULL;

	for (size_t i = 0; i < l->ntimers; i++)
		if (t == NULL || l->timers[i].at < t->at ||
		    (l->timers[i].at == t->at && l->timers[i].id < t->id))
			t = &l->timers[i];
	return t;
}

static void
fire(struct loop *l, struct timer *t)
{
	struct timer due = *t;

	if (due.at > clock_ms)
		clock_ms = due.at;
	if (due.every)
		t->at += due.every;
	else
		loop_timer_del(l, due.id);
	due.fn(due.arg);
}

int
clockwork_step(struct loop *l, int64_t until)
{
	struct parcel *p;
	struct timer *t;

	if (l->idle && !l->dead)
		l->idle(l->idle_arg);
	t = next_timer(l);
	if (t && (t->at <= clock_ms || (l->first == NULL && t->at <= until))) {
		fire(l, t);
		return 1;
	}
	if (l->first == NULL) {
		if (clock_ms < until)
			clock_ms = until;
		return 0;
	}
	clock_ms++;
	p = take_parcel(l);
	deliver(l, p);
	free(p);
	return 1;
}

void
clockwork_serve(struct loop *l, far_fn fn, void *arg)
{
	l->far = fn;
	l->far_arg = arg;
}

void
clockwork_order(struct loop *l, uint64_t order)
{
	l->order = order;
}

void
clockwork_kill(struct loop *l)
{
	l->dead = 1;
}

void
clockwork_arrive(struct loop *l, size_t n)
{
	struct parcel *p;

	while (n > 0 && (p = l->first) != NULL) {
		if ((l->first = p->next) == NULL)
			l->last = &l->first;
		if (!p->to->near) {
			n--;
			deliver(l, p);
		}
		free(p);
	}
}

void
clockwork_cut(struct loop *l, enum role peer, enum upstream upstream)
{
	for (struct chan *c = l->chans; c; c = c->next)
		if (c->near && !c->dead && c->peer == peer &&
		    c->upstream == upstream) {
			drop_parcels(l, c->far);
			if (c->on_closed)
				c->on_closed(c, NULL);
			chan_free(c);
			return;
		}
}

struct chan *
clockwork_far(struct chan *c)
{
	return c->far;
}

const char *
clockwork_trouble(const struct loop *l)
{
	return l->trouble;
}
