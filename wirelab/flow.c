/* SPDX-License-Identifier: MIT
 *
 * flow: TCP connections on the wire. See flow.h for the contract.
 */
#include "flow.h"

#include <stddef.h>

/* A connection may stand in any of so many slots after its own. */
#define WAYS 8

static unsigned home_slot(const struct addr *a, const struct addr *b)
{
    uint32_t ports = (uint32_t)addr_port(a) << 16 | addr_port(b);
    return ports * UINT32_C(2654435761) >> 22; /* 10 bits: FLOW_SLOTS */
}

static struct flow *slot_for(struct flow_table *t, const struct addr *client,
                             const struct addr *server)
{
    unsigned home = home_slot(client, server);
    struct flow *oldest = NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        struct flow *flow = &t->slot[(home + i) % FLOW_SLOTS];
        if (flow->number != 0 && addr_equal(&flow->end[HOST_CLIENT], client) &&
            addr_equal(&flow->end[HOST_SERVER], server))
            return flow;
        if (oldest == NULL || flow->used < oldest->used)
            oldest = flow;
    }
    *oldest = (struct flow){.end = {*client, *server}, .number = ++t->flows};
    return oldest;
}

static void guess(struct flow *flow, enum host_id side, uint32_t seq)
{
    if (flow->known[side] || flow->guessed[side])
        return;
    flow->guessed[side] = true;
    flow->isn[side] = seq - 1;
}

static void note_syn(struct flow_table *t, struct flow *flow, enum host_id from,
                     uint32_t seq)
{
    if (flow->known[from] && flow->isn[from] != seq)
        *flow = (struct flow){
            .end = {flow->end[HOST_CLIENT], flow->end[HOST_SERVER]},
            .number = ++t->flows};
    flow->known[from] = true;
    flow->isn[from] = seq;
}

const struct flow *flow_find(struct flow_table *t, enum host_id from,
                             const struct frame *f)
{
    bool is_client = from == HOST_CLIENT;
    enum host_id to = is_client ? HOST_SERVER : HOST_CLIENT;
    struct flow *flow = slot_for(t, is_client ? &f->source : &f->destination,
                                 is_client ? &f->destination : &f->source);
    if ((f->flags & TCP_SYN) != 0)
        note_syn(t, flow, from, f->seq);
    else
        guess(flow, from, f->seq);
    if ((f->flags & TCP_ACK) != 0)
        guess(flow, to, f->ack);
    flow->used = ++t->lookups;
    return flow;
}
