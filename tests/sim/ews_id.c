/*
 * ews_id.c: ids of items and folders, change keys and sync states: opaque to a
 * client.  An ItemId carries the serial number of its event and, for an
 * occurrence, its original start, under a check value; it is longer than the
 * ids of Graph, which therefore refuses it.  Ids are stable: a change gives an
 * item a new ChangeKey, never a new id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ews.h"
#include "graph.h"

#define ITEM_BYTES 120
#define FOLDER_BYTES 102
#define KEY_BYTES 12

static const char *const folder_names[FOLDERS] = {
    "calendar", "root", "msgfolderroot", "inbox", "sentitems", "deleteditems"};

static uint32_t
mix(uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t k, h;

	memcpy(&k, exchange.key + 8, sizeof(k));
	h = (k ^ a) * 0xff51afd7ed558ccdu;
	h = (h ^ h >> 33 ^ b) * 0xc4ceb9fe1a85ec53u;
	h = (h ^ h >> 29 ^ c) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32 ^ h);
}

static void
key_bytes(const struct event *e, unsigned char b[KEY_BYTES])
{
	memcpy(b, "\017\0", 2);
	memcpy(b + 2, &e->serial, 4);
	memcpy(b + 6, &e->changed, 6);
}

/* <t:NAME Id ChangeKey/>; original as in id_write() of Graph. */
void
item_id(
    struct text *out, const char *name, const struct event *e, int64_t original)
{
	unsigned char b[ITEM_BYTES] = {0}, key[KEY_BYTES];
	uint32_t occ = original == WHEN_NONE ? 0 : (uint32_t)(original / 60);
	uint32_t sum = mix(e->serial, occ, 1);
	char s[ITEM_BYTES / 3 * 4 + 8];

	memcpy(b, "\0\003\044", 3);
	memcpy(b + 3, e->mailbox->mark, 96);
	memcpy(b + 99, &sum, 4);
	memcpy(b + 103, &e->serial, 4);
	memcpy(b + 107, &occ, 4);
	memcpy(b + 115, "\373\377", 2);
	base64(s, b, sizeof(b));
	text_fmt(out, "<t:%s Id=\"%s\"", name, s);
	key_bytes(e, key);
	base64(s, key, sizeof(key));
	text_fmt(out, " ChangeKey=\"%s\"/>", s);
}

static const char *
id_parse(const struct ews *w, const char *id, struct event **e, int64_t *orig)
{
	unsigned char b[ITEM_BYTES + 4];
	uint32_t sum, serial, occ;

	if (id == NULL || strlen(id) != ITEM_BYTES / 3 * 4 ||
	    unbase64(b, sizeof(b), id, strlen(id)) != ITEM_BYTES)
		return "ErrorInvalidIdMalformed";
	memcpy(&sum, b + 99, 4);
	memcpy(&serial, b + 103, 4);
	memcpy(&occ, b + 107, 4);
	if (sum != mix(serial, occ, 1) || serial == 0 ||
	    serial > exchange.nevents)
		return "ErrorInvalidIdMalformed";
	if (memcmp(b + 3, w->mb->mark, 96) != 0)
		return "ErrorItemNotFound"; /* what an account without rights
					       sees of another mailbox */
	*e = exchange.events[serial - 1];
	*orig = occ ? (int64_t)occ * 60 : WHEN_NONE;
	return (*e)->removed ? "ErrorItemNotFound" : NULL;
}

/* The occurrence with an original start: 0, or -1 when there is none. */
int
occurrence_at(const struct event *e, int64_t original, struct occurrence *out)
{
	struct occurrences l = {0};
	size_t i;
	int found = -1;

	for (i = 0; i < e->nchanges; i++)
		if (e->changes[i].original == original) {
			*out =
			    (struct occurrence){original, e->changes[i].start,
				e->changes[i].end, &e->changes[i]};
			return e->changes[i].deleted ? -1 : 0;
		}
	if (e->rec == NULL)
		return -1;
	event_occurrences(e, original, original + 1, &l);
	for (i = 0; i < l.n; i++)
		if (l.v[i].original == original) {
			*out = l.v[i];
			found = 0;
		}
	free(l.v);
	return found;
}

/* The occurrence with a number, from 1, deleted ones counted. */
static const char *
occurrence_number(struct target *t, const char *number)
{
	struct occurrences l = {0};
	struct event plain = *t->e;
	long n = number ? strtol(number, NULL, 10) : 0;
	const char *code = "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange";

	if (t->e->rec == NULL)
		return "ErrorCalendarCannotUseIdForOccurrenceId";
	plain.changes = NULL;
	plain.nchanges = 0;
	event_occurrences(
	    &plain, plain.start, plain.start + 20 * 366 * (int64_t)DAY, &l);
	if (n >= 1 && (size_t)n <= l.n) {
		code = NULL;
		if (occurrence_at(t->e, l.v[n - 1].original, &t->room) == -1)
			code = "ErrorCalendarOccurrenceIsDeletedFromRecurrence";
		t->occ = &t->room;
	}
	free(l.v);
	return code;
}

/*
 * What an ItemId, OccurrenceItemId, RecurringMasterItemId or ReferenceItemId
 * means in the mailbox of the request.
 */
