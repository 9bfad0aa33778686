/*
 * http.h: a request as the listeners hand it on, its answer, the routes, the
 * faults on demand, what is counted, and the settings of the whole program.
 */
#ifndef ORB_SIM_HTTP_H
#define ORB_SIM_HTTP_H

#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>

#include "exchange.h"
#include "text.h"

enum listener { LOGIN, GRAPH, TOPDESK, EWS, TRAP, LISTENERS };

enum fault_kind {
	FAULT_NONE,
	FAULT_429,
	FAULT_429_BARE,
	FAULT_503,
	FAULT_500_HTML,
	FAULT_CUT_BEFORE,
	FAULT_CUT_AFTER,
	FAULT_TRUNCATE,
	FAULT_SLOW,
	FAULT_DELAY,
	FAULT_FOREIGN_LINK,
	FAULT_REDIRECT,
	FAULT_401,
	FAULT_EXPIRED,
	FAULT_410,
	FAULT_INNER_429,
	FAULT_BAD_JSON,
	FAULT_HUGE,
	FAULT_EWS_FAULT,
	FAULT_EWS_ERROR,
	FAULT_ANSWER
};

struct fault {
	enum fault_kind kind;
	int listener;   /* -1: any */
	char *endpoint; /* glob */
	int count;      /* -1: for ever */
	int skip;
	double probability;
	unsigned int seed;
	int retry_after;
	int ms;
	int status; /* of "answer", with body */
	char *body;
	char *location;
	char *mailbox; /* only requests about this one; NULL: any */
	unsigned long hits;
	struct fault *next;
};

struct pair {
	char *name;
	char *value;
};

struct request;
struct ews;

#define ROUTE_OPEN 0x1     /* no credential needed */
#define ROUTE_CALENDAR 0x2 /* Prefer must be complete */
#define ROUTE_BODY 0x4     /* carries JSON */

struct route {
	const char *method;
	const char *path; /* below the listener's base */
	void (*serve)(struct request *);
	unsigned int flags;
	unsigned long count;
	unsigned long inner; /* of count, inside a batch */
	unsigned long credentials;
};

struct request {
	enum listener listener;
	char *method;
	char *target; /* as sent */
	char **segs;  /* decoded path below the base */
	size_t nsegs;
	struct pair *args;
	size_t nargs;
	const char *host; /* of the outer request */
	char *prefer;     /* all Prefer headers, joined */
	struct MHD_Connection *conn;
	json_t *inner; /* headers, inside a batch */
	int is_inner;
	struct text body;
	struct ews *ews; /* the body read, on EWS */
	json_t *json;    /* the body read, when ROUTE_BODY */
	struct route *route;
	struct mailbox *mailbox;
	/* the answer */
	int status;
	struct text out;
	const char *type;
	struct pair headers[8];
	size_t nheaders;
	/* what is to go wrong with it */
	enum fault_kind fault;
	int fault_retry;
	int fault_ms;
	int fault_code;
	char *fault_body;
	char *fault_location;
	int served;
	int64_t due;
};

struct listening {
	struct MHD_Daemon *daemon;
	int port;
	unsigned long requests;
	unsigned long credentials;
	unsigned int busy;
	unsigned int busy_peak;
	int latency; /* ms */
};

struct settings {
	char *tenant;
	char *client_id;
	char *client_secret;
	char *login_url;
	char *graph_url;
	char *topdesk_url;
	char *ews_url;
	char *trap_url;
	char *service_mailbox;
	int token_lifetime;
	int page_size; /* 0: what the client asks */
	int empty_pages;
	int replay;
	int rooms_only;       /* others are out of the app's scope */
	int duplicate_status; /* of a known transactionId, 0: 201 */
	int enforce;          /* 429 above 4 requests at a time */
	int quiet;
};

extern struct settings settings;
extern struct listening listening[LISTENERS];
extern const char *const listener_names[];
extern pthread_mutex_t store_lock;

/* http.c */
int http_start(enum listener, const char *, int, const char *, const char *);
void http_end(void);
struct request *request_new(enum listener, const char *);
void request_free(struct request *);
void request_serve(struct request *);

/* request.c */
void request_split(struct request *);
const char *request_header(const struct request *, const char *);
const char *request_arg(const struct request *, const char *);
int request_prefers(const struct request *, const char *);
struct route *route_find(enum listener, const char *, char **, size_t);
struct route *routes_of(enum listener);
void answer_header(struct request *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));
void answer_clear(struct request *);
int body_allows(struct request *, json_t *, const char *, const char *);

/* record.c */
long record_to(const char *);
void record_request(struct request *);

/* later.c */
void later_start(void);
void later_end(void);
void later_resume(struct MHD_Connection *, int64_t);
void later_flush(void);

/* fault.c */
struct fault *fault_arm(const char *);
void fault_clear(void);
json_t *fault_list(void);
void fault_pick(struct request *, const char *);
int fault_before(struct request *);
void fault_after(struct request *);
const char *fault_names(void);

/* count.c */
void violation(const struct request *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
void check_request(struct request *, int);
json_t *counters_json(void);
void counters_reset(void);
json_t *violations_json(void);
void violations_clear(void);
extern unsigned long violation_count;

/* token.c, assertion.c */
void token_start(void);
void token_end(void);
int token_state(const char *); /* 1 good, 0 unknown, -1 expired */
void token_expire_all(void);
int certificate_register(const char *, char[65]);
void certificates_end(void);
int assertion_verify(const char *, const char **, int *);

/* ews.c */
struct route *ews_route(struct request *);
int ews_admit(struct request *);
void ews_close(struct request *);
int ews_fault(struct request *);
void ews_huge(struct request *);
void ews_free(struct ews *);

/* graph.c, topdesk.c, ews.c: the routes; and who may use them */
extern struct route login_routes[], graph_routes[], topdesk_routes[],
    ews_routes[], trap_routes[];
int graph_admit(struct request *);
int topdesk_admit(struct request *);

#endif
