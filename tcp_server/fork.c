/* SPDX-License-Identifier: MIT
 *
 * Fork: a process for each client. The parent accepts and forks; the child has
 * the conversation. Both have both descriptors after fork(2), so the child
 * closes the listening one and the parent the connected one: a copy left open
 * would keep the client from ever seeing the end.
 * Read next: thread.c, which shares what this file copies.
 */
#include "server.h"

#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The children, for the SIGCHLD handler: it alone removes, while fork_child
 * adds with SIGCHLD blocked. */
static pid_t *children;
static size_t children_max;
static volatile sig_atomic_t children_count;
static struct totals *shared;

/* Reaps: an ended child stays a zombie until its parent has waited for it. */
static void reap_cb(int signum)
{
    int saved = errno, status;
    pid_t pid;
    (void)signum;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < children_max; i++)
            if (children[i] == pid) {
                children[i] = 0;
                children_count--;
                if (WIFSIGNALED(status)) /* it could not count itself out */
                    atomic_fetch_sub(&shared->open, 1);
            }
    errno = saved;
}

static void block(int how, sigset_t *old)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(how, &set, old);
}

/* Until at most LIMIT children are left; false if a signal came first. */
static bool wait_for_children(sig_atomic_t limit)
{
    sigset_t unblocked;
    block(SIG_BLOCK, &unblocked);
    while (children_count > limit && stop_signal() == 0)
        sigsuspend(&unblocked);
    bool few = children_count <= limit;
    sigprocmask(SIG_SETMASK, &unblocked, NULL);
    return few;
}

static void remember(pid_t pid)
{
    size_t i = 0;
    while (children[i] != 0) /* there is room: children_count < children_max */
        i++;
    children[i] = pid;
    children_count++;
}

/* lab: fork */
static int fork_child(struct server *s, int cfd, struct model_conn *c,
                      struct err *e)
{
    sigset_t unblocked;
    block(SIG_BLOCK, &unblocked);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, &unblocked, NULL);
        sock_close(s->lfd);
        conn_serve(s, cfd, c);
        sock_close(cfd);
        _exit(s->out->failed != 0 ? STATUS_FAILED : STATUS_OK);
    }
    if (pid > 0)
        remember(pid);
    int saved = errno;
    sigprocmask(SIG_SETMASK, &unblocked, NULL);
    errno = saved;
    return pid > 0 ? 0 : err_sys(e, "fork");
}
/* end lab */

/* The machine has no process to spare: this client is turned away. */
static void refuse(struct server *s, struct model_conn *c, const struct err *e)
{
    out_error(s->out, e);
    model_closed(s, c, WHO_SERVER, HOW_ERROR);
}

static int serve(struct server *s, struct err *e)
{
    uint64_t served = 0;
    while (stop_signal() == 0 && (s->count == 0 || served < s->count)) {
        struct model_conn c = {0};
        if (!wait_for_children((sig_atomic_t)s->max_clients - 1))
            return 0;
        int cfd = sock_accept(s->lfd, &c.peer, e);
        if (cfd < 0) {
            if (conn_survives(s, e))
                continue;
            return stop_signal() != 0 ? 0 : -1;
        }
        conn_note_local(s, cfd, &c);
        model_connected(s, &c);
        if (fork_child(s, cfd, &c, e) < 0)
            refuse(s, &c, e);
        sock_close(cfd);
        served++;
    }
    return 0;
}

/* Asks the children to end, as the parent was asked, and waits for them. */
static void stop_children(void)
{
    sigset_t unblocked;
    block(SIG_BLOCK, &unblocked);
    for (size_t i = 0; i < children_max; i++)
        if (children[i] != 0)
            kill(children[i], SIGTERM);
    while (children_count > 0)
        sigsuspend(&unblocked);
    sigprocmask(SIG_SETMASK, &unblocked, NULL);
}

int fork_serve(struct server *s, struct err *e)
{
    struct sigaction reap = {.sa_handler = reap_cb, .sa_flags = SA_RESTART};
    sigemptyset(&reap.sa_mask);
    shared = s->totals;
    children_max = s->max_clients;
    children = calloc(children_max, sizeof children[0]);
    if (children == NULL)
        return err_sys(e, "fork model");
    sigaction(SIGCHLD, &reap, NULL);
    int result = serve(s, e);
    if (result == 0 && stop_signal() == 0)
        wait_for_children(0);
    stop_children();
    signal(SIGCHLD, SIG_DFL);
    free(children);
    children = NULL;
    return result;
}
