/* SPDX-License-Identifier: MIT
 *
 * err: an error with words, and the exit statuses that every program shares.
 *
 * common/ never ends a program and never prints an error. A function that
 * fails fills a struct err and returns -1 (or NULL); main prints it, as
 * "program: what object: why", and ends with its status.
 * Read next: opt.h.
 */
#ifndef WIRELAB_ERR_H
#define WIRELAB_ERR_H

/* Exit statuses; EXIT STATUS in every man page. */
enum status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,  /* whatever has no status of its own */
    STATUS_USAGE = 2,   /* the command line cannot be understood */
    STATUS_BIND = 3,    /* cannot bind or listen */
    STATUS_REFUSED = 4, /* refused or unreachable */
    STATUS_TIMEOUT = 5, /* timed out, no reply */
    STATUS_RESET = 6,   /* reset, cut short, or some datagrams lost */
    STATUS_EXPECT = 7,  /* an expectation did not hold */
    STATUS_SKIP = 77,   /* cannot run on this machine */
};

struct err {
    enum status status; /* what the program should end with */
    int sys;            /* the errno behind it, 0 if there is none */
    char text[512];     /* "bind 127.0.0.1:9000: Address already in use" */
    char advice[256];   /* what to do next, or "" */
};

/* Both fill *e (NULL is allowed: the caller does not want the words) and
 * return -1, so that a function can end with `return err_set(e, ...)`.
 * They keep errno. Text that is too long is cut.
 *
 * err_set: the words alone, with the status for main to end with.
 * err_sys: the words, then ": " and strerror(errno). The status follows from
 * errno: STATUS_REFUSED for refused or unreachable, STATUS_TIMEOUT,
 * STATUS_RESET for reset, broken pipe or a connection that is gone, else
 * STATUS_FAILED. */
int err_set(struct err *e, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int err_sys(struct err *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds what to do next. Returns -1, like the two above. */
int err_advise(struct err *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The status that fits an errno. */
enum status err_status(int errnum);

#endif
