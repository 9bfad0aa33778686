/*
 * verdict.c: what must be true when people have stopped and nothing fails any
 * more: a while later both sides are equal, or ORB says why they are not; then
 * nothing is written and nobody is mailed.
 */
#include "story.h"

#include <stdio.h>
#include <string.h>

#include "clockwork.h"
#include "lib/marks.h"

/* Minutes to wait between rounds: what failed often is tried again late. */
static const int pauses[] = {
    0, 0, 0, 0, 10, 10, 10, 10, 10, 10, 10, 10, 60, 60, 60, 370, 370, 1, 1, 1};
#define QUIET_ROUNDS 4

static int
rest(struct machine *k, int minutes)
{
	clock_ms += minutes * INT64_C(60000);
	return machine_run(k, 61000, 0) || machine_approve(k) ||
		machine_run(k, 61000, 0)
	    ? -1
	    : 0;
}

/* --- both sides ------------------------------------------------------------------ */

/* ORB looks so far, and no farther. */
static int
is_due(int64_t start, int64_t end)
{
	return end > office_now() + 3600 &&
	    start < office_now() + (AHEAD_DAYS - 1) * DAY;
}

static int
is_wanted(const struct machine *k, const struct copy *c)
{
	return c->there &&
	    (c->state == BOOKING_STATE_BOOKED ||
		(c->state == BOOKING_STATE_TENTATIVE &&
		    k->conf.policy.tentative == CONF_TENTATIVE_BOOK));
}

/* The reservation that ORB knows the room's copy by, -1. */
static int
partner_of_copy(struct machine *k, struct office *o, int i, int room)
{
	uint8_t key[KEY_LEN], other[KEY_LEN];

	int archived = -1;

	office_key(o, room, &o->meeting[i], key);
	for (int n = 0; n < (int)o->nres; n++) {
		if (o->res[n].room != room || !is_live(&o->res[n]))
			continue;
		machine_key(k, n, other);
		if (memcmp(key, other, KEY_LEN) != 0)
			continue;
		if (!(o->res[n].marks & MARK_ARCHIVED))
			return n;
		archived = n;
	}
	return archived < 0 ? reservation_of_copy(o, i, room) : archived;
}

/* For a reservation that is in its way, of which ORB says what is wrong. */
static int
waits(struct machine *k, const struct office *o, const struct copy *c, int room)
{
	const struct reserved *r;
	uint8_t key[KEY_LEN];

	for (int n = 0; n < (int)o->nres; n++) {
		r = &o->res[n];
		machine_key(k, n, key);
		if (r->room == room && is_live(r) &&
		    overlap(r->start, r->end, c->start, c->end) &&
		    machine_said(k, key, n))
			return 1;
	}
	return 0;
}

/* What TOPdesk changes, ORB may change in Exchange; then it is no excuse. */
static int
may_follow(const struct machine *k, const struct meeting *m, int room, int n)
{
	return k->conf.policy.direction == CONF_DIRECTION_BOTH &&
	    ((m->orb && m->reservation == n) || is_own(m, room) ||
		k->conf.exchange.book_as == CONF_BOOK_ORGANISER);
}

/* ORB says why the two are not equal. */
static int
is_excused(struct machine *k, const struct office *o, int i, int room, int n)
{
	enum plan_reason no = may_follow(k, &o->meeting[i], room, n)
	    ? REASON_CHANGED_IN_TOPDESK
	    : REASON_NONE;
	uint8_t key[KEY_LEN];

	office_key(o, room, &o->meeting[i], key);
	if (machine_said_but(k, key, n, no))
		return 1;
	if (n < 0)
		return waits(k, o, &o->meeting[i].copy[room], room);
	machine_key(k, n, key);
	return machine_said_but(k, key, n, no) ||
	    o->res[n].marks & MARK_ARCHIVED;
}

