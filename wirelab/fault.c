/* SPDX-License-Identifier: MIT
 *
 * fault: what happens to a frame. See fault.h for the contract. The way of a
 * frame is read from the bottom of this file upward: fault_decide asks the
 * rules, then chance, then lets the frame through the queue and along the
 * delay.
 */
#include "fault.h"

#include "flow.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define PERCENT_100 100000
#define QUEUE_DEFAULT 1000

/* How often each TCP segment was seen. A slot belongs to the last key that
 * came to it: memory is bounded, and what is forgotten counts from 1 again. */
#define SEEN_SLOTS 16384
struct seen {
    uint64_t key;
    uint64_t count;
};

/* The frames that wait for the rate, or are just being sent: when each will
 * have left. A ring in order of time. */
struct queue {
    uint64_t left_ns[FAULT_QUEUE + 1];
    unsigned head, len;
};

struct fault_state {
    struct flow_table flows;
    struct seen seen[SEEN_SLOTS];
    uint64_t of_kind[HOST_COUNT][RULE_KINDS]; /* frames so far */
    uint64_t total[HOST_COUNT];
    bool met[FAULT_RULES]; /* it has hit a frame */
    struct queue queue[HOST_COUNT];
    uint64_t held_until_ns[HOST_COUNT]; /* 0: no frame is held */
};

struct fault *fault_new(struct err *e)
{
    struct fault *f = calloc(1, sizeof *f);
    struct fault_state *state = calloc(1, sizeof *state);
    if (f == NULL || state == NULL) {
        err_sys(e, "memory for the wire");
        free(f);
        free(state);
        return NULL;
    }
    f->seed = 1;
    f->state = state;
    for (int host = 0; host < HOST_COUNT; host++) {
        f->link[host].delay_ns = FAULT_DELAY_NS;
        f->link[host].queue = QUEUE_DEFAULT;
        f->blackhole_ns[host] = UINT64_MAX;
    }
    return f;
}

void fault_free(struct fault *f)
{
    if (f == NULL)
        return;
    free(f->state);
    free(f);
}

/* Options. */

/* Reads "VALUE" for both directions or "HOST:VALUE" for one into the field of
 * SIZE bytes at OFFSET of struct fault_link. */
static int read_field(const char *text, const struct opt *o, opt_read_fn *read,
                      size_t offset, size_t size, struct err *e)
{
    struct fault *f = o->value;
    bool is_for[HOST_COUNT] = {true, true};
    const char *colon = strchr(text, ':'), *value_text = text;
    if (colon != NULL) {
        enum host_id only;
        if (!rule_read_host(text, (size_t)(colon - text), &only))
            return err_set(e, STATUS_USAGE,
                           "--%s '%.64s': before ':' stands client or server",
                           o->name, text);
        is_for[HOST_CLIENT] = only == HOST_CLIENT;
        is_for[HOST_SERVER] = only == HOST_SERVER;
        value_text = colon + 1;
    }
    union {
        uint64_t number;
        uint32_t percent;
    } value;
    struct opt plain = *o;
    plain.value = &value;
    if (read(value_text, &plain, e) < 0)
        return -1;
    for (int host = 0; host < HOST_COUNT; host++)
        if (is_for[host])
            memcpy((char *)&f->link[host] + offset, &value, size);
    return 0;
}

#define READ_FIELD(field, read)                                                \
    read_field(text, o, read, offsetof(struct fault_link, field),              \
               sizeof(((struct fault_link *)0)->field), e)

int fault_read_delay(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(delay_ns, opt_duration);
}

int fault_read_jitter(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(jitter_ns, opt_duration);
}

int fault_read_rate(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(rate_bps, opt_rate);
}

int fault_read_queue(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(queue, opt_number);
}

int fault_read_loss(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(loss, opt_percent);
}

int fault_read_duplicate(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(duplicate, opt_percent);
}

int fault_read_reorder(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(reorder, opt_percent);
}

int fault_read_corrupt(const char *text, const struct opt *o, struct err *e)
{
    return READ_FIELD(corrupt, opt_percent);
}

