/*
 * datakey.c: KEYD_DATA_KEY: the key under which mapd seals what it must keep
 * for a while (payloads of actions under way).
 *
 * Made at first use and kept in the vault.  When it is damaged it is not made
 * anew by itself, since that would make mapd's payloads unreadable for good: a
 * person removes it (orbctl credential remove mapd-data-key), and the next one
 * has another generation, by which mapd knows.
 */
#include "keyd/keyd.h"
#include "lib/events.h"
#include "lib/log.h"

#include <errno.h>
#include <openssl/rand.h>
#include <time.h>

#define DATA_KEY 32

static int
data_key_make(struct keyd *k, struct secret *key, struct err *e)
{
	struct record r = {
	    .event = EV_CREDENTIAL_SET, .text = "mapd-data-key, made by keyd"};

	if (secret_alloc(key, DATA_KEY))
		return err_set(e, ENOMEM, "no room in the secure heap");
	if (RAND_priv_bytes(key->p, DATA_KEY) != 1)
		err_set(e, EIO, "no random bytes for the data key");
	else if (vault_stage(k->vault, SLOT_DATA_KEY,
		     (struct wire_bytes){key->p, key->len}, time(NULL), 0,
		     e) == 0 &&
	    vault_commit(k->vault, SLOT_DATA_KEY, e) == 0) {
		keyd_note(k, &r);
		return 0;
	}
	secret_free(key);
	return -1;
}

/*
 * From mapd, once a connection.  Answered with MAPD_DATA_KEY, or ERROR failed.
 * generation is when the key was made.
 */
int
keyd_on_data_key(struct chan *c, struct packet *pk)
{
	struct peer *p = keyd_peer(c);
	struct secret key = {NULL, 0};
	struct msg_mapd_data_key m;
	struct err e;
	struct keyd *k;
	int rc;

	if (keyd_data_key_get(pk) || p == NULL)
		return -1;
	k = p->k;
	rc = vault_read(k->vault, SLOT_DATA_KEY, &key, &e);
	if (rc && vault_entry(k->vault, SLOT_DATA_KEY)->state == VAULT_EMPTY)
		rc = data_key_make(k, &key, &e);
	if (rc == 0 && key.len != DATA_KEY)
		rc = err_set(&e, EINVAL, "it has %zu bytes", key.len);
	if (rc) {
		log_err("the data key of mapd: %s", e.text);
		secret_free(&key);
		return keyd_fail(c, pk->id, OUTCOME_FAILED, &e);
	}
	m.key = (struct wire_bytes){key.p, key.len};
	m.generation = (uint32_t)vault_entry(k->vault, SLOT_DATA_KEY)->entered;
	m.source = k->kek;
	(void)mapd_data_key_send(c, pk->id, CHAN_END, &m);
	secret_free(&key);
	return 0;
}
