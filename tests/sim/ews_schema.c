/*
 * ews_schema.c: what may stand where in a request, and in which order: the
 * part of Exchange's schema that the simulator serves.  A real server answers
 * ErrorSchemaValidation to anything else, so the simulator does.
 *
 * Facts of the schema: types.xsd and messages.xsd as Exchange 2013 to SE serve
 * them at /EWS/.
 */
#include <stdlib.h>
#include <string.h>

#include "ews.h"

#define ITEM_IDS "t:ItemId* t:OccurrenceItemId* t:RecurringMasterItemId*"
#define FOLDER_IDS "t:FolderId* t:DistinguishedFolderId*"
#define PATH "t:FieldURI t:IndexedFieldURI t:ExtendedFieldURI"
#define COMPARE PATH " t:FieldURIOrConstant"
#define SEARCH                                                         \
	"t:And t:Or t:Not t:Exists t:Contains t:Excludes t:IsEqualTo " \
	"t:IsNotEqualTo t:IsGreaterThan t:IsGreaterThanOrEqualTo "     \
	"t:IsLessThan t:IsLessThanOrEqualTo"
#define SHAPE                                                            \
	"t:BaseShape! t:IncludeMimeContent t:BodyType t:UniqueBodyType " \
	"t:NormalizedBodyType t:FilterHtmlContent "                      \
	"t:ConvertHtmlCodePageToUTF8 t:InlineImageUrlTemplate "          \
	"t:BlockExternalImages t:AddBlankTargetToLinks "                 \
	"t:MaximumBodySize t:AdditionalProperties"
#define ITEM_TYPE                                                        \
	"t:MimeContent t:ItemId t:ParentFolderId t:ItemClass t:Subject " \
	"t:Sensitivity t:Body t:Attachments t:DateTimeReceived t:Size "  \
	"t:Categories t:Importance t:InReplyTo t:IsSubmitted t:IsDraft " \
	"t:IsFromMe t:IsResend t:IsUnmodified t:InternetMessageHeaders " \
	"t:DateTimeSent t:DateTimeCreated t:ResponseObjects "            \
	"t:ReminderDueBy t:ReminderIsSet t:ReminderNextTime "            \
	"t:ReminderMinutesBeforeStart t:DisplayCc t:DisplayTo "          \
	"t:HasAttachments t:ExtendedProperty* t:Culture "                \
	"t:EffectiveRights t:LastModifiedName t:LastModifiedTime "       \
	"t:IsAssociated t:WebClientReadFormQueryString "                 \
	"t:WebClientEditFormQueryString t:ConversationId t:UniqueBody "  \
	"t:Flag "
#define CALENDAR_TYPE                                                     \
	"t:UID t:RecurrenceId t:DateTimeStamp t:Start t:End "             \
	"t:OriginalStart t:IsAllDayEvent t:LegacyFreeBusyStatus "         \
	"t:Location t:When t:IsMeeting t:IsCancelled t:IsRecurring "      \
	"t:MeetingRequestWasSent t:IsResponseRequested "                  \
	"t:CalendarItemType t:MyResponseType t:Organizer "                \
	"t:RequiredAttendees t:OptionalAttendees t:Resources "            \
	"t:ConflictingMeetingCount t:AdjacentMeetingCount "               \
	"t:ConflictingMeetings t:AdjacentMeetings t:Duration t:TimeZone " \
	"t:AppointmentReplyTime t:AppointmentSequenceNumber "             \
	"t:AppointmentState t:Recurrence t:FirstOccurrence "              \
	"t:LastOccurrence t:ModifiedOccurrences t:DeletedOccurrences "    \
	"t:MeetingTimeZone t:StartTimeZone t:EndTimeZone "                \
	"t:ConferenceType t:AllowNewTimeProposal t:IsOnlineMeeting "      \
	"t:MeetingWorkspaceUrl t:NetShowUrl"
#define ANSWER_TYPE                                                        \
	"t:ItemClass t:Sensitivity t:Body t:Attachments "                  \
	"t:InternetMessageHeaders t:Sender t:ToRecipients t:CcRecipients " \
	"t:BccRecipients t:IsReadReceiptRequested "                        \
	"t:IsDeliveryReceiptRequested t:ReferenceItemId t:ReceivedBy "     \
	"t:ReceivedRepresenting t:ProposedStart t:ProposedEnd"

