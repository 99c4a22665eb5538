/* SPDX-License-Identifier: MIT
 *
 * loop: the lab's event loop, on libevent: descriptors, signals, timers.
 * libevent has a struct event of its own, so no other file of the lab
 * includes its headers.
 * Sources: libevent(3), "Fast portable non-blocking network programming with
 * Libevent", chapters 2 to 4.
 * Read next: lab.h.
 */
#ifndef WIRELAB_LOOP_H
#define WIRELAB_LOOP_H

#include "err.h"

#include <stdint.h>

struct loop;
struct loop_watch;
typedef void loop_fn(void *context);

/* NULL and *e on failure. */
struct loop *loop_new(struct err *e);
void loop_free(struct loop *l);

/* Runs until loop_stop. 0, or -1 and *e. */
int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l);

/* Calls FN whenever FD has something to read, or signal SIGNUM has come (once
 * for several of the same). NULL and *e on failure. */
struct loop_watch *loop_readable(struct loop *l, int fd, loop_fn *fn,
                                 void *context, struct err *e);
struct loop_watch *loop_signal(struct loop *l, int signum, loop_fn *fn,
                               void *context, struct err *e);

/* A timer, not yet set. loop_set: calls FN once, DELAY_NS from now, instead of
 * what was set before. */
struct loop_watch *loop_timer(struct loop *l, loop_fn *fn, void *context,
                              struct err *e);
void loop_set(struct loop_watch *timer, uint64_t delay_ns);

/* Ends a watch of any kind; the descriptor stays open. NULL is allowed. */
void loop_forget(struct loop_watch *w);

#endif
