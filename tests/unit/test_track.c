/* SPDX-License-Identifier: MIT
 *
 * What is sent again, and how large a window is; and the bounds of a netlink
 * message.
 */
#include "flow.h"
#include "netlink.h"
#include "track.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* No kernel to ask: why data is sent again cannot be known. */
#define NO_DIAG (-1)

static struct track *track;
static struct flow flow;

static int set_up(void **state)
{
    (void)state;
    track = calloc(1, sizeof *track);
    flow = (struct flow){.number = 1};
    return track == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(track);
    return 0;
}

static struct frame segment(uint8_t flags, uint32_t seq, size_t len)
{
    return (struct frame){.kind = FRAME_TCP,
                          .flags = flags,
                          .seq = seq,
                          .payload_len = len,
                          .window = 1000,
                          .window_scale = -1};
}

static enum again see(enum host_id from, uint8_t flags, uint32_t seq,
                      size_t len)
{
    struct frame f = segment(flags, seq, len);
    return track_sent(track, &flow, 7, from, &f, NO_DIAG);
}

static void sees_data_again(void **state)
{
    (void)state;
    assert_int_equal(see(HOST_CLIENT, TCP_SYN, 100, 0), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 101, 0), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 101, 50), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 151, 50), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 151, 50), AGAIN_UNKNOWN);
    /* A part of it again, with something new behind. */
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 180, 50), AGAIN_UNKNOWN);
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 230, 1), AGAIN_NO);
    /* A bare ACK with an old number is no data. */
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 101, 0), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_FIN, 231, 0), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_FIN, 231, 0), AGAIN_UNKNOWN);
    /* The other direction has numbers of its own. */
    assert_int_equal(see(HOST_SERVER, TCP_ACK, 101, 50), AGAIN_NO);
}

static void sees_across_the_end_of_the_numbers(void **state)
{
    (void)state;
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, UINT32_MAX - 9, 20), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 10, 5), AGAIN_NO);
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, UINT32_MAX, 5), AGAIN_UNKNOWN);
}

static void knows_why_a_syn_comes_again(void **state)
{
    (void)state;
    assert_int_equal(see(HOST_CLIENT, TCP_SYN, 1, 0), AGAIN_NO);
    assert_int_equal(see(HOST_SERVER, TCP_SYN | TCP_ACK, 5, 0), AGAIN_NO);
    /* Its own timer. */
    assert_int_equal(see(HOST_SERVER, TCP_SYN | TCP_ACK, 5, 0), AGAIN_TIMEOUT);
    assert_int_equal(see(HOST_CLIENT, TCP_SYN, 1, 0), AGAIN_TIMEOUT);
    /* The answer to that. */
    assert_int_equal(see(HOST_SERVER, TCP_SYN | TCP_ACK, 5, 0), AGAIN_UNKNOWN);
}

static void forgets_another_connection(void **state)
{
    (void)state;
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 100, 50), AGAIN_NO);
    flow.number = 2; /* it has the same slot now */
    assert_int_equal(see(HOST_CLIENT, TCP_ACK, 100, 50), AGAIN_NO);
}

static uint32_t window(uint8_t flags, int8_t scale)
{
    struct frame f = segment(flags, 1, 0);
    f.window_scale = scale;
    track_sent(track, &flow, 7, HOST_CLIENT, &f, NO_DIAG);
    return track_window(track, &flow, 7, HOST_CLIENT, &f);
}

static void scales_windows_as_both_have_agreed(void **state)
{
    (void)state;
    struct frame synack = segment(TCP_SYN | TCP_ACK, 1, 0);
    assert_int_equal(window(TCP_SYN, 7), 1000); /* in a SYN: never */
    assert_int_equal(window(TCP_ACK, -1), 1000);
    track_sent(track, &flow, 7, HOST_SERVER, &synack, NO_DIAG);
    assert_int_equal(window(TCP_ACK, -1), 1000); /* the server did not offer */
    synack.window_scale = 3;
    track_sent(track, &flow, 7, HOST_SERVER, &synack, NO_DIAG);
    assert_int_equal(window(TCP_ACK, -1), 128000);
}

static void bounds_a_netlink_message(void **state)
{
    (void)state;
    struct netlink m;
    char fixed[16] = "", data[600] = "";
    netlink_begin(&m, 1, 0, fixed, sizeof fixed);
    size_t nest = netlink_nest(&m, 2);
    netlink_put(&m, 3, data, 5); /* 4 + 5, and 3 to align what follows */
    netlink_put_u32(&m, 4, 9);
    netlink_nest_end(&m, nest);
    struct nlattr outer;
    memcpy(&outer, m.body + nest, sizeof outer);
    assert_int_equal(outer.nla_len, 4 + 12 + 8);
    assert_false(m.full);

    netlink_put(&m, 5, data, sizeof data);
    assert_false(m.full);
    size_t len = m.len;
    netlink_put(&m, 5, data, sizeof data);
    assert_true(m.full);
    netlink_put_u32(&m, 6, 1); /* nor what would fit, from now on */
    assert_int_equal(m.len, len);
    errno = 0;
    assert_int_equal(netlink_ask(-1, &m, NULL, NULL), -1);
    assert_int_equal(errno, EMSGSIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(sees_data_again),
        TEST(sees_across_the_end_of_the_numbers),
        TEST(knows_why_a_syn_comes_again),
        TEST(forgets_another_connection),
        TEST(scales_windows_as_both_have_agreed),
        TEST(bounds_a_netlink_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
