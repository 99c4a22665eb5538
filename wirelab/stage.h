/* SPDX-License-Identifier: MIT
 *
 * stage: all that a lab is made of, put together: the hosts, the wire, the
 * programs, the three lanes, and the queue that brings their events in order.
 * lab.c plays on it.
 *
 * With --loopback there are no hosts and no wire, and local.c stands in for
 * them: nobody but this file has to know.
 * Read next: lab.h.
 */
#ifndef WIRELAB_STAGE_H
#define WIRELAB_STAGE_H

#include "calls.h"
#include "err.h"
#include "event.h"
#include "gate.h"
#include "host.h"
#include "lab.h"
#include "local.h"
#include "loop.h"
#include "program.h"
#include "states.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stage {
    const struct lab_options *o;
    const struct lab_view *view;
    uint64_t start_ns; /* on CLOCK_REALTIME: zero of all times */
    bool muted;        /* what happens is the lab's own doing, not shown */
    bool out_of_memory;
    uint64_t call_ns;   /* when a call last came to an end */
    uint64_t looked_ns; /* when all sockets were last asked about */

    struct loop *loop;
    struct event_queue *queue;
    struct hosts hosts;
    struct wire *wire;     /* NULL: loopback */
    struct states *states; /* NULL: lane off, or loopback */
    struct local *local;   /* of loopback */
    struct calls *calls;   /* NULL: lane off */
    struct program program[HOST_COUNT][LAB_PROGRAMS];
};

/* Builds it; no program runs yet. The struct must stay where it is. 0, or -1
 * and *e. stage_close ends whatever is left, and frees, also after failure. */
int stage_open(struct stage *s, const struct lab_options *o,
               const struct lab_view *view, struct err *e);
void stage_close(struct stage *s);

/* The lab's clock. */
uint64_t stage_now_ns(const struct stage *s);

/* Starts all programs of HOST. 0, or -1 and *e. */
int stage_start(struct stage *s, enum host_id host, struct err *e);
size_t stage_running(const struct stage *s, enum host_id host);
void stage_kill(struct stage *s, enum host_id host, int signum);

/* Takes note of all that waitpid(2) has to say. */
void stage_reap(struct stage *s);

/* Who waits for a client on the server? */
void stage_gate(struct stage *s, struct gate_view *v);

/* A sentence of the lab's own, in its place among the events. */
void stage_remark(struct stage *s, enum host_id host, const char *text);

/* To be called now and then: asks for states that change by themselves or
 * could not be known at once; then shows all events that are old enough. */
void stage_look(struct stage *s);

/* Shows all events there are. */
void stage_show_all(struct stage *s);

/* Has the line come to rest: no frame on it, and no socket about to send? */
bool stage_is_quiet(struct stage *s);

#endif
