/*
 * plan_property.c: random histories of people, faults and crashes, driven
 * through the real plan and the real store to convergence.
 *
 * A history is a list of steps that a seed gives; a step carries its own
 * numbers, so that dropping one leaves the others what they were.  When a
 * history fails it is shortened as long as it still fails, then printed: seed,
 * steps, and what must never have happened.
 *
 * What is checked at every write (world.c): never two live reservations of one
 * booking, never a cancellation without evidence, never a write over what a
 * person did in TOPdesk unless it is said, never a reservation made again that
 * a person cancelled, nothing written to what is issued or archived, no held
 * cancellation without approval.  What is checked when people stop, here: both
 * sides are equal or the difference is reported, nothing more is written, and
 * without faults there was at most one write for each change.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model.h"
#include "regressions.h"

#define STEPS_MAX 1000
#define SETTLE_ROUNDS 12
#define QUIET_ROUNDS 3
#define WHY_MAX 800

enum op {
	OP_ROUND,
	OP_TIME,
	OP_BOOK,
	OP_TENTATIVE,
	OP_ACCEPT,
	OP_MOVE,
	OP_RETITLE,
	OP_CANCEL,
	OP_DELETE,
	OP_SERIES_BOOK,
	OP_SERIES_MOVE,
	OP_SERIES_CANCEL,
	OP_PERSON_MOVES,
	OP_PERSON_EDITS,
	OP_PERSON_CANCELS,
	OP_PERSON_LOCKS,
	OP_PERSON_BOOKS,
	OP_APPROVE,
	/* From here on: faults. */
	OP_CRASH,
	OP_LOSE,
	OP_REFUSE,
	OP_HIDE,
	OP_LIST_CUT,
	OP_FEED_CUT,
	OP_FEED_WHOLE,
	OP_STATE_LOST,
	OP_COUNT
};

static const struct {
	const char *name;
	unsigned weight;
} ops[OP_COUNT] = {
    [OP_ROUND] = {"round", 70},
    [OP_TIME] = {"time", 6},
    [OP_BOOK] = {"book", 24},
    [OP_TENTATIVE] = {"tentative", 5},
    [OP_ACCEPT] = {"accept", 6},
    [OP_MOVE] = {"move", 14},
    [OP_RETITLE] = {"retitle", 9},
    [OP_CANCEL] = {"cancel", 10},
    [OP_DELETE] = {"delete", 8},
    [OP_SERIES_BOOK] = {"series-book", 6},
    [OP_SERIES_MOVE] = {"series-move", 3},
    [OP_SERIES_CANCEL] = {"series-cancel", 3},
    [OP_PERSON_MOVES] = {"person-moves", 4},
    [OP_PERSON_EDITS] = {"person-edits", 4},
    [OP_PERSON_CANCELS] = {"person-cancels", 4},
    [OP_PERSON_LOCKS] = {"person-locks", 2},
    [OP_PERSON_BOOKS] = {"person-books", 2},
    [OP_APPROVE] = {"approve", 3},
    [OP_CRASH] = {"crash", 14},
    [OP_LOSE] = {"lose-answer", 8},
    [OP_REFUSE] = {"refuse", 5},
    [OP_HIDE] = {"hide", 4},
    [OP_LIST_CUT] = {"list-cut", 3},
    [OP_FEED_CUT] = {"feed-cut", 3},
    [OP_FEED_WHOLE] = {"feed-whole", 3},
    [OP_STATE_LOST] = {"state-lost", 1},
};

struct step {
	enum op op;
	uint32_t a, b;
};

struct history {
	uint64_t seed;
	int faults;
	struct step steps[STEPS_MAX];
	size_t n;
};

struct totals {
	uint64_t histories, steps, rounds, crashes, writes, changes, touched;
};

static char scratch[128];
static struct seal *seal;
static struct totals totals;

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere. */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void
history_make(struct history *h, uint64_t seed, size_t steps)
{
	uint64_t state = seed, x;
	unsigned total = 0, at;

	h->seed = seed;
	/* A quarter without faults: only they can count writes. */
	h->faults = seed % 4 != 0;
	h->n = steps;
	for (int i = 0; i < (h->faults ? OP_COUNT : OP_CRASH); i++)
		total += ops[i].weight;
	for (size_t i = 0; i < steps; i++) {
		at = (unsigned)(draw(&state) % total);
		h->steps[i].op = 0;
		while (at >= ops[h->steps[i].op].weight)
			at -= ops[h->steps[i].op++].weight;
		x = draw(&state);
		h->steps[i].a = (uint32_t)x;
		h->steps[i].b = (uint32_t)(x >> 32);
	}
}

