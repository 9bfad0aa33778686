/*
 * conflicts.c: orbctl conflicts: which bookings want a room that is taken, who
 * keeps it, and, for one of them, what to do.
 *
 * mapd says what there is; what a person does about it is said here.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

#define DEADLINE 30000  /* ms */
#define BOOKING_MOST 80 /* bytes: MAPD_CONFLICTS */

static const struct table_column columns[] = {
    {"room", "ROOM", TABLE_TEXT, 1},
    {"start", "START", TABLE_TIME, 0},
    {"end", "END", TABLE_TIME, 0},
    {"number", "RESERVATION", TABLE_TEXT, 0},
    {"rival", "RIVAL", TABLE_TEXT, 0},
    {"keeper", "KEEPS", TABLE_TEXT, 0},
    {"since", "SINCE", TABLE_TIME, 0},
    {"state", "STATE", TABLE_TEXT, 0},
    {"booking", "BOOKING", TABLE_TEXT, 1},
    {"policy", NULL, TABLE_TEXT, 0},
    {"text", NULL, TABLE_TEXT, 0},
};
#define NCOLUMNS (sizeof(columns) / sizeof(columns[0]))

struct conflicts {
	struct ctl *ctl;
	struct table *table;
	/* The last one, for show: the packet's strings do not outlive it. */
	struct msg_ctl_conflict m;
	char strings[7][512];
};

/* Who has the room, by the side that loses it. */
static const char *
keeper(const struct ctl *ctl, const char *loser)
{
	int json = ctl->output == CTL_JSON;

	if (strcmp(loser, "topdesk") == 0)
		return json ? "exchange" : "Exchange";
	if (strcmp(loser, "exchange") == 0)
		return json ? "topdesk" : "TOPdesk";
	return "";
}

static const char *
state(const struct msg_ctl_conflict *m)
{
	return m->settled ? "settled" : "open";
}

static const char *
cure(const struct msg_ctl_conflict *m)
{
	if (m->settled)
		return "nothing: it has ended";
	if (strcmp(m->loser, "exchange") == 0)
		return "find another room or time for the meeting: ORB takes "
		       "it out of this room, and its organiser is told through "
		       "Exchange";
	if (strcmp(m->loser, "topdesk") == 0)
		return "reserve another room or time in TOPdesk: ORB cancels "
		       "this reservation, once its requester has been told "
		       "through Exchange";
	return "move or cancel one of the two, in Outlook or in TOPdesk: ORB "
	       "decides nothing here";
}

static void
keep(struct conflicts *s, const char **text, int i)
{
	snprintf(s->strings[i], sizeof(s->strings[i]), "%s", *text);
	*text = s->strings[i];
}

static void
keep_all(struct conflicts *s, const struct msg_ctl_conflict *m)
{
	s->m = *m;
	keep(s, &s->m.room, 0);
	keep(s, &s->m.booking, 1);
	keep(s, &s->m.number, 2);
	keep(s, &s->m.rival, 3);
	keep(s, &s->m.policy, 4);
	keep(s, &s->m.loser, 5);
	keep(s, &s->m.text, 6);
}

static int
on_conflict(struct packet *pk, void *arg)
{
	struct conflicts *s = arg;
	struct table *t = s->table;
	struct msg_ctl_conflict m;

	if (pk->type != MSG_CTL_CONFLICT || ctl_conflict_get(pk, &m))
		return -1;
	keep_all(s, &m);
	table_text(t, m.room);
	table_time(t, m.start);
	table_time(t, m.end);
	table_text(t, m.number);
	table_text(t, m.rival);
	table_text(t, keeper(s->ctl, m.loser));
	table_time(t, m.since);
	table_text(t, state(&m));
	table_mark(t, m.settled ? TABLE_DIM : TABLE_WARN);
	table_text(t, m.booking);
	table_text(t, m.policy);
	table_text(t, m.text);
	return 0;
}

/* booking: "", or how the id of those begins that are wanted. */
static int
ask(struct conflicts *s, const char *booking)
{
	struct msg_mapd_conflicts q = {booking};
	struct chan *c;
	int rc;

	if ((rc = ctl_connect(s->ctl, ROLE_MAPD, &c)) != 0)
		return rc;
	if ((s->table = table_begin(s->ctl, columns, NCOLUMNS)) == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	(void)mapd_conflicts_send(
	    c, ctl_ask(s->ctl, c, DEADLINE, on_conflict, s), 0, &q);
	return ctl_wait(s->ctl, NULL);
}

static int
list(struct conflicts *s)
{
	struct table *t;
	int rc;

	if ((rc = ask(s, "")) != 0)
		return rc;
	if (s->ctl->output == CTL_TEXT && table_rows(s->table) == 0) {
		puts("no conflicts");
		return CTL_OK;
	}
	t = s->table;
	s->table = NULL;
	return table_end(t);
}

static void
print_line(const char *name, const char *text)
{
	char *shown = table_harmless(*text ? text : "-");

	printf("%-12s %s\n", name, shown ? shown : "?");
	free(shown);
}

static int
print_one(struct conflicts *s)
{
	const struct msg_ctl_conflict *m = &s->m;
	char from[40], to[40], text[160];
	const char *who = keeper(s->ctl, m->loser);

	print_line("room", m->room);
	snprintf(text, sizeof(text), "%s to %s",
	    ctl_time(m->start, from, sizeof(from)),
	    ctl_time(m->end, to, sizeof(to)));
	print_line("time", text);
	print_line("booking", m->booking);
	print_line("reservation", m->number);
	print_line("rival", m->rival);
	print_line("keeps", *who ? who : "nobody: it is only reported");
	print_line("policy", m->policy);
	print_line("since", ctl_time(m->since, from, sizeof(from)));
	print_line("state", state(m));
	print_line("why", m->text);
	print_line("what to do", cure(m));
	return fflush(stdout) ? ctl_error(CTL_FAILED, "cannot write") : CTL_OK;
}

static int
print_one_json(struct conflicts *s)
{
	json_t *rows = table_json(s->table), *one;

	s->table = NULL;
	one = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	if (one && json_object_set_new(one, "cure", json_string(cure(&s->m)))) {
		json_decref(one);
		one = NULL;
	}
	return ctl_print_json(one);
}

static int
show(struct conflicts *s, const char *booking)
{
	size_t n;
	int rc;

	if ((rc = ask(s, booking)) != 0)
		return rc;
	if ((n = table_rows(s->table)) == 0)
		return ctl_error(CTL_FAILED,
		    "no conflict of a booking whose id begins with \"%s\": "
		    "orbctl conflicts lists them",
		    booking);
	if (n > 1)
		return ctl_error(CTL_FAILED,
		    "%zu bookings have ids that begin with \"%s\": give more "
		    "of it",
		    n, booking);
	return s->ctl->output == CTL_JSON ? print_one_json(s) : print_one(s);
}

int
ctl_conflicts(struct ctl *ctl, int argc, char **argv)
{
	struct conflicts s = {.ctl = ctl};
	int rc;

	if (argc == 1)
		rc = list(&s);
	else if (argc == 3 && strcmp(argv[1], "show") == 0 && *argv[2] &&
	    strlen(argv[2]) <= BOOKING_MOST)
		rc = show(&s, argv[2]);
	else
		rc = ctl_usage("conflicts [show BOOKING]");
	if (s.table)
		json_decref(table_json(s.table));
	return rc;
}
