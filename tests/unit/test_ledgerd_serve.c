/* ledgerd's edges over real sockets: group commit, who may say what, the disk
 * that refuses, reading back, the readable copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ledgerd/serve.h"
#include "ledgerd/tail.h"
#include "lib/log.h"
#include "scratch.h"

/* A sender or reader, and what it has been told. */
struct client {
	struct chan *chan, *served;
	int done, closed, errors;
	uint64_t value, records, last;
	char text[RECORD_MAX + 1];
};

static struct fixture {
	char dir[SCRATCH_MAX], journal[256];
	struct loop *loop;
	struct store *store;
	struct journal *copy;
	struct ledger *ledger;
} f;

static void
bring_up(const char *journal)
{
	struct store_repair repair;
	struct err e;

	assert_non_null(f.loop = loop_new());
	if (store_open(f.dir, STORE_SEGMENT, &f.store, &repair, &e) ||
	    journal_open(journal, f.dir, &f.copy, &e))
		fail_msg("%s", e.text);
	f.ledger = ledger_new(f.loop, f.store, f.copy, &e);
	assert_non_null(f.ledger);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	if (scratch_make(f.dir))
		return -1;
	snprintf(f.journal, sizeof(f.journal), "file:%s/journal.jsonl", f.dir);
	bring_up(f.journal);
	return 0;
}

static void
take_down(void)
{
	ledger_free(f.ledger);
	journal_free(f.copy);
	store_close(f.store);
	loop_free(f.loop);
}

static int
teardown(void **state)
{
	(void)state;
	take_down();
	return scratch_remove(f.dir);
}

static void
client_closed(struct chan *c, const char *why)
{
	struct client *cl = chan_ctx(c);

	(void)why;
	cl->closed = 1;
	cl->chan = NULL;
}

static void
client_open(struct client *cl, enum role role, enum upstream u)
{
	int sv[2];

	memset(cl, 0, sizeof(*cl));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	assert_non_null(
	    cl->served = ledger_connect(f.ledger, sv[0], role, u, 77, 88));
	assert_non_null(cl->chan = chan_new(f.loop, sv[1], role, ROLE_LEDGERD,
			    NULL, client_closed, cl));
}

static int
on_answer(struct chan *c, struct packet *pk, void *arg)
{
	struct client *cl = arg;
	struct msg_ctl_record rec;
	struct msg_done done;

	(void)c;
	if (pk == NULL)
		return 0;
	if (pk->type == MSG_DONE && done_get(pk, &done) == 0) {
		cl->done++;
		cl->value = done.value;
	} else if (pk->type == MSG_CTL_RECORD &&
	    ctl_record_get(pk, &rec) == 0) {
		cl->records++;
		cl->last = rec.index;
		memcpy(cl->text, rec.canonical.p, rec.canonical.len);
		cl->text[rec.canonical.len] = '\0';
	} else if (pk->type == MSG_ERROR)
		cl->errors++;
	return 0;
}

static void
send_records(struct client *cl, int durable, int n, const struct record *r)
{
	struct msg_ledgerd_records m = {.durable = (uint8_t)durable};
	struct wire_out w;

	wire_out_init(&w, 1 << 20);
	for (int i = 0; i < n; i++)
		record_put(&w, r);
	m.records = wire_list_of(&w, (uint32_t)n);
	assert_int_equal(ledgerd_records_send(cl->chan,
			     chan_call(cl->chan, 0, on_answer, cl), 0, &m),
	    0);
	wire_out_free(&w);
}

static void
ask_tail(struct client *cl, uint64_t from, uint32_t count, int follow)
{
	struct msg_ledgerd_tail m = {from, count, (uint8_t)follow};

	assert_int_equal(ledgerd_tail_send(cl->chan,
			     chan_call(cl->chan, 0, on_answer, cl), 0, &m),
	    0);
}

static void
turns(int n)
{
	while (n-- > 0)
		loop_turn(f.loop, 1);
}

static void
until(const int *what, int value)
{
	int64_t end = loop_now() + 5000;

	while (*what != value && loop_now() < end)
		loop_turn(f.loop, 50);
	assert_int_equal(*what, value);
}

static const struct record intent = {
    .event = EV_CREATE_INTENT, .upstream = UPSTREAM_TOPDESK, .room = "Mercury"};

