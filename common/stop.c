/* SPDX-License-Identifier: MIT
 *
 * stop: ending in good order. See stop.h for how and why.
 */
#include "stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/time.h>

/* Atomic, not only sig_atomic_t: threads read it too. */
static atomic_int stopped_by;

static void stop_cb(int signum)
{
    stopped_by = signum;
    const struct timeval again = {.tv_usec = 50000};
    const struct itimerval timer = {.it_interval = again, .it_value = again};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* The timer's signal: its only work is to interrupt a call that waits. */
static void interrupt_cb(int signum)
{
    (void)signum;
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

void stop_note(int signum)
{
    stopped_by = signum;
}

void stop_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}
