/* SPDX-License-Identifier: MIT
 *
 * words: a time, a number, a call in few columns. See words.h for the
 * contract; the labels of segments stand in words_label.c.
 */
#include "words.h"

#include "lang.h"
#include "out.h"
#include "place.h"
#include "talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *words_time(uint64_t ns, int width, int decimals, char *buf,
                       size_t cap)
{
    struct place p = {buf, cap, (size_t)width, 0};
    for (int d = decimals; d >= 0; d--)
        if (place_fit(&p, "%*.*f", width, d, (double)ns / 1e6))
            return buf;
    if (!place_fit(&p, "%*.0fs", width - 1, (double)ns / 1e9))
        place_cut(&p);
    return buf;
}

const char *words_number(const struct words *w, const struct event_frame *f,
                         enum host_id side, uint32_t value, char *buf,
                         size_t cap)
{
    char letter = side == HOST_CLIENT ? 'x' : 'y';
    uint32_t relative = value - f->isn[side];
    if (w->numbers == WORDS_ABSOLUTE || !f->isn_known[side])
        snprintf(buf, cap, "%" PRIu32, value);
    else if (w->numbers == WORDS_RELATIVE)
        snprintf(buf, cap, "%" PRIu32, relative);
    else if (relative == 0)
        snprintf(buf, cap, "%c", letter);
    else if (relative == UINT32_MAX) /* a probe before the first byte */
        snprintf(buf, cap, "%c-1", letter);
    else
        snprintf(buf, cap, "%c+%" PRIu32, letter, relative);
    return buf;
}

/* Calls whose result 0 says nothing. */
static bool is_quiet(const struct call *c)
{
    switch (c->id) {
    case CALL_BIND:
    case CALL_LISTEN:
    case CALL_SHUTDOWN:
    case CALL_CLOSE:
    case CALL_SETSOCKOPT:
    case CALL_GETSOCKOPT:
    case CALL_GETSOCKNAME:
    case CALL_GETPEERNAME:
    case CALL_FCNTL:
        return true;
    default:
        return false;
    }
}

/* "=6", "=-1 ECONNREFUSED", "=0, the end"; TERSE: "=ECONNREFUSED". */
static const char *result_text(const struct call *c, bool terse, char *buf,
                               size_t cap)
{
    if (!c->returned)
        snprintf(buf, cap, "...");
    else if (c->result < 0)
        snprintf(buf, cap, terse ? "=%s" : "=-1 %s", call_errno_name(c->error));
    else if (c->result == 0 && talk_receives(c) && c->proto == IPPROTO_TCP)
        snprintf(buf, cap, "%s", _("=0, the end"));
    else if (c->result == 0 && is_quiet(c))
        buf[0] = '\0';
    else
        snprintf(buf, cap, "=%ld", c->result);
    return buf;
}

/* HEAD, its result, and as much of the data as fits behind: "\n"... What was
 * received as a whole is worth more than the descriptor: recv=8 "one\ntwo\n".
 */
static bool fit_data(const struct place *p, const struct call *c,
                     const void *data, const char *head)
{
    char result[48], text[4 * CALL_DATA + 1];
    result_text(c, false, result, sizeof result);
    bool shows = talk_receives(c) && c->result > 0 && data != NULL;
    int name = (int)strcspn(head, "(");
    if (shows && (long)c->data_len == c->result) {
        out_escape(data, c->data_len, "", text, sizeof text);
        if (place_fit(p, "%s%s \"%s\"", head, result, text) ||
            place_fit(p, "%.*s%s \"%s\"", name, head, result, text))
            return true;
    }
    for (size_t n = shows ? c->data_len : 0; n > 0; n--) {
        out_escape(data, n, "", text, sizeof text);
        if (place_fit(p, "%s%s \"%s\"%s", head, result, text,
                      (long)n < c->result ? "..." : ""))
            return true;
    }
    if (place_fit(p, "%s%s", head, result))
        return true;
    result_text(c, true, result, sizeof result);
    return place_fit(p, "%s%s", head, result);
}

/* "server:9000", "server" or ":9000": how a peer is called, in DETAIL 0, 1,
 * 2. */
