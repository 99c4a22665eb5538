/* SPDX-License-Identifier: MIT
 *
 * Ping: numbered, time-stamped messages to an echo server, and their replies,
 * on one connection. None is lost, doubled or out of order, or TCP would not
 * be TCP: a segment that the wire loses shows as a round trip that is long,
 * and makes those behind it wait. The handshake is told apart.
 * Read next: stream.c. Twin: ../udp_client/ping.c.
 */
#include "client.h"

#include "clock.h"
#include "feed.h"
#include "result.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { BUFFER = 64 * 1024 };

struct ping {
    struct client *client;
    const struct measure *plan;
    struct ping_result result;
    struct feed feed; /* a recv gives bytes, not messages */
    uint64_t token;
    uint64_t begin_ns, last_ns,
        report_ns;     /* first and last sent; next report */
    bool last_is_open; /* the last one sent has no reply yet */
    unsigned char out[BUFFER], in[BUFFER];
};

static uint64_t unanswered(const struct ping *p)
{
    return p->result.sent - p->result.run->got.delivered;
}

/* May the next be sent? By the clock, not by the last reply, so that a slow
 * reply does not hide itself; with --interval 0 when the last one has its
 * reply, or is given up. */
static uint64_t next_due_ns(const struct ping *p)
{
    if (p->plan->interval_ns != 0)
        return p->begin_ns + p->result.sent * p->plan->interval_ns;
    return p->last_is_open ? p->last_ns + p->plan->timeout_ns : 0;
}

/* How long to wait after the last. What has not come then is not lost: TCP is
 * still trying, or the host is gone. */
static uint64_t end_ns(const struct ping *p)
{
    return unanswered(p) > 0 ? p->last_ns + p->plan->timeout_ns : 0;
}

/* There is nothing to do but wait for the reply. */
static bool is_lockstep(const struct ping *p)
{
    return p->plan->interval_ns == 0 && p->last_is_open && !p->plan->busy_poll;
}

/* Waits for bytes until a time. A ping that only waits for replies lets recv
 * wait itself (SO_RCVTIMEO): one system call less in each round trip. */
static bool may_receive(struct ping *p, uint64_t now_ns, uint64_t until_ns,
                        int *flags)
{
    struct pollfd fd = {.fd = p->client->fd, .events = POLLIN};
    uint64_t ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec wait = {.tv_sec = (time_t)(ns / CLOCK_S),
                                  .tv_nsec = (long)(ns % CLOCK_S)};
    *flags = is_lockstep(p) ? 0 : MSG_DONTWAIT;
    return is_lockstep(p) || p->plan->busy_poll ||
           ppoll(&fd, 1, &wait, NULL) > 0;
}

/* What has come: a part of a reply, or several. */
static int receive_some(struct ping *p, int flags, struct err *e)
{
    struct client *c = p->client;
    const unsigned char *in = p->in;
    const struct msg *m = &p->feed.m;
    ssize_t n = sock_recv(c->fd, p->in, sizeof p->in, flags, e);
    if (n < 0)
        return e->sys == EAGAIN || e->sys == EINTR ? 0 : -1;
    if (n == 0) {
        c->first_closer = "server";
        return err_set(e, STATUS_RESET, "the server closed before its reply");
    }
    size_t len = (size_t)n;
    uint64_t now_ns = clock_now_ns();
    c->received_bytes += (uint64_t)n;
    int result;
    while ((result = feed_take(&p->feed, &in, &len)) == 1) {
        if (m->type != MSG_PING || m->token != p->token ||
            m->number >= p->result.sent)
            break;
        if (m->number + 1 == p->result.sent)
            p->last_is_open = false;
        result_reply(c->out, &p->result, p->plan, &c->peer, m->number,
                     m->time_ns, now_ns);
    }
    if (result == 0)
        return 0;
    return err_set(e, STATUS_FAILED,
                   "this is no echo server: it answers with "
                   "something else than it was sent");
}

