/* graph_series.c: see graph_series.h. */
#include "fetchd/adapter/graph_series.h"

#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/zone_name.h"

void
series_free(struct series *s)
{
	for (unsigned i = 0; i < s->nmaster; i++)
		free(s->master[i].text);
	for (unsigned i = 0; i < s->nheld; i++) {
		free(s->held[i].id);
		free(s->held[i].event);
	}
	free(s->master);
	free(s->held);
	memset(s, 0, sizeof(*s));
}

/* A room has tens of series and asks for the same one many times in a row. */
static struct series_master *
find(struct series *s, const char *id)
{
	unsigned i = s->last;

	if (i < s->nmaster && strcmp(s->master[i].event.id, id) == 0)
		return &s->master[i];
	for (i = 0; i < s->nmaster; i++)
		if (strcmp(s->master[i].event.id, id) == 0) {
			s->last = i;
			return &s->master[i];
		}
	return NULL;
}

/* Copies s to *p, advances it, returns where the copy is. */
static const char *
copy(char **p, const char *s)
{
	size_t n = strlen(s) + 1;
	char *at = *p;

	memcpy(at, s, n);
	*p += n;
	return at;
}

static int
keep(struct series_master *m, const struct graph_event *e)
{
	char *p, *old = m->text;
	size_t n = strlen(e->id) + strlen(e->uid) + strlen(e->subject) +
	    strlen(e->organiser) + strlen(e->body) + 5;

	if ((p = malloc(n)) == NULL)
		return -1;
	m->text = p;
	m->event = *e;
	m->event.id = copy(&p, e->id);
	m->event.uid = copy(&p, e->uid);
	m->event.subject = copy(&p, e->subject);
	m->event.organiser = copy(&p, e->organiser);
	m->event.body = copy(&p, e->body);
	m->event.series_id = m->event.change_tag = "";
	free(old);
	return 0;
}

static struct series_master *
master_add(struct series *s, const struct graph_event *e)
{
	struct series_master *m;
	unsigned cap;

	if (s->nmaster == s->capmaster) {
		cap = s->capmaster ? s->capmaster * 2 : 8;
		if ((m = realloc(s->master, cap * sizeof(*m))) == NULL)
			return NULL;
		s->master = m;
		s->capmaster = cap;
	}
	m = &s->master[s->nmaster];
	memset(m, 0, sizeof(*m));
	if (keep(m, e))
		return NULL;
	s->nmaster++;
	return m;
}

int
series_learn(struct series *s, const struct graph_event *e)
{
	struct series_master *m = find(s, e->id);

	if (m ? keep(m, e) : (m = master_add(s, e)) == NULL)
		return -1;
	m->state = SERIES_KNOWN;
	return 0;
}

const struct graph_event *
series_find(struct series *s, const char *id)
{
	struct series_master *m = find(s, id);

	return m && m->state == SERIES_KNOWN ? &m->event : NULL;
}

void
series_gone(struct series *s, const char *id)
{
	struct series_master *m = find(s, id);

	if (m && m->state != SERIES_KNOWN)
		m->state = SERIES_GONE;
}

int
series_want(struct series *s, const char *id)
{
	struct graph_event empty = {
	    .id = id, .uid = "", .subject = "", .organiser = "", .body = ""};

	return find(s, id) == NULL && master_add(s, &empty) == NULL ? -1 : 0;
}

static char *
two_strings(const char *a, const char *b)
{
	char *s = malloc(strlen(a) + strlen(b) + 2), *p = s;

	if (s) {
		copy(&p, a);
		copy(&p, b);
	}
	return s;
}

/* What a held event has that its id and its master do not. */
static struct graph_event *
event_copy(const struct graph_event *e)
{
	struct graph_event *c;
	char *p;

	c = malloc(sizeof(*c) + strlen(e->subject) + strlen(e->organiser) +
	    strlen(e->body) + 3);
	if (c == NULL)
		return NULL;
	p = (char *)(c + 1);
	*c = *e;
	c->id = c->series_id = c->uid = c->change_tag = "";
	c->subject = copy(&p, e->subject);
	c->organiser = copy(&p, e->organiser);
	c->body = copy(&p, e->body);
	return c;
}

int
series_hold(struct series *s, const struct graph_event *e)
{
	struct series_master *m;
	struct series_held *h;
	unsigned cap;

	if (series_want(s, e->series_id))
		return -1;
	m = find(s, e->series_id);
	if (s->nheld == s->capheld) {
		cap = s->capheld ? s->capheld * 2 : 16;
		if ((h = realloc(s->held, cap * sizeof(*h))) == NULL)
			return -1;
		s->held = h;
		s->capheld = cap;
	}
	h = &s->held[s->nheld];
	*h = (struct series_held){(unsigned)(m - s->master), e->start, e->end,
	    e->original_start, two_strings(e->id, e->change_tag), NULL};
	if (h->id == NULL)
		return -1;
	if (!e->stub && (h->event = event_copy(e)) == NULL) {
		free(h->id);
		return -1;
	}
	s->nheld++;
	return 0;
}

const char *
series_next_wanted(struct series *s)
{
	for (unsigned i = 0; i < s->nmaster; i++)
		if (s->master[i].state == SERIES_WANTED) {
			s->master[i].state = SERIES_ASKED;
			return s->master[i].event.id;
		}
	return NULL;
}

void
series_fill(struct graph_event *e, const struct graph_event *master)
{
	e->uid = master->uid;
	if (e->original_start == 0)
		e->original_start = e->start;
	/* Of a stub and of its exception the same, whatever the latter is. */
	if (master->all_day)
		e->original_start =
		    zone_date(e->ahead | master->ahead, e->original_start);
	if (!e->stub)
		return;
	e->subject = master->subject;
	e->organiser = master->organiser;
	e->body = master->body;
	e->all_day = master->all_day;
	e->state = master->state;
	e->private_ = master->private_;
	e->marks = master->marks;
	e->attendees = master->attendees;
}

int
series_next(struct series *s, struct graph_event *e)
{
	struct series_held *h;
	struct series_master *m;

	if (s->given == s->nheld)
		return -1;
	h = &s->held[s->given++];
	m = &s->master[h->master];
	if (h->event)
		*e = *h->event;
	else {
		memset(e, 0, sizeof(*e));
		e->type = GRAPH_OCCURRENCE;
		e->stub = 1;
		e->start = h->start;
		e->end = h->end;
		e->original_start = h->original_start;
		e->subject = e->organiser = e->body = e->uid = "";
	}
	e->id = h->id;
	e->change_tag = h->id + strlen(h->id) + 1;
	e->series_id = m->event.id;
	if (m->state != SERIES_KNOWN)
		return 0;
	series_fill(e, &m->event);
	return 1;
}
