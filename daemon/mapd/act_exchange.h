/*
 * act_exchange.h: an action on Exchange, between act_exchange.c and
 * act_exchange_find.c; what others call of them stands in mapd.h.
 */
#ifndef ORB_MAPD_ACT_EXCHANGE_H
#define ORB_MAPD_ACT_EXCHANGE_H

#include "mapd/mapd.h"

/* The job is over, with this outcome and what is said of it. */
void job_end(struct job *, enum outcome, const char *text);
const struct conf_room *job_room(const struct job *);
/* A meeting of ORB's own, or one that a person made? */
int job_is_ours(const struct job *);
/* It stands in the room's calendar and in no other. */
int job_in_room_only(const struct job *);
/* The room's no, to a meeting that a person made. */
int job_declines(const struct job *);
/* The calendar that is written to, or "" when that is not known. */
const char *job_mailbox(const struct job *);
/* Is there another mailbox to try, when this one is not to be had? */
int job_can_fall_back(const struct job *);
/* What is sent is the reservation's text of now, not that of the plan; so is
 * what is agreed on then. */
void job_take_print(struct job *);
/* The tag by which ORB's own meeting, or notice, is found again. */
void job_tag(const struct job *, char *tag, size_t cap);

#endif