int fault_read_seed(const char *text, const struct opt *o, struct err *e)
{
    struct opt seed = *o;
    seed.value = &((struct fault *)o->value)->seed;
    return opt_number(text, &seed, e);
}

int fault_read_rule(const char *text, const struct opt *o, struct err *e)
{
    struct fault *f = o->value;
    if (f->rules == FAULT_RULES)
        return err_set(e, STATUS_USAGE, "--%s: at most %d rules", o->name,
                       FAULT_RULES);
    if (rule_parse(text, &f->rule[f->rules], e) < 0)
        return -1;
    f->rules++;
    return 0;
}

int fault_read_blackhole(const char *text, const struct opt *o, struct err *e)
{
    struct fault *f = o->value;
    size_t len = strcspn(text, "@");
    enum host_id host;
    if (!rule_read_host(text, len, &host) || text[len] == '\0')
        return err_set(e, STATUS_USAGE,
                       "--%s '%.64s': not a host and a time: client@2s",
                       o->name, text);
    struct opt time = *o;
    time.value = &f->blackhole_ns[host];
    return opt_duration(text + len + 1, &time, e);
}

int fault_check(const struct fault *f, struct err *e)
{
    for (int host = 0; host < HOST_COUNT; host++) {
        const struct fault_link *link = &f->link[host];
        if (link->reorder > 0 && link->delay_ns == 0)
            return err_set(e, STATUS_USAGE,
                           "--reorder needs --delay: "
                           "without one no frame can be overtaken");
        if (link->queue != QUEUE_DEFAULT && link->rate_bps == 0)
            return err_set(e, STATUS_USAGE,
                           "--queue needs --rate: without one no frame waits");
    }
    return 0;
}

/* Chance. */

/* The finalizer of splitmix64: each bit of X moves half of the result's. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t mix_in(uint64_t hash, uint64_t value)
{
    return mix(hash + UINT64_C(0x9e3779b97f4a7c15) + mix(value));
}

/* What is drawn for a frame. Each draw is independent of the others. */
enum draw {
    DRAW_LOSS,
    DRAW_DUPLICATE,
    DRAW_REORDER,
    DRAW_CORRUPT,
    DRAW_BIT,
    DRAW_JITTER,
    DRAW_COPY_JITTER,
};

/* A number below BOUND. */
static uint64_t draw(uint64_t id, enum draw name, uint64_t bound)
{
    return mix_in(id, name) % bound; /* bounds are small beside 2^64 */
}

static bool happens(uint64_t id, enum draw name, uint32_t share)
{
    return draw(id, name, PERCENT_100) < share;
}

static uint64_t count_seen(struct fault_state *s, uint64_t key)
{
    struct seen *seen = &s->seen[key % SEEN_SLOTS];
    if (seen->key != key)
        *seen = (struct seen){.key = key};
    return ++seen->count;
}

/* What the frame is, as one number: the seed of all that is drawn for it. */
static uint64_t identify(struct fault *f, enum host_id from,
                         const struct frame *frame, enum rule_kind kind)
{
    struct fault_state *s = f->state;
    uint64_t id = mix_in(mix_in(f->seed, from), kind);
    if (frame->kind != FRAME_TCP)
        return mix_in(id, s->of_kind[from][kind]);

    enum host_id to = from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
    const struct flow *flow = flow_find(&s->flows, from, frame);
    bool has_ack = (frame->flags & TCP_ACK) != 0;
    id = mix_in(id, flow->number);
    id = mix_in(id, frame->seq - flow->isn[from]);
    id = mix_in(id, has_ack ? frame->ack - flow->isn[to] : 0);
    id = mix_in(id, frame->flags);
    id = mix_in(id, frame->payload_len);
    return mix_in(id, count_seen(s, id));
}

/* Which bit to flip: one that a checksum covers, so that the receiver can
 * notice, but not a length: a wrong length is another lesson. Of UDP the
 * checksum itself is spared too, since 0 there would mean "none". Returns
 * false if the frame carries nothing. */
