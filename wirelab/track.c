/* SPDX-License-Identifier: MIT
 *
 * track: what is sent again, and why; what a window says. See track.h for the
 * contract.
 */
#include "track.h"

#include "diag.h"

/* A SYN is repeated by its timer alone. A SYN+ACK also answers a SYN that
 * came again, which is neither a timeout nor news of later data; and the first
 * one, of a side that called too (a simultaneous open), repeats nothing. */
static enum again why_syn(struct track_slot *s, enum host_id from,
                          const struct frame *f, bool is_first)
{
    bool asked = s->syn_again[1 - from];
    if ((f->flags & TCP_ACK) == 0) {
        s->syn_again[from] = true;
        return AGAIN_TIMEOUT;
    }
    s->syn_again[1 - from] = false;
    if (is_first)
        return AGAIN_NO;
    return asked ? AGAIN_UNKNOWN : AGAIN_TIMEOUT;
}

static enum again why_data(const struct flow *flow, enum host_id from, int diag)
{
    struct tcp_info info;
    if (diag_info(diag, &flow->end[from], &flow->end[1 - from], &info) < 0)
        return AGAIN_UNKNOWN;
    return info.tcpi_ca_state == TCP_CA_Recovery ? AGAIN_ACKS : AGAIN_TIMEOUT;
}

static struct track_slot *find(struct track *t, const struct flow *flow,
                               size_t slot)
{
    struct track_slot *s = &t->slot[slot];
    if (s->flow != flow->number)
        *s = (struct track_slot){.flow = flow->number};
    return s;
}

enum again track_sent(struct track *t, const struct flow *flow, size_t slot,
                      enum host_id from, const struct frame *f, int diag)
{
    struct track_slot *s = find(t, flow, slot);
    if (f->flags & TCP_SYN) {
        s->scaled[from] = f->window_scale >= 0;
        s->scale[from] = s->scaled[from] ? (uint8_t)f->window_scale : 0;
    }
    uint32_t len = frame_seq_len(f), end = f->seq + len;
    if (len == 0)
        return AGAIN_NO;
    bool again = s->began[from] && (int32_t)(f->seq - s->end[from]) < 0;
    if (!s->began[from] || (int32_t)(end - s->end[from]) > 0)
        s->end[from] = end;
    s->began[from] = true;
    bool answered = s->answered[from];
    s->answered[from] |=
        (f->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    if (!again)
        return AGAIN_NO;
    return f->flags & TCP_SYN ? why_syn(s, from, f, !answered)
                              : why_data(flow, from, diag);
}

uint32_t track_window(const struct track *t, const struct flow *flow,
                      size_t slot, enum host_id from, const struct frame *f)
{
    const struct track_slot *s = &t->slot[slot];
    /* In a SYN it is never scaled; later if both have offered to. */
    bool scaled = s->flow == flow->number && !(f->flags & TCP_SYN) &&
                  s->scaled[HOST_CLIENT] && s->scaled[HOST_SERVER];
    unsigned bits = scaled ? s->scale[from] : 0;
    return (uint32_t)f->window << (bits < 14 ? bits : 14);
}
