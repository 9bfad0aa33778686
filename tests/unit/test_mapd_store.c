/*
 * test_mapd_store.c: what the database keeps, what a crash leaves, what is put
 * aside, and that no text at rest is readable.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mapd/store.h"
#include "scratch.h"

#define CANARY "CANARY-subject-of-nobody"

struct ground {
	char dir[SCRATCH_MAX], path[128];
	struct seal *seal;
	struct store *st;
	struct room_state room;
	struct err e;
};

static struct seal *
seal_of(uint8_t first)
{
	uint8_t key[32] = {first};

	return seal_new(key);
}

static void
ground_open(struct ground *g)
{
	int rebuilt = 7;

	g->st = store_open(g->path, &rebuilt, &g->e);
	if (g->st == NULL)
		fail_msg("%s", g->e.text);
	assert_int_equal(rebuilt, 0);
	assert_int_equal(store_set_seal(g->st, g->seal, &rebuilt, &g->e), 0);
	assert_int_equal(rebuilt, 0);
	assert_int_equal(
	    store_room(g->st, "room@example.org", "loc", &g->room, &g->e), 0);
}

static int
setup(void **state)
{
	struct ground *g = calloc(1, sizeof(*g));

	if (g == NULL || scratch_make(g->dir))
		return -1;
	snprintf(g->path, sizeof(g->path), "%s/state", g->dir);
	g->seal = seal_of(1);
	ground_open(g);
	*state = g;
	return 0;
}

static int
teardown(void **state)
{
	struct ground *g = *state;

	store_close(g->st);
	free(g->room.cursor);
	seal_free(g->seal);
	scratch_remove(g->dir);
	free(g);
	return 0;
}

static void
reopen(struct ground *g)
{
	store_close(g->st);
	free(g->room.cursor);
	ground_open(g);
}

static struct seen
booking(uint8_t k)
{
	struct seen s = {.key = {k, 1},
	    .print = {k, 2},
	    .start = 1790000040,
	    .end = 1790003640,
	    .changed = -5,
	    .group = 0xfedcba9876543210u,
	    .marks = 128,
	    .state = 2,
	    .gone = 1};

	return s;
}

static struct act
action(const struct ground *g, uint8_t k, enum plan_kind kind)
{
	struct act a = {.room = g->room.id,
	    .aim = {.kind = (uint8_t)kind,
		.change = 3,
		.gen = 2,
		.reason = REASON_CHANGED_ON_BOTH,
		.start = 60,
		.end = 120,
		.print = {9, 9}},
	    .key = {k, 1},
	    .created = 1000,
	    .group = 77};

	strcpy(a.remote_id, "remote");
	strcpy(a.number, "R 1");
	return a;
}

static void
add(struct ground *g, struct act *a, const char *text)
{
	struct wire_bytes b = {(const uint8_t *)text, strlen(text)};

	if (store_act_add(g->st, a, b, &g->e))
		fail_msg("%s", g->e.text);
}

/* --- what is kept --------------------------------------------------------------- */

static void
a_cursor_comes_back(void **state)
{
	struct ground *g = *state;
	uint8_t *cursor = malloc(5);

	assert_null(g->room.cursor);
	memcpy(cursor, "abcde", 5);
	g->room.cursor = cursor;
	g->room.cursor_len = 5;
	g->room.from = 1;
	g->room.to = 2;
	g->room.based = 3;
	assert_int_equal(store_room_cursor(g->st, &g->room, &g->e), 0);
	reopen(g);
	assert_int_equal(g->room.cursor_len, 5);
	assert_memory_equal(g->room.cursor, "abcde", 5);
	assert_int_equal(g->room.from, 1);
	assert_int_equal(g->room.to, 2);
	assert_int_equal(g->room.based, 3);
	free(g->room.cursor);
	g->room.cursor = NULL;
	g->room.cursor_len = 0;
	assert_int_equal(store_room_cursor(g->st, &g->room, &g->e), 0);
	reopen(g);
	assert_null(g->room.cursor);
}

static void
rooms_are_told_apart(void **state)
{
	struct ground *g = *state;
	struct room_state a, b;
	int64_t ids[2];
	size_t n;

	assert_int_equal(
	    store_room(g->st, "room@example.org", "other", &a, &g->e), 0);
	assert_int_not_equal(a.id, g->room.id);
	assert_int_equal(
	    store_room(g->st, "room@example.org", "other", &b, &g->e), 0);
	assert_int_equal(a.id, b.id);
	ids[0] = g->room.id;
	assert_int_equal(store_rooms_unknown(g->st, ids, 1, &n, &g->e), 0);
	assert_int_equal(n, 1);
	ids[1] = a.id;
	assert_int_equal(store_rooms_unknown(g->st, ids, 2, &n, &g->e), 0);
	assert_int_equal(n, 0);
}

static void
bookings_come_back_in_the_order_of_keys(void **state)
{
	static const uint8_t order[] = {9, 2, 200, 5};
	struct ground *g = *state;
	struct seen s, *r;
	struct seen_row *rows;
	size_t n;

	for (size_t i = 0; i < sizeof(order); i++) {
		s = booking(order[i]);
		assert_int_equal(store_seen_put(g->st, g->room.id, &s, "id",
				     i % 2 ? "series" : NULL, &g->e),
		    0);
	}
	s = booking(5);
	s.start += 60;
	assert_int_equal(
	    store_seen_put(g->st, g->room.id, &s, "id2", "series", &g->e), 0);
	assert_int_equal(
	    store_seen_drop(g->st, g->room.id, booking(2).key, &g->e), 0);
	reopen(g);
	assert_int_equal(
	    store_seen_load(g->st, g->room.id, &rows, &n, &g->e), 0);
	assert_int_equal(n, 3);
	assert_int_equal(rows[0].s.key[0], 5);
	assert_int_equal(rows[1].s.key[0], 9);
	assert_int_equal(rows[2].s.key[0], 200);
	r = &rows[0].s;
	s.row = 0;
	assert_memory_equal(r->key, s.key, KEY_LEN);
	assert_memory_equal(r->print, s.print, PRINT_LEN);
	assert_true(r->start == s.start && r->end == s.end &&
	    r->changed == s.changed && r->group == s.group &&
	    r->marks == s.marks && r->state == s.state && r->gone == s.gone);
	assert_string_equal(rows[0].remote_id, "id2");
	assert_string_equal(rows[0].series_id, "series");
	assert_string_equal(rows[1].series_id, "");
	assert_int_equal(rows[2].s.row, 2);
	seen_rows_free(rows, n);
	assert_int_equal(
	    store_seen_load(g->st, g->room.id + 1, &rows, &n, &g->e), 0);
	assert_int_equal(n, 0);
	seen_rows_free(rows, n);
}

