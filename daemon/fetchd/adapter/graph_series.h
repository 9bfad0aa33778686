/*
 * graph_series.h: occurrences and exceptions that wait for their master.
 *
 * calendarView/delta gives an occurrence as a bare stub (id, series, times):
 * subject, organiser and identity are its master's.  The uid of an occurrence
 * or exception is always the MASTER's iCalUId, since Exchange gives each
 * occurrence one of its own.  Original start: originalStart of an exception,
 * the start of a stub.
 *
 * A master comes in the same feed, before or after; else it is fetched once.
 * What waits is held compactly: an occurrence is two strings and three times.
 */
#ifndef ORB_ADAPTER_GRAPH_SERIES_H
#define ORB_ADAPTER_GRAPH_SERIES_H

#include "fetchd/adapter/graph.h"

enum series_state { SERIES_WANTED, SERIES_ASKED, SERIES_KNOWN, SERIES_GONE };

struct series_master {
	enum series_state state;
	struct graph_event event; /* its strings point into text */
	char *text;
};

struct series_held {
	unsigned master; /* index */
	int64_t start, end, original_start;
	char *id;                  /* followed by the change tag */
	struct graph_event *event; /* of what is more than a stub; or NULL */
};

struct series {
	struct series_master *master;
	struct series_held *held;
	unsigned nmaster, capmaster, last;
	unsigned nheld, capheld, given; /* given: up to here handed out */
};

void series_free(struct series *);
/* Remembers a master (the last one seen wins).  0 or -1: no memory. */
int series_learn(struct series *, const struct graph_event *);
/* The master of a series when it is known, else NULL. */
const struct graph_event *series_find(struct series *, const char *series_id);
/* Marks a series as one that no longer exists. */
void series_gone(struct series *, const char *series_id);
/*
 * Takes an occurrence or exception that waits, copied.  0 or -1: no memory.
 */
int series_hold(struct series *, const struct graph_event *);
/* Notes that the master of this series is needed.  0 or -1: no memory. */
int series_want(struct series *, const char *series_id);
/* The id of the next master to fetch, marked as asked for; NULL: none. */
const char *series_next_wanted(struct series *);

/*
 * The next that waits: 1 and *e complete (its master known), 0 and *e with only
 * its id (its series is gone), -1: no more.  e lives until the next call.
 */
int series_next(struct series *, struct graph_event *e);
/* Puts the master's properties into an occurrence or exception. */
void series_fill(struct graph_event *, const struct graph_event *master);

#endif
