/* ews_read.c: see ews_read.h. */
#include "fetchd/adapter/ews_read.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/tag.h"

#define NS "http://schemas.microsoft.com/exchange/services/2006/"
#define TYPES NS "types|"
#define MESSAGES NS "messages|"
#define ERRORS NS "errors|"
#define SOAP "http://schemas.xmlsoap.org/soap/envelope/|"
#define BYTES_MAX (64UL * 1024 * 1024)

struct ews_reader {
	XML_Parser xml;
	const struct ews_reading *reading;
	void *arg;
	char stack[EWS_DEPTH][32]; /* local names; "" is nobody's */
	unsigned depth;
	unsigned item_depth; /* 0: not in one */
	struct ews_item item;
	struct ews_message m;
	unsigned message_depth, messages;
	struct strbuf state, text;
	struct strbuf *into; /* where text goes; NULL: nowhere */
	size_t into_max;
	unsigned into_depth;
	enum ews_field property; /* which one an extended property is */
	struct strbuf mailbox, routing, said; /* of the resource that is open */
	unsigned long bytes;
	const char *why;
};

static const struct leaf {
	const char *name;
	enum ews_field field;
	size_t max;
} leaves[] = {{"Subject", EWS_SUBJECT, 1020},
    {"Sensitivity", EWS_SENSITIVITY, 40}, {"Body", EWS_BODY, 4096},
    {"UID", EWS_UID, 512}, {"RecurrenceId", EWS_RECURRENCE_ID, 60},
    {"Start", EWS_START, 60}, {"End", EWS_END, 60},
    {"OriginalStart", EWS_ORIGINAL, 60}, {"IsAllDayEvent", EWS_ALL_DAY, 20},
    {"LegacyFreeBusyStatus", EWS_SHOW_AS, 40},
    {"IsCancelled", EWS_CANCELLED, 20}, {"CalendarItemType", EWS_TYPE, 40},
    {"MyResponseType", EWS_MY_RESPONSE, 40},
    {"AppointmentState", EWS_STATE, 20}};

static void
refuse(struct ews_reader *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
	XML_StopParser(r->xml, XML_FALSE);
}

static void
item_clear(struct ews_item *it)
{
	for (int i = 0; i < EWS_FIELDS; i++)
		strbuf_reset(&it->f[i]);
	it->attendees = it->resources = 0;
	it->deleted = it->cut = it->unlisted = 0;
}

/* The name of the n-th element from the top; 0 is the one that is open. */
static const char *
above(const struct ews_reader *r, unsigned n)
{
	return n < r->depth ? r->stack[r->depth - 1 - n] : "";
}

static void
collect(struct ews_reader *r, struct strbuf *b, size_t max)
{
	strbuf_reset(b);
	r->into = b;
	r->into_max = max;
	r->into_depth = r->depth;
}

static void
field(struct ews_reader *r, enum ews_field f, size_t max)
{
	collect(r, &r->item.f[f], max);
}

static const char *
attribute(const char **attrs, const char *name)
{
	for (; *attrs; attrs += 2)
		if (strcmp(attrs[0], name) == 0)
			return attrs[1];
	return "";
}

static void
item_ids(struct ews_reader *r, const char **attrs)
{
	const char *id = attribute(attrs, "Id");
	const char *key = attribute(attrs, "ChangeKey");

	if (strlen(id) > 512 || strlen(key) > 256) {
		r->item.cut = 1;
		return;
	}
	strbuf_reset(&r->item.f[EWS_ID]);
	strbuf_reset(&r->item.f[EWS_KEY]);
	strbuf_str(&r->item.f[EWS_ID], id);
	strbuf_str(&r->item.f[EWS_KEY], key);
}

