/* orbctl audit tail and account against a ledgerd that this test plays: what
 * the options let through, what they refuse, and how leases are added up. */
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
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/audit_pick.h"
#include "lib/chan.h"
#include "lib/log.h"
#include "orbctl_run.h"
#include "scratch.h"

#define T0 INT64_C(1795420800) /* 2026-11-23 08:00 UTC */
#define SECOND INT64_C(1000000000)

/* Bookings; B1 in base32 is "aerukz4j". */
#define B1 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* Minutes after T0, process, event, and the rest. */
static const struct {
	int at;
	const char *process, *event, *rest;
} log_of_a_day[] = {
    {-90, "keyd", "lease_granted",
	"\"lease\":\"700\",\"text\":\"topdesk-password password for "
	"topdesk.test:443\",\"upstream\":\"topdesk\""},
    {0, "keyd", "lease_refused",
	"\"text\":\"exchange-key has not been entered\","
	"\"upstream\":\"exchange\""},
    {1, "keyd", "lease_refused",
	"\"text\":\"exchange-key has not been entered (and 3 refusals more)\","
	"\"upstream\":\"exchange\""},
    {2, "keyd", "lease_granted",
	"\"lease\":\"701\",\"text\":\"exchange-key 0123456789ABCDEF for "
	"login.test:443\",\"upstream\":\"exchange\""},
    {2, "http@exchange", "request",
	"\"lease\":\"701\",\"status\":200,\"text\":\"POST "
	"/*/oauth2/v2.0/token\",\"upstream\":\"exchange\""},
    {3, "http@exchange", "request",
	"\"lease\":\"701\",\"status\":200,\"text\":\"POST /$batch\","
	"\"upstream\":\"exchange\""},
    {3, "http@exchange", "request",
	"\"lease\":\"701\",\"status\":200,\"text\":\"POST /$batch\","
	"\"upstream\":\"exchange\""},
    {4, "mapd", "create_intent",
	"\"booking\":\"" B1 "\",\"room\":\"Mercury\",\"upstream\":\"topdesk\""},
    {4, "http@topdesk", "request",
	"\"lease\":\"700\",\"status\":201,\"text\":\"POST /reservations\","
	"\"upstream\":\"topdesk\""},
    {4, "mapd", "create_done",
	"\"booking\":\"" B1 "\",\"room\":\"Mercury\",\"status\":201,"
	"\"upstream\":\"topdesk\""},
    {5, "mapd", "move_intent",
	"\"booking\":\"" B2 "\",\"room\":\"Venus\",\"upstream\":\"topdesk\""},
    {5, "http@topdesk", "request",
	"\"lease\":\"700\",\"status\":401,\"text\":\"POST "
	"/reservations/*/move\",\"upstream\":\"topdesk\""},
    {6, "http@topdesk", "request",
	"\"lease\":\"700\",\"text\":\"GET /reservations\","
	"\"upstream\":\"topdesk\""},
    {7, "keyd", "lease_granted",
	"\"lease\":\"702\",\"text\":\"topdesk-password password for "
	"topdesk.test:443\",\"upstream\":\"topdesk\""},
    {8, "http@topdesk", "login_failed",
	"\"lease\":\"702\",\"status\":401,\"text\":\"no\","
	"\"upstream\":\"topdesk\""},
};
#define NRECORDS ((int)(sizeof(log_of_a_day) / sizeof(log_of_a_day[0])))

static struct {
	char dir[SCRATCH_MAX], conf[128];
	struct loop *loop;
	int listening;
	int broken; /* this one is no JSON */
	uint64_t from;
	uint32_t count;
} f;

static struct orbctl_result r;

#define RUN(...)    \
	orbctl_run( \
	    f.loop, f.conf, 0, (const char *const[]){__VA_ARGS__, NULL}, &r)

static int
record_text(int i, char *buf, size_t size)
{
	return snprintf(buf, size,
	    "{\"event\":\"%s\",\"index\":%d,\"process\":\"%s\","
	    "\"realtime\":\"%lld\",%s}%s",
	    log_of_a_day[i].event, i, log_of_a_day[i].process,
	    ((long long)T0 + 60 * log_of_a_day[i].at) * SECOND,
	    log_of_a_day[i].rest, i == f.broken ? "!" : "");
}

static int
on_tail(struct chan *c, struct packet *pk)
{
	struct msg_done done = {NRECORDS};
	struct msg_ledgerd_tail m;
	struct msg_ctl_record rec;
	char text[1000];
	int n;

	assert_int_equal(ledgerd_tail_get(pk, &m), 0);
	f.from = m.from;
	f.count = m.count;
	for (int i = 0; i < NRECORDS; i++) {
		n = record_text(i, text, sizeof(text));
		rec.index = (uint64_t)i;
		rec.canonical =
		    (struct wire_bytes){(const uint8_t *)text, (size_t)n};
		ctl_record_send(c, pk->id, 0, &rec);
	}
	return done_send(c, pk->id, CHAN_END, &done);
}

