/* serve.c: see serve.h. */
#include "ledgerd/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledgerd/checkpoint.h"
#include "ledgerd/tail.h"
#include "lib/edge.h"
#include "lib/log.h"

#define PEERS_MAX 32  /* connections at a time, all edges together */
#define READERS_MAX 8 /* of them orbctl: people must not shut out a daemon */

/* An edge: what every connection on one socket has in common. */
struct origin {
	struct ledger *ledger;
	enum role role;
	enum upstream upstream;
	char process[32];
	struct listener *listener;
};

struct peer {
	struct chan *chan;
	uid_t uid;
	pid_t pid;
	struct tail *tail; /* orbctl's stream */
};

static const struct {
	enum role role;
	enum upstream upstream;
} origins[] = {
    {ROLE_HTTP, UPSTREAM_EXCHANGE},
    {ROLE_HTTP, UPSTREAM_TOPDESK},
    {ROLE_KEYD, UPSTREAM_NONE},
    {ROLE_MAPD, UPSTREAM_NONE},
    {ROLE_CTL, UPSTREAM_NONE},
};
#define NORIGINS (sizeof(origins) / sizeof(origins[0]))

struct ledger {
	struct loop *loop;
	struct store *store;
	struct tree *tree;
	struct checkpoints *checkpoints;
	struct journal *journal;
	struct commit *commit;
	int paused;
	int keyd_stops;      /* and waits for a last checkpoint */
	char unsigned_[200]; /* why there is no newer checkpoint */
	void (*settled)(void *);
	void *settled_arg;
	struct origin origin[NORIGINS];
	struct peer peer[PEERS_MAX];
};

static int ledgerd_on_records(struct chan *, struct packet *);
static int ledgerd_on_tail(struct chan *, struct packet *);
static int ledgerd_on_notes(struct chan *, struct packet *);

static const struct permit permit_writer[] = {
    {MSG_LEDGERD_RECORDS, ledgerd_on_records, 0},
    {0, NULL, 0},
};
static const struct permit permit_reader[] = {
    {MSG_LEDGERD_TAIL, ledgerd_on_tail, 0},
    {MSG_LEDGERD_NOTES, ledgerd_on_notes, 0},
    {0, NULL, 0},
};

static struct peer *
peer_of(struct ledger *l, const struct chan *c)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (l->peer[i].chan == c)
			return &l->peer[i];
	return NULL;
}

/* --- messages --------------------------------------------------------------- */

static int
ledgerd_on_records(struct chan *c, struct packet *pk)
{
	struct origin *o = chan_ctx(c);
	struct peer *peer = peer_of(o->ledger, c);
	struct msg_ledgerd_records m;
	struct provenance v;
	struct record r;
	struct wire_in in;
	uint64_t first;

	if (ledgerd_records_get(pk, &m))
		return -1;
	/* All or none: nothing is written of a message that breaks a rule. */
	for (in = wire_list_open(&m.records); record_next(&in, &r);)
		if (record_permitted(&r, o->upstream))
			return -1;
	v = (struct provenance){
	    .process = o->process, .uid = peer->uid, .pid = peer->pid};
	first = store_next(o->ledger->store);
	for (in = wire_list_open(&m.records); record_next(&in, &r);) {
		commit_put(o->ledger->commit, &v, &r);
		if (o->role == ROLE_KEYD && r.event == EV_PROCESS_STOPPED)
			o->ledger->keyd_stops = 1;
	}
	commit_answer(o->ledger->commit, c, pk->id, first,
	    m.durable || o->ledger->keyd_stops);
	return 0;
}

/* Some thousands at most: a day has 288. */
static int
ledgerd_on_notes(struct chan *c, struct packet *pk)
{
	struct origin *o = chan_ctx(c);
	char text[CHECKPOINT_NOTE + 1];
	struct msg_ctl_note note = {.note = text};
	struct msg_done done = {0};
	struct msg_error error = {0};
	uint64_t off = 0;
	struct err e;
	int rc;

	if (ledgerd_notes_get(pk))
		return -1;
	while ((rc = checkpoint_next(
		    store_dir(o->ledger->store), &off, text, &e)) > 0) {
		if (ctl_note_send(c, pk->id, 0, &note))
			return 0; /* the person has gone */
		done.value++;
	}
	error.text = e.text;
	if (rc < 0)
		(void)error_send(c, pk->id, CHAN_END, &error);
	else
		(void)done_send(c, pk->id, CHAN_END, &done);
	return 0;
}

