/* world.c: see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START 1790000000

static void
bad(struct world *w, const char *what, int slot)
{
	if (w->bad[0] == '\0')
		snprintf(w->bad, sizeof(w->bad), "booking %d: %s", slot, what);
}

void
world_init(struct world *w)
{
	char uid[32];
	int single;

	memset(w, 0, sizeof(*w));
	w->now = START / 60 * 60;
	w->clock = w->now;
	for (int i = 0; i < SLOTS; i++) {
		single = i < SINGLES;
		w->slots[i].series = single ? -1 : (i - SINGLES) / OCCURRENCES;
		snprintf(uid, sizeof(uid), "uid-%d",
		    single ? i : SINGLES + w->slots[i].series);
		identity_key("room@example.org", uid, single ? 0 : i + 1,
		    w->slots[i].key);
	}
}

/* TOPdesk trims, cuts and replaces; then what is read is not what was sent. */
int
world_text(int text)
{
	return text % 5 == 0 ? text + 1000000 : text;
}

void
print_of(int text, uint8_t print[PRINT_LEN])
{
	memset(print, 0, PRINT_LEN);
	print[0] = 1;
	memcpy(print + 1, &text, sizeof(text));
}

int
text_of(const uint8_t print[PRINT_LEN])
{
	int text;

	memcpy(&text, print + 1, sizeof(text));
	return text;
}

int
is_live(const struct reservation *r)
{
	return r->state != BOOKING_STATE_CANCELLED;
}

int
is_dropped_slot(const struct slot *s)
{
	return !s->exists || s->state == BOOKING_STATE_CANCELLED;
}

struct reservation *
live_of(struct world *w, int slot)
{
	for (size_t i = w->nres; i-- > 0;)
		if (w->res[i].slot == slot && is_live(&w->res[i]))
			return &w->res[i];
	return NULL;
}

/* No two modifications have one date: TOPdesk's second is ORB's grain. */
static int64_t
tick_clock(struct world *w)
{
	w->clock = w->clock < w->now ? w->now : w->clock + 1;
	return w->clock;
}

/* --- people in Exchange ----------------------------------------------------- */

static void
changed(struct world *w, struct slot *s)
{
	s->version = ++w->version;
	w->changes++;
	/* Booked anew after a cancellation: what was cancelled is history. */
	if (is_dropped_slot(s))
		s->person_cancelled = 0;
}

static void
set_time(struct world *w, struct slot *s, uint32_t how)
{
	s->start = w->now + (int64_t)(how % 20) * DAY / 2 - HOUR / 2;
	s->start = s->start / 60 * 60;
	s->end = s->start + (1 + how / 32 % 4) * (HOUR / 2);
}

void
people_book(struct world *w, int slot, uint32_t how)
{
	struct slot *s = &w->slots[slot];

	if (s->exists && s->state != BOOKING_STATE_CANCELLED)
		return;
	/* Sometimes the very same meeting comes back. */
	if (s->text == 0 || how % 3 != 0) {
		set_time(w, s, how >> 4);
		s->text = 1 + (int)(how >> 8) % 1000;
	}
	s->exists = 1;
	s->state = BOOKING_STATE_BOOKED;
	changed(w, s);
}

void
people_tentative(struct world *w, int slot, uint32_t how)
{
	struct slot *s = &w->slots[slot];

	people_book(w, slot, how);
	if (s->state == BOOKING_STATE_TENTATIVE)
		return;
	s->state = BOOKING_STATE_TENTATIVE;
	changed(w, s);
}

void
people_accept(struct world *w, int slot)
{
	struct slot *s = &w->slots[slot];

	if (!s->exists || s->state != BOOKING_STATE_TENTATIVE)
		return;
	s->state = BOOKING_STATE_BOOKED;
	changed(w, s);
}

void
people_move(struct world *w, int slot, uint32_t how)
{
	struct slot *s = &w->slots[slot];

	if (is_dropped_slot(s))
		return;
	set_time(w, s, how);
	changed(w, s);
}

void
people_retitle(struct world *w, int slot, uint32_t how)
{
	struct slot *s = &w->slots[slot];

	if (is_dropped_slot(s))
		return;
	s->text = 1 + (int)(how % 1000);
	changed(w, s);
}

