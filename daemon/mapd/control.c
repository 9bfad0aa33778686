/*
 * control.c: what orbctl asks of mapd: status, the plan, a round now, approval.
 * Who may connect is decided by the socket's file mode; approving is for root
 * only.
 *
 * Not here: the lists of problems and conflicts (control_list.c).
 */
#include "mapd/control.h"
#include "lib/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

#define EPERM_CODE 1
#define OPEN_MOST 16 /* orbctls at a time */

const char *
control_booking(const uint8_t key[KEY_LEN], char link[IDENTITY_LINK_MAX])
{
	identity_link(key, 1, link);
	return link;
}

int
control_error(struct chan *c, uint64_t id, const char *text)
{
	struct msg_error e = {EPERM_CODE, text};

	return error_send(c, id, CHAN_END, &e);
}

int
control_done(struct chan *c, uint64_t id, uint64_t value)
{
	struct msg_done d = {value};

	return done_send(c, id, CHAN_END, &d);
}

/* --- status -------------------------------------------------------------------------- */

static void
fill_status(struct mapd *m, struct msg_ctl_status *s, char *text, size_t size)
{
	struct store_counts n = {0};
	struct err e;

	if (store_counts(m->store, 0, &n, &e))
		snprintf(text, size, "%s", e.text);
	else if (m->trouble[0])
		snprintf(text, size, "%s", m->trouble);
	else if (m->nrooms == 0)
		snprintf(text, size, "no rooms are configured: add them to %s",
		    m->conf->file);
	else if (m->seal == NULL)
		snprintf(text, size, "waiting for keyd: %s",
		    m->keyd.text[0] ? m->keyd.text : "no answer yet");
	else if (m->ledgerd.chan == NULL)
		snprintf(text, size,
		    "waiting for ledgerd: nothing is written "
		    "without the audit log");
	*s = (struct msg_ctl_status){.version = PACKAGE_VERSION,
	    .started = m->started,
	    .now = time(NULL),
	    .rooms = (uint32_t)m->nrooms,
	    .bookings = n.bookings,
	    .pending = n.pending,
	    .problems =
		n.problems + n.aside + (uint32_t)control_rooms_in_trouble(m),
	    .conflicts = n.conflicts,
	    .held_cancellations = n.held,
	    .held_writes = n.held_writes,
	    .last_round = m->round.last_done,
	    .rounds = m->round.count,
	    .exchange_state = m->exchange.state,
	    .topdesk_state = m->topdesk.state,
	    .exchange_text = m->exchange.text,
	    .topdesk_text = m->topdesk.text,
	    .key_source = m->key_source,
	    .text = text};
}

void
mapd_status(struct mapd *m)
{
	struct msg_ctl_status s;
	char text[400] = "", at[16] = "never";
	time_t t;
	struct tm tm;

	fill_status(m, &s, text, sizeof(text));
	t = (time_t)s.last_round;
	if (t && gmtime_r(&t, &tm))
		strftime(at, sizeof(at), "%H:%M:%SZ", &tm);
	if (text[0])
		notify_status("%s", text);
	else
		notify_status("%u rooms, %u bookings, last round %s, %u "
			      "pending, %u problems%s%s%s%s",
		    s.rooms, s.bookings, at, s.pending, s.problems,
		    s.conflicts ? ", conflicts: orbctl conflicts" : "",
		    s.held_cancellations ? ", cancellations are held: orbctl "
					   "approve"
			: s.held_writes  ? ", writes are held: orbctl approve"
					 : "",
		    s.exchange_state > 1 ? ", Exchange is failing" : "",
		    s.topdesk_state > 1 ? ", TOPdesk is failing" : "");
}

static int
on_status(struct chan *c, struct packet *pk)
{
	struct mapd *m = chan_ctx(c);
	struct msg_ctl_status s;
	struct msg_ctl_room row;
	struct store_counts n;
	struct room *r;
	char text[400] = "";
	struct err e;

	if (mapd_status_get(pk))
		return -1;
	fill_status(m, &s, text, sizeof(text));
	ctl_status_send(c, pk->id, 0, &s);
	for (size_t i = 0; i < m->nrooms; i++) {
		r = &m->rooms[i];
		memset(&n, 0, sizeof(n));
		if (r->st.id)
			(void)store_counts(m->store, r->st.id, &n, &e);
		row = (struct msg_ctl_room){r->conf->name, r->conf->mailbox,
		    r->conf->location, r->exchange_at, r->topdesk_at,
		    n.bookings, n.pending, n.problems + n.aside, r->text};
		ctl_room_send(c, pk->id, 0, &row);
	}
	return control_done(c, pk->id, m->nrooms);
}

