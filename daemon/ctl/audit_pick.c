/*
 * audit_pick.c: the options that choose records, and the choosing.  See
 * audit_pick.h.
 *
 * A word that cannot match anything (a process that is none, a lease with a
 * letter in it) is an error and not an empty answer: who looks for evidence
 * must not take a slip of the pen for "there was nothing".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/audit_pick.h"
#include "ctl/ctl.h"

#define BOOKING_MIN 4 /* digits */
#define BOOKING_MAX 64
#define LINK_MAX 52  /* 32 bytes in base32 */
#define LINK "orb1:" /* what conflicts and problems show: base32 */

static const char hex_digits[] = "0123456789abcdef";
static const char link_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

const char *
audit_text(const json_t *r, const char *name)
{
	const char *s = json_string_value(json_object_get(r, name));

	return s ? s : "";
}

int64_t
audit_realtime(const json_t *r)
{
	return strtoll(audit_text(r, "realtime"), NULL, 10);
}

/* --- the options ------------------------------------------------------------- */

static int
take_time(const char *option, const char *value, int64_t *ns)
{
	if (audit_time(value, time(NULL), ns) == 0)
		return CTL_OK;
	return ctl_error(CTL_USAGE, "--%s: \"%s\" is no time; give %s", option,
	    value, audit_time_forms);
}

static int
take_booking(struct audit_pick *p, const char *value)
{
	int is_link = strncmp(value, LINK, strlen(LINK)) == 0;
	const char *from = is_link ? value + strlen(LINK) : value;
	size_t n = strspn(from, is_link ? link_digits : hex_digits);

	/* A link may end in the generation of its reservation. */
	if (n < BOOKING_MIN || n > (is_link ? LINK_MAX : BOOKING_MAX) ||
	    (from[n] && !(is_link && from[n] == '.')))
		return ctl_error(CTL_USAGE,
		    "--booking: \"%s\" is not how a booking's identity begins: "
		    "give at least %d of its digits (0-9, a-f) as audit tail "
		    "shows them, or orb1:... as conflicts and problems do",
		    value, BOOKING_MIN);
	p->booking = value;
	return CTL_OK;
}

static int
take_process(struct audit_pick *p, const char *value)
{
	static const char *const known[] = {
	    "mapd", "keyd", "http", "http@exchange", "http@topdesk", "ledgerd"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(value, known[i]) == 0) {
			p->process = value;
			return CTL_OK;
		}
	return ctl_error(CTL_USAGE,
	    "--process: \"%s\" records nothing; give mapd, keyd, http, "
	    "http@exchange, http@topdesk or ledgerd",
	    value);
}

static int
take_upstream(struct audit_pick *p, const char *value)
{
	if (strcmp(value, "exchange") && strcmp(value, "topdesk"))
		return ctl_error(
		    CTL_USAGE, "\"%s\" is neither exchange nor topdesk", value);
	p->upstream = value;
	return CTL_OK;
}

static int
take_lease(struct audit_pick *p, const char *value)
{
	size_t n = strspn(value, "0123456789");

	if (n == 0 || n > 20 || value[n] || *value == '0')
		return ctl_error(CTL_USAGE,
		    "--lease: \"%s\" is not the number of a lease; orbctl "
		    "audit account lists them",
		    value);
	p->lease = value;
	return CTL_OK;
}

int
audit_pick_option(struct audit_pick *p, int o, const char *value)
{
	switch (o) {
	case 's':
		return take_time("since", value, &p->since);
	case 'u':
		return take_time("until", value, &p->until);
	case 'r':
		p->room = value;
		return CTL_OK;
	case 'e':
		p->event = value;
		return CTL_OK;
	case 'b':
		return take_booking(p, value);
	case 'U':
		return take_upstream(p, value);
	case 'p':
		return take_process(p, value);
	case 'l':
		return take_lease(p, value);
	default:
		return -1;
	}
}

int
audit_pick_check(const struct audit_pick *p)
{
	if (p->since && p->until && p->since >= p->until)
		return ctl_error(
		    CTL_USAGE, "--since is not before --until: nothing is");
	return CTL_OK;
}

/* --- the choosing -------------------------------------------------------------- */

int
audit_pick_any(const struct audit_pick *p)
{
	return p->since || p->until || p->room || p->event || p->process ||
	    p->upstream || p->lease || p->booking;
}

int
audit_pick_in_period(const struct audit_pick *p, const json_t *r)
{
	int64_t at;

	if (p->since == 0 && p->until == 0)
		return 1;
	at = audit_realtime(r);
	return at >= p->since && (p->until == 0 || at < p->until);
}

/* Whether the base32 (RFC 4648) of an identity in hex begins so. */
static int
link_begins(const char *hex, const char *want)
{
	unsigned bits = 0, n = 0;
	const char *digit;

	for (; *want && *want != '.'; want++) {
		for (; n < 5; n += 4, hex++) {
			digit = *hex ? strchr(hex_digits, *hex) : hex_digits;
			if (digit == NULL)
				return 0;
			bits = bits << 4 | (unsigned)(digit - hex_digits);
			if (*hex == '\0')
				hex--; /* the last digit is padded with 0 */
		}
		n -= 5;
		if (link_digits[bits >> n & 31] != *want)
			return 0;
	}
	return 1;
}

static int
booking_begins(const char *hex, const char *want)
{
	if (*hex == '\0')
		return 0;
	if (strncmp(want, LINK, strlen(LINK)) == 0)
		return link_begins(hex, want + strlen(LINK));
	return strncmp(hex, want, strlen(want)) == 0;
}

/* "http" is both of them. */
static int
process_is(const char *is, const char *want)
{
	size_t n = strlen(want);

	return strncmp(is, want, n) == 0 && (is[n] == '\0' || is[n] == '@');
}

int
audit_pick_wants(const struct audit_pick *p, const json_t *r)
{
	const struct {
		const char *want, *name;
	} equal[] = {{p->room, "room"}, {p->event, "event"},
	    {p->upstream, "upstream"}, {p->lease, "lease"}};

	for (size_t i = 0; i < sizeof(equal) / sizeof(equal[0]); i++)
		if (equal[i].want &&
		    strcmp(audit_text(r, equal[i].name), equal[i].want) != 0)
			return 0;
	return (p->process == NULL ||
		   process_is(audit_text(r, "process"), p->process)) &&
	    (p->booking == NULL ||
		booking_begins(audit_text(r, "booking"), p->booking)) &&
	    audit_pick_in_period(p, r);
}
