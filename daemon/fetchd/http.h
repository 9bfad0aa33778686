/*
 * http.h: what the files of the http process share.
 *
 * http owns libcurl: TLS, HTTP, the Authorization header, back-off.  It parses
 * no body but the token answer.  It holds connected sockets that dial made and
 * the token of one upstream; it has no file, no key, and cannot open a socket.
 *
 *	main.c		start, lock-down, stop
 *	adapter_start.c	the second process of the unit
 *	http_request.c	HTTP_REQUEST, the queue, what is started when
 *	http_transfer.c	one request on one easy handle, and how it ended
 *	http_answer.c	the answer, streamed to the adapter
 *	http_pool.c	the multi handle and the connections that dial makes
 *	http_lease.c	leases and the token
 *	http_tls.c	the CA store, the peer's key
 *	http_memory.c	libcurl's allocator
 *	http_record.c	records for the audit log
 *	http_gate.c, http_path.c, http_token.c	pure, and tested as such
 */
#ifndef ORB_HTTP_H
#define ORB_HTTP_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "fetchd/http_pure.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "lib/limit.h"
#include "lib/loop.h"
#include "lib/secret.h"

#define HTTP_CONNECTIONS 16 /* the most that orb.conf allows */
#define HTTP_SPARES 16      /* connected, not used yet, a host */
#define HTTP_QUEUE 1024     /* requests that wait */
#define CORK_QUEUE 8    /* waiting requests from which answers are gathered */
#define CORK_BYTES 8192 /* that are enough to send */
#define HTTP_QUEUE_PAUSE 128        /* at which the adapter is paused */
#define HTTP_ANSWER_MAX (64u << 20) /* decoded bytes of one answer */
#define HTTP_TOKEN_MAX 65536        /* bytes of a token answer */
#define HTTP_HEAD_BODY 15000        /* body bytes in ADAPTER_RESPONSE */
#define HTTP_CHUNK_BODY 16000       /* in ADAPTER_CHUNK */

struct http;

/* A host that http speaks to: the API, and the login of Exchange. */
struct dest {
	struct http *h;
	const struct conf_url *url;
	const char *dummy; /* the address libcurl is told; never used */
	int spare[HTTP_SPARES];
	int64_t spare_since[HTTP_SPARES];
	unsigned nspare;
	unsigned open;    /* descriptors that libcurl holds */
	unsigned running; /* transfers under way */
	unsigned dialing; /* asked of dial */
	long version;     /* CURL_HTTP_VERSION_*; 0: not known yet */
	int64_t retry_at; /* no new connection before this; loop_now() */
	int64_t retry_ms;
	char trouble[300]; /* why the last connection failed, or "" */
};

/* An Authorization header that several transfers may be using. */
struct token {
	struct secret line; /* "Authorization: ...", a C string */
	unsigned refs;
	uint64_t lease;    /* keyd's number */
	int64_t refresh;   /* loop_now() at which to renew it */
	int64_t expires;   /* after which it is not used */
	int proven;        /* the upstream has accepted it */
	int64_t proven_at; /* the last time; loop_now() */
	unsigned refusals; /* requests that were answered 401 with it */
};

enum lease_stage {
	LEASE_IDLE,
	LEASE_VERIFY_WAIT, /* for a connection to the login host */
	LEASE_VERIFY,      /* HEAD without credential is under way */
	LEASE_ASKED,       /* keyd has been asked */
	LEASE_TOKEN_WAIT,
	LEASE_TOKEN /* token request is under way */
};

struct lease {
	enum lease_stage stage;
	struct dest *dest;          /* the login host */
	const struct conf_url *url; /* and what to ask it for */
	struct token *token;        /* in force, or NULL */
	struct secret body;         /* of the token request */
	uint64_t number;
	char key_name[121];
	char refused[121]; /* key that the login would not have */
	int retried;       /* the other key has been asked for already */
	unsigned failures; /* in a row */
	int64_t pause_until;
	uint16_t outcome; /* of requests while paused */
	char trouble[300];
	uint8_t spki[32];
	int have_spki;
	uint8_t *answer; /* of the token endpoint */
	size_t answer_len;
	struct token *bad; /* Basic at EWS: what was refused, or NULL */
	int64_t bad_until; /* not to be sent before; loop_now() */
	int worked;        /* the credential had been accepted */
	unsigned checks;   /* times that keyd still had the same */
};

