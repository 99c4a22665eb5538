/* SPDX-License-Identifier: MIT
 *
 * Pipe: stdin to the peer, a datagram a line, and replies to stdout, both at
 * once. A datagram goes whole or not at all, so there is nothing to hold back
 * and nothing to put together. And nothing ends: no FIN says that the peer is
 * done, so after the end of input a silence must.
 * Twin: ../tcp_client/pipe.c.
 */
#include "client.h"

#include "clock.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct pipe {
    struct client *client;
    char buf[DATAGRAM_BUFFER]; /* input that is no whole datagram yet */
    size_t len;
    bool ended;          /* nothing more will be read */
    uint64_t silence_ns; /* when the silence began; strangers do not break it */
};

/* How many bytes of the buffer are the next datagram, its newline with it; 0:
 * none is whole. A line too long for any datagram is one, so that the kernel
 * can refuse it. */
static size_t next_datagram(const struct pipe *p)
{
    if (p->client->block != 0)
        return p->len;
    const char *newline = memchr(p->buf, '\n', p->len);
    if (newline != NULL)
        return (size_t)(newline - p->buf) + 1;
    return p->ended || p->len == sizeof p->buf ? p->len : 0;
}

static int read_input(struct pipe *p, struct err *e)
{
    size_t block = p->client->block;
    size_t cap = block != 0 ? block : sizeof p->buf - p->len;
    ssize_t n = read(STDIN_FILENO, p->buf + p->len, cap);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return err_sys(e, "read stdin");
    if (n == 0)
        p->ended = true;
    p->silence_ns = clock_now_ns();
    if (n > 0)
        p->len += (size_t)n;
    return 0;
}

/* The next datagram, if one is whole. Returns 1, 0 if none is, or -1 and *e. */
static int send_next(struct pipe *p, struct err *e)
{
    size_t len = next_datagram(p);
    if (len == 0)
        return 0;
    bool newline = p->client->block == 0 && p->buf[len - 1] == '\n';
    size_t send = p->client->chomp && newline ? len - 1 : len;
    if (client_send(p->client, p->buf, send, e) < 0)
        return -1;
    p->len -= len;
    memmove(p->buf, p->buf + len, p->len);
    return 1;
}

/* How much longer the silence may last. */
static uint64_t patience_ns(const struct pipe *p)
{
    uint64_t end_ns = p->silence_ns + p->client->timeout_ns;
    uint64_t now_ns = clock_now_ns();
    return end_ns > now_ns ? end_ns - now_ns : 0;
}

/* Waits until something can be done, and notes in the two entries what: stdin,
 * the socket. Returns 0, or -1 and *e. */
static int wait_any(struct pipe *p, struct pollfd fds[2], struct err *e)
{
    bool may_read = !p->ended && next_datagram(p) == 0;
    uint64_t timeout = UINT64_MAX;
    if (p->ended)
        timeout = patience_ns(p);
    else if (!may_read)
        timeout = 0; /* there is something to send: only look */
    fds[0] = (struct pollfd){may_read ? STDIN_FILENO : -1, POLLIN, 0};
    fds[1] = (struct pollfd){p->client->fd, POLLIN, 0};
    int ready = poll(fds, 2, clock_poll_ms(timeout));
    if (ready < 0 && errno != EINTR)
        return err_sys(e, "poll");
    if (ready < 0)
        fds[0].revents = fds[1].revents = 0;
    return 0;
}

int pipe_run(struct client *c, struct err *e)
{
    struct pipe p = {.client = c};
    if (isatty(STDIN_FILENO))
        out_remark(c->out, "each line that you type is a datagram; Ctrl-D ends "
                           "it");
    while (stop_signal() == 0) {
        struct pollfd fds[2];
        int sent = send_next(&p, e);
        if (sent < 0 || (p.ended && sent == 0 && c->timeout_ns == 0))
            return sent;
        bool over = p.ended && patience_ns(&p) == 0;
        if (wait_any(&p, fds, e) < 0 ||
            (fds[0].revents != 0 && read_input(&p, e) < 0))
            return -1;
        int got = fds[1].revents != 0 ? client_receive(c, MSG_DONTWAIT, e) : 0;
        if (got < 0)
            return -1;
        if (got > 0)
            p.silence_ns = clock_now_ns();
        else if (over)
            break;
    }
    if (c->received == 0 && c->sent > 0 && stop_signal() == 0)
        return err_set(e, STATUS_TIMEOUT,
                       "no reply: lost, or nobody answers; UDP does not tell");
    return 0;
}
