/* SPDX-License-Identifier: MIT
 *
 * sink: the far end of --stream. See sink.h for the contract. First the
 * stream, where order and integrity are TCP's work and a run ends with FIN;
 * then the datagrams, where each step must be able to be lost.
 */
#include "sink.h"

#include "clock.h"
#include "cookie.h"
#include "feed.h"
#include "msg.h"
#include "run.h"
#include "source.h"

#include <stdlib.h>

/* What a message carries must fit into it. */
_Static_assert(sizeof(struct run_counts) <= MSG_FIELDS * sizeof(uint64_t) &&
                   sizeof(struct run_sent) <= MSG_FIELDS * sizeof(uint64_t),
               "a control message has room for MSG_FIELDS");

/* Is this a plan that can be followed, in messages of at most MAX bytes? */
static bool plan_fits(const struct run_plan *p, uint64_t max)
{
    return p->size >= MSG_HEADER && p->size <= max &&
           (p->duration_ns != 0 || p->bytes != 0 || p->reverse == 0);
}

static size_t hello(void *out, const struct msg *question, uint64_t cookie,
                    uint64_t is_open)
{
    const struct msg m = {
        .type = MSG_HELLO, .token = question->token, .number = cookie};
    msg_write_control(out, &m, RUN_FIELDS(is_open));
    return MSG_CONTROL;
}

static size_t report(void *out, const struct run *r, uint64_t number, int fd)
{
    const struct run_counts counts = run_report(r, fd);
    const struct msg m = {
        .type = MSG_REPORT, .token = r->token, .number = number};
    msg_write_control(out, &m, RUN_FIELDS(counts));
    return MSG_CONTROL;
}

/* --- On a stream --- */

enum stage { GREETING, LISTENING, SENDING, REPORTING, DONE };

struct sink {
    enum stage stage;
    struct run *run; /* from OPEN on */
    struct feed feed;
    size_t offset; /* SENDING: how much of the message has been produced */
};

void sink_begin(struct session *s)
{
    s->sink = calloc(1, sizeof *s->sink); /* NULL: it will say nothing */
}

void sink_end(struct session *s)
{
    if (s->sink == NULL)
        return;
    run_free(s->sink->run);
    free(s->sink);
    s->sink = NULL;
}

static void go_to(struct session *s, enum stage stage)
{
    s->sink->stage = stage;
    s->speaks = stage != LISTENING;
}

/* A connection carries one run. Returns false if it cannot be this one. */
static bool open_run(struct session *s, uint64_t now_ns)
{
    struct sink *k = s->sink;
    struct run_plan plan;
    msg_fields(k->feed.held, &k->feed.m, RUN_FIELDS(plan));
    if (k->run != NULL || !plan_fits(&plan, MSG_MAX))
        return false;
    k->run = run_new(k->feed.m.token, &plan, s->fd, now_ns);
    k->feed.verify = plan.verify != 0;
    if (k->run != NULL && plan.reverse != 0 && k->stage != GREETING)
        go_to(s, SENDING); /* an OPEN can come before HELLO has left */
    return k->run != NULL;
}

/* One whole message. Returns false if it has no place here. */
static bool take_message(struct session *s, uint64_t now_ns)
{
    struct sink *k = s->sink;
    const struct msg *m = &k->feed.m;
    if (m->type == MSG_OPEN)
        return open_run(s, now_ns);
    if (k->run == NULL || m->token != k->run->token)
        return false;
    if (m->type != MSG_DATA)
        return m->type == MSG_END || m->type == MSG_REPORT;
    run_note(k->run, m->number, m->len, now_ns);
    k->run->got.corrupt += k->feed.corrupt;
    return true;
}

struct span sink_input(struct session *s, const void *in, size_t len)
{
    const struct span nothing = {NULL, 0};
    const unsigned char *p = in;
    uint64_t now_ns = clock_now_ns();
    if (s->sink == NULL || s->sink->stage == DONE)
        return nothing;
    int result;
    while ((result = feed_take(&s->sink->feed, &p, &len)) == 1)
        if (!take_message(s, now_ns))
            break;
    if (result != 0)
        go_to(s, DONE);
    return nothing;
}