static const struct permit permits[] = {
    {MSG_LEDGERD_TAIL, on_tail, 0}, {0, NULL, 0}};

static void
on_connection(void *arg, int fd, short revents)
{
	int s = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)arg;
	(void)revents;
	assert_true(s >= 0);
	assert_non_null(
	    chan_new(f.loop, s, ROLE_LEDGERD, ROLE_CTL, permits, NULL, NULL));
}

static int
setup(void **state)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	FILE *conf;

	(void)state;
	log_init("test", LOG_LV_ERR);
	memset(&f, 0, sizeof(f));
	f.broken = -1;
	if (scratch_make(f.dir) || (f.loop = loop_new()) == NULL)
		return -1;
	snprintf(f.conf, sizeof(f.conf), "%s/orb.conf", f.dir);
	if ((conf = fopen(f.conf, "w")) == NULL)
		return -1;
	fprintf(conf,
	    "run_dir = \"%s\";\n"
	    "exchange: { tenant = \"contoso.example\";\n"
	    "  client_id = \"00000000-0000-4000-8000-000000000002\"; };\n"
	    "topdesk: { url = \"https://topdesk.test/tas/api\"; login = "
	    "\"orb\";\n  fallback_person = "
	    "\"00000000-0000-4000-8000-000000000003\"; };\nrooms: ();\n",
	    f.dir);
	fclose(conf);
	snprintf(
	    sa.sun_path, sizeof(sa.sun_path), "%s/ledgerd-ctl.sock", f.dir);
	f.listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (f.listening < 0 ||
	    bind(f.listening, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(f.listening, 4))
		return -1;
	loop_fd(f.loop, f.listening, POLLIN, on_connection, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		loop_turn(f.loop, 1);
	close(f.listening);
	loop_free(f.loop);
	return scratch_remove(f.dir);
}

/* --- times -------------------------------------------------------------------- */

static void
times(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* seconds */
	} good[] = {
	    {"2026-11-23", T0 - 9 * 3600}, /* local: an hour before UTC */
	    {"2026-11-23 09:00", T0},
	    {"2026-11-23 09:00:30", T0 + 30},
	    {"2026-11-23T09:00", T0},
	    {"2026-11-23T08:00:00Z", T0},
	    {"2026-11-23T08:00Z", T0},
	    {"2026-11-23t08:00:00z", T0},
	    {"2026-11-23T10:30:00+02:30", T0},
	    {"2026-11-23T03:00:00-05:00", T0},
	    {"2026-07-01 12:00", 1782900000}, /* summer */
	    {"2028-02-29", 1835391600},
	    {"now", T0},
	    {"today", T0 - 9 * 3600},
	    {"yesterday", T0 - 33 * 3600},
	    {"-0s", T0},
	    {"-90s", T0 - 90},
	    {"-30m", T0 - 1800},
	    {"-2h", T0 - 7200},
	    {"-7d", T0 - 7 * 86400},
	    {"-4w", T0 - 28 * 86400},
	};
	static const char *const bad[] = {"", "-", "-2", "-h", "-2y", "-2hh",
	    "- 2h", "2h", "tomorrow", "2026", "2026-11", "2026-11-31",
	    "2027-02-29", "2026-13-01", "2026-00-01", "2026-11-23 ",
	    "2026-11-23 24:00", "2026-11-23 09", "2026-11-23 09:60",
	    "2026-11-23 09:00 ", "2026-11-23 09:00:00.",
	    "2026-11-23T09:00:00+1", "2026-11-23T09:00:00+01:0",
	    "2026-11-23T09:00:00Zx", "23-11-2026", "1795420800",
	    "-99999999999999999999w", "1969-12-31", "9999-01-01"};
	int64_t ns;

	(void)state;
	setenv("TZ", "Europe/Amsterdam", 1);
	tzset();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ns = -1;
		if (audit_time(good[i].text, T0, &ns) ||
		    ns != good[i].want * SECOND)
			fail_msg("%s: %lld", good[i].text, (long long)ns);
	}
	assert_int_equal(audit_time("2026-11-23T08:00:00.25Z", T0, &ns), 0);
	assert_true(ns == T0 * SECOND + SECOND / 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ns = 7;
		if (audit_time(bad[i], T0, &ns) != -1 || ns != 7)
			fail_msg("taken for a time: \"%s\"", bad[i]);
	}
}

