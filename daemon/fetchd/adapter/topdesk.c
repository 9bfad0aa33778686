/* topdesk.c: paths and bodies sent to TOPdesk.  See topdesk.h. */
#include "fetchd/adapter/topdesk.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/jstr.h"
#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/query.h"

/* Only what a booking has a field for, or a mark, is asked for. */
#define FIELDS                                                                 \
	"&$fields=id,number,status,archived,briefDescription,numberOfPersons," \
	"plannedStartDate,plannedEndDate,modificationDate,requester.email,"    \
	"series.id,externalLinks,reservedFacilities.location.id,"              \
	"reservedFacilities.startDateBlock,reservedFacilities.endDateBlock,"   \
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

const char *
topdesk_flags(const struct conf_topdesk *t, enum topdesk_flag_for what)
{
	static const char *const flags[][4] = {
	    [TOPDESK_FOR_CANCEL] = {"", "?allowPassedLeadTimes=true", "",
		"?allowPassedLeadTimes=true"},
	    [TOPDESK_FOR_CHANGE] = {"", "?allowPassedLeadTimes=true",
		"?allowServicesOutsideServiceWindow=true",
		"?allowPassedLeadTimes=true&"
		"allowServicesOutsideServiceWindow=true"},
	    [TOPDESK_FOR_RESCHEDULE] = {"", "?allowPassedLeadTimes=true",
		"?allowServicesOutsideServiceWindow=true&"
		"allowServicesOutsideReservation=true",
		"?allowPassedLeadTimes=true&"
		"allowServicesOutsideServiceWindow=true&"
		"allowServicesOutsideReservation=true"}};

	return flags[what][(t->allow_passed_lead_times ? 1 : 0) |
	    (t->allow_services_outside_window ? 2 : 0)];
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

static void
time_member(struct strbuf *b, const char *name, int64_t at)
{
	char t[MOMENT_TEXT];

	jstr_member(b, name, moment_text(at, t));
}

static void
person_member(struct strbuf *b, const char *person)
{
	jstr_object(b, "requester");
	jstr_member(b, "id", person);
	strbuf_ch(b, '}');
}

static void
description_member(struct strbuf *b, const char *subject)
{
	char text[4 * TOPDESK_DESCRIPTION + 1];

	topdesk_cut(text, sizeof(text), subject, TOPDESK_DESCRIPTION);
	if (*text)
		jstr_member(b, "briefDescription", text);
}

static void
link_member(struct strbuf *b, const char *link, const char *type, int64_t now)
{
	jstr_object(b, "externalLink");
	jstr_member(b, "id", link);
	jstr_member(b, "type", type);
	time_member(b, "date", now);
	strbuf_ch(b, '}');
}

int
topdesk_body_create(struct strbuf *b, const struct msg_adapter_create *m,
    const char *link_type, const char *fallback_person, int64_t now)
{
	strbuf_reset(b);
	strbuf_ch(b, '{');
	person_member(b, *m->person ? m->person : fallback_person);
	time_member(b, "plannedStartDate", m->start);
	time_member(b, "plannedEndDate", m->end);
	strbuf_str(b, ",\"reservedFacilities\":[{\"location\":{");
	jstr_member(b, "id", m->room);
	strbuf_str(b, "}}]");
	description_member(b, m->subject);
	/* The DTO allows 0 to 99999. */
	if (m->attendee_count > 0)
		strbuf_fmt(b, ",\"numberOfPersons\":%u",
		    m->attendee_count > 99999 ? 99999u
					      : (unsigned)m->attendee_count);
	/* The link can be set once only, so it goes into the POST itself. */
	if (*m->link)
		link_member(b, m->link, link_type, now);
	if (*m->body)
		jstr_member(b, "notes", m->body);
	return strbuf_ch(b, '}');
}

int
topdesk_body_reschedule(struct strbuf *b, int64_t start, int64_t end)
{
	strbuf_reset(b);
	strbuf_ch(b, '{');
	time_member(b, "plannedStartDate", start);
	time_member(b, "plannedEndDate", end);
	return strbuf_ch(b, '}');
}

int
topdesk_body_move(struct strbuf *b, const char *from, const char *to)
{
	strbuf_reset(b);
	strbuf_str(b, "{\"from\":{\"location\":{");
	jstr_member(b, "id", from);
	strbuf_str(b, "}},\"to\":{\"location\":{");
	jstr_member(b, "id", to);
	return strbuf_str(b, "}}}");
}

int
topdesk_body_edit(struct strbuf *b, const struct msg_adapter_edit *m,
    const char *link_type, int64_t now)
{
	strbuf_reset(b);
	strbuf_ch(b, '{');
	description_member(b, m->subject);
	if (*m->person)
		person_member(b, m->person);
	if (*m->link)
		link_member(b, m->link, link_type, now);
	return strbuf_ch(b, '}');
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

int
topdesk_body_cancel(struct strbuf *b, const char *reason)
{
	strbuf_reset(b);
	if (*reason == '\0')
		return 0;
	strbuf_ch(b, '{');
	jstr_member(b, is_uuid(reason) ? "id" : "name", reason);
	return strbuf_ch(b, '}');
}
