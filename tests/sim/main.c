/*
 * orb-sim: Exchange Online (token endpoint and Graph), Exchange on-premises (EWS)
 * and TOPdesk, simulated over one store in memory.
 *
 * main.c: arguments, the secrets of this run, start and end.  sim.json is
 * written last and by rename, so that its being there means "listening".
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cert.h"
#include "control.h"
#include "ews.h"
#include "http.h"
#include "random.h"
#include "topdesk.h"

static const char *dir, *bind_to = "127.0.0.1", *names, *control_text;
static int ports[LISTENERS];
static enum tls_mode tls_mode;

static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
    {"bind", required_argument, NULL, 'b'},
    {"login-port", required_argument, NULL, 'l'},
    {"graph-port", required_argument, NULL, 'g'},
    {"topdesk-port", required_argument, NULL, 't'},
    {"ews-port", required_argument, NULL, 'e'},
    {"names", required_argument, NULL, 'n'},
    {"tls", required_argument, NULL, 's'},
    {"control", required_argument, NULL, 'c'},
    {"seed", required_argument, NULL, 'r'}, {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static void
usage(int status)
{
	fprintf(status ? stderr : stdout,
	    "usage: orb-sim --dir DIR "
	    "[--bind ADDRESS] [--login-port N] [--graph-port N]\n"
	    "               [--topdesk-port N] [--ews-port N] "
	    "[--names NAME,...] "
	    "[--quiet]\n"
	    "               [--tls good|selfsigned|wronghost|expired]\n"
	    "               [--seed TEXT (benches and tests: no secret is "
	    "one)]\n"
	    "       orb-sim --dir DIR --control JSON\n");
	exit(status);
}

static int
number(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (*end != '\0' || n < 0 || n > 65535)
		usage(2);
	return (int)n;
}

static void
arguments(int argc, char **argv)
{
	static const char *const modes[] = {
	    "good", "selfsigned", "wronghost", "expired"};
	int c, i;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'd':
			dir = optarg;
			break;
		case 'b':
			bind_to = optarg;
			break;
		case 'l':
			ports[LOGIN] = number(optarg);
			break;
		case 'g':
			ports[GRAPH] = number(optarg);
			break;
		case 't':
			ports[TOPDESK] = number(optarg);
			break;
		case 'e':
			ports[EWS] = number(optarg);
			break;
		case 'n':
			names = optarg;
			break;
		case 'c':
			control_text = optarg;
			break;
		case 'r':
			random_seed(optarg);
			break;
		case 'q':
			settings.quiet = 1;
			break;
		case 's':
			for (i = 0; i < 4; i++)
				if (strcmp(modes[i], optarg) == 0)
					break;
			if (i == 4)
				usage(2);
			tls_mode = (enum tls_mode)i;
			break;
		case 'h':
			usage(0);
			break;
		default:
			usage(2);
		}
	if (dir == NULL || optind != argc)
		usage(2);
}

static char *
secret_new(size_t n)
{
	unsigned char raw[64];
	char *s = zalloc(n * 2), *p;

	random_fill(RANDOM_KEY, raw, n);
	base64(s, raw, n);
	for (p = s; *p != '\0'; p++) /* characters that need escaping, too */
		*p = *p == '/' ? '~' : *p == '=' ? '.' : *p;
	return s;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	char *fresh = text_print("%s.new", path);
	int fd;
	FILE *f;

	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL)
		err(1, "%s", fresh);
	if (fputs(text, f) == EOF || fclose(f) != 0 ||
	    rename(fresh, path) == -1)
		err(1, "%s", path);
	free(fresh);
}

static char *
uuid(void)
{
	char *s = zalloc(37);

	uuid_new(s);
	return s;
}

static void
secrets_make(void)
{
	char *pair, *b64;

	settings.tenant = uuid();
	settings.client_id = uuid();
	settings.client_secret = secret_new(30);
	settings.service_mailbox = text_dup("orb@sim.test");
	settings.token_lifetime = 3599;
	topdesk.login = text_dup("ORB-API");
	topdesk.password = secret_new(40);
	ews_account.login = text_dup("SIM\\svc-orb");
	ews_account.password = secret_new(24);
	ews_account.sync_state_bytes = 600;
	pair = text_print("%s:%s", topdesk.login, topdesk.password);
	b64 = zalloc(strlen(pair) * 2);
	base64(b64, (unsigned char *)pair, strlen(pair));
	topdesk.authorization = text_print("Basic %s", b64);
	free(pair);
	free(b64);
}

