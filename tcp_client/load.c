/* SPDX-License-Identifier: MIT
 *
 * Load: as many connections as asked for, on one loop. Each sends a request,
 * waits for its echo, and sends the next. That measures a server that is never
 * waited for: while it stalls nothing is asked, and so nothing is late. With
 * --rate requests are due at fixed times, and latency counts from then, sent
 * or not (Gil Tene calls the mistake coordinated omission).
 * Read next: load_report.c. Compare ../common/ev_tcp.c, the other side.
 */
#include "load.h"

#include "clock.h"
#include "ev_loop.h"
#include "lang.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* HANDSHAKES: at once, fewer than a usual backlog holds, or SYNs get lost and
 * come again a second later. SOURCES: 127.0.0.1 and the next, each with
 * 28,000 ports, which rest in TIME_WAIT after use. */
enum { BUFFER = 64 * 1024, HANDSHAKES = 64, SOURCES = 8, MANY = 10000 };
#define TICK_NS (100 * CLOCK_MS)

enum state { CLOSED, CONNECTING, IDLE, WAITING };

struct link {
    struct work *work;
    struct event *event;
    TAILQ_ENTRY(link) place; /* in one of the three queues */
    enum state state;
    int fd;
    uint64_t begin_ns, due_ns; /* of the connect or the request under way */
    uint64_t sent, received;   /* bytes of it */
    uint64_t answered;         /* requests on this connection */
};

TAILQ_HEAD(queue, link);

struct work {
    struct client *client;
    const struct load *load;
    struct ev_loop loop;
    struct event *tick, *pace, *finish;
    struct link *links;
    struct queue closed;  /* to be connected */
    struct queue idle;    /* the one to be asked next is first */
    struct queue pending; /* the one under way for longest is first */
    uint64_t alive, connecting, waiting; /* links; alive: not given up */
    uint64_t sources, next_source;
    uint64_t scheduled; /* --rate: requests whose time has come and that left */
    bool serving;       /* requests may be sent */
    bool ending;        /* no more may */
    uint64_t reported_ns;
    struct load_result result;
    char *payload;
    char buf[BUFFER];
};

static uint64_t now_ns(const struct work *w)
{
    return out_now_ns(w->client->out);
}

static void link_cb(evutil_socket_t fd, short what, void *arg);

static int watch(struct link *l, short what)
{
    struct event_base *base = l->work->loop.base;
    if (event_get_events(l->event) == what)
        return 0;
    event_del(l->event);
    event_assign(l->event, base, l->fd, what, link_cb, l);
    return event_add(l->event, NULL);
}

/* --- The end of a connection --- */

static void check_end(struct work *w)
{
    if (w->alive == 0 || (w->ending && w->waiting == 0))
        event_base_loopbreak(w->loop.base);
}

static struct queue *queue_of(struct link *l)
{
    struct work *w = l->work;
    return l->state == CLOSED ? &w->closed
           : l->state == IDLE ? &w->idle
                              : &w->pending;
}

/* Into another state, at the end of its queue; the counts follow. */
static void move(struct link *l, enum state state)
{
    struct work *w = l->work;
    TAILQ_REMOVE(queue_of(l), l, place);
    w->connecting -= l->state == CONNECTING;
    w->waiting -= l->state == WAITING;
    w->result.open -= l->state == IDLE || l->state == WAITING;
    l->state = state;
    w->connecting += l->state == CONNECTING;
    w->waiting += l->state == WAITING;
    w->result.open += l->state == IDLE || l->state == WAITING;
    if (state == IDLE && w->load->busy != 0 && l->answered != 0)
        TAILQ_INSERT_HEAD(&w->idle, l, place); /* the same ones stay busy */
    else
        TAILQ_INSERT_TAIL(queue_of(l), l, place);
}

static void hang_up(struct link *l)
{
    event_del(l->event);
    if (l->work->client->reset) {
        const struct linger now = {.l_onoff = 1, .l_linger = 0};
        sock_setsockopt_raw(l->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now,
                            NULL); /* else by FIN */
    }
    sock_close(l->fd);
    l->fd = -1;
    move(l, CLOSED);
}

/* This one is not connected again. */
static void give_up(struct link *l)
{
    TAILQ_REMOVE(&l->work->closed, l, place);
    l->work->alive--;
}

static enum load_error kind_of(int errnum)
{
    if (errnum == EADDRNOTAVAIL)
        return LOAD_PORTS;
    switch (err_status(errnum)) {
    case STATUS_REFUSED:
        return LOAD_REFUSED;
    case STATUS_RESET:
        return LOAD_RESET;
    case STATUS_TIMEOUT:
        return LOAD_TIMEOUT;
    default:
        return LOAD_OTHER;
    }
}

