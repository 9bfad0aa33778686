/* commit.c: see commit.h. */
#include "ledgerd/commit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/bootid.h"
#include "lib/log.h"

#define GROUP_MAX (128 * 1024) /* bytes after which a group does not wait */
#define SYNC_LATEST 1000       /* ms until what was only written is synced */
#define RETRY 1000             /* ms between attempts on a disk that refuses */

struct waiter {
	struct chan *chan;
	uint64_t id, first;
	int durable;
};

struct commit {
	struct loop *loop;
	struct store *store;
	struct tree *tree;
	struct journal *journal;
	void (*on_paused)(void *, int);
	void (*on_durable)(void *);
	void *arg;

	struct waiter *waiter;
	size_t nwaiter, capwaiter;
	size_t ndurable; /* waiters that want a sync */
	unsigned timer;  /* the sync to come, or the next attempt */
	uint64_t first, syncs;
	int fresh; /* records were put since the last write */
	int failing;
	struct err err;
	char boot_id[BOOTID_SIZE];
};

static void commit_idle(void *);

struct commit *
commit_new(struct loop *loop, struct store *store, struct tree *tree,
    struct journal *journal, void (*on_paused)(void *, int),
    void (*on_durable)(void *), void *arg)
{
	struct commit *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->loop = loop;
	c->store = store;
	c->tree = tree;
	c->journal = journal;
	c->on_paused = on_paused;
	c->on_durable = on_durable;
	c->arg = arg;
	c->first = store_next(store);
	bootid_read(c->boot_id);
	loop_idle(loop, commit_idle, c);
	return c;
}

void
commit_free(struct commit *c)
{
	if (c == NULL)
		return;
	loop_idle(c->loop, NULL, NULL);
	loop_timer_del(c->loop, c->timer);
	free(c->waiter);
	free(c);
}

/* Answers those who waited for as much as has happened. */
static void
answer(struct commit *c, int synced)
{
	struct msg_done done;
	struct waiter w;
	size_t kept = 0, n = c->nwaiter;

	for (size_t i = 0; i < n; i++) {
		w = c->waiter[i];
		if (w.durable && !synced) {
			c->waiter[kept++] = w;
			continue;
		}
		done.value = w.first;
		/* A peer that is gone is forgotten by on_closed. */
		if (w.chan)
			(void)done_send(w.chan, w.id, CHAN_END, &done);
	}
	c->nwaiter = kept;
	c->ndurable = kept;
}

static void
timer_fired(void *arg)
{
	struct commit *c = arg;

	c->timer = 0;
	(void)commit_now(c);
}

static void
arm(struct commit *c, int64_t ms)
{
	if (c->timer == 0)
		c->timer = loop_timer(c->loop, ms, 0, timer_fired, c);
}

static void
disarm(struct commit *c)
{
	loop_timer_del(c->loop, c->timer);
	c->timer = 0;
}

static int
fail(struct commit *c)
{
	disarm(c);
	arm(c, RETRY);
	if (c->failing)
		return -1;
	c->failing = 1;
	log_err(
	    "%s; no record is acknowledged until it works again", c->err.text);
	if (c->on_paused)
		c->on_paused(c->arg, 1);
	return -1;
}

int
commit_now(struct commit *c)
{
	int held = store_held(c->store) > 0;

	if (store_sync(c->store, &c->err))
		return fail(c);
	c->fresh = 0;
	c->syncs += (uint64_t)held;
	disarm(c);
	answer(c, 1);
	journal_send(c->journal);
	if (c->failing) {
		c->failing = 0;
		log_notice("audit log: writing again, nothing was lost");
		if (c->on_paused)
			c->on_paused(c->arg, 0);
	}
	if (held && c->on_durable)
		c->on_durable(c->arg);
	return 0;
}

/* All that was ready has been served: the group is complete. */
static void
commit_idle(void *arg)
{
	struct commit *c = arg;

	if (c->failing || (!c->fresh && c->nwaiter == 0))
		return;
	if (c->ndurable > 0 || store_held(c->store) > GROUP_MAX) {
		(void)commit_now(c);
		return;
	}
	if (store_write(c->store, &c->err)) {
		(void)fail(c);
		return;
	}
	c->fresh = 0;
	answer(c, 0);
	arm(c, SYNC_LATEST);
}

static int64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
commit_put(struct commit *c, struct provenance *v, const struct record *r)
{
	char buf[RECORD_MAX];
	size_t n;

	v->index = store_next(c->store);
	v->realtime = clock_ns(CLOCK_REALTIME);
	v->boottime = clock_ns(CLOCK_BOOTTIME);
	v->boot_id = c->boot_id;
	n = record_canonical(v, r, buf);
	if (n == 0 || store_put(c->store, buf, n) ||
	    tree_append(c->tree, buf, n))
		fatal("audit log: no memory for a record of %zu bytes", n);
	journal_stage(c->journal, v, r, NULL);
	c->fresh = 1;
	if (store_held(c->store) > GROUP_MAX && !c->failing)
		(void)commit_now(c);
}

void
commit_answer(struct commit *c, struct chan *chan, uint64_t id, uint64_t first,
    int durable)
{
	struct waiter *p;
	size_t cap;

	if (c->nwaiter == c->capwaiter) {
		cap = c->capwaiter ? c->capwaiter * 2 : 32;
		if ((p = realloc(c->waiter, cap * sizeof(*p))) == NULL)
			fatal("audit log: no memory for %zu requests", cap);
		c->waiter = p;
		c->capwaiter = cap;
	}
	c->waiter[c->nwaiter++] = (struct waiter){chan, id, first, durable};
	c->ndurable += durable != 0;
}

void
commit_forget(struct commit *c, const struct chan *chan)
{
	for (size_t i = 0; i < c->nwaiter; i++)
		if (c->waiter[i].chan == chan)
			c->waiter[i].chan = NULL;
}

struct commit_figures
commit_figures(const struct commit *c)
{
	return (struct commit_figures){store_durable(c->store) - c->first,
	    c->syncs, store_next(c->store) - store_durable(c->store),
	    c->failing, c->err.text};
}
