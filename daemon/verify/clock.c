/* clock.c: see clock.h. */
#include "verify/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define BACK_MAX SECOND      /* records of one moment may be a little apart */
#define START (600 * SECOND) /* time synchronisation is done by then */

/* Times in a record are anything from 0 to 2^63 - 1. */
static int64_t
minus(int64_t a, int64_t b)
{
	int64_t d;

	if (__builtin_sub_overflow(a, b, &d))
		return a < b ? INT64_MIN + 1 : INT64_MAX;
	return d;
}

static double
seconds(int64_t ns)
{
	return (double)ns / SECOND;
}

static int
was_there(const struct clock *c, const char *boot)
{
	for (size_t i = 0; i < c->nboots; i++)
		if (memcmp(c->boots[i], boot, BOOT_ID_LEN) == 0)
			return 1;
	return 0;
}

static void
remember(struct clock *c)
{
	void *p;

	if (c->nboots == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 16;

		if (cap > BOOTS_MAX ||
		    (p = realloc(c->boots, cap * BOOT_ID_LEN)) == NULL)
			return;
		c->boots = p;
		c->cap = cap;
	}
	memcpy(c->boots[c->nboots++], c->boot, BOOT_ID_LEN);
}

static void
new_boot(struct clock *c, const struct record *r, struct place at)
{
	if (c->begun && was_there(c, r->boot_id.p))
		report_add(c->report, BOOT_RETURNS, at,
		    "boot %.36s, which had ended, is there again",
		    r->boot_id.p);
	else if (c->begun)
		remember(c);
	if (c->begun && r->realtime < minus(c->realtime, BACK_MAX))
		report_add(c->report, CLOCK_BEFORE_BOOT, at,
		    "the first record of a new boot is %.3f s before the last "
		    "of the old one",
		    seconds(minus(c->realtime, r->realtime)));
	memcpy(c->boot, r->boot_id.p, BOOT_ID_LEN);
	c->begun = 1;
	c->apart = minus(r->realtime, r->boottime);
}

static void
same_boot(struct clock *c, const struct record *r, struct place at)
{
	int64_t apart = minus(r->realtime, r->boottime);
	int64_t step = minus(apart, c->apart);
	int64_t back = minus(c->realtime, r->realtime);

	if (r->boottime < c->boottime)
		report_add(c->report, BOOTTIME_BACK, at,
		    "the time since boot runs back by %.3f s",
		    seconds(minus(c->boottime, r->boottime)));
	if (back > BACK_MAX || step < -c->bound) {
		report_add(c->report, CLOCK_BACK, at,
		    "the clock was set back by %.3f s",
		    seconds(back > -step ? back : -step));
		c->apart = apart;
	} else if (step > c->bound) {
		report_add(c->report,
		    r->boottime < START ? CLOCK_SET_AT_START : CLOCK_STEP, at,
		    "the clock was set forward by %.3f s", seconds(step));
		c->apart = apart;
	}
}

void
clock_see(struct clock *c, const struct record *r, struct place at)
{
	if (!c->begun || memcmp(c->boot, r->boot_id.p, BOOT_ID_LEN) != 0)
		new_boot(c, r, at);
	else
		same_boot(c, r, at);
	c->realtime = r->realtime;
	c->boottime = r->boottime;
}

void
clock_free(struct clock *c)
{
	free(c->boots);
	c->boots = NULL;
}
