/*
 * ews_fields.c: what a client sets on an item.  Texts are taken at once; times
 * and pattern are gathered first, since they mean something only together with
 * their zone, and are checked before anything of them is taken.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ews.h"

static const char *const lists[] = {
    "t:RequiredAttendees", "t:OptionalAttendees", "t:Resources"};

/* Makes the attendees of one type those of a list, or adds the list's. */
static void
attendees_set(struct meeting *m, const struct node *list,
    enum attendee_type type, int replace)
{
	const struct node *c, *box, *mail, *name;
	size_t k;
	int keep;

	for (k = m->nattendees; replace && k > 0; k--) {
		if (m->attendees[k - 1].type != type)
			continue;
		keep = 0;
		for (c = list ? list->first : NULL; c != NULL; c = c->next) {
			mail = node_child(
			    node_child(c, "t:Mailbox"), "t:EmailAddress");
			keep |= mail && mail->text &&
			    strcasecmp(mail->text, m->attendees[k - 1].email) ==
				0;
		}
		if (!keep)
			meeting_uninvite(m, m->attendees[k - 1].email);
	}
	for (c = list ? list->first : NULL; c != NULL; c = c->next) {
		box = node_child(c, "t:Mailbox");
		mail = node_child(box, "t:EmailAddress");
		name = node_child(box, "t:Name");
		if (mail != NULL && mail->text != NULL)
			(void)meeting_invite(
			    m, mail->text, name ? name->text : NULL, type);
	}
}

static const char *
property_set(struct event *e, const struct node *n)
{
	const struct node *v = node_child(n, "t:Value");
	struct property_path path;
	const char *code =
	    path_read(node_child(n, "t:ExtendedFieldURI"), &path);
	size_t i;

	if (code == NULL && v == NULL)
		code = "ErrorInvalidExtendedPropertyValue";
	if (code == NULL) {
		for (i = 0; i < e->nprops; i++)
			if (property_same(e->props[i].id, path.id))
				break;
		event_property(e, i < e->nprops ? e->props[i].id : path.id,
		    v->text ? v->text : "");
	}
	free(path.id);
	return code;
}

static int
time_field(struct wanted *d, const struct node *n)
{
	if (node_is(n, "t:Start"))
		d->start = n;
	else if (node_is(n, "t:End"))
		d->end = n;
	else if (node_is(n, "t:StartTimeZone"))
		d->zone = n;
	else if (node_is(n, "t:Recurrence"))
		d->recurrence = n;
	else
		return 0;
	return 1;
}

/* Takes one child of a CalendarItem. */
const char *
wanted_field(struct wanted *d, const struct node *n)
{
	static const char *const refused[] = {"t:ItemId", "t:DateTimeReceived",
	    "t:DateTimeCreated", "t:LastModifiedTime", "t:RecurrenceId",
	    "t:OriginalStart", "t:IsMeeting", "t:IsCancelled", "t:IsRecurring",
	    "t:CalendarItemType", "t:MyResponseType", "t:Organizer",
	    "t:AppointmentState", "t:AppointmentSequenceNumber"};
	struct event *e = d->e;
	size_t i;

	if (time_field(d, n))
		return NULL;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (node_is(n, refused[i]))
			return "ErrorInvalidPropertySet";
	for (i = 0; i < 3; i++)
		if (node_is(n, lists[i]))
			attendees_set(e->meeting, n, (enum attendee_type)i, 1);
	if (node_is(n, "t:Subject")) {
		d->subject = n->text ? n->text : "";
		set_text(&e->subject, d->subject);
	} else if (node_is(n, "t:Body"))
		set_text(&e->body, n->text);
	else if (node_is(n, "t:Location"))
		set_text(&e->location, n->text);
	else if (node_is(n, "t:Sensitivity"))
		e->private = strcmp(n->text, "Private") == 0;
	else if (node_is(n, "t:IsAllDayEvent"))
		e->all_day = node_true(n);
	else if (node_is(n, "t:LegacyFreeBusyStatus"))
		e->free = strcmp(n->text, "Free") == 0;
	else if (node_is(n, "t:IsResponseRequested"))
		e->meeting->no_response = !node_true(n);
	else if (node_is(n, "t:ExtendedProperty"))
		return property_set(e, n);
	return NULL;
}

static void
property_clear(struct event *e, const char *id)
{
	size_t i;

	for (i = 0; i < e->nprops; i++)
		if (property_same(e->props[i].id, id)) {
			free(e->props[i].id);
			free(e->props[i].value);
			e->props[i--] = e->props[--e->nprops];
		}
}

