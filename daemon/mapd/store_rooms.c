/*
 * store_rooms.c: rooms and their cursors.  A room is known by a keyed hash of
 * mailbox and location, its cursor is sealed: Exchange puts addresses into it.
 */
#include "mapd/store_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CURSOR_MAX 131072

static struct wire_bytes
cursor_place(int64_t room, uint8_t buf[16])
{
	struct wire_bytes aad = {buf, 16};

	memcpy(buf, "cursor: ", 8);
	for (int i = 0; i < 8; i++)
		buf[8 + i] = (uint8_t)((uint64_t)room >> (56 - 8 * i));
	return aad;
}

/* A cursor that cannot be opened is none: the room is read whole. */
static int
cursor_open(struct store *st, struct wire_bytes sealed, struct room_state *r,
    struct err *e)
{
	struct secret plain;
	uint8_t aad[16];

	if (sealed.len == 0 ||
	    seal_open(st->seal, cursor_place(r->id, aad), sealed, &plain))
		return 0;
	r->cursor = malloc(plain.len ? plain.len : 1);
	if (r->cursor) {
		memcpy(r->cursor, plain.p, plain.len);
		r->cursor_len = plain.len;
	}
	secret_free(&plain);
	return r->cursor ? 0 : err_set(e, ENOMEM, "no memory for a cursor");
}

static int
room_get(struct store *st, const uint8_t hash[PRINT_LEN], struct room_state *r,
    struct err *e)
{
	struct query q = query_start(st, Q_ROOM_GET);
	int rc = 0, found;

	memset(r, 0, sizeof(*r));
	query_blob(&q, hash, PRINT_LEN);
	if ((found = query_row(&q)) != 0) {
		r->id = query_get_int(&q);
		r->from = query_get_int(&q);
		r->to = query_get_int(&q);
		r->based = query_get_int(&q);
		rc = cursor_open(st, query_get_bytes(&q), r, e);
	}
	if (query_end(&q, e, "read a room") || rc) {
		free(r->cursor);
		r->cursor = NULL;
		return -1;
	}
	return found;
}

int
store_room(struct store *st, const char *mailbox, const char *location,
    struct room_state *out, struct err *e)
{
	const char *parts[] = {"room", mailbox, location};
	uint8_t hash[PRINT_LEN];
	struct room_state r = {0};
	struct query q;
	int rc;

	if (st->seal == NULL)
		return err_set(e, EINVAL, "state database: no data key yet");
	seal_print(st->seal, hash, 3, parts);
	if ((rc = room_get(st, hash, &r, e)) == 0) {
		q = query_start(st, Q_ROOM_ADD);
		query_blob(&q, hash, PRINT_LEN);
		rc = query_end(&q, e, "add a room") ? -1
						    : room_get(st, hash, &r, e);
	}
	if (rc < 0) {
		free(r.cursor);
		return -1;
	}
	*out = r;
	return 0;
}

int
store_room_cursor(struct store *st, const struct room_state *r, struct err *e)
{
	struct wire_bytes plain = {r->cursor, r->cursor_len};
	struct query q;
	struct wire_out sealed;
	uint8_t aad[16];
	int rc = -1;

	wire_out_init(&sealed, CURSOR_MAX + 64);
	if (st->seal == NULL ||
	    (r->cursor &&
		seal_close(
		    st->seal, cursor_place(r->id, aad), plain, &sealed))) {
		err_set(e, EINVAL, "state database: cannot seal a cursor");
		goto out;
	}
	q = query_start(st, Q_ROOM_CURSOR);
	query_int(&q, r->from);
	query_int(&q, r->to);
	query_int(&q, r->based);
	if (r->cursor)
		query_blob(&q, sealed.buf, sealed.len);
	else
		query_null(&q);
	query_int(&q, r->id);
	rc = query_end(&q, e, "keep a cursor");
out:
	wire_out_free(&sealed);
	return rc;
}

int
store_rooms_unknown(
    struct store *st, const int64_t *ids, size_t nids, size_t *n, struct err *e)
{
	struct query q = query_start(st, Q_ROOM_IDS);
	size_t unknown = 0, i;
	int64_t id;

	while (query_row(&q)) {
		id = query_get_int(&q);
		for (i = 0; i < nids && ids[i] != id; i++)
			;
		unknown += i == nids;
	}
	if (query_end(&q, e, "list rooms"))
		return -1;
	*n = unknown;
	return 0;
}

int
store_forget(struct store *st, struct err *e)
{
	static const enum query_id all[] = {Q_FORGET_CURSORS, Q_FORGET_SEEN,
	    Q_FORGET_AGREED, Q_FORGET_ACTS, Q_FORGET_PROBLEMS,
	    Q_FORGET_CONFLICTS};

	if (store_begin(st, e))
		return -1;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (query_run(st, all[i], e, "forget the first look")) {
			store_rollback(st);
			return -1;
		}
	return store_commit(st, e);
}
