/* SPDX-License-Identifier: MIT
 *
 * fuzz_expect: any text as an expectation, held against a short run. A text
 * that is refused must say why; one that is accepted must come to an end, with
 * a reason for whatever failed.
 */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEGMENT(KIND, T, FROM, FLAGS, LEN)                                     \
    {                                                                          \
        .kind = KIND, .host = FROM, .t_ns = T, .frame = {                      \
            .from = FROM,                                                      \
            .isn_known = {true, true},                                         \
            .frame = {.kind = FRAME_TCP,                                       \
                      .ip_protocol = IPPROTO_TCP,                              \
                      .flags = FLAGS,                                          \
                      .payload_len = LEN}                                      \
        }                                                                      \
    }

static const struct event run[] = {
    SEGMENT(EVENT_SENT, 1, HOST_CLIENT, TCP_SYN, 0),
    {.kind = EVENT_STATE,
     .host = HOST_CLIENT,
     .t_ns = 1,
     .state = {.peer = {.len = 16}, .to = TCP_STATE_SYN_SENT}},
    SEGMENT(EVENT_RECEIVED, 2, HOST_CLIENT, TCP_SYN, 0),
    SEGMENT(EVENT_SENT, 3, HOST_SERVER, TCP_SYN | TCP_ACK, 0),
    SEGMENT(EVENT_SENT, 4, HOST_CLIENT, TCP_ACK, 0),
    {.kind = EVENT_CALL,
     .host = HOST_SERVER,
     .t_ns = 5,
     .call = {.id = CALL_RECV,
              .returned = true,
              .result = 6,
              .data = "hello\n",
              .data_len = 6}},
    SEGMENT(EVENT_SENT, 6, HOST_CLIENT, TCP_ACK | TCP_PSH, 6),
    {.kind = EVENT_OUTPUT,
     .host = HOST_CLIENT,
     .t_ns = 7,
     .output = {1, "hello"}},
    SEGMENT(EVENT_SENT, 8, HOST_SERVER, TCP_FIN | TCP_ACK, 0),
    {.kind = EVENT_EXIT, .host = HOST_CLIENT, .t_ns = 9, .exit = {.status = 9}},
    {.kind = EVENT_REMARK, .host = HOST_SERVER, .t_ns = 9, .remark = "said"},
};

static void play(struct expect *x)
{
    for (size_t i = 0; i < sizeof run / sizeof *run; i++)
        expect_event(&run[i], x);
    size_t failed = expect_finish(x), unheld = 0;
    for (size_t i = 0; i < expect_count(x); i++) {
        struct expect_result r = expect_result(x, i);
        unheld += !r.held;
        if (r.text[0] == '\0' || (!r.held && r.why[0] == '\0'))
            abort();
    }
    if (failed != unheld)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct expect *x = expect_new(NULL);
    if (text != NULL && x != NULL) {
        struct err e = {.text = ""};
        memcpy(text, data, size);
        text[size] = '\0';
        if (expect_parse(x, "--expect", text, &e) == 0)
            play(x);
        else if (e.status != STATUS_USAGE || e.text[0] == '\0')
            abort();
    }
    expect_free(x);
    free(text);
    return 0;
}
