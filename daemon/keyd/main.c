/*
 * orb-keyd: holds the credentials of the upstreams and lends them out.
 *
 * main.c is the table of contents: arguments, configuration, what is opened,
 * lock-down, service.  README.privsep says what the process may do, keyd.h
 * where the rest stands.
 */
#include "config.h"

#include "keyd/kek.h"
#include "keyd/keyd.h"
#include "lib/edge.h"
#include "lib/events.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAP (256 * 1024) /* of secrets: keys, leases, the largest PEM twice */
#define STOP_MS 5000
#define CHECKPOINT_MS 2000 /* for ledgerd to ask for a last checkpoint */

static const char *
arguments(int argc, char **argv)
{
	static const struct option opts[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	const char *file = NULL;
	int o;

	while ((o = getopt_long(argc, argv, "c:hV", opts, NULL)) != -1)
		switch (o) {
		case 'c':
			file = optarg;
			break;
		case 'V':
			puts("orb-keyd " PACKAGE_VERSION);
			exit(0);
		case 'h':
			puts("usage: orb-keyd [--config FILE]");
			exit(0);
		default:
			exit(2);
		}
	if (optind != argc) {
		fputs("usage: orb-keyd [--config FILE]\n", stderr);
		exit(2);
	}
	return file;
}

/* OpenSSL as it will be needed after lock-down, when it can open no file. */
static void
crypto_open(struct keyd *k)
{
	uint8_t b[16];

	if (OPENSSL_init_crypto(
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		NULL) != 1 ||
	    RAND_bytes(b, sizeof(b)) != 1 || RAND_priv_bytes(b, sizeof(b)) != 1)
		fatal("OpenSSL cannot be started");
	if (secret_init(HEAP) == 0)
		return;
	if (!CRYPTO_secure_malloc_initialized())
		fatal("no secure heap of %d KiB can be made", HEAP / 1024);
	k->degraded = "memory of secrets NOT LOCKED";
	log_warn("the memory of secrets cannot be locked and might be swapped "
		 "out: raise LimitMEMLOCK= of orb-keyd.service to %d KiB",
	    HEAP / 1024 + 64);
}

/* The directory of credentials.  Its path is kept for the sandbox. */
static int
state_open(const struct conf *conf, char *path, size_t size)
{
	struct stat st;
	int fd;

	if (snprintf(path, size, "%s/keyd", conf->state_dir) >= (int)size)
		fatal("state_dir %s: too long", conf->state_dir);
	if (mkdir(path, 0700) && errno != EEXIST)
		fatal("make %s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st))
		fatal("open %s: %s", path, strerror(errno));
	if (st.st_uid != geteuid() || st.st_mode & 077)
		fatal("%s must belong to keyd's user with mode 0700; it "
		      "belongs to uid %u with mode %04o",
		    path, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
	return fd;
}

/*
 * systemd starts keyd again at once: what must not be asked again so soon is
 * waited for here, with the reason in the status.  A stop ends the wait.
 */
_Noreturn static void
give_up(int pause, const struct err *e)
{
	const struct timespec wait = {.tv_sec = pause};

	log_err("%s", e->text);
	notify_status("%s; next attempt in %d s", e->text, pause);
	(void)nanosleep(&wait, NULL); /* a signal's handler ends it */
	exit(1);
}

static void
vault_start(struct keyd *k, int dirfd)
{
	const struct kek_source *source;
	struct secret kek = {NULL, 0};
	struct kek_want want = {
	    .spec = k->conf->keyd.kek,
	    .tpm_pcrs = k->conf->keyd.tpm_pcrs,
	    .dirfd = dirfd,
	    .may_create = vault_is_empty(dirfd),
	};
	struct err e;

	if (kek_open(&want, &source, &kek, &e)) {
		if (source && source->pause)
			give_up(source->pause, &e);
		fatal("%s", e.text);
	}
	if (vault_open(dirfd, &kek, &k->vault, &e))
		fatal("%s", e.text);
	k->kek = source->describe();
}

static void
ledger_connect(struct keyd *k)
{
	struct err e;
	int fd =
	    edge_connect(k->conf, ROLE_LEDGERD, ROLE_KEYD, UPSTREAM_NONE, &e);

	if (fd < 0)
		fatal("%s", e.text);
	k->ledger = chan_new(k->loop, fd, ROLE_KEYD, ROLE_LEDGERD,
	    keyd_ledger_permits, keyd_on_ledger_closed, k);
	if (k->ledger == NULL)
		fatal("no memory");
}

static void
listen_all(struct keyd *k)
{
	static const struct {
		enum role connector;
		enum upstream upstream;
		const struct permit *permits;
		int (*on_open)(struct chan *, uid_t, pid_t);
	} door[] = {
	    {ROLE_HTTP, UPSTREAM_EXCHANGE, keyd_http_permits, keyd_on_open},
	    {ROLE_HTTP, UPSTREAM_TOPDESK, keyd_http_permits, keyd_on_open},
	    {ROLE_MAPD, UPSTREAM_NONE, keyd_mapd_permits, keyd_on_open},
	    {ROLE_CTL, UPSTREAM_NONE, keyd_ctl_permits, keyd_on_ctl_open},
	};
	struct err e;

	for (size_t i = 0; i < sizeof(door) / sizeof(door[0]); i++)
		if (edge_listen(k->loop, k->conf, ROLE_KEYD, door[i].connector,
			door[i].upstream, door[i].permits, door[i].on_open,
			keyd_on_closed, &k->entrance[door[i].upstream],
			&e) == NULL)
			fatal("%s", e.text);
}

static void
lock_down(const char *state)
{
	const char *const write_paths[] = {state, NULL};
	struct sandbox s = {.process = "keyd", .write_paths = write_paths};
	char level[120];
	struct err e;

	if (sandbox_enter(&s, level, sizeof(level), &e))
		fatal("%s", e.text);
	log_info("locked down: %s", level);
}

static void
note(struct keyd *k, enum event ev, const char *text)
{
	keyd_note(k, &(struct record){.event = (uint16_t)ev, .text = text});
}

static void
on_late(void *arg)
{
	struct keyd *k = arg;

	loop_stop(k->loop);
}

/* ledgerd asks for a last checkpoint when it has the record of the stop. */
static void
on_stop(void *arg)
{
	struct keyd *k = arg;

	notify_stopping("signing the last checkpoint");
	k->stopping = 1;
	note(k, EV_PROCESS_STOPPED, "keyd");
	if (k->ledger == NULL ||
	    loop_timer(k->loop, CHECKPOINT_MS, 0, on_late, k) == 0)
		loop_stop(k->loop);
}

/* What waits for ledgerd is answered by keyd_free(). */
static void
stop(struct keyd *k)
{
	if (k->ledger)
		(void)chan_flush(k->ledger, STOP_MS);
	else
		notify_stopping("ledgerd is gone");
	keyd_free(k);
}

int
main(int argc, char **argv)
{
	const char *file = arguments(argc, argv);
	struct keyd k = {.degraded = ""};
	struct conf *conf;
	char state[400];
	int dirfd;

	log_init("orb-keyd", LOG_LV_INFO);
	umask(077);
	if (conf_load(file, &conf, conf_report_log, NULL))
		return 1;
	k.conf = conf;
	if ((k.loop = loop_new()) == NULL ||
	    loop_signals(k.loop, on_stop, NULL, &k))
		fatal("no event loop: %s", strerror(errno));
	notify_open();
	crypto_open(&k);
	dirfd = state_open(conf, state, sizeof(state));
	vault_start(&k, dirfd);
	keyd_init(&k);
	ledger_connect(&k);
	listen_all(&k);

	lock_down(state);
	note(&k, EV_PROCESS_STARTED, "keyd");
	if (k.degraded[0])
		note(&k, EV_SANDBOX_DEGRADED, k.degraded);
	keyd_status_text(&k, time(NULL), state, sizeof(state));
	notify_ready(k.loop, "%s", state);
	log_notice("%s", state);
	loop_run(k.loop);

	stop(&k);
	loop_free(k.loop);
	conf_free(conf);
	close(dirfd);
	return 0;
}