static int
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Of the extended properties that were asked for (ews_soap.c). */
static enum ews_field
property_of(const char **attrs)
{
	if (is(attribute(attrs, "PropertyName"), TAG_NAME))
		return EWS_TAG;
	if (is(attribute(attrs, "PropertyId"), "35"))
		return EWS_THREAD;
	if (strcasecmp(attribute(attrs, "PropertyTag"), "0x5D02") == 0)
		return EWS_SENDER;
	return EWS_FIELDS;
}

static void
zone_id(struct ews_reader *r, const char **attrs)
{
	const char *id = attribute(attrs, "Id");

	strbuf_reset(&r->item.f[EWS_ZONE]);
	if (strlen(id) <= 100)
		strbuf_str(&r->item.f[EWS_ZONE], id);
}

/* One element of who is invited as a resource: the list is at level 1. */
static void
start_in_resource(struct ews_reader *r, const char *name, unsigned level)
{
	if (level == 3 && is(name, "Mailbox")) {
		strbuf_reset(&r->mailbox);
		strbuf_reset(&r->routing);
	} else if (level == 4 && is(name, "EmailAddress"))
		collect(r, &r->mailbox, 1024);
	else if (level == 4 && is(name, "RoutingType"))
		collect(r, &r->routing, 40);
	else if (level == 3 && is(name, "ResponseType"))
		collect(r, &r->said, 40);
}

/* The resource's answer has ended; its letter waits for it. */
static void
end_resource_said(struct ews_reader *r)
{
	struct strbuf *all = &r->item.f[EWS_RESOURCES_SAID];

	if (r->item.resources == 1)
		strbuf_str(&r->item.f[EWS_RESOURCE_SAID], strbuf_get(&r->said));
	if (all->len == r->item.resources && r->said.len)
		all->p[all->len - 1] = r->said.p[0];
}

/* A resource's mailbox has ended: a line of the list, with the type of its
 * address behind a tab where that is not SMTP. */
static void
end_resource(struct ews_reader *r)
{
	struct strbuf *all = &r->item.f[EWS_RESOURCES];
	const char *address = strbuf_get(&r->mailbox);
	const char *routing = strbuf_get(&r->routing);

	strbuf_ch(&r->item.f[EWS_RESOURCES_SAID], '?');
	if (r->item.resources == 1 && r->mailbox.len <= 254)
		strbuf_str(&r->item.f[EWS_RESOURCE], address);
	else if (r->item.resources == 1)
		r->item.cut = 1;
	if (strpbrk(address, "\t\n") || *address == '\0')
		r->item.unlisted = 1;
	else if (*routing == '\0' || strcasecmp(routing, "SMTP") == 0)
		strbuf_fmt(all, "%s\n", address);
	else
		strbuf_fmt(all, "%s\t%s\n", address, routing);
	if (all->err)
		r->item.unlisted = 1;
}

/* An element inside of an item. */
static void
start_in_item(struct ews_reader *r, const char *name, const char **attrs)
{
	unsigned level = r->depth - r->item_depth;
	const char *up = above(r, 1), *list = above(r, 2);

	if (level == 1) {
		if (is(name, "ItemId"))
			item_ids(r, attrs);
		else if (is(name, "StartTimeZone"))
			zone_id(r, attrs);
		for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
			if (is(name, leaves[i].name))
				field(r, leaves[i].field, leaves[i].max);
	} else if (level == 2 && is(up, "ExtendedProperty")) {
		if (is(name, "ExtendedFieldURI"))
			r->property = property_of(attrs);
		else if (is(name, "Value") && r->property != EWS_FIELDS)
			field(r, r->property,
			    r->property == EWS_TAG ? 450 : 1200);
	} else if (is(name, "Attendee") && level == 2) {
		r->item.attendees++;
		r->item.resources += is(up, "Resources");
	} else if (level == 3 && is(list, "Organizer")) {
		if (is(name, "EmailAddress"))
			field(r, EWS_ORGANISER, 1024);
		else if (is(name, "RoutingType"))
			field(r, EWS_ROUTING, 40);
	} else if (is(above(r, level - 1), "Resources"))
		start_in_resource(r, name, level);
}

