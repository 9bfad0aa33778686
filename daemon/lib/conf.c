/*
 * conf.c: reading orb.conf: the file, libconfig's tree, and what several
 * values have to do with one another.  Single values: conf_value.c.  The
 * settings themselves: conf.def.
 *
 * Nothing stops at the first mistake but a file that cannot be read or parsed
 * at all: a person who mends a configuration wants the whole list.
 */
#include "lib/conf.h"
#include "lib/conf_scan.h"
#include "lib/conf_table.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)
#define ROOMS_MAX 5000
#define KEYS_MAX 32 /* settings of one group, and groups */

struct reading {
	const char *file;
	conf_report report;
	void *arg;
	unsigned mistakes;
	struct conf *conf;
	struct conf_pool *pool;
	unsigned *room_line;
	unsigned huge_line; /* the last one with a number that was wrapped */
};

static void mistake(struct reading *, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
mistake(struct reading *r, unsigned line, const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->mistakes++;
	if (r->report)
		r->report(r->arg, r->file, line, text);
}

static unsigned
line_of(const config_setting_t *s)
{
	return s ? (unsigned)config_setting_source_line(s) : 0;
}

void
conf_report_log(void *arg, const char *file, unsigned line, const char *text)
{
	(void)arg;
	if (line)
		log_err("%s:%u: %s", file, line, text);
	else
		log_err("%s: %s", file, text);
}

/* --- one setting ---------------------------------------------------------- */

static int
value_of(const config_setting_t *m, const struct conf_setting *s, void *base,
    struct conf_pool *pool, struct err *e)
{
	int type = config_setting_type(m);

	if (conf_value_is_text(s) && type == CONFIG_TYPE_STRING)
		return conf_value_text(s, config_setting_get_string(m), base,
		    pool, e);
	if (s->type == CONF_BOOL && type == CONFIG_TYPE_BOOL)
		return conf_value_int(s, config_setting_get_bool(m), base, e);
	if (s->type == CONF_INT &&
	    (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64))
		return conf_value_int(s, config_setting_get_int64(m), base, e);
	return err_set(e, EINVAL, "has the wrong type; allowed: %s",
	    conf_value_form(s));
}

static int
default_of(const struct conf_setting *s, void *base, struct conf_pool *pool,
    struct err *e)
{
	if (s->type == CONF_INT)
		return conf_value_int(s, strtoll(s->def, NULL, 10), base, e);
	if (s->type == CONF_BOOL)
		return conf_value_int(s, s->def[0] == 't', base, e);
	return conf_value_text(s, s->def, base, pool, e);
}

/* Absent and wrong texts are "", so that later checks need not look for NULL. */
static void
empty_text(const struct conf_setting *s, void *base)
{
	static const char *const empty = "";

	if (conf_value_is_text(s) && s->type != CONF_URL &&
	    s->type != CONF_ENUM)
		memcpy((char *)base + s->offset, &empty, sizeof(empty));
}

static void
absent(struct reading *r, const config_setting_t *group,
    const struct conf_setting *s, const char *where, void *base)
{
	struct err e = {0, ""};

	if (s->def != NULL) {
		if (default_of(s, base, r->pool, &e))
			mistake(r, 0, "%s%s: the default is not usable here: "
				      "%s", where, s->key, e.text);
		return;
	}
	if (s->required)
		mistake(r, line_of(group), "%s%s is missing: it has no default",
		    where, s->key);
}

static const struct conf_setting *
find_setting(const struct conf_group *g, const char *key)
{
	for (size_t i = 0; i < g->len; i++)
		if (strcmp(g->settings[i].key, key) == 0)
			return &g->settings[i];
	return NULL;
}

static const struct conf_group *
find_group(const char *name)
{
	for (size_t i = 0; i < conf_groups_len; i++)
		if (conf_groups[i].kind != CONF_IS_TOP &&
		    strcmp(conf_groups[i].name, name) == 0)
			return &conf_groups[i];
	return NULL;
}

/* Where else a key is known: the name of that group, or NULL. */
static const char *
home_of(const char *key)
{
	for (size_t i = 0; i < conf_groups_len; i++)
		if (find_setting(&conf_groups[i], key))
			return conf_groups[i].name;
	return NULL;
}

static void
unknown(struct reading *r, const config_setting_t *m,
    const struct conf_group *g, const char *where)
{
	const char *names[2 * KEYS_MAX], *key = config_setting_name(m), *other;
	size_t n = 0;

	for (size_t i = 0; i < g->len && n < KEYS_MAX; i++)
		names[n++] = g->settings[i].key;
	for (size_t i = 0; g->kind == CONF_IS_TOP && i < conf_groups_len &&
	     n < 2 * KEYS_MAX; i++)
		if (conf_groups[i].kind != CONF_IS_TOP)
			names[n++] = conf_groups[i].name;
	if ((other = conf_nearest(key, names, n)) != NULL)
		mistake(r, line_of(m),
		    "%s%.60s: there is no such setting; did you mean \"%s\"?",
		    where, key, other);
	else if ((other = home_of(key)) != NULL)
		mistake(r, line_of(m), "%s%.60s: does not belong here but %s%s",
		    where, key, other[0] ? "into " : "outside of any group",
		    other);
	else
		mistake(r, line_of(m),
		    "%s%.60s: there is no such setting; see orb.conf(5)", where,
		    key);
}

/* All settings of one group; group is NULL when it is absent altogether. */
static void
read_settings(struct reading *r, config_setting_t *group,
    const struct conf_group *g, const char *where, void *base)
{
	const struct conf_setting *s;
	config_setting_t *m;
	struct err e;

	for (size_t i = 0; i < g->len; i++) {
		s = &g->settings[i];
		empty_text(s, base);
		m = group ? config_setting_get_member(group, s->key) : NULL;
		if (m == NULL)
			absent(r, group, s, where, base);
		else if (value_of(m, s, base, r->pool, &e) &&
		    (s->type != CONF_INT || line_of(m) != r->huge_line))
			mistake(r, line_of(m), "%s%s: %s", where, s->key,
			    e.text);
	}
	for (int i = 0; group && i < config_setting_length(group); i++) {
		m = config_setting_get_elem(group, (unsigned)i);
		if (find_setting(g, config_setting_name(m)) == NULL &&
		    (g->kind != CONF_IS_TOP ||
			find_group(config_setting_name(m)) == NULL))
			unknown(r, m, g, where);
	}
}

/* --- groups and rooms ------------------------------------------------------ */

static void
read_group(struct reading *r, config_setting_t *root,
    const struct conf_group *g)
{
	config_setting_t *m = config_setting_get_member(root, g->name);
	char where[48];

	snprintf(where, sizeof(where), "%s.", g->name);
	if (m != NULL && !config_setting_is_group(m)) {
		mistake(r, line_of(m),
		    "%s: has the wrong type; allowed: a group, %s: { ... };",
		    g->name, g->name);
		return;
	}
	read_settings(r, m, g, where, r->conf);
}

static void
read_room(struct reading *r, config_setting_t *m, const struct conf_group *g,
    size_t i)
{
	struct conf_room *room = &r->conf->rooms[i];
	char where[32];

	r->room_line[i] = line_of(m);
	room->name = room->mailbox = room->location = room->zone = "";
	snprintf(where, sizeof(where), "room %zu: ", i + 1);
	if (!config_setting_is_group(m)) {
		mistake(r, line_of(m), "%smust be a group, { name = ...; }",
		    where);
		return;
	}
	read_settings(r, m, g, where, room);
	if (room->zone[0] == '\0' && config_setting_get_member(m, "zone") ==
	    NULL && (room->zone = r->conf->default_zone)[0] == '\0')
		mistake(r, line_of(m),
		    "%szone is missing, and there is no default_zone either",
		    where);
}

static void
read_rooms(struct reading *r, config_setting_t *root,
    const struct conf_group *g)
{
	config_setting_t *m = config_setting_get_member(root, g->name);
	int n = m ? config_setting_length(m) : 0;

	if (m == NULL)
		return;
	if (!config_setting_is_list(m)) {
		mistake(r, line_of(m),
		    "%s: has the wrong type; allowed: a list of groups, %s = ( "
		    "{ name = ...; }, ... );", g->name, g->name);
		return;
	}
	if (n > ROOMS_MAX) {
		mistake(r, line_of(m), "%s: %d are too many; allowed: at most "
				       "%d", g->name, n, ROOMS_MAX);
		return;
	}
	r->conf->rooms = conf_pool_get(r->pool,
	    (size_t)n * sizeof(*r->conf->rooms) + 1);
	r->room_line = calloc((size_t)n + 1, sizeof(*r->room_line));
	if (r->conf->rooms == NULL || r->room_line == NULL) {
		mistake(r, line_of(m), "out of memory");
		return;
	}
	r->conf->nrooms = (size_t)n;
	for (int i = 0; i < n; i++)
		read_room(r, config_setting_get_elem(m, (unsigned)i), g,
		    (size_t)i);
}

/* One field of every room, to be sorted: equal ones come to lie together. */
struct entry {
	const char *text;
	size_t room;
};

static int
entry_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->text, y->text);

	return c ? c : (x->room > y->room) - (x->room < y->room);
}

