/* slot.c: see slot.h. */
#include "keyd/slot.h"

#include <string.h>

/*
 * Two slots for a private key: a new certificate is entered beside the old one
 * and takes over without a gap (lease.c chooses).  mapd-data-key, audit-key
 * and audit-state are made by keyd itself; they stand here so that they are
 * listed, and removed on purpose.
 * Of Exchange's, orb.conf's kind and credential say which are used; the others
 * lie still (lease.c).
 */
const struct slot slot_table[SLOT_COUNT] = {
    [SLOT_EXCHANGE_SECRET] = {"exchange-secret", SLOT_KIND_SECRET,
	UPSTREAM_EXCHANGE},
    [SLOT_EXCHANGE_KEY] = {"exchange-key", SLOT_KIND_KEY, UPSTREAM_EXCHANGE},
    [SLOT_EXCHANGE_KEY_NEXT] = {"exchange-key-next", SLOT_KIND_KEY,
	UPSTREAM_EXCHANGE},
    [SLOT_EXCHANGE_PASSWORD] = {"exchange-password", SLOT_KIND_PASSWORD,
	UPSTREAM_EXCHANGE},
    [SLOT_TOPDESK_PASSWORD] = {"topdesk-password", SLOT_KIND_PASSWORD,
	UPSTREAM_TOPDESK},
    [SLOT_DATA_KEY] = {"mapd-data-key", SLOT_KIND_DATA_KEY, UPSTREAM_NONE},
    [SLOT_AUDIT_KEY] = {"audit-key", SLOT_KIND_AUDIT_KEY, UPSTREAM_NONE},
    [SLOT_AUDIT_STATE] = {"audit-state", SLOT_KIND_AUDIT_STATE, UPSTREAM_NONE},
};

int
slot_find(const char *name)
{
	for (int i = 0; i < SLOT_COUNT; i++)
		if (strcmp(slot_table[i].name, name) == 0)
			return i;
	return -1;
}

const char *
slot_kind_name(enum slot_kind kind)
{
	switch (kind) {
	case SLOT_KIND_SECRET:
		return "client secret";
	case SLOT_KIND_KEY:
		return "private key";
	case SLOT_KIND_PASSWORD:
		return "password";
	case SLOT_KIND_DATA_KEY:
		return "data key";
	case SLOT_KIND_AUDIT_KEY:
		return "signing key";
	case SLOT_KIND_AUDIT_STATE:
		return "last checkpoint";
	default:
		return "?";
	}
}

const char *
slot_names(void)
{
	return "exchange-secret, exchange-key, exchange-key-next, "
	       "exchange-password, topdesk-password";
}
