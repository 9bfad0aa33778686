/*
 * check.h: a whole export, read once from its first record to its last, with
 * everything held against everything.
 */
#ifndef ORB_VERIFY_CHECK_H
#define ORB_VERIFY_CHECK_H

#include "verify/marks.h"

struct check_options {
	int dir;            /* the export, open */
	int64_t clock_step; /* ns */
};

/* Checks the records of the export against the marks, which must be sorted.
 * What is found goes into the report, what there was into the summary. */
void check_export(const struct check_options *, const struct marks *,
    struct report *, struct summary *);

#endif
