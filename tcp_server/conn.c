/* SPDX-License-Identifier: MIT
 *
 * conn: one connection, served with blocking calls from accept to close. The
 * iterative, fork and thread models differ only in who calls this and when.
 * Read next: ../common/service.c for what is said.
 */
#include "server.h"

#include "clock.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <string.h>

enum { BUFFER = 128 * 1024 };
#define DRAIN_NS (2 * CLOCK_S)

/* A conversation, and how it ended so far. */
struct talk {
    struct server *server;
    int cfd;
    struct model_conn *conn;
    struct session session;
    enum model_who first_closer;
    enum model_how how;
    bool input_ended; /* the client's FIN has come */
    struct span rest; /* of out: what the client has not taken yet */
    char *buf, *out;  /* of BUFFER bytes each */
};

/* In short steps: a thread gets no signals, so that nothing would wake it. */
void conn_wait(uint64_t ns)
{
    const uint64_t step_ns = 50 * CLOCK_MS;
    uint64_t end = clock_now_ns() + ns;
    for (uint64_t now = clock_now_ns(); now < end && stop_signal() == 0;
         now = clock_now_ns())
        poll(NULL, 0, clock_poll_ms(end - now < step_ns ? end - now : step_ns));
}

void conn_note_local(struct server *s, int cfd, struct model_conn *c)
{
    struct err ignored; /* an address that is not known prints as "?" */
    if (s->out->json)
        sock_getsockname(cfd, &c->local, &ignored);
}

bool conn_survives(struct server *s, const struct err *why)
{
    if (stop_signal() != 0)
        return false;
    switch (model_accept_failure(why->sys)) {
    case ACCEPT_NEXT:
        return true;
    case ACCEPT_LATER:
        if (model_may_say(s))
            out_error(s->out, why);
        conn_wait(100 * CLOCK_MS);
        return stop_signal() == 0;
    default:
        return false;
    }
}

/* Notes how a call on the connection failed. */
static void failed(struct talk *t, const struct err *e)
{
    if (stop_signal() != 0 || e->sys == EAGAIN) {
        t->first_closer = WHO_SERVER;
        t->how = stop_signal() != 0 ? HOW_FIN : HOW_TIMEOUT;
    } else if (e->status == STATUS_RESET) {
        t->first_closer = WHO_CLIENT;
        t->how = HOW_RESET;
    } else {
        t->first_closer = WHO_UNKNOWN;
        t->how = e->status == STATUS_TIMEOUT ? HOW_TIMEOUT : HOW_ERROR;
        out_error(t->server->out, e);
    }
}

