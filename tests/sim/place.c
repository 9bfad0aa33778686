/*
 * place.c: persons and locations of TOPdesk, and the start and end of that
 * half of the store.  Reservations are in reservation.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "topdesk.h"

struct topdesk topdesk;

const char *const reasons[][2] = {
    {"5b1f6f6e-7d9e-4c8b-8a0e-0d2c8a6f1a01", "Cancelled by organiser"},
    {"5b1f6f6e-7d9e-4c8b-8a0e-0d2c8a6f1a02", "Room not available"},
    {NULL, NULL}};

const struct fiql_field person_fields[] = {{"id", FIQL_TEXT},
    {"email", FIQL_TEXT}, {"archived", FIQL_BOOL}, {"dynamicName", FIQL_TEXT},
    {"surName", FIQL_TEXT}, {"firstName", FIQL_TEXT},
    {"networkLoginName", FIQL_TEXT}, {"employeeNumber", FIQL_TEXT},
    {"tasLoginName", FIQL_TEXT}, {NULL, FIQL_TEXT}};

static void
uuid_write(const unsigned char raw[16], char out[37])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char r[16];
	int i, o = 0;

	memcpy(r, raw, 16);
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[o++] = '-';
		out[o++] = digits[r[i] >> 4];
		out[o++] = digits[r[i] & 15];
	}
	out[o] = '\0';
}

void
uuid_new(char out[37])
{
	static unsigned char pool[4096];
	static size_t left;

	if (left < 16) {
		random_fill(RANDOM_UUID, pool, sizeof(pool));
		left = sizeof(pool);
	}
	left -= 16;
	uuid_write(pool + left, out);
}

/* A new id; with --seed one that its name decides and nothing else. */
void
uuid_of(const char *name, char out[37])
{
	unsigned char raw[16];
	unsigned int n = 0;

	do {
		if (random_named(name, n++, raw) == -1) {
			uuid_new(out);
			return;
		}
		uuid_write(raw, out);
	} while (map_get(&topdesk.by_id, out) != NULL);
}

int
uuid_valid(const char *s)
{
	int i;

	for (i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-'
							    : s[i] == '\0' ||
			    strchr("0123456789abcdefABCDEF", s[i]) == NULL)
			return 0;
	return s[36] == '\0';
}

void
topdesk_start(void)
{
	memset(&topdesk, 0, sizeof(topdesk));
	topdesk.emails.fold = 1;
	topdesk.locations.fold = topdesk.persons.fold = 1;
	topdesk.by_id.fold = topdesk.by_number.fold = 1;
	topdesk.default_reason = 1;
	topdesk.may_read = topdesk.may_create = topdesk.may_edit = 1;
	topdesk.may_locations = topdesk.may_persons = 1;
	topdesk.operator_ok = 1;
}

static void
list_free(void *p)
{
	struct row_list *l = p;

	free(l->v);
	free(l);
}

void
topdesk_end(void)
{
	struct reservation *r;
	size_t i;

	for (i = 0; i < topdesk.all.n; i++) {
		r = topdesk.all.v[i];
		free(r->brief);
		free(r->notes);
		free(r->facilities);
		services_free(r);
		free(r->link_id);
		free(r->link_type);
		free(r->series);
		free(r);
	}
	free(topdesk.all.v);
	for (i = 0; i < topdesk.npeople; i++) {
		free(topdesk.people[i]->email);
		free(topdesk.people[i]->name);
		free(topdesk.people[i]);
	}
	free(topdesk.people);
	for (i = 0; i < topdesk.nrooms; i++) {
		free(topdesk.rooms[i]->name);
		free(topdesk.rooms[i]->mailbox);
		free(topdesk.rooms[i]->booked.v);
		free(topdesk.rooms[i]);
	}
	free(topdesk.rooms);
	map_free(&topdesk.persons, NULL);
	map_free(&topdesk.emails, NULL);
	map_free(&topdesk.locations, NULL);
	map_free(&topdesk.by_id, NULL);
	map_free(&topdesk.by_number, NULL);
	map_free(&topdesk.by_link, list_free);
	free(topdesk.login);
	free(topdesk.password);
	free(topdesk.authorization);
}

/* Addresses need not be unique; look-ups by address scan when they are not. */
struct person *
person_new(const char *email, const char *name, int archived)
{
	struct person *p = zalloc(sizeof(*p));

	uuid_new(p->id);
	p->email = text_dup(email); /* NULL: has none */
	p->name = text_dup(name ? name : email);
	p->archived = archived;
	topdesk.people = grow(topdesk.people, topdesk.npeople + 1, sizeof(p));
	topdesk.people[topdesk.npeople++] = p;
	map_put(&topdesk.persons, p->id, p);
	if (!archived && email != NULL &&
	    map_get(&topdesk.emails, email) == NULL)
		map_put(&topdesk.emails, email, p);
	return p;
}

struct location *
location_new(const char *name)
{
	struct location *l = zalloc(sizeof(*l));

	uuid_new(l->id);
	l->name = text_dup(name);
	l->capacity = 8;
	topdesk.rooms = grow(topdesk.rooms, topdesk.nrooms + 1, sizeof(l));
	topdesk.rooms[topdesk.nrooms++] = l;
	map_put(&topdesk.locations, l->id, l);
	return l;
}

int
person_get(const void *row, int field, size_t n, struct fiql_value *v)
{
	const struct person *p = row;

	if (n > 0)
		return 0;
	switch (field) {
	case 0:
		v->text = p->id;
		return 1;
	case 1:
		v->text = p->email;
		return p->email != NULL;
	case 2:
		v->number = p->archived;
		return 1;
	case 3:
	case 4:
		v->text = p->name;
		return 1;
	default:
		return 0;
	}
}
