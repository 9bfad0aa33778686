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
 * cancellation without approval.  What is checked when people stop (settled.c):
 * both sides are equal or the difference is reported, nothing more is written,
 * and without faults there was at most one write for each change.
 *
 * By itself it runs the same histories every time, so that a change is judged
 * by what it did; make property-long takes its seed from the clock.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "regressions.h"

static int
history_try(struct ground *g, uint64_t seed, size_t steps)
{
	static struct history h;
	char why[WHY_MAX];

	history_make(&h, seed, steps);
	if (history_run(g, &h, why) == 0)
		return 0;
	history_shorten(g, &h, why);
	history_print(&h, why);
	printf("# again: plan_property --seed %" PRIu64
	       " --histories 1 --steps %zu\n",
	    seed, steps);
	return -1;
}

static int
regressions_run(struct ground *g)
{
	static struct history h;
	char why[WHY_MAX] = "cannot be read";
	int failed = 0, rc;

	for (size_t i = 0; i < nregressions; i++) {
		h.seed = regressions[i].seed;
		h.faults = 1;
		rc = history_parse(&h, regressions[i].steps) ||
		    history_run(g, &h, why);
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
place_make(char *dir, size_t size)
{
	const char *base = getenv("TMPDIR");

	if (access("/dev/shm", W_OK | X_OK) == 0)
		base = "/dev/shm";
	snprintf(dir, size, "%s/plan-property-XXXXXX", base ? base : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
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
	uint64_t seed = 1, histories = 300;
	size_t steps = 60;
	char dir[128];
	struct ground g = {.dir = dir};
	struct seal *seal;
	int c, failed;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's') {
			seed = strcmp(optarg, "clock") == 0
			    ? (uint64_t)time(NULL) << 20
			    : number(optarg);
		} else if (c == 'h') {
			histories = number(optarg);
		} else if (c == 'n') {
			steps = number(optarg);
		} else {
			return 2;
		}
	}
	if (steps > STEPS_MAX || place_make(dir, sizeof(dir)) ||
	    (g.seal = seal = seal_new(key)) == NULL) {
		fprintf(stderr,
		    "plan_property: at most %d steps; needs a "
		    "place for files\n",
		    STEPS_MAX);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n# seed %" PRIu64 "\n", nregressions + 1, seed);
	failed = regressions_run(&g);
	for (uint64_t i = 0; i < histories && !failed; i++)
		failed = history_try(&g, seed + i, steps);
	printf("%sok %zu - %" PRIu64 " histories of %zu steps\n",
	    failed ? "not " : "", nregressions + 1, histories, steps);
	printf("# %" PRIu64 " histories, %" PRIu64 " steps, %" PRIu64
	       " rounds, %" PRIu64 " crashes, %" PRIu64 " changes, %" PRIu64
	       " writes, %" PRIu64 " touches in TOPdesk\n",
	    g.totals.histories, g.totals.steps, g.totals.rounds,
	    g.totals.crashes, g.totals.changes, g.totals.writes,
	    g.totals.touched);
	rmdir(dir);
	seal_free(seal);
	return failed ? 1 : 0;
}
