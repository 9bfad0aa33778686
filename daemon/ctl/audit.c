/*
 * audit.c: orbctl audit tail: the audit log, for reading.
 *
 * Not here: which records a person wants (audit_pick.c), what the account was
 * used for (audit_account.c), what proves the log (audit_export.c).
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/audit_pick.h"
#include "ctl/ctl.h"

#define DEADLINE 120000 /* ms */
#define LAST UINT64_MAX /* LEDGERD_TAIL.from: the last count records */
#define DEFAULT_LINES 20
#define LINES_MAX 1000000

static const char usage[] =
    "audit tail [-n N] [-f] [--since TIME] [--until TIME] [--room ROOM]\n"
    "           [--event EVENT] [--booking ID] [--upstream exchange|topdesk]\n"
    "           [--process NAME] [--lease N]\n"
    "       orbctl audit account [--since TIME] [--until TIME] "
    "[exchange|topdesk]\n"
    "       orbctl audit key | checkpoints | export DIRECTORY\n"
    "       orbctl audit prove INDEX|BOOKING DIRECTORY";

struct audit {
	struct ctl *ctl;
	uint32_t lines;
	int follow;
	int all; /* with --since, without -n: as many as there are */
	struct audit_pick pick;
	char **kept; /* the last ones, while more is looked for */
	uint64_t nkept;
};

/* "2026-12-01 11:00:00.123", local. */
static void
time_of(const json_t *r, char *buf, size_t size)
{
	int64_t ns = audit_realtime(r);
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n;

	if (localtime_r(&t, &tm) == NULL) {
		snprintf(buf, size, "-");
		return;
	}
	n = strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%03d", (int)(ns / 1000000 % 1000));
}

/* What a peer said, without what could drive the terminal. */
static void
print_harmless(const char *s, int width)
{
	int n = 0;

	for (; *s; s++, n++)
		putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	for (; n < width; n++)
		putchar(' ');
}

static void
print_line(const struct audit *a, const json_t *r)
{
	const char *up = audit_text(r, "upstream"),
		   *remote = audit_text(r, "remote");
	char at[40], booking[9];

	time_of(r, at, sizeof(at));
	printf("%s%s %8lld%s  ", a->ctl->colour ? "\033[2m" : "", at,
	    (long long)json_integer_value(json_object_get(r, "index")),
	    a->ctl->colour ? "\033[0m" : "");
	print_harmless(audit_text(r, "process"), 14);
	putchar(' ');
	print_harmless(audit_text(r, "event"), 20);
	putchar(' ');
	print_harmless(
	    *audit_text(r, "room") ? audit_text(r, "room") : "-", 12);
	putchar(' ');
	snprintf(booking, sizeof(booking), "%s",
	    *audit_text(r, "booking") ? audit_text(r, "booking") : "-");
	print_harmless(booking, 8);
	putchar(' ');
	if (*up && strstr(audit_text(r, "process"), up) == NULL) {
		print_harmless(up, 0);
		putchar(' ');
	}
	if (*remote) {
		print_harmless(remote, 0);
		putchar(' ');
	}
	if (json_object_get(r, "status"))
		printf("%lld ",
		    (long long)json_integer_value(
			json_object_get(r, "status")));
	print_harmless(audit_text(r, "text"), 0);
	putchar('\n');
}

static void
print_record(const struct audit *a, const char *text)
{
	json_t *r;

	if (a->ctl->output == CTL_JSON) {
		puts(text);
	} else if ((r = json_loads(text, 0, NULL)) != NULL) {
		print_line(a, r);
		json_decref(r);
	} else
		ctl_error(0, "a record is no JSON; the log is damaged");
	if (a->follow)
		fflush(stdout);
}

static int
wanted(const struct audit *a, const char *text)
{
	json_t *r;
	int is;

	if (!audit_pick_any(&a->pick))
		return 1;
	if ((r = json_loads(text, 0, NULL)) == NULL)
		return 0;
	is = audit_pick_wants(&a->pick, r);
	json_decref(r);
	return is;
}

static int
on_record(struct packet *pk, void *arg)
{
	struct audit *a = arg;
	struct msg_ctl_record m;
	char text[4097], **slot;

	if (pk->type != MSG_CTL_RECORD || ctl_record_get(pk, &m))
		return -1;
	memcpy(text, m.canonical.p, m.canonical.len);
	text[m.canonical.len] = '\0';
	if (!wanted(a, text))
		return 0;
	if (a->kept == NULL) {
		print_record(a, text);
		return 0;
	}
	slot = &a->kept[a->nkept++ % a->lines];
	free(*slot);
	*slot = strdup(text);
	return 0;
}