/* The next bytes of the messages of a reversed run; a message may be larger
 * than CAP. */
static size_t produce_data(struct session *s, void *out, size_t cap)
{
    struct sink *k = s->sink;
    struct source *source = k->run->source;
    uint64_t now_ns = clock_now_ns();
    unsigned char *p = out;
    s->pause_ns = 0;
    if (k->offset == 0 && !source_more(source, now_ns)) {
        source_end(source, 0, s->fd, out);
        go_to(s, DONE);
        return MSG_CONTROL;
    }
    if (k->offset == 0)
        s->pause_ns = source_wait_ns(source, now_ns);
    if (s->pause_ns > 0)
        return 0;
    size_t header = 0;
    if (k->offset == 0) {
        const struct msg m = {.type = MSG_DATA,
                              .token = source->token,
                              .number = source->sent.sent,
                              .time_ns = now_ns,
                              .len = (uint32_t)source->plan.size};
        msg_write(p, &m);
        k->offset = header = MSG_HEADER;
    }
    size_t left = source->plan.size - k->offset;
    size_t n = left < cap - header ? left : cap - header;
    msg_fill(p + header, k->offset - MSG_HEADER, n);
    k->offset += n;
    if (k->offset == source->plan.size) {
        k->offset = 0;
        source_sent(source, 1, now_ns);
    }
    return header + n;
}

size_t sink_produce(struct session *s, void *out, size_t cap)
{
    struct sink *k = s->sink;
    const struct msg nobody = {.number = 0};
    if (k == NULL || cap < MSG_CONTROL)
        return 0;
    switch (k->stage) {
    case GREETING:
        go_to(s, k->run != NULL && k->run->plan.reverse != 0 ? SENDING
                                                             : LISTENING);
        return hello(out, &nobody, 0, 0);
    case SENDING:
        return produce_data(s, out, cap);
    case REPORTING:
        go_to(s, DONE);
        return report(out, k->run, 0, s->fd);
    default:
        return 0;
    }
}

void sink_eof(struct session *s)
{
    if (s->sink != NULL && s->sink->run != NULL && s->sink->stage == LISTENING)
        go_to(s, REPORTING);
}

/* --- In datagrams --- */

/* The largest datagram over IPv4 (RFC 768, 791). */
enum { DATAGRAM_MAX = 65507, END_TRIES = 25, ROW_BYTES = 256 * 1024 };
#define END_EVERY (200 * CLOCK_MS)
/* A reversed run whose client has not been heard of for so long is over: the
 * client says OPEN again every second. */
#define CLIENT_SILENCE (5 * CLOCK_S)

/* A reversed run leaves in rows if the client asked for it and the model can:
 * at most as long as was asked, and in so much memory. 0, or -1. */
static int give_rows(const struct desk *d, struct run *r)
{
    size_t room = ROW_BYTES / r->plan.size, count = d->row;
    count = r->plan.batch < count ? (size_t)r->plan.batch : count;
    count = room < count ? room : count;
    if (r->source == NULL || r->plan.batch == 0 || d->row <= 1)
        return 0;
    return source_rows(r->source, count > 0 ? count : 1, NULL);
}

static size_t answer_open(struct desk *d, const struct addr *peer,
                          const void *in, const struct msg *m, void *out)
{
    uint64_t cookie = cookie_of(peer, d->secret), now_ns = clock_now_ns();
    struct run_plan plan;
    struct run *r = run_find(d->runs, m->token, peer);
    msg_fields(in, m, RUN_FIELDS(plan));
    if (m->number != cookie)
        return hello(out, m, cookie, 0);
    if (!plan_fits(&plan, DATAGRAM_MAX))
        return 0;
    if (r != NULL) { /* our answer was lost, or a sign of life */
        r->seen_ns = now_ns;
        return hello(out, m, cookie, 1);
    }
    r = run_new(m->token, &plan, d->fd, now_ns);
    if (r != NULL && give_rows(d, r) == 0 && run_enter(d->runs, r, now_ns)) {
        r->peer = *peer;
        r->got.mode = d->mode;
        return hello(out, m, cookie, 1);
    }
    run_free(r);
    const struct msg busy = {.type = MSG_BUSY, .token = m->token};
    msg_write_control(out, &busy, NULL, 0);
    return MSG_CONTROL;
}

