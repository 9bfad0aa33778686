/* audit_leases.c: see audit_leases.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/audit_leases.h"

#define FIRST_SLOTS 1024

/* A booking by the first half of its identity, and the row that it was counted
 * for last, of each upstream. */
struct lease_booking {
	uint64_t key; /* 0: free */
	uint32_t row[2];
};

static void
copy(char *dst, size_t size, const char *src)
{
	snprintf(dst, size, "%s", src);
}

/* 0 or 1; -1: none. */
static int
upstream_of(const json_t *r)
{
	const char *s = audit_text(r, "upstream");

	return strcmp(s, "exchange") == 0 ? 0
	    : strcmp(s, "topdesk") == 0   ? 1
					  : -1;
}

/* --- rows ----------------------------------------------------------------------- */

static struct lease_row *
row_add(struct leases *l)
{
	struct lease_row *p;
	size_t cap;

	if (l->n == LEASES_MAX)
		return NULL;
	if (l->n == l->cap) {
		cap = l->cap ? l->cap * 2 : 64;
		if ((p = realloc(l->row, cap * sizeof(*p))) == NULL)
			return NULL;
		l->row = p;
		l->cap = cap;
	}
	p = &l->row[l->n++];
	memset(p, 0, sizeof(*p));
	return p;
}

/* The newest grant with this number, or NULL. */
static const struct lease_grant *
grant_find(const struct leases *l, const char *number)
{
	const struct lease_grant *g;
	size_t kept = l->ngrants < LEASES_GRANTS ? l->ngrants : LEASES_GRANTS;

	for (size_t i = 0; i < kept; i++) {
		g = &l->grant[(l->ngrants - 1 - i) % LEASES_GRANTS];
		if (strcmp(g->number, number) == 0)
			return g;
	}
	return NULL;
}

/* The row of a lease, made when there is none; NULL: no room. */
static struct lease_row *
row_of(struct leases *l, const char *number, const char *upstream)
{
	const struct lease_grant *g;
	struct lease_row *row;

	for (size_t i = l->n; i-- > 0;)
		if (strcmp(l->row[i].number, number) == 0)
			return &l->row[i];
	if ((row = row_add(l)) == NULL)
		return NULL;
	copy(row->number, sizeof(row->number), number);
	copy(row->upstream, sizeof(row->upstream), upstream);
	if ((g = grant_find(l, number)) != NULL) {
		row->granted = g->granted;
		copy(row->credential, sizeof(row->credential), g->credential);
	}
	return row;
}

/* --- leases ---------------------------------------------------------------------- */

/*
 * "exchange-key 0123456789ABCDEF for login.example:443": keyd's text.  The word
 * behind a password's or a secret's name says no more than the name.
 */
static void
credential_of(const char *text, char *dst, size_t size)
{
	const char *end = strstr(text, " for "), *word = strchr(text, ' ');
	int n = end ? (int)(end - text) : (int)strlen(text);

	if (word && word < end &&
	    (strncmp(word, " secret ", 8) == 0 ||
		strncmp(word, " password ", 10) == 0))
		n = (int)(word - text);
	snprintf(dst, size, "%.*s", n, text);
}

static int
on_granted(struct leases *l, const json_t *r, int up, int counts)
{
	struct lease_grant *g = &l->grant[l->ngrants % LEASES_GRANTS];

	memset(g, 0, sizeof(*g));
	copy(g->number, sizeof(g->number), audit_text(r, "lease"));
	copy(g->upstream, sizeof(g->upstream), audit_text(r, "upstream"));
	credential_of(
	    audit_text(r, "text"), g->credential, sizeof(g->credential));
	g->granted = audit_realtime(r);
	l->newest[up] = ++l->ngrants;
	l->refusal[up] = 0;
	if (!counts || g->number[0] == '\0')
		return 0;
	return row_of(l, g->number, g->upstream) ? 0 : -1;
}

/* One row for refusals that follow each other. */
static int
on_refused(struct leases *l, const json_t *r, int up)
{
	struct lease_row *row;

	if (l->refusal[up] == 0) {
		if ((row = row_add(l)) == NULL)
			return -1;
		copy(row->upstream, sizeof(row->upstream),
		    audit_text(r, "upstream"));
		row->granted = audit_realtime(r);
		l->refusal[up] = l->n;
	}
	row = &l->row[l->refusal[up] - 1];
	row->refused++;
	l->leases_refused++;
	copy(row->text, sizeof(row->text), audit_text(r, "text"));
	return 0;
}

/* --- requests --------------------------------------------------------------------- */

static int
what_of(struct leases *l, const char *text)
{
	for (size_t i = 0; i < l->nwhat; i++)
		if (strcmp(l->what[i], text) == 0)
			return (int)i;
	if (l->nwhat == LEASES_WHAT)
		text = "other"; /* the last one */
	else if (l->nwhat > LEASES_WHAT)
		return LEASES_WHAT;
	if ((l->what[l->nwhat] = strdup(text)) == NULL)
		return -1;
	return (int)l->nwhat++;
}