/* A request of the adapter's; strings and body lie behind the struct. */
struct request {
	struct request *next;
	uint64_t id;
	uint8_t method;
	uint8_t idempotent;
	uint8_t renewed;   /* has been repeated after a 401 */
	uint8_t throttled; /* 429s so far */
	uint8_t tries;     /* other failures so far */
	uint8_t dials;     /* times no connection was there after all */
	int64_t not_before;
	char *url, *template;
	const uint8_t *body;
	size_t body_len;
	struct curl_slist head[10]; /* [0] is the Authorization header */
};

enum slot_kind { SLOT_FREE, SLOT_REQUEST, SLOT_VERIFY, SLOT_TOKEN };

/* An easy handle and the transfer on it. */
struct slot {
	struct http *h;
	CURL *easy;
	enum slot_kind kind;
	struct dest *dest;
	struct request *req;
	struct token *token; /* the one that req carries */
	uint8_t method;      /* what easy is set to */
	/* how far it is */
	int64_t started;
	int64_t moved; /* when bytes last came, or it was resumed */
	int sent;      /* times a request has begun to be sent */
	int no_socket; /* OPENSOCKETFUNCTION had none */
	int paused;
	const char *why; /* set when it was ended from here */
	/* the answer */
	long status;
	enum verdict verdict; /* VERDICT_NONE until the first body byte */
	int head_sent;
	char request_id[65];
	uint8_t *buf; /* HTTP_CHUNK_BODY */
	size_t len;
	uint64_t total;
	char error[CURL_ERROR_SIZE];
};

struct tls;

struct http {
	struct loop *loop;
	const struct conf *conf;
	const struct conf_upstream *up;
	enum upstream upstream;
	int soap;          /* Exchange Web Services: one address for all */
	int token_request; /* leases are exchanged for tokens; else Basic */
	struct chan *adapter, *keyd, *ledgerd, *dial;
	int64_t dial_gone; /* since when there is none */
	struct dest api, login;
	struct lease lease;
	struct gate gate;
	/* http_pool.c */
	CURLM *multi;
	struct tls *tls;
	struct curl_slist *resolve;
	unsigned curl_timer;
	int kicked; /* libcurl wants to run at once */
	struct {
		int fd;
		struct dest *dest;
	} conns[HTTP_CONNECTIONS * 4];
	size_t nconns;
	struct slot slots[HTTP_CONNECTIONS], login_slot;
	unsigned limit;   /* requests under way at a time */
	unsigned running; /* of the adapter's */
	/* http_request.c */
	struct request *head, **tail; /* the queue */
	size_t queued;
	unsigned cork_timer;
	struct request *later; /* wait for their not_before */
	unsigned sweep, gate_timer;
	int adapter_paused;
	int draining;
	/* http_record.c */
	struct wire_out records;
	uint32_t nrecords;
	unsigned record_timer;
	struct limit said; /* by the adapter, into the audit log */
	unsigned unsaid;
	uint64_t requests;
};

/* --- http_tls.c ---------------------------------------------------------- */
/*
 * Reads the trusted CAs from file ("" = the system's bundle), before lock-down,
 * into one store that every connection uses.  0, or -1 and err.
 */
int tls_open(struct tls **, const char *file, struct err *);
void tls_free(struct tls *);
/* For CURLOPT_SSL_CTX_FUNCTION; arg is the struct tls. */
CURLcode tls_on_context(CURL *, void *ctx, void *arg);
/* SHA-256 of the SubjectPublicKeyInfo of the peer that easy's connection has
 * verified; only from within a callback of the transfer.  0 or -1. */
int tls_peer_spki(CURL *easy, uint8_t out[32]);

/* --- http_memory.c ------------------------------------------------------- */
/* Starts libcurl with an allocator that overwrites what it frees. */
CURLcode memory_open(void);

/* --- http_pool.c ---------------------------------------------------------- */
/* The multi handle and the easy handles.  Before lock-down. */
int pool_open(struct http *, struct err *);
void pool_close(struct http *);
/* 1 when a transfer to dest would find a connection now. */
int pool_ready(struct dest *);
/* Why no connection is to be had at present; NULL: one is there, or comes. */
const char *pool_trouble(const struct dest *);
/* Asks dial for what n more transfers need, within the limit. */
void pool_ask(struct dest *, unsigned n);
/* Hands the slot to libcurl. */
int pool_start(struct slot *);
/* Takes it back; the connection is closed when the transfer was not over. */
void pool_stop(struct slot *);
/* Runs what libcurl wants to be run at once and ends what is over. */
void pool_turn(struct http *);
/* A connection could not be made or was not verified. */
void pool_failed(struct dest *, const char *why);
/* An orb-dial has connected, or is gone. */
int pool_on_dial(struct chan *, uid_t, pid_t);
void pool_on_dial_closed(struct chan *, const char *why);