/* DeleteItemField: takes a property away by its path. */
const char *
wanted_clear(struct wanted *d, const struct node *path)
{
	const char *uri = node_attr(path, "FieldURI"), *code;
	struct property_path p;
	int f = field_number(uri);

	if (node_is(path, "t:ExtendedFieldURI")) {
		if ((code = path_read(path, &p)) == NULL)
			property_clear(d->e, p.id);
		free(p.id);
		return code;
	}
	if (!field_known(uri))
		return "ErrorSchemaValidation";
	if (f == F_START || f == F_END || f == F_UID || f == F_ALL_DAY)
		return "ErrorInvalidPropertyDelete";
	if (f == F_SUBJECT)
		set_text(&d->e->subject, d->subject = "");
	else if (f == F_BODY)
		set_text(&d->e->body, NULL);
	else if (f == F_LOCATION)
		set_text(&d->e->location, NULL);
	else if (f == F_RECURRENCE)
		d->plain = 1;
	else if (f >= F_REQUIRED && f <= F_RESOURCES)
		attendees_set(d->e->meeting, NULL,
		    (enum attendee_type)(f - F_REQUIRED), 1);
	return NULL;
}

/* A dateTime: with an offset as it says, else on the clock of StartTimeZone,
 * of the TimeZoneContext, or in UTC. */
static int
time_read(const struct ews *w, const struct node *zone, const struct node *n,
    int64_t *t)
{
	const struct zone *z = zone_find(node_attr(zone, "Id"));
	int offset;

	if (when_parse(n->text, t, &offset) == -1)
		return -1;
	if (z == NULL)
		z = w->zone;
	if (!offset && z != NULL)
		*t = zone_utc(z, *t);
	return 0;
}

/* The times a client wants; those that it does not name stay as they are. */
const char *
wanted_times(
    const struct ews *w, const struct wanted *d, int64_t *start, int64_t *end)
{
	if ((d->start != NULL && time_read(w, d->zone, d->start, start)) ||
	    (d->end != NULL && time_read(w, d->zone, d->end, end)))
		return "ErrorSchemaValidation";
	return *end < *start ? "ErrorCalendarEndDateIsEarlierThanStartDate"
			     : NULL;
}

/* All-day: from midnight to midnight on the clock of the creation zone. */
static void
all_day(struct event *e)
{
	int64_t a = zone_wall(e->zone, e->start);
	int64_t b = zone_wall(e->zone, e->end);

	a = day_floor(a) * DAY;
	b = day_floor(b + DAY - 1) * DAY;
	if (b <= a)
		b = a + DAY;
	e->start = zone_utc(e->zone, a);
	e->end = zone_utc(e->zone, b);
}

static const char *
wanted_zone(const struct ews *w, const struct wanted *d, const struct zone **z)
{
	const char *name = node_attr(d->zone, "Id");

	if (d->zone == NULL) {
		if (d->start != NULL && w->zone != NULL && d->e->start == 0)
			*z = w->zone;
		return NULL;
	}
	if (name == NULL && node_child(d->zone, "t:Periods") == NULL)
		return "ErrorCalendarInvalidTimeZone";
	if (zone_find(name) != NULL)
		*z = zone_find(name);
	else if (node_child(d->zone, "t:Periods") == NULL)
		return "ErrorCalendarInvalidTimeZone";
	return NULL;
}

/*
 * Takes times, zone and pattern, when all of them are good; *moved becomes 1
 * when the item stands at another time now.
 */
const char *
wanted_finish(const struct ews *w, struct wanted *d, int *moved)
{
	struct event *e = d->e;
	int64_t start = e->start, end = e->end;
	const struct zone *zone = e->zone;
	struct recurrence *rec = NULL;
	const char *code;

	if ((code = wanted_zone(w, d, &zone)) != NULL ||
	    (code = wanted_times(w, d, &start, &end)) != NULL)
		return code;
	if (d->recurrence != NULL &&
	    (code = recurrence_read(d->recurrence, &rec)) != NULL)
		return code;
	*moved = start != e->start || end != e->end || rec != NULL || d->plain;
	e->start = start;
	e->end = end;
	e->zone = zone;
	if (e->all_day)
		all_day(e);
	if (*moved)
		event_forget_changes(e);
	if (rec != NULL || d->plain) {
		free(e->rec);
		e->rec = rec;
	}
	return NULL;
}