/* A server that cannot be connected to is not tried again; but a port will be
 * free again, and a connection that broke is replaced while time lasts. */
static void failed(struct link *l, enum load_error kind)
{
    struct work *w = l->work;
    bool connecting = l->state == CONNECTING;
    w->result.errors[kind]++;
    hang_up(l);
    if (connecting ? kind != LOAD_PORTS : w->load->duration_ns == 0)
        give_up(l);
    check_end(w);
}

/* --- Requests --- */

/* When request number N is due. */
static uint64_t due_ns(const struct work *w, uint64_t n)
{
    uint64_t rate = w->load->rate;
    return w->result.serving_ns + n / rate * CLOCK_S +
           n % rate * CLOCK_S / rate;
}

/* Sends what is left of the request, as far as the kernel takes it. */
static void push(struct link *l)
{
    struct work *w = l->work;
    uint64_t left = w->load->size - l->sent;
    ssize_t n =
        sock_send(l->fd, w->payload + l->sent, left, MSG_DONTWAIT, NULL);
    if (n < 0 && errno != EAGAIN) {
        failed(l, kind_of(errno));
        return;
    }
    l->sent += n > 0 ? (uint64_t)n : 0;
    bool all = l->sent == w->load->size;
    if (watch(l, EV_PERSIST | EV_READ | (all ? 0 : EV_WRITE)) < 0)
        failed(l, LOAD_OTHER);
}

/* Is that after the end? The timer that ends it may come late. */
static bool too_late(const struct work *w, uint64_t due)
{
    uint64_t duration = w->load->duration_ns;
    return duration != 0 && due - w->result.serving_ns >= duration;
}

/* lab: dispatch */
/* Sends as many requests as are due and may be under way. With --rate a
 * request that found no idle connection stays due from when it was. */
static void dispatch(struct work *w, uint64_t now)
{
    uint64_t busy = w->load->busy != 0 ? w->load->busy : w->load->connections;
    struct link *l;
    while (w->serving && !w->ending && w->waiting < busy &&
           (l = TAILQ_FIRST(&w->idle)) != NULL) {
        uint64_t due = now;
        if (w->load->rate != 0) {
            due = due_ns(w, w->scheduled);
            if (too_late(w, due))
                return;
            if (due > now) {
                struct timeval later = ev_time(due - now);
                event_add(w->pace, &later);
                return;
            }
            w->scheduled++;
        }
        l->begin_ns = now;
        l->due_ns = due;
        l->sent = l->received = 0;
        move(l, WAITING);
        push(l);
    }
}
/* end lab */

static void connect_more(struct work *w);

static void answered(struct link *l)
{
    struct work *w = l->work;
    uint64_t now = now_ns(w);
    hist_add(&w->result.latency, now - l->due_ns);
    w->result.answered++;
    w->result.replied_ns = now;
    if (++l->answered != w->load->requests) {
        move(l, IDLE);
    } else {
        hang_up(l);
        if (w->load->duration_ns == 0)
            give_up(l);
        connect_more(w);
    }
    check_end(w);
    dispatch(w, now);
}

static void on_readable(struct link *l)
{
    struct work *w = l->work;
    ssize_t n = sock_recv(l->fd, w->buf, sizeof w->buf, MSG_DONTWAIT, NULL);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        failed(l, n < 0 ? kind_of(errno) : LOAD_CLOSED);
        return;
    }
    uint64_t awaited = l->state == WAITING ? l->sent - l->received : 0;
    if ((uint64_t)n > awaited ||
        memcmp(w->buf, w->payload + l->received, (size_t)n) != 0) {
        failed(l, LOAD_WRONG);
        return;
    }
    l->received += (uint64_t)n;
    if (l->received == w->load->size)
        answered(l);
}

/* --- Connecting --- */

/* The next of several source addresses: a port is chosen by connect, when the
 * destination is known too, so that the same one may serve twice (ip(7)). */
static int bind_source(struct work *w, int fd)
{
    struct addr a = {.len = sizeof a.in};
    a.in.sin_family = AF_INET;
    a.in.sin_addr.s_addr =
        htonl(INADDR_LOOPBACK + (uint32_t)(w->next_source++ % w->sources));
    if (sock_setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, NULL) < 0)
        return -1;
    return sock_bind(fd, &a, NULL);
}

