/*
 * ews.c: the EWS listener: its operations, the SOAP around requests and
 * answers, and both layers of errors.  Who may come in is in ews_admit.c.
 *
 * One URL serves all operations; each has a route of its own here, so that it
 * is counted and can be given faults by name:
 * POST /EWS/Exchange.asmx/SyncFolderItems.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ews.h"
#include "random.h"

#define URL "EWS/Exchange.asmx/"
#define TYPES "http://schemas.microsoft.com/exchange/services/2006/types"
#define ERRORS "http://schemas.microsoft.com/exchange/services/2006/errors"
#define MESSAGES "http://schemas.microsoft.com/exchange/services/2006/messages"

/* No operation above; the schema has refused it by then. */
static void
ews_unknown(struct request *r)
{
	(void)r;
}

struct route ews_routes[] = {
    {"POST", URL "SyncFolderItems", ews_sync, 0, 0, 0, 0},
    {"POST", URL "GetItem", ews_get_item, 0, 0, 0, 0},
    {"POST", URL "FindItem", ews_find_item, 0, 0, 0, 0},
    {"POST", URL "CreateItem", ews_create_item, 0, 0, 0, 0},
    {"POST", URL "UpdateItem", ews_update_item, 0, 0, 0, 0},
    {"POST", URL "DeleteItem", ews_delete_item, 0, 0, 0, 0},
    {"POST", URL "GetFolder", ews_get_folder, 0, 0, 0, 0},
    {"POST", URL "GetServerTimeZones", ews_time_zones, 0, 0, 0, 0},
    {"POST", URL "ResolveNames", ews_resolve_names, 0, 0, 0, 0},
    {"POST", URL "GetRoomLists", ews_room_lists, 0, 0, 0, 0},
    {"POST", URL "GetRooms", ews_rooms, 0, 0, 0, 0},
    {"POST", "EWS/Exchange.asmx", ews_unknown, 0, 0, 0, 0}, {.path = NULL}};

static const struct {
	const char *code, *text;
} texts[] = {
    {"ErrorAccessDenied", "Access is denied. Check credentials and try again."},
    {"ErrorCalendarIsNotOrganizer",
	"You must be the organizer to perform this action."},
    {"ErrorCalendarIsOrganizerForAccept",
	"The Accept action is invalid for the organizer of the meeting."},
    {"ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
	"Occurrence with this index was not found from recurrence."},
    {"ErrorCalendarOccurrenceIsDeletedFromRecurrence",
	"Occurrence with this index was previously deleted from the "
	"recurrence."},
    {"ErrorCalendarEndDateIsEarlierThanStartDate",
	"EndDate is earlier than StartDate"},
    {"ErrorCalendarViewRangeTooBig",
	"The specified view range exceeds the maximum range of two years."},
    {"ErrorChangeKeyRequired",
	"The change key is required for this operation."},
    {"ErrorChangeKeyRequiredForWriteOperations",
	"This operation requires the change key."},
    {"ErrorFolderNotFound",
	"The specified folder could not be found in the store."},
    {"ErrorImpersonateUserDenied",
	"The account does not have permission to impersonate the requested "
	"user."},
    {"ErrorInternalServerTransientError",
	"An internal server error occurred. Try again later."},
    {"ErrorInvalidIdMalformed", "Id is malformed."},
    {"ErrorInvalidServerVersion", "The specified server version is invalid."},
    {"ErrorInvalidSyncStateData",
	"The synchronization state data is corrupt or otherwise invalid."},
    {"ErrorIrresolvableConflict",
	"The send or update operation could not be performed because the "
	"change key passed in the request does not match the current change "
	"key for the item."},
    {"ErrorItemNotFound", "The specified object was not found in the store."},
    {"ErrorNonExistentMailbox",
	"The SMTP address has no mailbox associated with it."},
    {"ErrorOccurrenceCrossingBoundary",
	"Modified occurrence is crossing or overlapping adjacent occurrence."},
    {"ErrorServerBusy",
	"The server cannot service this request right now. Try again later."},
    {"ErrorStaleObject",
	"The object has changed since it was last read; read it again."},
    {"ErrorTimeoutExpired", "The request timed out."},
};

const char *
ews_text(const char *code)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].code, code) == 0)
			return texts[i].text;
	return "The request could not be served.";
}

