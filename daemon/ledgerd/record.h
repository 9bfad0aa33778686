/*
 * record.h: one record of the audit log: its canonical bytes, and the check
 * that bytes found on disk are a record.
 *
 * FORMAT, in this folder, says what the bytes are.  Not here: files (store.h).
 */
#ifndef ORB_RECORD_H
#define ORB_RECORD_H

#include <sys/types.h>

#include "lib/messages.h"

/* No record is longer: every field at its limit, each byte escaped, is 3,100. */
#define RECORD_MAX 4096

/* What ledgerd adds to what the sender says. */
struct provenance {
	uint64_t index;
	const char *process; /* of the edge, not of the message */
	uid_t uid;
	pid_t pid;
	int64_t realtime, boottime; /* ns */
	const char *boot_id;
};

/*
 * Whether a sender may say this: a known event, its own upstream or none
 * (UPSTREAM_NONE for own: any), identities and commitments of 32 bytes or
 * none.  0 or -1: then the sender broke the protocol.
 */
int record_permitted(const struct record *, enum upstream own);

/*
 * The canonical bytes (RFC 8785) into buf[RECORD_MAX]; their length.  The
 * record must be permitted.  0 when it does not fit, which the limits of
 * messages.def exclude.
 */
size_t record_canonical(
    const struct provenance *, const struct record *, char *buf);

/*
 * Copies text with everything that looks like a mail address (a@b.c) replaced
 * by "[address]": records hold no personal data even when a sender errs.
 * dst holds cap bytes; what does not fit is cut.  Returns dst.
 */
char *record_mask(char *dst, size_t cap, const char *text);

/* 0 when the bytes are a canonical record with this index; else -1.  Safe on
 * anything: it reads what a crash or an attacker left on the disk. */
int record_check(const uint8_t *, size_t, uint64_t index);

#endif