void
people_cancel(struct world *w, int slot)
{
	struct slot *s = &w->slots[slot];

	if (is_dropped_slot(s))
		return;
	s->state = BOOKING_STATE_CANCELLED;
	changed(w, s);
}

void
people_delete(struct world *w, int slot)
{
	struct slot *s = &w->slots[slot];

	if (!s->exists)
		return;
	s->exists = 0;
	w->changes++;
	s->person_cancelled = 0;
	/* An occurrence goes without a word: only its series is in the feed. */
	if (s->series >= 0)
		w->series_version[s->series] = ++w->version;
	else
		s->version = ++w->version;
}

/* --- people in TOPdesk -------------------------------------------------------- */

/* Ours and in the way of nobody: an agenda with one other booking suffices. */
static uint8_t
state_at(const struct world *w, const struct reservation *self, int64_t start,
    int64_t end)
{
	const struct reservation *r;

	for (size_t i = 0; i < w->nres; i++) {
		r = &w->res[i];
		if (r != self && r->slot == -1 && is_live(r) &&
		    r->start < end && r->end > start)
			return BOOKING_STATE_CONFLICTING;
	}
	return BOOKING_STATE_BOOKED;
}

static struct reservation *
editable(struct world *w, int slot)
{
	struct reservation *r = live_of(w, slot);

	return r && !r->archived ? r : NULL;
}

void
topdesk_person_moves(struct world *w, int slot, uint32_t how)
{
	struct reservation *r = editable(w, slot);
	int64_t by = ((int64_t)(how % 9) - 4) * HOUR;

	if (r == NULL || by == 0)
		return;
	/* Now and then far beyond what the list covers. */
	r->start += how % 64 == 63 ? 90 * DAY : by;
	r->end += how % 64 == 63 ? 90 * DAY : by;
	r->state = state_at(w, r, r->start, r->end);
	r->changed = tick_clock(w);
	r->person_moved = r->start != r->agreed_start;
	r->person_far |= how % 64 == 63;
	w->touched++;
}

void
topdesk_person_edits(struct world *w, int slot, uint32_t how)
{
	struct reservation *r = editable(w, slot);

	if (r == NULL)
		return;
	r->text = 2000 + (int)(how % 1000);
	r->changed = tick_clock(w);
	r->person_edited = 1;
	w->touched++;
}

void
topdesk_person_cancels(struct world *w, int slot)
{
	struct reservation *r = editable(w, slot);

	if (r == NULL || r->issued)
		return;
	r->state = BOOKING_STATE_CANCELLED;
	r->changed = tick_clock(w);
	w->touched++;
	/* ORB asked for the same and got no answer: nobody can tell whose it
	 * is. */
	if (r->doubt)
		return;
	r->person_cancelled = 1;
	/* mapd may still believe that the organiser cancelled it. */
	if (!is_dropped_slot(&w->slots[slot]) && !w->slots[slot].shown_dropped)
		w->slots[slot].person_cancelled = 1;
}

void
topdesk_person_locks(struct world *w, int slot, uint32_t how)
{
	struct reservation *r = live_of(w, slot);

	if (r == NULL)
		return;
	if (how % 4 == 0)
		r->archived = !r->archived;
	else
		r->issued = !r->issued;
	w->touched++;
}

void
topdesk_person_books(struct world *w, uint32_t how)
{
	struct reservation *r;
	struct slot at;

	if (w->nres == RESERVATIONS_MAX)
		return;
	set_time(w, &at, how);
	r = &w->res[w->nres++];
	memset(r, 0, sizeof(*r));
	r->slot = -1;
	r->start = at.start;
	r->end = at.end;
	r->changed = tick_clock(w);
}

/* --- ORB in TOPdesk -------------------------------------------------------------- */

struct reservation *
topdesk_get(struct world *w, int id)
{
	if (w->hidden || id < 0 || (size_t)id >= w->nres)
		return NULL;
	return &w->res[id];
}

