/* SPDX-License-Identifier: MIT
 *
 * talk: who talks with whom, and what was seen of it so far. A talk is one
 * conversation: a TCP connection, or the datagrams between two UDP ports. It
 * tells which segment says something new, what a section's title may claim,
 * and what a picture came to. Nothing is claimed that was not seen.
 * Sources: RFC 9293.
 * Read next: ladder.c, which asks.
 */
#ifndef WIRELAB_TALK_H
#define WIRELAB_TALK_H

#include "event.h"
#include "ladder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What one side of a TCP connection has sent. */
struct talk_side {
    bool sent;                    /* anything at all */
    uint32_t end;                 /* one past its highest sequence number */
    bool has_acked;               /* ack below is set */
    uint32_t ack;                 /* its highest acknowledgement */
    bool shut;                    /* its last window was 0 */
    bool ack_landed, shut_landed; /* as has_acked and shut, but where it is */
    uint32_t landed;              /* received; as ack */
    unsigned syns;                /* SYNs it sent, repetitions included */
    bool fin, fin_landed, fin_acked; /* acked: the ACK came home */
    uint32_t fin_end;                /* one past its FIN */
    bool reset;                      /* it sent RST */
    bool time_wait;
    uint64_t owes_ns; /* since when it has data it has not acknowledged;
                         0: it has none */
};

struct talk {
    struct talk *next;
    unsigned number;             /* from 1, by first sight */
    int proto;                   /* IPPROTO_TCP, IPPROTO_UDP */
    struct addr end[HOST_COUNT]; /* port 0: not known yet */
    enum section section;        /* how far its rows have come */
    bool named;                  /* its title has been given */
    bool is_many;                /* it stands for all that found no place */
    struct talk_side side[HOST_COUNT];
    uint32_t isn[HOST_COUNT];
    bool isn_known[HOST_COUNT];

    /* the handshake */
    enum host_id caller; /* who sent the first SYN */
    unsigned opening;    /* segments until the caller answered SYN+ACK */
    bool answered;       /* it did */
    bool open;           /* and that landed */
    bool accepted;       /* accept returned it before that, */
    bool accept_waits;   /* or was called before that */
    unsigned queued;     /* when it was there to be accepted, counted over all
                            conversations; 0: not yet, or it was accepted */
    bool open_trouble;   /* some of those were lost or sent again */
    bool refused, crossed_syns;

    /* the close */
    enum host_id closer; /* who sent the first FIN */
    unsigned closing;    /* segments from the first FIN on */
    bool close_trouble;  /* some of those were lost or sent again */
    bool crossed_fins;   /* the second left before the first landed */
    bool merged;         /* the second acknowledged the first */
    bool fin_has_data;   /* the first carried data */
    bool data_back;      /* data from the other side after the first */
};

/* A socket that a program holds, as far as its calls tell. */
struct talk_socket {
    struct talk_socket *next;
    enum host_id host;
    pid_t pid;
    int fd;
    int proto;
    uint16_t port; /* bound to; 0: not known */
    bool listening;
    bool closed;       /* here; a forked child may still hold it */
    struct talk *talk; /* NULL: none yet, or many (a UDP server) */
};

struct talks {
    struct talk *first;
    struct talk_socket *sockets;
    unsigned count;
    unsigned queued;        /* as in struct talk, the last given */
    bool accept_called;     /* at any time so far */
    bool listen_called;     /* so that a missing accept means something */
    bool asked, reply_read; /* data left the client; a call gave it some back */
    bool out_of_memory;
    struct ladder_totals totals;
};

/* What a segment says that was not said before. */
struct talk_news {
    bool ack;         /* the first with this number */
    bool window;      /* the window just closed, or opened again */
    bool probe;       /* asks whether a closed window is still closed */
    bool delayed_ack; /* the kernel held it back on purpose */
};

void talks_free(struct talks *t);

enum host_id talk_other(enum host_id host);

/* Is it one of the calls that receive, or that send? */
bool talk_receives(const struct call *c);
bool talk_sends(const struct call *c);

/* The conversation of a frame that was sent or received, or NULL: it has none
 * (ARP), or memory is short. A new one is made as needed. */
struct talk *talks_frame(struct talks *t, const struct event_frame *f);

/* A new conversation, or NULL if memory is short. */
struct talk *talks_new(struct talks *t, int proto);

/* The newest conversation between these ends, or NULL. One whose port on HOST
 * is not known yet fits any, and knows it from then on. */
struct talk *talks_find(struct talks *t, int proto, enum host_id host,
                        const struct addr *local, const struct addr *peer);

/* The newest that HOST has with that peer, whatever its own port; or NULL. To
 * a socket for IPv6 and IPv4 the peer may be ::ffff:10.9.0.1. */
struct talk *talks_peer(struct talks *t, int proto, enum host_id host,
                        const struct addr *peer);

/* Notes a frame that left, or landed, at T_NS; *news is what it says there and
 * then. */
void talk_sent(struct talks *t, struct talk *talk, const struct event_frame *f,
               uint64_t t_ns, struct talk_news *news);
/* Does this segment, which HOST gets, acknowledge the FIN that HOST sent? */
bool talk_acks_fin(const struct talk *talk, enum host_id host,
                   const struct frame *f);
void talk_received(struct talks *t, struct talk *talk,
                   const struct event_frame *f, uint64_t t_ns,
                   struct talk_news *news);

/* Notes a call; its conversation, or NULL if it has none that is known. Fills
 * in what the call speaks (c->proto) if only an earlier call told. */
struct talk *talks_call(struct talks *t, enum host_id host, pid_t pid,
                        struct call *c);

/* The datagrams that this socket sends belong to TALK. */
void talks_hold(struct talks *t, enum host_id host, pid_t pid, int fd,
                struct talk *talk);

/* Notes a state of a socket; its conversation or NULL. */
struct talk *talks_state(struct talks *t, enum host_id host,
                         const struct event_state *s);

/* The listening socket on HOST's port, whether a descriptor is one, and the
 * socket that holds TALK there; NULL and false if calls did not tell. */
const struct talk_socket *talks_listener(const struct talks *t,
                                         enum host_id host, uint16_t port);
bool talks_is_listening(const struct talks *t, enum host_id host, pid_t pid,
                        int fd);
const struct talk_socket *talks_holder(const struct talks *t, enum host_id host,
                                       const struct talk *talk);

/* The words of a section's title, into BUF. They are about the first
 * conversation: of more there are no sections. Returns true if they are final,
 * false if what is still to come may make them say more. */
bool talk_title(const struct talks *t, enum section section, char *buf,
                size_t cap);

/* The words for the title of a conversation by its tag. LATE: it joins one
 * that had no tag so far. Final or not, as above. */
bool talk_name(const struct talk *talk, bool late, char *buf, size_t cap);

/* 'A' for the first; '*' beyond 'Z'. */
char talk_tag(const struct talk *talk);

/* The last line of a picture that came to TOTALS, or "". BESIDE: another's to
 * compare it with, or NULL. */
void talks_total(const struct talks *t, const struct ladder_totals *totals,
                 const struct ladder_totals *beside, char *buf, size_t cap);

#endif
