/*
 * execute.h: what the files of execute*.c know of one another; what others call
 * of them stands in mapd.h.
 */
#ifndef ORB_MAPD_EXECUTE_H
#define ORB_MAPD_EXECUTE_H

#include "mapd/mapd.h"

#define CHUNK 128 /* acts pulled, records announced at a time */
#define LOOKS 50  /* reservations a read */

/* execute_pull.c: makes jobs of what is due, as many as may be in memory. */
void execute_pull(struct mapd *);
/* execute_look.c: sends one request for jobs of the queue look. */
void execute_look(struct mapd *);

#endif