static int
ask(struct audit *a, uint64_t from, uint32_t count, int follow, uint64_t *sent)
{
	struct msg_ledgerd_tail m = {from, count, (uint8_t)follow};
	struct chan *c = a->ctl->chan;
	uint64_t id;

	if (c == NULL) /* gone since the search */
		return ctl_error(CTL_NOT_RUNNING, "ledgerd is not running");
	id = ctl_ask(a->ctl, c, follow ? 0 : DEADLINE, on_record, a);
	if (ledgerd_tail_send(c, id, 0, &m))
		return ctl_error(CTL_FAILED, "ledgerd takes no request");
	return ctl_wait(a->ctl, sent);
}

/* The last lines that match: the whole log is read, the last ones are kept. */
static int
search(struct audit *a, uint64_t *end)
{
	char *text;
	int rc;

	if ((a->kept = calloc(a->lines, sizeof(*a->kept))) == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	rc = ask(a, 0, 0, 0, end);
	for (uint64_t i = a->nkept > a->lines ? a->nkept - a->lines : 0;
	     rc == 0 && i < a->nkept; i++)
		if ((text = a->kept[i % a->lines]) != NULL)
			print_record(a, text);
	for (uint32_t i = 0; i < a->lines; i++)
		free(a->kept[i]);
	free(a->kept);
	a->kept = NULL;
	return rc;
}

static int
tail(struct audit *a)
{
	struct chan *c;
	uint64_t end = 0;
	int rc = ctl_connect(a->ctl, ROLE_LEDGERD, &c);

	if (rc)
		return rc;
	if (a->all)
		return ask(a, 0, 0, a->follow, NULL);
	if (!audit_pick_any(&a->pick))
		return ask(a, LAST, a->lines, a->follow, NULL);
	if (a->lines > 0 && (rc = search(a, &end)) != 0)
		return rc;
	if (!a->follow)
		return CTL_OK;
	return a->lines > 0 ? ask(a, end, 0, 1, NULL)
			    : ask(a, LAST, 0, 1, NULL);
}

static int
count_of(const char *s, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || n > LINES_MAX)
		return -1;
	*out = (uint32_t)n;
	return 0;
}

/* Reads the options of tail; an exit code. */
static int
tail_options(struct audit *a, int argc, char **argv)
{
	static const struct option options[] = {
	    {"lines", required_argument, NULL, 'n'},
	    {"follow", no_argument, NULL, 'f'},
	    {"since", required_argument, NULL, 's'},
	    {"until", required_argument, NULL, 'u'},
	    {"room", required_argument, NULL, 'r'},
	    {"event", required_argument, NULL, 'e'},
	    {"booking", required_argument, NULL, 'b'},
	    {"upstream", required_argument, NULL, 'U'},
	    {"process", required_argument, NULL, 'p'},
	    {"lease", required_argument, NULL, 'l'},
	    {NULL, 0, NULL, 0},
	};
	int o, rc, counted = 0;

	optind = 0;
	while ((o = getopt_long(argc, argv, "n:f", options, NULL)) != -1) {
		if (o == 'f')
			a->follow = 1;
		else if (o == 'n') {
			if (count_of(optarg, &a->lines))
				return ctl_usage(usage);
			counted = 1;
		} else if ((rc = audit_pick_option(&a->pick, o, optarg)) != 0)
			return rc < 0 ? ctl_usage(usage) : rc;
	}
	if (optind != argc)
		return ctl_usage(usage);
	if (a->follow && a->pick.until)
		return ctl_error(CTL_USAGE,
		    "--until and -f contradict each other: leave one out");
	a->all = a->pick.since && !counted;
	return audit_pick_check(&a->pick);
}

int
ctl_audit(struct ctl *ctl, int argc, char **argv)
{
	struct audit a = {.ctl = ctl, .lines = DEFAULT_LINES};
	int rc;

	if (argc == 2 && strcmp(argv[1], "key") == 0)
		return ctl_audit_key(ctl);
	if (argc == 2 && strcmp(argv[1], "checkpoints") == 0)
		return ctl_audit_checkpoints(ctl);
	if (argc == 3 && strcmp(argv[1], "export") == 0)
		return ctl_audit_export(ctl, argv[2]);
	if (argc == 4 && strcmp(argv[1], "prove") == 0)
		return ctl_audit_prove(ctl, argv[2], argv[3]);
	if (argc >= 2 && strcmp(argv[1], "account") == 0) {
		rc = ctl_audit_account(ctl, argc - 1, argv + 1);
		return rc < 0 ? ctl_usage(usage) : rc;
	}
	if (argc < 2 || strcmp(argv[1], "tail") != 0)
		return ctl_usage(usage);
	if ((rc = tail_options(&a, argc - 1, argv + 1)) != CTL_OK)
		return rc;
	rc = tail(&a);
	return fflush(stdout) && rc == 0 ? ctl_error(CTL_FAILED, "cannot write")
					 : rc;
}
