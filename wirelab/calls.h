/* SPDX-License-Identifier: MIT
 *
 * calls: the system calls of any program, as events: the student's own, in any
 * language, with its threads and its children. A seccomp filter stops a
 * program at its network calls alone, ptrace tells what they are, and only
 * those on internet sockets reach the lane. It asks for no privilege: a
 * process may trace what it has started.
 *
 *     calls = calls_new(start, CALLS_NETWORK, sink, context);
 *     pid = calls_fork(calls, HOST_CLIENT, &e);
 *     if (pid == 0) {
 *         ... namespaces, descriptors, limits ...
 *         if (calls_filter(calls, &e) == 0)
 *             execv(...);
 *         _exit(127);
 *     }
 *     on SIGCHLD:
 *         while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
 *             if (!calls_handle(calls, pid, status))
 *                 ... the process PID has ended ...
 *
 * All of it must run in one thread: the one that traces. SIGCHLD must be
 * caught without SA_NOCLDSTOP. A traced program sleeps at each network call
 * until calls_handle has seen it, so come back to waitpid soon.
 * Sources: ptrace(2), seccomp(2), process_vm_readv(2), pidfd_getfd(2).
 * Needs Linux 5.6. Read next: calls_decode.h.
 */
#ifndef WIRELAB_CALLS_H
#define WIRELAB_CALLS_H

#include "clock.h"
#include "err.h"
#include "event.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct calls;

enum calls_which {
    CALLS_NETWORK, /* socket ... close, with read, write and their kin */
    CALLS_ALL,     /* and poll and its kin, fcntl, the socket options, names */
};

/* START_NS: the lab's start on CLOCK_REALTIME; the events count from it. They
 * go to SINK from inside calls_handle: EVENT_CALL, and EVENT_REMARK for a
 * program whose calls cannot be seen (32-bit, io_uring). NULL if memory is
 * short.
 *
 * Of an EVENT_CALL, pid is the process, also for a call of one of its threads;
 * (pid, call.begin_ns) tells which entry and which return belong together. A
 * call that waits (call_waits) gives one event when it is entered and one when
 * it returns; if its program dies inside, or never wakes, the first stays
 * alone. Every other call gives one event, at its return, or with returned ==
 * false when its program died inside. begin_ns is taken before the kernel has
 * begun the call, end_ns when it is done: what the call sends lies between. */
struct calls *calls_new(uint64_t start_ns, enum calls_which which,
                        event_sink_fn *sink, void *context);

/* fork(2) whose child is traced from its first instruction, and all that
 * comes from it, on host HOST. Returns like fork; -1 and *e, with advice, if
 * there can be no child or tracing is not allowed here. With C NULL (the lane
 * is off) it is fork alone. If this process ends, all it traces is killed. */
pid_t calls_fork(struct calls *c, enum host_id host, struct err *e);

/* In that child, right before exec: from here on its network calls stop it.
 * Sets no_new_privs. Returns 0, or -1 and *e. With C NULL it does nothing. */
int calls_filter(const struct calls *c, struct err *e);

/* Takes what waitpid(2) said. True: it was a stop, or the end of a mere
 * thread; it is dealt with. False: STATUS is the end of process PID, traced or
 * not, and it is the caller's to see. With C NULL: false. */
bool calls_handle(struct calls *c, pid_t pid, int status);

/* Announces the calls in progress that do not wait as a rule, but now do, for
 * CALLS_PATIENCE_NS: a send into a closed window. Such a call then gives two
 * events too. To be called before the queue is flushed, so that they are not
 * too late for their place in the order of time. With C NULL: nothing. */
void calls_announce(struct calls *c);

/* Less than the events' hold. */
#define CALLS_PATIENCE_NS (10 * CLOCK_MS)

/* How often a program was stopped so far: the lane's price. */
uint64_t calls_stops(const struct calls *c);

/* Frees the records; it neither ends nor lets go of what is still traced: end
 * and reap that first. NULL is allowed. */
void calls_free(struct calls *c);

#endif