/* Is the text of each where it belongs? */
static int
same_text(const struct office *o, int i, int room, int n)
{
	const struct meeting *m = &o->meeting[i];
	const struct reserved *r = &o->res[n];
	uint8_t key[KEY_LEN];

	if (r->text_unclear)
		return 1;
	if (m->orb && m->reservation == n)
		return m->text_by_person || m->text == r->text ||
		    o->conf->policy.direction != CONF_DIRECTION_BOTH;
	office_key(o, room, m, key);
	return !r->orb || r->text_by_person ||
	    memcmp(r->key, key, KEY_LEN) != 0 ||
	    r->text == topdesk_text(m->text);
}

static int
check_copy(struct machine *k, struct office *o, int i, int room)
{
	const struct copy *c = &o->meeting[i].copy[room];
	int n;

	if (!is_wanted(k, c) || !is_due(c->start, c->end) ||
	    k->conf.policy.direction == CONF_DIRECTION_TO_EXCHANGE ||
	    k->rooms[room].retire)
		return 0;
	n = partner_of_copy(k, o, i, room);
	if (is_excused(k, o, i, room, n))
		return 0;
	if (n < 0)
		office_bad(o, "at the end: booked in Exchange only", i, -1);
	else if (o->res[n].start != c->start || o->res[n].end != c->end)
		office_bad(o, "at the end: not at the same time", i, n);
	else if (!same_text(o, i, room, n))
		office_bad(o, "at the end: not the same text", i, n);
	return o->bad[0] ? -1 : 0;
}

/* It was of a room that is taken out of ORB. */
static int
is_retired(struct machine *k, const struct office *o, int n)
{
	uint8_t key[KEY_LEN];

	for (int room = 0; room < ROOMS; room++)
		for (size_t i = 0; k->rooms[room].retire && i < o->nmeetings;
		     i++) {
			office_key(o, room, &o->meeting[i], key);
			if (o->res[n].linked &&
			    memcmp(key, o->res[n].key, KEY_LEN) == 0)
				return 1;
		}
	return k->rooms[o->res[n].room].retire != CONF_RETIRE_NO;
}

static int
check_reservation(struct machine *k, struct office *o, int n)
{
	const struct reserved *r = &o->res[n];
	uint8_t key[KEY_LEN];
	char id[24];

	if (!is_live(r) || r->strange || r->state == BOOKING_STATE_REQUEST ||
	    !is_due(r->start, r->end) || r->marks & MARK_ARCHIVED ||
	    is_retired(k, o, n))
		return 0;
	if (k->conf.policy.direction == CONF_DIRECTION_TO_TOPDESK &&
	    (!r->orb || office_is_moved(o, n)))
		return 0;
	/* What Exchange changed is not carried over, and not said. */
	if (k->conf.policy.direction == CONF_DIRECTION_TO_EXCHANGE &&
	    office_is_known(o, n))
		return 0;
	for (int i = 0; i < (int)o->nmeetings; i++)
		if (is_on(&o->meeting[i].copy[r->room]) &&
		    partner_of_copy(k, o, i, r->room) == n)
			return 0;
	machine_key(k, n, key);
	if (machine_said(k, key, n))
		return 0;
	/* With a link of another room, it is as if it had none. */
	snprintf(id, sizeof(id), "res-%d", n);
	identity_provisional(k->rooms[r->room].mailbox, id, key);
	if (machine_said(k, key, n))
		return 0;
	office_bad(o, "at the end: booked in TOPdesk only", -1, n);
	return -1;
}

static int
check_twins(struct machine *k, struct office *o, int n)
{
	const struct reserved *r = &o->res[n], *s;
	uint8_t key[KEY_LEN], other[KEY_LEN];

	if (!r->linked || !is_live(r) || r->end <= office_now() ||
	    r->marks & MARK_ARCHIVED)
		return 0;
	machine_key(k, n, key);
	for (int i = 0; i < n; i++) {
		s = &o->res[i];
		if (!s->linked || !is_live(s) || s->end <= office_now() ||
		    s->marks & MARK_ARCHIVED || r->room != s->room)
			continue;
		machine_key(k, i, other);
		if (memcmp(key, other, KEY_LEN) == 0 &&
		    !machine_said(k, key, n)) {
			office_bad(o, "at the end: two of one booking", i, n);
			return -1;
		}
	}
	return 0;
}

