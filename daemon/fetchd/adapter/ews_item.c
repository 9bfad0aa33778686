/* ews_item.c: one item turned into a booking, and response codes into
 * outcomes.  The meaning is that of graph_event.c. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/ews.h"
#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/zone_name.h"
#include "lib/marks.h"

static const char *
get(const struct ews_item *it, enum ews_field f)
{
	return strbuf_get(&it->f[f]);
}

static int
says(const struct ews_item *it, enum ews_field f, const char *word)
{
	return strcasecmp(get(it, f), word) == 0;
}

enum ews_type
ews_type(const struct ews_item *it)
{
	if (says(it, EWS_TYPE, "RecurringMaster"))
		return EWS_MASTER;
	return says(it, EWS_TYPE, "Occurrence") ||
		says(it, EWS_TYPE, "Exception")
	    ? EWS_OCCURRENCE
	    : EWS_SINGLE;
}

/* AppointmentState: bit 2 is "cancelled" (MS-OXOCAL, PidLidAppointmentState-
 * Flags). */
static void
state_of(const struct ews_item *it, struct booking *b)
{
	b->state = BOOKING_STATE_BOOKED;
	if (says(it, EWS_SHOW_AS, "Free"))
		b->marks |= MARK_FREE;
	if (says(it, EWS_MY_RESPONSE, "Organizer"))
		b->marks |= MARK_ROOM_OWN;
	if (says(it, EWS_SHOW_AS, "Tentative") ||
	    says(it, EWS_MY_RESPONSE, "NoResponseReceived") ||
	    says(it, EWS_MY_RESPONSE, "Tentative"))
		b->state = BOOKING_STATE_TENTATIVE;
	if (says(it, EWS_MY_RESPONSE, "Decline")) {
		b->state = BOOKING_STATE_CANCELLED;
		b->marks |= MARK_DECLINED;
	}
	if (says(it, EWS_CANCELLED, "true") ||
	    (strtol(get(it, EWS_STATE), NULL, 10) & 4))
		b->state = BOOKING_STATE_CANCELLED;
}

/* What a room answered, by the first letter of its word. */
static void
take_answer(char said, struct booking *b)
{
	b->marks &= (uint16_t) ~(MARK_ROOM_OWN | MARK_DECLINED);
	b->state = BOOKING_STATE_TENTATIVE;
	if (said == 'A')
		b->state = BOOKING_STATE_BOOKED;
	else if (said == 'D') {
		b->state = BOOKING_STATE_CANCELLED;
		b->marks |= MARK_DECLINED;
	}
}

/* The organiser's copy: the room's answer counts. */
static void
state_found(const struct ews_item *it, struct booking *b)
{
	if (*get(it, EWS_RESOURCE) == '\0' ||
	    (b->state == BOOKING_STATE_CANCELLED &&
		!(b->marks & MARK_DECLINED)))
		return;
	b->room = get(it, EWS_RESOURCE);
	take_answer(*get(it, EWS_RESOURCE_SAID), b);
}

int
ews_other_room(
    const struct ews_item *it, unsigned n, char room[255], struct booking *b)
{
	const char *line = get(it, EWS_RESOURCES);
	const char *said = get(it, EWS_RESOURCES_SAID);
	size_t len;

	if (it->unlisted || strlen(said) <= n)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		if ((line = strchr(line, '\n')) == NULL)
			return 0;
		line++;
	}
	len = strcspn(line, "\t\n");
	if (len == 0 || len > 254 || line[len] == '\t')
		return 0;
	memcpy(room, line, len);
	room[len] = '\0';
	b->room = room;
	take_answer(said[n], b);
	return 1;
}

static int64_t
date_of(const struct ews_item *it, int64_t at)
{
	return zone_date(zone_is_ahead(get(it, EWS_ZONE)), at);
}

int
ews_all_day(const struct ews_item *it)
{
	return says(it, EWS_ALL_DAY, "true");
}

/*
 * A date whose series is in another room is single here, and has the uid of the
 * series; an occurrence must say of which date it is.
 */
int64_t
ews_original(const struct ews_item *it, int all_day)
{
	const char *s = get(it, EWS_RECURRENCE_ID);
	int64_t at;

	if (*s == '\0' && ews_type(it) == EWS_OCCURRENCE)
		s = get(it, EWS_ORIGINAL);
	if (*s == '\0' || moment_parse(s, &at))
		return 0;
	return all_day ? date_of(it, at) : moment_minute(at);
}

static const char *
times_get(const struct ews_item *it, struct booking *b)
{
	if (moment_parse(get(it, EWS_START), &b->start) ||
	    moment_parse(get(it, EWS_END), &b->end))
		return "a time is missing or cannot be read";
	b->all_day = (uint8_t)ews_all_day(it);
	b->original_start = ews_original(it, b->all_day);
	if (b->original_start == 0 &&
	    (ews_type(it) == EWS_OCCURRENCE || *get(it, EWS_RECURRENCE_ID)))
		return "its original start is missing or cannot be read";
	if (b->end < b->start)
		return "it ends before it begins";
	b->start = moment_minute(b->start);
	b->end = moment_minute(b->end);
	if (b->end <= b->start)
		b->end = b->start + 60;
	if (b->all_day) {
		b->start = date_of(it, b->start);
		b->end = date_of(it, b->end);
		if (b->end <= b->start)
			b->end = b->start + 86400;
	}
	return NULL;
}