static void
what_is_over_expires(void **state)
{
	struct ground *g = *state;
	struct seen s = booking(1);
	struct agreed_row r = {.a = {.gen = 1}};
	struct seen_row *rows;
	size_t n;

	assert_int_equal(
	    store_seen_put(g->st, g->room.id, &s, "id", NULL, &g->e), 0);
	s = booking(2);
	assert_int_equal(
	    store_seen_put(g->st, g->room.id, &s, "id", NULL, &g->e), 0);
	/* Moved into the past, and its reservation has not followed yet. */
	memcpy(r.a.key, s.key, KEY_LEN);
	r.a.end = s.end + 60;
	assert_int_equal(store_agreed_put(g->st, g->room.id, &r, &g->e), 0);
	assert_int_equal(store_seen_expire(g->st, g->room.id, s.end, &g->e), 0);
	assert_int_equal(
	    store_seen_load(g->st, g->room.id, &rows, &n, &g->e), 0);
	assert_int_equal(n, 2);
	seen_rows_free(rows, n);
	assert_int_equal(
	    store_seen_expire(g->st, g->room.id, s.end + 1, &g->e), 0);
	assert_int_equal(
	    store_seen_load(g->st, g->room.id, &rows, &n, &g->e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].s.key[0], 2);
	seen_rows_free(rows, n);
}

static void
series_that_nothing_names_are_swept(void **state)
{
	struct ground *g = *state;
	sqlite3_stmt *q;
	sqlite3 *db;
	struct seen s;
	char name[32];

	for (uint8_t i = 1; i < 10; i++) {
		s = booking(i);
		snprintf(name, sizeof(name), "series-%d", i % 3);
		assert_int_equal(
		    store_seen_put(g->st, g->room.id, &s, "id", name, &g->e),
		    0);
	}
	for (uint8_t i = 1; i < 10; i++)
		if (i % 3)
			assert_int_equal(store_seen_drop(g->st, g->room.id,
					     booking(i).key, &g->e),
			    0);
	reopen(g);
	store_close(g->st);
	assert_int_equal(sqlite3_open(g->path, &db), SQLITE_OK);
	sqlite3_prepare_v2(
	    db, "SELECT count(*), max(remote) FROM series", -1, &q, NULL);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(q, 0), 1);
	assert_string_equal(sqlite3_column_text(q, 1), "series-0");
	sqlite3_finalize(q);
	sqlite3_close(db);
	ground_open(g);
}