static void
refuse_twins(struct reading *r, const char *key, size_t offset)
{
	size_t n = r->conf->nrooms;
	struct entry *all = calloc(n + 1, sizeof(*all));

	if (all == NULL) {
		mistake(r, 0, "out of memory");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(&all[i].text, (char *)&r->conf->rooms[i] + offset,
		    sizeof(all[i].text));
		all[i].room = i;
	}
	qsort(all, n, sizeof(*all), entry_order);
	for (size_t i = 1; i < n; i++)
		if (all[i].text[0] && !strcmp(all[i].text, all[i - 1].text))
			mistake(r, r->room_line[all[i].room],
			    "room %zu: has the same %s as room %zu (line %u)",
			    all[i].room + 1, key, all[i - 1].room + 1,
			    r->room_line[all[i - 1].room]);
	free(all);
}

static void
read_tree(struct reading *r, config_setting_t *root)
{
	static const struct conf_url no_url = {"", "", 0, ""};

	for (size_t i = 0; i < conf_groups_len; i++) {
		if (conf_groups[i].kind == CONF_IS_TOP)
			read_settings(r, root, &conf_groups[i], "", r->conf);
		else if (conf_groups[i].kind == CONF_IS_GROUP)
			read_group(r, root, &conf_groups[i]);
		else
			read_rooms(r, root, &conf_groups[i]);
	}
	if (r->conf->nrooms > 0) {
		refuse_twins(r, "name", offsetof(struct conf_room, name));
		refuse_twins(r, "mailbox", offsetof(struct conf_room, mailbox));
		refuse_twins(r, "location",
		    offsetof(struct conf_room, location));
	}
	if (r->conf->exchange.up.proxy_url.host == NULL)
		r->conf->exchange.up.proxy_url = no_url;
	if (r->conf->topdesk.up.proxy_url.host == NULL)
		r->conf->topdesk.up.proxy_url = no_url;
	/* The two processes of a fetchd unit run as one user. */
	for (int u = 0; u < UPSTREAM_COUNT; u++)
		r->conf->users[ROLE_ADAPTER][u] = r->conf->users[ROLE_HTTP][u];
}

