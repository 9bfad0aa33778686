/*
 * ews_update.c: UpdateItem.  An occurrence that is changed becomes an
 * exception of its series.
 */
#include <stdlib.h>
#include <string.h>

#include "ews.h"

/* The element that a path is of: item:Subject and t:Subject, and so on. */
static int
path_fits(const struct node *path, const struct node *value)
{
	const char *uri = node_attr(path, "FieldURI");
	const char *name = uri ? strchr(uri, ':') : NULL;

	if (node_is(path, "t:ExtendedFieldURI"))
		return node_is(value, "t:ExtendedProperty");
	return name != NULL && strcmp(name + 1, value->name + 2) == 0;
}

static const char *
update_one(struct wanted *d, const struct node *n)
{
	const struct node *path = n->first, *item, *value;

	if (node_is(n, "t:DeleteItemField"))
		return wanted_clear(d, path);
	item = node_child(n, "t:CalendarItem");
	value = item ? item->first : NULL;
	if (value == NULL || value->next != NULL || !path_fits(path, value))
		return "ErrorUpdatePropertyMismatch";
	if (node_is(value, "t:UID"))
		return "ErrorInvalidPropertySet";
	if (node_is(n, "t:AppendToItemField") && !node_is(value, "t:Body"))
		return "ErrorInvalidPropertyAppend";
	return wanted_field(d, value);
}

static const char *
updates_read(struct wanted *d, const struct node *updates)
{
	const struct node *n;
	const char *code = NULL;

	if (updates->first == NULL)
		return "ErrorIncorrectUpdatePropertyCount";
	for (n = updates->first; n != NULL && code == NULL; n = n->next)
		code = update_one(d, n);
	return code;
}

/* One occurrence of one calendar, nobody is told. */
static void
occurrence_here(struct event *e, const struct occurrence *o, int64_t start,
    int64_t end, const char *subject)
{
	struct change *c = event_change(e, o->original, 1);

	c->start = start;
	c->end = end;
	if (subject != NULL)
		set_text(&c->subject, subject);
	c->seq = ++exchange.seq;
	event_touch(e, 0);
}

/*
 * A copy to try updates on: what is refused must change nothing, and what is
 * set on an occurrence goes to its exception, never to the master.
 */
struct scratch {
	struct event e;
	struct meeting m;
	struct wanted d;
};

static const char *
scratch_read(
    struct scratch *s, const struct event *e, const struct node *updates)
{
	memset(s, 0, sizeof(*s));
	s->e.meeting = &s->m;
	s->e.mailbox = e->mailbox;
	s->e.zone = e->zone;
	s->e.start = e->start;
	s->e.end = e->end;
	s->d.e = &s->e;
	return updates_read(&s->d, updates);
}

static void
scratch_free(struct scratch *s)
{
	free(s->e.subject);
	free(s->e.body);
	free(s->e.location);
	free(s->e.rec);
	while (s->m.nattendees > 0)
		meeting_uninvite(&s->m, s->m.attendees[0].email);
	free(s->m.attendees);
	while (s->e.nprops > 0) {
		free(s->e.props[--s->e.nprops].id);
		free(s->e.props[s->e.nprops].value);
	}
	free(s->e.props);
}

static const char *
occurrence_update(struct ews *w, struct target *t, const struct node *updates,
    const char *send)
{
	int64_t start = t->room.start, end = t->room.end;
	struct scratch s;
	const char *code = scratch_read(&s, t->e, updates);

	if (code == NULL && (s.d.recurrence != NULL || s.d.plain))
		code = "ErrorCalendarCannotUpdateRecurrenceOfOccurrence";
	/* Exchange keeps who is invited to one occurrence; this does not. */
	if (code == NULL && s.m.nattendees > 0)
		code = "ErrorInvalidPropertySet";
	if (code == NULL)
		code = wanted_times(w, &s.d, &start, &end);
	if (code == NULL && booking_crosses(t->e, t->room.original, start, end))
		code = "ErrorOccurrenceCrossingBoundary";
	if (code == NULL &&
	    (strcmp(send, "SendToNone") == 0 || t->e != t->e->meeting->own))
		occurrence_here(t->e, &t->room, start, end, s.d.subject);
	else if (code == NULL)
		(void)booking_move_occurrence(
		    t->e->meeting, t->room.original, start, end, s.d.subject);
	scratch_free(&s);
	return code;
}

