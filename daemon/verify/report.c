/* report.c: see report.h. */
#include "verify/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct finding {
	enum kind kind;
	uint64_t record, offset;
	char file[80];
	char text[200];
};

struct report {
	uint64_t count[KIND_COUNT];
	struct finding *list;
	size_t n, cap;
	uint64_t since;
	int lost; /* no memory for one */
};

static const struct {
	const char *name;
	enum weight weight;
	const char *meaning;
} kinds[KIND_COUNT] = {
    [RECORD_FORM] = {"record-form", FAILURE,
	"ledgerd writes no such record: it was changed"},
    [RECORD_CHANGED] = {"record-changed", FAILURE,
	"the record was edited after it was signed"},
    [RECORD_MISSING] = {"record-missing", FAILURE, "records were deleted"},
    [RECORD_ORDER] = {"record-order", FAILURE,
	"records were put into another order"},
    [RECORD_REPLAYED] = {"record-replayed", FAILURE,
	"an old record was put in again"},
    [ROOT_MISMATCH] = {"root-mismatch", FAILURE,
	"records were edited, added or taken out after they were signed"},
    [NO_CHECKPOINT] = {"no-checkpoint", FAILURE,
	"nothing here is covered by a signature"},
    [TAIL_CUT] = {"tail-cut", FAILURE,
	"the tail was cut off, or an old snapshot was put back"},
    [LOG_FORKED] = {"log-forked", FAILURE,
	"an old snapshot was put back and went on differently, or the log "
	"was written anew"},
    [BUNDLE_MISSING] = {"bundle-missing", FAILURE,
	"a file of records was taken out"},
    [BUNDLE_SHORT] = {"bundle-short", FAILURE,
	"records were taken out of the file"},
    [FILE_TRUNCATED] = {"file-truncated", FAILURE,
	"the file was cut off in the middle of a record"},
    [TRAILING_BYTES] = {"trailing-bytes", FAILURE,
	"somebody added bytes that no signature covers"},
    [TILE_MISMATCH] = {"tile-mismatch", FAILURE,
	"the file of hashes was changed"},
    [NOTE_FORM] = {"note-form", FAILURE,
	"keyd signs no such checkpoint: it was changed"},
    [SIGNATURE_BAD] = {"signature-bad", FAILURE,
	"the checkpoint is forged or was changed"},
    [KEY_SWAPPED] = {"key-swapped", FAILURE,
	"the checkpoint was signed with another key than yours"},
    [ORIGIN_OTHER] = {"origin-other", FAILURE,
	"the checkpoint belongs to another log"},
    [SIZE_BACK] = {"size-back", FAILURE,
	"keyd never signs a smaller tree: checkpoints were reordered or "
	"an old snapshot was put back"},
    [NEWEST_MISMATCH] = {"newest-mismatch", FAILURE,
	"checkpoints were taken out or put in"},
    [COUNTER_BACK] = {"counter-back", FAILURE,
	"a TPM never counts down: checkpoints were reordered, or the TPM's "
	"state was put back"},
    [CLOCK_BACK] = {"clock-back", FAILURE,
	"the clock was set back: the times of these records cannot be relied "
	"on"},
    [BOOTTIME_BACK] = {"boottime-back", FAILURE,
	"the time since boot never goes back: records were put into another "
	"order, or a machine snapshot was resumed"},
    [BOOT_RETURNS] = {"boot-returns", FAILURE,
	"no boot comes twice: records were put into another order, or a "
	"machine snapshot was resumed"},
    [PROOF_FORM] = {"proof-form", FAILURE, "this is no proof"},
    [PROOF_MISMATCH] = {"proof-mismatch", FAILURE,
	"the record is not in the log that was signed"},
    [CANNOT_READ] = {"cannot-read", UNREADABLE, "it was not checked"},
    [KEY_UNPROVEN] = {"key-unproven", FINDING,
	"whoever wrote the export anew would have put in a key to go with it: "
	"take the key from where it was noted"},
    [UNCOVERED] = {"uncovered", FINDING, "no signature covers them yet"},
    [CLOCK_STEP] = {"clock-step", FINDING,
	"times before and after the step do not compare"},
    [CLOCK_BEFORE_BOOT] = {"clock-before-boot", FINDING,
	"the clock was wrong before this boot or is now"},
    [CHECKPOINT_TIME] = {"checkpoint-time", FINDING,
	"keyd's clock and the records' do not agree"},
    [COUNTER_STILL] = {"counter-still", FINDING,
	"the TPM did not count over a new boot: its state may have been put "
	"back with the machine's"},
    [COUNTER_LOST] = {"counter-lost", FINDING,
	"the TPM was away: a snapshot put back would not show here"},
    [PROCESS_GAP] = {"process-gap", FINDING,
	"it crashed, was killed, or the machine lost power"},
    [INTENT_OPEN] = {"intent-open", FINDING,
	"what came of it is not in the log: look at both systems"},
    [LEDGER_REPAIRED] = {"ledger-repaired", FINDING,
	"a crash, or somebody, left a torn end; ledgerd has set it aside"},
    [LEDGER_DIFFERS] = {"ledger-differs", FINDING,
	"while ORB ran it found a log that was not the one it had signed"},
    [INTENT_AGAIN] = {"intent-again", NOTICE, "it was tried anew"},
    [INTENT_UNDER_WAY] = {"intent-under-way", NOTICE,
	"the log ends while it was being done"},
    [CLOCK_SET_AT_START] = {"clock-set-at-start", NOTICE,
	"time synchronisation set the clock after boot"},
    [KEPT_UNLISTED] = {"kept-unlisted", NOTICE,
	"the tree holds it, but the export's list has lost it"},
    [NOTHING_KEPT] = {"nothing-kept", NOTICE,
	"without --checkpoint a cut tail, and a log written anew with the "
	"same key, cannot be seen"},
    [NOT_CONFINED] = {"not-confined", NOTICE,
	"it parsed with more rights than it needs"},
};

