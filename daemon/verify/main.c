/*
 * main.c: orb-verify: checks an export of the audit log, or a proof of one
 * record, offline, with nothing but the public key.
 *
 * It shares no code with the daemons: what they write is read here by other
 * code, made from daemon/ledgerd/FORMAT.  Order: read arguments and the small
 * files they name, open the export, give up all rights, only then parse.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "verify/check.h"
#include "verify/confine.h"
#include "verify/proof.h"
#include "verify/stream.h"
#include "verify/tree.h"

#define KEPT_MAX 1024
#define KEPT_BYTES (1024 * 1024) /* of one file: some 3,000 checkpoints */
#define CLOCK_STEP 5
#define CLOCK_STEP_MAX 86400
#define SECOND INT64_C(1000000000)

enum { STATUS_USAGE = 2, STATUS_UNREADABLE = 3 };

struct bytes {
	const char *name;
	uint8_t *p;
	size_t n;
};

struct arguments {
	const char *key_text, *key_file, *proof, *source;
	const char *kept[KEPT_MAX];
	size_t nkept;
	uint64_t since;
	int64_t clock_step;
	int json;
};

/* What was read before the rights went. */
struct input {
	int dir;
	const char *key_source;
	int key_unproven;
	struct bytes key, proof;
	struct bytes kept[KEPT_MAX];
};

static const char usage[] =
    "usage: orb-verify [--key KEY | --key-file FILE] [--checkpoint FILE]...\n"
    "                  [--since INDEX] [--clock-step SECONDS]\n"
    "                  [--output=text|json] DIR\n"
    "       orb-verify --proof FILE (--key KEY | --key-file FILE)\n"
    "                  [--output=text|json]\n";

static _Noreturn void
usage_error(const char *why, const char *what)
{
	fprintf(stderr, "orb-verify: %s%s%s\n%s", why, what ? ": " : "",
	    what ? what : "", usage);
	exit(STATUS_USAGE);
}

static _Noreturn void
unreadable(const char *what, const char *why)
{
	fprintf(stderr, "orb-verify: %s: %s\n", what, why);
	exit(STATUS_UNREADABLE);
}

/* --- arguments --------------------------------------------------------------------- */

static uint64_t
number(const char *s, uint64_t most, const char *option)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || v > most)
		usage_error("not a number that this option can have", option);
	return v;
}

static void
option(struct arguments *a, int c, char *arg)
{
	switch (c) {
	case 'k':
		a->key_text = arg;
		break;
	case 'K':
		a->key_file = arg;
		break;
	case 'p':
		a->proof = arg;
		break;
	case 's':
		a->since = number(arg, UINT64_C(1) << 53, "--since");
		break;
	case 't':
		if (strcmp(arg, "0") == 0) /* two clocks are never one */
			usage_error("at least 1", "--clock-step");
		a->clock_step =
		    (int64_t)number(arg, CLOCK_STEP_MAX, "--clock-step") *
		    SECOND;
		break;
	case 'c':
		if (a->nkept == KEPT_MAX)
			usage_error("too many checkpoints, put them into one "
				    "file",
			    NULL);
		a->kept[a->nkept++] = arg;
		break;
	case 'o':
		if (strcmp(arg, "text") != 0 && strcmp(arg, "json") != 0)
			usage_error("--output is text or json, not", arg);
		a->json = *arg == 'j';
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	case 'V':
		puts("orb-verify " PACKAGE_VERSION);
		exit(0);
	default:
		fputs(usage, stderr);
		exit(STATUS_USAGE);
	}
}

static void
parse_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
	    {"key", required_argument, NULL, 'k'},
	    {"key-file", required_argument, NULL, 'K'},
	    {"proof", required_argument, NULL, 'p'},
	    {"since", required_argument, NULL, 's'},
	    {"clock-step", required_argument, NULL, 't'},
	    {"checkpoint", required_argument, NULL, 'c'},
	    {"output", required_argument, NULL, 'o'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	int c;

	a->clock_step = CLOCK_STEP * SECOND;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		option(a, c, optarg);
	if (a->key_text && a->key_file)
		usage_error("--key and --key-file: one of the two", NULL);
	if (a->proof && (argc != optind || a->nkept || a->since))
		usage_error("--proof goes with a key and --output only", NULL);
	if (a->proof && !a->key_text && !a->key_file)
		usage_error("--proof needs the key", NULL);
	if (!a->proof && argc - optind != 1)
		usage_error("one directory must be named", NULL);
	a->source = a->proof ? a->proof : argv[optind];
}

/* --- before the rights go ------------------------------------------------------------- */

