/*
 * bench_ledgerd: how many records orb-ledgerd takes, as the program it is, with
 * its sandbox and a real fdatasync.  One JSON line a shape of load.
 *
 * usage: bench_ledgerd [records]      (ORB_BUILD, TMPDIR: where)
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/events.h"
#include "lib/log.h"
#include "tests/unit/ledgerd_process.h"

static struct {
	struct chan *chan;
	struct loop *loop;
	uint64_t sent, done, total;
	int batch, window, open, durable;
} b;

static int
on_done(struct chan *c, struct packet *pk, void *arg)
{
	(void)c;
	b.open--;
	if (pk)
		b.done += (uint64_t)(uintptr_t)arg;
	return 0;
}

static void
send_batch(void)
{
	static uint8_t hash[32];
	struct msg_ledgerd_records m = {.durable = (uint8_t)b.durable};
	struct record r = {.event = EV_CREATE_DONE,
	    .upstream = UPSTREAM_TOPDESK,
	    .status = 201,
	    .booking = {hash, 32},
	    .room = "Room 4.12",
	    .remote_id = "5f3759df-0000-4000-8000-000000000001",
	    .request_id = "5f3759df-0000-4000-8000-000000000002",
	    .before = {hash, 32},
	    .after = {hash, 32},
	    .text = "POST /reservations 201"};
	struct wire_out w;

	wire_out_init(&w, 1 << 20);
	for (int i = 0; i < b.batch; i++)
		record_put(&w, &r);
	m.records = wire_list_of(&w, (uint32_t)b.batch);
	ledgerd_records_send(b.chan,
	    chan_call(b.chan, 0, on_done, (void *)(uintptr_t)b.batch), 0, &m);
	wire_out_free(&w);
	b.open++;
	b.sent += (uint64_t)b.batch;
}

/* Of /proc/PID/status, in KiB. */
static long
memory(pid_t pid, const char *name)
{
	char path[64], line[200];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = atol(line + strlen(name) + 1);
	fclose(f);
	return kib;
}

static double
cpu_seconds(pid_t pid)
{
	char path[64];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return (double)ns / 1e9;
}

static int
run(int batch, int window, int durable, uint64_t total)
{
	struct process p;
	char status[400];
	double t, cpu;

	memset(&b, 0, sizeof(b));
	b.batch = batch;
	b.window = window;
	b.durable = durable;
	b.total = total;
	if (process_make(&p) || process_start(&p))
		return 1;
	b.loop = loop_new();
	b.chan =
	    process_connect(&p, b.loop, ROLE_MAPD, UPSTREAM_NONE, NULL, NULL);
	if (b.chan == NULL)
		return 1;
	cpu = cpu_seconds(p.pid);
	t = (double)loop_now();
	while (b.done < total) {
		while (b.open < window && b.sent < total)
			send_batch();
		loop_turn(b.loop, 1000);
	}
	t = ((double)loop_now() - t) / 1000;
	cpu = cpu_seconds(p.pid) - cpu;
	while (*process_status(&p, status, sizeof(status)) == '\0')
		usleep(100000);
	printf("{\"batch\":%d,\"window\":%d,\"durable\":%d,\"records\":%" PRIu64
	       ",\"seconds\":%.2f,\"records_per_second\":%.0f,"
	       "\"cpu_us_per_record\":%.1f,\"rss_kib\":%ld,\"peak_kib\":%ld,"
	       "\"private_kib\":%ld,\"status\":\"%.60s\"}\n",
	    batch, window, durable, b.done, t, (double)b.done / t,
	    cpu * 1e6 / (double)b.done, memory(p.pid, "VmRSS"),
	    memory(p.pid, "VmHWM"), memory(p.pid, "RssAnon"), status);
	fflush(stdout);
	chan_free(b.chan);
	loop_free(b.loop);
	process_end(&p, SIGTERM);
	process_remove(&p);
	return 0;
}

int
main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;

	log_init("bench", LOG_LV_ERR);
	return run(1, 1, 1, n / 50) || run(1, 200, 1, n) || run(50, 8, 1, n) ||
	    run(256, 8, 1, n) || run(1, 200, 0, n);
}
