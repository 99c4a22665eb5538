/* SPDX-License-Identifier: MIT
 *
 * fault: what happens to a frame on its way. Pure: it decides, and the wire
 * does. Whatever is left to chance is a hash of the seed and of what the
 * frame is, never of when it came, so that the same seed gives the same frames
 * the same fate:
 *   TCP by connection, direction, relative seq and ack, flags, length, and
 *       how often just this segment was seen;
 *   all else (UDP, ICMP, fragments) by direction, kind and number.
 *
 * The words are netem's (tc-netem(8)), and so is their meaning: jitter spreads
 * a delay evenly over delay +- jitter and so lets frames overtake each other;
 * reorder sends that share of frames at once, past those that are delayed.
 * Unlike there, a queue is what waits for a rate to let it pass, as in a
 * router, and one frame has one fate: a rule's, else lost, else corrupted,
 * else duplicated.
 * Read next: rule.h (exact faults), wire.c (which carries this out).
 */
#ifndef WIRELAB_FAULT_H
#define WIRELAB_FAULT_H

#include "err.h"
#include "event.h"
#include "lang.h"
#include "opt.h"
#include "rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULT_RULES 64          /* rules at most */
#define FAULT_QUEUE 10000       /* frames a queue can hold at most */
#define FAULT_DELAY_NS 20000000 /* without --delay */
/* A frame that is to change places with the next waits so long for one. */
#define FAULT_HOLD_NS 1000000000

/* One direction. Shares of frames: 1000 = 1 %. */
struct fault_link {
    uint64_t delay_ns, jitter_ns;
    uint64_t rate_bps; /* 0: as fast as can be */
    uint64_t queue;    /* frames that may wait for the rate; 1000 */
    uint32_t loss, duplicate, reorder, corrupt;
};

struct fault_state;

/* The settings are main's to change until the first frame. */
struct fault {
    uint64_t seed;
    struct fault_link link[HOST_COUNT]; /* by the host that sends */
    struct rule rule[FAULT_RULES];
    unsigned rules;
    uint64_t blackhole_ns[HOST_COUNT]; /* from then on nothing reaches or
                                          leaves this host; UINT64_MAX: never */
    struct fault_state *state;         /* what has been seen so far */
};

struct fault_verdict {
    enum fate fate;
    char by[16];     /* what did it: "rule 1", "loss", "queue", "blackhole",
                        "corrupt", "duplicate"; also of a delivered frame that
                        comes out of turn: "rule 2", "reorder"; else "" */
    uint64_t due_ns; /* not lost: when it arrives */
    uint64_t copy_due_ns; /* duplicated: when the second one does */
    size_t flip_at;       /* corrupted: this byte, from frame->transport on, */
    uint8_t flip_mask;    /*     has this one bit flipped */
    /* swap. A held frame arrives when a later verdict says so, or at due_ns
     * if none does. release_ns: the frame that is held in this direction is
     * due then, right behind this one; 0: it is not about any. */
    bool held;
    uint64_t release_ns;
};

/* The defaults: 20 ms each way, no faults, seed 1. NULL and *e if memory is
 * short. fault_free frees it; NULL is allowed. */
struct fault *fault_new(struct err *e);
void fault_free(struct fault *f);

/* Readers for rows whose value is the struct fault. Most take a host before
 * the value: "client:5%" is only for frames that the client sends. */
opt_read_fn fault_read_delay, fault_read_jitter, fault_read_rate;
opt_read_fn fault_read_queue, fault_read_loss, fault_read_duplicate;
opt_read_fn fault_read_reorder, fault_read_corrupt;
opt_read_fn fault_read_seed;
opt_read_fn fault_read_rule;      /* rule.h's language; may be repeated */
opt_read_fn fault_read_blackhole; /* client@2s */

/* The rows of LINK, for wirelab's table. F: struct fault *. */
#define FAULT_OPTIONS(f)                                                       \
    FAULT_ROW(f, delay, "[FROM:]DUR", 0, FAULT_DELAY_MAX,                      \
              N_("each way (20ms); FROM client or server: one way")),          \
        FAULT_ROW(f, jitter, "[FROM:]DUR", 0, FAULT_DELAY_MAX,                 \
                  N_("vary the delay by so much; frames may overtake")),       \
        FAULT_ROW(f, loss, "[FROM:]PERCENT", 0, 0,                             \
                  N_("lose this share of the frames")),                        \
        FAULT_ROW(f, duplicate, "[FROM:]PERCENT", 0, 0,                        \
                  N_("deliver this share twice")),                             \
        FAULT_ROW(f, reorder, "[FROM:]PERCENT", 0, 0,                          \
                  N_("deliver this share at once, past the delayed")),         \
        FAULT_ROW(f, corrupt, "[FROM:]PERCENT", 0, 0,                          \
                  N_("flip one bit in this share")),                           \
        FAULT_ROW(f, rate, "[FROM:]RATE", 1000, 0,                             \
                  N_("bits a second, such as 10mbit")),                        \
        FAULT_ROW(f, queue, "[FROM:]N", 1, FAULT_QUEUE,                        \
                  N_("frames that may wait for the rate (1000)")),             \
        FAULT_ROW(f, seed, "N", 0, 0,                                          \
                  N_("the same seed, the same faults (1)")),                   \
        FAULT_ROW(f, rule, "RULE", 0, 0,                                       \
                  N_("one exact fault: 'drop client:data#2'")),                \
        FAULT_ROW(f, blackhole, "HOST@TIME", 0, 0,                             \
                  N_("cut HOST off from then on"))
#define FAULT_ROW(f, option, argument, least, most, text)                      \
    {                                                                          \
        .name = #option, .metavar = argument, .read = fault_read_##option,     \
        .value = (f), .min = least, .max = most, .help = text                  \
    }
#define FAULT_DELAY_MAX UINT64_C(600000000000)

/* Do the settings make sense together? 0, or -1 and *e (STATUS_USAGE):
 * --reorder without a delay, --queue without a rate. */
int fault_check(const struct fault *f, struct err *e);

/* The fate of the frame that host FROM sends at NOW_NS, on the clock of
 * blackhole_ns. The wire asks once for each frame, in the order of arrival. */
void fault_decide(struct fault *f, enum host_id from, const struct frame *frame,
                  uint64_t now_ns, struct fault_verdict *v);

/* Has this rule, counted from 0, hit a frame so far? *came: how many frames of
 * its kind came from its host, hit or not. */
bool fault_rule_met(const struct fault *f, unsigned rule, uint64_t *came);

#endif
