/* SPDX-License-Identifier: MIT
 *
 * capture: the packets of a pcap or pcapng file, whoever wrote it, decoded.
 * libpcap reads the file; the link types that are understood are Ethernet, raw
 * IP, Linux' cooked headers (tcpdump -i any) and BSD's loopback.
 * Memory is bounded, however large the file is.
 * Sources: pcap(3PCAP), pcap-linktype(7).
 * Read next: survey.h, who talks with whom in it; replay.h.
 */
#ifndef WIRELAB_CAPTURE_H
#define WIRELAB_CAPTURE_H

#include "err.h"
#include "frame.h"
#include "notes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet {
    uint64_t number; /* from 1, as Wireshark counts */
    uint64_t t_ns;   /* since 1970 */
    const uint8_t *bytes;
    size_t len, wire_len;
    struct frame frame;     /* a transport checksum that was left to a network
                               card is CHECKSUM_UNKNOWN */
    bool inbound, outbound; /* seen from the host that captured; both false:
                               that is not known */
    struct note note;
};

struct capture;

/* NULL and *e: it cannot be read, it is no capture, or it is of a link type
 * that is not understood. */
struct capture *capture_open(const char *path, struct err *e);
void capture_close(struct capture *c); /* NULL is allowed */

/* The next packet, which lasts until the next call: 1; 0 behind the last; -1
 * and *e where the file is cut or makes no sense. */
int capture_next(struct capture *c, struct packet *p, struct err *e);

#endif
