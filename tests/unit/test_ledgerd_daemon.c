/* The program itself: what was acknowledged survives kill -9 at any time,
 * SIGTERM writes everything, restarts go on where it ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledgerd_process.h"
#include "lib/events.h"
#include "lib/log.h"

static struct process proc;
static struct loop *loop;

/* Text of each record sent is its number; acked says how many are promised. */
static struct {
	struct chan *chan;
	uint64_t sent, acked;
	int open, gone;
} w;

static struct {
	uint64_t records, mine, stops;
	int over;
} seen;

static int
setup(void **state)
{
	(void)state;
	log_init("test", LOG_LV_ERR);
	loop = loop_new();
	return process_make(&proc);
}

static int
teardown(void **state)
{
	(void)state;
	process_remove(&proc);
	loop_free(loop);
	return 0;
}

static void
writer_gone(struct chan *c, const char *why)
{
	(void)c;
	(void)why;
	w.chan = NULL;
	w.gone = 1;
}

/* arg is the number of the last record in the request. */
static int
on_done(struct chan *c, struct packet *pk, void *arg)
{
	(void)c;
	w.open--;
	if (pk && pk->type == MSG_DONE)
		w.acked = (uint64_t)(uintptr_t)arg;
	return 0;
}

static void
send_some(int n)
{
	struct msg_ledgerd_records m = {.durable = 1};
	struct wire_out out;
	char text[32];

	wire_out_init(&out, 1 << 20);
	for (int i = 0; i < n; i++) {
		snprintf(
		    text, sizeof(text), "n%llu", (unsigned long long)++w.sent);
		record_put(&out,
		    &(struct record){.event = EV_EDIT_INTENT,
			.upstream = UPSTREAM_TOPDESK,
			.text = text});
	}
	m.records = wire_list_of(&out, (uint32_t)n);
	w.open++;
	(void)ledgerd_records_send(w.chan,
	    chan_call(w.chan, 0, on_done, (void *)(uintptr_t)w.sent), 0, &m);
	wire_out_free(&out);
}

static int
on_row(struct chan *c, struct packet *pk, void *arg)
{
	struct msg_ctl_record m;
	char text[4097], want[48];

	(void)c;
	(void)arg;
	if (pk == NULL || pk->type != MSG_CTL_RECORD) {
		assert_true(pk && pk->type == MSG_DONE);
		seen.over = 1;
		return 0;
	}
	assert_int_equal(ctl_record_get(pk, &m), 0);
	assert_int_equal(m.index, seen.records++);
	memcpy(text, m.canonical.p, m.canonical.len);
	text[m.canonical.len] = '\0';
	if (strstr(text, "\"edit_intent\"")) {
		snprintf(want, sizeof(want), "\"text\":\"n%llu\"",
		    (unsigned long long)++seen.mine);
		assert_non_null(strstr(text, want));
		assert_non_null(strstr(text, "\"process\":\"mapd\""));
	}
	seen.stops += strstr(text, "\"process_stopped\"") != NULL;
	return 0;
}

static void
read_everything(void)
{
	struct chan *c =
	    process_connect(&proc, loop, ROLE_CTL, UPSTREAM_NONE, NULL, NULL);
	struct msg_ledgerd_tail m = {0, 0, 0};
	int64_t end = loop_now() + 10000;

	memset(&seen, 0, sizeof(seen));
	assert_non_null(c);
	assert_int_equal(
	    ledgerd_tail_send(c, chan_call(c, 0, on_row, NULL), 0, &m), 0);
	while (!seen.over && loop_now() < end)
		loop_turn(loop, 100);
	assert_true(seen.over);
	chan_free(c);
}

static void
connect_writer(void)
{
	w.open = w.gone = 0;
	w.chan = process_connect(
	    &proc, loop, ROLE_MAPD, UPSTREAM_NONE, writer_gone, NULL);
	assert_non_null(w.chan);
}

/* Numbers run on: after a crash, those that were sent and not kept are sent
 * again from the first that is missing. */
static void
killed_while_writing(void **state)
{
	unsigned seed = (unsigned)getpid();
	int64_t end;

	(void)state;
	printf("# seed %u\n", seed);
	srandom(seed);
	memset(&w, 0, sizeof(w));
	for (int round = 0; round < 12; round++) {
		assert_int_equal(process_start(&proc), 0);
		connect_writer();
		end = loop_now() + 20 + random() % 60;
		while (loop_now() < end) {
			while (w.open < 20)
				send_some(1 + (int)(random() % 60));
			loop_turn(loop, 5);
		}
		assert_true(WIFSIGNALED(process_end(&proc, SIGKILL)));
		while (!w.gone)
			loop_turn(loop, 100);
		assert_int_equal(process_start(&proc), 0);
		read_everything();
		assert_true(seen.mine >= w.acked);
		assert_true(seen.mine <= w.sent);
		w.sent = w.acked = seen.mine;
		process_end(&proc, SIGKILL);
	}
	assert_true(w.sent > 100);
}

static void
stops_in_order(void **state)
{
	char status[400];

	(void)state;
	memset(&w, 0, sizeof(w));
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(process_start(&proc), 0);
		connect_writer();
		send_some(5);
		while (w.open)
			loop_turn(loop, 100);
		assert_int_equal(process_end(&proc, SIGTERM), 0);
		chan_free(w.chan);
		w.chan = NULL;
		process_status(&proc, status, sizeof(status));
	}
	assert_int_equal(process_start(&proc), 0);
	read_everything();
	assert_int_equal(seen.mine, 15);
	assert_int_equal(seen.stops, 3);
	assert_int_equal(process_end(&proc, SIGTERM), 0);
}

/* Bytes that are no message: cut off, the rest of the world goes on. */
static void
noise(void **state)
{
	struct chan *c;

	(void)state;
	memset(&w, 0, sizeof(w));
	assert_int_equal(process_start(&proc), 0);
	connect_writer();
	c = process_connect(&proc, loop, ROLE_KEYD, UPSTREAM_NONE, NULL, NULL);
	assert_non_null(c);
	chan_begin(c, MSG_LEDGERD_RECORDS, 1, 0);
	assert_int_equal(chan_commit(c, NULL), 0); /* no payload */
	for (int i = 0; i < 20; i++)
		loop_turn(loop, 5);
	send_some(3);
	while (w.open)
		loop_turn(loop, 100);
	assert_int_equal(w.acked, 3);
	read_everything();
	assert_int_equal(seen.mine, 3);
	assert_true(seen.records >= 5); /* start, the violation, mine */
	chan_free(w.chan);              /* c went with its connection */
	assert_int_equal(process_end(&proc, SIGTERM), 0);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(killed_while_writing), T(stops_in_order), T(noise)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
