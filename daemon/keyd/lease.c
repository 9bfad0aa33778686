/*
 * lease.c: KEYD_LEASE: what http needs to be let in by its one upstream.
 *
 * The upstream is the socket's, never the message's; the hosts are orb.conf's.
 * A compromised http can ask for leases of its own upstream until the limit is
 * reached, each of which is in the audit trail before it is answered; it can
 * choose between two keys of the same application; it can do nothing else.
 */
#include "keyd/assertion.h"
#include "keyd/keyd.h"
#include "keyd/token_form.h"
#include "lib/events.h"
#include "lib/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LIFETIME_FORM ASSERTION_LIFETIME
#define LIFETIME_BASIC 3600
/* For so long a key that the login refused comes after the other one. */
#define REFUSED_FOR (6 * 3600)

/* What a lease is to be for. */
struct ask {
	struct keyd *k;
	enum upstream upstream;
	int64_t now;
	enum slot_id slot;
};

static const char *
key_name(const struct keyd *k, enum slot_id slot)
{
	switch (slot_table[slot].kind) {
	case SLOT_KIND_KEY:
		return k->facts[slot].thumbprint;
	case SLOT_KIND_SECRET:
		return "secret";
	default:
		return "password";
	}
}

/* A password is sent as it is; all else becomes a token. */
static enum lease_kind
kind_of(enum slot_id slot)
{
	return slot_table[slot].kind == SLOT_KIND_PASSWORD ? LEASE_BASIC
							   : LEASE_FORM;
}

/* The host that TLS has verified must be the one that the credential is for:
 * where tokens come from, or the API's own when it goes there itself. */
static int
check_host(const struct ask *a, const struct msg_keyd_lease *m, struct err *e)
{
	const struct conf *conf = a->k->conf;
	const struct conf_url *u = conf_login_url(conf, a->upstream);

	if (u == NULL)
		u = conf_api_url(conf, a->upstream);
	if (strcasecmp(m->host, u->host) == 0 && m->port == u->port)
		return 0;
	return err_set(e, EPERM,
	    "a lease for %.120s:%u was asked for, but the credential is for "
	    "%.120s:%u only",
	    m->host, (unsigned)m->port, u->host, (unsigned)u->port);
}

/* 0 when the slot's credential can be used now, else -1 and err. */
static int
check_slot(const struct ask *a, enum slot_id slot, struct err *e)
{
	const struct vault_entry *en = vault_entry(a->k->vault, slot);
	const struct key_facts *f = &a->k->facts[slot];
	const char *name = slot_table[slot].name;
	char text[60];

	if (en->state == VAULT_EMPTY)
		return err_set(e, ENOENT,
		    "%s has not been entered: orbctl credential set %s", name,
		    name);
	if (en->state == VAULT_DAMAGED)
		return err_set(e, EIO, "%s: %s", name, en->problem);
	if (en->expires && en->expires <= a->now)
		return err_set(e, EKEYEXPIRED,
		    "%s: %s; enter a new one: orbctl credential set %s", name,
		    keyd_expiry(en->expires, a->now, text, sizeof(text)), name);
	if (slot_table[slot].kind == SLOT_KIND_KEY && f->not_before > a->now)
		return err_set(e, EKEYREJECTED,
		    "%s: its certificate is not valid yet; is the clock right?",
		    name);
	return 0;
}

/* Whether key slot s is to be tried before t. */
static int
comes_before(const struct ask *a, enum slot_id s, enum slot_id t)
{
	const struct keyd *k = a->k;
	int sr = a->now - k->use[s].refused < REFUSED_FOR;
	int tr = a->now - k->use[t].refused < REFUSED_FOR;

	if (sr != tr)
		return tr;
	if (k->facts[s].not_before != k->facts[t].not_before)
		return k->facts[s].not_before > k->facts[t].not_before;
	return vault_entry(k->vault, s)->entered >
	    vault_entry(k->vault, t)->entered;
}

/*
 * The credential to use.  Of two key pairs the newer certificate comes first,
 * unless the login has refused it lately: so a new one may be entered before
 * it has been uploaded, and the old one goes on working.
 */
