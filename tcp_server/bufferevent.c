/* SPDX-License-Identifier: MIT
 *
 * Bufferevent: libevent's own way. evconnlistener accepts and a bufferevent
 * receives and sends; this file only says what happens to the bytes. It is
 * short where event.c is explicit, and pays for it: five system calls for an
 * echo instead of two and 800 bytes more for a connection, and -v cannot show
 * the calls that the library makes (the lab can).
 * Read next: ../common/ev_tcp.c, which makes the calls itself.
 */
#include "server.h"

#include "clock.h"
#include "ev_loop.h"
#include "sock.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* HIGH: output that waits; above it the client is not read. */
enum { PRODUCE = 4096, HIGH = 64 * 1024 };
#define DRAIN_NS (2 * CLOCK_S)

struct hub;

struct conn {
    struct hub *hub;
    struct bufferevent *bev; /* owns the descriptor */
    struct event *delay;     /* --close-delay; NULL: it does not run */
    struct event *pause;     /* the service's; NULL: it never made one */
    LIST_ENTRY(conn) link;
    struct model_conn log;
    struct session session;
    enum model_who first_closer;
    enum model_how how;
    bool said_all;           /* when the output has left, so do we */
    bool lingering;          /* our FIN is sent; the client's is awaited */
    uint64_t drain_until_ns; /* and at most until then, if it goes on sending */
};

struct hub {
    struct ev_loop loop;
    struct server *server;
    struct evconnlistener *listener;
    struct event *retry; /* out of descriptors: look again later */
    LIST_HEAD(conns, conn) conns;
    uint64_t open, max;
};

static void accept_more(struct hub *h)
{
    struct server *s = h->server;
    if (h->listener == NULL) /* at the end */
        return;
    bool all_have_come = s->count != 0 && s->totals->connections >= s->count;
    if (all_have_come || h->open >= h->max)
        evconnlistener_disable(h->listener);
    else if (!event_pending(h->retry, EV_TIMEOUT, NULL))
        evconnlistener_enable(h->listener);
    if (!all_have_come && h->open >= h->max)
        ev_loop_full(&h->loop, h->open, NULL);
    if (all_have_come && h->open == 0)
        event_base_loopbreak(h->loop.base);
}

static void conn_free(struct conn *c)
{
    struct hub *h = c->hub;
    model_closed(h->server, &c->log, c->first_closer, c->how);
    LIST_REMOVE(c, link);
    session_end(&c->session);
    if (c->delay != NULL)
        event_free(c->delay);
    if (c->pause != NULL)
        event_free(c->pause);
    bufferevent_free(c->bev); /* closes; output that waits is dropped */
    free(c);
    h->open--;
    accept_more(h);
}

/* RST instead of FIN, at the close that follows. */
static void reset(struct conn *c)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    struct err e;
    if (sock_setsockopt_raw(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER,
                            &now, sizeof now, &e) < 0)
        out_error(c->hub->server->out, &e);
    c->how = HOW_RESET;
    c->first_closer = WHO_SERVER;
}

static void leave(struct conn *c)
{
    c->lingering = true;
    c->drain_until_ns = clock_now_ns() + DRAIN_NS;
    if (c->hub->server->reset) {
        reset(c);
    } else if (c->first_closer == WHO_SERVER &&
               sock_shutdown(bufferevent_getfd(c->bev), SHUT_WR, NULL) == 0) {
        bufferevent_enable(c->bev, EV_READ);
        return;
    }
    conn_free(c);
}

static void delay_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    leave(arg);
}

/* All has been said and has left. */
static void finish(struct conn *c)
{
    struct hub *h = c->hub;
    const struct timeval delay = ev_time(h->server->close_delay_ns);
    if (h->server->close_delay_ns != 0)
        c->delay = evtimer_new(h->loop.base, delay_cb, c);
    if (c->delay == NULL || event_add(c->delay, &delay) < 0)
        leave(c);
    else
        bufferevent_disable(c->bev, EV_READ | EV_WRITE);
}

static void write_cb(struct bufferevent *bev, void *arg);

static void pause_cb(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd, (void)what;
    write_cb(c->bev, c);
}

/* Nothing is due yet. Meanwhile the client may speak. */
static void wait_a_while(struct conn *c)
{
    const struct timeval pause = ev_time(c->session.pause_ns);
    if (c->pause == NULL)
        c->pause = evtimer_new(c->hub->loop.base, pause_cb, c);
    if (c->pause == NULL || event_add(c->pause, &pause) < 0)
        c->session.pause_ns = 0; /* no memory: it ends here */
    else
        bufferevent_enable(c->bev, EV_READ);
}

/* Everything that was written has left: the low-water mark, which is 0. */
static void write_cb(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;
    const struct service *service = c->session.service;
    char out[PRODUCE];
    if (c->lingering || c->delay != NULL)
        return;
    if (!c->said_all && c->session.speaks) {
        size_t n = service->produce(&c->session, out, sizeof out);
        bufferevent_write(bev, out, n);
        c->log.sent_bytes += n;
        if (n == 0 && c->session.pause_ns != 0)
            wait_a_while(c);
        if (n > 0 || c->session.pause_ns != 0)
            return;
        c->said_all = true;
        if (c->first_closer == WHO_UNKNOWN)
            c->first_closer = WHO_SERVER;
    }
    if (c->said_all)
        finish(c);
    else
        bufferevent_enable(bev, EV_READ);
}

