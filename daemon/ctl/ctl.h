/*
 * ctl.h: what the command families of orbctl share: options, the connection to
 * a daemon, one request run to its end, tables, exit codes.
 *
 * One file per family (status.c, plan.c, conflicts.c, sync.c, config.c,
 * audit.c, credential.c); main.c finds the family, connect.c talks to the daemons,
 * table.c renders.  orbctl holds nothing: no state, no secret longer than it
 * takes to hand it over.
 */
#ifndef ORB_CTL_H
#define ORB_CTL_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/loop.h"

/* Exit codes, as orbctl(8) documents them; every function that returns `int`
 * "as an exit code" returns one of these and has said why on stderr. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,      /* not done, or not well */
	CTL_USAGE = 2,       /* wrong command line */
	CTL_NOT_RUNNING = 3, /* the daemon asked for does not run */
	CTL_DENIED = 4,      /* the file mode of its socket says no */
};

enum ctl_output { CTL_TEXT, CTL_JSON };

/* Takes one answer; 0, or -1 when it cannot be decoded. */
typedef int (*ctl_row)(struct packet *, void *arg);

struct ctl {
	const char *conf_file; /* --config; NULL: the built-in path */
	struct conf *conf;     /* NULL until ctl_conf() */
	enum ctl_output output;
	int colour;        /* escape sequences may go to stdout */
	int width;         /* columns of the terminal; 0: not a terminal */
	struct loop *loop; /* NULL until ctl_connect() */
	struct chan *chan; /* NULL: none, or the daemon has closed it */

	/* the request under way: ctl_ask() to ctl_wait() */
	struct {
		enum role peer;
		int over, rc;
		uint64_t value;
		ctl_row row;
		void *arg;
	} call;
};

/* Command families.  argv[0] is the command; return an exit code. */
int ctl_status(struct ctl *, int argc, char **argv);
int ctl_plan(struct ctl *, int argc, char **argv);
int ctl_problems(struct ctl *, int argc, char **argv);
int ctl_conflicts(struct ctl *, int argc, char **argv);
int ctl_approve(struct ctl *, int argc, char **argv);
int ctl_sync(struct ctl *, int argc, char **argv);
int ctl_config(struct ctl *, int argc, char **argv);
int ctl_audit(struct ctl *, int argc, char **argv);
int ctl_credential(struct ctl *, int argc, char **argv);
/* Of the family audit, after its words have been looked at. */
int ctl_audit_key(struct ctl *);
int ctl_audit_checkpoints(struct ctl *);
int ctl_audit_export(struct ctl *, const char *dir);
int ctl_audit_prove(struct ctl *, const char *what, const char *dir);
/* argv[0] is "account"; -1 when the words are wrong. */
int ctl_audit_account(struct ctl *, int argc, char **argv);

/* Loads the configuration once; an exit code, mistakes are on stderr. */
int ctl_conf(struct ctl *);
/* Connects to mapd, keyd or ledgerd, one at a time; *out is for ctl_ask() and
 * NAME_send(), and belongs to ctl.  An exit code: CTL_NOT_RUNNING and
 * CTL_DENIED have been explained on stderr. */
int ctl_connect(struct ctl *, enum role listener, struct chan **out);
/* Ends the connection, also one that the daemon has ended already (which is why
 * it is not chan_free()).  main() does it for a command that does not. */
void ctl_close(struct ctl *);
/*
 * One request at a time, to its END:
 *
 *	id = ctl_ask(ctl, c, 10000, on_row, &rows);
 *	mapd_plan_send(c, id, 0);
 *	rc = ctl_wait(ctl, &value);
 *
 * ms is the deadline, 0 for none.  row (may be NULL) gets every answer but
 * DONE and ERROR; it decodes it with NAME_get().  value (may be NULL) is set to
 * DONE's value.  An ERROR is printed and gives CTL_FAILED; a lost connection
 * gives CTL_NOT_RUNNING.
 */
uint64_t ctl_ask(
    struct ctl *, struct chan *, int64_t ms, ctl_row row, void *arg);
int ctl_wait(struct ctl *, uint64_t *value);

/* "orbctl: TEXT" on stderr; returns code. */
int ctl_error(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "usage: orbctl TEXT" on stderr; returns CTL_USAGE. */
int ctl_usage(const char *text);
/* Prints and frees; CTL_OK, or CTL_FAILED when it could not be written. */
int ctl_print_json(json_t *);
/* RFC 3339 in UTC ("2026-12-01T10:00:00Z") for JSON, NULL for 0 (JSON null). */
json_t *ctl_json_time(int64_t seconds);
/* Local time for people, "2026-12-01 11:00"; "-" for 0.  Returns buf. */
const char *ctl_time(int64_t seconds, char *buf, size_t size);

/* --- tables: text for people, an array of objects for --output=json ------- */

enum table_kind { TABLE_TEXT, TABLE_NUMBER, TABLE_TIME };
enum table_mark { TABLE_PLAIN, TABLE_GOOD, TABLE_WARN, TABLE_BAD, TABLE_DIM };

struct table_column {
	const char *name;  /* member in JSON: documented, never changes */
	const char *title; /* NULL: in JSON only */
	enum table_kind kind;
	int shrinks; /* is cut first when the terminal is narrow */
};

struct table;

/* What a cell shows of a text: a copy without control characters, malloced;
 * NULL: no memory. */
char *table_harmless(const char *);
/* Columns are borrowed until the end. */
struct table *table_begin(struct ctl *, const struct table_column *, size_t n);
/*
 * Cells in the order of the columns; the row is complete with its last cell.
 * Strings are copied.  Control characters are shown as '?', so that nothing a
 * peer says can drive the terminal.  An empty text is "-" and JSON null.
 */
void table_text(struct table *, const char *);
void table_number(struct table *, uint64_t);
void table_time(struct table *, int64_t seconds);
/* Colours the cell put last. */
void table_mark(struct table *, enum table_mark);
size_t table_rows(const struct table *);
/* Prints the table (nothing but the header when empty), or the JSON array,
 * and frees.  An exit code. */
int table_end(struct table *);
/* The rows as a JSON array, to be put into a larger object; frees. */
json_t *table_json(struct table *);

#endif
