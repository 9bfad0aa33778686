/*
 * fuzz_conf.c: the configuration's parser.  The file is root's, so this is not
 * a border; but "config check" is run on files from anywhere.
 *
 * What must hold: whatever is read without a mistake has all its texts, and a
 * refusal says at least one thing.
 */
#include "lib/conf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses its buffer when the text ends inside a string. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void
count(void *arg, const char *file, unsigned line, const char *text)
{
	unsigned *n = arg;

	(void)line;
	if (file == NULL || text[0] == '\0')
		abort();
	++*n;
}

static void
must_be_whole(const struct conf *c)
{
	if (c->site[0] == '\0' || c->state_dir[0] != '/' ||
	    c->exchange.tenant[0] == '\0' ||
	    strncmp(c->topdesk.url.text, "https://", 8) != 0 ||
	    strncmp(c->exchange.graph_url.text, "https://", 8) != 0 ||
	    strchr(c->topdesk.url.text, '@') != NULL ||
	    c->topdesk.url.host[0] == '\0' || c->topdesk.url.port == 0 ||
	    c->exchange.up.connections < 1 || c->exchange.up.connections > 4 ||
	    c->users[ROLE_ADAPTER][UPSTREAM_TOPDESK][0] == '\0')
		abort();
	for (size_t i = 0; i < c->nrooms; i++)
		if (c->rooms[i].name[0] == '\0' ||
		    c->rooms[i].zone[0] == '\0' ||
		    strlen(c->rooms[i].location) != 36 ||
		    strchr(c->rooms[i].mailbox, '@') == NULL)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct conf *conf;
	unsigned n = 0;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (conf_read("fuzz", text, size, &conf, count, &n) == 0) {
		if (n != 0)
			abort();
		must_be_whole(conf);
		conf_free(conf);
	} else if (n == 0)
		abort();
	free(text);
	return 0;
}
