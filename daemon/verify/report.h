/*
 * report.h: what orb-verify found, and how it is told.
 *
 * Here: the kinds of findings, their weight, the table and the JSON.  Not
 * here: how anything is found.  A log can be wrong in a million places: of
 * each kind the first REPORT_EACH are kept and the others counted, so that the
 * report has a bound whatever it is fed.
 */
#ifndef ORB_VERIFY_REPORT_H
#define ORB_VERIFY_REPORT_H

#include <stdint.h>
#include <stdio.h>

#define REPORT_EACH 100

enum weight {
	NOTICE,     /* worth knowing */
	FINDING,    /* the log is what was signed; a person should look */
	UNREADABLE, /* could not be checked */
	FAILURE     /* the log is not what was signed */
};

/* Names, weights and meanings stand in report.c; orb-verify(1) lists them. */
enum kind {
	RECORD_FORM,
	RECORD_CHANGED,
	RECORD_MISSING,
	RECORD_ORDER,
	RECORD_REPLAYED,
	ROOT_MISMATCH,
	NO_CHECKPOINT,
	TAIL_CUT,
	LOG_FORKED,
	BUNDLE_MISSING,
	BUNDLE_SHORT,
	FILE_TRUNCATED,
	TRAILING_BYTES,
	TILE_MISMATCH,
	NOTE_FORM,
	SIGNATURE_BAD,
	KEY_SWAPPED,
	ORIGIN_OTHER,
	SIZE_BACK,
	NEWEST_MISMATCH,
	COUNTER_BACK,
	CLOCK_BACK,
	BOOTTIME_BACK,
	BOOT_RETURNS,
	PROOF_FORM,
	PROOF_MISMATCH,
	CANNOT_READ,
	KEY_UNPROVEN,
	UNCOVERED,
	CLOCK_STEP,
	CLOCK_BEFORE_BOOT,
	CHECKPOINT_TIME,
	COUNTER_STILL,
	COUNTER_LOST,
	PROCESS_GAP,
	INTENT_OPEN,
	LEDGER_REPAIRED,
	LEDGER_DIFFERS,
	INTENT_AGAIN,
	INTENT_UNDER_WAY,
	CLOCK_SET_AT_START,
	KEPT_UNLISTED,
	NOTHING_KEPT,
	NOT_CONFINED,
	KIND_COUNT
};

#define NOWHERE UINT64_MAX

/* Where: each part may be absent (NOWHERE, NULL). */
struct place {
	uint64_t record; /* place in the log, from 0 */
	const char *file;
	uint64_t offset; /* byte in the file */
};

/* What was looked at, for the head of the report. */
struct summary {
	const char *source;     /* the directory, or the proof's file */
	const char *key;        /* NAME+HASH of the key; NULL: none */
	const char *key_source; /* where it came from */
	uint64_t records, covered, checkpoints, kept, tiles;
	int is_proof; /* of record proved in a tree of records */
	uint64_t proved;
	int64_t newest; /* seconds since 1970; of the newest checkpoint */
};

struct report;

/* NULL without memory.  report_free() frees all. */
struct report *report_new(void);
void report_free(struct report *);

/* Adds one finding; the text says what was seen, with its numbers, and may
 * hold bytes of the log: what could drive a terminal is replaced. */
void report_add(struct report *, enum kind, struct place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Findings about records before this one were looked at when the log was last
 * verified, and are left out.  What the tree and the signatures say is not. */
void report_since(struct report *, uint64_t record);

/* How many of a kind there are. */
uint64_t report_count(const struct report *, enum kind);

/* The exit status: 1 with a failure, else 3 when something could not be read,
 * else 4 with a finding, else 0. */
int report_status(const struct report *);

/* The name of a kind, as printed. */
const char *report_kind_name(enum kind);

void report_print_text(const struct report *, const struct summary *, FILE *);
void report_print_json(const struct report *, const struct summary *, FILE *);

#endif
