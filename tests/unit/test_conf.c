/*
 * test_conf.c: every kind of mistake in orb.conf is reported with its line and
 * what is allowed; what is right arrives in its final form.
 */
#include "lib/conf.h"
#include "lib/conf_table.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef TOP_SRCDIR
#define TOP_SRCDIR "."
#endif

#define U(n) "00000000-0000-0000-0000-00000000000" n
#define ROOM(name, mail, id)                       \
	"{ name = \"" name "\"; mailbox = \"" mail \
	"\"; location = \"" U(id) "\"; zone = \"Europe/Amsterdam\"; }"

/* A valid configuration, of which each case replaces one line. */
static const char *const valid[] = {
    "site = \"Test\";",                        /* 1 */
    "exchange: {",                             /* 2 */
    "  tenant = \"contoso.example\";",         /* 3 */
    "  client_id = \"" U("a") "\";",           /* 4 */
    "};",                                      /* 5 */
    "topdesk: {",                              /* 6 */
    "  url = \"https://td.example/tas/api\";", /* 7 */
    "  login = \"ORB\";",                      /* 8 */
    "  fallback_person = \"" U("b") "\";",     /* 9 */
    "};",                                      /* 10 */
    "",                                        /* 11 */
    "rooms = (",                               /* 12 */
    ROOM("Aquarium", "a@x.example", "1") ",",  /* 13 */
    ROOM("Boardroom", "b@x.example", "2"),     /* 14 */
    ");",                                      /* 15 */
};
#define VALID_LEN (sizeof(valid) / sizeof(valid[0]))

struct seen {
	unsigned n;
	unsigned line[64];
	char text[64][640];
};

static void
see(void *arg, const char *file, unsigned line, const char *text)
{
	struct seen *s = arg;

	assert_non_null(file);
	assert_true(s->n < 64);
	s->line[s->n] = line;
	snprintf(s->text[s->n++], sizeof(s->text[0]), "%s", text);
}

/* valid[] with line replaced by text (line 0: as it is). */
static struct conf *
read_with(unsigned line, const char *text, struct seen *s)
{
	char all[8192] = "";
	struct conf *conf = NULL;

	for (size_t i = 0; i < VALID_LEN; i++) {
		strcat(all, i + 1 == line ? text : valid[i]);
		strcat(all, "\n");
	}
	memset(s, 0, sizeof(*s));
	if (conf_read("test.conf", all, strlen(all), &conf, see, s)) {
		assert_null(conf);
		assert_true(s->n > 0);
		return NULL;
	}
	assert_int_equal(s->n, 0);
	return conf;
}

struct mistake {
	unsigned replace;
	const char *with;
	unsigned line;
	const char *says; /* a part of the text */
};

