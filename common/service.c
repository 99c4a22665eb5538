/* SPDX-License-Identifier: MIT
 *
 * service: echo, discard, chargen, daytime, each a row and a function or two.
 * See service.h for the contract.
 */
#include "service.h"

#include <stdio.h>
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
    {"echo", "send back what comes", 7, 862, echo_input, NULL},
    {"discard", "throw away what comes", 9, 863, discard_input, NULL},
    {"chargen", "send lines of characters without end", 19, 864, discard_input,
     chargen_produce},
    {"daytime", "send the date and time once, then close", 13, 867,
     discard_input, daytime_produce},
    {.name = NULL},
};

const struct service *service_find(const char *name)
{
    for (const struct service *s = services; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

void session_init(struct session *s, const struct service *service)
{
    *s = (struct session){.service = service};
}

/* RFC 864 lets a datagram hold up to 512 characters: so many whole lines. */
enum { DATAGRAM_MAX = 512 };

bool service_datagram(const struct service *service, const void *in, size_t len,
                      void *out, size_t cap, struct span *answer)
{
    struct session s;
    session_init(&s, service);
    *answer = service->on_input(&s, in, len);
    if (service->produce == NULL)
        return answer->data != NULL;
    size_t n =
        service->produce(&s, out, cap < DATAGRAM_MAX ? cap : DATAGRAM_MAX);
    *answer = (struct span){out, n};
    return true;
}