/* --- text and file --------------------------------------------------------- */

static void
scan_mistake(void *arg, unsigned line, const char *text)
{
	struct reading *r = arg;

	r->huge_line = line;
	mistake(r, line, "%s", text);
}

static void
parse(struct reading *r, const char *text, size_t len)
{
	config_t tree;

	if (conf_scan(text, len, scan_mistake, r))
		return;
	config_init(&tree);
	if (config_read_string(&tree, text))
		read_tree(r, config_root_setting(&tree));
	else
		mistake(r, (unsigned)config_error_line(&tree),
		    "%s; look at the quotes, brackets and semicolons here and "
		    "on the line before", config_error_text(&tree));
	config_destroy(&tree);
}

int
conf_read(const char *name, const char *text, size_t len, struct conf **out,
    conf_report report, void *arg)
{
	struct reading r = {.file = name, .report = report, .arg = arg};

	if ((r.pool = conf_pool_new()) == NULL ||
	    (r.conf = conf_pool_get(r.pool, sizeof(*r.conf))) == NULL ||
	    (r.conf->file = conf_pool_text(r.pool, name, strlen(name))) ==
		NULL)
		mistake(&r, 0, "out of memory");
	else
		parse(&r, text, len);
	free(r.room_line);
	if (r.mistakes) {
		conf_pool_free(r.pool);
		return -1;
	}
	r.conf->pool = r.pool;
	*out = r.conf;
	return 0;
}