struct reservation *
topdesk_find(struct world *w, int slot, unsigned gen)
{
	if (w->hidden)
		return NULL;
	for (size_t i = 0; i < w->nres; i++)
		if (w->res[i].slot == slot && w->res[i].gen == gen)
			return &w->res[i];
	return NULL;
}

/* Whether this write takes effect, and what the writer hears of it. */
static enum answer
fate(struct world *w, int *effect)
{
	*effect = 0;
	if (w->hidden)
		return ANSWER_REFUSED;
	if (w->refuse > 0) {
		w->refuse--;
		return ANSWER_REFUSED;
	}
	*effect = 1;
	if (w->lose > 0 && --w->lose == 0) {
		*effect = w->lose_effect;
		return ANSWER_LOST;
	}
	return ANSWER_OK;
}

static void
watch_locked(struct world *w, const struct reservation *r)
{
	if (r->archived || r->issued)
		bad(w, "a write to an issued or archived reservation", r->slot);
	if (!is_live(r))
		bad(w, "a write to a cancelled reservation", r->slot);
}

enum answer
topdesk_create(struct world *w, int slot, const struct aim *aim, int *id)
{
	struct reservation *r;
	enum answer answer;
	int effect;

	answer = fate(w, &effect);
	if (!effect || w->nres == RESERVATIONS_MAX)
		return effect ? ANSWER_REFUSED : answer;
	w->writes++;
	/* One that is over is the past: the room was used. */
	for (size_t i = 0; i < w->nres; i++)
		if (w->res[i].slot == slot && is_live(&w->res[i]) &&
		    w->res[i].end > w->now && !w->res[i].person_far)
			bad(w, "a second live reservation is made", slot);
	for (size_t i = 0; i < w->nres; i++)
		if (w->slots[slot].person_cancelled && w->res[i].slot == slot &&
		    w->res[i].person_cancelled && w->res[i].end >= w->now - DAY)
			bad(w, "what a person cancelled is made again", slot);
	r = &w->res[w->nres++];
	memset(r, 0, sizeof(*r));
	r->slot = slot;
	r->gen = aim->gen;
	r->start = r->agreed_start = aim->start;
	r->end = aim->end;
	r->text = world_text(text_of(aim->print));
	r->state = state_at(w, r, r->start, r->end);
	r->changed = tick_clock(w);
	*id = (int)(r - w->res);
	return answer;
}

enum answer
topdesk_reschedule(
    struct world *w, int id, const struct aim *aim, int said_conflict)
{
	struct reservation *r = &w->res[id];
	enum answer answer;
	int effect;

	answer = fate(w, &effect);
	watch_locked(w, r);
	if (!effect)
		return answer;
	w->writes++;
	if (r->person_moved && !said_conflict)
		bad(w, "a person's move is overwritten silently", r->slot);
	r->person_moved = 0;
	r->start = r->agreed_start = aim->start;
	r->end = aim->end;
	r->state = state_at(w, r, r->start, r->end);
	r->changed = tick_clock(w);
	return answer;
}

enum answer
topdesk_edit(struct world *w, int id, const struct aim *aim, int said_conflict)
{
	struct reservation *r = &w->res[id];
	enum answer answer;
	int effect;

	answer = fate(w, &effect);
	watch_locked(w, r);
	if (!effect)
		return answer;
	w->writes++;
	if (r->person_edited && !said_conflict)
		bad(w, "a person's text is overwritten silently", r->slot);
	r->person_edited = r->unclear = 0;
	r->text = world_text(text_of(aim->print));
	r->changed = tick_clock(w);
	return answer;
}

enum answer
topdesk_cancel(struct world *w, int id)
{
	struct reservation *r = &w->res[id];
	enum answer answer;
	int effect;

	answer = fate(w, &effect);
	r->doubt |= answer == ANSWER_LOST;
	watch_locked(w, r);
	if (r->slot < 0)
		bad(w, "somebody else's reservation is cancelled", r->slot);
	else if (!w->slots[r->slot].shown_dropped)
		bad(w, "cancelled without evidence", r->slot);
	if (!effect)
		return answer;
	w->writes++;
	r->state = BOOKING_STATE_CANCELLED;
	r->changed = tick_clock(w);
	return answer;
}
