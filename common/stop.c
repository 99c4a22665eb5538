/* SPDX-License-Identifier: MIT
 *
 * stop: ending in good order. See stop.h for how and why.
 */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* Atomic, not only sig_atomic_t: threads read it too. */
static atomic_int stopped_by;
static int self_pipe[2] = {-1, -1};

static _Atomic(atomic_int *) thread_ids;
static atomic_size_t thread_count;

static void stop_cb(int signum)
{
    int saved = errno;
    stopped_by = signum;
    const struct timeval again = {.tv_usec = 50000};
    const struct itimerval timer = {.it_interval = again, .it_value = again};
    setitimer(ITIMER_REAL, &timer, NULL);
    if (self_pipe[1] >= 0)
        (void)!write(self_pipe[1], "", 1); /* full: it can be read already */
    errno = saved;
}

/* The timer's signal: it interrupts the call that waits, and main passes it on
 * to the threads. Not pthread_kill: a thread may just have ended, and then only
 * its number is harmless. */
static void interrupt_cb(int signum)
{
    int saved = errno;
    pid_t process = getpid();
    size_t count = syscall(SYS_gettid) == process ? thread_count : 0;
    for (size_t i = 0; i < count; i++)
        if (thread_ids[i] != 0)
            syscall(SYS_tgkill, process, (pid_t)thread_ids[i], signum);
    errno = saved;
}

/* Without SA_RESTART, so that a call that waits returns EINTR. */
static void handle(int signum, void (*handler)(int), int flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&sa.sa_mask);
    sigaction(signum, &sa, NULL);
}

void stop_init(void)
{
    handle(SIGALRM, interrupt_cb, 0);
    handle(SIGTERM, stop_cb, 0);
    handle(SIGINT, stop_cb, (int)SA_RESETHAND);
    handle(SIGPIPE, SIG_IGN, 0);
    handle(SIGUSR1, SIG_IGN, 0); /* a question that not all can answer */
}

int stop_signal(void)
{
    return stopped_by;
}

int stop_fd(void)
{
    if (self_pipe[0] < 0 && pipe2(self_pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        return -1;
    return self_pipe[0];
}

void stop_threads(atomic_int *ids, size_t count)
{
    thread_count = 0; /* the handler may run in between */
    thread_ids = ids;
    thread_count = count;
}

void stop_thread(atomic_int *place)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    *place = (int)syscall(SYS_gettid);
}
