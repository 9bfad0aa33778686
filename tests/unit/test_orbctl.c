/* orbctl against daemons that this test plays: what it prints as text and as
 * JSON, its exit status, and what it says when nobody is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/log.h"
#include "orbctl_run.h"
#include "scratch.h"

#define T0 INT64_C(1795420800) /* 2026-11-23 08:00 UTC */

static struct {
	char dir[SCRATCH_MAX], conf[128];
	struct loop *loop;
	int listening[2];
	struct msg_ctl_status status;
	int rooms;          /* rows of CTL_ROOM */
	int nothing;        /* no rows in plan, problems, conflicts */
	int silent;         /* closes instead of answering */
	const char *refuse; /* ERROR instead of DONE */
	uint64_t from;      /* of the last LEDGERD_TAIL */
	uint32_t count;
} f;

static struct orbctl_result r;

#define RUN(...)    \
	orbctl_run( \
	    f.loop, f.conf, 0, (const char *const[]){__VA_ARGS__, NULL}, &r)

/* --- the daemons -------------------------------------------------------------- */

static int
done(struct chan *c, const struct packet *pk, uint64_t value)
{
	struct msg_error e = {1, f.refuse};
	struct msg_done d = {value};

	if (f.refuse)
		return error_send(c, pk->id, CHAN_END, &e);
	return done_send(c, pk->id, CHAN_END, &d);
}

static int
on_status(struct chan *c, struct packet *pk)
{
	struct msg_ctl_room m = {.exchange_at = T0 - 60,
	    .topdesk_at = T0 - 30,
	    .bookings = 12,
	    .location = "11111111-0000-4000-8000-000000000001"};
	char name[64], mailbox[80];

	if (f.silent)
		return -1;
	ctl_status_send(c, pk->id, 0, &f.status);
	for (int i = 0; i < f.rooms; i++) {
		snprintf(name, sizeof(name), "Z\xc3\xbcrich %d", i + 1);
		snprintf(mailbox, sizeof(mailbox), "room%d@example.com", i + 1);
		m.name = name;
		m.mailbox = mailbox;
		m.pending = (uint32_t)i;
		m.problems = i == 1;
		m.text = i == 1 ? "cannot be read \xc2\x9b" : "";
		ctl_room_send(c, pk->id, 0, &m);
	}
	return done(c, pk, 0);
}

static int
on_plan(struct chan *c, struct packet *pk)
{
	static const struct msg_ctl_action a = {
	    "create", "Mercury", "orb1:abcdef", T0, T0 + 3600, "", "journaled"};
	static const struct msg_ctl_action b = {"cancel", "Venus",
	    "orb1:ghijkl", T0 + 86400, T0 + 90000, "R-2026-17",
	    "held: orbctl approve"};

	if (!f.nothing) {
		ctl_action_send(c, pk->id, 0, &a);
		ctl_action_send(c, pk->id, 0, &b);
	}
	return done(c, pk, 2);
}

static int
on_sync(struct chan *c, struct packet *pk)
{
	struct msg_ctl_progress m = {1, 3, "reading both sides"};

	ctl_progress_send(c, pk->id, 0, &m);
	m.done = 3;
	ctl_progress_send(c, pk->id, 0, &m);
	return done(c, pk, 7);
}

static int
on_problems(struct chan *c, struct packet *pk)
{
	static const struct msg_ctl_problem p = {"Mercury", "orb1:abcdef", T0,
	    T0 + 600, 3, "refused: the location is archived"};

	if (!f.nothing)
		ctl_problem_send(c, pk->id, 0, &p);
	return done(c, pk, 1);
}

static int
on_conflicts(struct chan *c, struct packet *pk)
{
	static const struct msg_ctl_conflict rows[] = {
	    {"Mercury", "orb1:abcdef", T0, T0 + 3600, T0 + 7200, "R-2026-17",
		"R-2026-11", "first-wins", "exchange", 0, "taken"},
	    {"Venus", "orb1:abghij", T0, T0 + 86400, T0 + 90000, "", "",
		"first-wins", "topdesk", 0, "taken \xc2\x9b"},
	    {"Mars", "orb1:zz", T0 - 86400, T0, T0 + 60, "R-2026-9", "R-2026-8",
		"topdesk-wins", "", 1, "block time"},
	};
	struct msg_mapd_conflicts m;
	uint64_t n = 0;

	assert_int_equal(mapd_conflicts_get(pk, &m), 0);
	for (size_t i = 0; i < 3 && !f.nothing; i++)
		if (strncmp(rows[i].booking, m.booking, strlen(m.booking)) ==
		    0) {
			ctl_conflict_send(c, pk->id, 0, &rows[i]);
			n++;
		}
	return done(c, pk, n);
}

