/* SPDX-License-Identifier: MIT
 *
 * msg: a message with a number, a time and a length, the same on a stream and
 * in a datagram. Ping and stream send them, the sink counts them.
 *
 *      0        4      5      6        8                16               24
 *     | "WLAB" | ver. | type | 0    0 | token          | number         |
 *     | time, ns on the sender's clock | length | bytes of content ...
 *     24                               32       36
 *
 * All numbers are big-endian. The length is that of the whole message; on a
 * stream it tells where the next begins, in a datagram it must be the
 * datagram's own. The token is a random number that names a run: what does not
 * know it is not of this run. The content of a DATA or PING message is the
 * pattern, that of the others a few big-endian 64-bit fields and zeroes.
 * Read next: run.h.
 */
#ifndef WIRELAB_MSG_H
#define WIRELAB_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest message leaves room in a stream's buffers; in a datagram less
 * fits anyway. CONTROL: the size of every message but PING and DATA, so that no
 * answer is larger than its question. */
enum { MSG_HEADER = 36, MSG_CONTROL = 260, MSG_MAX = 16 << 20 };
enum { MSG_FIELDS = (MSG_CONTROL - MSG_HEADER) / 8 };

enum msg_type {
    MSG_PING = 1, /* there and back */
    MSG_HELLO,    /* sink: I am one; its number is a cookie, to be returned */
    MSG_OPEN,     /* client: begins a run; fields: what is asked */
    MSG_DATA,     /* numbered from 0 */
    MSG_END,      /* sender: that was all; fields: what was sent */
    MSG_REPORT,   /* receiver: fields: what has come */
    MSG_BUSY,     /* sink: no room for another run */
};

struct msg {
    enum msg_type type;
    uint64_t token, number, time_ns;
    uint32_t len; /* of the whole, MSG_HEADER to MSG_MAX */
};

/* Writes the header, MSG_HEADER bytes. */
void msg_write(void *buf, const struct msg *m);

/* Reads a header out of the first LEN bytes at BUF. Returns 1 and *m; 0 if
 * there are fewer than MSG_HEADER bytes, and they could be the beginning of
 * one; -1 if this is no message of ours. The length it tells may be more than
 * is there. */
int msg_read(const void *buf, size_t len, struct msg *m);

/* The same for a datagram of LEN bytes, which must be one whole message. */
bool msg_datagram(const void *buf, size_t len, struct msg *m);

/* Changes number and time of a header that msg_write wrote. */
void msg_renumber(void *buf, uint64_t number, uint64_t time_ns);

/* A control message, MSG_CONTROL bytes in all: M (its len is filled in), then
 * FIELDS, which are COUNT uint64_t, at most MSG_FIELDS, or a struct of nothing
 * else; then zeroes. */
void msg_write_control(void *buf, const struct msg *m, const void *fields,
                       size_t count);

/* Reads them back, from the whole message M at BUF; those that it is too short
 * for are zero. */
void msg_fields(const void *buf, const struct msg *m, void *fields,
                size_t count);

/* The pattern: fills, or compares, LEN bytes that stand at OFFSET of the
 * content. It repeats after a prime number of bytes, so that no shift by a
 * power of two looks right. */
void msg_fill(void *buf, size_t offset, size_t len);
bool msg_check(const void *buf, size_t offset, size_t len);

/* A token: random, never 0. */
uint64_t msg_token(void);

#endif
