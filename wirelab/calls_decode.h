/* SPDX-License-Identifier: MIT
 *
 * calls_decode: the registers and the memory of a stopped program to a struct
 * call. The one table of the system calls that the lane knows is here; a row
 * says how its arguments are read when the program enters the call and when it
 * has left it.
 * Sources: the man page of each call, section 2; syscalls(2).
 * Read next: peek.h.
 */
#ifndef WIRELAB_CALLS_DECODE_H
#define WIRELAB_CALLS_DECODE_H

#include "call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A system call that a thread is inside of. */
struct trapped {
    const struct calls_row *row;
    pid_t tid;        /* whose memory and descriptors */
    pid_t pid;        /* the process of that thread */
    uint64_t args[6]; /* as the kernel got them */
    uint64_t ip, sp;  /* where the program is: tell it again after a signal */
    bool announced;   /* its first event is out */
    bool interrupted; /* a signal took it out of the kernel; it may go back */
    struct call call;
    _Alignas(long) uint8_t data[CALL_DATA]; /* what call.data points to */
};

struct calls_row {
    int nr; /* the system call's number on this machine */
    enum call_id id;
    const char *alias;
    bool extra; /* for CALLS_ALL alone */
    /* Fills t->call from the arguments. False: not for the lane. */
    bool (*enter)(struct trapped *t);
    /* Adds what is known once the call has returned; NULL: nothing. */
    void (*leave)(struct trapped *t);
    const char *remark; /* what to say of the program instead, if the call
                           succeeds; NULL: show the call */
};

/* The table, COUNT rows. */
extern const struct calls_row calls_rows[];
extern const size_t calls_row_count;

/* The row of that number, or NULL. */
const struct calls_row *calls_row_find(uint64_t nr);

/* On entry, with row, tid, pid and args set: fills t->call but for the times.
 * False: the call is not for the lane. */
bool calls_decode_enter(struct trapped *t);

/* After its return: RESULT as the kernel has it, an errno if negative. */
void calls_decode_leave(struct trapped *t, int64_t result);

#endif
