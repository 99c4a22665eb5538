/* SPDX-License-Identifier: MIT
 *
 * feed: messages out of a stream. See feed.h for the contract.
 */
#include "feed.h"

#include <string.h>

static bool is_control(const struct msg *m)
{
    return m->type != MSG_DATA && m->type != MSG_PING;
}

/* Keeps the next N bytes of the message. */
static void hold(struct feed *f, const unsigned char **in, size_t *len,
                 size_t n)
{
    memcpy(f->held + f->done, *in, n);
    f->done += n;
    *in += n;
    *len -= n;
}

/* The header, or as much of it as there is: as msg_read. */
static int take_header(struct feed *f, const unsigned char **in, size_t *len)
{
    size_t missing = MSG_HEADER - f->done;
    f->corrupt = false;
    hold(f, in, len, missing < *len ? missing : *len);
    int result = msg_read(f->held, f->done, &f->m);
    return result == 1 && is_control(&f->m) && f->m.len != MSG_CONTROL ? -1
                                                                       : result;
}

static void take_content(struct feed *f, const unsigned char **in, size_t *len)
{
    size_t missing = f->m.len - f->done;
    size_t n = missing < *len ? missing : *len;
    if (is_control(&f->m)) {
        hold(f, in, len, n);
        return;
    }
    if (f->verify && !msg_check(*in, f->done - MSG_HEADER, n))
        f->corrupt = true;
    f->done += n;
    *in += n;
    *len -= n;
}

int feed_take(struct feed *f, const unsigned char **in, size_t *len)
{
    while (*len > 0) {
        if (f->done < MSG_HEADER) {
            int result = take_header(f, in, len);
            if (result != 1)
                return result;
        } else {
            take_content(f, in, len);
        }
        if (f->done == f->m.len) {
            f->done = 0;
            return 1;
        }
    }
    return 0;
}
