/* topdesk.c: paths and bodies sent to TOPdesk.  See topdesk.h. */
#include "fetchd/adapter/topdesk.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/query.h"

/* Only what a booking has a field for, or a mark, is asked for. */
#define FIELDS                                                                 \
	"&$fields=id,number,status,archived,briefDescription,numberOfPersons," \
	"plannedStartDate,plannedEndDate,modificationDate,requester.email,"    \
	"series.id,externalLinks,reservedFacilities.location.id,"              \
	"reservedFacilities.issueDate,reservedFacilities.reservedServices.id"

/* An expression of ours: what is structure in a URL is encoded. */
static void
expression(struct strbuf *b, const char *s)
{
	char one[2] = {0};

	for (; *s; s++)
		if (strchr("(),:", *s))
			strbuf_ch(b, *s);
		else {
			one[0] = *s;
			query_encode(b, one);
		}
}

static void
date_test(struct strbuf *b, const char *test, int64_t at)
{
	char t[MOMENT_TEXT];

	expression(b, test);
	expression(b, moment_text(at, t));
}

int
topdesk_path_list(struct strbuf *b, const char *const *rooms, size_t n,
    int64_t from, int64_t to, int64_t later_than, int top)
{
	strbuf_reset(b);
	strbuf_str(b, "/reservations?query=");
	expression(b, "reservedFacilities.location.id=in=(");
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_ch(b, ',');
		query_fiql(b, rooms[i]);
	}
	date_test(b, ");plannedEndDate=gt=", from);
	date_test(b, ";plannedStartDate=lt=", to);
	if (later_than > INT64_MIN)
		date_test(b, ";plannedStartDate=ge=", later_than);
	strbuf_str(b, FIELDS);
	strbuf_fmt(b, "&$top=%d", top);
	return b->err;
}

/* Is there room for this value so many times, quoted and all its bytes
 * encoded? */
static int
fits(const struct strbuf *b, const char *value, size_t times)
{
	return b->len + times * (3 * strlen(value) + 8) < TOPDESK_QUERY_MAX;
}

/* v1,v2,... as many as fit, at least one; how many. */
static size_t
values(struct strbuf *b, const char *const *v, size_t n)
{
	size_t i;

	for (i = 0; i < n && (i == 0 || fits(b, v[i], 1)); i++) {
		if (i)
			strbuf_ch(b, ',');
		query_fiql(b, v[i]);
	}
	return i;
}

int
topdesk_path_links(struct strbuf *b, const char *const *links, size_t n,
    const char *type, size_t *used)
{
	strbuf_reset(b);
	strbuf_str(b, "/reservations?query=");
	expression(b, "externalLinks.type==");
	query_fiql(b, type);
	expression(b, ";externalLinks.id=in=(");
	*used = values(b, links, n);
	strbuf_ch(b, ')');
	strbuf_str(b, FIELDS);
	return b->err;
}

int
topdesk_path_numbers(
    struct strbuf *b, const char *const *numbers, size_t n, size_t *used)
{
	strbuf_reset(b);
	strbuf_str(b, "/reservations?query=");
	expression(b, "number=in=(");
	*used = values(b, numbers, n);
	strbuf_ch(b, ')');
	strbuf_str(b, FIELDS);
	return b->err;
}

/* TOPdesk does not say whether it compares addresses by case: where it
 * matters both spellings are asked for. */
int
topdesk_path_persons(
    struct strbuf *b, const char *const *addresses, size_t n, size_t *used)
{
	char lower[255];
	size_t i, k;

	strbuf_reset(b);
	strbuf_str(b, "/persons?query=");
	expression(b, "email=in=(");
	for (i = 0; i < n; i++) {
		if (i > 0 && !fits(b, addresses[i], 2))
			break;
		if (i)
			strbuf_ch(b, ',');
		query_fiql(b, addresses[i]);
		for (k = 0; addresses[i][k] && k < sizeof(lower) - 1; k++)
			lower[k] =
			    (char)tolower((unsigned char)addresses[i][k]);
		lower[k] = '\0';
		if (strcmp(lower, addresses[i]) != 0) {
			strbuf_ch(b, ',');
			query_fiql(b, lower);
		}
	}
	*used = i;
	expression(b, ");archived==false");
	strbuf_str(b, "&pageSize=1000&fields=id,email,dynamicName,archived");
	return b->err;
}

