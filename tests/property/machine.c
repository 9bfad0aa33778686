/* machine.c: see machine.h. */
#include "machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clockwork.h"
#include "mapd/control.h"
#include "mapd/store_db.h"
#include "serve.h"

static int
fail(struct machine *k, const char *text)
{
	if (k->bad[0] == '\0')
		snprintf(k->bad, sizeof(k->bad), "mapd: %s", text);
	return -1;
}

/* --- its peers ----------------------------------------------------------------- */

static void
serve_key(struct chan *far, struct packet *pk)
{
	static const uint8_t key[32] = "a key for tests";
	struct msg_mapd_data_key m = {
	    .key = {key, sizeof(key)}, .generation = 1, .source = "test"};

	mapd_data_key_send(far, pk->id, 0, &m);
}

static void
serve_ledger(struct chan *far, struct packet *pk)
{
	struct msg_done done = {.value = 1};

	if (pk->id)
		done_send(far, pk->id, 0, &done);
}

static void
serve(void *arg, struct chan *far, enum role peer, enum upstream upstream,
    struct packet *pk)
{
	struct machine *k = arg;

	k->messages++;
	if (peer == ROLE_KEYD)
		serve_key(far, pk);
	else if (peer == ROLE_LEDGERD)
		serve_ledger(far, pk);
	else if (upstream == UPSTREAM_EXCHANGE)
		serve_exchange(k->o, far, pk);
	else if (upstream == UPSTREAM_TOPDESK)
		serve_topdesk(k->o, far, pk);
}

/* --- start and end --------------------------------------------------------------- */

static void
db_path(const struct machine *k, const char *tail, char path[256])
{
	snprintf(path, 256, "%s/state-%u%s", k->dir, k->file, tail);
}

static void
remove_files(struct machine *k)
{
	char path[256];

	db_path(k, "", path);
	unlink(path);
	db_path(k, "-wal", path);
	unlink(path);
}

