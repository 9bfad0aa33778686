/* status.c: orbctl status: whether ORB runs and is well, in one line, then
 * what is not, then the rooms.  Also the exit status that monitoring reads. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

#define DEADLINE 15000 /* ms */
#define FEW 20         /* rooms that are shown without --rooms */

/* What CTL_STATUS.exchange_state and topdesk_state mean. */
enum side { SIDE_UNKNOWN, SIDE_OK, SIDE_WAITING, SIDE_FAILING, SIDES };
static const char *const side_name[SIDES] = {
    "unknown", "ok", "waiting", "failing"};
static const char *const side_sgr[SIDES] = {
    "\033[2m", "\033[32m", "\033[33m", "\033[31m"};

static const struct table_column columns[] = {
    {"name", "ROOM", TABLE_TEXT, 1},
    {"mailbox", NULL, TABLE_TEXT, 0},
    {"location", NULL, TABLE_TEXT, 0},
    {"exchange_at", "EXCHANGE READ", TABLE_TIME, 0},
    {"topdesk_at", "TOPDESK READ", TABLE_TIME, 0},
    {"bookings", "BOOKINGS", TABLE_NUMBER, 0},
    {"pending", "PENDING", TABLE_NUMBER, 0},
    {"problems", "PROBLEMS", TABLE_NUMBER, 0},
    {"text", "NOTE", TABLE_TEXT, 1},
};
#define NCOLUMNS (sizeof(columns) / sizeof(columns[0]))

struct status {
	struct ctl *ctl;
	int came;
	struct msg_ctl_status m;
	char strings[7][512]; /* the packet's strings do not outlive it */
	struct table *rooms;
};

static void
keep(struct status *s, const char **text, int i)
{
	snprintf(s->strings[i], sizeof(s->strings[i]), "%s", *text);
	*text = s->strings[i];
}

static int
on_row(struct packet *pk, void *arg)
{
	struct status *s = arg;
	struct msg_ctl_room r;

	if (pk->type == MSG_CTL_STATUS && !s->came) {
		if (ctl_status_get(pk, &s->m))
			return -1;
		keep(s, &s->m.version, 0);
		keep(s, &s->m.exchange_text, 1);
		keep(s, &s->m.topdesk_text, 2);
		keep(s, &s->m.key_source, 3);
		keep(s, &s->m.text, 4);
		s->came = 1;
		return 0;
	}
	if (pk->type != MSG_CTL_ROOM || ctl_room_get(pk, &r))
		return -1;
	table_text(s->rooms, r.name);
	table_text(s->rooms, r.mailbox);
	table_text(s->rooms, r.location);
	table_time(s->rooms, r.exchange_at);
	table_time(s->rooms, r.topdesk_at);
	table_number(s->rooms, r.bookings);
	table_number(s->rooms, r.pending);
	table_number(s->rooms, r.problems);
	table_mark(s->rooms, r.problems ? TABLE_WARN : TABLE_PLAIN);
	table_text(s->rooms, r.text);
	return 0;
}

static enum side
side(uint8_t state)
{
	return state < SIDES ? state : SIDE_UNKNOWN;
}

static int
is_well(const struct msg_ctl_status *m)
{
	return m->exchange_state == SIDE_OK && m->topdesk_state == SIDE_OK &&
	    m->problems == 0 && m->conflicts == 0 &&
	    m->held_cancellations == 0 && m->held_writes == 0 &&
	    *m->text == '\0';
}

static json_t *
side_json(uint8_t state, const char *text)
{
	return json_pack("{s:s,s:s?}", "state", side_name[side(state)], "text",
	    *text ? text : NULL);
}

static int
print_json(struct status *s)
{
	const struct msg_ctl_status *m = &s->m;
	json_t *rooms = table_json(s->rooms);

	s->rooms = NULL;
	return ctl_print_json(json_pack("{s:b,s:b,s:s,s:o?,s:o?,s:o?,s:I,s:I,s:"
					"I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,"
					"s:s?,s:s?,s:o}",
	    "running", 1, "well", is_well(m), "version", m->version, "started",
	    ctl_json_time(m->started), "now", ctl_json_time(m->now),
	    "last_round", ctl_json_time(m->last_round), "rounds",
	    (json_int_t)m->rounds, "room_count", (json_int_t)m->rooms,
	    "bookings", (json_int_t)m->bookings, "pending",
	    (json_int_t)m->pending, "problems", (json_int_t)m->problems,
	    "conflicts", (json_int_t)m->conflicts, "held_cancellations",
	    (json_int_t)m->held_cancellations, "held_writes",
	    (json_int_t)m->held_writes, "exchange",
	    side_json(m->exchange_state, m->exchange_text), "topdesk",
	    side_json(m->topdesk_state, m->topdesk_text), "key_source",
	    *m->key_source ? m->key_source : NULL, "text",
	    *m->text ? m->text : NULL, "rooms", rooms));
}

