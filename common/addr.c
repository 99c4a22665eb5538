/* SPDX-License-Identifier: MIT
 *
 * addr: IP + port as a value. See addr.h for the contract.
 */
#include "addr.h"

#include "lang.h"
#include "opt.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

/* Copies HOST without the brackets of "[::1]". -1 if it does not fit. */
static int copy_host(const char *host, char *buf, size_t cap)
{
    size_t len = strlen(host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len >= cap)
        return -1;
    memcpy(buf, host, len);
    buf[len] = '\0';
    return 0;
}

/* What is no port may be an address in its place: 9000 127.0.0.1, or
 * 127.0.0.1:9000. */
static int refuse_port(const char *host, const char *port, struct err *e)
{
    bool number_first = host[strspn(host, "0123456789")] == '\0';
    if (number_first || strpbrk(port, ".:") != NULL)
        err_advise(e, "the address stands before the port, with a blank "
                      "between: 127.0.0.1 9000");
    return -1;
}

/* getaddrinfo would take " 80", "+80" and 65536; we do not. A word that
 * begins with a letter is left to it, as the name of a service. */
static int check_port(const char *host, const char *port, struct err *e)
{
    uint64_t number;
    if (isalpha((unsigned char)port[0]) ||
        opt_parse_number(port, "port", 0, 65535, &number, e) == 0)
        return 0;
    return refuse_port(host, port, e);
}

static int resolve_error(int code, const char *host, const char *port,
                         struct err *e)
{
    if (code == EAI_SYSTEM)
        return err_sys(e, "resolve %.255s", host);
    if (code == EAI_SERVICE) {
        err_set(e, STATUS_USAGE,
                "port '%.64s': neither a number from 0 to 65535 nor a service "
                "that this machine knows",
                port);
        return refuse_port(host, port, e);
    }
    err_set(e, STATUS_FAILED, "resolve %.255s: %s", host,
            _(gai_strerror(code)));
    if (code == EAI_ADDRFAMILY) /* only if a family was asked for */
        return err_advise(e, "-4 is for IPv4 addresses alone, -6 for IPv6");
    return err_advise(e, "check the spelling; a numeric address such as "
                         "127.0.0.1 needs no name server");
}

int addr_resolve(const char *host, const char *port, int family, int type,
                 struct addr_list *list, struct err *e)
{
    char name[256];
    if (check_port(host, port, e) < 0)
        return -1;
    if (host[0] == '\0')
        return err_set(e, STATUS_USAGE, "host '': empty");
    if (copy_host(host, name, sizeof name) < 0)
        return err_set(e, STATUS_USAGE, "host '%.32s...': too long", host);

    struct addrinfo hints = {.ai_family = family, .ai_socktype = type};
    struct addrinfo *found;
    int code = getaddrinfo(name, port, &hints, &found);
    if (code != 0)
        return resolve_error(code, name, port, e);

    list->count = 0;
    for (struct addrinfo *i = found; i != NULL; i = i->ai_next) {
        if (list->count == ADDR_LIST || i->ai_addrlen > sizeof(struct addr))
            continue;
        struct addr *a = &list->at[list->count];
        *a = (struct addr){.len = i->ai_addrlen};
        memcpy(&a->sa, i->ai_addr, i->ai_addrlen);
        list->count++;
    }
    freeaddrinfo(found);
    if (list->count == 0)
        return err_set(e, STATUS_FAILED, "resolve %s: no address", name);
    return 0;
}

/* Where the port begins in "ADDR:PORT" or "[ADDR]:PORT"; NULL: there is none.
 * A bare IPv6 address has two colons or more, and so no port. */
static const char *port_in(const char *text)
{
    const char *bracket = strrchr(text, ']');
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return NULL;
    if (bracket != NULL)
        return colon == bracket + 1 ? colon + 1 : NULL;
    return strchr(text, ':') == colon ? colon + 1 : NULL;
}

int addr_parse(const char *text, struct addr *a, struct err *e)
{
    const char *port = port_in(text);
    size_t host_len = port != NULL ? (size_t)(port - 1 - text) : strlen(text);
    char host[ADDR_TEXT], name[ADDR_TEXT];
    uint64_t number = 0;
    if (port != NULL &&
        opt_parse_number(port, "port", 0, 65535, &number, e) < 0)
        return -1;

    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (host_len >= sizeof host)
        return err_set(e, STATUS_USAGE, "address '%.32s...': too long", text);
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    if (host_len == 0 || copy_host(host, name, sizeof name) < 0 ||
        getaddrinfo(name, NULL, &hints, &found) != 0)
        return err_set(e, STATUS_USAGE,
                       "address '%.64s': not numeric, such as 127.0.0.1, "
                       "127.0.0.1:7 or [::1]:7",
                       text);
    *a = (struct addr){.len = found->ai_addrlen};
    memcpy(&a->sa, found->ai_addr, found->ai_addrlen);
    addr_set_port(a, (uint16_t)number);
    freeaddrinfo(found);
    return 0;
}

const char *addr_host(const struct addr *a, char *buf, size_t cap)
{
    if (a->len == 0 ||
        (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6) ||
        getnameinfo(&a->sa, a->len, buf, (socklen_t)cap, NULL, 0,
                    NI_NUMERICHOST) != 0)
        snprintf(buf, cap, "?");
    return buf;
}

const char *addr_format(const struct addr *a, char *buf, size_t cap)
{
    char host[ADDR_TEXT];
    addr_host(a, host, sizeof host);
    if (strcmp(host, "?") == 0)
        snprintf(buf, cap, "?");
    else if (a->sa.sa_family == AF_INET6)
        snprintf(buf, cap, "[%s]:%u", host, addr_port(a));
    else
        snprintf(buf, cap, "%s:%u", host, addr_port(a));
    return buf;
}

uint16_t addr_port(const struct addr *a)
{
    return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port
                                             : a->in.sin_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
    else
        a->in.sin_port = htons(port);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family || addr_port(a) != addr_port(b))
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
                  sizeof a->in6.sin6_addr) == 0 &&
           a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

struct addr addr_unmap(const struct addr *a)
{
    struct addr four = {.len = sizeof four.in};
    const struct in6_addr *six = &a->in6.sin6_addr;
    if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(six))
        return *a;
    four.in.sin_family = AF_INET;
    four.in.sin_port = a->in6.sin6_port;
    memcpy(&four.in.sin_addr, six->s6_addr + 12, sizeof four.in.sin_addr);
    return four;
}

bool addr_is_any(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

bool addr_is_loopback(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool addr_is_multicast(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return IN_MULTICAST(ntohl(a->in.sin_addr.s_addr));
    return IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
}

const char *addr_proto_name(int type)
{
    return type == SOCK_DGRAM ? "udp" : "tcp";
}
