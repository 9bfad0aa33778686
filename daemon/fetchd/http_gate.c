/* http_gate.c: when to send nothing, and what to make of a status. */
#include "fetchd/http_pure.h"

#define FLOOR_MS 1000
#define CAP_MS 600000
#define MAX_SHIFT 6
#define MAX_THROTTLED 6
#define MAX_TRIES 2

int64_t
gate_close(struct gate *g, int64_t now, uint32_t seconds, uint32_t random)
{
	int64_t wait = (int64_t)seconds * 1000, floor_ms;
	unsigned shift = g->strikes < MAX_SHIFT ? g->strikes : MAX_SHIFT;

	floor_ms = (int64_t)FLOOR_MS << shift;
	floor_ms += random % (uint32_t)(floor_ms / 2);
	if (g->until > now) {
		/* One burst, one strike. */
		if (now + wait > g->until)
			g->until = now + (wait < CAP_MS ? wait : CAP_MS);
		return g->until - now;
	}
	if (wait < floor_ms)
		wait = floor_ms;
	if (wait > CAP_MS)
		wait = CAP_MS;
	g->strikes++;
	g->until = now + wait;
	return wait;
}

void
gate_good(struct gate *g)
{
	g->strikes = 0;
}

int64_t
gate_wait(const struct gate *g, int64_t now)
{
	return g->until > now ? g->until - now : 0;
}

enum verdict
answer_verdict(long status, int idempotent, unsigned throttled, unsigned tries,
    int renewed)
{
	if (status == 401)
		return renewed ? VERDICT_DENIED : VERDICT_RENEW;
	if (status >= 300 && status < 400 && status != 304)
		return VERDICT_REDIRECT;
	if (status == 429)
		return throttled < MAX_THROTTLED ? VERDICT_THROTTLE
						 : VERDICT_FORWARD;
	if (!idempotent || tries >= MAX_TRIES)
		return VERDICT_FORWARD;
	if (status == 503)
		return VERDICT_THROTTLE;
	if (status == 500 || status == 502 || status == 504)
		return VERDICT_AGAIN;
	return VERDICT_FORWARD;
}
