/* SPDX-License-Identifier: MIT
 *
 * ev_tcp: many connections, one thread. The calls are those of the other
 * models, but none may wait: each is made when the loop says that it will not,
 * with MSG_DONTWAIT in case that is no longer true. What a blocking model
 * keeps on its stack (where the conversation is) stands in struct conn.
 * Read next: ev_udp.c, and see what is missing there.
 */
#include "ev_tcp.h"

#include "clock.h"
#include "sock.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <sys/queue.h>

/* ACCEPTS: new connections in a row, so that a flood of them does not starve
 * those who are connected. TURN: connections served between two turns of
 * whatever else there is. */
enum { BUFFER = 64 * 1024, ACCEPTS = 32, TURN = 16 };

/* Time-outs need not be exact, and a timer for each connection, set again at
 * each event, costs 7 % of an echo. So a sweep passes now and then and counts,
 * for each connection, how often it has found it silent. */
enum { SWEEPS = 16 };
#define DRAIN_NS (2 * CLOCK_S)

enum phase {
    SERVING,
    DELAYED,   /* all is said; --close-delay runs */
    LINGERING, /* our FIN is sent; the client's is awaited */
};

/* A connection. Besides this and its event nothing is kept for it, as long as
 * it takes what it is sent. What an echo touches stands last, beside the event:
 * with thousands of connections the cost is in fetching that. */
struct conn {
    LIST_ENTRY(conn) link;
    struct model_conn log;
    union {
        struct session session;
        uint64_t drain_until_ns; /* LINGERING: nothing more is said */
    };
    struct ev_tcp *tcp;
    struct evbuffer *out; /* what the client has not taken yet; NULL: nothing */
    int cfd;
    unsigned char phase, first_closer, how;
    unsigned char silent; /* sweeps since the last event */
    bool input_ended;     /* the client's FIN has come */
    bool said_all;        /* when `out` has left, so do we */
    struct event *event;  /* right behind this struct: one allocation */
};

struct ev_tcp {
    struct ev_loop *loop;
    struct server *server;
    struct event *listener; /* somebody waits in the backlog */
    struct event *retry;    /* out of descriptors: look again later */
    struct event *sweep;    /* looks for silent connections */
    LIST_HEAD(conns, conn) conns;
    uint64_t open, max;
    void (*turn)(void *arg); /* NULL: there is nothing else */
    void *turn_arg;
    unsigned served; /* connections called back, for TURN */
    char *buf;       /* one of BUFFER bytes for all: nothing stays in it */
};

/* --- One conversation; compare tcp_server/conn.c --- */

/* Notes how a call on the connection failed. Returns -1. */
static int failed(struct conn *c, const struct err *e)
{
    if (e->status == STATUS_RESET) {
        c->first_closer = WHO_CLIENT;
        c->how = HOW_RESET;
    } else {
        c->first_closer = WHO_UNKNOWN;
        c->how = e->status == STATUS_TIMEOUT ? HOW_TIMEOUT : HOW_ERROR;
        out_error(c->tcp->server->out, e);
    }
    return -1;
}

static void close_by(struct conn *c, enum model_who who)
{
    c->said_all = true;
    if (c->first_closer == WHO_UNKNOWN)
        c->first_closer = (unsigned char)who;
}

/* One send: how many bytes the kernel took, maybe 0; or -1 and noted. */
static ssize_t send_some(struct conn *c, const void *data, size_t len)
{
    struct err e;
    ssize_t n = sock_send(c->cfd, data, len, MSG_DONTWAIT, &e);
    if (n < 0)
        return e.sys == EAGAIN ? 0 : failed(c, &e);
    c->log.sent_bytes += (uint64_t)n;
    return n;
}

/* lab: output */
/* Sends at once; only what the kernel does not take goes into a buffer. While
 * there is one nothing is read that would be answered, so that it holds one
 * answer at most: a client that does not read cannot fill our memory. */
static int send_or_keep(struct conn *c, struct span s)
{
    ssize_t n = 0;
    if (s.len > 0 && c->out == NULL)
        n = send_some(c, s.data, s.len);
    if (n < 0 || (size_t)n == s.len)
        return n < 0 ? -1 : 0;
    if (c->out == NULL)
        c->out = evbuffer_new();
    if (c->out != NULL &&
        evbuffer_add(c->out, (const char *)s.data + n, s.len - (size_t)n) == 0)
        return 0;
    struct err e;
    errno = ENOMEM;
    err_sys(&e, "output of a connection");
    return failed(c, &e);
}

