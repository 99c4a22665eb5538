/* SPDX-License-Identifier: MIT
 *
 * talk_words: the titles of a picture and its last line. They stand above and
 * below the rows that prove them, and claim no more than those show. See
 * talk.h for the contract.
 */
#include "talk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence that grows. */
struct sentence {
    char *buf;
    size_t cap, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct sentence *s,
                                                      const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(s->buf + s->used, s->cap - s->used, format, ap);
    va_end(ap);
    if (n > 0)
        s->used +=
            (size_t)n < s->cap - s->used ? (size_t)n : s->cap - s->used - 1;
}

/* The conversation that was seen first, or NULL. */
static const struct talk *oldest(const struct talks *t)
{
    const struct talk *talk = t->first;
    while (talk != NULL && talk->next != NULL)
        talk = talk->next;
    return talk;
}

/* Is a datagram socket bound to the same number? */
static bool also_udp(const struct talks *t, uint16_t port)
{
    for (const struct talk_socket *s = t->sockets; s != NULL; s = s->next)
        if (s->host == HOST_SERVER && s->proto == IPPROTO_UDP &&
            s->port == port)
            return true;
    return false;
}

static bool title_setup(const struct talks *t, struct sentence *s)
{
    add(s, "set up");
    for (const struct talk_socket *k = t->sockets; k != NULL; k = k->next) {
        if (k->host != HOST_SERVER || !k->listening || k->port == 0)
            continue;
        add(s, ": the server waits on port %u%s", k->port,
            also_udp(t, k->port) ? ", TCP and UDP" : "");
        return true;
    }
    return false;
}

static bool title_handshake(const struct talks *t, const struct talk *talk,
                            struct sentence *s)
{
    add(s, "handshake");
    if (talk == NULL)
        return false;
    if (talk->crossed_syns) {
        add(s, ": both sides call at once; their SYNs cross");
        return true;
    }
    if (talk->refused) {
        add(s, ": refused; SYN is answered with RST");
        return true;
    }
    if (talk->open_trouble) {
        add(s, ": not every segment comes through");
        return true;
    }
    if (!talk->open || talk->opening < 3)
        return false;
    if (talk->opening == 3)
        add(s, ": three segments");
    if (talk->accept_waits && !talk->accepted)
        add(s, ", before accept() returns");
    else if (t->listen_called && !t->accept_called)
        add(s, ", before accept() is called");
    return true;
}

static bool title_data(const struct talk *talk, struct sentence *s)
{
    add(s, "data");
    if (talk != NULL && talk->isn_known[HOST_CLIENT] &&
        talk->isn_known[HOST_SERVER])
        add(s, ": x = %" PRIu32 ", y = %" PRIu32 ", the real first numbers",
            talk->isn[HOST_CLIENT], talk->isn[HOST_SERVER]);
    return true;
}

/* How the ends of both directions met. */
static void add_ends(const struct talk *talk, struct sentence *s)
{
    const char *second = host_name(talk_other(talk->closer));
    bool three = talk->merged && talk->closing == 3;
    if (talk->data_back)
        add(s, "; data still came back after its FIN");
    else if (talk->fin_has_data)
        add(s, ", FIN riding on data%s", three ? "; three segments" : "");
    else if (three)
        add(s, "; three segments: the %s's FIN carries the ACK", second);
    else
        add(s, "; each direction ends with its own FIN");
}

static bool title_close(const struct talk *talk, struct sentence *s)
{
    add(s, "close");
    if (talk == NULL)
        return false;
    const struct talk_side *c = &talk->side[HOST_CLIENT];
    const struct talk_side *v = &talk->side[HOST_SERVER];
    if (!c->fin && !v->fin && (c->reset || v->reset)) {
        add(s, ": the %s resets it; RST ends both directions at once",
            host_name(c->reset ? HOST_CLIENT : HOST_SERVER));
        return true;
    }
    if (talk->crossed_fins) {
        add(s, ": both sides at once; their FINs cross");
        return true;
    }
    if (!c->fin && !v->fin)
        return false;
    add(s, ": the %s first", host_name(talk->closer));
    if (c->reset || v->reset) {
        add(s, "; then RST from the %s",
            host_name(c->reset ? HOST_CLIENT : HOST_SERVER));
        return true;
    }
    if (talk->close_trouble)
        return true;
    if (!c->fin_acked || !v->fin_acked)
        return false;
    add_ends(talk, s);
    return true;
}

