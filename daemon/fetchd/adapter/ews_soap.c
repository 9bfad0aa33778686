/* ews_soap.c: see ews_soap.h. */
#include "fetchd/adapter/ews_soap.h"

#include <string.h>
#include <strings.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/tag.h"

#define CALENDAR "<t:DistinguishedFolderId Id=\"calendar\"/>"
#define TAG_URI                                         \
	"<t:ExtendedFieldURI PropertySetId=\"" TAG_GUID \
	"\" PropertyName=\"" TAG_NAME "\" PropertyType=\"String\"/>"
/* PidLidCleanGlobalObjectId (MS-OXOCAL): the same for a series and all of its
 * occurrences; unlike the UID, every list has it. */
#define THREAD_URI                                                    \
	"<t:ExtendedFieldURI DistinguishedPropertySetId=\"Meeting\" " \
	"PropertyId=\"35\" PropertyType=\"Binary\"/>"
/* PidTagSentRepresentingSmtpAddress (MS-OXPROPS): the organiser's address as it
 * was when the item came, which still is one when Exchange's directory knows
 * the organiser no more and shows a name of the old type EX. */
#define SENDER_URI \
	"<t:ExtendedFieldURI PropertyTag=\"0x5D02\" PropertyType=\"String\"/>"
#define SHAPE "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
#define TYPE_SHAPE                                                   \
	SHAPE "<t:AdditionalProperties>"                             \
	      "<t:FieldURI FieldURI=\"calendar:CalendarItemType\"/>" \
	      "</t:AdditionalProperties></m:ItemShape>"
#define VIEW_SHAPE                                             \
	SHAPE                                                  \
	"<t:AdditionalProperties>"                             \
	"<t:FieldURI FieldURI=\"calendar:CalendarItemType\"/>" \
	"<t:FieldURI FieldURI=\"calendar:UID\"/>" THREAD_URI   \
	"</t:AdditionalProperties></m:ItemShape>"

/* XML 1.0 has no way to write most control characters: they are left out. */
static void
put_text(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			strbuf_str(b, "&lt;");
		else if (*s == '>')
			strbuf_str(b, "&gt;");
		else if (*s == '&')
			strbuf_str(b, "&amp;");
		else if (*s == '"')
			strbuf_str(b, "&quot;");
		else if ((unsigned char)*s >= 0x20 || *s == '\n' || *s == '\t')
			strbuf_ch(b, *s);
	}
}

static void
put(struct strbuf *b, const char *before, const char *s, const char *after)
{
	strbuf_str(b, before);
	put_text(b, s);
	strbuf_str(b, after);
}

static void
put_time(struct strbuf *b, const char *before, int64_t at, const char *after)
{
	char t[MOMENT_TEXT];

	put(b, before, moment_text(at, t), after);
}

void
ews_begin(struct strbuf *b, const char *address)
{
	strbuf_reset(b);
	put(b,
	    "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope "
	    "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
	    "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/"
	    "messages\" xmlns:t=\"http://schemas.microsoft.com/exchange/"
	    "services/2006/types\"><s:Header><t:RequestServerVersion "
	    "Version=\"Exchange2016\"/><t:ExchangeImpersonation>"
	    "<t:ConnectingSID><t:PrimarySmtpAddress>",
	    address,
	    "</t:PrimarySmtpAddress></t:ConnectingSID>"
	    "</t:ExchangeImpersonation><t:TimeZoneContext>"
	    "<t:TimeZoneDefinition Id=\"UTC\"/></t:TimeZoneContext>"
	    "</s:Header><s:Body>");
}

void
ews_end(struct strbuf *b)
{
	strbuf_str(b, "</s:Body></s:Envelope>");
}

void
ews_sync(struct strbuf *b, const char *state)
{
	strbuf_str(b,
	    "<m:SyncFolderItems>" TYPE_SHAPE "<m:SyncFolderId>" CALENDAR
	    "</m:SyncFolderId>");
	if (*state)
		put(b, "<m:SyncState>", state, "</m:SyncState>");
	strbuf_fmt(b,
	    "<m:MaxChangesReturned>%d</m:MaxChangesReturned>"
	    "</m:SyncFolderItems>",
	    EWS_CHANGES);
}

void
ews_view(struct strbuf *b, int64_t from, int64_t to)
{
	strbuf_fmt(b,
	    "<m:FindItem Traversal=\"Shallow\">" VIEW_SHAPE
	    "<m:CalendarView MaxEntriesReturned=\"%d\"",
	    EWS_VIEW);
	put_time(b, " StartDate=\"", from, "\"");
	put_time(b, " EndDate=\"", to, "\"/>");
	strbuf_str(b,
	    "<m:ParentFolderIds>" CALENDAR "</m:ParentFolderIds></m:FindItem>");
}

