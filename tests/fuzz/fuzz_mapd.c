/*
 * fuzz_mapd.c: mapd as a receiver: what the adapters, keyd, ledgerd and orbctl
 * could send it.  The input is a sequence of packets: a byte that chooses the
 * connection, a u16 length, the packet.  A round is under way when they come.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "mapd/mapd.h"
#include "tests/fuzz/feed_copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct conf_room rooms[2] = {
    {.name = "A",
	.mailbox = "a@x.example",
	.zone = "Europe/Amsterdam",
	.location = "11111111-1111-1111-1111-111111111111"},
    {.name = "B",
	.mailbox = "b@x.example",
	.zone = "UTC",
	.location = "22222222-2222-2222-2222-222222222222"},
};
static struct conf conf = {.file = "orb.conf",
    .state_dir = "/tmp",
    .exchange.up.poll_seconds = 60,
    .rooms = rooms,
    .nrooms = 2,
    .policy = {.placeholder = "Reserved",
	.private_placeholder = "Private",
	.mass_cancel_limit = 20,
	.window_back_days = 1,
	.window_ahead_days = 180,
	.rebase_days = 7},
    .topdesk = {.fallback_person = "33333333-3333-3333-3333-333333333333",
	.cancel_reason = ""}};
static char path[64];

/* A peer without a socket: what mapd sends is dropped. */
static void
connect_nowhere(struct mapd *m, struct peer *p, enum role role, enum upstream u)
{
	p->m = m;
	p->role = role;
	p->upstream = u;
	p->chan = chan_new(m->loop, -1, ROLE_MAPD, role, NULL, NULL, p);
}

static struct mapd *
mapd_make(void)
{
	static const uint8_t key[32] = {1, 2, 3};
	struct mapd *m = calloc(1, sizeof(*m));
	struct err e;
	int rebuilt;

	m->conf = &conf;
	m->loop = loop_new();
	m->persons = persons_new();
	m->recent = calloc(RECENT, sizeof(*m->recent));
	m->nrooms = conf.nrooms;
	m->rooms = calloc(m->nrooms, sizeof(*m->rooms));
	for (size_t i = 0; i < m->nrooms; i++)
		m->rooms[i].conf = &conf.rooms[i];
	wire_out_init(&m->records, 1 << 20);
	/* In memory where there is such a place: every input has a new one. */
	snprintf(path, sizeof(path), "%s/fuzz_mapd.%d.db",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
	unlink(path);
	m->seal = seal_new(key);
	m->store = store_open(path, &rebuilt, &e);
	if (m->store == NULL ||
	    store_set_seal(m->store, m->seal, &rebuilt, &e) ||
	    mapd_open_rooms(m, &e)) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	connect_nowhere(m, &m->exchange, ROLE_ADAPTER, UPSTREAM_EXCHANGE);
	connect_nowhere(m, &m->topdesk, ROLE_ADAPTER, UPSTREAM_TOPDESK);
	connect_nowhere(m, &m->keyd, ROLE_KEYD, UPSTREAM_NONE);
	connect_nowhere(m, &m->ledgerd, ROLE_LEDGERD, UPSTREAM_NONE);
	return m;
}

static void
mapd_unmake(struct mapd *m)
{
	m->stopping = 1;
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
	unlink(path);
	snprintf(path + strlen(path), 8, "-wal");
	unlink(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mapd *m;
	struct chan *ctl, *to[5];
	size_t len;

	log_init("fuzz", 0);
	m = mapd_make();
	ctl = chan_new(
	    m->loop, -1, ROLE_MAPD, ROLE_CTL, control_permits, NULL, m);
	to[0] = m->exchange.chan;
	to[1] = m->topdesk.chan;
	to[2] = m->keyd.chan;
	to[3] = m->ledgerd.chan;
	to[4] = ctl;
	round_now(m);
	while (n >= 3) {
		len = (size_t)(p[1] << 8 | p[2]);
		if (len > n - 3)
			len = n - 3;
		(void)feed_copy(to[p[0] % 5], p + 3, len);
		execute_idle(m);
		p += 3 + len;
		n -= 3 + len;
	}
	control_closed(ctl, NULL);
	chan_free(ctl);
	mapd_unmake(m);
	return 0;
}