static void
reader_drained(struct chan *c)
{
	struct origin *o = chan_ctx(c);

	tail_wake(peer_of(o->ledger, c)->tail);
}

static int
ledgerd_on_tail(struct chan *c, struct packet *pk)
{
	static const struct msg_error busy = {
	    0, "one stream of records at a time on a connection"};
	static const struct msg_error memory = {0, "ledgerd has no memory"};
	struct origin *o = chan_ctx(c);
	struct peer *peer = peer_of(o->ledger, c);
	struct msg_ledgerd_tail m;

	if (ledgerd_tail_get(pk, &m))
		return -1;
	if (peer->tail && !tail_over(peer->tail))
		return error_send(c, pk->id, CHAN_END, &busy) ? 0 : 0;
	tail_free(peer->tail);
	chan_on_drain(c, reader_drained);
	peer->tail = tail_new(o->ledger->loop, o->ledger->store, c, pk->id, &m);
	if (peer->tail == NULL)
		(void)error_send(c, pk->id, CHAN_END, &memory);
	return 0;
}

/* --- connections ------------------------------------------------------------- */

static void
peer_gone(struct chan *c, const char *why)
{
	struct origin *o = chan_ctx(c);
	struct peer *peer = peer_of(o->ledger, c);
	char text[300];

	if (peer == NULL)
		return;
	if (why && strstr(why, "broke the protocol")) {
		snprintf(text, sizeof(text), "%s: %s (uid %u, pid %d)",
		    o->process, why, (unsigned)peer->uid, (int)peer->pid);
		log_warn("%s", text);
		ledger_say(o->ledger, EV_PROTOCOL_VIOLATION, text);
	}
	if (o->role == ROLE_KEYD)
		checkpoints_keyd(o->ledger->checkpoints, NULL);
	commit_forget(o->ledger->commit, c);
	tail_free(peer->tail);
	memset(peer, 0, sizeof(*peer));
}

static int
peer_came(struct chan *c, uid_t uid, pid_t pid)
{
	struct origin *o = chan_ctx(c);
	struct peer *free_slot = peer_of(o->ledger, NULL);
	int readers = 0;

	for (size_t i = 0; i < PEERS_MAX; i++)
		readers += o->ledger->peer[i].chan &&
		    chan_peer(o->ledger->peer[i].chan) == ROLE_CTL;
	if (free_slot == NULL ||
	    (o->role == ROLE_CTL && readers >= READERS_MAX)) {
		log_warn("connection from %s (uid %u, pid %d) refused: too "
			 "many are open",
		    o->process, (unsigned)uid, (int)pid);
		return -1;
	}
	*free_slot = (struct peer){c, uid, pid, NULL};
	if (o->ledger->paused && o->role != ROLE_CTL)
		chan_pause(c, 1);
	if (o->role == ROLE_KEYD)
		checkpoints_keyd(o->ledger->checkpoints, c);
	return 0;
}

/* --- checkpoints ---------------------------------------------------------------- */

static void
not_signed(struct ledger *l, const char *why)
{
	if (strcmp(l->unsigned_, why) == 0)
		return; /* said already */
	snprintf(l->unsigned_, sizeof(l->unsigned_), "%s", why);
	wire_mend(l->unsigned_);
	log_err("the audit log is not signed: %s", why);
	ledger_say(l, EV_CHECKPOINT_FAILED, l->unsigned_);
}

static void
on_checkpoint(void *arg, const char *note, const char *why)
{
	struct ledger *l = arg;
	struct provenance v = {.process = "ledgerd"};
	struct record r = {.event = EV_CHECKPOINT_SIGNED};
	void (*settled)(void *) = l->settled;

	if (note) {
		l->unsigned_[0] = '\0';
		v.index = checkpoints_size(l->checkpoints);
		journal_stage(l->journal, &v, &r, note);
		journal_send(l->journal);
	} else if (*why)
		not_signed(l, why);
	l->settled = NULL;
	if (settled)
		settled(l->settled_arg);
}

struct ledger_signed
ledger_signed(const struct ledger *l)
{
	return (struct ledger_signed){
	    checkpoints_size(l->checkpoints), l->unsigned_};
}

int
ledger_last_checkpoint(struct ledger *l, void (*settled)(void *), void *arg)
{
	if (commit_now(l->commit))
		return 0;
	l->settled = settled;
	l->settled_arg = arg;
	if (checkpoints_due(l->checkpoints, 1))
		return 1;
	l->settled = NULL;
	return 0;
}

