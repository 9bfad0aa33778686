/*
 * err.h: an error that a person can act on: what, where, what to do.
 */
#ifndef ORB_ERR_H
#define ORB_ERR_H

struct err {
	int code; /* errno-like, or 0 */
	char text[400];
};

/* Sets code and text; returns -1, so that `return err_set(...)` reads well.
 * e may be NULL.  Never put a secret, subject or address into it. */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with strerror(errno) behind the text. */
int err_sys(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