/* The client takes more: of what was kept, and then the buffer goes. */
static int send_kept(struct conn *c)
{
    struct evbuffer_iovec first;
    evbuffer_peek(c->out, -1, NULL, &first, 1);
    ssize_t n = send_some(c, first.iov_base, first.iov_len);
    if (n < 0)
        return -1;
    evbuffer_drain(c->out, (size_t)n);
    if (evbuffer_get_length(c->out) == 0) {
        evbuffer_free(c->out);
        c->out = NULL;
    }
    return 0;
}
/* end lab */

static int on_writable(struct conn *c)
{
    if (c->out != NULL)
        return send_kept(c);
    char *out = c->tcp->buf;
    size_t n = c->session.service->produce(&c->session, out, BUFFER);
    if (n == 0 && c->session.pause_ns == 0)
        close_by(c, WHO_SERVER);
    return send_or_keep(c, (struct span){out, n});
}

/* lab: readable */
static int on_readable(struct conn *c)
{
    struct ev_tcp *t = c->tcp;
    const struct service *service = c->session.service;
    struct err e;
    ssize_t n = sock_recv(c->cfd, t->buf, BUFFER, MSG_DONTWAIT, &e);
    if (n < 0)
        return e.sys == EAGAIN ? 0 : failed(c, &e);
    if (n == 0) { /* FIN ends the client's direction; ours may go on */
        c->input_ended = true;
        if (c->first_closer == WHO_UNKNOWN)
            c->first_closer = WHO_CLIENT;
        session_eof(&c->session);
        c->said_all = c->said_all || !c->session.speaks;
        return 0;
    }
    c->log.received_bytes += (uint64_t)n;
    struct span answer = service->on_input(&c->session, t->buf, (size_t)n);
    if (t->server->close_first && !c->session.speaks)
        close_by(c, WHO_SERVER);
    return send_or_keep(c, answer);
}
/* end lab */

/* --- Its end --- */

static void accept_more(struct ev_tcp *t);

static void conn_free(struct conn *c)
{
    struct ev_tcp *t = c->tcp;
    model_closed(t->server, &c->log, c->first_closer, c->how);
    LIST_REMOVE(c, link);
    if (c->phase != LINGERING)
        session_end(&c->session);
    if (c->out != NULL)
        evbuffer_free(c->out);
    event_del(c->event); /* while the descriptor is still ours */
    sock_close(c->cfd);
    free(c);
    t->open--;
    accept_more(t);
}

static void conn_cb(evutil_socket_t cfd, short what, void *arg);

/* Waits for WHAT, or for TIMEOUT to pass (NULL: for ever). */
static int watch(struct conn *c, short what, const struct timeval *timeout)
{
    if (event_get_events(c->event) == what)
        return 0;
    event_del(c->event);
    event_assign(c->event, c->tcp->loop->base, c->cfd, what, conn_cb, c);
    return event_add(c->event, timeout);
}

static void reset(struct conn *c)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    struct err e;
    if (sock_setsockopt_raw(c->cfd, SOL_SOCKET, SO_LINGER, &now, sizeof now,
                            &e) < 0)
        out_error(c->tcp->server->out, &e);
    c->how = HOW_RESET;
    c->first_closer = WHO_SERVER;
}

/* Leaves. If the server is the first to close, it sends FIN and then reads the
 * client's rest: a close with unread data would send RST, and could destroy
 * what the client has not read yet (RFC 1122, 4.2.2.13). A client that never
 * ends gets it. */
static void leave(struct conn *c)
{
    struct ev_tcp *t = c->tcp;
    session_end(&c->session);
    c->phase = LINGERING;
    c->drain_until_ns = clock_now_ns() + DRAIN_NS;
    if (t->server->reset)
        reset(c);
    else if (c->first_closer == WHO_SERVER &&
             sock_shutdown(c->cfd, SHUT_WR, NULL) == 0 &&
             watch(c, EV_READ | EV_PERSIST, NULL) == 0)
        return;
    conn_free(c);
}

