/*
 * store_journal.c: the journal of actions, problems, and the counts of both.
 *
 * An action is here from the transaction that planned it to the one that
 * settled it.  Its payload is what will be said to the other side; it is the
 * only thing at rest with a subject or an address in it, and it is sealed for
 * its key and kind, so that it cannot be moved to another row.
 *
 * Not here: when an action is sent and how it ended (rooms, execute).
 */
#include "mapd/store_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX 65536

static struct wire_bytes
payload_place(const struct act *a, uint8_t buf[KEY_LEN + 1])
{
	struct wire_bytes aad = {buf, KEY_LEN + 1};

	memcpy(buf, a->key, KEY_LEN);
	buf[KEY_LEN] = a->aim.kind;
	return aad;
}

/* Makes way for a new action of the key, or says that one is under way. */
static int
act_replace(struct store *st, struct act *a, struct err *e)
{
	struct query q = query_start(st, Q_ACT_CLASH);
	int64_t id = 0;
	int found, state = ACT_READY, kind = -1;
	unsigned tries = 0;

	query_int(&q, a->room);
	query_blob(&q, a->key, KEY_LEN);
	if ((found = query_row(&q)) != 0) {
		id = query_get_int(&q);
		state = (int)query_get_int(&q);
		kind = (int)query_get_int(&q);
		tries = (unsigned)query_get_int(&q);
	}
	if (query_end(&q, e, "look for an older action"))
		return -1;
	/* Whoever has tried before looks before trying again. */
	if (kind == a->aim.kind && tries > a->tries)
		a->tries = tries;
	if (!found)
		return 0;
	if (state == ACT_SENT)
		return err_set(e, EBUSY,
		    "an action for this booking may be under way: it must be "
		    "settled first");
	return store_act_drop(st, id, e);
}

static int
act_insert(struct store *st, const struct act *a, struct wire_bytes sealed,
    struct err *e)
{
	struct query q = query_start(st, Q_ACT_ADD);

	query_int(&q, a->room);
	query_blob(&q, a->key, KEY_LEN);
	query_int(&q, a->state);
	query_int(&q, a->aim.kind);
	query_int(&q, a->aim.change);
	query_int(&q, a->aim.gen);
	query_int(&q, a->aim.reason);
	query_int(&q, a->aim.start);
	query_int(&q, a->aim.end);
	query_blob(&q, a->aim.print, PRINT_LEN);
	query_int(&q, a->tries);
	query_int(&q, a->created);
	query_int(&q, a->next_try);
	query_int(&q, (int64_t)a->group);
	query_str(&q, a->remote_id);
	query_str(&q, a->number);
	query_str(&q, a->reason);
	query_blob(&q, sealed.p, sealed.len);
	return query_end(&q, e, "journal an action");
}

int
store_act_add(
    struct store *st, struct act *a, struct wire_bytes payload, struct err *e)
{
	uint8_t aad[KEY_LEN + 1];
	struct wire_bytes bytes;
	struct wire_out sealed;
	int rc = -1;

	wire_out_init(&sealed, PAYLOAD_MAX);
	if (st->seal == NULL ||
	    seal_close(st->seal, payload_place(a, aad), payload, &sealed)) {
		err_set(e, EINVAL, "state database: cannot seal a payload");
		goto out;
	}
	bytes.p = sealed.buf;
	bytes.len = sealed.len;
	if (store_begin(st, e))
		goto out;
	if (act_replace(st, a, e) || act_insert(st, a, bytes, e)) {
		/* What an outer transaction did before goes with it only when
		 * its owner says so. */
		if (st->depth == 1)
			store_rollback(st);
		else
			st->depth--;
		goto out;
	}
	a->id = sqlite3_last_insert_rowid(st->db);
	rc = store_commit(st, e);
out:
	wire_out_free(&sealed);
	return rc;
}

int
store_act_update(struct store *st, const struct act *a, struct err *e)
{
	struct query q = query_start(st, Q_ACT_UPDATE);

	query_int(&q, a->state);
	query_int(&q, a->aim.change);
	query_int(&q, a->aim.gen);
	query_int(&q, a->tries);
	query_int(&q, a->next_try);
	query_str(&q, a->remote_id);
	query_str(&q, a->number);
	query_str(&q, a->reason);
	query_int(&q, a->id);
	return query_end(&q, e, "update an action");
}

int
store_act_drop(struct store *st, int64_t id, struct err *e)
{
	struct query q = query_start(st, Q_ACT_DROP);

	query_int(&q, id);
	return query_end(&q, e, "settle an action");
}

int
store_act_unhold(
    struct store *st, int64_t room, const uint8_t key[KEY_LEN], struct err *e)
{
	struct query q = query_start(st, Q_ACT_UNHOLD);

	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	return query_end(&q, e, "drop what waits");
}

