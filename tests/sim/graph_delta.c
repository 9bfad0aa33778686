/*
 * graph_delta.c: calendarView/delta.  Tokens hold all there is to know of a
 * round: the window, from which change on, and how far it got; the mailbox
 * keeps only how many links each chain of rounds has been given, so that old
 * ones can die.  What delta does not say (see event_stub(), and occurrences
 * that vanish) it does not say here either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

struct round {
	uint32_t lineage;
	uint32_t generation;
	uint64_t since;
	uint64_t upto;
	int64_t from;
	int64_t to;
	size_t event;
	size_t sub;
};

/* What a round says of one event: n lines, of which one may be the master. */
struct lines {
	struct occurrences occ;
	size_t n;
	size_t master; /* line of the master, or SIZE_MAX */
	int tombstone;
};

static void
lines_of(const struct event *e, const struct round *rd, struct lines *l)
{
	size_t i, kept = 0;

	l->n = l->occ.n = 0;
	l->master = SIZE_MAX;
	l->tombstone = 0;
	if (rd->since == 0 ? e->removed : e->changed <= rd->since)
		return;
	if (!e->removed)
		event_occurrences(e, rd->from, rd->to, &l->occ);
	if (l->occ.n == 0) {
		l->tombstone = rd->since != 0;
		l->n = (size_t)l->tombstone;
		return;
	}
	if (e->rec == NULL) {
		l->n = 1;
		return;
	}
	for (i = 0; i < l->occ.n; i++)
		if (e->repatterned > rd->since ||
		    (l->occ.v[i].change && l->occ.v[i].change->seq > rd->since))
			l->occ.v[kept++] = l->occ.v[i];
	l->occ.n = kept;
	l->n = kept + 1;
	l->master = e->serial % 2 ? 0 : kept; /* order is not promised */
}

static void
line_json(
    struct request *r, const struct event *e, const struct lines *l, size_t k)
{
	const struct occurrence *o;

	if (l->tombstone) {
		event_tombstone(r, e);
		return;
	}
	if (e->rec == NULL || k == l->master)
		o = NULL;
	else
		o = &l->occ.v[l->master == 0 ? k - 1 : k];
	if (o != NULL && o->change == NULL) {
		event_stub(r, e, o);
		return;
	}
	text_str(&r->out, "{\"@odata.type\":\"#microsoft.graph.event\",");
	event_json(r, e, o, SELECT_ALL);
	text_str(&r->out, "}");
}

static void
link_json(struct request *r, const struct mailbox *mb, const struct round *rd,
    int delta)
{
	char plain[200];

	(void)snprintf(plain, sizeof(plain),
	    "%c %u %u %u %llu %llu %lld %lld "
	    "%zu %zu",
	    delta ? 'D' : 'S', mb->number, rd->lineage, rd->generation,
	    (unsigned long long)rd->since, (unsigned long long)rd->upto,
	    (long long)rd->from, (long long)rd->to, rd->event, rd->sub);
	text_fmt(&r->out, "\"@odata.%s\":\"", delta ? "deltaLink" : "nextLink");
	graph_base(r, &r->out);
	text_fmt(&r->out, "/users/%s/calendarView/delta?%s=", mb->email,
	    delta ? "$deltatoken" : "$skiptoken");
	seal_write(&r->out, plain);
	text_str(&r->out, "\"");
}

static struct lineage *
lineage_find(struct mailbox *mb, uint32_t id)
{
	struct lineage *l = &mb->lineages[id % 64];

	return id != 0 && l->id == id ? l : NULL;
}

static int
gone(struct request *r, const struct round *rd, const struct lineage *l)
{
	unsigned int top = l ? l->generation : 0;

	graph_error(r, 410, "SyncStateNotFound",
	    "The sync state generation is "
	    "not found; generation=%u;[highest=%u][%u].",
	    rd->generation, top, top);
	return -1;
}