static void
series_do(struct world *w, enum op op, const struct step *s)
{
	int first = SINGLES + (int)(s->a % SERIES) * OCCURRENCES;

	for (int i = first; i < first + OCCURRENCES; i++) {
		if (op == OP_SERIES_BOOK)
			people_book(w, i, s->b * (uint32_t)(i + 1));
		else if (op == OP_SERIES_MOVE)
			people_move(w, i, s->b + (uint32_t)i);
		else
			people_cancel(w, i);
	}
}

static void
fault_do(struct world *w, struct model *m, const struct step *s)
{
	int n = 1 + (int)(s->b % 4);

	switch (s->op) {
	case OP_CRASH:
		m->crash_in = 1 + (int)(s->a % 40);
		break;
	case OP_LOSE:
		w->lose = n;
		w->lose_effect = s->a % 3 != 0;
		break;
	case OP_REFUSE:
		w->refuse = n;
		break;
	case OP_HIDE:
		w->hidden = n;
		break;
	case OP_LIST_CUT:
		w->list_cut = n;
		break;
	default:
		w->feed_cut = n;
		break;
	}
}

static int
step_do(struct world *w, struct model *m, const struct step *s)
{
	int slot = (int)(s->a % SLOTS);
	struct err e;

	switch (s->op) {
	case OP_ROUND:
		w->now += 60;
		return model_round(m);
	case OP_TIME:
		w->now += (int64_t)(1 + s->a % 30) * HOUR;
		break;
	case OP_BOOK:
		people_book(w, slot, s->b);
		break;
	case OP_TENTATIVE:
		people_tentative(w, slot, s->b);
		break;
	case OP_ACCEPT:
		for (int i = 0; i < SLOTS; i++)
			people_accept(w, i);
		break;
	case OP_MOVE:
		people_move(w, slot, s->b);
		break;
	case OP_RETITLE:
		people_retitle(w, slot, s->b);
		break;
	case OP_CANCEL:
		people_cancel(w, slot);
		break;
	case OP_DELETE:
		people_delete(w, slot);
		break;
	case OP_SERIES_BOOK:
	case OP_SERIES_MOVE:
	case OP_SERIES_CANCEL:
		series_do(w, s->op, s);
		break;
	case OP_PERSON_MOVES:
		topdesk_person_moves(w, slot, s->b);
		break;
	case OP_PERSON_EDITS:
		topdesk_person_edits(w, slot, s->b);
		break;
	case OP_PERSON_CANCELS:
		topdesk_person_cancels(w, slot);
		break;
	case OP_PERSON_LOCKS:
		topdesk_person_locks(w, slot, s->b);
		break;
	case OP_PERSON_BOOKS:
		topdesk_person_books(w, s->b);
		break;
	case OP_APPROVE:
		return model_approve(m);
	case OP_FEED_WHOLE:
		/* 410: the cursor is of no use any more. */
		free(m->room.cursor);
		m->room.cursor = NULL;
		m->room.cursor_len = 0;
		return store_room_cursor(m->st, &m->room, &e);
	case OP_STATE_LOST:
		return model_lose(m);
	default:
		fault_do(w, m, s);
		break;
	}
	return 0;
}

/* --- when people have stopped ------------------------------------------------- */

static int
complain(struct world *w, int slot, const char *what)
{
	if (w->bad[0] == '\0')
		snprintf(w->bad, sizeof(w->bad), "at the end, booking %d: %s",
		    slot, what);
	return -1;
}

static int
is_reported(const struct model *m, int slot, unsigned reasons)
{
	return (m->reports[slot] & reasons) != 0;
}

#define SAID(r) (1u << (r))

/* A booking that takes the room: one reservation, equal or reported. */
static int
check_wanted(struct world *w, const struct model *m, int i)
{
	const struct slot *s = &w->slots[i];
	const struct reservation *r = live_of(w, i);
	unsigned locked = SAID(REASON_LOCKED);

	if (s->end <= w->now || s->start >= w->now + WINDOW)
		return 0;
	/* One that is over may be of an earlier life of the same meeting. */
	if (r == NULL ||
	    (r->end <= w->now &&
		is_reported(m, i, SAID(REASON_CANCELLED_IN_TOPDESK))))
		return is_reported(m, i, SAID(REASON_CANCELLED_IN_TOPDESK)) &&
			(w->touched || m->lost_state)
		    ? 0
		    : complain(
			  w, i, "booked, but no reservation and no report");
	/* Out of sight since before the state was lost. */
	if (r->person_far && m->lost_state)
		return 0;
	/* Put away by a person as that person left it. */
	if (r->archived && (r->person_moved || r->person_edited))
		return 0;
	if ((r->start != s->start || r->end != s->end) &&
	    !(r->person_moved &&
		is_reported(m, i, SAID(REASON_CHANGED_IN_TOPDESK) | locked)) &&
	    !is_reported(m, i, locked))
		return complain(w, i, "not at the same time, not reported");
	if (r->text != world_text(s->text) && !r->unclear &&
	    !(r->person_edited &&
		is_reported(m, i, SAID(REASON_CHANGED_IN_TOPDESK) | locked)) &&
	    !is_reported(m, i, locked))
		return complain(w, i, "not the same text, not reported");
	if (r->state == BOOKING_STATE_CONFLICTING && !r->archived &&
	    !is_reported(m, i, SAID(REASON_CONFLICTING) | locked))
		return complain(w, i, "conflicting, not reported");
	return 0;
}