/*
 * Whoever can change the file decides where credentials are sent: so only root,
 * or the one who runs this process, may be able to.
 */
static int
check_file(struct reading *r, int fd, size_t *size)
{
	struct stat st;

	if (fstat(fd, &st)) {
		mistake(r, 0, "cannot be examined: %s", strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		mistake(r, 0, "is not a regular file");
		return -1;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid())
		mistake(r, 0, "belongs to user %u; allowed: root%s",
		    (unsigned)st.st_uid,
		    geteuid() ? " or the user of this process" : "");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		mistake(r, 0, "can be written by others than its owner (mode "
			      "%03o); allowed: chmod go-w",
		    (unsigned)st.st_mode & 0777);
	if (st.st_size > FILE_MAX)
		mistake(r, 0, "is larger than %d bytes", FILE_MAX);
	*size = (size_t)st.st_size;
	return r->mistakes ? -1 : 0;
}

static char *
slurp(struct reading *r, size_t *len)
{
	/* Not blocking, lest a FIFO in its place holds us up. */
	int fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	size_t size, n = 0;
	ssize_t got;

	if (fd < 0) {
		mistake(r, 0, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	if (check_file(r, fd, &size))
		goto out;
	if ((text = malloc(size + 1)) == NULL) {
		mistake(r, 0, "out of memory");
		goto out;
	}
	while (n < size && (got = read(fd, text + n, size - n)) > 0)
		n += (size_t)got;
	if (n != size) {
		mistake(r, 0, "changed while it was read; try again");
		free(text);
		text = NULL;
		goto out;
	}
	text[n] = '\0';
	*len = n;
out:
	close(fd);
	return text;
}

int
conf_load(const char *file, struct conf **out, conf_report report, void *arg)
{
	struct reading r = {.file = file ? file : ORB_SYSCONFDIR "/orb.conf",
	    .report = report, .arg = arg};
	size_t len = 0;
	char *text = slurp(&r, &len);
	int rc;

	if (text == NULL)
		return -1;
	rc = conf_read(r.file, text, len, out, report, arg);
	free(text);
	return rc;
}

void
conf_free(struct conf *conf)
{
	if (conf != NULL)
		conf_pool_free(conf->pool);
}

/* The table keeps the place of a word in its list; the enums must agree. */
_Static_assert(CONF_SUBJECT_KEEP == 0 && CONF_SUBJECT_ORGANISER == 1 &&
    CONF_SUBJECT_PLACEHOLDER == 2, "conf.def: policy.subject");
_Static_assert(CONF_TENTATIVE_WAIT == 0 && CONF_TENTATIVE_BOOK == 1,
    "conf.def: policy.tentative");
_Static_assert(CONF_CRED_SECRET == 0 && CONF_CRED_CERTIFICATE == 1,
    "conf.def: exchange.credential");
_Static_assert(CONF_ALG_PS256 == 0 && CONF_ALG_RS256 == 1,
    "conf.def: exchange.assertion_alg");