/* --- tail ----------------------------------------------------------------------- */

/* Which records were printed, as JSON: one line each. */
static const char *
indexes(void)
{
	static char s[200];
	const char *at = r.out;
	size_t n = 0;

	s[0] = '\0';
	while ((at = strstr(at, "\"index\":")) != NULL) {
		n += (size_t)snprintf(
		    s + n, sizeof(s) - n, "%s%d", n ? " " : "", atoi(at + 8));
		at++;
	}
	return s;
}

#define PICKS(want, ...)                                            \
	do {                                                        \
		RUN("audit", "tail", "--output=json", __VA_ARGS__); \
		assert_string_equal(r.err, "");                     \
		assert_int_equal(r.status, 0);                      \
		assert_string_equal(indexes(), want);               \
	} while (0)

static void
tail_picks(void **state)
{
	(void)state;
	PICKS("13 14", "--since", "2026-11-23T08:07:00Z");
	PICKS("0", "--until", "2026-11-23T08:00:00Z");
	PICKS(
	    "10 11", "--since=2026-11-23 08:05", "--until", "2026-11-23 08:06");
	/* With --since all of them, with -n the last of them. */
	PICKS("12 13 14", "--since", "2026-11-23", "-n", "3");
	assert_true(f.from == 0 && f.count == 0);
	PICKS("", "--since", "now");
	PICKS("7 9", "--booking", "0123");
	PICKS("7 9", "--booking", B1);
	PICKS("7 9", "--booking", "orb1:aeru");
	PICKS("7 9", "--booking", "orb1:aerukz4j.2");
	PICKS("10", "--booking", "orb1:73olvgdw");
	PICKS("", "--booking", "orb1:aerukz4k");
	PICKS("1 2 3 4 5 6", "--upstream", "exchange");
	PICKS("8 11 12 14", "--process", "http@topdesk");
	PICKS("4 5 6 8 11 12 14", "--process", "http");
	PICKS("3 4 5 6", "--lease", "701");
	/* All together. */
	PICKS("9", "--booking", "01234567", "--event", "create_done", "--room",
	    "Mercury", "--upstream", "topdesk", "--process", "mapd", "--since",
	    "2026-11-23 08:00");
	PICKS("", "--lease", "701", "--upstream", "topdesk");
}

static void
tail_refuses(void **state)
{
	static const struct {
		const char *option, *value, *says;
	} wrong[] = {
	    {"--since", "tomorrow",
		"orbctl: --since: \"tomorrow\" is no time; give 2026-11-23, "
		"\"2026-11-23 14:00\""},
	    {"--until", "2026-11-31", "orbctl: --until: \"2026-11-31\" is no"},
	    {"--until", "", "yesterday; local time where no offset is given"},
	    {"--booking", "012", "at least 4 of its digits"},
	    {"--booking", "0123456G", "not how a booking's identity begins"},
	    {"--booking", "orb1:01", "orb1:... as conflicts"},
	    {"--upstream", "graph", "\"graph\" is neither exchange nor"},
	    {"--process", "htp", "give mapd, keyd, http, http@exchange"},
	    {"--lease", "-1", "is not the number of a lease"},
	    {"--lease", "12x", "orbctl audit account lists them"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		RUN("audit", "tail", wrong[i].option, wrong[i].value);
		if (r.status != 2 || strstr(r.err, wrong[i].says) == NULL)
			fail_msg("%s %s: %d %s", wrong[i].option,
			    wrong[i].value, r.status, r.err);
		assert_string_equal(r.out, "");
	}
	RUN("audit", "tail", "--since", "-1h", "--until", "-2h");
	assert_string_equal(
	    r.err, "orbctl: --since is not before --until: nothing is\n");
	assert_int_equal(r.status, 2);
	RUN("audit", "tail", "-f", "--until", "now");
	assert_int_equal(r.status, 2);
	RUN("audit", "tail", "--since");
	assert_int_equal(r.status, 2);
}

/* --- account ---------------------------------------------------------------------- */

static void
account(void **state)
{
	(void)state;
	RUN("audit", "account");
	assert_string_equal(r.err, "");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out,
	    "GRANTED           UPSTREAM  LEASE    CREDENTIAL                   "
	    "  BY             REQUESTS  REFUSED  BOOKINGS  WHAT\n"
	    "2026-11-23 06:30  topdesk   700      topdesk-password             "
	    "  http@topdesk          3        1         2  1 POST 201, 1 POST "
	    "401, 1 GET unanswered\n"
	    "2026-11-23 08:00  exchange  refused  -                            "
	    "  -                     0        2         0  exchange-key has "
	    "not been entered (and 3 refusals more)\n"
	    "2026-11-23 08:02  exchange  701      exchange-key "
	    "0123456789ABCDEF  http@exchange         3        0         0  "
	    "3 POST 200\n"
	    "2026-11-23 08:07  topdesk   702      topdesk-password             "
	    "  -                     0        0         0  -\n"
	    "3 leases and 2 refusals of one; 6 requests with a credential, 1 "
	    "of them refused (401, 403); 1 login refused; 2 bookings\n");
	RUN("audit", "account", "exchange");
	assert_null(strstr(r.out, "topdesk"));
	assert_non_null(strstr(r.out, "\n1 lease and 2 refusals of one; 3 "));
}

