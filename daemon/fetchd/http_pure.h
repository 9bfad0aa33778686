/*
 * http_pure.h: the parts of http that touch neither sockets nor libcurl, so
 * that unit tests and fuzz targets can have them alone.
 */
#ifndef ORB_HTTP_PURE_H
#define ORB_HTTP_PURE_H

#include <stddef.h>
#include <stdint.h>

/* --- http_path.c ------------------------------------------------------------ */
/*
 * 1 when the adapter may ask for this path, relative to the base URL: begins
 * with "/", printable ASCII only (so no CR, LF or space), no "#" and no "\",
 * and no segment that is "." or ".." however it is written.
 */
int path_is_allowed(const char *);
/* 1 when it can stand as one header value: printable ASCII and space. */
int header_is_allowed(const char *);
/*
 * What the audit log may know of a request: the method and the path with each
 * segment that is not a word of the API turned into "*", without the query.
 * At most size - 1 bytes; returns dst.
 */
char *path_template(
    char *dst, size_t size, const char *method, const char *path);

/* --- http_gate.c ------------------------------------------------------------- */
/*
 * One gate an upstream: while it is closed nothing is sent.  Times are
 * loop_now() milliseconds; random is any number, for the jitter.
 */
struct gate {
	int64_t until;
	unsigned strikes; /* closed so many times without a good answer */
};

/*
 * The upstream asked to slow down, for so many seconds (0: it did not say).
 * Closes for the longer of that and ORB's own floor (1 s, doubling to 64 s, up
 * to half again by chance), at most 10 minutes.  Answers that were under way
 * when the gate fell only lengthen the time.  Returns the wait from now.
 */
int64_t gate_close(
    struct gate *, int64_t now, uint32_t seconds, uint32_t random);
void gate_good(struct gate *);
/* Milliseconds until it opens; 0 when it is open. */
int64_t gate_wait(const struct gate *, int64_t now);

/* What becomes of an answer. */
enum verdict {
	VERDICT_NONE,
	VERDICT_FORWARD,  /* to the adapter */
	VERDICT_THROTTLE, /* close the gate, then again */
	VERDICT_AGAIN,    /* again after a pause */
	VERDICT_RENEW,    /* again with a new token */
	VERDICT_DENIED,   /* the renewed token was not taken either */
	VERDICT_REDIRECT  /* refused */
};

/*
 * By the rules of README.privsep section 4: 429 has not been done, so it is
 * repeated for every method; 5xx only when repeating does no harm.
 */
enum verdict answer_verdict(long status, int idempotent, unsigned throttled,
    unsigned tries, int renewed);

/* --- http_token.c -------------------------------------------------------------- */
/*
 * The answer of the token endpoint (RFC 6749 sections 5.1 and 5.2).  Borrows
 * from the parser: token_answer_free() cleanses.
 */
struct token_answer {
	char *access_token; /* NULL in an error */
	size_t token_len;
	uint32_t expires_in, refresh_in; /* seconds; refresh_in 0: not said */
	char error[65];                  /* "invalid_client" */
	uint32_t error_code; /* the first of error_codes, AADSTSnnn */
};

/* Before lock-down: jansson's hash seed comes from /dev/urandom. */
void token_parse_open(void);
/*
 * 0: a token or an error was understood.  -1: neither; text says why.  The
 * token must be printable ASCII of at most 16 KiB, since it becomes a header.
 */
int token_parse(
    const uint8_t *, size_t, struct token_answer *, const char **text);
void token_answer_free(struct token_answer *);

#endif
