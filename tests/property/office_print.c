/* office_print.c: the office as lines for whoever looks for a mistake. */
#include <stdio.h>

#include "lib/messages.h"
#include "office.h"

static void
print_time(int64_t start, int64_t end)
{
	printf("day %lld %02lld:%02lld-%02lld:%02lld", (long long)(start / DAY),
	    (long long)(start / 3600 % 24), (long long)(start / 60 % 60),
	    (long long)(end / 3600 % 24), (long long)(end / 60 % 60));
}

static void
print_copy(int room, const struct meeting *m)
{
	const struct copy *c = &m->copy[room];

	if (c->version == 0)
		return;
	printf("#       room %d: %s%s%s%s%s v%lld ", room,
	    m->invited[room] ? "invited" : "not invited",
	    c->there ? ", there, " : ", not there ",
	    c->there ? booking_state_name(c->state) : "",
	    c->declined ? ", declined" : "",
	    c->shown_dropped ? ", shown dropped" : "", (long long)c->version);
	print_time(c->start, c->end);
	printf("\n");
}

void
office_print(const struct office *o)
{
	const struct reserved *r;
	const struct meeting *m;
	char box[32];

	printf("#   now ");
	print_time(office_now(), office_now());
	printf("\n");
	for (size_t i = 0; i < o->nmeetings; i++) {
		m = &o->meeting[i];
		printf("#   meeting %zu%s%s%s of %s, text %d, res %d, mails "
		       "%u %u %u %u, ",
		    i, m->orb ? " orb" : "", m->notice ? " notice" : "",
		    m->gone ? " gone" : "", office_mailbox(m->owner, box),
		    m->text, m->reservation, m->invitations, m->updates,
		    m->cancellations, m->responses);
		print_time(m->start, m->end);
		printf("\n");
		for (int room = 0; room < ROOMS; room++)
			print_copy(room, m);
	}
	for (size_t i = 0; i < o->nres; i++) {
		r = &o->res[i];
		printf("#   reservation %zu%s%s in room %d, %s, marks %u, text "
		       "%d, gen %u, touched %u, ",
		    i, r->orb ? " orb" : "", r->linked ? " linked" : "",
		    r->room, booking_state_name(r->state), r->marks, r->text,
		    r->gen, r->touched);
		print_time(r->start, r->end);
		printf("\n");
	}
}
