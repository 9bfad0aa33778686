/*
 * peers.c: mapd's connections to keyd, ledgerd and the two adapters.  mapd may
 * open AF_UNIX sockets, so it reconnects: after 100 ms, doubling to 5 s.
 */
#include "mapd/mapd.h"
#include "lib/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAUSE_FIRST 100
#define PAUSE_MOST 5000
#define KEY_DEADLINE 30000
#define KEY_PAUSE 15000

static void peer_connect(void *);

void
peer_state(struct peer *p, int state, const char *text)
{
	p->state = (uint8_t)state;
	snprintf(p->text, sizeof(p->text), "%s", text);
	wire_mend(p->text);
}

static void
again_later(struct peer *p)
{
	if (p->m->stopping || p->timer)
		return;
	p->timer = loop_timer(p->m->loop, p->pause, 0, peer_connect, p);
	p->pause = p->pause * 2 > PAUSE_MOST ? PAUSE_MOST : p->pause * 2;
}

void
peer_flush(struct peer *p)
{
	p->flush = 1;
}

void
peers_idle(struct mapd *m)
{
	struct peer *p[] = {&m->exchange, &m->topdesk};

	for (size_t i = 0; i < 2; i++) {
		if (p[i]->flush && p[i]->chan)
			adapter_flush_send(p[i]->chan, 0, 0);
		p[i]->flush = 0;
	}
}

static void
peer_closed(struct chan *c, const char *why)
{
	struct peer *p = chan_ctx(c);

	if (why) {
		log_warn("connection to %s: %s",
		    edge_process(p->role, p->upstream), why);
		evidence(p->m, EV_PROTOCOL_VIOLATION, NULL, NULL, NULL, why);
	}
	p->chan = NULL;
	peer_state(p, 2, "not connected");
	again_later(p);
}

/* keyd answers that question once a connection: on a new one, later. */
static void
ask_key_again(struct mapd *m, struct chan *c)
{
	if (m->keyd.chan != c)
		return;
	m->keyd.chan = NULL;
	m->keyd.pause = KEY_PAUSE;
	again_later(&m->keyd);
	chan_free(c);
}

/* keyd's answer to KEYD_DATA_KEY. */
static int
on_data_key(struct chan *c, struct packet *pk, void *arg)
{
	struct mapd *m = arg;
	struct msg_mapd_data_key key;
	struct msg_error e;
	struct err err;
	int rebuilt;

	if (pk == NULL) {
		ask_key_again(m, c);
		return 0;
	}
	if (pk->type == MSG_ERROR) {
		if (error_get(pk, &e))
			return -1;
		peer_state(&m->keyd, 3, e.text);
		log_err("keyd: %s", e.text);
		mapd_status(m);
		ask_key_again(m, c);
		return 0;
	}
	if (pk->type != MSG_MAPD_DATA_KEY || mapd_data_key_get(pk, &key) ||
	    key.key.len != 32)
		return -1;
	if (m->seal)
		return 0;
	snprintf(m->key_source, sizeof(m->key_source), "%s", key.source);
	if ((m->seal = seal_new(key.key.p)) == NULL) {
		log_err("no memory for the data key");
		return 0;
	}
	if (store_set_seal(m->store, m->seal, &rebuilt, &err) ||
	    mapd_open_rooms(m, &err)) {
		mapd_store_failed(m, &err);
		return 0;
	}
	if (rebuilt)
		log_notice("the state was written with another data key: it "
			   "is rebuilt from the two systems");
	peer_state(&m->keyd, 1, "");
	mapd_status(m);
	round_start(m);
	execute_wake(m);
	return 0;
}

static void
ask_data_key(struct mapd *m)
{
	uint64_t id;

	if (m->seal || m->keyd.chan == NULL)
		return;
	id = chan_call(m->keyd.chan, KEY_DEADLINE, on_data_key, m);
	if (id)
		keyd_data_key_send(m->keyd.chan, id, 0);
}

static void
peer_connect(void *arg)
{
	struct peer *p = arg;
	struct mapd *m = p->m;
	struct err e;
	int fd;

	p->timer = 0;
	if (p->chan || m->stopping)
		return;
	fd = edge_connect(m->conf, p->role, ROLE_MAPD, p->upstream, &e);
	if (fd < 0) {
		peer_state(p, 3, e.text);
		again_later(p);
		return;
	}
	p->chan =
	    chan_new(m->loop, fd, ROLE_MAPD, p->role, NULL, peer_closed, p);
	if (p->chan == NULL) {
		close(fd);
		again_later(p);
		return;
	}
	p->pause = PAUSE_FIRST;
	peer_state(p, p->upstream == UPSTREAM_NONE ? 1 : 0, "");
	if (p == &m->keyd)
		ask_data_key(m);
	else if (p == &m->ledgerd)
		evidence_flush(m);
	execute_wake(m);
}

static void
peer_start(struct mapd *m, struct peer *p, enum role role, enum upstream u)
{
	p->m = m;
	p->role = role;
	p->upstream = u;
	p->pause = PAUSE_FIRST;
	p->timer = loop_timer(m->loop, 0, 0, peer_connect, p);
}

void
peers_start(struct mapd *m)
{
	peer_start(m, &m->ledgerd, ROLE_LEDGERD, UPSTREAM_NONE);
	peer_start(m, &m->keyd, ROLE_KEYD, UPSTREAM_NONE);
	peer_start(m, &m->exchange, ROLE_ADAPTER, UPSTREAM_EXCHANGE);
	peer_start(m, &m->topdesk, ROLE_ADAPTER, UPSTREAM_TOPDESK);
}

void
peers_stop(struct mapd *m)
{
	struct peer *p[] = {&m->exchange, &m->topdesk, &m->keyd, &m->ledgerd};

	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		loop_timer_del(m->loop, p[i]->timer);
		p[i]->timer = 0;
		if (p[i]->chan)
			chan_flush(p[i]->chan, 500);
		chan_free(p[i]->chan);
		p[i]->chan = NULL;
	}
}
