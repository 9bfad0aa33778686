/*
 * conf_scan.h: what is refused before libconfig sees the text.  For conf.c.
 */
#ifndef ORB_CONF_SCAN_H
#define ORB_CONF_SCAN_H

#include <stddef.h>

/*
 * Reports each thing that is refused, with its line (0: none).  0, or -1 when
 * the text must not be parsed at all; a number that is too large is reported
 * and does not stop.
 */
int conf_scan(const char *text, size_t len,
    void (*report)(void *, unsigned line, const char *text), void *arg);

#endif