/*
 * children: `,' a sequence of words, each once (word* any number, word! must
 * be there); `|' any number of them in any order; `1' one of them; `*'
 * anything, unread.  An element that is not here holds text alone.
 */
static const struct rule {
	const char *name;
	char kind;
	const char *children;
	const char *attrs; /* name! must be there */
} rules[] = {
    {"s:Envelope", ',', "s:Header s:Body!", ""},
    {"s:Header", '|',
	"t:RequestServerVersion t:ExchangeImpersonation t:MailboxCulture "
	"t:TimeZoneContext t:DateTimePrecision t:ManagementRole",
	""},
    {"s:Body", '1',
	"m:SyncFolderItems m:GetItem m:FindItem m:CreateItem m:UpdateItem "
	"m:DeleteItem m:GetFolder m:GetServerTimeZones m:ResolveNames "
	"m:GetRoomLists m:GetRooms",
	""},
    {"t:RequestServerVersion", ',', "", "Version!"},
    {"t:ExchangeImpersonation", ',', "t:ConnectingSID!", ""},
    {"t:ConnectingSID", '1',
	"t:PrincipalName t:SID t:PrimarySmtpAddress t:SmtpAddress", ""},
    {"t:TimeZoneContext", ',', "t:TimeZoneDefinition!", ""},
    {"t:TimeZoneDefinition", '*', "", "Id Name"},
    {"t:ManagementRole", '*', "", ""},
    {"m:SyncFolderItems", ',',
	"m:ItemShape! m:SyncFolderId! m:SyncState m:Ignore "
	"m:MaxChangesReturned! m:SyncScope",
	""},
    {"m:SyncFolderId", '1', FOLDER_IDS, ""},
    {"m:Ignore", ',', "t:ItemId*", ""},
    {"m:ItemShape", ',', SHAPE, ""},
    {"m:FolderShape", ',', "t:BaseShape! t:AdditionalProperties", ""},
    {"t:AdditionalProperties", '|', PATH, ""},
    {"t:FieldURI", ',', "", "FieldURI!"},
    {"t:IndexedFieldURI", ',', "", "FieldURI! FieldIndex!"},
    {"t:ExtendedFieldURI", ',', "",
	"DistinguishedPropertySetId PropertySetId PropertyTag PropertyName "
	"PropertyId PropertyType!"},
    {"t:FolderId", ',', "", "Id! ChangeKey"},
    {"t:DistinguishedFolderId", ',', "t:Mailbox", "Id! ChangeKey"},
    {"t:Mailbox", ',',
	"t:Name t:EmailAddress t:RoutingType t:MailboxType t:ItemId "
	"t:OriginalDisplayName",
	""},
    {"t:ItemId", ',', "", "Id! ChangeKey"},
    {"t:ReferenceItemId", ',', "", "Id! ChangeKey"},
    {"t:OccurrenceItemId", ',', "",
	"RecurringMasterId! ChangeKey InstanceIndex!"},
    {"t:RecurringMasterItemId", ',', "", "OccurrenceId! ChangeKey"},
    {"m:GetItem", ',', "m:ItemShape! m:ItemIds!", ""},
    {"m:ItemIds", '|', ITEM_IDS, ""},
    {"m:FindItem", ',',
	"m:ItemShape! m:IndexedPageItemView m:FractionalPageItemView "
	"m:SeekToConditionPageItemView m:CalendarView m:ContactsView "
	"m:GroupBy m:DistinguishedGroupBy m:Restriction m:SortOrder "
	"m:ParentFolderIds! m:QueryString",
	"Traversal!"},
    {"m:IndexedPageItemView", ',', "", "MaxEntriesReturned Offset! BasePoint!"},
    {"m:CalendarView", ',', "", "MaxEntriesReturned StartDate! EndDate!"},
    {"m:Restriction", '1', SEARCH, ""},
    {"t:And", '|', SEARCH, ""},
    {"t:Or", '|', SEARCH, ""},
    {"t:Not", '1', SEARCH, ""},
    {"t:Exists", '1', PATH, ""},
    {"t:Contains", ',', PATH " t:Constant!",
	"ContainmentMode ContainmentComparison"},
    {"t:IsEqualTo", ',', COMPARE, ""},
    {"t:IsNotEqualTo", ',', COMPARE, ""},
    {"t:IsGreaterThan", ',', COMPARE, ""},
    {"t:IsGreaterThanOrEqualTo", ',', COMPARE, ""},
    {"t:IsLessThan", ',', COMPARE, ""},
    {"t:IsLessThanOrEqualTo", ',', COMPARE, ""},
    {"t:FieldURIOrConstant", '1', PATH " t:Constant", ""},
    {"t:Constant", ',', "", "Value!"},
    {"m:SortOrder", '|', "t:FieldOrder", ""},
    {"t:FieldOrder", ',', PATH, "Order!"},
    {"m:ParentFolderIds", '|', FOLDER_IDS, ""},
    {"m:CreateItem", ',', "m:SavedItemFolderId m:Items!",
	"MessageDisposition SendMeetingInvitations"},
    {"m:SavedItemFolderId", '1', FOLDER_IDS, ""},
    {"m:Items", '|',
	"t:CalendarItem t:AcceptItem t:TentativelyAcceptItem t:DeclineItem "
	"t:CancelCalendarItem",
	""},
    {"t:CalendarItem", ',', ITEM_TYPE CALENDAR_TYPE, ""},
    {"t:AcceptItem", ',', ANSWER_TYPE, ""},
    {"t:TentativelyAcceptItem", ',', ANSWER_TYPE, ""},
    {"t:DeclineItem", ',', ANSWER_TYPE, ""},
    {"t:CancelCalendarItem", ',',
	"t:Subject t:Body t:ToRecipients t:CcRecipients t:BccRecipients "
	"t:IsReadReceiptRequested t:IsDeliveryReceiptRequested t:From "
	"t:ReferenceItemId! t:NewBodyContent t:ReceivedBy "
	"t:ReceivedRepresenting",
	""},
    {"t:ToRecipients", '|', "t:Mailbox", ""},
    {"t:Body", ',', "", "BodyType! IsTruncated"},
    {"t:NewBodyContent", ',', "", "BodyType! IsTruncated"},
    {"t:Categories", '|', "t:String", ""},
    {"t:ExtendedProperty", ',', "t:ExtendedFieldURI! t:Value t:Values", ""},
    {"t:Values", '|', "t:Value", ""},
    {"t:RequiredAttendees", '|', "t:Attendee", ""},
    {"t:OptionalAttendees", '|', "t:Attendee", ""},
    {"t:Resources", '|', "t:Attendee", ""},
    {"t:Attendee", ',', "t:Mailbox! t:ResponseType t:LastResponseTime", ""},
    {"t:Organizer", ',', "t:Mailbox!", ""},
    {"t:Recurrence", ',',
	"t:RelativeYearlyRecurrence t:AbsoluteYearlyRecurrence "
	"t:RelativeMonthlyRecurrence t:AbsoluteMonthlyRecurrence "
	"t:WeeklyRecurrence t:DailyRecurrence t:NoEndRecurrence "
	"t:EndDateRecurrence t:NumberedRecurrence",
	""},
    {"t:RelativeYearlyRecurrence", ',',
	"t:DaysOfWeek! t:DayOfWeekIndex! t:Month!", ""},
    {"t:AbsoluteYearlyRecurrence", ',', "t:DayOfMonth! t:Month!", ""},
    {"t:RelativeMonthlyRecurrence", ',',
	"t:Interval! t:DaysOfWeek! t:DayOfWeekIndex!", ""},
    {"t:AbsoluteMonthlyRecurrence", ',', "t:Interval! t:DayOfMonth!", ""},
    {"t:WeeklyRecurrence", ',', "t:Interval! t:DaysOfWeek! t:FirstDayOfWeek",
	""},
    {"t:DailyRecurrence", ',', "t:Interval!", ""},
    {"t:NoEndRecurrence", ',', "t:StartDate!", ""},
    {"t:EndDateRecurrence", ',', "t:StartDate! t:EndDate!", ""},
    {"t:NumberedRecurrence", ',', "t:StartDate! t:NumberOfOccurrences!", ""},
    {"t:StartTimeZone", '*', "", "Id Name"},
    {"t:EndTimeZone", '*', "", "Id Name"},
    {"t:MeetingTimeZone", '*', "", "TimeZoneName"},
    {"m:UpdateItem", ',', "m:SavedItemFolderId m:ItemChanges!",
	"ConflictResolution! MessageDisposition "
	"SendMeetingInvitationsOrCancellations SuppressReadReceipts"},
    {"m:ItemChanges", '|', "t:ItemChange", ""},
    {"t:ItemChange", ',', ITEM_IDS " t:Updates!", ""},
    {"t:Updates", '|', "t:AppendToItemField t:SetItemField t:DeleteItemField",
	""},
    {"t:AppendToItemField", ',', PATH " t:CalendarItem!", ""},
    {"t:SetItemField", ',', PATH " t:CalendarItem!", ""},
    {"t:DeleteItemField", '1', PATH, ""},
    {"m:DeleteItem", ',', "m:ItemIds!",
	"DeleteType! SendMeetingCancellations AffectedTaskOccurrences "
	"SuppressReadReceipts"},
    {"m:GetFolder", ',', "m:FolderShape! m:FolderIds!", ""},
    {"m:FolderIds", '|', FOLDER_IDS, ""},
    {"m:GetServerTimeZones", ',', "m:Ids", "ReturnFullTimeZoneData"},
    {"m:Ids", '|', "t:Id", ""},
    {"m:ResolveNames", ',', "m:ParentFolderIds m:UnresolvedEntry!",
	"ReturnFullContactData! SearchScope ContactDataShape"},
    {"m:GetRoomLists", ',', "", ""},
    {"m:GetRooms", ',', "m:RoomList!", ""},
    {"m:RoomList", ',',
	"t:Name t:EmailAddress t:RoutingType t:MailboxType t:ItemId", ""},
};

