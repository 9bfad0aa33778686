/* status.c: keyd's one honest line. */
#include "keyd/keyd.h"
#include "lib/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define SOON 30 /* days before an expiry from which it is said */

const char *
keyd_expiry(int64_t expires, int64_t now, char *out, size_t size)
{
	int64_t days;

	out[0] = '\0';
	if (expires == 0)
		return out;
	if (expires > now) {
		days = (expires - now) / DAY;
		snprintf(out, size, "expires in %lld day%s", (long long)days,
		    days == 1 ? "" : "s");
	} else {
		days = (now - expires) / DAY;
		snprintf(out, size, "EXPIRED %lld day%s ago", (long long)days,
		    days == 1 ? "" : "s");
	}
	return out;
}

struct line {
	char *p;
	size_t len, size;
};

static void __attribute__((format(printf, 2, 3)))
add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->p + l->len, l->size - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n < l->size - l->len ? (size_t)n
						       : l->size - l->len - 1;
}

/* Whether a credential stands in the slot, damaged or not. */
static int
present(const struct keyd *k, enum slot_id slot)
{
	return vault_entry(k->vault, slot)->state != VAULT_EMPTY;
}

/* What is needed by orb.conf and has not been entered, with the cure. */
static void
add_missing(struct line *l, const struct keyd *k)
{
	enum slot_id x = SLOT_EXCHANGE_SECRET;

	if (conf_is_ews(k->conf))
		x = SLOT_EXCHANGE_PASSWORD;
	else if (k->conf->exchange.credential == CONF_CRED_CERTIFICATE)
		x = present(k, SLOT_EXCHANGE_KEY_NEXT) ? SLOT_EXCHANGE_KEY_NEXT
						       : SLOT_EXCHANGE_KEY;
	if (!present(k, x))
		add(l, ", missing: orbctl credential set %s",
		    slot_table[x].name);
	if (!present(k, SLOT_TOPDESK_PASSWORD))
		add(l, ", missing: orbctl credential set %s",
		    slot_table[SLOT_TOPDESK_PASSWORD].name);
}

void
keyd_status_text(const struct keyd *k, int64_t now, char *out, size_t size)
{
	struct line l = {out, 0, size};
	const struct vault_entry *en;
	char text[60];
	int n = 0;

	for (int s = 0; s < SLOT_DATA_KEY; s++)
		n += present(k, s);
	add(&l, "%d credential%s, KEK from %s, %" PRIu64 " lease%s", n,
	    n == 1 ? "" : "s", k->kek, k->leases, k->leases == 1 ? "" : "s");
	for (int s = 0; s < SLOT_COUNT; s++) {
		en = vault_entry(k->vault, s);
		if (en->state == VAULT_DAMAGED)
			add(&l, ", %s DAMAGED", slot_table[s].name);
		else if (en->state == VAULT_OK && en->expires &&
		    en->expires - now < SOON * DAY)
			add(&l, ", %s %s", slot_table[s].name,
			    keyd_expiry(en->expires, now, text, sizeof(text)));
	}
	add_missing(&l, k);
	if (k->degraded[0])
		add(&l, ", %s", k->degraded);
}

void
keyd_status(struct keyd *k)
{
	char text[300];

	keyd_status_text(k, time(NULL), text, sizeof(text));
	notify_status("%s", text);
}
