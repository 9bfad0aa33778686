/*
 * credential.c: orbctl credential set, list, remove.
 *
 * Here: what a person types and sees.  Not here: reading the secret
 * (secret_input.c), and whether it is any good, which keyd decides and says.
 */
#include "ctl/ctl.h"
#include "ctl/secret_input.h"
#include "keyd/slot.h"
#include "keyd/vault.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_MS 15000
#define PASSWORD_MAX 1024
#define HEAP (128 * 1024) /* the largest PEM, three times */
#define DAY 86400

static const char usage_set[] =
    "credential set NAME [--expires YYYY-MM-DD] [--fd N]";
static const char usage_all[] =
    "credential set NAME [--expires YYYY-MM-DD] [--fd N]\n"
    "       orbctl credential list\n"
    "       orbctl credential remove NAME\n"
    "NAME: exchange-secret, exchange-key, exchange-key-next,\n"
    "      exchange-password, topdesk-password; \"exchange\" and \"topdesk\"\n"
    "      mean the one that orb.conf asks for";

/* What the command line said. */
struct words {
	const char *name;
	int64_t expires; /* 0: not said */
	int fd;          /* -1: not said */
};

/*
 * A day, or a time in UTC, as seconds; a day lasts to its end.  -1: neither.
 */
static int64_t
date_parse(const char *s)
{
	struct tm tm = {0};
	const char *end = strptime(s, "%Y-%m-%d", &tm);

	if (end == NULL)
		return -1;
	if (*end == '\0')
		return (int64_t)timegm(&tm) + DAY;
	end = strptime(end, "T%H:%M:%SZ", &tm);
	return end && *end == '\0' ? (int64_t)timegm(&tm) : -1;
}

/* 0, or an exit code. */
static int
words_parse(struct ctl *ctl, int argc, char **argv, struct words *w)
{
	static const struct option opts[] = {
	    {"expires", required_argument, NULL, 'e'},
	    {"fd", required_argument, NULL, 'f'},
	    {"output", required_argument, NULL, 'o'},
	    {NULL, 0, NULL, 0},
	};
	char *end;
	int o;

	*w = (struct words){NULL, 0, -1};
	optind = 0; /* start anew: main.c has used getopt before */
	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1)
		switch (o) {
		case 'e':
			if ((w->expires = date_parse(optarg)) < 0)
				return ctl_error(CTL_USAGE,
				    "--expires %s: a date is written "
				    "2027-03-31",
				    optarg);
			break;
		case 'f':
			w->fd = (int)strtol(optarg, &end, 10);
			if (end == optarg || *end || w->fd < 0)
				return ctl_error(CTL_USAGE,
				    "--fd %s: the number of an open "
				    "descriptor is needed",
				    optarg);
			break;
		case 'o':
			if (strcmp(optarg, "json") && strcmp(optarg, "text"))
				return ctl_error(CTL_USAGE,
				    "--output %s: text or json", optarg);
			ctl->output =
			    strcmp(optarg, "json") ? CTL_TEXT : CTL_JSON;
			break;
		default:
			return ctl_usage(usage_all);
		}
	if (optind < argc)
		w->name = argv[optind++];
	return optind < argc ? ctl_usage(usage_all) : 0;
}

/* The slot that is meant; "exchange" and "topdesk" are short for what orb.conf
 * uses.  0, or an exit code. */
static int
slot_meant(struct ctl *ctl, const char *name, enum slot_id *slot)
{
	int rc = ctl_conf(ctl), s;

	if (rc)
		return rc;
	if (strcmp(name, "exchange") == 0 && conf_is_ews(ctl->conf))
		s = SLOT_EXCHANGE_PASSWORD;
	else if (strcmp(name, "exchange") == 0)
		s = ctl->conf->exchange.credential == CONF_CRED_SECRET
		    ? SLOT_EXCHANGE_SECRET
		    : SLOT_EXCHANGE_KEY;
	else if (strcmp(name, "topdesk") == 0)
		s = SLOT_TOPDESK_PASSWORD;
	else if ((s = slot_find(name)) < 0)
		return ctl_error(CTL_USAGE,
		    "there is no credential \"%s\"; there may be %s", name,
		    slot_names());
	*slot = (enum slot_id)s;
	return 0;
}

