/* SPDX-License-Identifier: MIT
 *
 * gate: may the client start? See gate.h for the contract.
 */
#include "gate.h"

#include "diag.h"

#include <string.h>

struct look {
    struct gate_view *view;
    int proto;
};

static void see(const struct diag_socket *s, void *context)
{
    const struct look *look = context;
    if (addr_port(&s->local) == 0)
        return;
    if (!addr_is_loopback(&s->local)) {
        look->view->reachable++;
        return;
    }
    look->view->loopback++;
    look->view->proto = look->proto;
    look->view->local = s->local;
}

void gate_look(int diag, struct gate_view *v)
{
    memset(v, 0, sizeof *v);
    struct look tcp = {v, IPPROTO_TCP}, udp = {v, IPPROTO_UDP};
    /* If the kernel will not say, nothing is seen: the wait then ends by its
     * limit, which says so. */
    diag_listeners(diag, IPPROTO_TCP, see, &tcp);
    diag_listeners(diag, IPPROTO_UDP, see, &udp);
}
