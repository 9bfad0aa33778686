/*
 * ews_shape.c: the properties that a request names: which there are, which a
 * base shape holds, and how an extended one is called in the store.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ews.h"

#define SHOWN 0x1   /* in BaseShape Default */
#define NO_FIND 0x2 /* FindItem cannot give it */

static const struct {
	const char *uri;
	unsigned int flags;
} fields[F_COUNT] = {
    {"item:ParentFolderId", 0},
    {"item:ItemClass", 0},
    {"item:Subject", SHOWN},
    {"item:Sensitivity", 0},
    {"item:Body", SHOWN | NO_FIND},
    {"item:DateTimeReceived", 0},
    {"item:Size", 0},
    {"item:Importance", 0},
    {"item:IsDraft", 0},
    {"item:DateTimeCreated", 0},
    {"item:ReminderIsSet", 0},
    {"item:ReminderMinutesBeforeStart", 0},
    {"item:HasAttachments", SHOWN},
    {"item:Culture", 0},
    {"item:LastModifiedTime", 0},
    {"item:IsAssociated", 0},
    {"calendar:UID", 0},
    {"calendar:RecurrenceId", 0},
    {"calendar:DateTimeStamp", 0},
    {"calendar:Start", SHOWN},
    {"calendar:End", SHOWN},
    {"calendar:OriginalStart", 0},
    {"calendar:IsAllDayEvent", 0},
    {"calendar:LegacyFreeBusyStatus", SHOWN},
    {"calendar:Location", SHOWN},
    {"calendar:IsMeeting", 0},
    {"calendar:IsCancelled", 0},
    {"calendar:IsRecurring", SHOWN},
    {"calendar:MeetingRequestWasSent", 0},
    {"calendar:IsResponseRequested", 0},
    {"calendar:CalendarItemType", SHOWN},
    {"calendar:MyResponseType", SHOWN},
    {"calendar:Organizer", SHOWN},
    {"calendar:RequiredAttendees", SHOWN | NO_FIND},
    {"calendar:OptionalAttendees", SHOWN | NO_FIND},
    {"calendar:Resources", SHOWN | NO_FIND},
    {"calendar:Duration", 0},
    {"calendar:AppointmentReplyTime", 0},
    {"calendar:AppointmentSequenceNumber", 0},
    {"calendar:AppointmentState", 0},
    {"calendar:Recurrence", SHOWN | NO_FIND},
    {"calendar:FirstOccurrence", SHOWN | NO_FIND},
    {"calendar:LastOccurrence", SHOWN | NO_FIND},
    {"calendar:ModifiedOccurrences", SHOWN | NO_FIND},
    {"calendar:DeletedOccurrences", SHOWN | NO_FIND},
    {"calendar:StartTimeZone", 0},
    {"calendar:EndTimeZone", 0},
    {"calendar:ConferenceType", 0},
    {"calendar:AllowNewTimeProposal", 0},
    {"calendar:IsOnlineMeeting", 0},
    {"calendar:IsOrganizer", 0},
};

/* Properties that exist, but that no item of the simulator has. */
static const char *const others[] = {"item:ItemId", "item:MimeContent",
    "item:Attachments", "item:Categories", "item:InReplyTo", "item:IsSubmitted",
    "item:IsFromMe", "item:IsResend", "item:IsUnmodified",
    "item:InternetMessageHeaders", "item:DateTimeSent", "item:ResponseObjects",
    "item:ReminderDueBy", "item:ReminderNextTime", "item:DisplayTo",
    "item:DisplayCc", "item:EffectiveRights", "item:LastModifiedName",
    "item:WebClientReadFormQueryString", "item:WebClientEditFormQueryString",
    "item:ConversationId", "item:UniqueBody", "item:TextBody",
    "item:StoreEntryId", "item:InstanceKey", "item:NormalizedBody",
    "item:Preview", "item:Flag", "calendar:When",
    "calendar:ConflictingMeetingCount", "calendar:AdjacentMeetingCount",
    "calendar:ConflictingMeetings", "calendar:AdjacentMeetings",
    "calendar:TimeZone", "calendar:MeetingTimeZone",
    "calendar:MeetingWorkspaceUrl", "calendar:NetShowUrl",
    "calendar:StartTimeZoneId", "calendar:EndTimeZoneId",
    "calendar:JoinOnlineMeetingUrl"};

static const struct {
	const char *name, *guid;
} sets[] = {{"Meeting", "6ed8da90-450b-101b-98da-00aa003f1305"},
    {"Appointment", "00062002-0000-0000-c000-000000000046"},
    {"Common", "00062008-0000-0000-c000-000000000046"},
    {"Address", "00062004-0000-0000-c000-000000000046"},
    {"Task", "00062003-0000-0000-c000-000000000046"},
    {"PublicStrings", "00020329-0000-0000-c000-000000000046"},
    {"InternetHeaders", "00020386-0000-0000-c000-000000000046"},
    {"CalendarAssistant", "11000e07-b51b-40d6-af21-caa85edab1d0"},
    {"UnifiedMessaging", "4442858e-a9e3-4e80-b900-317a210cc15b"}};

