/* SPDX-License-Identifier: MIT
 *
 * again: what is sent again, and why. See again.h for the contract.
 */
#include "again.h"

#include "diag.h"

/* A SYN is repeated by its timer alone. A SYN+ACK also answers a SYN that
 * came again, which is neither a timeout nor news of later data. */
static enum again why_syn(struct again_slot *s, enum host_id from,
                          const struct frame *f)
{
    enum host_id to = from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
    bool asked = s->syn_again[to];
    if ((f->flags & TCP_ACK) == 0) {
        s->syn_again[from] = true;
        return AGAIN_TIMEOUT;
    }
    s->syn_again[to] = false;
    return asked ? AGAIN_UNKNOWN : AGAIN_TIMEOUT;
}

static enum again why_data(const struct flow *flow, enum host_id from, int diag)
{
    enum host_id to = from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
    struct tcp_info info;
    if (diag_info(diag, &flow->end[from], &flow->end[to], &info) < 0)
        return AGAIN_UNKNOWN;
    return info.tcpi_ca_state == TCP_CA_Recovery ? AGAIN_ACKS : AGAIN_TIMEOUT;
}

enum again again_see(struct again_table *t, const struct flow *flow,
                     size_t slot, enum host_id from, const struct frame *f,
                     int diag)
{
    struct again_slot *s = &t->slot[slot];
    if (s->flow != flow->number)
        *s = (struct again_slot){.flow = flow->number};
    uint32_t len = frame_seq_len(f), end = f->seq + len;
    if (len == 0)
        return AGAIN_NO;
    if (s->began[from] && (int32_t)(f->seq - s->end[from]) < 0) {
        if ((int32_t)(end - s->end[from]) > 0)
            s->end[from] = end;
        return f->flags & TCP_SYN ? why_syn(s, from, f)
                                  : why_data(flow, from, diag);
    }
    s->began[from] = true;
    s->end[from] = end;
    return AGAIN_NO;
}
