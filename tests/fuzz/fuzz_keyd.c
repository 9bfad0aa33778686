/*
 * fuzz_keyd.c: keyd as receiver: what http, mapd and orbctl may send it, and
 * what a file of the vault, or the one of the key that a TPM seals, may hold.
 *
 * Input: a byte that chooses (0..3: an edge, 4: the vault), then packets, each
 * with two bytes of length in front; or a file.  Replies are thrown away by the
 * other end; ledgerd confirms at once, so that the code behind a record runs.
 * Credentials change nothing on disk but in a directory of its own.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keyd/kek.h"
#include "keyd/seal.h"
#include "keyd/tpm.h"
#include "lib/log.h"
#include "tests/unit/keyd_bench.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct bench bench;
static struct secret kek;

static void
clean(void)
{
	bench_close(&bench);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz", LOG_LV_ERR - 1);
	(void)secret_init(256 * 1024);
	if (bench_open(&bench) || secret_alloc(&kek, 32))
		abort();
	/* No limit on leases, or the code behind it would never be reached. */
	bench.conf.keyd.leases_per_hour = 1000000000;
	for (int u = 0; u < UPSTREAM_COUNT; u++)
		limit_init(&bench.k.limit[u], 1000000000, loop_now());
	atexit(clean);
	return 0;
}

static void
feed(const uint8_t *p, size_t n, enum role role, enum upstream up)
{
	struct bench_answer a;
	struct chan *client = bench_connect(&bench, role, up, 0, &a);
	uint8_t packet[CHAN_PACKET];
	struct peer *peer = bench.k.peers;
	struct chan *server = peer->chan;
	size_t len;

	while (n >= 2 && peer == bench.k.peers) {
		len = (size_t)(p[0] << 8 | p[1]);
		p += 2;
		n -= 2;
		if (len > n)
			len = n;
		if (len > sizeof(packet))
			break;
		memcpy(packet, p, len);
		if (chan_feed(server, packet, len, -1))
			break;
		p += len;
		n -= len;
		/* ledgerd's turn, and keyd's with its answer. */
		for (int i = 0; i < 3; i++)
			loop_turn(bench.k.loop, 0);
		bench.nrecords = 0;
	}
	if (!a.closed)
		chan_free(client);
	for (int i = 0; i < 3; i++)
		loop_turn(bench.k.loop, 0);
	if (bench.k.peers)
		abort(); /* a connection that nobody closes */
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct secret value = {NULL, 0};
	struct seal_header h;
	struct tpm_blob blob;
	struct err e;

	if (n < 1)
		return -1;
	switch (p[0] % 5) {
	case 0:
		feed(p + 1, n - 1, ROLE_HTTP, UPSTREAM_EXCHANGE);
		break;
	case 1:
		feed(p + 1, n - 1, ROLE_HTTP, UPSTREAM_TOPDESK);
		break;
	case 2:
		feed(p + 1, n - 1, ROLE_MAPD, UPSTREAM_NONE);
		break;
	case 3:
		feed(p + 1, n - 1, ROLE_CTL, UPSTREAM_NONE);
		break;
	default:
		(void)kek_tpm_decode(p + 1, n - 1, &blob, &e);
		if (seal_open(&kek, &slot_table[SLOT_TOPDESK_PASSWORD], p + 1,
			n - 1, &h, &value, &e) == 0)
			secret_free(&value);
	}
	return 0;
}
