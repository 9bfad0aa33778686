/*
 * audit_leases.h: the records of the audit log, added up by credential lease.
 *
 * What a lease is: keyd lets http have one credential for about an hour, and
 * records that before it does (lease_granted).  Every request that carries what
 * came of it is a record with the lease's number (request).  What it was for
 * stands in mapd's records, which name the booking and the upstream: they count
 * for the lease that was the upstream's newest when they were written.
 *
 * Memory is bounded, whatever the log holds: LEASES_MAX rows, LEASES_WHAT
 * different requests, LEASES_BOOKINGS bookings.  Not here: how it is shown
 * (audit_account.c).
 */
#ifndef ORB_CTL_AUDIT_LEASES_H
#define ORB_CTL_AUDIT_LEASES_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/audit_pick.h"

#define LEASES_MAX 50000        /* two upstreams, nearly three years */
#define LEASES_WHAT 500         /* templates; all others are one more */
#define LEASES_BOOKINGS 1000000 /* in one period */
#define LEASES_USES 64          /* pairs of template and status a lease */

/* So many requests of a kind got this status; 0: no answer. */
struct lease_use {
	uint16_t what; /* of leases.what */
	uint16_t status;
	uint64_t count;
};

struct lease_row {
	char number[24];     /* "": leases that keyd refused, refused of them */
	int64_t granted;     /* ns; 0: before the log begins */
	char upstream[12];   /* "exchange" or "topdesk" */
	char credential[60]; /* its name, and of a key how it begins */
	char process[24];    /* that sent the requests */
	char text[301];      /* of a refusal, the last one */
	uint64_t requests, bookings;
	uint64_t refused; /* requests with 401 or 403 */
	uint64_t logins;  /* that the upstream refused */
	struct lease_use *use;
	size_t nuse;
};

/* A lease that was granted, before anything is known of its use. */
struct lease_grant {
	char number[24], upstream[12], credential[60];
	int64_t granted;
};

#define LEASES_GRANTS 16

struct lease_booking;

struct leases {
	struct audit_pick pick; /* since, until and upstream are looked at */
	struct lease_row *row;  /* in the order of the log */
	size_t n, cap;
	char *what[LEASES_WHAT + 1]; /* "POST /reservations" */
	size_t nwhat;
	uint64_t requests, bookings, refused, logins, leases_refused;

	/* while the log is read */
	struct lease_grant grant[LEASES_GRANTS]; /* the newest */
	size_t ngrants;
	size_t
	    newest[2]; /* by upstream: ngrants when it was granted; 0: none */
	size_t refusal[2]; /* by upstream: 1 + the row that counts them, or 0 */
	struct lease_booking *seen;
	size_t nseen, slots;
};

/* One record, in the order of the log.  0, or -1: more than the limits above,
 * or no memory. */
int leases_take(struct leases *, const json_t *record);
void leases_free(struct leases *);

#endif
