/* SPDX-License-Identifier: MIT
 *
 * Stream: numbered messages, one way, to a sink; and then the sink's account
 * of them. TCP sees to it that all arrive, in order, and so nothing is asked
 * twice here: the end of the data is this side's FIN, the report comes before
 * the sink's. What the wire lost shows only as retransmissions and time.
 * Twin: ../udp_client/stream.c.
 */
#include "client.h"

#include "clock.h"
#include "feed.h"
#include "msg.h"
#include "result.h"
#include "sock.h"
#include "source.h"
#include "stop.h"
#include "team.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <time.h>

enum { BUFFER = 256 * 1024 };
#define GREETING (5 * CLOCK_S) /* a sink greets at once */

struct stream {
    struct client client; /* the connection: of main, or one more */
    const struct measure *plan;
    struct member *member;
    struct run_plan run_plan;
    uint64_t token;
    struct source source; /* this side sends */
    struct run *run;      /* reversed: this side receives */
    struct feed feed;
    unsigned char *out; /* one message */
    unsigned char *in;  /* of BUFFER bytes */
    size_t left;        /* of in: what feed has not taken yet, from next on */
    const unsigned char *next;
};

/* --- Messages --- */

/* The next whole message: 1; 0 at the server's FIN; or -1 and *e. The content
 * of DATA is looked at as it passes. */
static int next_message(struct stream *s, struct err *e)
{
    for (;;) {
        int result = feed_take(&s->feed, &s->next, &s->left);
        if (result > 0)
            return 1;
        if (result < 0)
            return err_set(e, STATUS_FAILED,
                           "the server is not a sink: start it with -s sink");
        ssize_t n = sock_recv(s->client.fd, s->in, BUFFER, 0, e);
        if (n < 0 && e->sys == EAGAIN)
            return err_set(e, STATUS_TIMEOUT,
                           "the server said nothing for the --timeout");
        if (n <= 0)
            return (int)n;
        s->client.received_bytes += (uint64_t)n;
        s->next = s->in;
        s->left = (size_t)n;
    }
}

/* The one message that can come now. 0, or -1 and *e. */
static int expect(struct stream *s, enum msg_type type, struct err *e)
{
    int got = next_message(s, e);
    if (got < 0)
        return -1;
    if (got == 0)
        return err_set(e, STATUS_RESET, "the server closed too early");
    if (s->feed.m.type != type)
        return err_set(e, STATUS_FAILED,
                       "the server is not a sink: start it with -s sink");
    return 0;
}

/* --- This side sends --- */

static void sleep_ns(uint64_t ns)
{
    const struct timespec wait = {.tv_sec = (time_t)(ns / CLOCK_S),
                                  .tv_nsec = (long)(ns % CLOCK_S)};
    nanosleep(&wait, NULL);
}

/* lab: send-stream */
static int send_data(struct stream *s, struct err *e)
{
    uint64_t now_ns = clock_now_ns();
    source_begin(&s->source, s->token, &s->run_plan, s->client.fd, now_ns);
    source_prepare(&s->source, s->out);
    for (; stop_signal() == 0 && source_more(&s->source, now_ns);
         now_ns = clock_now_ns()) {
        uint64_t wait_ns = source_wait_ns(&s->source, now_ns);
        if (wait_ns > 0) {
            sleep_ns(wait_ns < CLOCK_S / 10 ? wait_ns : CLOCK_S / 10);
            continue;
        }
        source_next(&s->source, s->out, 0, now_ns);
        if (client_send(&s->client, s->out, s->plan->size, 0, e) < 0)
            return -1;
        source_sent(&s->source, 1, now_ns);
        team_note(s->member, s->source.sent.sent, s->source.sent.bytes);
    }
    return 0;
}
/* end lab */

/* All of it, END, FIN; and then the report. */
static int forward(struct stream *s, struct err *e)
{
    struct stream_result *r = &s->member->result;
    unsigned char end[MSG_CONTROL];
    int result = send_data(s, e);
    source_end(&s->source, 0, s->client.fd, end);
    r->sent = s->source.sent;
    r->know_sent = true;
    if (result < 0 || stop_signal() != 0)
        return result;
    s->client.first_closer = "client";
    if (client_send(&s->client, end, sizeof end, 0, e) < 0 ||
        sock_shutdown(s->client.fd, SHUT_WR, e) < 0 ||
        expect(s, MSG_REPORT, e) < 0)
        return -1;
    msg_fields(s->feed.held, &s->feed.m, RUN_FIELDS(r->got));
    r->know_got = true;
    /* What was in the send buffer at END is resent, if need be, only after. */
    cost_now(&r->sent.cost, s->client.fd);
    cost_since(&r->sent.cost, &s->source.begin);
    return 0;
}

