/*
 * project.h: a streaming projection of JSON: of the bytes of an answer only
 * the members that a static schema names are copied out; everything else is
 * passed over by its quotes and brackets, never decoded and never stored.
 *
 * This is where ORB's data minimisation happens: a body, an attendee's name or
 * a phone number that the booking record has no field for does not get past
 * this file.  Not here: reading what comes out (flat.h, or jansson where there
 * are lists in it) and what the members mean (graph_event.c, reservation.c).
 *
 * Arrays marked PROJECT_STREAM are handed out element by element, so that a
 * list of ten thousand reservations, or a $batch of twenty pages, needs the
 * memory of its largest element.  Streams may be nested once, which is what a
 * $batch of lists is.
 *
 * What a hostile upstream can make it do: be refused.  Depth, element size and
 * the length of a name are bounded; a member that comes twice in one object is
 * an error and not a choice, so that no two readers can see different
 * documents.  A name written with escapes is not recognised, hence dropped.
 */
#ifndef ORB_ADAPTER_PROJECT_H
#define ORB_ADAPTER_PROJECT_H

#include <stddef.h>
#include <stdint.h>

#include "fetchd/adapter/strbuf.h"

#define PROJECT_DEPTH 32          /* nested containers, skipped ones included */
#define PROJECT_NAME 47           /* longest member name that is looked at */
#define PROJECT_MAX (1024 * 1024) /* bytes of one projected element */
#define PROJECT_SLOTS 2
#define PROJECT_SLOT_MAX 31

enum project_kind {
	PROJECT_SCALAR, /* a string, number, true, false, null; else dropped */
	PROJECT_OBJECT, /* an object, or an array of such, by its members */
	PROJECT_STREAM, /* an array, whose elements are handed out */
	PROJECT_COUNT   /* an array, of which only the length is copied */
};

/*
 * One allowed member; a list of them ends with name NULL.  slot 1 or 2 keeps
 * a scalar's text for project_slot() too, from where it was read on; it is
 * meant for members of the elements of an outer stream.  field is the number
 * by which flat_read() gives the value; 0: none.
 */
struct project_member {
	const char *name;
	enum project_kind kind;
	int slot;
	const struct project_member *members;
	int field;
};

/* Rows of a schema: a scalar, an object by its members m, and the list's end. */
#define SCALAR(n, field)                          \
	{                                         \
		n, PROJECT_SCALAR, 0, NULL, field \
	}
#define OBJECT(n, m, field)                    \
	{                                      \
		n, PROJECT_OBJECT, 0, m, field \
	}
#define END                                      \
	{                                        \
		NULL, PROJECT_SCALAR, 0, NULL, 0 \
	}

/*
 * One element: level 0 is the document itself, without what was streamed; 1 is
 * an element of a stream, 2 one of a stream inside such an element.  json is
 * compact, NUL-terminated and lives until the return; NULL when the element
 * was larger than PROJECT_MAX.  Anything but 0 ends the parse with an error.
 */
typedef int (*project_fn)(void *arg, int level, const char *json, size_t len);

struct project_frame {
	const struct project_member *members; /* NULL: everything is dropped */
	uint64_t seen;                        /* bit per row of members */
	uint32_t count;
	uint8_t next; /* row behind the one that was found last */
	uint8_t array, comma, stream, counted, handed, level;
	size_t start; /* in out: where the element that this is begins */
};

struct project {
	const struct project_member *root;
	project_fn fn;
	void *arg;
	struct strbuf out;
	struct project_frame stack[PROJECT_DEPTH];
	int depth;
	int state;
	int escaped; /* the last byte of a string was a backslash */
	int scalar_copied;
	int too_big; /* level of the element that is too large, or 0 */
	const struct project_member
	    *row; /* of the value that comes; NULL: drop */
	char name[PROJECT_NAME + 1];
	size_t name_len;
	char slot[PROJECT_SLOTS][PROJECT_SLOT_MAX + 1];
	size_t slot_len;
	const char *error;
};

/* root describes the document: its kind is OBJECT, or STREAM for an array
 * whose elements are to be handed out. */
void project_init(
    struct project *, const struct project_member *root, project_fn, void *arg);
void project_free(struct project *);
/* Chunks of any size.  0, or -1 and ->error; after that it stays -1. */
int project_feed(struct project *, const void *, size_t);
/* The document must be complete here.  Hands out level 0. */
int project_end(struct project *);
/* The text of a slot in the outer element that is under way, "" before. */
const char *project_slot(const struct project *, int slot);

#endif
