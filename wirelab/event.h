/* SPDX-License-Identifier: MIT
 *
 * event: what happened in the lab, as values. The three lanes make events
 * (calls.c, wire.c, states.c), one queue puts them in the order of time, and
 * everything that shows the lab reads that one stream: ladder, list, JSON,
 * recording, svg, pcapng, expect. A recording is the same stream read back.
 *
 * Times are nanoseconds since the lab's start (CLOCK_REALTIME less its start:
 * the clock of the kernel's packet timestamps).
 */
#ifndef WIRELAB_EVENT_H
#define WIRELAB_EVENT_H

#include "call.h"
#include "frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum host_id { HOST_CLIENT, HOST_SERVER, HOST_COUNT };

/* RFC 9293, section 3.3.2. NONE: no such socket (in pictures "(closed)"). */
enum tcp_state {
    TCP_STATE_NONE,
    TCP_STATE_LISTEN,
    TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_RCVD,
    TCP_STATE_ESTABLISHED,
    TCP_STATE_FIN_WAIT_1,
    TCP_STATE_FIN_WAIT_2,
    TCP_STATE_CLOSE_WAIT,
    TCP_STATE_CLOSING,
    TCP_STATE_LAST_ACK,
    TCP_STATE_TIME_WAIT,
    TCP_STATE_CLOSED,
};

enum event_kind {
    EVENT_CALL,     /* a system call entered or returned */
    EVENT_SENT,     /* a frame left its sender: what the wire did with it */
    EVENT_RECEIVED, /* a frame (or its copy) reached the other host */
    EVENT_STATE,    /* a TCP socket changed its state */
    EVENT_OUTPUT,   /* a program printed a line */
    EVENT_EXIT,     /* a program ended */
    EVENT_REMARK,   /* a sentence of the lab's own about what just happened */
};

/* What the wire did with a frame. */
enum fate { FATE_DELIVERED, FATE_LOST, FATE_DUPLICATED, FATE_CORRUPTED };

/* Why a segment was sent again, as far as it can be known. */
enum again { AGAIN_NO, AGAIN_TIMEOUT, AGAIN_ACKS, AGAIN_UNKNOWN };

struct event_frame {
    enum host_id from;
    uint64_t number;    /* from 1 in each direction, by arrival at the wire */
    struct frame frame; /* decoded; its pointers point into bytes */
    const uint8_t *bytes;
    size_t len;               /* how many bytes are at hand */
    size_t wire_len;          /* how many there were */
    uint32_t isn[HOST_COUNT]; /* each side's first sequence number, so that
                                 seq - isn is relative */
    bool isn_known[HOST_COUNT];
    uint32_t window_bytes; /* of TCP, scaled as the SYNs have agreed */
    enum fate fate;        /* sent */
    char by[16];           /* sent, not delivered: "loss", "queue", "rule 1",
                              "blackhole"; else "" */
    uint64_t due_ns;       /* sent, not lost: when it will arrive */
    enum again again;      /* sent: a retransmission? */
    unsigned copy;         /* received: 0, or 1 for the duplicate */
};

struct event_state {
    struct addr local, peer; /* peer.len 0: a listening socket */
    enum tcp_state from, to;
    bool inferred; /* not asked of the kernel, but concluded */
};

struct event {
    enum event_kind kind;
    enum host_id host; /* where it happened; of a frame: where it is seen */
    uint64_t t_ns; /* where its row belongs. Of a call: its return if it waits
                      (call_waits) and has returned, else its beginning */
    pid_t pid;     /* CALL, OUTPUT, EXIT: of the machine, not of a namespace */
    union {
        struct call call; /* CALL; a call that waits gives two events, the
                             first with returned == false; others one */
        struct event_frame frame; /* SENT, RECEIVED */
        struct event_state state; /* STATE */
        struct {
            int stream;       /* 1 stdout, 2 stderr */
            const char *text; /* one line, without its newline; any bytes */
        } output;
        struct {
            int status; /* of waitpid(2) */
            const char *command;
        } exit;
        const char *remark;
    };
};

/* A copy on the heap that owns all it points to (call data, bytes, text), or
 * NULL if memory is short. event_discard frees it; NULL is allowed. */
struct event *event_copy(const struct event *e);
void event_discard(struct event *e);

/* "LISTEN", "SYN_SENT", ...; NONE is "(closed)". */
const char *tcp_state_name(enum tcp_state s);
/* "client", "server". */
const char *host_name(enum host_id h);

/* One that wants to see every event, in the order of t_ns. The event lasts
 * for the call only. */
typedef void event_sink_fn(const struct event *e, void *context);

/* The queue that puts the lanes in order: events may arrive up to HOLD_NS
 * late. */
struct event_queue;
struct event_queue *event_queue_new(uint64_t hold_ns, event_sink_fn *sink,
                                    void *context);
/* Takes a copy. 0, or -1 if memory is short. */
int event_queue_push(struct event_queue *q, const struct event *e);
/* Hands on what is older than NOW_NS less the hold; UINT64_MAX: everything. */
void event_queue_flush(struct event_queue *q, uint64_t now_ns);
void event_queue_free(struct event_queue *q);

#endif
