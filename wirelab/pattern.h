/* SPDX-License-Identifier: MIT
 *
 * pattern: one event as an expectation describes it, in the words of the
 * picture:
 *
 *   client SYN                        server SYN+ACK ack=x+1
 *   server 6 B seq=y+1 ack=x+7        client data lost by rule 1
 *   client 6 B again timeout          server ACK win = 0
 *   client data received copy         server ICMP port unreachable
 *   client ESTABLISHED                server TIME_WAIT
 *   server accept...                  server accept = 4
 *   server recv = 6 "hello\n"         client connect = ECONNREFUSED
 *   client output "hello"             client exit 0
 *   server killed 9                   server remark "delayed ACK"
 *
 * A frame's host is the one that sends it. Without "received" its departure is
 * meant, with it the arrival at the other host. SYN is without ACK, ACK is
 * bare, FIN and RST may come with ACK, data is TCP's and without SYN, FIN or
 * RST; "6 B" is TCP's or UDP's. A call is meant when it returns; "accept..."
 * is its beginning, if it is one that waits.
 * Read next: expect.h.
 */
#ifndef WIRELAB_PATTERN_H
#define WIRELAB_PATTERN_H

#include "err.h"
#include "event.h"
#include "lex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum compare {
    COMPARE_ANY, /* not said */
    COMPARE_EQUAL,
    COMPARE_UNEQUAL,
    COMPARE_LESS,
    COMPARE_AT_MOST,
    COMPARE_MORE,
    COMPARE_AT_LEAST,
};

struct compared {
    enum compare how;
    int64_t with;
};

bool compared_holds(int64_t value, const struct compared *c);

/* The order that a pattern belongs to: between two neighbours in a lane there
 * is nothing else of that lane. */
enum pattern_lane {
    IN_SENT,
    IN_RECEIVED,
    IN_STATE,      /* of a connection of this host */
    IN_LISTEN,     /* of a listening socket of this host */
    IN_CALL,       /* returned */
    IN_CALL_BEGIN, /* waits */
    IN_OUTPUT,
    IN_EXIT,
    IN_REMARK,
};

enum pattern_frame {
    PATTERN_FRAME, /* any */
    PATTERN_FLAGS,
    PATTERN_DATA,
    PATTERN_BYTES,
    PATTERN_UDP,
    PATTERN_ICMP,
    PATTERN_ARP,
};

#define PATTERN_TEXT 80

struct pattern {
    char text[PATTERN_TEXT]; /* as it was written, for messages */
    enum pattern_lane lane;
    enum host_id host;

    /* frames */
    enum pattern_frame frame;
    uint8_t flags;
    struct compared bytes, seq, ack, window, port;
    bool is_copy;
    bool has_fate, has_again;
    enum fate fate;
    enum again again; /* AGAIN_UNKNOWN: for whatever reason */
    char by[16];      /* "": by anything */

    enum tcp_state state;

    /* calls; of an exit the status, or the signal if is_killed */
    char call[16];
    struct compared result;
    char error[24]; /* "ECONNREFUSED", "" */
    bool is_killed;

    /* what the output, the remark, the call's data or the ICMP name holds */
    char part[PATTERN_TEXT];
    size_t part_len;
};

/* Reads a pattern off *l. HOST: whose it is; NULL: the pattern begins with
 * it. 0, or -1 and *e (STATUS_USAGE) with the word at fault. */
int pattern_parse(struct lex *l, const enum host_id *host, struct pattern *p,
                  struct err *e);

/* Does it say what only a departure tells: a fate, or that it is sent again? */
bool pattern_is_of_departure(const struct pattern *p);

/* "client" or "server", if that is the current token: takes it. */
bool pattern_take_host(struct lex *l, enum host_id *host);

/* Reads a comparison and a number; without one it is "equal". False, and
 * nothing taken, if there is no number behind it. */
bool pattern_take_compared(struct lex *l, struct compared *c);

enum pattern_match {
    MATCH_ELSEWHERE, /* an event of another lane */
    MATCH_NO,
    MATCH_NEAR, /* the same in kind, but not in all that was asked */
    MATCH_YES,
};

enum pattern_match pattern_match(const struct pattern *p,
                                 const struct event *e);

/* The event in a pattern's words. Fills BUF and returns it. */
const char *pattern_describe(const struct event *e, char *buf, size_t cap);

#endif
