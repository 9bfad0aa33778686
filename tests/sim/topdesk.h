/*
 * topdesk.h: the TOPdesk half of the store: persons, locations, reservations.
 */
#ifndef ORB_SIM_TOPDESK_H
#define ORB_SIM_TOPDESK_H

#include <stddef.h>
#include <stdint.h>

#include "fiql.h"
#include "map.h"
#include "text.h"

enum status {
	REQUEST,
	REJECTED_REQUEST,
	PLANNED,
	CANCELLED,
	CONFLICTING_PLANNED,
	CONFLICTING_REQUEST
};

struct person {
	char id[37];
	char *email;
	char *name;
	int archived;
};

struct reservation;

struct row_list {
	struct reservation **v;
	size_t n;
	size_t cap;
};

struct location {
	char id[37];
	char *name;
	char *mailbox; /* room of Exchange it is mapped to */
	int capacity;
	int block;  /* minutes kept free around bookings */
	int hidden; /* a branch filter hides it */
	int archived;
	struct row_list booked; /* by start */
};

struct facility {
	char id[37];
	struct location *location;
};

struct service {
	char id[37];
	char service_id[37];
	char *name;
	int lead; /* minutes */
	int from; /* hours of the day in which it is given */
	int to;   /* 0: any */
};

struct reservation {
	char id[37];
	char number[24];
	enum status status;
	char *brief;
	char *notes;
	struct person *requester;
	int64_t start;
	int64_t end;
	struct facility *facilities;
	size_t nfacilities;
	struct service *services;
	size_t nservices;
	char *link_id;
	char *link_type;
	int64_t link_date;
	int people; /* -1 unset */
	int issued;
	int archived;
	char *series;
	int64_t created;
	int64_t modified;
};

struct topdesk {
	struct map persons;     /* by id */
	struct map emails;      /* address -> struct person */
	struct person **people; /* in order of making */
	size_t npeople;
	struct map locations; /* by id */
	struct location **rooms;
	size_t nrooms;
	struct map by_id;
	struct map by_number;
	struct map by_link;  /* link id -> struct row_list */
	struct row_list all; /* by start, then number */
	int64_t longest;     /* longest reservation, seconds */
	unsigned long numbers;
	int refuse_conflicts;
	int default_reason;
	int may_read;
	int may_create;
	int may_edit;
	int may_locations;
	int may_persons;
	int operator_ok; /* the account is not revoked */
	char *login;
	char *password;
	char *authorization; /* what a good header says */
};

extern struct topdesk topdesk;
extern const char *const status_names[];
extern const struct fiql_field reservation_fields[];
extern const struct fiql_field person_fields[];
extern const char *const reasons[][2];

/* place.c */
void uuid_new(char[37]);
void uuid_of(const char *, char[37]);
int uuid_valid(const char *);
void topdesk_start(void);
void topdesk_end(void);
struct person *person_new(const char *, const char *, int);
struct location *location_new(const char *);
int person_get(const void *, int, size_t, struct fiql_value *);

/* reservation.c */
struct reservation *reservation_new(const char *, const char *);
struct reservation *reservation_find(const char *);
void reservation_seat(struct reservation *);
void reservation_unseat(struct reservation *);
void reservation_facility(struct reservation *, struct location *);
int reservation_unfacility(struct reservation *, const struct location *);
void reservation_link(
    struct reservation *, const char *, const char *, int64_t);
int reservation_conflicts(const struct reservation *);
int reservation_settle(struct reservation *);
int reservation_hidden(const struct reservation *);
int reservation_get(const void *, int, size_t, struct fiql_value *);
size_t rows_at(const struct row_list *, int64_t);
void row_push(struct row_list *, struct reservation *);
const char *reservation_json_fields(const char *, uint64_t *);
void reservation_json(struct text *, const struct reservation *, uint64_t);

/* service.c */
void service_add(struct reservation *, const char *, int, int, int);
void services_free(struct reservation *);
int services_too_late(const struct reservation *, int64_t);
int services_outside(const struct reservation *, int64_t, int64_t);
void services_json(struct text *, const struct reservation *);

#endif
