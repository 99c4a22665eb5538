/* SPDX-License-Identifier: MIT
 *
 * test_talk: what a picture came to stays true when there are more
 * conversations than are told apart.
 * Read next: test_ladder.c, for all that is said of a few.
 */
#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define CONVERSATIONS 6000

static struct addr at(enum host_id host, unsigned port)
{
    struct addr a = {.len = sizeof a.in};
    a.in.sin_family = AF_INET;
    a.in.sin_port = htons((uint16_t)port);
    a.in.sin_addr.s_addr = htonl(0x0a090001 + host);
    return a;
}

/* The client of that port sends. */
static void leaves(struct talks *t, unsigned port, uint8_t flags, uint32_t seq,
                   size_t len, enum again again)
{
    struct talk_news news;
    struct event_frame f = {.from = HOST_CLIENT, .again = again};
    f.frame.kind = FRAME_TCP;
    f.frame.source = at(HOST_CLIENT, port);
    f.frame.destination = at(HOST_SERVER, 9000);
    f.frame.flags = flags;
    f.frame.seq = seq;
    f.frame.payload_len = len;
    talk_sent(t, talks_frame(t, &f), &f, 0, &news);
}

static void test_very_many(void **state)
{
    struct talks t = {0};
    (void)state;
    for (unsigned i = 0; i < CONVERSATIONS; i++) {
        uint32_t isn = i * UINT32_C(2654435761);
        leaves(&t, 1024 + i, TCP_SYN, isn, 0, AGAIN_NO);
        leaves(&t, 1024 + i, TCP_ACK, isn + 1, 10, AGAIN_NO);
        leaves(&t, 1024 + i, TCP_ACK, isn + 1, 10, AGAIN_TIMEOUT);
        leaves(&t, 1024 + i, TCP_ACK, isn + 11, 5, AGAIN_NO);
    }
    assert_int_equal(t.totals.segments, 4 * CONVERSATIONS);
    assert_int_equal(t.totals.again, CONVERSATIONS);
    assert_int_equal(t.totals.bytes, 15 * CONVERSATIONS);
    assert_false(t.out_of_memory);
    talks_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_very_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
