/*
 * main.c: orb-adapter, the process that speaks Graph, EWS or TOPdesk.
 *
 * orb-fetchd starts it with two descriptors: 3, its end of the socketpair to
 * http, and 4, the listening socket for mapd (LISTEN_FDS=2,
 * LISTEN_FDNAMES=http:mapd).  It has no key, no token, no file and no network;
 * all it can do is ask http for a path below the configured base URL, and tell
 * mapd what came.  It ends when http does.
 */
#include <getopt.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetchd/adapter/ews.h"
#include "fetchd/adapter/serve.h"
#include "lib/edge.h"
#include "lib/log.h"
#include "lib/sandbox.h"

#define HTTP_FD 3
/* "4 concurrent requests per app ID" is Outlook's limit. */
#define EXCHANGE_REQUESTS 4

static const struct permit http_permits[] = {{0, NULL, 0}};

struct args {
	const char *config;
	enum upstream upstream;
};

static void
usage(void)
{
	fatal("usage: orb-adapter [--config FILE] --upstream exchange|topdesk "
	      "(started by orb-fetchd)");
}

static struct args
parse_args(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"upstream", required_argument, NULL, 'u'}, {NULL, 0, NULL, 0}};
	struct args args = {NULL, UPSTREAM_NONE};
	int c;

	while ((c = getopt_long(argc, argv, "c:u:", options, NULL)) != -1)
		if (c == 'c')
			args.config = optarg;
		else if (c == 'u' && strcmp(optarg, "exchange") == 0)
			args.upstream = UPSTREAM_EXCHANGE;
		else if (c == 'u' && strcmp(optarg, "topdesk") == 0)
			args.upstream = UPSTREAM_TOPDESK;
		else
			usage();
	if (optind < argc || args.upstream == UPSTREAM_NONE)
		usage();
	return args;
}

static void
on_http_closed(struct chan *c, const char *why)
{
	struct adapter *a = chan_ctx(c);

	if (why)
		log_err("connection to http: %s", why);
	/* Nothing of this turn may still reach for the connection. */
	serve_stop(a);
	loop_stop(a->loop);
}

static void
on_stop(void *arg)
{
	struct adapter *a = arg;

	loop_stop(a->loop);
}

static void
open_all(struct adapter *a, struct listener **listener)
{
	int graph = a->upstream == UPSTREAM_EXCHANGE;
	struct err e = {0};
	unsigned limit;

	if ((a->loop = loop_new()) == NULL ||
	    loop_signals(a->loop, on_stop, NULL, a))
		fatal("no memory for the loop");
	a->http = chan_new(a->loop, HTTP_FD, ROLE_ADAPTER, ROLE_HTTP,
	    http_permits, on_http_closed, a);
	/* TOPdesk: more in http's hands than it has connections for, so that
	 * none waits for this process between two writes, and answers can be
	 * handed over several at a time. */
	limit = graph ? EXCHANGE_REQUESTS
		      : 8 * (unsigned)a->conf->topdesk.up.connections;
	if (a->http == NULL || (a->out = outbound_new(a->http, limit)) == NULL)
		fatal("no memory for the connection to http");
	if (graph && !conf_is_ews(a->conf) && graph_open(a))
		fatal("no memory for the queue of requests");
	*listener =
	    edge_listen(a->loop, a->conf, ROLE_ADAPTER, ROLE_MAPD, a->upstream,
		!graph                     ? topdesk_permits
		    : conf_is_ews(a->conf) ? ews_permits
					   : graph_permits,
		serve_open, serve_closed, a, &e);
	if (*listener == NULL)
		fatal("%s", e.text);
	loop_idle(a->loop, serve_idle, a);
}

static void
close_all(struct adapter *a, struct listener *listener)
{
	serve_stop(a);
	edge_listener_free(listener);
	outbound_free(a->out);
	batchq_free(a->batch);
	batchq_free(a->finds);
	loop_free(a->loop);
}

int
main(int argc, char **argv)
{
	struct args args = parse_args(argc, argv);
	struct adapter a = {.upstream = args.upstream};
	struct sandbox box = {.process = "adapter"};
	struct listener *listener;
	struct conf *conf;
	struct err e = {0};
	char level[80];

	log_init(args.upstream == UPSTREAM_EXCHANGE ? "orb-adapter@exchange"
						    : "orb-adapter@topdesk",
	    LOG_LV_INFO);
	if (conf_load(args.config, &conf, conf_report_log, NULL))
		fatal("the configuration is wrong; see above");
	a.conf = conf;
	open_all(&a, &listener);
	/* jansson reads its hash seed from /dev/urandom, so before lock-down.
	 * Freed pages go back early: a list's worth is held only while it
	 * comes. */
	json_object_seed(0);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	if (sandbox_enter(&box, level, sizeof(level), &e))
		fatal("%s", e.text);
	loop_run(a.loop);
	close_all(&a, listener);
	conf_free(conf);
	return 0;
}
