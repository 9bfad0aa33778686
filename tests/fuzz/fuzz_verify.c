/*
 * fuzz_verify: every parser of orb-verify.  Input: one byte, which parser, and
 * what it gets.
 *
 *   r  a record          n  a note        t  a note's text, which is signed here
 *   b  base64            k  a key         p  a proof
 *   c  checkpoints that were kept
 *   x  an export: width of the bundle, length of the list (2 bytes), the list,
 *      the bundle
 *
 * What must hold: base64 has one spelling; nothing that was not signed here is
 * a good note, proof or export.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/base64.h"
#include "verify/check.h"
#include "verify/kept.h"
#include "verify/proof.h"
#include "verify/record.h"
#include "verify/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define NAME "orb/fuzz"

static EVP_PKEY *secret;
static struct key key;
static char export[] = "/tmp/fuzz-verify-XXXXXX";
static int dir;

static void
encode(const uint8_t *p, size_t n, char *out)
{
	out[EVP_EncodeBlock((uint8_t *)out, p, (int)n)] = '\0';
}

static void
make_key(void)
{
	uint8_t raw[33] = {1}, text[64], hash[HASH_LEN];
	size_t n = 32;
	char base64[64], line[160];
	const char *why;

	secret = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!secret || !EVP_PKEY_get_raw_public_key(secret, raw + 1, &n))
		abort();
	memcpy(text, NAME "\n", sizeof(NAME));
	memcpy(text + sizeof(NAME), raw, 33);
	tree_sha256(text, sizeof(NAME) + 33, hash);
	encode(raw, 33, base64);
	snprintf(line, sizeof(line), NAME "+%02x%02x%02x%02x+%s", hash[0],
	    hash[1], hash[2], hash[3], base64);
	if (key_read(&key, line, strlen(line), &why))
		abort();
}

static const char *const folders[] = {
    "tile", "tile/entries", "tile/entries/000.p"};

static void
remove_export(void)
{
	unlinkat(dir, "checkpoints", 0);
	unlinkat(dir, "checkpoint", 0);
	for (int i = 3; i-- > 0;)
		unlinkat(dir, folders[i], AT_REMOVEDIR);
	rmdir(export);
}

static void
set_up(void)
{
	if (tree_open() || mkdtemp(export) == NULL)
		abort();
	make_key();
	dir = open(export, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		if (mkdirat(dir, folders[i], 0700))
			abort();
	if (atexit(remove_export))
		abort();
}

static void
fuzz_record(const uint8_t *p, size_t n)
{
	const char *why = NULL;
	struct record r;
	size_t where = 0;

	if (record_read(p, n, &r, &why, &where)) {
		if (why == NULL || where > n)
			abort();
		return;
	}
	if (p[0] != '{' || p[n - 1] != '}' || r.boot_id.n != 36 ||
	    (r.booking.p && r.booking.n != 64) || r.index >> 53 ||
	    r.realtime < 0 || r.boottime < 0)
		abort();
}

static void
fuzz_base64(const uint8_t *p, size_t n)
{
	uint8_t raw[3000];
	char again[4001];
	int got = base64_decode((const char *)p, n, raw, sizeof(raw));

	if (got < 0)
		return;
	encode(raw, (size_t)got, again);
	if (strlen(again) != n || memcmp(again, p, n) != 0)
		abort();
}

static void
fuzz_key(const uint8_t *p, size_t n)
{
	const char *why;
	struct key k;

	if (key_read(&k, (const char *)p, n, &why) == 0)
		key_drop(&k);
}

static void
fuzz_note(const uint8_t *p, size_t n)
{
	struct note note;
	enum kind kind;
	const char *why;

	if (note_length(p, n) > n ||
	    note_read(p, n, &key, &note, &kind, &why) == 0)
		abort();
}

/* Signs what it is given, so that the text is parsed. */
static void
fuzz_text(const uint8_t *p, size_t n)
{
	uint8_t whole[3000], sig[4 + 64];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(NAME) + n, siglen = 64;
	struct note note;
	enum kind kind;
	char base64[100];
	const char *why;

	if (n == 0 || n > 2000 || p[n - 1] != '\n' || ctx == NULL)
		goto out;
	memcpy(whole, NAME "\n", sizeof(NAME));
	memcpy(whole + sizeof(NAME), p, n);
	memcpy(sig, key.hash, 4);
	if (!EVP_DigestSignInit(ctx, NULL, NULL, NULL, secret) ||
	    !EVP_DigestSign(ctx, sig + 4, &siglen, whole, len))
		abort();
	encode(sig, sizeof(sig), base64);
	len += (size_t)snprintf((char *)whole + len, sizeof(whole) - len,
	    "\n\xe2\x80\x94 " NAME " %s\n", base64);
	if (note_read(whole, len, &key, &note, &kind, &why) == 0) {
		if (note.size >> 53 || note.time < 0 || strlen(note.boot) != 36)
			abort();
	} else if (kind == SIGNATURE_BAD && !memmem(p, n, "\n\n", 2) &&
	    p[0] != '\n')
		abort();
out:
	EVP_MD_CTX_free(ctx);
}

