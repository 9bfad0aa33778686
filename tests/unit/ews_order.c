/*
 * ews_order.c: see ews_order.h.
 *
 * The tables are written from messages.xsd and types.xsd of Exchange Server,
 * whose complex types are sequences, by way of their public reference pages
 * ("EWS XML elements in Exchange").  They hold what the adapter could send,
 * with all that may stand between.
 */
#include "tests/unit/ews_order.h"

#include <expat.h>
#include <stdio.h>
#include <string.h>

#define NS "http://schemas.microsoft.com/exchange/services/2006/"
#define DEEP 40

/* Children in their order.  "!": must be there; "*": any number of them. */
static const struct type {
	const char *element, *children;
} types[] = {{"s:Envelope", "s:Header! s:Body!"},
    {"s:Header",
	"t:RequestServerVersion! t:MailboxCulture t:ExchangeImpersonation! "
	"t:TimeZoneContext"},
    {"t:ExchangeImpersonation", "t:ConnectingSID!"},
    {"t:ConnectingSID",
	"t:PrincipalName t:SID t:PrimarySmtpAddress t:SmtpAddress"},
    {"t:TimeZoneContext", "t:TimeZoneDefinition!"},
    {"s:Body",
	"m:SyncFolderItems m:FindItem m:GetItem m:GetFolder m:CreateItem "
	"m:UpdateItem m:DeleteItem"},
    {"m:SyncFolderItems",
	"m:ItemShape! m:SyncFolderId! m:SyncState m:Ignore "
	"m:MaxChangesReturned! m:SyncScope"},
    {"m:SyncFolderId", "t:FolderId t:DistinguishedFolderId"},
    {"m:FindItem",
	"m:ItemShape! m:IndexedPageItemView m:FractionalPageItemView "
	"m:CalendarView m:ContactsView m:GroupBy m:Restriction m:SortOrder "
	"m:ParentFolderIds! m:QueryString"},
    {"m:Restriction", "t:Or t:And t:IsEqualTo"}, {"t:Or", "t:IsEqualTo*"},
    {"t:IsEqualTo",
	"t:FieldURI t:IndexedFieldURI t:ExtendedFieldURI "
	"t:FieldURIOrConstant!"},
    {"t:FieldURIOrConstant", "t:FieldURI t:Constant!"},
    {"m:ParentFolderIds", "t:FolderId t:DistinguishedFolderId"},
    {"m:GetItem", "m:ItemShape! m:ItemIds!"},
    {"m:ItemIds", "t:RecurringMasterItemId t:ItemId* t:OccurrenceItemId*"},
    {"m:GetFolder", "m:FolderShape! m:FolderIds!"},
    {"m:FolderShape", "t:BaseShape! t:AdditionalProperties"},
    {"m:FolderIds", "t:FolderId t:DistinguishedFolderId"},
    {"m:ItemShape",
	"t:BaseShape! t:IncludeMimeContent t:BodyType t:UniqueBodyType "
	"t:NormalizedBodyType t:FilterHtmlContent t:ConvertHtmlCodePageToUTF8 "
	"t:MaximumBodySize t:AdditionalProperties"},
    /* A choice, hence in any order. */
    {"t:AdditionalProperties", "t:FieldURI* t:ExtendedFieldURI*"},
    {"m:CreateItem", "m:SavedItemFolderId m:Items!"},
    {"m:SavedItemFolderId", "t:FolderId t:DistinguishedFolderId"},
    {"m:Items", "t:CalendarItem t:CancelCalendarItem t:DeclineItem"},
    /* ItemType, then what CalendarItemType adds to it. */
    {"t:CalendarItem",
	"t:MimeContent t:ItemId t:ParentFolderId t:ItemClass t:Subject "
	"t:Sensitivity t:Body t:Attachments t:DateTimeReceived t:Size "
	"t:Categories t:Importance t:InReplyTo t:IsSubmitted t:IsDraft "
	"t:IsFromMe t:IsResend t:IsUnmodified t:InternetMessageHeaders "
	"t:DateTimeSent t:DateTimeCreated t:ResponseObjects t:ReminderDueBy "
	"t:ReminderIsSet t:ReminderNextTime t:ReminderMinutesBeforeStart "
	"t:DisplayCc t:DisplayTo t:HasAttachments t:ExtendedProperty* "
	"t:Culture t:EffectiveRights t:UID t:RecurrenceId t:DateTimeStamp "
	"t:Start t:End t:OriginalStart t:IsAllDayEvent "
	"t:LegacyFreeBusyStatus t:Location t:When t:IsMeeting t:IsCancelled "
	"t:IsRecurring t:MeetingRequestWasSent t:IsResponseRequested "
	"t:CalendarItemType t:MyResponseType t:Organizer t:RequiredAttendees "
	"t:OptionalAttendees t:Resources t:Recurrence t:MeetingTimeZone "
	"t:StartTimeZone t:EndTimeZone"},
    {"t:ExtendedProperty", "t:ExtendedFieldURI! t:Value!"},
    {"t:RequiredAttendees", "t:Attendee*"},
    {"t:OptionalAttendees", "t:Attendee*"}, {"t:Resources", "t:Attendee*"},
    {"t:Attendee", "t:Mailbox! t:ResponseType t:LastResponseTime"},
    {"t:Mailbox", "t:Name t:EmailAddress t:RoutingType t:MailboxType t:ItemId"},
    /* SmartResponseType: what it is about comes before what it says. */
    {"t:CancelCalendarItem",
	"t:Subject t:Body t:ToRecipients t:CcRecipients t:BccRecipients "
	"t:IsReadReceiptRequested t:IsDeliveryReceiptRequested t:From "
	"t:ReferenceItemId! t:NewBodyContent"},
    /* WellKnownResponseObjectType: the other way round. */
    {"t:DeclineItem",
	"t:ItemClass t:Sensitivity t:Body t:Attachments "
	"t:InternetMessageHeaders t:Sender t:ToRecipients t:CcRecipients "
	"t:BccRecipients t:IsReadReceiptRequested "
	"t:IsDeliveryReceiptRequested t:ReferenceItemId!"},
    {"m:UpdateItem", "m:SavedItemFolderId m:ItemChanges!"},
    {"m:ItemChanges", "t:ItemChange!"},
    {"t:ItemChange", "t:ItemId t:OccurrenceItemId t:Updates!"},
    {"t:Updates", "t:AppendToItemField* t:SetItemField* t:DeleteItemField*"},
    {"t:SetItemField",
	"t:FieldURI t:IndexedFieldURI t:ExtendedFieldURI t:CalendarItem!"},
    {"m:DeleteItem", "m:ItemIds!"}};