bool sink_datagram(struct desk *d, const struct addr *peer, const void *in,
                   size_t len, void *out, size_t cap, struct span *answer)
{
    struct msg m;
    if (!msg_datagram(in, len, &m) || cap < MSG_CONTROL)
        return false;
    struct run *r = run_find(d->runs, m.token, peer);
    if (m.type == MSG_DATA && r != NULL)
        run_datagram(r, &m, in, d->now_ns != 0 ? d->now_ns : clock_now_ns());
    if (m.len != MSG_CONTROL || m.type == MSG_DATA)
        return false;
    *answer = (struct span){out, 0};
    if (m.type == MSG_OPEN) {
        answer->len = answer_open(d, peer, in, &m, out);
    } else if (m.type == MSG_END && r != NULL) {
        r->seen_ns = clock_now_ns();
        answer->len = report(out, r, m.number, d->fd);
    } else if (m.type == MSG_REPORT && r != NULL) {
        run_leave(d->runs, r); /* it knows all it wanted to know */
    }
    return answer->len != 0;
}

/* The data of a reversed run that may leave now: one datagram in OUT, or a row
 * of the source's. */
static void next_data(struct run *r, void *out, struct row *row)
{
    struct source *s = r->source;
    row->source = s;
    row->size = s->plan.size;
    if (s->row != NULL) {
        row->data = s->row;
        row->count = source_next_row(s, row->now_ns);
        row->mode = &s->sent.mode;
        return;
    }
    source_prepare(s, out);
    source_next(s, out, 0, row->now_ns);
}

/* What a reversed run sends next: true and *row, or false and *wait_ns. After
 * the data END, until the client says that it has come. */
static bool next_of(struct desk *d, struct run *r, void *out, struct row *row,
                    uint64_t *wait_ns)
{
    struct source *s = r->source;
    uint64_t now_ns = clock_now_ns();
    *row = (struct row){.peer = r->peer,
                        .data = out,
                        .size = MSG_CONTROL,
                        .count = 1,
                        .now_ns = now_ns};
    if (source_more(s, now_ns)) {
        *wait_ns = source_wait_ns(s, now_ns);
        if (*wait_ns > 0)
            return false;
        next_data(r, out, row);
        return true;
    }
    if (now_ns < r->due_ns) {
        *wait_ns = r->due_ns - now_ns;
        return false;
    }
    r->due_ns = now_ns + END_EVERY;
    source_end(s, r->ends++, d->fd, out);
    return true;
}

static bool is_over(const struct run *r)
{
    return r->ends >= END_TRIES ||
           clock_now_ns() - r->seen_ns > CLIENT_SILENCE + r->ends * END_EVERY;
}

bool sink_unasked(struct desk *d, void *out, size_t cap, struct row *row,
                  uint64_t *wait_ns)
{
    struct run_table *t = d->runs;
    for (size_t i = 0; i < RUN_TABLE && t->sources > 0; i++) {
        struct run *r = t->at[t->turn++ % RUN_TABLE];
        uint64_t wait = 0;
        if (r == NULL || r->source == NULL || r->plan.size > cap)
            continue;
        if (is_over(r))
            run_leave(t, r);
        else if (next_of(d, r, out, row, &wait))
            return true;
        else if (wait < *wait_ns)
            *wait_ns = wait;
    }
    return false;
}

void sink_sent(const struct row *row, size_t count)
{
    if (row->source != NULL)
        source_sent(row->source, count, row->now_ns);
}
