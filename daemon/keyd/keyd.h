/*
 * keyd.h: the process's state and its handlers.
 *
 * keyd holds what is secret for long: credentials of the upstreams and the
 * data key of mapd.  It gives out leases (lease.c), the data key (datakey.c)
 * and takes credentials from a person (control.c).  It has no network.
 */
#ifndef ORB_KEYD_KEYD_H
#define ORB_KEYD_KEYD_H

#include <stdint.h>
#include <sys/types.h>

#include "keyd/keypair.h"
#include "lib/limit.h"
#include "keyd/slot.h"
#include "keyd/vault.h"
#include "lib/bootid.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "lib/secret.h"

#define KEYD_LEDGER_MS 5000 /* for a record to become durable */

/*
 * What kind of value HTTP_LEASE carries; http has the same numbers.  Which one
 * it is follows from the credential's kind.  Negotiate (Kerberos) would be a
 * third: a header too, but one for each connection and not for an hour.
 */
enum lease_kind {
	LEASE_FORM = 1, /* body of the token request */
	LEASE_BASIC = 2 /* value of the Authorization header */
};

struct keyd;

/* A listening socket's edge, the ctx of its connections. */
struct entrance {
	struct keyd *k;
	enum upstream upstream;
};

/*
 * A connection, and the one operation of it that waits for ledgerd.  When the
 * connection closes meanwhile, chan is NULL and the peer lives until then.
 */
struct peer {
	struct peer *next;
	struct keyd *k;
	struct chan *chan;
	enum upstream upstream;
	uid_t uid;

	/* why is NULL when the record is durable.  NULL: nothing waits. */
	void (*finish)(struct peer *, const struct err *why);
	uint64_t id;
	enum slot_id slot;
	struct key_facts facts; /* of a key pair that is being entered */
	struct secret value;    /* a lease's */
	uint64_t lease;
	uint32_t lifetime;
};

/* How a credential has been used since keyd started. */
struct slot_use {
	uint64_t leases;
	int64_t last;
	int64_t refused; /* when the login last would not have it */
};

struct keyd {
	const struct conf *conf;
	struct loop *loop;
	struct vault *vault;
	struct chan *ledger;
	struct entrance entrance[UPSTREAM_COUNT];
	struct peer *peers;
	struct key_facts facts[SLOT_COUNT]; /* of the key pairs */
	struct slot_use use[SLOT_COUNT];
	struct limit limit[UPSTREAM_COUNT];    /* leases */
	struct limit refusals[UPSTREAM_COUNT]; /* records of refusals */
	unsigned unsaid[UPSTREAM_COUNT];
	uint64_t next_lease, leases;
	struct limit checkpoints;
	char boot_id[BOOTID_SIZE];
	uint64_t signed_records; /* by the last checkpoint of this process */
	int stopping;            /* only a last checkpoint is waited for */
	const char *kek;         /* what the key-encryption key comes from */
	const char *degraded;    /* "", or what is amiss, for the status line */
	uid_t uid;
};

extern const struct permit keyd_http_permits[];
extern const struct permit keyd_mapd_permits[];
extern const struct permit keyd_ctl_permits[];
extern const struct permit keyd_ledger_permits[];

/*
 * Fills k, all zero before but for conf, loop, vault, ledger, kek, degraded:
 * limits, lease numbers, facts of the key pairs in the vault.
 */
void keyd_init(struct keyd *k);
void keyd_free(struct keyd *k);

/* --- peer.c: connections ----------------------------------------------------- */
int keyd_on_open(struct chan *, uid_t, pid_t);
/* For orbctl's edge: root, and the uid keyd runs as; all others are refused. */
int keyd_on_ctl_open(struct chan *, uid_t, pid_t);
void keyd_on_closed(struct chan *, const char *why);
/* ledgerd is gone: nothing more can be recorded, so keyd ends. */
void keyd_on_ledger_closed(struct chan *, const char *why);
struct peer *keyd_peer(struct chan *);
/* The END of a request: ERROR with code (enum outcome) and e's text. */
int keyd_fail(
    struct chan *, uint64_t id, enum outcome code, const struct err *e);

/* --- record.c: the audit trail ------------------------------------------------- */
/*
 * Sends r to ledgerd and calls finish when it is durable, or will not be; until
 * then the peer's further requests are refused.  0, or -1 and err (finish is
 * not called).
 */
int keyd_record(struct peer *, const struct record *r,
    void (*finish)(struct peer *, const struct err *), struct err *);
/* Sends r and does not wait. */
void keyd_note(struct keyd *, const struct record *r);

/* --- handlers ---------------------------------------------------------------------- */
int keyd_on_lease(struct chan *, struct packet *);
int keyd_on_data_key(struct chan *, struct packet *);
int keyd_on_credential_set(struct chan *, struct packet *);
int keyd_on_credential_list(struct chan *, struct packet *);
int keyd_on_credential_remove(struct chan *, struct packet *);
int keyd_on_checkpoint(struct chan *, struct packet *);
int keyd_on_audit_key(struct chan *, struct packet *);

/* --- status.c ---------------------------------------------------------------------- */
/* The status line as it is now, to systemd. */
void keyd_status(struct keyd *);
/* The same into out. */
void keyd_status_text(const struct keyd *, int64_t now, char *out, size_t size);
/* "expires in 9 days", "EXPIRED 3 days ago", "" when it never does. */
const char *keyd_expiry(int64_t expires, int64_t now, char *out, size_t size);

#endif