/* Attributes; "*": any value; "!": must be there. */
static const struct word {
	const char *element, *attribute, *values;
} words[] = {
    {"t:RequestServerVersion", "Version!", "Exchange2013_SP1 Exchange2016"},
    {"t:TimeZoneDefinition", "Id!", "UTC"},
    {"t:DistinguishedFolderId", "Id!", "calendar"},
    {"m:FindItem", "Traversal!", "Shallow SoftDeleted Associated"},
    {"m:CalendarView", "MaxEntriesReturned", "*"},
    {"m:CalendarView", "StartDate!", "*"}, {"m:CalendarView", "EndDate!", "*"},
    {"t:FieldURI", "FieldURI!",
	"item:Subject item:Sensitivity item:Body calendar:UID "
	"calendar:RecurrenceId calendar:Start calendar:End "
	"calendar:OriginalStart calendar:IsAllDayEvent calendar:Location "
	"calendar:LegacyFreeBusyStatus calendar:IsCancelled "
	"calendar:CalendarItemType calendar:MyResponseType "
	"calendar:Organizer calendar:RequiredAttendees "
	"calendar:OptionalAttendees calendar:Resources "
	"calendar:AppointmentState calendar:StartTimeZone "
	"calendar:EndTimeZone"},
    /* One of three ways to name a property. */
    {"t:ExtendedFieldURI", "DistinguishedPropertySetId",
	"Meeting Appointment Common PublicStrings"},
    {"t:ExtendedFieldURI", "PropertySetId", "*"},
    {"t:ExtendedFieldURI", "PropertyName", "*"},
    {"t:ExtendedFieldURI", "PropertyId", "*"},
    {"t:ExtendedFieldURI", "PropertyTag", "*"},
    {"t:ExtendedFieldURI", "PropertyType!",
	"Binary Boolean Integer String SystemTime"},
    {"t:Constant", "Value!", "*"}, {"t:ItemId", "Id!", "*"},
    {"t:ItemId", "ChangeKey", "*"}, {"t:ReferenceItemId", "Id!", "*"},
    {"t:ReferenceItemId", "ChangeKey", "*"},
    {"t:RecurringMasterItemId", "OccurrenceId!", "*"},
    {"t:Body", "BodyType!", "Text HTML"},
    {"t:NewBodyContent", "BodyType!", "Text HTML"},
    {"m:CreateItem", "MessageDisposition", "SaveOnly SendOnly SendAndSaveCopy"},
    {"m:CreateItem", "SendMeetingInvitations",
	"SendToNone SendOnlyToAll SendToAllAndSaveCopy"},
    {"m:UpdateItem", "ConflictResolution!",
	"NeverOverwrite AutoResolve AlwaysOverwrite"},
    {"m:UpdateItem", "MessageDisposition", "SaveOnly SendOnly SendAndSaveCopy"},
    {"m:UpdateItem", "SendMeetingInvitationsOrCancellations",
	"SendToNone SendOnlyToAll SendOnlyToChanged SendToAllAndSaveCopy "
	"SendToChangedAndSaveCopy"},
    {"m:DeleteItem", "DeleteType!", "HardDelete SoftDelete MoveToDeletedItems"},
    {"m:DeleteItem", "SendMeetingCancellations",
	"SendToNone SendOnlyToAll SendToAllAndSaveCopy"}};

struct check {
	XML_Parser xml;
	char name[DEEP][60];
	const char *at[DEEP]; /* the rest of its type's children */
	int seen[DEEP];       /* how many of the child before */
	char field[60];       /* of the SetItemField that is open */
	unsigned depth;
	char *why;
	size_t size;
	int bad;
};

