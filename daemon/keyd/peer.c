/* peer.c: who is connected, and who may be. */
#include "keyd/keyd.h"
#include "lib/events.h"
#include "lib/log.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REFUSALS_PER_HOUR 60
#define CHECKPOINTS_PER_HOUR 36000 /* of 1,000 records each, in a burst */

const struct permit keyd_http_permits[] = {
    {MSG_KEYD_LEASE, keyd_on_lease, 0},
    {0, NULL, 0},
};

const struct permit keyd_mapd_permits[] = {
    {MSG_KEYD_DATA_KEY, keyd_on_data_key, 1},
    {0, NULL, 0},
};

const struct permit keyd_ctl_permits[] = {
    {MSG_KEYD_CREDENTIAL_SET, keyd_on_credential_set, 0},
    {MSG_KEYD_CREDENTIAL_LIST, keyd_on_credential_list, 0},
    {MSG_KEYD_CREDENTIAL_REMOVE, keyd_on_credential_remove, 0},
    {MSG_KEYD_AUDIT_KEY, keyd_on_audit_key, 0},
    {0, NULL, 0},
};

/* Reads each key pair once for its thumbprint and dates. */
static void
facts_load(struct keyd *k, enum slot_id slot)
{
	struct secret pem = {NULL, 0};
	struct keypair kp;
	struct err e;

	if (slot_table[slot].kind != SLOT_KIND_KEY ||
	    vault_entry(k->vault, slot)->state != VAULT_OK ||
	    vault_read(k->vault, slot, &pem, &e))
		return;
	if (keypair_parse((struct wire_bytes){pem.p, pem.len}, &kp, &e) == 0) {
		k->facts[slot] = kp.facts;
		keypair_free(&kp);
	} else
		log_err("credential %s: %s", slot_table[slot].name, e.text);
	secret_free(&pem);
}

void
keyd_init(struct keyd *k)
{
	int rate = k->conf->keyd.leases_per_hour;
	uint32_t r = 0;

	for (int u = 0; u < UPSTREAM_COUNT; u++) {
		k->entrance[u] = (struct entrance){k, (enum upstream)u};
		limit_init(&k->limit[u], rate, loop_now());
		limit_init(&k->refusals[u], REFUSALS_PER_HOUR, loop_now());
	}
	limit_init(&k->checkpoints, CHECKPOINTS_PER_HOUR, loop_now());
	bootid_read(k->boot_id);
	for (int s = 0; s < SLOT_COUNT; s++)
		facts_load(k, s);
	/*
	 * Lease numbers never come twice: the second of the start, then 20
	 * bits, of which the upper start anywhere in the lower half.  They fit
	 * into the 53 bits that JSON readers keep.
	 */
	(void)RAND_bytes((uint8_t *)&r, sizeof(r));
	k->next_lease = (uint64_t)time(NULL) << 20 | (r & 0x7ffff);
	k->uid = geteuid();
}

void
keyd_free(struct keyd *k)
{
	struct peer *p;

	/* Ends what waits for ledgerd, which may free peers that are gone. */
	if (k->ledger)
		chan_free(k->ledger);
	k->ledger = NULL;
	while ((p = k->peers) != NULL) {
		k->peers = p->next;
		chan_free(p->chan);
		secret_free(&p->value);
		free(p);
	}
	vault_free(k->vault);
	k->vault = NULL;
}

int
keyd_on_open(struct chan *c, uid_t uid, pid_t pid)
{
	struct entrance *en = chan_ctx(c);
	struct peer *p = calloc(1, sizeof(*p));

	(void)pid;
	if (p == NULL)
		return -1;
	p->k = en->k;
	p->chan = c;
	p->upstream = en->upstream;
	p->uid = uid;
	p->next = en->k->peers;
	en->k->peers = p;
	return 0;
}

int
keyd_on_ctl_open(struct chan *c, uid_t uid, pid_t pid)
{
	struct entrance *en = chan_ctx(c);

	if (uid != 0 && uid != en->k->uid) {
		log_warn("orbctl credential from uid %u refused: only root may",
		    (unsigned)uid);
		return -1;
	}
	return keyd_on_open(c, uid, pid);
}

struct peer *
keyd_peer(struct chan *c)
{
	struct entrance *en = chan_ctx(c);
	struct peer *p = en->k->peers;

	while (p && p->chan != c)
		p = p->next;
	return p;
}

void
keyd_on_closed(struct chan *c, const char *why)
{
	struct entrance *en = chan_ctx(c);
	struct record r = {.event = EV_PROTOCOL_VIOLATION,
	    .upstream = (uint8_t)en->upstream,
	    .text = why};
	struct peer **pp = &en->k->peers, *p;

	if (why) {
		log_warn("%s", why);
		if (strstr(why, "broke the protocol"))
			keyd_note(en->k, &r);
	}
	while ((p = *pp) != NULL && p->chan != c)
		pp = &p->next;
	if (p == NULL)
		return;
	*pp = p->next;
	p->next = NULL;
	p->chan = NULL;
	if (p->finish == NULL)
		free(p);
}

void
keyd_on_ledger_closed(struct chan *c, const char *why)
{
	struct keyd *k = chan_ctx(c);

	log_warn("ledgerd is gone (%s): keyd ends and is started again",
	    why ? why : "it closed the connection");
	k->ledger = NULL;
	loop_stop(k->loop);
}

int
keyd_fail(struct chan *c, uint64_t id, enum outcome code, const struct err *e)
{
	char text[401];
	struct msg_error m = {.code = (uint16_t)code, .text = text};

	wire_clean(text, sizeof(text), e->text, sizeof(text) - 1);
	(void)error_send(c, id, CHAN_END, &m);
	return 0;
}
