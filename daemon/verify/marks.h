/*
 * marks.h: the roots that were signed: every checkpoint of the export and every
 * one that the customer kept elsewhere, and what can be said of them without
 * the records: signature, order, counter, time.
 *
 * 64 bytes are kept of each, which is all that orb-verify keeps of a log.
 */
#ifndef ORB_VERIFY_MARKS_H
#define ORB_VERIFY_MARKS_H

#include "verify/note.h"

struct mark {
	uint64_t size;
	uint8_t root[HASH_LEN];
	int64_t time;
	uint64_t offset;  /* in its file */
	const char *file; /* "checkpoints", or the name of a kept file */
	int kept;         /* not of the export */
};

struct marks {
	struct report *report;
	const struct key *key;
	struct mark *list;
	size_t n, cap;
	uint64_t exported, kept; /* how many of each */
	uint64_t newest;         /* size of the export's largest */
	int64_t newest_time;     /* -1: none */
	struct note before;      /* the export's last one so far */
	int has_before;
	uint8_t last[NOTE_MAX]; /* its bytes */
	size_t last_len;
};

/* Reads DIR/checkpoints and DIR/checkpoint. */
void marks_read_export(struct marks *, int dir);
/* Reads the notes in a file that was kept; changes its bytes in place: mail and
 * tickets turn the ends of lines into CR LF. */
void marks_read_kept(struct marks *, const char *name, uint8_t *, size_t);
/* By size, and those of the export first. */
void marks_sort(struct marks *);
void marks_free(struct marks *);

#endif
