/* marks.c: see marks.h. */
#include "verify/marks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/kept.h"
#include "verify/stream.h"

#define LIST "checkpoints"
#define NEWEST "checkpoint"

static void
add(struct marks *m, const struct note *note, const char *file, uint64_t offset,
    int kept)
{
	struct place at = {NOWHERE, file, offset};
	struct mark *p;

	if (m->n == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 256;

		p = realloc(m->list, cap * sizeof(*p));
		if (p == NULL) {
			report_add(m->report, CANNOT_READ, at,
			    "no memory for %zu checkpoints", cap);
			return;
		}
		m->list = p;
		m->cap = cap;
	}
	p = &m->list[m->n++];
	p->size = note->size;
	memcpy(p->root, note->root, HASH_LEN);
	p->time = note->time;
	p->offset = offset;
	p->file = file;
	p->kept = kept;
}

/* --- one after the other ---------------------------------------------------------- */

static void
compare_counters(struct marks *m, const struct note *a, const struct note *b,
    struct place at)
{
	if (a->has_counter && !b->has_counter)
		report_add(m->report, COUNTER_LOST, at,
		    "the checkpoint before had the counter %" PRIu64
		    ", this one has none",
		    a->counter);
	if (!a->has_counter || !b->has_counter)
		return;
	if (b->counter < a->counter)
		report_add(m->report, COUNTER_BACK, at,
		    "the counter goes back from %" PRIu64 " to %" PRIu64,
		    a->counter, b->counter);
	else if (b->counter == a->counter && strcmp(a->boot, b->boot) != 0)
		report_add(m->report, COUNTER_STILL, at,
		    "the counter is %" PRIu64 " as before the new boot",
		    b->counter);
}

/* What must hold between the checkpoint before and this one. */
static void
compare(struct marks *m, const struct note *b, uint64_t offset)
{
	const struct note *a = &m->before;
	struct place at = {b->size ? b->size - 1 : NOWHERE, LIST, offset};

	if (b->size < a->size)
		report_add(m->report, SIZE_BACK, at,
		    "the size goes back from %" PRIu64 " to %" PRIu64, a->size,
		    b->size);
	if (b->time < a->time - 1)
		report_add(m->report, CHECKPOINT_TIME, at,
		    "its time is %" PRId64 " s before the last one's",
		    a->time - b->time);
	compare_counters(m, a, b, at);
}

static void
take_exported(struct marks *m, const uint8_t *p, size_t n, uint64_t offset)
{
	struct place at = {NOWHERE, LIST, offset};
	struct note note;
	enum kind kind;
	const char *why;

	m->exported++;
	m->last_len = n <= NOTE_MAX ? n : 0;
	memcpy(m->last, p, m->last_len);
	if (note_read(p, n, m->key, &note, &kind, &why)) {
		report_add(m->report, kind, at, "checkpoint %" PRIu64 ": %s",
		    m->exported, why);
		return;
	}
	if (m->has_before)
		compare(m, &note, offset);
	m->before = note;
	m->has_before = 1;
	if (note.size >= m->newest) {
		m->newest = note.size;
		m->newest_time = note.time;
	}
	add(m, &note, LIST, offset, 0);
}

/* Where the next note begins after bytes that are none; n: nowhere. */
static size_t
find_next(const struct marks *m, const uint8_t *p, size_t n)
{
	char begin[KEY_NAME_MAX + 4];
	const uint8_t *at;
	int len;

	len = snprintf(begin, sizeof(begin), "\n\n%s\n", m->key->name);
	at = memmem(p, n, begin, (size_t)len);
	return at ? (size_t)(at - p) + 2 : n;
}

static void
skip_damage(struct marks *m, struct stream *s, const uint8_t *p, size_t have)
{
	struct place at = {NOWHERE, LIST, s->offset};

	m->last_len = 0;
	report_add(m->report, NOTE_FORM, at,
	    "checkpoint %" PRIu64 " is no signed note", ++m->exported);
	stream_skip(s, find_next(m, p, have));
}

