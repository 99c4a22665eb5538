/* SPDX-License-Identifier: MIT
 *
 * Batch: many datagrams a call, for speed. What a datagram costs is less the
 * call than its way through the stack; with UDP_SEGMENT (GSO) up to 64 of the
 * same size make that way as one, and are cut apart at its end. Where the
 * kernel or the device cannot, sendmmsg saves the calls alone. Either way each
 * datagram has its own number, and is counted.
 * Sources: udp(7), sendmmsg(2). Twin: ../udp_server/batch.c.
 */
#include "client.h"

#include "msg.h"
#include "sock.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's limits for one send with UDP_SEGMENT. */
enum { SEGMENTS = 64, GSO_BYTES = 65000 };

struct batch {
    size_t size, count, segments; /* bytes a datagram; datagrams a call; of
                                     them, in one message */
    bool gso;
    unsigned char *data; /* COUNT datagrams in a row */
    struct mmsghdr *messages;
    struct iovec *parts;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
};

const char *batch_mode(const struct batch *b)
{
    return b->gso ? "gso" : "sendmmsg";
}

void batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    free(b->data);
    free(b->messages);
    free(b->parts);
    free(b);
}

/* Cuts COUNT datagrams into messages, of `segments` each, and returns how many
 * messages that are. */
static unsigned lay_out(struct batch *b, size_t count)
{
    unsigned n = 0;
    for (size_t at = 0; at < count; at += b->segments, n++) {
        size_t here = count - at < b->segments ? count - at : b->segments;
        struct msghdr *m = &b->messages[n].msg_hdr;
        b->parts[n] = (struct iovec){b->data + at * b->size, here * b->size};
        *m = (struct msghdr){.msg_iov = &b->parts[n], .msg_iovlen = 1};
        if (b->gso && here > 1) {
            m->msg_control = b->control;
            m->msg_controllen = sizeof b->control;
        }
    }
    return n;
}

static void write_control(struct batch *b)
{
    uint16_t size = (uint16_t)b->size;
    struct cmsghdr *c = (struct cmsghdr *)b->control;
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(c), &size, sizeof size);
}

struct batch *batch_new(const struct source *s, uint64_t count, struct err *e)
{
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        goto fail;
    b->size = s->plan.size;
    b->count = count;
    b->segments =
        GSO_BYTES / b->size < SEGMENTS ? GSO_BYTES / b->size : SEGMENTS;
    b->gso = b->segments > 1;
    b->segments += b->segments == 0;
    b->data = malloc(b->count * b->size);
    b->messages = calloc(b->count, sizeof *b->messages);
    b->parts = calloc(b->count, sizeof *b->parts);
    if (b->data == NULL || b->messages == NULL || b->parts == NULL)
        goto fail;
    for (size_t i = 0; i < b->count; i++)
        source_prepare(s, b->data + i * b->size);
    write_control(b);
    return b;
fail:
    err_sys(e, "batch");
    batch_free(b);
    return NULL;
}

/* Not every kernel and device can: EIO if it cannot compute the checksums,
 * EINVAL or EMSGSIZE if a datagram is larger than the MTU. */
static bool gso_refused(const struct batch *b, int error)
{
    return b->gso && (error == EIO || error == EINVAL || error == EMSGSIZE ||
                      error == ENOPROTOOPT);
}

int batch_send(struct batch *b, int fd, const struct source *s, uint64_t now_ns,
               struct err *e)
{
    size_t count = source_burst(s, now_ns, b->count);
    for (size_t i = 0; i < count; i++)
        source_next(s, b->data + i * b->size, i, now_ns);
    unsigned messages = lay_out(b, count);
    int sent = sock_sendmmsg(fd, b->messages, messages, 0, e);
    if (sent < 0 && gso_refused(b, e->sys)) {
        b->gso = false;
        b->segments = 1;
        return 0; /* again, without */
    }
    if (sent < 0) /* no room in the send buffer: not sent, not lost */
        return e->sys == ENOBUFS || e->sys == EAGAIN ? 0 : -1;
    size_t datagrams = (size_t)sent * b->segments;
    return (int)(datagrams < count ? datagrams : count);
}
