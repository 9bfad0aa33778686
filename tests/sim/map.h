/*
 * map.h: a hash table from strings to pointers.
 */
#ifndef ORB_SIM_MAP_H
#define ORB_SIM_MAP_H

#include <stddef.h>
#include <stdint.h>

struct slot {
	char *key;
	void *val;
	uint32_t hash;
	int dead;
};

struct map {
	struct slot *slots;
	size_t cap;
	size_t used; /* dead slots too */
	size_t live;
	int fold; /* letters of either case are equal */
};

void *map_get(const struct map *, const char *);
void map_put(struct map *, const char *, void *);
void *map_del(struct map *, const char *);
int map_each(const struct map *, size_t *, const char **, void **);
void map_free(struct map *, void (*)(void *));

#endif
