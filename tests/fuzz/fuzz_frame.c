/* SPDX-License-Identifier: MIT
 *
 * fuzz_frame: any bytes as a frame, of every link type. Whatever they are,
 * what was read must lie within them. The first byte says how many bytes the
 * capture cut off.
 * Read next: fuzz_fault.c.
 */
#include "frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte that the fields point to, for AddressSanitizer to see. */
static unsigned touch(const uint8_t *bytes, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; bytes != NULL && i < len; i++)
        sum += bytes[i];
    return sum;
}

static void check(const struct frame *f)
{
    char buf[40];
    if (f->payload_at_hand > f->payload_len || f->payload_len > f->wire_len ||
        f->sacks > FRAME_SACKS || f->window_scale > 14)
        abort();
    touch(f->transport, f->transport_len);
    touch(f->payload, f->payload_at_hand);
    frame_seq_len(f);
    frame_flags(f, '+', buf, f->flags % sizeof buf);
    frame_icmp_name(f, buf, sizeof buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame f;
    if (size < 1)
        return 0;
    size_t cut = data[0];
    data++, size--;
    frame_decode(data, size, size + cut, &f);
    check(&f);
    frame_decode_ip(data, size, size + cut, &f);
    check(&f);
    frame_decode_ethertype(0x8100, data, size, size + cut, &f);
    check(&f);
    return 0;
}