static const char *const weights[] = {
    [NOTICE] = "notice",
    [FINDING] = "finding",
    [UNREADABLE] = "unreadable",
    [FAILURE] = "FAILURE",
};

struct report *
report_new(void)
{
	return calloc(1, sizeof(struct report));
}

void
report_free(struct report *r)
{
	if (r)
		free(r->list);
	free(r);
}

/* Bytes of the log must not drive the terminal of who reads this. */
static void
clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			*s = '?';
}

static struct finding *
room_for_one(struct report *r)
{
	struct finding *p;

	if (r->n == r->cap) {
		p = realloc(r->list, (r->cap + 64) * sizeof(*p));
		if (p == NULL) {
			r->lost = 1;
			return NULL;
		}
		r->list = p;
		r->cap += 64;
	}
	return &r->list[r->n++];
}

void
report_since(struct report *r, uint64_t record)
{
	r->since = record;
}

/* What is seen at one record and says nothing about those after it. */
static int
is_about_a_record(enum kind k)
{
	return k == CLOCK_BACK || kinds[k].weight == NOTICE ||
	    (kinds[k].weight == FINDING && k != UNCOVERED);
}

void
report_add(
    struct report *r, enum kind kind, struct place at, const char *fmt, ...)
{
	struct finding *f;
	va_list ap;

	if (at.record < r->since && is_about_a_record(kind))
		return;
	if (r->count[kind]++ >= REPORT_EACH || (f = room_for_one(r)) == NULL)
		return;
	f->kind = kind;
	f->record = at.record;
	f->offset = at.offset;
	snprintf(f->file, sizeof(f->file), "%s", at.file ? at.file : "");
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	clean(f->file);
	clean(f->text);
}

uint64_t
report_count(const struct report *r, enum kind kind)
{
	return r->count[kind];
}

static uint64_t
count_of(const struct report *r, enum weight w)
{
	uint64_t n = 0;

	for (int k = 0; k < KIND_COUNT; k++)
		if (kinds[k].weight == w)
			n += r->count[k];
	return n;
}

int
report_status(const struct report *r)
{
	if (count_of(r, FAILURE))
		return 1;
	if (count_of(r, UNREADABLE) || r->lost)
		return 3;
	return count_of(r, FINDING) ? 4 : 0;
}

const char *
report_kind_name(enum kind k)
{
	return kinds[k].name;
}

static const char *
verdict(int status)
{
	switch (status) {
	case 0:
		return "well: this is what was signed";
	case 1:
		return "NOT WELL: this is not what was signed";
	case 4:
		return "well, with findings: this is what was signed, and a "
		       "person should look at the findings";
	default:
		return "not known: something could not be read";
	}
}

static void
utc(int64_t seconds, char *buf, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds < 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(buf, size, "-");
}

/* --- for people --------------------------------------------------------------- */

static void
print_head(const struct summary *s, FILE *out)
{
	char at[40];

	fprintf(out, "%s\n", s->source);
	if (s->key)
		fprintf(out, "  key          %s (%s)\n", s->key, s->key_source);
	utc(s->newest, at, sizeof(at));
	if (s->is_proof) {
		fprintf(out,
		    "  record       %" PRIu64 " of a log of %" PRIu64
		    ", signed %s\n",
		    s->proved, s->records, at);
		return;
	}
	fprintf(out,
	    "  records      %" PRIu64 ", of them %" PRIu64
	    " covered by a signature\n"
	    "  checkpoints  %" PRIu64 ", newest of %s; kept elsewhere: %" PRIu64
	    "\n"
	    "  hash tiles   %" PRIu64 "\n",
	    s->records, s->covered, s->checkpoints, at, s->kept, s->tiles);
}

