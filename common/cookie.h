/* SPDX-License-Identifier: MIT
 *
 * cookie: a number that only this server can make for an address, so that a
 * peer that returns it has shown that it receives there. Nothing is stored.
 * Sources: SipHash-2-4 (Aumasson and Bernstein, 2012); the idea is that of
 * TCP's SYN cookies (RFC 4987).
 */
#ifndef WIRELAB_COOKIE_H
#define WIRELAB_COOKIE_H

#include "addr.h"

#include <stddef.h>
#include <stdint.h>

/* The cookie of an address under a secret; never 0. */
uint64_t cookie_of(const struct addr *a, const uint64_t secret[2]);

/* SipHash-2-4. */
uint64_t cookie_hash(const void *data, size_t len, const uint64_t key[2]);

#endif
