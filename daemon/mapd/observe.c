/*
 * observe.c: from a booking as an adapter sends it to a booking as mapd sees
 * it: instants, key, fingerprint; and the contents an action needs.
 *
 * Here is the one place where a date becomes an instant: an all-day booking is
 * midnight to midnight in the room's zone, whatever zone it was made in.
 */
#include "mapd/mapd.h"
#include "lib/marks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BRIEF_CHARS 100                 /* TOPdesk: briefDescription */
#define TIME_MOST INT64_C(253402214400) /* 9999-12-31 */

/* The instant at which a date (its UTC midnight) begins in zone. */
static int64_t
date_begins(const char *zone, int64_t date)
{
	static char current[128];
	time_t d = (time_t)date;
	struct tm tm;

	if (strcmp(current, zone) != 0) {
		snprintf(current, sizeof(current), "%s", zone);
		setenv("TZ", current, 1);
		tzset();
	}
	if (gmtime_r(&d, &tm) == NULL)
		return date;
	tm.tm_isdst = -1;
	/* Where midnight does not exist (DST), mktime gives the first instant
	 * after it. */
	return (int64_t)mktime(&tm);
}

/* Whoever sends a time, arithmetic with it must not overflow. */
static int64_t
time_bounded(int64_t t)
{
	return t < 0 ? 0 : t > TIME_MOST ? TIME_MOST : t;
}

static void
times_of(const struct conf_room *room, const struct booking *b, struct seen *s)
{
	s->start = time_bounded(b->start);
	s->end = time_bounded(b->end);
	if (b->all_day) {
		s->start = date_begins(room->zone, s->start);
		s->end = date_begins(room->zone, s->end);
	}
	s->start -= s->start % 60;
	s->end -= s->end % 60;
	if (s->end <= s->start)
		s->end = s->start + 60;
}

static char *
pack(char **p, const char *s)
{
	size_t n = strlen(s) + 1;
	char *at = *p;

	memcpy(at, s, n);
	*p += n;
	return at;
}

