/*
 * topdesk_read.c: ADAPTER_GET, ADAPTER_FIND (by link), ADAPTER_CHECK (by
 * number) and ADAPTER_PERSONS (by address) on TOPdesk.
 *
 * What FIND and PERSONS do not bring is taken for "not there": so an answer
 * that is not complete (206) is a failure, not an answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/topdesk_job.h"

struct td_read {
	struct job job; /* first */
	uint16_t type;
	char **value; /* copies of what was asked for */
	size_t n;
	struct td_match {
		unsigned count;
		char person[65], name[255];
	} * match; /* ADAPTER_PERSONS: by value */
	unsigned pending, count, bad;
	enum outcome outcome;
	uint32_t retry_after;
	char text[300], bad_why[80];
};

static void
read_release(struct job *job)
{
	struct td_read *d = (struct td_read *)job;

	if (d->pending > 0)
		outbound_drop(job->a->out, d);
	for (size_t i = 0; i < d->n; i++)
		free(d->value[i]);
	free(d->value);
	free(d->match);
	free(d);
}

static void
give(struct td_read *d, json_t *o)
{
	const char *why = "it is larger than ORB reads";
	struct reservation r;
	int more;

	if (o == NULL ||
	    reservation_get(o, d->job.a->conf->topdesk.link_type, &r, &why)) {
		if (d->bad++ == 0)
			snprintf(d->bad_why, sizeof(d->bad_why), "%s", why);
		return;
	}
	/* One message a room; one with no room when it has none at all. */
	more = reservation_room(&r);
	do {
		d->count++;
		adapter_booking(d->job.a, d->job.id, &r.booking);
	} while (more && (more = reservation_room(&r)));
}

static void
match(struct td_read *d, json_t *o)
{
	const char *email = json_string_value(json_object_get(o, "email"));
	const char *id = json_string_value(json_object_get(o, "id"));
	const char *name = json_string_value(json_object_get(o, "dynamicName"));
	struct td_match *m;

	if (email == NULL || id == NULL || strlen(id) > 64 ||
	    json_is_true(json_object_get(o, "archived")))
		return;
	for (size_t i = 0; i < d->n; i++) {
		if (strcasecmp(d->value[i], email) != 0)
			continue;
		m = &d->match[i];
		m->count++;
		wire_clean(m->person, sizeof(m->person), id, 64);
		wire_clean(m->name, sizeof(m->name), name, 254);
	}
}

static int
on_item(
    void *arg, int level, const char *json, size_t len, const struct project *p)
{
	struct td_read *d = arg;
	json_t *o = json ? json_loadb(json, len, 0, NULL) : NULL;

	(void)level;
	(void)p;
	if (d->type == MSG_ADAPTER_PERSONS)
		match(d, o);
	else
		give(d, o);
	json_decref(o);
	return 0;
}

/* Several persons with one address are nobody: mapd decides what then. */
static void
give_persons(struct td_read *d)
{
	struct msg_mapd_person m;
	struct td_match *t;

	for (size_t i = 0; i < d->n && d->job.a->mapd; i++) {
		t = &d->match[i];
		m = (struct msg_mapd_person){d->value[i],
		    t->count == 1 ? t->person : "",
		    t->count == 1 ? t->name : "",
		    (uint8_t)(t->count > 255 ? 255 : t->count)};
		mapd_person_send(d->job.a->mapd, d->job.id, 0, &m);
		d->count++;
	}
}

static void
read_end(struct td_read *d)
{
	char text[300];

	snprintf(text, sizeof(text), "%s", d->text);
	/* What could not be read is not "not there". */
	if (d->outcome == OUTCOME_OK && d->bad) {
		d->outcome = OUTCOME_BROKEN;
		snprintf(text, sizeof(text),
		    "%u reservations cannot be read (the first: %s)", d->bad,
		    d->bad_why);
	}
	if (d->outcome == OUTCOME_OK && d->type == MSG_ADAPTER_PERSONS)
		give_persons(d);
	adapter_read_end(
	    d->job.a, d->job.id, d->outcome, d->count, d->retry_after, text);
	job_end(&d->job);
}