/* Tells those whom the client wants told. */
static void
update_deliver(
    struct meeting *m, const char *send, int moved, size_t exceptions)
{
	int flags = moved ? BOOKING_REPATTERN : 0;

	if (strcmp(send, "SendToNone") == 0)
		flags |= BOOKING_SILENT;
	else if (strstr(send, "ToChanged") == NULL)
		flags |= BOOKING_UPDATE;
	else if (!moved)
		flags |= BOOKING_CHANGED_ONLY;
	booking_deliver(m, flags);
	/* each exception is sent again, with a message of its own */
	for (; (flags & BOOKING_UPDATE) && !moved && exceptions > 0;
	     exceptions--)
		mail_attendees(MAIL_UPDATE, m);
}

static const char *
item_update(struct ews *w, struct target *t, const struct node *updates,
    const char *send)
{
	struct wanted d = {.e = t->e};
	size_t exceptions = booking_exceptions(t->e);
	struct scratch s;
	const char *code = scratch_read(&s, t->e, updates);
	int moved = 0;

	if (code == NULL)
		code = wanted_finish(w, &s.d, &moved);
	scratch_free(&s);
	if (code != NULL)
		return code;
	(void)updates_read(&d, updates);
	(void)wanted_finish(w, &d, &moved);
	if (t->e != t->e->meeting->own)
		event_touch(t->e, moved);
	else
		update_deliver(t->e->meeting, send, moved, exceptions);
	return NULL;
}

static const char *
change_key(const struct target *t, const char *resolution)
{
	if (strcmp(resolution, "AlwaysOverwrite") == 0)
		return NULL;
	if (t->key == NULL)
		return "ErrorChangeKeyRequiredForWriteOperations";
	if (strcmp(resolution, "NeverOverwrite") == 0 && !key_current(t))
		return "ErrorIrresolvableConflict";
	return NULL;
}

static const char *
change_apply(struct ews *w, const struct node *change, struct target *t)
{
	const char *send =
	    node_attr(w->op, "SendMeetingInvitationsOrCancellations");
	const struct node *updates = node_child(change, "t:Updates");
	const char *code;

	if ((code = target_find(w, change->first, t)) != NULL)
		return code;
	if (send == NULL)
		return "ErrorSendMeetingInvitationsOrCancellationsRequired";
	code = change_key(t, node_attr(w->op, "ConflictResolution"));
	if (code != NULL)
		return code;
	if (t->e != t->e->meeting->own && strcmp(send, "SendToNone") != 0)
		return "ErrorCalendarIsNotOrganizer";
	return t->occ ? occurrence_update(w, t, updates, send)
		      : item_update(w, t, updates, send);
}

void
ews_update_item(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *change = node_child(w->op, "m:ItemChanges")->first;
	struct target t;
	const char *code;

	text_str(&r->out, "<m:ResponseMessages>");
	for (; change != NULL; change = change->next) {
		if ((code = change_apply(w, change, &t)) != NULL) {
			ews_bad(w, code);
			continue;
		}
		ews_good(w);
		text_str(&r->out, "<m:Items><t:CalendarItem>");
		item_id(&r->out, "ItemId", t.e,
		    t.occ ? t.occ->original : WHEN_NONE);
		text_str(&r->out,
		    "</t:CalendarItem></m:Items><m:ConflictResults>"
		    "<t:Count>0</t:Count></m:ConflictResults>");
		ews_good_end(w);
	}
	text_str(&r->out, "</m:ResponseMessages>");
}
