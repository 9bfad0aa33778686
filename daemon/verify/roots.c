/* roots.c: see roots.h. */
#include "verify/roots.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
name_suspects(struct roots *r, enum kind kind)
{
	uint64_t i;

	for (i = 0; i < r->nsuspect && i < SUSPECTS; i++) {
		struct place at = {r->suspect[i].record, r->suspect[i].file,
		    r->suspect[i].offset};

		report_add(r->report, kind, at, "%s",
		    kind == RECORD_CHANGED
			? "its hash is not the one that was signed"
			: "the tile's hash is not that of this record");
	}
	if (r->nsuspect > SUSPECTS)
		report_add(r->report, kind,
		    (struct place){NOWHERE, NULL, NOWHERE},
		    "%" PRIu64 " more up to record %" PRIu64,
		    r->nsuspect - SUSPECTS, r->tree.size - 1);
}

/* The two trees parted: where the signed root is that of the tiles, the records
 * were changed; where it is that of the records, the tiles were.  1 when the
 * tree may go on, with what was signed. */
static int
settle_fork(struct roots *r, const struct mark *m, int matches)
{
	uint8_t root[HASH_LEN];
	int tiles;

	tree_root(&r->fork, root);
	tiles = memcmp(root, m->root, HASH_LEN) == 0 && !r->disordered;
	if (matches)
		name_suspects(r, TILE_MISMATCH);
	else if (tiles) {
		name_suspects(r, RECORD_CHANGED);
		r->tree = r->fork;
	}
	r->forked = 0;
	r->nsuspect = 0;
	return matches || tiles;
}

static void
root_differs(struct roots *r, const struct mark *m)
{
	struct place at = {r->good, m->file, m->offset};

	report_add(r->report, ROOT_MISMATCH, at,
	    "records %" PRIu64 " to %" PRIu64
	    " are not those whose root this checkpoint signed",
	    r->good, m->size ? m->size - 1 : 0);
	r->broken = 1;
}

static void
time_of_mark(struct roots *r, const struct mark *m)
{
	struct place at = {m->size - 1, m->file, m->offset};
	int64_t late = r->realtime / 1000000000 - m->time;

	if (m->size && late > r->bound + 1)
		report_add(r->report, CHECKPOINT_TIME, at,
		    "its time is %" PRId64
		    " s before that of the last record it covers",
		    late);
}

/* Whether the export's own list has what was kept. */
static int
is_listed(const struct marks *all, size_t i)
{
	size_t k = i;

	while (k-- > 0 && all->list[k].size == all->list[i].size)
		if (!all->list[k].kept)
			return 1;
	return 0;
}

static void
check_kept(struct roots *r, size_t i, int matches)
{
	const struct mark *m = &r->marks->list[i];
	struct place at = {m->size ? m->size - 1 : NOWHERE, m->file, m->offset};
	uint8_t root[HASH_LEN];

	if (!matches && r->forked) { /* which tree is right is not known yet */
		tree_root(&r->fork, root);
		matches = memcmp(root, m->root, HASH_LEN) == 0;
	}
	if (!matches)
		report_add(r->report, LOG_FORKED, at,
		    "the kept checkpoint of %" PRIu64
		    " records has another root than this log had then",
		    m->size);
	else if (!is_listed(r->marks, i))
		report_add(r->report, KEPT_UNLISTED, at,
		    "the kept checkpoint of %" PRIu64
		    " records is not in the list",
		    m->size);
}

static void
check_mark(struct roots *r, size_t i)
{
	const struct mark *m = &r->marks->list[i];
	uint8_t root[HASH_LEN];
	int matches;

	tree_root(&r->tree, root);
	matches = memcmp(root, m->root, HASH_LEN) == 0;
	if (m->kept) {
		check_kept(r, i, matches);
		return;
	}
	if (r->forked)
		matches = settle_fork(r, m, matches);
	if (!matches) {
		root_differs(r, m);
		return;
	}
	if (r->tree.size > r->good)
		r->good = r->tree.size;
	time_of_mark(r, m);
}

void
roots_check(struct roots *r)
{
	const struct marks *all = r->marks;

	for (; r->next < all->n && all->list[r->next].size <= r->tree.size;
	     r->next++)
		if (!r->broken && all->list[r->next].size == r->tree.size)
			check_mark(r, r->next);
}

void
roots_see(struct roots *r, const uint8_t leaf[HASH_LEN], const uint8_t *told,
    struct place at)
{
	if (told && !r->broken && memcmp(told, leaf, HASH_LEN) != 0) {
		if (!r->forked)
			r->fork = r->tree;
		r->forked = 1;
		if (r->nsuspect < SUSPECTS) {
			r->suspect[r->nsuspect].record = at.record;
			r->suspect[r->nsuspect].offset = at.offset;
			snprintf(r->suspect[r->nsuspect].file, PATH_LEN, "%s",
			    at.file);
		}
		r->nsuspect++;
	}
	if (r->forked)
		tree_append(&r->fork, told ? told : leaf);
	tree_append(&r->tree, leaf);
}

/* The newest checkpoint of the export, and each kept one, beyond the end. */
static void
check_tail(struct roots *r, uint64_t count, int explained)
{
	const struct marks *all = r->marks;

	for (size_t i = all->n; i-- > r->next;) {
		const struct mark *m = &all->list[i];
		struct place at = {count, m->file, m->offset};

		if (m->size <= count || (!m->kept && explained))
			continue;
		explained |= !m->kept;
		report_add(r->report, TAIL_CUT, at,
		    "the log ends after %" PRIu64 " records, this %scheckpoint "
		    "signed %" PRIu64,
		    count, m->kept ? "kept " : "", m->size);
	}
}

void
roots_end(struct roots *r, uint64_t count, int explained)
{
	check_tail(r, count, explained);
	if (r->forked)
		name_suspects(r, TILE_MISMATCH);
	if (count > r->marks->newest && r->marks->n)
		report_add(r->report, UNCOVERED,
		    (struct place){r->marks->newest, NULL, NOWHERE},
		    "%" PRIu64 " records are newer than the newest checkpoint",
		    count - r->marks->newest);
}
