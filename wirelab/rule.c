/* SPDX-License-Identifier: MIT
 *
 * rule: one exact fault. See rule.h for the language.
 */
#include "rule.h"

#include "lang.h"
#include "opt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const action_names[] = {
    [RULE_DROP] = "drop",       [RULE_DUPLICATE] = "duplicate",
    [RULE_CORRUPT] = "corrupt", [RULE_DELAY] = "delay=",
    [RULE_SWAP] = "swap",
};
static const char *const kind_names[RULE_KINDS] = {
    [RULE_RST] = "rst", [RULE_SYNACK] = "synack", [RULE_SYN] = "syn",
    [RULE_FIN] = "fin", [RULE_DATA] = "data",     [RULE_ACK] = "ack",
    [RULE_UDP] = "udp", [RULE_ICMP] = "icmp",     [RULE_ANY] = "any",
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A piece of the rule's text. */
struct word {
    const char *at;
    size_t len;
};

static struct word next_word(const char **text)
{
    *text += strspn(*text, " \t");
    struct word w = {*text, strcspn(*text, " \t")};
    *text += w.len;
    return w;
}

/* Takes what stands before the first of the bytes STOPS off *w. */
static struct word split(struct word *w, const char *stops)
{
    struct word left = {w->at, 0};
    while (left.len < w->len && strchr(stops, w->at[left.len]) == NULL)
        left.len++;
    w->at += left.len;
    w->len -= left.len;
    return left;
}

/* The place of the word in a table of names, or -1. */
static int place(struct word w, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == w.len && memcmp(names[i], w.at, w.len) == 0)
            return (int)i;
    return -1;
}

bool rule_read_host(const char *word, size_t len, enum host_id *host)
{
    static const enum host_id hosts[] = {HOST_CLIENT, HOST_SERVER};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const char *name = host_name(hosts[i]);
        if (strlen(name) == len && memcmp(name, word, len) == 0) {
            *host = hosts[i];
            return true;
        }
    }
    return false;
}

/* The word at fault, and what may stand in its place. */
static int refuse(struct err *e, struct word w, const char *allowed)
{
    if (w.len == 0)
        return err_set(e, STATUS_USAGE, "rule: missing %s", _(allowed));
    return err_set(e, STATUS_USAGE, "rule: '%.*s' is not %s",
                   (int)(w.len < 64 ? w.len : 64), w.at, _(allowed));
}

static int read_delay(struct word w, uint64_t *delay_ns)
{
    char text[32];
    if (w.len >= sizeof text)
        return -1;
    memcpy(text, w.at, w.len);
    text[w.len] = '\0';
    const struct opt delay = {.name = "delay",
                              .value = delay_ns,
                              .min = 1,
                              .max = UINT64_C(3600) * 1000000000};
    return opt_duration(text, &delay, NULL);
}

static int read_action(struct word w, struct rule *r, struct err *e)
{
    struct word value = w, name = split(&value, "=");
    if (value.len > 0) { /* the '=' belongs to the name */
        name.len++;
        value.at++, value.len--;
    }
    int i = place(name, action_names, COUNT(action_names));
    if (i < 0)
        return refuse(
            e, w, N_("an action: drop, duplicate, corrupt, delay=DUR, swap"));
    r->action = (enum rule_action)i;
    if (r->action == RULE_DELAY && read_delay(value, &r->delay_ns) < 0)
        return refuse(e, w,
                      N_("delay= and a duration: delay=300ms, delay=1.5s"));
    if (r->action != RULE_DELAY && name.len != w.len)
        return refuse(e, w, N_("an action by itself: only delay has a value"));
    return 0;
}

/* Digits only, from 1 on. */
static bool read_number(struct word w, uint64_t *n)
{
    *n = 0;
    for (size_t i = 0; i < w.len; i++) {
        if (!isdigit((unsigned char)w.at[i]) || *n > UINT32_MAX)
            return false;
        *n = *n * 10 + (uint64_t)(w.at[i] - '0');
    }
    return *n > 0;
}

/* "#N", "#N-M", or nothing: all. */
static int read_range(struct word w, struct rule *r, struct err *e)
{
    struct word last = w, first;
    r->first = 1;
    r->last = UINT64_MAX;
    if (w.len == 0)
        return 0;
    last.at++, last.len--; /* the '#' */
    first = split(&last, "-");
    bool is_range = last.len > 0;
    if (is_range)
        last.at++, last.len--;
    else
        last = first;
    if (!read_number(first, &r->first) || !read_number(last, &r->last) ||
        r->first > r->last)
        return refuse(e, w,
                      N_("a number or a range: #2, #2-4; none means all"));
    return 0;
}

static int read_target(struct word w, struct rule *r, struct err *e)
{
    const char *hosts = N_("a host: client, server");
    const char *kinds =
        N_("a kind of frame: rst synack syn fin data ack udp icmp any");
    struct word kind = w, from = split(&kind, ":");
    if (!rule_read_host(from.at, from.len, &r->from))
        return refuse(e, from, hosts);
    if (kind.len == 0)
        return refuse(e, w, N_("FROM:KIND, such as client:data#2"));
    kind.at++, kind.len--; /* the ':' */
    struct word range = kind;
    kind = split(&range, "#");
    int i = place(kind, kind_names, COUNT(kind_names));
    if (i < 0)
        return refuse(e, kind, kinds);
    r->kind = (enum rule_kind)i;
    return read_range(range, r, e);
}

int rule_parse(const char *text, struct rule *r, struct err *e)
{
    *r = (struct rule){0};
    if (read_action(next_word(&text), r, e) < 0)
        return -1;
    struct word target = next_word(&text);
    if (target.len == 0)
        return refuse(e, target, N_("FROM:KIND, such as client:data#2"));
    if (read_target(target, r, e) < 0)
        return -1;
    struct word rest = next_word(&text);
    if (rest.len > 0)
        return refuse(e, rest,
                      N_("part of a rule: ACTION FROM:KIND#N, no more"));
    return 0;
}

static enum rule_kind tcp_kind(const struct frame *f)
{
    if ((f->flags & TCP_RST) != 0)
        return RULE_RST;
    if ((f->flags & TCP_SYN) != 0)
        return (f->flags & TCP_ACK) != 0 ? RULE_SYNACK : RULE_SYN;
    if ((f->flags & TCP_FIN) != 0)
        return RULE_FIN;
    if (f->payload_len > 0)
        return RULE_DATA;
    return (f->flags & TCP_ACK) != 0 ? RULE_ACK : RULE_ANY;
}

enum rule_kind rule_kind_of(const struct frame *f)
{
    if (f->kind == FRAME_TCP)
        return tcp_kind(f);
    switch (f->ip_protocol) {
    case IPPROTO_UDP:
        return RULE_UDP;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return RULE_ICMP;
    default:
        return RULE_ANY;
    }
}

bool rule_hits(const struct rule *r, enum host_id from, enum rule_kind kind,
               uint64_t number, uint64_t total)
{
    if (r->from != from || (r->kind != RULE_ANY && r->kind != kind))
        return false;
    uint64_t n = r->kind == RULE_ANY ? total : number;
    return n >= r->first && n <= r->last;
}