static void
account_of_a_period(void **state)
{
	(void)state;
	/* A lease that was granted before is shown with its time. */
	RUN("audit", "account", "topdesk", "--since", "2026-11-23 08:05",
	    "--until", "2026-11-23 08:07");
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "2026-11-23 06:30  topdesk   700 "));
	assert_non_null(
	    strstr(r.out, "1 POST 401, 1 GET unanswered\n1 lease and 0 "));
	RUN("audit", "account", "--since", "now");
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "\n0 leases and 0 refusals of one; 0 "));
}

static void
account_json(void **state)
{
	(void)state;
	RUN("audit", "account", "topdesk", "--output=json", "--since",
	    "2026-11-23T08:05:00Z");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out,
	    "{\n  \"since\": \"2026-11-23T08:05:00Z\",\n  \"until\": null,\n"
	    "  \"leases\": [\n    {\n"
	    "      \"granted\": \"2026-11-23T06:30:00Z\",\n"
	    "      \"upstream\": \"topdesk\",\n      \"lease\": \"700\",\n"
	    "      \"credential\": \"topdesk-password\",\n"
	    "      \"process\": \"http@topdesk\",\n"
	    "      \"requests\": 2,\n      \"refused\": 1,\n"
	    "      \"logins_refused\": 0,\n      \"bookings\": 1,\n"
	    "      \"what\": [\n        {\n"
	    "          \"request\": \"POST /reservations/*/move\",\n"
	    "          \"status\": 401,\n          \"count\": 1\n        },\n"
	    "        {\n          \"request\": \"GET /reservations\",\n"
	    "          \"status\": null,\n          \"count\": 1\n        }\n"
	    "      ]\n    },\n    {\n"
	    "      \"granted\": \"2026-11-23T08:07:00Z\",\n"
	    "      \"upstream\": \"topdesk\",\n      \"lease\": \"702\",\n"
	    "      \"credential\": \"topdesk-password\",\n"
	    "      \"process\": null,\n      \"requests\": 0,\n"
	    "      \"refused\": 0,\n      \"logins_refused\": 1,\n"
	    "      \"bookings\": 0,\n      \"what\": []\n    }\n  ],\n"
	    "  \"refusals\": [],\n  \"sum\": {\n    \"leases\": 2,\n"
	    "    \"leases_refused\": 0,\n    \"requests\": 2,\n"
	    "    \"refused\": 1,\n    \"logins_refused\": 1,\n"
	    "    \"bookings\": 1\n  }\n}\n");
	RUN("audit", "account", "--output=json", "exchange");
	assert_non_null(strstr(r.out,
	    "  \"refusals\": [\n    {\n"
	    "      \"since\": \"2026-11-23T08:00:00Z\",\n"
	    "      \"upstream\": \"exchange\",\n      \"count\": 2,\n"
	    "      \"text\": \"exchange-key has not been entered (and 3 "
	    "refusals more)\"\n"));
}

static void
account_fails(void **state)
{
	(void)state;
	RUN("audit", "account", "graph");
	assert_string_equal(
	    r.err, "orbctl: \"graph\" is neither exchange nor topdesk\n");
	assert_int_equal(r.status, 2);
	RUN("audit", "account", "exchange", "topdesk");
	assert_int_equal(r.status, 2);
	RUN("audit", "account", "--lease", "701");
	assert_int_equal(r.status, 2);
	RUN("audit", "account", "--since", "soon");
	assert_int_equal(r.status, 2);
	f.broken = 5;
	RUN("audit", "account");
	assert_string_equal(
	    r.err, "orbctl: records that are no JSON: 1; the log is damaged\n");
	assert_string_equal(r.out, "");
	assert_int_equal(r.status, 1);
	unlink(f.conf); /* and with it the way to the socket */
	RUN("audit", "account");
	assert_int_not_equal(r.status, 0);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {cmocka_unit_test(times),
	    T(tail_picks), T(tail_refuses), T(account), T(account_of_a_period),
	    T(account_json), T(account_fails)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
