/*
 * notehead.h: which tree a checkpoint is about: the second and third line of a
 * C2SP tlog-checkpoint.
 *
 * Not here: its signature, which keyd makes (keyd/note.h) and orb-verify
 * checks with code of its own.
 */
#ifndef ORB_NOTEHEAD_H
#define ORB_NOTEHEAD_H

#include "lib/merkle.h"

/* The tree's size and root: 0, or -1 when the text is no checkpoint.  Its
 * signature is not looked at. */
int note_head(const char *note, uint64_t *size, struct merkle_hash *root);

#endif