static void
fuzz_kept(const uint8_t *p, size_t n)
{
	struct marks marks = {.key = &key, .report = report_new()};
	uint8_t *copy = malloc(n + 1);

	if (marks.report == NULL || copy == NULL)
		abort();
	memcpy(copy, p, n);
	if (kept_plain(copy, n, NAME) > n + 1)
		abort();
	memcpy(copy, p, n);
	marks_read_kept(&marks, "kept", copy, n);
	if (marks.n || marks.kept || report_status(marks.report) == 0)
		abort();
	free(copy);
	marks_free(&marks);
	report_free(marks.report);
}

static void
fuzz_proof(const uint8_t *p, size_t n)
{
	struct report *r = report_new();
	struct summary sum = {.newest = -1};

	if (r == NULL)
		abort();
	proof_check("proof", p, n, &key, r, &sum);
	if (report_status(r) != 1)
		abort();
	report_free(r);
}

static void
put(const char *path, const uint8_t *p, size_t n)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	close(fd);
}

static void
fuzz_export(const uint8_t *p, size_t n)
{
	struct check_options opt = {dir, INT64_C(5000000000)};
	struct marks marks = {.key = &key};
	struct summary sum = {.newest = -1, .source = "."};
	char path[PATH_LEN];
	size_t list;

	if (n < 3 || p[0] == 0)
		return;
	list = (size_t)p[1] << 8 | p[2];
	if (list > n - 3)
		list = n - 3;
	marks.report = report_new();
	if (marks.report == NULL)
		abort();
	tile_path(path, -1, 0, p[0]);
	put("checkpoints", p + 3, list);
	put("checkpoint", p + 3, list);
	put(path, p + 3 + list, n - 3 - list);
	marks_read_export(&marks, dir);
	marks_sort(&marks);
	check_export(&opt, &marks, marks.report, &sum);
	if (report_status(marks.report) != 1 || sum.covered)
		abort();
	unlinkat(dir, path, 0);
	marks_free(&marks);
	report_free(marks.report);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (secret == NULL)
		set_up();
	if (n == 0)
		return 0;
	switch (*p) {
	case 'r':
		fuzz_record(p + 1, n - 1);
		break;
	case 'b':
		fuzz_base64(p + 1, n - 1);
		break;
	case 'k':
		fuzz_key(p + 1, n - 1);
		break;
	case 'n':
		fuzz_note(p + 1, n - 1);
		break;
	case 't':
		fuzz_text(p + 1, n - 1);
		break;
	case 'p':
		fuzz_proof(p + 1, n - 1);
		break;
	case 'c':
		fuzz_kept(p + 1, n - 1);
		break;
	case 'x':
		fuzz_export(p + 1, n - 1);
		break;
	default:
		break;
	}
	return 0;
}
