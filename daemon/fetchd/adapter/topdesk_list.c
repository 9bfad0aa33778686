/*
 * topdesk_list.c: ADAPTER_POLL on TOPdesk: the polls of several rooms become
 * lists over many rooms, whose reservations stream back to each room's poll.
 *
 * TOPdesk has no change feed and no offset.  A list that was cut (206) is
 * followed by one that begins at the last start seen; what is the same at the
 * seam is left out by id.  A page that brings nothing new, or is not in order
 * of start, cannot be followed and ends the list as broken.
 *
 * The polls end ok, with full set, only when the WHOLE list came.  Whatever
 * else happens, every room of the list is told so, and that nothing follows
 * from what it was not sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/topdesk_job.h"

struct td_list;

struct td_poll {
	struct job job; /* first */
	char *room;     /* location id */
	int64_t from, to;
	unsigned count;
	struct td_list *list; /* NULL until the flush */
};

struct td_list {
	struct adapter *a;
	struct td_poll **poll;
	const char **room;
	size_t n;
	int64_t from, to;
	int64_t last;       /* the latest start seen */
	struct strbuf seam; /* ids that begin then, each with its zero byte */
	unsigned pages, fresh, bad;
	int disorder;
	char bad_why[80];
	struct strbuf path;
};

#define LIST_PAGES 1000

static int on_item(void *, int, const char *, size_t, const struct project *);
static void on_page(void *, struct reply *);
static const struct asker asker = {
    topdesk_list_schema, topdesk_error_schema, on_item, NULL, on_page};

static void
list_free(struct td_list *l)
{
	outbound_drop(l->a->out, l);
	strbuf_free(&l->seam);
	strbuf_free(&l->path);
	free(l->poll);
	free(l->room);
	free(l);
}

/* The list goes with the last of its polls. */
static void
poll_release(struct job *job)
{
	struct td_poll *p = (struct td_poll *)job;
	struct td_list *l = p->list;
	size_t left = 0;

	for (size_t i = 0; l && i < l->n; i++) {
		if (l->poll[i] == p)
			l->poll[i] = NULL;
		left += l->poll[i] != NULL;
	}
	if (l && left == 0)
		list_free(l);
	free(p->room);
	free(p);
}

int
topdesk_poll(struct adapter *a, uint64_t id, const struct msg_adapter_poll *m)
{
	struct td_poll *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->room = strdup(m->address)) == NULL) {
		free(p);
		return -1;
	}
	p->from = m->from;
	p->to = m->to;
	p->job.release = poll_release;
	job_add(a, &p->job, id, 0);
	return 0;
}

/* Ends every poll of the list; l is gone afterwards. */
static void
list_end(struct td_list *l, enum outcome r, uint32_t retry, const char *text)
{
	struct td_poll *poll;
	char bad[200];
	size_t n = l->n;

	if (r == OUTCOME_OK && l->bad) {
		snprintf(bad, sizeof(bad),
		    "%u reservations of this list cannot be read (the first: "
		    "%s)",
		    l->bad, l->bad_why);
		text = bad;
	}
	for (size_t i = 0; i < n; i++) {
		poll = l->poll[i];
		adapter_poll_end(l->a, poll->job.id, r, r == OUTCOME_OK,
		    poll->count, l->bad, retry, text, "");
		job_end(&poll->job); /* the last one frees l */
	}
}

static void
list_ask(struct td_list *l)
{
	struct msg_http_request m = {
	    .method = METHOD_GET, .idempotent = 1, .accept = TOPDESK_JSON};

	l->fresh = 0;
	topdesk_path_list(&l->path, l->room, l->n, l->from, l->to,
	    l->pages ? l->last : INT64_MIN, l->a->conf->topdesk.list_top);
	m.path = strbuf_get(&l->path);
	m.correlation = outbound_correlation(l->a->out);
	if (l->path.err || outbound_send(l->a->out, &m, &asker, l))
		list_end(l, OUTCOME_FAILED, 0,
		    "the list's request is too long: lower rooms_per_list");
}

