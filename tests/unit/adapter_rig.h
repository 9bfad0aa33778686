/*
 * adapter_rig.h: the adapter between a test that plays http and one that plays
 * mapd, over real socketpairs.
 */
#ifndef ORB_TEST_ADAPTER_RIG_H
#define ORB_TEST_ADAPTER_RIG_H

#include "fetchd/adapter/serve.h"

#define RIG_BOOKINGS 64

/* What the test answers to one GET, write, or inner GET of a batch. */
struct rig_answer {
	int status; /* 0: the request fails with outcome and no answer */
	const char *type;
	char *body; /* freed by the rig; NULL: none */
	uint32_t retry_after;
	enum outcome outcome;
	int cut; /* only half of the body, then ADAPTER_FAILED */
};

struct rig_booking {
	struct booking b; /* strings are owned */
	uint64_t id;
};

struct rig {
	struct loop *loop;
	struct conf conf;
	struct adapter a;
	struct chan *http, *mapd;
	/* The upstream: fills in what it answers to method and path. */
	void (*upstream)(struct rig *, const char *method, const char *path,
	    const char *body, struct rig_answer *);
	size_t chunk;   /* bytes of body a packet; 0: as many as fit */
	int id_last;    /* members of a batch's responses: id and status last */
	int unanswered; /* ids that a batch leaves out, from its end */

	struct rig_booking got[RIG_BOOKINGS];
	unsigned ngot, nmore; /* more than are kept */
	char removed[RIG_BOOKINGS][64];
	unsigned nremoved;
	char series[RIG_BOOKINGS][64];
	unsigned nseries;
	struct rig_person {
		char address[255], person[65];
		unsigned matches;
	} persons[8];
	unsigned npersons;

	unsigned ended; /* final messages */
	int outcome, full;
	unsigned count, retry_after;
	char text[301], cursor[2000], remote_id[65], number[65], tag[65];
	int state, status;
	char uid[513], if_match[257];

	unsigned requests, batches, inner, holds, incidents;
	unsigned incident, hold_seconds;
	char path[20000], prefer[201], accept[161], anchor[255];
	char log[64][300]; /* "METHOD path" of requests and inner requests */
	unsigned nlog;
	int outstanding, most; /* HTTP requests at a time */
	int slow;              /* answers wait for rig_release() */
	struct rig_late {
		uint64_t id;
		char method[8], path[20000];
		char *body;
	} late[8];
	unsigned nlate;
};

/* Not 0: exchange is by EWS. */
extern int rig_ews;
struct rig *rig_new(enum upstream);
void rig_free(struct rig *);
/* Turns until n final messages have come, or five seconds have passed. */
void rig_run(struct rig *, unsigned n);
/* Answers what waits because of slow. */
void rig_release(struct rig *);
uint64_t rig_poll(struct rig *, const char *address, const char *cursor);
/* The booking with this remote id; fails the test when there is none. */
const struct booking *rig_booking(struct rig *, const char *remote_id);
/* Forgets what has come. */
void rig_reset(struct rig *);
/* A file of tests/unit/data, as a string to be freed. */
char *rig_data(const char *name);
uint64_t rig_call(struct rig *);
/* ADAPTER_FIND in the mailbox address, from a rig that forgot what it has got,
 * to its end. */
void rig_find(
    struct rig *, const char *address, const char *const *tags, uint32_t n);

#endif
