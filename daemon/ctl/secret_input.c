/* secret_input.c: see secret_input.h. */
#include "ctl/secret_input.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Shortens s to len bytes without leaving the rest behind. */
static int
shorten(struct secret *s, size_t len, struct err *e)
{
	struct secret whole = *s;
	int rc = secret_copy(s, whole.p, len);

	secret_free(&whole);
	return rc ? err_set(e, ENOMEM, "no room for the secret") : 0;
}

int
secret_from_fd(int fd, size_t max, struct secret *out, struct err *e)
{
	size_t len = 0;
	ssize_t n;

	if (secret_alloc(out, max + 1))
		return err_set(e, ENOMEM, "no room for the secret");
	while ((n = read(fd, out->p + len, out->len - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(e, "read descriptor %d", fd);
			goto bad;
		}
		len += (size_t)n;
		if (len > max) {
			err_set(e, EFBIG, "more than %zu bytes", max);
			goto bad;
		}
	}
	if (len)
		return shorten(out, len, e);
	err_set(e, EINVAL, "descriptor %d gave nothing", fd);
bad:
	secret_free(out);
	return -1;
}

/* --- the terminal -------------------------------------------------------------- */

static const int signals[] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))
static volatile sig_atomic_t caught[NSIGNALS];

static void
on_signal(int sig)
{
	for (size_t i = 0; i < NSIGNALS; i++)
		if (signals[i] == sig)
			caught[i] = 1;
}

/* One line into s, without the line break.  Its length, or -1. */
static ssize_t
line_read(int tty, struct secret *s)
{
	size_t len = 0;
	uint8_t c;
	ssize_t n;

	while ((n = read(tty, &c, 1)) == 1 && c != '\n') {
		if (len < s->len)
			s->p[len] = c;
		len++;
	}
	explicit_bzero(&c, 1);
	return n < 0 ? -1 : (ssize_t)len;
}

/*
 * Asks once.  Signals only leave a mark while the echo is off; when it is on
 * again they are sent anew, and whoever stopped orbctl is asked again.
 */
static ssize_t
ask(int tty, const char *prompt, struct secret *s)
{
	struct sigaction sa = {.sa_handler = on_signal}, old[NSIGNALS];
	struct termios on, off;
	int again;
	ssize_t n;

	do {
		again = 0;
		if (tcgetattr(tty, &on))
			return -1;
		for (size_t i = 0; i < NSIGNALS; i++) {
			caught[i] = 0;
			sigaction(signals[i], &sa, &old[i]);
		}
		off = on;
		off.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		n = tcsetattr(tty, TCSAFLUSH, &off);
		if (n == 0 && write(tty, prompt, strlen(prompt)) > 0)
			n = line_read(tty, s);
		(void)tcsetattr(tty, TCSAFLUSH, &on);
		if (write(tty, "\n", 1) < 0)
			n = -1;
		for (size_t i = 0; i < NSIGNALS; i++)
			sigaction(signals[i], &old[i], NULL);
		for (size_t i = 0; i < NSIGNALS; i++)
			if (caught[i]) {
				kill(getpid(), signals[i]);
				n = -1;
				again |= i >= 4; /* stopped, and back */
			}
	} while (again);
	return n;
}

int
secret_from_terminal(
    int tty, const char *prompt, size_t max, struct secret *out, struct err *e)
{
	struct secret twice = {NULL, 0};
	ssize_t n, m;
	int rc = -1;

	if (secret_alloc(out, max) || secret_alloc(&twice, max)) {
		err_set(e, ENOMEM, "no room for the secret");
		goto out;
	}
	n = ask(tty, prompt, out);
	if (n < 0)
		err_set(e, EINTR, "broken off; nothing was entered");
	else if (n == 0)
		err_set(e, EINVAL, "nothing was entered");
	else if ((size_t)n > max)
		err_set(e, EFBIG, "more than %zu bytes", max);
	else if ((m = ask(tty, "Once more: ", &twice)) < 0)
		err_set(e, EINTR, "broken off; nothing was entered");
	else if (m != n || memcmp(out->p, twice.p, (size_t)n))
		err_set(e, EINVAL, "the two are not the same");
	else
		rc = shorten(out, (size_t)n, e);
out:
	secret_free(&twice);
	if (rc)
		secret_free(out);
	return rc;
}
