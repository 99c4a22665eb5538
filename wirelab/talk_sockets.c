/* SPDX-License-Identifier: MIT
 *
 * talk_sockets: which descriptor of which program belongs to which
 * conversation, as far as the calls tell. See talk.h for the contract.
 *
 * A call names a descriptor, a segment names ports. They meet at accept and
 * recvfrom, which tell the peer's port; at connect, which is followed by the
 * SYN; and at a datagram that leaves inside the call that sent it.
 */
#include "talk.h"

#include <stdlib.h>

/* Of more sockets than this, the first are forgotten. */
#define SOCKET_MAX 1024

static void forget_oldest(struct talks *t)
{
    struct talk_socket **at = &t->sockets;
    for (unsigned i = 0; i < SOCKET_MAX && *at != NULL; i++)
        at = &(*at)->next;
    while (*at != NULL) {
        struct talk_socket *s = *at;
        *at = s->next;
        free(s);
    }
}

/* Puts a copy of SOCKET first, in place of an older one by that name. */
static struct talk_socket *add(struct talks *t, struct talk_socket socket)
{
    struct talk_socket **at = &t->sockets, *s;
    while ((s = *at) != NULL && (s->host != socket.host ||
                                 s->pid != socket.pid || s->fd != socket.fd))
        at = &s->next;
    if (s != NULL)
        *at = s->next;
    else
        s = malloc(sizeof *s);
    if (s == NULL) {
        t->out_of_memory = true;
        return NULL;
    }
    *s = socket;
    s->next = t->sockets;
    t->sockets = s;
    forget_oldest(t);
    return s;
}

/* A program's own descriptor; else, after a fork, its parent's, which is
 * noted as its own from then on. */
static struct talk_socket *find(struct talks *t, enum host_id host, pid_t pid,
                                int fd)
{
    struct talk_socket *inherited = NULL;
    for (struct talk_socket *s = t->sockets; s != NULL; s = s->next) {
        if (s->host != host || s->fd != fd)
            continue;
        if (s->pid == pid)
            return s->closed ? NULL : s;
        if (inherited == NULL)
            inherited = s;
    }
    if (inherited == NULL)
        return NULL;
    struct talk_socket own = *inherited;
    own.pid = pid;
    own.closed = false;
    return add(t, own);
}

/* The conversation that PEER has begun with this very socket by calling first
 * (a simultaneous open), or NULL. */
static struct talk *called_by(struct talks *t, const struct talk_socket *s,
                              const struct addr *peer)
{
    for (struct talk *k = t->first; k != NULL && s->port != 0; k = k->next) {
        const struct addr *other = &k->end[talk_other(s->host)];
        if (k->proto == IPPROTO_TCP && !k->side[s->host].sent &&
            addr_port(&k->end[s->host]) == s->port &&
            (other->len == 0 || addr_equal(other, peer)))
            return k;
    }
    return NULL;
}

/* A TCP connect begins a conversation before its SYN tells the port. */
static struct talk *connects(struct talks *t, struct talk_socket *s,
                             const struct call *c)
{
    struct addr peer = addr_unmap(&c->addr);
    if (s->talk != NULL || s->proto != IPPROTO_TCP || c->returned ||
        peer.len == 0 || addr_is_loopback(&peer))
        return s->talk;
    s->talk = called_by(t, s, &peer);
    if (s->talk == NULL)
        s->talk = talks_new(t, IPPROTO_TCP);
    if (s->talk != NULL)
        s->talk->end[talk_other(s->host)] = peer;
    return s->talk;
}

/* The conversation that accept returns without its name: the one that waits
 * longest for it on that port. NULL if states did not tell. */
static struct talk *next_in_queue(struct talks *t, enum host_id host,
                                  const struct talk_socket *listener)
{
    struct talk *next = NULL;
    for (struct talk *k = t->first; k != NULL; k = k->next)
        if (k->queued != 0 && listener != NULL &&
            addr_port(&k->end[host]) == listener->port &&
            (next == NULL || k->queued < next->queued))
            next = k;
    return next;
}

