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

#include "addr.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;
struct sink;
struct source;
struct run_table;
struct desk;

/* One conversation. Over UDP each datagram is a conversation of its own. */
struct session {
    const struct service *service;
    uint64_t produced; /* how many times produce has been asked */
    struct sink *sink; /* the sink's own */
    int fd;            /* for what the kernel counts (cost.h), never for data */
    bool speaks;       /* produce is to be asked, as long as this is set */
    uint64_t pause_ns; /* and not before so long, if produce returned 0 */
};

/* Some bytes of somebody else's; len 0: none. */
struct span {
    const void *data;
    size_t len;
};

/* Datagrams of one size, in a row, that no other called for: to be sent by one
 * call, or one after the other. */
struct row {
    struct addr peer;
    const void *data;
    size_t size, count;
    uint64_t *mode;        /* how they leave (gso_send); NULL: there is one */
    struct source *source; /* who numbered them, at NOW; NULL: nobody did */
    uint64_t now_ns;
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
     * how many. 0: all has been said, and over TCP the server closes, unless
     * s->speaks is no longer set, or s->pause_ns is: nothing is due yet. NULL:
     * this service only answers, until the peer ends. */
    size_t (*produce)(struct session *s, void *out, size_t cap);

    /* The rest is for services that remember something, else NULL. begin and
     * end enclose a session; on_eof: the peer has said all it will say, and
     * may set s->speaks. */
    void (*begin)(struct session *s);
    void (*on_eof)(struct session *s);
    void (*end)(struct session *s);

    /* Over UDP, instead of all the above: see service_datagram,
     * service_unasked and service_sent. */
    bool (*datagram)(struct desk *d, const struct addr *peer, const void *in,
                     size_t len, void *out, size_t cap, struct span *answer);
    bool (*unasked)(struct desk *d, void *out, size_t cap, struct row *row,
                    uint64_t *wait_ns);
    void (*sent)(const struct row *row, size_t count);
};

/* A service at a UDP socket. Those of the RFCs remember nothing of a peer; the
 * sink has a table of runs. */
struct desk {
    const struct service *service;
    struct run_table *runs; /* NULL: nothing is remembered */
    int fd;                 /* for what the kernel counts, never for data */
    uint64_t secret[2];     /* what cookies are made with */
    uint64_t now_ns;        /* when the datagram came; 0: the clock is asked */
    uint64_t mode;          /* how datagrams come: enum run_mode */
    size_t row;             /* how many this model sends by one call */
};

/* All services, in the order of --services, ended by a row without name. */
extern const struct service services[];

/* Prints them on stdout, a line each: --services. */
void service_list(void);

/* The row of that name, or NULL. */
const struct service *service_find(const char *name);

/* Begins a session on the connection FD, and ends it. */
void session_init(struct session *s, const struct service *service, int fd);
void session_end(struct session *s);

/* The peer has ended its direction. */
void session_eof(struct session *s);

/* 0, or -1 and *e if there is no memory. desk_close also after it failed. */
int desk_open(struct desk *d, const struct service *service, int fd,
              struct err *e);
void desk_close(struct desk *d);

/* The answer to one datagram of PEER. Returns true and *answer, which points
 * into IN or OUT (CAP bytes), or false: there is none (discard). An answer may
 * be empty: echo answers an empty datagram with an empty one. */
bool service_datagram(struct desk *d, const struct addr *peer, const void *in,
                      size_t len, void *out, size_t cap, struct span *answer);

/* Are datagrams to be sent that no other called for? Returns true and *row: one
 * in OUT (CAP bytes), or up to d->row in memory of the service; or false and
 * *wait_ns, how long until there may be one (UINT64_MAX: not before another
 * comes in). */
bool service_unasked(struct desk *d, void *out, size_t cap, struct row *row,
                     uint64_t *wait_ns);

/* The first COUNT of that row have left; the others will be asked for again. */
void service_sent(struct desk *d, const struct row *row, size_t count);

#endif
