/* sync.c: orbctl sync now: a round at once, with its progress. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

#define DEADLINE (3600 * 1000) /* ms: a first load takes its time */

struct progress {
	const struct ctl *ctl;
	int shown; /* a line is on the terminal */
};

static int
on_progress(struct packet *pk, void *arg)
{
	struct progress *p = arg;
	struct msg_ctl_progress m;

	if (pk->type != MSG_CTL_PROGRESS || ctl_progress_get(pk, &m))
		return -1;
	/* On a terminal only, and on stderr: stdout is for the result. */
	if (!isatty(STDERR_FILENO) || p->ctl->output == CTL_JSON)
		return 0;
	fprintf(stderr, "\r\033[K%s: %u of %u", m.text, (unsigned)m.done,
	    (unsigned)m.total);
	p->shown = 1;
	return 0;
}

int
ctl_sync(struct ctl *ctl, int argc, char **argv)
{
	struct progress p = {ctl, 0};
	int64_t from = loop_now(), took;
	struct chan *c;
	uint64_t n;
	int rc;

	if (argc != 2 || strcmp(argv[1], "now") != 0)
		return ctl_usage("sync now");
	if ((rc = ctl_connect(ctl, ROLE_MAPD, &c)) != 0)
		return rc;
	(void)mapd_sync_send(c, ctl_ask(ctl, c, DEADLINE, on_progress, &p), 0);
	rc = ctl_wait(ctl, &n);
	if (p.shown)
		fputs("\r\033[K", stderr);
	if (rc)
		return rc;
	took = loop_now() - from;
	if (ctl->output == CTL_JSON)
		return ctl_print_json(json_pack("{s:I,s:I}", "value",
		    (json_int_t)n, "milliseconds", (json_int_t)took));
	printf("done in %.1f s\n", (double)took / 1000);
	return CTL_OK;
}