/* --- http_transfer.c -------------------------------------------------------- */
/* Options that never change; once for each easy handle. */
int transfer_prepare(struct slot *, const struct curl_slist *resolve);
/* Begins req on a free slot with the token in force. */
void transfer_begin(struct slot *, struct request *);
/* The transfer on the slot is over; frees the slot. */
void transfer_done(struct slot *, CURLcode);
/* Records what is still under way, of both kinds of slot: at the end of the
 * process, which has no time for the answers. */
void transfer_note_rest(struct http *);
/* Ends transfers that stand still, and repeats those whose pause is over. */
void transfer_sweep(void *h);

/* --- http_answer.c ----------------------------------------------------------- */
size_t answer_on_header(char *, size_t, size_t, void *slot);
size_t answer_on_body(char *, size_t, size_t, void *slot);
/* What is to become of the answer whose status has come. */
enum verdict answer_verdict_of(const struct slot *);
/* Sends what is left, with END. */
void answer_end(struct slot *);
/* Ends a request without an answer. */
void answer_fail(struct http *, struct request *, enum outcome, const char *);
/* The adapter reads again. */
void answer_on_drain(struct chan *);

/* --- http_request.c ------------------------------------------------------------ */
int http_on_request(struct chan *, struct packet *);
int http_on_hold(struct chan *, struct packet *);
int http_on_incident(struct chan *, struct packet *);
/* Starts what can be started.  Called before each poll. */
void request_pump(struct http *);
/* Puts it back at the head of the queue, or aside for ms milliseconds. */
void request_again(struct http *, struct request *, int64_t ms);
/* Ends all that wait. */
void request_fail_all(struct http *, enum outcome, const char *);
void request_free(struct request *);
/* Nothing new is started; done after at most ms milliseconds. */
void http_drain(struct http *, int64_t ms, const char *why);
/* One line for systemctl status. */
void http_tell_status(struct http *);

/* --- http_lease.c ----------------------------------------------------------------- */
/* 1 when there is a token to use now; else works towards one. */
int lease_ready(struct http *);
/* No token for now.  Requests end with this outcome until the pause, in ms, is
 * over. */
void lease_fail(struct http *, enum outcome, int64_t pause, const char *why);
void lease_drop(struct http *);
int64_t lease_denied_pause(const struct lease *);
/* Records a token request that was sent: it carried the lease. */
void lease_note(struct slot *);
/* The login slot's transfer is over. */
void lease_on_done(struct slot *, CURLcode);
size_t lease_on_body(struct slot *, const uint8_t *, size_t);
void lease_close(struct http *);
struct token *token_ref(struct token *);
void token_unref(struct token *);

/* --- http_locked.c ---------------------------------------------------------------- */
#define LEASE_HEADER "Authorization: "

/* The upstream answered 401 to this token. */
void lease_on_401(struct http *, struct token *);
/* The upstream took it. */
void lease_proven(struct http *, struct token *);
/* May several requests at a time carry the token in force? */
int lease_is_proven(const struct http *);
/* Is this value of a Basic header the one that was refused; for how many ms is
 * it not to be sent; after how many is keyd asked again? */
int locked_is_bad(const struct lease *, const uint8_t *value, size_t len);
int64_t locked_wait(const struct lease *);
int64_t locked_pause(struct lease *);
void locked_forget(struct lease *);

/* --- http_record.c ------------------------------------------------------------------ */
/* Notes an event; sent with others after at most 100 ms. */
void record_event(struct http *, uint16_t event, uint16_t status,
    uint64_t lease, const char *request_id, const char *text);
/*
 * The same for what the adapter says, or does wrong, without a request: at most
 * RECORD_SAID an hour, so that it cannot fill the disk of the audit log.  The
 * next one says how many were left out.
 */
void record_said(struct http *, uint16_t event, const char *text);
/* Sends what has gathered. */
void record_flush(struct http *);

#endif
