/*
 * ews.h: the adapter's jobs at Exchange Web Services, and what an answer of
 * it means.  A job has one HTTP request outstanding at a time.
 *
 * Not here: bytes (ews_read.h, ews_soap.h).
 */
#ifndef ORB_ADAPTER_EWS_H
#define ORB_ADAPTER_EWS_H

#include "fetchd/adapter/adapter.h"
#include "fetchd/adapter/ews_read.h"
#include "fetchd/adapter/ews_soap.h"

enum ews_type { EWS_SINGLE, EWS_OCCURRENCE, EWS_MASTER };

enum ews_type ews_type(const struct ews_item *);
int ews_all_day(const struct ews_item *);
/* Of an occurrence, the instant at which it would begin by the pattern: of an
 * all-day series a date.  0 when it does not say. */
int64_t ews_original(const struct ews_item *, int all_day);
/*
 * The nth, from 0, of the rooms that the organiser's copy invites, into the
 * booking that ews_booking() made: 1; 0 when it is not known.
 */
int ews_other_room(
    const struct ews_item *, unsigned n, char room[255], struct booking *b);
/* Copies fit for a booking's fields. */
struct ews_copy {
	char subject[1021], organiser[255], body[4097];
};
/*
 * 0, or -1 and why.  b borrows from the item, the copy and address.  found: the
 * item is the organiser's copy of a meeting of ORB's (ADAPTER_FIND): room and
 * state are those of the room that it invites.  An organiser of the old
 * address type EX is not an address, and left out.
 */
int ews_booking(const struct ews_item *, const char *address, int found,
    struct ews_copy *, struct booking *b, const char **why);

/* What Exchange's response code means, for a read or a write. */
enum outcome ews_outcome(const char *code, int write);

/* One request and its answer.  done is called once; items and messages before
 * it.  The embedding job is a, released with ews_call_free(). */
struct ews_call {
	struct adapter *a;
	struct strbuf body;
	struct ews_reader *reader;
	const struct ews_reading *reading;
	void (*done)(void *arg);
	void *arg;
	const char *address;
	int pending, write;
	unsigned messages;
	/* How it ended; a single message's error is the reading's matter. */
	enum outcome outcome;
	uint32_t retry_after;
	uint16_t status;
	char text[300], request_id[65];
};
void ews_call_init(struct ews_call *, struct adapter *, const char *address,
    const struct ews_reading *, void (*done)(void *), void *arg);
void ews_call_free(struct ews_call *);
/* Sends what ews_begin() and others put into body. */
void ews_call_send(struct ews_call *, int write);
/* Called by a reading for each message: counts it, and takes over a fault or
 * what concerns more than the one item.  1: nothing more to do about it. */
int ews_call_message(struct ews_call *, const struct ews_message *);

/* Reads: target is a cursor, an item's id or a uid.  0, or -1: no memory. */
struct ews_ask {
	uint16_t type;
	const char *address, *room, *target;
	size_t target_len;
	int64_t from, to, original_start;
	const struct msg_adapter_find *find;
};
int ews_read_new(struct adapter *, uint64_t id, const struct ews_ask *);

extern const struct permit ews_permits[];

#endif