static int
choose(struct ask *a, const char *refused, struct err *e)
{
	static const enum slot_id keys[] = {
	    SLOT_EXCHANGE_KEY, SLOT_EXCHANGE_KEY_NEXT};
	struct err e2;

	if (a->upstream == UPSTREAM_TOPDESK)
		a->slot = SLOT_TOPDESK_PASSWORD;
	else if (conf_is_ews(a->k->conf))
		a->slot = SLOT_EXCHANGE_PASSWORD;
	else if (a->k->conf->exchange.credential == CONF_CRED_SECRET)
		a->slot = SLOT_EXCHANGE_SECRET;
	else {
		for (int i = 0; i < 2; i++)
			if (refused[0] &&
			    strcmp(refused, key_name(a->k, keys[i])) == 0)
				a->k->use[keys[i]].refused = a->now;
		a->slot = SLOT_EXCHANGE_KEY;
		if (check_slot(a, SLOT_EXCHANGE_KEY, e) == 0) {
			if (check_slot(a, SLOT_EXCHANGE_KEY_NEXT, &e2) == 0 &&
			    comes_before(
				a, SLOT_EXCHANGE_KEY_NEXT, SLOT_EXCHANGE_KEY))
				a->slot = SLOT_EXCHANGE_KEY_NEXT;
			return 0;
		}
		if (check_slot(a, SLOT_EXCHANGE_KEY_NEXT, &e2))
			return -1;
		a->slot = SLOT_EXCHANGE_KEY_NEXT;
		return 0;
	}
	return check_slot(a, a->slot, e);
}

/* The token request's body with an assertion signed by the slot's key. */
static int
compose_assertion(const struct ask *a, const struct secret *pem,
    struct secret *value, struct err *e)
{
	const struct conf_exchange *x = &a->k->conf->exchange;
	struct assertion as = {x->assertion_alg, x->login_url.text, x->tenant,
	    x->client_id, a->now};
	struct secret jwt = {NULL, 0};
	struct keypair kp;
	int rc;

	if (keypair_parse((struct wire_bytes){pem->p, pem->len}, &kp, e))
		return -1;
	rc = assertion_make(&as, &kp, &jwt, e);
	keypair_free(&kp);
	if (rc == 0)
		rc = token_form(
		    x->client_id, x->scope, TOKEN_ASSERTION, &jwt, value, e);
	secret_free(&jwt);
	return rc;
}

static int
compose(const struct ask *a, struct secret *value, struct err *e)
{
	const struct conf *conf = a->k->conf;
	struct secret raw = {NULL, 0};
	int rc;

	if (vault_read(a->k->vault, a->slot, &raw, e))
		return -1;
	switch (slot_table[a->slot].kind) {
	case SLOT_KIND_KEY:
		rc = compose_assertion(a, &raw, value, e);
		break;
	case SLOT_KIND_SECRET:
		rc = token_form(conf->exchange.client_id, conf->exchange.scope,
		    TOKEN_SECRET, &raw, value, e);
		break;
	default:
		rc = token_basic(a->upstream == UPSTREAM_TOPDESK
			? conf->topdesk.login
			: conf->exchange.ews_login,
		    &raw, value, e);
	}
	secret_free(&raw);
	return rc;
}

/* The record of the lease is durable (or will not be): answer. */
static void
lease_finish(struct peer *p, const struct err *why)
{
	struct keyd *k = p->k;
	struct msg_http_lease m = {.lease = p->lease,
	    .kind = (uint8_t)kind_of(p->slot),
	    .lifetime = p->lifetime,
	    .key_name = key_name(k, p->slot),
	    .value = {p->value.p, p->value.len}};

	if (why) {
		log_warn("lease %llu is not given out: %s",
		    (unsigned long long)p->lease, why->text);
		if (p->chan)
			keyd_fail(p->chan, p->id, OUTCOME_BUSY, why);
	} else {
		k->leases++;
		k->use[p->slot].leases++;
		k->use[p->slot].last = time(NULL);
		if (p->chan)
			(void)http_lease_send(p->chan, p->id, CHAN_END, &m);
	}
	secret_free(&p->value);
	keyd_status(k);
}

