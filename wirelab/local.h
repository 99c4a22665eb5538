/* SPDX-License-Identifier: MIT
 *
 * local: the states lane of a lab without hosts (--loopback): both programs on
 * this machine, over 127.0.0.1. There is no wire whose frames would say when
 * to ask, so the kernel is asked after each call and now and then: states that
 * last only microseconds are not seen. Other programs of the machine have
 * sockets too: the lab's servers are told by who holds them, and connections
 * by the port of a server.
 * Read next: states.h, the lane of a real lab.
 */
#ifndef WIRELAB_LOCAL_H
#define WIRELAB_LOCAL_H

#include "err.h"
#include "event.h"

#include <stdbool.h>
#include <stdint.h>

struct local;

/* EVENT_STATE goes to SINK, and EVENT_REMARK with
 * the kernel's TCP_INFO when a connection begins to close. NULL and *e. */
struct local *local_new(event_sink_fn *sink, void *context, struct err *e);
void local_free(struct local *l);

/* Is REMARK that of TCP_INFO? Then BUF gets it in the reader's language. */
bool local_retell(const char *remark, char *buf, size_t cap);

/* Asks about all sockets, and tells what has changed. */
void local_look(struct local *l, uint64_t t_ns);

/* Does a socket of the lab wait for peers? As of the last look. */
bool local_listens(const struct local *l);

/* Is there nothing on its way? As of the last look. */
bool local_is_quiet(const struct local *l);

/* Ends whatever programs are left, wherever they went; reaps all children. The
 * caller is their subreaper. */
void local_kill_all(void);

#endif
