/* SPDX-License-Identifier: MIT
 *
 * gso: many datagrams a call. See gso.h for the contract. First rows that
 * leave, then rows that come.
 */
#include "gso.h"

#include "sock.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

/* --- Sending --- */

/* The kernel's limits for one message with UDP_SEGMENT. */
enum { SEGMENTS = 64, GSO_BYTES = 65000 };

/* A control message with one value: where to cut. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static size_t segments(size_t size)
{
    return GSO_BYTES / size < SEGMENTS ? GSO_BYTES / size : SEGMENTS;
}

enum run_mode gso_mode(size_t size, size_t count)
{
    return count > 1 && segments(size) > 1 ? MODE_ROWS : MODE_MANY;
}

static size_t write_control(union control *control, size_t size)
{
    uint16_t value = (uint16_t)size;
    control->head = (struct cmsghdr){.cmsg_level = SOL_UDP,
                                     .cmsg_type = UDP_SEGMENT,
                                     .cmsg_len = CMSG_LEN(sizeof value)};
    memcpy(CMSG_DATA(&control->head), &value, sizeof value);
    return CMSG_SPACE(sizeof value);
}

/* Not every kernel and device can: EIO if it cannot compute the checksums,
 * EINVAL or EMSGSIZE if a datagram is larger than the MTU. */
static bool refused(int error)
{
    return error == EIO || error == EINVAL || error == EMSGSIZE ||
           error == ENOPROTOOPT;
}

int gso_send(int fd, const struct addr *peer, const void *data, size_t size,
             size_t count, uint64_t *mode, struct err *e)
{
    struct mmsghdr messages[GSO_MAX];
    struct iovec parts[GSO_MAX];
    union control control;
    size_t row = *mode == MODE_ROWS ? segments(size) : 1;
    size_t control_len = write_control(&control, size);
    unsigned n = 0;
    for (size_t at = 0; at < count; at += row, n++) {
        size_t here = count - at < row ? count - at : row;
        bool cut = here > 1;
        parts[n] = (struct iovec){(char *)data + at * size, here * size};
        messages[n].msg_hdr =
            (struct msghdr){.msg_name = peer != NULL ? (void *)&peer->sa : NULL,
                            .msg_namelen = peer != NULL ? peer->len : 0,
                            .msg_iov = &parts[n],
                            .msg_iovlen = 1,
                            .msg_control = cut ? &control : NULL,
                            .msg_controllen = cut ? control_len : 0};
    }
    int sent = sock_sendmmsg(fd, messages, n, 0, e);
    if (sent < 0 && *mode == MODE_ROWS && refused(e->sys)) {
        *mode = MODE_MANY;
        return 0;
    }
    size_t datagrams = sent < 0 ? 0 : (size_t)sent * row;
    return sent < 0 ? -1 : (int)(datagrams < count ? datagrams : count);
}

/* --- Receiving --- */

/* The largest message, of one datagram or many. */
enum { LARGEST = 65535 };

/* What one message is received into; CAP bytes of data. */
struct gso_slot {
    struct addr peer;
    struct iovec part;
    union control control;
    _Alignas(SOCK_ALIGN) unsigned char data[LARGEST + 1];
};

int gso_open(struct gso_inbox *in, int fd, unsigned count, size_t cap,
             struct err *e)
{
    *in = (struct gso_inbox){.mode = MODE_MANY, .count = count, .cap = cap};
    in->messages = calloc(count, sizeof *in->messages);
    in->slots = aligned_alloc(SOCK_ALIGN, count * sizeof *in->slots);
    if (in->messages == NULL || in->slots == NULL)
        return err_sys(e, "receive buffers");
    if (cap >= LARGEST && sock_setsockopt(fd, SOL_UDP, UDP_GRO, 1, NULL) == 0)
        in->mode = MODE_ROWS;
    return 0;
}

void gso_close(struct gso_inbox *in)
{
    free(in->messages);
    free(in->slots);
}

static void lay_out(struct gso_inbox *in)
{
    for (unsigned i = 0; i < in->count; i++) {
        struct gso_slot *slot = &in->slots[i];
        slot->part = (struct iovec){slot->data, in->cap};
        in->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &slot->peer.sa,
                            .msg_namelen = sizeof slot->peer.in6,
                            .msg_iov = &slot->part,
                            .msg_iovlen = 1,
                            .msg_control = &slot->control,
                            .msg_controllen = sizeof slot->control};
    }
}

int gso_receive(struct gso_inbox *in, int fd, int flags, struct err *e)
{
    lay_out(in);
    int n = sock_recvmmsg(fd, in->messages, in->count, flags | MSG_TRUNC, e);
    in->received = n > 0 ? (unsigned)n : 0;
    in->next = 0;
    in->at = 0;
    return n;
}

/* How large each datagram in this message is: all of it, unless GRO says. */
static size_t segment_size(struct msghdr *m, size_t len)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof size);
            return size > 0 ? (size_t)size : len;
        }
    return len;
}

bool gso_next(struct gso_inbox *in, struct gso_datagram *d)
{
    if (in->next == in->received)
        return false;
    struct gso_slot *slot = &in->slots[in->next];
    struct mmsghdr *m = &in->messages[in->next];
    size_t whole = m->msg_len; /* MSG_TRUNC tells the true size */
    size_t len = whole < in->cap ? whole : in->cap, left = len - in->at;
    size_t size = segment_size(&m->msg_hdr, len);
    *d = (struct gso_datagram){.peer = &slot->peer,
                               .data = slot->data + in->at,
                               .len = left < size ? left : size};
    d->whole = whole > len ? whole : d->len;
    slot->peer.len = m->msg_hdr.msg_namelen;
    in->at += d->len;
    if (in->at >= len) { /* an empty datagram is one too */
        in->at = 0;
        in->next++;
    }
    return true;
}