static int
on_approve(struct chan *c, struct packet *pk)
{
	return done(c, pk, f.nothing ? 0 : 21);
}

#define REC(i, ev, room, rest)                                                 \
	"{\"booking\":\"0123456789abcdef0123456789abcdef0123456789abcdef01234" \
	"56789abcdef\",\"code\":16,\"event\":\"" ev "\",\"index\":" #i         \
	",\"pid\":5,\"process\":\"mapd\",\"realtime\":"                        \
	"\"179542080012300000" #i "\",\"room\":\"" room "\"," rest             \
	"\"uid\":9}"
static const char *const records[] = {
    REC(0, "create_intent", "Mercury", "\"text\":\"one\","),
    REC(1, "create_done", "Mercury",
	"\"remote\":\"R-1\",\"status\":201,\"text\":\"two\","),
    REC(2, "create_intent", "Venus", "\"text\":\"three\","),
    REC(3, "create_intent", "Mercury",
	"\"text\":\"four\",\"upstream\":\"topdesk\","),
};

static int
on_tail(struct chan *c, struct packet *pk)
{
	struct msg_ledgerd_tail m;
	struct msg_ctl_record rec;
	uint64_t i, n = sizeof(records) / sizeof(records[0]);

	assert_int_equal(ledgerd_tail_get(pk, &m), 0);
	f.from = m.from;
	f.count = m.count;
	i = m.from == UINT64_MAX ? m.count < n ? n - m.count : 0 : m.from;
	for (; i < n; i++) {
		rec.index = i;
		rec.canonical = (struct wire_bytes){
		    (const uint8_t *)records[i], strlen(records[i])};
		ctl_record_send(c, pk->id, 0, &rec);
	}
	return done(c, pk, n);
}

static const struct permit mapd_permits[] = {{MSG_MAPD_STATUS, on_status, 0},
    {MSG_MAPD_PLAN, on_plan, 0}, {MSG_MAPD_SYNC, on_sync, 0},
    {MSG_MAPD_PROBLEMS, on_problems, 0}, {MSG_MAPD_CONFLICTS, on_conflicts, 0},
    {MSG_MAPD_APPROVE, on_approve, 0}, {0, NULL, 0}};
static const struct permit ledgerd_permits[] = {
    {MSG_LEDGERD_TAIL, on_tail, 0}, {0, NULL, 0}};

static void
on_connection(void *arg, int fd, short revents)
{
	int s = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)revents;
	assert_true(s >= 0);
	assert_non_null(chan_new(f.loop, s, arg ? ROLE_LEDGERD : ROLE_MAPD,
	    ROLE_CTL, arg ? ledgerd_permits : mapd_permits, NULL, NULL));
}

/* --- fixture ------------------------------------------------------------------ */

static int
listen_at(const char *name, void *arg)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", f.dir, name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(fd, 4))
		return -1;
	loop_fd(f.loop, fd, POLLIN, on_connection, arg);
	return fd;
}