/* A socket whose handshake is under way, or -1. */
static int begin_connect(struct work *w)
{
    struct client *c = w->client;
    int family = c->peer.sa.sa_family;
    int fd = sock_socket(family, SOCK_STREAM, NULL);
    if (fd < 0)
        return -1;
    if (client_prepare(c, fd, family, NULL) < 0 ||
        (w->sources > 1 && bind_source(w, fd) < 0) ||
        sock_nonblock(fd, NULL) < 0)
        goto fail;
    if (sock_connect(fd, &c->peer, 0, NULL) < 0 && errno != EINPROGRESS)
        goto fail;
    return fd;
fail:
    sock_close(fd);
    return -1;
}

static void connect_one(struct link *l)
{
    struct work *w = l->work;
    l->answered = 0;
    l->begin_ns = now_ns(w);
    l->fd = begin_connect(w);
    if (l->fd < 0) {
        w->result.errors[kind_of(errno)]++;
        if (errno != EADDRNOTAVAIL)
            give_up(l);
        return;
    }
    move(l, CONNECTING);
    event_assign(l->event, w->loop.base, l->fd, EV_WRITE, link_cb, l);
    event_add(l->event, NULL);
}

/* Begins handshakes, as many as may be under way. When there is no free port
 * the tick tries again. */
static void connect_more(struct work *w)
{
    uint64_t tries = HANDSHAKES;
    struct link *l;
    while (!w->ending && w->connecting < HANDSHAKES && tries-- > 0 &&
           (l = TAILQ_FIRST(&w->closed)) != NULL)
        connect_one(l);
    check_end(w);
}

/* Requests begin when all are connected, or at once if connections come and
 * go; --duration counts from here. */
static void begin_serving(struct work *w)
{
    const struct load *l = w->load;
    bool come_and_go = l->requests != 0 && l->duration_ns != 0;
    if (w->serving || (!come_and_go && w->result.open < w->alive))
        return;
    struct timeval duration = ev_time(l->duration_ns);
    w->serving = true;
    w->result.serving_ns = now_ns(w);
    if (l->duration_ns != 0)
        event_add(w->finish, &duration);
}

static void connected(struct link *l)
{
    struct work *w = l->work;
    uint64_t now = now_ns(w);
    int error = sock_error(l->fd);
    if (error != 0) {
        failed(l, kind_of(error));
    } else {
        hist_add(&w->result.connect, now - l->begin_ns);
        w->result.opened++;
        w->result.opened_ns = now;
        move(l, IDLE);
        watch(l, EV_READ | EV_PERSIST);
    }
    connect_more(w);
    begin_serving(w);
    dispatch(w, now);
}

static void link_cb(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;
    (void)fd;
    if (l->state == CONNECTING)
        connected(l);
    else if ((what & EV_WRITE) != 0)
        push(l);
    else
        on_readable(l);
}

/* --- The clock --- */

static void pace_cb(evutil_socket_t fd, short what, void *arg)
{
    struct work *w = arg;
    (void)fd, (void)what;
    dispatch(w, now_ns(w));
}

/* Ten times a second: what has waited too long, and how it goes. */
static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
    struct work *w = arg;
    uint64_t now = now_ns(w), timeout = w->client->timeout_ns;
    struct link *l;
    (void)fd, (void)what;
    while (timeout != 0 && (l = TAILQ_FIRST(&w->pending)) != NULL &&
           now - l->begin_ns > timeout)
        failed(l, LOAD_TIMEOUT);
    connect_more(w);
    begin_serving(w);
    dispatch(w, now);
    load_progress(w->client, &w->result);
    if (now - w->reported_ns >= CLOCK_S) {
        w->reported_ns = now;
        load_report(w->client, w->load, &w->result, "report", 0);
    }
}

/* The time is over: what is under way may still come back. */
static void finish_cb(evutil_socket_t fd, short what, void *arg)
{
    struct work *w = arg;
    (void)fd, (void)what;
    w->ending = true;
    if (w->load->rate != 0) {
        uint64_t all = w->load->duration_ns / CLOCK_S * w->load->rate +
                       w->load->duration_ns % CLOCK_S * w->load->rate / CLOCK_S;
        w->result.unsent = all > w->scheduled ? all - w->scheduled : 0;
    }
    check_end(w);
}

/* --- All of it --- */

void load_defaults(struct load *l)
{
    if (l->connections == 0)
        l->connections = 10;
    if (l->size == 0)
        l->size = 64;
    if (l->duration_ns == 0 && l->requests == 0)
        l->duration_ns = 10 * CLOCK_S;
}