/* The name of the operation, without its namespace. */
const char *
ews_op(const struct ews *w)
{
	return w->op ? w->op->name + 2 : "Unknown";
}

/* --- taking a request apart ---------------------------------------------- */

void
ews_free(struct ews *w)
{
	if (w == NULL)
		return;
	node_free(w->root);
	free(w->detail);
	free(w);
}

/*
 * Reads the request and finds the route of its operation; r->ews is what
 * was read.  NULL: not a request for this URL.
 */
struct route *
ews_route(struct request *r)
{
	struct route *rt;
	struct ews *w;

	if (r->nsegs != 2 || strcasecmp(r->segs[0], "EWS") != 0 ||
	    strcasecmp(r->segs[1], "Exchange.asmx") != 0 ||
	    strcmp(r->method, "POST") != 0)
		return NULL;
	w = r->ews = zalloc(sizeof(*w));
	w->r = r;
	w->root = node_parse(r->body.b, r->body.len);
	if (w->root == NULL || !node_is(w->root, "s:Envelope"))
		w->bad = "the body is not a SOAP envelope";
	else {
		w->op = node_child(w->root, "s:Body");
		w->op = w->op ? w->op->first : NULL;
		if (schema_check(w->root, &w->detail) == -1)
			w->bad = w->detail;
	}
	for (rt = ews_routes; rt->serve != ews_unknown; rt++)
		if (w->op != NULL && strncmp(w->op->name, "m:", 2) == 0 &&
		    strcmp(rt->path + strlen(URL), ews_op(w)) == 0)
			break;
	return rt;
}

/* --- the SOAP around an answer ------------------------------------------- */

static void
soap_open(struct request *r)
{
	answer_clear(r);
	r->type = "text/xml; charset=utf-8";
	r->status = 200;
	text_str(&r->out,
	    "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope "
	    "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
	    "<s:Header><h:ServerVersionInfo MajorVersion=\"15\" "
	    "MinorVersion=\"2\" MajorBuildNumber=\"1544\" "
	    "MinorBuildNumber=\"4\" Version=\"V2017_07_11\" xmlns:h=\"" TYPES
	    "\"/></s:Header><s:Body>");
}

static void
soap_close(struct request *r)
{
	text_str(&r->out, "</s:Body></s:Envelope>");
}