static int
check_dropped(struct world *w, const struct model *m, int i)
{
	const struct reservation *r = live_of(w, i);

	/* What lies beyond the window has its turn when it comes into it. */
	if (r == NULL || r->end <= w->now || r->start >= w->now + WINDOW ||
	    is_reported(m, i, SAID(REASON_LOCKED)))
		return 0;
	/* Deleted while the state was lost: nothing is known of it. */
	if (m->lost_state && !w->slots[i].exists)
		return 0;
	return complain(w, i, "cancelled, but its reservation lives");
}

static int
check_end(struct world *w, const struct model *m)
{
	const struct slot *s;

	for (int i = 0; i < SLOTS; i++) {
		s = &w->slots[i];
		if (is_dropped_slot(s)) {
			if (check_dropped(w, m, i))
				return -1;
		} else if (s->state == BOOKING_STATE_BOOKED ||
		    m->policy.tentative_books) {
			if (check_wanted(w, m, i))
				return -1;
		}
	}
	return 0;
}

static int
rest(struct world *w, struct model *m, int rounds, int64_t pause)
{
	for (int i = 0; i < rounds; i++) {
		w->now += pause;
		if (model_approve(m) || model_round(m))
			return -1;
	}
	return 0;
}

static int
check_quiet(struct world *w, struct model *m, const struct history *h)
{
	struct store_counts c = {0};
	unsigned writes;
	struct err e;

	w->hidden = w->list_cut = w->feed_cut = w->refuse = w->lose = 0;
	m->crash_in = 0;
	if (rest(w, m, SETTLE_ROUNDS, 600))
		return -1;
	writes = w->writes;
	/* Time stands: else a booking comes into the window. */
	if (rest(w, m, QUIET_ROUNDS, 0) || check_end(w, m))
		return -1;
	if (w->writes != writes)
		return complain(w, -1, "people stopped, the writes did not");
	if (store_counts(m->st, 0, &c, &e) || c.pending + c.held + c.aside)
		return complain(w, -1, "actions are left in the journal");
	if (!h->faults && w->writes > w->changes)
		return complain(w, -1, "more writes than changes");
	return 0;
}

/* --- histories ----------------------------------------------------------------------- */

/* 0, or -1 and the reason. */
static int
history_run(const struct history *h, char why[WHY_MAX])
{
	static struct world w;
	struct model m;
	int rc;

	world_init(&w);
	rc = model_open(&m, &w, scratch, seal);
	m.policy.tentative_books = h->seed % 3 == 0;
	for (size_t i = 0; i < h->n && rc == 0; i++) {
		rc = step_do(&w, &m, &h->steps[i]);
		if (w.bad[0])
			rc = -1;
	}
	if (rc == 0)
		rc = check_quiet(&w, &m, h);
	if (w.bad[0])
		rc = -1;
	if (rc)
		snprintf(why, WHY_MAX, "%s%s", w.bad, m.bad);
	totals.histories++;
	totals.steps += h->n;
	totals.rounds += m.rounds;
	totals.crashes += m.crashes;
	totals.writes += w.writes;
	totals.changes += w.changes;
	totals.touched += w.touched;
	model_close(&m);
	return rc;
}

/* Drops steps, large pieces first, as long as it still fails. */
static void
history_shorten(struct history *h, char why[WHY_MAX])
{
	static struct history tried;
	int shorter;

	do {
		shorter = 0;
		for (size_t size = h->n / 2 + 1; size > 0; size /= 2) {
			for (size_t at = 0; at + size <= h->n;) {
				tried = *h;
				memmove(&tried.steps[at],
				    &tried.steps[at + size],
				    (h->n - at - size) * sizeof(h->steps[0]));
				tried.n -= size;
				if (history_run(&tried, why)) {
					*h = tried;
					shorter = 1;
				} else {
					at += size;
				}
			}
		}
	} while (shorter);
	history_run(h, why);
}

