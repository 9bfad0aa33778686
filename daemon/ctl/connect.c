/* connect.c: the configuration, the connection to a daemon, and one request
 * run to its end.  See ctl.h. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/edge.h"

int
ctl_error(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("orbctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int
ctl_usage(const char *text)
{
	fprintf(stderr, "usage: orbctl %s\n", text);
	return CTL_USAGE;
}

static void
report_mistake(void *arg, const char *file, unsigned line, const char *text)
{
	(void)arg;
	if (line)
		fprintf(stderr, "%s:%u: %s\n", file, line, text);
	else
		fprintf(stderr, "%s: %s\n", file, text);
}

int
ctl_conf(struct ctl *ctl)
{
	if (ctl->conf ||
	    conf_load(ctl->conf_file, &ctl->conf, report_mistake, NULL) == 0)
		return CTL_OK;
	return ctl_error(CTL_FAILED, "the configuration has mistakes");
}

static void
swallow_mistake(void *arg, const char *file, unsigned line, const char *text)
{
	(void)arg;
	(void)file;
	(void)line;
	(void)text;
}

/* Only the run directory matters here: a mistake elsewhere, or a file that
 * this person may not read, must not hide how ORB is. */
static void
conf_for_sockets(struct ctl *ctl, struct conf *builtin)
{
	if (ctl->conf ||
	    conf_load(ctl->conf_file, &ctl->conf, swallow_mistake, NULL) == 0)
		return;
	memset(builtin, 0, sizeof(*builtin));
	builtin->run_dir = ORB_RUNDIR;
	ctl_error(0,
	    "%s cannot be used (orbctl config check says why); "
	    "looking for ORB in %s",
	    ctl->conf_file ? ctl->conf_file : ORB_SYSCONFDIR "/orb.conf",
	    ORB_RUNDIR);
}

static int
not_running(enum role peer)
{
	return ctl_error(CTL_NOT_RUNNING,
	    "%s is not running: systemctl start orb.target", role_name(peer));
}

static void
connection_closed(struct chan *c, const char *why)
{
	struct ctl *ctl = chan_ctx(c);

	ctl->chan = NULL;
	if (ctl->call.over)
		return;
	ctl->call.over = 1;
	ctl->call.rc = ctl_error(CTL_NOT_RUNNING,
	    "%s closed the connection%s%s: journalctl -u orb-%s",
	    role_name(ctl->call.peer), why ? ": " : "", why ? why : "",
	    role_name(ctl->call.peer));
}

int
ctl_connect(struct ctl *ctl, enum role listener, struct chan **out)
{
	struct conf builtin;
	struct err e;
	int fd;

	conf_for_sockets(ctl, &builtin);
	fd = edge_connect(ctl->conf ? ctl->conf : &builtin, listener, ROLE_CTL,
	    UPSTREAM_NONE, &e);
	if (fd < 0 && (e.code == EACCES || e.code == EPERM))
		return ctl_error(CTL_DENIED, "%s; only root%s may ask %s",
		    e.text,
		    listener == ROLE_KEYD ? "" : " and group orb-operators",
		    role_name(listener));
	if (fd < 0 && (e.code == ENOENT || e.code == ECONNREFUSED))
		return not_running(listener);
	if (fd < 0)
		return ctl_error(CTL_FAILED, "%s", e.text);
	if (ctl->loop == NULL && (ctl->loop = loop_new()) == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	ctl_close(ctl);
	ctl->call.peer = listener;
	*out = ctl->chan = chan_new(
	    ctl->loop, fd, ROLE_CTL, listener, NULL, connection_closed, ctl);
	return *out ? CTL_OK : ctl_error(CTL_FAILED, "no memory");
}

void
ctl_close(struct ctl *ctl)
{
	ctl->call.over = 1;
	chan_free(ctl->chan);
	ctl->chan = NULL;
}

static int
on_answer(struct chan *c, struct packet *pk, void *arg)
{
	struct ctl *ctl = arg;
	struct msg_error error;
	struct msg_done done;
	int rc = 0;

	(void)c;
	if (ctl->call.over)
		return 0;
	if (pk == NULL) {
		ctl->call.over = 1;
		ctl->call.rc = ctl_error(CTL_NOT_RUNNING,
		    "%s does not answer: systemctl status orb-%s",
		    role_name(ctl->call.peer), role_name(ctl->call.peer));
		return 0;
	}
	if (pk->type == MSG_ERROR) {
		if ((rc = error_get(pk, &error)) == 0)
			ctl->call.rc = ctl_error(CTL_FAILED, "%s", error.text);
	} else if (pk->type == MSG_DONE) {
		if ((rc = done_get(pk, &done)) == 0)
			ctl->call.value = done.value;
	} else
		rc = ctl->call.row ? ctl->call.row(pk, ctl->call.arg) : -1;
	if (rc == 0)
		ctl->call.over = (pk->flags & CHAN_END) != 0;
	return rc;
}

uint64_t
ctl_ask(struct ctl *ctl, struct chan *c, int64_t ms, ctl_row row, void *arg)
{
	ctl->call.over = 0;
	ctl->call.rc = CTL_OK;
	ctl->call.value = 0;
	ctl->call.row = row;
	ctl->call.arg = arg;
	return chan_call(c, ms, on_answer, ctl);
}

int
ctl_wait(struct ctl *ctl, uint64_t *value)
{
	while (!ctl->call.over)
		loop_turn(ctl->loop, -1);
	if (value)
		*value = ctl->call.value;
	return ctl->call.rc;
}