static int
copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out, rc = 0;
	char buf[65536];
	ssize_t n;

	if (in == -1)
		return 0; /* no -wal yet */
	if ((out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1)
		rc = -1;
	while (rc == 0 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			rc = -1;
	close(in);
	if (out != -1)
		close(out);
	return rc;
}

/* What the process leaves stands in the files of the next number. */
static void
crash_now(struct machine *k)
{
	char from[256], to[256], wal[256], to_wal[256];

	k->crashed = 1;
	k->crashes++;
	k->crash_in = 0;
	clockwork_kill(k->m->loop);
	db_path(k, "", from);
	db_path(k, "-wal", wal);
	k->file++;
	db_path(k, "", to);
	db_path(k, "-wal", to_wal);
	k->file--;
	if (copy_file(from, to) || copy_file(wal, to_wal))
		fail(k, "the database cannot be copied");
}

static void
count_down(struct machine *k)
{
	if (!k->crashed && k->crash_in > 0 && --k->crash_in == 0)
		crash_now(k);
}

/* Between what was written before and this transaction. */
static int
on_commit(void *arg)
{
	count_down(arg);
	return 0;
}

/* As in mapd's main.c. */
static void
idle(void *arg)
{
	struct mapd *m = arg;

	execute_idle(m);
	if (m->nrecords)
		evidence_flush(m);
	peers_idle(m);
}

static int
start(struct machine *k)
{
	struct mapd *m = k->m = calloc(1, sizeof(*m));
	char path[256];
	struct err e;
	int rebuilt;

	if (m == NULL ||
	    (m->recent = calloc(RECENT, sizeof(*m->recent))) == NULL)
		return fail(k, "no memory");
	m->conf = &k->conf;
	m->started = time(NULL);
	m->loop = loop_new();
	m->persons = persons_new();
	wire_out_init(&m->records, 4 * 1024 * 1024);
	db_path(k, "", path);
	if ((m->store = store_open(path, &rebuilt, &e)) == NULL)
		return fail(k, e.text);
	if (rebuilt)
		return fail(k, "a crash damaged the database");
	sqlite3_commit_hook(m->store->db, on_commit, k);
	m->nrooms = ROOMS;
	m->rooms = calloc(ROOMS, sizeof(*m->rooms));
	for (size_t i = 0; i < ROOMS; i++) {
		m->rooms[i].conf = &k->rooms[i];
		m->rooms[i].dirty = 1;
	}
	loop_idle(m->loop, idle, m);
	clockwork_serve(m->loop, serve, k);
	peers_start(m);
	return 0;
}

/* Whatever it still writes goes where nobody looks. */
static void
end(struct machine *k)
{
	struct mapd *m = k->m;

	if (m == NULL)
		return;
	k->crash_in = 0;
	m->stopping = 1;
	if (!k->crashed)
		execute_stop(m);
	clockwork_kill(m->loop);
	m->round.left = 1000; /* no end of a round from the ends of visits */
	peers_stop(m);
	execute_stop(m);
	rounds_free(m);
	store_close(m->store);
	seal_free(m->seal);
	persons_free(m->persons);
	wire_out_free(&m->records);
	loop_free(m->loop);
	free(m->recent);
	free(m);
	k->m = NULL;
}

int
machine_restart(struct machine *k)
{
	if (k->crashed)
		clockwork_arrive(k->m->loop, k->arrive);
	end(k);
	if (k->crashed) {
		remove_files(k);
		k->file++;
		k->crashed = 0;
	}
	return start(k);
}

int
machine_lose(struct machine *k)
{
	end(k);
	remove_files(k);
	k->file++;
	k->lost = 1;
	office_forget(k->o);
	/* What Exchange does not find yet, nobody remembers. */
	k->o->faults.stale = 0;
	return start(k);
}

void
machine_close(struct machine *k)
{
	end(k);
	remove_files(k);
	if (k->crashed) {
		k->file++;
		remove_files(k);
	}
}

int
machine_run(struct machine *k, int64_t ms, uint64_t messages)
{
	uint64_t last = k->messages + messages;
	int64_t until = clock_ms + ms;
	const char *why;

	while (clockwork_step(k->m->loop, until)) {
		office_tick(k->o);
		if ((why = clockwork_trouble(k->m->loop)) != NULL)
			return fail(k, k->m->trouble[0] ? k->m->trouble : why);
		if (k->o->bad[0] || k->bad[0])
			return -1;
		count_down(k);
		if (k->crashed && machine_restart(k))
			return -1;
		if (messages && k->messages >= last)
			break;
	}
	if (k->crashed && machine_restart(k))
		return -1;
	return k->bad[0] ? -1 : 0;
}

int
machine_approve(struct machine *k)
{
	struct mapd *m = k->m;
	struct chan *c = chan_new(
	    m->loop, -1, ROLE_MAPD, ROLE_CTL, control_permits, NULL, m);

	chan_set_uid(c, 0);
	mapd_approve_send(clockwork_far(c), 1, 0);
	return machine_run(k, 100, 0);
}

/* --- what it says ------------------------------------------------------------------ */

struct asked {
	const uint8_t *key;
	char number[24];
	const char *but;
	int found;
};

static int
on_problem(void *arg, const struct problem *p)
{
	struct asked *a = arg;

	a->found |= memcmp(p->key, a->key, KEY_LEN) == 0 &&
	    (a->but == NULL || strstr(p->text, a->but) == NULL);
	return 0;
}

static int
on_conflict(void *arg, const struct conflict *c)
{
	struct asked *a = arg;

	a->found |= c->settled == 0 &&
	    (memcmp(c->key, a->key, KEY_LEN) == 0 ||
		strcmp(c->number, a->number) == 0 ||
		strcmp(c->rival, a->number) == 0);
	return 0;
}

static int
on_act(void *arg, const struct act *x)
{
	struct asked *a = arg;

	a->found |=
	    x->state == ACT_ASIDE && memcmp(x->key, a->key, KEY_LEN) == 0;
	return 0;
}

int
machine_said_but(struct machine *k, const uint8_t key[KEY_LEN], int res,
    enum plan_reason but)
{
	struct asked a = {.key = key, .number = "none"};
	struct err e;

	a.but = but ? plan_reason_text(but) : NULL;
	if (res >= 0)
		snprintf(a.number, sizeof(a.number), "R %d", res);
	if (store_problem_list(k->m->store, on_problem, &a, &e) ||
	    store_conflict_list(k->m->store, 0, on_conflict, &a, &e) ||
	    store_act_list(k->m->store, on_act, &a, &e))
		fail(k, e.text);
	return a.found;
}

int
machine_said(struct machine *k, const uint8_t key[KEY_LEN], int res)
{
	return machine_said_but(k, key, res, REASON_NONE);
}

void
machine_key(struct machine *k, int res, uint8_t key[KEY_LEN])
{
	const struct reserved *r = &k->o->res[res];
	struct agreed_row row;
	char id[32];
	int64_t room;
	struct err e;

	snprintf(id, sizeof(id), "res-%d", res);
	if (store_agreed_by_remote(k->m->store, id, -1, &room, &row, &e) == 1 &&
	    !row.a.dead)
		memcpy(key, row.a.key, KEY_LEN);
	else if (r->linked)
		memcpy(key, r->key, KEY_LEN);
	else
		identity_provisional(k->rooms[r->room].mailbox, id, key);
}

/* A write that goes over a person's must be known as a conflict. */
static int
is_said(void *arg, int res)
{
	struct machine *k = arg;
	uint8_t key[KEY_LEN];

	machine_key(k, res, key);
	return machine_said(k, key, res);
}

static void
known_key(void *arg, int res, uint8_t key[KEY_LEN])
{
	machine_key(arg, res, key);
}

static int
is_agreed(void *arg, int res)
{
	struct machine *k = arg;
	struct agreed_row row;
	char id[32];
	int64_t room;
	struct err e;

	snprintf(id, sizeof(id), "res-%d", res);
	/* A first look that is not over is begun anew. */
	return k->m->seal && !k->m->first &&
	    store_agreed_by_remote(k->m->store, id, -1, &room, &row, &e) == 1 &&
	    row.a.gen && !row.a.dead;
}

/* --- the site --------------------------------------------------------------------------- */

static const char *const mailboxes[ROOMS] = {
    "r0@x.example", "r1@x.example", "r2@x.example"};
static const char *const locations[ROOMS] = {
    "location-0", "location-1", "location-2"};
static const char *const names[ROOMS] = {"A", "B", "C"};

static void
configure(struct machine *k, uint64_t seed)
{
	struct conf *c = &k->conf;

	for (int i = 0; i < ROOMS; i++)
		k->rooms[i] = (struct conf_room){.name = names[i],
		    .mailbox = mailboxes[i],
		    .location = locations[i],
		    .zone = "UTC"};
	c->rooms = k->rooms;
	c->nrooms = ROOMS;
	c->state_dir = k->dir;
	c->exchange.kind = seed & 1 ? "ews" : "graph";
	k->o->ews = seed & 1;
	c->exchange.up.poll_seconds = 60;
	c->exchange.book_as = (enum conf_book_as)(seed / 2 % 3);
	c->exchange.service_mailbox = "orb@x.example";
	c->exchange.fallback_organiser = seed / 64 % 2 ? "p0@x.example" : "";
	c->exchange.answer_minutes = 30;
	c->topdesk.fallback_person = "person-0";
	c->topdesk.cancel_reason = "";
	c->policy.placeholder = "Reserved";
	c->policy.private_placeholder = "Private";
	c->policy.tentative = (enum conf_tentative)(seed / 8 % 2);
	c->policy.conflict = (enum conf_conflict)(seed / 16 % 3);
	/* Mostly both ways. */
	c->policy.direction = seed % 7 == 5 ? CONF_DIRECTION_TO_TOPDESK
	    : seed % 7 == 6                 ? CONF_DIRECTION_TO_EXCHANGE
					    : CONF_DIRECTION_BOTH;
	c->policy.approve_writes = 8;
	c->policy.mass_cancel_limit = 3;
	c->policy.window_back_days = 1;
	c->policy.window_ahead_days = AHEAD_DAYS;
	c->policy.rebase_days = 7;
}

int
machine_open(
    struct machine *k, struct office *o, const char *dir, uint64_t seed)
{
	memset(k, 0, sizeof(*k));
	k->o = o;
	snprintf(k->dir, sizeof(k->dir), "%s", dir);
	office_init(o, &k->conf);
	configure(k, seed);
	o->refuses = seed / 5 % 2;
	o->removes = seed / 11 % 2;
	o->is_said = is_said;
	o->known_key = known_key;
	o->is_agreed = is_agreed;
	o->known_arg = k;
	return start(k);
}
