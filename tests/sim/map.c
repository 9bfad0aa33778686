/*
 * map.c: a hash table from strings to pointers, open addressing, keys copied.
 * It owns its keys and never its values.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "map.h"
#include "text.h"

static uint32_t
map_hash(const struct map *m, const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^
			(uint32_t)(m->fold ? tolower((unsigned char)*s)
					   : (unsigned char)*s)) *
		    16777619u;
	return h;
}

static struct slot *
map_find(const struct map *m, const char *key, uint32_t h)
{
	size_t i;

	if (m->cap == 0)
		return NULL;
	for (i = h & (m->cap - 1); m->slots[i].key || m->slots[i].dead;
	     i = (i + 1) & (m->cap - 1))
		if (m->slots[i].key && m->slots[i].hash == h &&
		    (m->fold ? strcasecmp(m->slots[i].key, key)
			     : strcmp(m->slots[i].key, key)) == 0)
			return &m->slots[i];
	return NULL;
}

void *
map_get(const struct map *m, const char *key)
{
	struct slot *s = map_find(m, key, map_hash(m, key));

	return s ? s->val : NULL;
}

static void
map_seat(struct map *m, char *key, void *val, uint32_t h)
{
	size_t i;

	for (i = h & (m->cap - 1); m->slots[i].key || m->slots[i].dead;
	     i = (i + 1) & (m->cap - 1))
		continue;
	m->slots[i].key = key;
	m->slots[i].val = val;
	m->slots[i].hash = h;
	m->used++;
	m->live++;
}

void
map_put(struct map *m, const char *key, void *val)
{
	uint32_t h = map_hash(m, key);
	struct slot *s = map_find(m, key, h), *old = m->slots;
	size_t i, cap = m->cap;

	if (s != NULL) {
		s->val = val;
		return;
	}
	if ((m->used + 1) * 3 >= m->cap * 2) {
		m->cap = 32;
		while (m->cap < (m->live + 1) * 3)
			m->cap *= 2;
		m->slots = zalloc(m->cap * sizeof(*m->slots));
		m->used = m->live = 0;
		for (i = 0; i < cap; i++)
			if (old[i].key)
				map_seat(
				    m, old[i].key, old[i].val, old[i].hash);
		free(old);
	}
	map_seat(m, text_dup(key), val, h);
}

void *
map_del(struct map *m, const char *key)
{
	struct slot *s = map_find(m, key, map_hash(m, key));
	void *val;

	if (s == NULL)
		return NULL;
	val = s->val;
	free(s->key);
	s->key = NULL;
	s->dead = 1;
	m->live--;
	return val;
}

/* Start with *at = 0; 0 at the end. */
int
map_each(const struct map *m, size_t *at, const char **key, void **val)
{
	for (; *at < m->cap; (*at)++)
		if (m->slots[*at].key) {
			if (key)
				*key = m->slots[*at].key;
			if (val)
				*val = m->slots[*at].val;
			(*at)++;
			return 1;
		}
	return 0;
}

void
map_free(struct map *m, void (*done)(void *))
{
	size_t i;

	for (i = 0; i < m->cap; i++)
		if (m->slots[i].key) {
			free(m->slots[i].key);
			if (done)
				done(m->slots[i].val);
		}
	free(m->slots);
	m->slots = NULL;
	m->cap = m->used = m->live = 0;
}
