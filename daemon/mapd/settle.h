/*
 * settle.h: what the files of settle*.c know of one another; what others call
 * of them stands in mapd.h.
 */
#ifndef ORB_MAPD_SETTLE_H
#define ORB_MAPD_SETTLE_H

#include "mapd/mapd.h"

/* settle.c */
/* The last sighting of a key in the visit, or NULL. */
struct content *visit_content(const struct visit *, const uint8_t key[KEY_LEN]);
/* The Exchange side of a key in this planning, or NULL. */
const struct seen *visit_seen(const struct visit *, const uint8_t key[KEY_LEN]);
/* Number of the reservation that the action is about, or "". */
const char *action_number(const struct visit *, const struct action *);
/* Is what is known of the meeting in the state not enough for the action? */
int action_needs_content(const struct visit *, const struct action *);
/* Does the sighting say nothing that the row does not? */
int sighting_same(const struct seen_row *, const struct content *);
/* The policy by which a room (its index) is planned. */
void room_policy(const struct mapd *, size_t room, struct plan_policy *);

/* settle_commit.c */
/* A transaction of its own; -1 and err, and then nothing of it was kept. */
int settle_commit(struct visit *, struct err *);
/* settle_over.c: within the transaction.  0, or -1. */
int settle_problems(struct visit *, struct err *);
int settle_unread(struct visit *, struct err *);
int settle_conflicts(struct visit *, struct err *);
/* settle_hurry.c: within the transaction.  0, or -1. */
int settle_hurry(struct visit *, struct err *);
/* The new cursor, in memory; settle_round() or the commit keeps it. */
void visit_take_cursor(struct visit *);

#endif
