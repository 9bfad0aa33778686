/*
 * ews_job.h: a read from Exchange Web Services that is under way, shared by the
 * files that make it: ews_want.c (what is still to be asked for), ews_told.c
 * (what came, and what mapd is told of it), ews_job.c (what comes next).
 *
 * Not here: what a caller needs (ews.h).
 */
#ifndef ORB_ADAPTER_EWS_JOB_H
#define ORB_ADAPTER_EWS_JOB_H

#include "fetchd/adapter/ews.h"

#define EWS_RANGES 64

enum ask { ASK_NOTHING, ASK_SYNC, ASK_VIEW, ASK_FIND, ASK_GET, ASK_FOLDER };

/* A master that was seen. */
struct ews_master {
	struct ews_master *next;
	char *uid, *id, *thread; /* thread "": unknown */
	int all_day;
};

struct ews_read {
	struct job job; /* first */
	uint16_t type;
	char *address, *room, *target;
	int64_t from, to, original_start;
	struct ews_call call;
	enum ask asking;
	struct strbuf state, query; /* query: what ADAPTER_FIND asks */
	struct strbuf tags;         /* of ADAPTER_FIND, each ended with NUL */
	int sync, find, folder;     /* still to be asked */
	int full, restarted, view_wanted;
	struct {
		int64_t from, to;
	} range[EWS_RANGES], viewed;
	unsigned ranges;
	char **ids; /* to be fetched; got: how many were */
	size_t nids, got, asked, view_mark;
	size_t listed; /* of the answer to one view */
	unsigned pages;
	int cut; /* the view was not whole */
	struct ews_master *masters;
	unsigned count, bad;
	int found, gone;
	enum outcome outcome;
	char text[300], bad_why[100];
};

/* The first failure is kept; what is asked for next is nothing. */
void ews_read_fail(struct ews_read *, enum outcome, const char *text);

/* An item to be fetched. */
void ews_want_id(struct ews_read *, const char *id);
/* Views of the whole window, a year each at most. */
void ews_want_window(struct ews_read *);
/* The view just answered was cut, and has no next page: what it listed is
 * forgotten, and both halves are asked for. */
void ews_want_halves(struct ews_read *);
/* The series with this uid, NULL when it has not been seen. */
const struct ews_master *ews_master_of(
    const struct ews_read *, const char *uid);
void ews_master_learn(struct ews_read *, const char *uid, const char *id,
    const char *thread, int all_day);
/* May an occurrence that a view lists be of a series that was seen? */
int ews_thread_known(const struct ews_read *, const char *thread);
void ews_masters_free(struct ews_read *);

/* What takes the items and messages of the answers; arg is the ews_read. */
extern const struct ews_reading ews_read_reading;

#endif
