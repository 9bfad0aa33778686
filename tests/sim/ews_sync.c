/*
 * ews_sync.c: SyncFolderItems, GetItem and GetFolder.
 *
 * A sync state says up to which change a client has seen the calendar, and
 * within a round that takes several answers, how far it came.  A round goes
 * from the newest change to the oldest.  It knows single items and masters;
 * an occurrence that changes is an update of its master.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ews.h"

#define GET_MAX 1000

struct round {
	unsigned long long since; /* all before this was seen */
	unsigned long long upto;
	unsigned long long below; /* only changes before this are left */
};

static int
newest_first(const void *a, const void *b)
{
	const struct event *x = *(struct event *const *)a;
	const struct event *y = *(struct event *const *)b;

	return x->changed < y->changed ? 1 : x->changed > y->changed ? -1 : 0;
}

/* The events of a round that are still to be told; to be freed. */
static struct event **
round_events(const struct mailbox *mb, const struct round *rd, size_t *n)
{
	struct event **v = zalloc((mb->nevents + 1) * sizeof(*v)), *e;
	size_t i;

	*n = 0;
	for (i = 0; i < mb->nevents; i++) {
		e = mb->events[i];
		if (e->changed <= rd->since || e->changed >= rd->below)
			continue;
		if (e->removed && e->born > rd->since)
			continue; /* came and went unseen */
		v[(*n)++] = e;
	}
	if (*n > 1)
		qsort(v, *n, sizeof(*v), newest_first);
	return v;
}

static const char *
round_read(struct ews *w, struct round *rd)
{
	const struct node *n = node_child(w->op, "m:SyncState");
	char plain[256];
	unsigned int box;

	memset(rd, 0, sizeof(*rd));
	rd->upto = exchange.seq;
	rd->below = rd->upto + 1;
	if (n == NULL || n->text == NULL || *n->text == '\0')
		return NULL;
	if (state_read(n->text, plain, sizeof(plain)) == -1 ||
	    sscanf(plain, "E %u %llu %llu %llu", &box, &rd->since, &rd->upto,
		&rd->below) != 4 ||
	    box != w->mb->number) {
		violation(w->r, "a sync state that was never given out here");
		return "ErrorInvalidSyncStateData";
	}
	if (rd->below == 0) {
		rd->since = rd->upto;
		rd->upto = exchange.seq;
		rd->below = rd->upto + 1;
	}
	return NULL;
}

static void
change_xml(struct ews *w, const struct event *e, const struct round *rd,
    const struct shape *s)
{
	struct text *o = &w->r->out;
	const char *kind = e->removed ? "Delete"
	    : e->born > rd->since     ? "Create"
				      : "Update";

	text_fmt(o, "<t:%s>", kind);
	if (e->removed)
		item_id(o, "ItemId", e, WHEN_NONE);
	else
		item_xml(w, e, NULL, s);
	text_fmt(o, "</t:%s>", kind);
}

static void
round_xml(struct ews *w, struct round *rd, size_t max, const struct shape *s)
{
	struct text *o = &w->r->out, changes = {0}, kept;
	struct event **v;
	char plain[160];
	size_t n, i;

	v = round_events(w->mb, rd, &n);
	ews_good(w);
	kept = *o;
	*o = changes;
	for (i = 0; i < n && i < max; i++)
		change_xml(w, v[i], rd, s);
	changes = *o;
	*o = kept;
	(void)snprintf(plain, sizeof(plain), "E %u %llu %llu %llu",
	    w->mb->number, rd->since, rd->upto,
	    i < n ? (unsigned long long)v[i - 1]->changed : 0);
	text_str(o, "<m:SyncState>");
	state_write(o, plain);
	text_fmt(o,
	    "</m:SyncState><m:IncludesLastItemInRange>%s"
	    "</m:IncludesLastItemInRange><m:Changes>",
	    i < n ? "false" : "true");
	text_add(o, changes.b ? changes.b : "", changes.len);
	text_str(o, "</m:Changes>");
	ews_good_end(w);
	text_free(&changes);
	free(v);
}

