/* SPDX-License-Identifier: MIT
 *
 * lab: one run: two hosts, the wire, the programs, from the start gate to the
 * quiet line at the end. It makes events and hands them on in the order of
 * time; what is shown of them is the view's business.
 *
 * Phases: the servers start; when one can be reached, the clients start; when
 * the clients have ended, the line may come to rest; then the servers are
 * asked to end, and whatever is left is killed.
 * Read next: host.h, wire.h, program.h, states.h, calls.h.
 */
#ifndef WIRELAB_LAB_H
#define WIRELAB_LAB_H

#include "calls.h"
#include "err.h"
#include "event.h"
#include "fault.h"
#include "link.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Programs at most, on each host; kills at most. */
#define LAB_PROGRAMS 16
#define LAB_KILLS 4

/* How long an event may wait for others that were before it. */
#define LAB_HOLD_NS 20000000

struct lab_options {
    const char *command[HOST_COUNT][LAB_PROGRAMS];
    size_t commands[HOST_COUNT];
    struct link_options link;
    struct fault *fault; /* its times count from the client's start */
    bool loopback;       /* no hosts, no wire: 127.0.0.1 of this machine */
    bool together;       /* the client starts at once */
    uint64_t wait_ns;    /* for a server that can be reached */
    uint64_t drain_ns;   /* for the line, when the clients have ended */
    uint64_t limit_ns;   /* for all of it */
    int interactive;     /* the host whose first program has the terminal as
                            its stdin; -1: none */
    struct lab_kill {
        enum host_id host;
        uint64_t at_ns; /* since the client's start */
    } kill[LAB_KILLS];
    size_t kills;
    bool calls, calls_all; /* trace system calls; poll and kin too */
    bool wire, states;     /* watch frames, ask for states */
};

/* Who watches. */
struct lab_view {
    event_sink_fn *event;
    /* Time went by: all events before T_NS have been given. */
    void (*advance)(uint64_t t_ns, void *context);
    /* Has nobody been left to watch (stdout is closed)? Then it ends. */
    bool (*is_gone)(void *context);
    /* The terminal has keys to read (--step); INPUT is -1: it is not asked. */
    void (*key)(void *context);
    int input;
    void *context;
};

struct lab_result {
    int status;      /* of the first client, as given, that failed; else 0 */
    int signal;      /* that ended it early, or 0 */
    bool early;      /* it was stopped before its end */
    bool rootless;   /* by a user namespace */
    uint64_t end_ns; /* how long it took */
    uint64_t stops;  /* how often the calls lane stopped a program */
    struct wire_counts counts;
};

/* Runs it, in this process: once. 0 and *result; or -1 and *e, when it could
 * not begin (STATUS_SKIP: namespaces are refused), no server came, or it
 * reached its limit: *result then says how far it came. */
int lab_run(const struct lab_options *o, const struct lab_view *view,
            struct lab_result *result, struct err *e);

#endif