static struct content *
content_new(const char *remote, const char *series, const char *subject,
    const char *organiser, const char *body, const char *uid)
{
	size_t n = strlen(remote) + strlen(series) + strlen(subject) +
	    strlen(organiser) + strlen(body) + strlen(uid) + 6;
	struct content *c = calloc(1, sizeof(*c) + n);
	char *p;

	if (c == NULL)
		return NULL;
	p = c->strings;
	c->remote_id = pack(&p, remote);
	c->series_id = pack(&p, series);
	c->subject = pack(&p, subject);
	c->organiser = pack(&p, organiser);
	c->body = pack(&p, body);
	c->uid = pack(&p, uid);
	for (p = c->organiser; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return c;
}

/* The same on both sides, whatever the case of the letters. */
uint64_t
person_hash(const struct mapd *m, const char *address)
{
	char lower[255];
	size_t i;

	for (i = 0; i < sizeof(lower) - 1 && address[i]; i++)
		lower[i] = (char)tolower((unsigned char)address[i]);
	lower[i] = '\0';
	return i ? seal_hash(m->seal, lower) : 0;
}

struct content *
content_of(
    struct mapd *m, size_t room, const struct booking *b, const char **why)
{
	const struct conf_room *r = m->rooms[room].conf;
	char brief[BRIEF_MAX];
	struct content *c;

	*why = NULL;
	if (b->uid[0] == '\0' || b->remote_id[0] == '\0') {
		*why = "Exchange sent a booking without uid or id";
		return NULL;
	}
	if (b->end <= 0 || b->start <= 0 || b->start > TIME_MOST ||
	    b->end > TIME_MOST || b->marks & MARK_BROKEN) {
		*why = "Exchange sent a booking whose times cannot be read";
		return NULL;
	}
	c = content_new(b->remote_id, b->series_id,
	    b->private_ ? "" : b->subject, b->organiser,
	    m->conf->policy.body ? b->body : "", b->uid);
	if (c == NULL) {
		*why = "no memory";
		return NULL;
	}
	identity_key(r->mailbox, b->uid, b->original_start, c->s.key);
	times_of(r, b, &c->s);
	c->s.group = seal_hash(m->seal, b->uid);
	c->s.person = person_hash(m, c->organiser);
	c->original_start = b->original_start;
	c->s.state = b->state;
	c->s.marks = b->marks;
	c->attendees = b->attendee_count;
	if (b->private_)
		c->s.marks |= MARK_PRIVATE;
	brief_of(m, c, brief);
	brief_print(m, brief, c->s.print);
	return c;
}

int
reservation_of(
    struct mapd *m, size_t room, const struct booking *b, struct reservation *r)
{
	unsigned gen = 0;

	memset(r, 0, sizeof(*r));
	if (b->remote_id[0] == '\0' || strlen(b->remote_id) >= sizeof(r->id) ||
	    strlen(b->number) >= sizeof(r->number))
		return -1;
	strcpy(r->id, b->remote_id);
	strcpy(r->number, b->number);
	if (b->marks & MARK_FOREIGN_LINK)
		r->s.link = LINK_FOREIGN;
	else if (b->link[0] && identity_parse(b->link, r->s.key, &gen) == 0)
		r->s.link = LINK_OURS;
	else if (b->link[0])
		r->s.link = LINK_FOREIGN;
	times_of(m->rooms[room].conf, b, &r->s);
	r->s.block_start = time_bounded(b->block_start);
	r->s.block_end = time_bounded(b->block_end);
	r->s.person = person_hash(m, b->organiser);
	r->s.gen = (uint8_t)gen;
	r->s.state = b->state;
	r->s.marks = b->marks;
	r->s.changed = (int64_t)seal_hash(m->seal, b->change_tag);
	brief_print(m, b->subject, r->s.print);
	return 0;
}

/* Cuts at BRIEF_CHARS characters (not bytes), as TOPdesk counts. */
static void
cut_brief(char *s)
{
	size_t n = 0;

	for (; *s; s++)
		if (((unsigned char)*s & 0xc0) != 0x80 && n++ == BRIEF_CHARS) {
			*s = '\0';
			return;
		}
}

void
brief_of(const struct mapd *m, const struct content *c, char brief[BRIEF_MAX])
{
	const struct conf_policy *p = &m->conf->policy;
	const char *s = p->placeholder;

	if (c->s.marks & MARK_PRIVATE)
		s = p->private_placeholder;
	else if (p->subject == CONF_SUBJECT_KEEP && c->subject[0])
		s = c->subject;
	else if (p->subject == CONF_SUBJECT_ORGANISER)
		s = c->organiser;
	if (s[0] == '\0')
		s = p->placeholder;
	wire_clean(brief, BRIEF_MAX, s, BRIEF_MAX - 1);
	cut_brief(brief);
}

void
brief_print(const struct mapd *m, const char *brief, uint8_t out[PRINT_LEN])
{
	char cut[BRIEF_MAX];
	const char *parts[1] = {cut};

	wire_clean(cut, sizeof(cut), brief, sizeof(cut) - 1);
	cut_brief(cut);
	seal_print(m->seal, out, 1, parts);
}

int
payload_put(struct wire_out *w, int64_t base, const struct content *c)
{
	wire_put_i64(w, base);
	wire_put_u8(w, c != NULL);
	if (c == NULL)
		return w->err;
	wire_put_bytes(
	    w, (struct wire_bytes){c->s.print, PRINT_LEN}, PRINT_LEN);
	wire_put_i64(w, c->s.start);
	wire_put_i64(w, c->s.end);
	wire_put_u64(w, c->s.group);
	wire_put_u16(w, c->s.marks);
	wire_put_u8(w, c->s.state);
	wire_put_u32(w, c->attendees);
	wire_put_str(w, c->subject, 1020);
	wire_put_str(w, c->organiser, 254);
	wire_put_str(w, c->body, 4096);
	wire_put_str(w, c->uid, 512);
	wire_put_str(w, c->remote_id, 512);
	wire_put_i64(w, c->original_start);
	return w->err;
}

int
payload_get(struct wire_bytes b, int64_t *base, struct content **out)
{
	struct wire_in in = {b.p, b.p + b.len, 0};
	struct wire_bytes print;
	struct seen s = {0};
	const char *subject, *organiser, *body, *uid, *remote;
	uint32_t attendees;
	int64_t original;
	struct content *c;
	uint8_t has;

	*out = NULL;
	wire_get_i64(&in, base);
	if (wire_get_u8(&in, &has) == 0 && !has)
		return wire_end(&in);
	wire_get_bytes(&in, &print, PRINT_LEN);
	wire_get_i64(&in, &s.start);
	wire_get_i64(&in, &s.end);
	wire_get_u64(&in, &s.group);
	wire_get_u16(&in, &s.marks);
	wire_get_u8(&in, &s.state);
	wire_get_u32(&in, &attendees);
	wire_get_str(&in, &subject, 1020);
	wire_get_str(&in, &organiser, 254);
	wire_get_text(&in, &body, 4096);
	uid = remote = "";
	original = 0;
	/* What the version before journaled ends here. */
	if (in.p < in.end) {
		wire_get_str(&in, &uid, 512);
		wire_get_str(&in, &remote, 512);
		wire_get_i64(&in, &original);
	}
	if (wire_end(&in) || print.len != PRINT_LEN)
		return -1;
	c = content_new(remote, "", subject, organiser, body, uid);
	if (c == NULL)
		return -1;
	c->s = s;
	c->original_start = original;
	c->attendees = attendees;
	memcpy(c->s.print, print.p, PRINT_LEN);
	*out = c;
	return 0;
}
