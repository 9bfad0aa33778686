/* serve_topdesk.c: reads from TOPdesk and writes to it. */
#include "serve.h"

#include <stdio.h>
#include <string.h>

#include "lib/marks.h"
#include "lib/messages.h"

static void
make_id(int i, char id[24])
{
	snprintf(id, 24, "res-%d", i);
}

int
serve_reservation_id(const char *id)
{
	int i;

	return sscanf(id, "res-%d", &i) == 1 ? i : -1;
}

static int
room_of(const struct office *o, const char *location)
{
	for (int r = 0; r < ROOMS; r++)
		if (strcmp(o->conf->rooms[r].location, location) == 0)
			return r;
	return -1;
}

static void
send_reservation(struct office *o, struct chan *far, uint64_t id, int i)
{
	struct reserved *r = &o->res[i];
	struct msg_mapd_booking msg = {0};
	struct booking *b = &msg.booking;
	char remote[24], number[24], tag[32], text[40], who[32];
	char link[IDENTITY_LINK_MAX] = "";

	make_id(i, remote);
	snprintf(number, sizeof(number), "R %d", i);
	snprintf(tag, sizeof(tag), "%lld", (long long)r->changed);
	office_text(r->text, text);
	if (r->linked)
		identity_link(r->key, r->gen, link);
	b->room = o->conf->rooms[r->room].location;
	b->uid = b->body = b->series_id = "";
	b->start = r->start;
	b->end = r->end;
	b->state = r->state;
	b->marks = r->marks;
	b->subject = text;
	b->organiser = office_mailbox(r->person, who);
	b->change_tag = tag;
	b->remote_id = remote;
	b->number = number;
	b->link = link;
	r->shown_gone = !is_live(r);
	r->shown_room = r->room;
	r->unseen = 0;
	mapd_booking_send(far, id, 0, &msg);
}

/* --- reads ----------------------------------------------------------------------- */

static void
serve_list(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_mapd_polled end = {
	    .outcome = OUTCOME_OK, .full = 1, .text = ""};
	struct msg_adapter_poll m;
	int room;

	if (adapter_poll_get(pk, &m))
		return;
	room = room_of(o, m.address);
	if (o->faults.poll[1] > 0) {
		o->faults.poll[1]--;
		end.outcome = OUTCOME_FAILED;
	} else if (o->faults.hidden == 0) {
		for (int i = 0; i < (int)o->nres; i++) {
			if (o->res[i].room != room || o->res[i].end <= m.from ||
			    o->res[i].start >= m.to)
				continue;
			/* Another page was not to be had. */
			if (o->faults.cut > 0 && i % 2) {
				end.full = 0;
				continue;
			}
			send_reservation(o, far, pk->id, i);
		}
		o->faults.cut -= o->faults.cut > 0;
	}
	mapd_polled_send(far, pk->id, 0, &end);
}

static void
serve_check(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_check m;
	struct wire_in in;
	const char *number;
	int i;

	if (adapter_check_get(pk, &m))
		return;
	for (in = wire_list_open(&m.numbers); wire_next_str(&in, &number);)
		if (sscanf(number, "R %d", &i) == 1 && i >= 0 &&
		    i < (int)o->nres && !o->faults.hidden)
			send_reservation(o, far, pk->id, i);
	serve_read(far, pk->id, OUTCOME_OK);
}

static void
serve_find(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_find m;
	uint8_t key[KEY_LEN];
	struct wire_in in;
	const char *link;
	unsigned gen;

	if (adapter_find_get(pk, &m))
		return;
	for (in = wire_list_open(&m.links); wire_next_str(&in, &link);) {
		if (o->faults.hidden || identity_parse(link, key, &gen))
			continue;
		for (int i = 0; i < (int)o->nres; i++)
			if (o->res[i].linked && o->res[i].gen == gen &&
			    memcmp(o->res[i].key, key, KEY_LEN) == 0)
				send_reservation(o, far, pk->id, i);
	}
	serve_read(far, pk->id, OUTCOME_OK);
}

static void
serve_persons(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_persons m;
	struct msg_mapd_person p = {.name = ""};
	struct wire_in in;
	char person[32];
	int box;

	(void)o;
	if (adapter_persons_get(pk, &m))
		return;
	for (in = wire_list_open(&m.addresses);
	     wire_next_str(&in, &p.address);) {
		box = office_box(p.address);
		p.matches = box >= 0 && box < PEOPLE;
		snprintf(person, sizeof(person), "person-%d", box);
		p.person = p.matches ? person : "";
		mapd_person_send(far, pk->id, 0, &p);
	}
	serve_read(far, pk->id, OUTCOME_OK);
}

/* --- writes ------------------------------------------------------------------------ */

static void
refused(struct chan *far, uint64_t id, unsigned outcome)
{
	struct msg_mapd_written m = {.outcome = (uint16_t)outcome,
	    .remote_id = "",
	    .number = "",
	    .change_tag = "",
	    .request_id = "",
	    .uid = "",
	    .text = "refused"};

	mapd_written_send(far, id, 0, &m);
}

/* What a good write is answered: the reservation as it is now. */
static void
written(
    struct office *o, struct chan *far, uint64_t id, enum answer answer, int i)
{
	struct msg_mapd_written m = {
	    .outcome = OUTCOME_OK, .request_id = "", .uid = "", .text = ""};
	char remote[24], number[24], tag[32];