static void
what_was_agreed_comes_back(void **state)
{
	struct ground *g = *state;
	struct agreed_row r = {.a = {.key = {4},
				   .ex_print = {1, 2},
				   .td_print = {3, 4},
				   .start = 60,
				   .end = 120,
				   .changed = -9,
				   .group = 0x8000000000000001u,
				   .gen = 200,
				   .dead = 1}},
			  got, *rows;
	size_t n;

	strcpy(r.remote_id, "an-id");
	strcpy(r.number, "R 2026 1");
	assert_int_equal(store_agreed_put(g->st, g->room.id, &r, &g->e), 0);
	reopen(g);
	assert_int_equal(
	    store_agreed_get(g->st, g->room.id, r.a.key, &got, &g->e), 1);
	assert_memory_equal(&got, &r, sizeof(r));
	assert_int_equal(
	    store_agreed_load(g->st, g->room.id, &rows, &n, &g->e), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(&rows[0], &r, sizeof(r));
	free(rows);
	assert_int_equal(
	    store_agreed_drop(g->st, g->room.id, r.a.key, &g->e), 0);
	assert_int_equal(
	    store_agreed_get(g->st, g->room.id, r.a.key, &got, &g->e), 0);
}

/* busy, waiting and aim come from the journal, also where nothing is agreed. */
static void
agreed_rows_know_the_journal(void **state)
{
	struct ground *g = *state;
	struct agreed_row r = {.a = {.key = {5, 1}, .gen = 1}}, *rows;
	struct act ready = action(g, 5, PLAN_CHANGE),
		   aside = action(g, 3, PLAN_CREATE),
		   held = action(g, 8, PLAN_CANCEL);
	size_t n;

	aside.state = ACT_ASIDE;
	held.state = ACT_HELD;
	assert_int_equal(store_agreed_put(g->st, g->room.id, &r, &g->e), 0);
	add(g, &held, "");
	add(g, &ready, "");
	add(g, &aside, "");
	assert_int_equal(
	    store_agreed_load(g->st, g->room.id, &rows, &n, &g->e), 0);
	assert_int_equal(n, 3);
	assert_int_equal(rows[0].a.key[0], 3);
	assert_int_equal(rows[0].a.gen, 0);
	assert_true(rows[0].a.waiting && !rows[0].a.busy);
	assert_memory_equal(&rows[0].a.aim, &aside.aim, sizeof(aside.aim));
	assert_true(rows[0].a.group == 77);
	assert_int_equal(rows[1].a.key[0], 5);
	assert_int_equal(rows[1].a.gen, 1);
	assert_true(rows[1].a.busy && !rows[1].a.waiting);
	assert_int_equal(rows[1].a.row, 1);
	assert_true(rows[2].a.waiting && !rows[2].a.busy);
	assert_int_equal(rows[2].a.aim.kind, PLAN_CANCEL);
	free(rows);
	assert_int_equal(
	    store_act_unhold(g->st, g->room.id, held.key, &g->e), 0);
	assert_int_equal(
	    store_act_unhold(g->st, g->room.id, ready.key, &g->e), 0);
	assert_int_equal(
	    store_agreed_load(g->st, g->room.id, &rows, &n, &g->e), 0);
	/* What may be under way is not dropped so. */
	assert_int_equal(n, 2);
	free(rows);
}

/* --- the journal ------------------------------------------------------------------ */

static void
a_payload_comes_back_sealed(void **state)
{
	struct ground *g = *state;
	struct act a = action(g, 1, PLAN_CREATE), other;
	struct secret plain;

	add(g, &a, CANARY);
	reopen(g);
	assert_int_equal(store_act_payload(g->st, &a, &plain, &g->e), 0);
	assert_int_equal(plain.len, strlen(CANARY));
	assert_memory_equal(plain.p, CANARY, plain.len);
	secret_free(&plain);
	/* Sealed for its key and kind. */
	other = a;
	other.key[0]++;
	assert_int_equal(store_act_payload(g->st, &other, &plain, &g->e), -1);
	assert_int_equal(g->e.code, EBADMSG);
	other = a;
	other.aim.kind = PLAN_CANCEL;
	assert_int_equal(store_act_payload(g->st, &other, &plain, &g->e), -1);
	assert_int_equal(store_act_drop(g->st, a.id, &g->e), 0);
	assert_int_equal(store_act_payload(g->st, &a, &plain, &g->e), -1);
	assert_int_equal(g->e.code, ENOENT);
}

static void
a_key_has_one_action(void **state)
{
	static const enum act_state may[] = {ACT_READY, ACT_HELD, ACT_ASIDE};
	struct ground *g = *state;
	struct wire_bytes none = {(const uint8_t *)"", 0};
	struct act a = action(g, 1, PLAN_CHANGE), b;
	struct store_counts c;

	for (size_t i = 0; i < 3; i++) {
		a.state = may[i];
		add(g, &a, "old");
		b = action(g, 1, PLAN_CANCEL);
		add(g, &b, "new");
		assert_int_not_equal(a.id, b.id);
		assert_int_equal(store_counts(g->st, 0, &c, &g->e), 0);
		assert_int_equal(c.pending + c.held + c.aside, 1);
		assert_int_equal(store_act_drop(g->st, b.id, &g->e), 0);
	}
	a.state = ACT_SENT;
	add(g, &a, "under way");
	assert_int_equal(store_act_add(g->st, &b, none, &g->e), -1);
	assert_int_equal(g->e.code, EBUSY);
	/* Inside a transaction the rest of it is not lost by that. */
	assert_int_equal(store_begin(g->st, &g->e), 0);
	b = action(g, 2, PLAN_CREATE);
	add(g, &b, "x");
	b = action(g, 1, PLAN_CREATE);
	assert_int_equal(store_act_add(g->st, &b, none, &g->e), -1);
	assert_int_equal(store_commit(g->st, &g->e), 0);
	assert_int_equal(store_counts(g->st, 0, &c, &g->e), 0);
	assert_int_equal(c.pending, 2);
}

/* So that a create is looked for, though its payload is new. */
static void
tries_are_passed_on(void **state)
{
	struct ground *g = *state;
	struct act a = action(g, 1, PLAN_CREATE), b;

	a.state = ACT_ASIDE;
	a.tries = 2;
	add(g, &a, "old");
	b = action(g, 1, PLAN_CREATE);
	add(g, &b, "new");
	assert_int_equal(b.tries, 2);
	b = action(g, 1, PLAN_CANCEL);
	add(g, &b, "another kind");
	assert_int_equal(b.tries, 0);
}

/* What is set aside waits no longer; the rest is not touched by that. */
static void
what_was_set_aside_is_hurried(void **state)
{
	struct ground *g = *state;
	struct act aside = action(g, 1, PLAN_CREATE), *due,
		   other = action(g, 2, PLAN_CREATE),
		   held = action(g, 3, PLAN_CREATE);
	size_t n;

	aside.state = other.state = ACT_ASIDE;
	aside.next_try = other.next_try = 5000;
	held.state = ACT_HELD;
	add(g, &aside, "");
	add(g, &other, "");
	add(g, &held, "");
	assert_int_equal(
	    store_act_hurry(g->st, g->room.id, aside.key, &g->e), 0);
	assert_int_equal(
	    store_act_hurry(g->st, g->room.id, held.key, &g->e), 0);
	assert_int_equal(
	    store_act_hurry(g->st, g->room.id + 1, other.key, &g->e), 0);
	assert_int_equal(store_act_due(g->st, 100, 0, 9, &due, &n, &g->e), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(due[0].key, aside.key, KEY_LEN);
	free(due);
}

static int
count_act(void *arg, const struct act *a)
{
	(void)a;
	++*(int *)arg;
	return 0;
}

/* The first look is begun anew: its facts and rooms stay, no more. */
static void
a_look_is_forgotten(void **state)
{
	struct ground *g = *state;
	struct agreed_row row = {.a = {.key = {1}, .gen = 1}}, *rows;
	struct act a = action(g, 2, PLAN_CREATE);
	int64_t id = g->room.id;
	int acts = 0;
	size_t n;

	g->room.cursor = (uint8_t *)strdup("abc");
	g->room.cursor_len = 3;
	assert_int_equal(store_room_cursor(g->st, &g->room, &g->e), 0);
	assert_int_equal(store_agreed_put(g->st, id, &row, &g->e), 0);
	assert_int_equal(store_meta_set(g->st, "begun", &g->e), 0);
	assert_int_equal(store_meta_set(g->st, "looked", &g->e), 0);
	add(g, &a, "payload");
	assert_int_equal(store_forget(g->st, &g->e), 0);
	assert_int_equal(store_meta_drop(g->st, "looked", &g->e), 0);
	reopen(g);
	assert_true(g->room.id == id);
	assert_null(g->room.cursor);
	assert_int_equal(store_agreed_load(g->st, id, &rows, &n, &g->e), 0);
	assert_int_equal(n, 0);
	free(rows);
	assert_int_equal(store_act_list(g->st, count_act, &acts, &g->e), 0);
	assert_int_equal(acts, 0);
	assert_int_equal(store_meta_is(g->st, "begun", &g->e), 1);
	assert_int_equal(store_meta_is(g->st, "looked", &g->e), 0);
}

static void
due_gives_what_may_run(void **state)
{
	static const enum act_state states[] = {
	    ACT_ASIDE, ACT_READY, ACT_HELD, ACT_SENT, ACT_ASIDE, ACT_READY};
	struct ground *g = *state;
	struct act *due, a[6];
	int64_t when;
	size_t n;

	assert_int_equal(store_act_next(g->st, &when, &g->e), 0);
	assert_int_equal(when, 0);
	for (uint8_t i = 0; i < 6; i++) {
		a[i] = action(g, i + 1, PLAN_CREATE);
		a[i].state = states[i];
		a[i].next_try = states[i] == ACT_ASIDE ? 500 + i : 0;
		add(g, &a[i], "");
	}
	assert_int_equal(store_act_due(g->st, 503, 0, 9, &due, &n, &g->e), 0);
	assert_int_equal(n, 4);
	assert_int_equal(due[0].id, a[0].id);
	assert_int_equal(due[1].id, a[1].id);
	assert_int_equal(due[2].id, a[3].id);
	assert_int_equal(due[3].id, a[5].id);
	assert_memory_equal(&due[0].aim, &a[0].aim, sizeof(a[0].aim));
	assert_string_equal(due[0].remote_id, "remote");
	free(due);
	assert_int_equal(
	    store_act_due(g->st, 504, a[0].id, 2, &due, &n, &g->e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(due[0].id, a[1].id);
	assert_int_equal(due[1].id, a[3].id);
	free(due);
	assert_int_equal(
	    store_act_due(g->st, 504, a[3].id, 9, &due, &n, &g->e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(due[0].id, a[4].id);
	free(due);
}

static void
an_update_comes_back(void **state)
{
	struct ground *g = *state;
	struct act a = action(g, 1, PLAN_CHANGE), *due;
	int64_t when;
	size_t n;

	add(g, &a, "payload");
	a.state = ACT_ASIDE;
	a.tries = 3;
	a.next_try = 4242;
	a.aim.change = CHANGE_TEXT;
	strcpy(a.reason, "refused: why");
	assert_int_equal(store_act_update(g->st, &a, &g->e), 0);
	assert_int_equal(store_act_next(g->st, &when, &g->e), 0);
	assert_int_equal(when, 4242);
	reopen(g);
	assert_int_equal(store_act_due(g->st, 4241, 0, 9, &due, &n, &g->e), 0);
	assert_int_equal(n, 0);
	free(due);
	assert_int_equal(store_act_due(g->st, 4242, 0, 9, &due, &n, &g->e), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(&due[0].aim, &a.aim, sizeof(a.aim));
	assert_int_equal(due[0].tries, 3);
	assert_string_equal(due[0].reason, "refused: why");
	free(due);
}

static int
note_state(void *arg, const struct act *a)
{
	int **p = arg;

	*(*p)++ = (int)a->state;
	return 0;
}

static void
recover_and_approve_shift_states(void **state)
{
	struct ground *g = *state;
	int states[4], *p = states;
	struct act a, *due;
	size_t n;

	for (uint8_t i = 0; i < 4; i++) {
		a = action(g, i + 1, PLAN_CANCEL);
		a.state = (enum act_state)i;
		a.next_try = 99999;
		add(g, &a, "");
	}
	assert_int_equal(store_act_recover(g->st, &n, &g->e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(store_act_list(g->st, note_state, &p, &g->e), 0);
	assert_int_equal(states[0], ACT_SENT);
	assert_int_equal(states[1], ACT_SENT);
	/* Held stays held, whatever restarts. */
	assert_int_equal(states[2], ACT_HELD);
	assert_int_equal(states[3], ACT_ASIDE);
	assert_int_equal(store_act_approve(g->st, &n, &g->e), 0);
	assert_int_equal(n, 1);
	p = states;
	assert_int_equal(store_act_list(g->st, note_state, &p, &g->e), 0);
	assert_int_equal(states[2], ACT_ASIDE);
	/* What was set aside is due when a person asks for it. */
	assert_int_equal(store_act_due(g->st, 1, 0, 9, &due, &n, &g->e), 0);
	assert_int_equal(n, 1);
	free(due);
	assert_int_equal(store_act_wake(g->st, &n, &g->e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(store_act_due(g->st, 1, 0, 9, &due, &n, &g->e), 0);
	assert_int_equal(n, 2);
	free(due);
}

/* --- problems and counts ------------------------------------------------------------ */

static int
note_problem(void *arg, const struct problem *p)
{
	*(struct problem *)arg = *p;
	return 0;
}

static void
a_problem_is_fresh_once(void **state)
{
	struct ground *g = *state;
	struct problem p = {.room = g->room.id, .since = 10, .key = {1}}, got;
	struct store_counts c;
	int fresh;

	strcpy(p.text, "one");
	assert_int_equal(store_problem_put(g->st, &p, &fresh, &g->e), 0);
	assert_int_equal(fresh, 1);
	p.since = 20;
	p.tries = 2;
	assert_int_equal(store_problem_put(g->st, &p, &fresh, &g->e), 0);
	assert_int_equal(fresh, 0);
	assert_int_equal(
	    store_problem_list(g->st, note_problem, &got, &g->e), 0);
	assert_int_equal(got.since, 10);
	assert_int_equal(got.tries, 2);
	strcpy(p.text, "another");
	assert_int_equal(store_problem_put(g->st, &p, &fresh, &g->e), 0);
	assert_int_equal(fresh, 1);
	assert_int_equal(store_counts(g->st, g->room.id, &c, &g->e), 0);
	assert_int_equal(c.problems, 1);
	assert_int_equal(
	    store_problem_drop(g->st, g->room.id, p.key, &g->e), 0);
	assert_int_equal(store_counts(g->st, g->room.id, &c, &g->e), 0);
	assert_int_equal(c.problems, 0);
}

static int
note_conflict(void *arg, const struct conflict *c)
{
	struct conflict *got = arg;

	while (got->room)
		got++;
	*got = *c;
	return 0;
}

static void
put_conflict(struct ground *g, const struct conflict *c, int want_fresh)
{
	int fresh = 7;

	assert_int_equal(store_conflict_put(g->st, c, &fresh, &g->e), 0);
	assert_int_equal(fresh, want_fresh);
}

/* All of the room; the entry after the last has room 0. */
static struct conflict *
conflicts_of(struct ground *g, int64_t room, struct conflict got[8])
{
	memset(got, 0, 8 * sizeof(*got));
	assert_int_equal(
	    store_conflict_list(g->st, room, note_conflict, got, &g->e), 0);
	return got;
}

static void
a_problem_is_kept_for_its_time(void **state)
{
	struct ground *g = *state;
	struct problem p = {.room = g->room.id, .kept = 100}, got = {0};
	int fresh;

	p.key[0] = 1;
	assert_int_equal(store_problem_put(g->st, &p, &fresh, &g->e), 0);
	p.key[0] = 2;
	p.kept = -200;
	assert_int_equal(store_problem_put(g->st, &p, &fresh, &g->e), 0);
	assert_int_equal(store_problem_expire(g->st, 101, &g->e), 0);
	assert_int_equal(
	    store_problem_list(g->st, note_problem, &got, &g->e), 0);
	assert_int_equal(got.key[0], 2);
	assert_true(got.kept == -200);
	assert_int_equal(store_problem_expire(g->st, 201, &g->e), 0);
	memset(&got, 0, sizeof(got));
	assert_int_equal(
	    store_problem_list(g->st, note_problem, &got, &g->e), 0);
	assert_int_equal(got.key[0], 0);
	/* What plannings find has no such time. */
	p.kept = 0;
	assert_int_equal(store_problem_put(g->st, &p, &fresh, &g->e), 0);
	assert_int_equal(store_problem_expire(g->st, INT64_MAX, &g->e), 0);
	assert_int_equal(
	    store_problem_list(g->st, note_problem, &got, &g->e), 0);
	assert_int_equal(got.key[0], 2);
}

static void
a_conflict_is_fresh_when_it_is_news(void **state)
{
	struct ground *g = *state;
	struct conflict c = {.room = g->room.id,
			    .key = {1},
			    .since = 10,
			    .start = 60,
			    .end = 120,
			    .number = "R 1",
			    .rival = "R 2",
			    .policy = CONFLICT_TOPDESK,
			    .loser = UPSTREAM_EXCHANGE,
			    .why = REASON_LOST},
			got[8];

	put_conflict(g, &c, 1);
	c.since = 20;
	put_conflict(g, &c, 0);
	c.end = 180;
	put_conflict(g, &c, 0);
	reopen(g);
	conflicts_of(g, c.room, got);
	assert_int_equal(got[0].since, 10);
	assert_int_equal(got[0].start, 60);
	assert_int_equal(got[0].end, 180);
	assert_memory_equal(got[0].key, c.key, KEY_LEN);
	assert_string_equal(got[0].number, "R 1");
	assert_string_equal(got[0].rival, "R 2");
	assert_int_equal(got[0].policy, CONFLICT_TOPDESK);
	assert_int_equal(got[0].loser, UPSTREAM_EXCHANGE);
	assert_int_equal(got[0].why, REASON_LOST);
	assert_int_equal(got[0].settled, 0);
	assert_int_equal(got[1].room, 0);
	strcpy(c.rival, "R 3");
	put_conflict(g, &c, 1);
	c.loser = UPSTREAM_TOPDESK;
	put_conflict(g, &c, 1);
	assert_int_equal(conflicts_of(g, c.room, got)[0].since, 10);
	assert_int_equal(got[0].loser, UPSTREAM_TOPDESK);
}

static void
a_settled_conflict_is_kept_for_a_while(void **state)
{
	struct ground *g = *state;
	struct conflict c = {.room = g->room.id, .since = 10}, got[8];
	struct store_counts n;

	for (uint8_t i = 1; i <= 3; i++) {
		c.key[0] = i;
		c.start = i * 60;
		put_conflict(g, &c, 1);
	}
	c.room = 55;
	put_conflict(g, &c, 1);
	c.key[0] = 1;
	assert_int_equal(
	    store_conflict_settle(g->st, g->room.id, c.key, 1000, &g->e), 0);
	/* The first time counts; one that does not exist is nothing. */
	assert_int_equal(
	    store_conflict_settle(g->st, g->room.id, c.key, 9000, &g->e), 0);
	assert_int_equal(
	    store_conflict_settle(g->st, 77, c.key, 9000, &g->e), 0);
	conflicts_of(g, g->room.id, got);
	assert_int_equal(got[0].key[0], 2);
	assert_int_equal(got[1].key[0], 3);
	assert_int_equal(got[2].key[0], 1);
	assert_int_equal(got[2].settled, 1000);
	assert_int_equal(store_counts(g->st, g->room.id, &n, &g->e), 0);
	assert_int_equal(n.conflicts, 2);
	assert_int_equal(store_counts(g->st, 0, &n, &g->e), 0);
	assert_int_equal(n.conflicts, 3);
	assert_int_equal(store_conflict_expire(g->st, 1000, &g->e), 0);
	assert_int_equal(conflicts_of(g, 0, got)[3].settled, 1000);
	assert_int_equal(store_conflict_expire(g->st, 1001, &g->e), 0);
	assert_int_equal(conflicts_of(g, 0, got)[3].room, 0);
	assert_int_not_equal(got[2].room, 0);
}

static void
a_conflict_that_comes_back_is_a_new_one(void **state)
{
	struct ground *g = *state;
	struct conflict c = {.room = g->room.id, .key = {1}, .since = 10},
			got[8];

	put_conflict(g, &c, 1);
	assert_int_equal(
	    store_conflict_settle(g->st, c.room, c.key, 50, &g->e), 0);
	c.since = 60;
	put_conflict(g, &c, 1);
	conflicts_of(g, 0, got);
	assert_int_equal(got[0].since, 60);
	assert_int_equal(got[0].settled, 0);
	assert_int_equal(got[1].room, 0);
}

static void
conflicts_of_a_room_that_left_have_ended(void **state)
{
	struct ground *g = *state;
	struct conflict c = {.room = g->room.id}, got[8];

	put_conflict(g, &c, 1);
	for (int64_t room = 50; room < 53; room++) {
		c.room = room;
		put_conflict(g, &c, 1);
	}
	assert_int_equal(
	    store_conflict_settle(g->st, 52, c.key, 300, &g->e), 0);
	assert_int_equal(
	    store_conflict_leave(g->st, &g->room.id, 1, 400, &g->e), 0);
	conflicts_of(g, 0, got);
	assert_int_equal(got[0].room, g->room.id);
	assert_int_equal(got[0].settled, 0);
	assert_int_equal(got[1].settled, 400);
	assert_int_equal(got[2].settled, 400);
	assert_int_equal(got[3].settled, 300);
	assert_int_equal(store_conflict_leave(g->st, NULL, 0, 500, &g->e), 0);
	assert_int_equal(conflicts_of(g, g->room.id, got)[0].settled, 500);
}

static void
what_is_held_is_counted_by_what_it_does(void **state)
{
	static const enum plan_kind kinds[] = {PLAN_CANCEL, PLAN_MEETING_CANCEL,
	    PLAN_CREATE, PLAN_MEET, PLAN_MEETING_CHANGE};
	struct ground *g = *state;
	struct store_counts c;
	struct act a;

	for (uint8_t i = 0; i < 5; i++) {
		a = action(g, i + 1, kinds[i]);
		a.state = ACT_HELD;
		add(g, &a, "");
	}
	a = action(g, 6, PLAN_CREATE);
	add(g, &a, "");
	assert_int_equal(store_counts(g->st, 0, &c, &g->e), 0);
	assert_int_equal(c.held, 2);
	assert_int_equal(c.held_writes, 3);
	assert_int_equal(c.pending, 1);
}

static void
counts_are_by_room(void **state)
{
	struct ground *g = *state;
	struct agreed_row r = {.a = {.key = {1}, .gen = 1}};
	struct store_counts c;
	struct act a;

	assert_int_equal(store_agreed_put(g->st, g->room.id, &r, &g->e), 0);
	assert_int_equal(store_agreed_put(g->st, 55, &r, &g->e), 0);
	r.a.key[0] = 2;
	r.a.dead = 1;
	assert_int_equal(store_agreed_put(g->st, g->room.id, &r, &g->e), 0);
	for (uint8_t i = 0; i < 4; i++) {
		a = action(g, i + 1, PLAN_CANCEL);
		a.state = (enum act_state)i;
		add(g, &a, "");
	}
	assert_int_equal(store_counts(g->st, g->room.id, &c, &g->e), 0);
	assert_int_equal(c.bookings, 1);
	assert_int_equal(c.pending, 2);
	assert_int_equal(c.held, 1);
	assert_int_equal(c.aside, 1);
	assert_int_equal(store_counts(g->st, 0, &c, &g->e), 0);
	assert_int_equal(c.bookings, 2);
	assert_int_equal(store_counts(g->st, 55, &c, &g->e), 0);
	assert_int_equal(c.pending, 0);
}

/* --- transactions and crashes ----------------------------------------------------------- */

static uint32_t
bookings_in(struct ground *g)
{
	struct store_counts c;

	assert_int_equal(store_counts(g->st, 0, &c, &g->e), 0);
	return c.bookings;
}

static void
put_agreed(struct ground *g, uint8_t k)
{
	struct agreed_row r = {.a = {.key = {k}, .gen = 1}};

	assert_int_equal(store_agreed_put(g->st, g->room.id, &r, &g->e), 0);
}

static void
transactions_nest(void **state)
{
	struct ground *g = *state;

	assert_int_equal(store_begin(g->st, &g->e), 0);
	put_agreed(g, 1);
	assert_int_equal(store_begin(g->st, &g->e), 0);
	put_agreed(g, 2);
	assert_int_equal(store_commit(g->st, &g->e), 0);
	store_rollback(g->st);
	assert_int_equal(bookings_in(g), 0);
	assert_int_equal(store_commit(g->st, &g->e), -1);
	assert_int_equal(store_begin(g->st, &g->e), 0);
	put_agreed(g, 1);
	assert_int_equal(store_commit(g->st, &g->e), 0);
	assert_int_equal(bookings_in(g), 1);
}

static void
copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out;
	char buf[4096];
	ssize_t n;

	if (in == -1)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(out, -1);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
}

/* As the disk is in the middle of a transaction: what was committed is there,
 * what was not is not. */
static void
a_crash_keeps_what_was_committed(void **state)
{
	struct ground *g = *state;
	char to[160], wal[160], to_wal[160];

	assert_int_equal(store_begin(g->st, &g->e), 0);
	for (uint8_t i = 1; i <= 100; i++)
		put_agreed(g, i);
	assert_int_equal(store_commit(g->st, &g->e), 0);
	assert_int_equal(store_begin(g->st, &g->e), 0);
	for (uint8_t i = 101; i <= 200; i++)
		put_agreed(g, i);
	snprintf(wal, sizeof(wal), "%s-wal", g->path);
	snprintf(to, sizeof(to), "%s/after", g->dir);
	snprintf(to_wal, sizeof(to_wal), "%s/after-wal", g->dir);
	copy(g->path, to);
	copy(wal, to_wal);
	store_rollback(g->st);
	store_close(g->st);
	free(g->room.cursor);
	strcpy(g->path, to);
	ground_open(g);
	assert_int_equal(bookings_in(g), 100);
}

/* --- what cannot be used -------------------------------------------------------------------- */

static int
count_damaged(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *f;
	int n = 0;

	assert_non_null(d);
	while ((f = readdir(d)) != NULL)
		n += strstr(f->d_name, ".damaged-") != NULL;
	closedir(d);
	return n;
}

static void
scribble(const char *path, off_t at, size_t len)
{
	int fd = open(path, O_WRONLY);
	char junk[512];

	assert_int_not_equal(fd, -1);
	memset(junk, 0x5a, sizeof(junk));
	for (; len > 0; len -= len < 512 ? len : 512, at += 512)
		assert_true(pwrite(fd, junk, len < 512 ? len : 512, at) > 0);
	close(fd);
}

static void
open_damaged(struct ground *g)
{
	int rebuilt = 0;

	g->st = store_open(g->path, &rebuilt, &g->e);
	if (g->st == NULL)
		fail_msg("%s", g->e.text);
	assert_int_equal(rebuilt, 1);
	assert_int_equal(count_damaged(g->dir), 1);
	assert_int_equal(store_set_seal(g->st, g->seal, &rebuilt, &g->e), 0);
	assert_int_equal(bookings_in(g), 0);
}

static void
a_damaged_page_is_put_aside(void **state)
{
	struct ground *g = *state;
	struct stat st;

	for (uint8_t i = 1; i < 250; i++)
		put_agreed(g, i);
	store_close(g->st);
	assert_int_equal(stat(g->path, &st), 0);
	scribble(g->path, 4096, (size_t)st.st_size - 4096);
	open_damaged(g);
}

static void
what_is_no_database_is_put_aside(void **state)
{
	struct ground *g = *state;

	store_close(g->st);
	scribble(g->path, 0, 4096);
	open_damaged(g);
}

static void
a_cut_file_is_put_aside(void **state)
{
	struct ground *g = *state;

	for (uint8_t i = 1; i < 250; i++)
		put_agreed(g, i);
	store_close(g->st);
	assert_int_equal(truncate(g->path, 4096 * 3), 0);
	open_damaged(g);
}

static void
sql(const char *path, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
refused(struct ground *g, int code, const char *word)
{
	int rebuilt;

	assert_null(store_open(g->path, &rebuilt, &g->e));
	assert_int_equal(rebuilt, 0);
	assert_int_equal(g->e.code, code);
	assert_non_null(strstr(g->e.text, word));
	assert_int_equal(count_damaged(g->dir), 0);
}

static void
a_newer_schema_is_refused(void **state)
{
	struct ground *g = *state;

	store_close(g->st);
	sql(g->path, "PRAGMA user_version = 3");
	refused(g, ENOTSUP, "newer");
	sql(g->path, "PRAGMA user_version = 2");
	ground_open(g);
}

/* A database of the version before keeps what it holds. */
static void
an_older_schema_is_brought_up_to_date(void **state)
{
	struct ground *g = *state;
	struct agreed_row row = {.a = {.gen = 1, .start = 60, .end = 120}}, got;

	row.a.key[0] = 7;
	assert_int_equal(store_agreed_put(g->st, 1, &row, &g->e), 0);
	store_close(g->st);
	sql(g->path,
	    "DROP INDEX agreed_remote; DROP INDEX act_meets;"
	    "DROP INDEX act_meeting;"
	    "DROP TABLE conflict;"
	    "ALTER TABLE seen DROP COLUMN person;"
	    "ALTER TABLE problem DROP COLUMN kept;"
	    "ALTER TABLE agreed DROP COLUMN origin;"
	    "ALTER TABLE agreed DROP COLUMN await;"
	    "ALTER TABLE agreed DROP COLUMN was_start;"
	    "ALTER TABLE agreed DROP COLUMN was_stop; PRAGMA user_version = 1");
	ground_open(g);
	assert_int_equal(store_agreed_get(g->st, 1, row.a.key, &got, &g->e), 1);
	assert_int_equal(got.a.start, 60);
	assert_int_equal(got.a.await, 0);
}

/* A site that goes from EWS to Graph: what was agreed stays. */
static void
another_interface_forgets_what_was_seen(void **state)
{
	struct ground *g = *state;
	struct agreed_row row = {.a = {.gen = 1}}, got;
	struct seen s = {.start = 60, .end = 120};
	struct seen_row *rows;
	int changed;
	size_t n;

	s.key[0] = row.a.key[0] = 7;
	assert_int_equal(store_exchange_kind(g->st, "ews", &changed, &g->e), 0);
	assert_int_equal(store_seen_put(g->st, 1, &s, "ews-id", "", &g->e), 0);
	assert_int_equal(store_agreed_put(g->st, 1, &row, &g->e), 0);
	assert_int_equal(store_exchange_kind(g->st, "ews", &changed, &g->e), 0);
	assert_int_equal(changed, 0);
	assert_int_equal(store_seen_load(g->st, 1, &rows, &n, &g->e), 0);
	assert_int_equal(n, 1);
	seen_rows_free(rows, n);
	assert_int_equal(
	    store_exchange_kind(g->st, "graph", &changed, &g->e), 0);
	assert_int_equal(changed, 1);
	assert_int_equal(store_seen_load(g->st, 1, &rows, &n, &g->e), 0);
	assert_int_equal(n, 0);
	seen_rows_free(rows, n);
	assert_int_equal(store_agreed_get(g->st, 1, row.a.key, &got, &g->e), 1);
	assert_int_equal(store_exchange_kind(g->st, "ews", &changed, &g->e), 0);
	assert_int_equal(changed, 1);
}

/* A reservation that was moved to another room is known by its id. */
static void
a_reservation_is_found_in_another_room(void **state)
{
	struct ground *g = *state;
	struct agreed_row dead = {.a = {.gen = 1, .dead = DEAD_RELEASED},
			      .remote_id = "r1"},
			  live = {.a = {.gen = 2}, .remote_id = "r1"}, got;
	int64_t room = 0;

	dead.a.key[0] = 1;
	live.a.key[0] = 2;
	assert_int_equal(store_agreed_put(g->st, 1, &dead, &g->e), 0);
	assert_int_equal(
	    store_agreed_by_remote(g->st, "r1", 3, &room, &got, &g->e), 1);
	assert_int_equal(room, 1);
	assert_int_equal(store_agreed_put(g->st, 2, &live, &g->e), 0);
	assert_int_equal(
	    store_agreed_by_remote(g->st, "r1", 3, &room, &got, &g->e), 1);
	assert_int_equal(room, 2);
	assert_int_equal(got.a.gen, 2);
	assert_int_equal(
	    store_agreed_by_remote(g->st, "r2", 3, &room, &got, &g->e), 0);
	assert_int_equal(
	    store_agreed_by_remote(g->st, "", 3, &room, &got, &g->e), 0);
}

static void
another_ones_database_is_refused(void **state)
{
	struct ground *g = *state;

	store_close(g->st);
	unlink(g->path);
	sql(g->path, "CREATE TABLE t (x)");
	refused(g, EINVAL, "not orb-mapd's");
	unlink(g->path);
	ground_open(g);
}

static void
a_second_mapd_is_refused(void **state)
{
	struct ground *g = *state;
	int rebuilt;

	/* SQLite's locks are a process's: only another one meets them. */
	if (fork() == 0) {
		struct store *st = store_open(g->path, &rebuilt, &g->e);

		_exit(st == NULL && g->e.code == EBUSY ? 0 : 1);
	} else {
		int status = -1;

		wait(&status);
		assert_int_equal(status, 0);
	}
	put_agreed(g, 1);
	assert_int_equal(count_damaged(g->dir), 0);
}

static void
a_link_in_its_place_is_refused(void **state)
{
	struct ground *g = *state;
	char other[160];
	int rebuilt;

	store_close(g->st);
	snprintf(other, sizeof(other), "%s/other", g->dir);
	assert_int_equal(rename(g->path, other), 0);
	assert_int_equal(symlink(other, g->path), 0);
	assert_null(store_open(g->path, &rebuilt, &g->e));
	assert_int_equal(g->e.code, ELOOP);
	unlink(g->path);
	ground_open(g);
}

static void
another_key_drops_everything(void **state)
{
	struct ground *g = *state;
	struct seal *other = seal_of(2);
	struct act a = action(g, 1, PLAN_CREATE);
	struct store_counts c;
	int rebuilt = 0;

	put_agreed(g, 1);
	add(g, &a, CANARY);
	store_close(g->st);
	g->st = store_open(g->path, &rebuilt, &g->e);
	assert_non_null(g->st);
	assert_int_equal(store_set_seal(g->st, other, &rebuilt, &g->e), 0);
	assert_int_equal(rebuilt, 1);
	assert_int_equal(store_counts(g->st, 0, &c, &g->e), 0);
	assert_int_equal(c.bookings + c.pending, 0);
	assert_int_equal(store_set_seal(g->st, other, &rebuilt, &g->e), 0);
	assert_int_equal(rebuilt, 0);
	seal_free(g->seal);
	g->seal = other;
	reopen(g);
}

static void
without_a_key_nothing_is_sealed(void **state)
{
	struct ground *g = *state;
	struct wire_bytes none = {(const uint8_t *)"", 0};
	struct act a = action(g, 1, PLAN_CREATE);
	struct room_state r;
	int rebuilt;

	store_close(g->st);
	g->st = store_open(g->path, &rebuilt, &g->e);
	assert_int_equal(store_room(g->st, "r", "l", &r, &g->e), -1);
	assert_int_equal(store_act_add(g->st, &a, none, &g->e), -1);
	assert_int_equal(store_room_cursor(g->st, &g->room, &g->e), -1);
}

/* --- at rest --------------------------------------------------------------------------------- */

static int
file_has(const char *path, const char *what)
{
	struct stat st;
	int fd = open(path, O_RDONLY), found;
	char *p;

	if (fd == -1)
		return 0;
	assert_int_equal(fstat(fd, &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_non_null(p);
	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	found = memmem(p, (size_t)st.st_size, what, strlen(what)) != NULL;
	free(p);
	close(fd);
	return found;
}

static void
nothing_readable_is_at_rest(void **state)
{
	struct ground *g = *state;
	struct act a = action(g, 1, PLAN_CREATE);
	struct stat st;
	char wal[160];

	add(g, &a, CANARY " anna@example.org");
	g->room.cursor = (uint8_t *)strdup(
	    "https://graph.example/users/room@example.org/delta");
	g->room.cursor_len = strlen((char *)g->room.cursor);
	assert_int_equal(store_room_cursor(g->st, &g->room, &g->e), 0);
	snprintf(wal, sizeof(wal), "%s-wal", g->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (int closed = 0; closed < 2; closed++) {
		assert_int_equal(file_has(g->path, "CANARY"), 0);
		assert_int_equal(file_has(wal, "CANARY"), 0);
		assert_int_equal(file_has(g->path, "example.org"), 0);
		assert_int_equal(file_has(wal, "example.org"), 0);
		/* The test can find what is there. */
		if (!closed)
			reopen(g);
		assert_int_equal(file_has(g->path, "remote"), 1);
	}
	assert_int_equal(stat(g->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_cursor_comes_back),
	    T(rooms_are_told_apart),
	    T(bookings_come_back_in_the_order_of_keys),
	    T(what_is_over_expires),
	    T(series_that_nothing_names_are_swept),
	    T(what_was_agreed_comes_back),
	    T(agreed_rows_know_the_journal),
	    T(a_payload_comes_back_sealed),
	    T(a_key_has_one_action),
	    T(tries_are_passed_on),
	    T(what_was_set_aside_is_hurried),
	    T(a_look_is_forgotten),
	    T(due_gives_what_may_run),
	    T(an_update_comes_back),
	    T(recover_and_approve_shift_states),
	    T(a_problem_is_fresh_once),
	    T(a_problem_is_kept_for_its_time),
	    T(a_conflict_is_fresh_when_it_is_news),
	    T(a_settled_conflict_is_kept_for_a_while),
	    T(a_conflict_that_comes_back_is_a_new_one),
	    T(conflicts_of_a_room_that_left_have_ended),
	    T(what_is_held_is_counted_by_what_it_does),
	    T(counts_are_by_room),
	    T(transactions_nest),
	    T(a_crash_keeps_what_was_committed),
	    T(a_damaged_page_is_put_aside),
	    T(what_is_no_database_is_put_aside),
	    T(a_cut_file_is_put_aside),
	    T(a_newer_schema_is_refused),
	    T(an_older_schema_is_brought_up_to_date),
	    T(another_interface_forgets_what_was_seen),
	    T(a_reservation_is_found_in_another_room),
	    T(another_ones_database_is_refused),
	    T(a_second_mapd_is_refused),
	    T(a_link_in_its_place_is_refused),
	    T(another_key_drops_everything),
	    T(without_a_key_nothing_is_sealed),
	    T(nothing_readable_is_at_rest),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
