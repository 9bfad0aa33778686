/*
 * control.c: KEYD_CREDENTIAL_SET, _LIST, _REMOVE: what a person does with
 * credentials.  There is no message that gives one back.
 */
#include "keyd/keyd.h"
#include "lib/events.h"
#include "lib/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PASSWORD_MAX 1024

/* Whether it has the form of a UUID. */
static int
is_uuid(struct wire_bytes v)
{
	if (v.len != 36)
		return 0;
	for (size_t i = 0; i < v.len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? v.p[i] != '-'
							    : !isxdigit(v.p[i]))
			return 0;
	return 1;
}

static int
check_password(enum slot_id slot, struct wire_bytes v, struct err *e)
{
	const char *what = slot_kind_name(slot_table[slot].kind);

	if (v.len == 0 || v.len > PASSWORD_MAX)
		return err_set(e, EINVAL,
		    "a %s of %zu bytes; 1 to %d are allowed", what, v.len,
		    PASSWORD_MAX);
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return err_set(e, EINVAL,
			    "the %s holds a control character (perhaps a line "
			    "break)",
			    what);
	/* The portal shows both; people copy the wrong one. */
	if (slot == SLOT_EXCHANGE_SECRET && is_uuid(v))
		return err_set(e, EINVAL,
		    "that is the ID of a client secret; its value is needed, "
		    "which the portal shows only when the secret is made");
	return 0;
}

static int
check_key(struct wire_bytes v, int64_t now, struct key_facts *f, struct err *e)
{
	struct keypair kp;
	char text[60];

	if (keypair_parse(v, &kp, e))
		return -1;
	*f = kp.facts;
	keypair_free(&kp);
	if (f->not_after <= now)
		return err_set(e, EKEYEXPIRED, "the certificate: %s",
		    keyd_expiry(f->not_after, now, text, sizeof(text)));
	return 0;
}

/*
 * Whether the value may become this credential.  *expires: what the person
 * said; of a key pair, what the certificate says.
 */
static int
check_value(enum slot_id slot, const struct msg_keyd_credential_set *m,
    int64_t now, int64_t *expires, struct key_facts *f, struct err *e)
{
	const struct slot *s = &slot_table[slot];

	*expires = m->expires;
	if (m->kind != SLOT_KIND_ANY && m->kind != s->kind)
		return err_set(
		    e, EINVAL, "%s is a %s", s->name, slot_kind_name(s->kind));
	if (s->kind == SLOT_KIND_KEY) {
		if (check_key(m->value, now, f, e))
			return -1;
		*expires = f->not_after;
		return 0;
	}
	if (m->expires < 0 || (m->expires && m->expires <= now))
		return err_set(e, EINVAL, "the expiry date is in the past");
	return check_password(slot, m->value, e);
}

static void
set_finish(struct peer *p, const struct err *why)
{
	struct keyd *k = p->k;
	struct err e;

	if (why) {
		vault_abandon(k->vault, p->slot);
		if (p->chan)
			keyd_fail(p->chan, p->id, OUTCOME_FAILED, why);
		return;
	}
	if (vault_commit(k->vault, p->slot, &e)) {
		log_err("%s", e.text);
		if (p->chan)
			keyd_fail(p->chan, p->id, OUTCOME_FAILED, &e);
		return;
	}
	k->facts[p->slot] = p->facts;
	k->use[p->slot] = (struct slot_use){0, 0, 0};
	log_notice("credential %s was entered by uid %u",
	    slot_table[p->slot].name, (unsigned)p->uid);
	if (p->chan)
		(void)done_send(
		    p->chan, p->id, CHAN_END, &(struct msg_done){0});
	keyd_status(k);
}

/* The slot a person may change, by name; -1 and err. */
static int
named_slot(struct peer *p, const char *name, struct err *e)
{
	int slot = slot_find(name);

	if (p->finish)
		return err_set(
		    e, EBUSY, "another change is under way on this connection");
	if (slot < 0)
		return err_set(e, ENOENT,
		    "there is no credential \"%s\"; there may be %s", name,
		    slot_names());
	return slot;
}

