/* SPDX-License-Identifier: MIT
 *
 * talk_words: the titles of a picture and its last line. They stand above and
 * below the rows that prove them, and claim no more than those show. See
 * talk.h for the contract.
 */
#include "talk.h"

#include "lang.h"
#include "width.h"

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
    width_mend(s->buf);
    if (n > 0)
        s->used += strlen(s->buf + s->used);
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
    for (const struct talk_socket *k = t->sockets; k != NULL; k = k->next) {
        if (k->host != HOST_SERVER || !k->listening || k->port == 0)
            continue;
        add(s,
            also_udp(t, k->port)
                ? _("set up: the server waits on port %u, TCP and UDP")
                : _("set up: the server waits on port %u"),
            k->port);
        return true;
    }
    add(s, "%s", _("set up"));
    return false;
}

static const char *handshake_trouble(const struct talk *talk)
{
    return talk->crossed_syns
               ? _("handshake: both sides call at once; their SYNs cross")
           : talk->refused ? _("handshake: refused; SYN is answered with RST")
           : talk->open_trouble
               ? _("handshake: not every segment comes through")
               : NULL;
}

static bool title_handshake(const struct talks *t, const struct talk *talk,
                            struct sentence *s)
{
    /* When it was, seen from accept; not three segments, or three. */
    enum { SOME_TIME, BEFORE_RETURN, BEFORE_CALL };
    static const char *const titles[][2] = {
        {N_("handshake"), N_("handshake: three segments")},
        {N_("handshake, before accept() returns"),
         N_("handshake: three segments, before accept() returns")},
        {N_("handshake, before accept() is called"),
         N_("handshake: three segments, before accept() is called")}};
    const char *trouble = talk != NULL ? handshake_trouble(talk) : NULL;
    bool done = talk != NULL && talk->open && talk->opening >= 3;
    int when = SOME_TIME;
    if (done && talk->accept_waits && !talk->accepted)
        when = BEFORE_RETURN;
    else if (done && t->listen_called && !t->accept_called)
        when = BEFORE_CALL;
    bool three = done && talk->opening == 3;
    add(s, "%s", trouble != NULL ? trouble : _(titles[when][three]));
    return done || trouble != NULL;
}

static bool title_data(const struct talk *talk, struct sentence *s)
{
    if (talk != NULL && talk->isn_known[HOST_CLIENT] &&
        talk->isn_known[HOST_SERVER])
        add(s, _("data: x = %u, y = %u, the real first numbers"),
            talk->isn[HOST_CLIENT], talk->isn[HOST_SERVER]);
    else
        add(s, "%s", _("data"));
    return true;
}

/* How the ends of both directions met: %1$s closed first, then %2$s. */
static const char *ends_of(const struct talk *talk)
{
    bool three = talk->merged && talk->closing == 3;
    if (talk->data_back)
        return _("close: the %s first; data still came back after its FIN");
    if (talk->fin_has_data && three)
        return _("close: the %s first, FIN riding on data; three segments");
    if (talk->fin_has_data)
        return _("close: the %s first, FIN riding on data");
    if (three)
        return _("close: the %s first; three segments: the %s's FIN carries "
                 "the ACK");
    return _("close: the %s first; each direction ends with its own FIN");
}

static bool title_close(const struct talk *talk, struct sentence *s)
{
    if (talk == NULL) {
        add(s, "%s", _("close"));
        return false;
    }
    const struct talk_side *c = &talk->side[HOST_CLIENT];
    const struct talk_side *v = &talk->side[HOST_SERVER];
    const char *first = _(host_name(talk->closer));
    const char *second = _(host_name(talk_other(talk->closer)));
    const char *reset = _(host_name(c->reset ? HOST_CLIENT : HOST_SERVER));
    bool any_fin = c->fin || v->fin, any_reset = c->reset || v->reset;
    if (!any_fin && any_reset)
        add(s, _("close: the %s resets it; RST ends both directions at once"),
            reset);
    else if (talk->crossed_fins)
        add(s, "%s", _("close: both sides at once; their FINs cross"));
    else if (!any_fin)
        add(s, "%s", _("close"));
    else if (any_reset)
        add(s, _("close: the %s first; then RST from the %s"), first, reset);
    else if (talk->close_trouble || !c->fin_acked || !v->fin_acked)
        add(s, _("close: the %s first"), first);
    else
        add(s, ends_of(talk), first, second);
    return any_reset || talk->crossed_fins ||
           (any_fin && (talk->close_trouble || (c->fin_acked && v->fin_acked)));
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
    const char *proto = talk->proto == IPPROTO_TCP ? "TCP" : "UDP";
    if (client != 0)
        add(&s, _("%c: %s, client port %u, server port %u"), talk_tag(talk),
            proto, client, server);
    else
        add(&s, _("%c: %s, client port not known, server port %u"),
            talk_tag(talk), proto, server);
    if (late)
        add(&s, "%s", _("; A is the one above"));
    return client != 0;
}

/* A last line is a list: each part says one thing. */
static void add_segments(const struct ladder_totals *n, struct sentence *s)
{
    if (n->segments == 1)
        add(s, "%s", _("1 segment"));
    else
        add(s, _("%llu segments"), (unsigned long long)n->segments);
    if (n->lost != 0)
        add(s, _(", %llu lost"), (unsigned long long)n->lost);
    if (n->again != 0)
        add(s, _(", %llu sent again"), (unsigned long long)n->again);
    if (n->bytes != 0)
        add(s,
            n->lost != 0 || n->again != 0 ? _(", for %llu bytes.")
                                          : _(" for %llu bytes."),
            (unsigned long long)n->bytes);
    else
        add(s, "%s", _("."));
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
        add(s, "%s", _(" TIME_WAIT stays 60 s on both sides."));
    else if ((client || server) && who == talk->closer && !talk->crossed_fins)
        add(s, "%s",
            _(" TIME_WAIT stays 60 s with the side that closed first."));
    else if (client || server)
        add(s, _(" TIME_WAIT stays 60 s with the %s."), _(host_name(who)));
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void add_datagrams(const struct ladder_totals *n,
                          const struct ladder_totals *beside,
                          struct sentence *s)
{
    if (n->datagrams == 1)
        add(s, "%s", _("1 datagram"));
    else
        add(s, _("%llu datagrams"), (unsigned long long)n->datagrams);
    if (n->lost != 0)
        add(s, _(", %llu lost"), (unsigned long long)n->lost);
    if (n->reply_ns != 0)
        add(s, _(", reply at %.1f ms"), ms(n->reply_ns));
    if (beside != NULL && beside->segments != 0) {
        add(s, _("; TCP %llu segments"), (unsigned long long)beside->segments);
        if (beside->reply_ns != 0)
            add(s, _(", %.1f ms"), ms(beside->reply_ns));
    }
    add(s, "%s", _(". No ACK, state or end."));
}

void talks_total(const struct talks *t, const struct ladder_totals *n,
                 const struct ladder_totals *beside, char *buf, size_t cap)
{
    struct sentence s = {.buf = buf, .cap = cap};
    buf[0] = '\0';
    if (n->segments != 0 && n->datagrams != 0)
        add(&s,
            _("%llu segments and %llu datagrams in %u conversations for %llu "
              "bytes, %llu lost."),
            (unsigned long long)n->segments, (unsigned long long)n->datagrams,
            t->count, (unsigned long long)n->bytes,
            (unsigned long long)n->lost);
    else if (n->segments != 0)
        add_segments(n, &s);
    else if (n->datagrams != 0)
        add_datagrams(n, beside, &s);
    if (n->segments != 0)
        add_time_wait(t, &s);
}