static void
history_print(const struct history *h, const char *why)
{
	printf("# seed %" PRIu64 ": %s\n# shortest history found:\n", h->seed,
	    why);
	for (size_t i = 0; i < h->n; i++)
		printf("#   %-15s %2u  %#x %#x\n", ops[h->steps[i].op].name,
		    h->steps[i].a % SLOTS, h->steps[i].a, h->steps[i].b);
}

static int
history_try(uint64_t seed, size_t steps)
{
	static struct history h;
	char why[WHY_MAX];

	history_make(&h, seed, steps);
	if (history_run(&h, why) == 0)
		return 0;
	history_shorten(&h, why);
	history_print(&h, why);
	printf("# again: plan_property --seed %" PRIu64
	       " --histories 1 --steps %zu\n",
	    seed, steps);
	return -1;
}

/* As printed: name, booking, two numbers a line. */
static int
history_parse(struct history *h, const char *text)
{
	struct step *s;
	char name[32];
	int n;

	for (h->n = 0; h->n < STEPS_MAX; h->n++, text += n) {
		s = &h->steps[h->n];
		if (sscanf(text, " %31s %*u %" SCNx32 " %" SCNx32 "%n", name,
			&s->a, &s->b, &n) != 3)
			return *text == '\0' || *text == '\n' ? 0 : -1;
		s->op = 0;
		while (s->op < OP_COUNT && strcmp(ops[s->op].name, name) != 0)
			s->op++;
		if (s->op == OP_COUNT)
			return -1;
	}
	return -1;
}

static int
regressions_run(void)
{
	static struct history h;
	char why[WHY_MAX] = "cannot be read";
	int failed = 0, rc;

	for (size_t i = 0; i < nregressions; i++) {
		h.seed = regressions[i].seed;
		h.faults = 1;
		rc = history_parse(&h, regressions[i].steps) ||
		    history_run(&h, why);
		failed |= rc;
		if (rc)
			history_print(&h, why);
		printf("%sok %zu - regression: %s\n", rc ? "not " : "", i + 1,
		    regressions[i].what);
	}
	return failed;
}

/* A place whose fsync is cheap: what a crash leaves is decided here, not by
 * the disk. */
static int
scratch_make(void)
{
	const char *base = getenv("TMPDIR");

	if (access("/dev/shm", W_OK | X_OK) == 0)
		base = "/dev/shm";
	snprintf(scratch, sizeof(scratch), "%s/plan-property-XXXXXX",
	    base ? base : "/tmp");
	return mkdtemp(scratch) ? 0 : -1;
}

static uint64_t
number(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 0);

	if (*s == '\0' || *end != '\0') {
		fprintf(stderr, "plan_property: %s is no number\n", s);
		exit(2);
	}
	return v;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"seed", required_argument, NULL, 's'},
	    {"histories", required_argument, NULL, 'h'},
	    {"steps", required_argument, NULL, 'n'}, {0}};
	static const uint8_t key[32] = "a key for tests";
	uint64_t seed = (uint64_t)time(NULL) << 20, histories = 300;
	size_t steps = 60;
	int c, failed, given = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's') {
			seed = number(optarg);
			given = 1;
		} else if (c == 'h') {
			histories = number(optarg);
		} else if (c == 'n') {
			steps = number(optarg);
		} else {
			return 2;
		}
	}
	if (steps > STEPS_MAX || scratch_make() ||
	    (seal = seal_new(key)) == NULL) {
		fprintf(stderr,
		    "plan_property: at most %d steps; needs a "
		    "place for files\n",
		    STEPS_MAX);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n# seed %" PRIu64 "%s\n", nregressions + 1, seed,
	    given ? "" : " (from the clock; --seed repeats it)");
	failed = regressions_run();
	for (uint64_t i = 0; i < histories && !failed; i++)
		failed = history_try(seed + i, steps);
	printf("%sok %zu - %" PRIu64 " histories of %zu steps\n",
	    failed ? "not " : "", nregressions + 1, histories, steps);
	printf("# %" PRIu64 " histories, %" PRIu64 " steps, %" PRIu64
	       " rounds, %" PRIu64 " crashes, %" PRIu64 " changes, %" PRIu64
	       " writes, %" PRIu64 " touches in TOPdesk\n",
	    totals.histories, totals.steps, totals.rounds, totals.crashes,
	    totals.changes, totals.writes, totals.touched);
	rmdir(scratch);
	seal_free(seal);
	return failed ? 1 : 0;
}
