/* log.c: see log.h. */
#include "lib/log.h"
#include "lib/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *log_name = "orb";
static enum log_level log_level = LOG_LV_INFO;
static int log_journal;

void
log_init(const char *name, enum log_level level)
{
	log_name = name;
	log_level = level;
	/* Set by systemd when stderr is the journal (systemd.exec(5)). */
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

static void log_v(enum log_level, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

static void
log_v(enum log_level lv, const char *fmt, va_list ap)
{
	char line[1024];
	int n;

	if (lv > log_level)
		return;
	if (log_journal)
		n = snprintf(line, sizeof(line), "<%d>", (int)lv);
	else
		n = snprintf(line, sizeof(line), "%s: ", log_name);
	vsnprintf(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
	strcat(line, "\n");
	/* One write, so that lines of several processes do not mix. */
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;
}

void
log_at(enum log_level lv, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	log_v(lv, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_v(LOG_LV_ERR, fmt, ap);
	va_end(ap);
	exit(1);
}

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		e->code = code;
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
	}
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int code = errno;
	va_list ap;
	size_t n;

	if (e) {
		e->code = code;
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
		n = strlen(e->text);
		snprintf(
		    e->text + n, sizeof(e->text) - n, ": %s", strerror(code));
	}
	return -1;
}