static int
report(struct ctl *ctl, enum slot_id slot, const char *what)
{
	if (ctl->output == CTL_JSON)
		return ctl_print_json(json_pack("{s:s,s:s}", "name",
		    slot_table[slot].name, "result", what));
	printf("%s: %s\n", slot_table[slot].name, what);
	return CTL_OK;
}

/* --- set -------------------------------------------------------------------------- */

/* The length without one line break at the end: a pipe from echo has one. */
static size_t
without_break(const struct secret *s)
{
	size_t n = s->len;

	if (n && s->p[n - 1] == '\n')
		n--;
	if (n && n < s->len && s->p[n - 1] == '\r')
		n--;
	return n;
}

static int
secret_read(const struct words *w, enum slot_id slot, struct secret *value,
    struct err *e)
{
	const struct slot *s = &slot_table[slot];
	char prompt[80];
	int tty = w->fd < 0 && isatty(STDIN_FILENO);

	if (!tty)
		return secret_from_fd(w->fd < 0 ? STDIN_FILENO : w->fd,
		    VAULT_VALUE_MAX, value, e);
	if (s->kind == SLOT_KIND_KEY)
		return err_set(e, EINVAL,
		    "a private key is not typed: orbctl credential set %s "
		    "<FILE, where FILE has the key's and the certificate's "
		    "PEM",
		    s->name);
	snprintf(prompt, sizeof(prompt), "%s (is not shown): ",
	    s->kind == SLOT_KIND_SECRET ? "Client secret" : "Password");
	return secret_from_terminal(
	    STDIN_FILENO, prompt, PASSWORD_MAX, value, e);
}

static int
send_set(struct ctl *ctl, enum slot_id slot, int64_t expires,
    const struct secret *value)
{
	const struct slot *s = &slot_table[slot];
	struct msg_keyd_credential_set m = {.name = s->name,
	    .kind = (uint8_t)s->kind,
	    .expires = expires,
	    .value = {value->p,
		s->kind == SLOT_KIND_KEY ? value->len : without_break(value)}};
	struct chan *c;
	uint64_t id;
	int rc = ctl_connect(ctl, ROLE_KEYD, &c);

	if (rc)
		return rc;
	id = ctl_ask(ctl, c, DEADLINE_MS, NULL, NULL);
	if (keyd_credential_set_send(c, id, 0, &m))
		rc =
		    ctl_error(CTL_FAILED, "%s cannot be sent to keyd", s->name);
	else
		rc = ctl_wait(ctl, NULL);
	ctl_close(ctl);
	return rc;
}

static int
credential_set(struct ctl *ctl, const struct words *w)
{
	struct secret value = {NULL, 0};
	enum slot_id slot = 0;
	struct err e;
	int rc;

	if (w->name == NULL)
		return ctl_usage(usage_set);
	if ((rc = slot_meant(ctl, w->name, &slot)) != 0)
		return rc;
	if (slot_table[slot].kind == SLOT_KIND_KEY && w->expires)
		return ctl_error(CTL_USAGE,
		    "--expires is not for %s: its certificate says when it "
		    "expires",
		    slot_table[slot].name);
	if (secret_init(HEAP))
		ctl_error(CTL_OK,
		    "warning: memory cannot be locked (ulimit -l); the secret "
		    "might be swapped out");
	if (secret_read(w, slot, &value, &e))
		return ctl_error(CTL_FAILED, "%s", e.text);
	rc = send_set(ctl, slot, w->expires, &value);
	secret_free(&value);
	return rc ? rc : report(ctl, slot, "entered");
}