/* From orbctl.  Answered with DONE or ERROR. */
int
keyd_on_credential_set(struct chan *c, struct packet *pk)
{
	struct peer *p = keyd_peer(c);
	struct msg_keyd_credential_set m;
	struct record r = {.event = EV_CREDENTIAL_SET};
	struct err e;
	char text[120];
	uint8_t sum[32];
	int64_t now = time(NULL), expires;
	int slot;

	if (keyd_credential_set_get(pk, &m) || p == NULL)
		return -1;
	if ((slot = named_slot(p, m.name, &e)) < 0)
		return keyd_fail(c, pk->id, OUTCOME_REFUSED, &e);
	memset(&p->facts, 0, sizeof(p->facts));
	if (slot >= SLOT_DATA_KEY)
		err_set(&e, EPERM, "%s is made by keyd itself", m.name);
	else if (check_value(slot, &m, now, &expires, &p->facts, &e) == 0 &&
	    vault_stage(p->k->vault, slot, m.value, now, expires, &e) == 0) {
		p->id = pk->id;
		p->slot = slot;
		snprintf(text, sizeof(text), "%s, by uid %u", m.name,
		    (unsigned)p->uid);
		r.text = text;
		r.upstream = (uint8_t)slot_table[slot].upstream;
		/* Of a password not even a hash. */
		if (slot_table[slot].kind == SLOT_KIND_KEY) {
			for (int i = 0; i < 32; i++)
				(void)sscanf(p->facts.thumbprint + 2 * i,
				    "%2hhx", &sum[i]);
			r.after = (struct wire_bytes){sum, sizeof(sum)};
		}
		if (keyd_record(p, &r, set_finish, &e) == 0)
			return 0;
		vault_abandon(p->k->vault, slot);
	}
	return keyd_fail(c, pk->id, OUTCOME_REFUSED, &e);
}

static int
send_row(struct chan *c, uint64_t id, const struct keyd *k, enum slot_id slot,
    int64_t now)
{
	const struct vault_entry *en = vault_entry(k->vault, slot);
	const struct slot *s = &slot_table[slot];
	char text[201];
	struct msg_ctl_credential m = {.name = s->name,
	    .kind = slot_kind_name(s->kind),
	    .upstream = upstream_name(s->upstream),
	    .entered = en->entered,
	    .expires = en->expires,
	    .leases = k->use[slot].leases,
	    .last_lease = k->use[slot].last,
	    .key_name = k->facts[slot].thumbprint,
	    .text = text};

	if (en->state == VAULT_DAMAGED)
		wire_clean(text, sizeof(text), en->problem, 200);
	else if (k->use[slot].refused)
		snprintf(text, sizeof(text), "the login refused it");
	else
		keyd_expiry(en->expires, now, text, sizeof(text));
	return ctl_credential_send(c, id, 0, &m);
}

/* From orbctl.  Answered with a CTL_CREDENTIAL each, then DONE with how many. */
int
keyd_on_credential_list(struct chan *c, struct packet *pk)
{
	struct peer *p = keyd_peer(c);
	struct msg_done done = {0};

	if (keyd_credential_list_get(pk) || p == NULL)
		return -1;
	for (int s = 0; s < SLOT_COUNT; s++)
		if (vault_entry(p->k->vault, s)->state != VAULT_EMPTY &&
		    send_row(c, pk->id, p->k, s, time(NULL)) == 0)
			done.value++;
	(void)done_send(c, pk->id, CHAN_END, &done);
	return 0;
}

static void
remove_finish(struct peer *p, const struct err *why)
{
	struct keyd *k = p->k;
	struct err e;

	if (why == NULL && vault_remove(k->vault, p->slot, &e))
		why = &e;
	if (why) {
		if (p->chan)
			keyd_fail(p->chan, p->id, OUTCOME_FAILED, why);
		return;
	}
	memset(&k->facts[p->slot], 0, sizeof(k->facts[p->slot]));
	k->use[p->slot] = (struct slot_use){0, 0, 0};
	log_notice("credential %s was removed by uid %u",
	    slot_table[p->slot].name, (unsigned)p->uid);
	if (p->chan)
		(void)done_send(
		    p->chan, p->id, CHAN_END, &(struct msg_done){0});
	keyd_status(k);
}

/* From orbctl.  Answered with DONE or ERROR. */
int
keyd_on_credential_remove(struct chan *c, struct packet *pk)
{
	struct peer *p = keyd_peer(c);
	struct msg_keyd_credential_remove m;
	struct record r = {.event = EV_CREDENTIAL_REMOVED};
	struct err e;
	char text[120];
	int slot;

	if (keyd_credential_remove_get(pk, &m) || p == NULL)
		return -1;
	if ((slot = named_slot(p, m.name, &e)) < 0)
		return keyd_fail(c, pk->id, OUTCOME_REFUSED, &e);
	if (vault_entry(p->k->vault, slot)->state == VAULT_EMPTY)
		err_set(&e, ENOENT, "%s has not been entered", m.name);
	else {
		p->id = pk->id;
		p->slot = slot;
		snprintf(text, sizeof(text), "%s, by uid %u", m.name,
		    (unsigned)p->uid);
		r.text = text;
		r.upstream = (uint8_t)slot_table[slot].upstream;
		if (keyd_record(p, &r, remove_finish, &e) == 0)
			return 0;
	}
	return keyd_fail(c, pk->id, OUTCOME_REFUSED, &e);
}
