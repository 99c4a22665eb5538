/* SPDX-License-Identifier: MIT
 *
 * measure: what --ping and --stream are asked for, by the same options over
 * both protocols.
 * Read next: result.h.
 */
#ifndef WIRELAB_MEASURE_H
#define WIRELAB_MEASURE_H

#include "err.h"
#include "opt.h"

#include <stdbool.h>
#include <stdint.h>

struct measure {
    bool ping, stream;
    uint64_t count, interval_ns;          /* ping */
    uint64_t duration_ns, bytes, streams; /* stream */
    uint64_t rate_bps;                    /* stream: 0: unpaced */
    bool reverse, verify;                 /* stream */
    uint64_t size;                        /* of a message, bytes */
    uint64_t timeout_ns; /* a reply after it is late; a report is not waited
                            for any longer */
    uint64_t report_ns;  /* between `report` events; 0: none */
    bool busy_poll;      /* ping: look again and again, never sleep */
    const char *cpu;     /* the core to stay on; NULL: where the kernel likes */
    uint64_t batch;      /* UDP: datagrams a call; 0: one, by send and recv */
};

/* Their rows in the table of options. --rate is the program's own. */
#define OPT_MEASURE(m)                                                         \
    {.name = "ping",                                                           \
     .read = opt_flag,                                                         \
     .value = &(m)->ping,                                                      \
     .help = N_("measure round trips to an echo server")},                     \
        {.name = "count",                                                      \
         .letter = 'n',                                                        \
         .metavar = "N",                                                       \
         .read = opt_number,                                                   \
         .value = &(m)->count,                                                 \
         .min = 1,                                                             \
         .help = N_("ping: so many messages (10)")},                           \
        {.name = "interval",                                                   \
         .letter = 'i',                                                        \
         .metavar = "DUR",                                                     \
         .read = opt_duration,                                                 \
         .value = &(m)->interval_ns,                                           \
         .help = N_("ping: one each DUR (200ms); 0: at each reply")},          \
        {.name = "busy-poll",                                                  \
         .read = opt_flag,                                                     \
         .value = &(m)->busy_poll,                                             \
         .help = N_("ping: never sleep while waiting")},                       \
        {.name = "stream",                                                     \
         .read = opt_flag,                                                     \
         .value = &(m)->stream,                                                \
         .help = N_("measure one-way bulk to a sink")},                        \
        {.name = "bytes",                                                      \
         .metavar = "SIZE",                                                    \
         .read = opt_size,                                                     \
         .value = &(m)->bytes,                                                 \
         .min = 1,                                                             \
         .help = N_("stream: so much, instead of --duration")},                \
        {.name = "parallel",                                                   \
         .letter = 'P',                                                        \
         .metavar = "N",                                                       \
         .read = opt_number,                                                   \
         .value = &(m)->streams,                                               \
         .min = 1,                                                             \
         .max = 64,                                                            \
         .help = N_("stream: so many at once (1)")},                           \
        {.name = "reverse",                                                    \
         .letter = 'R',                                                        \
         .read = opt_flag,                                                     \
         .value = &(m)->reverse,                                               \
         .help = N_("stream: the server sends")},                              \
        {.name = "verify",                                                     \
         .read = opt_flag,                                                     \
         .value = &(m)->verify,                                                \
         .help = N_("stream: compare every byte")},                            \
        {.name = "report",                                                     \
         .metavar = "DUR",                                                     \
         .read = opt_duration,                                                 \
         .value = &(m)->report_ns,                                             \
         .min = 1,                                                             \
         .help = N_("ping, stream: print a report each DUR")},                 \
    {                                                                          \
        .name = "cpu", .metavar = "N", .read = opt_text, .value = &(m)->cpu,   \
        .help = N_("stay on this core, counted from 0")                        \
    }

/* Before the options are read: what they do not touch. */
#define MEASURE_UNSET UINT64_MAX

/* What does not go together, or NULL. */
const char *measure_unfit(const struct measure *m);

/* Fills in what was not asked for, such as messages of PING_SIZE or
 * STREAM_SIZE, but timeout_ns; and goes to the core of --cpu. 0, or -1 and
 * *e. */
int measure_begin(struct measure *m, uint64_t ping_size, uint64_t stream_size,
                  uint64_t max_size, struct err *e);

#endif
