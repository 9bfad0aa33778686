/*
 * mail.c: the messages that Exchange would have sent, as counts and as a list
 * of the latest.  Who is told what is decided in booking.c.  Mails to rooms
 * and to people are told apart: a person is bothered by one, a room is not.
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"

#define KEPT 4096
#define LISTED 1000

static const char *const kinds[] = {
    "invitation", "update", "cancellation", "response"};

static struct message {
	enum mail kind;
	int to_room;
	char *from;
	char *to;
	char *uid;
	char *subject;
} kept[KEPT];
static json_int_t sent; /* kept[i % KEPT] is number i */
static json_int_t counts[2][MAIL_KINDS];

static void
message_free(struct message *m)
{
	free(m->from);
	free(m->to);
	free(m->uid);
	free(m->subject);
	memset(m, 0, sizeof(*m));
}

void
mail_send(
    enum mail kind, const char *from, const char *to, const struct meeting *m)
{
	struct message *s = &kept[sent++ % KEPT];
	const struct mailbox *mb = mailbox_find(to);

	message_free(s);
	s->kind = kind;
	s->to_room = mb != NULL && mb->is_room;
	s->from = text_dup(from);
	s->to = text_dup(to);
	s->uid = text_dup(m->uid);
	s->subject = text_dup(m->own->subject);
	counts[s->to_room][kind]++;
}

/* One message from the organiser to each attendee that knows the meeting. */
void
mail_attendees(enum mail kind, const struct meeting *m)
{
	const char *from = m->own->mailbox->email;
	size_t i;

	for (i = 0; i < m->nattendees; i++)
		if (m->attendees[i].told)
			mail_send(kind, from, m->attendees[i].email, m);
}

void
mail_reset(void)
{
	size_t i;

	for (i = 0; i < KEPT; i++)
		message_free(&kept[i]);
	memset(counts, 0, sizeof(counts));
	sent = 0;
}

static json_t *
by_kind(const json_int_t *a, const json_int_t *b)
{
	json_t *o = json_object();
	int k;

	for (k = 0; k < MAIL_KINDS; k++)
		json_object_set_new(
		    o, kinds[k], json_integer(a[k] + (b ? b[k] : 0)));
	return o;
}

static json_int_t
sum(const json_int_t *a)
{
	json_int_t n = 0;
	int k;

	for (k = 0; k < MAIL_KINDS; k++)
		n += a[k];
	return n;
}

json_t *
cmd_mails(json_t *a, const char **why)
{
	json_int_t i = arg_int(a, "since", 0), first = sent - KEPT, n = 0;
	json_t *list = json_array();

	(void)why;
	if (i < first)
		i = first;
	if (i < 0)
		i = 0;
	for (; i < sent && n < LISTED; i++, n++) {
		const struct message *m = &kept[i % KEPT];

		json_array_append_new(list,
		    json_pack("{s:I,s:s,s:s,s:s,s:s,s:s?,s:b}", "n", i, "kind",
			kinds[m->kind], "from", m->from, "to", m->to, "uid",
			m->uid, "subject", m->subject, "to_room", m->to_room));
	}
	return json_pack("{s:I,s:I,s:I,s:o,s:o,s:o,s:I,s:o}", "total", sent,
	    "to_people", sum(counts[0]), "to_rooms", sum(counts[1]), "by_kind",
	    by_kind(counts[0], counts[1]), "people_by_kind",
	    by_kind(counts[0], NULL), "rooms_by_kind", by_kind(counts[1], NULL),
	    "next", i, "list", list);
}

json_t *
cmd_mails_reset(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	mail_reset();
	return done();
}
