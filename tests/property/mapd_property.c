/*
 * mapd_property.c: random histories of people, faults and crashes, driven
 * through all of mapd to convergence, both ways.
 *
 * A history is a list of steps that a seed gives; the seed also gives the site:
 * the interface to Exchange, book_as, the policies.  When a history fails it is
 * shortened as long as it still fails, then printed: seed, steps, and what must
 * never have happened.
 *
 * What is checked at every write (office_orb.c): never a second meeting or
 * reservation of one booking, never an end without evidence, never a write over
 * what a person did unless it is said, nothing written to what is issued or
 * archived, no write and no mail that says nothing new.  What is checked when
 * people stop (verdict.c): both sides are equal or the difference is said,
 * nothing more is written, nobody was mailed too often.
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

#include "clockwork.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "regressions.h"
#include "story.h"

#define SECRET_HEAP (256 * 1024)

/* Once more, with all that happens, for whoever looks for the mistake. */
static void
story_trace(struct ground *g, const struct story *h)
{
	char why[WHY_MAX];

	if (getenv("TRACE") == NULL)
		return;
	clockwork_trace = 1;
	(void)story_run(g, h, why);
	clockwork_trace = 0;
}

/* Not shortened: for who only wants to know that it fails. */
static int whole;

static int
story_try(struct ground *g, uint64_t seed, size_t steps)
{
	static struct story h;
	char why[WHY_MAX];

	story_make(&h, seed, steps);
	if (story_run(g, &h, why) == 0)
		return 0;
	if (!whole)
		story_shorten(g, &h, why);
	story_print(&h, why);
	story_trace(g, &h);
	printf("# again: mapd_property --seed %" PRIu64
	       " --histories 1 --steps %zu\n",
	    seed, steps);
	return -1;
}

static int
regressions_run(struct ground *g)
{
	static struct story h;
	char why[WHY_MAX] = "cannot be read";
	int failed = 0, rc;

	for (size_t i = 0; i < nregressions; i++) {
		h.seed = regressions[i].seed;
		h.faults = 1;
		rc = story_parse(&h, regressions[i].steps) ||
		    story_run(g, &h, why);
		failed |= rc;
		if (rc) {
			story_print(&h, why);
			story_trace(g, &h);
		}
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
	snprintf(dir, size, "%s/mapd-property-XXXXXX", base ? base : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static uint64_t
number(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 0);

	if (*s == '\0' || *end != '\0') {
		fprintf(stderr, "mapd_property: %s is no number\n", s);
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
	    {"steps", required_argument, NULL, 'n'},
	    {"whole", no_argument, NULL, 'w'}, {0}};
	uint64_t seed = 1, histories = 300;
	size_t steps = 60;
	char dir[128];
	struct ground g = {.dir = dir};
	int c, failed, one = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's') {
			seed = strcmp(optarg, "clock") == 0
			    ? (uint64_t)time(NULL) << 20
			    : number(optarg);
			one = strcmp(optarg, "clock") != 0;
		} else if (c == 'h') {
			histories = number(optarg);
		} else if (c == 'n') {
			steps = number(optarg);
		} else if (c == 'w') {
			whole = 1;
		} else {
			return 2;
		}
	}
	if (steps > STEPS_MAX || place_make(dir, sizeof(dir))) {
		fprintf(stderr,
		    "mapd_property: at most %d steps; needs a "
		    "place for files\n",
		    STEPS_MAX);
		return 2;
	}
	log_init("mapd_property", LOG_LV_ERR);
	secret_init(SECRET_HEAP);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n# seed %" PRIu64 "\n", nregressions + 1, seed);
	failed = one ? 0 : regressions_run(&g);
	for (uint64_t i = 0; i < histories && !failed; i++)
		failed = story_try(&g, seed + i, steps);
	printf("%sok %zu - %" PRIu64 " histories of %zu steps\n",
	    failed ? "not " : "", nregressions + 1, histories, steps);
	printf("# %" PRIu64 " histories, %" PRIu64 " steps, %" PRIu64
	       " messages, %" PRIu64 " crashes, %" PRIu64 " deeds, %" PRIu64
	       " writes, %" PRIu64 " mails\n",
	    g.totals.stories, g.totals.steps, g.totals.messages,
	    g.totals.crashes, g.totals.people, g.totals.writes, g.totals.mails);
	rmdir(dir);
	return failed ? 1 : 0;
}
