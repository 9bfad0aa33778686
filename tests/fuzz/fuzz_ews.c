/*
 * fuzz_ews.c: an answer of Exchange Web Services, in pieces: the reader, and
 * every item it gives as a booking, and sent back with another room.  The first
 * byte is the size of the pieces.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/ews.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What came can be sent back: the request is XML, and names the room once. */
static void
change_room(const struct ews_item *it)
{
	static const struct ews_reading none;
	struct msg_adapter_meeting_change m = {.address = "ada@sim.test",
	    .remote_id = strbuf_get(&it->f[EWS_ID]),
	    .change_tag = "",
	    .subject = strbuf_get(&it->f[EWS_SUBJECT]),
	    .room_from = "r@sim.test",
	    .room_to = "room@sim.test",
	    .room_name = ""};
	struct ews_reader *r = ews_reader_new(&none, NULL, 1);
	struct strbuf b;

	strbuf_init(&b, 256 * 1024);
	ews_begin(&b, m.address);
	ews_change(&b, &m, strbuf_get(&it->f[EWS_KEY]),
	    strbuf_get(&it->f[EWS_RESOURCES]));
	ews_end(&b);
	if (r == NULL || b.err || ews_reader_feed(r, b.p, b.len) ||
	    ews_reader_end(r))
		abort();
	ews_reader_free(r);
	strbuf_free(&b);
}

static void
on_item(void *arg, unsigned index, const struct ews_item *it)
{
	struct ews_copy copy;
	struct booking b;
	const char *why;
	char room[255];

	(void)arg;
	(void)index;
	change_room(it);
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
		for (unsigned n = 0; found && n < it->resources; n++)
			if (ews_other_room(it, n, room, &b) &&
			    (*room == '\0' || strlen(room) > 254))
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