const char *load_unfit(const struct load *l)
{
    bool any = l->connections != 0 || l->busy != 0 || l->requests != 0 ||
               l->duration_ns != 0 || l->size != 0 || l->rate != 0;
    if (any && !l->on)
        return _("--connections, --busy, --requests, --duration, --size and "
                 "--rate need --load");
    if (l->busy > (l->connections != 0 ? l->connections : 10))
        return _("--busy: more than there are --connections");
    return NULL;
}

static int make_links(struct work *w)
{
    uint64_t n = w->load->connections;
    w->links = calloc(n, sizeof w->links[0]);
    w->payload = malloc(w->load->size);
    if (w->links == NULL || w->payload == NULL)
        return -1;
    for (uint64_t i = 0; i < w->load->size; i++)
        w->payload[i] = (char)('a' + i % 26);
    for (struct link *l = w->links; l < w->links + n; l++) {
        *l = (struct link){.work = w, .fd = -1, .state = CLOSED};
        l->event = event_new(w->loop.base, -1, 0, link_cb, l);
        if (l->event == NULL)
            return -1;
        TAILQ_INSERT_TAIL(&w->closed, l, place);
    }
    w->alive = n;
    return 0;
}

static int prepare(struct work *w)
{
    struct event_base *base = w->loop.base;
    const struct timeval tick = ev_time(TICK_NS);
    TAILQ_INIT(&w->closed);
    TAILQ_INIT(&w->idle);
    TAILQ_INIT(&w->pending);
    w->tick = event_new(base, -1, EV_PERSIST, tick_cb, w);
    w->pace = evtimer_new(base, pace_cb, w);
    w->finish = evtimer_new(base, finish_cb, w);
    if (w->tick == NULL || w->pace == NULL || w->finish == NULL)
        return -1;
    return event_add(w->tick, &tick) < 0 ? -1 : make_links(w);
}

static void clean_up(struct work *w)
{
    struct event *timers[] = {w->tick, w->pace, w->finish};
    uint64_t n = w->links != NULL ? w->load->connections : 0;
    for (struct link *l = w->links; l < w->links + n; l++) {
        if (l->fd >= 0)
            hang_up(l);
        if (l->event != NULL)
            event_free(l->event);
    }
    for (int i = 0; i < 3; i++)
        if (timers[i] != NULL)
            event_free(timers[i]);
    ev_loop_close(&w->loop);
    free(w->links);
    free(w->payload);
    free(w);
}

/* One source has ports for a while; more are at hand on loopback alone. */
static uint64_t count_sources(const struct client *c, const struct load *l)
{
    bool many = l->connections > MANY || (l->requests != 0 && l->duration_ns);
    bool loopback =
        c->peer.sa.sa_family == AF_INET && addr_is_loopback(&c->peer);
    return many && loopback && c->source == NULL ? SOURCES : 1;
}

/* Descriptors for all of the connections, or -1 and *e. */
static int check_limit(const struct load *l, struct err *e)
{
    const uint64_t others = 16; /* stdio, the loop's own */
    uint64_t limit = ev_raise_limit();
    if (l->connections + others <= limit)
        return 0;
    err_set(e, STATUS_FAILED,
            "load: %llu connections, but this process may have %llu "
            "descriptors",
            (unsigned long long)l->connections, (unsigned long long)limit);
    return err_advise(e, "run more of it at once, or raise the hard limit "
                         "(ulimit -Hn)");
}

int load_run(struct client *c, const struct load *l, struct err *e)
{
    int flags = l->rate != 0 ? EVENT_BASE_FLAG_PRECISE_TIMER : 0;
    if (check_limit(l, e) < 0)
        return -1;
    struct work *w = calloc(1, sizeof *w);
    if (w == NULL)
        return err_sys(e, "load");
    w->client = c;
    w->load = l;
    w->sources = count_sources(c, l);
    int result = ev_loop_open(&w->loop, NULL, flags, e);
    if (result == 0 && prepare(w) < 0)
        result = err_set(e, STATUS_FAILED, "load: not enough memory");
    if (result == 0) {
        w->result.begin_ns = now_ns(w);
        connect_more(w);
        begin_serving(w);
        result = ev_loop_run(&w->loop, e);
        out_progress(c->out, NULL);
    }
    if (result == 0)
        result = load_verdict(&w->result, e);
    int status = result < 0 ? (int)e->status : STATUS_OK;
    load_report(c, l, &w->result, "end",
                stop_signal() != 0 ? 128 + stop_signal() : status);
    clean_up(w);
    return result;
}
