/* SPDX-License-Identifier: MIT
 *
 * Iterative: one client at a time. The calls stand in the textbook's order:
 * accept, recv, send, close, and again. The next client's handshake is done by
 * the kernel meanwhile: it waits, connected, in the backlog.
 * Read next: conn.c for the conversation, fork.c for many at once.
 */
#include "server.h"

#include "sock.h"
#include "stop.h"

/* lab: accept-loop */
int iterative_serve(struct server *s, struct err *e)
{
    uint64_t served = 0;
    while (stop_signal() == 0 && (s->count == 0 || served < s->count)) {
        struct model_conn c = {0};
        conn_wait(s->accept_delay_ns);
        int cfd = sock_accept(s->lfd, &c.peer, e);
        if (cfd < 0) {
            if (conn_survives(s, e))
                continue;
            return stop_signal() != 0 ? 0 : -1;
        }
        conn_note_local(s, cfd, &c);
        model_connected(s, &c);
        conn_serve(s, cfd, &c);
        sock_close(cfd);
        served++;
    }
    return 0;
}
/* end lab */