/* --- This side receives --- */

static int reverse(struct stream *s, struct err *e)
{
    struct stream_result *r = &s->member->result;
    struct run_plan receiver = s->run_plan;
    int got;
    receiver.reverse = 0;
    s->run = run_new(s->token, &receiver, s->client.fd, clock_now_ns());
    if (s->run == NULL)
        return err_sys(e, "run");
    s->feed.verify = s->plan->verify;
    while ((got = next_message(s, e)) == 1 && stop_signal() == 0) {
        const struct msg *m = &s->feed.m;
        if (m->token != s->token)
            continue;
        if (m->type == MSG_END) {
            msg_fields(s->feed.held, m, RUN_FIELDS(r->sent));
            r->know_sent = true;
        } else if (m->type == MSG_DATA) {
            run_note(s->run, m->number, m->len, clock_now_ns());
            s->run->got.corrupt += s->feed.corrupt;
            team_note(s->member, s->run->got.delivered, s->run->got.bytes);
        }
    }
    r->got = run_report(s->run, s->client.fd);
    r->know_got = true;
    if (got < 0 || stop_signal() != 0)
        return stop_signal() != 0 ? 0 : -1;
    s->client.first_closer = "server";
    if (!r->know_sent)
        return err_set(e, STATUS_RESET, "the server closed before its END");
    return 0;
}

/* --- The whole --- */

static int run_stream(struct stream *s, struct err *e)
{
    unsigned char open[MSG_CONTROL];
    const struct msg m = {.type = MSG_OPEN, .token = s->token};
    struct stream_result *r = &s->member->result;
    uint64_t timeout_ns = s->plan->timeout_ns;
    socklen_t len = sizeof r->congestion - 1;
    r->connect_ns = s->client.connect_ns;
    getsockopt(s->client.fd, IPPROTO_TCP, TCP_CONGESTION, r->congestion, &len);
    msg_write_control(open, &m, RUN_FIELDS(s->run_plan));
    if (sock_timeout(s->client.fd,
                     timeout_ns < GREETING ? timeout_ns : GREETING, e) < 0 ||
        client_send(&s->client, open, sizeof open, 0, e) < 0)
        return -1;
    if (expect(s, MSG_HELLO, e) < 0) {
        if (e->status == STATUS_TIMEOUT && s->plan->streams > 1)
            err_advise(e, "a sink would have greeted: start it with -s sink, "
                          "and for --parallel with -m thread");
        else if (e->status == STATUS_TIMEOUT)
            err_advise(e, "a sink would have greeted: start it with -s sink");
        return -1;
    }
    if (sock_timeout(s->client.fd, timeout_ns, e) < 0)
        return -1;
    return s->plan->reverse ? reverse(s, e) : forward(s, e);
}

/* What a stream works with; the buffers are allocated. */
struct order {
    const struct client model; /* as main left it: the threads only read it */
    struct client *client;     /* main's own, which the first stream ends */
    const struct measure *plan;
};

static void stream_free(struct stream *s)
{
    run_free(s->run);
    free(s->out);
    free(s->in);
    free(s);
}

static struct stream *stream_new(struct member *member,
                                 const struct order *order)
{
    const struct measure *plan = order->plan;
    struct stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->client = order->model;
    s->plan = plan;
    s->member = member;
    s->token = msg_token();
    s->run_plan = (struct run_plan){.reverse = plan->reverse,
                                    .size = plan->size,
                                    .duration_ns = plan->duration_ns,
                                    .bytes = plan->bytes,
                                    .rate_bps = plan->rate_bps,
                                    .verify = plan->verify};
    s->out = malloc(plan->size);
    s->in = aligned_alloc(SOCK_ALIGN, BUFFER);
    if (s->out != NULL && s->in != NULL)
        return s;
    stream_free(s);
    return NULL;
}

/* The first stream has main's connection, the others their own. */
static int run_member(struct member *member, void *context, struct err *e)
{
    const struct order *order = context;
    struct stream *s = stream_new(member, order);
    if (s == NULL)
        return err_sys(e, "stream");
    if (member->number > 0)
        s->client.fd = client_connect(&s->client, e);
    int result = s->client.fd < 0 ? -1 : run_stream(s, e);
    if (member->number > 0 && s->client.fd >= 0)
        sock_close(s->client.fd);
    if (member->number == 0) {
        *order->client = s->client;
        client_close(order->client, result_status(result, e));
    }
    stream_free(s);
    return result;
}

int stream_run(struct client *c, const struct measure *plan, struct err *e)
{
    struct order order = {.model = *c, .client = c, .plan = plan};
    return team_run(c->out, plan, run_member, &order, e);
}
