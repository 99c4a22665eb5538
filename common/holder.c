/* SPDX-License-Identifier: MIT
 *
 * holder: who has a port. See holder.h for the contract.
 */
#include "holder.h"

#include "lang.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line of /proc/net/tcp and its kin. */
struct entry {
    struct addr local, peer;
    unsigned state; /* the kernel's number: 0x0a LISTEN, 0x06 TIME_WAIT */
    unsigned long inode;
};

enum { KERNEL_TIME_WAIT = 0x06, KERNEL_LISTEN = 0x0a };

/* "0100007F:2328": the IP in the kernel's words of 32 bits, the port in hex. */
static int read_address(const char *text, int family, struct addr *a)
{
    *a = (struct addr){.len = family == AF_INET ? sizeof a->in : sizeof a->in6};
    a->sa.sa_family = (sa_family_t)family;
    uint32_t words[4];
    int count = family == AF_INET ? 1 : 4;
    for (int i = 0; i < count; i++, text += 8)
        if (sscanf(text, "%8x", &words[i]) != 1)
            return -1;
    unsigned port;
    if (sscanf(text, ":%x", &port) != 1)
        return -1;
    if (family == AF_INET)
        memcpy(&a->in.sin_addr, words, sizeof a->in.sin_addr);
    else
        memcpy(&a->in6.sin6_addr, words, sizeof a->in6.sin6_addr);
    addr_set_port(a, (uint16_t)port);
    return 0;
}

static int read_entry(const char *line, int family, struct entry *found)
{
    char local[40], peer[40];
    if (sscanf(line, " %*d: %39s %39s %x %*s %*s %*s %*s %*s %lu", local, peer,
               &found->state, &found->inode) != 4)
        return -1;
    if (read_address(local, family, &found->local) < 0)
        return -1;
    return read_address(peer, family, &found->peer);
}

/* An IPv6 socket without IPV6_V6ONLY has IPv4's port too: as the IPv4 address
 * within its own, or with [::] as all of them. ipv6(7). */
static bool covers(const struct in6_addr *have, const struct addr *want)
{
    uint32_t within;
    memcpy(&within, &have->s6_addr[12], sizeof within);
    return IN6_IS_ADDR_UNSPECIFIED(have) ||
           (IN6_IS_ADDR_V4MAPPED(have) &&
            (within == want->in.sin_addr.s_addr || addr_is_any(want)));
}

/* Does a socket at HAVE keep another from binding to WANT? */
static bool clashes(const struct addr *have, const struct addr *want)
{
    if (addr_port(have) != addr_port(want))
        return false;
    if (have->sa.sa_family != want->sa.sa_family)
        return covers(&have->in6.sin6_addr, want);
    if (want->sa.sa_family == AF_INET)
        return have->in.sin_addr.s_addr == want->in.sin_addr.s_addr ||
               addr_is_any(have) || addr_is_any(want);
    return memcmp(&have->in6.sin6_addr, &want->in6.sin6_addr, 16) == 0 ||
           addr_is_any(have) || addr_is_any(want);
}

/* The socket of FAMILY that is in the way of A: a listener rather than an old
 * connection. */
static bool find_entry(const struct addr *a, int type, int family,
                       struct entry *found)
{
    char path[32], line[512];
    snprintf(path, sizeof path, "/proc/net/%s%s", addr_proto_name(type),
             family == AF_INET6 ? "6" : "");
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    bool any = false;
    while (fgets(line, sizeof line, f) != NULL) {
        struct entry next;
        if (read_entry(line, family, &next) < 0 || !clashes(&next.local, a))
            continue;
        if (!any || next.state == KERNEL_LISTEN)
            *found = next;
        any = true;
    }
    fclose(f);
    return any;
}

static bool process_has(const char *pid, unsigned long inode)
{
    char path[300], link[64], wanted[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return false;
    bool has = false;
    struct dirent *d;
    while (!has && (d = readdir(dir)) != NULL) {
        ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof link - 1);
        if (n > 0) {
            link[n] = '\0';
            has = strcmp(link, wanted) == 0;
        }
    }
    closedir(dir);
    return has;
}

/* The name and number of the process that has the socket INODE. */
static bool find_process(unsigned long inode, char *name, size_t cap,
                         long *number)
{
    DIR *dir = opendir("/proc");
    if (dir == NULL)
        return false;
    bool found = false;
    struct dirent *d;
    while (!found && (d = readdir(dir)) != NULL)
        if (isdigit((unsigned char)d->d_name[0]) &&
            process_has(d->d_name, inode)) {
            char path[300];
            snprintf(path, sizeof path, "/proc/%s/comm", d->d_name);
            FILE *f = fopen(path, "r");
            found = f != NULL && fgets(name, (int)cap, f) != NULL;
            if (f != NULL)
                fclose(f);
            *number = strtol(d->d_name, NULL, 10);
        }
    closedir(dir);
    if (found)
        name[strcspn(name, "\n")] = '\0';
    return found;
}

const char *holder_find(const struct addr *a, int type, char *buf, size_t cap)
{
    struct entry e;
    char name[64], peer[ADDR_TEXT];
    long number;
    if (!find_entry(a, type, a->sa.sa_family, &e) &&
        (a->sa.sa_family != AF_INET || !find_entry(a, type, AF_INET6, &e)))
        return NULL;
    bool idle = type == SOCK_DGRAM || e.state == KERNEL_LISTEN;
    if (e.state == KERNEL_TIME_WAIT)
        snprintf(buf, cap,
                 _("an old connection to %s is in TIME_WAIT: it ends within a "
                   "minute, and SO_REUSEADDR does not mind it"),
                 addr_format(&e.peer, peer, sizeof peer));
    else if (find_process(e.inode, name, sizeof name, &number))
        snprintf(buf, cap,
                 idle ? _("%s (process %ld) has this port: end it, or use "
                          "another port")
                      : _("%s (process %ld) has a connection on this port"),
                 name, number);
    else
        snprintf(buf, cap, "%s", _("a program of another user has this port"));
    return buf;
}