/* All of the bytes; a send may take fewer. 0, or -1 and the failure noted. */
static int send_all(struct talk *t, const void *data, size_t len)
{
    const char *p = data;
    struct err e;
    while (len > 0) {
        ssize_t n = sock_send(t->cfd, p, len, 0, &e);
        if (n < 0) {
            failed(t, &e);
            return -1;
        }
        t->conn->sent_bytes += (uint64_t)n;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* --busy-poll: asks again and again, as long as the client may be silent. */
static ssize_t spin(struct talk *t, size_t cap, struct err *e)
{
    uint64_t idle_ns = t->server->idle_timeout_ns, begin_ns = clock_now_ns();
    ssize_t n;
    do
        n = sock_recv(t->cfd, t->buf, cap, MSG_DONTWAIT, e);
    while (n < 0 && e->sys == EAGAIN && stop_signal() == 0 &&
           (idle_ns == 0 || clock_now_ns() - begin_ns < idle_ns));
    return n;
}

/* One recv. Returns the count, 0 at the client's FIN, or -1 and the failure
 * noted. After a stop the end that a woken recv reports is the server's. */
static ssize_t receive(struct talk *t, size_t cap)
{
    struct err e;
    ssize_t n = t->server->busy_poll ? spin(t, cap, &e)
                                     : sock_recv(t->cfd, t->buf, cap, 0, &e);
    if (n < 0)
        failed(t, &e);
    else if (n == 0 && t->first_closer == WHO_UNKNOWN)
        t->first_closer = stop_signal() != 0 ? WHO_SERVER : WHO_CLIENT;
    else
        t->conn->received_bytes += (uint64_t)n;
    return n;
}

/* A slow reader takes a tenth of its rate ten times a second. */
static size_t read_cap(struct server *s)
{
    uint64_t tenth = s->read_rate / 10 + (s->read_rate % 10 != 0);
    return s->read_rate != 0 && tenth < BUFFER ? tenth : BUFFER;
}

/* The client's FIN. What the service still has to say may follow it. */
static void end_input(struct talk *t)
{
    t->input_ended = true;
    session_eof(&t->session);
}

/* A service that answers: recv, send, until the client's FIN. Returns false
 * when the conversation is over, true if the service speaks unasked now. */
static bool answer(struct talk *t)
{
    struct server *s = t->server;
    while (!t->session.speaks) {
        ssize_t n = receive(t, read_cap(s));
        if (n < 0)
            return false;
        if (n == 0) {
            end_input(t);
            return t->session.speaks;
        }
        struct span out = s->service->on_input(&t->session, t->buf, (size_t)n);
        if (send_all(t, out.data, out.len) < 0)
            return false;
        if (s->close_first && !t->session.speaks) {
            t->first_closer = WHO_SERVER;
            return false;
        }
        if (s->read_rate != 0)
            conn_wait(100 * CLOCK_MS);
    }
    return true;
}

/* What may happen next, for a service that speaks unasked: POLLIN, POLLOUT (not
 * before its pause is over), or 0 after too long a silence. */
static int wait_either(struct talk *t)
{
    uint64_t idle_ns = t->server->idle_timeout_ns;
    uint64_t pause_ns = t->session.pause_ns;
    uint64_t wait_ns = pause_ns != 0  ? pause_ns
                       : idle_ns != 0 ? idle_ns
                                      : UINT64_MAX;
    struct pollfd p = {.fd = t->cfd, .events = pause_ns != 0 ? 0 : POLLOUT};
    if (!t->input_ended)
        p.events |= POLLIN;
    int ready = 0;
    if (p.events == 0) { /* nothing to look for: the time passes */
        conn_wait(pause_ns);
        return POLLOUT;
    }
    do
        ready = poll(&p, 1, clock_poll_ms(wait_ns));
    while (ready < 0 && stop_signal() == 0);
    if (ready == 0 && pause_ns != 0)
        return POLLOUT;
    return ready > 0 ? p.revents : 0;
}

/* What the client sends while the service speaks. Returns false when the
 * conversation is over. */
static bool listen_too(struct talk *t)
{
    ssize_t n = receive(t, BUFFER);
    if (n > 0)
        t->session.service->on_input(&t->session, t->buf, (size_t)n);
    else if (n == 0)
        end_input(t);
    return n >= 0;
}

/* As much of what the service says as the client takes now. Returns false when
 * the conversation is over. */
static bool speak(struct talk *t)
{
    struct err e;
    if (t->rest.len == 0) {
        size_t n = t->session.service->produce(&t->session, t->out, BUFFER);
        if (n == 0 && t->session.pause_ns != 0)
            return true;
        if (n == 0 && t->first_closer == WHO_UNKNOWN)
            t->first_closer = WHO_SERVER;
        if (n == 0)
            return false;
        t->rest = (struct span){t->out, n};
    }
    ssize_t n = sock_send(t->cfd, t->rest.data, t->rest.len, MSG_DONTWAIT, &e);
    if (n < 0 && e.sys != EAGAIN)
        failed(t, &e);
    if (n < 0)
        return e.sys == EAGAIN;
    t->conn->sent_bytes += (uint64_t)n;
    t->rest.data = (const char *)t->rest.data + n;
    t->rest.len -= (size_t)n;
    return true;
}

/* A service that speaks unasked: send as the client takes it, and read what it
 * sends meanwhile, so that neither side can block the other. The client's FIN
 * ends its own direction only. Returns false when the conversation is over,
 * true if the service only answers now. */
static bool produce(struct talk *t)
{
    while (t->session.speaks || t->rest.len > 0) {
        int ready = wait_either(t);
        if (ready == 0 || stop_signal() != 0) {
            t->first_closer = WHO_SERVER;
            t->how = ready == 0 ? HOW_TIMEOUT : HOW_FIN;
            return false;
        }
        if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0 && !t->input_ended &&
            !listen_too(t))
            return false;
        if ((ready & POLLOUT) != 0 && !speak(t))
            return false;
    }
    return !t->input_ended;
}

/* The server has spoken last: FIN, and then the client's rest is read, because
 * a close with unread data would send RST and could destroy what the client
 * has not read yet (RFC 1122, 4.2.2.13). A client that never ends gets it. */
static void close_first(struct talk *t)
{
    struct err e;
    if (sock_shutdown(t->cfd, SHUT_WR, &e) < 0)
        return; /* the client is gone: nothing to wait for */
    uint64_t deadline = clock_now_ns() + DRAIN_NS;
    while (stop_signal() == 0 && clock_now_ns() < deadline &&
           sock_recv(t->cfd, t->buf, BUFFER, 0, &e) > 0)
        continue;
}

static void reset(struct talk *t)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    struct err e;
    if (sock_setsockopt_raw(t->cfd, SOL_SOCKET, SO_LINGER, &now, sizeof now,
                            &e) < 0)
        out_error(t->server->out, &e);
    t->how = HOW_RESET;
    t->first_closer = WHO_SERVER;
}

void conn_serve(struct server *s, int cfd, struct model_conn *c)
{
    alignas(SOCK_ALIGN) char buf[BUFFER], out[BUFFER];
    struct talk t = {.server = s, .cfd = cfd, .conn = c, .how = HOW_FIN};
    struct err e;
    t.buf = buf;
    t.out = out;
    t.first_closer = WHO_UNKNOWN;
    session_init(&t.session, s->service, cfd);
    if (s->idle_timeout_ns != 0 &&
        sock_timeout(cfd, s->idle_timeout_ns, &e) < 0)
        out_error(s->out, &e);

    bool goes_on = true;
    while (goes_on)
        goes_on = t.session.speaks ? produce(&t) : answer(&t);
    session_end(&t.session);

    if (t.how == HOW_FIN) {
        conn_wait(s->close_delay_ns);
        if (s->reset)
            reset(&t);
        else if (t.first_closer == WHO_SERVER)
            close_first(&t);
    }
    model_closed(s, c, t.first_closer, t.how);
}