static void
print_side(
    const struct ctl *ctl, const char *name, uint8_t state, const char *text)
{
	printf("  %-9s %s%s%s%s%s\n", name,
	    ctl->colour ? side_sgr[side(state)] : "", side_name[side(state)],
	    ctl->colour ? "\033[0m" : "", *text ? ": " : "", text);
}

static void
print_age(const struct msg_ctl_status *m)
{
	int64_t age = 0;

	/* mapd's words, not to be trusted with arithmetic. */
	if (m->last_round > 0 && m->now > m->last_round)
		age = m->now - m->last_round;
	if (m->last_round == 0)
		printf("no round yet");
	else if (age < 120)
		printf("last round %" PRId64 " s ago", age);
	else if (age < 7200)
		printf("last round %" PRId64 " min ago", age / 60);
	else
		printf("last round %" PRId64 " h ago", age / 3600);
}

static void
print_count(uint32_t n, const char *one, const char *many, const char *cure)
{
	if (n)
		printf("  %u %s: %s\n", (unsigned)n, n == 1 ? one : many, cure);
}

static void
print_text(const struct status *s)
{
	const struct msg_ctl_status *m = &s->m;
	const struct ctl *ctl = s->ctl;
	char at[40];
	int well = is_well(m);

	printf("%s%s%s: ORB %s, %u rooms, %u bookings, %u pending, ",
	    ctl->colour ? well ? "\033[1;32m" : "\033[1;33m" : "",
	    well ? "well" : "not well", ctl->colour ? "\033[0m" : "",
	    m->version, (unsigned)m->rooms, (unsigned)m->bookings,
	    (unsigned)m->pending);
	print_age(m);
	printf(", running since %s\n", ctl_time(m->started, at, sizeof(at)));
	if (*m->text)
		printf("  %s\n", m->text);
	print_side(ctl, "Exchange", m->exchange_state, m->exchange_text);
	print_side(ctl, "TOPdesk", m->topdesk_state, m->topdesk_text);
	if (*m->key_source)
		printf("  %-9s %s\n", "key", m->key_source);
	print_count(m->problems, "problem", "problems", "orbctl problems");
	print_count(m->conflicts, "conflict", "conflicts", "orbctl conflicts");
	print_count(m->held_cancellations, "held cancellation",
	    "held cancellations", "look with orbctl plan, then orbctl approve");
	print_count(m->held_writes, "held write", "held writes",
	    "look with orbctl plan, then orbctl approve");
}

static int
print_status(struct status *s, int rooms)
{
	int rc = CTL_OK, show;

	if (!s->came)
		return ctl_error(CTL_FAILED, "mapd did not say how it is");
	if (s->ctl->output == CTL_JSON)
		rc = print_json(s);
	else {
		print_text(s);
		show = table_rows(s->rooms) > 0 &&
		    (rooms || table_rows(s->rooms) <= FEW);
		if (show) {
			putchar('\n');
			rc = table_end(s->rooms);
			s->rooms = NULL;
		}
	}
	return rc ? rc : is_well(&s->m) ? CTL_OK : CTL_FAILED;
}

int
ctl_status(struct ctl *ctl, int argc, char **argv)
{
	struct status s = {.ctl = ctl};
	struct chan *c;
	int rooms = argc == 2 && strcmp(argv[1], "--rooms") == 0, rc;

	if (argc != 1 + rooms)
		return ctl_usage("status [--rooms]");
	rc = ctl_connect(ctl, ROLE_MAPD, &c);
	if (rc == CTL_OK) {
		if ((s.rooms = table_begin(ctl, columns, NCOLUMNS)) == NULL)
			return ctl_error(CTL_FAILED, "no memory");
		(void)mapd_status_send(
		    c, ctl_ask(ctl, c, DEADLINE, on_row, &s), 0);
		rc = ctl_wait(ctl, NULL);
	}
	if (rc == CTL_OK)
		rc = print_status(&s, rooms);
	else if (rc == CTL_NOT_RUNNING && ctl->output == CTL_JSON)
		(void)ctl_print_json(
		    json_pack("{s:b,s:b}", "running", 0, "well", 0));
	if (s.rooms)
		json_decref(table_json(s.rooms));
	return rc;
}
