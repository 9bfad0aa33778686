/* config.c: orbctl config check: every mistake with its place, or what the
 * configuration means. */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

struct report {
	enum ctl_output output;
	json_t *mistakes;
	unsigned count;
};

static void
on_mistake(void *arg, const char *file, unsigned line, const char *text)
{
	struct report *r = arg;

	r->count++;
	if (r->output == CTL_JSON)
		(void)json_array_append_new(r->mistakes,
		    json_pack("{s:s,s:o,s:s}", "file", file, "line",
			line ? json_integer(line) : json_null(), "text", text));
	else if (line)
		printf("%s:%u: %s\n", file, line, text);
	else
		printf("%s: %s\n", file, text);
}

static const char *
subject_of(const struct conf *c)
{
	switch (c->policy.subject) {
	case CONF_SUBJECT_KEEP:
		return "copied";
	case CONF_SUBJECT_ORGANISER:
		return "replaced by the organiser's name";
	default:
		return "replaced by a placeholder";
	}
}

/* Which way, and what a person may wonder about who gets mail. */
static void
say_direction(const struct conf *c)
{
	static const char *const calendar[] = {
	    [CONF_BOOK_ROOM] = "the room's own calendar",
	    [CONF_BOOK_SERVICE] = "the service mailbox's calendar",
	    [CONF_BOOK_ORGANISER] = "the requester's calendar"};

	switch (c->policy.direction) {
	case CONF_DIRECTION_TO_TOPDESK:
		puts("  changes are carried to TOPdesk only: nothing is "
		     "written to Exchange");
		return;
	case CONF_DIRECTION_TO_EXCHANGE:
		fputs("  changes are carried to Exchange only; ", stdout);
		break;
	default:
		fputs("  changes are carried both ways; ", stdout);
	}
	printf("the meeting of a reservation stands in %s\n",
	    calendar[c->exchange.book_as]);
}

static void
say_meaning(const struct conf *c)
{
	int ews = conf_is_ews(c);

	printf("%s: %zu room%s, %s %s, TOPdesk at %s\n", c->file, c->nrooms,
	    c->nrooms == 1 ? "" : "s",
	    ews ? "Exchange Web Services at" : "Microsoft Graph of tenant",
	    ews ? c->exchange.ews_url.text : c->exchange.tenant,
	    c->topdesk.url.text);
	printf("  bookings from %d back to %d days ahead; subjects are %s; "
	       "bodies are %s\n",
	    c->policy.window_back_days, c->policy.window_ahead_days,
	    subject_of(c), c->policy.body ? "copied" : "not carried");
	say_direction(c);
	printf("  more than %d cancellations in a round, or %d writes at the "
	       "first look, are held\n",
	    c->policy.mass_cancel_limit, c->policy.approve_writes);
	printf("  key of the stored credentials: %s\n", c->keyd.kek);
	if (c->nrooms == 0)
		puts("  no rooms: nothing will be done");
}

static json_t *
meaning_json(const struct conf *c)
{
	int ews = conf_is_ews(c);

	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "rooms",
	    (json_int_t)c->nrooms, "exchange", c->exchange.kind,
	    ews ? "ews_url" : "tenant",
	    ews ? c->exchange.ews_url.text : c->exchange.tenant, "topdesk",
	    c->topdesk.url.text, "kek", c->keyd.kek, "window_back_days",
	    (json_int_t)c->policy.window_back_days, "window_ahead_days",
	    (json_int_t)c->policy.window_ahead_days, "mass_cancel_limit",
	    (json_int_t)c->policy.mass_cancel_limit);
}

static int
check(struct ctl *ctl, const char *file)
{
	struct report r = {ctl->output, json_array(), 0};
	struct conf *c = NULL;
	int good, rc = CTL_OK;

	good = conf_load(file, &c, on_mistake, &r) == 0;
	if (ctl->output == CTL_JSON) {
		rc = ctl_print_json(json_pack("{s:b,s:O,s:o}", "valid", good,
		    "mistakes", r.mistakes, "meaning",
		    good ? meaning_json(c) : json_null()));
	} else if (good)
		say_meaning(c);
	else
		ctl_error(0, "%u mistake%s", r.count, r.count == 1 ? "" : "s");
	json_decref(r.mistakes);
	if (good)
		conf_free(c);
	return rc ? rc : good ? CTL_OK : CTL_FAILED;
}

int
ctl_config(struct ctl *ctl, int argc, char **argv)
{
	if (argc < 2 || argc > 3 || strcmp(argv[1], "check") != 0)
		return ctl_usage("config check [FILE]");
	return check(ctl, argc == 3 ? argv[2] : ctl->conf_file);
}