/* clang-format off */
static const struct mistake mistakes[] = {
	/* wrong type */
	{1, "site = 5;", 1, "site: has the wrong type; allowed: text in double quotes"},
	{11, "policy: { body = 1; };", 11, "policy.body: has the wrong type; allowed: true or false"},
	{11, "policy: { body = \"yes\"; };", 11, "allowed: true or false without quotes"},
	{11, "policy: { mass_cancel_limit = \"20\"; };", 11, "allowed: a whole number without quotes"},
	{11, "policy: { mass_cancel_limit = 2.5; };", 11, "allowed: a whole number without quotes"},
	{11, "policy: { rebase_days = [1]; };", 11, "policy.rebase_days: has the wrong type"},
	{11, "policy = 5;", 11, "policy: has the wrong type; allowed: a group"},
	{11, "policy = ( { body = true; } );", 11, "policy: has the wrong type; allowed: a group"},
	{14, "5", 14, "room 2: must be a group"},
	/* range */
	{11, "policy: { mass_cancel_limit = 0; };", 11, "0 is out of range; allowed: a whole number from 1 to 100000"},
	{11, "policy: { window_back_days = -1; };", 11, "-1 is out of range; allowed: a whole number from 0 to 31"},
	{11, "policy: { window_ahead_days = 731; };", 11, "731 is out of range"},
	{11, "policy: { window_ahead_days = 4294967297L; };", 11, "the number is too large"},
	{5, "page_size = 1001; };", 5, "exchange.page_size: 1001 is out of range; allowed: a whole number from 1 to 1000"},
	{5, "connections = 5; };", 5, "exchange.connections: 5 is out of range; allowed: a whole number from 1 to 4"},
	{10, "connections = 17; };", 10, "topdesk.connections: 17 is out of range; allowed: a whole number from 1 to 16"},
	{10, "rooms_per_list = 0; };", 10, "topdesk.rooms_per_list: 0 is out of range"},
	{10, "list_top = 10001; };", 10, "topdesk.list_top: 10001 is out of range"},
	{11, "keyd: { leases_per_hour = 3601; };", 11, "keyd.leases_per_hour: 3601"},
	/* words */
	{11, "policy: { subject = \"hide\"; };", 11, "policy.subject: \"hide\" is not valid; allowed: keep, organiser, placeholder"},
	{11, "policy: { tentative = \"Wait\"; };", 11, "allowed: wait, book"},
	{5, "credential = \"token\"; };", 5, "\"token\" is not valid; allowed: secret, certificate"},
	{5, "assertion_alg = \"none\"; };", 5, "allowed: PS256, RS256"},
	{5, "kind = \"imap\"; };", 5, "\"imap\" is not valid; allowed: graph, ews"},
	{5, "kind = \"ews\"; ews_login = \"a@b.example\"; };", 2, "exchange.ews_url is missing: it is needed with kind = \"ews\""},
	{5, "book_as = \"service\"; };", 2, "exchange.service_mailbox is missing: it is needed with book_as = \"service\""},
	/* texts */
	{1, "site = \"\";", 1, "has 0 bytes; allowed: text of 1 to 64 bytes"},
	{1, "site = \"a\\nb\";", 1, "has a control character"},
	{1, "site = \"a\\xff\";", 1, "is not UTF-8 text"},
	{3, "tenant = \"a b\";", 3, "exchange.tenant: \"a b\" is not valid; allowed: letters, digits and . _ -"},
	{4, "client_id = \"1234\";", 4, "exchange.client_id: \"1234\" is not valid; allowed: a UUID as in"},
	{9, "fallback_person = \"" U("g") "\";", 9, "topdesk.fallback_person"},
	{9, "fallback_person = \"" U("a") "0\";", 9, "allowed: a UUID as in"},
	/* unknown */
	{1, "sitte = \"x\";", 1, "sitte: there is no such setting; did you mean \"site\"?"},
	{1, "polciy: { };", 1, "polciy: there is no such setting; did you mean \"policy\"?"},
	{5, "page_sise = 50; };", 5, "exchange.page_sise: there is no such setting; did you mean \"page_size\"?"},
	{5, "subject = \"keep\"; };", 5, "exchange.subject: does not belong here but into policy"},
	{5, "site = \"x\"; };", 5, "exchange.site: does not belong here but outside of any group"},
	{5, "quux = 1; };", 5, "exchange.quux: there is no such setting; see orb.conf(5)"},
	{14, "{ nmae = \"B\"; name = \"B\"; mailbox = \"b@x.example\"; location = \"" U("2") "\"; zone = \"UTC\"; }", 14, "room 2: nmae: there is no such setting; did you mean \"name\"?"},
	/* missing */
	{3, "", 2, "exchange.tenant is missing: it is needed with kind = \"graph\""},
	{7, "", 6, "topdesk.url is missing"},
	{9, "", 6, "topdesk.fallback_person is missing"},
	{14, "{ name = \"B\"; location = \"" U("2") "\"; zone = \"UTC\"; }", 14, "room 2: mailbox is missing"},
	{14, "{ name = \"B\"; mailbox = \"b@x.example\"; location = \"" U("2") "\"; }", 14, "room 2: zone is missing, and there is no default_zone either"},
	/* URLs; a password is never repeated */
	{7, "url = \"http://td.example/tas/api\";", 7, "topdesk.url: must begin with https://"},
	{7, "url = \"https://orb:hunter2@td.example/tas/api\";", 7, "must not name a user or password"},
	{7, "url = \"https://td.example/tas/api?x=1\";", 7, "must not have a query"},
	{7, "url = \"https://td.example/tas/api#x\";", 7, "must not have a query (?) or fragment"},
	{7, "url = \"https:///tas/api\";", 7, "has no valid host"},
	{7, "url = \"https://-td.example/tas/api\";", 7, "has no valid host"},
	{7, "url = \"https://td..example/tas/api\";", 7, "has no valid host"},
	{7, "url = \"https://t\xc3\xa4.example/tas/api\";", 7, "has no valid host"},
	{7, "url = \"https://[fe80::zz]/tas/api\";", 7, "has no valid host"},
	{7, "url = \"https://td.example:0/tas/api\";", 7, "has no valid port"},
	{7, "url = \"https://td.example:65536/tas/api\";", 7, "has no valid port"},
	{7, "url = \"https://td.example:/tas/api\";", 7, "has no valid port"},
	{7, "url = \"https://td.example/a/../tas/api\";", 7, "has a path that is not allowed"},
	{7, "url = \"https://td.example/%74as/api\";", 7, "has a path that is not allowed"},
	{7, "url = \"https://td.example//tas/api\";", 7, "has a path that is not allowed"},
	{7, "url = \"https://td.example\\\\@evil/tas/api\";", 7, "must not name a user"},
	{7, "url = \"https://td.example/\";", 7, "topdesk.url: must end in /tas/api"},
	{5, "graph_url = \"ftp://x\"; };", 5, "exchange.graph_url: must begin with https://"},
	{5, "proxy = \"https://p.example:3128\"; };", 5, "exchange.proxy: must begin with http://"},
	{5, "proxy = \"http://p.example\"; };", 5, "exchange.proxy: must be http://HOST:PORT"},
	{5, "proxy = \"http://p.example:3128/x\"; };", 5, "exchange.proxy: must be http://HOST:PORT"},
	{5, "proxy = \"http://u:hunter2@p.example:3128\"; };", 5, "must not name a user or password"},
	/* addresses, paths, zones, users, keys */
	{5, "source_address = \"host.example\"; };", 5, "allowed: an IPv4 or IPv6 address in numbers"},
	{5, "ca_file = \"ca.pem\"; };", 5, "allowed: an absolute path without"},
	{5, "ca_file = \"/etc/../x\"; };", 5, "exchange.ca_file: \"/etc/../x\" is not valid"},
	{11, "state_dir = \"/\";", 11, "state_dir: \"/\" is not valid"},
	{11, "state_dir = \"/x/..\";", 11, "state_dir: \"/x/..\" is not valid"},
	{11, "default_zone = \"Europe/Nowhere\";", 11, "there is no time zone \"Europe/Nowhere\" in /usr/share/zoneinfo"},
	{11, "default_zone = \"../../../etc/passwd\";", 11, "allowed: an IANA name"},
	{11, "default_zone = \"/etc/localtime\";", 11, "allowed: an IANA name"},
	{11, "default_zone = \"zone.tab\";", 11, "allowed: an IANA name"},
	{11, "default_zone = \"leapseconds\";", 11, "there is no time zone"},
	{11, "default_zone = \"Europe\";", 11, "there is no time zone"},
	{11, "users: { keyd = \"orb keyd\"; };", 11, "users.keyd: \"orb keyd\" is not valid; allowed: a user name"},
	{11, "users: { keyd = \"12x\"; };", 11, "users.keyd: \"12x\" is not valid"},
	{11, "users: { mapd = \"4294967295\"; };", 11, "users.mapd: \"4294967295\" is not valid"},
	{11, "keyd: { kek = \"orb-kek\"; };", 11, "allowed: credential:NAME, file:/ABSOLUTE/PATH or tpm:"},
	{11, "keyd: { kek = \"tpm:libevil.so:x\"; };", 11, "after tpm: nothing, device:/ABSOLUTE/PATH or swtpm:"},
	{11, "keyd: { kek = \"tpm:device:tpm0\"; };", 11, "allowed: an absolute path"},
	{11, "keyd: { tpm_pcrs = \"7\"; };", 11, "keyd.tpm_pcrs: \"7\" is not valid; allowed: none, or sha256:"},
	{11, "keyd: { tpm_pcrs = \"sha256:\"; };", 11, "allowed: none, or sha256:"},
	{11, "keyd: { tpm_pcrs = \"sha256:24\"; };", 11, "allowed: none, or sha256:"},
	{11, "keyd: { tpm_pcrs = \"sha256:7,\"; };", 11, "allowed: none, or sha256:"},
	{11, "keyd: { tpm_pcrs = \"sha256:7,7\"; };", 11, "allowed: none, or sha256:"},
	{11, "keyd: { tpm_pcrs = \"sha256:0,1,2,3,4,5,6,7,8\"; };", 11, "allowed: none, or sha256:"},
	{11, "keyd: { kek = \"credential:../x\"; };", 11, "allowed: credential:NAME"},
	{11, "keyd: { kek = \"file:kek\"; };", 11, "allowed: an absolute path"},
	{11, "ledger: { journal = \"syslog\"; };", 11, "ledger.journal: \"syslog\" is not valid; allowed: auto, journald or file:"},
	/* rooms */
	{14, ROOM("Aquarium", "b@x.example", "2"), 14, "room 2: has the same name as room 1 (line 13)"},
	{14, ROOM("Boardroom", "A@X.example", "2"), 14, "room 2: has the same mailbox as room 1 (line 13)"},
	{14, ROOM("Boardroom", "b@x.example", "1"), 14, "room 2: has the same location as room 1 (line 13)"},
	{14, ROOM("B", "boardroom", "2"), 14, "room 2: mailbox: is not a mail address"},
	{14, ROOM("B", "a@b@c.example", "2"), 14, "room 2: mailbox: is not a mail address"},
	{14, ROOM("B", "a b@c.example", "2"), 14, "room 2: mailbox: is not a mail address"},
	{14, ROOM("B", "a@c..example", "2"), 14, "room 2: mailbox: is not a mail address"},
	/* the text as a whole */
	{11, "policy: { body = ; };", 11, "syntax error; look at the quotes"},
	{11, "site = \"again\";", 11, "duplicate setting name"},
	{11, "@include \"/etc/shadow\"", 11, "@include is not allowed"},
	{11, "  \t@include \"x\"", 11, "@include is not allowed"},
	{11, "# \xff", 0, "is not UTF-8 text"},
};
/* clang-format on */

