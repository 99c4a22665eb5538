/* SPDX-License-Identifier: MIT
 *
 * out: events, as text for people or as NDJSON for scripts, from one call
 * site; the only writer in common/.
 *
 *     out_begin(o, "closed");
 *     out_text(o, "proto", "tcp");
 *     out_uint(o, "received_bytes", n);
 *     out_end(o, "tcp closed, %llu bytes in", n);
 *
 * With --json the fields make one object a line on stdout (docs/schema.json);
 * without, the words of out_end make one line and the fields are ignored.
 * Between out_begin and out_end the calling thread holds the event: lines of
 * several threads never mix. Each line is one write(2), so lines of several
 * processes do not mix either.
 * Read next: addr.h.
 */
#ifndef WIRELAB_OUT_H
#define WIRELAB_OUT_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OUT_SCHEMA 1 /* "schema" in every event; fields are only ever added */

struct json_t;

struct out {
    const char *program;  /* names messages and the start event */
    bool json;            /* NDJSON on stdout */
    bool quiet;           /* no event log; the ready line stays */
    bool colour;          /* stderr is a terminal that wants colour */
    uint64_t start_ns;    /* CLOCK_MONOTONIC at out_init: zero of all times */
    int failed;           /* errno of the first write to stdout that failed */
    struct json_t *event; /* the event being built; NULL outside, or in text */
};

/* A descriptor 0, 1 or 2 that the shell closed (<&-) would be given to the
 * first socket or file. /dev/null takes its place: the wrong way round, so that
 * a write to a closed stdout still fails, and is reported. Before anything is
 * opened. */
void out_fill_standard(void);

/* Zeroes and fills *o, which must outlive its use. Colour follows the
 * terminal, TERM and NO_COLOR (no-color.org). */
void out_init(struct out *o, const char *program, bool json, bool quiet);

/* Nanoseconds since out_init. */
uint64_t out_now_ns(const struct out *o);

/* An event: its name and fields go to JSON, the words of out_end to text.
 * Fields have the names of docs/schema.json. out_null is for a value that is
 * not known. Text that is not UTF-8 is given escaped. */
void out_begin(struct out *o, const char *name);
void out_text(struct out *o, const char *key, const char *value);
void out_uint(struct out *o, const char *key, uint64_t value);
void out_int(struct out *o, const char *key, int64_t value);
void out_bool(struct out *o, const char *key, bool value);
void out_null(struct out *o, const char *key);
void out_list(struct out *o, const char *key, const char *const *values,
              size_t count);
/* An array of COUNT arrays of two numbers. */
void out_pairs(struct out *o, const char *key, const uint64_t pairs[][2],
               size_t count);
void out_base64(struct out *o, const char *key, const void *data, size_t len);

/* Ends the event with its line on stdout: the event log of a server. FORMAT
 * NULL: no text. Nothing is printed as text under --quiet.
 * out_end_always: a line that --quiet keeps (the ready line).
 * out_end_talk: the line goes to stderr when it is text (-v, --explain). */
void out_end(struct out *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void out_end_always(struct out *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void out_end_talk(struct out *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How it goes: a line on the terminal that the next one replaces. Nothing if
 * stderr is no terminal, nor with --json or --quiet. NULL takes it away. */
void out_progress(const struct out *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "program: message" on stderr, one line, in text and in JSON mode alike. */
void out_say(const struct out *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for what is good to know and no error: not under --quiet. */
void out_remark(const struct out *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The error as main reports it on stderr: "program: text", then its advice
 * on a line of its own. */
void out_error(const struct out *o, const struct err *e);

/* Bytes for a client's stdout: as they are, or escaped when ESCAPE is set, so
 * that a peer cannot steer the terminal (newline and tab pass). Writes all of
 * them. Returns 0, or -1 and *e if stdout cannot be written. */
int out_bytes(struct out *o, const void *data, size_t len, bool escape,
              struct err *e);

/* DATA as printable ASCII with C's escapes: hello\n, \x1b. Cuts at CAP - 1,
 * never inside an escape, and ends with "..." if something is left out. With
 * KEEP, the bytes of that string pass as they are. Returns BUF. */
char *out_escape(const void *data, size_t len, const char *keep, char *buf,
                 size_t cap);

/* TEXT of somebody else as one may print it: what would steer a terminal is
 * escaped as above, quotes and backslashes are not. Characters that are not
 * ASCII stay where people read such a language (lang_is_foreign).
 * Cuts like out_escape. Returns BUF. */
char *out_printable(const char *text, char *buf, size_t cap);

/* 0, or -1 and *e if anything written to stdout was lost (/dev/full, a closed
 * pipe). Main asks once, at its end. */
int out_check(const struct out *o, struct err *e);

#endif