/* --- plan ------------------------------------------------------------------------------ */

static int
show_act(void *arg, const struct act *a)
{
	struct control *k = arg;
	struct mapd *m = chan_ctx(k->plan);
	size_t i = mapd_room(m, a->room);
	char link[IDENTITY_LINK_MAX], text[300] = "";
	struct msg_ctl_action row = {.kind = plan_kind_name(a->aim.kind),
	    .room = i < m->nrooms ? m->rooms[i].conf->name : "?",
	    .booking = control_booking(a->key, link),
	    .start = a->aim.start,
	    .end = a->aim.end,
	    .number = a->number,
	    .text = text};

	if (a->state == ACT_HELD)
		snprintf(text, sizeof(text), "held: orbctl approve");
	else if (a->state == ACT_ASIDE)
		snprintf(text, sizeof(text), "set aside: %s", a->reason);
	else if (a->state == ACT_SENT)
		snprintf(text, sizeof(text), "outcome unknown, is looked up");
	else
		snprintf(text, sizeof(text), "journaled");
	wire_mend(text);
	ctl_action_send(k->plan, k->plan_id, 0, &row);
	k->total++;
	return 0;
}

void
control_matched(struct mapd *m, const struct match *p)
{
	struct control *k = &m->control;
	char link[IDENTITY_LINK_MAX];
	struct msg_ctl_action row = {
	    .kind = plan_kind_name((enum plan_kind)p->kind),
	    .room = m->rooms[p->room].conf->name,
	    .booking = control_booking(p->key, link),
	    .start = p->start,
	    .end = p->end,
	    .number = p->number,
	    .text = p->kind == PLAN_PAIR
		? "matched by room and time: one booking, made on both sides"
		: "matched by ORB's link in the reservation"};

	ctl_action_send(k->plan, k->plan_id, 0, &row);
	k->total++;
}

void
control_planned(struct mapd *m, const struct room *r, const struct action *a,
    int64_t start, int64_t end, const char *number)
{
	struct control *k = &m->control;
	char link[IDENTITY_LINK_MAX];
	struct msg_ctl_action row = {.kind = plan_kind_name(a->kind),
	    .room = r->conf->name,
	    .booking = control_booking(a->key, link),
	    .start = start,
	    .end = end,
	    .number = number,
	    .text = a->reason ? plan_reason_text(a->reason) : ""};

	if (k->plan == NULL || a->kind == PLAN_FORGET)
		return;
	ctl_action_send(k->plan, k->plan_id, 0, &row);
	k->total++;
}

static int
on_plan(struct chan *c, struct packet *pk)
{
	struct mapd *m = chan_ctx(c);
	struct err e;

	if (mapd_plan_get(pk))
		return -1;
	if (m->control.plan)
		return control_error(
		    c, pk->id, "another orbctl plan is under way: try again");
	if (m->seal == NULL || m->nrooms == 0)
		return control_error(c, pk->id,
		    m->nrooms ? "keyd has not given the data key yet"
			      : "no rooms are configured");
	m->control.plan = c;
	m->control.plan_id = pk->id;
	m->control.total = 0;
	/* First what is journaled, then what a round would add to it. */
	if (store_act_list(m->store, show_act, &m->control, &e)) {
		m->control.plan = NULL;
		return control_error(c, pk->id, e.text);
	}
	first_show(m);
	m->control.plan_waits = m->round.active;
	round_now(m);
	return 0;
}

/* --- sync ------------------------------------------------------------------------------- */

static int
on_sync(struct chan *c, struct packet *pk)
{
	struct mapd *m = chan_ctx(c);
	struct err e;
	size_t n;

	if (mapd_sync_get(pk))
		return -1;
	if (m->control.sync)
		return control_error(
		    c, pk->id, "another orbctl sync is under way: try again");
	if (m->seal == NULL || m->nrooms == 0)
		return control_error(c, pk->id,
		    m->nrooms ? "keyd has not given the data key yet"
			      : "no rooms are configured");
	/* Who asks may have mended what made them fail. */
	if (store_act_wake(m->store, &n, &e))
		return control_error(c, pk->id, e.text);
	if (n)
		execute_wake(m);
	m->control.sync = c;
	m->control.sync_id = pk->id;
	m->control.sync_round = m->round.count + 1 + (m->round.active != 0);
	round_now(m);
	return 0;
}