static void
start_message(struct ews_reader *r, const char **attrs, int fault)
{
	memset(&r->m, 0, sizeof(r->m));
	r->m.index = r->messages++;
	r->m.fault = fault;
	r->m.error = fault || !is(attribute(attrs, "ResponseClass"), "Success");
	r->m.last = 1;
	r->message_depth = r->depth;
}

static void
start_in_message(struct ews_reader *r, const char *name, const char **attrs)
{
	const char *up = above(r, 1);

	if (is(up, "Items") || is(up, "Create") || is(up, "Update") ||
	    (is(up, "Changes") && is(name, "Delete"))) {
		item_clear(&r->item);
		r->item.deleted = is(name, "Delete");
		r->item_depth = r->depth;
	} else if (is(name, "ResponseCode") || is(name, "MessageText") ||
	    is(name, "faultstring") || is(name, "IncludesLastItemInRange")) {
		collect(r, &r->text, 300);
	} else if (is(name, "SyncState")) {
		collect(r, &r->state, EWS_STATE_MAX);
	} else if (is(name, "Value") &&
	    is(attribute(attrs, "Name"), "BackOffMilliseconds")) {
		collect(r, &r->text, 20);
	} else if (is(name, "RootFolder")) {
		r->m.last =
		    !is(attribute(attrs, "IncludesLastItemInRange"), "false");
	}
}

static const char *
local_name(const char *name)
{
	static const char *const known[] = {TYPES, MESSAGES, ERRORS, SOAP};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(name, known[i], strlen(known[i])) == 0)
			return name + strlen(known[i]);
	return strchr(name, '|') ? "" : name; /* faultstring has none */
}

static void XMLCALL
on_start(void *arg, const char *full, const char **attrs)
{
	struct ews_reader *r = arg;
	const char *name = local_name(full);

	if (r->depth == EWS_DEPTH) {
		refuse(r, "it is nested too deeply");
		return;
	}
	r->into = NULL;
	snprintf(r->stack[r->depth++], sizeof(r->stack[0]), "%s", name);
	if (*name == '\0')
		return;
	if (r->depth == 1 && !is(full, SOAP "Envelope"))
		refuse(r, "it is not a SOAP envelope");
	else if (r->item_depth)
		start_in_item(r, name, attrs);
	else if (r->message_depth)
		start_in_message(r, name, attrs);
	else if (is(above(r, 1), "ResponseMessages"))
		start_message(r, attrs, 0);
	else if (is(full, SOAP "Fault"))
		start_message(r, attrs, 1);
}

static void
end_text(struct ews_reader *r, const char *name)
{
	const char *s = strbuf_get(&r->text);
	unsigned long ms;

	if (is(name, "ResponseCode"))
		snprintf(r->m.code, sizeof(r->m.code), "%s", s);
	else if (is(name, "MessageText") || is(name, "faultstring"))
		snprintf(r->m.text, sizeof(r->m.text), "%.159s", s);
	else if (is(name, "IncludesLastItemInRange"))
		r->m.last = is(s, "true");
	else if (is(name, "Value")) {
		ms = strtoul(s, NULL, 10);
		r->m.backoff = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
	}
}

static void XMLCALL
on_end(void *arg, const char *full)
{
	struct ews_reader *r = arg;

	if (r->why || r->depth == 0)
		return;
	if (r->into == &r->text && r->into_depth == r->depth)
		end_text(r, local_name(full));
	r->into = NULL;
	if (r->item_depth && r->depth == r->item_depth + 3 &&
	    is(above(r, 2), "Resources")) {
		if (is(above(r, 0), "Mailbox"))
			end_resource(r);
		else if (is(above(r, 0), "ResponseType"))
			end_resource_said(r);
	}
	if (r->item_depth == r->depth) {
		r->item_depth = 0;
		r->reading->item(r->arg, r->m.index, &r->item);
	} else if (r->message_depth == r->depth) {
		r->message_depth = 0;
		r->reading->message(r->arg, &r->m);
	}
	r->depth--;
}

