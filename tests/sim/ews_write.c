/*
 * ews_write.c: CreateItem (a meeting, an answer to one, a cancellation) and
 * DeleteItem.  Whether anyone is told is the client's word; who is, booking.c
 * knows.
 */
#include <stdlib.h>
#include <string.h>

#include "ews.h"

/*
 * A meeting with a UID.  One that was called off and has the same UID lives
 * again: its rooms know it by that.  A second live one stands beside the first
 * under another key, as it would in Exchange, so that who looks for duplicates
 * finds it.
 */
static struct meeting *
meeting_of(struct ews *w, const char *uid)
{
	struct meeting *m = uid ? meeting_find(uid) : NULL;
	char *key;

	if (m == NULL)
		return meeting_new(w->mb, uid);
	if (m->own->removed && m->own->mailbox == w->mb) {
		while (m->nattendees > 0) {
			m->attendees[0].told = 0; /* of its end, too */
			meeting_uninvite(m, m->attendees[0].email);
		}
		m->said = 0;
		m->own = event_new(w->mb, m);
		m->own->response = RESPONSE_ORGANIZER;
		return m;
	}
	violation(w->r, "a second item with the UID %.100s", uid);
	key = text_print("%s\001%u", uid, m->own->serial);
	(void)map_del(&exchange.meetings, uid);
	map_put(&exchange.meetings, key, m);
	free(key);
	return meeting_new(w->mb, uid);
}

static const char *
item_create(struct ews *w, const struct node *item, const char *send)
{
	const struct node *uid = node_child(item, "t:UID"), *c;
	struct wanted d = {0};
	struct meeting *m;
	const char *code = NULL;
	int moved;

	if (send == NULL)
		return "ErrorSendMeetingInvitationsRequired";
	if (node_child(item, "t:Start") == NULL ||
	    node_child(item, "t:End") == NULL) {
		violation(w->r, "an item without Start or End");
		return "ErrorInvalidPropertySet";
	}
	m = meeting_of(w, uid ? uid->text : NULL);
	d.e = m->own;
	for (c = item->first; c != NULL && code == NULL; c = c->next)
		code = wanted_field(&d, c);
	if (code == NULL)
		code = wanted_finish(w, &d, &moved);
	if (code != NULL) {
		event_drop(m->own);
		return code;
	}
	booking_deliver(m,
	    BOOKING_REPATTERN |
		(strcmp(send, "SendToNone") == 0 ? BOOKING_SILENT : 0));
	ews_good(w);
	text_str(&w->r->out, "<m:Items><t:CalendarItem>");
	item_id(&w->r->out, "ItemId", m->own, WHEN_NONE);
	text_str(&w->r->out, "</t:CalendarItem></m:Items>");
	ews_good_end(w);
	return NULL;
}

/* AcceptItem, TentativelyAcceptItem, DeclineItem, CancelCalendarItem. */
static const char *
answer_create(struct ews *w, const struct node *item, const char *disposition)
{
	const struct node *id = node_child(item, "t:ReferenceItemId");
	int cancel = node_is(item, "t:CancelCalendarItem"), own, send;
	const char *code;
	struct target t;

	if (disposition == NULL)
		return "ErrorMessageDispositionRequired";
	if (id == NULL)
		return "ErrorInvalidReferenceItem";
	if ((code = target_find(w, id, &t)) != NULL)
		return code;
	if (t.key == NULL)
		return "ErrorChangeKeyRequired";
	if (!key_current(&t))
		return "ErrorStaleObject";
	own = t.e == t.e->meeting->own;
	if (cancel && !own)
		return "ErrorCalendarIsNotOrganizer";
	if (!cancel && own)
		return "ErrorCalendarIsOrganizerForAccept";
	send = strcmp(disposition, "SaveOnly") != 0;
	if (!cancel)
		booking_reply(t.e, t.occ ? t.occ->original : WHEN_NONE,
		    node_is(item, "t:AcceptItem")        ? RESPONSE_ACCEPTED
			: node_is(item, "t:DeclineItem") ? RESPONSE_DECLINED
							 : RESPONSE_TENTATIVE,
		    send);
	else if (t.occ != NULL)
		(void)booking_drop_occurrence(t.e->meeting, t.occ->original, 1);
	else
		booking_cancel(t.e->meeting, 0);
	ews_good(w);
	text_str(&w->r->out, "<m:Items/>");
	ews_good_end(w);
	return NULL;
}

void
ews_create_item(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *in = node_child(w->op, "m:SavedItemFolderId");
	const struct node *item = node_child(w->op, "m:Items")->first;
	const char *bad = NULL, *code;
	enum folder f = CALENDAR;

	if (in != NULL)
		bad = folder_find(w, in->first, &f);
	text_str(&r->out, "<m:ResponseMessages>");
	for (; item != NULL; item = item->next) {
		if (bad != NULL)
			code = bad;
		else if (!node_is(item, "t:CalendarItem"))
			code = answer_create(
			    w, item, node_attr(w->op, "MessageDisposition"));
		else if (f != CALENDAR)
			code =
			    "ErrorCannotCreateCalendarItemInNonCalendarFolder";
		else
			code = item_create(w, item,
			    node_attr(w->op, "SendMeetingInvitations"));
		if (code != NULL)
			ews_bad(w, code);
	}
	text_str(&r->out, "</m:ResponseMessages>");
}

/* Out of one calendar, nobody is told. */
static void
item_remove(struct event *e, const struct occurrence *occ)
{
	struct change *c;

	if (e != e->meeting->own)
		booking_remove(e, occ ? occ->original : WHEN_NONE);
	else if (occ == NULL)
		event_drop(e);
	else {
		c = event_change(e, occ->original, 1);
		c->deleted = 1;
		c->seq = ++exchange.seq;
		event_touch(e, 0);
	}
}

static const char *
item_delete(struct ews *w, const struct node *id, const char *send)
{
	struct target t;
	const char *code = target_find(w, id, &t);

	if (code != NULL)
		return code;
	if (send == NULL)
		return "ErrorSendMeetingCancellationsRequired";
	if (strcmp(send, "SendToNone") == 0 || t.e != t.e->meeting->own)
		item_remove(t.e, t.occ);
	else if (t.occ != NULL)
		(void)booking_drop_occurrence(t.e->meeting, t.occ->original, 1);
	else
		booking_cancel(t.e->meeting, 0);
	ews_good(w);
	ews_good_end(w);
	return NULL;
}

void
ews_delete_item(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *id = node_child(w->op, "m:ItemIds")->first;
	const char *send = node_attr(w->op, "SendMeetingCancellations"), *code;

	text_str(&r->out, "<m:ResponseMessages>");
	for (; id != NULL; id = id->next)
		if ((code = item_delete(w, id, send)) != NULL)
			ews_bad(w, code);
	text_str(&r->out, "</m:ResponseMessages>");
}
