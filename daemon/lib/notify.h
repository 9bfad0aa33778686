/*
 * notify.h: sd_notify without libsystemd: readiness, one-line status, watchdog.
 */
#ifndef ORB_NOTIFY_H
#define ORB_NOTIFY_H

#include "lib/loop.h"

/* Opens the socket named by NOTIFY_SOCKET, if any.  Before lock-down. */
void notify_open(void);
/* READY=1 with a status.  Starts the watchdog's pings from the loop. */
void notify_ready(struct loop *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* STATUS=, only when it differs from the last. */
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_stopping(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
void notify_reloading(void);

#endif
