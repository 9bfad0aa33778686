/*
 * fake_curl.h: as much of libcurl as http uses, without a network: a fuzz
 * target says what each transfer meets.  Linked instead of libcurl.
 */
#ifndef ORB_FAKE_CURL_H
#define ORB_FAKE_CURL_H

#include <stddef.h>
#include <stdint.h>

/*
 * The nth transfer under way goes one step further: it takes a connection, then
 * is about to be sent, then (what: 0 body, 1 a header line, 2 the end, 3 a
 * failure) meets bytes.  status is that of its answer.
 */
void fake_curl_step(
    unsigned nth, unsigned what, long status, const uint8_t *p, size_t n);
/* Ends a run: aborts when a transfer or a connection was left behind. */
void fake_curl_end(void);

#endif