/* The server takes no more: perhaps not before its replies are taken. */
static int wait_for_room(struct ping *p, struct err *e)
{
    struct pollfd fd = {.fd = p->client->fd, .events = POLLIN | POLLOUT};
    uint64_t ns = p->plan->timeout_ns;
    const struct timespec wait = {.tv_sec = (time_t)(ns / CLOCK_S),
                                  .tv_nsec = (long)(ns % CLOCK_S)};
    int ready = ppoll(&fd, 1, &wait, NULL);
    if (ready < 0)
        return err_sys(e, "ppoll"); /* a signal that ends it */
    if (ready == 0)
        return err_set(e, STATUS_TIMEOUT,
                       "the server took nothing for the --timeout");
    return (fd.revents & POLLIN) != 0 ? receive_some(p, MSG_DONTWAIT, e) : 0;
}

static int send_one(struct ping *p, uint64_t now_ns, struct err *e)
{
    struct client *c = p->client;
    const unsigned char *next = p->out;
    size_t left = p->plan->size;
    msg_renumber(p->out, p->result.sent, now_ns);
    p->last_ns = now_ns;
    while (left > 0) {
        ssize_t n = sock_send(c->fd, next, left, MSG_DONTWAIT, e);
        if (n < 0 && (e->sys != EAGAIN || wait_for_room(p, e) < 0))
            return -1;
        n = n > 0 ? n : 0;
        c->sent_bytes += (uint64_t)n;
        next += n;
        left -= (size_t)n;
    }
    p->result.sent++;
    p->last_is_open = true;
    return 0;
}

/* Sends what is due, else waits for what comes. Returns 1, 0 at the end, or -1
 * and *e. */
static int step(struct ping *p, struct err *e)
{
    uint64_t now_ns = clock_now_ns(), until_ns;
    int flags;
    if (p->plan->report_ns != 0 && now_ns >= p->report_ns) {
        p->report_ns += p->plan->report_ns;
        result_ping_cost(&p->result, p->client->fd);
        result_ping(p->client->out, p->plan, &p->result, "report", 0);
    }
    bool more = p->result.sent < p->plan->count;
    until_ns = more ? next_due_ns(p) : end_ns(p);
    if (more && now_ns >= until_ns) {
        if (send_one(p, now_ns, e) < 0)
            return -1;
        if (is_lockstep(p))
            return receive_some(p, 0, e) < 0 ? -1 : 1;
        /* Behind the clock it would never wait, and so never receive. */
        bool behind = now_ns >= next_due_ns(p);
        return behind && receive_some(p, MSG_DONTWAIT, e) < 0 ? -1 : 1;
    }
    if (!more && now_ns >= until_ns)
        return 0;
    if (!may_receive(p, now_ns, until_ns, &flags))
        return 1;
    return receive_some(p, flags, e) < 0 ? -1 : 1;
}

static int run(struct ping *p, struct err *e)
{
    int result = 1;
    if (sock_timeout(p->client->fd, p->plan->timeout_ns, e) < 0)
        return -1;
    p->begin_ns = clock_now_ns();
    p->report_ns = p->begin_ns + p->plan->report_ns;
    while (result == 1 && stop_signal() == 0)
        result = step(p, e);
    return result < 0 && stop_signal() == 0 ? -1
                                            : result_ping_check(&p->result, e);
}

int ping_run(struct client *c, const struct measure *plan, struct err *e)
{
    const struct run_plan as_run = {.size = plan->size};
    struct ping *p = calloc(1, sizeof *p);
    if (p == NULL)
        return err_sys(e, "ping");
    p->client = c;
    p->plan = plan;
    p->token = msg_token();
    p->result.connect_ns = c->connect_ns;
    p->result.run = run_new(p->token, &as_run, c->fd, clock_now_ns());
    int result = -1;
    if (p->result.run == NULL) {
        err_sys(e, "ping");
    } else {
        const struct msg m = {
            .type = MSG_PING, .token = p->token, .len = (uint32_t)plan->size};
        msg_write(p->out, &m);
        msg_fill(p->out + MSG_HEADER, 0, plan->size - MSG_HEADER);
        result = run(p, e);
        result_ping_cost(&p->result, c->fd);
        client_close(c, result_status(result, e));
        result_ping(c->out, plan, &p->result, "end", result_status(result, e));
    }
    run_free(p->result.run);
    free(p);
    return result;
}