static void
wrong(struct check *k, const char *what, const char *a, const char *b)
{
	if (!k->bad)
		snprintf(k->why, k->size, "%s: %s %s", what, a, b);
	k->bad = 1;
	XML_StopParser(k->xml, XML_FALSE);
}

/* Prefixes as the tables have them, whatever the request calls them. */
static void
short_name(const char *full, char out[60])
{
	const char *local = strrchr(full, '|');

	if (local == NULL)
		snprintf(out, 60, "?:%.50s", full);
	else
		snprintf(out, 60, "%c:%.50s",
		    strncmp(full, NS "types|", strlen(NS "types|")) == 0 ? 't'
			: strncmp(
			      full, NS "messages|", strlen(NS "messages|")) == 0
			? 'm'
			: 's',
		    local + 1);
}

/* The next child of a type; its length without its mark. */
static size_t
child(const char **at, char *mark)
{
	size_t n = strcspn(*at, " !*");

	*mark = (*at)[n];
	return n;
}

static void
skip(const char **at)
{
	*at += strcspn(*at, " ");
	*at += **at == ' ';
}

/* name within the element that is open: where it may stand? */
static void
place(struct check *k, const char *name)
{
	unsigned d = k->depth - 1;
	const char **at = &k->at[d];
	char mark;
	size_t n;

	for (; **at; skip(at), k->seen[d] = 0) {
		n = child(at, &mark);
		if (strlen(name) == n && strncmp(*at, name, n) == 0) {
			if (k->seen[d]++ && mark != '*')
				break;
			return;
		}
		if (mark == '!' && k->seen[d] == 0)
			break;
	}
	wrong(k, "not here", k->name[d], name);
}

static int
among(const char *list, const char *value)
{
	size_t n = strlen(value);

	if (strcmp(list, "*") == 0)
		return *value != '\0';
	for (const char *p = list; (p = strstr(p, value)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return n > 0;
	return 0;
}

static const char *
given(const char **attrs, const char *name, size_t n)
{
	for (; *attrs; attrs += 2)
		if (strlen(*attrs) == n && strncmp(*attrs, name, n) == 0)
			return attrs[1];
	return NULL;
}

static void
check_attributes(struct check *k, const char *name, const char **attrs)
{
	size_t i, n, have = 0, used = 0;
	const char *v;

	while (attrs[2 * have])
		have++;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].element, name))
			continue;
		n = strcspn(words[i].attribute, "!");
		v = given(attrs, words[i].attribute, n);
		used += v != NULL;
		if (v ? !among(words[i].values, v) : words[i].attribute[n])
			wrong(k, "attribute", words[i].attribute, v ? v : "");
	}
	if (used != have)
		wrong(k, "an attribute too many", name, "");
}

static void XMLCALL
on_start(void *arg, const char *full, const char **attrs)
{
	struct check *k = arg;
	char name[60];

	short_name(full, name);
	if (k->depth == DEEP || (k->depth == 0 && strcmp(name, "s:Envelope"))) {
		wrong(k, "no envelope", name, "");
		return;
	}
	if (k->depth > 0)
		place(k, name);
	check_attributes(k, name, attrs);
	if (k->bad)
		return;
	/* What is set is the one thing that the path names. */
	if (k->depth > 1 &&
	    strcmp(k->name[k->depth - 1], "t:SetItemField") == 0 &&
	    strcmp(name, "t:FieldURI") == 0)
		snprintf(k->field, sizeof(k->field), "t:%s",
		    strchr(given(attrs, "FieldURI", 8), ':') + 1);
	if (k->depth > 2 &&
	    strcmp(k->name[k->depth - 2], "t:SetItemField") == 0 &&
	    strcmp(name, k->field))
		wrong(k, "another field than its path", k->field, name);
	memcpy(k->name[k->depth], name, sizeof(name));
	k->at[k->depth] = "";
	k->seen[k->depth] = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].element, name) == 0)
			k->at[k->depth] = types[i].children;
	k->depth++;
}

static void XMLCALL
on_end(void *arg, const char *full)
{
	struct check *k = arg;
	unsigned d = --k->depth;
	char mark;

	(void)full;
	for (; *k->at[d]; skip(&k->at[d]), k->seen[d] = 0) {
		(void)child(&k->at[d], &mark);
		if (mark == '!' && k->seen[d] == 0)
			wrong(k, "it lacks", k->name[d], k->at[d]);
	}
}

int
ews_order_check(const char *request, char *why, size_t size)
{
	struct check k = {.why = why, .size = size};

	k.xml = XML_ParserCreateNS(NULL, '|');
	XML_SetUserData(k.xml, &k);
	XML_SetElementHandler(k.xml, on_start, on_end);
	if (XML_Parse(k.xml, request, (int)strlen(request), 1) != XML_STATUS_OK)
		wrong(&k, "not XML", XML_ErrorString(XML_GetErrorCode(k.xml)),
		    "");
	XML_ParserFree(k.xml);
	return k.bad ? -1 : 0;
}