/* Entered on both sides and touched by nobody since: one booking. */
static int
check_pair(struct machine *k, struct office *o, int n)
{
	const struct reserved *r = &o->res[n];
	const struct meeting *m = &o->meeting[r->twin - 1];
	const struct copy *c = &m->copy[r->room];
	uint8_t key[KEY_LEN], other[KEY_LEN];

	if (k->lost || k->conf.policy.direction != CONF_DIRECTION_BOTH ||
	    r->touched || m->changes || m->gone || r->marks ||
	    c->state != BOOKING_STATE_BOOKED || !c->there ||
	    !is_due(r->start, r->end) || is_retired(k, o, n) ||
	    rival_reservation(o, r->room, r->start, r->end, n) >= 0 ||
	    rival_copy(o, r->room, c->start, c->end, r->twin - 1) >= 0)
		return 0;
	machine_key(k, n, key);
	office_key(o, r->room, m, other);
	if (memcmp(key, other, KEY_LEN) == 0 && is_live(r))
		return 0;
	office_bad(o, "at the end: entered twice, and not one", r->twin - 1, n);
	return -1;
}

/* Nobody was mailed more often than there was something to say. */
static int
check_mails(struct machine *k, struct office *o, int i)
{
	const struct meeting *m = &o->meeting[i];

	if (m->invitations > 1)
		office_bad(o, "more than one invitation", i, m->reservation);
	if (m->cancellations > 1)
		office_bad(o, "more than one cancellation", i, m->reservation);
	/* With the state goes what Outlook's people changed, too. */
	if (m->orb && m->reservation >= 0 && !k->lost &&
	    m->updates > o->res[m->reservation].touched)
		office_bad(o, "more updates than changes", i, m->reservation);
	return o->bad[0] ? -1 : 0;
}

static int
check_all(struct machine *k, struct office *o)
{
	for (int i = 0; i < (int)o->nmeetings; i++) {
		if (check_mails(k, o, i))
			return -1;
		for (int room = 0; room < ROOMS; room++)
			if (check_copy(k, o, i, room))
				return -1;
	}
	for (int n = 0; n < (int)o->nres; n++)
		if (check_reservation(k, o, n) || check_twins(k, o, n) ||
		    (o->res[n].twin && check_pair(k, o, n)))
			return -1;
	return 0;
}

int
verdict(struct machine *k, struct office *o)
{
	struct store_counts c = {0};
	unsigned writes;
	struct err e;

	/* What is on its way ends under the faults it began with. */
	if (machine_run(k, 1000, 0))
		return -1;
	memset(&o->faults, 0, sizeof(o->faults));
	memset(o->mood, 0, sizeof(o->mood));
	k->crash_in = 0;
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++)
		if (rest(k, pauses[i]))
			return -1;
	/* At midnight a booking may come into the window. */
	for (int i = 0; i < 4 && office_now() % DAY > 22 * HOUR; i++)
		if (rest(k, 125))
			return -1;
	if (rest(k, 0) || rest(k, 0))
		return -1;
	writes = o->writes[0] + o->writes[1] + o->mails;
	for (int i = 0; i < QUIET_ROUNDS; i++)
		if (rest(k, 0))
			return -1;
	if (check_all(k, o))
		return -1;
	if (o->writes[0] + o->writes[1] + o->mails != writes) {
		office_bad(o, "people stopped, the writes did not", -1, -1);
		return -1;
	}
	/* One may wait for another that ORB says is set aside. */
	if (store_counts(k->m->store, 0, &c, &e) || (c.pending && !c.aside) ||
	    c.held) {
		office_bad(o, "actions are left in the journal", -1, -1);
		return -1;
	}
	return 0;
}