static void
on_done(void *arg, struct reply *y)
{
	struct td_read *d = arg;
	char text[300];
	enum outcome r = topdesk_read_outcome(y, text, sizeof(text));

	d->pending--;
	if (r == OUTCOME_OK && y->status == 206) {
		r = OUTCOME_FAILED;
		snprintf(text, sizeof(text),
		    "TOPdesk gave only a part of the answer (206)");
	}
	if (r == OUTCOME_GONE && d->type != MSG_ADAPTER_GET)
		r = OUTCOME_REFUSED; /* the API's address, not an object */
	if (r == OUTCOME_OK && d->type == MSG_ADAPTER_GET)
		give(d, y->rest);
	if (r != OUTCOME_OK && d->outcome == OUTCOME_OK) {
		d->outcome = r;
		d->retry_after = y->retry_after;
		snprintf(d->text, sizeof(d->text), "%s", text);
	}
	if (d->pending == 0)
		read_end(d);
}

static const struct asker reservations = {
    topdesk_list_schema, topdesk_error_schema, on_item, NULL, on_done};
static const struct asker reservation = {
    topdesk_one_schema, topdesk_error_schema, NULL, NULL, on_done};
static const struct asker persons = {
    topdesk_person_schema, topdesk_error_schema, on_item, NULL, on_done};

/* One request for as many of the values from i on as fit; how many, 0: none. */
static size_t
ask(struct td_read *d, struct strbuf *path, size_t i)
{
	struct msg_http_request m = {
	    .method = METHOD_GET, .idempotent = 1, .accept = TOPDESK_JSON};
	const char *const *v = (const char *const *)d->value + i;
	const struct asker *who = &reservations;
	size_t used = 1;

	switch (d->type) {
	case MSG_ADAPTER_FIND:
		topdesk_path_links(path, v, d->n - i,
		    d->job.a->conf->topdesk.link_type, &used);
		break;
	case MSG_ADAPTER_CHECK:
		topdesk_path_numbers(path, v, d->n - i, &used);
		break;
	case MSG_ADAPTER_PERSONS:
		topdesk_path_persons(path, v, d->n - i, &used);
		m.accept = TOPDESK_PERSONS;
		who = &persons;
		break;
	default:
		topdesk_path_one(path, v[0]);
		who = &reservation;
	}
	m.path = strbuf_get(path);
	m.correlation = outbound_correlation(d->job.a->out);
	if (path->err || outbound_send(d->job.a->out, &m, who, d))
		return 0;
	d->pending++;
	return used;
}

static int
copy_values(struct td_read *d, const struct wire_list *list, const char *one)
{
	size_t n = list ? list->count : 1;
	struct wire_in r;
	const char *s = one;

	d->value = calloc(n + 1, sizeof(*d->value));
	d->match = d->type == MSG_ADAPTER_PERSONS
	    ? calloc(n + 1, sizeof(*d->match))
	    : NULL;
	if (d->value == NULL ||
	    (d->type == MSG_ADAPTER_PERSONS && d->match == NULL))
		return -1;
	if (list)
		r = wire_list_open(list);
	for (; d->n < n; d->n++) {
		if (list)
			wire_next_str(&r, &s);
		if ((d->value[d->n] = strdup(s)) == NULL)
			return -1;
	}
	return 0;
}

int
topdesk_read(struct adapter *a, uint16_t type, uint64_t id,
    const struct wire_list *values, const char *one)
{
	struct td_read *d = calloc(1, sizeof(*d));
	struct strbuf path;
	size_t i, used = 1;

	if (d == NULL)
		return -1;
	d->type = type;
	d->job.release = read_release;
	job_add(a, &d->job, id, 1);
	if (copy_values(d, values, one)) {
		job_end(&d->job);
		return -1;
	}
	strbuf_init(&path, 16384);
	for (i = 0; i < d->n && used > 0; i += used)
		used = ask(d, &path, i);
	strbuf_free(&path);
	if (used == 0) {
		d->outcome = OUTCOME_FAILED;
		snprintf(
		    d->text, sizeof(d->text), "the request could not be made");
	}
	if (d->pending == 0)
		read_end(d);
	return 0;
}