static void
print_where(const struct finding *f, FILE *out)
{
	char where[140] = "", number[24];

	if (f->record != NOWHERE)
		snprintf(number, sizeof(number), "%" PRIu64, f->record);
	else
		snprintf(number, sizeof(number), "-");
	if (f->file[0] && f->offset != NOWHERE)
		snprintf(
		    where, sizeof(where), "%s:%" PRIu64, f->file, f->offset);
	else
		snprintf(
		    where, sizeof(where), "%s", f->file[0] ? f->file : "-");
	fprintf(out, "%8s  %-28s  ", number, where);
}

static void
print_finding(const struct finding *f, FILE *out)
{
	fprintf(out, "%-10s  %-18s  ", weights[kinds[f->kind].weight],
	    kinds[f->kind].name);
	print_where(f, out);
	fprintf(out, "%s; %s\n", f->text, kinds[f->kind].meaning);
}

void
report_print_text(const struct report *r, const struct summary *s, FILE *out)
{
	print_head(s, out);
	if (r->n)
		fprintf(out, "\n%-10s  %-18s  %8s  %-28s  %s\n", "WEIGHT",
		    "WHAT", "RECORD", "FILE:BYTE", "SEEN; MEANING");
	for (int w = FAILURE; w >= NOTICE; w--)
		for (size_t i = 0; i < r->n; i++)
			if ((int)kinds[r->list[i].kind].weight == w)
				print_finding(&r->list[i], out);
	for (int k = 0; k < KIND_COUNT; k++)
		if (r->count[k] > REPORT_EACH)
			fprintf(out, "and %" PRIu64 " more of %s\n",
			    r->count[k] - REPORT_EACH, kinds[k].name);
	fprintf(out, "\n%s\n", verdict(report_status(r)));
}

/* --- for programs ---------------------------------------------------------------- */

static void
json_text(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', out);
		/* A path on the command line can be of any bytes. */
		putc((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f ? '?'
									   : *s,
		    out);
	}
	putc('"', out);
}

static void
json_number_or_null(FILE *out, uint64_t v)
{
	if (v == NOWHERE)
		fputs("null", out);
	else
		fprintf(out, "%" PRIu64, v);
}

static void
json_finding(const struct finding *f, FILE *out)
{
	fprintf(out, "{\"weight\":\"%s\",\"what\":\"%s\",\"record\":",
	    kinds[f->kind].weight == FAILURE ? "failure"
					     : weights[kinds[f->kind].weight],
	    kinds[f->kind].name);
	json_number_or_null(out, f->record);
	fputs(",\"file\":", out);
	if (f->file[0])
		json_text(out, f->file);
	else
		fputs("null", out);
	fputs(",\"offset\":", out);
	json_number_or_null(out, f->offset);
	fputs(",\"seen\":", out);
	json_text(out, f->text);
	fputs(",\"meaning\":", out);
	json_text(out, kinds[f->kind].meaning);
	putc('}', out);
}

static void
json_counts(const struct report *r, FILE *out)
{
	const char *comma = "";

	fputs("\"counts\":{", out);
	for (int k = 0; k < KIND_COUNT; k++)
		if (r->count[k]) {
			fprintf(out, "%s\"%s\":%" PRIu64, comma, kinds[k].name,
			    r->count[k]);
			comma = ",";
		}
	fputs("}", out);
}

static void
json_head(const struct report *r, const struct summary *s, FILE *out)
{
	static const char *const result[] = {
	    "well", "failed", "", "unreadable", "findings"};
	char at[40];

	fprintf(out, "{\"result\":\"%s\",\"status\":%d,\"source\":",
	    result[report_status(r)], report_status(r));
	json_text(out, s->source);
	fputs(",\"key\":", out);
	if (s->key)
		json_text(out, s->key);
	else
		fputs("null", out);
	utc(s->newest, at, sizeof(at));
	if (s->is_proof)
		fprintf(out, ",\"record\":%" PRIu64, s->proved);
	fprintf(out,
	    ",\"records\":%" PRIu64 ",\"covered\":%" PRIu64
	    ",\"checkpoints\":%" PRIu64 ",\"kept\":%" PRIu64
	    ",\"tiles\":%" PRIu64 ",\"newest\":",
	    s->records, s->covered, s->checkpoints, s->kept, s->tiles);
	fprintf(out, s->newest < 0 ? "null," : "\"%s\",", at);
}

void
report_print_json(const struct report *r, const struct summary *s, FILE *out)
{
	json_head(r, s, out);
	json_counts(r, out);
	fputs(",\"findings\":[", out);
	for (size_t i = 0; i < r->n; i++) {
		if (i)
			putc(',', out);
		json_finding(&r->list[i], out);
	}
	fputs("]}\n", out);
}