/* 1 when this reservation was on the page before. */
static int
seen_at_seam(struct td_list *l, const struct booking *b)
{
	const char *p = strbuf_get(&l->seam), *end = p + l->seam.len;

	if (b->start < l->last)
		l->disorder = 1;
	if (b->start == l->last)
		for (; p < end; p += strlen(p) + 1)
			if (strcmp(p, b->remote_id) == 0)
				return 1;
	if (b->start > l->last) {
		l->last = b->start;
		strbuf_reset(&l->seam);
	}
	if (b->start == l->last)
		strbuf_add(&l->seam, b->remote_id, strlen(b->remote_id) + 1);
	return 0;
}

static void
give_to_rooms(struct td_list *l, struct reservation *r)
{
	struct td_poll *p;

	while (reservation_room(r))
		for (size_t i = 0; i < l->n; i++) {
			p = l->poll[i];
			if (strcasecmp(p->room, r->booking.room) != 0)
				continue;
			r->booking.room = p->room;
			p->count++;
			adapter_booking(l->a, p->job.id, &r->booking);
			break;
		}
}

static int
on_item(void *arg, int level, const char *json, size_t len,
    const struct project *pr)
{
	struct td_list *l = arg;
	json_t *o = json ? json_loadb(json, len, 0, NULL) : NULL;
	const char *why = "it is larger than ORB reads";
	struct reservation r;

	(void)level;
	(void)pr;
	if (o == NULL ||
	    reservation_get(o, l->a->conf->topdesk.link_type, &r, &why)) {
		if (l->bad++ == 0)
			snprintf(l->bad_why, sizeof(l->bad_why), "%s", why);
	} else if (!seen_at_seam(l, &r.booking)) {
		l->fresh++;
		give_to_rooms(l, &r);
	}
	json_decref(o);
	return 0;
}

static void
on_page(void *arg, struct reply *y)
{
	struct td_list *l = arg;
	char text[300];
	enum outcome r = topdesk_read_outcome(y, text, sizeof(text));

	/* 404 for a list is the address of the API, not of a reservation. */
	if (r == OUTCOME_GONE)
		r = OUTCOME_REFUSED;
	if (r != OUTCOME_OK || y->status != 206) {
		list_end(l, r, y->retry_after, text);
		return;
	}
	l->pages++;
	if (l->disorder)
		list_end(l, OUTCOME_BROKEN, 0,
		    "TOPdesk's list is cut and not in order of start");
	else if (l->fresh == 0 || l->seam.err || l->pages == LIST_PAGES)
		list_end(l, OUTCOME_BROKEN, 0,
		    "TOPdesk's list is cut and its next page brings nothing "
		    "new: raise list_top");
	else
		list_ask(l);
}

static struct td_list *
list_new(struct adapter *a, size_t max)
{
	struct td_list *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->a = a;
	l->last = INT64_MIN;
	strbuf_init(&l->seam, 1024 * 1024);
	strbuf_init(&l->path, 16384);
	l->poll = calloc(max, sizeof(*l->poll));
	l->room = calloc(max, sizeof(*l->room));
	if (l->poll == NULL || l->room == NULL) {
		list_free(l);
		return NULL;
	}
	return l;
}

/* A poll that no list has taken yet. */
static int
waiting(const struct job *j)
{
	return !j->running && j->release == poll_release;
}

/* A list with the window of its first poll. */
static struct td_list *
list_for(struct adapter *a, size_t max, const struct td_poll *p)
{
	struct td_list *l = list_new(a, max);

	if (l) {
		l->from = p->from;
		l->to = p->to;
	}
	return l;
}

/* Takes the waiting polls of one window into a list and asks for it.  0 when
 * no poll waits. */
static int
gather(struct adapter *a)
{
	size_t max = (size_t)a->conf->topdesk.rooms_per_list;
	struct td_list *l;
	struct td_poll *p;
	struct job *j;

	for (j = a->first; j && !waiting(j); j = j->next)
		;
	if (j == NULL || (l = list_for(a, max, (struct td_poll *)j)) == NULL)
		return 0;
	for (; j && l->n < max; j = j->next) {
		p = (struct td_poll *)j;
		if (!waiting(j) || p->from != l->from || p->to != l->to)
			continue;
		j->running = 1;
		a->running++;
		p->list = l;
		l->room[l->n] = p->room;
		l->poll[l->n++] = p;
	}
	list_ask(l);
	return 1;
}

void
topdesk_flush(struct adapter *a)
{
	while (gather(a))
		;
}