static int
use_count(struct lease_row *row, int what, int status)
{
	struct lease_use *u;

	for (size_t i = 0; i < row->nuse; i++)
		if (row->use[i].what == what && row->use[i].status == status) {
			row->use[i].count++;
			return 0;
		}
	if (row->nuse == LEASES_USES) {
		/* More kinds than a lease of ORB's has: the last one's. */
		row->use[row->nuse - 1].count++;
		return 0;
	}
	if ((u = realloc(row->use, (row->nuse + 1) * sizeof(*u))) == NULL)
		return -1;
	row->use = u;
	u[row->nuse++] =
	    (struct lease_use){(uint16_t)what, (uint16_t)status, 1};
	return 0;
}

static int
on_request(struct leases *l, const json_t *r)
{
	const char *process = audit_text(r, "process");
	int status =
	    (int)json_integer_value(json_object_get(r, "status")) & 0xffff;
	int what = what_of(l, audit_text(r, "text"));
	struct lease_row *row =
	    row_of(l, audit_text(r, "lease"), audit_text(r, "upstream"));

	if (what < 0 || row == NULL)
		return -1;
	if (row->process[0] && strcmp(row->process, process) != 0)
		process = "several";
	copy(row->process, sizeof(row->process), process);
	l->requests++;
	row->requests++;
	if (status == 401 || status == 403) {
		l->refused++;
		row->refused++;
	}
	return use_count(row, what, status);
}

static int
on_login_failed(struct leases *l, const json_t *r)
{
	struct lease_row *row =
	    row_of(l, audit_text(r, "lease"), audit_text(r, "upstream"));

	if (row == NULL)
		return -1;
	row->logins++;
	l->logins++;
	return 0;
}

/* --- bookings ---------------------------------------------------------------------- */

static struct lease_booking *
slot_of(struct lease_booking *seen, size_t slots, uint64_t key)
{
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15)) & (slots - 1);

	while (seen[i].key && seen[i].key != key)
		i = (i + 1) & (slots - 1);
	return &seen[i];
}

static int
seen_grow(struct leases *l)
{
	size_t slots = l->slots ? l->slots * 2 : FIRST_SLOTS;
	struct lease_booking *more;

	if (l->nseen >= LEASES_BOOKINGS ||
	    (more = calloc(slots, sizeof(*more))) == NULL)
		return -1;
	for (size_t i = 0; i < l->slots; i++)
		if (l->seen[i].key)
			*slot_of(more, slots, l->seen[i].key) = l->seen[i];
	free(l->seen);
	l->seen = more;
	l->slots = slots;
	return 0;
}

/* What mapd did, or was about to do, at an upstream for a booking. */
static int
on_booking(struct leases *l, const json_t *r, int up)
{
	const struct lease_grant *g;
	struct lease_booking *b;
	struct lease_row *row;
	char half[17];

	copy(half, sizeof(half), audit_text(r, "booking"));
	if (l->nseen * 2 >= l->slots && seen_grow(l))
		return -1;
	b = slot_of(l->seen, l->slots, strtoull(half, NULL, 16) | 1);
	if (b->key == 0) {
		b->key = strtoull(half, NULL, 16) | 1;
		l->nseen++;
		l->bookings++;
	}
	if (l->newest[up] == 0)
		return 0;
	g = &l->grant[(l->newest[up] - 1) % LEASES_GRANTS];
	if (strcmp(g->upstream, audit_text(r, "upstream")) != 0)
		return 0; /* so many of the other since */
	if ((row = row_of(l, g->number, g->upstream)) == NULL)
		return -1;
	if (b->row[up] != (uint32_t)(row - l->row) + 1) {
		b->row[up] = (uint32_t)(row - l->row) + 1;
		row->bookings++;
	}
	return 0;
}

/* --- all ---------------------------------------------------------------------------- */

int
leases_take(struct leases *l, const json_t *r)
{
	const char *event = audit_text(r, "event");
	int up = upstream_of(r), counts = audit_pick_in_period(&l->pick, r);

	if (up < 0 ||
	    (l->pick.upstream &&
		strcmp(l->pick.upstream, audit_text(r, "upstream")) != 0))
		return 0;
	if (strcmp(event, "lease_granted") == 0)
		return on_granted(l, r, up, counts);
	if (!counts)
		return 0;
	if (strcmp(event, "lease_refused") == 0)
		return on_refused(l, r, up);
	if (strcmp(event, "request") == 0)
		return on_request(l, r);
	if (strcmp(event, "login_failed") == 0)
		return on_login_failed(l, r);
	if (strcmp(audit_text(r, "process"), "mapd") == 0 &&
	    *audit_text(r, "booking"))
		return on_booking(l, r, up);
	return 0;
}

void
leases_free(struct leases *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->row[i].use);
	for (size_t i = 0; i < l->nwhat; i++)
		free(l->what[i]);
	free(l->row);
	free(l->seen);
	memset(l, 0, sizeof(*l));
}