/* Twice a second: progress, and the end, of an orbctl sync. */
void
control_tick(struct mapd *m)
{
	struct control *k = &m->control;
	struct msg_ctl_progress p = {.text = ""};
	struct store_counts n;
	struct err e;

	if (k->sync == NULL || store_counts(m->store, 0, &n, &e))
		return;
	if (m->round.count < k->sync_round) {
		p.text = "reading both sides";
		p.total = (uint32_t)m->nrooms;
		p.done = (uint32_t)(m->nrooms -
		    (m->round.left < m->nrooms ? m->round.left : m->nrooms));
	} else {
		if (n.pending > k->most)
			k->most = n.pending;
		p.text = "writing to both sides";
		p.total = k->most;
		p.done = k->most - n.pending;
	}
	if (m->round.count >= k->sync_round && n.pending == 0) {
		if (m->round.failed)
			control_error(k->sync, k->sync_id,
			    "some rooms could not be read: see orbctl status");
		else
			control_done(k->sync, k->sync_id, m->ex.done);
		k->sync = NULL;
		k->most = 0;
		return;
	}
	ctl_progress_send(k->sync, k->sync_id, 0, &p);
}

void
control_round_over(struct mapd *m)
{
	struct control *k = &m->control;

	if (k->plan && !k->plan_waits) {
		if (m->round.failed)
			control_error(k->plan, k->plan_id,
			    "some rooms could not be read: see orbctl status");
		else
			control_done(k->plan, k->plan_id, k->total);
		k->plan = NULL;
	}
	k->plan_waits = 0;
	control_tick(m);
}

/* --- approve ------------------------------------------------------------------------------- */

static int
on_approve(struct chan *c, struct packet *pk)
{
	struct mapd *m = chan_ctx(c);
	struct err e;
	size_t n;
	char text[32];

	if (mapd_approve_get(pk))
		return -1;
	if (chan_uid(c) != 0 && chan_uid(c) != geteuid())
		return control_error(
		    c, pk->id, "only root may let through what is held");
	if (store_begin(m->store, &e))
		return control_error(c, pk->id, e.text);
	if (store_act_approve(m->store, &n, &e) ||
	    (m->first && first_keep(m, &e))) {
		store_rollback(m->store);
		return control_error(c, pk->id, e.text);
	}
	if (store_commit(m->store, &e))
		return control_error(c, pk->id, e.text);
	if (m->first)
		first_over(m);
	snprintf(text, sizeof(text), "%zu by uid %u", n, (unsigned)chan_uid(c));
	evidence(m, EV_CANCELLATIONS_APPROVED, NULL, NULL, NULL, text);
	evidence_flush(m);
	execute_wake(m);
	return control_done(c, pk->id, n);
}

const struct permit control_permits[] = {
    {MSG_MAPD_STATUS, on_status, 0},
    {MSG_MAPD_PLAN, on_plan, 0},
    {MSG_MAPD_SYNC, on_sync, 0},
    {MSG_MAPD_PROBLEMS, control_on_problems, 0},
    {MSG_MAPD_CONFLICTS, control_on_conflicts, 0},
    {MSG_MAPD_APPROVE, on_approve, 0},
    {0, NULL, 0},
};

int
control_open(struct chan *c, uid_t uid, pid_t pid)
{
	struct mapd *m = chan_ctx(c);

	if (m->control.open >= OPEN_MOST) {
		log_warn("orbctl (uid %u, pid %d) refused: %d are connected",
		    (unsigned)uid, (int)pid, OPEN_MOST);
		return -1;
	}
	m->control.open++;
	chan_set_uid(c, uid);
	return 0;
}

void
control_closed(struct chan *c, const char *why)
{
	struct mapd *m = chan_ctx(c);

	if (why)
		evidence(m, EV_PROTOCOL_VIOLATION, NULL, NULL, NULL, why);
	if (m->control.open)
		m->control.open--;
	if (m->control.plan == c)
		m->control.plan = NULL;
	if (m->control.sync == c)
		m->control.sync = NULL;
}
