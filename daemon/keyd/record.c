/*
 * record.c: what keyd puts into the audit trail, and the waiting for it.
 * Nothing secret gets in: names, numbers, hashes of public things.
 */
#include "keyd/keyd.h"
#include "lib/log.h"

#include <errno.h>
#include <stdlib.h>

/* Builds and sends LEDGERD_RECORDS of one record. */
static int
send_one(struct keyd *k, uint64_t id, int durable, const struct record *r)
{
	struct msg_ledgerd_records m = {.durable = (uint8_t)durable};
	struct wire_out w;
	int rc = -1;

	wire_out_init(&w, CHAN_PACKET);
	if (record_put(&w, r) == 0) {
		m.records = wire_list_of(&w, 1);
		rc = ledgerd_records_send(k->ledger, id, 0, &m);
	}
	wire_out_free(&w);
	return rc;
}

/* The answer to a durable record; pk NULL: none will come. */
static int
on_recorded(struct chan *c, struct packet *pk, void *arg)
{
	void (*finish)(struct peer *, const struct err *);
	struct peer *p = arg;
	struct msg_error m;
	struct msg_done d;
	struct err e;

	(void)c;
	if (pk && !(pk->flags & CHAN_END))
		return 0;
	finish = p->finish;
	p->finish = NULL;
	if (pk && pk->type == MSG_DONE && done_get(pk, &d) == 0)
		finish(p, NULL);
	else {
		if (pk && pk->type == MSG_ERROR && error_get(pk, &m) == 0)
			err_set(&e, EIO, "the audit log refused the record: %s",
			    m.text);
		else
			err_set(&e, EIO,
			    "the audit log did not confirm the record: see "
			    "systemctl status orb-ledgerd");
		finish(p, &e);
	}
	if (p->chan == NULL)
		free(p);
	return 0;
}

int
keyd_record(struct peer *p, const struct record *r,
    void (*finish)(struct peer *, const struct err *), struct err *e)
{
	struct keyd *k = p->k;
	uint64_t id = 0;

	if (k->ledger)
		id = chan_call(k->ledger, KEYD_LEDGER_MS, on_recorded, p);
	if (id == 0 || send_one(k, id, 1, r)) {
		if (id)
			chan_forget(k->ledger, id);
		return err_set(e, EIO,
		    "the audit log cannot be reached: see systemctl status "
		    "orb-ledgerd");
	}
	p->finish = finish;
	return 0;
}

void
keyd_note(struct keyd *k, const struct record *r)
{
	uint64_t id = 0;

	if (k->ledger)
		id = chan_call(k->ledger, 0, NULL, NULL);
	if (id == 0 || send_one(k, id, 0, r))
		log_warn("a record (event %u) could not be sent to ledgerd",
		    (unsigned)r->event);
	if (id)
		chan_forget(k->ledger, id);
}