static void
on_paused(void *arg, int paused)
{
	struct ledger *l = arg;

	l->paused = paused;
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (l->peer[i].chan && chan_peer(l->peer[i].chan) != ROLE_CTL)
			chan_pause(l->peer[i].chan, paused);
}

static void
on_durable(void *arg)
{
	struct ledger *l = arg;

	(void)checkpoints_due(l->checkpoints, l->keyd_stops);
	l->keyd_stops = 0;
	for (size_t i = 0; i < PEERS_MAX; i++)
		tail_wake(l->peer[i].tail);
}

/* --- the whole ------------------------------------------------------------------ */

/* The tree of the log, and whether it is the one that was signed. */
static int
tree_bring_up(struct ledger *l, int *differs, struct err *e)
{
	struct checkpoint_last last;

	if (checkpoint_last(store_dir(l->store), &last, e) ||
	    tree_load(l->store, last.size, &last.root, &l->tree, differs, e))
		return -1;
	l->checkpoints = checkpoints_new(l->loop, store_dir(l->store), l->store,
	    l->tree, last.size, on_checkpoint, l);
	return l->checkpoints ? 0 : err_sys(e, "audit log: checkpoints");
}

struct ledger *
ledger_new(struct loop *loop, struct store *store, struct journal *journal,
    struct err *e)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int differs = 0;

	if (l == NULL) {
		err_sys(e, "audit log");
		return NULL;
	}
	l->loop = loop;
	l->store = store;
	l->journal = journal;
	for (size_t i = 0; i < NORIGINS; i++) {
		l->origin[i].ledger = l;
		l->origin[i].role = origins[i].role;
		l->origin[i].upstream = origins[i].upstream;
		snprintf(l->origin[i].process, sizeof(l->origin[i].process),
		    "%s", edge_process(origins[i].role, origins[i].upstream));
	}
	if (tree_bring_up(l, &differs, e)) {
		ledger_free(l);
		return NULL;
	}
	l->commit =
	    commit_new(loop, store, l->tree, journal, on_paused, on_durable, l);
	if (l->commit == NULL) {
		err_sys(e, "audit log");
		ledger_free(l);
		return NULL;
	}
	if (differs) {
		log_err("the audit log is not the one that was signed: keep "
			"its whole directory as it is");
		ledger_say(l, EV_LEDGER_DIFFERS, NULL);
	}
	return l;
}

void
ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < NORIGINS; i++)
		edge_listener_free(l->origin[i].listener);
	for (size_t i = 0; i < PEERS_MAX; i++) {
		tail_free(l->peer[i].tail);
		chan_free(l->peer[i].chan);
	}
	checkpoints_free(l->checkpoints);
	commit_free(l->commit);
	tree_free(l->tree);
	free(l);
}

static const struct permit *
permits_of(const struct origin *o)
{
	return o->role == ROLE_CTL ? permit_reader : permit_writer;
}

int
ledger_listen(struct ledger *l, const struct conf *conf, struct err *e)
{
	struct origin *o;

	for (size_t i = 0; i < NORIGINS; i++) {
		o = &l->origin[i];
		o->listener = edge_listen(l->loop, conf, ROLE_LEDGERD, o->role,
		    o->upstream, permits_of(o), peer_came, peer_gone, o, e);
		if (o->listener == NULL)
			return -1;
	}
	return 0;
}

struct chan *
ledger_connect(struct ledger *l, int fd, enum role role, enum upstream u,
    uid_t uid, pid_t pid)
{
	struct origin *o = l->origin;
	struct chan *c;

	while (o->role != role || o->upstream != u)
		if (++o == l->origin + NORIGINS)
			return NULL;
	c = chan_new(
	    l->loop, fd, ROLE_LEDGERD, role, permits_of(o), peer_gone, o);
	if (c && peer_came(c, uid, pid)) {
		chan_free(c);
		return NULL;
	}
	return c;
}

void
ledger_say(struct ledger *l, enum event event, const char *text)
{
	struct provenance v = {
	    .process = "ledgerd", .uid = getuid(), .pid = getpid()};
	struct record r = {.event = (uint16_t)event, .text = text};

	commit_put(l->commit, &v, &r);
}

int
ledger_stop(struct ledger *l)
{
	int rc = commit_now(l->commit);

	for (size_t i = 0; i < PEERS_MAX; i++)
		if (l->peer[i].chan)
			(void)chan_flush(l->peer[i].chan, 200);
	return rc;
}

struct commit *
ledger_commit(struct ledger *l)
{
	return l->commit;
}
