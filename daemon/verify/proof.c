/* proof.c: see proof.h. */
#include "verify/proof.h"

#include <inttypes.h>
#include <string.h>

#include "verify/base64.h"
#include "verify/note.h"
#include "verify/record.h"
#include "verify/tree.h"

struct proof {
	const uint8_t *record, *note;
	size_t record_len, note_len;
	uint64_t index, size;
	uint8_t path[TREE_LEVELS][HASH_LEN];
	size_t n;
};

struct in {
	const uint8_t *p, *end;
};

static int
next_line(struct in *in, const uint8_t **s, size_t *n)
{
	const uint8_t *nl = memchr(in->p, '\n', (size_t)(in->end - in->p));

	if (nl == NULL)
		return -1;
	*s = in->p;
	*n = (size_t)(nl - in->p);
	in->p = nl + 1;
	return 0;
}

static int
next_number(struct in *in, uint64_t *v)
{
	const uint8_t *s;
	size_t n;

	if (next_line(in, &s, &n) || n == 0 || n > 15 || (n > 1 && *s == '0'))
		return -1;
	for (*v = 0; n--; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		*v = *v * 10 + (uint64_t)(*s - '0');
	}
	return 0;
}

static int
read_path(struct in *in, struct proof *p)
{
	const uint8_t *s;
	size_t n;

	for (;;) {
		if (next_line(in, &s, &n))
			return -1;
		if (n == 0)
			return 0;
		if (p->n == TREE_LEVELS ||
		    base64_decode((const char *)s, n, p->path[p->n],
			HASH_LEN) != HASH_LEN)
			return -1;
		p->n++;
	}
}

static const char *
read_proof(struct in *in, struct proof *p)
{
	if (in->p == in->end || next_line(in, &p->record, &p->record_len))
		return "it does not begin with a record";
	if (next_number(in, &p->index))
		return "the second line is not the record's index";
	if (next_number(in, &p->size))
		return "the third line is not the size of the tree";
	if (read_path(in, p))
		return "after the size there are not hashes in base64, one a "
		       "line, and an empty line";
	p->note = in->p;
	p->note_len = (size_t)(in->end - in->p);
	return NULL;
}

static void
check_record(const struct proof *p, struct report *report, struct place at)
{
	const char *why;
	struct record r;
	size_t where;

	if (record_read(p->record, p->record_len, &r, &why, &where)) {
		at.offset = where;
		report_add(report, RECORD_FORM, at, "%s", why);
	} else if (r.index != p->index)
		report_add(report, PROOF_MISMATCH, at,
		    "the record says that it is record %" PRIu64, r.index);
}

static void
check_path(const struct proof *p, const struct note *note,
    struct report *report, struct place at)
{
	uint8_t leaf[HASH_LEN];

	if (note->size != p->size) {
		report_add(report, PROOF_MISMATCH, at,
		    "the proof is for a tree of %" PRIu64
		    " records, the checkpoint signed %" PRIu64,
		    p->size, note->size);
		return;
	}
	tree_leaf_hash(p->record, p->record_len, leaf);
	if (tree_proof_check(p->index, p->size, leaf,
		(const uint8_t(*)[HASH_LEN])p->path, p->n, note->root))
		report_add(report, PROOF_MISMATCH, at,
		    "the hashes do not lead from the record to the root that "
		    "was signed");
}

void
proof_check(const char *name, const uint8_t *bytes, size_t n,
    const struct key *key, struct report *report, struct summary *sum)
{
	struct in in = {bytes, bytes + n};
	struct place at = {NOWHERE, name, NOWHERE};
	struct proof p = {0};
	struct note note;
	enum kind kind;
	const char *why;

	sum->is_proof = 1;
	if ((why = read_proof(&in, &p)) != NULL) {
		at.offset = (uint64_t)(in.p - bytes);
		report_add(report, PROOF_FORM, at, "%s", why);
		return;
	}
	at.record = p.index;
	check_record(&p, report, at);
	if (note_read(p.note, p.note_len, key, &note, &kind, &why)) {
		at.offset = (uint64_t)(p.note - bytes);
		report_add(report, kind, at, "its checkpoint: %s", why);
		return;
	}
	check_path(&p, &note, report, at);
	sum->proved = p.index;
	sum->records = note.size;
	sum->checkpoints = 1;
	sum->newest = note.time;
}
