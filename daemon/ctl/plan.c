/* plan.c: orbctl plan, problems and approve: what mapd would do, what it
 * cannot do, and letting through what it holds back. */
#include <inttypes.h>
#include <string.h>

#include "ctl/ctl.h"

#define PLAN_DEADLINE 300000 /* ms: mapd reads both sides first */
#define DEADLINE 30000

static const struct table_column action_columns[] = {
    {"kind", "ACTION", TABLE_TEXT, 0},
    {"room", "ROOM", TABLE_TEXT, 1},
    {"start", "START", TABLE_TIME, 0},
    {"end", "END", TABLE_TIME, 0},
    {"number", "NUMBER", TABLE_TEXT, 0},
    {"booking", "BOOKING", TABLE_TEXT, 1},
    {"text", "NOTE", TABLE_TEXT, 1},
};
static const struct table_column problem_columns[] = {
    {"room", "ROOM", TABLE_TEXT, 1},
    {"booking", "BOOKING", TABLE_TEXT, 1},
    {"since", "SINCE", TABLE_TIME, 0},
    {"next_try", "NEXT TRY", TABLE_TIME, 0},
    {"tries", "TRIES", TABLE_NUMBER, 0},
    {"text", "REASON", TABLE_TEXT, 1},
};
#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static int
on_action(struct packet *pk, void *arg)
{
	struct table *t = arg;
	struct msg_ctl_action a;

	if (pk->type != MSG_CTL_ACTION || ctl_action_get(pk, &a))
		return -1;
	table_text(t, a.kind);
	table_mark(t,
	    strncmp(a.text, "held", 4) == 0     ? TABLE_BAD
		: strcmp(a.kind, "cancel") == 0 ? TABLE_WARN
						: TABLE_PLAIN);
	table_text(t, a.room);
	table_time(t, a.start);
	table_time(t, a.end);
	table_text(t, a.number);
	table_text(t, a.booking);
	table_text(t, a.text);
	return 0;
}

static int
on_problem(struct packet *pk, void *arg)
{
	struct table *t = arg;
	struct msg_ctl_problem p;

	if (pk->type != MSG_CTL_PROBLEM || ctl_problem_get(pk, &p))
		return -1;
	table_text(t, p.room);
	table_text(t, p.booking);
	table_time(t, p.since);
	table_time(t, p.next_try);
	table_number(t, p.tries);
	table_text(t, p.text);
	return 0;
}

/* Asks mapd for rows and prints them; none is said in words. */
static int
list(struct ctl *ctl, const struct table_column *columns, size_t n,
    int64_t deadline, ctl_row on_row,
    int (*send)(struct chan *, uint64_t, unsigned), const char *none)
{
	struct table *t;
	struct chan *c;
	int rc;

	if ((rc = ctl_connect(ctl, ROLE_MAPD, &c)) != 0)
		return rc;
	if ((t = table_begin(ctl, columns, n)) == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	(void)send(c, ctl_ask(ctl, c, deadline, on_row, t), 0);
	rc = ctl_wait(ctl, NULL);
	if (rc) {
		json_decref(table_json(t));
		return rc;
	}
	if (ctl->output == CTL_TEXT && table_rows(t) == 0) {
		json_decref(table_json(t));
		puts(none);
		return CTL_OK;
	}
	return table_end(t);
}

int
ctl_plan(struct ctl *ctl, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return ctl_usage("plan");
	return list(ctl, action_columns, COUNT(action_columns), PLAN_DEADLINE,
	    on_action, mapd_plan_send, "nothing to do: both sides are equal");
}

int
ctl_problems(struct ctl *ctl, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return ctl_usage("problems");
	return list(ctl, problem_columns, COUNT(problem_columns), DEADLINE,
	    on_problem, mapd_problems_send, "no problems");
}

int
ctl_approve(struct ctl *ctl, int argc, char **argv)
{
	struct chan *c;
	uint64_t n;
	int rc;

	(void)argv;
	if (argc != 1)
		return ctl_usage("approve");
	if ((rc = ctl_connect(ctl, ROLE_MAPD, &c)) != 0)
		return rc;
	(void)mapd_approve_send(c, ctl_ask(ctl, c, DEADLINE, NULL, NULL), 0);
	if ((rc = ctl_wait(ctl, &n)) != 0)
		return rc;
	if (ctl->output == CTL_JSON)
		return ctl_print_json(
		    json_pack("{s:I}", "approved", (json_int_t)n));
	if (n)
		printf("%" PRIu64 " held write%s approved\n", n,
		    n == 1 ? "" : "s");
	else
		puts("nothing is held");
	return CTL_OK;
}
