/* SPDX-License-Identifier: MIT
 *
 * cookie: a number for an address. See cookie.h for the contract.
 */
#include "cookie.h"

#include <endian.h>
#include <string.h>

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t cookie_hash(const void *data, size_t len, const uint64_t key[2])
{
    const unsigned char *p = data;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    for (size_t at = 0; at <= len; at += 8) {
        uint64_t word = 0;
        size_t left = len - at < 8 ? len - at : 8;
        memcpy(&word, p + at, left);
        word = le64toh(word);
        if (left < 8)
            word |= (uint64_t)len << 56;
        v[3] ^= word;
        rounds(v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t cookie_of(const struct addr *a, const uint64_t secret[2])
{
    unsigned char bytes[18] = {0};
    uint16_t port = addr_port(a);
    memcpy(bytes, &port, sizeof port);
    if (a->sa.sa_family == AF_INET)
        memcpy(bytes + 2, &a->in.sin_addr, sizeof a->in.sin_addr);
    else
        memcpy(bytes + 2, &a->in6.sin6_addr, sizeof a->in6.sin6_addr);
    uint64_t hash = cookie_hash(bytes, sizeof bytes, secret);
    return hash != 0 ? hash : 1;
}