int
store_act_hurry(
    struct store *st, int64_t room, const uint8_t key[KEY_LEN], struct err *e)
{
	struct query q = query_start(st, Q_ACT_HURRY);

	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	return query_end(&q, e, "try again what was set aside");
}

int
store_act_payload(
    struct store *st, const struct act *a, struct secret *out, struct err *e)
{
	struct query q = query_start(st, Q_ACT_PAYLOAD);
	uint8_t aad[KEY_LEN + 1];
	int found, opened = -1;

	query_int(&q, a->id);
	if ((found = query_row(&q)) != 0 && st->seal)
		opened = seal_open(
		    st->seal, payload_place(a, aad), query_get_bytes(&q), out);
	if (query_end(&q, e, "read a payload")) {
		if (opened == 0)
			secret_free(out);
		return -1;
	}
	if (!found)
		return err_set(e, ENOENT, "the action is no longer journaled");
	if (opened)
		return err_set(e, EBADMSG,
		    "an action's payload was not sealed with this key for this "
		    "booking: the action is dropped and planned anew");
	return 0;
}

static void
act_get(struct query *q, struct act *a)
{
	memset(a, 0, sizeof(*a));
	a->id = query_get_int(q);
	a->room = query_get_int(q);
	query_get_blob(q, a->key, KEY_LEN);
	a->state = (enum act_state)query_get_int(q);
	a->aim.kind = (uint8_t)query_get_int(q);
	a->aim.change = (uint8_t)query_get_int(q);
	a->aim.gen = (uint8_t)query_get_int(q);
	a->aim.reason = (uint8_t)query_get_int(q);
	a->aim.start = query_get_int(q);
	a->aim.end = query_get_int(q);
	query_get_blob(q, a->aim.print, PRINT_LEN);
	a->tries = (unsigned)query_get_int(q);
	a->created = query_get_int(q);
	a->next_try = query_get_int(q);
	a->group = (uint64_t)query_get_int(q);
	snprintf(a->remote_id, sizeof(a->remote_id), "%s", query_get_str(q));
	snprintf(a->number, sizeof(a->number), "%s", query_get_str(q));
	snprintf(a->reason, sizeof(a->reason), "%s", query_get_str(q));
}

int
store_act_due(struct store *st, int64_t now, int64_t after, size_t max,
    struct act **out, size_t *n, struct err *e)
{
	struct query q = query_start(st, Q_ACT_DUE);
	struct act *rows = NULL;
	size_t have = 0, cap = 0;

	query_int(&q, after);
	query_int(&q, now);
	query_int(&q, max > INT32_MAX ? INT32_MAX : (int64_t)max);
	while (query_row(&q)) {
		if (rows_grow((void **)&rows, have, &cap, sizeof(*rows))) {
			query_end(&q, NULL, "");
			free(rows);
			return err_set(e, ENOMEM, "no memory for actions");
		}
		act_get(&q, &rows[have++]);
	}
	if (query_end(&q, e, "read what is due")) {
		free(rows);
		return -1;
	}
	*out = rows;
	*n = have;
	return 0;
}

int
store_act_next(struct store *st, int64_t *when, struct err *e)
{
	struct query q = query_start(st, Q_ACT_NEXT);
	int64_t t = 0;

	if (query_row(&q))
		t = query_get_int(&q);
	if (query_end(&q, e, "read what is next"))
		return -1;
	*when = t;
	return 0;
}

int
store_act_meets(
    struct store *st, const char *remote_id, int64_t not_room, struct err *e)
{
	struct query q = query_start(st, Q_ACT_MEETS);
	int found;

	query_str(&q, remote_id);
	query_int(&q, not_room);
	found = query_row(&q) != 0;
	return query_end(&q, e, "find a meeting that is being made") ? -1
								     : found;
}

int
store_act_blocked(
    struct store *st, const struct act *a, int *blocked, struct err *e)
{
	struct query q = query_start(st, Q_ACT_BLOCKED);

	query_int(&q, a->room);
	query_int(&q, a->aim.kind == PLAN_CREATE);
	query_int(&q, a->id);
	query_int(&q, a->aim.start);
	query_int(&q, a->aim.end);
	*blocked = query_row(&q) ? (int)query_get_int(&q) : 0;
	if (query_end(&q, e, "look for what is in the way"))
		return -1;
	if (*blocked || a->aim.kind != PLAN_CREATE)
		return 0;
	q = query_start(st, Q_ACT_MEETING);
	query_int(&q, a->room);
	*blocked = query_row(&q) ? 2 : 0;
	return query_end(&q, e, "look for a meeting that is being made");
}

static int
act_shift(struct store *st, enum query_id id, size_t *n, struct err *e,
    const char *what)
{
	if (query_run(st, id, e, what))
		return -1;
	*n = (size_t)sqlite3_changes(st->db);
	return 0;
}