static struct talk *accepts(struct talks *t, enum host_id host, pid_t pid,
                            const struct call *c)
{
    t->accept_called = true;
    if (!c->returned || c->result < 0)
        return NULL;
    struct talk *talk = talks_peer(t, IPPROTO_TCP, host, &c->addr);
    if (talk == NULL && c->addr.len == 0) /* accept(3, NULL, NULL) */
        talk = next_in_queue(t, host, find(t, host, pid, c->fd));
    if (talk == NULL && c->addr.len == 0 && t->count == 1)
        talk = t->first; /* there is only one */
    if (talk != NULL && !talk->open)
        talk->accepted = true;
    if (talk != NULL)
        talk->queued = 0;
    add(t, (struct talk_socket){.host = host,
                                .pid = pid,
                                .fd = (int)c->result,
                                .proto = IPPROTO_TCP,
                                .talk = talk});
    return talk;
}

static void note_reply(struct talks *t, enum host_id host, const struct call *c)
{
    if (!talk_receives(c) || host != HOST_CLIENT || !t->asked ||
        t->reply_read || !c->returned || c->result <= 0)
        return;
    t->reply_read = true;
    t->totals.reply_ns = c->end_ns;
}

struct talk *talks_call(struct talks *t, enum host_id host, pid_t pid,
                        struct call *c)
{
    bool ok = c->returned && c->result >= 0;
    if (c->id == CALL_SOCKET) {
        if (ok)
            add(t, (struct talk_socket){.host = host,
                                        .pid = pid,
                                        .fd = (int)c->result,
                                        .proto = c->proto});
        return NULL;
    }
    if (c->id == CALL_ACCEPT)
        return accepts(t, host, pid, c);
    note_reply(t, host, c);
    struct talk_socket *s = find(t, host, pid, c->fd);
    if (s == NULL)
        return NULL;
    if (c->proto == 0)
        c->proto = s->proto;
    if (c->id == CALL_BIND && ok)
        s->port = addr_port(&c->addr);
    if (c->id == CALL_LISTEN && ok)
        s->listening = t->listen_called = true;
    if (c->id == CALL_CLOSE)
        s->closed = true;
    if (c->id == CALL_CONNECT)
        return connects(t, s, c);
    if (c->proto == IPPROTO_UDP && c->addr.len != 0 && c->id != CALL_BIND)
        return talks_peer(t, IPPROTO_UDP, host, &c->addr);
    return s->talk;
}

void talks_hold(struct talks *t, enum host_id host, pid_t pid, int fd,
                struct talk *talk)
{
    struct talk_socket *s = find(t, host, pid, fd);
    if (s != NULL && host == HOST_CLIENT)
        s->talk = talk;
}

struct talk *talks_state(struct talks *t, enum host_id host,
                         const struct event_state *s)
{
    if (s->peer.len == 0)
        return NULL;
    struct talk *talk = talks_find(t, IPPROTO_TCP, host, &s->local, &s->peer);
    if (talk != NULL && s->to == TCP_STATE_TIME_WAIT)
        talk->side[host].time_wait = true;
    if (talk != NULL && s->to == TCP_STATE_ESTABLISHED && host != talk->caller)
        talk->queued = ++t->queued;
    return talk;
}

const struct talk_socket *talks_listener(const struct talks *t,
                                         enum host_id host, uint16_t port)
{
    for (const struct talk_socket *s = t->sockets; s != NULL; s = s->next)
        if (s->host == host && s->listening && !s->closed && s->port == port)
            return s;
    return NULL;
}

bool talks_is_listening(const struct talks *t, enum host_id host, pid_t pid,
                        int fd)
{
    bool inherited = false;
    for (const struct talk_socket *s = t->sockets; s != NULL; s = s->next) {
        if (s->host != host || s->fd != fd)
            continue;
        if (s->pid == pid)
            return s->listening && !s->closed;
        inherited |= s->listening;
    }
    return inherited;
}

const struct talk_socket *talks_holder(const struct talks *t, enum host_id host,
                                       const struct talk *talk)
{
    for (const struct talk_socket *s = t->sockets; s != NULL; s = s->next)
        if (s->host == host && !s->closed && s->talk == talk)
            return s;
    return NULL;
}
