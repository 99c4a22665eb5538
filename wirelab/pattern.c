/* SPDX-License-Identifier: MIT
 *
 * pattern: events held against patterns. See pattern.h for what each means.
 * Read next: expect.c.
 */
#include "pattern.h"

#include <string.h>
#include <sys/wait.h>

bool compared_holds(int64_t value, const struct compared *c)
{
    switch (c->how) {
    case COMPARE_ANY:
        return true;
    case COMPARE_EQUAL:
        return value == c->with;
    case COMPARE_UNEQUAL:
        return value != c->with;
    case COMPARE_LESS:
        return value < c->with;
    case COMPARE_AT_MOST:
        return value <= c->with;
    case COMPARE_MORE:
        return value > c->with;
    case COMPARE_AT_LEAST:
        return value >= c->with;
    }
    return false;
}

/* What keeps a network alive, but is no part of any lesson on transport:
 * ARP, IGMP, neighbours and multicast listeners of IPv6. */
static bool is_background(const struct frame *f)
{
    if (f->kind == FRAME_ICMP && f->ip_version == 6)
        return f->icmp_type >= 130 && f->icmp_type <= 143;
    return f->kind == FRAME_ARP || f->kind == FRAME_OTHER ||
           (f->kind == FRAME_IP && f->ip_protocol == IPPROTO_IGMP);
}

static bool flags_match(const struct pattern *p, const struct frame *f)
{
    const uint8_t marks = TCP_SYN | TCP_FIN | TCP_RST;
    if (f->kind != FRAME_TCP || (f->flags & p->flags) != p->flags ||
        (f->flags & marks) != (p->flags & marks))
        return false;
    if (p->flags == TCP_SYN)
        return (f->flags & TCP_ACK) == 0;
    if (p->flags == TCP_ACK && p->bytes.how == COMPARE_ANY)
        return f->payload_len == 0;
    return true;
}

