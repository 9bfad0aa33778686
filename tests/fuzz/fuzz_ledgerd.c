/*
 * fuzz_ledgerd: what ledgerd does with packets of a hostile sender or reader.
 * Input: any number of { edge u8, length u16 big endian, packet }.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ledgerd/serve.h"
#include "lib/log.h"
#include "tests/unit/scratch.h"
#include "tests/fuzz/feed_copy.h"

#define FRESH 2000 /* inputs after which the log begins anew */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct {
	enum role role;
	enum upstream upstream;
} edges[5] = {{ROLE_HTTP, UPSTREAM_EXCHANGE}, {ROLE_HTTP, UPSTREAM_TOPDESK},
    {ROLE_KEYD, UPSTREAM_NONE}, {ROLE_MAPD, UPSTREAM_NONE},
    {ROLE_CTL, UPSTREAM_NONE}};

static char dir[SCRATCH_MAX];
static struct store *store;
static struct journal *journal;

static void
clean_up(void)
{
	if (dir[0] && scratch_remove(dir))
		perror(dir);
}

static void
begin_log(void)
{
	struct store_repair repair;
	char where[120];
	struct err e;

	if (store) {
		journal_free(journal);
		store_close(store);
		clean_up();
	} else {
		log_init("fuzz", 0);
		atexit(clean_up);
	}
	/* Not on a disk: every input ends with a sync. */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	if (scratch_make(dir))
		abort();
	snprintf(where, sizeof(where), "file:%s/journal", dir);
	if (store_open(dir, 256, &store, &repair, &e) ||
	    journal_open(where, dir, &journal, &e))
		abort();
}

/* Every record that is acknowledged can be read back and is canonical. */
static void
check_log(uint64_t from)
{
	struct store_reader *r = store_reader_open(store, from);
	const uint8_t *p;
	uint64_t index;
	struct err e;
	size_t n;
	int rc;

	while ((rc = store_reader_next(r, &p, &n, &index, &e)) > 0)
		if (rc == 1 && record_check(p, n, index))
			abort();
	if (rc < 0)
		abort();
	store_reader_free(r);
}

static void
feed(struct chan **chan, const uint8_t *p, size_t n)
{
	size_t len;
	unsigned i;

	while (n >= 3) {
		i = p[0] % 5;
		len = (size_t)p[1] << 8 | p[2];
		p += 3;
		n -= 3;
		if (len > n)
			len = n;
		if (chan[i] && feed_copy(chan[i], p, len))
			chan[i] = NULL; /* chan.c would close it */
		p += len;
		n -= len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static unsigned inputs;
	struct loop *loop = loop_new();
	struct ledger *l;
	struct err e;
	struct chan *chan[5];
	uint64_t from;
	int sv[2];

	if (inputs++ % FRESH == 0)
		begin_log();
	from = store_next(store);
	l = ledger_new(loop, store, journal, &e);
	if (l == NULL)
		abort();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv))
		abort();
	for (int i = 0; i < 5; i++)
		chan[i] = ledger_connect(l, i == 4 ? sv[0] : -1, edges[i].role,
		    edges[i].upstream, 1, 2);
	feed(chan, p, n);
	for (int i = 0; i < 3; i++)
		loop_turn(loop, 0);
	if (ledger_stop(l) || store_next(store) != store_durable(store))
		abort();
	check_log(from);
	ledger_free(l);
	close(sv[1]);
	loop_free(loop);
	return 0;
}
