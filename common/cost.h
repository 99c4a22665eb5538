/* SPDX-License-Identifier: MIT
 *
 * cost: what a measurement cost on this side: system calls, CPU time, context
 * switches, and what the kernel counts for the socket. It is that of the
 * calling thread, so that parallel streams add up.
 * Sources: getrusage(2) RUSAGE_THREAD, tcp(7) TCP_INFO, SO_MEMINFO.
 * Read next: run.h.
 */
#ifndef WIRELAB_COST_H
#define WIRELAB_COST_H

#include "err.h"

#include <stdint.h>

/* Nothing but uint64_t: it travels in a message. COST_UNKNOWN: not told. */
struct cost {
    uint64_t syscalls; /* on sockets, and those that wait for them */
    uint64_t cpu_ns;   /* user and system */
    uint64_t voluntary, involuntary; /* context switches: it waited, it had to
                                        make room */
    uint64_t kernel_drops; /* what came and was not queued: the receive buffer
                              was full, or a checksum bad */
    uint64_t retransmits;  /* TCP segments, in all */
    uint64_t rtt_ns, cwnd; /* TCP's, now: smoothed; segments */
    uint64_t cpu;          /* the core that this thread runs on now */
    uint64_t thread;       /* gettid(2); 0: not told */
    struct {               /* what it had cost before */
        uint64_t syscalls, cpu_ns, voluntary, involuntary, kernel_drops;
    } before;
};

#define COST_UNKNOWN UINT64_MAX

/* So far. FD: the socket, or -1 if the kernel is not to be asked about one. */
void cost_now(struct cost *c, int fd);

/* *c becomes what was added since BEGIN; rtt_ns, cwnd, cpu and thread stay. */
void cost_since(struct cost *c, const struct cost *begin);

/* Adds FROM, of another stream: of the same thread, from the earlier beginning
 * to the later end; the larger rtt_ns and cwnd stay. */
void cost_add(struct cost *into, const struct cost *from);

/* --cpu: only the core of that number from now on (sched_setaffinity(2)), for
 * this thread and all that it will start. NULL: not asked for. 0, or -1 and
 * *e. */
int cost_pin(const char *cpu, struct err *e);

#endif