/* All of a file that the command line names; room for one byte more. */
static struct bytes
slurp(const char *name, size_t most)
{
	struct bytes b = {name, malloc(most + 2), 0};
	FILE *f = fopen(name, "re");

	if (f == NULL)
		unreadable(name, strerror(errno));
	if (b.p == NULL)
		unreadable(name, "no memory");
	b.n = fread(b.p, 1, most + 1, f);
	if (ferror(f))
		unreadable(name, strerror(errno));
	if (b.n > most)
		unreadable(name, "too large to be what it should be");
	fclose(f);
	return b;
}

static void
take_key(const struct arguments *a, struct input *in)
{
	size_t n;

	if (a->key_file) {
		in->key = slurp(a->key_file, KEY_TEXT_MAX);
		in->key_source = a->key_file;
		return;
	}
	if (a->key_text == NULL) {
		in->key_unproven = 1;
		in->key_source = "from the export itself";
		return;
	}
	n = strlen(a->key_text);
	in->key.p = (uint8_t *)strdup(a->key_text);
	in->key.n = n;
	in->key_source = "from the command line";
}

static void
open_input(const struct arguments *a, struct input *in)
{
	in->dir = -1;
	take_key(a, in);
	if (a->proof) {
		in->proof = slurp(a->proof, PROOF_MAX);
		return;
	}
	for (size_t i = 0; i < a->nkept; i++)
		in->kept[i] = slurp(a->kept[i], KEPT_BYTES);
	in->dir = open(a->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->dir < 0)
		unreadable(a->source, strerror(errno));
}

/* No configuration of OpenSSL's: what checks is what was linked, and no file
 * has to be read for it later. */
static void
open_crypto(void)
{
	EVP_SIGNATURE *ed25519;

	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) ||
	    tree_open() ||
	    (ed25519 = EVP_SIGNATURE_fetch(NULL, "ED25519", NULL)) == NULL)
		unreadable("libcrypto", "it has no SHA-256 or no Ed25519");
	EVP_SIGNATURE_free(ed25519);
}

/* --- after -------------------------------------------------------------------------------- */

static void
read_key(struct input *in, struct key *key, struct report *report)
{
	uint8_t own[KEY_TEXT_MAX + 1];
	const char *why;
	long n;
	int error;

	if (in->key_unproven) {
		n = stream_whole(in->dir, "key", own, sizeof(own), &error);
		if (n < 0)
			unreadable("key of the export", strerror(error));
		if (key_read(key, (char *)own, (size_t)n, &why))
			unreadable("key of the export", why);
		report_add(report, KEY_UNPROVEN,
		    (struct place){NOWHERE, "key", NOWHERE},
		    "no key was given, so the export's own was used");
	} else if (in->key.p == NULL ||
	    key_read(key, (char *)in->key.p, in->key.n, &why))
		usage_error(in->key_source, in->key.p ? why : "no memory");
}

static void
verify_export(const struct arguments *a, struct input *in,
    const struct key *key, struct report *report, struct summary *sum)
{
	struct check_options opt = {in->dir, a->clock_step};
	struct marks marks = {.report = report, .key = key};

	report_since(report, a->since);
	marks_read_export(&marks, in->dir);
	for (size_t i = 0; i < a->nkept; i++)
		marks_read_kept(
		    &marks, in->kept[i].name, in->kept[i].p, in->kept[i].n);
	marks_sort(&marks);
	check_export(&opt, &marks, report, sum);
	sum->checkpoints = marks.exported;
	sum->kept = marks.kept;
	sum->newest = marks.newest_time;
	marks_free(&marks);
}

static void
close_input(struct input *in, size_t nkept)
{
	for (size_t i = 0; i < nkept; i++)
		free(in->kept[i].p);
	free(in->key.p);
	free(in->proof.p);
	if (in->dir >= 0)
		close(in->dir);
}

int
main(int argc, char **argv)
{
	static struct arguments args;
	static struct input in;
	struct report *report = report_new();
	struct summary sum = {.newest = -1};
	struct key key;
	const char *open;
	int status;

	parse_arguments(argc, argv, &args);
	open_input(&args, &in);
	open_crypto();
	if (report == NULL)
		unreadable(args.source, "no memory");
	if ((open = confine(in.dir)) != NULL)
		report_add(report, NOT_CONFINED,
		    (struct place){NOWHERE, NULL, NOWHERE}, "%s", open);
	read_key(&in, &key, report);
	sum.source = args.source;
	sum.key = key.id;
	sum.key_source = in.key_source;
	if (args.proof)
		proof_check(
		    args.proof, in.proof.p, in.proof.n, &key, report, &sum);
	else
		verify_export(&args, &in, &key, report, &sum);
	if (args.json)
		report_print_json(report, &sum, stdout);
	else
		report_print_text(report, &sum, stdout);
	status = report_status(report);
	if (fflush(stdout) || ferror(stdout))
		unreadable("standard output", strerror(errno));
	close_input(&in, args.nkept);
	report_free(report);
	key_drop(&key);
	tree_close();
	return status;
}