void
ews_trace(struct request *r)
{
	const char *id = request_header(r, "client-request-id");
	const char *back = request_header(r, "return-client-request-id");
	unsigned char raw[16];
	char text[33];
	int i;

	random_fill(RANDOM_TRACE, raw, sizeof(raw));
	for (i = 0; i < 16; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", raw[i]);
	answer_header(r, "request-id", "%s", text);
	answer_header(r, "X-FEServer", "SIM-EX01");
	answer_header(r, "X-CalculatedBETarget", "sim-ex01.sim.test");
	if (id != NULL && back != NULL && strcasecmp(back, "true") == 0)
		answer_header(r, "client-request-id", "%.64s", id);
}

/* The first layer of errors: a SOAP fault.  back_off in ms, or -1: none. */
void
ews_fault_say(
    struct request *r, const char *code, const char *text, int back_off)
{
	soap_open(r);
	ews_trace(r);
	r->status = 500;
	text_fmt(&r->out,
	    "<s:Fault><faultcode xmlns:a=\"" TYPES "\">a:%s</faultcode>"
	    "<faultstring xml:lang=\"en-US\">",
	    code);
	text_xml(&r->out, text);
	text_fmt(&r->out,
	    "</faultstring><detail><e:ResponseCode xmlns:e=\"" ERRORS
	    "\">%s</e:ResponseCode><e:Message xmlns:e=\"" ERRORS "\">",
	    code);
	text_xml(&r->out, text);
	text_str(&r->out, "</e:Message>");
	if (back_off >= 0)
		text_fmt(&r->out,
		    "<t:MessageXml xmlns:t=\"" TYPES "\"><t:Value "
		    "Name=\"BackOffMilliseconds\">%d</t:Value></t:MessageXml>",
		    back_off);
	text_str(&r->out, "</detail></s:Fault>");
	soap_close(r);
}

void
ews_open(struct ews *w)
{
	soap_open(w->r);
	ews_trace(w->r);
	text_fmt(&w->r->out,
	    "<m:%sResponse xmlns:m=\"" MESSAGES "\" xmlns:t=\"" TYPES "\">",
	    ews_op(w));
}

static void
response_close(struct ews *w)
{
	text_fmt(&w->r->out, "</m:%sResponse>", ews_op(w));
	soap_close(w->r);
}

/* Begins one response message that is a success. */
void
ews_good(struct ews *w)
{
	text_fmt(&w->r->out,
	    "<m:%sResponseMessage ResponseClass=\"Success\">"
	    "<m:ResponseCode>NoError</m:ResponseCode>",
	    ews_op(w));
}

void
ews_good_end(struct ews *w)
{
	text_fmt(&w->r->out, "</m:%sResponseMessage>", ews_op(w));
}

/* The second layer of errors: one response message that is an error. */
void
ews_bad(struct ews *w, const char *code)
{
	text_fmt(&w->r->out,
	    "<m:%sResponseMessage ResponseClass=\"Error\"><m:MessageText>",
	    ews_op(w));
	text_xml(&w->r->out, ews_text(code));
	text_fmt(&w->r->out,
	    "</m:MessageText><m:ResponseCode>%s</m:ResponseCode>"
	    "<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>",
	    code);
	if (strcmp(code, "ErrorServerBusy") == 0)
		text_str(&w->r->out,
		    "<m:MessageXml><t:Value Name=\"BackOffMilliseconds\">"
		    "1000</t:Value></m:MessageXml>");
	if (strstr(ews_op(w), "Item") != NULL &&
	    strncmp(ews_op(w), "Delete", 6) != 0 &&
	    strncmp(ews_op(w), "Sync", 4) != 0 &&
	    strncmp(ews_op(w), "Find", 4) != 0)
		text_str(&w->r->out, "<m:Items/>");
	ews_good_end(w);
}

/* After the operation has written its messages. */
void
ews_close(struct request *r)
{
	response_close(r->ews);
}

/* --- faults on demand ----------------------------------------------------- */

static void
fault_message(struct request *r, const char *code)
{
	struct ews *w = r->ews;

	if (w == NULL || w->op == NULL) {
		ews_fault_say(r, code, ews_text(code), -1);
		return;
	}
	ews_open(w);
	text_str(&r->out, "<m:ResponseMessages>");
	ews_bad(w, code);
	text_str(&r->out, "</m:ResponseMessages>");
	response_close(w);
}

/* More than a client should take of one answer, and well-formed all the way. */
void
ews_huge(struct request *r)
{
	static const char part[] = "<x>0123456789abcdef0123456789abcdef</x>";
	size_t i;

	soap_open(r);
	for (i = 0; i < (66u << 20) / (sizeof(part) - 1); i++)
		text_add(&r->out, part, sizeof(part) - 1);
	soap_close(r);
}

/* Faults that look other in EWS than elsewhere: 1 when this was one. */
int
ews_fault(struct request *r)
{
	const char *code = r->fault_location;
	int ms = r->fault_ms > 0 ? r->fault_ms : r->fault_retry * 1000;

	if (code == NULL || strncmp(code, "Error", 5) != 0)
		code = "ErrorInternalServerTransientError";
	switch (r->fault) {
	case FAULT_429:
		if (r->fault_location && strcmp(r->fault_location, "http") == 0)
			return 0; /* some load balancer's own */
		ews_fault_say(
		    r, "ErrorServerBusy", ews_text("ErrorServerBusy"), ms);
		return 1;
	case FAULT_429_BARE:
		ews_fault_say(
		    r, "ErrorServerBusy", ews_text("ErrorServerBusy"), -1);
		return 1;
	case FAULT_401:
		(void)ews_refuse_login(r);
		return 1;
	case FAULT_410:
		fault_message(r, "ErrorInvalidSyncStateData");
		return 1;
	case FAULT_ANSWER:
		r->status = r->fault_code;
		r->type = "text/xml; charset=utf-8";
		text_str(&r->out, r->fault_body ? r->fault_body : "");
		return 1;
	case FAULT_EWS_FAULT:
		ews_fault_say(r, code, ews_text(code), -1);
		return 1;
	case FAULT_EWS_ERROR:
		fault_message(r, code);
		return 1;
	default:
		return 0;
	}
}
