/*
 * audit.c: orbctl audit tail: the audit log, for reading.
 *
 * ledgerd sends whole records; --room and --event are looked at here, so that
 * nothing a person types is parsed by the log's writer.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"

#define DEADLINE 120000 /* ms */
#define LAST UINT64_MAX /* LEDGERD_TAIL.from: the last count records */
#define DEFAULT_LINES 20
#define LINES_MAX 1000000

static const char usage[] =
    "audit tail [-n N] [-f] [--room ROOM] [--event EVENT]\n"
    "       orbctl audit key | checkpoints | export DIRECTORY\n"
    "       orbctl audit prove INDEX|BOOKING DIRECTORY";

struct audit {
	struct ctl *ctl;
	uint32_t lines;
	int follow;
	const char *room, *event;
	char **kept; /* the last ones, while --room or --event looks for more */
	uint64_t nkept;
};

static const char *
member(const json_t *r, const char *name)
{
	const char *s = json_string_value(json_object_get(r, name));

	return s ? s : "";
}

/* "2026-12-01 11:00:00.123", local. */
static void
time_of(const json_t *r, char *buf, size_t size)
{
	int64_t ns = strtoll(member(r, "realtime"), NULL, 10);
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
	const char *up = member(r, "upstream"), *remote = member(r, "remote");
	char at[40], booking[9];

	time_of(r, at, sizeof(at));
	printf("%s%s %8lld%s  ", a->ctl->colour ? "\033[2m" : "", at,
	    (long long)json_integer_value(json_object_get(r, "index")),
	    a->ctl->colour ? "\033[0m" : "");
	print_harmless(member(r, "process"), 14);
	putchar(' ');
	print_harmless(member(r, "event"), 20);
	putchar(' ');
	print_harmless(*member(r, "room") ? member(r, "room") : "-", 12);
	putchar(' ');
	snprintf(booking, sizeof(booking), "%s",
	    *member(r, "booking") ? member(r, "booking") : "-");
	print_harmless(booking, 8);
	putchar(' ');
	if (*up && strstr(member(r, "process"), up) == NULL) {
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
	print_harmless(member(r, "text"), 0);
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

	if (a->room == NULL && a->event == NULL)
		return 1;
	if ((r = json_loads(text, 0, NULL)) == NULL)
		return 0;
	is = (a->room == NULL || strcmp(member(r, "room"), a->room) == 0) &&
	    (a->event == NULL || strcmp(member(r, "event"), a->event) == 0);
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
	if (a->room == NULL && a->event == NULL)
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

int
ctl_audit(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
	    {"lines", required_argument, NULL, 'n'},
	    {"follow", no_argument, NULL, 'f'},
	    {"room", required_argument, NULL, 'r'},
	    {"event", required_argument, NULL, 'e'},
	    {NULL, 0, NULL, 0},
	};
	struct audit a = {.ctl = ctl, .lines = DEFAULT_LINES};
	int o, rc;

	if (argc == 2 && strcmp(argv[1], "key") == 0)
		return ctl_audit_key(ctl);
	if (argc == 2 && strcmp(argv[1], "checkpoints") == 0)
		return ctl_audit_checkpoints(ctl);
	if (argc == 3 && strcmp(argv[1], "export") == 0)
		return ctl_audit_export(ctl, argv[2]);
	if (argc == 4 && strcmp(argv[1], "prove") == 0)
		return ctl_audit_prove(ctl, argv[2], argv[3]);
	if (argc < 2 || strcmp(argv[1], "tail") != 0)
		return ctl_usage(usage);
	optind = 0;
	while (
	    (o = getopt_long(argc - 1, argv + 1, "n:f", options, NULL)) != -1) {
		if (o == 'f')
			a.follow = 1;
		else if (o == 'r')
			a.room = optarg;
		else if (o == 'e')
			a.event = optarg;
		else if (o != 'n' || count_of(optarg, &a.lines))
			return ctl_usage(usage);
	}
	if (optind != argc - 1)
		return ctl_usage(usage);
	rc = tail(&a);
	return fflush(stdout) && rc == 0 ? ctl_error(CTL_FAILED, "cannot write")
					 : rc;
}