/*
 * An organiser whom Exchange's directory no longer knows comes as a name of
 * the old type EX; the item itself still has the address that the invitation
 * came from.  ResolveNames is not asked: it looks into the same directory.
 */
static const char *
organiser_of(const struct ews_item *it)
{
	const char *a = get(it, EWS_ORGANISER), *routing = get(it, EWS_ROUTING);

	if (*routing && strcasecmp(routing, "SMTP") != 0)
		a = get(it, EWS_SENDER);
	/* Cut, it would be another's. */
	return strlen(a) > 254 || strchr(a, '@') == NULL ? "" : a;
}

static int
identifiers_fit(const struct ews_item *it)
{
	return !it->cut && str_fits(get(it, EWS_ID), 512) &&
	    str_fits(get(it, EWS_KEY), 256) &&
	    str_fits(get(it, EWS_UID), 512) &&
	    str_fits(get(it, EWS_TAG), 450) &&
	    str_fits(get(it, EWS_RESOURCE), 254);
}

int
ews_booking(const struct ews_item *it, const char *address, int found,
    struct ews_copy *c, struct booking *b, const char **why)
{
	const char *organiser = organiser_of(it);

	memset(b, 0, sizeof(*b));
	*why = NULL;
	if (!identifiers_fit(it) || *get(it, EWS_ID) == '\0')
		*why = "an identifier cannot be one";
	else if (*get(it, EWS_UID) == '\0')
		*why = "it has no UID";
	else
		*why = times_get(it, b);
	if (*why)
		return -1;
	b->room = address;
	b->uid = get(it, EWS_UID);
	b->subject = wire_clean(
	    c->subject, sizeof(c->subject), get(it, EWS_SUBJECT), 1020);
	b->organiser =
	    wire_clean(c->organiser, sizeof(c->organiser), organiser, 254);
	b->body = wire_clean_lines(c->body, sizeof(c->body), get(it, EWS_BODY));
	b->attendee_count = it->attendees;
	b->private_ = says(it, EWS_SENSITIVITY, "Private") ||
	    says(it, EWS_SENSITIVITY, "Confidential");
	b->change_tag = get(it, EWS_KEY);
	b->remote_id = get(it, EWS_ID);
	b->link = get(it, EWS_TAG);
	b->number = b->series_id = "";
	state_of(it, b);
	if (found)
		state_found(it, b);
	return 0;
}

enum outcome
ews_outcome(const char *code, int write)
{
	static const struct {
		const char *code;
		enum outcome read, write;
	} table[] = {{"NoError", OUTCOME_OK, OUTCOME_OK},
	    {"ErrorServerBusy", OUTCOME_BUSY, OUTCOME_BUSY},
	    {"ErrorExceededConnectionCount", OUTCOME_BUSY, OUTCOME_BUSY},
	    {"ErrorTooManyObjectsOpened", OUTCOME_BUSY, OUTCOME_BUSY},
	    {"ErrorMailboxMoveInProgress", OUTCOME_BUSY, OUTCOME_BUSY},
	    {"ErrorMailboxStoreUnavailable", OUTCOME_BUSY, OUTCOME_BUSY},
	    {"ErrorADUnavailable", OUTCOME_BUSY, OUTCOME_BUSY},
	    {"ErrorBatchProcessingStopped", OUTCOME_BUSY, OUTCOME_BUSY},
	    {"ErrorInternalServerTransientError", OUTCOME_BUSY,
		OUTCOME_UNKNOWN},
	    {"ErrorInternalServerError", OUTCOME_BUSY, OUTCOME_UNKNOWN},
	    {"ErrorTimeoutExpired", OUTCOME_BUSY, OUTCOME_UNKNOWN},
	    {"ErrorConnectionFailed", OUTCOME_BUSY, OUTCOME_UNKNOWN},
	    {"ErrorImpersonateUserDenied", OUTCOME_DENIED, OUTCOME_DENIED},
	    {"ErrorImpersonationDenied", OUTCOME_DENIED, OUTCOME_DENIED},
	    {"ErrorImpersonationFailed", OUTCOME_DENIED, OUTCOME_DENIED},
	    {"ErrorInvalidExchangeImpersonationHeaderData", OUTCOME_DENIED,
		OUTCOME_DENIED},
	    {"ErrorAccessDenied", OUTCOME_DENIED, OUTCOME_DENIED},
	    {"ErrorItemNotFound", OUTCOME_GONE, OUTCOME_GONE},
	    {"ErrorCalendarOccurrenceIsDeletedFromRecurrence", OUTCOME_GONE,
		OUTCOME_GONE},
	    {"ErrorCalendarCannotUpdateDeletedItem", OUTCOME_GONE,
		OUTCOME_GONE},
	    {"ErrorInvalidSyncStateData", OUTCOME_CURSOR, OUTCOME_REFUSED},
	    {"ErrorSyncFolderNotFound", OUTCOME_CURSOR, OUTCOME_REFUSED},
	    {"ErrorIrresolvableConflict", OUTCOME_STALE, OUTCOME_STALE},
	    {"ErrorStaleObject", OUTCOME_STALE, OUTCOME_STALE},
	    {"ErrorChangeKeyRequired", OUTCOME_STALE, OUTCOME_STALE},
	    {"ErrorChangeKeyRequiredForWriteOperations", OUTCOME_STALE,
		OUTCOME_STALE}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].code, code) == 0)
			return write ? table[i].write : table[i].read;
	return OUTCOME_REFUSED;
}