const char *
target_find(struct ews *w, const struct node *id, struct target *t)
{
	int64_t original;
	const char *code;

	memset(t, 0, sizeof(*t));
	t->key = node_attr(id, "ChangeKey");
	if (node_is(id, "t:OccurrenceItemId")) {
		code = id_parse(
		    w, node_attr(id, "RecurringMasterId"), &t->e, &original);
		return code
		    ? code
		    : occurrence_number(t, node_attr(id, "InstanceIndex"));
	}
	if (node_is(id, "t:RecurringMasterItemId")) {
		code = id_parse(
		    w, node_attr(id, "OccurrenceId"), &t->e, &original);
		if (code == NULL && original == WHEN_NONE)
			code = "ErrorCalendarCannotUseIdForRecurringMasterId";
		return code;
	}
	code = id_parse(w, node_attr(id, "Id"), &t->e, &original);
	if (code != NULL || original == WHEN_NONE)
		return code;
	t->occ = &t->room;
	return occurrence_at(t->e, original, &t->room) == -1
	    ? "ErrorItemNotFound"
	    : NULL;
}

/* Whether the ChangeKey sent is the one the item has now. */
int
key_current(const struct target *t)
{
	unsigned char now[KEY_BYTES], sent[KEY_BYTES + 4];

	key_bytes(t->e, now);
	return t->key != NULL &&
	    unbase64(sent, sizeof(sent), t->key, strlen(t->key)) == KEY_BYTES &&
	    memcmp(sent, now, KEY_BYTES) == 0;
}

void
folder_id(struct text *out, const struct mailbox *mb, enum folder f)
{
	unsigned char b[FOLDER_BYTES] = {0};
	char s[FOLDER_BYTES / 3 * 4 + 8];

	memcpy(b, "\0\003\056", 3);
	memcpy(b + 3, mb->mark, 96);
	b[99] = (unsigned char)f;
	base64(s, b, sizeof(b));
	text_fmt(out, "Id=\"%s\" ChangeKey=\"AgAAABYAAAB%c\"", s, 'A' + (int)f);
}

/* What a FolderId or DistinguishedFolderId means in the mailbox. */
const char *
folder_find(const struct ews *w, const struct node *n, enum folder *f)
{
	const struct node *box =
	    node_child(node_child(n, "t:Mailbox"), "t:EmailAddress");
	const char *id = node_attr(n, "Id");
	unsigned char b[FOLDER_BYTES + 4];
	int i;

	if (node_is(n, "t:DistinguishedFolderId")) {
		if (box != NULL && box->text != NULL &&
		    mailbox_find(box->text) != w->mb)
			return "ErrorAccessDenied";
		for (i = 0; i < FOLDERS; i++)
			if (strcmp(folder_names[i], id) == 0) {
				*f = (enum folder)i;
				return NULL;
			}
		return "ErrorFolderNotFound";
	}
	if (strlen(id) != FOLDER_BYTES / 3 * 4 ||
	    unbase64(b, sizeof(b), id, strlen(id)) != FOLDER_BYTES ||
	    b[99] >= FOLDERS)
		return "ErrorInvalidIdMalformed";
	if (memcmp(b + 3, w->mb->mark, 96) != 0)
		return "ErrorFolderNotFound";
	*f = (enum folder)b[99];
	return NULL;
}

/*
 * A SyncState: what plain says, sealed, in a blob as long as the settings say,
 * of which every byte counts: one that was cut off is invalid.
 */
void
state_write(struct text *out, const char *plain)
{
	struct text sealed = {0}, b = {0};
	unsigned char head[8] = {0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0};
	uint32_t pad, i;
	char *s, c;

	seal_write(&sealed, plain);
	pad = (uint32_t)ews_account.sync_state_bytes;
	memcpy(head + 4, &pad, 4);
	text_add(&b, (char *)head, sizeof(head));
	text_add(&b, sealed.b, sealed.len + 1);
	for (i = (uint32_t)b.len; i < pad; i++) {
		c = (char)mix(i, pad, 3);
		text_add(&b, &c, 1);
	}
	s = zalloc(b.len / 3 * 4 + 8);
	base64(s, (unsigned char *)b.b, b.len);
	text_str(out, s);
	free(s);
	text_free(&b);
	text_free(&sealed);
}

int
state_read(const char *state, char *plain, size_t size)
{
	size_t len = strlen(state);
	unsigned char *b = zalloc(len + 4);
	int n = unbase64(b, len + 3, state, len), good = -1;
	uint32_t pad, i;
	size_t used;

	if (n > 8 && memcmp(b, "\037\213\010", 3) == 0 &&
	    (used = strnlen((char *)b + 8, (size_t)n - 8)) + 8 < (size_t)n) {
		memcpy(&pad, b + 4, 4);
		good = seal_read((char *)b + 8, plain, size);
		if ((size_t)n != (pad > used + 9 ? pad : used + 9))
			good = -1;
		for (i = (uint32_t)used + 9; good == 0 && i < (uint32_t)n; i++)
			if (b[i] != (unsigned char)mix(i, pad, 3))
				good = -1;
	}
	free(b);
	return good;
}
