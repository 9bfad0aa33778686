/*
 * slot.h: which credentials there are.  The names are fixed: each stands for
 * one kind of secret and belongs to one upstream, so that nothing a person
 * types and nothing a peer sends can bind a credential to another host.
 *
 * Not here: the hosts, which orb.conf names, and the secrets (vault.h).
 */
#ifndef ORB_KEYD_SLOT_H
#define ORB_KEYD_SLOT_H

#include <stdint.h>

#include "lib/messages.h"

enum slot_id {
	SLOT_EXCHANGE_SECRET,
	SLOT_EXCHANGE_KEY,
	SLOT_EXCHANGE_KEY_NEXT,
	SLOT_EXCHANGE_PASSWORD, /* with exchange.kind = "ews" */
	SLOT_TOPDESK_PASSWORD,
	SLOT_DATA_KEY,    /* from here on made by keyd itself */
	SLOT_AUDIT_KEY,   /* signs the log's checkpoints */
	SLOT_AUDIT_STATE, /* what was signed last */
	SLOT_COUNT
};

/* Stand in files and in KEYD_CREDENTIAL_SET: never renumber. */
enum slot_kind {
	SLOT_KIND_ANY = 0, /* in KEYD_CREDENTIAL_SET: whatever the name says */
	SLOT_KIND_SECRET = 1,
	SLOT_KIND_KEY = 2,
	SLOT_KIND_PASSWORD = 3,
	SLOT_KIND_DATA_KEY = 4,
	SLOT_KIND_AUDIT_KEY = 5,
	SLOT_KIND_AUDIT_STATE = 6
};

struct slot {
	const char *name;
	enum slot_kind kind;
	enum upstream upstream;
};
extern const struct slot slot_table[SLOT_COUNT];

/* The slot of that name; -1 when there is none. */
int slot_find(const char *name);
/* "client secret", "private key", "password", "data key". */
const char *slot_kind_name(enum slot_kind);
/* "exchange-secret, exchange-key, ...": what a person may enter. */
const char *slot_names(void);

#endif
