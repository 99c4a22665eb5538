/* SPDX-License-Identifier: MIT
 *
 * Stream: numbered datagrams, one way, to a sink; and then the sink's exact
 * account of which came. Nothing here is sure to arrive, so each question is
 * asked again until its answer comes, and an answer must fit its question. The
 * data itself is sent once: what is lost stays lost, and is counted.
 * Read next: batch.c, the same at full speed. Twin: ../tcp_client/stream.c.
 */
#include "client.h"

#include "clock.h"
#include "msg.h"
#include "result.h"
#include "sock.h"
#include "source.h"
#include "stop.h"
#include "team.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASK_EVERY (100 * CLOCK_MS)

enum { REPORTS = 50 }; /* at most, of one run */

struct stream {
    struct client *client;
    const struct measure *plan;
    struct member *member;
    struct run_plan run_plan;
    int fd;
    uint64_t token, cookie, rtt_ns;
    struct source source;                  /* this side sends */
    struct run *run;                       /* reversed: this side receives */
    struct gso_inbox inbox;                /* and with --batch many a call */
    uint64_t heard_ns, alive_ns, until_ns; /* when the server was heard of; was
                                              told of us; the end */
    unsigned char out[DATAGRAM_BUFFER], in[DATAGRAM_BUFFER];
};

/* --- Questions and answers --- */

/* Waits for a datagram for NS. */
static bool readable(const struct stream *s, uint64_t ns)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    const struct timespec wait = {.tv_sec = (time_t)(ns / CLOCK_S),
                                  .tv_nsec = (long)(ns % CLOCK_S)};
    return ppoll(&p, 1, &wait, NULL) > 0;
}

/* Is this datagram of this run? Returns 1 and *m; 0: of another; or -1 and *e:
 * somebody answers who is no sink. */
static int read_message(const struct stream *s, const void *in, size_t len,
                        struct msg *m, struct err *e)
{
    if (!msg_datagram(in, len, m) || m->type == MSG_OPEN)
        return err_set(e, STATUS_FAILED,
                       "the server is not a sink: start it with -s sink");
    return m->token == s->token ? 1 : 0;
}

/* One datagram into s->in. Returns 1 and *len, 0 if none came, or -1 and *e. */
static int receive(struct stream *s, int flags, size_t *len, struct err *e)
{
    ssize_t n = sock_recv(s->fd, s->in, sizeof s->in, flags, e);
    if (n < 0)
        return e->sys == EAGAIN || e->sys == EINTR ? 0 : -1;
    *len = (size_t)n;
    return 1;
}

static void take_data(struct stream *s, const unsigned char *in,
                      const struct msg *m, uint64_t now_ns)
{
    run_datagram(s->run, m, in, now_ns);
    team_note(s->member, s->run->got.delivered, s->run->got.bytes);
}

/* Sends the control message in s->out, again and again, until an answer of
 * TYPE with NUMBER comes (UINT64_MAX: any). Returns 0 and *m, s->in; or -1
 * and *e. */
static int ask(struct stream *s, enum msg_type type, uint64_t number,
               struct msg *m, struct err *e)
{
    uint64_t begin_ns = clock_now_ns(), asked_ns = 0;
    while (stop_signal() == 0) {
        uint64_t now_ns = clock_now_ns();
        if (now_ns - begin_ns > s->plan->timeout_ns)
            return err_set(e, STATUS_TIMEOUT,
                           "no answer within the --timeout: lost, or nobody is "
                           "there; UDP does not tell");
        if (now_ns - asked_ns >= ASK_EVERY) {
            if (sock_send(s->fd, s->out, MSG_CONTROL, 0, e) < 0)
                return -1;
            asked_ns = now_ns;
        }
        size_t len;
        if (!readable(s, ASK_EVERY))
            continue;
        int got = receive(s, MSG_DONTWAIT, &len, e);
        if (got == 1)
            got = read_message(s, s->in, len, m, e);
        if (got < 0)
            return -1;
        if (got == 1 && m->type == MSG_DATA && s->run != NULL)
            take_data(s, s->in, m, clock_now_ns()); /* it overtook the answer */
        if (got == 1 && m->type == MSG_BUSY)
            return err_set(e, STATUS_FAILED, "the sink has too many runs");
        if (got == 1 && m->type == type &&
            (number == UINT64_MAX || m->number == number)) {
            s->rtt_ns = clock_now_ns() - asked_ns;
            return 0;
        }
    }
    return err_set(e, STATUS_FAILED, "interrupted");
}

/* The last word of this side: the server need send no END any more, nor keep
 * the run. */
static int send_report(struct stream *s, uint64_t number, struct err *e)
{
    struct run_counts counts = {0};
    const struct msg m = {
        .type = MSG_REPORT, .token = s->token, .number = number};
    if (s->run != NULL)
        counts = run_report(s->run, s->fd);
    msg_write_control(s->out, &m, RUN_FIELDS(counts));
    return sock_send(s->fd, s->out, MSG_CONTROL, 0, e) < 0 ? -1 : 0;
}

