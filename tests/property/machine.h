/*
 * machine.h: mapd in the office: all of daemon/mapd but its main.c, with the
 * real database, in simulated time, with a place to crash between any two
 * messages and before any commit.
 *
 * A crash throws away all but the bytes of the database and its -wal as they
 * are on disk at that moment, both systems, and some of what was on its way.
 */
#ifndef ORB_PROPERTY_MACHINE_H
#define ORB_PROPERTY_MACHINE_H

#include "mapd/mapd.h"
#include "office.h"

struct machine {
	struct office *o;
	struct mapd *m;
	struct conf conf;
	struct conf_room rooms[ROOMS];
	char dir[200];
	unsigned file;     /* the database's number: a crash makes a new one */
	int crash_in;      /* steps to the next crash, 0 none */
	unsigned arrive;   /* messages that still arrive then */
	int crashed, lost; /* lost: the state was, at least once */
	uint64_t messages;
	unsigned crashes;
	char bad[300];
};

/* Fills conf from the seed: each site has its own.  0, or -1 with k->bad, and
 * so the others. */
int machine_open(
    struct machine *, struct office *, const char *dir, uint64_t seed);
void machine_close(struct machine *);
/* For ms milliseconds, or until so many messages (0: no limit). */
int machine_run(struct machine *, int64_t ms, uint64_t messages);
/* Stops and starts again: in order, or with what a crash leaves. */
int machine_restart(struct machine *);
/* The database is lost. */
int machine_lose(struct machine *);
/* orbctl approve. */
int machine_approve(struct machine *);
/* Is there a problem, an open conflict, or something set aside about the key? */
int machine_said(struct machine *, const uint8_t key[KEY_LEN], int res);
/* The same, but for problems of this one reason. */
int machine_said_but(
    struct machine *, const uint8_t key[KEY_LEN], int res, enum plan_reason);
/* Its state, as comment lines. */
void machine_print(struct machine *);
/* The key under which a reservation is known. */
void machine_key(struct machine *, int res, uint8_t key[KEY_LEN]);

#endif
