/*
 * conf_reading.h: one reading of orb.conf while it is under way.  For conf.c
 * and conf_tree.c only.
 */
#ifndef ORB_CONF_READING_H
#define ORB_CONF_READING_H

#include <libconfig.h>

#include "lib/conf.h"

struct conf_reading {
	const char *file;
	conf_report report;
	void *arg;
	unsigned mistakes;
	struct conf *conf;
	struct conf_pool *pool;
	unsigned *room_line;
	unsigned huge_line; /* the last one with a number that was wrapped */
};

/* Counts and reports a mistake; line 0: of the whole file. */
void conf_mistake(struct conf_reading *, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Checks the whole tree and fills r->conf; mistakes are counted in r. */
void conf_tree_read(struct conf_reading *r, config_setting_t *root);

#endif