static const struct {
	const char *name;
	const char *values;
} enums[] = {
    {"t:BaseShape", "IdOnly Default AllProperties PcxPeopleSearch"},
    {"t:Sensitivity", "Normal Personal Private Confidential"},
    {"t:Importance", "Low Normal High"},
    {"t:LegacyFreeBusyStatus",
	"Free Tentative Busy OOF WorkingElsewhere NoData"},
    {"t:BodyType", "Best HTML Text"},
    {"t:DayOfWeekIndex", "First Second Third Fourth Last"},
    {"m:SyncScope", "NormalItems NormalAndAssociatedItems"},
    {"t:IsAllDayEvent", "true false 0 1"},
    {"t:ReminderIsSet", "true false 0 1"},
    {"t:IsResponseRequested", "true false 0 1"},
    {"@BodyType", "HTML Text"},
    {"@Traversal", "Shallow SoftDeleted Associated"},
    {"@DeleteType", "HardDelete SoftDelete MoveToDeletedItems"},
    {"@ConflictResolution", "NeverOverwrite AutoResolve AlwaysOverwrite"},
    {"@MessageDisposition", "SaveOnly SendOnly SendAndSaveCopy"},
    {"@SendMeetingInvitations",
	"SendToNone SendOnlyToAll SendToAllAndSaveCopy"},
    {"@SendMeetingCancellations",
	"SendToNone SendOnlyToAll SendToAllAndSaveCopy"},
    {"@SendMeetingInvitationsOrCancellations",
	"SendToNone SendOnlyToAll SendOnlyToChanged SendToAllAndSaveCopy "
	"SendToChangedAndSaveCopy"},
    {"@PropertyType",
	"ApplicationTime ApplicationTimeArray Binary BinaryArray Boolean "
	"CLSID CLSIDArray Currency CurrencyArray Double DoubleArray Error "
	"Float FloatArray Integer IntegerArray Long LongArray Null Object "
	"ObjectArray Short ShortArray SystemTime SystemTimeArray String "
	"StringArray"},
};

