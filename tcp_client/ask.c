/* SPDX-License-Identifier: MIT
 *
 * Ask: one line there, the reply back, then the textbook's close: this side
 * first. The calls wait, so that each step is seen where it happens. The reply
 * ends with a newline, because on a stream no recv tells where a message ends.
 * Read next: pipe.c. Twin: ../udp_client/ask.c.
 */
#include "client.h"

#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <string.h>

enum { BUFFER = 64 * 1024 };

/* TEXT and a newline. */
static int send_line(struct client *c, const char *text, struct err *e)
{
    char line[BUFFER];
    size_t len = strlen(text);
    if (len + 1 > sizeof line)
        return err_set(e, STATUS_USAGE, "--ask: longer than %d bytes",
                       BUFFER - 1);
    memcpy(line, text, len);
    line[len++] = '\n';
    return client_send(c, line, len, c->fin_with_data ? MSG_MORE : 0, e);
}

/* One recv and its bytes to stdout. Returns the count, 0 at the server's end,
 * or -1 and *e. *newline is set if one was among them. */
static ssize_t receive(struct client *c, bool *newline, struct err *e)
{
    char buf[BUFFER];
    ssize_t n = sock_recv(c->fd, buf, sizeof buf, 0, e);
    if (n < 0 && e->sys == EAGAIN)
        return err_set(e, STATUS_TIMEOUT, "no reply within the --timeout");
    if (n <= 0)
        return n;
    c->received_bytes += (uint64_t)n;
    *newline = *newline || memchr(buf, '\n', (size_t)n) != NULL;
    return client_deliver(c, buf, (size_t)n, e) < 0 ? -1 : n;
}

/* FIN: this side has said all it will say. That it fails means that the server
 * is gone; recv tells how. */
static void half_close(struct client *c)
{
    if (c->first_closer == NULL)
        c->first_closer = "client";
    sock_shutdown(c->fd, SHUT_WR, NULL);
}

int ask_run(struct client *c, const char *text, struct err *e)
{
    bool replied = false;
    ssize_t n = 1;
    if (sock_timeout(c->fd, c->timeout_ns, e) < 0 || send_line(c, text, e) < 0)
        return -1;
    if (c->fin_with_data)
        half_close(c);
    while (n > 0 && !replied)
        n = receive(c, &replied, e);
    if (n == 0 && c->first_closer == NULL)
        c->first_closer = "server";
    if (n >= 0 && !c->fin_with_data && !c->reset)
        half_close(c);
    while (n > 0 && !c->reset)
        n = receive(c, &replied, e);
    if (n < 0)
        return stop_signal() != 0 ? 0 : -1;
    if (c->received_bytes == 0)
        return err_set(e, STATUS_RESET, "the server closed without a reply");
    return 0;
}
