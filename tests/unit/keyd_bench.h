/*
 * keyd_bench.h: keyd's handlers with a loop, a vault in a temporary directory
 * and a ledgerd that the test plays, all in one process.
 */
#ifndef ORB_TESTS_KEYD_BENCH_H
#define ORB_TESTS_KEYD_BENCH_H

#include "keyd/keyd.h"

enum bench_ledger { BENCH_CONFIRMS, BENCH_REFUSES, BENCH_IS_SILENT };

struct bench_record {
	uint16_t event;
	uint8_t durable, upstream;
	uint64_t lease;
	uint8_t after[32];
	size_t after_len;
	char text[301];
};

struct bench {
	struct keyd k;
	struct conf conf;
	char dir[64];
	int dirfd;
	struct chan *ledgerd; /* its end */
	enum bench_ledger mode;
	uint64_t waiting; /* the last request that a silent one keeps */
	struct bench_record records[200];
	size_t nrecords;
};

/* The last answer a client got. */
struct bench_answer {
	int packets, ended, lost, closed;
	uint16_t type;
	uint16_t code;
	char text[401];
	uint64_t lease;
	uint32_t lifetime, generation;
	uint8_t kind;
	char key_name[121];
	uint8_t value[8192];
	size_t len;
	/* rows of a list */
	int rows;
	char names[8][65], row_text[8][201], row_key[8][121];
	int64_t row_expires[8];
	uint64_t row_leases[8];
};

/* 0, or -1.  The vault is empty. */
int bench_open(struct bench *);
void bench_close(struct bench *);
/* Serves for a moment: until nothing happens for ms milliseconds. */
void bench_spin(struct bench *, int ms);
/* A connection of role with this uid; the client's end, NULL when refused. */
struct chan *bench_connect(
    struct bench *, enum role, enum upstream, uid_t, struct bench_answer *);
/* Registers a request whose answers go to a, which is emptied. */
uint64_t bench_call(struct chan *, struct bench_answer *a);
/* Sends one KEYD_CREDENTIAL_SET and waits for its answer. */
void bench_set(struct bench *, struct chan *ctl, struct bench_answer *,
    const char *name, const char *value, int64_t expires);
/* Sends one KEYD_LEASE and waits. */
void bench_lease(struct bench *, struct chan *http, struct bench_answer *,
    const char *host, uint16_t port, const char *refused);
/* How many records of this event there are. */
size_t bench_count(const struct bench *, uint16_t event);

#endif