static void
each_mistake(void **state)
{
	const struct mistake *m;
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		m = &mistakes[i];
		if (read_with(m->replace, m->with, &s) != NULL)
			fail_msg("accepted: %s", m->with);
		if (s.n != 1 || s.line[0] != m->line ||
		    strstr(s.text[0], m->says) == NULL)
			fail_msg("%s\n expected %u: %s\n got %u of them, "
				 "%u: %s",
			    m->with, m->line, m->says, s.n, s.line[0],
			    s.text[0]);
		assert_null(strstr(s.text[0], "hunter2"));
	}
}

/* A wrong configuration is reported whole, not up to the first mistake. */
static void
all_mistakes_at_once(void **state)
{
	struct seen s;

	(void)state;
	assert_null(read_with(5,
	    "page_size = 0; connections = 9; graph_url = \"x\"; };\n"
	    "policy: { subject = \"x\"; body = 0; };\n"
	    "state_dir = \"x\";",
	    &s));
	assert_int_equal(s.n, 6);
	s.n = 0;
	assert_int_equal(
	    conf_read("x", "", 0, &(struct conf *){NULL}, see, &s), -1);
	assert_int_equal(s.n, 5); /* tenant, client_id, url, login, person */
	for (unsigned i = 0; i < s.n; i++) {
		assert_int_equal(s.line[i], 0);
		assert_non_null(strstr(s.text[i], "is missing"));
	}
}