/* The number of a FieldURI that items have here, or -1. */
int
field_number(const char *uri)
{
	int i;

	for (i = 0; uri != NULL && i < F_COUNT; i++)
		if (strcmp(fields[i].uri, uri) == 0)
			return i;
	return -1;
}

/* Whether the schema has a FieldURI; those of other kinds of items (message:,
 * meeting:, task: ..) may be asked for, and no item has them. */
int
field_known(const char *uri)
{
	size_t i;

	if (uri != NULL && strncmp(uri, "item:", 5) != 0 &&
	    strncmp(uri, "calendar:", 9) != 0)
		return strchr(uri, ':') != NULL;
	for (i = 0; uri != NULL && i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i], uri) == 0)
			return 1;
	return field_number(uri) != -1;
}

/* Whether two names of extended properties mean the same: the case of the
 * set does not count, that of the name does. */
int
property_same(const char *a, const char *b)
{
	const char *p = strchr(a, '}'), *q = strchr(b, '}');

	if (p == NULL || q == NULL || p - a != q - b)
		return strcasecmp(a, b) == 0;
	return strncasecmp(a, b, (size_t)(p - a)) == 0 && strcmp(p, q) == 0;
}

/*
 * An ExtendedFieldURI, named as Graph names it: a property written by one
 * protocol is read by the other.  path->id is the caller's to free.
 */
const char *
path_read(const struct node *n, struct property_path *path)
{
	const char *set = node_attr(n, "DistinguishedPropertySetId");
	const char *guid = node_attr(n, "PropertySetId");
	const char *name = node_attr(n, "PropertyName");
	const char *id = node_attr(n, "PropertyId");
	const char *tag = node_attr(n, "PropertyTag");
	const char *type = node_attr(n, "PropertyType");
	long number = id ? strtol(id, NULL, 10) : 0;
	size_t i;

	memset(path, 0, sizeof(*path));
	path->node = n;
	for (i = 0; set && i < sizeof(sets) / sizeof(sets[0]); i++)
		if (strcmp(sets[i].name, set) == 0)
			break;
	if (tag != NULL) {
		if (set || guid || name || id)
			return "ErrorInvalidExtendedProperty";
		path->id = text_print("%s %s", type, tag);
		return NULL;
	}
	if ((set != NULL) == (guid != NULL) || (name != NULL) == (id != NULL) ||
	    (set && i == sizeof(sets) / sizeof(sets[0])))
		return "ErrorInvalidExtendedProperty";
	if (set != NULL)
		guid = sets[i].guid;
	if (name != NULL)
		path->id = text_print("%s {%s} Name %s", type, guid, name);
	else
		path->id = text_print(
		    "%s {%s} Id 0x%lx", type, guid, (unsigned long)number);
	if (id != NULL && strcasecmp(guid, sets[0].guid) == 0 &&
	    strcmp(type, "Binary") == 0 && (number == 3 || number == 35))
		path->goid = number == 3 ? "own" : "clean";
	return NULL;
}

static const char *
shape_add(struct shape *s, const struct node *n, int find)
{
	const char *uri = node_attr(n, "FieldURI"), *code;
	struct property_path path;
	int i;

	if (node_is(n, "t:ExtendedFieldURI")) {
		if ((code = path_read(n, &path)) != NULL)
			return code;
		s->props = grow(s->props, s->nprops + 1, sizeof(*s->props));
		s->props[s->nprops++] = path;
		return NULL;
	}
	if (node_is(n, "t:IndexedFieldURI"))
		return NULL; /* of contacts: no item here has it */
	if (!field_known(uri))
		return "ErrorSchemaValidation";
	if ((i = field_number(uri)) == -1)
		return NULL;
	if (find && (fields[i].flags & NO_FIND))
		return "ErrorInvalidPropertyRequest";
	s->set |= (uint64_t)1 << i;
	return NULL;
}

/*
 * Reads an ItemShape; find: for FindItem, which cannot give all.  Free the
 * shape in any case.
 */
const char *
shape_read(const struct node *n, int find, struct shape *s)
{
	const struct node *c = node_child(n, "t:BaseShape");
	const char *base = c && c->text ? c->text : "IdOnly", *code = NULL;
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < F_COUNT; i++)
		if ((strcmp(base, "AllProperties") == 0 ||
			(strcmp(base, "Default") == 0 &&
			    (fields[i].flags & SHOWN))) &&
		    !(find && (fields[i].flags & NO_FIND)))
			s->set |= (uint64_t)1 << i;
	c = node_child(n, "t:AdditionalProperties");
	for (c = c ? c->first : NULL; c != NULL && code == NULL; c = c->next)
		code = shape_add(s, c, find);
	return code;
}

void
shape_free(struct shape *s)
{
	size_t i;

	for (i = 0; i < s->nprops; i++)
		free(s->props[i].id);
	free(s->props);
	memset(s, 0, sizeof(*s));
}
