/* SPDX-License-Identifier: MIT
 *
 * fuzz_sink: any messages, well made or not, in any order, to a sink: on a
 * stream, where it is asked to speak in between, and in datagrams of two peers.
 * A datagram is never answered with more than it was.
 * Read next: ../unit/test_service.c.
 */
#include "msg.h"
#include "run.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the input tells of one message. */
struct step {
    uint8_t type, token, number, peer;
    uint8_t reverse, size, amount, cut;
};

/* The message, with its length; now and then a byte of it is wrong. */
static size_t make(const struct step *s, unsigned char *buf, uint64_t cookie)
{
    const struct run_plan plan = {.reverse = s->reverse & 1,
                                  .verify = s->reverse >> 1 & 1,
                                  .size = s->size * 4u,
                                  .bytes = s->amount * 16u,
                                  .rate_bps = s->reverse & 4 ? 8000000 : 0,
                                  .batch = s->reverse >> 3};
    struct msg m = {.type = s->type % 9,
                    .token = s->token & 3,
                    .number = s->number == 1 ? cookie : s->number};
    size_t len = MSG_CONTROL;
    if (m.type == MSG_DATA) {
        len = m.len = MSG_HEADER + s->size;
        memset(buf, 0, len);
        msg_write(buf, &m);
    } else {
        msg_write_control(buf, &m, RUN_FIELDS(plan));
    }
    if (s->cut & 1)
        buf[s->cut % len] ^= s->cut;
    return s->cut & 2 ? s->cut % len : len;
}

static void stream(const struct step *steps, size_t count)
{
    unsigned char in[MSG_CONTROL + 256], out[4096];
    struct session s;
    session_init(&s, service_find("sink"), -1);
    for (size_t i = 0; i < count; i++) {
        if (s.service->on_input(&s, in, make(&steps[i], in, 0)).len != 0)
            abort();
        if (steps[i].peer & 1)
            session_eof(&s);
        for (int n = steps[i].peer >> 2 & 3; s.speaks && n > 0; n--)
            if (s.service->produce(&s, out, sizeof out) > sizeof out)
                abort();
    }
    session_end(&s);
}

/* Reads all that is to be sent, and says that some of it was. */
static void take_row(struct desk *d, const struct row *row, const void *out,
                     size_t cap, const struct step *s)
{
    const unsigned char *p = row->data;
    if (row->count == 0 || row->count > d->row ||
        (row->data == out && row->count * row->size > cap))
        abort();
    for (size_t i = 0; i < row->count; i++) {
        struct msg m;
        if (!msg_datagram(p + i * row->size, row->size, &m))
            abort();
    }
    service_sent(d, row, s->cut % (row->count + 1));
}

static void datagrams(const struct step *steps, size_t count)
{
    unsigned char in[MSG_CONTROL + 256], out[1024];
    struct addr peers[2];
    struct desk d;
    uint64_t cookie = 0, wait_ns;
    struct span answer;
    struct row row;
    addr_parse("127.0.0.1:1", &peers[0], NULL);
    addr_parse("[::1]:2", &peers[1], NULL);
    if (desk_open(&d, service_find("sink"), -1, NULL) < 0)
        return;
    d.row = count % 2 == 0 ? 1 : 5;
    for (size_t i = 0; i < count; i++) {
        size_t len = make(&steps[i], in, cookie);
        struct addr *peer = &peers[steps[i].peer & 1];
        struct msg m;
        if (service_datagram(&d, peer, in, len, out, sizeof out, &answer)) {
            if (answer.len > len)
                abort();
            if (msg_datagram(answer.data, answer.len, &m))
                cookie = m.number;
        }
        if (service_unasked(&d, out, sizeof out, &row, &wait_ns))
            take_row(&d, &row, out, sizeof out, &steps[i]);
    }
    desk_close(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct step steps[64];
    size_t count = size / sizeof *steps < 64 ? size / sizeof *steps : 64;
    if (count > 0)
        memcpy(steps, data, count * sizeof *steps);
    stream(steps, count);
    datagrams(steps, count);
    return 0;
}
