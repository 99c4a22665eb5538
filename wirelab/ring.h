/* SPDX-License-Identifier: MIT
 *
 * ring: the wire's hold on one cable: an AF_PACKET socket that sees each frame
 * the host sends, with the kernel's timestamp, in memory shared with the
 * kernel; and that hands frames to the host. The host's TCP works on a frame
 * before ring_send returns.
 * Sources: packet(7), Documentation/networking/packet_mmap.rst.
 * Read next: wire.h.
 */
#ifndef WIRELAB_RING_H
#define WIRELAB_RING_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    int fd; /* readable while frames wait; -1: closed */
    uint8_t *memory;
    size_t size, slot_size;
    unsigned slots, next; /* the slot that the kernel fills next */
    uint64_t dropped;     /* frames for which there was no slot */
};

/* One frame, in its slot until ring_release. */
struct ring_frame {
    const uint8_t *bytes;
    size_t len;       /* how many are at hand */
    size_t wire_len;  /* how many there were: more, if no slot is that large */
    uint64_t real_ns; /* CLOCK_REALTIME, when it reached the wire */
    bool unsummed;    /* the sender left the checksum to its card */
};

/* Opens the ring on interface INDEX of this network namespace, with slots for
 * frames of MTU. 0, or -1 and *e. */
int ring_open(struct ring *r, unsigned index, uint32_t mtu, struct err *e);

/* The oldest frame, or false: none waits. It stays the oldest until
 * ring_release gives its slot back to the kernel. */
bool ring_peek(const struct ring *r, struct ring_frame *f);
void ring_release(struct ring *r);

/* Hands a frame to the host: 0, or -1 and errno (ENETDOWN: its cable is
 * down; EMSGSIZE: its MTU is smaller). */
int ring_send(const struct ring *r, const uint8_t *bytes, size_t len);

/* Asks the kernel how many frames it has dropped since the last time, and
 * adds them to r->dropped. Returns their number. */
uint64_t ring_count_drops(struct ring *r);

void ring_close(struct ring *r);

#endif
