/* SPDX-License-Identifier: MIT
 *
 * Tests of infer: the states that segments bring about, end by end, as RFC
 * 9293 has them, and as the lab's kernels have shown them.
 */
#include "infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The states so far, "c SYN_SENT, s SYN_RCVD". */
struct told {
    char text[512];
};

static void tell(const struct event *e, void *context)
{
    struct told *t = context;
    size_t used = strlen(t->text);
    assert_int_equal(e->kind, EVENT_STATE);
    assert_true(e->state.inferred);
    snprintf(t->text + used, sizeof t->text - used, "%s%c %s",
             used > 0 ? ", " : "", "cs"[e->host], tcp_state_name(e->state.to));
}

/* A segment: sent, then received unless it is lost. */
struct segment {
    enum host_id from;
    uint8_t flags;
    uint32_t seq, ack, len;
    bool lost, damaged;
};

static void play(const struct segment *s, size_t count, bool is_answered,
                 const char *wanted)
{
    struct told told = {""};
    struct flow flow = {.number = 1};
    struct infer *in = infer_new(tell, &told);
    assert_non_null(in);
    for (size_t i = 0; i < count; i++) {
        struct frame f = {.kind = FRAME_TCP,
                          .flags = s[i].flags,
                          .seq = s[i].seq,
                          .ack = s[i].ack,
                          .payload_len = s[i].len};
        infer_sent(in, s[i].from, &flow, 0, &f, i);
        if (s[i].damaged)
            f.transport_checksum = CHECKSUM_BAD;
        if (!s[i].lost)
            infer_received(in, 1 - s[i].from, &flow, 0, &f, is_answered, i);
    }
    infer_free(in);
    assert_string_equal(told.text, wanted);
}

#define C HOST_CLIENT
#define S HOST_SERVER
#define SYN TCP_SYN
#define ACK TCP_ACK
#define FIN (TCP_FIN | TCP_ACK)
#define RST TCP_RST
#define HANDSHAKE                                                              \
    {C, SYN, 0, 0, 0, 0, 0}, {S, SYN | ACK, 0, 1, 0, 0, 0},                    \
    {                                                                          \
        C, ACK, 1, 1, 0, 0, 0                                                  \
    }
#define OPEN "c SYN_SENT, s SYN_RCVD, c ESTABLISHED, s ESTABLISHED, "
#define PLAY(answered, wanted, ...)                                            \
    do {                                                                       \
        const struct segment s[] = {__VA_ARGS__};                              \
        play(s, sizeof s / sizeof *s, answered, wanted);                       \
    } while (0)

static void closes(void **state)
{
    (void)state;
    PLAY(true,
         OPEN "c FIN_WAIT_1, s CLOSE_WAIT, c FIN_WAIT_2, s LAST_ACK, "
              "c TIME_WAIT, s (closed)",
         HANDSHAKE, {C, FIN, 1, 1, 0, 0, 0}, {S, ACK, 1, 2, 0, 0, 0},
         {S, FIN, 1, 2, 0, 0, 0}, {C, ACK, 2, 2, 0, 0, 0});
    PLAY(true,
         OPEN "c FIN_WAIT_1, s CLOSE_WAIT, s LAST_ACK, c TIME_WAIT, s (closed)",
         HANDSHAKE, {C, FIN, 1, 1, 6, 0, 0}, {S, FIN, 1, 8, 0, 0, 0},
         {C, ACK, 8, 2, 0, 0, 0});
    PLAY(true, OPEN "c (closed), s (closed)", HANDSHAKE,
         {C, RST, 1, 0, 0, 0, 0});
}

static void closes_from_both_sides(void **state)
{
    (void)state;
    PLAY(true, OPEN "c FIN_WAIT_1, s FIN_WAIT_1, c CLOSING, s TIME_WAIT",
         HANDSHAKE, {C, FIN, 1, 1, 0, true, 0}, {S, FIN, 1, 1, 0, 0, 0},
         {C, FIN, 1, 2, 0, 0, 0});
}

static void refuses(void **state)
{
    (void)state;
    PLAY(false, "c SYN_SENT, c (closed)", {C, SYN, 0, 0, 0, 0, 0},
         {S, RST | ACK, 0, 1, 0, 0, 0});
}

static void opens_from_both_sides(void **state)
{
    (void)state;
    PLAY(true,
         "c SYN_SENT, s SYN_RCVD, c SYN_RCVD, s ESTABLISHED, c ESTABLISHED",
         {C, SYN, 0, 0, 0, 0, 0}, {S, SYN, 0, 0, 0, 0, 0},
         {C, SYN | ACK, 0, 1, 0, 0, 0}, {S, SYN | ACK, 0, 1, 0, 0, 0});
}

static void waits_for_what_is_before_a_fin(void **state)
{
    (void)state;
    PLAY(true, OPEN "c FIN_WAIT_1, s CLOSE_WAIT", HANDSHAKE,
         {C, ACK, 1, 1, 6, true, 0}, {C, FIN, 7, 1, 0, 0, 0},
         {C, ACK, 1, 1, 6, 0, 0}, {S, ACK, 1, 8, 0, true, 0});
    PLAY(true, OPEN "c FIN_WAIT_1", HANDSHAKE, {C, FIN, 1, 1, 0, 0, true});
}

static void joins_in_the_middle(void **state)
{
    (void)state;
    PLAY(false, "c FIN_WAIT_1, s CLOSE_WAIT", {C, ACK, 100, 200, 10, 0, 0},
         {S, ACK, 200, 110, 0, 0, 0}, {C, FIN, 110, 200, 0, 0, 0});
}

static void numbers_wrap(void **state)
{
    (void)state;
    PLAY(true, "c FIN_WAIT_1, s CLOSE_WAIT, c FIN_WAIT_2",
         {C, ACK, UINT32_MAX - 1, 1, 2, 0, 0}, {C, FIN, 0, 1, 0, 0, 0},
         {S, ACK, 1, 1, 0, 0, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes),
        cmocka_unit_test(closes_from_both_sides),
        cmocka_unit_test(refuses),
        cmocka_unit_test(opens_from_both_sides),
        cmocka_unit_test(waits_for_what_is_before_a_fin),
        cmocka_unit_test(joins_in_the_middle),
        cmocka_unit_test(numbers_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
