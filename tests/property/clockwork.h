/*
 * clockwork.h: one process of ORB by itself, in simulated time: what stands in
 * lib/loop.h and lib/chan.h, with the test at the other end of each connection.
 *
 * A program that links clockwork.c has these instead of liborb.a's loop.c,
 * chan.c and edge.c.  Messages are the same bytes as over a socket; the permit
 * table, requests and their ends are kept as chan.h says.  A message takes a
 * millisecond; timers come when they are due; nothing else moves the clock.
 */
#ifndef ORB_PROPERTY_CLOCKWORK_H
#define ORB_PROPERTY_CLOCKWORK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/chan.h"
#include "lib/loop.h"

/* Milliseconds since 1970; loop_now() and time(2) are made of it. */
extern int64_t clock_ms;
/* Every message is printed. */
extern int clockwork_trace;

/*
 * The test serves a message of the process: far is its end of the connection,
 * to answer on; peer is what the process takes the test for.
 */
typedef void (*far_fn)(void *arg, struct chan *far, enum role peer,
    enum upstream upstream, struct packet *);
void clockwork_serve(struct loop *, far_fn, void *arg);
/* In which order the connections' messages come: 0 as they were sent, else by
 * chance made of it. */
void clockwork_order(struct loop *, uint64_t order);
/* One message or timer, not later than until: 0 when there is none. */
int clockwork_step(struct loop *, int64_t until);
/* The process dies: whatever it still does, nobody hears of it. */
void clockwork_kill(struct loop *);
/* Of what it had sent before that, the first n messages arrive. */
void clockwork_arrive(struct loop *, size_t n);
/* The peer dies: the process hears that the connection is closed. */
void clockwork_cut(struct loop *, enum role peer, enum upstream);
/* The test's end of a connection. */
struct chan *clockwork_far(struct chan *);
/* The process stopped itself, or broke the protocol: why, else NULL. */
const char *clockwork_trouble(const struct loop *);

#endif
