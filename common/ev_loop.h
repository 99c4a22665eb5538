/* SPDX-License-Identifier: MIT
 *
 * ev_loop: the loop itself. One libevent base that waits for everything, and
 * the signals on it: SIGINT and SIGTERM end the loop, SIGUSR1 prints the
 * totals so far. There is one thread, so the base has no locks.
 * Read next: ev_tcp.h and, side by side with it, ev_udp.h.
 */
#ifndef WIRELAB_EV_LOOP_H
#define WIRELAB_EV_LOOP_H

#include "err.h"
#include "model.h"

#include <event2/event.h>
#include <stdint.h>

struct ev_loop {
    struct event_base *base;
    struct server *server;
    struct event *stop, *report; /* the signals */
    struct err failure; /* why ev_loop_fail ended it; status 0: it did not */
};

/* Opens the loop of the server S, or of a client (NULL), which has no totals.
 * FLAGS: event_base_config_flag beyond EVENT_BASE_FLAG_NOLOCK. 0, or -1 and
 * *e. */
int ev_loop_open(struct ev_loop *l, struct server *s, int flags, struct err *e);

/* Runs until a signal, event_base_loopbreak, or ev_loop_fail. 0, or -1 and *e
 * with what ev_loop_fail was given. */
int ev_loop_run(struct ev_loop *l, struct err *e);

/* From a callback: ends the loop because of *why, an error of the server's
 * own. */
void ev_loop_fail(struct ev_loop *l, const struct err *why);

/* Frees what ev_loop_open made, also after it failed. Events on the base are
 * freed by their owners before. */
void ev_loop_close(struct ev_loop *l);

/* A time for libevent; at least 1 us, because 0 would mean "at once". */
struct timeval ev_time(uint64_t ns);

/* How many clients may be open at once: max_clients, or without it as many as
 * descriptors are left. Raises the limit first, and logs what is in force. */
uint64_t ev_loop_room(struct ev_loop *l);

/* Says that OPEN clients are all that can be, or *why accept failed; at most
 * every ten seconds, because a server at its limit stays there. */
void ev_loop_full(struct ev_loop *l, uint64_t open, const struct err *why);

/* Raises RLIMIT_NOFILE to its hard limit, as any process may (getrlimit(2)),
 * and returns the limit now in force. */
uint64_t ev_raise_limit(void);

#endif
