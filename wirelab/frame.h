/* SPDX-License-Identifier: MIT
 *
 * frame: bytes to fields. Pure and bounds-checked: every byte is read through
 * one getter that knows where the frame ends, so that a frame cut anywhere,
 * or a hostile one, gives what could be read and says where it stopped.
 * Sources: RFC 894 (Ethernet), 826 (ARP), 791 (IPv4), 8200 (IPv6), 9293 (TCP),
 * 7323 (window scale, timestamps), 2018 (SACK), 768 (UDP), 792 (ICMP),
 * 4443 (ICMPv6).
 */
#ifndef WIRELAB_FRAME_H
#define WIRELAB_FRAME_H

#include "addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_OTHER, /* not IP, or nothing that could be read */
    FRAME_ARP,
    FRAME_IP, /* IP with another protocol, or a fragment but the first */
    FRAME_TCP,
    FRAME_UDP,
    FRAME_ICMP, /* ICMP and ICMPv6 */
};

/* TCP's flags as they stand in the header's byte 13. */
enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

enum frame_checksum { CHECKSUM_UNKNOWN, CHECKSUM_GOOD, CHECKSUM_BAD };

#define FRAME_SACKS 4

struct frame {
    enum frame_kind kind;
    const char *cut; /* where reading stopped, if it stopped early:
                        "the TCP header is cut"; else NULL */
    size_t wire_len; /* how long the frame was on the wire */

    uint8_t mac_source[6], mac_destination[6];
    uint16_t ethertype; /* behind VLAN tags */
    uint16_t vlan;      /* the outermost tag's id, 0: none */

    uint8_t ip_version;  /* 4, 6; 0: not IP */
    uint32_t ip_header;  /* bytes, with options or extension headers */
    uint8_t ttl;         /* or hop limit */
    uint8_t ip_protocol; /* the transport's number */
    uint32_t ip_id;      /* of fragments it tells which belong together */
    bool is_fragment;    /* any part of a fragmented packet */
    bool more_fragments;
    uint16_t fragment_offset;        /* bytes */
    bool is_source_routed;           /* the destination is not the last one */
    struct addr source, destination; /* with ports for TCP and UDP */

    /* TCP */
    uint32_t seq, ack;
    uint8_t flags;
    uint8_t tcp_header;  /* bytes, with options */
    uint16_t window;     /* as in the header, unscaled */
    uint16_t mss;        /* option; 0: absent */
    int8_t window_scale; /* option; -1: absent */
    bool sack_permitted, has_timestamps;
    uint32_t ts_value, ts_echo;
    struct {
        uint32_t begin, end;
    } sack[FRAME_SACKS];
    unsigned sacks;

    /* ICMP: what it is, and whose packet it is about */
    uint8_t icmp_type, icmp_code;
    uint8_t about_protocol; /* 0: about nothing */
    struct addr about_source, about_destination;

    /* ARP */
    uint16_t arp_operation; /* 1 request, 2 reply */

    enum frame_checksum ip_checksum, transport_checksum;
    const uint8_t *transport; /* what the IP header carries: the transport
                                 header, or a later fragment; else NULL */
    size_t transport_len;     /* how many bytes of it are at hand */
    const uint8_t *payload;   /* what TCP or UDP carries; NULL if none */
    size_t payload_len;       /* by the headers' word, never more than there
                                 was on the wire */
    size_t payload_at_hand;   /* how many of them can be read: fewer if the
                                 capture cut the frame */
};

/* Reads the Ethernet frame of LEN bytes at hand (WIRE_LEN on the wire) into
 * *f, whose pointers point into BYTES. Never fails: see kind and cut. */
void frame_decode(const uint8_t *bytes, size_t len, size_t wire_len,
                  struct frame *f);

/* The same without an Ethernet header, for captures of other link types:
 * what an Ethertype announces (0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP, VLAN
 * tags), or an IP packet of either version. */
void frame_decode_ethertype(uint16_t ethertype, const uint8_t *bytes,
                            size_t len, size_t wire_len, struct frame *f);
void frame_decode_ip(const uint8_t *bytes, size_t len, size_t wire_len,
                     struct frame *f);

/* How much of the sequence space a TCP segment takes: payload, SYN, FIN. */
uint32_t frame_seq_len(const struct frame *f);

/* "SYN", "SYN+ACK", "FIN+ACK", "PSH+ACK": all flags, joined by SEPARATOR.
 * Fills BUF and returns it. */
const char *frame_flags(const struct frame *f, char separator, char *buf,
                        size_t cap);

/* "port unreachable" for an ICMP type and code; "type 9 code 0" if it has no
 * name here. Fills BUF and returns it. */
const char *frame_icmp_name(const struct frame *f, char *buf, size_t cap);

#endif
