/* SPDX-License-Identifier: MIT
 *
 * event: copies of events, and the queue that puts the lanes in the order of
 * time. See event.h for the contract.
 *
 * The queue is a sorted list. Events come nearly in order, so a new one finds
 * its place within a few steps from the end; events of the same time keep the
 * order in which they came.
 * Read next: wire.c, which makes most events; json.c, which writes them.
 */
#include "event.h"

#include "lang.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

/* How many bytes outside of the struct belong to the event. */
static size_t tail_size(const struct event *e)
{
    switch (e->kind) {
    case EVENT_CALL:
        return e->call.data != NULL ? e->call.data_len : 0;
    case EVENT_SENT:
    case EVENT_RECEIVED:
        return e->frame.bytes != NULL ? e->frame.len : 0;
    case EVENT_OUTPUT:
        return text_size(e->output.text);
    case EVENT_EXIT:
        return text_size(e->exit.command);
    case EVENT_REMARK:
        return text_size(e->remark);
    case EVENT_STATE:
        break;
    }
    return 0;
}

/* The place in the copy TO of what AT points to in FROM. */
static const uint8_t *moved(const uint8_t *at, const uint8_t *from,
                            const uint8_t *to)
{
    return at != NULL ? to + (at - from) : NULL;
}

static void own_frame(struct event_frame *f, uint8_t *tail)
{
    if (f->bytes == NULL)
        return;
    memcpy(tail, f->bytes, f->len);
    f->frame.transport = moved(f->frame.transport, f->bytes, tail);
    f->frame.payload = moved(f->frame.payload, f->bytes, tail);
    f->bytes = tail;
}

static void own_text(const char **text, void *tail, size_t size)
{
    if (*text != NULL)
        *text = memcpy(tail, *text, size);
}

struct event *event_copy(const struct event *e)
{
    size_t size = tail_size(e);
    struct event *copy = malloc(sizeof *copy + size);
    if (copy == NULL)
        return NULL;
    *copy = *e;
    void *tail = copy + 1;
    switch (copy->kind) {
    case EVENT_CALL:
        if (copy->call.data != NULL)
            copy->call.data = memcpy(tail, copy->call.data, size);
        break;
    case EVENT_SENT:
    case EVENT_RECEIVED:
        own_frame(&copy->frame, tail);
        break;
    case EVENT_OUTPUT:
        own_text(&copy->output.text, tail, size);
        break;
    case EVENT_EXIT:
        own_text(&copy->exit.command, tail, size);
        break;
    case EVENT_REMARK:
        own_text(&copy->remark, tail, size);
        break;
    case EVENT_STATE:
        break;
    }
    return copy;
}

void event_discard(struct event *e)
{
    free(e);
}

const char *tcp_state_name(enum tcp_state s)
{
    static const char *const names[] = {
        [TCP_STATE_NONE] = N_("(closed)"),
        [TCP_STATE_LISTEN] = "LISTEN",
        [TCP_STATE_SYN_SENT] = "SYN_SENT",
        [TCP_STATE_SYN_RCVD] = "SYN_RCVD",
        [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
        [TCP_STATE_FIN_WAIT_1] = "FIN_WAIT_1",
        [TCP_STATE_FIN_WAIT_2] = "FIN_WAIT_2",
        [TCP_STATE_CLOSE_WAIT] = "CLOSE_WAIT",
        [TCP_STATE_CLOSING] = "CLOSING",
        [TCP_STATE_LAST_ACK] = "LAST_ACK",
        [TCP_STATE_TIME_WAIT] = "TIME_WAIT",
        [TCP_STATE_CLOSED] = "CLOSED",
    };
    return (size_t)s < sizeof names / sizeof *names ? names[s] : "?";
}

const char *host_name(enum host_id h)
{
    return h == HOST_CLIENT ? "client" : "server";
}

struct node {
    struct node *before, *after;
    struct event *event;
};

struct event_queue {
    struct node ends; /* a ring: ends.after is the oldest event */
    uint64_t hold_ns;
    event_sink_fn *sink;
    void *context;
};

struct event_queue *event_queue_new(uint64_t hold_ns, event_sink_fn *sink,
                                    void *context)
{
    struct event_queue *q = malloc(sizeof *q);
    if (q == NULL)
        return NULL;
    q->ends.before = q->ends.after = &q->ends;
    q->ends.event = NULL;
    q->hold_ns = hold_ns;
    q->sink = sink;
    q->context = context;
    return q;
}

int event_queue_push(struct event_queue *q, const struct event *e)
{
    struct node *n = malloc(sizeof *n);
    struct event *copy = event_copy(e);
    if (n == NULL || copy == NULL) {
        free(n);
        event_discard(copy);
        return -1;
    }
    struct node *at = q->ends.before;
    while (at != &q->ends && at->event->t_ns > copy->t_ns)
        at = at->before;
    n->event = copy;
    n->before = at;
    n->after = at->after;
    at->after->before = n;
    at->after = n;
    return 0;
}

/* Takes the oldest event out of the queue. */
static struct event *take(struct event_queue *q)
{
    struct node *n = q->ends.after;
    struct event *e = n->event;
    n->before->after = n->after;
    n->after->before = n->before;
    free(n);
    return e;
}

static bool is_ripe(const struct event_queue *q, uint64_t now_ns)
{
    const struct node *oldest = q->ends.after;
    if (oldest == &q->ends)
        return false;
    return now_ns == UINT64_MAX ||
           (now_ns >= q->hold_ns && oldest->event->t_ns <= now_ns - q->hold_ns);
}

void event_queue_flush(struct event_queue *q, uint64_t now_ns)
{
    while (is_ripe(q, now_ns)) {
        struct event *e = take(q);
        q->sink(e, q->context);
        event_discard(e);
    }
}

void event_queue_free(struct event_queue *q)
{
    if (q == NULL)
        return;
    while (q->ends.after != &q->ends)
        event_discard(take(q));
    free(q);
}
