/* loop.c: see loop.h. */
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct watch {
	int fd;
	loop_fd_fn fn;
	void *arg;
};

struct timer {
	unsigned id;
	int64_t at, every;
	loop_fn fn;
	void *arg;
};

struct deferred {
	loop_fn fn; /* NULL: forgotten */
	void *arg;
};

struct loop {
	struct pollfd *pfd;
	struct watch *watch;
	size_t nfd, capfd;
	struct timer *timer;
	size_t ntimer, captimer;
	struct deferred *deferred;
	size_t ndeferred, capdeferred;
	unsigned next_id;
	int stop;
	loop_fn idle, on_stop, on_reload;
	void *idle_arg, *signal_arg;
};

/* Written by the signal handler; one loop a process takes signals. */
static int signal_pipe[2] = {-1, -1};

int64_t
loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct loop *
loop_new(void)
{
	return calloc(1, sizeof(struct loop));
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->on_stop || l->on_reload) {
		close(signal_pipe[0]);
		close(signal_pipe[1]);
		signal_pipe[0] = signal_pipe[1] = -1;
	}
	free(l->pfd);
	free(l->watch);
	free(l->timer);
	free(l->deferred);
	free(l);
}

static size_t
find_fd(const struct loop *l, int fd)
{
	size_t i;

	for (i = 0; i < l->nfd; i++)
		if (l->watch[i].fd == fd && l->watch[i].fn)
			break;
	return i;
}

int
loop_fd(struct loop *l, int fd, short events, loop_fd_fn fn, void *arg)
{
	size_t i = find_fd(l, fd), cap;
	void *p;

	if (i == l->nfd) {
		if (l->nfd == l->capfd) {
			cap = l->capfd ? l->capfd * 2 : 8;
			if ((p = realloc(l->pfd, cap * sizeof(*l->pfd))) ==
			    NULL)
				return -1;
			l->pfd = p;
			if ((p = realloc(l->watch, cap * sizeof(*l->watch))) ==
			    NULL)
				return -1;
			l->watch = p;
			l->capfd = cap;
		}
		l->nfd++;
		l->pfd[i].revents = 0;
	}
	l->pfd[i].fd = fd;
	l->pfd[i].events = events;
	l->watch[i] = (struct watch){fd, fn, arg};
	return 0;
}

void
loop_fd_del(struct loop *l, int fd)
{
	size_t i = find_fd(l, fd);

	if (i == l->nfd)
		return;
	/* Only marked: the slot may be in use by the turn that is running. */
	l->watch[i].fn = NULL;
	l->pfd[i].fd = -1;
	l->pfd[i].revents = 0;
}

unsigned
loop_timer(struct loop *l, int64_t ms, int repeat, loop_fn fn, void *arg)
{
	struct timer *t;
	size_t cap;

	if (l->ntimer == l->captimer) {
		cap = l->captimer ? l->captimer * 2 : 8;
		if ((t = realloc(l->timer, cap * sizeof(*t))) == NULL)
			return 0;
		l->timer = t;
		l->captimer = cap;
	}
	if (++l->next_id == 0)
		l->next_id = 1;
	t = &l->timer[l->ntimer++];
	*t = (struct timer){
	    l->next_id, loop_now() + ms, repeat ? ms : 0, fn, arg};
	return t->id;
}

void
loop_timer_del(struct loop *l, unsigned id)
{
	for (size_t i = 0; id && i < l->ntimer; i++)
		if (l->timer[i].id == id) {
			l->timer[i] = l->timer[--l->ntimer];
			return;
		}
}

static void
on_signal(int sig)
{
	int saved = errno;
	char c = sig == SIGHUP ? 'h' : 's';

	if (write(signal_pipe[1], &c, 1) < 0)
		errno = saved;
	errno = saved;
}

