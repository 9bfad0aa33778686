/*
 * http_locked.c: what follows from the upstream's yes or no to a credential.
 *
 * A directory locks an account after a few wrong logins, and begins to count
 * anew when there was none for a while (half an hour is usual, an hour is
 * much).  So a password that Exchange refused twice is not sent again for an
 * hour, however often keyd gives it out; another one is sent at once, since
 * somebody has just entered it.  One that had worked is tried after ten minutes
 * already, once: an Exchange that is overloaded says 401, too.
 *
 * Not here: how a credential is come by (http_lease.c).
 */
#include "fetchd/http.h"
#include "lib/events.h"

#include <string.h>

#define LOCKED_MS (60 * 60 * 1000)
#define LOCKED_WORKED_MS (10 * 60 * 1000)
#define CHECK_MS 15000 /* keyd is asked whether there is another; doubles */
#define CHECK_DOUBLINGS 3
#define PROVEN_MS 5000 /* without an answer; EWS */

static void
remember(struct lease *l, struct token *t)
{
	locked_forget(l);
	l->bad = token_ref(t);
	l->bad_until = loop_now() + (l->worked ? LOCKED_WORKED_MS : LOCKED_MS);
	l->worked = 0;
}

void
locked_forget(struct lease *l)
{
	token_unref(l->bad);
	l->bad = NULL;
	l->checks = 0;
}

int
locked_is_bad(const struct lease *l, const uint8_t *value, size_t len)
{
	size_t head = strlen(LEASE_HEADER);

	/* The line ends with a NUL. */
	return l->bad && l->bad->line.len == head + len + 1 &&
	    memcmp(l->bad->line.p + head, value, len) == 0;
}

int64_t
locked_wait(const struct lease *l)
{
	int64_t left = l->bad ? l->bad_until - loop_now() : 0;

	return left > 0 ? left : 0;
}

int64_t
locked_pause(struct lease *l)
{
	unsigned shift = l->checks < CHECK_DOUBLINGS ? l->checks++ : l->checks;

	return (int64_t)CHECK_MS << shift;
}

void
lease_on_401(struct http *h, struct token *t)
{
	struct lease *l = &h->lease;
	const char *text = h->soap
	    ? "Exchange does not accept the credential (401): enter a valid "
	      "one with orbctl credential set exchange, and see that the EWS "
	      "virtual directory allows Basic authentication"
	    : "the upstream does not accept the credential (401): enter a "
	      "valid one with orbctl credential set";

	/* Several requests may carry the same token: it is one refusal.  But a
	 * directory counts each of them. */
	t->refusals++;
	if (t != l->token && (!h->soap || t->refusals != 2 || l->failures != 1))
		return;
	lease_drop(h);
	l->failures++;
	if (l->failures < 2)
		return;
	record_event(h, EV_LOGIN_FAILED, 401, t->lease, NULL, text);
	if (h->soap)
		remember(l, t);
	/* A lease under way will be found to be the same one. */
	if (l->stage == LEASE_IDLE)
		lease_fail(h, OUTCOME_DENIED,
		    h->soap ? locked_pause(l) : lease_denied_pause(l), text);
}

int
lease_is_proven(const struct http *h)
{
	const struct token *t = h->lease.token;

	/* A password may be changed at any time.  The first request after a
	 * pause goes alone, so that it is refused once and not four times. */
	return t->proven && (!h->soap || loop_now() - t->proven_at < PROVEN_MS);
}

void
lease_proven(struct http *h, struct token *t)
{
	t->proven_at = loop_now();
	h->lease.worked = 1;
	if (t != h->lease.token || t->proven)
		return;
	t->proven = 1;
	h->lease.failures = 0;
	locked_forget(&h->lease);
	http_tell_status(h);
}