/* In the list an empty line follows each note. */
static void
read_list(struct marks *m, struct stream *s)
{
	const uint8_t *p;
	size_t have, n;

	while ((have = stream_peek(s, NOTE_MAX + 1, &p)) > 0) {
		n = note_length(p, have);
		if (n == 0 || n == have || p[n] != '\n') {
			skip_damage(m, s, p, have);
			continue;
		}
		take_exported(m, p, n, s->offset);
		stream_skip(s, n + 1);
	}
}

static void
cannot_read(struct marks *m, const char *file, int error)
{
	struct place at = {NOWHERE, file, NOWHERE};

	report_add(m->report, CANNOT_READ, at, "%s", strerror(error));
}

static void
read_newest(struct marks *m, int dir)
{
	struct place at = {NOWHERE, NEWEST, NOWHERE};
	uint8_t buf[NOTE_MAX + 1];
	struct note note;
	enum kind kind;
	const char *why;
	long n;
	int error;

	n = stream_whole(dir, NEWEST, buf, sizeof(buf), &error);
	if (n < 0 && error != EFBIG) {
		cannot_read(m, NEWEST, error);
		return;
	}
	if (n >= 0 && (size_t)n == m->last_len &&
	    memcmp(buf, m->last, m->last_len) == 0)
		return;
	if (n < 0 || note_read(buf, (size_t)n, m->key, &note, &kind, &why)) {
		report_add(m->report, n < 0 ? NOTE_FORM : kind, at, "%s",
		    n < 0 ? "longer than a checkpoint can be" : why);
		return;
	}
	report_add(m->report, NEWEST_MISMATCH, at,
	    "it signs %" PRIu64 " records and is not the last of %" PRIu64
	    " in the list",
	    note.size, m->exported);
	if (note.size > m->newest) {
		m->newest = note.size;
		m->newest_time = note.time;
	}
	add(m, &note, NEWEST, 0, 0);
}

void
marks_read_export(struct marks *m, int dir)
{
	struct place at = {NOWHERE, LIST, NOWHERE};
	struct stream *s = malloc(sizeof(*s));
	int error = ENOMEM;

	m->newest_time = -1;
	if (s && (error = stream_open(s, dir, LIST)) == 0) {
		read_list(m, s);
		error = s->error;
		stream_close(s);
	}
	free(s);
	if (error)
		cannot_read(m, LIST, error);
	else if (m->exported == 0)
		report_add(m->report, NO_CHECKPOINT, at, "the list is empty");
	read_newest(m, dir);
}

/* --- those that were kept elsewhere -------------------------------------------------- */

static void
take_kept(struct marks *m, const char *name, const uint8_t *p, size_t n,
    uint64_t offset)
{
	struct place at = {NOWHERE, name, offset};
	struct note note;
	enum kind kind;
	const char *why;

	if (note_read(p, n, m->key, &note, &kind, &why)) {
		report_add(m->report, kind, at, "kept checkpoint: %s", why);
		return;
	}
	m->kept++;
	add(m, &note, name, offset, 1);
}

void
marks_read_kept(struct marks *m, const char *name, uint8_t *p, size_t n)
{
	struct place at = {NOWHERE, name, NOWHERE};
	size_t len, i = 0, found = 0;

	n = kept_plain(p, n, m->key->name);
	for (;;) {
		while (i < n && p[i] == '\n')
			i++;
		if (i == n)
			break;
		if ((len = note_length(p + i, n - i)) == 0)
			len = n - i; /* is no note, and said to be none */
		take_kept(m, name, p + i, len, i);
		i += len;
		found++;
	}
	if (found == 0)
		report_add(
		    m->report, CANNOT_READ, at, "there is no checkpoint in it");
}

static int
by_size(const void *pa, const void *pb)
{
	const struct mark *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->kept - b->kept;
}

void
marks_sort(struct marks *m)
{
	if (m->n)
		qsort(m->list, m->n, sizeof(*m->list), by_size);
}

void
marks_free(struct marks *m)
{
	free(m->list);
	m->list = NULL;
}
