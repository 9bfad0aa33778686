/*
 * loop.h: one poll(2) loop per process: descriptors, timers, signals.
 *
 * Not here: what is done with them.  ORB's processes have a dozen descriptors
 * each, so poll is as fast as anything and needs the fewest system calls.
 */
#ifndef ORB_LOOP_H
#define ORB_LOOP_H

#include <stdint.h>

struct loop;

/* revents as poll(2) gives them. */
typedef void (*loop_fd_fn)(void *arg, int fd, short revents);
typedef void (*loop_fn)(void *arg);

struct loop *loop_new(void);
void loop_free(struct loop *);
/* Watches fd for events; a second call for the same fd changes them. */
int loop_fd(struct loop *, int fd, short events, loop_fd_fn, void *arg);
void loop_fd_del(struct loop *, int fd);
/*
 * Calls fn once after ms milliseconds, or every ms with repeat.  Returns an id
 * for loop_timer_del(), 0 when there is no memory.
 */
unsigned loop_timer(struct loop *, int64_t ms, int repeat, loop_fn, void *arg);
void loop_timer_del(struct loop *, unsigned id);
/*
 * SIGTERM and SIGINT call on_stop, SIGHUP on_reload (each may be NULL), from
 * the loop, not from the signal handler.  Blocks SIGPIPE.  Before lock-down.
 */
int loop_signals(struct loop *, loop_fn on_stop, loop_fn on_reload, void *arg);
/*
 * fn runs before every poll, when all that was ready has been served: the place
 * to send what has gathered.
 */
void loop_idle(struct loop *, loop_fn, void *arg);
/*
 * fn runs once, after the idle function and before the next poll: for what a
 * turn has gathered.  loop_defer_del() forgets what was deferred for arg.
 */
int loop_defer(struct loop *, loop_fn fn, void *arg);
void loop_defer_del(struct loop *, void *arg);
/* Serves until loop_stop(). */
void loop_run(struct loop *);
/* One turn; waits at most ms (-1: until something happens). */
void loop_turn(struct loop *, int ms);
void loop_stop(struct loop *);
/* Milliseconds, CLOCK_MONOTONIC. */
int64_t loop_now(void);

#endif
