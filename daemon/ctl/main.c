/*
 * orbctl: what people use to look at ORB and to tell it things.
 *
 * Here: the options every command has, and the list of commands.  A command
 * lives in the file of its family; talking to the daemons in connect.c.
 */
#include "config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/log.h"

static const struct command {
	const char *name;
	int (*run)(struct ctl *, int argc, char **argv);
	const char *usage, *what;
} commands[] = {
    {"status", ctl_status, "status [--rooms]", "whether ORB runs and is well"},
    {"plan", ctl_plan, "plan", "what would be done, without doing it"},
    {"sync", ctl_sync, "sync now", "a round now, with its progress"},
    {"problems", ctl_problems, "problems",
	"bookings that were set aside, and why"},
    {"conflicts", ctl_conflicts, "conflicts [show BOOKING]",
	"rooms that both sides booked at one time"},
    {"approve", ctl_approve, "approve", "let through what is held"},
    {"credential", ctl_credential, "credential set|list|remove ...",
	"enter, list, remove credentials (root)"},
    {"config", ctl_config, "config check [FILE]", "check the configuration"},
    {"audit", ctl_audit, "audit tail|account|prove|export|checkpoints|key",
	"read the audit log; who used the account; proofs"},
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
print_help(void)
{
	printf("usage: orbctl [OPTION]... COMMAND [ARGUMENT]...\n\n"
	       "Keeps the room bookings of Exchange and the reservations of "
	       "TOPdesk equal.\n\ncommands:\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		printf("  %-32s%s%-*s%s\n", commands[i].usage,
		    strlen(commands[i].usage) > 31 ? "\n" : "",
		    strlen(commands[i].usage) > 31 ? 34 : 0, "",
		    commands[i].what);
	printf("\noptions, anywhere on the line:\n"
	       "  --config FILE      instead of %s/orb.conf\n"
	       "  --output text|json what to print\n"
	       "  --no-color         no colour (also: NO_COLOR is set)\n"
	       "  --help, --version\n\n"
	       "exit status: 0 done and well, 1 failed or not well, 2 usage,\n"
	       "3 not running, 4 no permission.  See orbctl(8).\n",
	    ORB_SYSCONFDIR);
	return CTL_OK;
}

static int
set_output(struct ctl *ctl, const char *value)
{
	if (strcmp(value, "json") == 0)
		ctl->output = CTL_JSON;
	else if (strcmp(value, "text") == 0)
		ctl->output = CTL_TEXT;
	else
		return ctl_error(
		    CTL_USAGE, "--output is text or json, not %s", value);
	return 0;
}

/* The value of "--name=value" or "--name value" at argv[*i]; NULL: this is
 * another argument. */
static const char *
option_value(const char *name, char **argv, int *i)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	if (argv[*i][n] != '\0' || argv[*i + 1] == NULL)
		return NULL;
	return argv[++*i];
}

/*
 * Takes the options that may stand anywhere out of argv; the rest, a command
 * and what belongs to it, stays.  The new argc, or minus an exit code minus 1.
 */
static int
take_options(struct ctl *ctl, int argc, char **argv)
{
	const char *v;
	int n = 1;

	for (int i = 1; i < argc && argv[i]; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (i < argc)
				argv[n++] = argv[i++];
		} else if ((v = option_value("--config", argv, &i)) != NULL)
			ctl->conf_file = v;
		else if ((v = option_value("--output", argv, &i)) != NULL) {
			if (set_output(ctl, v))
				return -CTL_USAGE - 1;
		} else if (strcmp(argv[i], "--no-color") == 0)
			ctl->colour = 0;
		else if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return -print_help() - 1;
		else if (strcmp(argv[i], "--version") == 0)
			return -(printf("orbctl %s\n", PACKAGE_VERSION) < 0) -
			    1;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	return n;
}

static void
look_at_terminal(struct ctl *ctl)
{
	struct winsize ws;
	const char *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO))
		return;
	ctl->width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col
	    ? ws.ws_col
	    : 80;
	/* https://no-color.org */
	ctl->colour =
	    getenv("NO_COLOR") == NULL && term && strcmp(term, "dumb") != 0;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {0};
	int rc;

	setlocale(LC_ALL, "");
	log_init("orbctl", LOG_LV_WARN);
	look_at_terminal(&ctl);
	if ((argc = take_options(&ctl, argc, argv)) < 0)
		return -argc - 1;
	if (argc < 2)
		return ctl_usage("COMMAND ...; orbctl --help lists them");
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, argv[1]) == 0) {
			rc = commands[i].run(&ctl, argc - 1, argv + 1);
			ctl_close(&ctl);
			conf_free(ctl.conf);
			loop_free(ctl.loop);
			return rc;
		}
	return ctl_error(
	    CTL_USAGE, "no command \"%s\"; orbctl --help lists them", argv[1]);
}
