/*
 * instance.c: one date of a series in other rooms than the series.  The rooms
 * it leaves lose this date, those it comes to are invited to this date alone:
 * they have an item that is single, has the uid of the series and says of
 * which date it is (MS-OXOCAL calls it an orphan instance).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exchange.h"

static int
is_among(struct mailbox *const *rooms, size_t n, const struct mailbox *mb)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (rooms[i] == mb)
			return 1;
	return 0;
}

static struct event *
instance_find(
    const struct meeting *m, const struct mailbox *mb, int64_t original)
{
	size_t i;

	for (i = 0; i < m->ncopies; i++)
		if (m->copies[i]->mailbox == mb && !m->copies[i]->removed &&
		    m->copies[i]->instance == original)
			return m->copies[i];
	return NULL;
}

static void
invite(struct meeting *m, struct mailbox *mb, const struct change *c)
{
	struct event *e = instance_find(m, mb, c->original);

	if (e == NULL)
		e = event_new(mb, m);
	e->cancelled = 0;
	e->instance = c->original;
	room_fill(e, m->own);
	mail_send(MAIL_INVITATION, m->own->mailbox->email, mb->email, m);
	booking_respond(e, room_verdict(mb, e, NULL, 0));
}

/*
 * These rooms, and no others, are to have one date.  -1 when the series has no
 * such date.
 */
int
instance_rooms(
    struct meeting *m, int64_t original, struct mailbox *const *rooms, size_t n)
{
	const char *from = m->own->mailbox->email;
	struct change *c;
	struct event *e;
	size_t i, had = m->ncopies;

	if (!event_has_occurrence(m->own, original))
		return -1;
	c = event_change(m->own, original, 1);
	c->seq = ++exchange.seq;
	event_touch(m->own, 0);
	for (i = 0; i < had; i++) {
		e = m->copies[i];
		if (e == m->own || e->removed || e->cancelled ||
		    is_among(rooms, n, e->mailbox))
			continue;
		if (e->instance == original)
			event_drop(e);
		else if (e->instance == 0)
			booking_remove(e, original);
		else
			continue;
		mail_send(MAIL_CANCELLATION, from, e->mailbox->email, m);
	}
	for (i = 0; i < n; i++)
		if (meeting_copy(m, rooms[i]) == NULL)
			invite(m, rooms[i], c);
	return 0;
}

/* Its date was changed, or called off, or is none any more (c is NULL). */
void
instance_update(struct event *e, const struct change *c)
{
	if (e->removed || e->cancelled || (c && c->original != e->instance))
		return;
	if (c == NULL || c->deleted || c->cancelled) {
		event_drop(e);
		return;
	}
	room_fill(e, e->meeting->own);
	event_touch(e, 1);
}