/* Reads a token into a round; -1 after answering that it is no good. */
static int
round_resume(struct request *r, struct mailbox *mb, const char *token,
    char want, struct round *rd)
{
	unsigned long long since, upto;
	long long from, to;
	unsigned int box;
	struct lineage *l;
	char plain[256], kind;

	if (r->nargs > 1)
		violation(r, "something was added to an opaque link");
	if (seal_read(token, plain, sizeof(plain)) == -1 ||
	    sscanf(plain, "%c %u %u %u %llu %llu %lld %lld %zu %zu", &kind,
		&box, &rd->lineage, &rd->generation, &since, &upto, &from, &to,
		&rd->event, &rd->sub) != 10 ||
	    kind != want || box != mb->number) {
		violation(r, "a token that was never given out here");
		graph_error(
		    r, 400, "ErrorInvalidUrlQuery", "Badly formed token.");
		return -1;
	}
	rd->since = since;
	rd->upto = upto;
	rd->from = from;
	rd->to = to;
	l = lineage_find(mb, rd->lineage);
	if (l == NULL || l->generation >= rd->generation + 4)
		return gone(r, rd, l);
	if (kind == 'D') {
		rd->since = rd->upto;
		rd->upto = exchange.seq;
		rd->event = rd->sub = 0;
	}
	return 0;
}

static int
round_begin(struct request *r, struct mailbox *mb, struct round *rd)
{
	static const char *const refused[] = {
	    "$select", "$expand", "$filter", "$orderby", "$search", "$top"};
	struct lineage *l;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (request_arg(r, refused[i]) != NULL)
			violation(r, "delta does not take %s", refused[i]);
	memset(rd, 0, sizeof(*rd));
	if (graph_window(r, &rd->from, &rd->to) == -1)
		return -1;
	rd->lineage = ++mb->nlineages;
	l = &mb->lineages[rd->lineage % 64];
	l->id = rd->lineage;
	l->generation = 0;
	rd->upto = exchange.seq;
	return 0;
}

static size_t
page_size(const struct request *r)
{
	const char *p =
	    r->prefer ? strcasestr(r->prefer, "odata.maxpagesize=") : NULL;
	long n = p ? strtol(p + 18, NULL, 10) : 10;

	if (n < 1 || n > 1000)
		n = 1000;
	if (settings.page_size > 0 && n > settings.page_size)
		n = settings.page_size;
	return (size_t)n;
}

/* Writes lines until the page is full: 1 when the round has more. */
static int
page_fill(struct request *r, struct mailbox *mb, struct round *rd)
{
	size_t max = page_size(r), n = 0;
	struct lines l = {0};
	int more = 0;

	for (; rd->event < mb->nevents && !more; rd->event++) {
		const struct event *e = mb->events[rd->event];

		lines_of(e, rd, &l);
		for (; rd->sub < l.n; rd->sub++) {
			if (n == max) {
				more = 1;
				break;
			}
			if (n++ > 0)
				text_str(&r->out, ",");
			line_json(r, e, &l, rd->sub);
			if (settings.replay > 0 &&
			    e->serial % (unsigned)settings.replay == 0) {
				text_str(&r->out, ",");
				line_json(r, e, &l, rd->sub);
			}
		}
		if (more)
			break;
		rd->sub = 0;
	}
	free(l.occ.v);
	return more;
}

void
graph_delta(struct request *r)
{
	struct mailbox *mb = graph_mailbox(r);
	const char *skip = request_arg(r, "$skiptoken");
	const char *token = request_arg(r, "$deltatoken");
	struct lineage *l;
	struct round rd;
	int more;

	if (mb == NULL)
		return;
	if (skip != NULL        ? round_resume(r, mb, skip, 'S', &rd) == -1
		: token != NULL ? round_resume(r, mb, token, 'D', &rd) == -1
				: round_begin(r, mb, &rd) == -1)
		return;
	r->status = 200;
	text_str(&r->out, "{\"@odata.context\":\"");
	graph_base(r, &r->out);
	text_str(&r->out, "/$metadata#Collection(event)\",\"value\":[");
	if (settings.empty_pages && skip == NULL)
		more = 1;
	else
		more = page_fill(r, mb, &rd);
	text_str(&r->out, "],");
	if (!more) {
		l = lineage_find(mb, rd.lineage);
		if (l != NULL)
			rd.generation = ++l->generation;
	}
	link_json(r, mb, &rd, !more);
	text_str(&r->out, "}");
}
