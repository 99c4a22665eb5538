/* SPDX-License-Identifier: MIT
 *
 * service: what a server says, apart from how it waits and what carries it.
 * A service works on buffers and never sees a descriptor, so that each is
 * written once for every model and for both protocols.
 * Sources: RFC 862 (echo), 863 (discard), 864 (chargen), 867 (daytime).
 * Read next: model.h.
 */
#ifndef WIRELAB_SERVICE_H
#define WIRELAB_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;

/* One conversation. Over UDP each datagram is a conversation of its own. */
struct session {
    const struct service *service;
    uint64_t produced; /* how many times produce has been asked */
};

/* Some bytes of somebody else's; len 0: none. */
struct span {
    const void *data;
    size_t len;
};

struct service {
    const char *name;
    const char *summary; /* one line for --services */
    uint16_t port;       /* IANA's, for information */
    uint16_t rfc;

    /* LEN bytes have arrived; returns what to send back: they may be the
     * bytes of IN, which the caller then sends before it reads again.
     * LEN 0 is an empty datagram. */
    struct span (*on_input)(struct session *s, const void *in, size_t len);

    /* The next bytes to send unasked, at most CAP of them into OUT; returns
     * how many. 0: all has been said, and over TCP the server closes. NULL:
     * this service only answers, until the peer ends. */
    size_t (*produce)(struct session *s, void *out, size_t cap);
};

/* All services, in the order of --services, ended by a row without name. */
extern const struct service services[];

/* The row of that name, or NULL. */
const struct service *service_find(const char *name);

void session_init(struct session *s, const struct service *service);

/* The answer to one datagram. Returns true and *answer, which points into IN
 * or OUT (CAP bytes), or false: there is none (discard). An answer may be
 * empty: echo answers an empty datagram with an empty one. */
bool service_datagram(const struct service *service, const void *in, size_t len,
                      void *out, size_t cap, struct span *answer);

#endif
