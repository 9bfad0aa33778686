/*
 * conf_tree.c: libconfig's tree against the table: groups, settings, rooms,
 * and what several values have to do with one another.  Single values are
 * conf_value.c's.
 */
#include "lib/conf_reading.h"
#include "lib/conf_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOMS_MAX 5000
#define KEYS_MAX 32 /* settings of one group, and groups */

static unsigned
line_of(const config_setting_t *s)
{
	return s ? (unsigned)config_setting_source_line(s) : 0;
}

/* --- one setting ---------------------------------------------------------- */

static int
value_of(const config_setting_t *m, const struct conf_setting *s, void *base,
    struct conf_pool *pool, struct err *e)
{
	int type = config_setting_type(m);

	if (conf_value_is_text(s) && type == CONFIG_TYPE_STRING)
		return conf_value_text(
		    s, config_setting_get_string(m), base, pool, e);
	if (s->type == CONF_BOOL && type == CONFIG_TYPE_BOOL)
		return conf_value_int(s, config_setting_get_bool(m), base, e);
	if (s->type == CONF_INT &&
	    (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64))
		return conf_value_int(s, config_setting_get_int64(m), base, e);
	return err_set(
	    e, EINVAL, "has the wrong type; allowed: %s", conf_value_form(s));
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
absent(struct conf_reading *r, const config_setting_t *group,
    const struct conf_setting *s, const char *where, void *base)
{
	struct err e = {0, ""};

	if (s->def != NULL) {
		if (default_of(s, base, r->pool, &e))
			conf_mistake(r, 0,
			    "%s%s: the default is not usable here: "
			    "%s",
			    where, s->key, e.text);
		return;
	}
	if (s->required)
		conf_mistake(r, line_of(group),
		    "%s%s is missing: it has no default", where, s->key);
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
unknown(struct conf_reading *r, const config_setting_t *m,
    const struct conf_group *g, const char *where)
{
	const char *names[2 * KEYS_MAX], *key = config_setting_name(m), *other;
	size_t n = 0;

	for (size_t i = 0; i < g->len && n < KEYS_MAX; i++)
		names[n++] = g->settings[i].key;
	for (size_t i = 0;
	     g->kind == CONF_IS_TOP && i < conf_groups_len && n < 2 * KEYS_MAX;
	     i++)
		if (conf_groups[i].kind != CONF_IS_TOP)
			names[n++] = conf_groups[i].name;
	if ((other = conf_nearest(key, names, n)) != NULL)
		conf_mistake(r, line_of(m),
		    "%s%.60s: there is no such setting; did you mean \"%s\"?",
		    where, key, other);
	else if ((other = home_of(key)) != NULL)
		conf_mistake(r, line_of(m),
		    "%s%.60s: does not belong here but %s%s", where, key,
		    other[0] ? "into " : "outside of any group", other);
	else
		conf_mistake(r, line_of(m),
		    "%s%.60s: there is no such setting; see orb.conf(5)", where,
		    key);
}

/* All settings of one group; group is NULL when it is absent altogether. */
static void
read_settings(struct conf_reading *r, config_setting_t *group,
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
			conf_mistake(
			    r, line_of(m), "%s%s: %s", where, s->key, e.text);
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
read_group(
    struct conf_reading *r, config_setting_t *root, const struct conf_group *g)
{
	config_setting_t *m = config_setting_get_member(root, g->name);
	char where[48];

	snprintf(where, sizeof(where), "%s.", g->name);
	if (m != NULL && !config_setting_is_group(m)) {
		conf_mistake(r, line_of(m),
		    "%s: has the wrong type; allowed: a group, %s: { ... };",
		    g->name, g->name);
		return;
	}
	read_settings(r, m, g, where, r->conf);
}

static void
read_room(struct conf_reading *r, config_setting_t *m,
    const struct conf_group *g, size_t i)
{
	struct conf_room *room = &r->conf->rooms[i];
	char where[32];

	r->room_line[i] = line_of(m);
	room->name = room->mailbox = room->location = room->zone = "";
	snprintf(where, sizeof(where), "room %zu: ", i + 1);
	if (!config_setting_is_group(m)) {
		conf_mistake(
		    r, line_of(m), "%smust be a group, { name = ...; }", where);
		return;
	}
	read_settings(r, m, g, where, room);
	if (room->zone[0] == '\0' &&
	    config_setting_get_member(m, "zone") == NULL &&
	    (room->zone = r->conf->default_zone)[0] == '\0')
		conf_mistake(r, line_of(m),
		    "%szone is missing, and there is no default_zone either",
		    where);
}

static void
read_rooms(
    struct conf_reading *r, config_setting_t *root, const struct conf_group *g)
{
	config_setting_t *m = config_setting_get_member(root, g->name);
	int n = m ? config_setting_length(m) : 0;

	if (m == NULL)
		return;
	if (!config_setting_is_list(m)) {
		conf_mistake(r, line_of(m),
		    "%s: has the wrong type; allowed: a list of groups, %s = ( "
		    "{ name = ...; }, ... );",
		    g->name, g->name);
		return;
	}
	if (n > ROOMS_MAX) {
		conf_mistake(r, line_of(m),
		    "%s: %d are too many; allowed: at most "
		    "%d",
		    g->name, n, ROOMS_MAX);
		return;
	}
	r->conf->rooms =
	    conf_pool_get(r->pool, (size_t)n * sizeof(*r->conf->rooms) + 1);
	r->room_line = calloc((size_t)n + 1, sizeof(*r->room_line));
	if (r->conf->rooms == NULL || r->room_line == NULL) {
		conf_mistake(r, line_of(m), "out of memory");
		return;
	}
	r->conf->nrooms = (size_t)n;
	for (int i = 0; i < n; i++)
		read_room(
		    r, config_setting_get_elem(m, (unsigned)i), g, (size_t)i);
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
refuse_twins(struct conf_reading *r, const char *key, size_t offset)
{
	size_t n = r->conf->nrooms;
	struct entry *all = calloc(n + 1, sizeof(*all));

	if (all == NULL) {
		conf_mistake(r, 0, "out of memory");
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
			conf_mistake(r, r->room_line[all[i].room],
			    "room %zu: has the same %s as room %zu (line %u)",
			    all[i].room + 1, key, all[i - 1].room + 1,
			    r->room_line[all[i - 1].room]);
	free(all);
}

/* A setting that is there but wrong has been reported already. */
static void
require(struct conf_reading *r, const config_setting_t *group, const char *key,
    const char *when)
{
	if (group == NULL || config_setting_get_member(group, key) == NULL)
		conf_mistake(r, line_of(group),
		    "exchange.%s is missing: it is needed with %s", key, when);
}

/* What is needed of the Exchange group depends on its kind. */
static void
require_exchange(struct conf_reading *r, const config_setting_t *root)
{
	const struct conf_exchange *x = &r->conf->exchange;
	const config_setting_t *g = config_setting_get_member(root, "exchange");

	if (g != NULL && !config_setting_is_group(g))
		return;
	if (strcmp(x->kind, "ews") == 0) {
		require(r, g, "ews_url", "kind = \"ews\"");
		require(r, g, "ews_login", "kind = \"ews\"");
	} else if (strcmp(x->kind, "graph") == 0) {
		require(r, g, "tenant", "kind = \"graph\"");
		require(r, g, "client_id", "kind = \"graph\"");
	}
	if (x->book_as == CONF_BOOK_SERVICE)
		require(r, g, "service_mailbox", "book_as = \"service\"");
}

void
conf_tree_read(struct conf_reading *r, config_setting_t *root)
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
		refuse_twins(
		    r, "location", offsetof(struct conf_room, location));
	}
	if (r->conf->exchange.up.proxy_url.host == NULL)
		r->conf->exchange.up.proxy_url = no_url;
	if (r->conf->exchange.ews_url.host == NULL)
		r->conf->exchange.ews_url = no_url;
	require_exchange(r, root);
	if (r->conf->topdesk.up.proxy_url.host == NULL)
		r->conf->topdesk.up.proxy_url = no_url;
	/* The two processes of a fetchd unit run as one user. */
	for (int u = 0; u < UPSTREAM_COUNT; u++)
		r->conf->users[ROLE_ADAPTER][u] = r->conf->users[ROLE_HTTP][u];
}

/* The table keeps the place of a word in its list; the enums must agree. */
_Static_assert(CONF_SUBJECT_KEEP == 0 && CONF_SUBJECT_ORGANISER == 1 &&
	CONF_SUBJECT_PLACEHOLDER == 2,
    "conf.def: policy.subject");
_Static_assert(CONF_TENTATIVE_WAIT == 0 && CONF_TENTATIVE_BOOK == 1,
    "conf.def: policy.tentative");
_Static_assert(
    CONF_BOOK_ROOM == 0 && CONF_BOOK_SERVICE == 1 && CONF_BOOK_ORGANISER == 2,
    "conf.def: exchange.book_as");
_Static_assert(CONF_DIRECTION_BOTH == 0 && CONF_DIRECTION_TO_TOPDESK == 1 &&
	CONF_DIRECTION_TO_EXCHANGE == 2,
    "conf.def: policy.direction");
_Static_assert(CONF_CONFLICT_FIRST == 0 && CONF_CONFLICT_EXCHANGE == 1 &&
	CONF_CONFLICT_TOPDESK == 2 && CONF_ROOM_CONFLICT_POLICY == 0,
    "conf.def: policy.conflict, rooms.conflict");
_Static_assert(CONF_MEETING_KEEP == 0 && CONF_MEETING_PLACEHOLDER == 1,
    "conf.def: policy.meeting_subject");
_Static_assert(
    CONF_RETIRE_NO == 0 && CONF_RETIRE_CANCEL == 1, "conf.def: rooms.retire");
_Static_assert(CONF_CRED_SECRET == 0 && CONF_CRED_CERTIFICATE == 1,
    "conf.def: exchange.credential");
_Static_assert(CONF_ALG_PS256 == 0 && CONF_ALG_RS256 == 1,
    "conf.def: exchange.assertion_alg");
