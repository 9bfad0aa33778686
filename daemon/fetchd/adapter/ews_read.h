/*
 * ews_read.h: an answer of Exchange Web Services, read as its bytes come: the
 * items of it and how each of its messages ended.  Sans I/O.
 *
 * Not here: what is asked (ews_soap.h), and what an item means (ews_item.c).
 *
 * What a hostile server can make it do: be refused.  Depth and the length of
 * every text are bounded; a document type declaration, and with it every
 * entity, ends the parse.  Elements of other namespaces and unknown ones are
 * passed over.
 */
#ifndef ORB_ADAPTER_EWS_READ_H
#define ORB_ADAPTER_EWS_READ_H

#include <stdint.h>

#include "fetchd/adapter/strbuf.h"

#define EWS_DEPTH 40
#define EWS_STATE_MAX 131072 /* what ADAPTER_POLL.cursor takes */

enum ews_field {
	EWS_ID,
	EWS_KEY,
	EWS_SUBJECT,
	EWS_SENSITIVITY,
	EWS_BODY,
	EWS_TAG,
	EWS_THREAD, /* what all occurrences of a series and it have in common */
	EWS_SENDER, /* the organiser's address as the item keeps it */
	EWS_UID,
	EWS_RECURRENCE_ID,
	EWS_START,
	EWS_END,
	EWS_ORIGINAL,
	EWS_ALL_DAY,
	EWS_SHOW_AS,
	EWS_CANCELLED,
	EWS_TYPE,
	EWS_MY_RESPONSE,
	EWS_ORGANISER,
	EWS_ROUTING,
	EWS_RESOURCE, /* the first one's address, and what it answered */
	EWS_RESOURCE_SAID,
	EWS_RESOURCES,      /* all addresses, a line each */
	EWS_RESOURCES_SAID, /* what they answered, the word's first letter each */
	EWS_ZONE,
	EWS_STATE,
	EWS_FIELDS
};

/* One item; text as UTF-8.  Lives until the callback returns. */
struct ews_item {
	struct strbuf f[EWS_FIELDS];
	unsigned attendees;
	unsigned resources;
	int deleted;  /* SyncFolderItems says that it is gone */
	int cut;      /* a field that counts is longer than it can be */
	int unlisted; /* EWS_RESOURCES is not whole */
};

/* How one message ended; a fault is the only one of its answer. */
struct ews_message {
	unsigned index; /* which one, as they were asked for */
	int error, fault;
	char code[80], text[160];
	uint32_t backoff; /* milliseconds; 0: none given */
	int last;         /* IncludesLastItemInRange */
};

struct ews_reader;
struct ews_reading {
	void (*item)(void *arg, unsigned index, const struct ews_item *);
	void (*message)(void *arg, const struct ews_message *);
};

/* NULL: no memory.  salt: for the parser's hash tables, from the caller. */
struct ews_reader *ews_reader_new(
    const struct ews_reading *, void *arg, unsigned long salt);
void ews_reader_free(struct ews_reader *);
/* 0, or -1: it is refused, and the reader stays so. */
int ews_reader_feed(struct ews_reader *, const void *, size_t);
/* The last byte has come: 0, or -1 when the document is not whole. */
int ews_reader_end(struct ews_reader *);
const char *ews_reader_error(const struct ews_reader *);
/* The SyncState; NULL when it was longer than EWS_STATE_MAX. */
const char *ews_reader_state(const struct ews_reader *);

#endif
