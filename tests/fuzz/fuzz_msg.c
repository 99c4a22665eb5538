/* SPDX-License-Identifier: MIT
 *
 * fuzz_msg: any bytes as a message, on a stream and in a datagram: a length
 * that is believed is within its bounds, and what is written again is the
 * same.
 * Read next: fuzz_frame.c.
 */
#include "msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msg m, again;
    uint8_t buf[MSG_HEADER];
    int read = msg_read(data, size, &m);
    if (read > 0) {
        if (m.len < MSG_HEADER || m.len > MSG_MAX || size < MSG_HEADER)
            abort();
        msg_write(buf, &m);
        if (msg_read(buf, sizeof buf, &again) != 1 ||
            again.number != m.number || again.len != m.len)
            abort();
    }
    if (msg_datagram(data, size, &m) && (read <= 0 || m.len != size))
        abort();
    return 0;
}
