/*
 * main.c: orb-fetchd, one for each upstream.
 *
 * Here: the order of things.  Read the configuration, connect the edges, start
 * the adapter, read the CAs, lock down, and only then read a byte of a peer.
 */
#include <config.h>

#include "fetchd/fetchd.h"
#include "fetchd/http.h"
#include "lib/edge.h"
#include "lib/events.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/sandbox.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECURE_HEAP 65536
#define STOP_MS 1500 /* for what is under way, after SIGTERM */
#define LOST_MS 5000 /* after keyd or ledgerd went away */
#define FLUSH_MS 300
#define STATUS_MS 60000

const char *argp_program_version = "orb-fetchd " PACKAGE_VERSION;

struct arguments {
	const char *config, *adapter;
	enum upstream upstream;
};

static const struct permit adapter_permits[] = {
    {MSG_HTTP_REQUEST, http_on_request, 0},
    {MSG_HTTP_HOLD, http_on_hold, 0},
    {MSG_HTTP_INCIDENT, http_on_incident, 0},
    {0, NULL, 0},
};

/* keyd, ledgerd and dial only answer. */
static const struct permit no_permits[] = {
    {0, NULL, 0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'c':
		a->config = arg;
		return 0;
	case 'a':
		a->adapter = arg;
		return 0;
	case 'u':
		if (strcmp(arg, "exchange") == 0)
			a->upstream = UPSTREAM_EXCHANGE;
		else if (strcmp(arg, "topdesk") == 0)
			a->upstream = UPSTREAM_TOPDESK;
		else
			argp_error(state, "--upstream is exchange or topdesk");
		return 0;
	case ARGP_KEY_END:
		if (a->upstream == UPSTREAM_NONE)
			argp_error(state, "--upstream is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void
parse_arguments(struct arguments *a, int argc, char **argv)
{
	static const struct argp_option options[] = {
	    {"config", 'c', "FILE", 0, "orb.conf to read", 0},
	    {"upstream", 'u', "NAME", 0, "exchange or topdesk", 0},
	    {"adapter", 'a', "PATH", 0, "orb-adapter to start", 0},
	    {0},
	};
	static const struct argp argp = {options, parse_option, NULL,
	    "Speaks HTTP and the protocol of one upstream of ORB. Started by "
	    "systemd, which passes the sockets dial and mapd.",
	    NULL, NULL, NULL};

	argp_parse(&argp, argc, argv, 0, NULL, a);
}

/* --- edges --------------------------------------------------------------------- */

/* keyd, ledgerd or the adapter is gone.  A new connection would need a socket,
 * which this process cannot make: systemd starts it again. */
static void
on_lost(struct chan *c, const char *why)
{
	struct http *h = chan_ctx(c);
	const char *name = role_name(chan_peer(c));
	char text[240];

	snprintf(text, sizeof(text), "the connection to orb-%s ended%s%s", name,
	    why ? ": " : "", why ? why : "");
	if (c == h->adapter) {
		if (why)
			record_event(
			    h, EV_PROTOCOL_VIOLATION, 0, 0, NULL, text);
		h->adapter = NULL;
		http_drain(h, 0, text);
		return;
	}
	if (c == h->keyd)
		h->keyd = NULL;
	if (c == h->ledgerd)
		h->ledgerd = NULL;
	http_drain(h, LOST_MS, text);
}

static struct chan *
edge_open(struct http *h, int fd, enum role peer)
{
	struct chan *c = chan_new(h->loop, fd, ROLE_HTTP, peer,
	    peer == ROLE_ADAPTER ? adapter_permits : no_permits, on_lost, h);

	if (c == NULL)
		fatal("no memory");
	return c;
}

static struct chan *
edge_reach(struct http *h, enum role peer)
{
	struct err e;
	int fd = edge_connect(h->conf, peer, ROLE_HTTP, h->upstream, &e);

	if (fd < 0)
		fatal("%s: is orb-%s running?", e.text, role_name(peer));
	return edge_open(h, fd, peer);
}

static void
start_adapter(struct http *h, const struct arguments *a)
{
	struct adapter_start s = {
	    a->adapter, a->config, h->upstream, edge_passed("mapd")};
	struct err e;
	int fd;

	if (s.mapd < 0)
		fatal("the socket \"mapd\" was not passed by systemd: start "
		      "the service through orb.target");
	if ((fd = adapter_start(&s, &e)) < 0)
		fatal("%s", e.text);
	close(s.mapd);
	h->adapter = edge_open(h, fd, ROLE_ADAPTER);
	chan_on_drain(h->adapter, answer_on_drain);
}

static struct listener *
open_edges(struct http *h, const struct arguments *a)
{
	struct listener *l;
	struct err e;

	h->keyd = edge_reach(h, ROLE_KEYD);
	h->ledgerd = edge_reach(h, ROLE_LEDGERD);
	l = edge_listen(h->loop, h->conf, ROLE_HTTP, ROLE_DIAL, h->upstream,
	    no_permits, pool_on_dial, pool_on_dial_closed, h, &e);
	if (l == NULL)
		fatal("%s", e.text);
	start_adapter(h, a);
	return l;
}

/* --- the rest of the start --------------------------------------------------------- */

static void
choose_upstream(struct http *h, const struct conf *conf, enum upstream u)
{
	h->conf = conf;
	h->upstream = u;
	h->tail = &h->head;
	h->api.h = h->login.h = h;
	h->api.dummy = "192.0.2.1"; /* RFC 5737: documentation only */
	h->login.dummy = "192.0.2.2";
	h->up = u == UPSTREAM_EXCHANGE ? &conf->exchange.up : &conf->topdesk.up;
	h->soap = u == UPSTREAM_EXCHANGE && conf_is_ews(conf);
	h->api.url = conf_api_url(conf, u);
	h->login.url = conf_login_url(conf, u);
	h->token_request = h->login.url != NULL;
	h->lease.dest = h->token_request ? &h->login : &h->api;
	h->lease.url = h->lease.dest->url;
	/* One host for both: one set of connections. */
	if (h->login.url && h->login.url->port == h->api.url->port &&
	    strcmp(h->login.url->host, h->api.url->host) == 0) {
		h->login.url = NULL;
		h->lease.dest = &h->api;
	}
}

static void
on_stop(void *arg)
{
	http_drain(arg, STOP_MS, "asked to");
}

static void
uncork(void *arg)
{
	struct http *h = arg;

	h->cork_timer = 0;
	if (h->adapter)
		chan_cork(h->adapter, 0);
}

/*
 * While more requests wait than there are connections, nobody waits for a
 * single answer: a few go to the adapter together, with one wake-up for all.
 * A millisecond is the most that one is kept back.
 */
static void
cork_answers(struct http *h)
{
	int busy = h->queued >= CORK_QUEUE;

	if (h->adapter == NULL)
		return;
	if (!busy || chan_backlog(h->adapter) >= CORK_BYTES)
		chan_cork(h->adapter, 0);
	if (busy) {
		chan_cork(h->adapter, 1);
		if (h->cork_timer == 0 && chan_backlog(h->adapter))
			h->cork_timer = loop_timer(h->loop, 1, 0, uncork, h);
	}
}

static void
on_idle(void *arg)
{
	struct http *h = arg;

	/* Each may give the other work: a request that starts, a transfer
	 * that ends and makes room for the next. */
	do {
		pool_turn(h);
		request_pump(h);
	} while (h->kicked && !h->draining);
	cork_answers(h);
}

static void
on_minute(void *arg)
{
	http_tell_status(arg);
}

static void
lock_down(struct http *h, char *level, size_t size)
{
	const struct sandbox box = {"http", NULL, NULL};
	struct err e;

	if (sandbox_enter(&box, level, size, &e))
		fatal("%s", e.text);
	record_event(h, EV_PROCESS_STARTED, 0, 0, NULL, level);
}

int
main(int argc, char **argv)
{
	struct arguments args = {NULL, NULL, UPSTREAM_NONE};
	static struct http h;
	struct listener *listener;
	struct conf *conf;
	char level[80];
	struct err e;

	parse_arguments(&args, argc, argv);
	log_init("orb-fetchd", LOG_LV_INFO);
	if (conf_load(args.config, &conf, conf_report_log, NULL))
		fatal("the configuration has mistakes; not started");
	choose_upstream(&h, conf, args.upstream);
	notify_open();
	if ((h.loop = loop_new()) == NULL ||
	    loop_signals(h.loop, on_stop, NULL, &h))
		fatal("no memory");
	listener = open_edges(&h, &args);
	if (secret_init(SECURE_HEAP))
		fatal("no secure memory: raise LimitMEMLOCK");
	token_parse_open();
	if (pool_open(&h, &e))
		fatal("%s", e.text);
	start_pages_drop();
	lock_down(&h, level, sizeof(level));
	h.dial_gone = loop_now();
	loop_idle(h.loop, on_idle, &h);
	loop_timer(h.loop, STATUS_MS, 1, on_minute, &h);
	notify_ready(h.loop, "%s: ready (%s)", h.api.url->host, level);
	loop_run(h.loop);

	transfer_note_rest(&h);
	record_event(&h, EV_PROCESS_STOPPED, 0, 0, NULL, "");
	record_flush(&h);
	if (h.ledgerd)
		chan_flush(h.ledgerd, FLUSH_MS);
	if (h.adapter)
		chan_flush(h.adapter, FLUSH_MS);
	h.draining = 1;
	pool_close(&h);
	lease_close(&h);
	request_fail_all(&h, OUTCOME_FAILED, "orb-fetchd is stopping");
	chan_free(h.adapter);
	chan_free(h.keyd);
	chan_free(h.ledgerd);
	chan_free(h.dial);
	edge_listener_free(listener);
	wire_out_free(&h.records);
	loop_free(h.loop);
	conf_free(conf);
	return 0;
}
