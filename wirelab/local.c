/* SPDX-License-Identifier: MIT
 *
 * local: states without a wire. See local.h for the contract.
 */
#include "local.h"

#include "diag.h"
#include "lang.h"
#include "netlink.h"

#include <dirent.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKETS 256

struct local_socket {
    int proto;               /* IPPROTO_TCP, IPPROTO_UDP; 0: free */
    struct addr local, peer; /* peer.len 0: it listens */
    enum tcp_state state;
    bool foreign;  /* it was here before the lab */
    bool is_there; /* in the present look */
    uint32_t send_queue;
};

struct local {
    int diag, info; /* sock_diag: for lists, and for questions meanwhile */
    event_sink_fn *sink;
    void *context;
    uint64_t t_ns; /* of the present look */
    int proto;     /* what is asked for in it */
    struct local_socket socket[SOCKETS];
};

static void tell(const struct local *l, const struct local_socket *s,
                 enum host_id host, enum tcp_state to)
{
    struct event e = {.kind = EVENT_STATE, .host = host, .t_ns = l->t_ns};
    if (s->foreign || s->proto != IPPROTO_TCP || s->state == to)
        return;
    e.state.local = s->local;
    e.state.peer = s->peer;
    e.state.from = s->state;
    e.state.to = to;
    e.state.inferred = to == TCP_STATE_NONE;
    l->sink(&e, l->context);
}

/* The remark is in English, as scripts and recordings have it; this tells it
 * in the reader's language. */
bool local_retell(const char *remark, char *buf, size_t cap)
{
    double rtt_ms;
    unsigned cwnd, out, in, again;
    if (sscanf(remark,
               "TCP_INFO: round trip %lf ms, congestion window %u segments, "
               "%u segments out, %u in, %u sent again",
               &rtt_ms, &cwnd, &out, &in, &again) != 5)
        return false;
    snprintf(buf, cap,
             _("TCP_INFO: round trip %.3f ms, congestion window %u segments, "
               "%u segments out, %u in, %u sent again"),
             rtt_ms, cwnd, out, in, again);
    return true;
}

/* TCP_INFO of a connection that has just left ESTABLISHED. */
static void tell_info(const struct local *l, const struct local_socket *s,
                      enum host_id host)
{
    struct tcp_info info;
    char text[200];
    if (diag_info(l->info, &s->local, &s->peer, &info) < 0)
        return;
    snprintf(text, sizeof text,
             "TCP_INFO: round trip %.3f ms, congestion window %u segments, %u "
             "segments out, %u in, %u sent again",
             info.tcpi_rtt / 1000.0, info.tcpi_snd_cwnd, info.tcpi_segs_out,
             info.tcpi_segs_in, info.tcpi_total_retrans);
    struct event e = {.kind = EVENT_REMARK, .host = host, .t_ns = l->t_ns};
    e.remark = text;
    l->sink(&e, l->context);
}

static bool is_listener(const struct local_socket *s)
{
    return s->proto != 0 && s->peer.len == 0;
}

/* Is PORT that of one of the lab's servers? */
static bool is_served(const struct local *l, uint16_t port)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        const struct local_socket *s = &l->socket[i];
        if (s->proto == IPPROTO_TCP && is_listener(s) && !s->foreign &&
            addr_port(&s->local) == port)
            return true;
    }
    return false;
}

static bool has_descriptor(pid_t pid, uint32_t inode)
{
    char path[64], wanted[32], link[32];
    struct dirent *entry;
    bool found = false;
    snprintf(wanted, sizeof wanted, "socket:[%u]", inode);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
        ssize_t len =
            readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);
        link[len > 0 ? len : 0] = '\0';
        found = strcmp(link, wanted) == 0;
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

static FILE *open_children(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid,
             (int)pid);
    return fopen(path, "re");
}

/* Does process PID, or what it has started, hold this socket? */
static bool holds(pid_t pid, uint32_t inode)
{
    int child;
    if (has_descriptor(pid, inode))
        return true;
    bool found = false;
    FILE *f = open_children(pid);
    while (f != NULL && !found && fscanf(f, "%d", &child) == 1)
        found = holds(child, inode);
    if (f != NULL)
        fclose(f);
    return found;
}

