/*
 * journal.h: the readable copy of the audit log: journald, or a file of JSON
 * lines where there is no journald.
 *
 * A convenience, not the evidence: what journald does not take at once is
 * dropped and counted, never waited for.  Only records that are on disk are
 * sent, so the copy never shows what the log does not have.
 *
 * The protocol is https://systemd.io/JOURNAL_NATIVE_PROTOCOL: one datagram an
 * entry, FIELD=value lines.  No value but a checkpoint has a newline:
 * wire_get_str() refused it.
 */
#ifndef ORB_JOURNAL_H
#define ORB_JOURNAL_H

#include "ledgerd/record.h"
#include "lib/err.h"

struct journal;

/*
 * where is conf.ledger.journal: "auto", "journald" or "file:/path"; auto is
 * journald when its socket is there, else DIR/journal.jsonl.  Tests also use
 * "socket:/path", a journald of their own.  Before lock-down.  -1 and err.
 */
int journal_open(
    const char *where, const char *dir, struct journal **, struct err *);
void journal_free(struct journal *);
/* Keeps an entry for journal_send().  note: a signed checkpoint of at most 2000
 * bytes that goes with it, or NULL. */
void journal_stage(struct journal *, const struct provenance *,
    const struct record *, const char *note);
/* Sends what was staged. */
void journal_send(struct journal *);
uint64_t journal_dropped(const struct journal *);
/* "journald", or the file's path. */
const char *journal_where(const struct journal *);

#endif
