/* SPDX-License-Identifier: MIT
 *
 * Pipe: stdin to the peer and the peer to stdout, both at once. A stream has
 * two directions, and each ends on its own: at the end of input this side
 * sends FIN (half-close) and goes on reading until the peer's FIN.
 * Twin: ../udp_client/pipe.c, where nothing ends, so that a time-out must do.
 */
#include "client.h"

#include "clock.h"
#include "lang.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdalign.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024 };

/* One direction. Bytes wait in the buffer until the other side takes them;
 * nothing more is read meanwhile, so that memory stays what it is. */
struct flow {
    alignas(SOCK_ALIGN) char buf[BUFFER];
    size_t begin, end; /* what is still to be written */
    bool ended;        /* nothing more will be read */
};

struct pipe {
    struct client *client;
    struct flow up, down;  /* stdin to the peer, the peer to stdout */
    bool shut;             /* FIN is on its way */
    size_t stdout_step;    /* how much stdout surely takes without blocking */
    struct err send_error; /* why the peer takes no more; status 0: it does */
};

static size_t waiting(const struct flow *f)
{
    return f->end - f->begin;
}

/* The last bytes are held back under --fin-with-data until more input comes,
 * or none: then they leave together with FIN. */
static bool held_back(const struct pipe *p)
{
    return p->client->fin_with_data && !p->up.ended &&
           p->up.end < sizeof p->up.buf;
}

static int read_input(struct pipe *p, struct err *e)
{
    struct flow *up = &p->up;
    ssize_t n = read(STDIN_FILENO, up->buf + up->end, BUFFER - up->end);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return err_sys(e, "read stdin");
    if (n == 0)
        up->ended = true;
    if (n > 0)
        up->end += (size_t)n;
    return 0;
}

/* Whatever the socket takes now. A peer that is gone ends this direction
 * only: what it has sent is still to be read. */
static void send_some(struct pipe *p)
{
    struct flow *up = &p->up;
    int flags = MSG_DONTWAIT | (p->client->fin_with_data ? MSG_MORE : 0);
    ssize_t n = sock_send(p->client->fd, up->buf + up->begin, waiting(up),
                          flags, &p->send_error);
    if (n < 0 && p->send_error.sys == EAGAIN) {
        p->send_error.status = STATUS_OK;
    } else if (n < 0) {
        up->begin = up->end = 0;
        up->ended = p->shut = true;
    } else {
        up->begin += (size_t)n;
        p->client->sent_bytes += (uint64_t)n;
    }
    if (up->begin == up->end)
        up->begin = up->end = 0;
}

static int receive_some(struct pipe *p, struct err *e)
{
    struct flow *down = &p->down;
    struct client *c = p->client;
    ssize_t n = sock_recv(c->fd, down->buf, BUFFER, MSG_DONTWAIT, e);
    if (n < 0)
        return e->sys == EAGAIN || e->sys == EINTR ? 0 : -1;
    down->begin = 0;
    down->end = (size_t)n;
    c->received_bytes += (uint64_t)n;
    if (n > 0)
        return 0;
    down->ended = true;
    if (p->shut)
        return 0;
    c->first_closer = "server";
    if (p->send_error.status == STATUS_OK)
        out_remark(c->out, "%s",
                   c->until_peer
                       ? _("the server closed first (FIN); closing too")
                       : _("the server closed first (FIN); this side ends with "
                           "its input"));
    return 0;
}

static int write_output(struct pipe *p, struct err *e)
{
    struct flow *down = &p->down;
    size_t n = waiting(down) < p->stdout_step ? waiting(down) : p->stdout_step;
    if (client_deliver(p->client, down->buf + down->begin, n, e) < 0)
        return -1;
    down->begin += n;
    return 0;
}

/* FIN, behind everything that was sent: half-close. */
static int end_input(struct pipe *p, struct err *e)
{
    p->shut = true;
    if (p->client->first_closer == NULL)
        p->client->first_closer = "client";
    if (sock_shutdown(p->client->fd, SHUT_WR, e) < 0 && p->down.ended)
        return -1;
    return 0; /* if the server is gone, recv tells how */
}

/* Waits until something can be done, and notes in the three entries what:
 * stdin, the socket, stdout. Returns 1, 0 after too long a silence, or -1. */
static int wait_any(struct pipe *p, struct pollfd fds[3], struct err *e)
{
    bool down_free = waiting(&p->down) == 0;
    bool can_send = waiting(&p->up) > 0 && !held_back(p);
    bool can_read = !p->up.ended && p->up.end < BUFFER && !can_send;
    uint64_t timeout = p->client->timeout_ns;
    fds[0] = (struct pollfd){can_read ? STDIN_FILENO : -1, POLLIN, 0};
    fds[1] = (struct pollfd){p->client->fd, 0, 0};
    fds[2] = (struct pollfd){down_free ? -1 : STDOUT_FILENO, POLLOUT, 0};
    if (down_free && !p->down.ended)
        fds[1].events |= POLLIN;
    if (can_send)
        fds[1].events |= POLLOUT;
    if (fds[1].events == 0)
        fds[1].fd = -1; /* else its POLLHUP would wake us for nothing */
    int ready =
        poll(fds, 3, clock_poll_ms(timeout != 0 ? timeout : UINT64_MAX));
    if (ready < 0 && errno != EINTR)
        return err_sys(e, "poll");
    if (ready < 0)
        fds[0].revents = fds[1].revents = fds[2].revents = 0;
    return ready == 0 ? 0 : 1;
}

static int step(struct pipe *p, struct err *e)
{
    struct pollfd fds[3];
    int ready = wait_any(p, fds, e);
    if (ready < 0)
        return -1;
    if (ready == 0)
        return err_set(e, STATUS_TIMEOUT,
                       "silence: nothing was sent or "
                       "received for the --timeout");
    if (fds[0].revents != 0 && read_input(p, e) < 0)
        return -1;
    if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
        (fds[1].events & POLLIN) != 0 && receive_some(p, e) < 0)
        return -1;
    if (fds[2].revents != 0 && write_output(p, e) < 0)
        return -1;
    if ((fds[1].events & POLLOUT) != 0 && fds[1].revents != 0)
        send_some(p);
    return 0;
}

/* A pipe that poll calls writable takes PIPE_BUF bytes; a file takes all. */
static size_t stdout_step(void)
{
    struct stat st;
    bool file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    return file ? BUFFER : PIPE_BUF;
}

int pipe_run(struct client *c, struct err *e)
{
    struct pipe p = {.client = c, .stdout_step = stdout_step()};
    if (isatty(STDIN_FILENO))
        out_remark(c->out, "connected: what you type is sent at Enter; Ctrl-D "
                           "ends it");
    while (stop_signal() == 0) {
        bool down_done = p.down.ended && waiting(&p.down) == 0;
        bool up_done = p.up.ended && waiting(&p.up) == 0;
        if ((down_done && (up_done || c->until_peer)) || (up_done && c->reset))
            break;
        if (up_done && !p.shut && !c->no_half_close && end_input(&p, e) < 0)
            return -1;
        if (step(&p, e) < 0)
            return -1;
    }
    while (waiting(&p.down) > 0) /* a signal came; this came before it */
        if (write_output(&p, e) < 0)
            return -1;
    if (p.send_error.status != STATUS_OK && e != NULL) {
        *e = p.send_error;
        return -1;
    }
    return 0;
}