static void write_open(struct stream *s)
{
    const struct msg m = {
        .type = MSG_OPEN, .token = s->token, .number = s->cookie};
    msg_write_control(s->out, &m, RUN_FIELDS(s->run_plan));
}

/* Reversed: this side keeps the map of what comes, and does so before the
 * server may send. */
static int begin_receiving(struct stream *s, struct err *e)
{
    struct run_plan receiver = s->run_plan;
    receiver.reverse = 0;
    s->run = run_new(s->token, &receiver, s->fd, clock_now_ns());
    return s->run != NULL ? 0 : err_sys(e, "run");
}

/* Asks for a run: once to get the cookie, once to return it. */
static int open_run(struct stream *s, struct err *e)
{
    struct msg m;
    write_open(s);
    if (ask(s, MSG_HELLO, UINT64_MAX, &m, e) < 0)
        return -1;
    s->cookie = m.number;
    if (s->plan->reverse && begin_receiving(s, e) < 0)
        return -1;
    write_open(s);
    return ask(s, MSG_HELLO, s->cookie, &m, e);
}

/* --- This side sends --- */

static void sleep_ns(uint64_t ns)
{
    const struct timespec wait = {.tv_sec = (time_t)(ns / CLOCK_S),
                                  .tv_nsec = (long)(ns % CLOCK_S)};
    nanosleep(&wait, NULL);
}

/* lab: send-datagrams */
/* One datagram by one call. Returns how many were sent, or -1 and *e. */
static int send_one(struct stream *s, uint64_t now_ns, struct err *e)
{
    source_next(&s->source, s->out, 0, now_ns);
    ssize_t n = sock_send(s->fd, s->out, s->plan->size, 0, e);
    if (n < 0) /* no room in the send buffer: not sent, not lost */
        return e->sys == ENOBUFS || e->sys == EAGAIN ? 0 : -1;
    return 1;
}
/* end lab */

static int send_all(struct stream *s, struct err *e)
{
    uint64_t now_ns = clock_now_ns();
    source_begin(&s->source, s->token, &s->run_plan, s->fd, now_ns);
    source_prepare(&s->source, s->out);
    if (s->plan->batch != 0 &&
        source_rows(&s->source, (size_t)s->plan->batch, e) < 0)
        return -1;
    for (; stop_signal() == 0 && source_more(&s->source, now_ns);
         now_ns = clock_now_ns()) {
        uint64_t wait_ns = source_wait_ns(&s->source, now_ns);
        if (wait_ns > 0) {
            sleep_ns(wait_ns < ASK_EVERY ? wait_ns : ASK_EVERY);
            continue;
        }
        int sent = s->plan->batch != 0
                       ? batch_send(&s->source, s->fd, now_ns, e)
                       : send_one(s, now_ns, e);
        if (sent < 0)
            return -1;
        source_sent(&s->source, (uint64_t)sent, now_ns);
        team_note(s->member, s->source.sent.sent, s->source.sent.bytes);
    }
    return 0;
}

/* END and the sink's REPORT; and again after a while, until nothing changes
 * any more: what was late, or doubled, has then come too. */
static int fetch_report(struct stream *s, struct err *e)
{
    struct stream_result *r = &s->member->result;
    for (uint64_t number = 0; number < REPORTS;) {
        struct run_counts before = r->got;
        struct msg m;
        source_end(&s->source, number, s->fd, s->out);
        r->sent = s->source.sent;
        r->know_sent = true;
        if (ask(s, MSG_REPORT, number++, &m, e) < 0)
            return -1;
        msg_fields(s->in, &m, RUN_FIELDS(r->got));
        r->know_got = true;
        if (number > 1 && before.delivered == r->got.delivered &&
            before.duplicated == r->got.duplicated)
            return 0;
        uint64_t grace_ns = 4 * s->rtt_ns;
        sleep_ns(grace_ns > ASK_EVERY ? grace_ns : ASK_EVERY);
    }
    return 0; /* it may change for ever */
}

static int forward(struct stream *s, struct err *e)
{
    int result = send_all(s, e);
    if (result < 0 && s->source.sent.sent > 0)
        e->status = STATUS_RESET; /* it was there, and is no more */
    if (result < 0 || stop_signal() != 0) {
        source_end(&s->source, 0, s->fd, s->out);
        s->member->result.sent = s->source.sent;
        s->member->result.know_sent = true;
        return result;
    }
    return fetch_report(s, e);
}

/* --- This side receives --- */

static int take_end(struct stream *s, const void *in, const struct msg *m,
                    uint64_t now_ns, struct err *e)
{
    struct stream_result *r = &s->member->result;
    msg_fields(in, m, RUN_FIELDS(r->sent));
    if (!r->know_sent)
        s->until_ns = now_ns + 4 * s->rtt_ns + 2 * ASK_EVERY;
    r->know_sent = true;
    return send_report(s, m->number, e);
}

