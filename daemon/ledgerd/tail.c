/* tail.c: see tail.h. */
#include "ledgerd/tail.h"

#include <stdlib.h>

#define STEP 128 /* records before others get a turn */

struct tail {
	struct loop *loop;
	struct chan *chan;
	uint64_t id;
	struct store_reader *reader;
	uint64_t left; /* records still wanted */
	uint64_t sent;
	int follow, over;
	unsigned timer;
};

static void
step_due(void *arg)
{
	struct tail *t = arg;

	t->timer = 0;
	tail_wake(t);
}

static void
later(struct tail *t)
{
	if (t->timer == 0)
		t->timer = loop_timer(t->loop, 0, 0, step_due, t);
}

struct tail *
tail_new(struct loop *loop, struct store *s, struct chan *c, uint64_t id,
    const struct msg_ledgerd_tail *m)
{
	struct tail *t = calloc(1, sizeof(*t));
	uint64_t from = m->from, end = store_durable(s);

	if (t == NULL)
		return NULL;
	if (from == TAIL_LAST) {
		from = m->count < end ? end - m->count : 0;
		t->left = m->follow ? UINT64_MAX : m->count;
	} else
		t->left = m->count ? m->count : UINT64_MAX;
	t->loop = loop;
	t->chan = c;
	t->id = id;
	t->follow = m->follow;
	if ((t->reader = store_reader_open(s, from)) == NULL) {
		free(t);
		return NULL;
	}
	later(t);
	return t;
}

void
tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	loop_timer_del(t->loop, t->timer);
	store_reader_free(t->reader);
	free(t);
}

int
tail_over(const struct tail *t)
{
	return t->over;
}

/* Ends the stream: DONE with how many were sent, or why it cannot go on. */
static void
finish(struct tail *t, const struct err *e)
{
	struct msg_done done = {t->sent};
	struct msg_error error;

	t->over = 1;
	if (e) {
		error.code = (uint16_t)e->code;
		error.text = e->text;
		(void)error_send(t->chan, t->id, CHAN_END, &error);
	} else
		(void)done_send(t->chan, t->id, CHAN_END, &done);
}

void
tail_wake(struct tail *t)
{
	struct msg_ctl_record m;
	struct err e;
	int rc;

	if (t == NULL || t->over || t->timer)
		return;
	for (int i = 0; i < STEP && t->left > 0; i++) {
		if (chan_backlog(t->chan) > CHAN_BACKLOG)
			return; /* woken by on_drain */
		rc = store_reader_next(
		    t->reader, &m.canonical.p, &m.canonical.len, &m.index, &e);
		if (rc == 0 && t->follow)
			return; /* woken by the next sync */
		if (rc == 2)
			break;
		if (rc <= 0) {
			finish(t, rc < 0 ? &e : NULL);
			return;
		}
		if (ctl_record_send(t->chan, t->id, 0, &m))
			return; /* the connection is being closed */
		t->left--;
		t->sent++;
	}
	if (t->left == 0)
		finish(t, NULL);
	else
		later(t);
}
