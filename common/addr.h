/* SPDX-License-Identifier: MIT
 *
 * addr: IP + port as a value. An IPv4 and an IPv6 address are the same type;
 * it is copied with =, and needs no freeing.
 * Sources: ip(7), ipv6(7), getaddrinfo(3), RFC 5952 (how IPv6 is written),
 * RFC 4007 (scope ids: fe80::1%lo).
 * Read next: call.h.
 */
#ifndef WIRELAB_ADDR_H
#define WIRELAB_ADDR_H

#include "err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    };
    socklen_t len; /* of the sockaddr; 0: no address (NULL in a call) */
};

/* Room for any text of addr_format and of addr_host. */
#define ADDR_TEXT 80
/* A name gives at most this many addresses; the rest are left out. */
#define ADDR_LIST 16

struct addr_list {
    struct addr at[ADDR_LIST];
    size_t count;
};

/* What a name stands for. HOST is a name or a numeric address ("::1" and
 * "[::1]" alike, "fe80::1%lo" with its scope), PORT a number from 0 to 65535
 * or a service name ("echo"). FAMILY: AF_INET, AF_INET6 or AF_UNSPEC.
 * TYPE: SOCK_STREAM or SOCK_DGRAM. Returns 0 and at least one address in the
 * resolver's order; or -1 and *e, with getaddrinfo's words. A port that cannot
 * be read is STATUS_USAGE; a name that does not resolve is STATUS_FAILED. */
int addr_resolve(const char *host, const char *port, int family, int type,
                 struct addr_list *list, struct err *e);

/* Reads numeric "ADDR", "ADDR:PORT", "[ADDR]:PORT"; without a port it is 0.
 * Returns 0, or -1 and *e (STATUS_USAGE). Asks no name server. */
int addr_parse(const char *text, struct addr *a, struct err *e);

/* "127.0.0.1:9000" or "[::1]:9000"; an address of another family is "?".
 * Fills BUF and returns it. */
const char *addr_format(const struct addr *a, char *buf, size_t cap);

/* The address alone, without brackets or port. Fills BUF and returns it. */
const char *addr_host(const struct addr *a, char *buf, size_t cap);

uint16_t addr_port(const struct addr *a); /* host byte order */
void addr_set_port(struct addr *a, uint16_t port);

/* The same family, IP, scope and port? */
bool addr_equal(const struct addr *a, const struct addr *b);

/* ::ffff:10.9.0.1, by which a socket for IPv6 and IPv4 knows an IPv4 peer, as
 * 10.9.0.1; any other address as it is. RFC 4291, section 2.5.5.2. */
struct addr addr_unmap(const struct addr *a);

bool addr_is_any(const struct addr *a);       /* 0.0.0.0, :: */
bool addr_is_loopback(const struct addr *a);  /* 127.0.0.0/8, ::1 */
bool addr_is_multicast(const struct addr *a); /* 224.0.0.0/4, ff00::/8 */

/* "tcp" for SOCK_STREAM, "udp" for SOCK_DGRAM. */
const char *addr_proto_name(int type);

#endif