/* One datagram that has come. 0, or -1 and *e. */
static int take(struct stream *s, const unsigned char *in, size_t len,
                uint64_t now_ns, struct err *e)
{
    struct msg m;
    int got = read_message(s, in, len, &m, e);
    if (got == 1 && m.type == MSG_DATA)
        take_data(s, in, &m, now_ns);
    if (got == 1 && m.type == MSG_END)
        return take_end(s, in, &m, now_ns, e);
    return got < 0 ? -1 : 0;
}

/* What comes next, by one call: a datagram, or a batch of them. Returns 1 and
 * *now_ns, when it came; 0 if nothing did for a while; or -1 and *e. */
static int take_some(struct stream *s, uint64_t *now_ns, struct err *e)
{
    struct gso_datagram d;
    size_t len;
    bool batch = s->plan->batch != 0;
    int got =
        batch ? batch_receive(&s->inbox, s->fd, e) : receive(s, 0, &len, e);
    *now_ns = clock_now_ns();
    if (got <= 0)
        return got;
    s->heard_ns = *now_ns;
    if (!batch)
        return take(s, s->in, len, *now_ns, e) < 0 ? -1 : 1;
    while (gso_next(&s->inbox, &d))
        if (take(s, d.data, d.len, *now_ns, e) < 0)
            return -1;
    return 1;
}

/* A sign of life every second keeps the server sending; its own silence is the
 * end. 0, or -1 and *e. */
static int keep_alive(struct stream *s, uint64_t now_ns, struct err *e)
{
    if (s->member->result.know_sent)
        return 0;
    if (now_ns - s->heard_ns > s->plan->timeout_ns)
        return err_set(e, STATUS_TIMEOUT,
                       "the server's datagrams ended, and its END has not "
                       "come");
    if (now_ns - s->alive_ns <= CLOCK_S)
        return 0;
    s->alive_ns = now_ns;
    return sock_send(s->fd, s->out, MSG_CONTROL, 0, e) < 0 ? -1 : 0;
}

/* Receives until a while after END, for what is late, or until silence. The
 * receive itself waits: one call a datagram, whether it is there already or is
 * still to come. */
static int reverse(struct stream *s, struct err *e)
{
    uint64_t now_ns = clock_now_ns();
    s->heard_ns = s->alive_ns = now_ns;
    s->until_ns = UINT64_MAX;
    if (sock_timeout(s->fd, ASK_EVERY / 4, e) < 0)
        return -1;
    if (s->plan->batch != 0) {
        if (batch_open(&s->inbox, s->fd, s->plan->batch, e) < 0)
            return -1;
        s->run->got.mode = s->inbox.mode;
    }
    write_open(s);
    while (stop_signal() == 0 && now_ns < s->until_ns)
        if (keep_alive(s, now_ns, e) < 0 || take_some(s, &now_ns, e) < 0)
            return -1;
    return 0;
}

/* --- The whole --- */

static int run_stream(struct stream *s, struct err *e)
{
    struct stream_result *r = &s->member->result;
    if (open_run(s, e) < 0)
        return -1;
    int result = s->plan->reverse ? reverse(s, e) : forward(s, e);
    if (result < 0 && e->status == STATUS_REFUSED)
        e->status = STATUS_RESET; /* it was there, and is no more */
    if (s->run != NULL) {
        r->got = run_report(s->run, s->fd);
        r->know_got = true;
    }
    send_report(s, 0, NULL);
    return result;
}

/* The first stream has main's socket, the others their own. */
static int run_member(struct member *member, void *context, struct err *e)
{
    const struct stream *model = context;
    struct stream *s = malloc(sizeof *s);
    if (s == NULL)
        return err_sys(e, "stream");
    memcpy(s, model, offsetof(struct stream, out));
    s->member = member;
    s->token = msg_token();
    s->fd = member->number == 0 ? s->client->fd : client_open(s->client, e);
    int result = s->fd < 0 ? -1 : 0;
    if (result == 0)
        result = run_stream(s, e);
    if (member->number != 0 && s->fd >= 0)
        sock_close(s->fd);
    source_close(&s->source);
    gso_close(&s->inbox);
    run_free(s->run);
    free(s);
    return result;
}

int stream_run(struct client *c, const struct measure *plan, struct err *e)
{
    struct stream *model = calloc(1, sizeof *model);
    if (model == NULL)
        return err_sys(e, "stream");
    model->client = c;
    model->plan = plan;
    model->run_plan = (struct run_plan){.reverse = plan->reverse,
                                        .size = plan->size,
                                        .duration_ns = plan->duration_ns,
                                        .bytes = plan->bytes,
                                        .rate_bps = plan->rate_bps,
                                        .verify = plan->verify,
                                        .batch = plan->batch};
    int result = team_run(c->out, plan, run_member, model, e);
    free(model);
    return result;
}