static bool choose_bit(const struct frame *frame, uint64_t id,
                       struct fault_verdict *v)
{
    size_t len = frame->transport_len, spared_at = len, spared = 0;
    if (frame->kind == FRAME_UDP) {
        spared_at = 4; /* length, checksum */
        spared = 4;
        if (len > 8 + frame->payload_len)
            len = 8 + frame->payload_len;
    } else if (frame->kind == FRAME_TCP) {
        spared_at = 12; /* the header's length */
        spared = 1;
    }
    if (len <= spared)
        return false;
    uint64_t bit = draw(id, DRAW_BIT, 8 * (len - spared));
    v->flip_at = (size_t)(bit / 8);
    if (v->flip_at >= spared_at)
        v->flip_at += spared;
    v->flip_mask = (uint8_t)(1 << bit % 8);
    return true;
}

/* The fate. */

/* What is to become of a frame before the queue and the delay. */
struct plan {
    enum fate fate;
    bool swap, early;  /* hold it back; send it at once */
    uint64_t extra_ns; /* more delay */
};

static void set_by(struct fault_verdict *v, const char *by)
{
    snprintf(v->by, sizeof v->by, "%s", by);
}

static void lose(struct fault_verdict *v, const char *by)
{
    v->fate = FATE_LOST;
    set_by(v, by);
}

static void deliver(struct fault_verdict *v)
{
    v->fate = FATE_DELIVERED;
    set_by(v, "");
}

static const struct rule *first_rule(const struct fault *f, enum host_id from,
                                     enum rule_kind kind)
{
    const struct fault_state *s = f->state;
    for (unsigned i = 0; i < f->rules; i++)
        if (rule_hits(&f->rule[i], from, kind, s->of_kind[from][kind],
                      s->total[from]))
            return &f->rule[i];
    return NULL;
}

static struct plan plan_by_rule(const struct fault *f, const struct rule *r,
                                struct fault_verdict *v)
{
    static const enum fate fates[] = {
        [RULE_DROP] = FATE_LOST,         [RULE_DUPLICATE] = FATE_DUPLICATED,
        [RULE_CORRUPT] = FATE_CORRUPTED, [RULE_DELAY] = FATE_DELIVERED,
        [RULE_SWAP] = FATE_DELIVERED,
    };
    snprintf(v->by, sizeof v->by, "rule %u", (unsigned)(r - f->rule) + 1);
    return (struct plan){.fate = fates[r->action],
                         .swap = r->action == RULE_SWAP,
                         .extra_ns = r->delay_ns};
}

static struct plan plan_by_chance(const struct fault_link *link, uint64_t id,
                                  struct fault_verdict *v)
{
    struct plan plan = {.fate = FATE_DELIVERED};
    if (happens(id, DRAW_LOSS, link->loss)) {
        plan.fate = FATE_LOST;
        set_by(v, "loss");
        return plan;
    }
    if (happens(id, DRAW_REORDER, link->reorder)) {
        plan.early = true;
        set_by(v, "reorder");
    }
    if (happens(id, DRAW_CORRUPT, link->corrupt)) {
        plan.fate = FATE_CORRUPTED;
        set_by(v, "corrupt");
    } else if (happens(id, DRAW_DUPLICATE, link->duplicate)) {
        plan.fate = FATE_DUPLICATED;
        set_by(v, "duplicate");
    }
    return plan;
}

/* The frame waits until the link is free, then takes its time by the rate.
 * Returns false if the queue is full; else *left_ns: when it has left. */
static bool pass_queue(const struct fault_link *link, struct queue *q,
                       size_t wire_len, uint64_t now_ns, uint64_t *left_ns)
{
    *left_ns = now_ns;
    if (link->rate_bps == 0)
        return true;
    const unsigned cap = FAULT_QUEUE + 1;
    while (q->len > 0 && q->left_ns[q->head] <= now_ns) {
        q->head = (q->head + 1) % cap;
        q->len--;
    }
    if (q->len > link->queue) /* the first is not waiting: it is being sent */
        return false;
    uint64_t begin_ns = now_ns;
    if (q->len > 0)
        begin_ns = q->left_ns[(q->head + q->len - 1) % cap];
    *left_ns = begin_ns + wire_len * 8 * NS_PER_S / link->rate_bps;
    q->left_ns[(q->head + q->len) % cap] = *left_ns;
    q->len++;
    return true;
}

