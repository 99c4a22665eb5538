/* SPDX-License-Identifier: MIT
 *
 * ladder_items: events as items, each with its half of a row, in the queue of
 * its host; and what belongs on one row put together there: a state on the
 * frame that changed it, a sendto on its datagram.
 * For ladder.c alone.
 */
#ifndef WIRELAB_LADDER_ITEMS_H
#define WIRELAB_LADDER_ITEMS_H

#include "clock.h"
#include "ladder.h"
#include "shelf.h"
#include "talk.h"

/* What comes a little later may still change a row: a state is asked for after
 * the frame that changed it. */
#define SETTLE_NS CLOCK_MS

enum item_end {
    END_NONE,   /* no frame: a call, a state, a line of output */
    END_LEAVES, /* a frame's departure */
    END_LANDS,  /* a frame's arrival */
};

struct item {
    struct item *next;
    enum host_id host;
    enum item_end end;
    uint64_t t_ns;         /* the lab's clock */
    uint64_t ready_ns;     /* from then on nothing more is put on its row */
    uint64_t due_ns;       /* END_LEAVES */
    struct item *partner;  /* the frame's other end, while both wait */
    bool is_split;         /* END_LEAVES: a row of its own */
    bool is_missing;       /* END_LEAVES: it will not land */
    pid_t pid;             /* of a call */
    int fd;                /* of a call; of socket() the new one */
    int proto;             /* of a call; 0: not known */
    struct talk *talk;     /* or NULL */
    char remark[ROW_TEXT]; /* a sentence for under its row, or "" */
    struct row row;
};

struct item_queue {
    struct item *first, **last;
};

struct ladder {
    struct ladder_options options;
    struct talks talks;
    struct shelf shelf;
    struct item_queue queue[HOST_COUNT];
    uint64_t now_ns; /* every event before has been given */
    bool has_zero;
    uint64_t zero_ns;      /* the client's first event */
    enum section section;  /* of the picture, while it has one conversation */
    struct talk *untagged; /* the conversation that had no tag at first */
    unsigned on_their_way; /* frames between their two rows */
    int titled;            /* the last section that has a title; -1: none */
    bool clients_ended;    /* one of them, at least */
    bool is_over, out_of_memory;
};

/* Takes an event. */
void items_take(struct ladder *l, const struct event *e);

/* An item at the end of its host's queue, its cell's clock set, that settles
 * SETTLE_NS after READY_NS; NULL if memory is short. */
struct item *item_add(struct ladder *l, enum host_id host, uint64_t t_ns,
                      uint64_t ready_ns);
void item_remove(struct ladder *l, struct item *gone);

/* Its own host's half of the row. */
struct row_cell *item_cell(struct item *i);

/* A sentence for under its row; FORMAT is in English. */
void item_remark(struct item *i, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* By the kind of event. */
void items_call(struct ladder *l, const struct event *e);
void items_sent(struct ladder *l, const struct event *e);
void items_received(struct ladder *l, const struct event *e);
void items_state(struct ladder *l, const struct event *e);

#endif
