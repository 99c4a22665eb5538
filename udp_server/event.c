/* SPDX-License-Identifier: MIT
 *
 * Event: the same datagrams, on a loop. There is still one socket and nothing
 * to remember of a peer, so the loop gains nothing by itself: it is for
 * waiting for something else beside, as tcp_server --with-udp does.
 * Read next: ../common/ev_udp.c. Twin: ../tcp_server/event.c.
 */
#include "server.h"

#include "ev_loop.h"
#include "ev_udp.h"

/* lab: event-loop */
int event_serve(struct server *s, struct err *e)
{
    struct ev_loop loop;
    if (ev_loop_open(&loop, s, 0, e) < 0)
        return -1;
    struct ev_udp *udp = ev_udp_new(&loop, e);
    int result = udp != NULL ? ev_loop_run(&loop, e) : -1;
    ev_udp_free(udp);
    ev_loop_close(&loop);
    return result;
}
/* end lab */