static const struct rule *
rule_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

/* The place of a word in a list of words, marks behind it left out. */
static const char *
word_find(const char *words, const char *name)
{
	size_t n = strlen(name), len;

	while (*words != '\0') {
		len = strcspn(words, " *!");
		if (len == n && strncmp(words, name, n) == 0)
			return words;
		words += strcspn(words, " ");
		words += strspn(words, " ");
	}
	return NULL;
}

static int
invalid(char **why, const struct node *n, const char *what, const char *name)
{
	*why = text_print("The request failed schema validation: The element "
			  "'%s' %s '%s'.",
	    n->name, what, name);
	return -1;
}

/* Words that must be there but were passed over between two children. */
static int
sequence_skips(
    const struct node *n, const char *from, const char *to, char **why)
{
	char name[64];
	size_t len;

	while (from < to) {
		len = strcspn(from, " ");
		if (len > 0 && from[len - 1] == '!' && len < sizeof(name)) {
			memcpy(name, from, len - 1);
			name[len - 1] = '\0';
			return invalid(why, n, "lacks the element", name);
		}
		from += len;
		from += strspn(from, " ");
	}
	return 0;
}

static int
sequence_check(const struct node *n, const char *words, char **why)
{
	const char *at = words, *hit;
	const struct node *c;
	size_t len;

	for (c = n->first; c != NULL; c = c->next) {
		if ((hit = word_find(at, c->name)) == NULL)
			return invalid(why, n,
			    word_find(words, c->name)
				? "has out of order or twice the child element"
				: "has invalid child element",
			    c->name);
		if (sequence_skips(n, at, hit, why) == -1)
			return -1;
		len = strcspn(hit, " ");
		at = hit[len - 1] == '*' ? hit : hit + len;
		at += strspn(at, " ");
	}
	return sequence_skips(n, at, at + strlen(at), why);
}

