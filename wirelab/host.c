/* SPDX-License-Identifier: MIT
 *
 * host: two hosts out of one machine. See host.h for the contract.
 *
 * Whether this needs a user namespace is tried, never decided by the user id:
 * root in a container is often refused what an ordinary user may do outside.
 * The mount namespace belongs to the programs alone. This process stays in
 * the machine's, so that its /proc shows the programs under the numbers by
 * which it traces them.
 */
#include "host.h"

#include "cure.h"
#include "lang.h"
#include "netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int refused(struct err *e, const char *what)
{
    err_sys(e, "%s", _(what));
    if (e != NULL)
        e->status = STATUS_SKIP;
    const struct cure *c = cure_namespaces();
    return err_advise(e, "%s: %s", _(c->why), _(c->how));
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t wrote = write(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return wrote < 0 ? -1 : 0;
}

/* A user namespace in which we are who we are, and may do everything. */
static int become_owner(struct err *e)
{
    char uid[64], gid[64];
    snprintf(uid, sizeof uid, "%u %u 1", geteuid(), geteuid());
    snprintf(gid, sizeof gid, "%u %u 1", getegid(), getegid());
    if (unshare(CLONE_NEWUSER) < 0)
        return refused(e, N_("user namespace (unshare)"));
    if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
        return refused(e, N_("user namespace (setgroups)"));
    if (write_file("/proc/self/uid_map", uid) < 0 ||
        write_file("/proc/self/gid_map", gid) < 0)
        return refused(e, N_("user namespace (uid_map)"));
    return 0;
}

/* The wire's network namespace, with a user namespace around it if need be. */
static int leave_machine(struct hosts *h, struct err *e)
{
    if (unshare(CLONE_NEWNET) == 0)
        return 0;
    if (errno != EPERM)
        return refused(e, N_("network namespace (unshare)"));
    if (become_owner(e) < 0)
        return -1;
    h->rootless = true;
    if (unshare(CLONE_NEWNET) < 0)
        return refused(e, N_("network namespace (unshare)"));
    return 0;
}

/* --- the programs' view of the file system, made by init ---------------- */

static int bind_text(const char *from, const char *text, const char *to)
{
    FILE *f = fopen(from, "we");
    if (f == NULL)
        return -1;
    bool bad = fputs(text, f) < 0;
    bad = fclose(f) != 0 || bad;
    if (bad || chmod(from, 0644) < 0)
        return -1;
    return mount(from, to, NULL, MS_BIND, NULL);
}

/* The machine's nsswitch.conf, but host names come from /etc/hosts alone:
 * otherwise a question to a name server would be the first thing seen. */
static void switch_text(char *text, size_t cap)
{
    size_t used = (size_t)snprintf(text, cap, "hosts: files\n");
    char line[512];
    FILE *f = fopen("/etc/nsswitch.conf", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        size_t len = strlen(line);
        if (strncmp(line, "hosts:", 6) == 0 || len >= cap - used)
            continue;
        memcpy(text + used, line, len + 1);
        used += len;
    }
    if (f != NULL)
        fclose(f);
}

/* /etc/hosts is a file on a tmpfs that covers /tmp for a moment: it lives on
 * in the bind mount, and nothing is left on the machine's disk. */
static int mount_names(bool ipv6)
{
    char hosts[512], names[8192];
    snprintf(hosts, sizeof hosts,
             "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
             "%s client\n%s server\n",
             link_address(HOST_CLIENT, ipv6), link_address(HOST_SERVER, ipv6));
    switch_text(names, sizeof names);
    if (mount("wirelab", "/tmp", "tmpfs", 0, "mode=755") < 0)
        return -1;
    int result = bind_text("/tmp/hosts", hosts, "/etc/hosts");
    /* A root fresh from debootstrap has no such file to cover. */
    if (result < 0 && errno == ENOENT)
        result = mount("wirelab", "/etc", "overlay", 0, "lowerdir=/tmp:/etc");
    int saved = errno;
    /* Without the file glibc asks /etc/hosts first anyway: not an error. */
    bind_text("/tmp/names", names, "/etc/nsswitch.conf");
    umount2("/tmp", MNT_DETACH);
    errno = saved;
    return result;
}

/* What init reports through its pipe. */
struct init_report {
    int failed;       /* errno of what the lab cannot do without */
    int names_failed; /* errno: the names do not resolve */
};

static void prepare_mounts(bool ipv6, struct init_report *report)
{
    if (unshare(CLONE_NEWNS) < 0) {
        report->failed = errno;
        return;
    }
    /* First of all: else what follows would show up on the machine itself.
     * It fails in a chroot, which then stays as it is. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount_names(ipv6) < 0) {
        report->names_failed = errno;
        return;
    }
    /* Refused in some containers; the old /proc then stays, and shows the
     * programs under the machine's numbers. */
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Process 1: prepares the mounts, then takes in orphans until wirelab is
 * gone. Its end is the end of every process in the namespace. */
static void init_run(int report_fd, int lifeline, bool ipv6)
{
    struct init_report report = {0, 0};
    char byte;
    setsid();
    signal(SIGCHLD, SIG_IGN);
    prepare_mounts(ipv6, &report);
    if (write(report_fd, &report, sizeof report) != sizeof report)
        _exit(1);
    close(report_fd);
    while (read(lifeline, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

static int start_init(struct hosts *h, bool ipv6, struct err *e)
{
    struct init_report report;
    int said[2] = {-1, -1}, life[2] = {-1, -1};
    h->old_pids = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (unshare(CLONE_NEWPID) < 0)
        return refused(e, N_("PID namespace (unshare)"));
    if (pipe2(said, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0 ||
        (h->init = fork()) < 0) {
        err_sys(e, "first process of the hosts");
        goto fail;
    }
    if (h->init == 0) {
        close(said[0]);
        close(life[1]);
        init_run(said[1], life[0], ipv6);
    }
    close(said[1]);
    close(life[0]);
    said[1] = life[0] = -1;
    if (read(said[0], &report, sizeof report) != sizeof report) {
        err_set(e, STATUS_FAILED, "the hosts' first process died");
        goto fail;
    }
    if (report.failed != 0) {
        errno = report.failed;
        refused(e, N_("mount namespace"));
        goto fail;
    }
    h->names_failed = report.names_failed;
    close(said[0]);
    h->lifeline = life[1];
    return 0;
fail:
    for (int i = 0; i < 2; i++) {
        if (said[i] >= 0)
            close(said[i]);
        if (life[i] >= 0)
            close(life[i]);
    }
    return -1;
}

static int open_init(const struct hosts *h, const char *what, int flags)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)h->init, what);
    return open(path, O_CLOEXEC | flags);
}

static int open_mounts(struct hosts *h, struct err *e)
{
    h->mounts = open_init(h, "ns/mnt", O_RDONLY);
    h->root = open_init(h, "root", O_PATH | O_DIRECTORY);
    if (h->mounts < 0 || h->root < 0)
        return err_sys(e, "mount namespace");
    return 0;
}

/* Makes one host, and comes back to the wire. */
static int open_host(struct hosts *h, enum host_id host,
                     const struct link_options *o, int wire, int wire_route,
                     struct err *e)
{
    if (unshare(CLONE_NEWNET) < 0)
        return refused(e, N_("network namespace (unshare)"));
    h->at[host].netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    h->at[host].diag = netlink_open(NETLINK_SOCK_DIAG);
    if (h->at[host].netns < 0 || h->at[host].diag < 0)
        return err_sys(e, "network namespace of the %s", host_name(host));
    link_defaults(o, true);
    if (link_open(host, o, wire, wire_route, &h->at[host].wire_index, e) < 0)
        return -1;
    if (setns(wire, CLONE_NEWNET) < 0)
        return err_sys(e, "back to the wire's network namespace");
    return 0;
}

static int open_all(struct hosts *h, const struct link_options *o, int wire,
                    int route, struct err *e)
{
    if (wire < 0 || route < 0)
        return err_sys(e, "the wire's network namespace");
    link_defaults(o, false);
    for (int i = 0; i < HOST_COUNT; i++)
        if (open_host(h, i, o, wire, route, e) < 0)
            return -1;
    if (start_init(h, o->ipv6, e) < 0)
        return -1;
    return open_mounts(h, e);
}

int hosts_open(struct hosts *h, const struct link_options *o, struct err *e)
{
    memset(h, 0, sizeof *h);
    h->lifeline = h->mounts = h->root = h->old_pids = -1;
    for (int i = 0; i < HOST_COUNT; i++)
        h->at[i].netns = h->at[i].diag = -1;
    if (getcwd(h->directory, sizeof h->directory) == NULL)
        h->directory[0] = '\0';
    if (leave_machine(h, e) < 0)
        return -1;
    int wire = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int route = netlink_open(NETLINK_ROUTE);
    int result = open_all(h, o, wire, route, e);
    if (wire >= 0)
        close(wire);
    if (route >= 0)
        close(route);
    if (result < 0)
        hosts_close(h);
    return result;
}

/* As an ordinary user: lets the program inherit what our user namespace
 * allows over its networks, and no more. */
static int keep_network_rights(void)
{
    static const int rights[] = {CAP_NET_ADMIN, CAP_NET_RAW,
                                 CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        data[0].inheritable |= 1u << rights[i];
    if (syscall(SYS_capset, &header, data) < 0)
        return -1;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0) < 0)
            return -1;
    return 0;
}

int hosts_enter(const struct hosts *h, enum host_id host, struct err *e)
{
    if (setns(h->at[host].netns, CLONE_NEWNET) < 0 ||
        setns(h->mounts, CLONE_NEWNS) < 0 ||
        /* It came with the machine's root; in a chroot, ours is another. */
        fchdir(h->root) < 0 || chroot(".") < 0)
        return err_sys(e, "enter the %s", host_name(host));
    if (h->directory[0] != '\0' && chdir(h->directory) < 0)
        return err_sys(e, "%s in the %s", h->directory, host_name(host));
    /* A host name of its own is a courtesy, not a need. */
    if (unshare(CLONE_NEWUTS) == 0 &&
        sethostname(host_name(host), strlen(host_name(host))) < 0)
        errno = 0;
    if (h->rootless && keep_network_rights() < 0)
        return err_sys(e, "rights over the %s's network", host_name(host));
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void hosts_close(struct hosts *h)
{
    if (h->init > 0) {
        kill(h->init, SIGKILL);
        /* The kernel ends init last, when all others are dead and reaped: so
         * reap whatever comes until it does. */
        pid_t pid = 0;
        while (pid != h->init && (pid >= 0 || errno == EINTR))
            pid = waitpid(-1, NULL, __WALL);
    }
    h->init = 0;
    /* As root this process may have children again; LeakSanitizer wants to. */
    if (h->old_pids >= 0 && setns(h->old_pids, CLONE_NEWPID) < 0)
        errno = 0;
    close_fd(&h->old_pids);
    close_fd(&h->lifeline);
    close_fd(&h->mounts);
    close_fd(&h->root);
    for (int i = 0; i < HOST_COUNT; i++) {
        close_fd(&h->at[i].netns);
        close_fd(&h->at[i].diag);
    }
}
