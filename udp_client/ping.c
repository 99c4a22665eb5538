/* SPDX-License-Identifier: MIT
 *
 * Ping: numbered, time-stamped datagrams to an echo server, and their replies.
 * Any of them may be lost, come twice, come late, or overtake another: so each
 * reply is told by its number, and waiting must end by a time-out.
 * Read next: stream.c. Twin: ../tcp_client/ping.c.
 */
#include "client.h"

#include "clock.h"
#include "msg.h"
#include "result.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { TURN = 64 }; /* replies in a row, before the next message */

struct ping {
    struct client *client;
    const struct measure *plan;
    struct ping_result result;
    uint64_t token;
    uint64_t begin_ns, last_ns,
        report_ns;     /* first and last sent; next report */
    bool last_is_open; /* the last one sent has no reply yet */
    unsigned char out[DATAGRAM_BUFFER], in[DATAGRAM_BUFFER];
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

/* How long to wait after the last: for replies; and when all are here, for
 * their duplicates a little longer. */
static uint64_t end_ns(const struct ping *p)
{
    uint64_t patience = p->plan->timeout_ns;
    uint64_t short_ns = 2 * p->result.rtt.max_ns + 50 * CLOCK_MS;
    if (unanswered(p) == 0 && short_ns < patience)
        patience = short_ns;
    return p->last_ns + patience;
}

static int send_one(struct ping *p, uint64_t now_ns, struct err *e)
{
    msg_renumber(p->out, p->result.sent, now_ns);
    p->last_ns = now_ns;
    if (client_send(p->client, p->out, p->plan->size, e) < 0)
        return -1;
    p->result.sent++;
    p->last_is_open = true;
    return 0;
}

/* There is nothing to do but wait for the reply. */
static bool is_lockstep(const struct ping *p)
{
    return p->plan->interval_ns == 0 && p->last_is_open && !p->plan->busy_poll;
}

/* Waits for a datagram until a time. A ping that only waits for replies lets
 * recv wait itself (SO_RCVTIMEO): one system call less in each round trip. */
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

/* One datagram: 1, 0 if none has come, or -1 and *e. What is not of this run is
 * not for us. */
static int receive_one(struct ping *p, int flags, struct err *e)
{
    struct client *c = p->client;
    struct addr from = c->peer;
    struct msg m;
    ssize_t n =
        c->unconnected
            ? sock_recvfrom(c->fd, p->in, sizeof p->in, flags, &from, NULL, e)
            : sock_recv(c->fd, p->in, sizeof p->in, flags, e);
    if (n < 0)
        return e->sys == EAGAIN || e->sys == EINTR ? 0 : -1;
    if (!msg_datagram(p->in, (size_t)n, &m) || m.token != p->token ||
        m.type != MSG_PING || m.number >= p->result.sent)
        return 1;
    if (m.number + 1 == p->result.sent)
        p->last_is_open = false;
    result_reply(c->out, &p->result, p->plan, &from, m.number, m.time_ns,
                 clock_now_ns());
    return 1;
}

/* Behind the clock it would never wait, and so never receive, and the replies
 * would overflow the receive buffer. 1, or -1 and *e. */
static int catch_up(struct ping *p, struct err *e)
{
    int got = 1;
    for (int i = 0; i < TURN && got > 0; i++)
        got = receive_one(p, MSG_DONTWAIT, e);
    return got < 0 ? -1 : 1;
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
            return receive_one(p, 0, e) < 0 ? -1 : 1;
        return now_ns < next_due_ns(p) ? 1 : catch_up(p, e);
    }
    if (!more && now_ns >= until_ns)
        return 0;
    if (!may_receive(p, now_ns, until_ns, &flags))
        return 1;
    return receive_one(p, flags, e) < 0 ? -1 : 1;
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
    if (result < 0 && p->result.run->got.delivered > 0)
        e->status = STATUS_RESET; /* it was there, and is no more */
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
    p->result.connect_ns = COST_UNKNOWN; /* UDP has no handshake */
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
        result_ping(c->out, plan, &p->result, "end", result_status(result, e));
    }
    run_free(p->result.run);
    free(p);
    return result;
}