/* What is longer than its field is cut off where people wrote it, and makes
 * the item unfit where machines did. */
static void XMLCALL
on_text(void *arg, const char *s, int len)
{
	struct ews_reader *r = arg;
	size_t n = (size_t)len;

	if (r->into == NULL || r->into_depth != r->depth)
		return;
	if (r->into->len + n > r->into_max) {
		n = r->into_max - r->into->len;
		if (r->into == &r->item.f[EWS_THREAD] ||
		    r->into == &r->item.f[EWS_SENDER]) {
			strbuf_reset(r->into); /* as if it were not there */
			r->into = NULL;
			return;
		}
		if (r->into == &r->state)
			r->state.err = 1;
		else if (r->into != &r->item.f[EWS_SUBJECT] &&
		    r->into != &r->item.f[EWS_BODY] && r->into != &r->text)
			r->item.cut = 1;
	}
	if (strbuf_add(r->into, s, n) && r->into != &r->state)
		refuse(r, "no memory");
}

static void XMLCALL
on_doctype(void *arg, const char *name, const char *sysid, const char *pubid,
    int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	refuse(arg, "it declares a document type");
}

struct ews_reader *
ews_reader_new(const struct ews_reading *reading, void *arg, unsigned long salt)
{
	struct ews_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	if ((r->xml = XML_ParserCreateNS(NULL, '|')) == NULL) {
		free(r);
		return NULL;
	}
	/* 0 would make expat look for randomness of its own. */
	XML_SetHashSalt(r->xml, salt ? salt : 1);
	XML_SetUserData(r->xml, r);
	XML_SetElementHandler(r->xml, on_start, on_end);
	XML_SetCharacterDataHandler(r->xml, on_text);
	XML_SetStartDoctypeDeclHandler(r->xml, on_doctype);
	r->reading = reading;
	r->arg = arg;
	for (int i = 0; i < EWS_FIELDS; i++)
		strbuf_init(&r->item.f[i], 8192);
	strbuf_init(&r->mailbox, 2048);
	strbuf_init(&r->routing, 64);
	strbuf_init(&r->said, 64);
	strbuf_init(&r->state, EWS_STATE_MAX + 1);
	strbuf_init(&r->text, 1024);
	return r;
}

void
ews_reader_free(struct ews_reader *r)
{
	if (r == NULL)
		return;
	XML_ParserFree(r->xml);
	for (int i = 0; i < EWS_FIELDS; i++)
		strbuf_free(&r->item.f[i]);
	strbuf_free(&r->mailbox);
	strbuf_free(&r->routing);
	strbuf_free(&r->said);
	strbuf_free(&r->state);
	strbuf_free(&r->text);
	free(r);
}

static int
parse(struct ews_reader *r, const void *p, size_t n, int final)
{
	if (r->why)
		return -1;
	r->bytes += n;
	if (r->bytes > BYTES_MAX)
		r->why = "it is larger than 64 MiB";
	else if (XML_Parse(r->xml, p, (int)n, final) != XML_STATUS_OK &&
	    r->why == NULL)
		r->why = XML_ErrorString(XML_GetErrorCode(r->xml));
	return r->why ? -1 : 0;
}

int
ews_reader_feed(struct ews_reader *r, const void *p, size_t n)
{
	return parse(r, p, n, 0);
}

int
ews_reader_end(struct ews_reader *r)
{
	return parse(r, "", 0, 1);
}

const char *
ews_reader_error(const struct ews_reader *r)
{
	return r->why ? r->why : "";
}

const char *
ews_reader_state(const struct ews_reader *r)
{
	return r->state.err ? NULL : strbuf_get(&r->state);
}