static const char *peer_text(const struct words *w, const struct addr *a,
                             int detail, char *buf, size_t cap)
{
    struct addr portless = *a;
    char host[ADDR_TEXT];
    unsigned port = addr_port(a);
    addr_host(a, host, sizeof host);
    addr_set_port(&portless, 0);
    for (int h = 0; h < HOST_COUNT; h++)
        if (addr_equal(&w->host[h], &portless))
            snprintf(host, sizeof host, "%s", host_name((enum host_id)h));
    if (detail == 0)
        snprintf(buf, cap, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    else if (detail == 1)
        snprintf(buf, cap, "%s", host);
    else
        snprintf(buf, cap, ":%u", port);
    return buf;
}

const char *words_host(const struct words *w, enum host_id host, char *buf,
                       size_t cap)
{
    char ip[ADDR_TEXT];
    if (w->host[host].len != 0)
        snprintf(buf, cap, "%s %s", host_name(host),
                 addr_host(&w->host[host], ip, sizeof ip));
    else
        snprintf(buf, cap, "%s", host_name(host));
    return buf;
}

static bool call_begins(const struct words *w, const struct place *p,
                        const struct call *c)
{
    const char *name = call_name(c);
    char peer[ADDR_TEXT + 16];
    if (c->id == CALL_POLL)
        return place_fit(p, "%s()...", name);
    if (c->id == CALL_CONNECT && c->addr.len != 0 &&
        (place_fit(p, "%s(%d, %s)...", name, c->fd,
                   peer_text(w, &c->addr, 0, peer, sizeof peer)) ||
         place_fit(p, "%s(%d,%s)...", name, c->fd,
                   peer_text(w, &c->addr, 1, peer, sizeof peer)) ||
         place_fit(p, "%s(%d, %s)...", name, c->fd,
                   peer_text(w, &c->addr, 2, peer, sizeof peer))))
        return true;
    if (talk_sends(c) && place_fit(p, "%s(%d, %zu B)...", name, c->fd, c->size))
        return true;
    return place_fit(p, "%s(%d)...", name, c->fd);
}

/* A receive is known by what it gives; the others by their name. */
static bool call_returns(const struct place *p, const struct call *c,
                         const void *data)
{
    char head[64];
    if (talk_receives(c))
        return fit_data(p, c, data, "...");
    snprintf(head, sizeof head, "...%s", call_name(c));
    if (c->result >= 0)
        return fit_data(p, c, data, head);
    return place_fit(p, "%s=-1 %s", head, call_errno_name(c->error)) ||
           place_fit(p, "...=-1 %s", call_errno_name(c->error)) ||
           place_fit(p, "...%s", call_errno_name(c->error));
}

static bool bind_whole(const struct words *w, const struct place *p,
                       const struct call *c)
{
    char peer[ADDR_TEXT + 16], full[ADDR_TEXT], result[48];
    result_text(c, false, result, sizeof result);
    const char *form = c->id == CALL_BIND ? "%s(%d, %s)%s" : "%s(%d,%s)%s";
    for (int detail = 0; detail < 3; detail++) {
        const char *text =
            detail == 0 && c->id == CALL_BIND
                ? addr_format(&c->addr, full, sizeof full)
                : peer_text(w, &c->addr, detail, peer, sizeof peer);
        if (c->id == CALL_BIND && detail == 1)
            continue;
        if (place_fit(p, form, call_name(c), c->fd, text, result))
            return true;
    }
    return false;
}

static bool call_whole(const struct words *w, const struct place *p,
                       const struct call *c, const void *data)
{
    static const char *const hows[] = {"RD", "WR", "RDWR"};
    const char *name = call_name(c);
    char head[64], result[48], args[CALL_TEXT];
    result_text(c, false, result, sizeof result);
    if (c->id == CALL_SOCKET)
        return place_fit(p, "%s(%s)%s", name,
                         c->proto == IPPROTO_UDP ? "UDP" : "TCP", result);
    if (c->id == CALL_SHUTDOWN && c->arg[0] >= 0 && c->arg[0] <= 2 &&
        place_fit(p, "%s(%d, %s)%s", name, c->fd, hows[c->arg[0]], result))
        return true;
    if ((c->id == CALL_BIND || c->id == CALL_CONNECT) && c->addr.len != 0 &&
        bind_whole(w, p, c))
        return true;
    if (talk_sends(c) &&
        place_fit(p, "%s(%d, %zu B)%s", name, c->fd, c->size, result))
        return true;
    if (c->id >= CALL_SETSOCKOPT && c->id < CALL_POLL &&
        place_fit(p, "%s(%s)%s", name, call_args(c, args, sizeof args), result))
        return true;
    if (c->id == CALL_POLL)
        snprintf(head, sizeof head, "%s()", name);
    else
        snprintf(head, sizeof head, "%s(%d)", name, c->fd);
    return fit_data(p, c, data, head);
}

const char *words_call(const struct words *w, const struct call *c,
                       const void *data, enum row_part part, size_t width,
                       char *buf, size_t cap)
{
    struct place p = {buf, cap, width, 0};
    bool fits = part == PART_BEGIN    ? call_begins(w, &p, c)
                : part == PART_RETURN ? call_returns(&p, c, data)
                                      : call_whole(w, &p, c, data);
    if (!fits)
        place_cut(&p);
    return buf;
}