/* lab: bufferevent-read */
static void read_cb(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    struct evbuffer *out = bufferevent_get_output(bev);
    size_t n = evbuffer_get_length(in);
    if (c->lingering && clock_now_ns() >= c->drain_until_ns) {
        conn_free(c);
        return;
    }
    if (!c->lingering && !c->said_all) {
        c->log.received_bytes += n;
        struct span answer = c->session.service->on_input(
            &c->session, evbuffer_pullup(in, -1), n);
        evbuffer_add(out, answer.data, answer.len);
        c->log.sent_bytes += answer.len;
        c->said_all = c->hub->server->close_first && !c->session.speaks;
    }
    evbuffer_drain(in, n);
    if (c->said_all && c->first_closer == WHO_UNKNOWN)
        c->first_closer = WHO_SERVER;
    if (evbuffer_get_length(out) > HIGH) /* it does not read: nor do we */
        bufferevent_disable(bev, EV_READ);
    if (c->lingering || evbuffer_get_length(out) > 0)
        return;
    if (c->said_all || c->session.speaks)
        write_cb(bev, c);
}
/* end lab */

/* FIN, an error or a silence. libevent has stopped reading by itself. */
static void event_cb(struct bufferevent *bev, short what, void *arg)
{
    struct conn *c = arg;
    int code = EVUTIL_SOCKET_ERROR();
    size_t waiting = evbuffer_get_length(bufferevent_get_output(bev));
    if (c->lingering) {
        conn_free(c);
    } else if ((what & BEV_EVENT_EOF) != 0) {
        if (c->first_closer == WHO_UNKNOWN)
            c->first_closer = WHO_CLIENT;
        session_eof(&c->session);
        c->said_all = c->said_all || !c->session.speaks;
        if (waiting == 0)
            write_cb(bev, c);
    } else {
        bool timeout = (what & BEV_EVENT_TIMEOUT) != 0;
        bool cut = err_status(code) == STATUS_RESET;
        c->log.sent_bytes -= waiting;
        c->how = timeout ? HOW_TIMEOUT : cut ? HOW_RESET : HOW_ERROR;
        c->first_closer = timeout ? WHO_SERVER : cut ? WHO_CLIENT : WHO_UNKNOWN;
        conn_free(c);
    }
}

static void accept_cb(struct evconnlistener *listener, evutil_socket_t cfd,
                      struct sockaddr *peer, int len, void *arg)
{
    struct hub *h = arg;
    struct server *s = h->server;
    struct conn *c = calloc(1, sizeof *c);
    struct bufferevent *bev =
        bufferevent_socket_new(h->loop.base, cfd, BEV_OPT_CLOSE_ON_FREE);
    (void)listener;
    if (c == NULL || bev == NULL) {
        if (bev != NULL)
            bufferevent_free(bev);
        else
            sock_close((int)cfd);
        free(c);
        return;
    }
    *c = (struct conn){.hub = h, .bev = bev, .first_closer = WHO_UNKNOWN};
    c->how = HOW_FIN;
    c->log.peer.len = (socklen_t)len;
    memcpy(&c->log.peer.sa, peer, (size_t)len);
    if (s->out->json)
        sock_getsockname((int)cfd, &c->log.local, NULL);
    session_init(&c->session, s->service, (int)cfd);
    LIST_INSERT_HEAD(&h->conns, c, link);
    h->open++;
    model_connected(s, &c->log);
    const struct timeval idle = ev_time(s->idle_timeout_ns);
    if (s->idle_timeout_ns != 0)
        bufferevent_set_timeouts(bev, &idle, &idle);
    bufferevent_setcb(bev, read_cb, write_cb, event_cb, c);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    accept_more(h);
}

/* Without this callback a listener out of descriptors spins. */
static void accept_error_cb(struct evconnlistener *listener, void *arg)
{
    struct hub *h = arg;
    const struct timeval later = ev_time(100 * CLOCK_MS);
    struct err e;
    errno = EVUTIL_SOCKET_ERROR();
    err_sys(&e, "accept");
    ev_loop_full(&h->loop, h->open, &e);
    evconnlistener_disable(listener);
    event_add(h->retry, &later);
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    accept_more(arg);
}

/* Everything of the hub on its loop. 0, or -1. */
static int start(struct hub *h)
{
    h->retry = evtimer_new(h->loop.base, retry_cb, h);
    if (h->retry == NULL || sock_nonblock(h->server->lfd, NULL) < 0)
        return -1;
    h->listener =
        evconnlistener_new(h->loop.base, accept_cb, h, 0, 0, h->server->lfd);
    if (h->listener == NULL)
        return -1;
    evconnlistener_set_error_cb(h->listener, accept_error_cb);
    return 0;
}

static void end(struct hub *h)
{
    if (h->listener != NULL)
        evconnlistener_free(h->listener);
    h->listener = NULL;
    for (struct conn *c; (c = LIST_FIRST(&h->conns)) != NULL; conn_free(c)) {
        if (c->first_closer == WHO_UNKNOWN)
            c->first_closer = WHO_SERVER;
        if (h->server->reset)
            reset(c);
        else
            sock_shutdown(bufferevent_getfd(c->bev), SHUT_WR, NULL);
    }
    if (h->retry != NULL)
        event_free(h->retry);
}

int bufferevent_serve(struct server *s, struct err *e)
{
    struct hub h = {.server = s};
    LIST_INIT(&h.conns);
    if (ev_loop_open(&h.loop, s, 0, e) < 0)
        return -1;
    h.max = ev_loop_room(&h.loop);
    int result = start(&h);
    if (result == 0)
        result = ev_loop_run(&h.loop, e);
    else
        err_set(e, STATUS_FAILED, "libevent: cannot make a listener");
    end(&h);
    ev_loop_close(&h.loop);
    return result;
}
