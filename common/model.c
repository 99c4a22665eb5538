/* SPDX-License-Identifier: MIT
 *
 * model: what the models of both servers share: their table, their totals and
 * the lines of the event log. See model.h for the contract.
 */
#include "model.h"

#include "clock.h"
#include "gso.h"
#include "lang.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Sends of what nobody asked for, one after the other, so that what comes in is
 * not kept waiting. */
enum { SPEAK_TURN = 32 };

bool model_may_say(struct server *s)
{
    uint64_t now_ns = clock_now_ns();
    if (s->said_ns != 0 && now_ns - s->said_ns < 10 * CLOCK_S)
        return false;
    s->said_ns = now_ns;
    return true;
}

const struct model *model_find(const struct model *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

void model_list(const struct model *table)
{
    for (; table->name != NULL; table++)
        printf("%-12s %s\n", table->name, _(table->summary));
}

struct totals *model_totals(struct err *e)
{
    void *p = mmap(NULL, sizeof(struct totals), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        err_sys(e, "mmap");
        return NULL;
    }
    return p;
}

int model_announce(struct server *s, int fd, struct err *e)
{
    struct addr a;
    char text[ADDR_TEXT], host[ADDR_TEXT];
    const char *proto = fd == s->lfd ? "tcp" : "udp";
    if (sock_getsockname(fd, &a, e) < 0)
        return -1;
    out_begin(s->out, "listening");
    out_text(s->out, "proto", proto);
    out_text(s->out, "address", addr_host(&a, host, sizeof host));
    out_uint(s->out, "port", addr_port(&a));
    out_text(s->out, "family", a.sa.sa_family == AF_INET6 ? "ipv6" : "ipv4");
    out_end_always(s->out, "listening %s %s", proto,
                   addr_format(&a, text, sizeof text));
    return out_check(s->out, e);
}

bool model_may_answer(const struct addr *local, const struct addr *peer)
{
    uint16_t port = addr_port(peer);
    if (port == 0 || addr_equal(local, peer))
        return false;
    for (const struct service *v = services; v->name != NULL; v++)
        if (port == v->port)
            return false;
    return true;
}

/* Linux reports here, of a connection that was queued, what went wrong with it
 * since: accept(2), "Error handling". */
enum model_accept model_accept_failure(int errnum)
{
    switch (errnum) {
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ETIMEDOUT:
        return ACCEPT_NEXT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ACCEPT_LATER;
    default:
        return ACCEPT_FAILED;
    }
}

/* Nobody will see the event: a server under load need not put it in words. */
static bool unseen(const struct server *s)
{
    return s->out->quiet && !s->out->json;
}

void model_connected(struct server *s, struct model_conn *c)
{
    char peer[ADDR_TEXT], local[ADDR_TEXT];
    unsigned long long open = atomic_fetch_add(&s->totals->open, 1) + 1;
    c->number = atomic_fetch_add(&s->totals->connections, 1) + 1;
    c->begin_ns = out_now_ns(s->out);
    if (unseen(s))
        return;
    addr_format(&c->peer, peer, sizeof peer);
    out_begin(s->out, "connected");
    out_text(s->out, "proto", "tcp");
    out_uint(s->out, "conn", c->number);
    out_text(s->out, "peer", peer);
    out_text(s->out, "local", addr_format(&c->local, local, sizeof local));
    out_uint(s->out, "open", open);
    out_end(s->out, "tcp #%llu %s connected (%llu open)",
            (unsigned long long)c->number, peer, open);
}

static const char *const who_names[] = {"client", "server", "unknown"};
static const char *const how_names[] = {"fin", "reset", "timeout", "error"};

/* How it ended, and by whom. */
static const char *const endings[][3] = {
    {N_("closed by the client (FIN)"), N_("closed by the server (FIN)"),
     N_("closed (FIN)")},
    {N_("reset by the client (RST)"), N_("reset by the server (RST)"),
     N_("reset (RST)")},
    {N_("timed out, closed by the client"),
     N_("timed out, closed by the server"), N_("timed out, closed")},
    {N_("ended by the client, by an error"),
     N_("ended by the server, by an error"), N_("ended by an error")}};

void model_closed(struct server *s, const struct model_conn *c,
                  enum model_who first_closer, enum model_how how)
{
    char peer[ADDR_TEXT], local[ADDR_TEXT];
    atomic_fetch_sub(&s->totals->open, 1);
    atomic_fetch_add(&s->totals->received_bytes, c->received_bytes);
    atomic_fetch_add(&s->totals->sent_bytes, c->sent_bytes);
    if (how != HOW_FIN)
        atomic_fetch_add(&s->totals->failed, 1);
    if (unseen(s))
        return;
    addr_format(&c->peer, peer, sizeof peer);
    out_begin(s->out, "closed");
    out_text(s->out, "proto", "tcp");
    out_uint(s->out, "conn", c->number);
    out_text(s->out, "peer", peer);
    out_text(s->out, "local", addr_format(&c->local, local, sizeof local));
    out_text(s->out, "first_closer", who_names[first_closer]);
    out_text(s->out, "how", how_names[how]);
    out_uint(s->out, "received_bytes", c->received_bytes);
    out_uint(s->out, "sent_bytes", c->sent_bytes);
    out_uint(s->out, "duration_ns", out_now_ns(s->out) - c->begin_ns);
    out_end(s->out, "tcp #%llu %s %s, %llu bytes in, %llu out",
            (unsigned long long)c->number, peer, _(endings[how][first_closer]),
            (unsigned long long)c->received_bytes,
            (unsigned long long)c->sent_bytes);
}

void model_datagram(struct server *s, const struct addr *peer, size_t bytes,
                    bool truncated)
{
    char text[ADDR_TEXT];
    atomic_fetch_add(&s->totals->datagrams_in, 1);
    atomic_fetch_add(&s->totals->datagram_bytes_in, bytes);
    if (truncated)
        atomic_fetch_add(&s->totals->truncated, 1);
    if (unseen(s) || s->service->datagram != NULL)
        return; /* or a measurement's, which are many: only counted */
    addr_format(peer, text, sizeof text);
    out_begin(s->out, "datagram");
    out_text(s->out, "peer", text);
    out_uint(s->out, "bytes", bytes);
    out_bool(s->out, "truncated", truncated);
    out_end(s->out, "udp %s %zu bytes (no connection)%s", text, bytes,
            truncated ? _(", cut: larger than the buffer") : "");
}

/* One datagram by sendto, or a row of them. False: there is no room now, so
 * they are neither sent nor lost. */
static bool send_row(struct server *s, struct desk *d, const struct row *row)
{
    struct err e;
    ssize_t sent = 1;
    if (row->mode != NULL)
        sent = gso_send(s->fd, &row->peer, row->data, row->size, row->count,
                        row->mode, &e);
    else if (sock_sendto(s->fd, row->data, row->size, &row->peer, &e) < 0)
        sent = -1;
    if (sent < 0 && (e.sys == EAGAIN || e.sys == ENOBUFS))
        return false;
    if (sent < 0) { /* whatever it is: lost, as any datagram may be */
        service_sent(d, row, row->count);
        return true;
    }
    service_sent(d, row, (size_t)sent);
    atomic_fetch_add(&s->totals->datagrams_out, (size_t)sent);
    atomic_fetch_add(&s->totals->datagram_bytes_out, (size_t)sent * row->size);
    return true;
}

uint64_t model_speak(struct server *s, struct desk *d, void *buf, size_t cap)
{
    uint64_t wait_ns = UINT64_MAX;
    struct row row;
    for (int i = 0; i < SPEAK_TURN; i++) {
        if (!service_unasked(d, buf, cap, &row, &wait_ns))
            return wait_ns;
        if (!send_row(s, d, &row))
            return CLOCK_MS;
    }
    return 0;
}

bool model_wait(struct server *s, struct desk *d, void *buf, size_t cap)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    uint64_t wait_ns = model_speak(s, d, buf, cap);
    const struct timespec wait = {.tv_sec = (time_t)(wait_ns / CLOCK_S),
                                  .tv_nsec = (long)(wait_ns % CLOCK_S)};
    return wait_ns == UINT64_MAX || ppoll(&p, 1, &wait, NULL) > 0;
}

