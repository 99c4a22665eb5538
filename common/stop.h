/* SPDX-License-Identifier: MIT
 *
 * stop: ending in good order on SIGINT and SIGTERM, without a race.
 *
 * The programs wait inside accept, recv and poll themselves, because a call
 * that waits is part of what they show. A signal makes such a call fail with
 * EINTR; but one that lands just before the call would be lost. So the handler
 * also starts a timer that interrupts again, every 50 ms, until the program
 * has seen stop_signal(). Sources: signal(7), setitimer(2).
 */
#ifndef WIRELAB_STOP_H
#define WIRELAB_STOP_H

/* Catches SIGINT and SIGTERM, and ignores SIGPIPE (a peer that is gone is an
 * errno, not a death) and SIGUSR1 (which asks an event loop for its totals).
 * A second SIGINT ends the program at once. */
void stop_init(void);

/* 0, or the signal that asked for the end. Safe in any thread. */
int stop_signal(void);

/* For a program whose event loop catches the signals itself: what its callback
 * was told. The loop then ends itself, and no timer is needed. */
void stop_note(int signum);

/* In a thread that is not to be interrupted: blocks the signals above, so
 * that the main thread gets them. */
void stop_block(void);

#endif
