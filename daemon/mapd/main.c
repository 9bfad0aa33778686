/*
 * main.c: mapd decides.  It has no network and no token: it keeps the state,
 * plans, journals, and drives the two adapters.
 */
#include "mapd/mapd.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/sandbox.h"
#include "lib/secret.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECRET_HEAP (256 * 1024)
#define STOP_MS 3000

static void
usage(void)
{
	fprintf(stderr, "usage: orb-mapd [--config FILE]\n");
	exit(2);
}

static const char *
parse_arguments(int argc, char **argv)
{
	static const struct option opt[] = {
	    {"config", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
	const char *file = NULL;
	int o;

	while ((o = getopt_long(argc, argv, "c:", opt, NULL)) != -1) {
		if (o != 'c')
			usage();
		file = optarg;
	}
	if (optind != argc)
		usage();
	return file;
}

static void
open_store(struct mapd *m)
{
	char path[512];
	struct err e;
	int rebuilt;

	snprintf(path, sizeof(path), "%s/mapd", m->conf->state_dir);
	if (mkdir(path, 0700) && errno != EEXIST)
		fatal("cannot make %s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/mapd/state.db", m->conf->state_dir);
	m->store = store_open(path, &rebuilt, &e);
	if (m->store == NULL)
		fatal("%s", e.text);
	if (rebuilt)
		log_warn("the state database was damaged and set aside; it "
			 "is rebuilt from the two systems");
}

static void
make_rooms(struct mapd *m)
{
	m->nrooms = m->conf->nrooms;
	m->rooms = calloc(m->nrooms + 1, sizeof(*m->rooms));
	if (m->rooms == NULL)
		fatal("no memory");
	for (size_t i = 0; i < m->nrooms; i++) {
		m->rooms[i].conf = &m->conf->rooms[i];
		m->rooms[i].dirty = 1;
	}
}

static void
lock_down(struct mapd *m)
{
	const char *read[] = {"/usr/share/zoneinfo", NULL};
	const char *write[] = {NULL, m->conf->run_dir, NULL};
	struct sandbox sb = {"mapd", read, write};
	char state[512];
	struct err e;

	snprintf(state, sizeof(state), "%s/mapd", m->conf->state_dir);
	write[0] = state;
	if (sandbox_enter(&sb, m->sandbox, sizeof(m->sandbox), &e))
		fatal("%s", e.text);
}

static void
idle(void *arg)
{
	struct mapd *m = arg;

	execute_idle(m);
	if (m->nrecords)
		evidence_flush(m);
	peers_idle(m);
}

static void
tick(void *arg)
{
	struct mapd *m = arg;

	control_tick(m);
}

/* Every ten minutes: what a burst needed goes back to the system. */
static void
trim(void *arg)
{
	struct mapd *m = arg;

	if (m->ex.alive == 0 && !m->round.active)
		malloc_trim(0);
}

static void
stop_now(void *arg)
{
	struct mapd *m = arg;

	loop_stop(m->loop);
}

static void
stop_when_quiet(void *arg)
{
	struct mapd *m = arg;

	if (m->ex.alive == m->ex.over.n)
		loop_stop(m->loop);
}

/* SIGTERM: what is under way gets its answer; nothing new is begun. */
static void
stop(void *arg)
{
	struct mapd *m = arg;

	if (m->stopping)
		return;
	m->stopping = 1;
	notify_stopping("stopping");
	round_stop(m);
	loop_timer(m->loop, 20, 1, stop_when_quiet, m);
	loop_timer(m->loop, STOP_MS, 0, stop_now, m);
}

int
main(int argc, char **argv)
{
	struct mapd *m = calloc(1, sizeof(*m));
	struct conf *conf;
	struct listener *ctl;
	struct err e;

	log_init("orb-mapd", LOG_LV_INFO);
	if (m == NULL ||
	    (m->recent = calloc(RECENT, sizeof(*m->recent))) == NULL)
		fatal("no memory");
	if (conf_load(
		parse_arguments(argc, argv), &conf, conf_report_log, NULL))
		fatal("the configuration has mistakes: orbctl config check");
	/* Large blocks go back at once: a first load must not stay resident. */
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	if (secret_init(SECRET_HEAP))
		log_warn("secrets cannot be locked in memory: raise "
			 "LimitMEMLOCK=");
	m->conf = conf;
	m->started = time(NULL);
	m->loop = loop_new();
	m->persons = persons_new();
	if (m->loop == NULL || m->persons == NULL)
		fatal("no memory");
	wire_out_init(&m->records, 4 * 1024 * 1024);
	notify_open();
	ctl = edge_listen(m->loop, conf, ROLE_MAPD, ROLE_CTL, UPSTREAM_NONE,
	    control_permits, control_open, control_closed, m, &e);
	if (ctl == NULL)
		fatal("%s", e.text);
	open_store(m);
	make_rooms(m);
	if (loop_signals(m->loop, stop, NULL, m))
		fatal("signals: %s", strerror(errno));
	lock_down(m);

	evidence(m, EV_PROCESS_STARTED, NULL, NULL, NULL, m->sandbox);
	loop_idle(m->loop, idle, m);
	loop_timer(m->loop, 500, 1, tick, m);
	loop_timer(m->loop, 600000, 1, trim, m);
	peers_start(m);
	notify_ready(m->loop, "%zu rooms, waiting for keyd", m->nrooms);
	loop_run(m->loop);

	m->stopping = 1;
	execute_stop(m);
	evidence(m, EV_PROCESS_STOPPED, NULL, NULL, NULL, NULL);
	evidence_flush(m);
	peers_stop(m);
	execute_stop(m); /* what was under way: its outcome is not known */
	rounds_free(m);
	edge_listener_free(ctl);
	store_close(m->store);
	seal_free(m->seal);
	persons_free(m->persons);
	wire_out_free(&m->records);
	loop_free(m->loop);
	conf_free(conf);
	free(m->recent);
	free(m);
	return 0;
}