int
store_act_recover(struct store *st, size_t *n, struct err *e)
{
	return act_shift(st, Q_ACT_RECOVER, n, e, "recover the journal");
}

int
store_act_approve(struct store *st, size_t *n, struct err *e)
{
	return act_shift(st, Q_ACT_APPROVE, n, e, "approve cancellations");
}

int
store_act_wake(struct store *st, size_t *n, struct err *e)
{
	return act_shift(st, Q_ACT_WAKE, n, e, "try again what was set aside");
}

int
store_act_list(struct store *st, int (*fn)(void *, const struct act *),
    void *arg, struct err *e)
{
	struct query q = query_start(st, Q_ACT_LIST);
	struct act a;
	int stop = 0;

	while (!stop && query_row(&q)) {
		act_get(&q, &a);
		stop = fn(arg, &a);
	}
	return query_end(&q, e, "list actions");
}

/* --- problems -------------------------------------------------------------------- */

int
store_problem_put(
    struct store *st, const struct problem *p, int *fresh, struct err *e)
{
	struct query q = query_start(st, Q_PROBLEM_TEXT);
	int64_t since = p->since;
	int known = 0;

	query_int(&q, p->room);
	query_blob(&q, p->key, KEY_LEN);
	if (query_row(&q) && strcmp(query_get_str(&q), p->text) == 0) {
		known = 1;
		since = query_get_int(&q);
	}
	if (query_end(&q, e, "read a problem"))
		return -1;
	q = query_start(st, Q_PROBLEM_PUT);
	query_int(&q, p->room);
	query_blob(&q, p->key, KEY_LEN);
	query_int(&q, since);
	query_int(&q, p->next_try);
	query_int(&q, p->tries);
	query_str(&q, p->text);
	query_int(&q, p->kept);
	if (query_end(&q, e, "keep a problem"))
		return -1;
	*fresh = !known;
	return 0;
}

int
store_problem_drop(
    struct store *st, int64_t room, const uint8_t key[KEY_LEN], struct err *e)
{
	struct query q = query_start(st, Q_PROBLEM_DROP);

	query_int(&q, room);
	query_blob(&q, key, KEY_LEN);
	return query_end(&q, e, "drop a problem");
}

int
store_problem_expire(struct store *st, int64_t now, struct err *e)
{
	struct query q = query_start(st, Q_PROBLEM_EXPIRE);

	query_int(&q, now);
	return query_end(&q, e, "drop old problems");
}

int
store_problem_list(struct store *st, int (*fn)(void *, const struct problem *),
    void *arg, struct err *e)
{
	struct query q = query_start(st, Q_PROBLEM_LIST);
	struct problem p;
	int stop = 0;

	while (!stop && query_row(&q)) {
		memset(&p, 0, sizeof(p));
		p.room = query_get_int(&q);
		query_get_blob(&q, p.key, KEY_LEN);
		p.since = query_get_int(&q);
		p.next_try = query_get_int(&q);
		p.tries = (unsigned)query_get_int(&q);
		snprintf(p.text, sizeof(p.text), "%s", query_get_str(&q));
		p.kept = query_get_int(&q);
		stop = fn(arg, &p);
	}
	return query_end(&q, e, "list problems");
}

/* --- counts ------------------------------------------------------------------------- */

static int
count(struct store *st, enum query_id id, int64_t room, uint32_t *n,
    struct err *e)
{
	struct query q = query_start(st, id);

	query_int(&q, room);
	if (query_row(&q))
		*n = (uint32_t)query_get_int(&q);
	return query_end(&q, e, "count");
}

static int
is_cancellation(int kind)
{
	return kind == PLAN_CANCEL || kind == PLAN_MEETING_CANCEL;
}

int
store_counts(
    struct store *st, int64_t room, struct store_counts *out, struct err *e)
{
	struct store_counts c = {0};
	struct query q;
	uint32_t n;
	int state, kind;

	if (count(st, Q_COUNT_BOOKINGS, room, &c.bookings, e) ||
	    count(st, Q_COUNT_PROBLEMS, room, &c.problems, e) ||
	    count(st, Q_COUNT_CONFLICTS, room, &c.conflicts, e))
		return -1;
	q = query_start(st, Q_COUNT_ACTS);
	query_int(&q, room);
	while (query_row(&q)) {
		state = (int)query_get_int(&q);
		kind = (int)query_get_int(&q);
		n = (uint32_t)query_get_int(&q);
		if (state == ACT_HELD && is_cancellation(kind))
			c.held += n;
		else if (state == ACT_HELD)
			c.held_writes += n;
		else if (state == ACT_ASIDE)
			c.aside += n;
		else
			c.pending += n;
	}
	if (query_end(&q, e, "count actions"))
		return -1;
	*out = c;
	return 0;
}