/* libconfig 1.5 would make 1 of it. */
static void
number_too_large(void **state)
{
	struct seen s;

	(void)state;
	assert_null(
	    read_with(11, "policy: { mass_cancel_limit = 4294967297; };", &s));
	assert_int_equal(s.n, 1);
	assert_int_equal(s.line[0], 11);
	assert_string_equal(s.text[0], "the number is too large");
}

static void
zero_byte(void **state)
{
	static const char text[] = "site = \"x\";\0site = 5;";
	struct conf *conf = NULL;
	struct seen s = {0};

	(void)state;
	assert_int_equal(
	    conf_read("x", text, sizeof(text) - 1, &conf, see, &s), -1);
	assert_int_equal(s.n, 1);
	assert_non_null(strstr(s.text[0], "zero bytes"));
}

static void
defaults(void **state)
{
	struct seen s;
	struct conf *c = read_with(0, NULL, &s);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->file, "test.conf");
	assert_string_equal(c->site, "Test");
	assert_string_equal(c->state_dir, ORB_STATEDIR);
	assert_string_equal(c->run_dir, ORB_RUNDIR);
	assert_string_equal(c->default_zone, "");
	assert_string_equal(c->exchange.kind, "graph");
	assert_string_equal(
	    c->exchange.scope, "https://graph.microsoft.com/.default");
	assert_string_equal(
	    c->exchange.graph_url.text, "https://graph.microsoft.com/v1.0");
	assert_string_equal(c->exchange.graph_url.path, "/v1.0");
	assert_string_equal(
	    c->exchange.login_url.host, "login.microsoftonline.com");
	assert_string_equal(c->exchange.login_url.path, "");
	assert_int_equal(c->exchange.login_url.port, 443);
	assert_int_equal(c->exchange.credential, CONF_CRED_CERTIFICATE);
	assert_int_equal(c->exchange.assertion_alg, CONF_ALG_PS256);
	assert_int_equal(c->exchange.up.connections, 4);
	assert_int_equal(c->exchange.up.poll_seconds, 60);
	assert_string_equal(c->exchange.up.proxy, "");
	assert_string_equal(c->exchange.up.proxy_url.host, "");
	assert_string_equal(c->topdesk.link_type, "7301");
	assert_string_equal(c->topdesk.cancel_reason, "");
	assert_int_equal(c->topdesk.list_top, 10000);
	assert_int_equal(c->policy.subject, CONF_SUBJECT_ORGANISER);
	assert_int_equal(c->policy.tentative, CONF_TENTATIVE_WAIT);
	assert_int_equal(c->policy.body, 0);
	assert_int_equal(c->policy.mass_cancel_limit, 20);
	assert_int_equal(c->policy.window_ahead_days, 180);
	assert_string_equal(c->keyd.kek, "credential:orb-kek");
	assert_string_equal(c->keyd.tpm_pcrs, "none");
	assert_string_equal(c->ledger.journal, "auto");
	assert_string_equal(c->users[ROLE_KEYD][UPSTREAM_NONE], "orb-keyd");
	assert_string_equal(
	    c->users[ROLE_ADAPTER][UPSTREAM_TOPDESK], "orb-fetchd-topdesk");
	assert_string_equal(
	    c->users[ROLE_HTTP][UPSTREAM_EXCHANGE], "orb-fetchd-exchange");
	assert_int_equal(c->nrooms, 2);
	assert_string_equal(c->rooms[1].name, "Boardroom");
	conf_free(c);
}

