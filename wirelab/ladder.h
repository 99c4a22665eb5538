/* SPDX-License-Identifier: MIT
 *
 * ladder: events into the rows of the picture. What each host did stands in
 * the order of that host's own clock; a frame joins a point of the one order
 * to a point of the other, and takes one row if nothing on either side
 * contradicts that. Rows are values: text.c draws them, an SVG writer can.
 * Rows come out live, as soon as their place is certain.
 * Read next: shelf.h, then text.h.
 */
#ifndef WIRELAB_LADDER_H
#define WIRELAB_LADDER_H

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts of a conversation, as the picture's titles name them. */
enum section {
    SECTION_SETUP,
    SECTION_HANDSHAKE,
    SECTION_DATA,
    SECTION_CLOSE,
};

enum row_kind {
    ROW_EVENT,  /* cells, wire, or both */
    ROW_TITLE,  /* text: a section begins */
    ROW_FOLD,   /* count rows like the last ones are left out */
    ROW_OUTPUT, /* text: what the program of cell[host] printed, escaped */
    ROW_REMARK, /* text: a sentence about the row above */
    ROW_TOTAL,  /* text: the last line */
};

enum row_part {
    PART_WHOLE,  /* the call and its result */
    PART_BEGIN,  /* connect(3,server)... */
    PART_RETURN, /* ...connect=0 */
};

enum row_wire {
    WIRE_NONE,
    WIRE_WHOLE,   /* left and arrived */
    WIRE_LOST,    /* left; broke off on the way */
    WIRE_LEAVES,  /* left; the arrival has a row of its own */
    WIRE_ARRIVES, /* the arrival of one that left above */
};

#define ROW_NOTE 32
#define ROW_TEXT 256

/* One host's side of a row. */
struct row_cell {
    bool timed;    /* false: no clock (before the client began) */
    uint64_t t_ns; /* since the picture's zero, the client's first event */
    bool has_call;
    enum row_part part;
    struct call call; /* its data pointer is NULL: see data */
    uint8_t data[CALL_DATA];
    bool has_state;
    enum tcp_state state;
    char note[ROW_NOTE]; /* "(again: timeout)", "lost: rule 1", or "" */
    char hint[ROW_NOTE]; /* good to know where there is room, or "" */
};

struct row {
    enum row_kind kind;
    enum section section;
    char tag; /* the conversation, 'A', 'B', ...; 0: there is only one */
    enum host_id host; /* ROW_OUTPUT: whose */
    struct row_cell cell[HOST_COUNT];

    enum row_wire wire;
    struct event_frame frame; /* its pointers are NULL: see payload */
    uint8_t payload[CALL_DATA];
    size_t payload_len;  /* how many bytes of it are at hand */
    bool ack_is_news;    /* the first with this ack number */
    bool window_is_news; /* the window just closed or opened again */
    bool labelled;       /* WIRE_ARRIVES: several are on their way, so say
                            which this is */
    uint64_t count;      /* ROW_FOLD */
    char text[ROW_TEXT];
};

/* Gets each row in order. The row lasts for the call only; copy it by =. */
typedef void row_fn(const struct row *row, void *context);

enum {
    LANE_CALLS = 1,
    LANE_WIRE = 2,
    LANE_STATES = 4,
    LANE_OUTPUT = 8, /* the programs' stdout; stderr is always shown */
    LANE_DEFAULT = LANE_CALLS | LANE_WIRE | LANE_STATES,
};

/* What a picture came to; to set two pictures beside each other. */
struct ladder_totals {
    uint64_t segments, datagrams; /* sent, lost ones too */
    uint64_t bytes;               /* of payload, counted once */
    uint64_t lost, again;
    uint64_t reply_ns; /* when the client had its first answer; 0: never */
};

struct ladder_options {
    unsigned lanes; /* LANE_* */
    bool calls_all; /* poll, fcntl, setsockopt and kin too, and closes that send
                       nothing: of listening and of UDP sockets */
    bool explain;   /* remarks on what happened, too */
    bool has_only;  /* --only: rows of this section alone */
    enum section only;
    bool several;      /* more than one client is expected: tags from the
                          first row on */
    uint64_t delay_ns; /* of the wire, one way: how long a title may wait */
    const struct ladder_totals *beside; /* another picture to compare the
                                           last line with, or NULL */
};

struct ladder;

/* NULL if memory is short. The options are copied. */
struct ladder *ladder_new(const struct ladder_options *options, row_fn *out,
                          void *context);
void ladder_free(struct ladder *l); /* NULL is allowed */

/* Takes the next event; an event_sink_fn whose context is the ladder. Events
 * come in the order of t_ns. */
void ladder_event(const struct event *e, void *ladder);

/* Time went by: every event before T_NS has been given. Call it now and then,
 * or rows wait for the next event. */
void ladder_advance(struct ladder *l, uint64_t t_ns);

/* No more events: hands out all that waits, then the totals. */
void ladder_finish(struct ladder *l);

/* False if memory ran short and rows are missing. */
bool ladder_complete(const struct ladder *l);

void ladder_totals(const struct ladder *l, struct ladder_totals *totals);

#endif
