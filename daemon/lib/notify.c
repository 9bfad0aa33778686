/* notify.c: see notify.h; the protocol is sd_notify(3). */
#include "lib/notify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int notify_fd = -1;
static int64_t watchdog_ms;
static char last_status[400];

void
notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET"), *usec;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    (len = strlen(path)) >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, len);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	notify_fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Connected now, so that sending later needs no address. */
	if (notify_fd >= 0 &&
	    connect(notify_fd, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
		0) {
		close(notify_fd);
		notify_fd = -1;
	}
	if ((usec = getenv("WATCHDOG_USEC")) != NULL)
		watchdog_ms = atoll(usec) / 1000;
}

static void
say(const char *text)
{
	if (notify_fd >= 0 &&
	    send(notify_fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return; /* systemd is gone or busy: nothing to be done */
}

static void
ping(void *arg)
{
	(void)arg;
	say("WATCHDOG=1");
}

static void status_v(const char *, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

static void
status_v(const char *head, const char *fmt, va_list ap)
{
	char status[400], text[512];

	vsnprintf(status, sizeof(status), fmt, ap);
	if (head[0] == '\0' && strcmp(status, last_status) == 0)
		return;
	memcpy(last_status, status, sizeof(last_status));
	snprintf(text, sizeof(text), "%sSTATUS=%s", head, status);
	say(text);
}

void
notify_ready(struct loop *loop, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	status_v("READY=1\n", fmt, ap);
	va_end(ap);
	if (watchdog_ms > 0 && notify_fd >= 0) {
		loop_timer(loop, watchdog_ms / 3 + 1, 1, ping, NULL);
		watchdog_ms = 0;
	}
}

void
notify_status(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	status_v("", fmt, ap);
	va_end(ap);
}

void
notify_stopping(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	status_v("STOPPING=1\n", fmt, ap);
	va_end(ap);
}

void
notify_reloading(void)
{
	struct timespec ts;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	say(text);
}
