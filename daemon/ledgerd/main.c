/*
 * orb-ledgerd: the only writer of the audit log.
 *
 * It takes records from http, keyd and mapd, adds where they came from as the
 * kernel says, makes them durable and only then acknowledges them; it lets
 * orbctl read.  It cannot be asked to change or remove a record: there is no
 * such message.  It holds no key and has no network.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ledgerd/serve.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/sandbox.h"

#define STATUS_EVERY 5000    /* ms */
#define CHECKPOINT_WAIT 2000 /* for a last checkpoint */

struct ledgerd {
	struct loop *loop;
	struct ledger *ledger;
	struct journal *journal;
	char level[80]; /* what the sandbox reached */
};

static void
say_status(void *arg)
{
	struct ledgerd *d = arg;
	struct commit_figures f = commit_figures(ledger_commit(d->ledger));
	struct ledger_signed s = ledger_signed(d->ledger);

	if (f.failing) {
		notify_status("CANNOT WRITE, %" PRIu64 " records wait: %s",
		    f.waiting, f.why);
		return;
	}
	if (s.why[0]) {
		notify_status(
		    "NOT SIGNED beyond record %" PRIu64 ": %s", s.size, s.why);
		return;
	}
	notify_status("%" PRIu64 " records since the start, %.1f per sync, "
		      "signed up to %" PRIu64 "; copy to %s, %" PRIu64
		      " dropped; %s",
	    f.records, f.syncs ? (double)f.records / (double)f.syncs : 0.0,
	    s.size, journal_where(d->journal), journal_dropped(d->journal),
	    d->level);
}

static void
on_settled(void *arg)
{
	struct ledgerd *d = arg;

	loop_stop(d->loop);
}

static void
on_stop(void *arg)
{
	struct ledgerd *d = arg;

	notify_stopping("writing what is left");
	ledger_say(d->ledger, EV_PROCESS_STOPPED, NULL);
	/* Alone, when keyd has stopped before it. */
	if (!ledger_last_checkpoint(d->ledger, on_settled, d) ||
	    loop_timer(d->loop, CHECKPOINT_WAIT, 0, on_settled, d) == 0)
		loop_stop(d->loop);
}

static const char *
conf_argument(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {NULL, 0, NULL, 0},
	};
	const char *file = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c != 'c')
			fatal("usage: orb-ledgerd [--config FILE]");
		file = optarg;
	}
	if (optind != argc)
		fatal("usage: orb-ledgerd [--config FILE]");
	return file;
}

/* Gives up everything but the ledger's directory. */
static void
lock_down(struct ledgerd *d, const char *dir)
{
	const char *const write_paths[] = {dir, NULL};
	struct sandbox box = {.process = "ledgerd", .write_paths = write_paths};
	struct err e;

	if (sandbox_enter(&box, d->level, sizeof(d->level), &e))
		fatal("%s", e.text);
}

/* What there is to say about the start itself. */
static void
record_start(struct ledgerd *d, const struct store_repair *repair)
{
	char text[200];

	ledger_say(d->ledger, EV_PROCESS_STARTED, d->level);
	if (repair->bytes) {
		snprintf(text, sizeof(text), "%" PRIu64 " bytes, now in %s",
		    repair->bytes, repair->file);
		if (repair->bytes > COMMIT_UNSYNCED_MAX)
			log_err("the audit log was damaged, by the disk or by "
				"somebody: a crash cannot leave so much: %s",
			    text);
		else
			log_warn("the end of the audit log was incomplete: %s",
			    text);
		ledger_say(d->ledger, EV_LEDGER_REPAIRED, text);
	}
	if (strstr(d->level, "landlock") == NULL)
		ledger_say(d->ledger, EV_SANDBOX_DEGRADED, d->level);
	(void)commit_now(ledger_commit(d->ledger));
}

int
main(int argc, char **argv)
{
	struct ledgerd d = {0};
	struct store_repair repair;
	struct store *store;
	struct conf *conf;
	struct err e;
	char dir[4096];
	int rc;

	log_init("orb-ledgerd", LOG_LV_INFO);
	if (conf_load(conf_argument(argc, argv), &conf, conf_report_log, NULL))
		fatal(
		    "the configuration has mistakes: see orbctl config check");
	snprintf(dir, sizeof(dir), "%s/ledgerd", conf->state_dir);
	notify_open();
	if ((d.loop = loop_new()) == NULL ||
	    loop_signals(d.loop, on_stop, NULL, &d))
		fatal("no memory");
	if (store_open(dir, STORE_SEGMENT, &store, &repair, &e) ||
	    journal_open(conf->ledger.journal, dir, &d.journal, &e))
		fatal("%s", e.text);
	if ((d.ledger = ledger_new(d.loop, store, d.journal, &e)) == NULL)
		fatal("%s", e.text);
	if (ledger_listen(d.ledger, conf, &e))
		fatal("%s", e.text);
	lock_down(&d, dir);
	record_start(&d, &repair);
	notify_ready(d.loop, "serving; %s", d.level);
	loop_timer(d.loop, STATUS_EVERY, 1, say_status, &d);
	loop_run(d.loop);
	if ((rc = ledger_stop(d.ledger)) != 0)
		log_err("stopped with records that could not be written; "
			"none of them was acknowledged as durable");
	ledger_free(d.ledger);
	journal_free(d.journal);
	store_close(store);
	conf_free(conf);
	loop_free(d.loop);
	return rc ? 1 : 0;
}