static void linger(struct conn *c)
{
    struct ev_tcp *t = c->tcp;
    ssize_t n = sock_recv(c->cfd, t->buf, BUFFER, MSG_DONTWAIT, NULL);
    bool ended = n == 0 || (n < 0 && errno != EAGAIN);
    if (ended || clock_now_ns() >= c->drain_until_ns)
        conn_free(c);
}

/* --- From event to event --- */

/* What the conversation waits for next; 0: nothing, it is over. */
static short wanted(const struct conn *c)
{
    bool speaks = c->session.speaks;
    bool blocked = c->out != NULL;
    short what = EV_PERSIST;
    if (c->said_all && !blocked)
        return 0;
    if (!c->input_ended && (speaks || !blocked))
        what |= EV_READ;
    if (blocked || (speaks && c->session.pause_ns == 0))
        what |= EV_WRITE;
    return what;
}

static void go_on(struct conn *c)
{
    uint64_t wait_ns = c->session.pause_ns; /* 0: no time-out */
    short what = wanted(c);
    if (what == 0) {
        wait_ns = c->tcp->server->close_delay_ns;
        if (wait_ns == 0) {
            leave(c);
            return;
        }
        c->phase = DELAYED;
    }
    struct timeval wait = ev_time(wait_ns);
    if (watch(c, what, wait_ns != 0 ? &wait : NULL) == 0)
        return;
    c->how = HOW_ERROR;
    conn_free(c);
}

/* The end of a connection that was silent for too long. */
static void time_out(struct conn *c)
{
    if (c->phase == SERVING) {
        c->first_closer = WHO_SERVER;
        c->how = HOW_TIMEOUT;
    }
    conn_free(c);
}

static void give_turn(struct ev_tcp *t)
{
    if (t->turn != NULL && ++t->served % TURN == 0)
        t->turn(t->turn_arg);
}

/* lab: conn-event */
static void conn_cb(evutil_socket_t cfd, short what, void *arg)
{
    struct conn *c = arg;
    (void)cfd;
    give_turn(c->tcp);
    c->silent = 0;
    if (c->phase == DELAYED)
        leave(c);
    else if (c->phase == LINGERING)
        linger(c);
    else if (((what & EV_READ) != 0 && on_readable(c) < 0) ||
             ((what & (EV_WRITE | EV_TIMEOUT)) != 0 && on_writable(c) < 0))
        conn_free(c);
    else
        go_on(c);
}
/* end lab */

static void start_sweeping(struct ev_tcp *t)
{
    uint64_t idle_ns = t->server->idle_timeout_ns;
    uint64_t step_ns =
        idle_ns / SWEEPS > CLOCK_MS ? idle_ns / SWEEPS : CLOCK_MS;
    struct timeval next = ev_time(step_ns);
    if (idle_ns != 0 && !event_pending(t->sweep, EV_TIMEOUT, NULL))
        event_add(t->sweep, &next);
}

static void sweep_cb(evutil_socket_t fd, short what, void *arg)
{
    struct ev_tcp *t = arg;
    struct conn *next;
    (void)fd, (void)what;
    for (struct conn *c = LIST_FIRST(&t->conns); c != NULL; c = next) {
        next = LIST_NEXT(c, link);
        if (c->phase != DELAYED && ++c->silent > SWEEPS)
            time_out(c);
    }
    if (!LIST_EMPTY(&t->conns))
        start_sweeping(t);
}

/* --- The listening socket --- */

static void conn_new(struct ev_tcp *t, int cfd, const struct addr *peer)
{
    struct conn *c = malloc(sizeof *c + event_get_struct_event_size());
    if (c == NULL) { /* nothing to log it with either */
        sock_close(cfd);
        return;
    }
    *c = (struct conn){.tcp = t, .cfd = cfd, .phase = SERVING};
    c->event = (struct event *)(c + 1);
    event_assign(c->event, t->loop->base, cfd, 0, conn_cb, c);
    c->first_closer = WHO_UNKNOWN;
    c->how = HOW_FIN;
    c->log.peer = *peer;
    session_init(&c->session, t->server->service, cfd);
    if (t->server->out->json)
        sock_getsockname(cfd, &c->log.local, NULL);
    LIST_INSERT_HEAD(&t->conns, c, link);
    t->open++;
    start_sweeping(t);
    model_connected(t->server, &c->log);
    go_on(c);
}