static int
value_check(const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(enums) / sizeof(enums[0]); i++)
		if (strcmp(enums[i].name, name) == 0)
			return word_find(enums[i].values, value) != NULL;
	return 1;
}

static int
attrs_check(const struct node *n, const char *words, char **why)
{
	char name[64];
	const char *at;
	size_t i, len;

	for (i = 0; i < n->nattrs; i++) {
		at = n->attrs[i].name;
		if (strchr(at, ' ') != NULL) /* of a namespace: soap, xml */
			continue;
		(void)snprintf(name, sizeof(name), "@%s", at);
		if (word_find(words, at) == NULL)
			return invalid(why, n, "has no attribute", at);
		if (!value_check(name, n->attrs[i].value))
			return invalid(
			    why, n, "has a bad value of the attribute", at);
	}
	for (at = words; *at != '\0'; at += strspn(at, " ")) {
		len = strcspn(at, " ");
		if (at[len - 1] == '!' && len < sizeof(name)) {
			memcpy(name, at, len - 1);
			name[len - 1] = '\0';
			if (node_attr(n, name) == NULL)
				return invalid(
				    why, n, "lacks the attribute", name);
		}
		at += len;
	}
	return 0;
}

static int
children_check(const struct node *n, const struct rule *rule, char **why)
{
	const struct node *c;

	if (rule->kind == ',')
		return sequence_check(n, rule->children, why);
	if (rule->kind == '1' && (n->first == NULL || n->first->next != NULL))
		return invalid(why, n, "needs just one of", rule->children);
	for (c = n->first; c != NULL; c = c->next)
		if (word_find(rule->children, c->name) == NULL)
			return invalid(
			    why, n, "has invalid child element", c->name);
	return 0;
}

/* 0, or -1 with what is wrong in *why, to be freed. */
int
schema_check(const struct node *n, char **why)
{
	const struct rule *rule = rule_of(n->name);
	const struct node *c;

	if (rule == NULL) {
		if (n->first != NULL || n->nattrs > 0)
			return invalid(why, n, "is not known here", n->name);
		if (!value_check(n->name, n->text ? n->text : ""))
			return invalid(
			    why, n, "has a bad value", n->text ? n->text : "");
		return 0;
	}
	if (attrs_check(n, rule->attrs, why) == -1)
		return -1;
	if (rule->kind == '*')
		return 0;
	if (children_check(n, rule, why) == -1)
		return -1;
	for (c = n->first; c != NULL; c = c->next)
		if (schema_check(c, why) == -1)
			return -1;
	return 0;
}