/* All that comes in one turn is one group: one sync. */
static void
group_is_one_sync(void **state)
{
	struct client mapd, http;

	(void)state;
	client_open(&mapd, ROLE_MAPD, UPSTREAM_NONE);
	client_open(&http, ROLE_HTTP, UPSTREAM_TOPDESK);
	for (int i = 0; i < 10; i++) {
		send_records(&mapd, 1, 3, &intent);
		send_records(&http, 1, 2, &intent);
	}
	until(&mapd.done, 10);
	until(&http.done, 10);
	assert_int_equal(commit_figures(ledger_commit(f.ledger)).records, 50);
	assert_int_equal(commit_figures(ledger_commit(f.ledger)).syncs, 1);
	/* mapd's ten requests were read first: its last begins at 27 */
	assert_int_equal(mapd.value, 27);
	assert_int_equal(http.value, 48);
	chan_free(mapd.chan);
	chan_free(http.chan);
}

/* A packet beyond 16 KiB comes in a memfd. */
static void
large_group(void **state)
{
	struct client mapd;

	(void)state;
	client_open(&mapd, ROLE_MAPD, UPSTREAM_NONE);
	for (int i = 0; i < 8; i++)
		send_records(&mapd, 1, 256, &intent);
	until(&mapd.done, 8);
	assert_int_equal(store_durable(f.store), 8 * 256);
	chan_free(mapd.chan);
}

static void
not_durable(void **state)
{
	struct client http;

	(void)state;
	client_open(&http, ROLE_HTTP, UPSTREAM_EXCHANGE);
	send_records(&http, 0, 1,
	    &(struct record){.event = EV_REQUEST,
		.upstream = UPSTREAM_EXCHANGE,
		.text = "GET /rooms"});
	until(&http.done, 1);
	assert_int_equal(store_durable(f.store), 0);
	for (int64_t end = loop_now() + 3000;
	     store_durable(f.store) == 0 && loop_now() < end;)
		loop_turn(f.loop, 100);
	assert_int_equal(store_durable(f.store), 1);
	chan_free(http.chan);
}

/* A message that breaks a rule: nothing of it is written, the connection ends,
 * and that is a record. */
static void
refused(const struct record *r, enum role role, enum upstream u)
{
	uint64_t before = store_next(f.store);
	struct client cl, ctl;

	client_open(&cl, role, u);
	send_records(&cl, 1, 2, r);
	until(&cl.closed, 1);
	assert_int_equal(store_next(f.store), before + 1);
	assert_int_equal(commit_now(ledger_commit(f.ledger)), 0);
	client_open(&ctl, ROLE_CTL, UPSTREAM_NONE);
	ask_tail(&ctl, TAIL_LAST, 1, 0);
	until(&ctl.done, 1);
	assert_non_null(strstr(ctl.text, "\"event\":\"protocol_violation\""));
	assert_non_null(strstr(ctl.text, "(uid 77, pid 88)"));
	chan_free(ctl.chan);
}

static void
who_may_say_what(void **state)
{
	uint8_t h[31] = {0};

	(void)state;
	refused(&(struct record){.event = 9999}, ROLE_MAPD, UPSTREAM_NONE);
	refused(&intent, ROLE_HTTP, UPSTREAM_EXCHANGE);
	refused(&(struct record){.event = EV_REQUEST, .booking = {h, 31}},
	    ROLE_KEYD, UPSTREAM_NONE);
}

static void
reader_cannot_write(void **state)
{
	struct client ctl;
	struct msg_ledgerd_tail m = {0, 0, 0};

	(void)state;
	/* chan.c does not even send what messages.def forbids; a writer's edge
	 * has no LEDGERD_TAIL and the reader's no LEDGERD_RECORDS. */
	client_open(&ctl, ROLE_CTL, UPSTREAM_NONE);
	assert_int_equal(ledgerd_records_send(ctl.chan,
			     chan_call(ctl.chan, 0, on_answer, &ctl), 0,
			     &(struct msg_ledgerd_records){0}),
	    -1);
	chan_free(ctl.chan);
	client_open(&ctl, ROLE_MAPD, UPSTREAM_NONE);
	assert_int_equal(ledgerd_tail_send(ctl.chan,
			     chan_call(ctl.chan, 0, on_answer, &ctl), 0, &m),
	    -1);
	chan_free(ctl.chan);
}