/* --- list ------------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {"name", "NAME", TABLE_TEXT, 0},
    {"kind", "KIND", TABLE_TEXT, 1},
    {"upstream", "FOR", TABLE_TEXT, 0},
    {"entered", "ENTERED", TABLE_TIME, 0},
    {"expires", "EXPIRES", TABLE_TIME, 0},
    {"days_left", "DAYS", TABLE_NUMBER, 0},
    {"leases", "LEASES", TABLE_NUMBER, 0},
    {"last_lease", "LAST LEASE", TABLE_TIME, 0},
    {"key", "KEY", TABLE_TEXT, 1},
    {"note", "NOTE", TABLE_TEXT, 1},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static enum table_mark
mark_of(const struct msg_ctl_credential *m, int64_t now)
{
	if (m->expires && m->expires <= now)
		return TABLE_BAD;
	return m->expires && m->expires - now < 30 * DAY ? TABLE_WARN
							 : TABLE_PLAIN;
}

static int
on_row(struct packet *pk, void *arg)
{
	struct msg_ctl_credential m;
	struct table *t = arg;
	int64_t now = time(NULL);

	if (pk->type != MSG_CTL_CREDENTIAL || ctl_credential_get(pk, &m))
		return -1;
	table_text(t, m.name);
	table_text(t, m.kind);
	table_text(t, strcmp(m.upstream, "none") ? m.upstream : "orb");
	table_time(t, m.entered);
	table_time(t, m.expires);
	if (m.expires == 0)
		table_text(t, "");
	else
		table_number(
		    t, m.expires > now ? (uint64_t)(m.expires - now) / DAY : 0);
	table_mark(t, mark_of(&m, now));
	table_number(t, m.leases);
	table_time(t, m.last_lease);
	table_text(t, m.key_name);
	table_text(t, m.text);
	return 0;
}

static int
credential_list(struct ctl *ctl)
{
	struct table *t = NULL;
	struct chan *c;
	uint64_t id;
	int rc = ctl_connect(ctl, ROLE_KEYD, &c), rc2;

	if (rc)
		return rc;
	if ((t = table_begin(ctl, columns, COLUMNS)) == NULL) {
		ctl_close(ctl);
		return ctl_error(CTL_FAILED, "no memory");
	}
	id = ctl_ask(ctl, c, DEADLINE_MS, on_row, t);
	if (keyd_credential_list_send(c, id, 0))
		rc = ctl_error(CTL_FAILED, "keyd does not take the request");
	else
		rc = ctl_wait(ctl, NULL);
	ctl_close(ctl);
	rc2 = table_end(t);
	return rc ? rc : rc2;
}

/* --- remove ----------------------------------------------------------------------- */

static int
credential_remove(struct ctl *ctl, const struct words *w)
{
	struct msg_keyd_credential_remove m;
	enum slot_id slot = 0;
	struct chan *c;
	uint64_t id;
	int rc;

	if (w->name == NULL)
		return ctl_usage("credential remove NAME");
	if ((rc = slot_meant(ctl, w->name, &slot)) != 0 ||
	    (rc = ctl_connect(ctl, ROLE_KEYD, &c)) != 0)
		return rc;
	m.name = slot_table[slot].name;
	id = ctl_ask(ctl, c, DEADLINE_MS, NULL, NULL);
	if (keyd_credential_remove_send(c, id, 0, &m))
		rc = ctl_error(CTL_FAILED, "keyd does not take the request");
	else
		rc = ctl_wait(ctl, NULL);
	ctl_close(ctl);
	return rc ? rc : report(ctl, slot, "removed");
}

int
ctl_credential(struct ctl *ctl, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct words w;
	int rc;

	if (argc < 2)
		return ctl_usage(usage_all);
	if ((rc = words_parse(ctl, argc - 1, argv + 1, &w)) != 0)
		return rc;
	if (strcmp(verb, "set") == 0)
		return credential_set(ctl, &w);
	if (w.expires || w.fd >= 0)
		return ctl_usage(usage_all);
	if (strcmp(verb, "list") == 0 && w.name == NULL)
		return credential_list(ctl);
	if (strcmp(verb, "remove") == 0)
		return credential_remove(ctl, &w);
	return ctl_usage(usage_all);
}
