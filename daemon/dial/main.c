/*
 * main.c: orb-dial, the process that makes connections for one upstream.
 *
 * Here: start, lock-down, the edge to http and what it may ask for.  Names are
 * resolve.c's, sockets connect.c's.
 */
#include <config.h>

#include "dial/dial.h"
#include "lib/edge.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/sandbox.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_FIRST 100 /* ms; doubles to RETRY_LAST */
#define RETRY_LAST 5000

const char *argp_program_version = "orb-dial " PACKAGE_VERSION;

struct arguments {
	const char *config;
	enum upstream upstream;
};

static void reach_http(void *);
static int dial_on_connect(struct chan *, struct packet *);

static const struct permit permits[] = {
    {MSG_DIAL_CONNECT, dial_on_connect, 0},
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
	    {0},
	};
	static const struct argp argp = {options, parse_option, NULL,
	    "Makes the connections to one upstream of ORB and hands them over. "
	    "Started by systemd.",
	    NULL, NULL, NULL};

	argp_parse(&argp, argc, argv, 0, NULL, a);
}

/* After each turn of the loop; notify_status() sends only what has changed. */
static void
tell_status(void *arg)
{
	const struct dial *d = arg;

	notify_status("%s: %llu connections made, %llu failed%s",
	    d->hosts[0]->host, (unsigned long long)d->made,
	    (unsigned long long)d->failed,
	    d->chan ? "" : "; waiting for orb-fetchd");
}

/*
 * A name that is not of this upstream is refused and said aloud, but does not
 * close the connection: http runs on a configuration it read at its own start.
 */
static int
dial_on_connect(struct chan *c, struct packet *pk)
{
	struct msg_http_dial_failed no = {1, "not a host of this upstream"};
	struct dial *d = chan_ctx(c);
	struct msg_dial_connect m;

	if (dial_connect_get(pk, &m))
		return -1;
	for (size_t i = 0; i < d->nhosts; i++)
		if (d->hosts[i]->port == m.port &&
		    strcmp(d->hosts[i]->host, m.host) == 0) {
			attempt_start(d, pk->id, d->hosts[i]->host, m.port);
			return 0;
		}
	log_warn("refused to connect to %s:%u: not a host of this upstream",
	    m.host, (unsigned)m.port);
	d->failed++;
	return http_dial_failed_send(c, pk->id, CHAN_END, &no);
}

static void
on_closed(struct chan *c, const char *why)
{
	struct dial *d = chan_ctx(c);

	if (why)
		log_warn("orb-fetchd: %s", why);
	d->chan = NULL;
	attempts_drop(d);
	d->retry_ms = RETRY_FIRST;
	d->retry = loop_timer(d->loop, d->retry_ms, 0, reach_http, d);
}

static void
reach_http(void *arg)
{
	struct dial *d = arg;
	struct err e;
	int fd;

	d->retry = 0;
	fd = edge_connect(d->conf, ROLE_HTTP, ROLE_DIAL, d->upstream, &e);
	if (fd >= 0 &&
	    (d->chan = chan_new(d->loop, fd, ROLE_DIAL, ROLE_HTTP, permits,
		 on_closed, d)) == NULL)
		close(fd);
	if (d->chan) {
		d->retry_ms = RETRY_FIRST;
		return;
	}
	if (d->retry_ms == RETRY_LAST)
		log_debug("%s", e.text);
	d->retry = loop_timer(d->loop, d->retry_ms, 0, reach_http, d);
	if ((d->retry_ms *= 2) > RETRY_LAST)
		d->retry_ms = RETRY_LAST;
}

static void
choose_upstream(struct dial *d, const struct conf *conf, enum upstream u)
{
	const struct conf_url *login = conf_login_url(conf, u);

	d->conf = conf;
	d->upstream = u;
	d->retry_ms = RETRY_FIRST;
	d->up = u == UPSTREAM_EXCHANGE ? &conf->exchange.up : &conf->topdesk.up;
	d->hosts[d->nhosts++] = conf_api_url(conf, u);
	if (login)
		d->hosts[d->nhosts++] = login;
	if (d->up->source_address[0] &&
	    resolve_numeric(d->up->source_address, &d->source))
		fatal("source_address \"%s\" is not an IP address",
		    d->up->source_address);
}

static void
lock_down(char *level, size_t size)
{
	/* What the resolver reads, wherever the distribution keeps it. */
	static const char *const paths[] = {"/etc", "/usr", "/lib",
	    "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	    "/run/nscd", NULL};
	const struct sandbox box = {"dial", paths, NULL};
	struct err e;

	if (sandbox_enter(&box, level, size, &e))
		fatal("%s", e.text);
}

static void
on_stop(void *arg)
{
	struct dial *d = arg;

	notify_stopping("stopping");
	loop_stop(d->loop);
}

int
main(int argc, char **argv)
{
	struct arguments args = {NULL, UPSTREAM_NONE};
	struct dial d = {0};
	struct conf *conf;
	char level[80];

	parse_arguments(&args, argc, argv);
	log_init("orb-dial", LOG_LV_INFO);
	if (conf_load(args.config, &conf, conf_report_log, NULL))
		fatal("the configuration has mistakes; not started");
	choose_upstream(&d, conf, args.upstream);
	notify_open();
	resolve_init();
	if ((d.loop = loop_new()) == NULL ||
	    loop_signals(d.loop, on_stop, NULL, &d))
		fatal("no memory");
	lock_down(level, sizeof(level));
	notify_ready(d.loop, "%s: ready (%s)", d.hosts[0]->host, level);
	loop_idle(d.loop, tell_status, &d);
	reach_http(&d);
	loop_run(d.loop);
	attempts_drop(&d);
	chan_free(d.chan);
	loop_free(d.loop);
	conf_free(conf);
	return 0;
}
