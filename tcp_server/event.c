/* SPDX-License-Identifier: MIT
 *
 * Event: one thread for all clients. Nothing is handed over; the loop waits
 * for every descriptor at once and calls back the one that is ready. With
 * --with-udp a datagram socket with the same port number is on it too.
 * Read next: ../common/ev_tcp.c and, side by side with it, ../common/ev_udp.c.
 */
#include "server.h"

#include "ev_loop.h"
#include "ev_tcp.h"
#include "ev_udp.h"

/* lab: event-loop */
int event_serve(struct server *s, struct err *e)
{
    struct ev_loop loop;
    struct ev_udp *udp = NULL;
    struct ev_tcp *tcp = NULL;
    int result = ev_loop_open(&loop, s, 0, e);
    if (result < 0)
        return -1;
    if (s->fd >= 0 && (udp = ev_udp_new(&loop, e)) == NULL)
        result = -1;
    if (result == 0 && (tcp = ev_tcp_new(&loop, e)) == NULL)
        result = -1;
    if (result == 0 && udp != NULL)
        ev_tcp_take_turns(tcp, ev_udp_turn, udp);
    if (result == 0)
        result = ev_loop_run(&loop, e);
    ev_tcp_free(tcp);
    ev_udp_free(udp);
    ev_loop_close(&loop);
    return result;
}
/* end lab */
