/*
 * audit_pick.h: which records of the audit log a person asked for.
 *
 * The options that orbctl audit tail and orbctl audit account share, and what
 * they let through.  ledgerd sends whole records; all choosing is done here, so
 * that nothing a person types is parsed by the log's writer.
 */
#ifndef ORB_CTL_AUDIT_PICK_H
#define ORB_CTL_AUDIT_PICK_H

#include <stdint.h>

#include <jansson.h>

struct audit_pick {
	int64_t since, until; /* ns since 1970; 0: none.  until is not in it */
	const char *room, *event, *process, *upstream, *lease;
	const char *booking; /* how its identity, or its link, begins */
};

/*
 * Takes one option: 's'ince, 'u'ntil, 'r'oom, 'e'vent, 'b'ooking, 'U'pstream,
 * 'p'rocess, 'l'ease; value is borrowed.  CTL_OK; CTL_USAGE, with what may
 * stand there said on stderr; -1 when o is none of these.
 */
int audit_pick_option(struct audit_pick *, int o, const char *value);
/* Says so, CTL_USAGE, when since is not before until; else CTL_OK. */
int audit_pick_check(const struct audit_pick *);
/* 1 when something was asked for, so that not every record is wanted. */
int audit_pick_any(const struct audit_pick *);
int audit_pick_wants(const struct audit_pick *, const json_t *record);
/* The period alone. */
int audit_pick_in_period(const struct audit_pick *, const json_t *record);

/* A member of a record that is a string, else "". */
const char *audit_text(const json_t *record, const char *name);
/* When it was recorded, ns since 1970. */
int64_t audit_realtime(const json_t *record);

/* --- audit_time.c ----------------------------------------------------------- */

/* What a time may look like, for messages. */
extern const char audit_time_forms[];

/*
 * A time as people write it, into ns since 1970: RFC 3339, a date, a date with
 * a time, a word, or so long before now (seconds).  Local time unless it names
 * its offset.  0, or -1 when it is none.
 */
int audit_time(const char *text, int64_t now, int64_t *ns);

#endif
