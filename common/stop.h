/* SPDX-License-Identifier: MIT
 *
 * stop: ending in good order on SIGINT and SIGTERM, without a race.
 *
 * The programs wait inside accept, recv and poll themselves, because a call
 * that waits is part of what they show. A signal makes such a call fail with
 * EINTR; but one that lands just before the call would be lost. So the handler
 * also starts a timer that interrupts again, every 50 ms, until the program
 * has seen stop_signal(). What an event loop waits for is a descriptor: for it
 * the handler writes to a pipe (djb's self-pipe trick).
 * Sources: signal(7), setitimer(2), tgkill(2).
 */
#ifndef WIRELAB_STOP_H
#define WIRELAB_STOP_H

#include <stdatomic.h>
#include <stddef.h>

/* Catches SIGINT and SIGTERM, and ignores SIGPIPE (a peer that is gone is an
 * errno, not a death) and SIGUSR1 (which asks an event loop for its totals).
 * A second SIGINT ends the program at once. */
void stop_init(void);

/* 0, or the signal that asked for the end. Safe in any thread. */
int stop_signal(void);

/* A descriptor that can be read from as soon as stop_signal() is set, if the
 * signal comes after this call. It is never to be read or closed. -1 and errno
 * if there is none. */
int stop_fd(void);

/* For a program with threads: the timer interrupts those too whose ids stand
 * in these COUNT places (0: none). NULL and 0 before the places are freed. */
void stop_threads(atomic_int *ids, size_t count);

/* A thread begins: its id goes into *PLACE, and SIGINT and SIGTERM are main's.
 * Before the thread ends, 0 is to be written there. */
void stop_thread(atomic_int *place);

#endif
