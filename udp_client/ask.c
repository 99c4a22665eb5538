/* SPDX-License-Identifier: MIT
 *
 * Ask: one datagram there, one back. No connection is made and none is closed;
 * a reply is one datagram, however long. If it does not come, nobody says why.
 * Read next: pipe.c. Twin: ../tcp_client/ask.c.
 */
#include "client.h"

#include "clock.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <string.h>

int ask_run(struct client *c, const char *text, struct err *e)
{
    char line[DATAGRAM_BUFFER];
    size_t len = strlen(text);
    if (len + 1 > sizeof line)
        return err_set(e, STATUS_USAGE, "--ask: longer than %d bytes",
                       DATAGRAM_BUFFER - 1);
    memcpy(line, text, len);
    line[len++] = '\n';
    if (c->timeout_ns != 0 && sock_timeout(c->fd, c->timeout_ns, e) < 0)
        return -1;
    if (client_send(c, line, len, e) < 0)
        return -1;
    uint64_t end_ns = clock_now_ns() + c->timeout_ns;
    int got = 0;
    while (c->timeout_ns != 0 && got == 0 && stop_signal() == 0) {
        e->sys = 0;
        got = client_receive(c, 0, e);
        bool silent = e->sys == EAGAIN || clock_now_ns() >= end_ns;
        if (got == 0 && silent) /* strangers may have spoken */
            return err_set(e, STATUS_TIMEOUT,
                           "no reply within the --timeout: lost, or nobody "
                           "answers; UDP does not tell");
    }
    return got < 0 && stop_signal() == 0 ? -1 : 0;
}
