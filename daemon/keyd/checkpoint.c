/*
 * checkpoint.c: KEYD_CHECKPOINT: what of the audit log keyd signs.
 *
 * Only ledgerd may ask, and keyd believes it nothing: it signs a tree when it is
 * shown that the tree holds the one it signed last.  So a log that was cut,
 * edited or exchanged by whoever took ledgerd over, or the disk, gets no
 * signature any more.  What was signed last is in the vault (audit-state); it
 * is there before the signature leaves.  An older copy of the vault and of the
 * log together is not noticed here: checkpoints that have left the machine
 * show it.
 *
 * The key (audit-key) is made at first use and used for nothing else.  keyd
 * writes every byte that it signs itself, but for the root.
 */
#include "keyd/keyd.h"
#include "keyd/note.h"
#include "lib/events.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINGER_MS 100

const struct permit keyd_ledger_permits[] = {
    {MSG_KEYD_CHECKPOINT, keyd_on_checkpoint, 0},
    {0, NULL, 0},
};

/* What was signed last; size 0: nothing yet. */
struct signed_tree {
	uint64_t size;
	struct merkle_hash root;
};

static int
state_read(struct keyd *k, struct signed_tree *t, struct err *e)
{
	struct secret s = {NULL, 0};
	struct wire_bytes root = {NULL, 0};
	struct wire_in in;

	memset(t, 0, sizeof(*t));
	if (vault_entry(k->vault, SLOT_AUDIT_STATE)->state == VAULT_EMPTY)
		return 0;
	if (vault_read(k->vault, SLOT_AUDIT_STATE, &s, e))
		return -1;
	in = (struct wire_in){.p = s.p, .end = s.p + s.len};
	wire_get_u64(&in, &t->size);
	wire_get_bytes(&in, &root, MERKLE_HASH);
	if (wire_end(&in) || root.len != MERKLE_HASH) {
		secret_free(&s);
		return err_set(e, EINVAL,
		    "audit-state is damaged: see orb-keyd(8), AUDIT");
	}
	memcpy(t->root.b, root.p, MERKLE_HASH);
	secret_free(&s);
	return 0;
}

static int
state_write(struct keyd *k, const struct signed_tree *t, struct err *e)
{
	struct wire_out w;
	int rc = -1;

	wire_out_init(&w, 128);
	wire_put_u64(&w, t->size);
	wire_put_bytes(
	    &w, (struct wire_bytes){t->root.b, MERKLE_HASH}, MERKLE_HASH);
	if (w.err)
		err_set(e, ENOMEM, "no memory");
	else if (vault_stage(k->vault, SLOT_AUDIT_STATE,
		     (struct wire_bytes){w.buf, w.len}, time(NULL), 0, e) == 0)
		rc = vault_commit(k->vault, SLOT_AUDIT_STATE, e);
	wire_out_free(&w);
	return rc;
}

static int
key_make(struct keyd *k, struct secret *seed, struct err *e)
{
	struct record r = {.event = EV_CREDENTIAL_SET};
	char name[NOTE_NAME], key[NOTE_KEY_MAX], text[300];

	if (secret_alloc(seed, NOTE_SEED))
		return err_set(e, ENOMEM, "no room in the secure heap");
	note_name(name, k->conf->site);
	if (RAND_priv_bytes(seed->p, NOTE_SEED) != 1)
		err_set(e, EIO, "no random bytes for the signing key");
	else if (note_key(name, seed, key, e) == 0 &&
	    vault_stage(k->vault, SLOT_AUDIT_KEY,
		(struct wire_bytes){seed->p, seed->len}, time(NULL), 0,
		e) == 0 &&
	    vault_commit(k->vault, SLOT_AUDIT_KEY, e) == 0) {
		snprintf(
		    text, sizeof(text), "audit-key, made by keyd: %s", key);
		r.text = text;
		keyd_note(k, &r);
		log_notice("the audit log is signed with a new key; note it "
			   "somewhere else: %s",
		    key);
		return 0;
	}
	secret_free(seed);
	return -1;
}

static int
key_read(struct keyd *k, struct secret *seed, struct err *e)
{
	if (vault_entry(k->vault, SLOT_AUDIT_KEY)->state == VAULT_EMPTY)
		return key_make(k, seed, e);
	return vault_read(k->vault, SLOT_AUDIT_KEY, seed, e);
}

/* Does it follow from what was signed?  0; 1: the proof begins elsewhere; -1. */
static int
follows(const struct signed_tree *last, const struct msg_keyd_checkpoint *m,
    struct err *e)
{
	struct merkle_proof p = {.n = m->proof.len / MERKLE_HASH};
	struct merkle_hash root;

