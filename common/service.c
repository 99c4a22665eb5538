/* SPDX-License-Identifier: MIT
 *
 * service: echo, discard, chargen, daytime, each a row and a function or two;
 * and the row of the sink, which has a file of its own.
 * See service.h for the contract. Read next: sink.c.
 */
#include "service.h"

#include "lang.h"
#include "msg.h"
#include "run.h"
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* RFC 862: whatever comes goes back. */
static struct span echo_input(struct session *s, const void *in, size_t len)
{
    (void)s;
    return (struct span){in, len};
}

/* RFC 863: whatever comes is thrown away. The other services throw away what
 * they are sent too (RFC 864, 867). */
static struct span discard_input(struct session *s, const void *in, size_t len)
{
    (void)s, (void)in, (void)len;
    return (struct span){NULL, 0};
}

/* RFC 864: lines of 72 of the 95 printable characters, each line beginning one
 * character further on, for as long as the client wants them. */
enum { CHARGEN_LINE = 74, CHARGEN_FIRST = ' ', CHARGEN_COUNT = 95 };

static size_t chargen_produce(struct session *s, void *out, size_t cap)
{
    char *text = out;
    size_t used = 0;
    while (cap - used >= CHARGEN_LINE) {
        uint64_t line = s->produced++;
        for (unsigned i = 0; i < CHARGEN_LINE - 2; i++)
            text[used++] = (char)(CHARGEN_FIRST + (line + i) % CHARGEN_COUNT);
        text[used++] = '\r';
        text[used++] = '\n';
    }
    return used;
}

/* RFC 867: the time once, as a line; its form is free. */
static size_t daytime_produce(struct session *s, void *out, size_t cap)
{
    time_t now = time(NULL);
    struct tm tm;
    if (s->produced++ > 0 || localtime_r(&now, &tm) == NULL)
        return 0;
    return strftime(out, cap, "%A, %B %d, %Y %H:%M:%S-%Z\r\n", &tm);
}

const struct service services[] = {
    {.name = "echo",
     .summary = N_("send back what comes"),
     .port = 7,
     .rfc = 862,
     .on_input = echo_input},
    {.name = "discard",
     .summary = N_("throw away what comes"),
     .port = 9,
     .rfc = 863,
     .on_input = discard_input},
    {.name = "chargen",
     .summary = N_("send lines of characters without end"),
     .port = 19,
     .rfc = 864,
     .on_input = discard_input,
     .produce = chargen_produce},
    {.name = "daytime",
     .summary = N_("send the date and time once, then close"),
     .port = 13,
     .rfc = 867,
     .on_input = discard_input,
     .produce = daytime_produce},
    {.name = "sink",
     .summary = N_("count what --stream sends, and report it"),
     .on_input = sink_input,
     .produce = sink_produce,
     .begin = sink_begin,
     .on_eof = sink_eof,
     .end = sink_end,
     .datagram = sink_datagram,
     .unasked = sink_unasked,
     .sent = sink_sent},
    {.name = NULL},
};

void service_list(void)
{
    for (const struct service *s = services; s->name != NULL; s++)
        if (s->rfc != 0)
            printf(_("%-12s %s (port %u, RFC %u)\n"), s->name, _(s->summary),
                   s->port, s->rfc);
        else
            printf("%-12s %s\n", s->name, _(s->summary));
}

const struct service *service_find(const char *name)
{
    for (const struct service *s = services; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

void session_init(struct session *s, const struct service *service, int fd)
{
    *s = (struct session){
        .service = service, .fd = fd, .speaks = service->produce != NULL};
    if (service->begin != NULL)
        service->begin(s);
}

void session_eof(struct session *s)
{
    if (s->service->on_eof != NULL)
        s->service->on_eof(s);
}

void session_end(struct session *s)
{
    if (s->service->end != NULL)
        s->service->end(s);
}

int desk_open(struct desk *d, const struct service *service, int fd,
              struct err *e)
{
    *d = (struct desk){.service = service,
                       .fd = fd,
                       .secret = {msg_token(), msg_token()},
                       .mode = MODE_ONE,
                       .row = 1};
    if (service->datagram == NULL)
        return 0;
    d->runs = calloc(1, sizeof *d->runs);
    return d->runs != NULL ? 0 : err_sys(e, "table of runs");
}

void desk_close(struct desk *d)
{
    run_table_free(d->runs);
    d->runs = NULL;
}

/* RFC 864 lets a datagram hold up to 512 characters: so many whole lines. */
enum { DATAGRAM_MAX = 512 };

bool service_datagram(struct desk *d, const struct addr *peer, const void *in,
                      size_t len, void *out, size_t cap, struct span *answer)
{
    const struct service *service = d->service;
    struct session s = {.service = service};
    if (service->datagram != NULL)
        return service->datagram(d, peer, in, len, out, cap, answer);
    *answer = service->on_input(&s, in, len);
    if (service->produce == NULL)
        return answer->data != NULL;
    size_t n =
        service->produce(&s, out, cap < DATAGRAM_MAX ? cap : DATAGRAM_MAX);
    *answer = (struct span){out, n};
    return true;
}

bool service_unasked(struct desk *d, void *out, size_t cap, struct row *row,
                     uint64_t *wait_ns)
{
    *wait_ns = UINT64_MAX;
    if (d->service->unasked == NULL)
        return false;
    return d->service->unasked(d, out, cap, row, wait_ns);
}

void service_sent(struct desk *d, const struct row *row, size_t count)
{
    if (d->service->sent != NULL)
        d->service->sent(row, count);
}
