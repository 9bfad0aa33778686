/*
 * audit_notes.h: the newest checkpoint of the audit log, for the commands that
 * need what it covers.
 */
#ifndef ORB_CTL_AUDIT_NOTES_H
#define ORB_CTL_AUDIT_NOTES_H

#include "ctl/ctl.h"
#include "lib/merkle.h"

#define AUDIT_NOTE_MAX 2000

/*
 * From ledgerd on c: the note into note[AUDIT_NOTE_MAX + 1], the size and root
 * of the tree it signs.  An exit code: CTL_FAILED, said on stderr, when nothing
 * is signed yet.
 */
int audit_last_note(struct ctl *, struct chan *c, char *note, uint64_t *size,
    struct merkle_hash *root);

#endif