static bool frame_is(const struct pattern *p, const struct frame *f)
{
    bool is_plain = (f->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;
    switch (p->frame) {
    case PATTERN_FRAME:
        return true;
    case PATTERN_FLAGS:
        return flags_match(p, f);
    case PATTERN_DATA:
        return f->kind == FRAME_TCP && is_plain && f->payload_len > 0;
    case PATTERN_BYTES:
        return (f->kind == FRAME_TCP && is_plain && f->payload_len > 0) ||
               f->kind == FRAME_UDP;
    case PATTERN_UDP:
        return f->kind == FRAME_UDP;
    case PATTERN_ICMP:
        return f->kind == FRAME_ICMP;
    case PATTERN_ARP:
        return f->kind == FRAME_ARP;
    }
    return false;
}

/* A number of the sequence space, relative to where its side began. */
static bool relative_match(const struct compared *c,
                           const struct event_frame *f, enum host_id side,
                           uint32_t number)
{
    return c->how == COMPARE_ANY ||
           (f->isn_known[side] && compared_holds(number - f->isn[side], c));
}

static bool icmp_matches(const struct pattern *p, const struct frame *f)
{
    char name[40];
    return p->part_len == 0 ||
           strstr(frame_icmp_name(f, name, sizeof name), p->part) != NULL;
}

static bool attributes_match(const struct pattern *p,
                             const struct event_frame *f)
{
    enum host_id other = f->from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
    const struct frame *frame = &f->frame;
    bool again_matches =
        !p->has_again || (p->again == AGAIN_UNKNOWN ? f->again != AGAIN_NO
                                                    : f->again == p->again);
    return compared_holds((int64_t)frame->payload_len, &p->bytes) &&
           relative_match(&p->seq, f, f->from, frame->seq) &&
           (p->ack.how == COMPARE_ANY || (frame->flags & TCP_ACK) != 0) &&
           relative_match(&p->ack, f, other, frame->ack) &&
           compared_holds(f->window_bytes, &p->window) &&
           compared_holds(addr_port(&frame->destination), &p->port) &&
           (!p->has_fate || f->fate == p->fate) &&
           (p->by[0] == '\0' || strcmp(p->by, f->by) == 0) && again_matches &&
           (!p->is_copy || f->copy > 0) && icmp_matches(p, frame);
}

static enum pattern_match match_frame(const struct pattern *p,
                                      const struct event_frame *f)
{
    if (is_background(&f->frame) && p->frame != PATTERN_ARP)
        return MATCH_ELSEWHERE;
    if (f->from != p->host || !frame_is(p, &f->frame))
        return MATCH_NO;
    return attributes_match(p, f) ? MATCH_YES : MATCH_NEAR;
}

static enum pattern_match match_state(const struct pattern *p,
                                      const struct event *e)
{
    if (e->host != p->host || e->state.from == e->state.to)
        return MATCH_ELSEWHERE;
    bool is_listener = e->state.peer.len == 0;
    if (is_listener != (p->lane == IN_LISTEN))
        return MATCH_ELSEWHERE;
    enum tcp_state to = e->state.to;
    if (to == TCP_STATE_NONE)
        to = TCP_STATE_CLOSED;
    return to == p->state ? MATCH_YES : MATCH_NO;
}

/* Calls that only prepare or ask: they count when they are asked for. */
static bool is_side_call(const struct call *c)
{
    return c->id >= CALL_SETSOCKOPT;
}

static bool holds(const void *data, size_t len, const struct pattern *p)
{
    return p->part_len == 0 ||
           (data != NULL && memmem(data, len, p->part, p->part_len) != NULL);
}

static enum pattern_match match_call(const struct pattern *p,
                                     const struct event *e)
{
    const struct call *c = &e->call, plain = {.id = c->id};
    bool is_named = strcmp(call_name(c), p->call) == 0 ||
                    strcmp(call_name(&plain), p->call) == 0;
    bool begins = !c->returned;
    if (e->host != p->host || begins != (p->lane == IN_CALL_BEGIN) ||
        (is_side_call(c) && !is_named))
        return MATCH_ELSEWHERE;
    if (!is_named)
        return MATCH_NO;
    bool error_matches =
        p->error[0] == '\0' ||
        (c->error != 0 && strcmp(call_errno_name(c->error), p->error) == 0);
    return error_matches && (begins || compared_holds(c->result, &p->result)) &&
                   holds(c->data, c->data_len, p)
               ? MATCH_YES
               : MATCH_NEAR;
}

static enum pattern_match match_exit(const struct pattern *p,
                                     const struct event *e)
{
    int status = e->exit.status;
    if (e->host != p->host)
        return MATCH_ELSEWHERE;
    if (p->is_killed ? !WIFSIGNALED(status) : !WIFEXITED(status))
        return MATCH_NO;
    int value = p->is_killed ? WTERMSIG(status) : WEXITSTATUS(status);
    return compared_holds(value, &p->result) ? MATCH_YES : MATCH_NEAR;
}

static enum pattern_match match_text(const struct pattern *p,
                                     const struct event *e, const char *text)
{
    if (e->host != p->host || text == NULL)
        return MATCH_ELSEWHERE;
    return holds(text, strlen(text), p) ? MATCH_YES : MATCH_NO;
}

static bool is_in_lane(enum pattern_lane lane, enum event_kind kind)
{
    static const enum event_kind kinds[] = {
        [IN_SENT] = EVENT_SENT,     [IN_RECEIVED] = EVENT_RECEIVED,
        [IN_STATE] = EVENT_STATE,   [IN_LISTEN] = EVENT_STATE,
        [IN_CALL] = EVENT_CALL,     [IN_CALL_BEGIN] = EVENT_CALL,
        [IN_OUTPUT] = EVENT_OUTPUT, [IN_EXIT] = EVENT_EXIT,
        [IN_REMARK] = EVENT_REMARK,
    };
    return kinds[lane] == kind;
}

enum pattern_match pattern_match(const struct pattern *p, const struct event *e)
{
    if (!is_in_lane(p->lane, e->kind))
        return MATCH_ELSEWHERE;
    switch (e->kind) {
    case EVENT_SENT:
    case EVENT_RECEIVED:
        return match_frame(p, &e->frame);
    case EVENT_STATE:
        return match_state(p, e);
    case EVENT_CALL:
        return match_call(p, e);
    case EVENT_OUTPUT:
        return match_text(p, e, e->output.text);
    case EVENT_EXIT:
        return match_exit(p, e);
    case EVENT_REMARK:
        return match_text(p, e, e->remark);
    }
    return MATCH_ELSEWHERE;
}
