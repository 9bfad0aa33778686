/*
 * secret_input.h: how a secret gets from a person or a pipe into orbctl: from
 * the terminal without echo, or from a descriptor.  Never from the command
 * line or the environment, which others can read.
 */
#ifndef ORB_CTL_SECRET_INPUT_H
#define ORB_CTL_SECRET_INPUT_H

#include <stddef.h>

#include "lib/err.h"
#include "lib/secret.h"

/*
 * Everything up to the end of fd, max bytes at most, into *out (to be freed).
 * 0, or -1 and err: nothing in it, too much.
 */
int secret_from_fd(int fd, size_t max, struct secret *out, struct err *);
/*
 * Asks for a line on the terminal tty, twice, without showing it; the terminal
 * is put back as it was also when a signal comes, which then takes its course.
 * 0, or -1 and err: empty, too long, not the same twice, broken off.
 */
int secret_from_terminal(
    int tty, const char *prompt, size_t max, struct secret *out, struct err *);

#endif