void
ews_find(struct strbuf *b, const struct wire_list *tags)
{
	struct wire_in in = wire_list_open(tags);
	const char *tag;

	strbuf_str(b,
	    "<m:FindItem Traversal=\"Shallow\">" TYPE_SHAPE "<m:Restriction>");
	if (tags->count > 1)
		strbuf_str(b, "<t:Or>");
	while (wire_next_str(&in, &tag))
		put(b,
		    "<t:IsEqualTo>" TAG_URI
		    "<t:FieldURIOrConstant><t:Constant Value=\"",
		    tag, "\"/></t:FieldURIOrConstant></t:IsEqualTo>");
	strbuf_str(b, tags->count > 1 ? "</t:Or>" : "");
	strbuf_str(b,
	    "</m:Restriction><m:ParentFolderIds>" CALENDAR
	    "</m:ParentFolderIds></m:FindItem>");
}

void
ews_folder(struct strbuf *b)
{
	strbuf_str(b,
	    "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape>"
	    "</m:FolderShape><m:FolderIds>" CALENDAR
	    "</m:FolderIds></m:GetFolder>");
}

void
ews_get_begin(struct strbuf *b, int body)
{
	static const char *const fields[] = {"item:Subject", "item:Sensitivity",
	    "calendar:UID", "calendar:RecurrenceId", "calendar:Start",
	    "calendar:End", "calendar:OriginalStart", "calendar:IsAllDayEvent",
	    "calendar:LegacyFreeBusyStatus", "calendar:IsCancelled",
	    "calendar:CalendarItemType", "calendar:MyResponseType",
	    "calendar:Organizer", "calendar:RequiredAttendees",
	    "calendar:OptionalAttendees", "calendar:Resources",
	    "calendar:AppointmentState", "calendar:StartTimeZone"};

	strbuf_str(b, "<m:GetItem>" SHAPE);
	if (body)
		strbuf_str(b, "<t:BodyType>Text</t:BodyType>");
	strbuf_str(b, "<t:AdditionalProperties>");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		strbuf_fmt(b, "<t:FieldURI FieldURI=\"%s\"/>", fields[i]);
	if (body)
		strbuf_str(b, "<t:FieldURI FieldURI=\"item:Body\"/>");
	strbuf_str(b,
	    TAG_URI THREAD_URI SENDER_URI
	    "</t:AdditionalProperties></m:ItemShape><m:ItemIds>");
}

void
ews_get_id(struct strbuf *b, const char *id)
{
	put(b, "<t:ItemId Id=\"", id, "\"/>");
}

void
ews_get_master_of(struct strbuf *b, const char *id)
{
	put(b, "<t:RecurringMasterItemId OccurrenceId=\"", id, "\"/>");
}

void
ews_get_end(struct strbuf *b)
{
	strbuf_str(b, "</m:ItemIds></m:GetItem>");
}

/* --- writes ---------------------------------------------------------------- */

/* routing: the type of the address, "" for SMTP. */
static void
put_mailbox(struct strbuf *b, const char *address, const char *routing)
{
	put(b, "<t:Attendee><t:Mailbox><t:EmailAddress>", address,
	    "</t:EmailAddress>");
	if (*routing)
		put(b, "<t:RoutingType>", routing, "</t:RoutingType>");
	strbuf_str(b, "</t:Mailbox></t:Attendee>");
}

static void
put_attendee(struct strbuf *b, const char *list, const char *address)
{
	strbuf_fmt(b, "<t:%s>", list);
	put_mailbox(b, address, "");
	strbuf_fmt(b, "</t:%s>", list);
}

int
ews_line_is(const char *line, const char *address)
{
	size_t n = strcspn(line, "\t\n");

	return n == strlen(address) && strncasecmp(line, address, n) == 0;
}

/* One line of a list of resources: address up to tab, its type up to end. */
static void
put_line(struct strbuf *b, const char *line, const char *tab, const char *end)
{
	char address[1025], routing[41] = "";
	size_t n = (size_t)(tab - line), m = (size_t)(end - tab);

	if (n >= sizeof(address) || m > sizeof(routing))
		return;
	memcpy(address, line, n);
	address[n] = '\0';
	if (m > 1) {
		memcpy(routing, tab + 1, m - 1);
		routing[m - 1] = '\0';
	}
	put_mailbox(b, address, routing);
}

void
ews_meet(struct strbuf *b, const struct msg_adapter_meet *m)
{
	int room = !m->notice && *m->room && strcasecmp(m->room, m->address);
	int who = *m->organiser && strcasecmp(m->organiser, m->address) &&
	    strcasecmp(m->organiser, m->room);

	strbuf_fmt(b,
	    "<m:CreateItem "
	    "SendMeetingInvitations=\"%s\"><m:SavedItemFolderId>" CALENDAR
	    "</m:SavedItemFolderId><m:Items><t:CalendarItem>",
	    room || who ? "SendToAllAndSaveCopy" : "SendToNone");
	put(b, "<t:Subject>", m->subject, "</t:Subject>");
	if (m->private_)
		strbuf_str(b, "<t:Sensitivity>Private</t:Sensitivity>");
	if (*m->body)
		put(b, "<t:Body BodyType=\"Text\">", m->body, "</t:Body>");
	strbuf_str(b, "<t:ReminderIsSet>false</t:ReminderIsSet>");
	if (*m->tag)
		put(b, "<t:ExtendedProperty>" TAG_URI "<t:Value>", m->tag,
		    "</t:Value></t:ExtendedProperty>");
	if (*m->transaction)
		put(b, "<t:UID>", m->transaction, "</t:UID>");
	put_time(b, "<t:Start>", m->start, "</t:Start>");
	put_time(b, "<t:End>", m->end, "</t:End>");
	strbuf_fmt(b,
	    "<t:IsAllDayEvent>false</t:IsAllDayEvent>"
	    "<t:LegacyFreeBusyStatus>%s</t:LegacyFreeBusyStatus>",
	    m->notice ? "Free" : "Busy");
	if (*m->room_name)
		put(b, "<t:Location>", m->room_name, "</t:Location>");
	if (who)
		put_attendee(b, "RequiredAttendees", m->organiser);
	if (room)
		put_attendee(b, "Resources", m->room);
	strbuf_str(b, "</t:CalendarItem></m:Items></m:CreateItem>");
}