/* Nobody is answered while the disk refuses; all are when it works again. */
static void
disk_full(void **state)
{
	struct rlimit old, small;
	struct client mapd, keyd;
	struct stat st;
	char path[300];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	client_open(&mapd, ROLE_MAPD, UPSTREAM_NONE);
	client_open(&keyd, ROLE_KEYD, UPSTREAM_NONE);
	send_records(&mapd, 1, 4, &intent);
	until(&mapd.done, 1);
	snprintf(path, sizeof(path), "%s/log/000000", f.dir);
	assert_int_equal(stat(path, &st), 0);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = (rlim_t)st.st_size + 10;
	setrlimit(RLIMIT_FSIZE, &small);
	send_records(&mapd, 1, 4, &intent);
	turns(10);
	send_records(&keyd, 1, 1, &(struct record){.event = EV_LEASE_GRANTED});
	send_records(&mapd, 0, 1, &intent);
	turns(20);
	assert_int_equal(mapd.done, 1);
	assert_int_equal(keyd.done, 0);
	assert_true(commit_figures(ledger_commit(f.ledger)).failing);
	assert_int_equal(commit_figures(ledger_commit(f.ledger)).waiting, 4);
	/* one of them goes away while it waits */
	chan_free(keyd.chan);
	for (int i = 0; i < 12; i++)
		loop_turn(f.loop, 100);
	setrlimit(RLIMIT_FSIZE, &old);
	until(&mapd.done, 3);
	assert_false(commit_figures(ledger_commit(f.ledger)).failing);
	turns(5);
	(void)commit_now(ledger_commit(f.ledger));
	assert_int_equal(store_durable(f.store), 10);
	chan_free(mapd.chan);
}

static void
reads_back(void **state)
{
	struct client mapd, ctl;

	(void)state;
	client_open(&mapd, ROLE_MAPD, UPSTREAM_NONE);
	client_open(&ctl, ROLE_CTL, UPSTREAM_NONE);
	ask_tail(&ctl, TAIL_LAST, 10, 0);
	until(&ctl.done, 1);
	assert_int_equal(ctl.records, 0);
	for (int i = 0; i < 20; i++)
		send_records(&mapd, 1, 250, &intent);
	until(&mapd.done, 20);
	ask_tail(&ctl, TAIL_LAST, 10, 0);
	until(&ctl.done, 2);
	assert_int_equal(ctl.records, 10);
	assert_int_equal(ctl.value, 10);
	assert_int_equal(ctl.last, 4999);
	ctl.records = 0;
	ask_tail(&ctl, 0, 0, 0);
	until(&ctl.done, 3);
	assert_int_equal(ctl.records, 5000);
	ctl.records = 0;
	ask_tail(&ctl, 4321, 3, 0);
	until(&ctl.done, 4);
	assert_int_equal(ctl.last, 4323);
	ctl.records = 0;
	ask_tail(&ctl, 1u << 30, 3, 0);
	until(&ctl.done, 5);
	assert_int_equal(ctl.records, 0);
	chan_free(mapd.chan);
	chan_free(ctl.chan);
}

/* A reader that does not read slows nobody down and gets everything later. */
static void
follows(void **state)
{
	struct client mapd, ctl;

	(void)state;
	client_open(&mapd, ROLE_MAPD, UPSTREAM_NONE);
	client_open(&ctl, ROLE_CTL, UPSTREAM_NONE);
	send_records(&mapd, 1, 5, &intent);
	until(&mapd.done, 1);
	ask_tail(&ctl, TAIL_LAST, 2, 1);
	turns(20);
	assert_int_equal(ctl.records, 2);
	chan_pause(ctl.chan, 1);
	for (int i = 0; i < 40; i++)
		send_records(&mapd, 1, 250, &intent);
	until(&mapd.done, 41);
	assert_int_equal(ctl.records, 2);
	/* a second stream on the same connection is refused */
	ask_tail(&ctl, 0, 0, 0);
	chan_pause(ctl.chan, 0);
	for (int i = 0; i < 1000 && ctl.records < 10002; i++)
		loop_turn(f.loop, 10);
	assert_int_equal(ctl.records, 10002);
	assert_int_equal(ctl.errors, 1);
	assert_int_equal(ctl.done, 0);
	chan_free(ctl.chan);
	turns(5);
	send_records(&mapd, 1, 1, &intent);
	until(&mapd.done, 42);
	chan_free(mapd.chan);
}