static unsigned long long get(atomic_ullong *value)
{
    return atomic_load(value);
}

/* One line a protocol. */
static void report_text(struct server *s, char *buf, size_t cap)
{
    struct totals *t = s->totals;
    size_t used = 0;
    buf[0] = '\0';
    if (s->lfd >= 0)
        used = (size_t)snprintf(
            buf, cap,
            _("total tcp: %llu connections, %llu open, %llu failed, "
              "%llu bytes in, %llu out"),
            get(&t->connections), get(&t->open), get(&t->failed),
            get(&t->received_bytes), get(&t->sent_bytes));
    if (s->lfd >= 0 && s->fd >= 0)
        buf[used++] = '\n';
    if (s->fd >= 0)
        snprintf(buf + used, cap - used,
                 _("total udp: %llu datagrams in, %llu out, %llu bytes in, "
                   "%llu out, %llu cut"),
                 get(&t->datagrams_in), get(&t->datagrams_out),
                 get(&t->datagram_bytes_in), get(&t->datagram_bytes_out),
                 get(&t->truncated));
}

void model_report(struct server *s, const char *event, int status)
{
    struct totals *t = s->totals;
    char text[512];
    report_text(s, text, sizeof text);
    out_begin(s->out, event);
    out_uint(s->out, "connections", get(&t->connections));
    out_uint(s->out, "open", get(&t->open));
    out_uint(s->out, "failed", get(&t->failed));
    out_uint(s->out, "received_bytes", get(&t->received_bytes));
    out_uint(s->out, "sent_bytes", get(&t->sent_bytes));
    out_uint(s->out, "datagrams_in", get(&t->datagrams_in));
    out_uint(s->out, "datagrams_out", get(&t->datagrams_out));
    out_uint(s->out, "datagram_bytes_in", get(&t->datagram_bytes_in));
    out_uint(s->out, "datagram_bytes_out", get(&t->datagram_bytes_out));
    out_uint(s->out, "truncated", get(&t->truncated));
    out_bool(s->out, "partial", stop_signal() != 0);
    out_int(s->out, "exit_status", status);
    out_end(s->out, text[0] != '\0' ? "%s" : NULL, text);
}