static void
signal_ready(void *arg, int fd, short revents)
{
	struct loop *l = arg;
	char c;

	(void)revents;
	while (read(fd, &c, 1) == 1) {
		if (c == 'h' && l->on_reload)
			l->on_reload(l->signal_arg);
		if (c == 's' && l->on_stop)
			l->on_stop(l->signal_arg);
	}
}

int
loop_signals(struct loop *l, loop_fn on_stop, loop_fn on_reload, void *arg)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK))
		return -1;
	l->on_stop = on_stop;
	l->on_reload = on_reload;
	l->signal_arg = arg;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (on_reload == NULL)
		sa.sa_handler = SIG_IGN;
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	return loop_fd(l, signal_pipe[0], POLLIN, signal_ready, l);
}

void
loop_idle(struct loop *l, loop_fn fn, void *arg)
{
	l->idle = fn;
	l->idle_arg = arg;
}

int
loop_defer(struct loop *l, loop_fn fn, void *arg)
{
	struct deferred *d;
	size_t cap;

	if (l->ndeferred == l->capdeferred) {
		cap = l->capdeferred ? l->capdeferred * 2 : 8;
		if ((d = realloc(l->deferred, cap * sizeof(*d))) == NULL)
			return -1;
		l->deferred = d;
		l->capdeferred = cap;
	}
	l->deferred[l->ndeferred++] = (struct deferred){fn, arg};
	return 0;
}

void
loop_defer_del(struct loop *l, void *arg)
{
	for (size_t i = 0; i < l->ndeferred; i++)
		if (l->deferred[i].arg == arg)
			l->deferred[i].fn = NULL;
}

/* What a deferred function defers runs too: the list may grow under way. */
static void
run_deferred(struct loop *l)
{
	struct deferred d;

	for (size_t i = 0; i < l->ndeferred; i++) {
		d = l->deferred[i];
		if (d.fn)
			d.fn(d.arg);
	}
	l->ndeferred = 0;
}

/* Milliseconds until the next timer is due, at most ms; -1 is for ever. */
static int
until_timer(const struct loop *l, int ms)
{
	int64_t now, left;

	if (l->ntimer == 0)
		return ms;
	now = loop_now();
	for (size_t i = 0; i < l->ntimer; i++) {
		left = l->timer[i].at - now;
		if (left < 0)
			left = 0;
		if (ms < 0 || left < ms)
			ms = left > 60000 ? 60000 : (int)left;
	}
	return ms;
}

static void
run_timers(struct loop *l)
{
	int64_t now = loop_now();
	struct timer t;

	for (size_t i = 0; i < l->ntimer;) {
		if (l->timer[i].at > now) {
			i++;
			continue;
		}
		t = l->timer[i];
		if (t.every)
			l->timer[i].at = now + t.every;
		else
			l->timer[i] = l->timer[--l->ntimer];
		t.fn(t.arg);
		/* fn may have changed the table: look from the start. */
		i = 0;
	}
}

static void
drop_marked(struct loop *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nfd; i++)
		if (l->watch[i].fn) {
			l->watch[n] = l->watch[i];
			l->pfd[n++] = l->pfd[i];
		}
	l->nfd = n;
}

void
loop_turn(struct loop *l, int ms)
{
	size_t n;
	int rc;

	if (l->idle)
		l->idle(l->idle_arg);
	run_deferred(l);
	drop_marked(l);
	if (l->stop)
		return;
	rc = poll(l->pfd, l->nfd, until_timer(l, ms));
	n = l->nfd;
	for (size_t i = 0; rc > 0 && i < n; i++) {
		if (l->pfd[i].revents == 0 || l->watch[i].fn == NULL)
			continue;
		l->watch[i].fn(
		    l->watch[i].arg, l->watch[i].fd, l->pfd[i].revents);
	}
	run_timers(l);
}

void
loop_run(struct loop *l)
{
	while (!l->stop)
		loop_turn(l, -1);
}

void
loop_stop(struct loop *l)
{
	l->stop = 1;
}