/*
 * Says no, and records it.  Refusals are cheap for the one who asks, so their
 * records are limited too; the next one says how many were left out.
 */
static int
refuse(struct peer *p, uint64_t id, enum outcome code, const struct err *e)
{
	struct keyd *k = p->k;
	struct record r = {
	    .event = EV_LEASE_REFUSED, .upstream = (uint8_t)p->upstream};
	unsigned *unsaid = &k->unsaid[p->upstream];
	char text[300], clean[301];
	int n;

	if (limit_take(&k->refusals[p->upstream], loop_now())) {
		(*unsaid)++;
		return keyd_fail(p->chan, id, code, e);
	}
	n = snprintf(text, sizeof(text), "%.250s", e->text);
	if (*unsaid)
		snprintf(text + n, sizeof(text) - (size_t)n,
		    " (and %u refusals more)", *unsaid);
	*unsaid = 0;
	r.text = wire_clean(clean, sizeof(clean), text, 300);
	keyd_note(k, &r);
	log_warn("%s: lease refused: %s", upstream_name(p->upstream), e->text);
	return keyd_fail(p->chan, id, code, e);
}

/* Records the lease; the answer follows in lease_finish(). */
static int
grant(struct peer *p, const struct ask *a, const struct msg_keyd_lease *m,
    struct err *e)
{
	const struct vault_entry *en = vault_entry(a->k->vault, a->slot);
	uint32_t life =
	    kind_of(a->slot) == LEASE_FORM ? LIFETIME_FORM : LIFETIME_BASIC;
	char text[300];
	struct record r = {.event = EV_LEASE_GRANTED,
	    .upstream = (uint8_t)a->upstream,
	    .lease = a->k->next_lease,
	    .after = m->spki,
	    .text = text};

	snprintf(text, sizeof(text), "%s %.16s for %.200s:%u",
	    slot_table[a->slot].name, key_name(a->k, a->slot), m->host,
	    (unsigned)m->port);
	if (en->expires && en->expires - a->now < life)
		life = (uint32_t)(en->expires - a->now);
	p->slot = a->slot;
	p->lease = a->k->next_lease++;
	p->lifetime = life;
	return keyd_record(p, &r, lease_finish, e);
}

/*
 * From http@UPSTREAM, after it has verified the TLS peer.  Answered with
 * HTTP_LEASE, or ERROR: denied (no usable credential, another host), busy (too
 * many leases, or no durable record: later).
 */
int
keyd_on_lease(struct chan *c, struct packet *pk)
{
	struct peer *p = keyd_peer(c);
	struct msg_keyd_lease m;
	struct ask a;
	struct err e = {0, ""};
	int64_t wait;

	if (keyd_lease_get(pk, &m) || p == NULL || m.spki.len != 32)
		return -1;
	if (p->finish) {
		err_set(&e, EBUSY, "a lease is under way on this connection");
		return keyd_fail(c, pk->id, OUTCOME_BUSY, &e);
	}
	a = (struct ask){p->k, p->upstream, time(NULL), SLOT_COUNT};
	if (check_host(&a, &m, &e) || choose(&a, m.refused, &e))
		return refuse(p, pk->id, OUTCOME_DENIED, &e);
	wait = limit_take(&p->k->limit[p->upstream], loop_now());
	if (wait) {
		err_set(&e, EAGAIN,
		    "more than %d leases an hour (keyd.leases_per_hour): the "
		    "next one in %lld s",
		    p->k->conf->keyd.leases_per_hour,
		    (long long)(wait + 999) / 1000);
		return refuse(p, pk->id, OUTCOME_BUSY, &e);
	}
	if (compose(&a, &p->value, &e))
		return refuse(p, pk->id, OUTCOME_DENIED, &e);
	p->id = pk->id;
	if (grant(p, &a, &m, &e)) {
		secret_free(&p->value);
		return keyd_fail(c, pk->id, OUTCOME_BUSY, &e);
	}
	return 0;
}
