/*
 * fuzz_ews.c: an answer of Exchange Web Services, in pieces: the reader, and
 * every item it gives as a booking.  The first byte is the size of the pieces.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/ews.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
on_item(void *arg, unsigned index, const struct ews_item *it)
{
	struct ews_copy copy;
	struct booking b;
	const char *why;

	(void)arg;
	(void)index;
	for (int found = 0; found < 2; found++) {
		if (ews_booking(it, "room@sim.test", found, &copy, &b, &why)) {
			if (why == NULL)
				abort();
			continue;
		}
		if (b.end <= b.start || *b.uid == '\0' ||
		    *b.remote_id == '\0' || strlen(b.uid) > 512 ||
		    strlen(b.remote_id) > 512 || strlen(b.link) > 450 ||
		    strlen(b.room) > 254 ||
		    !wire_is_utf8(
			(const uint8_t *)b.subject, strlen(b.subject)) ||
		    (b.all_day && b.start % 86400 != 0))
			abort();
	}
}

static void
on_message(void *arg, const struct ews_message *m)
{
	(void)arg;
	(void)ews_outcome(m->code, m->fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct ews_reading reading = {on_item, on_message};
	struct ews_reader *r;
	size_t piece, at;

	if (n < 1 || (r = ews_reader_new(&reading, NULL, 1)) == NULL)
		return 0;
	piece = (size_t)p[0] + 1;
	for (at = 1; at < n; at += piece)
		if (ews_reader_feed(r, p + at, n - at < piece ? n - at : piece))
			break;
	if (ews_reader_end(r) && *ews_reader_error(r) == '\0')
		abort();
	(void)ews_reader_state(r);
	ews_reader_free(r);
	return 0;
}
