/* SPDX-License-Identifier: MIT
 *
 * reader: who reads what wirelab prints. See reader.h for the contract.
 */
#include "reader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* stdio remembers that it failed, not why. What stood in the way of that write
 * will stand in the way of one more byte, and of these lines some are lost
 * anyway. */
static int why(void)
{
    return write(STDOUT_FILENO, "\n", 1) < 0 ? errno : EIO;
}

void reader_flush(struct out *out)
{
    errno = 0;
    if ((fflush(stdout) == EOF || ferror(stdout)) && out->failed == 0)
        out->failed = errno != 0 ? errno : why();
}

bool reader_is_gone(const struct out *out)
{
    return out->failed == EPIPE;
}

int reader_end(struct out *out, int status)
{
    struct err e;
    reader_flush(out);
    if (reader_is_gone(out))
        return status != 0 ? status : 128 + SIGPIPE;
    if (out_check(out, &e) < 0) {
        out_error(out, &e);
        status = status != 0 ? status : (int)e.status;
    }
    return status;
}