/* What is written in several ways is kept in one. */
static void
final_forms(void **state)
{
	struct seen s;
	struct conf *c = read_with(7,
	    "url = \"HTTPS://TD.Example:443/tas/api/\";\n"
	    "proxy = \"http://Proxy.example:3128\";\n"
	    "cancel_reason = \"ABCDEF00-0000-0000-0000-00000000000F\";\n"
	    "source_address = \"2001:db8::1\";",
	    &s);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->topdesk.url.text, "https://td.example/tas/api");
	assert_string_equal(c->topdesk.url.host, "td.example");
	assert_int_equal(c->topdesk.url.port, 443);
	assert_string_equal(c->topdesk.url.path, "/tas/api");
	assert_string_equal(c->topdesk.up.proxy, "http://proxy.example:3128");
	assert_string_equal(c->topdesk.up.proxy_url.host, "proxy.example");
	assert_int_equal(c->topdesk.up.proxy_url.port, 3128);
	assert_string_equal(
	    c->topdesk.cancel_reason, "abcdef00-0000-0000-0000-00000000000f");
	conf_free(c);

	c = read_with(7, "url = \"https://[::1]:8443/tas/api\";", &s);
	assert_non_null(c);
	assert_string_equal(c->topdesk.url.text, "https://[::1]:8443/tas/api");
	assert_string_equal(c->topdesk.url.host, "::1");
	assert_int_equal(c->topdesk.url.port, 8443);
	conf_free(c);
}

