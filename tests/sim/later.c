/*
 * later.c: resumes connections that were made to wait.  A thread of its own,
 * since the listeners' threads must not sleep.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "http.h"

static struct waiting {
	struct MHD_Connection *conn;
	int64_t due;
} * waiting;
static size_t nwaiting, room;
static int stop;
static pthread_t thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;

static void *
later_run(void *arg)
{
	struct timespec ts;
	int64_t now, next;
	size_t i;

	(void)arg;
	pthread_mutex_lock(&lock);
	while (!stop) {
		now = when_ms();
		next = now + 60000;
		for (i = 0; i < nwaiting;)
			if (waiting[i].due <= now) {
				MHD_resume_connection(waiting[i].conn);
				waiting[i] = waiting[--nwaiting];
			} else {
				if (waiting[i].due < next)
					next = waiting[i].due;
				i++;
			}
		ts.tv_sec = (time_t)(next / 1000);
		ts.tv_nsec = (long)(next % 1000) * 1000000;
		(void)pthread_cond_timedwait(&wake, &lock, &ts);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

void
later_start(void)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_create(&thread, NULL, later_run, NULL);
}

/* Has a suspended connection resumed at a time of when_ms(). */
void
later_resume(struct MHD_Connection *conn, int64_t due)
{
	pthread_mutex_lock(&lock);
	if (nwaiting == room) {
		room = room ? room * 2 : 16;
		waiting = grow(waiting, room, sizeof(*waiting));
	}
	waiting[nwaiting].conn = conn;
	waiting[nwaiting++].due = stop ? 0 : due;
	if (stop) {
		MHD_resume_connection(conn);
		nwaiting--;
	}
	(void)pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
}

/* Resumes everything now; nothing waits any more after this. */
void
later_flush(void)
{
	pthread_mutex_lock(&lock);
	stop = 1;
	while (nwaiting > 0)
		MHD_resume_connection(waiting[--nwaiting].conn);
	(void)pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
}

void
later_end(void)
{
	later_flush();
	(void)pthread_join(thread, NULL);
	(void)pthread_cond_destroy(&wake);
	free(waiting);
	waiting = NULL;
}