/* The delay and its jitter: evenly from delay - jitter to delay + jitter. */
static uint64_t travel_ns(const struct fault_link *link, uint64_t id,
                          enum draw name)
{
    if (link->jitter_ns == 0)
        return link->delay_ns;
    uint64_t later_ns = draw(id, name, 2 * link->jitter_ns + 1);
    uint64_t latest_ns = link->delay_ns + later_ns;
    return latest_ns > link->jitter_ns ? latest_ns - link->jitter_ns : 0;
}

/* Swap: hold this frame, or let the one that is held follow it. A frame that
 * lets another go is not held itself, so that "swap client:data" gives
 * 2 1 4 3. */
static void hold_or_release(struct fault_state *s, enum host_id from, bool swap,
                            uint64_t now_ns, struct fault_verdict *v)
{
    uint64_t *until_ns = &s->held_until_ns[from];
    if (*until_ns > now_ns) {
        v->release_ns = v->due_ns < *until_ns ? v->due_ns + 1 : *until_ns;
        *until_ns = 0;
    } else if (swap) {
        v->held = true;
        v->due_ns += FAULT_HOLD_NS;
        *until_ns = v->due_ns;
    }
}

/* The way of a frame that nobody has lost so far. */
static void carry(struct fault *f, enum host_id from, const struct frame *frame,
                  uint64_t now_ns, const struct plan *plan, uint64_t id,
                  struct fault_verdict *v)
{
    const struct fault_link *link = &f->link[from];
    struct queue *queue = &f->state->queue[from];
    enum host_id to = from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
    uint64_t left_ns, end_ns = f->blackhole_ns[to];

    if (!pass_queue(link, queue, frame->wire_len, now_ns, &left_ns)) {
        lose(v, "queue");
        return;
    }
    v->due_ns = left_ns + plan->extra_ns;
    if (!plan->early)
        v->due_ns += travel_ns(link, id, DRAW_JITTER);
    if (v->due_ns >= end_ns) {
        lose(v, "blackhole");
        return;
    }
    v->fate = plan->fate;
    if (v->fate == FATE_CORRUPTED && !choose_bit(frame, id, v))
        deliver(v);
    if (v->fate == FATE_DUPLICATED) {
        bool passed =
            pass_queue(link, queue, frame->wire_len, now_ns, &left_ns);
        v->copy_due_ns = left_ns + travel_ns(link, id, DRAW_COPY_JITTER);
        if (!passed || v->copy_due_ns >= end_ns)
            deliver(v); /* only the copy is lost */
    }
    hold_or_release(f->state, from, plan->swap, now_ns, v);
}

void fault_decide(struct fault *f, enum host_id from, const struct frame *frame,
                  uint64_t now_ns, struct fault_verdict *v)
{
    *v = (struct fault_verdict){.fate = FATE_DELIVERED};
    enum rule_kind kind = rule_kind_of(frame);
    f->state->total[from]++;
    f->state->of_kind[from][kind]++;
    uint64_t id = identify(f, from, frame, kind);

    if (now_ns >= f->blackhole_ns[from]) {
        lose(v, "blackhole");
        return;
    }
    const struct rule *rule = first_rule(f, from, kind);
    if (rule != NULL)
        f->state->met[rule - f->rule] = true;
    struct plan plan = rule != NULL ? plan_by_rule(f, rule, v)
                                    : plan_by_chance(&f->link[from], id, v);
    if (plan.fate == FATE_LOST)
        v->fate = FATE_LOST; /* and v->by says why */
    else
        carry(f, from, frame, now_ns, &plan, id, v);
}

bool fault_rule_met(const struct fault *f, unsigned rule, uint64_t *came)
{
    const struct rule *r = &f->rule[rule];
    const struct fault_state *s = f->state;
    *came =
        r->kind == RULE_ANY ? s->total[r->from] : s->of_kind[r->from][r->kind];
    return s->met[rule];
}