bool talk_title(const struct talks *t, enum section section, char *buf,
                size_t cap)
{
    struct sentence s = {.buf = buf, .cap = cap};
    const struct talk *talk = oldest(t);
    switch (section) {
    case SECTION_SETUP:
        return title_setup(t, &s);
    case SECTION_HANDSHAKE:
        return title_handshake(t, talk, &s);
    case SECTION_DATA:
        return title_data(talk, &s);
    case SECTION_CLOSE:
        return title_close(talk, &s);
    }
    return true;
}

char talk_tag(const struct talk *talk)
{
    return talk->number <= 26 ? (char)('A' + talk->number - 1) : '*';
}

bool talk_name(const struct talk *talk, bool late, char *buf, size_t cap)
{
    struct sentence s = {.buf = buf, .cap = cap};
    uint16_t client = addr_port(&talk->end[HOST_CLIENT]);
    uint16_t server = addr_port(&talk->end[HOST_SERVER]);
    add(&s, "%c: %s, client port ", talk_tag(talk),
        talk->proto == IPPROTO_TCP ? "TCP" : "UDP");
    if (client != 0)
        add(&s, "%u", client);
    else
        add(&s, "not known");
    add(&s, ", server port %u", server);
    if (late)
        add(&s, "; A is the one above");
    return client != 0;
}

static void add_segments(const struct ladder_totals *n, struct sentence *s)
{
    add(s, "%" PRIu64 " segment%s", n->segments, n->segments == 1 ? "" : "s");
    if (n->lost != 0)
        add(s, ", %" PRIu64 " lost", n->lost);
    if (n->again != 0)
        add(s, ", %" PRIu64 " sent again", n->again);
    if (n->bytes != 0)
        add(s, "%s for %" PRIu64 " bytes",
            n->lost != 0 || n->again != 0 ? "," : "", n->bytes);
    add(s, ".");
}

/* Who keeps TIME_WAIT, if anybody was seen in it. */
static void add_time_wait(const struct talks *t, struct sentence *s)
{
    const struct talk *talk = t->first;
    if (t->count != 1)
        return;
    bool client = talk->side[HOST_CLIENT].time_wait;
    bool server = talk->side[HOST_SERVER].time_wait;
    enum host_id who = client ? HOST_CLIENT : HOST_SERVER;
    if (client && server)
        add(s, " TIME_WAIT stays 60 s on both sides.");
    else if ((client || server) && who == talk->closer && !talk->crossed_fins)
        add(s, " TIME_WAIT stays 60 s with the side that closed first.");
    else if (client || server)
        add(s, " TIME_WAIT stays 60 s with the %s.", host_name(who));
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void add_datagrams(const struct ladder_totals *n,
                          const struct ladder_totals *beside,
                          struct sentence *s)
{
    add(s, "%" PRIu64 " datagram%s", n->datagrams,
        n->datagrams == 1 ? "" : "s");
    if (n->lost != 0)
        add(s, ", %" PRIu64 " lost", n->lost);
    if (n->reply_ns != 0)
        add(s, ", reply at %.1f ms", ms(n->reply_ns));
    if (beside != NULL && beside->segments != 0) {
        add(s, "; TCP %" PRIu64 " segments", beside->segments);
        if (beside->reply_ns != 0)
            add(s, ", %.1f ms", ms(beside->reply_ns));
    }
    add(s, ". No ACK, state or end.");
}

void talks_total(const struct talks *t, const struct ladder_totals *n,
                 const struct ladder_totals *beside, char *buf, size_t cap)
{
    struct sentence s = {.buf = buf, .cap = cap};
    buf[0] = '\0';
    if (n->segments != 0 && n->datagrams != 0)
        add(&s,
            "%" PRIu64 " segments and %" PRIu64 " datagrams in %u "
            "conversations for %" PRIu64 " bytes, %" PRIu64 " lost.",
            n->segments, n->datagrams, t->count, n->bytes, n->lost);
    else if (n->segments != 0)
        add_segments(n, &s);
    else if (n->datagrams != 0)
        add_datagrams(n, beside, &s);
    if (n->segments != 0)
        add_time_wait(t, &s);
}
