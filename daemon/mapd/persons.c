/*
 * persons.c: from an organiser's address to the id of a person in TOPdesk.
 *
 * Answers are kept in memory only, for an hour (nobody and several: ten
 * minutes), at most MOST of them.  Questions of all waiting jobs go out
 * together, fifty addresses a request.
 */
#include "mapd/mapd.h"

#include <stdlib.h>
#include <string.h>

#define MOST 8192 /* a power of two */
#define GOOD_MS (60 * 60 * 1000)
#define BAD_MS (10 * 60 * 1000)
#define DEADLINE 120000
#define PER_REQUEST 50

struct person {
	char *address; /* NULL: free */
	char id[64];
	int64_t until;
	int asked;  /* a question is under way */
	int silent; /* the answer to the last one did not speak of it */
};

struct persons {
	struct person slot[MOST];
	size_t used;
};

struct persons *
persons_new(void)
{
	return calloc(1, sizeof(struct persons));
}

void
persons_free(struct persons *p)
{
	for (size_t i = 0; p && i < MOST; i++)
		free(p->slot[i].address);
	free(p);
}

/* The slot of an address, or the free one where it belongs. */
static struct person *
slot_of(struct persons *p, const char *address)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (const char *s = address; *s; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	i = (size_t)(h >> 20) & (MOST - 1);
	while (p->slot[i].address && strcmp(p->slot[i].address, address) != 0)
		i = (i + 1) & (MOST - 1);
	return &p->slot[i];
}

static struct person *
slot_make(struct persons *p, const char *address)
{
	struct person *s = slot_of(p, address);

	if (s->address)
		return s;
	if (p->used >= MOST * 3 / 4) {
		for (size_t i = 0; i < MOST; i++)
			free(p->slot[i].address);
		memset(p, 0, sizeof(*p));
		s = slot_of(p, address);
	}
	if ((s->address = strdup(address)) == NULL)
		return NULL;
	p->used++;
	return s;
}

int
persons_get(struct persons *p, const char *address, const char **id)
{
	const struct person *s = slot_of(p, address);

	if (s->address == NULL || s->until < loop_now())
		return 0;
	*id = s->id;
	return 1;
}

/* A request for up to PER_REQUEST addresses. */
struct question {
	struct mapd *m;
	size_t n;
	char *address[PER_REQUEST];
};

static void
question_free(struct question *q)
{
	struct person *s;

	for (size_t i = 0; i < q->n; i++) {
		s = slot_of(q->m->persons, q->address[i]);
		if (s->address)
			s->asked = 0;
		free(q->address[i]);
	}
	free(q);
}

/* An answer that leaves one out is no answer to it; nor is it asked again at
 * once, which an adapter that always does so would keep up for ever. */
static void
mark_silent(struct question *q)
{
	struct person *s;

	for (size_t i = 0; i < q->n; i++) {
		s = slot_of(q->m->persons, q->address[i]);
		s->silent = s->address && s->until < loop_now();
	}
}

/* Moves the jobs on whose organiser is known now; the rest waits again. */
static void
jobs_answer(struct mapd *m, int failed)
{
	struct jobs waiting = m->ex.person;
	struct job *j;
	const char *id;

	memset(&m->ex.person, 0, sizeof(m->ex.person));
	while ((j = jobs_take(&waiting)) != NULL) {
		if (persons_get(m->persons, j->content->organiser, &id))
			job_next(j, JOB_PERSON);
		else if (failed ||
		    slot_of(m->persons, j->content->organiser)->silent) {
			j->outcome = OUTCOME_FAILED;
			strcpy(j->text,
			    "the organiser could not be looked up "
			    "in TOPdesk");
			job_next(j, JOB_OVER);
		} else
			jobs_add(&m->ex.person, j);
	}
}

static void
keep_answer(struct mapd *m, const struct msg_mapd_person *p)
{
	struct person *s = slot_make(m->persons, p->address);

	if (s == NULL)
		return;
	/* One person, or none: several are as good as none. */
	s->id[0] = '\0';
	if (p->matches == 1 && strlen(p->person) < sizeof(s->id))
		strcpy(s->id, p->person);
	s->until = loop_now() + (s->id[0] ? GOOD_MS : BAD_MS);
	s->silent = 0;
}

static int
on_persons(struct chan *c, struct packet *pk, void *arg)
{
	struct question *q = arg;
	struct mapd *m = q->m;
	struct msg_mapd_person p;
	struct msg_mapd_read r = {.outcome = OUTCOME_FAILED};

	(void)c;
	if (pk && pk->type == MSG_MAPD_PERSON) {
		if (mapd_person_get(pk, &p))
			return -1;
		keep_answer(m, &p);
		return 0;
	}
	if (pk && pk->type == MSG_MAPD_READ && mapd_read_get(pk, &r))
		return -1;
	if (pk && pk->type != MSG_MAPD_READ && pk->type != MSG_ERROR)
		return -1;
	mark_silent(q);
	question_free(q);
	jobs_answer(m, r.outcome != OUTCOME_OK);
	persons_ask(m);
	return 0;
}

static void
question_send(struct question *q)
{
	struct mapd *m = q->m;
	struct msg_adapter_persons ask;
	struct wire_out w;
	uint64_t id;

	wire_out_init(&w, 16000);
	for (size_t i = 0; i < q->n; i++)
		wire_put_str(&w, q->address[i], 254);
	ask.addresses = wire_list_of(&w, (uint32_t)q->n);
	id = chan_call(m->topdesk.chan, DEADLINE, on_persons, q);
	if (id == 0) {
		question_free(q);
		jobs_answer(m, 1);
	} else
		adapter_persons_send(m->topdesk.chan, id, 0, &ask);
	wire_out_free(&w);
	peer_flush(&m->topdesk);
}

void
persons_ask(struct mapd *m)
{
	struct question *q = NULL;
	struct person *s;
	struct job *j, *next;
	size_t room = 0;

	if (m->topdesk.chan == NULL) {
		jobs_answer(m, 1);
		return;
	}
	for (j = m->ex.person.head; j; j = next) {
		next = j->next;
		s = slot_make(m->persons, j->content->organiser);
		if (s == NULL || s->asked || s->until >= loop_now())
			continue;
		if (q && (q->n == PER_REQUEST || room < 300)) {
			question_send(q);
			q = NULL;
		}
		if (q == NULL) {
			if ((q = calloc(1, sizeof(*q))) == NULL)
				return;
			q->m = m;
			room = 15000;
		}
		if ((q->address[q->n] = strdup(s->address)) == NULL)
			break;
		q->n++;
		s->asked = 1;
		s->silent = 0;
		room -= strlen(s->address) + 3;
	}
	if (q)
		question_send(q);
}