static void
write_conf(const char *text)
{
	FILE *file = fopen(f.conf, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const char good_conf[] =
    "run_dir = \"%s\";\n"
    "exchange: { tenant = \"contoso.example\";\n"
    "  client_id = \"00000000-0000-4000-8000-000000000002\"; };\n"
    "topdesk: { url = \"https://topdesk.test/tas/api\"; login = \"orb\";\n"
    "  fallback_person = \"00000000-0000-4000-8000-000000000003\"; };\n"
    "rooms: ();\n";

static int
setup(void **state)
{
	char text[1024];

	(void)state;
	log_init("test", LOG_LV_ERR);
	memset(&f, 0, sizeof(f));
	if (scratch_make(f.dir) || (f.loop = loop_new()) == NULL)
		return -1;
	snprintf(f.conf, sizeof(f.conf), "%s/orb.conf", f.dir);
	snprintf(text, sizeof(text), good_conf, f.dir);
	write_conf(text);
	f.listening[0] = listen_at("mapd-ctl.sock", NULL);
	f.listening[1] = listen_at("ledgerd-ctl.sock", &f);
	f.status = (struct msg_ctl_status){.version = "0.1.0",
	    .started = T0 - 86400,
	    .now = T0,
	    .rooms = 2,
	    .bookings = 24,
	    .pending = 1,
	    .last_round = T0 - 20,
	    .rounds = 4321,
	    .exchange_state = 1,
	    .topdesk_state = 1,
	    .key_source = "systemd credential orb-kek"};
	return f.listening[0] < 0 || f.listening[1] < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* connections that orbctl has ended go with the next turns */
	for (int i = 0; i < 3; i++)
		loop_turn(f.loop, 1);
	close(f.listening[0]);
	close(f.listening[1]);
	loop_free(f.loop);
	return scratch_remove(f.dir);
}

/* --- tests ----------------------------------------------------------------------- */

static void
status_well(void **state)
{
	(void)state;
	f.rooms = 2;
	RUN("status");
	assert_string_equal(r.out,
	    "well: ORB 0.1.0, 2 rooms, 24 bookings, 1 pending, last round 20 s "
	    "ago, running since 2026-11-22 08:00\n"
	    "  Exchange  ok\n"
	    "  TOPdesk   ok\n"
	    "  key       systemd credential orb-kek\n"
	    "\n"
	    "ROOM      EXCHANGE READ     TOPDESK READ      BOOKINGS  PENDING  "
	    "PROBLEMS  NOTE\n"
	    "Z\xc3\xbcrich 1  2026-11-23 07:59  2026-11-23 07:59        12"
	    "        0         0  -\n"
	    "Z\xc3\xbcrich 2  2026-11-23 07:59  2026-11-23 07:59        12"
	    "        1         1  cannot be read ??\n");
	assert_string_equal(r.err, "");
	assert_int_equal(r.status, 0);
}

static void
status_not_well(void **state)
{
	(void)state;
	f.status.exchange_state = 3;
	f.status.exchange_text = "the login was refused";
	f.status.topdesk_state = 2;
	f.status.problems = 1;
	f.status.conflicts = 2;
	f.status.held_cancellations = 30;
	f.status.held_writes = 1;
	f.status.last_round = 0;
	f.status.text = "waiting for keyd";
	f.rooms = 25;
	RUN("status");
	assert_string_equal(r.out,
	    "not well: ORB 0.1.0, 2 rooms, 24 bookings, 1 pending, no round "
	    "yet, running since 2026-11-22 08:00\n"
	    "  waiting for keyd\n"
	    "  Exchange  failing: the login was refused\n"
	    "  TOPdesk   waiting\n"
	    "  key       systemd credential orb-kek\n"
	    "  1 problem: orbctl problems\n"
	    "  2 conflicts: orbctl conflicts\n"
	    "  30 held cancellations: look with orbctl plan, then orbctl "
	    "approve\n"
	    "  1 held write: look with orbctl plan, then orbctl approve\n");
	assert_int_equal(r.status, 1);
	RUN("status", "--rooms");
	assert_non_null(strstr(r.out, "rich 25"));
}

/* Each of these alone is not well. */
static void
status_is_not_well_for_one(void **state)
{
	(void)state;
	RUN("status");
	assert_int_equal(r.status, 0);
	f.status.conflicts = 1;
	RUN("status");
	assert_int_equal(r.status, 1);
	f.status.conflicts = 0;
	f.status.held_writes = 1;
	RUN("status");
	assert_int_equal(r.status, 1);
}

static void
status_json(void **state)
{
	(void)state;
	f.rooms = 1;
	f.status.problems = 2;
	RUN("--output=json", "status");
	assert_string_equal(r.out,
	    "{\n"
	    "  \"running\": true,\n"
	    "  \"well\": false,\n"
	    "  \"version\": \"0.1.0\",\n"
	    "  \"started\": \"2026-11-22T08:00:00Z\",\n"
	    "  \"now\": \"2026-11-23T08:00:00Z\",\n"
	    "  \"last_round\": \"2026-11-23T07:59:40Z\",\n"
	    "  \"rounds\": 4321,\n"
	    "  \"room_count\": 2,\n"
	    "  \"bookings\": 24,\n"
	    "  \"pending\": 1,\n"
	    "  \"problems\": 2,\n"
	    "  \"conflicts\": 0,\n"
	    "  \"held_cancellations\": 0,\n"
	    "  \"held_writes\": 0,\n"
	    "  \"exchange\": {\n"
	    "    \"state\": \"ok\",\n"
	    "    \"text\": null\n"
	    "  },\n"
	    "  \"topdesk\": {\n"
	    "    \"state\": \"ok\",\n"
	    "    \"text\": null\n"
	    "  },\n"
	    "  \"key_source\": \"systemd credential orb-kek\",\n"
	    "  \"text\": null,\n"
	    "  \"rooms\": [\n"
	    "    {\n"
	    "      \"name\": \"Z\xc3\xbcrich 1\",\n"
	    "      \"mailbox\": \"room1@example.com\",\n"
	    "      \"location\": \"11111111-0000-4000-8000-000000000001\",\n"
	    "      \"exchange_at\": \"2026-11-23T07:59:00Z\",\n"
	    "      \"topdesk_at\": \"2026-11-23T07:59:30Z\",\n"
	    "      \"bookings\": 12,\n"
	    "      \"pending\": 0,\n"
	    "      \"problems\": 0,\n"
	    "      \"text\": null\n"
	    "    }\n"
	    "  ]\n"
	    "}\n");
	assert_int_equal(r.status, 1);
}

static void
nobody_there(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/mapd-ctl.sock", f.dir);
	unlink(path);
	RUN("status");
	assert_string_equal(r.out, "");
	assert_string_equal(
	    r.err, "orbctl: mapd is not running: systemctl start orb.target\n");
	assert_int_equal(r.status, 3);
	RUN("status", "--output", "json");
	assert_string_equal(
	    r.out, "{\n  \"running\": false,\n  \"well\": false\n}\n");
	assert_int_equal(r.status, 3);
	RUN("plan");
	assert_int_equal(r.status, 3);
	snprintf(path, sizeof(path), "%s/ledgerd-ctl.sock", f.dir);
	unlink(path);
	RUN("audit", "tail");
	assert_string_equal(r.err,
	    "orbctl: ledgerd is not running: systemctl start orb.target\n");
	assert_int_equal(r.status, 3);
}

static void
gone_while_asked(void **state)
{
	(void)state;
	f.silent = 1;
	RUN("status");
	assert_string_equal(r.err,
	    "orbctl: mapd closed the connection: "
	    "journalctl -u orb-mapd\n");
	assert_int_equal(r.status, 3);
}

static void
plan(void **state)
{
	(void)state;
	RUN("plan");
	assert_string_equal(r.out,
	    "ACTION  ROOM     START             END               NUMBER     "
	    "BOOKING      NOTE\n"
	    "create  Mercury  2026-11-23 08:00  2026-11-23 09:00  -          "
	    "orb1:abcdef  journaled\n"
	    "cancel  Venus    2026-11-24 08:00  2026-11-24 09:00  R-2026-17  "
	    "orb1:ghijkl  held: orbctl approve\n");
	assert_int_equal(r.status, 0);
	RUN("plan", "--output=json");
	assert_non_null(strstr(r.out,
	    "    \"kind\": \"cancel\",\n"
	    "    \"room\": \"Venus\",\n"
	    "    \"start\": \"2026-11-24T08:00:00Z\",\n"
	    "    \"end\": \"2026-11-24T09:00:00Z\",\n"
	    "    \"number\": \"R-2026-17\",\n"
	    "    \"booking\": \"orb1:ghijkl\",\n"
	    "    \"text\": \"held: orbctl approve\"\n"));
	f.nothing = 1;
	RUN("plan");
	assert_string_equal(r.out, "nothing to do: both sides are equal\n");
	RUN("plan", "--output=json");
	assert_string_equal(r.out, "[]\n");
	f.refuse = "keyd has not given the data key yet";
	RUN("plan");
	assert_string_equal(r.out, "");
	assert_string_equal(
	    r.err, "orbctl: keyd has not given the data key yet\n");
	assert_int_equal(r.status, 1);
}

static void
problems_and_approve(void **state)
{
	(void)state;
	RUN("problems");
	assert_string_equal(r.out,
	    "ROOM     BOOKING      SINCE             NEXT TRY          TRIES  "
	    "REASON\n"
	    "Mercury  orb1:abcdef  2026-11-23 08:00  2026-11-23 08:10      3  "
	    "refused: the location is archived\n");
	RUN("problems", "--output=json");
	assert_non_null(strstr(r.out, "\"tries\": 3,"));
	RUN("approve");
	assert_string_equal(r.out, "21 held writes approved\n");
	RUN("approve", "--output=json");
	assert_string_equal(r.out, "{\n  \"approved\": 21\n}\n");
	f.nothing = 1;
	RUN("approve");
	assert_string_equal(r.out, "nothing is held\n");
	RUN("problems");
	assert_string_equal(r.out, "no problems\n");
}

static void
conflicts(void **state)
{
	(void)state;
	RUN("conflicts");
	assert_string_equal(r.out,
	    "ROOM     START             END               RESERVATION  RIVAL  "
	    "    KEEPS     SINCE             STATE    BOOKING\n"
	    "Mercury  2026-11-23 09:00  2026-11-23 10:00  R-2026-17    "
	    "R-2026-11  TOPdesk   2026-11-23 08:00  open     orb1:abcdef\n"
	    "Venus    2026-11-24 08:00  2026-11-24 09:00  -            -      "
	    "    Exchange  2026-11-23 08:00  open     orb1:abghij\n"
	    "Mars     2026-11-23 08:00  2026-11-23 08:01  R-2026-9     "
	    "R-2026-8   -         2026-11-22 08:00  settled  orb1:zz\n");
	assert_int_equal(r.status, 0);
	RUN("conflicts", "--output=json");
	assert_non_null(strstr(r.out,
	    "    \"room\": \"Venus\",\n"
	    "    \"start\": \"2026-11-24T08:00:00Z\",\n"
	    "    \"end\": \"2026-11-24T09:00:00Z\",\n"
	    "    \"number\": null,\n"
	    "    \"rival\": null,\n"
	    "    \"keeper\": \"exchange\",\n"
	    "    \"since\": \"2026-11-23T08:00:00Z\",\n"
	    "    \"state\": \"open\",\n"
	    "    \"booking\": \"orb1:abghij\",\n"
	    "    \"policy\": \"first-wins\",\n"));
	f.nothing = 1;
	RUN("conflicts");
	assert_string_equal(r.out, "no conflicts\n");
	assert_int_equal(r.status, 0);
	RUN("conflicts", "--output=json");
	assert_string_equal(r.out, "[]\n");
	f.refuse = "state database: list conflicts: disk I/O error";
	RUN("conflicts");
	assert_int_equal(r.status, 1);
}

static void
conflicts_show(void **state)
{
	(void)state;
	RUN("conflicts", "show", "orb1:abg");
	assert_string_equal(r.out,
	    "room         Venus\n"
	    "time         2026-11-24 08:00 to 2026-11-24 09:00\n"
	    "booking      orb1:abghij\n"
	    "reservation  -\n"
	    "rival        -\n"
	    "keeps        Exchange\n"
	    "policy       first-wins\n"
	    "since        2026-11-23 08:00\n"
	    "state        open\n"
	    "why          taken ??\n"
	    "what to do   reserve another room or time in TOPdesk: ORB cancels "
	    "this reservation, once its requester has been told through "
	    "Exchange\n");
	assert_int_equal(r.status, 0);
	RUN("conflicts", "show", "orb1:zz");
	assert_non_null(strstr(r.out, "\nkeeps        nobody: "));
	assert_non_null(strstr(r.out, "\nwhat to do   nothing: it has ended"));
	RUN("conflicts", "show", "orb1:abc", "--output=json");
	assert_memory_equal(r.out, "{\n  \"room\": \"Mercury\",", 22);
	assert_non_null(strstr(r.out, "\"keeper\": \"topdesk\""));
	assert_non_null(strstr(r.out, "\"cure\": \"find another room"));
	assert_int_equal(r.status, 0);
	RUN("conflicts", "show", "orb1:ab");
	assert_string_equal(r.out, "");
	assert_string_equal(r.err,
	    "orbctl: 2 bookings have ids that begin with \"orb1:ab\": give "
	    "more of it\n");
	assert_int_equal(r.status, 1);
	RUN("conflicts", "show", "orb1:x");
	assert_string_equal(r.err,
	    "orbctl: no conflict of a booking whose id begins with "
	    "\"orb1:x\": orbctl conflicts lists them\n");
	assert_int_equal(r.status, 1);
	RUN("conflicts", "show", "");
	assert_int_equal(r.status, 2);
}

static void
sync_now(void **state)
{
	(void)state;
	RUN("sync", "now");
	assert_memory_equal(r.out, "done in ", 8);
	assert_string_equal(r.err, "");
	assert_int_equal(r.status, 0);
	RUN("sync");
	assert_string_equal(r.err, "usage: orbctl sync now\n");
	assert_int_equal(r.status, 2);
	f.refuse = "some rooms could not be read: see orbctl status";
	RUN("sync", "now");
	assert_int_equal(r.status, 1);
}

static void
audit(void **state)
{
	(void)state;
	RUN("audit", "tail", "-n", "3");
	assert_true(f.from == UINT64_MAX);
	assert_int_equal(f.count, 3);
	assert_string_equal(r.out,
	    "2026-11-23 08:00:00.123        1  mapd           create_done     "
	    "     Mercury      01234567 R-1 201 two\n"
	    "2026-11-23 08:00:00.123        2  mapd           create_intent   "
	    "     Venus        01234567 three\n"
	    "2026-11-23 08:00:00.123        3  mapd           create_intent   "
	    "     Mercury      01234567 topdesk four\n");
	RUN("audit", "tail", "-n", "1", "--output=json");
	assert_memory_equal(r.out, records[3], strlen(records[3]));
	assert_string_equal(r.out + strlen(records[3]), "\n");
	RUN("audit", "tail", "-n1", "--room", "Mercury", "--event",
	    "create_intent");
	assert_non_null(strstr(r.out, " four\n"));
	assert_null(strstr(r.out, " one\n"));
	RUN("audit", "tail", "--event=create_done", "--output=json");
	assert_memory_equal(r.out, records[1], strlen(records[1]));
	RUN("audit", "tail", "-n", "many");
	assert_int_equal(r.status, 2);
	RUN("audit", "head");
	assert_int_equal(r.status, 2);
}

/* On a terminal: cut to its width, in colour, nothing drives it. */
static void
terminal(void **state)
{
	const char *line, *end;

	(void)state;
	f.rooms = 2;
	orbctl_run(
	    f.loop, f.conf, 70, (const char *const[]){"status", NULL}, &r);
	assert_non_null(strstr(r.out, "\033[1;32mwell\033[0m"));
	assert_null(strstr(r.out, "\xc2\x9b"));
	orbctl_run(f.loop, f.conf, 90,
	    (const char *const[]){"plan", "--no-color", NULL}, &r);
	assert_null(strchr(r.out, '\033'));
	assert_int_equal(r.status, 0);
	for (line = r.out; (end = strchr(line, '\r')) != NULL; line = end + 2)
		if (end - line > 90)
			fail_msg("too wide: %.*s", (int)(end - line), line);
	assert_non_null(strstr(r.out, "held: orbctl>"));
}

static void
config_check(void **state)
{
	char want[600];

	(void)state;
	RUN("config", "check");
	snprintf(want, sizeof(want),
	    "%s: 0 rooms, Microsoft Graph of tenant contoso.example, TOPdesk "
	    "at https://topdesk.test/tas/api\n",
	    f.conf);
	assert_memory_equal(r.out, want, strlen(want));
	assert_non_null(strstr(r.out, "  no rooms: nothing will be done\n"));
	assert_int_equal(r.status, 0);
	write_conf("run_dir = \"relative\";\ntopdeks: { };\n");
	RUN("config", "check");
	assert_int_equal(r.status, 1);
	snprintf(want, sizeof(want), "%s:1: ", f.conf);
	assert_non_null(strstr(r.out, want));
	snprintf(want, sizeof(want), "%s:2: ", f.conf);
	assert_non_null(strstr(r.out, want));
	assert_non_null(strstr(r.err, " mistakes\n"));
	RUN("config", "check", "--output=json");
	assert_int_equal(r.status, 1);
	assert_memory_equal(r.out, "{\n  \"valid\": false,", 19);
	assert_non_null(strstr(r.out, "\"line\": 2"));
	RUN("config", "check", "/nonexistent/orb.conf");
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.out, "/nonexistent/orb.conf"));
}

static void
usage(void **state)
{
	static const char *const wrong[][3] = {{"nonsense"}, {"status", "x"},
	    {"plan", "x"}, {"problems", "x"}, {"conflicts", "x"},
	    {"conflicts", "show"}, {"approve", "x"}, {"config"},
	    {"--output=yaml", "status"}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		RUN(wrong[i][0], wrong[i][1], wrong[i][2]);
		if (r.status != 2)
			fail_msg("orbctl %s: status %d", wrong[i][0], r.status);
		assert_string_not_equal(r.err, "");
	}
	RUN("--help");
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "sync now"));
	RUN("--version");
	assert_memory_equal(r.out, "orbctl ", 7);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {T(status_well), T(status_not_well),
	    T(status_is_not_well_for_one), T(status_json), T(nobody_there),
	    T(gone_while_asked), T(plan), T(problems_and_approve), T(conflicts),
	    T(conflicts_show), T(sync_now), T(audit), T(terminal),
	    T(config_check), T(usage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