/*
 * The resources that there are, a line each as ews_read.c lists them, with
 * another room instead of the one that is left.  The list is set whole: only
 * so is one taken out of it (AppendToItemField adds, nothing removes).
 */
static void
put_resources(struct strbuf *b, const char *lines,
    const struct msg_adapter_meeting_change *m)
{
	const char *end, *tab;

	strbuf_str(b, "<t:Resources>");
	for (; *lines; lines = end + 1) {
		end = strchrnul(lines, '\n');
		tab = memchr(lines, '\t', (size_t)(end - lines));
		if (!ews_line_is(lines, m->room_from) &&
		    !ews_line_is(lines, m->room_to))
			put_line(b, lines, tab ? tab : end, end);
		if (*end == '\0')
			break;
	}
	put_mailbox(b, m->room_to, "");
	strbuf_str(b, "</t:Resources>");
}

static void
set_begin(struct strbuf *b, const char *uri)
{
	strbuf_fmt(b,
	    "<t:SetItemField><t:FieldURI FieldURI=\"%s\"/><t:CalendarItem>",
	    uri);
}

static void
set_end(struct strbuf *b)
{
	strbuf_str(b, "</t:CalendarItem></t:SetItemField>");
}

static void
put_ids(struct strbuf *b, const char *element, const char *id, const char *key)
{
	strbuf_fmt(b, "<t:%s", element);
	put(b, " Id=\"", id, "\"");
	if (*key)
		put(b, " ChangeKey=\"", key, "\"");
	strbuf_str(b, "/>");
}

void
ews_change(struct strbuf *b, const struct msg_adapter_meeting_change *m,
    const char *key, const char *resources)
{
	strbuf_fmt(b,
	    "<m:UpdateItem ConflictResolution=\"%s\" "
	    "SendMeetingInvitationsOrCancellations=\"SendToAllAndSaveCopy\">"
	    "<m:ItemChanges><t:ItemChange>",
	    *m->change_tag ? "NeverOverwrite" : "AutoResolve");
	put_ids(b, "ItemId", m->remote_id, key);
	strbuf_str(b, "<t:Updates>");
	if (*m->subject) {
		set_begin(b, "item:Subject");
		put(b, "<t:Subject>", m->subject, "</t:Subject>");
		set_end(b);
	}
	if (m->start) {
		set_begin(b, "calendar:Start");
		put_time(b, "<t:Start>", m->start, "</t:Start>");
		set_end(b);
	}
	if (m->end) {
		set_begin(b, "calendar:End");
		put_time(b, "<t:End>", m->end, "</t:End>");
		set_end(b);
	}
	if (*m->room_to) {
		set_begin(b, "calendar:Location");
		put(b, "<t:Location>",
		    *m->room_name ? m->room_name : m->room_to, "</t:Location>");
		set_end(b);
		set_begin(b, "calendar:Resources");
		put_resources(b, resources, m);
		set_end(b);
	}
	strbuf_str(
	    b, "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>");
}

void
ews_cancel(
    struct strbuf *b, const char *id, const char *key, const char *comment)
{
	strbuf_str(b,
	    "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items>"
	    "<t:CancelCalendarItem>");
	put_ids(b, "ReferenceItemId", id, key);
	put(b, "<t:NewBodyContent BodyType=\"Text\">", comment,
	    "</t:NewBodyContent></t:CancelCalendarItem></m:Items>"
	    "</m:CreateItem>");
}

void
ews_decline(
    struct strbuf *b, const char *id, const char *key, const char *comment)
{
	strbuf_str(b,
	    "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items>"
	    "<t:DeclineItem>");
	put(b, "<t:Body BodyType=\"Text\">", comment, "</t:Body>");
	put_ids(b, "ReferenceItemId", id, key);
	strbuf_str(b, "</t:DeclineItem></m:Items></m:CreateItem>");
}

void
ews_delete(struct strbuf *b, const char *id, const char *key)
{
	strbuf_str(b,
	    "<m:DeleteItem DeleteType=\"MoveToDeletedItems\" "
	    "SendMeetingCancellations=\"SendToNone\"><m:ItemIds>");
	put_ids(b, "ItemId", id, key);
	strbuf_str(b, "</m:ItemIds></m:DeleteItem>");
}