static void
listen_all(void)
{
	char *ca = text_print("%s/ca.pem", dir), *key, *chain;
	int i;

	if (cert_make(ca, tls_mode, names, &key, &chain) == -1)
		errx(1, "cannot make certificates");
	for (i = 0; i < LISTENERS; i++)
		if (http_start(
			(enum listener)i, bind_to, ports[i], key, chain) == -1)
			errx(1, "cannot listen for %s", listener_names[i]);
	settings.login_url =
	    text_print("https://localhost:%d", listening[LOGIN].port);
	settings.graph_url =
	    text_print("https://localhost:%d/v1.0", listening[GRAPH].port);
	settings.topdesk_url =
	    text_print("https://localhost:%d/tas/api", listening[TOPDESK].port);
	settings.ews_url = text_print(
	    "https://localhost:%d/EWS/Exchange.asmx", listening[EWS].port);
	settings.trap_url =
	    text_print("https://localhost:%d", listening[TRAP].port);
	memset(key, 0, strlen(key));
	free(key);
	free(chain);
	free(ca);
}

static void
announce(void)
{
	char *path = text_print("%s/sim.json", dir), *text, *at, *s1, *s2, *s3;
	json_t *o;

	s1 = text_print("%s/client_secret", dir);
	s2 = text_print("%s/topdesk_password", dir);
	write_file(s1, settings.client_secret, 0600);
	s3 = text_print("%s/ews_password", dir);
	write_file(s2, topdesk.password, 0600);
	write_file(s3, ews_account.password, 0600);
	o = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:s,s:s,s:s,s:i}",
	    "login_url", settings.login_url, "graph_url", settings.graph_url,
	    "topdesk_url", settings.topdesk_url, "trap_url", settings.trap_url,
	    "ca_file", json_sprintf("%s/ca.pem", dir), "control",
	    json_sprintf("%s/control.sock", dir), "tenant", settings.tenant,
	    "client_id", settings.client_id, "client_secret", s1,
	    "topdesk_login", topdesk.login, "topdesk_password", s2, "pid",
	    (int)getpid());
	json_object_set_new(o, "ews_url", json_string(settings.ews_url));
	json_object_set_new(o, "ews_login", json_string(ews_account.login));
	json_object_set_new(o, "ews_password", json_string(s3));
	text = json_dumps(o, JSON_INDENT(1));
	at = text_print("%s\n", text);
	write_file(path, at, 0644);
	json_decref(o);
	free(text);
	free(at);
	free(path);
	free(s1);
	free(s2);
	free(s3);
}

static void
settings_free(void)
{
	free(settings.tenant);
	free(settings.client_id);
	free(settings.client_secret);
	free(settings.login_url);
	free(settings.graph_url);
	free(settings.topdesk_url);
	free(settings.trap_url);
	free(settings.ews_url);
	free(ews_account.login);
	free(ews_account.password);
	free(settings.service_mailbox);
}

/* orb-sim --control: one command to a running simulator. */
static int
control_once(const char *text)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char buf[8192];
	ssize_t n;
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ok = 1;

	if (snprintf(un.sun_path, sizeof(un.sun_path), "%s/control.sock",
		dir) >= (int)sizeof(un.sun_path))
		errx(1, "the path of --dir is too long");
	if (s == -1 || connect(s, (struct sockaddr *)&un, sizeof(un)) == -1)
		err(1, "%s", un.sun_path);
	if (dprintf(s, "%s\n", text) < 0 || shutdown(s, SHUT_WR) == -1)
		err(1, "control");
	for (int first = 1; (n = read(s, buf, sizeof(buf))) > 0; first = 0) {
		if (first && n > 10 &&
		    memmem(buf, n < 40 ? (size_t)n : 40, "\"error\":", 8) !=
			NULL)
			ok = 0;
		(void)fwrite(buf, 1, (size_t)n, stdout);
	}
	(void)close(s);
	return ok ? 0 : 1;
}

int
main(int argc, char **argv)
{
	char real[PATH_MAX];

	arguments(argc, argv);
	if (control_text != NULL)
		return control_once(control_text);
	(void)umask(022); /* ca.pem and sim.json are for anyone */
	if (mkdir(dir, 0755) == -1 && access(dir, W_OK) == -1)
		err(1, "%s", dir);
	if (realpath(dir, real) == NULL)
		err(1, "%s", dir);
	dir = real;
	(void)signal(SIGPIPE, SIG_IGN);
	exchange_start();
	topdesk_start();
	secrets_make();
	control_open(dir); /* blocks the signals before threads start */
	token_start();
	later_start();
	listen_all();
	announce();
	if (!settings.quiet)
		printf("orb-sim: listening; see %s/sim.json\n", dir);
	(void)fflush(stdout);
	control_run();
	http_end();
	later_end();
	control_close();
	fault_clear();
	violations_clear();
	token_end();
	certificates_end();
	mail_reset();
	exchange_end();
	topdesk_end();
	zone_end();
	settings_free();
	return 0;
}