/* No rooms is "not configured yet", not a mistake; a zone may come from above. */
static void
no_rooms_and_default_zone(void **state)
{
	static const char text[] =
	    "default_zone = \"UTC\"; exchange: { tenant = \"t\"; client_id = "
	    "\"" U(
		"1") "\"; }; topdesk: { url = \"https://t/tas/api\"; login = "
		     "\"o\"; fallback_person = \"" U("2") "\"; };%s";
	char all[1024];
	struct conf *c;
	struct seen s = {0};

	(void)state;
	snprintf(all, sizeof(all), text, "");
	assert_int_equal(conf_read("x", all, strlen(all), &c, see, &s), 0);
	assert_int_equal(c->nrooms, 0);
	conf_free(c);
	snprintf(all, sizeof(all), text, "rooms = ();");
	assert_int_equal(conf_read("x", all, strlen(all), &c, see, &s), 0);
	assert_int_equal(c->nrooms, 0);
	conf_free(c);
	snprintf(all, sizeof(all), text,
	    "rooms = ( { name = \"A\"; mailbox = \"A@b.example\"; location = "
	    "\"" U("3") "\"; } );");
	assert_int_equal(conf_read("x", all, strlen(all), &c, see, &s), 0);
	assert_string_equal(c->rooms[0].zone, "UTC");
	assert_string_equal(c->rooms[0].mailbox, "a@b.example");
	conf_free(c);
}

static void
nearest(void **state)
{
	static const char *const names[] = {"site", "state_dir", "rooms"};

	(void)state;
	assert_string_equal(conf_nearest("rooom", names, 3), "rooms");
	assert_string_equal(conf_nearest("statedir", names, 3), "state_dir");
	assert_string_equal(conf_nearest("iste", names, 3), "site");
	assert_null(conf_nearest("exchange", names, 3));
	assert_null(conf_nearest("", names, 3));
}

/* --- the file ------------------------------------------------------------- */

static char dir[] = "/tmp/orb-test-conf-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/orb.conf", dir);
	return 0;
}

static int
drop_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void
write_file(mode_t mode)
{
	FILE *f;

	unlink(path);
	assert_non_null(f = fopen(path, "we"));
	for (size_t i = 0; i < VALID_LEN; i++)
		fprintf(f, "%s\n", valid[i]);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void
file_refused(const char *says)
{
	struct conf *c = NULL;
	struct seen s = {0};

	assert_int_equal(conf_load(path, &c, see, &s), -1);
	assert_null(c);
	assert_int_equal(s.n, 1);
	if (strstr(s.text[0], says) == NULL)
		fail_msg("expected %s, got %s", says, s.text[0]);
}

static void
file_checks(void **state)
{
	struct conf *c;
	struct seen s = {0};

	(void)state;
	write_file(0644);
	assert_int_equal(conf_load(path, &c, see, &s), 0);
	assert_string_equal(c->file, path);
	conf_free(c);
	write_file(0664);
	file_refused("can be written by others than its owner (mode 664)");
	write_file(0646);
	file_refused("allowed: chmod go-w");
	if (geteuid() == 0) {
		write_file(0644);
		assert_int_equal(chown(path, 65534, (gid_t)-1), 0);
		file_refused("belongs to user 65534; allowed: root");
	}
	unlink(path);
	file_refused("cannot be opened: No such file");
	assert_int_equal(mkfifo(path, 0600), 0);
	file_refused("is not a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	file_refused("is not a regular file");
	assert_int_equal(rmdir(path), 0);
}

/* The example that is installed must be one that works. */
/* What dial may connect to, and keyd give leases for. */
static void
hosts(void **state)
{
	static const char head[] = "exchange: { kind = \"%s\"; %s };";
	static const char rest[] =
	    "topdesk: { url = \"https://td.example/tas/api\"; login = \"O\";"
	    " fallback_person = \"" U("b") "\"; }; rooms = ();";
	const char *graph = "tenant = \"t\"; client_id = \"" U(
	    "a") "\"; "
		 "ews_url = \"https://no.example\"";
	const char *ews =
	    "ews_url = \"https://mail.example:8443/EWS/Exchange.asmx\"; "
	    "ews_login = \"X\\\\orb\"";
	struct conf *c = NULL;
	struct seen s = {0};
	char text[1200];
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), head, "graph", graph);
	strcpy(text + n, rest);
	if (conf_read("t", text, strlen(text), &c, see, &s))
		fail_msg("line %u: %s", s.line[0], s.text[0]);
	assert_int_equal(conf_is_ews(c), 0);
	assert_string_equal(
	    conf_api_url(c, UPSTREAM_EXCHANGE)->host, "graph.microsoft.com");
	assert_string_equal(conf_login_url(c, UPSTREAM_EXCHANGE)->host,
	    "login.microsoftonline.com");
	conf_free(c);

	n = snprintf(text, sizeof(text), head, "ews", ews);
	strcpy(text + n, rest);
	if (conf_read("t", text, strlen(text), &c, see, &s))
		fail_msg("line %u: %s", s.line[0], s.text[0]);
	assert_int_equal(conf_is_ews(c), 1);
	assert_string_equal(
	    conf_api_url(c, UPSTREAM_EXCHANGE)->host, "mail.example");
	assert_int_equal(conf_api_url(c, UPSTREAM_EXCHANGE)->port, 8443);
	assert_string_equal(
	    conf_api_url(c, UPSTREAM_EXCHANGE)->path, "/EWS/Exchange.asmx");
	assert_null(conf_login_url(c, UPSTREAM_EXCHANGE));
	assert_string_equal(c->exchange.ews_login, "X\\orb");
	assert_string_equal(
	    conf_api_url(c, UPSTREAM_TOPDESK)->host, "td.example");
	assert_null(conf_login_url(c, UPSTREAM_TOPDESK));
	conf_free(c);
}

