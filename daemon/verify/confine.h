/*
 * confine.h: giving up what is not needed to read one directory, before any
 * byte of it is parsed: files elsewhere, writing, the network, other programs.
 */
#ifndef ORB_VERIFY_CONFINE_H
#define ORB_VERIFY_CONFINE_H

/*
 * For the rest of the process: no new privileges, with Landlock only what is
 * below dir (-1: no file at all) can be opened, and by seccomp only for
 * reading, and no system call is left but those that reading, memory and
 * output need.  NULL; or which of these could not be had, a constant text: the
 * others hold all the same.
 */
const char *confine(int dir);

#endif
