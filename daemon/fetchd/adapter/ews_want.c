/* ews_want.c: what a read from Exchange Web Services has still to ask for, and
 * which series it has seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/ews_job.h"

#define YEAR (366 * INT64_C(86400))
#define IDS_MAX 100000 /* of one job; a calendar of this size is none */

void
ews_read_fail(struct ews_read *j, enum outcome r, const char *text)
{
	if (j->outcome != OUTCOME_OK)
		return;
	j->outcome = r;
	snprintf(j->text, sizeof(j->text), "%s", text);
}

void
ews_want_id(struct ews_read *j, const char *id)
{
	char **p = j->ids;

	if (j->nids >= IDS_MAX) {
		ews_read_fail(j, OUTCOME_BROKEN, "the calendar has no end");
		return;
	}
	if ((j->nids & (j->nids + 1)) == 0) /* 0, 1, 3, 7, ... */
		p = realloc(j->ids, (j->nids + 1) * 2 * sizeof(*p));
	if (p)
		j->ids = p;
	if (p == NULL || (p[j->nids] = strdup(id)) == NULL)
		ews_read_fail(j, OUTCOME_FAILED, "no memory");
	else
		j->nids++;
}

static void
want_range(struct ews_read *j, int64_t from, int64_t to)
{
	if (j->ranges == EWS_RANGES)
		ews_read_fail(
		    j, OUTCOME_BROKEN, "a view cannot be divided further");
	else if (from < to) {
		j->range[j->ranges].from = from;
		j->range[j->ranges++].to = to;
	}
}

void
ews_want_window(struct ews_read *j)
{
	int64_t at = j->from;

	for (; j->to - at > YEAR && j->outcome == OUTCOME_OK; at += YEAR)
		want_range(j, at, at + YEAR);
	want_range(j, at, j->to);
}

void
ews_want_halves(struct ews_read *j)
{
	int64_t from = j->viewed.from, to = j->viewed.to;
	int64_t middle = from + (to - from) / 2;

	while (j->nids > j->view_mark)
		free(j->ids[--j->nids]);
	if (to - from < 120) {
		ews_read_fail(j, OUTCOME_BROKEN,
		    "Exchange shows no end of the bookings of a minute");
		return;
	}
	want_range(j, from, middle);
	want_range(j, middle, to);
}

const struct ews_master *
ews_master_of(const struct ews_read *j, const char *uid)
{
	for (const struct ews_master *m = j->masters; m; m = m->next)
		if (strcmp(m->uid, uid) == 0)
			return m;
	return NULL;
}

void
ews_masters_free(struct ews_read *j)
{
	struct ews_master *m;

	while ((m = j->masters) != NULL) {
		j->masters = m->next;
		free(m->uid);
		free(m->id);
		free(m->thread);
		free(m);
	}
}

void
ews_master_learn(struct ews_read *j, const char *uid, const char *id,
    const char *thread, int all_day)
{
	struct ews_master *m;

	if (ews_master_of(j, uid))
		return;
	if ((m = calloc(1, sizeof(*m))) == NULL) {
		ews_read_fail(j, OUTCOME_FAILED, "no memory");
		return;
	}
	m->uid = strdup(uid);
	m->id = strdup(id);
	m->thread = strdup(thread);
	m->all_day = all_day;
	if (m->uid && m->id && m->thread) {
		m->next = j->masters;
		j->masters = m;
		return;
	}
	free(m->uid);
	free(m->id);
	free(m->thread);
	free(m);
	ews_read_fail(j, OUTCOME_FAILED, "no memory");
}

int
ews_thread_known(const struct ews_read *j, const char *thread)
{
	for (const struct ews_master *m = j->masters; m; m = m->next)
		if (*thread == '\0' || *m->thread == '\0' ||
		    strcmp(m->thread, thread) == 0)
			return 1;
	return 0;
}