	if (m->size < last->size)
		return err_set(e, EINVAL,
		    "the audit log has %" PRIu64 " records, but %" PRIu64
		    " were signed: records are gone, or an older copy of the "
		    "log was put back",
		    m->size, last->size);
	if (m->from != last->size)
		return 1;
	memcpy(root.b, m->root.p, MERKLE_HASH);
	memcpy(p.at, m->proof.p, p.n * MERKLE_HASH);
	if (merkle_check_consistency(
		last->size, &last->root, m->size, &root, &p))
		return err_set(e, EINVAL,
		    "the first %" PRIu64 " records of the audit log are not "
		    "those that were signed",
		    last->size);
	return 0;
}

static int
sign_it(struct keyd *k, struct chan *c, uint64_t id,
    const struct signed_tree *t, struct err *e)
{
	struct secret seed = {NULL, 0};
	char name[NOTE_NAME], text[NOTE_MAX];
	struct note note = {.name = name,
	    .size = t->size,
	    .root = t->root,
	    .time = time(NULL),
	    .boot_id = k->boot_id};
	struct msg_ledgerd_checkpoint m = {.last = t->size, .note = text};
	size_t n = 0;

	note_name(name, k->conf->site);
	if (key_read(k, &seed, e) == 0)
		n = note_sign(&note, &seed, text, e);
	secret_free(&seed);
	if (n == 0)
		return -1;
	/* On disk before it leaves: it is never signed backwards. */
	if (state_write(k, t, e))
		return -1;
	(void)ledgerd_checkpoint_send(c, id, CHAN_END, &m);
	return 0;
}

static void
end(void *arg)
{
	struct keyd *k = arg;

	loop_stop(k->loop);
}

/*
 * From ledgerd.  Answered with LEDGERD_CHECKPOINT, or ERROR: refused when the
 * log is not the one that was signed, failed when keyd cannot.
 */
int
keyd_on_checkpoint(struct chan *c, struct packet *pk)
{
	struct keyd *k = chan_ctx(c);
	struct msg_keyd_checkpoint m;
	struct msg_ledgerd_checkpoint other = {.note = ""};
	struct signed_tree last, next = {0};
	struct err e;
	int rc;

	if (keyd_checkpoint_get(pk, &m) || m.root.len != MERKLE_HASH ||
	    m.proof.len % MERKLE_HASH || m.from > m.size)
		return -1;
	if (limit_take(&k->checkpoints, loop_now())) {
		err_set(&e, EAGAIN, "too many checkpoints are asked for");
		return keyd_fail(c, pk->id, OUTCOME_BUSY, &e);
	}
	if (state_read(k, &last, &e))
		return keyd_fail(c, pk->id, OUTCOME_FAILED, &e);
	if ((rc = follows(&last, &m, &e)) < 0)
		return keyd_fail(c, pk->id, OUTCOME_REFUSED, &e);
	if (rc) {
		other.last = last.size;
		(void)ledgerd_checkpoint_send(c, pk->id, CHAN_END, &other);
		return 0;
	}
	next.size = m.size;
	memcpy(next.root.b, m.root.p, MERKLE_HASH);
	if (sign_it(k, c, pk->id, &next, &e)) {
		log_err("checkpoint: %s", e.text);
		return keyd_fail(c, pk->id, OUTCOME_FAILED, &e);
	}
	k->signed_records = next.size;
	/* Not at once: ledgerd may be writing to us, and what it has not read
	 * yet would be lost with the connection. */
	if (k->stopping && loop_timer(k->loop, LINGER_MS, 0, end, k) == 0)
		loop_stop(k->loop);
	return 0;
}

/* From orbctl.  Answered with CTL_AUDIT_KEY or ERROR. */
int
keyd_on_audit_key(struct chan *c, struct packet *pk)
{
	struct peer *p = keyd_peer(c);
	struct secret seed = {NULL, 0};
	char name[NOTE_NAME], key[NOTE_KEY_MAX], kept[101];
	struct msg_ctl_audit_key m = {.key = key, .kept = kept};
	struct err e;
	int rc;

	if (keyd_audit_key_get(pk) || p == NULL)
		return -1;
	note_name(name, p->k->conf->site);
	rc = key_read(p->k, &seed, &e);
	if (rc == 0)
		rc = note_key(name, &seed, key, &e);
	secret_free(&seed);
	if (rc)
		return keyd_fail(c, pk->id, OUTCOME_FAILED, &e);
	snprintf(
	    kept, sizeof(kept), "software, under the KEK from %s", p->k->kek);
	(void)ctl_audit_key_send(c, pk->id, CHAN_END, &m);
	return 0;
}