static bool all_have_come(const struct ev_tcp *t)
{
    const struct server *s = t->server;
    return s->count != 0 && atomic_load(&s->totals->connections) >= s->count;
}

/* Accepts as long as there is room. A listener that is ready and not served
 * would spin, so it is taken off the loop; clients wait in the backlog. */
static void accept_more(struct ev_tcp *t)
{
    if (t->listener == NULL) /* at the end */
        return;
    if (all_have_come(t)) {
        event_del(t->listener);
        if (t->open == 0)
            event_base_loopbreak(t->loop->base);
    } else if (t->open < t->max) {
        if (!event_pending(t->retry, EV_TIMEOUT, NULL))
            event_add(t->listener, NULL);
    } else {
        event_del(t->listener);
        ev_loop_full(t->loop, t->open, NULL);
    }
}

/* Out of descriptors or memory: others may give theirs back. */
static void pause_accepting(struct ev_tcp *t, const struct err *why)
{
    const struct timeval later = ev_time(100 * CLOCK_MS);
    event_del(t->listener);
    event_add(t->retry, &later);
    ev_loop_full(t->loop, t->open, why);
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    accept_more(arg);
}

/* After accept failed: true if the next may succeed. Compare conn_survives in
 * tcp_server/conn.c. */
static bool survives(struct ev_tcp *t, const struct err *why)
{
    if (why->sys == EAGAIN) /* nobody is left in the backlog */
        return false;
    enum model_accept failure = model_accept_failure(why->sys);
    if (failure == ACCEPT_LATER)
        pause_accepting(t, why);
    else if (failure == ACCEPT_FAILED)
        ev_loop_fail(t->loop, why);
    return failure == ACCEPT_NEXT;
}

/* lab: accept-event */
static void accept_cb(evutil_socket_t lfd, short what, void *arg)
{
    struct ev_tcp *t = arg;
    (void)what;
    for (int i = 0; i < ACCEPTS && t->open < t->max && !all_have_come(t); i++) {
        struct addr peer;
        struct err e;
        int cfd = sock_accept((int)lfd, &peer, &e);
        if (cfd >= 0)
            conn_new(t, cfd, &peer);
        else if (!survives(t, &e))
            return;
    }
    accept_more(t);
}
/* end lab */

struct ev_tcp *ev_tcp_new(struct ev_loop *l, struct err *e)
{
    struct server *s = l->server;
    struct ev_tcp *t = calloc(1, sizeof *t);
    if (t == NULL)
        goto fail;
    t->loop = l;
    t->server = s;
    t->buf = aligned_alloc(SOCK_ALIGN, BUFFER);
    LIST_INIT(&t->conns);
    t->listener =
        event_new(l->base, s->lfd, EV_READ | EV_PERSIST, accept_cb, t);
    t->retry = evtimer_new(l->base, retry_cb, t);
    t->sweep = evtimer_new(l->base, sweep_cb, t);
    if (t->buf == NULL || t->listener == NULL || t->retry == NULL ||
        t->sweep == NULL || sock_nonblock(s->lfd, NULL) < 0 ||
        event_add(t->listener, NULL) < 0)
        goto fail;
    t->max = ev_loop_room(l);
    return t;
fail:
    err_sys(e, "event loop");
    ev_tcp_free(t);
    return NULL;
}

void ev_tcp_take_turns(struct ev_tcp *t, void (*fn)(void *arg), void *arg)
{
    t->turn = fn;
    t->turn_arg = arg;
}

void ev_tcp_free(struct ev_tcp *t)
{
    if (t == NULL)
        return;
    if (t->listener != NULL)
        event_free(t->listener);
    t->listener = NULL;
    for (struct conn *c; (c = LIST_FIRST(&t->conns)) != NULL; conn_free(c)) {
        if (c->first_closer == WHO_UNKNOWN)
            c->first_closer = WHO_SERVER;
        if (t->server->reset)
            reset(c);
        else if (c->phase != LINGERING)
            sock_shutdown(c->cfd, SHUT_WR, NULL);
    }
    if (t->retry != NULL)
        event_free(t->retry);
    if (t->sweep != NULL)
        event_free(t->sweep);
    free(t->buf);
    free(t);
}
