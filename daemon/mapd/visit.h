/*
 * visit.h: what round.c, visit.c and visit_read.c know of one another; what
 * others call of them stands in mapd.h.
 */
#ifndef ORB_MAPD_VISIT_H
#define ORB_MAPD_VISIT_H

#include "mapd/mapd.h"

/* window.c */
/* The Exchange window of a room: its cursor's, or a new one when that is from
 * before the room's last turn, or does not cover m->round. */
void room_window(struct mapd *, struct room *, int64_t now);
/* round.c */
/* No visit is left. */
void round_over(struct mapd *);

/* visit.c */
/* Asks both sides about the room with this index. */
void visit_start(struct mapd *, size_t room);
void visit_free(struct visit *);
/* Goes on when both sides, and what was read besides, are there. */
void visit_step(struct visit *);
/* So many items of Exchange could not be read; text: why, of the first. */
void visit_unread(struct visit *, unsigned n, const char *text);
/* A booking of Exchange: of a poll, an expansion or a read.  -1: malformed. */
int visit_take_booking(struct visit *, struct packet *);

#endif