static void
example_loads(void **state)
{
	const char *top = getenv("ORB_TOP");
	char file[1024], *text = NULL;
	struct conf *c = NULL;
	struct seen s = {0};
	size_t len = 0;
	FILE *f;

	(void)state;
	snprintf(file, sizeof(file), "%s/doc/orb.conf.example",
	    top ? top : TOP_SRCDIR);
	/* Read here: the source tree need not belong to who runs the tests. */
	assert_non_null(f = fopen(file, "re"));
	assert_true(getdelim(&text, &len, '\0', f) > 0);
	fclose(f);
	if (conf_read(file, text, strlen(text), &c, see, &s))
		fail_msg("line %u: %s", s.line[0], s.text[0]);
	assert_int_equal(c->nrooms, 2);
	assert_string_equal(c->rooms[0].zone, "Europe/Amsterdam");
	conf_free(c);
	free(text);
}

/* 200 rooms: nobody should wait for it.  Well under 10 ms; the bound is loose,
 * for valgrind and sanitizers. */
static void
two_hundred_rooms(void **state)
{
	char *all = malloc(200000), *p = all;
	struct timespec a, b;
	struct conf *c;
	struct seen s = {0};
	double ms;

	(void)state;
	for (size_t i = 0; i < 11; i++)
		p += sprintf(p, "%s\n", valid[i]);
	p += sprintf(p, "rooms = (");
	for (int i = 0; i < 200; i++)
		p += sprintf(p,
		    "%s{ name = \"Room %d\"; mailbox = "
		    "\"room%d@x.example\"; location = "
		    "\"00000000-0000-0000-0000-%012d\"; zone = "
		    "\"%s\"; }\n",
		    i ? "," : "", i, i, i,
		    i % 2 ? "Europe/Amsterdam" : "Europe/London");
	p += sprintf(p, ");\n");
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(
	    conf_read("x", all, (size_t)(p - all), &c, see, &s), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(c->nrooms, 200);
	assert_string_equal(c->rooms[199].name, "Room 199");
	conf_free(c);
	free(all);
	ms = (double)(b.tv_sec - a.tv_sec) * 1e3 +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	print_message("# 200 rooms in %.2f ms\n", ms);
	assert_true(ms < 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_mistake),
	    cmocka_unit_test(all_mistakes_at_once),
	    cmocka_unit_test(number_too_large),
	    cmocka_unit_test(zero_byte),
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(final_forms),
	    cmocka_unit_test(no_rooms_and_default_zone),
	    cmocka_unit_test(nearest),
	    cmocka_unit_test_setup_teardown(file_checks, make_dir, drop_dir),
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(example_loads),
	    cmocka_unit_test(two_hundred_rooms),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