int
topdesk_path_one(struct strbuf *b, const char *id)
{
	strbuf_reset(b);
	strbuf_str(b, "/reservations/");
	query_segment(b, id);
	return b->err;
}

/* --- bodies ------------------------------------------------------------------- */

void
topdesk_cut(char *dst, size_t cap, const char *src, size_t max)
{
	size_t n = 0, chars = 0;

	while (src[n] && chars < max) {
		n++;
		while ((src[n] & 0xc0) == 0x80)
			n++;
		if (n >= cap)
			break;
		chars++;
	}
	while (n >= cap)
		for (n--; n > 0 && (src[n] & 0xc0) == 0x80; n--)
			;
	memcpy(dst, src, n);
	dst[n] = '\0';
}

static json_t *
time_value(int64_t at)
{
	char t[MOMENT_TEXT];

	return json_string(moment_text(at, t));
}

static char *
dump(json_t *o)
{
	char *s = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return s;
}

static json_t *
link_value(const char *link, const char *type, int64_t now)
{
	return json_pack("{s:s, s:s, s:o}", "id", link, "type", type, "date",
	    time_value(now));
}

char *
topdesk_body_create(const struct msg_adapter_create *m, const char *link_type,
    const char *fallback_person, int64_t now)
{
	char text[4 * TOPDESK_DESCRIPTION + 1];
	json_t *o = json_pack("{s:{s:s}, s:o, s:o, s:[{s:{s:s}}]}", "requester",
	    "id", *m->person ? m->person : fallback_person, "plannedStartDate",
	    time_value(m->start), "plannedEndDate", time_value(m->end),
	    "reservedFacilities", "location", "id", m->room);

	topdesk_cut(text, sizeof(text), m->subject, TOPDESK_DESCRIPTION);
	if (*text)
		json_object_set_new(o, "briefDescription", json_string(text));
	/* The DTO allows 0 to 99999. */
	if (m->attendee_count > 0)
		json_object_set_new(o, "numberOfPersons",
		    json_integer(
			m->attendee_count > 99999 ? 99999 : m->attendee_count));
	/* The link can be set once only, so it goes into the POST itself. */
	if (*m->link)
		json_object_set_new(
		    o, "externalLink", link_value(m->link, link_type, now));
	if (*m->body)
		json_object_set_new(o, "notes", json_string(m->body));
	return dump(o);
}

char *
topdesk_body_reschedule(int64_t start, int64_t end)
{
	return dump(json_pack("{s:o, s:o}", "plannedStartDate",
	    time_value(start), "plannedEndDate", time_value(end)));
}

char *
topdesk_body_move(const char *from, const char *to)
{
	return dump(json_pack("{s:{s:{s:s}}, s:{s:{s:s}}}", "from", "location",
	    "id", from, "to", "location", "id", to));
}

char *
topdesk_body_edit(
    const struct msg_adapter_edit *m, const char *link_type, int64_t now)
{
	char text[4 * TOPDESK_DESCRIPTION + 1];
	json_t *o = json_object();

	topdesk_cut(text, sizeof(text), m->subject, TOPDESK_DESCRIPTION);
	if (*text)
		json_object_set_new(o, "briefDescription", json_string(text));
	if (*m->person)
		json_object_set_new(
		    o, "requester", json_pack("{s:s}", "id", m->person));
	if (*m->link)
		json_object_set_new(
		    o, "externalLink", link_value(m->link, link_type, now));
	return dump(o);
}

/* 8-4-4-4-12 hexadecimal digits. */
static int
is_uuid(const char *s)
{
	size_t i;

	for (i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return 0;
		} else if (!isxdigit((unsigned char)s[i]))
			return 0;
	return s[i] == '\0';
}

char *
topdesk_body_cancel(const char *reason)
{
	if (*reason == '\0')
		return strdup("");
	return dump(
	    json_pack("{s:s}", is_uuid(reason) ? "id" : "name", reason));
}
