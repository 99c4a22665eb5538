/* SPDX-License-Identifier: MIT
 *
 * pattern_parse: reads the words of one pattern. See pattern.h for the
 * language. A function that takes something returns 1 if it was there, 0 if
 * the words are something else, -1 and *e if they are wrong.
 * Read next: pattern.c.
 */
#include "pattern.h"

#include "lang.h"
#include "rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

bool pattern_take_host(struct lex *l, enum host_id *host)
{
    if (l->now.kind != TOKEN_WORD ||
        !rule_read_host(l->now.at, l->now.len, host))
        return false;
    lex_next(l);
    return true;
}

static enum compare comparison(struct token t)
{
    static const struct {
        const char *text;
        enum compare how;
    } table[] = {
        {"=", COMPARE_EQUAL}, {"!=", COMPARE_UNEQUAL},
        {"<", COMPARE_LESS},  {"<=", COMPARE_AT_MOST},
        {">", COMPARE_MORE},  {">=", COMPARE_AT_LEAST},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        if (t.kind == TOKEN_COMPARE && strlen(table[i].text) == t.len &&
            memcmp(table[i].text, t.at, t.len) == 0)
            return table[i].how;
    return COMPARE_ANY;
}

bool pattern_take_compared(struct lex *l, struct compared *c)
{
    struct lex ahead = *l;
    struct compared found = {comparison(ahead.now), 0};
    if (found.how != COMPARE_ANY)
        lex_next(&ahead);
    else
        found.how = COMPARE_EQUAL;
    uint64_t n;
    if (lex_is(&ahead, "-1")) {
        found.with = -1;
        lex_next(&ahead);
    } else if (lex_number(&ahead, &n)) {
        found.with = (int64_t)n;
    } else {
        return false;
    }
    *l = ahead;
    *c = found;
    return true;
}

static int take_compared(struct lex *l, struct compared *c, struct err *e)
{
    if (pattern_take_compared(l, c))
        return 0;
    if (l->now.kind == TOKEN_COMPARE)
        lex_next(l); /* the word at fault stands behind it */
    return lex_refuse(l, e, N_("a number, such as = 0, != 0, >= 2"));
}

/* "= x+7", "= 7": relative, and x is always the client's first number. */
static int take_relative(struct lex *l, char letter, struct compared *c,
                         struct err *e)
{
    char allowed[96];
    snprintf(allowed, sizeof allowed, _("= and a relative number: %c+1 or 1"),
             letter);
    if (l->now.kind != TOKEN_COMPARE || *l->now.at != '=')
        return lex_refuse(l, e, allowed);
    lex_next(l);
    uint64_t n = 0;
    c->how = COMPARE_EQUAL;
    struct token t = l->now;
    bool has_letter = t.kind == TOKEN_WORD && t.at[0] == letter;
    if (has_letter && t.len == 1) {
        lex_next(l);
    } else if (has_letter && t.at[1] == '+') {
        struct lex number = *l;
        number.now.at += 2;
        number.now.len -= 2;
        if (!lex_number(&number, &n))
            return lex_refuse(l, e, allowed);
        *l = number;
    } else if (!lex_number(l, &n)) {
        return lex_refuse(l, e, allowed);
    }
    c->with = (int64_t)n;
    return 0;
}

static const char *const flag_names[] = {"FIN", "SYN", "RST", "PSH",
                                         "ACK", "URG", "ECE", "CWR"};

/* "SYN+ACK" as a set of flags; 0 if any part is none. */
static uint8_t read_flags(struct token t)
{
    uint8_t flags = 0;
    while (t.len >= 3) {
        uint8_t flag = 0;
        for (unsigned i = 0; i < COUNT(flag_names); i++)
            if (memcmp(flag_names[i], t.at, 3) == 0)
                flag = (uint8_t)(1 << i);
        if (flag == 0)
            return 0;
        flags |= flag;
        if (t.len == 3)
            return flags;
        if (t.at[3] != '+')
            return 0;
        t.at += 4;
        t.len -= 4;
    }
    return 0;
}

/* "6 B": takes both words, or nothing. */
static bool take_bytes(struct lex *l, struct compared *bytes)
{
    struct lex ahead = *l;
    struct compared n;
    if (!pattern_take_compared(&ahead, &n) || !lex_take(&ahead, "B"))
        return false;
    *l = ahead;
    *bytes = n;
    return true;
}

static const char fates_allowed[] =
    N_("a fault: loss, queue, blackhole, rule 1, reorder, corrupt, duplicate");

static int take_by(struct lex *l, struct pattern *p, struct err *e)
{
    static const char *const words[] = {"loss",    "queue",   "blackhole",
                                        "reorder", "corrupt", "duplicate"};
    uint64_t n;
    if (lex_take(l, "rule")) {
        if (!lex_number(l, &n))
            return lex_refuse(l, e, N_("the number of a rule"));
        snprintf(p->by, sizeof p->by, "rule %" PRIu64, n % 100000);
        return 0;
    }
    for (size_t i = 0; i < COUNT(words); i++)
        if (lex_take(l, words[i])) {
            snprintf(p->by, sizeof p->by, "%s", words[i]);
            return 0;
        }
    return lex_refuse(l, e, fates_allowed);
}

/* Takes the word if it says what the wire did. */
static bool take_fate(struct lex *l, struct pattern *p)
{
    static const char *const words[] = {
        [FATE_DELIVERED] = "delivered",
        [FATE_LOST] = "lost",
        [FATE_DUPLICATED] = "duplicated",
        [FATE_CORRUPTED] = "corrupted",
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (lex_take(l, words[i])) {
            p->has_fate = true;
            p->fate = (enum fate)i;
            return true;
        }
    return false;
}

static void take_again(struct lex *l, struct pattern *p)
{
    p->has_again = true;
    p->again = AGAIN_UNKNOWN;
    if (lex_take(l, "timeout"))
        p->again = AGAIN_TIMEOUT;
    else if (lex_take(l, "acks"))
        p->again = AGAIN_ACKS;
}

/* One more thing that is said about a frame: 1 taken, 0 there is none, -1. */
static int take_attribute(struct lex *l, struct pattern *p, struct err *e)
{
    char own = p->host == HOST_CLIENT ? 'x' : 'y';
    char other = p->host == HOST_CLIENT ? 'y' : 'x';
    if (take_bytes(l, &p->bytes) || lex_take(l, "sent") || take_fate(l, p))
        return 1;
    if (lex_take(l, "data"))
        p->bytes = (struct compared){COMPARE_MORE, 0};
    else if (lex_take(l, "received"))
        p->lane = IN_RECEIVED;
    else if (lex_take(l, "copy"))
        p->is_copy = true;
    else if (lex_take(l, "again"))
        take_again(l, p);
    else if (lex_take(l, "by"))
        return take_by(l, p, e) < 0 ? -1 : 1;
    else if (lex_take(l, "seq"))
        return take_relative(l, own, &p->seq, e) < 0 ? -1 : 1;
    else if (lex_take(l, "ack"))
        return take_relative(l, other, &p->ack, e) < 0 ? -1 : 1;
    else if (lex_take(l, "win"))
        return take_compared(l, &p->window, e) < 0 ? -1 : 1;
    else if (lex_take(l, "to"))
        return take_compared(l, &p->port, e) < 0 ? -1 : 1;
    else
        return 0;
    return 1;
}

bool pattern_is_of_departure(const struct pattern *p)
{
    return p->has_fate || p->has_again || p->by[0] != '\0';
}

static int take_attributes(struct lex *l, struct pattern *p, struct err *e)
{
    const struct lex begin = *l;
    int taken;
    do
        taken = take_attribute(l, p, e);
    while (taken > 0);
    if (taken == 0 && p->lane == IN_RECEIVED && pattern_is_of_departure(p)) {
        *l = begin;
        return lex_refuse(
            l, e,
            N_("possible: what the wire did, and what is sent "
               "again, is said of the departure, not of 'received'"));
    }
    if (taken == 0 && p->is_copy && p->lane != IN_RECEIVED)
        return lex_refuse(l, e, N_("'received': only there a copy is seen"));
    return taken;
}

/* Is this the name of any ICMP message, or a part of one? */
static bool is_icmp_name(const char *part)
{
    for (unsigned n = 0; n < 2 * 256 * 16; n++) {
        struct frame f = {.ip_version = n & 1 ? 6 : 4,
                          .icmp_type = (uint8_t)(n >> 1 & 0xff),
                          .icmp_code = (uint8_t)(n >> 9)};
        char name[40];
        if (strstr(frame_icmp_name(&f, name, sizeof name), part) != NULL)
            return true;
    }
    return false;
}

/* "port unreachable": words that go on as long as they make a name. */
static int take_icmp_name(struct lex *l, struct pattern *p, struct err *e)
{
    (void)e;
    while (l->now.kind == TOKEN_WORD) {
        char longer[PATTERN_TEXT];
        int len =
            snprintf(longer, sizeof longer, "%s%s%.*s", p->part,
                     p->part_len > 0 ? " " : "", (int)l->now.len, l->now.at);
        if (len < 0 || (size_t)len >= sizeof longer || !is_icmp_name(longer))
            break;
        memcpy(p->part, longer, sizeof longer);
        p->part_len = (size_t)len;
        lex_next(l);
    }
    return 0;
}

/* 1: the words are a frame; 0: they are not; -1. */
static int take_frame(struct lex *l, struct pattern *p, struct err *e)
{
    p->lane = IN_SENT;
    p->flags = read_flags(l->now);
    if (p->flags != 0) {
        p->frame = PATTERN_FLAGS;
        lex_next(l);
    } else if (take_bytes(l, &p->bytes)) {
        p->frame = PATTERN_BYTES;
    } else if (lex_take(l, "data")) {
        p->frame = PATTERN_DATA;
    } else if (lex_take(l, "frame")) {
        p->frame = PATTERN_FRAME;
    } else if (lex_take(l, "UDP")) {
        p->frame = PATTERN_UDP;
    } else if (lex_take(l, "ARP")) {
        p->frame = PATTERN_ARP;
    } else if (lex_take(l, "ICMP")) {
        p->frame = PATTERN_ICMP;
        take_icmp_name(l, p, e);
    } else {
        return 0;
    }
    return take_attributes(l, p, e) < 0 ? -1 : 1;
}

static bool take_state(struct lex *l, struct pattern *p)
{
    if (lex_take(l, "LISTEN")) {
        p->lane = IN_LISTEN;
        p->state = TCP_STATE_LISTEN;
        return true;
    }
    for (int s = TCP_STATE_SYN_SENT; s <= TCP_STATE_CLOSED; s++)
        if (lex_take(l, tcp_state_name((enum tcp_state)s))) {
            p->lane = IN_STATE;
            p->state = (enum tcp_state)s;
            return true;
        }
    return false;
}

/* Calls that a picture shows under another name than call_name knows. */
static const char *const aliases[] = {
    "sendmmsg", "recvmmsg", "readv",  "writev",
    "sendfile", "splice",   "select", "epoll_wait",
};

static bool is_call(const char *name)
{
    for (int id = 0; id < CALL_IDS; id++) {
        const struct call c = {.id = (enum call_id)id};
        if (strcmp(call_name(&c), name) == 0)
            return true;
    }
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (strcmp(aliases[i], name) == 0)
            return true;
    return false;
}

static bool is_errno(const char *name)
{
    for (int n = 1; n < 256; n++)
        if (strcmp(call_errno_name(n), name) == 0)
            return true;
    return false;
}

static bool copy_word(struct token t, size_t drop, char *buf, size_t cap)
{
    if (t.kind != TOKEN_WORD || t.len - drop >= cap)
        return false;
    memcpy(buf, t.at, t.len - drop);
    buf[t.len - drop] = '\0';
    return true;
}

static int take_result(struct lex *l, struct pattern *p, struct err *e)
{
    if (l->now.kind != TOKEN_COMPARE)
        return 0;
    struct lex ahead = *l;
    lex_next(&ahead);
    if (*l->now.at == '=' &&
        copy_word(ahead.now, 0, p->error, sizeof p->error) &&
        is_errno(p->error)) {
        lex_next(&ahead);
        *l = ahead;
        return 0;
    }
    p->error[0] = '\0';
    if (pattern_take_compared(l, &p->result))
        return 0;
    return lex_refuse(&ahead, e,
                      N_("a result: a number, or ECONNREFUSED and kin"));
}

/* 1: the words are a call; 0: they are not; -1. */
static int take_call(struct lex *l, struct pattern *p, struct err *e)
{
    struct token t = l->now;
    bool begins = t.len > 3 && memcmp(t.at + t.len - 3, "...", 3) == 0;
    if (!copy_word(t, begins ? 3 : 0, p->call, sizeof p->call) ||
        !is_call(p->call))
        return 0;
    p->lane = begins ? IN_CALL_BEGIN : IN_CALL;
    lex_next(l);
    if (!begins && take_result(l, p, e) < 0)
        return -1;
    if (l->now.kind == TOKEN_STRING &&
        lex_string(l, p->part, sizeof p->part, &p->part_len, e) < 0)
        return -1;
    return 1;
}

/* 1: the words are about a program; 0: they are not; -1. */
static int take_program(struct lex *l, struct pattern *p, struct err *e)
{
    if (lex_take(l, "output") || lex_is(l, "remark")) {
        p->lane = lex_take(l, "remark") ? IN_REMARK : IN_OUTPUT;
        int got = lex_string(l, p->part, sizeof p->part, &p->part_len, e);
        return got < 0 ? -1 : 1;
    }
    if (!lex_take(l, "exit")) {
        if (!lex_take(l, "killed"))
            return 0;
        p->is_killed = true;
    }
    p->lane = IN_EXIT;
    if (l->now.kind == TOKEN_COMPARE)
        return take_compared(l, &p->result, e) < 0 ? -1 : 1;
    pattern_take_compared(l, &p->result);
    return 1;
}

static const char things_allowed[] =
    N_("a frame (SYN SYN+ACK ACK FIN RST data UDP ICMP frame, 6 B), "
       "a state (LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 "
       "CLOSE_WAIT CLOSING LAST_ACK TIME_WAIT CLOSED), "
       "a call (socket, accept, recv...), output, remark, exit, killed");

static int take_thing(struct lex *l, struct pattern *p, struct err *e)
{
    int taken = take_frame(l, p, e);
    if (taken != 0)
        return taken;
    bool says_state = lex_take(l, "state");
    if (take_state(l, p))
        return 1;
    bool says_call = !says_state && lex_take(l, "call");
    taken = says_state ? 0 : take_call(l, p, e);
    if (taken == 0 && !says_state && !says_call)
        taken = take_program(l, p, e);
    return taken != 0 ? taken : lex_refuse(l, e, things_allowed);
}

int pattern_parse(struct lex *l, const enum host_id *host, struct pattern *p,
                  struct err *e)
{
    *p = (struct pattern){0};
    const char *begin = l->now.at;
    if (host != NULL)
        p->host = *host;
    else if (!pattern_take_host(l, &p->host))
        return lex_refuse(l, e, N_("a host: client, server"));
    if (take_thing(l, p, e) < 0)
        return -1;
    snprintf(p->text, sizeof p->text, "%s%s%.*s",
             host != NULL ? host_name(*host) : "", host != NULL ? " " : "",
             (int)(l->last - begin), begin);
    return 0;
}