static struct local_socket *find(struct local *l, const struct diag_socket *d)
{
    bool is_listening = d->peer.len == 0;
    struct local_socket *empty = NULL;
    for (size_t i = 0; i < SOCKETS; i++) {
        struct local_socket *s = &l->socket[i];
        if (s->proto == l->proto && addr_equal(&s->local, &d->local) &&
            s->peer.len == d->peer.len &&
            (s->peer.len == 0 || addr_equal(&s->peer, &d->peer)))
            return s;
        if (s->proto == 0 && empty == NULL)
            empty = s;
    }
    if (empty != NULL)
        *empty = (struct local_socket){.proto = l->proto,
                                       .local = d->local,
                                       .peer = d->peer,
                                       .foreign = is_listening &&
                                                  !holds(getpid(), d->inode)};
    return empty;
}

static enum host_id side(const struct local *l, const struct local_socket *s)
{
    return is_served(l, addr_port(&s->local)) ? HOST_SERVER : HOST_CLIENT;
}

static void see_listener(const struct diag_socket *d, void *context)
{
    struct local *l = context;
    struct local_socket *s = addr_port(&d->local) != 0 ? find(l, d) : NULL;
    if (s == NULL)
        return;
    tell(l, s, HOST_SERVER, TCP_STATE_LISTEN);
    s->state = TCP_STATE_LISTEN;
    s->is_there = true;
}

static void see_connection(const struct diag_socket *d, void *context)
{
    struct local *l = context;
    if (d->peer.len == 0 || (!is_served(l, addr_port(&d->local)) &&
                             !is_served(l, addr_port(&d->peer))))
        return;
    struct local_socket *s = find(l, d);
    if (s == NULL)
        return;
    if (s->state == TCP_STATE_ESTABLISHED && d->state != s->state)
        tell_info(l, s, side(l, s));
    tell(l, s, side(l, s), d->state);
    s->state = d->state;
    s->send_queue = d->send_queue;
    s->is_there = true;
}

/* Those that the look did not find: connections are in TIME_WAIT, or gone.
 * They come first, while it still shows which side they were on. */
static void see_missing(struct local *l, bool listeners)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        struct local_socket *s = &l->socket[i];
        if (s->proto == 0 || s->is_there || is_listener(s) != listeners)
            continue;
        enum tcp_state now = TCP_STATE_NONE;
        if (!listeners)
            now = diag_state(l->info, &s->local, &s->peer);
        tell(l, s, listeners ? HOST_SERVER : side(l, s), now);
        s->state = now;
        s->send_queue = 0;
        if (now == TCP_STATE_NONE)
            s->proto = 0;
    }
}

void local_look(struct local *l, uint64_t t_ns)
{
    l->t_ns = t_ns;
    for (size_t i = 0; i < SOCKETS; i++)
        l->socket[i].is_there = false;
    l->proto = IPPROTO_UDP;
    diag_listeners(l->diag, l->proto, see_listener, l);
    l->proto = IPPROTO_TCP;
    diag_listeners(l->diag, l->proto, see_listener, l);
    diag_connections(l->diag, see_connection, l);
    see_missing(l, false);
    see_missing(l, true);
}

struct local *local_new(event_sink_fn *sink, void *context, struct err *e)
{
    struct local *l = calloc(1, sizeof *l);
    if (l == NULL) {
        err_sys(e, "memory for the lab");
        return NULL;
    }
    l->sink = sink;
    l->context = context;
    l->diag = netlink_open(NETLINK_SOCK_DIAG);
    l->info = netlink_open(NETLINK_SOCK_DIAG);
    if (l->diag < 0 || l->info < 0) {
        err_sys(e, "sock_diag");
        local_free(l);
        return NULL;
    }
    return l;
}

void local_free(struct local *l)
{
    if (l == NULL)
        return;
    if (l->diag >= 0)
        close(l->diag);
    if (l->info >= 0)
        close(l->info);
    free(l);
}

bool local_listens(const struct local *l)
{
    for (size_t i = 0; i < SOCKETS; i++)
        if (is_listener(&l->socket[i]) && !l->socket[i].foreign)
            return true;
    return false;
}

bool local_is_quiet(const struct local *l)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        const struct local_socket *s = &l->socket[i];
        if (s->proto == IPPROTO_TCP && !is_listener(s) && s->send_queue > 0)
            return false;
    }
    return true;
}

/* Kills the children that there are; orphans of theirs come to us. */
static void kill_children(void)
{
    int pid;
    FILE *f = open_children(getpid());
    while (f != NULL && fscanf(f, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    if (f != NULL)
        fclose(f);
}

void local_kill_all(void)
{
    do
        kill_children();
    while (waitpid(-1, NULL, __WALL) > 0);
}
