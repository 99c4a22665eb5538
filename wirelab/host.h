/* SPDX-License-Identifier: MIT
 *
 * host: two hosts out of one machine, without root. A host is a network
 * namespace with one cable (link.c); both share one PID namespace, whose end
 * ends every program in it, and one mount namespace, in which /etc/hosts knows
 * their names. The wire between them has a network namespace of its own.
 * Sources: namespaces(7), user_namespaces(7), pid_namespaces(7),
 * mount_namespaces(7), setns(2).
 * Read next: link.h, then wire.h.
 */
#ifndef WIRELAB_HOST_H
#define WIRELAB_HOST_H

#include "err.h"
#include "event.h"
#include "link.h"

#include <stdbool.h>
#include <sys/types.h>

struct hosts {
    struct {
        int netns;           /* descriptor of its network namespace */
        int diag;            /* sock_diag socket in it */
        unsigned wire_index; /* of the wire's end of its cable */
    } at[HOST_COUNT];
    bool rootless;        /* by a user namespace of our own */
    pid_t init;           /* process 1 of the PID namespace */
    int lifeline;         /* its end is the end of init */
    int old_pids;         /* descriptor of the machine's PID namespace */
    int mounts;           /* descriptor of the mount namespace */
    int root;             /* descriptor of the root directory in it */
    char directory[4096]; /* where the programs begin; "": unknown */
    int names_failed;     /* errno: why the names do not resolve; 0: they do */
};

/* Makes all of it, in this process, for its life: it now lives in the wire's
 * network namespace, and its children in the PID namespace. 0, or -1 and *e,
 * STATUS_SKIP with the cure if this machine refuses namespaces; then what was
 * opened is closed. */
int hosts_open(struct hosts *h, const struct link_options *o, struct err *e);

/* In a child: enters HOST, for exec. The program keeps its uid; over the
 * hosts' network it may do what root may (low ports, raw sockets, ip, nft).
 * 0, or -1 and *e. */
int hosts_enter(const struct hosts *h, enum host_id host, struct err *e);

/* Kills whatever still runs in the hosts, reaps it (this process's other
 * children too), and closes all. Nothing is left behind. */
void hosts_close(struct hosts *h);

#endif