/* However many people look, a daemon finds room. */
static void
readers_are_limited(void **state)
{
	struct client ctl[9], mapd;
	int sv[2];

	(void)state;
	for (int i = 0; i < 8; i++)
		client_open(&ctl[i], ROLE_CTL, UPSTREAM_NONE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_null(
	    ledger_connect(f.ledger, sv[0], ROLE_CTL, UPSTREAM_NONE, 1, 2));
	close(sv[1]);
	client_open(&mapd, ROLE_MAPD, UPSTREAM_NONE);
	send_records(&mapd, 1, 1, &intent);
	until(&mapd.done, 1);
	for (int i = 0; i < 8; i++)
		chan_free(ctl[i].chan);
	turns(3);
	client_open(&ctl[8], ROLE_CTL, UPSTREAM_NONE);
	chan_free(ctl[8].chan);
	chan_free(mapd.chan);
}

static void
slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, size - 1);

	assert_true(n >= 0);
	buf[n] = '\0';
	close(fd);
}

static void
copy_in_a_file(void **state)
{
	struct client keyd;
	char buf[2048];

	(void)state;
	client_open(&keyd, ROLE_KEYD, UPSTREAM_NONE);
	send_records(&keyd, 1, 1,
	    &(struct record){.event = EV_LEASE_GRANTED,
		.upstream = UPSTREAM_TOPDESK,
		.lease = 7,
		.text = "say \"x\""});
	until(&keyd.done, 1);
	slurp(f.journal + 5, buf, sizeof(buf));
	assert_memory_equal(buf, "{\"__REALTIME_TIMESTAMP\":\"", 25);
	assert_string_equal(strstr(buf, ",\"MESSAGE\""),
	    ",\"MESSAGE\":\"Credential lease 7 for topdesk: say \\\"x\\\"\","
	    "\"MESSAGE_ID\":\"334a30d39c85412ab44dbdfbc98aca59\","
	    "\"PRIORITY\":\"6\",\"SYSLOG_IDENTIFIER\":\"orb\","
	    "\"ORB_EVENT\":\"lease_granted\",\"ORB_INDEX\":\"0\","
	    "\"ORB_PROCESS\":\"keyd\",\"ORB_UPSTREAM\":\"topdesk\","
	    "\"ORB_LEASE\":\"7\",\"ORB_TEXT\":\"say \\\"x\\\"\"}\n");
	chan_free(keyd.chan);
}

/* As journald sees it; and it is not waited for when its queue is full. */
static void
copy_to_journald(void **state)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct client mapd;
	char where[256], buf[8192];
	uint64_t sent = 1;
	ssize_t n;
	int s;

	(void)state;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/j", f.dir);
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sa, sizeof(sa)), 0);
	take_down();
	snprintf(where, sizeof(where), "socket:%s", sa.sun_path);
	bring_up(where);
	client_open(&mapd, ROLE_MAPD, UPSTREAM_NONE);
	send_records(&mapd, 1, 1, &intent);
	until(&mapd.done, 1);
	n = recv(s, buf, sizeof(buf), 0);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf,
	    "MESSAGE=Reservation for - in Mercury is about to be made\n"
	    "MESSAGE_ID=996fa1ee843c4aeea4cd9214f3b76a9d\nPRIORITY=6\n"
	    "SYSLOG_IDENTIFIER=orb\nORB_EVENT=create_intent\nORB_INDEX=0\n"
	    "ORB_PROCESS=mapd\nORB_UPSTREAM=topdesk\nORB_ROOM=Mercury\n");
	for (int i = 0; i < 20; i++)
		send_records(&mapd, 1, 100, &intent);
	until(&mapd.done, 21);
	while (recv(s, buf, sizeof(buf), 0) > 0)
		sent++;
	assert_true(journal_dropped(f.copy) > 0);
	assert_int_equal(sent + journal_dropped(f.copy), 2001);
	close(s);
	chan_free(mapd.chan);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {T(group_is_one_sync), T(large_group),
	    T(not_durable), T(who_may_say_what), T(reader_cannot_write),
	    T(disk_full), T(reads_back), T(follows), T(readers_are_limited),
	    T(copy_in_a_file), T(copy_to_journald)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