	if (answer != ANSWER_OK) {
		refused(far, id, serve_outcome(answer));
		return;
	}
	make_id(i, remote);
	snprintf(number, sizeof(number), "R %d", i);
	snprintf(tag, sizeof(tag), "%lld", (long long)o->res[i].changed);
	m.remote_id = remote;
	m.number = number;
	m.change_tag = tag;
	m.state = o->res[i].state;
	if (m.state == BOOKING_STATE_CONFLICTING)
		m.outcome = OUTCOME_CONFLICT;
	mapd_written_send(far, id, 0, &m);
}

static void
serve_create(struct office *o, struct chan *far, struct packet *pk)
{
	struct reserved as = {.person = NOBODY};
	struct msg_adapter_create m;
	enum answer answer;
	int effect, i = 0;

	if (adapter_create_get(pk, &m))
		return;
	as.room = room_of(o, m.room);
	as.start = m.start;
	as.end = m.end;
	as.text = office_text_of(m.subject);
	(void)sscanf(m.person, "person-%d", &as.person);
	if (identity_parse(m.link, as.key, &as.gen))
		office_bad(o, "a link that is none", -1, -1);
	if (o->faults.hidden) {
		refused(far, pk->id, OUTCOME_REFUSED);
		return;
	}
	answer = office_fate(o, 1, &effect);
	if (effect && o->refuses &&
	    rival_reservation(o, as.room, m.start, m.end, -1) >= 0) {
		refused(far, pk->id, OUTCOME_CONFLICT);
		return;
	}
	if (effect && (i = orb_creates(o, &as)) < 0)
		answer = ANSWER_REFUSED;
	written(o, far, pk->id, answer, i);
}

/* A reservation that may be written to; else answers. */
static int
writable(struct office *o, struct chan *far, uint64_t id, const char *remote)
{
	int i = serve_reservation_id(remote);

	if (i < 0 || i >= (int)o->nres || o->faults.hidden) {
		refused(far, id, OUTCOME_GONE);
		return -1;
	}
	if (!is_live(&o->res[i]) ||
	    o->res[i].marks & (MARK_ISSUED | MARK_ARCHIVED)) {
		refused(far, id, OUTCOME_REFUSED);
		return -1;
	}
	return i;
}

static void
serve_reschedule(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_reschedule m;
	enum answer answer;
	int effect, i;

	if (adapter_reschedule_get(pk, &m) ||
	    (i = writable(o, far, pk->id, m.remote_id)) < 0)
		return;
	answer = office_fate(o, 1, &effect);
	if (effect && o->refuses &&
	    rival_reservation(o, o->res[i].room, m.start, m.end, i) >= 0) {
		refused(far, pk->id, OUTCOME_CONFLICT);
		return;
	}
	if (effect)
		orb_reschedules(o, i, m.start, m.end);
	written(o, far, pk->id, answer, i);
}

static void
serve_edit(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_edit m;
	uint8_t key[KEY_LEN];
	enum answer answer;
	unsigned gen;
	int effect, i;

	if (adapter_edit_get(pk, &m) ||
	    (i = writable(o, far, pk->id, m.remote_id)) < 0)
		return;
	answer = office_fate(o, 1, &effect);
	if (effect && m.subject[0])
		orb_edits(o, i, office_text_of(m.subject));
	if (effect && m.link[0] && identity_parse(m.link, key, &gen) == 0)
		orb_links(o, i, key, gen);
	written(o, far, pk->id, answer, i);
}

static void
serve_cancel(struct office *o, struct chan *far, struct packet *pk)
{
	struct msg_adapter_cancel m;
	enum answer answer;
	int effect, i;

	if (adapter_cancel_get(pk, &m) ||
	    (i = writable(o, far, pk->id, m.remote_id)) < 0)
		return;
	answer = office_fate(o, 1, &effect);
	o->res[i].doubt |= answer == ANSWER_LOST;
	if (effect)
		orb_cancels(o, i);
	serve_written(
	    far, pk->id, answer, "", "", "", "", BOOKING_STATE_BOOKED);
}

void
serve_topdesk_write(struct office *o, struct chan *far, struct packet *pk)
{
	switch (pk->type) {
	case MSG_ADAPTER_CREATE:
		serve_create(o, far, pk);
		break;
	case MSG_ADAPTER_RESCHEDULE:
		serve_reschedule(o, far, pk);
		break;
	case MSG_ADAPTER_EDIT:
		serve_edit(o, far, pk);
		break;
	case MSG_ADAPTER_CANCEL:
		serve_cancel(o, far, pk);
		break;
	default:
		office_bad(o, "an unknown request to TOPdesk", -1, -1);
		break;
	}
}

void
serve_topdesk(struct office *o, struct chan *far, struct packet *pk)
{
	switch (pk->type) {
	case MSG_ADAPTER_POLL:
		serve_list(o, far, pk);
		break;
	case MSG_ADAPTER_CHECK:
		serve_check(o, far, pk);
		break;
	case MSG_ADAPTER_FIND:
		serve_find(o, far, pk);
		break;
	case MSG_ADAPTER_PERSONS:
		serve_persons(o, far, pk);
		break;
	case MSG_ADAPTER_FLUSH:
		break;
	default:
		serve_topdesk_write(o, far, pk);
		break;
	}
}