void
ews_sync(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *max = node_child(w->op, "m:MaxChangesReturned");
	long n = max->text ? strtol(max->text, NULL, 10) : 0;
	enum folder f = CALENDAR;
	struct round rd;
	struct shape s;
	const char *code;

	text_str(&r->out, "<m:ResponseMessages>");
	code = shape_read(node_child(w->op, "m:ItemShape"), 0, &s);
	if (code == NULL && (n < 1 || n > 512)) {
		violation(r, "MaxChangesReturned is %ld", n);
		code = "ErrorSchemaValidation";
	}
	if (code == NULL)
		code = folder_find(
		    w, node_child(w->op, "m:SyncFolderId")->first, &f);
	if (code == NULL && f != CALENDAR)
		code = "ErrorSyncFolderNotFound";
	if (code == NULL)
		code = round_read(w, &rd);
	if (code != NULL)
		ews_bad(w, code);
	else
		round_xml(w, &rd, (size_t)n, &s);
	text_str(&r->out, "</m:ResponseMessages>");
	shape_free(&s);
}

void
ews_get_item(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *id = node_child(w->op, "m:ItemIds")->first;
	struct target t;
	struct shape s;
	const char *bad, *code;
	int n;

	bad = shape_read(node_child(w->op, "m:ItemShape"), 0, &s);
	text_str(&r->out, "<m:ResponseMessages>");
	for (n = 0; id != NULL && n < GET_MAX; id = id->next, n++) {
		code = bad ? bad : target_find(w, id, &t);
		if (code != NULL) {
			ews_bad(w, code);
			continue;
		}
		ews_good(w);
		text_str(&r->out, "<m:Items>");
		item_xml(w, t.e, t.occ, &s);
		text_str(&r->out, "</m:Items>");
		ews_good_end(w);
	}
	text_str(&r->out, "</m:ResponseMessages>");
	shape_free(&s);
}

static size_t
live_items(const struct mailbox *mb)
{
	size_t i, n = 0;

	for (i = 0; i < mb->nevents; i++)
		n += !mb->events[i]->removed;
	return n;
}

void
ews_get_folder(struct request *r)
{
	static const char *const names[FOLDERS] = {"Calendar", "Root",
	    "Top of Information Store", "Inbox", "Sent Items", "Deleted Items"};
	struct ews *w = r->ews;
	const struct node *id = node_child(w->op, "m:FolderIds")->first;
	struct text *o = &r->out;
	const char *element, *code;
	enum folder f = CALENDAR;

	text_str(o, "<m:ResponseMessages>");
	for (; id != NULL; id = id->next) {
		if ((code = folder_find(w, id, &f)) != NULL) {
			ews_bad(w, code);
			continue;
		}
		element = f == CALENDAR ? "CalendarFolder" : "Folder";
		ews_good(w);
		text_fmt(o, "<m:Folders><t:%s><t:FolderId ", element);
		folder_id(o, w->mb, f);
		text_str(o, "/><t:ParentFolderId ");
		folder_id(
		    o, w->mb, f == MSG_ROOT || f == ROOT ? ROOT : MSG_ROOT);
		text_fmt(o,
		    "/><t:FolderClass>%s</t:FolderClass><t:DisplayName>%s"
		    "</t:DisplayName><t:TotalCount>%zu</t:TotalCount>"
		    "<t:ChildFolderCount>0</t:ChildFolderCount></t:%s>"
		    "</m:Folders>",
		    f == CALENDAR ? "IPF.Appointment" : "IPF.Note", names[f],
		    f == CALENDAR ? live_items(w->mb) : 0, element);
		ews_good_end(w);
	}
	text_str(o, "</m:ResponseMessages>");
}
